"""Values of methods, and what the operators of dREL do with them.

A value is a number, a text, a list, a dict (Table), an array (Matrix, vector), a row of a category, or one of the
two singletons MISSING (`?`, not known) and NULL (`.`, not applicable). Missing values are carried through.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from imgcif_core.cif.values import fold
from imgcif_core.ddlm.drel.errors import OperationError

MAX_SIZE = 1_000_000
MAX_BITS = 1024


class Nothing:
    """A value that is none: missing, or not applicable."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return False


MISSING = Nothing("?")
NULL = Nothing(".")


class Caseless(str):
    """A text that equals others without case, such as one of type Code."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and fold(self) == fold(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(fold(self))


def is_number(value: Any) -> bool:
    """True for integers, reals and complex numbers."""
    return isinstance(value, (int, float, complex, np.number))


def is_nothing(value: Any) -> bool:
    """True for missing and for not applicable."""
    return value is MISSING or value is NULL


def size_of(value: Any) -> int:
    """How many elements a value has, for the budget."""
    if isinstance(value, np.ndarray):
        return int(value.size)
    return len(value) if isinstance(value, (str, list, dict)) else 1


def limited(value: Any) -> Any:
    """The value, unless it is larger than methods may make."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MAX_BITS:
        raise OperationError("the number is larger than any that is computed with (budget of size)")
    if isinstance(value, (str, list, dict)) and len(value) > MAX_SIZE:
        raise OperationError(f"the value has more than {MAX_SIZE} elements (budget of size)")
    return value


def array_of(value: Any) -> Any:
    """A list of numbers as an array; MISSING where an element is missing."""
    if isinstance(value, np.ndarray):
        return value
    if _holds_nothing(value):
        return MISSING
    try:
        array = np.array(value)
    except ValueError:
        raise OperationError("the rows of the list differ in length") from None
    if array.dtype.kind not in "biufc":
        raise OperationError("the list holds what is no number")
    return array


def _holds_nothing(value: Any) -> bool:
    """True if a nested list holds a missing value at some depth."""
    stack = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, list):
            stack.extend(entry)
        elif is_nothing(entry):
            return True
    return False


def plain(value: Any) -> Any:
    """Arrays and numpy's numbers as lists and Python's own numbers."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def _operand(value: Any, operator: str) -> Any:
    """A number or an array, else a complaint that names the operator."""
    if isinstance(value, list):
        return array_of(value)
    if isinstance(value, (bool, int, float, complex, np.ndarray, np.number)) or is_nothing(value):
        return value
    raise OperationError(f"{describe(value)} cannot stand beside {operator}")


def describe(value: Any) -> str:
    """What a value is, for messages."""
    if isinstance(value, str):
        return f"the text {str(value)[:20]!r}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, np.ndarray):
        return "a matrix" if value.ndim > 1 else "a vector"
    return f"{plain(value)!r}" if is_number(value) or is_nothing(value) else "a row of a category"


def _finished(value: Any) -> Any:
    """A result as a plain number or an array of a size that is allowed."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if isinstance(value, np.generic):
        return value.item()
    return limited(value)


