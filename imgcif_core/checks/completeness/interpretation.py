"""Rules about what nobody can do without: layout, pixel size, place and motion of every image.

They say what the model of the instrument could not be given; see `obstacles`.
"""

from collections.abc import Iterator

from imgcif_core.checks.joined import is_told_before
from imgcif_core.checks.obstacles import Kind, Obstacle
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import scan_name, scan_place
from imgcif_core.cif.document import Document, Place
from imgcif_core.model.detector import Panel
from imgcif_core.model.scans import Scan, Scans
from imgcif_core.tables import Tables

_LIST, _STEPS = "array_structure_list", "array_structure_list_axis"
_WORDS = {"dimension": "number of pixels", "precedence": "precedence", "direction": "direction"}


def _of(obstacles: list[Obstacle], code: str, *kinds: Kind) -> list[Obstacle]:
    """The obstacles that a rule has to tell."""
    return [entry for entry in obstacles if entry.code == code and entry.kind in kinds]


@rule(
    "MTA020",
    "array-not-described",
    severity="warning",
    source="_array_structure_list.dimension",
    message="array {array} of the images has no rows in ARRAY_STRUCTURE_LIST",
    messages={
        "parts": "array {array} is not fully described: {what} not given",
        "axes": "the directions of array {array} have no axis_set_id, so that its pixels have no place",
    },
    question="interpret",
)
def array_not_described(joined: Tables, obstacles: list[Obstacle]) -> Iterator[Problem]:
    """What: The layout of the images is not described: the array itself, its numbers of pixels, or their order.
    Why: A program cannot tell which value belongs to which pixel, nor where that pixel was.
    How to fix: Give a row of ARRAY_STRUCTURE_LIST for each direction, with dimension, precedence, direction and
    axis_set_id.
    Source: Dictionary imgCIF, _array_structure_list.dimension, precedence, direction and axis_set_id.
    """
    for entry in _of(obstacles, "MTA020", Kind.ARRAY):
        for array in entry.subjects:
            yield Problem(_use_of(joined, str(array)), array=array)
    parts: dict[str, dict[str, None]] = {}
    if is_told_before(joined, _LIST):
        return
    for entry in _of(obstacles, "MTA020", Kind.SIZE, Kind.ORDER):
        for array in entry.subjects:
            parts.setdefault(str(array), {}).update(dict.fromkeys(entry.names))
    by_what: dict[tuple[str, ...], list[str]] = {}
    for array, names in parts.items():
        by_what.setdefault(tuple(names), []).append(array)
    for items, arrays in by_what.items():
        places = (_row_of(joined, array, items[0]) for array in arrays)
        what = ", ".join(_WORDS[item] for item in items)
        yield problem_of(places, len(arrays), variant="parts", array=_few(arrays), what=what)
    for entry in _of(obstacles, "MTA020", Kind.PLACE):
        arrays = [subject.array_id if isinstance(subject, Panel) else str(subject) for subject in entry.subjects]
        place = _row_of(joined, arrays[0], "axis_set_id")
        yield Problem(place, variant="axes", count=len(arrays), array=_few(arrays))


