"""The detector as panels: where the pixels of each one lie, in the frames of a scan.

A panel is one pair of pixel directions, of an array or of a section of an array. Its axes give the
position of the first stored pixel's centre and the steps to the next one along each direction. The
increment counts per stored datum, whatever `direction` says, as all known readers take it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imgcif_core.model.arrays import ArrayDimension, ArrayLayout, element_ids, list_layouts
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Scan
from imgcif_core.model.vectors import unit
from imgcif_core.tables import Tables

DOWNSTREAM = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, slots=True)
class Pose:
    """Where one flat panel lies, for each frame; laboratory frame, mm; immutable.

    origin : (frames, 3) centre of the first stored pixel; fast_step, slow_step : (frames, 3) to the
    next pixel centre; size : pixels along fast and slow, 0 where not given.
    """

    origin: np.ndarray
    fast_step: np.ndarray
    slow_step: np.ndarray
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def fast(self) -> np.ndarray:
        """Unit vectors along fast: (frames, 3)."""
        return unit(self.fast_step)

    @property
    def slow(self) -> np.ndarray:
        """Unit vectors along slow: (frames, 3)."""
        return unit(self.slow_step)

    @property
    def pixel_size(self) -> np.ndarray:
        """Length of the steps along fast and slow: (2,) mm."""
        return np.array([np.linalg.norm(self.fast_step[0]), np.linalg.norm(self.slow_step[0])])

    @property
    def normal(self) -> np.ndarray:
        """Unit vectors along fast x slow: (frames, 3); null where the two are parallel."""
        return unit(np.cross(self.fast_step, self.slow_step))

    @property
    def corner(self) -> np.ndarray:
        """Outer corner of the first pixel, half a pixel back along both steps: (frames, 3) mm."""
        return self.origin - 0.5 * self.fast_step - 0.5 * self.slow_step

    @property
    def centre(self) -> np.ndarray:
        """Centre of the panel: (frames, 3) mm."""
        return self.at(0.5 * (self.size[0] - 1), 0.5 * (self.size[1] - 1))

    @property
    def normal_distance(self) -> np.ndarray:
        """Distance of the sample from the plane of the panel, positive: (frames,) mm."""
        return np.abs(np.einsum("fi,fi->f", self.origin, self.normal))

    def at(self, fast: float | np.ndarray, slow: float | np.ndarray) -> np.ndarray:
        """Laboratory position of a pixel index counted from the first centre: (frames, 3) mm."""
        return self.origin + np.asarray(fast) * self.fast_step + np.asarray(slow) * self.slow_step

    def corners(self) -> np.ndarray:
        """The four outer corners, in the order first, fast end, far, slow end: (frames, 4, 3) mm."""
        fast, slow = self.size[0] * self.fast_step, self.size[1] * self.slow_step
        first = self.corner
        return np.stack([first, first + fast, first + fast + slow, first + slow], axis=1)

    def pixel_coordinates(self, frame: int = 0) -> np.ndarray:
        """Laboratory positions of all pixel centres for one frame: (slow, fast, 3) mm."""
        along = np.arange(self.size[0])[:, None] * self.fast_step[frame] + self.origin[frame]
        down = np.arange(self.size[1])[:, None] * self.slow_step[frame]
        return along[None, :, :] + down[:, None, :]

    def beam_centre(self, beam: np.ndarray = DOWNSTREAM) -> np.ndarray:
        """Where a ray from the sample meets the plane: (frames, 2) pixels from the first centre.

        nan where the ray is parallel to the plane or meets it behind the sample.
        """
        return self.intersect(np.broadcast_to(np.asarray(beam, dtype=float), self.origin.shape))

    def intersect(self, rays: np.ndarray) -> np.ndarray:
        """Pixel indices (frames, 2) in which rays (frames, 3) from the sample meet the plane."""
        normal = np.cross(self.fast_step, self.slow_step)
        across = np.einsum("fi,fi->f", rays, normal)
        height = np.einsum("fi,fi->f", self.origin, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = height / across
            inside = reach[:, None] * rays - self.origin
            area = np.einsum("fi,fi->f", normal, normal)
            fast = np.einsum("fi,fi->f", np.cross(inside, self.slow_step), normal) / area
            slow = np.einsum("fi,fi->f", np.cross(self.fast_step, inside), normal) / area
        found = np.stack([fast, slow], axis=1)
        found[~(reach > 0)] = np.nan
        return found

    def holds(self, pixels: np.ndarray) -> np.ndarray:
        """Whether pixel indices (frames, 2) lie on the panel: (frames,) bool."""
        limit = np.array(self.size) - 0.5
        with np.errstate(invalid="ignore"):
            return np.all((pixels >= -0.5) & (pixels <= limit), axis=1, keepdims=True)[:, 0]


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of pixel directions; immutable.

    `shape` is flat, strip, point, curved or unplaced; `fault` says why nothing can be computed, in
    a word that begins with what is broken: axis, number, precedence, set or dimension.
    """

    id: str
    layout: ArrayLayout
    element_id: str | None
    shape: str
    fault: str

    @property
    def array_id(self) -> str:
        """The array that holds the pixels."""
        return self.layout.array_id

    @property
    def section_id(self) -> str | None:
        """The section of the array, None for the whole of it."""
        return self.layout.section_id

    @property
    def fast(self) -> ArrayDimension:
        """The direction that runs fastest in storage."""
        return self.layout.dimensions[0]

    @property
    def slow(self) -> ArrayDimension:
        """The direction that runs second in storage."""
        return self.layout.dimensions[1]

    @property
    def size(self) -> tuple[int, int]:
        """Pixels along fast and slow; 0 where not given."""
        return self.fast.size, self.slow.size

    def axis_rows(self, axes: Axes) -> list[int]:
        """All axes on which the position of the panel depends, innermost first."""
        rows: dict[int, None] = {}
        for dimension in self.layout.dimensions[:2]:
            for entry in dimension.surface:
                rows.update(dict.fromkeys(axes.chain(entry.axis)))
        return list(rows)

    def pose(self, axes: Axes, settings: Mapping[int, np.ndarray], frames: int = 1) -> Pose:
        """Where a flat panel lies; settings by row of an axis, those of the surface axes are its own."""
        own = dict(settings)
        fast, slow = self.fast.surface[0], self.slow.surface[0]
        own[fast.axis], own[slow.axis] = np.array([fast.displacement]), np.array([slow.displacement])
        carried_fast = axes.placement(fast.axis, own, frames)
        carried_slow = axes.placement(slow.axis, own, frames)
        if slow.axis in axes.chain(fast.axis):
            origin = carried_fast.translation
        elif fast.axis in axes.chain(slow.axis):
            origin = carried_slow.translation
        else:
            local = axes.offset[slow.axis] + slow.displacement * axes.direction[slow.axis]
            origin = carried_fast.translation + carried_fast.turn(local)
        return Pose(
            origin,
            carried_fast.turn(axes.direction[fast.axis]) * fast.increment,
            carried_slow.turn(axes.direction[slow.axis]) * slow.increment,
            self.size,
        )


