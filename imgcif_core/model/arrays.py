"""How arrays are laid out: dimensions, their order in storage, and the axes along which they run."""

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np

from imgcif_core.model.axes import DANGLING, Axes
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table, Tables, kept

DEFAULT_ARRAY = "1"
STEPS = ("displacement_increment", "angle_increment", "angular_pitch", "radial_pitch", "fract_displacement_increment")
_ANGULAR = ("angle_increment", "angular_pitch", "radial_pitch", "angle")
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class SurfaceAxis:
    """One axis of a pixel direction: its row, the setting at the first pixel and the step, in mm.

    `row` is the row of ARRAY_STRUCTURE_LIST_AXIS; nan stands for a number that cannot be read. Where no step is
    given, the size of the elements in ARRAY_ELEMENT_SIZE is the step.
    `is_angular` and `is_fractional` tell other kinds of step, `has_step` that any step is given,
    `has_direction` that the axis is defined with a vector.
    """

    row: int
    axis: int
    displacement: float
    increment: float
    is_angular: bool
    is_fractional: bool
    has_step: bool
    has_direction: bool


@dataclass(frozen=True, slots=True)
class ArrayDimension:
    """One dimension of an array or section; `row` is the row of ARRAY_STRUCTURE_LIST."""

    row: int
    index: int
    precedence: int
    size: int
    direction: str
    axis_set_id: str | None
    surface: tuple[SurfaceAxis, ...]

    @property
    def is_angular(self) -> bool:
        """True if any axis is stepped by angle or along an arc."""
        return any(entry.is_angular for entry in self.surface)


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """The dimensions of an array or of one section, in the order of storage: fastest first.

    `directions` are the two fastest dimensions that run along axes in space: the face of the pixels.
    """

    array_id: str
    section_id: str | None
    dimensions: tuple[ArrayDimension, ...]
    directions: tuple[ArrayDimension, ...]


@dataclass(frozen=True)
class Surfaces:
    """The rows of ARRAY_STRUCTURE_LIST_AXIS as columns, those of an axis set together; as `SurfaceAxis`."""

    row: np.ndarray
    axis: np.ndarray
    displacement: np.ndarray
    increment: np.ndarray
    is_angular: np.ndarray
    is_fractional: np.ndarray
    has_step: np.ndarray
    has_direction: np.ndarray

    def entry(self, number: int, increment: float | None = None) -> SurfaceAxis:
        """One of them, with another step where one is given."""
        return SurfaceAxis(
            int(self.row[number]),
            int(self.axis[number]),
            float(self.displacement[number]),
            float(self.increment[number]) if increment is None else increment,
            is_angular=bool(self.is_angular[number]),
            is_fractional=bool(self.is_fractional[number]),
            has_step=bool(self.has_step[number]),
            has_direction=bool(self.has_direction[number]),
        )


