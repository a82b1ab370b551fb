"""Rules about arrays: the tables that name them, their sections, sizes and intensities."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from imgcif_core.checks.dictionary.values import by_value
from imgcif_core.checks.edits import all_like
from imgcif_core.checks.places import MAX_PLACES, problem_at, problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.relations.compound import compound_links
from imgcif_core.checks.suggest import did_you_mean
from imgcif_core.cif.document import Change, Document, Place, Quoting
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.model.joins import NONE, combined, filled_hashes, folded_key, identities, repeats, rows_named
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

_DEFINING = ("array_structure_list", "array_structure")
_ARRAY_ITEM = {"array_structure": "id"}


def explicit_values(table: Table, name: str) -> list[str]:
    """The distinct values, nulls left out, of a column of identifiers."""
    column = table.column(name)
    if column is None:
        return []
    first = column.distinct()[0][:5000]
    return column.texts_at(first[~column.is_null[first]])


@rule(
    "REL003",
    "array-ids-disagree",
    severity="error",
    source="_array_structure_list.array_id",
    message="{name} {verb} {value!r}, but the arrays described are {known}",
    messages={
        "partly": "{name} {verb} {value!r} too, which is not among the arrays described: {known}",
        "implied": "{name} is left out - the only array, {known}, is understood",
    },
)
def array_ids_disagree(tables: Tables) -> Iterator[Problem]:
    """What: The tables that describe arrays and those that hold or use their data name different arrays.
    Why: The layout of the data, and with it the position of every pixel, belongs to an array that has no data.
    How to fix: Use one identifier for an array in all tables, for example 1.
    Source: Dictionary imgCIF, _array_structure_list.array_id, _array_data.array_id and _diffrn_data_frame.array_id.
    """
    listed = explicit_values(tables.table("array_structure_list"), "array_id")
    structures = explicit_values(tables.table("array_structure"), "id")
    if not listed and not structures:
        raise NotApplicable("no array is described by name")
    described = listed or structures
    foreigners: dict[tuple[bool, str], _Foreign] = {}
    for category in ("array_data", "diffrn_data_frame"):
        table = tables.table(category)
        if not table:
            continue
        if not table.has("array_id"):
            if len(described) == 1 and category == "array_data":
                known = described[0]
                yield Problem(
                    table.at_top(),
                    severity="info",
                    variant="implied",
                    name=f"_{category}.array_id",
                    known=known,
                )
            continue
        used = explicit_values(table, "array_id")
        folded = {value.casefold() for value in (*described, *structures)}
        foreign = [value for value in used if value.casefold() not in folded]
        column = table.column("array_id")
        if not foreign or column is None:
            continue
        rows = column.distinct()[0][:5000]
        first = dict(zip(column.texts_at(rows), rows.tolist(), strict=True))
        disjoint = len(foreign) == len(used)
        for value in foreign[:20]:
            found = foreigners.setdefault((disjoint, value.casefold()), _Foreign(value, [], [], 0))
            # Bytes that are no text have no hash of their text: a value is looked for by its first row.
            rows = np.flatnonzero(column.hashes == column.hashes[first[value]])
            found.names.append(column.name)
            found.places.extend(table.at(int(row), "array_id") for row in rows[:MAX_PLACES])
            found.count += len(rows)
    for (disjoint, _), found in foreigners.items():
        yield problem_of(
            found.places,
            found.count,
            severity=None if disjoint else "warning",
            variant="" if disjoint else "partly",
            edits=_renamed(tables, found.value, described) if disjoint and len(foreigners) == 1 else [],
            help=did_you_mean(found.value, described) or f"write {described[0]} in both, or {found.value} in both",
            name=" and ".join(found.names),
            verb="names" if len(found.names) == 1 else "name",
            parent="_array_structure.id",
            value=found.value,
            known=", ".join(described[:4]),
        )


def _renamed(tables: Tables, value: str, described: list[str]) -> list[Change]:
    """The id of the only array that is described, wherever another one is named in its place."""
    if len(described) != 1:
        return []
    links = [column for item, column in tables.items.values() if item.linked == "_array_structure.id"]
    return [change for column in links for change in all_like(column, value, described[0], is_safe=False)]


@dataclass(slots=True)
class _Foreign:
    """An array that is used and not described: the items that name it, and where."""

    value: str
    names: list[str]
    places: list[Place]
    count: int


@rule(
    "REL007",
    "orphan-rows",
    severity="info",
    source="_diffrn_data_frame.binary_id",
    message="{count_text} of {category} that nothing refers to, the first {first}",
)
def orphan_rows(tables: Tables) -> Iterator[Problem]:
    """What: Rows describe data, links or detector elements that no frame uses.
    Why: This is legal for dark frames, masks and the like; often it is a frame that was forgotten.
    How to fix: Add the frames that use these rows, or delete the rows.
    Source: Dictionary imgCIF, links of DIFFRN_DATA_FRAME and ARRAY_DATA.
    """
    frames, data = tables.table("diffrn_data_frame"), tables.table("array_data")
    pairs = (
        (data, ("array_id", "binary_id"), frames, ("array_id", "binary_id"), ("1", "1")),
        (tables.table("array_data_external_data"), ("id",), data, ("external_data_id",), ("1",)),
        (tables.table("diffrn_detector_element"), ("id",), frames, ("detector_element_id",), (None,)),
    )
    for table, names, users, user_names, defaults in pairs:
        if not table or not users or not any(users.has(name) for name in user_names):
            continue
        texts = [default or "" for default in defaults]
        rows = np.flatnonzero(rows_named(users, user_names, table, names, texts) == NONE)
        if len(rows):
            first = ", ".join(str(table.text(name, int(rows[0]), "1")) for name in names)
            noun = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
            category = table.category.name.upper()
            yield problem_at(table, rows, names[-1], count_text=noun, category=category, first=first)


@rule(
    "REL008",
    "frame-without-data-row",
    severity="error",
    source="_diffrn_data_frame.binary_id",
    message="frame uses array {array}, binary {binary}, which ARRAY_DATA does not list",
    messages={"compound": "row refers to {key} in {parent}, which has no such row, though each value stands there"},
)
def frame_without_data_row(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A frame names a pair of array and binary that no row of the data table has; the same for other such pairs.
    Why: The image of the frame cannot be found, though each of the two identifiers exists.
    How to fix: Correct the binary id of the frame, or add the row to ARRAY_DATA.
    Source: Dictionary imgCIF, _diffrn_data_frame.array_id and _diffrn_data_frame.binary_id as one reference.
    """
    others = list(compound_links(tables, dictionary))
    yield from others
    frames, data = tables.table("diffrn_data_frame"), tables.table("array_data")
    if not frames or not data or not data.has("array_id") or not frames.has("binary_id"):
        if others:
            return
        raise NotApplicable("frames or data rows are not named")
    names = ("array_id", "binary_id")
    lost = rows_named(data, names, frames, names, ("1", "1")) == NONE
    if not lost.any():
        return
    arrays = rows_named(data, names[:1], frames, names[:1], ("1",)) != NONE
    rows = np.flatnonzero(arrays & lost)
    for row in rows[:50]:
        array, binary = (frames.text(name, int(row), "1") for name in names)
        yield Problem(
            frames.at(int(row), "binary_id"),
            count=1 if row != rows[0] else 1 + max(0, len(rows) - 50),
            array=array,
            binary=binary,
        )


