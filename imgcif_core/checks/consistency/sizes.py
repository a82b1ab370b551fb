"""Rules about pixel sizes, binning and the range of pixel values."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.edits import scaled
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances, written_half
from imgcif_core.cif.document import Change
from imgcif_core.model.arrays import ArrayDimension, Layouts, list_layouts
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Detector
from imgcif_core.model.known_detectors import detector_named
from imgcif_core.model.storage import StoredArrays
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

# Rows are gone through one by one; a detector has two for each panel.
MAX_ROWS = 100_000
_BIN_SIZES = ("pixel_fast_bin_size", "pixel_slow_bin_size")
_SLIPS = (1e3, 1e6, 1e-3, 1e-6)
_WIDTHS = {"8-bit": 8, "16-bit": 16, "32-bit": 32, "64-bit": 64}


@dataclass(frozen=True, slots=True)
class SizeFault:
    """An element size in metres that is not the step in mm along its dimension; rows of both tables.

    `is_slip` tells that the two differ by a thousand or a million.
    """

    array_id: str
    dimension: ArrayDimension
    row: int
    size: float
    step_row: int
    step: float
    is_slip: bool


@provider("size_faults")
def size_faults_of(tables: Tables, any_panels: Detector, tolerances: Tolerances) -> list[SizeFault]:
    """Element sizes that differ from the steps along the pixels; both must be stated."""
    sizes, steps = tables.table("array_element_size"), tables.table("array_structure_list_axis")
    if not sizes or not steps:
        return []
    rows, numbers = _size_rows(sizes), sizes.numbers("size")
    layouts, found = any_panels.layouts, dict[tuple[int, float], SizeFault]()
    parts = layouts.dimensions
    arrays = [array.casefold() for array in layouts.array_ids]
    keys = zip(parts.layout.tolist(), parts.index.tolist(), strict=True)
    row_of = np.array([rows.get((arrays[layout], index), -1) for layout, index in keys], dtype=np.int64)
    own = np.where(row_of >= 0, numbers[row_of], np.nan) * 1000.0
    lengths = _steps(layouts)
    differs = (lengths > 0) & (own > 0) & (np.abs(own - lengths) > tolerances.relative * lengths)
    for number in np.flatnonzero(differs).tolist():
        row, step = int(row_of[number]), float(lengths[number])
        layout = layouts[int(parts.layout[number])]
        part = layout.dimensions[number - int(layouts.starts[parts.layout[number]])]
        size, step_row = float(numbers[row]), part.surface[0].row
        half = 1000.0 * written_half(sizes, "size", row) + written_half(steps, "displacement_increment", step_row)
        if abs(size * 1000.0 - step) > half + tolerances.relative * step:
            ratio = size * 1000.0 / step
            is_slip = any(abs(ratio / slip - 1.0) <= tolerances.unit_slip_share for slip in _SLIPS)
            fault = SizeFault(layout.array_id, part, row, size, step_row, step, is_slip)
            found.setdefault((row, step), fault)
    return list(found.values())


@rule(
    "CON001",
    "pixel-size-and-increment",
    severity="warning",
    source="_array_element_size.size",
    message=(
        "element size {size:.6g} m along index {index} of array {array} is {size_mm:.6g} mm, "
        "but the increment of axis {axis} is {increment:.6g} mm"
    ),
    messages={
        "slip": (
            "element size {size:.6g} m along index {index} of array {array} is {size_mm:.6g} mm, {ratio:.6g} times the "
            "increment {increment:.6g} mm of axis {axis} - one of the two is in another unit"
        )
    },
    helps={
        "": "measure or look up the size of a pixel, and give it in metres as size and in millimetres as increment",
        "slip": "give the size in metres and the increment in millimetres",
    },
)
def pixel_size_and_increment(
    tables: Tables, any_axes: Axes, size_faults: list[SizeFault], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The size of the array elements is not the step from one pixel to the next.
    Why: Sizes are in metres and steps in millimetres, so that a factor of a thousand slips in; programs that read the
    size place the beam centre elsewhere than those that read the step. Gaps between the elements are legal.
    How to fix: Give the size in metres and the increment in millimetres.
    Source: Dictionary imgCIF, _array_element_size.size and _array_structure_list_axis.displacement_increment.
    """
    if not tables.table("array_element_size") or not tables.table("array_structure_list_axis"):
        raise NotApplicable("no element sizes, or no steps along the pixels")
    groups: dict[tuple[bool, str], list[SizeFault]] = {}
    for fault in size_faults:
        is_real = tolerances.element_min_m <= fault.size <= tolerances.element_max_m
        is_real &= tolerances.pixel_min_mm <= fault.step <= tolerances.pixel_max_mm
        if not fault.is_slip and not is_real:
            # A size or step that no detector has is told by DET005 and DET025.
            continue
        groups.setdefault((fault.is_slip, f"{fault.size * 1000.0 / fault.step:.3g}"), []).append(fault)
    for group in groups.values():
        fault, table = group[0], tables.table("array_element_size")
        entry = fault.dimension.surface[0]
        yield problem_at(
            table,
            [other.row for other in group],
            "size",
            severity="error" if fault.is_slip else None,
            variant="slip" if fault.is_slip else "",
            edits=_in_other_unit(tables, group, tolerances) if fault.is_slip else [],
            size=fault.size,
            size_mm=fault.size * 1000.0,
            ratio=fault.size * 1000.0 / fault.step,
            increment=fault.step,
            index=fault.dimension.index,
            array=fault.array_id,
            axis=any_axes.id[entry.axis] if entry.axis >= 0 else "(undefined)",
        )