@dataclass(frozen=True)
class Dimensions:
    """The dimensions of all layouts as columns, fastest first within each; as `ArrayDimension`.

    layout : number of the layout; first, count : where the axes of the dimension begin among the surfaces, and how
    many there are; increment : step along the first of them in mm, the size of the elements where none is given.
    """

    layout: np.ndarray
    row: np.ndarray
    index: np.ndarray
    precedence: np.ndarray
    size: np.ndarray
    has_set: np.ndarray
    first: np.ndarray
    count: np.ndarray
    increment: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def only(self, rows: np.ndarray) -> "Dimensions":
        """Some of them."""
        return Dimensions(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def any_of(self, marks: np.ndarray) -> np.ndarray:
        """Where any axis of a dimension is marked: marks (surfaces,), result (dimensions,) bool."""
        sums = np.concatenate([[0], np.cumsum(marks)])
        return np.asarray(sums[self.first + self.count] > sums[self.first])


class Layouts(Sequence[ArrayLayout]):
    """The layouts whose pixel directions have axes, in the order of the file: columns, and objects made when asked for.

    array_ids, section_ids : by layout; starts : (n + 1,) where the dimensions of each begin; face : (n, 2) the
    dimensions along fast and slow, -1 where there is none.
    """

    def __init__(
        self,
        table: Table,
        array_ids: list[str],
        section_ids: list[str | None],
        dimensions: Dimensions,
        surfaces: Surfaces,
    ) -> None:
        self.table = table
        self.array_ids = array_ids
        self.section_ids = section_ids
        self.dimensions = dimensions
        self.surfaces = surfaces
        self.starts = np.searchsorted(dimensions.layout, np.arange(len(array_ids) + 1))
        self.face = self._faces()
        self._made: dict[int, ArrayLayout] = {}

    def __len__(self) -> int:
        return len(self.array_ids)

    @overload
    def __getitem__(self, index: int) -> ArrayLayout: ...
    @overload
    def __getitem__(self, index: slice) -> list[ArrayLayout]: ...
    def __getitem__(self, index: int | slice) -> ArrayLayout | list[ArrayLayout]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number not in self._made:
            self._made[number] = self._layout(number)
        return self._made[number]

    @cached_property
    def is_decreasing(self) -> np.ndarray:
        """Where a dimension is declared to decrease: (dimensions,) bool."""
        texts = self.table.texts("direction")
        decreasing = np.array([(text or "").lower() == "decreasing" for text in texts], dtype=bool)
        return np.asarray(decreasing[self.dimensions.row])

    def _layout(self, number: int) -> ArrayLayout:
        begin = int(self.starts[number])
        parts = tuple(self._dimension(part) for part in range(begin, int(self.starts[number + 1])))
        face = tuple(parts[part - begin] for part in self.face[number].tolist() if part >= 0)
        return ArrayLayout(self.array_ids[number], self.section_ids[number], parts, face)

    def _dimension(self, number: int) -> ArrayDimension:
        parts, row = self.dimensions, int(self.dimensions.row[number])
        first, count = int(parts.first[number]), int(parts.count[number])
        own = float(parts.increment[number])
        return ArrayDimension(
            row,
            int(parts.index[number]),
            int(parts.precedence[number]),
            int(parts.size[number]),
            (self.table.text("direction", row) or "increasing").lower(),
            self.table.text("axis_set_id", row),
            tuple(self.surfaces.entry(entry, own if entry == first else None) for entry in range(first, first + count)),
        )

    def _faces(self) -> np.ndarray:
        """The two fastest dimensions of each layout that run along axes in space.

        Frames, thresholds and the like have no axis or one without a vector; where that leaves fewer than
        two, the two fastest dimensions with axes count, or else the two fastest.
        """
        parts = self.dimensions
        chosen = np.ones(len(parts), dtype=bool)
        for marks in (parts.has_set, parts.has_set & parts.any_of(self.surfaces.has_direction)):
            several = np.bincount(parts.layout[marks], minlength=len(self)) > 1
            chosen = np.where(several[parts.layout], marks, chosen)
        face = np.full((len(self), 2), NOWHERE)
        before = np.concatenate([[0], np.cumsum(chosen)])
        rank = before[:-1] - before[self.starts[:-1]][parts.layout]
        for place in (0, 1):
            rows = np.flatnonzero(chosen & (rank == place))
            face[parts.layout[rows], place] = rows
        return face


@kept
def list_layouts(tables: Tables, axes: Axes) -> Layouts:
    """The layouts whose pixel directions have axes, in the order of the file.

    Rows without a section only give the frame of the sections where an array has any with axes.
    """
    table = tables.table("array_structure_list")
    groups = grouped_rows(table)
    names = list(groups)
    surfaces, sets = _surfaces(tables, axes)
    parts = _dimensions(table, list(groups.values()), surfaces, sets)
    _take_sizes(parts, [array for array, _ in names], surfaces, _element_sizes(tables))
    has_axes = np.bincount(parts.layout[parts.has_set], minlength=len(names)) > 0
    placed = {array for (array, section), given in zip(names, has_axes, strict=True) if given and section is not None}
    kept = np.array([section is not None or array not in placed for array, section in names], dtype=bool) & has_axes
    renumbered = np.cumsum(kept) - 1
    parts = parts.only(np.flatnonzero(kept[parts.layout]))
    parts.layout[:] = renumbered[parts.layout]
    numbers = np.flatnonzero(kept).tolist()
    return Layouts(
        table, [names[number][0] for number in numbers], [names[number][1] for number in numbers], parts, surfaces
    )


def _element_sizes(tables: Tables) -> dict[tuple[str, int], float]:
    """The sizes of elements in mm, by array and index."""
    table = tables.table("array_element_size")
    sizes, indices = table.numbers("size") * 1000.0, table.numbers("index")
    arrays = table.texts("array_id", DEFAULT_ARRAY)
    found: dict[tuple[str, int], float] = {}
    counts = _counts(indices, np.arange(1, table.rows + 1)).tolist()
    for row in np.flatnonzero((sizes > 0) & np.isfinite(sizes)).tolist():
        found.setdefault(((arrays[row] or DEFAULT_ARRAY).casefold(), counts[row]), float(sizes[row]))
    return found


def _take_sizes(
    parts: Dimensions, arrays: Sequence[str], surfaces: Surfaces, sizes: Mapping[tuple[str, int], float]
) -> None:
    """Let the size of an element be the step along an axis for which no step is given."""
    if not sizes:
        return
    bare = parts.count == 1
    bare[bare] = ~surfaces.has_step[parts.first[bare]]
    for number in np.flatnonzero(bare).tolist():
        size = sizes.get((arrays[parts.layout[number]].casefold(), int(parts.index[number])))
        if size is not None:
            parts.increment[number] = size


def grouped_rows(table: Table) -> dict[tuple[str, str | None], list[int]]:
    """The rows of ARRAY_STRUCTURE_LIST by array and section, in the order of the file."""
    groups: dict[tuple[str, str | None], list[int]] = {}
    pairs = zip(table.texts("array_id", DEFAULT_ARRAY), table.texts("array_section_id"), strict=True)
    for row, (array, section) in enumerate(pairs):
        groups.setdefault((array or DEFAULT_ARRAY, section), []).append(row)
    return groups


def _dimensions(
    table: Table, groups: Sequence[list[int]], surfaces: Surfaces, sets: Mapping[str, tuple[int, int]]
) -> Dimensions:
    """The dimensions in the rows of ARRAY_STRUCTURE_LIST, by group and fastest first."""
    lengths = np.array([len(rows) for rows in groups], dtype=np.int64)
    layout = np.repeat(np.arange(len(groups)), lengths)
    row = np.array([row for rows in groups for row in rows], dtype=np.int64)
    position = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    index = _counts(table.numbers("index")[row], position + 1)
    precedence = _counts(table.numbers("precedence")[row], index)
    texts = table.texts("axis_set_id")
    of_texts = [sets.get(text.casefold(), (0, 0)) if text else (0, 0) for text in texts]
    spans = np.array(of_texts, dtype=np.int64).reshape(-1, 2)[row]
    increment = np.full(len(row), np.nan)
    increment[spans[:, 1] > 0] = surfaces.increment[spans[spans[:, 1] > 0, 0]]
    parts = Dimensions(
        layout,
        row,
        index,
        precedence,
        _counts(table.numbers("dimension")[row], np.zeros(len(row), dtype=np.int64)),
        np.array([bool(text) for text in texts], dtype=bool)[row],
        spans[:, 0],
        spans[:, 1],
        increment,
    )
    return parts.only(np.lexsort((position, precedence, layout)))


def _counts(values: np.ndarray, defaults: np.ndarray) -> np.ndarray:
    """Printed counts, or defaults where they are not given or not finite: int64."""
    is_count = np.isfinite(values) & (np.abs(values) < 2**53)
    return np.where(is_count, np.where(is_count, values, 0.0).astype(np.int64), defaults)


def _surfaces(tables: Tables, axes: Axes) -> tuple[Surfaces, dict[str, tuple[int, int]]]:
    """The axes of the axis sets, and where those of each set begin with how many there are, by case-folded id."""
    table = tables.table("array_structure_list_axis")
    angular = np.zeros(table.rows, dtype=bool)
    for name in _ANGULAR:
        angular |= np.nan_to_num(table.numbers(name, 0.0)) != 0
    stepped = np.zeros(table.rows, dtype=bool)
    for name in STEPS:
        stepped |= table.explicit(name)
    names = table.texts("axis_id")
    of_set: dict[str, list[int]] = {}
    for row, (given, axis_id) in enumerate(zip(table.texts("axis_set_id"), names, strict=True)):
        axis_set = given or axis_id
        if axis_set is not None:
            of_set.setdefault(axis_set.casefold(), []).append(row)
    rows = np.array([row for entries in of_set.values() for row in entries], dtype=np.int64)
    axis = np.array([DANGLING if name is None else axes.find(name) for name in names], dtype=np.int64)[rows]
    is_directed: list[bool] = (np.abs(axes.direction).max(axis=1, initial=0.0) > 0).tolist()
    surfaces = Surfaces(
        rows,
        axis,
        _given(table, "displacement")[rows],
        _given(table, "displacement_increment")[rows],
        angular[rows],
        (np.nan_to_num(table.numbers("fract_displacement_increment", 0.0)) != 0)[rows],
        stepped[rows],
        np.array([own >= 0 and is_directed[own] for own in axis.tolist()], dtype=bool),
    )
    lengths = [len(entries) for entries in of_set.values()]
    begins = np.cumsum([0, *lengths])[:-1].tolist()
    return surfaces, dict(zip(of_set, zip(begins, lengths, strict=True), strict=True))


def _given(table: Table, name: str) -> np.ndarray:
    """Numbers of an item, zero where it is null or absent, nan where it cannot be read."""
    values = table.numbers(name)
    return np.where(table.explicit(name), values, 0.0)


def element_ids(tables: Tables, layouts: Layouts) -> list[str | None]:
    """The detector element whose data each layout holds, as DIFFRN_DATA_FRAME says it.

    Without such a row, the only element of the detector; None where it is not known.
    """
    frames, elements = tables.table("diffrn_data_frame"), tables.table("diffrn_detector_element")
    alone = elements.text("id") if elements.rows == 1 else None
    column = frames.column("detector_element_id")
    if column is None or not len(layouts):
        return [alone] * len(layouts)
    arrays, sections = _codes(frames, "array_id"), _codes(frames, "array_section_id")
    _, elements_of_rows = column.distinct()
    combined = (arrays.astype(np.int64) * (sections.max(initial=0) + 1) + sections) * len(column) + elements_of_rows
    _, first = np.unique(combined, return_index=True)
    known: dict[tuple[str, str | None], str] = {}
    rows = np.sort(first)
    rows = rows[~column.is_null[rows]]
    texts = (frames.texts_at(name, rows) for name in ("array_id", "array_section_id", "detector_element_id"))
    for array, section, element in zip(*texts, strict=True):
        known.setdefault(((array or DEFAULT_ARRAY).casefold(), section), element or "")
    found = []
    for array, section in zip(layouts.array_ids, layouts.section_ids, strict=True):
        folded = array.casefold()
        found.append(known.get((folded, section)) or known.get((folded, None)) or alone)
    return found


def _codes(table: Table, name: str) -> np.ndarray:
    """A number for each distinct value of a column, 0 where it is absent: (rows,) int64."""
    column = table.column(name)
    return np.zeros(table.rows, dtype=np.int64) if column is None else column.distinct()[1]
