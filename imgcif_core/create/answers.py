"""Answers, and facts of the knowledge base, put into what a source describes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.create.places import is_open, with_places
from imgcif_core.create.quantities import Millimetres
from imgcif_core.create.questions import Question, question
from imgcif_core.create.shares import absent_files, share_proposal, with_shares
from imgcif_core.errors import UsageError
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.draft import STANDING, Draft, Incomplete, clock_direction
from imgcif_core.sources.merging import Drafts

_DRAFT_FIELDS: tuple[str, ...] = (
    "quadrants",
    "size",
    "pixel_size",
    "distance",
    "beam_centre",
    "wavelength",
    "start",
    "increment",
)
_DRAFT_FIELDS += ("frames", *(f"{name}_axis" for name in STANDING))
_DRAFT_WORDS = ("first_pixel", "fast_direction")
# Wavelengths in angstrom: crystals are not measured with photons below, nor with electrons above.
_PHOTONS_FROM, _ELECTRONS_TO = 0.1, 0.06
_FACTS = ("facility", "beamline", "source", "detector")
Described = Experiment | Incomplete


def apply_answers(described: Described, answers: Mapping[str, Any], provenance: Provenance) -> Described:
    """What is described, with the answers; they win over what a file says, as the person knows better."""
    values = dict(answers)
    if "probe" in values:
        values["probe"] = values["probe"].replace(" ", "-")
    described = with_shares(described, values)
    vector = _turn_vector(values, "principal_axis", "rotation_sense")
    arm = _turn_vector(values, "two_theta_axis", "two_theta_sense")
    if isinstance(described, Incomplete):
        for name in (*_DRAFT_FIELDS, *_DRAFT_WORDS, "probe"):
            if name in values:
                described = described.with_fact(name, _in_pixels(values[name], described), provenance)
        if vector is not None:
            described = described.with_fact("axis", vector, provenance)
            described = described.with_fact("gravity", np.array([0.0, -1.0, 0.0]), provenance)
        if arm is not None:
            described = described.with_fact("two_theta_axis", arm, provenance)
    else:
        described = _apply_to_experiment(described, values, vector, provenance)
        described = with_places(described, values, provenance)
    facts = {name: values[name] for name in _FACTS if name in values}
    known = dict(described.provenance) | {f"facts.{name}": provenance for name in facts}
    if not facts:
        return described
    if isinstance(described, Drafts):
        return described.with_facts({**described.facts, **facts}, known)
    return replace(described, facts={**described.facts, **facts}, provenance=known)  # type: ignore[type-var]


def _in_pixels(value: Any, described: Incomplete) -> Any:
    """A place in mm as one in pixels; other values as they are."""
    if not isinstance(value, Millimetres):
        return value
    draft = described.parts[0] if isinstance(described, Drafts) else described
    sizes = getattr(draft, "pixel_size", None)
    if sizes is None:
        raise UsageError("beam_centre in mm needs the size of a pixel: answer pixel_size first, or give pixels")
    return tuple(float(f"{length / size:.12g}") for length, size in zip(value, sizes, strict=True))


def _turn_vector(values: Mapping[str, Any], hour: str, sense: str) -> np.ndarray | None:
    """The direction about which something turns in the right-handed sense, from hour and sense."""
    if hour not in values or sense not in values:
        return None
    outward = clock_direction(values[hour])
    # Seen from the tail, a right-handed rotation is clockwise.
    return outward if values[sense] == "clockwise" else -outward + 0.0


def _apply_to_experiment(
    experiment: Experiment, values: Mapping[str, Any], vector: np.ndarray | None, provenance: Provenance
) -> Experiment:
    """Wavelength, probe and principal axis of an experiment."""
    known = dict(experiment.provenance)
    beam = experiment.beam
    scans = experiment.scans
    if "wavelength" in values:
        beam = replace(beam, wavelength=values["wavelength"], wavelengths=None)
        scans = tuple(replace(scan, wavelength=values["wavelength"]) for scan in scans)
        known["beam.wavelength"] = provenance
    if "probe" in values:
        beam = replace(beam, probe=values["probe"])
        known["beam.probe"] = provenance
    goniometer, gravity = experiment.goniometer, experiment.gravity
    if vector is not None and goniometer and axis_is_guessed(experiment):
        goniometer = (replace(goniometer[0], vector=vector), *goniometer[1:])
        known["goniometer"] = known["gravity"] = provenance
        gravity = np.array([0.0, -1.0, 0.0])
    return replace(experiment, beam=beam, scans=scans, goniometer=goniometer, gravity=gravity, provenance=known)


def axis_is_guessed(experiment: Experiment) -> bool:
    """True if the direction of the principal axis is only a default of the reader."""
    known = experiment.provenance.get("goniometer")
    return known is not None and known.origin is Origin.DEFAULT


_TWO_PARTS = {"axis": ("principal_axis", "rotation_sense"), "two_theta_axis": ("two_theta_axis", "two_theta_sense")}


def open_questions(described: Described, answers: Mapping[str, Any]) -> list[Question]:
    """What is still to be asked, needed answers first; with proposals where something speaks for an answer."""
    asked: list[str] = []
    proposals: dict[str, tuple[str, str]] = {}
    if isinstance(described, Incomplete):
        for name in described.missing():
            asked += _TWO_PARTS.get(name, (name,))
        probe, wavelength = described.probe, described.wavelength
        proposals |= described.proposals
    else:
        wavelength = described.beam.wavelength
        if wavelength is None and described.beam.band is None:
            asked.append("wavelength")
        if described.goniometer and axis_is_guessed(described) and not is_still(described):
            asked += ["principal_axis", "rotation_sense"]
        probe = described.beam.probe
        asked += ["panel_places"] if is_open(described) else []
    if absent := absent_files(described):
        asked.append("images_per_file")
        proposals |= share_proposal(*absent)
    if probe is None:
        asked.append("probe")
        proposals |= probe_proposal(wavelength)
    facts = described.facts
    if "facility" not in facts and "source" not in facts:
        asked += ["facility", "beamline", "source"]
    elif "facility" in facts and "beamline" not in facts:
        asked.append("beamline")
    if "detector" not in facts:
        asked.append("detector")
    return [_asked(key, described, proposals) for key in dict.fromkeys(asked) if key not in answers]


def _asked(key: str, described: Described, proposals: Mapping[str, tuple[str, str]]) -> Question:
    """A question with what the source says about it, and with the proposal for it."""
    entry = question(key)
    proposal, ground = proposals.get(key, ("", ""))
    if isinstance(described, Draft):
        return replace(entry, text=_with_angle(key, entry.text, described), proposal=proposal, ground=ground)
    return replace(entry, proposal=proposal, ground=ground)


def _with_angle(key: str, text: str, draft: Draft) -> str:
    """The text of a question, with the angle that the header gives for the axis in question."""
    axis = key.removesuffix("_axis")
    if key == "two_theta_axis":
        return f"The source puts the detector arm (two theta) at {draft.two_theta:g} degrees.\n{text}"
    if key == "beam_centre" and draft.two_theta:
        return f"{text}\nGive it for the detector arm (two theta) at zero."
    if axis != key and draft.standing.get(axis):
        return f"The source puts {axis} at {draft.standing[axis]:g} degrees.\n{text}"
    if key == "principal_axis" and (draft.standing or draft.axis_id != "omega"):
        return f"{text}\nIt is the axis that moves ({draft.axis_id}), with all angles at zero."
    return text


def probe_proposal(wavelength: float | None) -> dict[str, tuple[str, str]]:
    """The kind of radiation that a wavelength in angstrom lets expect."""
    if wavelength is None or _ELECTRONS_TO <= wavelength < _PHOTONS_FROM:
        return {}
    word = "x-ray" if wavelength >= _PHOTONS_FROM else "electron"
    return {"probe": (f'"{word}"', f"a wavelength of {wavelength:g} angstrom is that of {word}s as a rule")}


def is_still(experiment: Experiment) -> bool:
    """True if no axis of the goniometer moves in any scan."""
    return all(scan.scanned_axis is None for scan in experiment.scans)
