"""Document x dictionary: the categories of one block as tables of columns."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Block, Loop, Place
from imgcif_core.ddlm.model import Category, Dictionary, Item
from imgcif_core.records import cached_property, dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of one category that stand in one loop, or un-looped in the block."""

    loop: Loop | None
    columns: dict[str, Column]

    @property
    def rows(self) -> int:
        """The number of rows; un-looped items are one row."""
        return max([len(column.starts) for column in self.columns.values()], default=0)


@dataclass(slots=True)
class Table:
    """One category of one block; columns by object name, aliases resolved.

    An absent category is an empty table with 0 rows, so that a rule need not ask first. `understood` holds
    what stands for items that are left out, where the rest of the block leaves one reading only.
    """

    block: Block
    category: Category
    parts: list[Part] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    rows: int = 0
    key_names: tuple[str, ...] = ()
    understood: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.rows > 0

    def has(self, name: str) -> bool:
        """True if the item is given, whatever its values."""
        return name in self.columns

    def column(self, name: str) -> Column | None:
        """The raw column of an object name such as `vector[1]`."""
        return self.columns.get(name)

    def explicit(self, name: str) -> np.ndarray:
        """Where a value is given and is neither `.` nor `?`: (rows,) bool."""
        column = self.columns.get(name)
        if column is None:
            return np.zeros(self.rows, dtype=bool)
        return ~column.is_null

    def texts(self, name: str, default: str | None = None) -> list[str | None]:
        """The decoded values, nulls and an absent column as `default`: rows long."""
        column = self.columns.get(name)
        if column is None:
            return [self.understood.get(name, default)] * self.rows
        few = column.few_values
        if few is not None:
            return list(few) if default is None else [default if value is None else value for value in few]
        values: list[str | None] = list(column.texts())
        for row in np.flatnonzero(column.is_null):
            values[row] = default
        return values

    def texts_at(self, name: str, rows: np.ndarray) -> list[str | None]:
        """The decoded values of some rows, nulls and an absent column as None: like rows."""
        column = self.columns.get(name)
        if column is None:
            return [self.understood.get(name)] * len(rows)
        values: list[str | None] = list(column.texts_at(rows))
        for place in np.flatnonzero(column.is_null[rows]).tolist():
            values[place] = None
        return values

    def text(self, name: str, row: int = 0, default: str | None = None) -> str | None:
        """One decoded value, or `default` where it is absent or null."""
        column = self.columns.get(name)
        if column is None:
            return self.understood.get(name, default)
        few = column.few_values
        if few is not None:
            value = few[row] if row < len(few) else None
            return default if value is None else value
        if row >= len(column) or column.is_null[row]:
            return default
        return column.text(row)

    def numbers(self, name: str, default: float = np.nan) -> np.ndarray:
        """The values as float64 (rows,); null, absent and unreadable ones as `default`."""
        column = self.columns.get(name)
        if column is None:
            absent = np.empty(self.rows)
            absent.fill(default)
            return absent
        numbers = column.numbers()
        # What is no number is nan among the values.
        return numbers.values.copy() if default != default else np.where(numbers.valid, numbers.values, default)

    def key(self, row: int) -> dict[str, str]:
        """The values of the key items of a row, by object name."""
        values = [(name, self.text(name, row)) for name in self.key_names]
        return {name: value for name, value in values if value is not None}

    def at(self, row: int, name: str | None = None) -> Place:
        """The place of a value, or of the row where that item is absent."""
        column = self.columns.get(name) if name else None
        item = column.name if column is not None else None
        if column is None:
            column = self._anchor()
        if name and item is None:
            item = f"_{self.category.name}.{name}"
        start, end = (0, 0) if column is None else (int(column.starts[row]), int(column.ends[row]))
        return Place(
            column.source if column is not None else None,
            start,
            end,
            self.block.name,
            self.category.name,
            item,
            self.key(row),
        )

    def at_top(self) -> Place:
        """The place of the first data name of the category in the file."""
        column = self._anchor()
        if column is None:
            return Place(None, 0, 0, self.block.name, self.category.name, None, {})
        return Place(
            column.source,
            column.name_start,
            column.name_end,
            self.block.name,
            self.category.name,
            None,
            {},
        )

    def _anchor(self) -> Column | None:
        """The column that stands for a row: a key if there is one, else the first."""
        for name in self.key_names:
            column = self.columns.get(name)
            if column is not None:
                return column
        return next(iter(self.columns.values()), None)


_OF_ARRAYS = (
    "array_structure",
    "array_structure_list",
    "array_structure_list_section",
    "array_element_size",
    "array_intensities",
    "array_data",
    "diffrn_data_frame",
)


_Kept = TypeVar("_Kept", bound=Callable[..., Any])


def kept(function: _Kept) -> _Kept:
    """Make a function keep with the tables what it made of them and of its other arguments; nobody may change it."""

    @wraps(function)
    def found(tables: "Tables", *others: Any) -> Any:
        key = (function, *map(id, others))
        entry = tables.derived.get(key)
        if entry is None:
            before, tables.asked = tables.asked, set()
            try:
                value = function(tables, *others)
            finally:
                own, tables.asked = tables.asked, before
                before |= own
            # The arguments are kept too, so that no other object comes to their place.
            entry = tables.derived[key] = (value, own, others)
        else:
            tables.asked |= entry[1]
        return entry[0]

    return cast(_Kept, found)


