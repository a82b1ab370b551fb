"""One run of a method: its variables, its row, what it has assigned, and how names are found."""

from typing import Any

from imgcif_core.ddlm.drel.budget import Budget
from imgcif_core.ddlm.drel.builtins import CONSTANTS
from imgcif_core.ddlm.drel.context import Context, Packet
from imgcif_core.ddlm.drel.errors import MethodError, UndefinedName
from imgcif_core.ddlm.drel.values import MISSING, describe, is_nothing
from imgcif_core.ddlm.model import Item

# Categories of attributes that a Definition method may set.
ATTRIBUTE_CATEGORIES = frozenset({"units", "enumeration", "type"})
_NOTHING = object()


class Frame:
    """The state of one run of a method."""

    __slots__ = (
        "attributes",
        "budget",
        "is_empty",
        "item",
        "messages",
        "packet",
        "records",
        "result",
        "rows",
        "variables",
        "world",
    )

    def __init__(self, world: Context, budget: Budget, item: Item | None, packet: Packet | None) -> None:
        self.world = world
        self.budget = budget
        self.item = item
        self.packet = packet
        self.variables: dict[str, Any] = {}
        self.records: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.rows: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[tuple[str, int]] = []
        self.result: Any = _NOTHING
        # True once a loop went over a category of which the block says nothing.
        self.is_empty = False

    @property
    def has_result(self) -> bool:
        """True if the method has assigned its item."""
        return self.result is not _NOTHING

    def resolve(self, name: str, at: int) -> Any:
        """What a name stands for that is no variable: a constant, or the row of a category."""
        constant = CONSTANTS.get(name.lower(), _NOTHING)
        if constant is not _NOTHING:
            return constant
        if self.world.has_category(name):
            return self.row_of(name, at)
        raise UndefinedName(f"{name} is no variable, category or constant", at)

    def row_of(self, category: str, at: int) -> Any:
        """The row of a category that a bare name means here; MISSING where there is none."""
        found = self.world.row_for(category.lower(), self.packet)
        if isinstance(found, int):
            message = f"{category} has {found} rows, and nothing tells which one is meant"
            raise MethodError(message, at)
        return found

    def attribute(self, base: Any, name: str, at: int) -> Any:
        """An item of a row."""
        if is_nothing(base):
            return MISSING
        if not isinstance(base, Packet):
            raise MethodError(f"{describe(base)} has no item {name}", at)
        item = self.world.resolve_item(base.category, name)
        if item is None:
            raise UndefinedName(f"{base.category} has no item {name}", at)
        if self.result is not _NOTHING and item is self.item and base.is_same(self.packet):
            return self.result
        return self.world.fetch(item, base, self.budget, at)

    def named_attribute(self, base: str, name: str, at: int) -> Any:
        """An item of what a name stands for: a variable, a record of the method's own, or a category."""
        value = self.variables.get(base, _NOTHING)
        if value is _NOTHING:
            value = self.records.get(f"{base}.{name}".lower(), _NOTHING)
            if value is not _NOTHING:
                return value
            value = self._row_of_item(base, name, at)
        return self.attribute(value, name, at)

    def _row_of_item(self, base: str, name: str, at: int) -> Any:
        """The row for `category.item`; an alias may name an item of another category."""
        if not self.world.has_category(base):
            item = self.world.dictionary.lookup(f"_{base}.{name}")
            if item is None:
                raise UndefinedName(f"{base} is no variable and no category", at)
            return self.row_of(item.category, at)
        return self.row_of(base, at)

    def assign_attribute(self, base: str, name: str, value: Any, at: int) -> None:
        """Give a value to an item, to an attribute of the definition, or to a record of the method's own."""
        holder = self.variables.get(base, _NOTHING)
        if isinstance(holder, Packet):
            category: str = holder.category
        elif holder is not _NOTHING:
            raise MethodError(f"{describe(holder)} has no item {name}", at)
        else:
            category = base.lower()
        if holder is _NOTHING and category in ATTRIBUTE_CATEGORIES and not self.world.has_category(category):
            self.attributes[f"_{category}.{name}".lower()] = value
            return
        item = self.world.resolve_item(category, name)
        if item is None and holder is _NOTHING and not self.world.has_category(category):
            self.records[f"{base}.{name}".lower()] = value
            return
        if item is not None and item is self.item and (holder is _NOTHING or holder.is_same(self.packet)):
            self.result = value
            return
        wanted = self.item.id if self.item is not None else "rows"
        raise MethodError(f"assigns _{category}.{name}, but the method is that of {wanted}", at)