def _in_other_unit(tables: Tables, group: list[SizeFault], tolerances: Tolerances) -> list[Change]:
    """The edits that bring sizes or steps to their unit, where only one of the two is that of a detector."""
    fault = group[0]
    is_size = tolerances.element_min_m <= fault.size <= tolerances.element_max_m
    is_step = tolerances.pixel_min_mm <= fault.step <= tolerances.pixel_max_mm
    if is_size == is_step:
        return []
    power = round(float(np.log10(fault.size * 1000.0 / fault.step)))
    sizes, steps = tables.table("array_element_size"), tables.table("array_structure_list_axis")
    if is_step:
        return [change for one in group for change in scaled(sizes, one.row, ["size"], f"1e{-power}")]
    names = ("displacement_increment", "displacement")
    rows = dict.fromkeys(one.step_row for one in group)
    return [change for row in rows for change in scaled(steps, row, names, f"1e{power}")]


def _size_rows(sizes: Table) -> dict[tuple[str, int], int]:
    """The rows of ARRAY_ELEMENT_SIZE by array and index."""
    arrays, indices = sizes.texts("array_id", "1"), sizes.numbers("index")
    found: dict[tuple[str, int], int] = {}
    for row in range(min(sizes.rows, MAX_ROWS)):
        if np.isfinite(indices[row]):
            found.setdefault(((arrays[row] or "1").casefold(), int(indices[row])), row)
    return found


def _steps(layouts: Layouts) -> np.ndarray:
    """The length of the step along each dimension in mm; 0 unless exactly one translation makes it."""
    parts, surfaces = layouts.dimensions, layouts.surfaces
    is_one = (parts.count == 1) & ~parts.any_of(surfaces.is_angular | surfaces.is_fractional)
    lengths = np.abs(parts.increment)
    return np.where(is_one & np.isfinite(lengths), lengths, 0.0)


