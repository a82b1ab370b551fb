"""A run of the European XFEL with the geometry of its detector, before a person has filled the gaps.

A row of a module's dataset is the stored array: its panels are sections of it. Where a row holds several
memory cells, the images of each cell are a scan of their own, as no item of imgCIF counts cells.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import Experiment, ImageFiles, Origin, PanelFacts, Provenance, ScanFacts
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.euxfel import Module, Run
from imgcif_core.sources.extrageom import QuadrantDraft
from imgcif_core.sources.geomdraft import GeomDraft
from imgcif_core.sources.statements import Fate, Statement

KIND = "euxfel"
_PULSES = 1 << 16


@dataclass(frozen=True)
class RunDraft(Incomplete):
    """A run and the geometry of its detector; lengths in mm, wavelength in angstrom, quadrants of EXtra-geom."""

    run: Run
    geometry: GeomDraft | QuadrantDraft
    distance: float | None = None
    wavelength: float | None = None
    quadrants: tuple[tuple[float, float], ...] | None = None
    probe: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    proposals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    kind: str = KIND

    @property
    def path(self) -> str:  # type: ignore[override]
        """The folder or first file of the run."""
        return self.run.path

    @property
    def scans(self) -> tuple[ScanFacts, ...]:
        """The scans without their panels."""
        return _scans(self.run)

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Remarks about the run and, once the geometry is whole, about how both fit."""
        geometry = self._geometry()
        if geometry.missing():
            return self.remarks
        try:
            return (*self.remarks, *_placed(self.run, geometry.experiment().scans[0].panels)[1])
        except InputError:
            # The same is raised by all that needs the panels.
            return self.remarks

    def missing(self) -> tuple[str, ...]:
        """What neither the run nor the geometry tells."""
        needed = [*self._geometry().missing(), *(["wavelength"] if self.wavelength is None else [])]
        return tuple(dict.fromkeys(needed))

    def _geometry(self) -> GeomDraft | QuadrantDraft:
        """The geometry with what a person answered."""
        given: dict[str, Any] = {"distance": self.distance, "quadrants": self.quadrants}
        known = {name: value for name, value in given.items() if value is not None and hasattr(self.geometry, name)}
        return replace(self.geometry, **known)

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where facts are missing or run and geometry do not fit."""
        self.refuse_gaps()
        whole = self._geometry().experiment()
        panels, _ = _placed(self.run, whole.scans[0].panels)
        arrays = {panel.array for panel in panels}
        scans = tuple(
            replace(scan, panels=_of_cell(panels, cell), wavelength=self.wavelength, modules=images_of(scan, arrays))
            for cell, scan in enumerate(_scans(self.run))
        )
        known = {**whole.provenance, **self.provenance}
        if "wavelength" in known:
            known["beam.wavelength"] = known["wavelength"]
        return replace(
            whole,
            path=self.run.path,
            kind=KIND,
            beam=replace(whole.beam, wavelength=self.wavelength, probe=self.probe),
            scans=scans,
            facts=self.facts,
            provenance=known,
            notes=self.notes,
            items={"_diffrn.details": self.run.details} if self.run.details else {},
            statements=self.statements,
        )


def with_geometry(run: Run, geometry: GeomDraft | QuadrantDraft) -> RunDraft:
    """The run with the geometry of its detector."""
    here = Provenance(Origin.FILE, run.path)
    known = {f"facts.{name}": here for name in run.facts} | {"scans": here, "items": here}
    known |= {
        name: entry for name, entry in geometry.provenance.items() if name in ("panels", "wavelength", "distance")
    }
    known.setdefault("panels", Provenance(Origin.FILE, geometry.path))
    proposals = {}
    if run.wavelength is not None:
        proposals["wavelength"] = (f"{run.wavelength:.7g}", "the gas monitor of the run was set for it")
    statements = [
        Statement(entry.place, entry.value, Fate.LEFT_OUT, "the files of the run hold the images")
        if entry.place.rpartition("/")[2] == "data"
        else entry
        for entry in geometry.statements
    ]
    return RunDraft(
        run,
        geometry,
        wavelength=geometry.wavelength,
        probe=geometry.probe,
        facts=run.facts,
        provenance=known,
        remarks=(*run.notes, *geometry.notes),
        statements=(*run.statements, *statements),
        proposals=proposals,
    )


def read_run(
    path: str, files: Sequence[str], geometry: GeomDraft | QuadrantDraft, reach: Reach = OWN_FOLDER
) -> RunDraft:
    """The run that files hold, read in a process of its own, with a geometry.

    Raises
    ------
    InputError
        If the files cannot be read or hold no images.
    """
    from imgcif_core.sources.isolated import call

    run: Run = call("run", path, list(files), list(reach.folders), reach.is_following)
    return with_geometry(run, geometry)


def refuse_lone_run(path: str) -> Experiment:
    """Raise InputError: no file of a run says where its modules stand."""
    raise InputError(
        f"{path}: is a run of the European XFEL, which does not say where its modules stand; give the folder of the "
        "run together with a CrystFEL .geom, or for LPD with the file of its modules"
    )


def _scans(run: Run) -> tuple[ScanFacts, ...]:
    """The frames of all modules: pulse after pulse, a scan for each memory cell."""
    keys = np.unique(np.concatenate([_keys(module) for module in run.modules]))
    cells = max(module.cells for module in run.modules)
    trains, pulses = (keys // _PULSES).tolist(), (keys % _PULSES).tolist()
    found = []
    for cell in range(cells):
        # A cell is counted as the files have it, from 0.
        last = f"memory cell {cell}" if cells > 1 else ""
        word = "pulse" if not run.is_jungfrau else "row"
        texts = tuple(
            ", ".join(filter(None, (f"train {train}", f"{word} {pulse}" if not run.is_jungfrau or pulse else "", last)))
            for train, pulse in zip(trains, pulses, strict=True)
        )
        modules = tuple(
            replace(module.images, array=_array(run, module.number), rows=np.searchsorted(keys, _keys(module)))
            for module in run.modules
            if cell < module.cells
        )
        name = f"CELL{cell}" if cells > 1 else "SCAN1"
        found.append(ScanFacts(name, len(keys), {}, (), modules=modules, texts=texts))
    return tuple(found)


def _keys(module: Module) -> np.ndarray:
    """Train and pulse of each row as one number: (n,) int64, rising."""
    found: np.ndarray = module.train * _PULSES + module.pulse
    return found


def _array(run: Run, number: int) -> str:
    """The name of a module's array."""
    return f"{'JNGFR' if run.is_jungfrau else 'module'}{number:02d}"


