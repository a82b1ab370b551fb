"""The tables of a block as the store from which methods are evaluated, with those of the rest of its data set."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Quoting
from imgcif_core.ddlm.drel.typed import typed, typed_container
from imgcif_core.ddlm.drel.values import MISSING, NULL
from imgcif_core.ddlm.model import Item
from imgcif_core.tables import Table, Tables

_DATA_SET = "audit_dataset"
MAX_BLOCKS = 200


class TableStore:
    """The stored values of a block, typed when they are asked for.

    A category that the block does not hold is looked up in the other blocks of the file that carry one of its
    `_audit_dataset.id`: where only one of them holds it, or all that hold it say the same.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._others: list[Tables] | None = None
        self._homes: dict[str, Table] = {}

    def _table(self, category: str) -> Table:
        """The table of a category, in the block or elsewhere in its data set."""
        found = self._homes.get(category)
        if found is None:
            own = self._tables.table(category)
            found = self._homes[category] = own if own or category.lower() == _DATA_SET else self._elsewhere(own)
        return found

    def _elsewhere(self, own: Table) -> Table:
        """The table in the rest of the data set, or the empty one of the block."""
        if self._others is None:
            self._others = list(_data_set(self._tables))
        found = [table for tables in self._others if (table := tables.table(own.category.name))]
        return found[0] if found and all(_says_the_same(found[0], table) for table in found[1:]) else own

    def block_of(self, category: str) -> str | None:
        """The name of the block that holds a category in place of the own one, None where the own one does."""
        table = self._table(category)
        return table.block.name if table and table.block is not self._tables.block else None

    def rows(self, category: str) -> int:
        """The number of rows that a category has."""
        return self._table(category).rows

    def has(self, item: Item) -> bool:
        """True if the item is given, whatever its values."""
        return self._column(item) is not None

    def _column(self, item: Item) -> Column | None:
        return self._table(item.category).column(item.object.lower())

    def value(self, item: Item, row: int) -> Any:
        """The typed value of a row; MISSING for `?` and for what is not given, NULL for `.`."""
        column = self._column(item)
        if column is None or row >= len(column):
            return MISSING
        if column.is_null[row]:
            return NULL if column.is_inapplicable[row] else MISSING
        is_container = column.quoting_of(row) in (Quoting.LIST, Quoting.TABLE)
        if is_container != (item.container != "Single"):
            # What is not of the item's type is told by DIC008; to a method it is not known.
            return MISSING
        if is_container:
            return typed_container(item, column.value(row))
        return typed(item, column.text(row))

    def numbers(self, item: Item) -> tuple[np.ndarray, np.ndarray] | None:
        """All values as float64 and where they are numbers."""
        column = self._column(item)
        if column is None:
            return None
        numbers = column.numbers()
        return numbers.values, numbers.valid


def _data_set(tables: Tables) -> Iterator[Tables]:
    """The other blocks of the file that carry one of the data set ids of a block."""
    own = _ids(tables)
    if not own:
        return
    for count, other in enumerate(tables.others):
        if count >= MAX_BLOCKS:
            return
        if not own.isdisjoint(_ids(other)):
            yield other


def _ids(tables: Tables) -> set[str]:
    """The ids of the data sets to which a block says that it belongs."""
    return {text for text in tables.table(_DATA_SET).texts("id") if text is not None}


def _says_the_same(one: Table, other: Table) -> bool:
    """True if two tables hold the same items with the same values in the same order."""
    if one.rows != other.rows or one.columns.keys() != other.columns.keys():
        return False
    return all(np.array_equal(one.columns[name].hashes, other.columns[name].hashes) for name in one.columns)