@rule(
    "CON016",
    "binning-and-bin-size",
    severity="error",
    source="_array_intensities.pixel_binning_method",
    message="array {array} is not binned by its method 'none', but {name} is {size:g}",
    messages={
        "unsaid": "array {array} has bins of {size:g} pixels ({name}), but its binning method is not given",
        "physical": (
            "array {array} has bins of {size:g} pixels ({name}) of {pixel:g} mm, those of {make}, "
            "but elements of {step:g} mm"
        ),
    },
    helps={
        "": "write 1 as bin size, or name the method that made the bins: hardware, software or combined",
        "unsaid": "name the method in _array_intensities.pixel_binning_method: hardware, software or combined",
        "physical": "give the size of the binned elements, or a bin size of 1",
    },
)
def binning_and_bin_size(tables: Tables, any_axes: Axes, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The binning method is none, but a bin has more or less than one pixel; or bins of a known detector have
    another size than that many of its pixels.
    Why: Centres given in pixels or in bins are then converted by a wrong factor.
    How to fix: Give the method that made the bins, hardware, software or combined, or a bin size of 1.
    Source: Dictionary imgCIF, _array_intensities.pixel_binning_method.
    """
    table = tables.table("array_intensities")
    names = [name for name in _BIN_SIZES if table.has(name)]
    if not names:
        raise NotApplicable("no bin sizes")
    methods = [(method or "").lower() for method in table.texts("pixel_binning_method")]
    physical = _physical_faults(tables, any_axes, tolerances)
    for name in names:
        sizes = table.numbers(name, 1.0)
        for row in range(min(table.rows, MAX_ROWS)):
            array = table.text("array_id", row) or "1"
            facts: dict[str, Any] = {"array": array, "name": f"_array_intensities.{name}", "size": float(sizes[row])}
            is_odd = sizes[row] != 1.0 and methods[row] in ("none", "")
            if is_odd and methods[row]:
                yield Problem(table.at(row, name), **facts)
            elif (row, name) in physical:
                place = table.at(row, name)
                yield Problem(place, severity="info", variant="physical", **facts, **physical[row, name])
            elif is_odd:
                yield Problem(table.at(row, name), severity="info", variant="unsaid", **facts)
    say_beyond(table.rows, MAX_ROWS, "rows")


def _physical_faults(tables: Tables, any_axes: Axes, tolerances: Tolerances) -> dict[tuple[int, str], dict[str, Any]]:
    """Bins, by row and item, that do not have the size of their pixels; only for detectors that are known."""
    detector = tables.table("diffrn_detector")
    known = detector_named(*(detector.text(name) for name in ("make", "description", "details")))
    if known is None:
        return {}
    table = tables.table("array_intensities")
    layouts = list_layouts(tables, any_axes)
    lengths = _steps(layouts)
    steps = {
        array.casefold(): [float(lengths[part]) for part in face if part >= 0]
        for array, face in zip(layouts.array_ids, layouts.face.tolist(), strict=True)
    }
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for row in range(min(table.rows, MAX_ROWS)):
        own = steps.get((table.text("array_id", row) or "1").casefold(), ())
        for step, pixel, name in zip(own, known.pixel, _BIN_SIZES, strict=False):
            size = float(table.numbers(name)[row])
            if step and size > 0 and abs(step - size * pixel) > tolerances.known_pixel * size * pixel:
                found[row, name] = {"pixel": pixel, "make": known.name, "step": step}
    return found


@rule(
    "CON022",
    "overload-and-width",
    severity="info",
    source="_array_intensities.overload",
    message="overload {overload:g} of array {array} is what {narrow} bits hold, but its elements are {wide}",
)
def overload_and_width(tables: Tables) -> Iterator[Problem]:
    """What: The overload is the largest value of a narrower type than the one in which the data are stored.
    Why: A counter of 16 bits whose images are written with 32 bits overflows there; more often the overload was
    taken over from another format, and pixels above it are thrown away although they are right.
    How to fix: Nothing is needed if the detector saturates at this value.
    Source: Dictionary imgCIF, _array_intensities.overload and _array_structure.encoding_type.
    """
    table = tables.table("array_intensities")
    overloads = table.numbers("overload")
    if np.isnan(overloads).all():
        raise NotApplicable("no overload")
    arrays, judged = StoredArrays(tables), 0
    for row in np.flatnonzero(~np.isnan(overloads))[:MAX_ROWS].tolist():
        array = table.text("array_id", row) or "1"
        kind = (arrays[array].encoding_type or "").lower()
        width = next((bits for word, bits in _WIDTHS.items() if word in kind and "integer" in kind), 0)
        judged += bool(width)
        narrow = _narrower(float(overloads[row]), width, _WIDTHS.values())
        if narrow:
            place = table.at(row, "overload")
            yield Problem(place, overload=float(overloads[row]), array=array, narrow=narrow, wide=kind)
    say_beyond(table.rows, MAX_ROWS, "rows")
    if not judged:
        raise NotApplicable("no integer type of elements")


def _narrower(overload: float, width: int, widths: Iterable[int]) -> int:
    """The bits of a narrower type whose largest value, or the first one beyond it, is the overload."""
    limits = [(bits, 2.0**bits) for bits in widths if 8 < bits < width]
    return next((bits for bits, limit in limits if overload in (limit - 1.0, limit)), 0)
