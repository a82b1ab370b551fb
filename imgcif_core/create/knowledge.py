"""What is known of instruments, matched by what a source tells; it speaks only where the source is silent."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.create.answers import Described, axis_is_guessed
from imgcif_core.errors import InputError
from imgcif_core.model.facilities import facility_named
from imgcif_core.model.known_detectors import detector_named
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import AxisFacts, Experiment, Origin, Provenance
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.merging import Drafts
from imgcif_core.sources.shapes import Arc, FlatModules, Shape
from imgcif_core.sources.statements import Fate, renewed

_BEAM_KEYS = ("BEAM_CENTER_X", "BEAM_CENTER_Y")
_FACTS = {"facility": "facility", "beamline": "beamline", "source_make": "source", "detector_make": "detector"}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One entry of the knowledge base; directions as in its file.

    detector : what the name or number of the detector holds; serial : the serial number of an SMV or
    Rayonix header; header : lines by lower-case key with what they hold, `without` lines that must be
    absent; widths, size : of the image; wavelengths : between which; `is_offered` for what is only
    proposed to a person.
    """

    key: str
    ground: str
    kind: str
    detector: re.Pattern[str] | None
    serial: str
    header: Mapping[str, re.Pattern[str]]
    without: tuple[str, ...]
    widths: tuple[int, ...]
    size: tuple[int, ...]
    from_date: str
    to_date: str
    is_offered: bool
    facts: Mapping[str, str]
    axes: tuple[tuple[str, tuple[float, ...]], ...]
    axis: tuple[float, ...] | None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """How special the entry is: serial numbers with conditions first, then serial numbers, then places."""
        conditions = len(self.header) + len(self.without) + bool(self.size) + bool(self.from_date or self.to_date)
        return 10 * bool(self.detector or self.serial or "beamline" in self.header) + conditions

    def fits(self, described: Described) -> bool:
        """True if the entry is about the instrument of a source, at its time."""
        facts = described.facts
        if self.kind and self.kind != getattr(described, "kind", ""):
            return False
        names = " | ".join(facts.get(name, "") for name in ("detector", "detector_id"))
        if self.detector is not None and not self.detector.search(names):
            return False
        if self.serial and facts.get("detector_serial", "").lstrip("0") != self.serial.lstrip("0"):
            return False
        if self.values.get("by_place") and not _same_place(facts, self.facts):
            return False
        return self._fits_header(described) and self._fits_date(date_of(described))

    def _fits_header(self, described: Described) -> bool:
        """True if the lines of the header and the size of the image are as the entry has them."""
        if not (self.header or self.without or self.widths or self.size):
            return True
        if not isinstance(described, Draft):
            return False
        header, size = described.header, described.size
        if any(not (key in header and found.search(header[key])) for key, found in self.header.items()):
            return False
        if any(key in header for key in self.without):
            return False
        if self.widths and (size is None or size[0] not in self.widths):
            return False
        return not self.size or size == tuple(self.size)

    def _fits_date(self, date: str) -> bool:
        """True if the data are of the time of the entry; data without a date fit only what holds at any time."""
        if not date:
            return not (self.from_date or self.to_date)
        return self.from_date <= date[:10] <= (self.to_date or "9999")

    @property
    def provenance(self) -> Provenance:
        """How facts of this entry are marked."""
        return Provenance(Origin.KNOWLEDGE, self.key, f"({self.ground})")


