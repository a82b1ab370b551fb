"""What the parts of an evaluation know of each other: rows, values, and the world that holds them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from imgcif_core.ddlm.drel.budget import Budget, Limits
from imgcif_core.ddlm.drel.store import Store
from imgcif_core.ddlm.methods import Method, Methods
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.records import dataclass

STORED = "stored"
DERIVED = "derived"
DEFAULT = "default"
BY_METHOD = "default by method"
TABULATED = "tabulated default"
CREATED = "created"
UNKNOWN = "unknown"
Key = tuple[str, int]


class Packet:
    """A row of a category."""

    __slots__ = ("category", "row")

    def __init__(self, category: str, row: int) -> None:
        self.category = category
        self.row = row

    def is_same(self, other: "Packet | None") -> bool:
        """True if both are the same row."""
        return other is not None and self.row == other.row and self.category == other.category


@dataclass(frozen=True, slots=True)
class Value:
    """A value with the way by which it came: `inputs` are the items and rows that its method looked at."""

    value: Any
    how: str
    inputs: tuple[Key, ...] = ()


class Methodical(Protocol):
    """Methods with their nodes."""

    @property
    def methods(self) -> Methods:
        """The methods."""
        ...

    def nodes(self, method: Method) -> tuple[Any, ...]:
        """The statements of a method."""
        ...


class Context(Protocol):
    """The data of one block as methods see it."""

    @property
    def store(self) -> Store:
        """The stored values."""
        ...

    @property
    def dictionary(self) -> Dictionary:
        """What defines the items."""
        ...

    @property
    def program(self) -> Methodical:
        """The methods, parsed."""
        ...

    @property
    def limits(self) -> Limits:
        """How much a method may do."""
        ...

    def has_category(self, name: str) -> bool:
        """True if the dictionary has the category."""
        ...

    def resolve_item(self, category: str, name: str) -> Item | None:
        """The item that a name means in a row."""
        ...

    def function(self, name: str) -> Callable[..., Any] | None:
        """A function of the dictionary."""
        ...

    def row_count(self, category: str) -> int:
        """The rows of a category."""
        ...

    def created_rows(self, category: str) -> list[dict[str, Any]]:
        """The rows that the method of a category makes."""
        ...

    def row_for(self, category: str, packet: Packet | None) -> Any:
        """The row that a bare category means beside a row; the number of rows where it is not certain."""
        ...

    def find_row(self, category: str, keys: Sequence[Any]) -> Any:
        """The row with these key values."""
        ...

    def find_row_with(self, category: str, wanted: Sequence[tuple[str, Any]], budget: Budget, at: int) -> Any:
        """The first row with these values of items."""
        ...

    def row_in_group(self, packet: Packet, name: str) -> int:
        """The number of a row among those with the same other keys."""
        ...

    def new_id(self, packet: Packet, name: str) -> Any:
        """An identifier that no row has."""
        ...

    def fetch(self, item: Item, base: Packet, budget: Budget, at: int) -> Any:
        """An item of a row, or of the row of another category of its family."""
        ...

    def value(self, item: Item, row: int, budget: Budget | None = None) -> Value:
        """An item of a row with the way by which it came."""
        ...
