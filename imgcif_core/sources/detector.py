"""A detector of DIALS without beam and images (.json): a source of panels, alone or for images beside it.

The frame is that of DIALS: X and Y across the beam, Y up for instruments that stand as usual, Z from the sample
to the source.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import BeamFacts, Experiment, Origin, PanelFacts, Provenance, ScanFacts
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.expt import detector_panels
from imgcif_core.sources.exptlist import statements_of
from imgcif_core.sources.facts import Record
from imgcif_core.sources.merging import Drafts
from imgcif_core.sources.statements import Statement

KIND = "detector"


@dataclass(frozen=True)
class DetectorDraft(Incomplete):
    """Panels alone: nothing else is needed for the template of a geometry."""

    path: str
    panels: tuple[PanelFacts, ...]
    wavelength: float | None = None
    probe: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: str = KIND
    statements: tuple[Statement, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def experiment(self) -> Experiment:
        """The panels of a scan without frames."""
        known = dict(self.provenance)
        if "wavelength" in known:
            known["beam.wavelength"] = known["wavelength"]
        scan = ScanFacts("SCAN1", 0, {}, self.panels, None, wavelength=self.wavelength)
        beam = BeamFacts(np.array([0.0, 0.0, 1.0]), self.wavelength, probe=self.probe)
        found = Experiment(self.path, KIND, beam, (), (scan,), (), self.facts, known, self.notes)
        return replace(found, statements=self.statements)


def read_detector(path: str | Path) -> DetectorDraft:
    """The panels of a file.

    Raises
    ------
    InputError
        If it cannot be read, or holds no detector or several.
    """
    name = str(path)
    try:
        data: Any = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not JSON, or cut off - {str(error)[:100]}") from None
    found = data.get("detector", data) if isinstance(data, Mapping) else data
    if isinstance(found, Sequence) and not isinstance(found, str):
        if len(found) != 1:
            raise InputError(f"{name}: holds {len(found)} detectors, expected one")
        found = found[0]
    record = Record(found, name, "detector")
    panels = detector_panels(record)
    identifier = next((entry.text("identifier") for entry in record.records("panels") if entry.text("identifier")), "")
    return DetectorDraft(
        name,
        panels,
        facts={"detector": identifier} if identifier else {},
        provenance=dict.fromkeys(("panels", "facts.detector"), Provenance(Origin.FILE, name)),
        statements=statements_of({"detector": [found]}),
    )


def with_detector(described: Experiment | Incomplete, path: str) -> Draft | Drafts:
    """Images with the panels of a detector in the place of what their headers tell of it.

    Raises
    ------
    InputError
        If they tell where their own panels stand, or have another size.
    """
    detector = read_detector(path)
    if isinstance(described, Drafts):
        return Drafts(tuple(_with_panels(part, detector) for part in described.parts))
    if not isinstance(described, Draft) or described.panels:
        raise InputError(f"{described.path}: places its panels itself, so that {path} has no use beside it")
    return _with_panels(described, detector)


def _with_panels(draft: Draft, detector: DetectorDraft) -> Draft:
    """One draft with panels; limits of its header stay where the detector gives none."""
    panels = detector.panels
    ends = [max(panel.raw_offset[k] + panel.size[k] for panel in panels) for k in (0, 1)]
    if draft.size is not None and (ends[0] > draft.size[0] or ends[1] > draft.size[1]):
        raise InputError(
            f"{draft.path}: has {draft.size[0]} x {draft.size[1]} pixels, the panels of {detector.path} reach to "
            f"{ends[0]} x {ends[1]}"
        )
    limits: dict[str, Any] = {"underload": draft.underload, "overload": draft.overload}
    chosen = tuple(
        replace(panel, **{name: value for name, value in limits.items() if getattr(panel, name) is None})
        for panel in panels
    )
    told = [name for name in ("distance", "beam_centre", "two_theta") if getattr(draft, name)]
    words = f"; {', '.join(told).replace('_', ' ')} of the headers gave way to it" if told else ""
    return replace(
        draft,
        panels=chosen,
        notes=(*draft.notes, f"the panels stand where {Path(detector.path).name} has them{words}"),
        facts={**detector.facts, **draft.facts},
        provenance={**draft.provenance, **dict.fromkeys(("panels", "beam_centre"), detector.provenance["panels"])},
        statements=(*draft.statements, *detector.statements),
    )
