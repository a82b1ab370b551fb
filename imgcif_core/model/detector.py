"""The detector as panels: where the pixels of each one lie, in the frames of a scan.

A panel is one pair of pixel directions, of an array or of a section of an array. Its axes give the
position of the first stored pixel's centre and the steps to the next one along each direction. The
increment counts per stored datum, whatever `direction` says, as all known readers take it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import overload

import numpy as np

from imgcif_core.arrays import Integers
from imgcif_core.model.arrays import ArrayDimension, ArrayLayout, Layouts, element_ids, list_layouts
from imgcif_core.model.axes import CYCLIC, DANGLING, Axes
from imgcif_core.model.faces import Faces, Posture
from imgcif_core.model.pose import DOWNSTREAM, Pose, Poses
from imgcif_core.model.scans import Scan
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Tables, kept

__all__ = ["DOWNSTREAM", "Detector", "Fault", "Panel", "Panels", "Pose", "Poses", "Posture", "build_detector"]

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


# The kinds of faces, and the faults by number.
FLAT, STRIP, POINT, CURVED, UNPLACED = SHAPES = ("flat", "strip", "point", "curved", "unplaced")
_FAULTS = tuple(Fault)
_NUMBERS = {fault: number for number, fault in enumerate(_FAULTS)}
_SHAPE_NUMBERS = {shape: number for number, shape in enumerate(SHAPES)}


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
                rows.update(dict.fromkeys(axes.chain(entry.axis)))
        return list(rows)

    def pose(self, posture: Posture) -> Pose:
        """Where a flat panel lies; the settings of its pixel directions are its own."""
        entries = [part.surface[0] for part in self.layout.directions]
        columns = ([entry.axis for entry in entries], [entry.displacement for entry in entries])
        increments = [entry.increment for entry in entries]
        face = Faces(posture.axes, *(np.array([column]) for column in (*columns, increments, self.size)))
        return face.place(posture)[0]


class Panels(Sequence[Panel]):
    """Some panels of a detector, each made when it is asked for.

    `numbers` are those of all panels of the detector.
    """

    def __init__(self, detector: "Detector", numbers: np.ndarray) -> None:
        self.numbers = numbers
        self._detector = detector

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Panel: ...
    @overload
    def __getitem__(self, index: slice) -> list[Panel]: ...
    def __getitem__(self, index: int | slice) -> Panel | list[Panel]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return self._detector.panel(int(self.numbers[index]))


class Detector:
    """The panels of a block with the axes that carry them, as columns; immutable.

    layouts : that of each panel; ids : of each panel; shape, fault : (n,) numbers of `SHAPES` and of the faults.
    """

    def __init__(
        self,
        axes: Axes,
        layouts: Layouts,
        elements: Sequence[str | None],
        shape: np.ndarray,
        fault: np.ndarray,
        faces: Faces,
    ) -> None:
        self.axes = axes
        self.layouts = layouts
        self.elements = elements
        self._shape = shape
        self._fault = fault
        # The flat panels as pairs of pixel directions.
        self.faces = faces
        self._made: dict[int, Panel] = {}

    def __len__(self) -> int:
        return len(self.layouts)

    @cached_property
    def panels(self) -> Panels:
        """All panels, in the order of the file."""
        return Panels(self, np.arange(len(self)))

    @cached_property
    def flat(self) -> Panels:
        """The panels whose pixels can be placed."""
        return Panels(self, np.flatnonzero(self._shape == _SHAPE_NUMBERS[FLAT]))

    def panel(self, number: int) -> Panel:
        """One of all panels."""
        if number not in self._made:
            layout, element = self.layouts[number], self.elements[number]
            shape, fault = SHAPES[int(self._shape[number])], _FAULTS[int(self._fault[number])]
            name = layout.section_id or element or layout.array_id
            self._made[number] = Panel(name, layout, element, shape, fault)
        return self._made[number]

    def with_fault(self, fault: Fault, *shapes: str) -> Panels:
        """The panels with a fault, of any shape or of some."""
        marks = self._fault == _NUMBERS[fault]
        if shapes:
            marks &= np.isin(self._shape, [_SHAPE_NUMBERS[shape] for shape in shapes])
        return Panels(self, np.flatnonzero(marks))

    def faults(self, *shapes: str) -> list[Fault]:
        """The faults of panels of some shapes, in the order of the file."""
        numbers = self._fault[np.isin(self._shape, [_SHAPE_NUMBERS[shape] for shape in shapes])]
        return [_FAULTS[number] for number in dict.fromkeys(numbers.tolist())]

    @cached_property
    def directions(self) -> np.ndarray:
        """The dimensions along fast and slow of the flat panels, among those of the layouts: (flat, 2)."""
        found: Integers = self.layouts.face[self.flat.numbers]
        return found

    @property
    def step_rows(self) -> np.ndarray:
        """Where the steps of the flat panels stand: (flat, 2) rows of ARRAY_STRUCTURE_LIST_AXIS."""
        return np.asarray(self.layouts.surfaces.row[self.layouts.dimensions.first[self.directions]])

    @cached_property
    def moving_axes(self) -> tuple[int, ...]:
        """Axes on which the position of any panel depends, surface axes left out."""
        parts = self.layouts.dimensions
        marks = np.zeros(len(self.layouts.surfaces.row) + 1, dtype=np.int64)
        np.add.at(marks, parts.first, 1)
        np.add.at(marks, parts.first + parts.count, -1)
        surface = set(self.layouts.surfaces.axis[np.cumsum(marks)[:-1] > 0].tolist())
        return tuple(row for row in self.faces.carriers if row not in surface)

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

    def posture(self, scan: Scan | None = None, indices: np.ndarray | None = None) -> Posture:
        """The settings of the axes that carry panels in some frames of a scan; in the first one by default.

        Without a scan all axes stand at zero.
        """
        chosen = np.zeros(1, dtype=np.int64) if indices is None else np.asarray(indices)
        return Posture(self.axes, self.settings(scan, chosen), len(chosen))

    def poses(self, scan: Scan | None = None, indices: np.ndarray | None = None) -> Poses:
        """Where the flat panels lie at the start of some frames of a scan; the first one by default."""
        return self.faces.place(self.posture(scan, indices))


@kept
def build_detector(tables: Tables, axes: Axes) -> Detector:
    """The panels of a block, in the order of the file."""
    layouts = list_layouts(tables, axes)
    shape, fault, faces = _shapes(layouts, axes)
    return Detector(axes, layouts, element_ids(tables, layouts), shape, fault, faces)


def _faces(layouts: Layouts, axes: Axes, numbers: np.ndarray) -> Faces:
    """Layouts with two directions along one axis each as faces."""
    face = layouts.face[numbers]
    first, parts = layouts.dimensions.first[face], layouts.dimensions
    surfaces = layouts.surfaces
    return Faces(axes, surfaces.axis[first], surfaces.displacement[first], parts.increment[face], parts.size[face])


def _shapes(layouts: Layouts, axes: Axes) -> tuple[np.ndarray, np.ndarray, Faces]:
    """What kind of face each layout has, and why it is not a flat one, as numbers of `SHAPES` and of the faults.

    The flat ones are given as faces too.
    """
    parts, face = layouts.dimensions, layouts.face
    shape = np.full(len(layouts), _SHAPE_NUMBERS[FLAT])
    fault = np.zeros(len(layouts), dtype=np.int64)
    open_ = np.ones(len(layouts), dtype=bool)

    def settle(marks: np.ndarray, kind: str | np.ndarray, why: Fault | np.ndarray) -> None:
        """Say of layouts of which nothing has been said yet what they are."""
        rows = np.flatnonzero(marks & open_)
        shape[rows] = _SHAPE_NUMBERS[kind] if isinstance(kind, str) else kind[rows]
        fault[rows] = _NUMBERS[why] if isinstance(why, Fault) else why[rows]
        open_[rows] = False

    repeated = np.zeros(len(layouts), dtype=bool)
    same = (parts.layout[1:] == parts.layout[:-1]) & (parts.precedence[1:] == parts.precedence[:-1])
    repeated[parts.layout[1:][same]] = True
    settle(repeated, UNPLACED, Fault.PRECEDENCE)
    lacking = np.asarray((face < 0).any(axis=1))
    extended = ((face >= 0) & (parts.size[face] != 1)).any(axis=1)
    strip_or_point = np.where(extended, _SHAPE_NUMBERS[STRIP], _SHAPE_NUMBERS[POINT])
    settle(lacking, strip_or_point, Fault.ONE_DIMENSION)
    of_parts = _dimension_faults(layouts, axes)[face]
    settle((of_parts > 0).any(axis=1), UNPLACED, np.where(of_parts[:, 0] > 0, of_parts[:, 0], of_parts[:, 1]))
    turning = np.array([row >= 0 and axes.kind[row] == "rotation" for row in layouts.surfaces.axis.tolist()], bool)
    settle((parts.count[face].sum(axis=1) > 2) | parts.any_of(turning)[face].any(axis=1), CURVED, Fault.ROTATION)
    settle(parts.any_of(layouts.surfaces.is_angular)[face].any(axis=1), CURVED, Fault.ANGULAR)
    thin = parts.size[face].min(axis=1) == 1
    idle = (parts.increment[face] == 0) & ~lacking[:, None]
    settle(idle.any(axis=1) & thin, STRIP, Fault.ONE_DIMENSION)
    leading = face[np.arange(len(face)), idle.argmax(axis=1)]
    has_step = parts.any_of(layouts.surfaces.has_step)[leading]
    settle(idle.any(axis=1), UNPLACED, np.where(has_step, _NUMBERS[Fault.ZERO_STEP], _NUMBERS[Fault.NO_STEP]))
    parallel = np.zeros(len(layouts), dtype=bool)
    faces = _faces(layouts, axes, np.flatnonzero(open_))
    parallel[np.flatnonzero(open_)] = _are_parallel(faces)
    settle(parallel & thin, STRIP, Fault.ONE_DIMENSION)
    settle(parallel, UNPLACED, Fault.PARALLEL)
    return shape, fault, _faces(layouts, axes, np.flatnonzero(open_)) if parallel.any() else faces


def _are_parallel(faces: Faces) -> np.ndarray:
    """Where two directions along translations span no face with all axes at zero: (faces,) bool."""
    axes = faces.axes
    fast, slow = faces.directions(Posture(axes, {}))
    found: np.ndarray = np.abs(np.einsum("nfi,nfi->nf", fast, slow)[:, 0]) > PARALLEL
    for row in np.flatnonzero(found).tolist():
        chains = [set(axes.chain(axis)) for axis in faces.axis[row].tolist()]
        # An axis between the two directions may turn one against the other, by what the scans set.
        found[row] = not any(axes.kind[axis] == "rotation" for axis in chains[0] ^ chains[1])
    return found


def _dimension_faults(layouts: Layouts, axes: Axes) -> np.ndarray:
    """What keeps each dimension from being placed: (dimensions,) numbers of the faults."""
    parts, of_surfaces = layouts.dimensions, _surface_faults(layouts, axes)
    found = np.where(parts.count > 0, 0, np.where(parts.has_set, _NUMBERS[Fault.NO_AXIS], _NUMBERS[Fault.NO_SET]))
    for step in range(int(parts.count.max(initial=0))):
        rows = np.flatnonzero((parts.count > step) & (found == 0))
        found[rows] = of_surfaces[parts.first[rows] + step]
    return found


def _surface_faults(layouts: Layouts, axes: Axes) -> np.ndarray:
    """What keeps each axis of a pixel direction from being placed: (surfaces,) numbers of the faults."""
    surfaces = layouts.surfaces
    ends: dict[int, Fault] = {}
    for axis in dict.fromkeys(surfaces.axis.tolist()):
        if axis < 0:
            ends[axis] = Fault.AXIS_UNDEFINED
            continue
        end = axes.walk(axis)[1]
        is_lost = end in (CYCLIC, DANGLING)
        whole = Fault.NONE if axes.is_whole(axis) else Fault.NUMBER
        ends[axis] = (Fault.CYCLE if end == CYCLIC else Fault.PARENT_UNDEFINED) if is_lost else whole
    found = np.array([_NUMBERS[ends[axis]] for axis in surfaces.axis.tolist()], dtype=np.int64)
    unread = np.isnan(surfaces.displacement) | np.isnan(surfaces.increment)
    for marks, fault in (
        (unread, Fault.NUMBER),
        (~surfaces.has_direction, Fault.NULL_VECTOR),
        (surfaces.is_fractional, Fault.FRACTIONAL),
    ):
        found[(found == 0) & marks] = _NUMBERS[fault]
    return found