def _placed(run: Run, panels: Sequence[PanelFacts]) -> tuple[list[PanelFacts], list[str]]:
    """The panels of a geometry as parts of the modules' arrays, and what could not be."""
    by_number = {module.number: module for module in run.modules}
    # Geometries count modules from 0, as the stacked array of all modules does.
    shift = 1 if run.is_jungfrau and min(by_number) > 0 else 0
    found, bare, met = [], set(), set()
    for panel in panels:
        slow = run.modules[0].shape[-2]
        index = panel.raw_index[-1] if panel.raw_index else panel.raw_offset[1] // slow
        place = panel.raw_offset if panel.raw_index else (panel.raw_offset[0], panel.raw_offset[1] % slow)
        module = by_number.get(index + shift)
        if module is None:
            bare.add(index + shift)
            continue
        met.add(module.number)
        ends = place[0] + panel.size[0], place[1] + panel.size[1]
        if ends[0] > module.shape[-1] or ends[1] > module.shape[-2]:
            raise InputError(
                f"{run.path}: an image of module {module.number} has {module.shape[-1]} x {module.shape[-2]} pixels, "
                f"panel {panel.name} of the geometry ends at {ends[0]}, {ends[1]}"
            )
        inner = (0,) * (len(module.shape) - 2)
        array = _array(run, module.number)
        shape = tuple(reversed(module.shape))
        found.append(replace(panel, raw_offset=place, raw_index=inner, array=array, array_shape=shape))
    notes = []
    if not found:
        raise InputError(f"{run.path}: no panel of the geometry belongs to a module of the run")
    if bare:
        numbers = ", ".join(map(str, sorted(bare)))
        notes.append(f"the run has no images of module {numbers}, whose panels were left out")
    if unplaced := sorted(by_number.keys() - met):
        numbers = ", ".join(map(str, unplaced))
        notes.append(f"the geometry has no panel for module {numbers}, whose images are not linked")
    return found, notes


def _of_cell(panels: Sequence[PanelFacts], cell: int) -> tuple[PanelFacts, ...]:
    """The panels as parts of one memory cell."""
    if cell == 0:
        return tuple(panels)
    return tuple(replace(panel, raw_index=(cell, *panel.raw_index[1:])) for panel in panels)


def images_of(scan: ScanFacts, arrays: Collection[str]) -> tuple[ImageFiles, ...]:
    """The images of those arrays of a scan that its panels lie in."""
    return tuple(entry for entry in scan.modules if entry.array in arrays)
