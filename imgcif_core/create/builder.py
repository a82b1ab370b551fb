"""From the plain description of an experiment to the data block of an imgCIF.

The frame is that of imgCIF: X along the principal goniometer axis, Z towards the source. Corners of
panels stand in the offset of their slow axis; the first pixel's centre is half a step inside, which
the displacement of both surface axes says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.create.layout import Layout
from imgcif_core.create.mounting import Mounting, find_mounting, tidied
from imgcif_core.create.names import distinct
from imgcif_core.create.numbers import short_direction, tidy
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import unit
from imgcif_core.records import cached_property, dataclass
from imgcif_core.sources.description import AxisFacts, Experiment, PanelFacts, ScanFacts

GONIOMETER, DETECTOR, EXPERIMENT, WAVELENGTH = "GONIOMETER", "DETECTOR", "EXP1", "W1"
# Ten kilometres: longer than any instrument.
LARGEST_MM = 1e7


@dataclass(frozen=True)
class Built:
    """An experiment on its way to a data block: turned into imgCIF's frame, mounted, with its ids."""

    experiment: Experiment
    rotation: np.ndarray
    goniometer: tuple[AxisFacts, ...]
    mounting: Mounting
    layout: Layout
    scan_ids: tuple[str, ...]

    @property
    def scans(self) -> tuple[ScanFacts, ...]:
        """The scans of the source."""
        return self.experiment.scans

    @cached_property
    def frames(self) -> int:
        """The number of frames of all scans."""
        return sum(scan.frames for scan in self.scans)

    @cached_property
    def source(self) -> np.ndarray:
        """Unit vector from the sample to the source, in imgCIF's frame: (3,)."""
        return tidy(self.rotation @ unit(self.experiment.beam.source))

    def origin(self, *names: str) -> str:
        """Where the first of some fields that has a provenance comes from."""
        known = self.experiment.provenance
        for name in names:
            while name:
                if name in known:
                    return str(known[name])
                name = name.rpartition(".")[0]
        return ""


def prepare(experiment: Experiment) -> Built:
    """Turn, mount and name the parts of an experiment.

    Raises
    ------
    InputError
        If the panels of its scans are not one rigid detector, or stand beyond all measure.
    """
    _refuse_absurd(experiment)
    rotation = experiment.principal_rotation
    poses: dict[int, tuple[PanelFacts, ...]] = {}
    for scan in experiment.scans:
        if id(scan.panels) not in poses:
            poses[id(scan.panels)] = tuple(panel.turned(rotation) for panel in scan.panels)
    goniometer = _renamed([_turned(axis, rotation) for axis in experiment.goniometer], ())
    if all(scan.frames == 0 for scan in experiment.scans):
        # Without a scan no axis has a setting, so that the panels themselves stand where they are.
        mounting = Mounting((), ({},), tuple(map(tidied, poses[id(experiment.scans[0].panels)])), 0.0)
    else:
        mounting = _mounting(experiment, poses, rotation)
    mounting = _named_mounting(mounting, goniometer)
    taken = [axis.id for axis in (*goniometer, *mounting.axes)]
    layout = Layout.of(mounting.panels, taken, sum(scan.frames for scan in experiment.scans))
    scan_ids = tuple(distinct([scan.id for scan in experiment.scans], "SCAN"))
    return Built(experiment, rotation, goniometer, mounting, layout, scan_ids)


def _refuse_absurd(experiment: Experiment) -> None:
    """Raise for lengths that no laboratory holds."""
    checked: set[int] = set()
    for scan in experiment.scans:
        if id(scan.panels) in checked:
            continue
        checked.add(id(scan.panels))
        for panel in scan.panels:
            reach = max(map(abs, (*panel.corner.tolist(), *panel.pixel_size, *panel.size)))
            if not reach < LARGEST_MM or min(panel.pixel_size) <= 0 or min(panel.size) < 1:
                where = ", ".join(f"{value:.6g}" for value in panel.corner)
                raise InputError(
                    f"{experiment.path}: panel {panel.name or 'without name'} of {panel.size} pixels of "
                    f"{panel.pixel_size} mm at ({where}) mm is beyond all measure"
                )


def _mounting(experiment: Experiment, poses: Mapping[int, tuple[PanelFacts, ...]], rotation: np.ndarray) -> Mounting:
    """The axes that carry the panels in all scans."""
    return find_mounting(
        [poses[id(scan.panels)] for scan in experiment.scans],
        [_turned(axis, rotation) for axis in experiment.mounting],
        [scan.detector_settings for scan in experiment.scans],
    )


def _turned(axis: AxisFacts, rotation: np.ndarray) -> AxisFacts:
    """An axis in the turned frame."""
    vector = rotation @ unit(axis.vector)
    vector = short_direction(vector) if axis.kind == "rotation" else tidy(vector)
    return replace(axis, vector=vector, offset=tidy(rotation @ axis.offset))


def _renamed(axes: Sequence[AxisFacts], taken: Sequence[str]) -> tuple[AxisFacts, ...]:
    """Axes with plain and distinct ids; links follow."""
    names = dict(zip((axis.id for axis in axes), distinct([axis.id for axis in axes], "axis", taken), strict=True))
    return tuple(
        replace(axis, id=names[axis.id], depends_on=names.get(axis.depends_on) if axis.depends_on else None)
        for axis in axes
    )


def _named_mounting(mounting: Mounting, goniometer: Sequence[AxisFacts]) -> Mounting:
    """The mounting with ids that differ from those of the goniometer; settings follow."""
    axes = _renamed(mounting.axes, [axis.id for axis in goniometer])
    names = {old.id: new.id for old, new in zip(mounting.axes, axes, strict=True)}
    settings = tuple({names[name]: value for name, value in own.items() if name in names} for own in mounting.settings)
    return replace(mounting, axes=axes, settings=settings)
