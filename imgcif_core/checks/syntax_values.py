"""SYN: how values are written, where the dictionary is needed to say what was meant."""

import re
from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.dictionary.values import value_place
from imgcif_core.checks.edits import MAX_CHANGES, all_like, literal, new_raw
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Change, Document, Place, Quoting
from imgcif_core.ddlm.model import Item
from imgcif_core.tables import Part, Tables

_PLACEHOLDER = re.compile(r"\?{2,}|.*@[A-Z][A-Z0-9_]*@.*|TODO|X{4,}|.*\[local\].*", re.S)
_PREVIEW = re.compile(
    rb"#[^\r\n]*(?:\b\d+ (?:rows?|lines?|frames?) (?:were |have been )?(?:cut|omitted|truncated|skipped)\b"
    rb"|\bcut for preview\b)[^\r\n]*",
    re.I,
)


@rule(
    "SYN014",
    "quoted-null",
    severity="warning",
    source="CIF 1.1 syntax specification, special values",
    message="{name} is the quoted text {value} - unquoted it would be null",
)
def quoted_null(tables: Tables) -> Iterator[Problem]:
    """What: A dot or question mark stands in quotes where a number or an identifier is due.
    Why: In quotes the two are ordinary text, so that programs look for an axis or a row named dot.
    How to fix: Remove the quotes round the value.
    Source: CIF 1.1 syntax specification, special values; DDLm, null values.
    """
    for item, column in list(tables.items.values()):
        if column.quoting is None or (item.states is not None and {".", "?"} & set(item.states)):
            continue
        if not (item.is_link or item.is_key or item.is_numeric):
            continue
        short = (column.lengths == 3) & np.isin(column.quoting, (Quoting.SINGLE, Quoting.DOUBLE))
        rows = [int(row) for row in np.flatnonzero(short) if column.text(int(row)) in (".", "?")]
        if rows:
            places = (value_place(tables, item, column, row) for row in rows)
            value = column.raw(rows[0]).decode()
            # A question mark in a setting hides what only the author knows, quoted or not.
            is_dot = all(column.text(row) == "." for row in rows)
            edits = [new_raw(column, row, ".", is_safe=True) for row in rows[:MAX_CHANGES]] if is_dot else []
            yield problem_of(places, len(rows), edits=edits, name=column.name, value=value)


@rule(
    "SYN015",
    "category-in-several-parts",
    severity="warning",
    source="CIF 1.1 syntax specification, loops; DDLm, one table for a category",
    message="items of {category} stand in {parts} places - those here have {rows} of {most} rows",
)
def category_in_several_parts(tables: Tables) -> Iterator[Problem]:
    """What: The items of one category are spread over several loops, or partly looped and partly not.
    Why: A category is one table; which rows of the parts belong together is not said.
    How to fix: Put all items of the category in one loop.
    Source: CIF 1.1 syntax specification, loop structures; DDLm, categories as tables.
    """
    for table in tables.present:
        if len(table.parts) < 2:
            continue
        several = [part for part in table.parts if part.rows > 1]
        parts = sorted(table.parts, key=_position)
        part = parts[-1]
        first = min(part.columns.values(), key=lambda column: column.name_start)
        place = Place(
            first.source, first.name_start, first.name_end, tables.block.name, table.category.name, first.name
        )
        yield Problem(
            place,
            severity="error" if len(several) > 1 and not _share_key(table.key_names, several) else None,
            category=table.category.name.upper(),
            parts=len(parts),
            rows=part.rows,
            most=max(entry.rows for entry in parts),
        )


def _position(part: Part) -> int:
    """Where a part begins."""
    return min(column.name_start for column in part.columns.values())


def _share_key(keys: tuple[str, ...], parts: list[Part]) -> bool:
    """True if a key column stands in all parts, so that their rows can be joined."""
    return any(all(key in part.columns for part in parts) for key in keys)


@rule(
    "SYN019",
    "placeholder",
    severity="warning",
    source="CIF 1.1 syntax specification, special values",
    message="{name} is {value!r}, a placeholder that was never filled",
)
def placeholder(tables: Tables) -> Iterator[Problem]:
    """What: A value is a mark that some template left for a person to fill.
    Why: The mark is taken for a value: an address of question marks is looked up, a name of capital X printed.
    How to fix: Write the value, or an unquoted question mark where it is unknown.
    Source: CIF 1.1 syntax specification, special values.
    """
    marks: dict[tuple[int, int], np.ndarray] = {}
    for item, column in list(tables.items.values()):
        if item.is_numeric or _is_free_text(item):
            continue
        if column.few_texts is not None and not any(map(_PLACEHOLDER.fullmatch, column.few_texts)):
            continue
        for row in _candidates(column, marks):
            text = column.text(row)
            if _PLACEHOLDER.fullmatch(text):
                count = int((column.hashes == column.hashes[row]).sum())
                place = value_place(tables, item, column, row)
                edits = _unfilled(item, column, text)
                yield Problem(place, count=count, edits=edits, name=column.name, value=text[:60])


def _unfilled(item: Item, column: Column, text: str) -> list[Change]:
    """A question mark for what was never filled in; an id or an address has to be found out."""
    if item.is_key or item.is_link or item.object.lower() == "uri":
        return []
    return all_like(column, text, literal("?"), is_safe=True)