@rule(
    "REL010",
    "binary-id-and-header",
    severity="warning",
    source="_array_data.binary_id",
    message="binary_id is {value}, but the header of the section says X-Binary-ID {header}",
)
def binary_id_and_header(tables: Tables, document: Document) -> Iterator[Problem]:
    """What: The identifier of an embedded binary differs between the table and the MIME header.
    Why: Programs find an image by the one or by the other.
    How to fix: Write the same number in both places.
    Source: Dictionary imgCIF, _array_data.binary_id.
    """
    data = tables.table("array_data")
    column = data.column("data")
    sections = {section.start: section for section in document.sections}
    if column is None or column.quoting is None or not data.has("binary_id"):
        raise NotApplicable("no embedded binary with an id")
    for row in np.flatnonzero(column.quoting == Quoting.BINARY):
        section = sections.get(int(column.starts[row]))
        header = section.headers.get("x-binary-id") if section else None
        value = data.text("binary_id", int(row))
        if header and value and header.strip() != value:
            yield Problem(data.at(int(row), "binary_id"), value=value, header=header)


@rule(
    "REL018",
    "axis-set-missing",
    severity="error",
    source="_array_structure_list.axis_set_id",
    message="{name} is {value!r}, but ARRAY_STRUCTURE_LIST_AXIS has the axis sets {known}",
)
def axis_set_missing(tables: Tables) -> Iterator[Problem]:
    """What: A dimension of an array names an axis set that is not defined.
    Why: The direction and the step of the pixels along this dimension are unknown.
    How to fix: Use the id of an axis set; where none is given, it is the id of the axis.
    Source: Dictionary imgCIF, _array_structure_list.axis_set_id and _array_structure_list_axis.axis_set_id.
    """
    sets, listed = tables.table("array_structure_list_axis"), tables.table("array_structure_list")
    column = listed.column("axis_set_id")
    item = tables.dictionary.lookup("_array_structure_list.axis_set_id")
    if not sets or column is None or item is None:
        raise NotApplicable("no axis sets")
    names = sets.texts("axis_set_id")
    axes = sets.texts("axis_id")
    known = list(dict.fromkeys(name or axis or "" for name, axis in zip(names, axes, strict=True)))
    folded = {name.casefold() for name in known}
    rows = [row for row in range(listed.rows) if not column.is_null[row] and column.text(row).casefold() not in folded]
    for text, places, count in by_value(tables, item, column, np.array(rows, dtype=np.int64)):
        help_text = did_you_mean(text, known)
        shown = ", ".join(known[:4])
        yield problem_of(places, count, help=help_text, name=column.name, value=text, known=shown)


