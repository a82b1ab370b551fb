"""Rules about the layout of arrays: order of dimensions, steps, sizes of elements, thickness."""

from collections.abc import Iterator
from math import isfinite

import numpy as np

from imgcif_core.checks.consistency.sizes import SizeFault
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.arrays import DEFAULT_ARRAY, STEPS, grouped_rows
from imgcif_core.model.detector import Detector
from imgcif_core.tables import Table, Tables

# Numbers that fit into one line of a message; arrays of images have two or three.
MAX_LISTED = 6
_STEP_TABLE = "array_structure_list_axis"


@rule(
    "DET001",
    "storage-order",
    severity="error",
    source="_array_structure_list.precedence",
    message="{array} has precedence {value} for index {first} and for index {second}, so the order of storage is open",
    messages={"gap": "{array} has {items} {listed} and lacks {missing}, so a dimension seems to be left out"},
)
def storage_order(tables: Tables) -> Iterator[Problem]:
    """What: Two dimensions of an array have the same precedence, or one is missing among them.
    Why: The precedence tells in which order the pixels are stored; without it the image cannot be laid out.
    How to fix: Number the dimensions from 1 for the one that changes fastest, each once.
    Source: Dictionary imgCIF, _array_structure_list.precedence: the rank order in which an index changes.
    """
    table = tables.table("array_structure_list")
    if not table or not table.has("precedence"):
        raise NotApplicable("no order of storage is given")
    precedences, indices = table.numbers("precedence"), table.numbers("index")
    given, known = precedences.tolist(), indices.tolist()
    for (array, section), rows in grouped_rows(table).items():
        name = f"array {array}" if section is None else f"section {section}"
        first: dict[float, int] = {}
        for row in rows:
            value = given[row]
            if not isfinite(value):
                continue
            if value in first:
                texts = [table.text("index", other, "?") for other in (first[value], row)]
                place = table.at(row, "precedence")
                yield Problem(place, array=name, value=f"{value:g}", first=texts[0], second=texts[1])
            first.setdefault(value, row)
        if section is None:
            yield from _gaps(table, rows, {"precedence": given, "index": known}, name)


def _gaps(table: Table, rows: list[int], numbers: dict[str, list[float]], name: str) -> Iterator[Problem]:
    """Numbers that are missing below the largest index and precedence of an array."""
    for item, values in numbers.items():
        counts = {row: int(values[row]) for row in rows if 1 <= values[row] < 2**53}
        known = sorted(set(counts.values()))
        if not known or known[-1] == len(known):
            continue
        missing = next(number for number, value in enumerate([*known, 0], 1) if number != value)
        place = table.at(next(row for row, count in counts.items() if count == known[-1]), item)
        items = item if len(known) == 1 else {"index": "indices", "precedence": "precedences"}[item]
        listed = ", ".join(map(str, known[:MAX_LISTED])) + (", ..." if len(known) > MAX_LISTED else "")
        yield Problem(place, severity="warning", variant="gap", array=name, items=items, listed=listed, missing=missing)


def _directions(panels: Detector) -> np.ndarray:
    """The pixel directions with axes, numbers of the dimensions of the layouts; those that panels share once."""
    parts, face = panels.layouts.dimensions, panels.layouts.face.ravel()
    face = face[face >= 0]
    face = face[parts.count[face] > 0]
    return np.asarray(face[np.sort(np.unique(parts.first[face], return_index=True)[1])])


def _odd_steps(panels: Detector, table: Table, directions: np.ndarray, tolerances: Tolerances) -> np.ndarray:
    """Pixel directions with a step that is zero or out of scale along any of their axes."""
    parts, surfaces = panels.layouts.dimensions, panels.layouts.surfaces
    acts = np.zeros(table.rows, dtype=bool)
    for name in STEPS:
        acts |= table.explicit(name) & (table.numbers(name) != 0)
    idle = ~parts.any_of(acts[surfaces.row])
    low, high = tolerances.pixel_min_mm, tolerances.pixel_max_mm
    lengths, own = np.abs(surfaces.increment), np.abs(parts.increment)
    is_odd = idle | parts.any_of(~((lengths >= low) & (lengths <= high))) | ~((own >= low) & (own <= high))
    return np.asarray(directions[is_odd[directions]])