def _arithmetic(operator: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator on numbers and arrays that carries missing values through."""

    def operate(left: Any, right: Any) -> Any:
        left, right = _operand(left, operator), _operand(right, operator)
        if is_nothing(left) or is_nothing(right):
            return MISSING
        try:
            return _finished(function(left, right))
        except ZeroDivisionError:
            raise OperationError("division by zero") from None
        except OverflowError:
            raise OperationError("the result is too large for a number") from None
        except ValueError:
            shapes = f"{np.shape(left)} and {np.shape(right)}"
            raise OperationError(f"matrices of shapes {shapes} do not fit beside {operator}") from None

    return operate


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return limited(str(left) + str(right))
    if isinstance(left, str) or isinstance(right, str):
        if is_nothing(left) or is_nothing(right):
            return MISSING
        raise OperationError(f"{describe(left)} cannot be added to {describe(right)}")
    return _add_numbers(left, right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(right, np.ndarray):
        if not np.all(right):
            raise ZeroDivisionError
        return left / right
    return left / (right if right else 0)


def multiply(left: Any, right: Any) -> Any:
    """Product of numbers, dot product of vectors, product of matrices, by shape."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and left.ndim and right.ndim:
        return left @ right
    return left * right


def _cross(left: Any, right: Any) -> Any:
    if np.shape(left) != (3,) or np.shape(right) != (3,):
        raise OperationError(f"{describe(left)} ^ {describe(right)}: a cross product needs two vectors of 3 elements")
    return np.cross(left, right)


def _raise(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and (right < 0 or left.bit_length() * right > MAX_BITS):
        left = float(left)
    if isinstance(left, (int, float)) and left == 0 and isinstance(right, (int, float)) and right < 0:
        raise ZeroDivisionError
    return left**right


_add_numbers = _arithmetic("+", lambda left, right: left + right)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _arithmetic("-", lambda left, right: left - right),
    "*": _arithmetic("*", multiply),
    "/": _arithmetic("/", _divide),
    "^": _arithmetic("^", _cross),
    "**": _arithmetic("**", _raise),
}


def negate(value: Any) -> Any:
    """`-x`."""
    value = _operand(value, "-")
    return MISSING if is_nothing(value) else -value


def equal(left: Any, right: Any) -> Any:
    """Equality by value; missing if one side is missing, and NULL equals NULL alone."""
    if left is MISSING or right is MISSING:
        return MISSING
    if left is NULL or right is NULL:
        return left is right
    if isinstance(left, (np.ndarray, list)) or isinstance(right, (np.ndarray, list)):
        return _equal_lists(plain(left), plain(right))
    if isinstance(left, str) and isinstance(right, str):
        return left == right if isinstance(left, Caseless) else right == left
    return left == right


def _equal_lists(left: Any, right: Any) -> Any:
    """Equality of nested lists; deeper ones than matrices are rare, so recursion is bounded by their depth."""
    if not isinstance(left, list) or not isinstance(right, list):
        return False
    if len(left) != len(right):
        return False
    answers = [equal(one, other) for one, other in zip(left, right, strict=True)]
    if any(answer is False for answer in answers):
        return False
    return MISSING if any(answer is MISSING for answer in answers) else True


def _ordered(operator: str, function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    """An order of numbers or of texts."""

    def compare(left: Any, right: Any) -> Any:
        if is_nothing(left) or is_nothing(right):
            return MISSING
        texts = isinstance(left, str) and isinstance(right, str)
        numbers = all(isinstance(value, (int, float, np.number)) for value in (left, right))
        if not texts and not numbers:
            raise OperationError(f"{describe(left)} and {describe(right)} have no order for {operator}")
        return bool(function(str(left), str(right)) if texts else function(left, right))

    return compare


def contains(element: Any, collection: Any) -> Any:
    """`in`: a part of a text, an element of a list, a key of a table."""
    if is_nothing(element) or is_nothing(collection):
        return MISSING
    if isinstance(collection, str):
        if not isinstance(element, str):
            raise OperationError(f"{describe(element)} cannot be in a text")
        return str(element) in str(collection)
    if isinstance(collection, dict):
        return isinstance(element, str) and element in collection
    if isinstance(collection, (list, np.ndarray)):
        return any(equal(element, entry) is True for entry in plain(collection))
    raise OperationError(f"nothing can be in {describe(collection)}")


def invert(answer: Any) -> Any:
    """`not` of three truths."""
    return MISSING if answer is MISSING else not answer


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": equal,
    "!=": lambda left, right: invert(equal(left, right)),
    "<": _ordered("<", lambda left, right: left < right),
    ">": _ordered(">", lambda left, right: left > right),
    "<=": _ordered("<=", lambda left, right: left <= right),
    ">=": _ordered(">=", lambda left, right: left >= right),
    "in": contains,
    "not in": lambda left, right: invert(contains(left, right)),
}


def truth(value: Any) -> bool | None:
    """True, False, or None where a value is missing."""
    if is_nothing(value):
        return None
    if isinstance(value, (bool, int, float, complex, np.number)):
        return bool(value)
    raise OperationError(f"{describe(value)} is neither true nor false")


def closest_whole(value: float) -> int:
    """An integer from a real, towards zero."""
    if not math.isfinite(value):
        raise OperationError("the number is not finite")
    return int(value)