def _few(names: list[str]) -> str:
    """A few names, many of them cut short."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _use_of(tables: Tables, array: str) -> Place:
    """Where frames or data name an array."""
    for category in ("diffrn_data_frame", "array_data"):
        table = tables.table(category)
        column = table.column("array_id")
        rows = [int(row) for row in column.distinct()[0] if column.text(int(row)) == array] if column else []
        if rows:
            return table.at(rows[0], "array_id")
        if table:
            return table.at_top()
    return tables.table("diffrn_scan").at_top()


def _row_of(tables: Tables, array: str, item: str) -> Place:
    """The first row of an array in ARRAY_STRUCTURE_LIST in which an item is missing."""
    table = tables.table(_LIST)
    given = table.explicit(item)
    rows = [row for row, name in enumerate(table.texts("array_id", "1")) if (name or "1") == array]
    return table.at(next((row for row in rows if not given[row]), rows[0] if rows else 0), item)


@rule(
    "MTA021",
    "pixel-size-not-given",
    severity="error",
    source="_array_structure_list_axis.displacement_increment",
    message="pixel size of {panels} is not given: neither displacement_increment nor _array_element_size.size",
    question="interpret",
)
def pixel_size_not_given(joined: Tables, obstacles: list[Obstacle]) -> Iterator[Problem]:
    """What: No step from pixel to pixel is given, and no size of the elements of the array either.
    Why: The default of the step is zero, which puts all pixels into one place, so that no angle can be calculated.
    How to fix: Give _array_structure_list_axis.displacement_increment of both directions, in millimetres.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement_increment, default 0.0, and
    _array_element_size.size.
    """
    if is_told_before(joined, _STEPS):
        return
    for entry in _of(obstacles, "MTA021", Kind.STEP):
        panels = [subject for subject in entry.subjects if isinstance(subject, Panel)]
        rows = [part.row for panel in panels for axis in panel.layout.directions for part in axis.surface]
        steps = joined.table(_STEPS)
        missing = [row for row in dict.fromkeys(rows) if not steps.explicit("displacement_increment")[row]]
        places = (steps.at(row, "displacement_increment") for row in missing or rows)
        named = f"panel {panels[0].id}" if len(panels) == 1 else f"{len(panels)} panels (first {panels[0].id})"
        yield problem_of(places, len(panels), panels=named)


@rule(
    "MTA022",
    "panel-in-sample",
    severity="warning",
    source="_diffrn_scan_axis.displacement_start",
    message="{panels} stands in the sample{where}: its distance is 0{hint}",
    messages={"axes": "no axes are given, so that no pixel of the images has a place"},
    helps={
        "axes": "describe the instrument in AXIS: the axes that turn the sample, the one that sets the distance of the "
        "detector, and the two directions of its pixels",
    },
    question="interpret",
)
def panel_in_sample(joined: Tables, obstacles: list[Obstacle]) -> Iterator[Problem]:
    """What: The plane of a detector panel runs through the sample, or no axis gives the panel a place at all.
    Why: With a distance of zero no pixel has a scattering angle; mostly the setting of the distance is missing, or
    the pixels do not depend on the axis that sets it.
    How to fix: Set the distance in DIFFRN_SCAN_AXIS, and let the axes of the pixels depend on the axis that is set.
    Source: Dictionary imgCIF, _diffrn_scan_axis.displacement_start, _axis.depends_on and _axis.offset[3].
    """
    for _ in _of(obstacles, "MTA022", Kind.AXES):
        # Images alone, with neither scan nor frames, are no experiment that anybody meant to describe.
        is_alone = not joined.table("diffrn_scan") and not joined.table("diffrn_data_frame")
        yield Problem(_use_of(joined, ""), severity="info" if is_alone else None, variant="axes")
    for entry in _of(obstacles, "MTA022", Kind.SAMPLE):
        panels = [subject for subject in entry.subjects if isinstance(subject, Panel)]
        scans = [subject for subject in entry.subjects if isinstance(subject, Scan)]
        named = f"panel {panels[0].id}" if len(panels) == 1 else f"each of {len(panels)} panels (first {panels[0].id})"
        several = scans and joined.table("diffrn_scan").rows > 1
        yield Problem(
            joined.table(_LIST).at(panels[0].fast.row, "axis_set_id"),
            count=len(panels),
            panels=named,
            where=f" in scan {scan_name(scans[0])}" if several else "",
            hint=_hint(joined, entry),
        )


def _hint(tables: Tables, entry: Obstacle) -> str:
    """The axis that is set and on which the pixels do not depend."""
    if not entry.names:
        return ""
    return f", for its pixels do not depend on axis {entry.names[0]}, which is set to {entry.names[1]} mm"


@rule(
    "MTA023",
    "nothing-moves",
    severity="warning",
    source="_diffrn_scan_axis.angle_increment",
    message="no axis moves in the {frames} frames of scan {scan}, which is not said to be of stills",
    messages={"settings": "no setting of any axis is given for the {frames} frames of scan {scan}"},
    question="interpret",
)
def nothing_moves(joined: Tables, obstacles: list[Obstacle], joined_scans: Scans) -> Iterator[Problem]:
    """What: A scan of several frames states no motion of any axis, or no setting at all, and is not of stills.
    Why: The default kind of a scan is a rotation; without start and increment no frame has an orientation.
    How to fix: Give angle_start, angle_increment and angle_range of the axis that turned, in DIFFRN_SCAN_AXIS; for
    stills say still in _diffrn_scan_collection.type.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_increment, default 0.0, and _diffrn_scan_collection.type,
    default rotation.
    """
    for entry in _of(obstacles, "MTA023", Kind.SETTINGS, Kind.STILL):
        scans = [subject for subject in entry.subjects if isinstance(subject, Scan)]
        yield problem_of(
            (scan_place(joined, scan) for scan in scans),
            len(scans),
            variant="settings" if entry.kind is Kind.SETTINGS else "",
            frames=scans[0].count,
            scan=scan_name(scans[0]) + (f" and {len(scans) - 1} more scans" if len(scans) > 1 else ""),
        )


@rule(
    "MTA024",
    "nothing-recognised",
    severity="error",
    source="_definition.id",
    message="the file holds nothing that the dictionary defines, so that nothing could be judged",
    question="read",
)
def nothing_recognised(document: Document, all_tables: list[Tables]) -> Iterator[Problem]:
    """What: No data block holds any item of the dictionary: the file is empty, or about something else.
    Why: Nothing was judged, so that no verdict may be called good.
    How to fix: Check that the right file was given, and that its data names stand in a data block.
    Source: Dictionary imgCIF with all that it imports, definition ids.
    """
    if not document.blocks or any(tables.unknown for tables in all_tables):
        raise NotApplicable("text outside of data blocks, or unknown names, are told by other rules")
    if not any(tables.items for tables in all_tables):
        block = document.blocks[0]
        end = block.start + len(document.source.data[block.start : block.start + 200].split(None, 1)[0])
        yield Problem(Place(document.source, block.start, end, block.name))
