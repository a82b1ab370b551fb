"""Methods of which each row stands alone, evaluated for all rows of a loop at once with numpy.

What is not arithmetic on numbers of the row and of single rows elsewhere is left to `statements`; so are the rows
in which something is missing or lies outside a domain.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.builtins import CONSTANTS, FUNCTIONS
from imgcif_core.ddlm.drel.context import DERIVED, Context, Value
from imgcif_core.ddlm.drel.errors import MethodError, OperationError
from imgcif_core.ddlm.drel.store import is_row_of_numbers
from imgcif_core.ddlm.drel.values import OPERATORS, is_nothing
from imgcif_core.ddlm.model import Item

LEAST_ROWS = 32
_ARRAYS = frozenset({"Matrix", "Array", "List"})
_EDGE = 1e-9


class _Unsupported(Exception):
    """The method does something that is done row by row."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One value for each row: (rows, ...) float64 or complex128, and where it holds: (rows,) bool."""

    values: np.ndarray
    valid: np.ndarray

    @property
    def rank(self) -> int:
        """0 for numbers, 1 for vectors, 2 for matrices."""
        return self.values.ndim - 1


class _OwnRow:
    """The row of the method itself, as a variable."""


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The single row of another category, as a variable."""

    category: str


def _arc(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """An inverse function that forgives rounding at the ends and gives nan outside."""
    return lambda x: function(np.where(np.abs(x) <= 1.0 + _EDGE, np.clip(x, -1.0, 1.0), np.nan))


_ELEMENTWISE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sind": lambda x: np.sin(np.radians(x)),
    "cosd": lambda x: np.cos(np.radians(x)),
    "tand": lambda x: np.tan(np.radians(x)),
    "asin": _arc(np.arcsin),
    "acos": _arc(np.arccos),
    "atan": np.arctan,
    "asind": _arc(lambda x: np.degrees(np.arcsin(x))),
    "acosd": _arc(lambda x: np.degrees(np.arccos(x))),
    "atand": lambda x: np.degrees(np.arctan(x)),
    "exp": np.exp,
    "log": np.log10,
    "ln": np.log,
    # Roots of negative numbers are complex; those rows are done one by one.
    "sqrt": np.sqrt,
    "abs": np.abs,
    "float": lambda x: x,
    "real": np.real,
    "imag": np.imag,
    "magn": np.abs,
    "phase": np.angle,
}
_BY_TWO: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "atan2": np.arctan2,
    "atan2d": lambda y, x: np.degrees(np.arctan2(y, x)),
    "complex": lambda x, y: x + 1j * y,
    "mod": lambda x, y: np.mod(x, y),
}


class ColumnMaker:
    """Columns of derived items, each made when its first value is asked for."""

    def __init__(self, world: Context) -> None:
        self._world = world
        self._made: dict[str, tuple[Rows, tuple[tuple[str, bool], ...]] | None] = {}
        self._open: set[str] = set()

    def value(self, item: Item, row: int) -> Value | None:
        """The value of a row, None where it has to be worked out by itself."""
        made = self.column(item)
        if made is None or row >= len(made[0].valid) or not made[0].valid[row]:
            return None
        rows, used = made
        inputs = tuple((name, row if own else 0) for name, own in used)
        value = rows.values[row]
        return Value(_shaped(item, value), DERIVED, inputs)

    def column(self, item: Item) -> tuple[Rows, tuple[tuple[str, bool], ...]] | None:
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

    def _make(self, item: Item) -> tuple[Rows, tuple[tuple[str, bool], ...]] | None:
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
        except (_Unsupported, MethodError, OperationError, ValueError, TypeError, IndexError):
            return None
        if not isinstance(run.result, Rows) or (item.container == "Single") != (run.result.rank == 0):
            return None
        return run.result, tuple(run.used)


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
        self.used: dict[tuple[str, bool], None] = {}
        self.result: Any = None

    def statement(self, node: nodes.Statement) -> None:
        """Run an assignment or a `with`; nothing else stands alone in each row for certain."""
        if isinstance(node, nodes.With) and node.body is None:
            category = node.category.lower()
            self.variables[node.variable] = self._row(category)
        elif isinstance(node, nodes.Assign) and node.operator == "=" and len(node.targets) == len(node.values) == 1:
            self._assign(node.targets[0], self.evaluate(node.values[0]))
        else:
            raise _Unsupported

    def _row(self, category: str) -> "_OwnRow | _Elsewhere":
        if category == self.item.category:
            return _OwnRow()
        if self.world.has_category(category) and self.world.row_count(category) == 1:
            return _Elsewhere(category)
        raise _Unsupported

    def _assign(self, target: nodes.Expression, value: Any) -> None:
        if isinstance(target, nodes.Name):
            self.variables[target.id] = value
            return
        if not isinstance(target, nodes.Attribute) or not isinstance(target.base, nodes.Name):
            raise _Unsupported
        base = self.variables.get(target.base.id)
        category = self.item.category if isinstance(base, _OwnRow) else target.base.id.lower()
        if (base is not None and not isinstance(base, _OwnRow)) or category != self.item.category:
            raise _Unsupported
        if self.world.resolve_item(category, target.name) is not self.item:
            raise _Unsupported
        self.result = value

    def evaluate(self, node: nodes.Expression) -> Any:
        """The value of an expression: rows, or a number or matrix that is the same for all."""
        if isinstance(node, nodes.Literal) and isinstance(node.value, (int, float, complex)):
            return node.value
        if isinstance(node, nodes.Name):
            return self._name(node)
        if isinstance(node, nodes.Attribute):
            return self._attribute(node)
        if isinstance(node, nodes.Chain) and node.kind != "compare":
            value = self.evaluate(node.first)
            for operator, _, operand in node.rest:
                value = _operate(operator, value, self.evaluate(operand))
            return value
        if isinstance(node, nodes.Power):
            return _operate("**", self.evaluate(node.base), self.evaluate(node.exponent))
        if isinstance(node, nodes.Unary) and node.operator in "+-":
            value = self.evaluate(node.operand)
            return _operate("*", -1.0, value) if node.operator == "-" else value
        if isinstance(node, nodes.ListDisplay):
            return _stacked([self.evaluate(item) for item in node.items])
        if isinstance(node, nodes.Subscript):
            return self._element(node)
        if isinstance(node, nodes.Call):
            return self._call(node)
        raise _Unsupported

    def _name(self, node: nodes.Name) -> Any:
        if node.id in self.variables:
            value = self.variables[node.id]
            if isinstance(value, (_OwnRow, _Elsewhere)):
                raise _Unsupported
            return value
        constant = CONSTANTS.get(node.id.lower())
        if not isinstance(constant, float):
            raise _Unsupported
        return constant

    def _attribute(self, node: nodes.Attribute) -> Any:
        if not isinstance(node.base, nodes.Name):
            raise _Unsupported
        base = self.variables.get(node.base.id)
        if base is None:
            base = self._row(node.base.id.lower())
        if isinstance(base, _OwnRow):
            return self._own(node.name)
        if isinstance(base, _Elsewhere):
            return self._single(base.category, node.name)
        raise _Unsupported

    def _own(self, name: str) -> Rows:
        item = self.world.resolve_item(self.item.category, name)
        if item is None or item.category != self.item.category or item is self.item:
            raise _Unsupported
        self.used[item.id, True] = None
        if self.world.store.has(item):
            numbers = self.world.store.numbers(item) if is_row_of_numbers(item) else None
            if numbers is None:
                raise _Unsupported
            return Rows(*numbers)
        made = self.maker.column(item)
        if made is None:
            raise _Unsupported
        return made[0]

    def _single(self, category: str, name: str) -> Any:
        item = self.world.resolve_item(category, name)
        if item is None or item.category != category or not item.is_numeric:
            raise _Unsupported
        self.used[item.id, False] = None
        value = self.world.value(item, 0).value
        if is_nothing(value):
            raise _Unsupported
        return np.array(value, dtype=float) if item.container in _ARRAYS else value

    def _element(self, node: nodes.Subscript) -> Any:
        indices = [item.value for item in node.items if isinstance(item, nodes.Literal) and isinstance(item.value, int)]
        base = self.evaluate(node.base)
        if len(indices) != len(node.items):
            raise _Unsupported
        if isinstance(base, Rows):
            if len(indices) > base.rank:
                raise _Unsupported
            place: tuple[Any, ...] = (slice(None), *indices)
            return Rows(base.values[place], base.valid)
        return np.asarray(base)[tuple(indices)].item()

    def _call(self, node: nodes.Call) -> Any:
        name = node.name.lower()
        arguments = [self.evaluate(argument) for argument in node.arguments]
        rows = [value for value in arguments if isinstance(value, Rows)]
        if not rows:
            if name not in FUNCTIONS:
                raise _Unsupported
            value = FUNCTIONS[name](*arguments)
            if is_nothing(value):
                raise _Unsupported
            return value
        if name in _ELEMENTWISE and len(arguments) == 1:
            return _finite(_ELEMENTWISE[name](rows[0].values), rows[0].valid)
        if name in _BY_TWO and len(arguments) == 2 and all(_rank(value) == 0 for value in arguments):
            left, right = (value.values if isinstance(value, Rows) else value for value in arguments)
            return _finite(_BY_TWO[name](left, right), np.logical_and.reduce([value.valid for value in rows]))
        if len(arguments) == 1 and name in ("matrix", "list"):
            return rows[0]
        if len(arguments) == 1 and name == "norm" and rows[0].rank:
            squares = np.abs(rows[0].values.reshape(len(rows[0].valid), -1)) ** 2
            return _finite(np.sqrt(squares.sum(axis=1)), rows[0].valid)
        if len(arguments) == 1 and name == "transpose":
            return rows[0] if rows[0].rank < 2 else Rows(np.swapaxes(rows[0].values, 1, 2), rows[0].valid)
        raise _Unsupported


def _rank(value: Any) -> int:
    return value.rank if isinstance(value, Rows) else np.ndim(value)


def _finite(values: np.ndarray, valid: np.ndarray) -> Rows:
    """Rows of a result; what is not finite holds nowhere."""
    finite = np.isfinite(values)
    if finite.all():
        return Rows(values, valid)
    return Rows(values, valid & finite.reshape(len(valid), -1).all(axis=1))


def _operate(operator: str, left: Any, right: Any) -> Any:
    """An operator on rows, or on one value for all of them and rows."""
    if not isinstance(left, Rows) and not isinstance(right, Rows):
        return OPERATORS[operator](left, right)
    valid = [value.valid for value in (left, right) if isinstance(value, Rows)]
    ranks = (_rank(left), _rank(right))
    x, y = (value.values if isinstance(value, Rows) else np.asarray(value)[None] for value in (left, right))
    if operator == "*" and all(ranks):
        result = _product(x, y, ranks)
    elif operator == "^":
        if x.shape[1:] != (3,) or y.shape[1:] != (3,):
            raise _Unsupported
        result = np.cross(x, y)
    else:
        if ranks[0] != ranks[1] and 0 not in ranks:
            raise _Unsupported
        x, y = (_spread(value, max(ranks)) for value in (x, y))
        result = _SIMPLE[operator](x, y)
    return _finite(result, valid[0] if len(valid) == 1 else valid[0] & valid[1])


_SIMPLE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "**": lambda x, y: np.power(x if np.iscomplexobj(x) else x.astype(float), y),
}


def _spread(values: np.ndarray, rank: int) -> np.ndarray:
    """Rows of numbers with axes of length 1 added, so that they fit rows of vectors or matrices."""
    return values.reshape(*values.shape, *[1] * (rank + 1 - values.ndim))


def _product(x: np.ndarray, y: np.ndarray, ranks: tuple[int, int]) -> np.ndarray:
    """Dot product of vectors, product of matrices, for each row."""
    if x.shape[-1] != y.shape[1]:
        raise _Unsupported
    # A matrix that is the same for all rows is one plain product.
    if ranks == (1, 1):
        return np.einsum("ni,ni->n", *np.broadcast_arrays(x, y))
    if ranks == (1, 2):
        return x @ y[0] if len(y) == 1 else np.matmul(x[:, None, :], y)[:, 0]
    if ranks == (2, 1):
        return y @ x[0].T if len(x) == 1 else np.matmul(x, y[..., None])[..., 0]
    return np.matmul(x, y)


def _stacked(items: list[Any]) -> Any:
    """A list of rows as rows of vectors or matrices; a list of numbers as a vector."""
    rows = [value for value in items if isinstance(value, Rows)]
    if not rows:
        if not items or any(isinstance(value, (str, dict)) for value in items):
            raise _Unsupported
        return np.array(items)
    ranks = {_rank(value) for value in items}
    if len(ranks) != 1:
        raise _Unsupported
    size = len(rows[0].valid)
    shape = (size, *rows[0].values.shape[1:])
    values = [value.values if isinstance(value, Rows) else np.broadcast_to(value, shape) for value in items]
    if any(value.shape != shape for value in values):
        raise _Unsupported
    return Rows(np.stack(values, axis=1), np.logical_and.reduce([value.valid for value in rows]))
