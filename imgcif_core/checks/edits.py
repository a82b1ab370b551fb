"""Remedies as changes of the text: new values, new names, whole new columns, and columns that go.

Each function gives an empty list where the change cannot be made without doubt, for example because
a loop holds more rows than are changed one by one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Change, Quoting, Source
from imgcif_core.cif.matrices import hash_text
from imgcif_core.cif.write import Token, encode
from imgcif_core.tables import Table

# Beyond this a file is better written anew by the program that wrote it, and each change is an object in memory.
MAX_CHANGES = 10_000
# Beyond this no plain decimal is written.
MAX_EXPONENT = 30
_CONTAINERS = (Quoting.LIST, Quoting.TABLE, Quoting.BINARY)


def new_values(column: Column, rows: Iterable[int], text: str, *, is_safe: bool) -> list[Change]:
    """The value of some rows becomes `text`, quoted as it needs; `Token` for `.` and `?`."""
    written = encode(text)
    return [new_raw(column, int(row), written, is_safe=is_safe) for row in list(rows)[:MAX_CHANGES]]


def new_raw(column: Column, row: int, written: str, *, is_safe: bool) -> Change:
    """The value of a row becomes `written`, which is CIF already."""
    return Change(column.source, int(column.starts[row]), int(column.ends[row]), written, is_safe)


def rows_like(column: Column, text: str) -> np.ndarray:
    """The rows that hold a text as a value, nulls left out: (n,) integers."""
    rows = np.flatnonzero((column.hashes == hash_text(text)) & ~column.is_null)
    # Texts of one hash can be made on purpose.
    return rows[:0] if len(rows) and column.text(int(rows[0])) != text else rows


def all_like(column: Column, text: str, new: str, *, is_safe: bool) -> list[Change]:
    """Every value that is written `text` becomes `new`; nothing where there are too many."""
    rows = rows_like(column, text)
    return [] if len(rows) > MAX_CHANGES else new_values(column, rows, new, is_safe=is_safe)


def scaled(table: Table, row: int, names: Iterable[str], factor: str) -> list[Change]:
    """Numbers of a row times a factor, in decimals and without rounding; zeros, nulls and absent ones stay."""
    changes = []
    for name in names:
        column = table.column(name)
        if column is None or column.is_null[row]:
            continue
        try:
            number = Decimal(column.text(row)) * Decimal(factor)
        except InvalidOperation:
            # An uncertainty in brackets would have to be scaled as well.
            return []
        if number and abs(number.adjusted()) < MAX_EXPONENT:
            changes.append(new_raw(column, row, f"{number.normalize():f}", is_safe=False))
    return changes


def new_name(column: Column, name: str, *, is_safe: bool) -> list[Change]:
    """The data name becomes another one."""
    return [Change(column.source, column.name_start, column.name_end, name, is_safe)]


def new_item(beside: Column, name: str, values: Sequence[str] | str, *, is_safe: bool) -> list[Change]:
    """Another data name with its values: before an item, or as the last column of a loop."""
    loop, source = beside.loop, beside.source
    if loop is None:
        value = encode(values if isinstance(values, str) else values[0])
        indent = _indent(source, beside.name_start)
        gap = "" if value.startswith("\n") else " "
        return [Change(source, beside.name_start, beside.name_start, f"{name}{gap}{value}\n{indent}", is_safe)]
    last = loop.columns[-1]
    texts = [encode(values)] * len(last) if isinstance(values, str) else [encode(value) for value in values]
    is_plain = not any("\n" in text for text in texts) and len(texts) == len(last) <= MAX_CHANGES
    if not is_plain or _holds(last, Quoting.BINARY):
        return []
    indent = _indent(source, last.name_start)
    changes = [Change(source, last.name_end, last.name_end, f"\n{indent}{name}", is_safe)]
    for end, text in zip(last.ends.tolist(), texts, strict=True):
        changes.append(Change(source, end, end, f" {text}", is_safe))
    return changes


def without(column: Column, *, is_safe: bool) -> list[Change]:
    """The data name goes, with all of its values and the blanks that it leaves."""
    source = column.source
    if column.loop is None:
        if len(column) != 1 or _holds(column, Quoting.BINARY):
            return []
        start, end = column.name_start, int(column.ends[0])
        return [Change(source, *_with_line(source, start, end), "", is_safe)]
    if len(column.loop.columns) < 2 or len(column) > MAX_CHANGES or _holds(column, Quoting.BINARY, Quoting.TEXT):
        return []
    changes = [Change(source, *_with_line(source, column.name_start, column.name_end), "", is_safe)]
    for start, end in zip(column.starts.tolist(), column.ends.tolist(), strict=True):
        changes.append(Change(source, *_with_blanks(source, start, end), "", is_safe))
    return changes


def _holds(column: Column, *quotings: Quoting) -> bool:
    """True if a value of the column is written in one of these ways."""
    return column.quoting is not None and bool(np.isin(column.quoting, quotings).any())


def _indent(source: Source, start: int) -> str:
    """The blanks before an offset, where nothing else stands before it in its line."""
    begin = int(source.line_starts[source.line_of(start) - 1])
    head = source.data[begin:start]
    return "" if head.strip(b" \t") else head.decode("ascii")


def _with_line(source: Source, start: int, end: int) -> tuple[int, int]:
    """The range widened to whole lines where nothing else stands in them, else by blanks on one side."""
    first, last = source.line_of(start), source.line_of(end)
    begin = int(source.line_starts[first - 1])
    stop = int(source.line_starts[last]) if last < len(source.line_starts) else len(source.data)
    if not source.data[begin:start].strip(b" \t") and not source.data[end:stop].strip():
        return begin, stop
    return _with_blanks(source, start, end)


def _with_blanks(source: Source, start: int, end: int) -> tuple[int, int]:
    """The range widened by the blanks after it, or before it at the end of a line."""
    stop = end
    while source.data[stop : stop + 1] in (b" ", b"\t"):
        stop += 1
    if stop > end and source.data[stop : stop + 1] not in (b"", b"\r", b"\n"):
        return start, stop
    begin = start
    while begin and source.data[begin - 1 : begin] in (b" ", b"\t"):
        begin -= 1
    return begin, end


def literal(text: str) -> Token:
    """Text that goes into the file as it is."""
    return Token(text)
