"""The data of one block as methods see it: rows, keys, and values that are stored, derived or understood."""

from collections.abc import Callable, Sequence
from typing import Any

from imgcif_core.ddlm.drel.budget import Budget, Limits
from imgcif_core.ddlm.drel.columns import ColumnMaker
from imgcif_core.ddlm.drel.context import (
    BY_METHOD,
    CREATED,
    DEFAULT,
    DERIVED,
    STORED,
    TABULATED,
    UNKNOWN,
    Key,
    Packet,
    Value,
)
from imgcif_core.ddlm.drel.errors import BudgetExceeded, MethodError, OperationError, Undecided, position
from imgcif_core.ddlm.drel.frame import Frame
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.relations import Relations
from imgcif_core.ddlm.drel.store import Store
from imgcif_core.ddlm.drel.typed import conform, typed
from imgcif_core.ddlm.drel.values import MISSING, NULL, equal, is_nothing, plain
from imgcif_core.ddlm.methods import Method
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong in a method, with the place inside it."""

    method: Method
    kind: str
    message: str
    line: int
    column: int
    row: int = 0

    @property
    def file_line(self) -> int:
        """The line of the dictionary's file."""
        return self.method.line + self.line - 1


@dataclass(slots=True)
class _Step:
    """A value in the making: what it looked at, and how far down the stack a circle reaches."""

    key: Key
    inputs: dict[Key, None] = field(default_factory=dict)
    circle: int = 1 << 30