class Tables:
    """The categories of one block, by lower-case name."""

    def __init__(self, block: Block, dictionary: Dictionary) -> None:
        self.block = block
        self.dictionary = dictionary
        self.file: Sequence[Tables] = (self,)
        self.unknown: list[Column] = []
        self.items: dict[str, tuple[Item, Column]] = {}
        # The categories that were asked for; the engine empties it to see what a rule rests on.
        self.asked: set[str] = set()
        # The other blocks of the data set, once somebody has looked for them.
        self.peers: list[Tables] | None = None
        # The columns that links lead to by the item that they hold, here and in those blocks.
        self.parents: dict[str, tuple[list[Column], list[Column]]] = {}
        # What was made of them, see `kept`: the value, the categories that it rests on, and what else it was made of.
        self.derived: dict[Any, tuple[Any, set[str], tuple[Any, ...]]] = {}
        self._tables: dict[str, Table] = {}
        self._found: dict[str, Table] = {}
        self._sort_columns()

    @property
    def others(self) -> Iterator["Tables"]:
        """The tables of the other blocks of the file."""
        return (tables for tables in self.file if tables is not self)

    @property
    def present(self) -> list[Table]:
        """The tables that the block holds, in the order of the file."""
        return list(self._tables.values())

    @cached_property
    def data_set(self) -> str | None:
        """The id of the data set to which the block says that it belongs."""
        table = self._tables.get("audit_dataset")
        return table.text("id") if table is not None else None

    @cached_property
    def by_item(self) -> dict[str, list[Column]]:
        """The columns by the item that they hold, under whichever of its names."""
        found: dict[str, list[Column]] = {}
        for item, column in self.items.values():
            found.setdefault(item.id, []).append(column)
        return found

    def holds(self, category: str) -> bool:
        """True if the block has rows of a category, given in lower case; unlike `table` this is not noted."""
        found = self._tables.get(category)
        return found is not None and found.rows > 0

    def table(self, category: str) -> Table:
        """The table of a category; empty when the block does not hold it."""
        name = category.lower()
        self.asked.add(name)
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._tables.get(name) or self._empty(name)
        return found

    def _empty(self, name: str) -> Table:
        """The table of a category without rows."""
        facts = self.dictionary.category(name) or Category.unknown(name)
        return Table(self.block, facts, key_names=self.dictionary.key_names(facts))

    def _sort_columns(self) -> None:
        """Give each column to its category, canonical names before aliases."""
        parts: dict[str, dict[int, Part]] = {}
        for name, column in self.block.columns.items():
            item = self.dictionary.lookup(name)
            if item is None:
                self.unknown.append(column)
                continue
            self.items[name] = (item, column)
            category, key = item.category.lower(), item.object.lower()
            loop = 0 if column.loop is None else id(column.loop)
            by_loop = parts.get(category)
            if by_loop is None:
                by_loop = parts[category] = {}
            part = by_loop.get(loop)
            if part is None:
                part = by_loop[loop] = Part(column.loop, {})
            if key not in part.columns or item.id.lower() == name:
                part.columns[key] = column
        for category, by_loop in parts.items():
            facts = self.dictionary.category(category) or Category.unknown(category)
            keys = self.dictionary.key_names(facts)
            self._tables[category] = _join(Table(self.block, facts, list(by_loop.values()), key_names=keys))
        self._understand_arrays()

    def _understand_arrays(self) -> None:
        """Where all tables that name an array name the same one, it stands for the id that others leave out."""
        tables = [self._tables[name] for name in _OF_ARRAYS if name in self._tables]
        named = [
            (table, table.column("id" if table.category.name == "array_structure" else "array_id")) for table in tables
        ]
        columns = [column for _, column in named if column is not None and len(column)]
        if not columns or len(columns) == len(tables):
            return
        ids = {column.text(0) for column in columns if column.is_constant and not column.is_null[0]}
        if len(ids) != 1 or ids == {"1"} or not all(column.is_constant for column in columns):
            return
        for table, column in named:
            if column is None and table.category.name != "array_structure":
                table.understood["array_id"] = next(iter(ids))


def _join(table: Table) -> Table:
    """Take the longest part, and join to it the parts whose rows can only be the same rows."""
    main = table.parts[0] if len(table.parts) == 1 else max(table.parts, key=lambda part: part.rows)
    table.rows = main.rows
    table.columns = dict(main.columns)
    for part in table.parts if len(table.parts) > 1 else ():
        if part is not main and part.rows == main.rows and _same_keys(table, main, part):
            for name, column in part.columns.items():
                table.columns.setdefault(name, column)
    return table


def _same_keys(table: Table, main: Part, part: Part) -> bool:
    """True if the key columns that both parts have hold the same values in the same order."""
    if main.rows == 1:
        return True
    shared = [name for name in table.key_names if name in main.columns and name in part.columns]
    return bool(shared) and all(np.array_equal(main.columns[name].hashes, part.columns[name].hashes) for name in shared)