@dataclass(frozen=True)
class Detector:
    """The panels of a block with the axes that carry them; immutable."""

    axes: Axes
    panels: tuple[Panel, ...]

    def __len__(self) -> int:
        return len(self.panels)

    @cached_property
    def flat(self) -> tuple[Panel, ...]:
        """The panels whose pixels can be placed."""
        return tuple(panel for panel in self.panels if panel.shape == "flat")

    @cached_property
    def moving_axes(self) -> tuple[int, ...]:
        """Axes on which the position of any panel depends, surface axes left out."""
        surface = {entry.axis for panel in self.panels for part in panel.layout.dimensions for entry in part.surface}
        rows: dict[int, None] = {}
        for panel in self.flat:
            rows.update(dict.fromkeys(row for row in panel.axis_rows(self.axes) if row not in surface))
        return tuple(rows)

    def settings(self, scan: Scan | None, indices: np.ndarray) -> dict[int, np.ndarray]:
        """Settings of the axes that carry panels, at the start of some frames of a scan.

        An axis that stands still is one number: (1,), the others (frames,).
        """
        found = {}
        for row in self.moving_axes if scan is not None else ():
            values = scan.settings(row, indices) if scan is not None else np.zeros(1)
            is_still = len(values) > 0 and (values == values[0]).all()
            found[row] = values[:1] if is_still else values
        return found

    def poses(self, scan: Scan | None = None, indices: np.ndarray | None = None) -> list[Pose]:
        """Where the flat panels lie at the start of some frames of a scan; the first one by default.

        Without a scan all axes stand at zero.
        """
        chosen = np.zeros(1, dtype=np.int64) if indices is None else np.asarray(indices)
        settings = self.settings(scan, chosen)
        return [panel.pose(self.axes, settings, len(chosen)) for panel in self.flat]


def build_detector(tables: Tables, axes: Axes) -> Detector:
    """The panels of a block, in the order of the file."""
    layouts = list_layouts(tables, axes)
    elements = element_ids(tables, layouts)
    panels = []
    for layout, element in zip(layouts, elements, strict=True):
        shape, fault = _shape(layout, axes)
        name = layout.section_id or element or layout.array_id
        panels.append(Panel(name, layout, element, shape, fault))
    return Detector(axes, tuple(panels))


def _shape(layout: ArrayLayout, axes: Axes) -> tuple[str, str]:
    """What kind of face a layout has, and why it cannot be placed."""
    precedences = [dimension.precedence for dimension in layout.dimensions]
    if len(set(precedences)) < len(precedences):
        return "unplaced", "precedence repeated"
    active = layout.dimensions[:2]
    extended = [dimension for dimension in active if dimension.size != 1]
    if len(active) < 2:
        return ("strip" if extended else "point"), "one dimension only"
    fault = next((fault for fault in (_fault(dimension, axes) for dimension in active) if fault), "")
    if fault:
        return "unplaced", fault
    kinds = [axes.kind[entry.axis] for dimension in active for entry in dimension.surface]
    if len(kinds) > 2 or any(kind == "rotation" for kind in kinds):
        return "curved", "axis of rotation among the pixel directions"
    if any(dimension.is_angular for dimension in active):
        return "curved", "angular increments"
    return "flat", ""


def _fault(dimension: ArrayDimension, axes: Axes) -> str:
    """Why one direction cannot be placed, or an empty text."""
    if not dimension.surface:
        return "set without axis"
    for entry in dimension.surface:
        if entry.axis < 0:
            return "axis not defined"
        if any(axes.cyclic[row] for row in axes.chain(entry.axis)):
            return "axis in a cycle"
        if int(axes.parent[axes.chain(entry.axis)[-1]]) < -1:
            return "axis with an undefined parent"
        if not axes.is_whole(entry.axis) or np.isnan([entry.displacement, entry.increment]).any():
            return "number not readable"
    return ""
