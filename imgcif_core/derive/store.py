"""The tables of a block as the store from which methods are evaluated."""

from typing import Any

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Quoting
from imgcif_core.ddlm.drel.typed import typed, typed_container
from imgcif_core.ddlm.drel.values import MISSING, NULL
from imgcif_core.ddlm.model import Item
from imgcif_core.tables import Tables


class TableStore:
    """The stored values of a block, typed when they are asked for."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def rows(self, category: str) -> int:
        """The number of rows that a category has in the block."""
        return self._tables.table(category).rows

    def has(self, item: Item) -> bool:
        """True if the item is given, whatever its values."""
        return self._column(item) is not None

    def _column(self, item: Item) -> Column | None:
        return self._tables.table(item.category).column(item.object.lower())

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