def _is_free_text(item: Item) -> bool:
    """True for prose, in which anything may be said."""
    if item.contents != "Text":
        return False
    name = item.object.lower()
    return any(word in name for word in ("detail", "contents", "description", "special"))


# Columns of so few rows are read whole; looking for marks pays off in longer ones alone.
FEW_ROWS = 64
# Offsets of comments that are looked at, and bytes in which they are looked for at a time.
MAX_MARKS, CHUNK = 100_000, 1 << 22
_MARKS = (b"??", b"@", b"TODO", b"XXXX", b"[local]")


def _candidates(column: Column, known: dict[tuple[int, int], np.ndarray]) -> list[int]:
    """The first row of each text that may be a placeholder; `known` keeps the marks found in each loop."""
    rows = len(column)
    if rows > FEW_ROWS and (column.is_constant or column.counting is not None):
        return [0]
    found = range(rows) if rows <= FEW_ROWS else _marked_rows(column, known)
    distinct: dict[str, int] = {}
    for row in found:
        distinct.setdefault(column.text(int(row)), int(row))
    return list(distinct.values())


def _marked_rows(column: Column, known: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    """The rows of a column in which one of the marks of placeholders stands."""
    loop = column.loop
    region = (loop.start, loop.end) if loop is not None else (int(column.starts[0]), int(column.ends[-1]))
    if region not in known:
        known[region] = _marks(column.source.data, *region)
    marks = known[region]
    rows = np.searchsorted(column.starts, marks, side="right") - 1
    inside = (rows >= 0) & (marks < column.ends[rows])
    return np.flatnonzero(np.bincount(rows[inside], minlength=1))


def _marks(data: bytes, low: int, high: int) -> np.ndarray:
    """The sorted offsets of the marks of placeholders in a range of a file, up to a limit a mark."""
    array = np.frombuffer(data, np.uint8, high - low, low)
    found = [np.zeros(0, dtype=np.int64)]
    for mark in _MARKS:
        at = np.flatnonzero(array[: max(0, len(array) - len(mark) + 1)] == mark[0])
        for index, byte in enumerate(mark[1:], 1):
            at = at[array[at + index] == byte]
        found.append(at[:20_000] + low)
    return np.sort(np.concatenate(found))


@rule(
    "SYN020",
    "cut-for-preview",
    severity="warning",
    source="CIF 1.1 syntax specification, comments",
    message="comment {text!r} says that rows were left out",
)
def cut_for_preview(document: Document) -> Iterator[Problem]:
    """What: A comment tells that rows of the file were cut.
    Why: Such previews describe only some of the frames and are not meant to be archived.
    How to fix: Write the whole file again, without the preview option of the program.
    Source: CIF 1.1 syntax specification, comments; habit of programs that write previews.
    """
    data = document.source.data
    values: tuple[np.ndarray, np.ndarray] | None = None
    marks = _comment_marks(data)
    if not len(marks):
        raise NotApplicable("no comments")
    for at in _first_on_line(data, marks).tolist():
        line = data[at : at + 400].splitlines()[0]
        if _PREVIEW.match(line):
            is_opaque = any(begin <= at < end for begin, end in document.source.opaque)
            values = _quoted_values(document) if values is None else values
            if not is_opaque and not _in_value(values, at):
                text = line.strip().decode("utf-8", "replace")
                yield Problem(Place(document.source, at, at + len(line)), text=text[:80])


def _comment_marks(data: bytes) -> np.ndarray:
    """The offsets of what may begin a comment, up to a number: (n,) int64."""
    found, count = [np.zeros(0, dtype=np.int64)], 0
    for begin in range(0, len(data), CHUNK):
        part = np.frombuffer(data, np.uint8, min(CHUNK, len(data) - begin), begin)
        found.append(np.flatnonzero(part == ord("#")) + begin)
        count += len(found[-1])
        if count > MAX_MARKS:
            break
    return np.concatenate(found)[:MAX_MARKS]


def _first_on_line(data: bytes, marks: np.ndarray) -> np.ndarray:
    """Those of some offsets that have nothing but white space before them on their line."""
    array = np.frombuffer(data, np.uint8)
    is_first = np.zeros(len(marks), dtype=bool)
    rows, at = np.arange(len(marks)), marks - 1
    while len(rows):
        byte = np.where(at >= 0, array[at], 10)
        is_first[rows[byte == 10]] = True
        is_blank = (byte == 32) | (byte == 9) | ((byte >= 11) & (byte <= 13))
        rows, at = rows[is_blank], at[is_blank] - 1
    return marks[is_first]


def _quoted_values(document: Document) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the values that stand in delimiters, in the order of the file."""
    columns = [column for block in document.blocks for column in block.columns.values() if column.quoting is not None]
    if not columns:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    starts = np.concatenate([column.starts[~column.is_bare] for column in columns])
    ends = np.concatenate([column.ends[~column.is_bare] for column in columns])
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order]


def _in_value(values: tuple[np.ndarray, np.ndarray], offset: int) -> bool:
    """True if an offset lies within a value."""
    index = int(np.searchsorted(values[0], values[0].dtype.type(offset), side="right")) - 1
    return index >= 0 and bool(values[1][index] > offset)
