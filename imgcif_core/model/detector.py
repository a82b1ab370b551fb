"""The detector as panels: where the pixels of each one lie, in the frames of a scan.

A panel is one pair of pixel directions, of an array or of a section of an array. Its axes give the
position of the first stored pixel's centre and the steps to the next one along each direction. The
increment counts per stored datum, whatever `direction` says, as all known readers take it.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from imgcif_core.model.arrays import ArrayDimension, ArrayLayout, element_ids, list_layouts
from imgcif_core.model.axes import CYCLIC, DANGLING, NO_PARENT, Axes, Placement, compose
from imgcif_core.model.pose import DOWNSTREAM, Pose
from imgcif_core.model.scans import Scan
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Tables, kept

__all__ = ["DOWNSTREAM", "Detector", "Fault", "Panel", "Pose", "Posture", "build_detector"]

# Cosine between two pixel directions from which on they span no face.
PARALLEL = 0.99


class Fault(StrEnum):
    """Why the pixels of a layout cannot be placed on a flat face."""

    NONE = ""
    PRECEDENCE = "precedence repeated"
    ONE_DIMENSION = "one dimension only"
    NO_SET = "direction without axis set"
    NO_AXIS = "axis set without axis"
    AXIS_UNDEFINED = "axis not defined"
    PARENT_UNDEFINED = "axis with an undefined parent"
    CYCLE = "axis in a cycle"
    NUMBER = "number not readable"
    NULL_VECTOR = "axis with a null vector"
    NO_STEP = "step not given"
    ZERO_STEP = "step of zero"
    PARALLEL = "parallel directions"
    FRACTIONAL = "fractional steps"
    ROTATION = "axis of rotation among the pixel directions"
    ANGULAR = "angular increments"


class Posture:
    """The placement of every axis for some frames, each made once; laboratory frame, mm."""

    def __init__(self, axes: Axes, settings: Mapping[int, np.ndarray], frames: int = 1) -> None:
        """Take the settings by row of an axis: (frames,) or (1,) each, degrees or mm."""
        self.axes = axes
        self.frames = frames
        self._settings = settings
        self._known: dict[tuple[int, float, int], Placement] = {}

    def placement(self, row: int, own: Mapping[int, float] | None = None) -> Placement:
        """Where the frame that an axis carries lies; `own` overrides settings by row of an axis."""
        own = own or {}
        route = self.axes.route(row)
        last = max((index for index, (axis, _) in enumerate(route) if axis in own), default=-1)
        inner = [self._step(axis, added, own) for axis, added in route[: last + 1]]
        return compose([*inner, self._shared(route[last + 1 :])])

    def _step(self, axis: int, added: float, own: Mapping[int, float]) -> Placement:
        """The motion of one axis."""
        return self.axes.step(axis, own.get(axis, self._settings.get(axis, 0.0)), added)

    def _shared(self, route: list[tuple[int, float]]) -> Placement:
        """The placement at the inner end of a route, kept for all panels that share it.

        A mounting axis may be followed by another axis than the one on which it depends itself.
        """
        outer = [*(axis for axis, _ in route[1:]), NO_PARENT][: len(route)]
        keys = [(axis, added, next_axis) for (axis, added), next_axis in zip(route, outer, strict=True)]
        start = next((index for index, key in enumerate(keys) if key in self._known), len(keys))
        placed = self._known[keys[start]] if start < len(keys) else compose(())
        for key in reversed(keys[:start]):
            placed = self._known[key] = self._step(key[0], key[1], {}).inside(placed)
        return placed


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of pixel directions; immutable.

    `shape` is flat, strip, point, curved or unplaced; `fault` says why it is not flat.
    """

    id: str
    layout: ArrayLayout
    element_id: str | None
    shape: str
    fault: Fault

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
        return self.layout.directions[0]

    @property
    def slow(self) -> ArrayDimension:
        """The direction that runs second in storage."""
        return self.layout.directions[1]

    @property
    def size(self) -> tuple[int, int]:
        """Pixels along fast and slow; 0 where not given."""
        return self.fast.size, self.slow.size

    def axis_rows(self, axes: Axes) -> list[int]:
        """All axes on which the position of the panel depends, innermost first."""
        rows: dict[int, None] = {}
        for dimension in self.layout.directions:
            for entry in dimension.surface:
                rows.update(dict.fromkeys(axis for axis, _ in axes.route(entry.axis)))
        return list(rows)

    def pose(self, posture: Posture) -> Pose:
        """Where a flat panel lies; the settings of its pixel directions are its own.

        Of two directions that do not depend on one another each is taken as carried by the same parent.
        """
        axes = posture.axes
        fast, slow = self.fast.surface[0], self.slow.surface[0]
        own = {fast.axis: fast.displacement, slow.axis: slow.displacement}
        carried_fast = posture.placement(fast.axis, own)
        carried_slow = posture.placement(slow.axis, own)
        if slow.axis in (axis for axis, _ in axes.route(fast.axis)):
            origin = carried_fast.translation
        elif fast.axis in (axis for axis, _ in axes.route(slow.axis)):
            origin = carried_slow.translation
        else:
            local = axes.offset[slow.axis] + slow.displacement * axes.direction[slow.axis]
            origin = carried_fast.translation + carried_fast.turn(local)
        shape = (posture.frames, 3)
        return Pose(
            np.broadcast_to(origin, shape),
            np.broadcast_to(carried_fast.turn(axes.direction[fast.axis]) * fast.increment, shape),
            np.broadcast_to(carried_slow.turn(axes.direction[slow.axis]) * slow.increment, shape),
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
        posture = Posture(self.axes, self.settings(scan, chosen), len(chosen))
        return [panel.pose(posture) for panel in self.flat]


@kept
def build_detector(tables: Tables, axes: Axes) -> Detector:
    """The panels of a block, in the order of the file."""
    layouts = list_layouts(tables, axes)
    elements = element_ids(tables, layouts)
    panels = []
    at_zero = Posture(axes, {})
    for layout, element in zip(layouts, elements, strict=True):
        shape, fault = _shape(layout, at_zero)
        name = layout.section_id or element or layout.array_id
        panels.append(Panel(name, layout, element, shape, fault))
    return Detector(axes, tuple(panels))


def _shape(layout: ArrayLayout, at_zero: Posture) -> tuple[str, Fault]:
    """What kind of face a layout has, and why it is not a flat one."""
    axes = at_zero.axes
    precedences = [dimension.precedence for dimension in layout.dimensions]
    if len(set(precedences)) < len(precedences):
        return "unplaced", Fault.PRECEDENCE
    active = layout.directions
    if len(active) < 2:
        extended = any(dimension.size != 1 for dimension in active)
        return ("strip" if extended else "point"), Fault.ONE_DIMENSION
    fault = next((fault for fault in (_fault(dimension, axes) for dimension in active) if fault), Fault.NONE)
    if fault:
        return "unplaced", fault
    kinds = [axes.kind[entry.axis] for dimension in active for entry in dimension.surface]
    if len(kinds) > 2 or any(kind == "rotation" for kind in kinds):
        return "curved", Fault.ROTATION
    if any(dimension.is_angular for dimension in active):
        return "curved", Fault.ANGULAR
    return _flat_shape(layout, at_zero)


def _flat_shape(layout: ArrayLayout, at_zero: Posture) -> tuple[str, Fault]:
    """Whether two directions along translations span a face."""
    (fast,), (slow,) = (dimension.surface for dimension in layout.directions)
    thin = min(dimension.size for dimension in layout.directions) == 1
    for entry in (fast, slow):
        if entry.increment == 0:
            fault = Fault.ZERO_STEP if entry.has_step else Fault.NO_STEP
            return ("strip", Fault.ONE_DIMENSION) if thin else ("unplaced", fault)
    chains = [set(at_zero.axes.chain(entry.axis)) for entry in (fast, slow)]
    if any(at_zero.axes.kind[row] == "rotation" for row in chains[0] ^ chains[1]):
        # An axis between the two directions turns one against the other, by what the scans set.
        return "flat", Fault.NONE
    first, second = (
        at_zero.placement(entry.axis).turn(at_zero.axes.direction[entry.axis])[0] for entry in (fast, slow)
    )
    if abs(first @ second) > PARALLEL:
        return ("strip", Fault.ONE_DIMENSION) if thin else ("unplaced", Fault.PARALLEL)
    return "flat", Fault.NONE


def _fault(dimension: ArrayDimension, axes: Axes) -> Fault:
    """What keeps one direction from being placed."""
    if not dimension.surface:
        return Fault.NO_AXIS if dimension.axis_set_id else Fault.NO_SET
    for entry in dimension.surface:
        if entry.axis < 0:
            return Fault.AXIS_UNDEFINED
        end = axes.walk(entry.axis)[1]
        if end in (CYCLIC, DANGLING):
            return Fault.CYCLE if end == CYCLIC else Fault.PARENT_UNDEFINED
        if not axes.is_whole(entry.axis) or np.isnan([entry.displacement, entry.increment]).any():
            return Fault.NUMBER
        if not axes.direction[entry.axis].any():
            return Fault.NULL_VECTOR
        if entry.is_fractional:
            return Fault.FRACTIONAL
    return Fault.NONE