class World:
    """Evaluates the methods of a dictionary on the stored values of a block, and remembers what came out."""

    def __init__(self, store: Store, dictionary: Dictionary, program: Program, limits: Limits | None = None) -> None:
        self.store = store
        self.dictionary = dictionary
        self.program = program
        self.limits = limits or Limits()
        self.relations = Relations(self)
        self.troubles: list[Trouble] = []
        self.messages: list[Trouble] = []
        self._final = program.started + self.limits.total_seconds
        self._known: dict[Key, Value] = {}
        self._created: dict[str, list[dict[str, Any]]] = {}
        self._asked: set[str] = set()
        self._stopped: set[str] = set()
        self._steps: list[_Step] = []
        self._open: dict[Key, int] = {}
        self._columns = ColumnMaker(self)

    # Names.

    def has_category(self, name: str) -> bool:
        """True if the dictionary has the category."""
        return self.dictionary.category(name) is not None

    def resolve_item(self, category: str, name: str) -> Item | None:
        """The item that a name means in a row: of the category, its parents or its children."""
        return self.relations.item(category, name)

    def function(self, name: str) -> Callable[..., Any] | None:
        """A function of the dictionary."""
        return self.program.function(name)

    # Rows.

    def row_count(self, category: str) -> int:
        """The rows of a category: stored, or made by its method, or those of its parent."""
        return self.relations.rows(category)

    def row_for(self, category: str, packet: Packet | None) -> "Packet | int | Any":
        """The row that a bare category means beside a row; the number of rows where it is not certain."""
        return self.relations.row_for(category, packet)

    def find_row(self, category: str, keys: Sequence[Any]) -> Any:
        """The row with these key values, MISSING where there is none."""
        return self.relations.find(category, keys)

    def find_row_with(self, category: str, wanted: Sequence[tuple[str, Any]], budget: Budget, at: int) -> Any:
        """The first row with these values of items, MISSING where there is none."""
        names = []
        for name, value in wanted:
            item = self.resolve_item(category, name)
            if item is None:
                raise MethodError(f"{category} has no item {name}", at)
            names.append((item, value))
        budget.spend(len(names), at)
        return self.relations.find_with(category, names)

    def created_rows(self, category: str) -> list[dict[str, Any]]:
        """The rows that the method of a category makes, run once, where the block has none."""
        if category not in self._asked:
            self._asked.add(category)
            for method in self.program.methods.of(category, "Evaluation"):
                frame = self._run(method, None, None, None)
                if frame is not None:
                    rows = [values for name, values in frame.rows if name == category]
                    self._created[category] = [self._renamed(category, values) for values in rows]
        return self._created.get(category, [])

    def _renamed(self, category: str, values: dict[str, Any]) -> dict[str, Any]:
        """Values of a new row by the object names of their items."""
        renamed = {}
        for name, value in values.items():
            item = self.dictionary.lookup(f"_{category}.{name}")
            renamed[item.object.lower() if item is not None else name] = plain(value)
        return renamed

    def row_in_group(self, packet: Packet, name: str) -> int:
        """The 0-based number of a row among those with the same other keys."""
        item = self.resolve_item(packet.category, name)
        others = [key for key in self.dictionary.key_items(packet.category) if item is None or key.id != item.id]
        others = [key for key in others if self.store.has(key)]
        if not others:
            return packet.row
        own = [self.store.value(key, packet.row) for key in others]
        before = range(packet.row)
        return sum(
            all(equal(self.store.value(key, row), value) is True for key, value in zip(others, own, strict=True))
            for row in before
        )

    def new_id(self, packet: Packet, name: str) -> Any:
        """An identifier that no row has; missing where some rows, or rows that link to them, have theirs."""
        item = self.resolve_item(packet.category, name)
        if item is None or self.store.has(item):
            return MISSING
        if any(self.store.has(child) for child in self.dictionary.children_links(item.id)):
            return MISSING
        return str(packet.row + 1)

    # Values.

    def fetch(self, item: Item, base: Packet, budget: Budget, at: int) -> Any:
        """An item of a row, or of the row of another category of its family."""
        row = base.row if item.category == base.category else self.relations.same_row(item.category, base)
        if row is None:
            return MISSING
        budget.spend(1, at)
        return self.value(item, row, budget).value

    def value(self, item: Item, row: int, budget: Budget | None = None) -> Value:
        """An item of a row with the way by which it came; MISSING where it cannot be had."""
        key = (item.id, row)
        if self._steps:
            self._steps[-1].inputs[key] = None
        known = self._known.get(key)
        if known is not None:
            return known
        found = self._stored(item, row)
        if found is None:
            column = self._columns.value(item, row) if not self._steps else None
            found = column if column is not None else self._derived(item, row, budget)
            return found
        self._known[key] = found
        return found

    def _stored(self, item: Item, row: int) -> Value | None:
        """The value that the block or a created row holds; `.` stands for the default where there is one."""
        stored = self.store.rows(item.category)
        if row < stored:
            value = self.store.value(item, row)
        else:
            value = self.relations.extra(item, row - stored)
            if value is not MISSING:
                return Value(self._conformed(item, value), CREATED)
        if value is NULL:
            default = self._static_default(item)
            return Value(NULL if default is None else default.value, STORED)
        return None if value is MISSING else Value(value, STORED)

    def _conformed(self, item: Item, value: Any) -> Any:
        try:
            return conform(item, value)
        except OperationError:
            return value

    def _derived(self, item: Item, row: int, budget: Budget | None) -> Value:
        """The value by a method, by a default or by a table, remembered unless it hangs on a circle."""
        key = (item.id, row)
        if key in self._open:
            reach = self._open[key]
            for step in self._steps[reach + 1 :]:
                step.circle = min(step.circle, reach)
            return Value(MISSING, UNKNOWN)
        step = _Step(key)
        depth = len(self._steps)
        self._open[key] = depth
        self._steps.append(step)
        try:
            found = self._worked_out(item, row, budget)
        finally:
            self._steps.pop()
            del self._open[key]
        if step.circle >= depth or not is_nothing(found.value):
            self._known[key] = found
        return found

    def _worked_out(self, item: Item, row: int, budget: Budget | None) -> Value:
        value, inputs = self._evaluated(item, row, "Evaluation", budget)
        if value is not MISSING:
            return Value(value, DERIVED, inputs)
        default = self._default_by_method(item, row, budget)
        if default is not None:
            return default
        default = self._static_default(item) or self._tabulated(item, row) or self._implied(item, row)
        return default or Value(MISSING, UNKNOWN, inputs)

    def _implied(self, item: Item, row: int) -> Value | None:
        """The value of the item of the same row that stands for this one where it is left out."""
        other = self.dictionary.lookup(item.implied) if item.implied else None
        if other is None or other.category != item.category:
            return None
        value = self.value(other, row)
        return None if is_nothing(value.value) else Value(value.value, DEFAULT, ((other.id, row),))

    def _evaluated(self, item: Item, row: int, purpose: str, budget: Budget | None) -> tuple[Any, tuple[Key, ...]]:
        """The result of the method of an item in a row, and what it looked at."""
        for method in self.program.methods.of(item.id, purpose):
            before = set(self._steps[-1].inputs) if self._steps else set()
            frame = self._run(method, item, Packet(item.category, row), budget)
            inputs = tuple(key for key in self._steps[-1].inputs if key not in before) if self._steps else ()
            # A sum over a category of which the block says nothing is not known.
            if frame is not None and frame.has_result and not frame.is_empty:
                try:
                    return conform(item, frame.result), inputs
                except OperationError as error:
                    self._trouble(method, MethodError(str(error), 0), row)
            return MISSING, inputs
        return MISSING, ()

    def attributes(self, item: Item, row: int, budget: Budget | None = None) -> dict[str, Any]:
        """What the Definition method of an item gives in a row: `_units.code`, `_enumeration.default` and others."""
        found: dict[str, Any] = {}
        for method in self.program.methods.of(item.id, "Definition"):
            frame = self._run(method, item, Packet(item.category, row), budget)
            if frame is not None:
                found.update({name: plain(value) for name, value in frame.attributes.items() if not is_nothing(value)})
        return found

    def _default_by_method(self, item: Item, row: int, budget: Budget | None) -> Value | None:
        if not self.program.methods.of(item.id, "Definition"):
            return None
        default = self.attributes(item, row, budget).get("_enumeration.default")
        if default is None:
            return None
        inputs = tuple(self._steps[-1].inputs) if self._steps else ()
        return Value(self._conformed(item, default), BY_METHOD, inputs)

    def _static_default(self, item: Item) -> Value | None:
        if item.default is None or item.default in (".", "?"):
            return None
        return Value(typed(item, item.default), DEFAULT)

    def _tabulated(self, item: Item, row: int) -> Value | None:
        """The default that the dictionary tabulates by other items of the row."""
        table = self.program.methods.tabulated.get(item.id.lower())
        if table is None:
            return None
        base = Packet(item.category, row)
        texts = []
        for name in table.index:
            other = self.dictionary.lookup(name)
            if other is None:
                return None
            place = row if other.category == item.category else self.relations.same_row(other.category, base)
            value = MISSING if place is None else self.value(other, place).value
            if is_nothing(value):
                return None
            texts.append(str(value))
        text = table.values.get(tuple(texts))
        if text is None:
            return None
        inputs = tuple(self._steps[-1].inputs) if self._steps else ()
        return Value(typed(item, text), TABULATED, inputs)

    def evaluate(self, item: Item, row: int) -> Value:
        """What the Evaluation method of an item gives in a row, whatever is stored there."""
        step = _Step((item.id, row))
        self._steps.append(step)
        self._open[step.key] = len(self._steps) - 1
        try:
            value, inputs = self._evaluated(item, row, "Evaluation", None)
        finally:
            self._steps.pop()
            del self._open[step.key]
        return Value(value, UNKNOWN if value is MISSING else DERIVED, inputs)

    # Runs.

    def validate(self, method: Method, item: Item | None, row: int) -> Frame | None:
        """Run a Validation method in a row; None where it cannot be decided or stopped on a trouble."""
        packet = Packet(item.category, row) if item is not None else None
        self._steps.append(_Step((method.id, row)))
        try:
            return self._run(method, item, packet, None)
        finally:
            self._steps.pop()

    def _run(self, method: Method, item: Item | None, packet: Packet | None, budget: Budget | None) -> Frame | None:
        """The frame after a run, None where the method stopped; what stopped it is kept as a trouble."""
        if method.text in self._stopped:
            return None
        budget = budget or Budget(self.limits, self._final)
        row = packet.row if packet is not None else 0
        frame = Frame(self, budget, item, packet)
        budget.depth += 1
        try:
            if budget.depth > self.limits.depth:
                raise MethodError(f"methods call each other {budget.depth} deep (budget of depth)", 0)
            self.program.run(method)(frame)
        except Undecided:
            return None
        except BudgetExceeded as error:
            self._stopped.add(method.text)
            self._trouble(method, error, row)
            return None
        except MethodError as error:
            self._trouble(method, error, row)
            return None
        except RecursionError:
            self._stopped.add(method.text)
            self._trouble(method, BudgetExceeded("methods call each other too deep (budget of depth)", 0), row)
            return None
        except MemoryError:
            self._stopped.add(method.text)
            self._trouble(method, BudgetExceeded("the memory is used up (budget of size)", 0), row)
            return None
        finally:
            budget.depth -= 1
        for text, at in frame.messages:
            self.messages.append(Trouble(method, "message", text, *position(method.text, at), row))
        return frame

    def _trouble(self, method: Method, error: MethodError, row: int) -> None:
        line, column = position(method.text, error.at)
        self.troubles.append(Trouble(method, error.kind, error.message, line, column, row))
