"""How arrays are laid out: dimensions, their order in storage, and the axes along which they run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.model.axes import DANGLING, Axes
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables, kept

DEFAULT_ARRAY = "1"
STEPS = ("displacement_increment", "angle_increment", "angular_pitch", "radial_pitch", "fract_displacement_increment")
_ANGULAR = ("angle_increment", "angular_pitch", "radial_pitch", "angle")


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
    """The dimensions of an array or of one section, in the order of storage: fastest first."""

    array_id: str
    section_id: str | None
    dimensions: tuple[ArrayDimension, ...]

    @property
    def directions(self) -> tuple[ArrayDimension, ...]:
        """The two fastest dimensions that run along axes in space: the face of the pixels.

        Frames, thresholds and the like have no axis or one without a vector; where that leaves fewer than
        two, the two fastest dimensions with axes count, or else the two fastest.
        """
        placed = [part for part in self.dimensions if part.axis_set_id]
        spatial = [part for part in placed if any(entry.has_direction for entry in part.surface)]
        found = next((parts for parts in (spatial, placed) if len(parts) > 1), self.dimensions)
        return tuple(found)[:2]


@kept
def list_layouts(tables: Tables, axes: Axes) -> list[ArrayLayout]:
    """The layouts whose pixel directions have axes, in the order of the file.

    Rows without a section only give the frame of the sections where an array has any with axes.
    """
    table = tables.table("array_structure_list")
    groups = grouped_rows(table)
    surfaces = _surface_axes(tables, axes)
    sizes = _element_sizes(tables)
    numbers = {name: table.numbers(name, np.nan) for name in ("index", "precedence", "dimension")}
    layouts = [
        ArrayLayout(array, section, _stepped(_dimensions(table, numbers, rows, surfaces), array, sizes))
        for (array, section), rows in groups.items()
    ]
    placed = {
        layout.array_id
        for layout in layouts
        if layout.section_id is not None and any(part.axis_set_id for part in layout.dimensions)
    }
    return [
        layout
        for layout in layouts
        if any(part.axis_set_id for part in layout.dimensions)
        and (layout.section_id is not None or layout.array_id not in placed)
    ]


def _element_sizes(tables: Tables) -> dict[tuple[str, int], float]:
    """The sizes of elements in mm, by array and index."""
    table = tables.table("array_element_size")
    sizes, indices = table.numbers("size") * 1000.0, table.numbers("index")
    arrays = table.texts("array_id", DEFAULT_ARRAY)
    found: dict[tuple[str, int], float] = {}
    for row in range(table.rows):
        if sizes[row] > 0 and np.isfinite(sizes[row]):
            found.setdefault(((arrays[row] or DEFAULT_ARRAY).casefold(), _count(indices[row], row + 1)), sizes[row])
    return found


def _stepped(
    dimensions: tuple[ArrayDimension, ...], array: str, sizes: Mapping[tuple[str, int], float]
) -> tuple[ArrayDimension, ...]:
    """Dimensions in which the size of an element is the step along an axis for which no step is given."""
    if not sizes:
        return dimensions
    found = []
    for part in dimensions:
        size = sizes.get((array.casefold(), part.index))
        if size is not None and len(part.surface) == 1 and not part.surface[0].has_step:
            part = replace(part, surface=(replace(part.surface[0], increment=float(size)),))
        found.append(part)
    return tuple(found)


def grouped_rows(table: Table) -> dict[tuple[str, str | None], list[int]]:
    """The rows of ARRAY_STRUCTURE_LIST by array and section, in the order of the file."""
    groups: dict[tuple[str, str | None], list[int]] = {}
    arrays, sections = table.texts("array_id", DEFAULT_ARRAY), table.texts("array_section_id")
    for row in range(table.rows):
        groups.setdefault((arrays[row] or DEFAULT_ARRAY, sections[row]), []).append(row)
    return groups


def _dimensions(
    table: Table,
    numbers: Mapping[str, np.ndarray],
    rows: Sequence[int],
    surfaces: Mapping[str, tuple[SurfaceAxis, ...]],
) -> tuple[ArrayDimension, ...]:
    """The dimensions in some rows of ARRAY_STRUCTURE_LIST, fastest first."""
    found = []
    for position, row in enumerate(rows):
        index = _count(numbers["index"][row], position + 1)
        axis_set = table.text("axis_set_id", row)
        found.append(
            ArrayDimension(
                row,
                index,
                _count(numbers["precedence"][row], index),
                _count(numbers["dimension"][row], 0),
                (table.text("direction", row) or "increasing").lower(),
                axis_set,
                surfaces.get(axis_set.casefold(), ()) if axis_set else (),
            )
        )
    return tuple(sorted(found, key=lambda part: part.precedence))


def _count(value: float, default: int) -> int:
    """A printed count, or a default where it is not given or not finite."""
    return int(value) if np.isfinite(value) and abs(value) < 2**53 else default


def _surface_axes(tables: Tables, axes: Axes) -> dict[str, tuple[SurfaceAxis, ...]]:
    """The axes of each axis set, by its case-folded id."""
    table = tables.table("array_structure_list_axis")
    found: dict[str, list[SurfaceAxis]] = {}
    displacements, increments = _given(table, "displacement"), _given(table, "displacement_increment")
    angular = np.zeros(table.rows, dtype=bool)
    for name in _ANGULAR:
        angular |= np.nan_to_num(table.numbers(name, 0.0)) != 0
    fractional = np.nan_to_num(table.numbers("fract_displacement_increment", 0.0)) != 0
    stepped = np.zeros(table.rows, dtype=bool)
    for name in STEPS:
        stepped |= table.explicit(name)
    for row in range(table.rows):
        axis_id = table.text("axis_id", row)
        axis_set = table.text("axis_set_id", row) or axis_id
        if axis_set is None:
            continue
        axis = axes.find(axis_id) if axis_id is not None else DANGLING
        entry = SurfaceAxis(
            row,
            axis,
            float(displacements[row]),
            float(increments[row]),
            is_angular=bool(angular[row]),
            is_fractional=bool(fractional[row]),
            has_step=bool(stepped[row]),
            has_direction=axis >= 0 and bool(axes.direction[axis].any()),
        )
        found.setdefault(axis_set.casefold(), []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def _given(table: Table, name: str) -> np.ndarray:
    """Numbers of an item, zero where it is null or absent, nan where it cannot be read."""
    values = table.numbers(name)
    return np.where(table.explicit(name), values, 0.0)


def element_ids(tables: Tables, layouts: Sequence[ArrayLayout]) -> list[str | None]:
    """The detector element whose data each layout holds, as DIFFRN_DATA_FRAME says it.

    Without such a row, the only element of the detector; None where it is not known.
    """
    frames, elements = tables.table("diffrn_data_frame"), tables.table("diffrn_detector_element")
    alone = elements.text("id") if elements.rows == 1 else None
    column = frames.column("detector_element_id")
    if column is None:
        return [alone] * len(layouts)
    arrays, sections = _codes(frames, "array_id"), _codes(frames, "array_section_id")
    _, elements_of_rows = column.distinct()
    combined = (arrays.astype(np.int64) * (sections.max(initial=0) + 1) + sections) * len(column) + elements_of_rows
    _, first = np.unique(combined, return_index=True)
    known: dict[tuple[str, str | None], str] = {}
    for row in np.sort(first):
        if not column.is_null[row]:
            array = frames.text("array_id", int(row), DEFAULT_ARRAY) or DEFAULT_ARRAY
            key = (array.casefold(), frames.text("array_section_id", int(row)))
            known.setdefault(key, column.text(int(row)))
    found = []
    for layout in layouts:
        own = known.get((layout.array_id.casefold(), layout.section_id))
        found.append(own or known.get((layout.array_id.casefold(), None)) or alone)
    return found


def _codes(table: Table, name: str) -> np.ndarray:
    """A number for each distinct value of a column, 0 where it is absent: (rows,) int64."""
    column = table.column(name)
    return np.zeros(table.rows, dtype=np.int64) if column is None else column.distinct()[1]