@rule(
    "DET005",
    "pixel-step",
    severity="error",
    source="_array_structure_list_axis.displacement_increment",
    message="displacement_increment of {axis} is 0 over {size} pixels, which would all lie in one place",
    messages={"size": "displacement_increment of {axis} is {value:g} mm - expected {low:g} to {high:g} mm{hint}"},
)
def pixel_step(
    tables: Tables, panels: Detector, size_faults: list[SizeFault], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The step from one pixel to the next is zero, or of a size that no detector has.
    Why: The step gives the pixel size; with zero all pixels coincide, with a wrong unit the detector is a
    million times off.
    How to fix: Give the distance between the centres of neighbouring pixels in millimetres.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement_increment, in millimetres.
    """
    table = tables.table(_STEP_TABLE)
    axes = panels.axes
    slips = {fault.step_row for fault in size_faults if fault.is_slip}
    layouts = panels.layouts
    parts, directions = layouts.dimensions, _directions(panels)
    is_judged = ~parts.any_of(~layouts.surfaces.has_direction) & (parts.size != 1)
    directions = directions[is_judged[directions]]
    if not len(directions):
        raise NotApplicable("no dimension of pixels with axes")
    for number in _odd_steps(panels, table, directions, tolerances).tolist():
        layout = int(parts.layout[number])
        dimension = layouts[layout].dimensions[number - int(layouts.starts[layout])]
        entries = dimension.surface
        explicit = {name: [entry for entry in entries if table.explicit(name)[entry.row]] for name in STEPS}
        numbers = [table.numbers(name)[entry.row] for name, found in explicit.items() for entry in found]
        if dimension.size > 1 and all(entry.has_step for entry in entries) and not np.any(numbers):
            item = next(name for name, found in explicit.items() if found)
            yield Problem(table.at(entries[0].row, item), axis=axes.id[entries[0].axis], size=dimension.size)
        for entry in entries if not dimension.is_angular else ():
            step = abs(entry.increment)
            is_real = tolerances.pixel_min_mm <= step <= tolerances.pixel_max_mm
            # Where the element size gives the unit away, CON001 tells it.
            is_real |= entry.row in slips
            if step > 0 and not is_real and axes.kind[entry.axis] != "rotation" and not entry.is_fractional:
                yield Problem(
                    table.at(entry.row, "displacement_increment"),
                    severity="warning",
                    variant="size",
                    axis=axes.id[entry.axis],
                    value=entry.increment,
                    low=tolerances.pixel_min_mm,
                    high=tolerances.pixel_max_mm,
                    hint=_slip(step),
                )


def _slip(step: float) -> str:
    """The unit that a step seems to be in."""
    if 1e-7 <= step <= 1e-3:
        return f" - {step:g} m would be {step * 1e3:g} mm"
    return f" - {step:g} micrometres would be {step * 1e-3:g} mm" if 1.0 <= step <= 2000.0 else ""


@rule(
    "DET021",
    "sensor-thickness",
    severity="warning",
    source="_diffrn_detector.layer_thickness",
    message="layer_thickness is {value:g} mm - expected more than 0 and less than {limit:g} mm{hint}",
)
def sensor_thickness(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The sensing layer is given as zero, negative, or thicker than any sensor for x-rays or electrons.
    Why: The absorption in the layer and the parallax of slanting rays are computed from its thickness.
    How to fix: Give the thickness in millimetres: 0.32 or 0.45 for usual silicon sensors.
    Source: Dictionary imgCIF, _diffrn_detector.layer_thickness, in millimetres.
    """
    table = tables.table("diffrn_detector")
    given = table.explicit("layer_thickness")
    if not given.any():
        raise NotApplicable("no thickness of a sensing layer")
    if (tables.table("diffrn_radiation").text("probe") or "").lower() == "neutron":
        raise NotApplicable("detectors for neutrons are thicker")
    values = table.numbers("layer_thickness")
    for row in np.flatnonzero(given & np.isfinite(values) & ~((values > 0) & (values < tolerances.sensor_max_mm))):
        value = float(values[row])
        hint = f" - {value:g} micrometres would be {value * 1e-3:g} mm" if value >= tolerances.sensor_max_mm else ""
        place = table.at(int(row), "layer_thickness")
        yield Problem(place, value=value, limit=tolerances.sensor_max_mm, hint=hint)


@rule(
    "DET022",
    "angular-steps",
    severity="warning",
    source="_array_structure_list_axis.angular_pitch",
    message="axis {axis} has angle_increment {angle:g} degrees and angular_pitch {pitch:g} mm - expected one of them",
    messages={"alone": "axis {axis} has radial_pitch {pitch:g} mm, but no second axis is in its set {axis_set}"},
)
def angular_steps(tables: Tables) -> Iterator[Problem]:
    """What: A curved direction of pixels has both kinds of angular step, or a spiral has one axis only.
    Why: Pixels are either at equal angles or at equal distances along the arc, and a spiral runs along two axes
    at once.
    How to fix: Keep the step that is uniform, and list both axes of a spiral under one axis set.
    Source: Dictionary imgCIF, _array_structure_list_axis.angle_increment, angular_pitch and radial_pitch.
    """
    table = tables.table(_STEP_TABLE)
    angle, pitch, radial = (
        np.nan_to_num(table.numbers(name, 0.0)) for name in ("angle_increment", "angular_pitch", "radial_pitch")
    )
    if not (angle.any() or pitch.any() or radial.any()):
        raise NotApplicable("no angular steps")
    for row in np.flatnonzero((angle != 0) & (pitch != 0)):
        axis = table.text("axis_id", int(row), "?")
        yield Problem(table.at(int(row), "angular_pitch"), axis=axis, angle=float(angle[row]), pitch=float(pitch[row]))
    sets = [table.text("axis_set_id", row) or table.text("axis_id", row) or "" for row in range(table.rows)]
    for row in np.flatnonzero(radial != 0):
        if sets.count(sets[row]) == 1:
            axis = table.text("axis_id", int(row), "?")
            yield Problem(
                table.at(int(row), "radial_pitch"),
                variant="alone",
                axis=axis,
                pitch=float(radial[row]),
                axis_set=sets[row],
            )


@rule(
    "DET025",
    "element-size",
    severity="warning",
    source="_array_element_size.size",
    message="size of index {index} of array {array} is {value:g} m - expected {low:g} to {high:g} m{hint}",
)
def element_size(tables: Tables, size_faults: list[SizeFault], tolerances: Tolerances) -> Iterator[Problem]:
    """What: The size of an image element is zero, negative, or of no detector's scale.
    Why: Programs take the pixel size from this item, in metres; other items are in millimetres.
    How to fix: Give the size in metres: 0.000172 for pixels of 172 micrometres.
    Source: Dictionary imgCIF, _array_element_size.size, in metres.
    """
    table = tables.table("array_element_size")
    given = table.explicit("size")
    if not given.any():
        raise NotApplicable("no element sizes")
    values = table.numbers("size")
    wrong = ~((values >= tolerances.element_min_m) & (values <= tolerances.element_max_m))
    # Where the step of the pixels gives the unit away, CON001 tells it.
    wrong[[fault.row for fault in size_faults if fault.is_slip]] = False
    for row in np.flatnonzero(given & np.isfinite(values) & wrong):
        value = float(values[row])
        yield Problem(
            table.at(int(row), "size"),
            index=table.text("index", int(row), "?"),
            array=table.text("array_id", int(row), DEFAULT_ARRAY),
            value=value,
            low=tolerances.element_min_m,
            high=tolerances.element_max_m,
            hint=f" - {value:g} mm would be {value * 1e-3:g} m" if value > tolerances.element_max_m else "",
        )