@rule(
    "REL019",
    "element-size-without-dimension",
    severity="error",
    source="_array_element_size.index",
    message="element size is given for index {index} of array {array}, which has {count_text}",
)
def element_size_without_dimension(tables: Tables) -> Iterator[Problem]:
    """What: The size of an array element is given along a dimension that the array does not have.
    Why: The pixel size then belongs to nothing, and that of a real dimension is missing.
    How to fix: Number the dimensions as in ARRAY_STRUCTURE_LIST.
    Source: Dictionary imgCIF, _array_element_size.index.
    """
    sizes, listed = tables.table("array_element_size"), tables.table("array_structure_list")
    if not sizes or not listed or not sizes.has("index") or not listed.has("index"):
        raise NotApplicable("no element sizes with dimensions")
    known: dict[str, set[str]] = {}
    for row in range(listed.rows):
        known.setdefault(listed.text("array_id", row, "1") or "1", set()).add(listed.text("index", row, "") or "")
    for row in range(sizes.rows):
        array, index = sizes.text("array_id", row, "1") or "1", sizes.text("index", row)
        if array in known and index is not None and index not in known[array]:
            count_text = f"the indices {', '.join(sorted(known[array]))}"
            yield Problem(sizes.at(row, "index"), index=index, array=array, count_text=count_text)


@rule(
    "REL020",
    "array-without-intensities",
    severity="info",
    source="_array_intensities.array_id",
    message="array {array} has no row in ARRAY_INTENSITIES - gain, linearity and overload are unknown",
)
def array_without_intensities(tables: Tables) -> Iterator[Problem]:
    """What: ARRAY_INTENSITIES describes some arrays, but not this one.
    Why: Gain and overload of its pixels are unknown to processing programs.
    How to fix: Add a row for the array; one row serves all its frames.
    Source: Dictionary imgCIF, ARRAY_INTENSITIES.
    """
    intensities, listed = tables.table("array_intensities"), tables.table("array_structure_list")
    if not intensities or not listed.has("array_id"):
        raise NotApplicable("no intensities or no arrays")
    known = {value.casefold() for value in explicit_values(intensities, "array_id")} or {"1"}
    for value in explicit_values(listed, "array_id"):
        if value.casefold() not in known:
            row = next(row for row in range(listed.rows) if listed.text("array_id", row) == value)
            yield Problem(listed.at(row, "array_id"), array=value)


@rule(
    "REL022",
    "frames-share-an-image",
    severity="warning",
    source="_diffrn_data_frame.binary_id",
    message="frame {frame} uses the same image as an earlier one: array {array}, binary {binary}",
)
def frames_share_an_image(tables: Tables) -> Iterator[Problem]:
    """What: Two frames, or two elements of one frame, use one and the same binary without separate sections.
    Why: The second frame's own image is not described, and the first one's is used twice.
    How to fix: Give each frame its own binary id, or name the section of the array that each element uses.
    Source: Dictionary imgCIF, _diffrn_data_frame.array_id, binary_id and array_section_id.
    """
    frames = tables.table("diffrn_data_frame")
    if frames.rows < 2 or not frames.has("binary_id"):
        raise NotApplicable("fewer than two frames with binaries")
    column = frames.column("binary_id")
    if column is not None and not column.has_nulls and column.is_all_distinct:
        return
    # Ids that differ in case alone name one row, where none is spelt alike.
    image = ("array_id", "binary_id")
    images = identities(tables.table("array_data"), image, frames, image, "1")
    hashes = combined([images, filled_hashes(frames, "array_section_id", "", fold=True)])
    rows = repeats(hashes, partial(folded_key, frames, (*image, "array_section_id"))).rows
    if len(rows):
        frame, array, binary = (frames.text(name, int(rows[0]), "1") for name in ("id", "array_id", "binary_id"))
        yield problem_at(frames, rows, "binary_id", frame=frame, array=array, binary=binary)
