"""The rule about values for which the dictionary tabulates what they are by default, such as atomic masses."""

import re
from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.dictionary.values import SHOWN, value_place
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import last_digit_half
from imgcif_core.cif.columns import Column
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.tables import Tables

# Each row is compared with a table by its key, one by one; rows beyond are told as not checked.
MAX_ROWS = 20_000


@rule(
    "DIC034",
    "tabulated-default-differs",
    severity="info",
    source="_enumeration_defaults.value",
    message="{name} is {value} for {index} - the dictionary tabulates {default}",
    helps={
        "": "see that the value belongs to {index}: leave it if you chose it, else write {default}",
    },
)
def tabulated_default_differs(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A value is not the one that the dictionary tabulates for it by another value of the row.
    Why: Who leaves the item out is understood to mean the tabulated value, as the atomic mass of an element. Another
    value is legal, and may be better than the table, but can also have slipped into the row of another element.
    How to fix: Leave a value that was chosen; otherwise write the tabulated one, or leave the item out.
    Source: The dictionary in use, _enumeration.def_index_ids and _enumeration_defaults.
    """
    tabulated = dictionary.methods.tabulated
    given = [(item, column) for item, column in tables.items.values() if item.id.lower() in tabulated]
    if not given:
        which = "no value with a default by table" if tabulated else "the dictionary in use tabulates no defaults"
        raise NotApplicable(which)
    defaults = _Defaults(tables, dictionary)
    groups: dict[str, list[tuple[Item, Column, list[int]]]] = {}
    for item, column in given:
        rows = [row for row in range(min(len(column), MAX_ROWS)) if defaults.is_departed(item, column, row)]
        if rows:
            groups.setdefault(_set_of(item), []).append((item, column, rows))
    for found in groups.values():
        yield _problem(tables, defaults, found)
    say_beyond(max(len(column) for _, column in given), MAX_ROWS, "rows")


def _set_of(item: Item) -> str:
    """The coefficients of one series are one set: they are taken from one table together."""
    return re.sub(r"_([a-z]?\d*|(real|imag)_[a-z]+)$", "", item.id.lower())


def _problem(tables: Tables, defaults: "_Defaults", found: list[tuple[Item, Column, list[int]]]) -> Problem:
    item, column, rows = found[0]
    index = defaults.index(item, column, rows[0])
    return problem_of(
        (value_place(tables, other, values, row) for other, values, at in found for row in at),
        sum(len(at) for _, _, at in found),
        reference=item.id,
        name=column.name,
        value=column.text(rows[0])[:SHOWN],
        index=" ".join(index or ()),
        default=defaults.text(item, column, rows[0]),
    )


class _Defaults:
    """What the dictionary tabulates for the values of one block."""

    def __init__(self, tables: Tables, dictionary: Dictionary) -> None:
        self._tables = tables
        self._dictionary = dictionary
        self._joined: dict[tuple[str, str], dict[str, int]] = {}

    def is_departed(self, item: Item, column: Column, row: int) -> bool:
        """True if a value stands where the table has another, and the table could be asked."""
        if column.is_null[row]:
            return False
        default = self.text(item, column, row)
        return default is not None and not _are_same(item, column.text(row), default)

    def text(self, item: Item, column: Column, row: int) -> str | None:
        """The tabulated value of one row."""
        index = self.index(item, column, row)
        return None if index is None else self._dictionary.methods.tabulated[item.id.lower()].values.get(index)

    def index(self, item: Item, column: Column, row: int) -> tuple[str, ...] | None:
        """The values by which the default of one row is looked up; None where one is not known or in doubt itself."""
        texts = []
        for name in self._dictionary.methods.tabulated[item.id.lower()].index:
            other = self._dictionary.lookup(name)
            text = self._beside(other, item, column, row) if other is not None and other.id != item.id else None
            if text is None:
                return None
            texts.append(text)
        return tuple(texts)

    def _beside(self, other: Item, item: Item, column: Column, row: int) -> str | None:
        """The value of another item that belongs to a row: of the same loop, or of the row that its key leads to."""
        table = self._tables.table(other.category)
        values = table.column(other.object.lower())
        if values is not None and values.loop is column.loop:
            return self._sure(other, values, row)
        own = self._tables.table(item.category)
        for key in self._dictionary.key_items(item.category):
            keys = own.column(key.object.lower())
            if keys is None or keys.loop is not column.loop or keys.is_null[row]:
                continue
            if key.linked and key.linked.lower() == other.id.lower():
                return keys.text(row)
            parent = self._dictionary.lookup(key.linked) if key.linked else None
            if parent is not None and parent.category == other.category and values is not None:
                at = self._rows_by(parent).get(keys.text(row))
                return None if at is None or at >= len(values) else self._sure(other, values, at)
        return None

    def _sure(self, other: Item, values: Column, row: int) -> str | None:
        """The text of an index, unless it is null or departs from a table of its own."""
        if values.is_null[row]:
            return None
        is_tabulated = other.id.lower() in self._dictionary.methods.tabulated
        return None if is_tabulated and self.is_departed(other, values, row) else values.text(row)

    def _rows_by(self, key: Item) -> dict[str, int]:
        """The first row of each value of a key."""
        name = (key.category, key.object)
        if name not in self._joined:
            column = self._tables.table(key.category).column(key.object.lower())
            texts = [] if column is None else column.texts()
            rows: dict[str, int] = {}
            for row, text in enumerate(texts):
                rows.setdefault(text, row)
            self._joined[name] = rows
        return self._joined[name]


def _are_same(item: Item, text: str, default: str) -> bool:
    """True for the same text, or for numbers that agree within the digits of both and the uncertainty."""
    if not item.is_numeric:
        return text.casefold() == default.casefold() if item.is_caseless else text == default
    numbers = [parse_number(value.strip().encode("utf-8", "replace")) for value in (text, default)]
    if numbers[0] is None or numbers[1] is None:
        # What is no number is told by its type.
        return True
    is_counted = item.contents == "Integer"
    allowed = sum(0.0 if is_counted else last_digit_half(value) for value in (text, default))
    allowed += 3 * float(np.nan_to_num(numbers[0][1]))
    return abs(numbers[0][0] - numbers[1][0]) <= allowed * (1 + 1e-9)
