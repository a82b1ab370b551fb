"""Methods of which each row stands alone, evaluated for all rows of a loop at once with numpy.

What is not arithmetic on numbers of the row and of single rows elsewhere is left to `statements`; so are the rows
in which something is missing or lies outside a domain.
"""

import time
from typing import Any

import numpy as np

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.builtins import CONSTANTS, FUNCTIONS
from imgcif_core.ddlm.drel.context import DERIVED, Context, Value
from imgcif_core.ddlm.drel.errors import MethodError, OperationError
from imgcif_core.ddlm.drel.rows import (
    BY_TWO,
    ELEMENTWISE,
    Rows,
    Unsupported,
    combined,
    compare,
    finite,
    inverted,
    merged,
    operate,
    rank_of,
    stacked,
)
from imgcif_core.ddlm.drel.store import is_row_of_numbers
from imgcif_core.ddlm.drel.values import is_nothing
from imgcif_core.ddlm.model import Item
from imgcif_core.records import dataclass

# Rows of an item, and what they were made from: the item, whether of the own row, and in which rows (None: in all).
_Made = tuple[Rows, tuple[tuple[tuple[str, bool], np.ndarray | None], ...]]
LEAST_ROWS = 32
_ARRAYS = frozenset({"Matrix", "Array", "List"})


