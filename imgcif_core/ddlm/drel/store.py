"""What the evaluation of methods needs of a block: the typed values that are stored in it."""

from typing import Any, Protocol

import numpy as np

from imgcif_core.ddlm.model import Item


class Store(Protocol):
    """The stored values of one data block, by category and item."""

    def rows(self, category: str) -> int:
        """The number of rows that a category has in the block."""
        ...

    def has(self, item: Item) -> bool:
        """True if the item is given, whatever its values."""
        ...

    def value(self, item: Item, row: int) -> Any:
        """The typed value of a row; MISSING for `?` and for what is not given, NULL for `.`."""
        ...

    def numbers(self, item: Item) -> tuple[np.ndarray, np.ndarray] | None:
        """All values as float64 and where they are numbers, None where the item is no column of numbers."""
        ...


def is_row_of_numbers(item: Item) -> bool:
    """True for items of one real or integer number a row."""
    return item.container == "Single" and item.contents in ("Real", "Integer", "Count", "Index")
