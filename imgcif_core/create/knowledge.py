"""What is known of instruments, matched by what a source tells; it speaks only where the source is silent."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.create.answers import Described, axis_is_guessed
from imgcif_core.errors import InputError
from imgcif_core.model.facilities import facility_named
from imgcif_core.model.known_detectors import detector_named
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import AxisFacts, Experiment, Origin, PanelFacts, Provenance, ScanFacts
from imgcif_core.sources.draft import Draft, Incomplete


@dataclass(frozen=True, slots=True)
class Instrument:
    """One entry of the knowledge base; directions as in its file."""

    key: str
    ground: str
    detector: re.Pattern[str] | None
    beamline_header: str | None
    from_date: str
    to_date: str
    facts: Mapping[str, str]
    axes: tuple[tuple[str, tuple[float, ...]], ...]
    axis: tuple[float, ...] | None
    values: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, described: Described) -> bool:
        """True if the entry is about the instrument of a source, at its time."""
        facts = described.facts
        by_detector = self.detector is not None and self.detector.search(facts.get("detector", "")) is not None
        by_header = self.beamline_header is not None and facts.get("beamline") == self.beamline_header
        by_place = bool(self.values.get("by_place")) and _same_place(facts, self.facts)
        date = date_of(described)
        return (by_detector or by_header or by_place) and (not date or self.from_date <= date <= self.to_date)

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
def instruments() -> tuple[Instrument, ...]:
    """All entries."""
    text = (Path(__file__).parent / "data/instruments.toml").read_text(encoding="utf-8")
    return tuple(_instrument(entry) for entry in tomllib.loads(text)["instrument"])


def _instrument(entry: Mapping[str, Any]) -> Instrument:
    """One entry from its table."""
    names = {"facility": "facility", "beamline": "beamline", "source_make": "source", "detector_make": "detector"}
    return Instrument(
        entry["key"],
        entry["ground"],
        re.compile(entry["detector"], re.IGNORECASE) if "detector" in entry else None,
        entry.get("beamline_header"),
        entry.get("from", ""),
        entry.get("to", "9999"),
        {fact: entry[name] for name, fact in names.items() if name in entry},
        tuple((axis["id"], tuple(axis["vector"])) for axis in entry.get("axes", ())),
        tuple(entry["axis"]) if "axis" in entry else None,
        entry,
    )


def complete(described: Described) -> Described:
    """What a source describes, with what is known of its instrument."""
    described = _with_detector_facts(described)
    known = next((entry for entry in instruments() if entry.fits(described)), None)
    if known is None:
        return described
    facts = {name: text for name, text in known.facts.items() if name not in described.facts}
    if known.beamline_header:
        facts["beamline"] = ""
    provenance = dict(described.provenance) | {f"facts.{name}": known.provenance for name in facts}
    kept = {name: text for name, text in {**described.facts, **facts}.items() if text}
    described = replace(described, facts=kept, provenance=provenance)  # type: ignore[type-var]
    if isinstance(described, Draft):
        return _complete_draft(described, known)
    return described if isinstance(described, Incomplete) else _complete_experiment(described, known)


def _with_detector_facts(described: Described) -> Described:
    """Pixel size, and fast and slow where a master without images has them exchanged, by the detector's name."""
    detector = detector_named(described.facts.get("detector"))
    if detector is None or detector.is_module:
        return described
    ground = Provenance(Origin.KNOWLEDGE, detector.name, "(data sheet of the maker)")
    if isinstance(described, Draft):
        if described.pixel_size is None and described.size in detector.sizes:
            return described.with_fact("pixel_size", detector.pixel, ground)
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


def _complete_draft(draft: Draft, known: Instrument) -> Described:
    """A draft with what it lacks; a whole experiment where the detector consists of modules."""
    values: dict[str, Any] = {
        name: known.values.get(name) for name in ("probe", "first_pixel", "fast_direction", "gravity")
    }
    values["axis"] = None if known.axis is None else unit(np.array(known.axis))
    if known.values.get("beam_centre") == "pixels, x along fast":
        values["beam_centre"] = header_centre(draft)
        draft = replace(draft, notes=tuple(note for note in draft.notes if "BEAM_CENTER" not in note))
    for name, value in values.items():
        if value is not None and getattr(draft, name) is None:
            draft = draft.with_fact(name, np.array(value) if name == "gravity" else value, known.provenance)
    modules = known.values.get("modules")
    if modules and not draft.missing():
        experiment = draft.experiment()
        scan = experiment.scans[0]
        panels = tuple(_module(scan.panels[0], module, number) for number, module in enumerate(modules, 1))
        provenance = dict(experiment.provenance) | {"panels": known.provenance}
        return replace(experiment, scans=(replace(scan, panels=panels),), provenance=provenance)
    return draft


def header_centre(draft: Draft) -> tuple[float, float] | None:
    """The place of the beam in the header, as it stands there."""
    words = draft.facts.get("beam_header", "").split()
    try:
        return (float(words[0]), float(words[1])) if len(words) == 2 else None
    except ValueError:
        raise InputError(f"{draft.path}: the place of the beam {' '.join(words)} is no pair of numbers") from None


def _module(panel: PanelFacts, module: list[int], number: int) -> PanelFacts:
    """One module of a detector: a part of the image, and where it stands on the whole."""
    fast, slow, width, height, place_fast, place_slow = module
    corner = (
        panel.corner + place_fast * panel.pixel_size[0] * panel.fast + place_slow * panel.pixel_size[1] * panel.slow
    )
    return replace(panel, name=f"module{number}", size=(width, height), corner=corner, raw_offset=(fast, slow))


def _complete_experiment(experiment: Experiment, known: Instrument) -> Experiment:
    """An experiment with the goniometer where the source did not give its direction."""
    if not experiment.goniometer or not axis_is_guessed(experiment):
        return experiment
    provenance = dict(experiment.provenance) | {"goniometer": known.provenance}
    gravity = experiment.gravity
    if gravity is None and "gravity" in known.values:
        gravity = np.array(known.values["gravity"])
        provenance["gravity"] = known.provenance
    scanned = experiment.goniometer[0]
    axes, scans = experiment.goniometer, experiment.scans
    if known.axis is not None:
        axes = (replace(scanned, vector=unit(np.array(known.axis))), *experiment.goniometer[1:])
    elif known.axes and len(experiment.goniometer) == 1 and scanned.id in dict(known.axes):
        parents = [None, *(name for name, _ in known.axes[:-1])]
        axes = tuple(
            AxisFacts(name, "rotation", unit(np.array(vector)), parent)
            for (name, vector), parent in zip(known.axes, parents, strict=True)
        )
        scans = tuple(_with_header_angles(scan, [axis.id for axis in axes]) for scan in scans)
    else:
        return experiment
    return replace(experiment, goniometer=axes, scans=scans, gravity=gravity, provenance=provenance)


def _with_header_angles(scan: ScanFacts, names: list[str]) -> ScanFacts:
    """A scan with the angles of the axes that stand still, from the text header of its first image."""
    from imgcif_core.sources.minicbf import header_text, parse_header, read_head

    settings = dict(scan.settings)
    path = scan.images.files[0] if scan.images and scan.images.files else ""
    text = header_text(read_head(path)) if Path(path).is_file() else None
    header = parse_header(text) if text else None
    for name in names:
        if name not in settings:
            settings[name] = ((header.number(name) if header else None) or 0.0, 0.0)
    return replace(scan, settings=settings)
