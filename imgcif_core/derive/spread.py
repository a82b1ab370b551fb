"""How far a derived value may move within the uncertainties and the digits of what it is derived from."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from imgcif_core.cif.containers import Cell
from imgcif_core.ddlm.drel.context import DERIVED
from imgcif_core.ddlm.drel.typed import typed_container
from imgcif_core.ddlm.drel.values import array_of, is_nothing, plain
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.model import Item
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

DRAWS = 10
# Of a normal distribution 0.3 % lie outside, of rounding nothing does.
WIDTHS = 3.0


# Half a unit of the last digit, and the standard uncertainty, of the text of a number.
Tolerance = Callable[[str], tuple[float, float]]


class ShakenStore(TableStore):
    """A store whose real numbers are moved at random within their digits and uncertainties."""

    def __init__(self, tables: Tables, seed: int, tolerance: Tolerance) -> None:
        super().__init__(tables)
        self._tolerance = tolerance
        self._random = np.random.default_rng(seed)
        self._moved: dict[tuple[str, int], Any] = {}

    def value(self, item: Item, row: int) -> Any:
        """The typed value of a row, moved."""
        key = (item.id, row)
        if key not in self._moved:
            self._moved[key] = self._move(item, row)
        return self._moved[key]

    def _move(self, item: Item, row: int) -> Any:
        value = super().value(item, row)
        column = self._column(item)
        if column is None or is_nothing(value) or item.contents != "Real":
            return value
        if isinstance(value, (float, int)):
            return value + self._shift(column.text(row))
        found = column.value(row)
        if isinstance(found, list):
            shifts = typed_container(item, found)
            return _added(shifts, _nested(found, self._shift))
        return value

    def _shift(self, text: str) -> float:
        half, uncertainty = self._tolerance(text)
        return float(half * self._random.uniform(-1, 1) + uncertainty * self._random.normal())

    def numbers(self, item: Item) -> tuple[np.ndarray, np.ndarray] | None:
        """Nothing: each value is moved by itself."""
        return None


def _nested(found: Any, shift: Any) -> Any:
    """The shifts of the numbers of a nested list."""
    if isinstance(found, list):
        return [_nested(entry, shift) for entry in found]
    return shift(found.text) if isinstance(found, Cell) else 0.0


def _added(values: Any, shifts: Any) -> Any:
    """A list or matrix with its shifts added; as it was where an element is missing."""
    array = array_of(values)
    return values if is_nothing(array) else array + np.array(shifts)


class Spread:
    """Root mean squares of derived values over draws; the draws are shared by all items of a block."""

    def __init__(self, world: World, tables: Tables, tolerance: Tolerance) -> None:
        stores = [ShakenStore(tables, seed, tolerance) for seed in range(DRAWS)]
        self._worlds = [World(store, world.dictionary, world.program, world.limits) for store in stores]

    def of(self, item: Item, row: int, centre: Any) -> np.ndarray:
        """How far the value of a row may be off, in the shape of the value."""
        middle = np.asarray(plain(centre))
        squares = [np.abs(np.asarray(value) - middle) ** 2 for value in self._values(item, row, middle.shape)]
        return WIDTHS * np.sqrt(np.mean(squares, axis=0)) if squares else np.full(middle.shape, np.inf)

    def _values(self, item: Item, row: int, shape: tuple[int, ...]) -> Iterable[Any]:
        for world in self._worlds:
            value = world.evaluate(item, row)
            if value.how == DERIVED and np.shape(plain(value.value)) == shape:
                yield plain(value.value)
