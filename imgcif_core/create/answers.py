"""Answers, and facts of the knowledge base, put into what a source describes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.create.questions import Question, question
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.draft import Incomplete, clock_direction

_DRAFT_FIELDS = ("quadrants", "size", "pixel_size", "distance", "beam_centre", "wavelength", "start", "increment")
_DRAFT_WORDS = ("first_pixel", "fast_direction")
_FACTS = ("facility", "beamline", "source", "detector")
Described = Experiment | Incomplete


def apply_answers(described: Described, answers: Mapping[str, Any], provenance: Provenance) -> Described:
    """What is described, with the answers; they win over what a file says, as the person knows better."""
    values = dict(answers)
    if "probe" in values:
        values["probe"] = values["probe"].replace(" ", "-")
    vector = _axis_vector(values)
    if isinstance(described, Incomplete):
        for name in (*_DRAFT_FIELDS, *_DRAFT_WORDS, "probe"):
            if name in values:
                described = described.with_fact(name, values[name], provenance)
        if vector is not None:
            described = described.with_fact("axis", vector, provenance)
            described = described.with_fact("gravity", np.array([0.0, -1.0, 0.0]), provenance)
    else:
        described = _apply_to_experiment(described, values, vector, provenance)
    facts = {name: values[name] for name in _FACTS if name in values}
    known = dict(described.provenance) | {f"facts.{name}": provenance for name in facts}
    if not facts:
        return described
    return replace(described, facts={**described.facts, **facts}, provenance=known)  # type: ignore[type-var]


def _axis_vector(values: Mapping[str, Any]) -> np.ndarray | None:
    """The direction about which the crystal turns in the right-handed sense, from hour and sense."""
    if "principal_axis" not in values or "rotation_sense" not in values:
        return None
    outward = clock_direction(values["principal_axis"])
    # Seen from the tail, a right-handed rotation is clockwise.
    return outward if values["rotation_sense"] == "clockwise" else -outward + 0.0


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


def open_questions(described: Described, answers: Mapping[str, Any]) -> list[Question]:
    """What is still to be asked, needed answers first."""
    asked: list[str] = []
    if isinstance(described, Incomplete):
        for name in described.missing():
            asked += ["principal_axis", "rotation_sense"] if name == "axis" else [name]
        probe = described.probe
    else:
        if described.beam.wavelength is None:
            asked.append("wavelength")
        if described.goniometer and axis_is_guessed(described) and not is_still(described):
            asked += ["principal_axis", "rotation_sense"]
        probe = described.beam.probe
    if probe is None:
        asked.append("probe")
    facts = described.facts
    if "facility" not in facts and "source" not in facts:
        asked += ["facility", "beamline", "source"]
    elif "facility" in facts and "beamline" not in facts:
        asked.append("beamline")
    if "detector" not in facts:
        asked.append("detector")
    return [question(key) for key in dict.fromkeys(asked) if key not in answers]


def is_still(experiment: Experiment) -> bool:
    """True if no axis of the goniometer moves in any scan."""
    return all(scan.scanned_axis is None for scan in experiment.scans)
