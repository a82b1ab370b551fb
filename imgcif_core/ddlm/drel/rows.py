"""Values of all rows of a loop at once: operators, functions, comparisons, and branches joined again."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imgcif_core.ddlm.drel.values import COMPARISONS, OPERATORS, truth
from imgcif_core.records import dataclass

_EDGE = 1e-9


class Unsupported(Exception):
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


def _arc(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """An inverse function that forgives rounding at the ends and gives nan outside."""
    return lambda x: function(np.where(np.abs(x) <= 1.0 + _EDGE, np.clip(x, -1.0, 1.0), np.nan))


ELEMENTWISE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
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
BY_TWO: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "atan2": np.arctan2,
    "atan2d": lambda y, x: np.degrees(np.arctan2(y, x)),
    "complex": lambda x, y: x + 1j * y,
    "mod": lambda x, y: np.mod(x, y),
}


def rank_of(value: Any) -> int:
    return value.rank if isinstance(value, Rows) else np.ndim(value)


def finite(values: np.ndarray, valid: np.ndarray) -> Rows:
    """Rows of a result; what is not finite holds nowhere."""
    is_finite = np.isfinite(values)
    if is_finite.all():
        return Rows(values, valid)
    return Rows(values, valid & is_finite.reshape(len(valid), -1).all(axis=1))


def operate(operator: str, left: Any, right: Any) -> Any:
    """An operator on rows, or on one value for all of them and rows."""
    if not isinstance(left, Rows) and not isinstance(right, Rows):
        return OPERATORS[operator](left, right)
    valid = [value.valid for value in (left, right) if isinstance(value, Rows)]
    ranks = (rank_of(left), rank_of(right))
    x, y = (value.values if isinstance(value, Rows) else np.asarray(value)[None] for value in (left, right))
    if operator == "*" and all(ranks):
        result = _product(x, y, ranks)
    elif operator == "^":
        if x.shape[1:] != (3,) or y.shape[1:] != (3,):
            raise Unsupported
        result = np.cross(x, y)
    else:
        if ranks[0] != ranks[1] and 0 not in ranks:
            raise Unsupported
        x, y = (_spread(value, max(ranks)) for value in (x, y))
        result = _SIMPLE[operator](x, y)
    return finite(result, valid[0] if len(valid) == 1 else valid[0] & valid[1])


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
        raise Unsupported
    # A matrix that is the same for all rows is one plain product.
    if ranks == (1, 1):
        found: np.ndarray = np.einsum("ni,ni->n", *np.broadcast_arrays(x, y))
    elif ranks == (1, 2):
        found = x @ y[0] if len(y) == 1 else np.matmul(x[:, None, :], y)[:, 0]
    elif ranks == (2, 1):
        found = y @ x[0].T if len(x) == 1 else np.matmul(x, y[..., None])[..., 0]
    else:
        found = np.matmul(x, y)
    return found


def stacked(items: list[Any]) -> Any:
    """A list of rows as rows of vectors or matrices; a list of numbers as a vector."""
    rows = [value for value in items if isinstance(value, Rows)]
    if not rows:
        if not items or any(isinstance(value, (str, dict)) for value in items):
            raise Unsupported
        return np.array(items)
    ranks = {rank_of(value) for value in items}
    if len(ranks) != 1:
        raise Unsupported
    size = len(rows[0].valid)
    shape = (size, *rows[0].values.shape[1:])
    values = [value.values if isinstance(value, Rows) else np.broadcast_to(value, shape) for value in items]
    if any(value.shape != shape for value in values):
        raise Unsupported
    return Rows(np.stack(values, axis=1), np.logical_and.reduce([value.valid for value in rows]))


_COMPARE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


def compare(operator: str, left: Any, right: Any) -> Any:
    """A comparison of numbers: rows of true or false, or one answer for all of them."""
    if not isinstance(left, Rows) and not isinstance(right, Rows):
        return truth(COMPARISONS[operator](left, right))
    if operator not in _COMPARE or rank_of(left) or rank_of(right):
        raise Unsupported
    valid = [value.valid for value in (left, right) if isinstance(value, Rows)]
    x, y = (value.values if isinstance(value, Rows) else value for value in (left, right))
    if operator not in ("==", "!=") and (np.iscomplexobj(x) or np.iscomplexobj(y)):
        raise Unsupported
    return Rows(_COMPARE[operator](x, y), np.logical_and.reduce(valid))


def inverted(answer: Any) -> Any:
    """`not` of rows or of one answer."""
    if isinstance(answer, Rows):
        return Rows(~answer.values, answer.valid)
    return None if answer is None else not answer


def combined(operator: str, answers: Sequence[Any]) -> Any:
    """`and` or `or`: decided where one part decides it, or where all parts are known."""
    if not any(isinstance(answer, Rows) for answer in answers):
        if None in answers:
            raise Unsupported
        return all(answers) if operator == "and" else any(answers)
    if None in answers:
        raise Unsupported
    deciding = operator == "or"
    size = next(len(answer.valid) for answer in answers if isinstance(answer, Rows))
    decided, known = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    for answer in answers:
        values, valid = (answer.values, answer.valid) if isinstance(answer, Rows) else (np.full(size, answer), True)
        decided |= (values == deciding) & valid
        known &= valid
    return Rows(np.where(decided, deciding, not deciding), decided | known)


def merged(parts: Sequence[tuple[np.ndarray, Any]], size: int) -> Any:
    """One value from the branches of a condition: each with the rows in which it is taken, (rows,) bool.

    A branch that gives nothing (None) leaves its rows without a value.
    """
    given = [value for _, value in parts if value is not None]
    if not given or not all(isinstance(value, (Rows, int, float, complex, np.ndarray)) for value in given):
        raise Unsupported
    shapes = {value.values.shape[1:] if isinstance(value, Rows) else np.shape(value) for value in given}
    if len(shapes) != 1:
        raise Unsupported
    kinds = [value.values.dtype if isinstance(value, Rows) else np.asarray(value).dtype for value in given]
    shape = shapes.pop()
    values: Any = np.zeros((1, *shape), dtype=np.result_type(float, *kinds))
    valid: Any = np.zeros(size, dtype=bool)
    for mask, value in parts:
        if value is not None:
            wide = mask.reshape(size, *[1] * len(shape))
            values = np.where(wide, value.values if isinstance(value, Rows) else value, values)
            valid |= (mask & value.valid) if isinstance(value, Rows) else mask
    return Rows(values, valid)
