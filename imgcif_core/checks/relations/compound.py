"""Keys and references of several columns, compared as their types demand."""

from collections.abc import Hashable, Iterator

import numpy as np

from imgcif_core.arrays import Integers
from imgcif_core.checks.registry import Problem
from imgcif_core.cif.columns import Column
from imgcif_core.cif.values import fold, parse_number
from imgcif_core.ddlm.model import NUMERIC, Dictionary, Item
from imgcif_core.ddlm.types import complex_of
from imgcif_core.model.joins import combined, filled_hashes
from imgcif_core.tables import Table, Tables

# Keys told one by one; the first of them counts for the rest.
_SHOWN = 50
_COMPOSED = ("Imag", "Complex")


def typed_hashes(table: Table, item: Item, default: str | None) -> np.ndarray:
    """Hashes of a column, equal for equal values of the type: 1 and 01 as integers, A and a as codes."""
    hashes = filled_hashes(table, item.object.lower(), default, fold=item.is_caseless)
    column = table.column(item.object.lower())
    if item.contents not in NUMERIC or column is None or (column.counting is not None and default is None):
        return hashes
    if item.contents in _COMPOSED:
        return _composed_hashes(column, hashes)
    stand_in = parse_number(default.encode()) if default is not None else None
    return numeric_hashes(column, hashes, stand_in[0] if stand_in else None)


def typed_value(table: Table, item: Item, row: int, default: str) -> Hashable:
    """One value as its type compares it: equal values are those that `typed_hashes` hashes alike."""
    text = table.text(item.object.lower(), row, default) or ""
    if item.contents in _COMPOSED:
        composed = complex_of(text)
        return text if composed is None else composed
    if item.contents in NUMERIC:
        number = parse_number(text.encode())
        return text if number is None else number[0]
    return fold(text) if item.is_caseless else text


def numeric_hashes(column: Column, hashes: np.ndarray, stand_in: float | None = None) -> np.ndarray:
    """Hashes by number where a value is one, the given ones elsewhere: (rows,) uint64."""
    numbers = column.numbers()
    values, valid = numbers.values, numbers.valid
    if stand_in is not None:
        values = np.where(column.is_null, stand_in, values)
        valid = valid | column.is_null
    # Adding 0.0 makes one zero of the two.
    return np.where(valid, (values + 0.0).view(np.uint64), hashes)


def _composed_hashes(column: Column, hashes: np.ndarray) -> np.ndarray:
    """Hashes by the parts of imaginary and complex numbers, the given ones elsewhere: (rows,) uint64."""
    first, inverse = column.distinct()
    result = hashes.copy()
    for index, row in enumerate(first):
        number = None if column.is_null[row] else complex_of(column.text(int(row)))
        if number is not None:
            parts = np.array([[number.real + 0.0], [number.imag + 0.0]]).view(np.uint64)
            result[inverse == index] = combined(list(parts))
    return result


def is_distinct(table: Table, item: Item) -> bool:
    """True if one key column alone is seen to tell all rows apart."""
    column = table.column(item.object.lower())
    if column is None or item.is_caseless or column.has_nulls or not column.is_all_distinct:
        return False
    return item.contents not in NUMERIC or column.counting is not None


def equal_as_numbers(item: Item, column: Column, rows: Integers, parents: list[Column]) -> Integers:
    """Of some rows, those whose number a parent column holds in another spelling: (n,) int64."""
    if item.contents not in NUMERIC or not len(rows):
        return np.zeros(0, dtype=np.int64)
    if item.contents in _COMPOSED:
        held = {complex_of(text) for parent in parents for text in parent.texts()} - {None}
        return np.array([row for row in rows if complex_of(column.text(int(row))) in held], dtype=np.int64)
    known = [parent.numbers() for parent in parents]
    pool = np.concatenate([numbers.values[numbers.valid] for numbers in known]) if known else np.zeros(0)
    numbers = column.numbers()
    return rows[numbers.valid[rows] & np.isin(numbers.values[rows], pool)]


def compound_links(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """Rows whose references to several key items of one table do not meet in one of its rows."""
    for table in tables.present:
        for parent, links in _links_by_parent(table, dictionary).items():
            target = tables.table(parent)
            if target and len(links) > 1:
                yield from _not_met(table, target, links)


def _links_by_parent(table: Table, dictionary: Dictionary) -> dict[str, list[tuple[Item, Item]]]:
    """Child and parent items of the links to keys, by the category that they lead to; each key once."""
    found: dict[str, list[tuple[Item, Item]]] = {}
    for name in table.columns:
        item = dictionary.lookup(f"_{table.category.id}.{name}")
        parent = dictionary.lookup(item.linked) if item is not None and item.is_link and item.linked else None
        if item is not None and parent is not None and parent.is_key and parent.category != table.category.id:
            found.setdefault(parent.category, []).append((item, parent))
    return {
        category: links
        for category, links in found.items()
        if len({parent.id for _, parent in links}) == len(links) > 1
    }


def _not_met(table: Table, target: Table, links: list[tuple[Item, Item]]) -> Iterator[Problem]:
    """The rows of a table that no row of the target matches in all columns, though each alone is there."""
    defaults = [item.default or parent.default for item, parent in links]
    used = [typed_hashes(table, item, default) for (item, _), default in zip(links, defaults, strict=True)]
    held = [typed_hashes(target, parent, parent.default) for _, parent in links]
    alone = np.ones(table.rows, dtype=bool)
    for (item, _), default, own, known in zip(links, defaults, used, held, strict=True):
        column = table.column(item.object.lower())
        alone &= np.isin(own, known)
        if default is None and column is not None:
            alone &= ~column.is_null
    rows = np.flatnonzero(alone & ~np.isin(combined(used), combined(held)))
    for row in rows[:_SHOWN]:
        values = [
            f"{item.object} {table.text(item.object.lower(), int(row), default) or '.'}"
            for (item, _), default in zip(links, defaults, strict=True)
        ]
        yield Problem(
            table.at(int(row), links[-1][0].object.lower()),
            variant="compound",
            reference=links[-1][0].id,
            count=1 if row != rows[0] else 1 + max(0, len(rows) - _SHOWN),
            key=", ".join(values),
            parent=target.category.name.upper(),
        )