def _same_place(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """True if facility and beamline are the same, under whatever spelling."""
    facilities = [facility_named(facts.get("facility", "")) for facts in (one, other)]
    beamlines = [re.sub(r"[\W_]+", "", facts.get("beamline", "")).casefold() for facts in (one, other)]
    return facilities[0] is not None and facilities[0] == facilities[1] and beamlines[0] == beamlines[1]


def date_of(described: Described) -> str:
    """When the data were measured, as far as it is known."""
    if isinstance(described, Experiment):
        return next((scan.start_date for scan in described.scans if scan.start_date), "")
    return getattr(described, "date", None) or ""


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    """The file."""
    return tomllib.loads((Path(__file__).parent / "data/instruments.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def instruments() -> tuple[Instrument, ...]:
    """All entries, the most special ones first."""
    found = [_instrument(entry) for entry in _table()["instrument"]]
    return tuple(sorted(found, key=lambda entry: -entry.weight))


def _instrument(entry: Mapping[str, Any]) -> Instrument:
    """One entry from its table."""
    return Instrument(
        entry["key"],
        entry["ground"],
        entry.get("kind", ""),
        re.compile(entry["detector"], re.IGNORECASE) if "detector" in entry else None,
        entry.get("serial", ""),
        {key: re.compile(text, re.IGNORECASE) for key, text in entry.get("header", {}).items()},
        tuple(entry.get("without", ())),
        tuple(entry.get("widths", ())),
        tuple(entry.get("size", ())),
        entry.get("from", ""),
        entry.get("to", ""),
        entry.get("offered", False),
        {fact: entry[name] for name, fact in _FACTS.items() if name in entry},
        tuple((axis["id"], tuple(axis["vector"])) for axis in entry.get("axes", ())),
        tuple(entry["axis"]) if "axis" in entry else None,
        entry,
    )


def _shape(name: str) -> Shape:
    """A shape of the file by its name."""
    entry = _table()["shape"][name]
    if "modules" in entry:
        return FlatModules(tuple(tuple(module) for module in entry["modules"]))
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Arc(**values)


def complete(described: Described) -> Described:
    """What a source describes, with what is known of its instrument."""
    if isinstance(described, Drafts):
        parts = [complete(part) for part in described.parts]
        return replace(described, parts=tuple(part for part in parts if isinstance(part, Draft)))
    described = _with_detector_facts(described)
    known = next((entry for entry in instruments() if entry.fits(described)), None)
    if known is None:
        return described
    if known.is_offered:
        return _with_offer(described, known) if isinstance(described, Draft) else described
    facts = {name: text for name, text in known.facts.items() if name not in described.facts}
    if known.values.get("replaces_beamline"):
        facts["beamline"] = ""
    provenance = dict(described.provenance) | {f"facts.{name}": known.provenance for name in facts}
    kept = {name: text for name, text in {**described.facts, **facts}.items() if text}
    described = replace(described, facts=kept, provenance=provenance)  # type: ignore[type-var]
    if isinstance(described, Draft):
        return _complete_draft(described, known)
    return described if isinstance(described, Incomplete) else _complete_experiment(described, known)


def _with_detector_facts(described: Described) -> Described:
    """What the name of the detector tells: pixel size, shape, and which of two sizes is fast."""
    if isinstance(described, Draft):
        described = _with_shape(described)
    detector = detector_named(described.facts.get("detector"))
    if detector is None or detector.is_module:
        return described
    ground = Provenance(Origin.KNOWLEDGE, detector.name, "(data sheet of the maker)")
    if isinstance(described, Draft):
        if described.pixel_size is None and described.size in detector.sizes:
            described = described.with_fact("pixel_size", detector.pixel, ground)
        size = described.size
        is_exchanged = size is not None and (size[1], size[0]) in detector.sizes and size not in detector.sizes
        if described.kind == "nxmx" and described.images is None and is_exchanged and size and not detector.turned:
            note = f"{size[0]} x {size[1]} pixels are those of {detector.name} exchanged"
            described = replace(described, notes=tuple(dict.fromkeys((*described.notes, note))))
            described = described.with_fact("size", (size[1], size[0]), ground)
        return described
    if not isinstance(described, Experiment) or described.kind != "nxmx" or detector.turned:
        return described
    scans = []
    notes = list(described.notes)
    for scan in described.scans:
        fast, slow = scan.panels[0].size
        if len(scan.panels) == 1 and scan.images is None and (slow, fast) in detector.sizes:
            scan = replace(scan, panels=(replace(scan.panels[0], size=(slow, fast)),))
            notes.append(f"{fast} x {slow} pixels are those of {detector.name} exchanged; taken as {slow} x {fast}")
        scans.append(scan)
    return replace(described, scans=tuple(scans), notes=tuple(dict.fromkeys(notes)))


def _with_shape(draft: Draft) -> Draft:
    """A detector that is no flat rectangle as what it is; refused where its shape is not known.

    Raises
    ------
    InputError
        If the detector is curved and nothing tells where its modules stand.
    """
    if draft.shape is not None or draft.panels:
        return draft
    name = draft.facts.get("detector", "")
    for entry in _table()["curved"]:
        is_named = re.search(entry["detector"], name, re.IGNORECASE) is not None
        if not is_named and draft.size != tuple(entry.get("size", ())):
            continue
        if "shape" not in entry:
            raise InputError(
                f"{draft.path}: {name} is not flat, and where its modules stand is not known here; "
                "a DIALS experiment list, or --dxtbx, tells it"
            )
        shape = _shape(entry["shape"])
        if draft.size is not None and draft.size != getattr(shape, "size", draft.size):
            raise InputError(f"{draft.path}: {name} is not flat, and an image of {draft.size} pixels is not all of it")
        ground = Provenance(Origin.KNOWLEDGE, entry["shape"], f"({entry['ground']})")
        # Its distance is a shift of the whole arc, so that zero is no placeholder.
        distance = _stated_distance(draft) if draft.distance is None else draft.distance
        draft = draft.with_fact("shape", shape, ground)
        draft = replace(draft, distance=distance, provenance={**draft.provenance, "panels": ground})
        return replace(draft, notes=tuple(note for note in draft.notes if not note.startswith("a distance of 0 ")))
    return draft


def _stated_distance(draft: Draft) -> float | None:
    """A distance of zero as the header gives it."""
    text = draft.header.get("detector_distance", "").split()
    try:
        return 0.0 if text and float(text[0]) == 0 else None
    except ValueError:
        return None


def _complete_draft(draft: Draft, known: Instrument) -> Draft:
    """A draft with what it lacks."""
    values: dict[str, Any] = {name: known.values.get(name) for name in ("probe", "first_pixel", "fast_direction")}
    values["gravity"] = known.values.get("gravity")
    values["two_theta_axis"] = known.values.get("two_theta")
    values["axis"] = known.axis
    if known.values.get("beam_centre") == "pixels, x along fast":
        values["beam_centre"] = header_centre(draft)
        notes = tuple(note for note in draft.notes if "BEAM_CENTER" not in note)
        draft = replace(draft, notes=notes, statements=renewed(draft.statements, _BEAM_KEYS, Fate.USED))
    for name, value in values.items():
        if value is not None and getattr(draft, name) is None:
            is_direction = name in ("gravity", "axis", "two_theta_axis")
            draft = draft.with_fact(name, unit(np.array(value)) if is_direction else value, known.provenance)
    if values["two_theta_axis"] is not None and draft.two_theta:
        draft = replace(draft, statements=renewed(draft.statements, ("TWOTHETA", "Detector_2theta"), Fate.USED))
    if "shape" in known.values and draft.shape is None:
        draft = draft.with_fact("shape", _shape(known.values["shape"]), known.provenance)
        draft = replace(draft, provenance={**draft.provenance, "panels": known.provenance})
    return _with_goniometer(draft, known)


def _with_offer(draft: Draft, known: Instrument) -> Draft:
    """A draft with the axis and the place of an entry as proposals."""
    ground = f"{known.key}: {known.ground}"
    proposals = {name: (f'"{text}"', ground) for name, text in known.facts.items()}
    axis = known.axis or (known.axes[0][1] if known.axes else None)
    if axis is not None and draft.axis is None:
        hour = round(np.degrees(np.arctan2(axis[0], axis[1])) / 30.0 * 60) / 60 % 12
        proposals["principal_axis"] = (f'"{int(hour) or 12}:{round(hour % 1 * 60):02d}"', ground)
        proposals["rotation_sense"] = ('"clockwise"', ground)
    return replace(draft, proposals=proposals | dict(draft.proposals))


def _with_goniometer(draft: Draft, known: Instrument) -> Draft:
    """A draft with the whole goniometer of an entry, where the header gives the settings of all its axes.

    Without them the axis at its base is taken, if it is the one that moves; the header's own axes that the
    entry does not have stay open.
    """
    if draft.goniometer or draft.axis is not None or not known.axes:
        return draft
    header = {name: word.lower() for name, word in known.values.get("axis_names", {}).items()}
    names = [name for name, _ in known.axes]
    words = [header.get(name, name) for name in names]
    stated = {**draft.standing, draft.axis_id: draft.start or 0.0}
    strangers = [name for name, angle in draft.standing.items() if angle and name not in words]
    if any(word not in stated for word in words) or strangers or draft.axis_id not in names:
        vectors = dict(known.axes)
        if draft.axis_id == names[0] and not any(draft.standing.get(word) for word in words[1:]):
            return draft.with_fact("axis", unit(np.array(vectors[names[0]])), known.provenance)
        return draft
    parents = [None, *names[:-1]]
    axes = tuple(
        AxisFacts(name, "rotation", _vector(known, draft, name, vector), parent)
        for (name, vector), parent in zip(known.axes, parents, strict=True)
    )
    standing = {name: stated[word] for name, word in zip(names, words, strict=True) if name != draft.axis_id}
    statements = renewed(draft.statements, (*words, "alpha") if "by_alpha" in known.values else words, Fate.USED)
    draft = replace(draft, standing=standing, statements=statements)
    draft = draft.with_fact("goniometer", axes, known.provenance)
    start = stated[words[names.index(draft.axis_id)]]
    return draft if draft.start is not None else draft.with_fact("start", start, known.provenance)


def _vector(known: Instrument, draft: Draft, name: str, vector: tuple[float, ...]) -> Floats:
    """The direction of an axis; that of kappa by the angle alpha of the header where the entry says so."""
    alpha = draft.header.get("alpha", "").split()
    if name == "kappa" and alpha and "by_alpha" in known.values:
        along, across = (np.array(part, dtype=float) for part in known.values["by_alpha"])
        try:
            angle_rad = np.radians(float(alpha[0]))
        except ValueError:
            return unit(np.array(vector))
        found: Floats = np.cos(angle_rad) * along + np.sin(angle_rad) * across
        return found
    return unit(np.array(vector))


def header_centre(draft: Draft) -> tuple[float, float] | None:
    """The place of the beam in the header, as it stands there."""
    words = draft.facts.get("beam_header", "").split()
    try:
        return (float(words[0]), float(words[1])) if len(words) == 2 else None
    except ValueError:
        raise InputError(f"{draft.path}: the place of the beam {' '.join(words)} is no pair of numbers") from None


def _complete_experiment(experiment: Experiment, known: Instrument) -> Experiment:
    """An experiment with the goniometer where the source did not give its direction."""
    if not experiment.goniometer or not axis_is_guessed(experiment) or known.axis is None:
        return experiment
    provenance = dict(experiment.provenance) | {"goniometer": known.provenance}
    gravity = experiment.gravity
    if gravity is None and "gravity" in known.values:
        gravity = np.array(known.values["gravity"])
        provenance["gravity"] = known.provenance
    axes = (replace(experiment.goniometer[0], vector=unit(np.array(known.axis))), *experiment.goniometer[1:])
    return replace(experiment, goniometer=axes, gravity=gravity, provenance=provenance)