class _OwnRow:
    """The row of the method itself, as a variable."""


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The single row of another category, as a variable."""

    category: str


class ColumnMaker:
    """Columns of derived items, each made when its first value is asked for."""

    def __init__(self, world: Context) -> None:
        self._world = world
        self._made: dict[str, _Made | None] = {}
        self._open: set[str] = set()

    def value(self, item: Item, row: int) -> Value | None:
        """The value of a row, None where it has to be worked out by itself."""
        made = self.column(item)
        if made is None or row >= len(made[0].valid) or not made[0].valid[row]:
            return None
        rows, used = made
        inputs = tuple((name, row if own else 0) for (name, own), mask in used if mask is None or mask[row])
        value = rows.values[row]
        return Value(_shaped(item, value), DERIVED, inputs)

    def column(self, item: Item) -> _Made | None:
        """All values of an item with what they were made from, None where that cannot be done at once."""
        key = item.id.lower()
        if key not in self._made:
            if key in self._open:
                return None
            self._open.add(key)
            try:
                with np.errstate(all="ignore"):
                    self._made[key] = self._make(item)
            finally:
                self._open.discard(key)
        return self._made[key]

    def _make(self, item: Item) -> _Made | None:
        world = self._world
        methods = world.program.methods.of(item.id, "Evaluation")
        if world.store.rows(item.category) < LEAST_ROWS or len(methods) != 1 or world.store.has(item):
            return None
        if not item.is_numeric:
            return None
        run = _Run(world, self, item)
        try:
            statements = world.program.nodes(methods[0])
            for statement in statements:
                run.statement(statement)
        except (Unsupported, MethodError, OperationError, ValueError, TypeError, IndexError):
            return None
        if not isinstance(run.result, Rows) or (item.container == "Single") != (run.result.rank == 0):
            return None
        return run.result, tuple(run.used.items())


def _shaped(item: Item, value: Any) -> Any:
    """One value of a column as the row-wise evaluation gives it."""
    if item.container == "Single":
        number = value.item()
        return round(number) if item.contents == "Integer" and abs(number - round(number)) < 1e-6 else number
    if item.contents == "Integer" and np.array_equal(value, np.round(value)):
        value = value.astype(np.int64)
    return value.tolist() if item.container == "List" else value


class _Run:
    """One method for all rows: variables hold rows, numbers or matrices."""

    def __init__(self, world: Context, maker: ColumnMaker, item: Item) -> None:
        self.world = world
        self.maker = maker
        self.item = item
        self.variables: dict[str, Any] = {}
        # The items that were looked at, of the own row or of a single one, and in which rows (None: in all).
        self.used: dict[tuple[str, bool], np.ndarray | None] = {}
        self.result: Any = None
        self._mask: np.ndarray | None = None
        self._end = time.monotonic() + world.limits.seconds

    def statement(self, node: nodes.Statement) -> None:
        """Run an assignment or a `with`; nothing else stands alone in each row for certain."""
        if isinstance(node, nodes.With) and node.body is None:
            category = node.category.lower()
            self.variables[node.variable] = self._row(category)
        elif isinstance(node, nodes.Assign) and node.operator == "=" and len(node.targets) == len(node.values) == 1:
            self._assign(node.targets[0], self.evaluate(node.values[0]))
        elif isinstance(node, nodes.If):
            self._if(node)
        else:
            raise Unsupported

    def _if(self, node: nodes.If) -> None:
        """Each branch for all rows, and from each the rows in which it is taken; what is not decided gives nothing."""
        before, result, outer = dict(self.variables), self.result, self._mask
        size = self.world.store.rows(self.item.category)
        left = np.ones(size, dtype=bool) if outer is None else outer.copy()
        taken: list[tuple[np.ndarray, dict[str, Any], Any]] = []
        for test, body in (*node.branches, (None, node.otherwise)):
            self._mask = left
            answer = True if test is None else self.condition(test)
            if answer is None:
                raise Unsupported
            if not isinstance(answer, Rows):
                answer = Rows(np.full(size, answer), np.ones(size, dtype=bool))
            self._mask = left & answer.valid & answer.values
            self.variables, self.result = dict(before), result
            for statement in body:
                self.statement(statement)
            taken.append((self._mask, self.variables, self.result))
            left = left & answer.valid & ~answer.values
        self._mask = outer
        self.variables, self.result = before, result
        self._join(taken, size)

    def _join(self, taken: list[tuple[np.ndarray, dict[str, Any], Any]], size: int) -> None:
        """The variables and the result after the branches of a condition."""
        for name in {name for _, variables, _ in taken for name in variables}:
            values = [variables.get(name) for _, variables, _ in taken]
            if any(value is not values[0] for value in values):
                self.variables[name] = merged([(mask, variables.get(name)) for mask, variables, _ in taken], size)
        if any(value is not self.result for _, _, value in taken):
            self.result = merged([(mask, value) for mask, _, value in taken], size)

    def condition(self, node: nodes.Expression) -> Any:
        """The answer of a condition: rows of true or false, or one for all."""
        if isinstance(node, nodes.Chain) and node.kind == "compare":
            answers, left = [], self.evaluate(node.first)
            for operator, _, operand in node.rest:
                right = self.evaluate(operand)
                answers.append(compare(operator, left, right))
                left = right
            return answers[0] if len(answers) == 1 else combined("and", answers)
        if isinstance(node, nodes.Logic):
            return self._logic(node)
        if isinstance(node, nodes.Unary) and node.operator == "not":
            return inverted(self.condition(node.operand))
        raise Unsupported

    def _row(self, category: str) -> "_OwnRow | _Elsewhere":
        if category == self.item.category:
            return _OwnRow()
        if self.world.has_category(category) and self.world.row_count(category) == 1:
            return _Elsewhere(category)
        raise Unsupported

    def _logic(self, node: nodes.Logic) -> Any:
        """`and` or `or`: a part is looked at in the rows that those before it leave open."""
        outer, answers = self._mask, []
        for item in node.items:
            answer = self.condition(item)
            answers.append(answer)
            if isinstance(answer, Rows):
                is_open = ~answer.valid | (answer.values != (node.operator == "or"))
                self._mask = is_open if self._mask is None else self._mask & is_open
        self._mask = outer
        return combined(node.operator, answers)

    def _assign(self, target: nodes.Expression, value: Any) -> None:
        if isinstance(target, nodes.Name):
            self.variables[target.id] = value
            return
        if not isinstance(target, nodes.Attribute) or not isinstance(target.base, nodes.Name):
            raise Unsupported
        base = self.variables.get(target.base.id)
        category = self.item.category if isinstance(base, _OwnRow) else target.base.id.lower()
        if (base is not None and not isinstance(base, _OwnRow)) or category != self.item.category:
            raise Unsupported
        if self.world.resolve_item(category, target.name) is not self.item:
            raise Unsupported
        self.result = value

    def evaluate(self, node: nodes.Expression) -> Any:
        """The value of an expression: rows, or a number or matrix that is the same for all."""
        if time.monotonic() > self._end:
            # Row by row the budget of the method is kept, and told where it is used up.
            raise Unsupported
        if isinstance(node, nodes.Literal) and isinstance(node.value, (int, float, complex)):
            return node.value
        if isinstance(node, nodes.Name):
            return self._name(node)
        if isinstance(node, nodes.Attribute):
            return self._attribute(node)
        if isinstance(node, nodes.Chain) and node.kind != "compare":
            value = self.evaluate(node.first)
            for operator, _, operand in node.rest:
                value = operate(operator, value, self.evaluate(operand))
            return value
        if isinstance(node, nodes.Power):
            return operate("**", self.evaluate(node.base), self.evaluate(node.exponent))
        if isinstance(node, nodes.Unary) and node.operator in "+-":
            value = self.evaluate(node.operand)
            return operate("*", -1.0, value) if node.operator == "-" else value
        if isinstance(node, nodes.ListDisplay):
            return stacked([self.evaluate(item) for item in node.items])
        if isinstance(node, nodes.Subscript):
            return self._element(node)
        if isinstance(node, nodes.Call):
            return self._call(node)
        raise Unsupported

    def _name(self, node: nodes.Name) -> Any:
        if node.id in self.variables:
            value = self.variables[node.id]
            if isinstance(value, (_OwnRow, _Elsewhere)):
                raise Unsupported
            return value
        constant = CONSTANTS.get(node.id.lower())
        if not isinstance(constant, float):
            raise Unsupported
        return constant

    def _attribute(self, node: nodes.Attribute) -> Any:
        if not isinstance(node.base, nodes.Name):
            raise Unsupported
        base = self.variables.get(node.base.id)
        if base is None:
            base = self._row(node.base.id.lower())
        if isinstance(base, _OwnRow):
            return self._own(node.name)
        if isinstance(base, _Elsewhere):
            return self._single(base.category, node.name)
        raise Unsupported

    def _own(self, name: str) -> Rows:
        item = self.world.resolve_item(self.item.category, name)
        if item is None or item.category != self.item.category or item is self.item:
            raise Unsupported
        self._use(item.id, is_own=True)
        if self.world.store.has(item):
            numbers = self.world.store.numbers(item) if is_row_of_numbers(item) else None
            if numbers is None:
                raise Unsupported
            return Rows(*numbers)
        made = self.maker.column(item)
        if made is None:
            raise Unsupported
        return made[0]

    def _use(self, identifier: str, *, is_own: bool) -> None:
        """Remember that an item was looked at in the rows of this branch."""
        key = (identifier, is_own)
        known = self.used.get(key, self._mask)
        self.used[key] = None if known is None or self._mask is None else known | self._mask

    def _single(self, category: str, name: str) -> Any:
        item = self.world.resolve_item(category, name)
        if item is None or item.category != category or not item.is_numeric:
            raise Unsupported
        self._use(item.id, is_own=False)
        value = self.world.value(item, 0).value
        if is_nothing(value):
            raise Unsupported
        return np.array(value, dtype=float) if item.container in _ARRAYS else value

    def _element(self, node: nodes.Subscript) -> Any:
        indices = [item.value for item in node.items if isinstance(item, nodes.Literal) and isinstance(item.value, int)]
        base = self.evaluate(node.base)
        if len(indices) != len(node.items):
            raise Unsupported
        if isinstance(base, Rows):
            if len(indices) > base.rank:
                raise Unsupported
            place: tuple[Any, ...] = (slice(None), *indices)
            return Rows(base.values[place], base.valid)
        return np.asarray(base)[tuple(indices)].item()

    def _call(self, node: nodes.Call) -> Any:
        name = node.name.lower()
        arguments = [self.evaluate(argument) for argument in node.arguments]
        rows = [value for value in arguments if isinstance(value, Rows)]
        if not rows:
            if name not in FUNCTIONS:
                raise Unsupported
            value = FUNCTIONS[name](*arguments)
            if is_nothing(value):
                raise Unsupported
            return value
        if name in ELEMENTWISE and len(arguments) == 1:
            return finite(ELEMENTWISE[name](rows[0].values), rows[0].valid)
        if name in BY_TWO and len(arguments) == 2 and all(rank_of(value) == 0 for value in arguments):
            left, right = (value.values if isinstance(value, Rows) else value for value in arguments)
            return finite(BY_TWO[name](left, right), np.logical_and.reduce([value.valid for value in rows]))
        if len(arguments) == 1 and name in ("matrix", "list"):
            return rows[0]
        if len(arguments) == 1 and name == "norm" and rows[0].rank:
            squares = np.abs(rows[0].values.reshape(len(rows[0].valid), -1)) ** 2
            return finite(np.sqrt(squares.sum(axis=1)), rows[0].valid)
        if len(arguments) == 1 and name == "transpose":
            return rows[0] if rows[0].rank < 2 else Rows(np.swapaxes(rows[0].values, 1, 2), rows[0].valid)
        raise Unsupported
