"""The functions and constants that dREL has built in, after the list that COMCIFS keeps.

Each takes values and gives a value. A missing argument gives MISSING, an argument outside the domain NULL,
unless the function is made for looking at them. Functions that need the row or the data are in `translate`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from imgcif_core.ddlm.drel.errors import OperationError
from imgcif_core.ddlm.drel.values import (
    MISSING,
    NULL,
    Caseless,
    array_of,
    closest_whole,
    contains,
    describe,
    equal,
    is_nothing,
    is_number,
    limited,
    plain,
)

CONSTANTS = {"pi": math.pi, "twopi": 2.0 * math.pi, "null": NULL, "missing": MISSING}
# Rounding of cosines of vectors that point the same way.
_EDGE = 1e-9
_Function = Callable[..., Any]
FUNCTIONS: dict[str, _Function] = {}
ARITY: dict[str, tuple[int, int]] = {}


def _builtin(
    name: str, least: int, most: int | None = None, *, sees_nothing: bool = False
) -> Callable[[_Function], _Function]:
    """Register a function under its lower-case name with the numbers of arguments that it takes."""

    def register(function: _Function) -> _Function:
        def call(*arguments: Any) -> Any:
            if not sees_nothing and any(is_nothing(value) for value in arguments):
                return MISSING
            return function(*arguments)

        FUNCTIONS[name] = call
        ARITY[name] = (least, least if most is None else most)
        return function

    return register


def _number(value: Any, what: str = "a number") -> Any:
    if isinstance(value, bool) or not is_number(value):
        raise OperationError(f"{describe(value)} stands where {what} is needed")
    return value


def _real(value: Any) -> Any:
    if isinstance(value, complex):
        raise OperationError("a complex number stands where a real one is needed")
    return _number(value)


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    raise OperationError(f"{describe(value)} stands where an integer is needed")


def _elementwise(name: str, function: Callable[[Any], Any]) -> None:
    """Register a function of a real number that works on each element of a vector or matrix, too."""

    def apply(value: Any) -> Any:
        if isinstance(value, list):
            value = array_of(value)
            if value is MISSING:
                return MISSING
        if isinstance(value, np.ndarray):
            answers = [function(_real(entry)) for entry in value.ravel().tolist()]
            return NULL if any(is_nothing(entry) for entry in answers) else np.array(answers).reshape(value.shape)
        return function(_real(value))

    _builtin(name, 1)(apply)


def _guarded(function: Callable[[float], Any]) -> Callable[[float], Any]:
    """NULL where a number lies outside the domain of a function."""

    def guarded(value: float) -> Any:
        try:
            return function(value)
        except (ValueError, ZeroDivisionError):
            return NULL
        except OverflowError:
            raise OperationError("the result is too large for a number") from None

    return guarded


def _arc(function: Callable[[float], float]) -> Callable[[float], Any]:
    """An inverse function on -1 to 1 that forgives rounding at the ends."""

    def arc(value: float) -> Any:
        if abs(value) > 1.0 + _EDGE:
            return NULL
        return function(max(-1.0, min(1.0, value)))

    return arc


def _root(value: float) -> Any:
    return math.sqrt(value) if value >= 0 else complex(0.0, math.sqrt(-value))


for _name, _function in {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sind": lambda value: math.sin(math.radians(value)),
    "cosd": lambda value: math.cos(math.radians(value)),
    "tand": lambda value: math.tan(math.radians(value)),
    "asin": _arc(math.asin),
    "acos": _arc(math.acos),
    "atan": math.atan,
    "asind": _arc(lambda value: math.degrees(math.asin(value))),
    "acosd": _arc(lambda value: math.degrees(math.acos(value))),
    "atand": lambda value: math.degrees(math.atan(value)),
    "exp": math.exp,
    "log": math.log10,
    "ln": math.log,
    "sqrt": _root,
    "integer": closest_whole,
    "int": closest_whole,
    "float": float,
    "rem": lambda value: math.fmod(value, 1.0),
}.items():
    _elementwise(_name, _guarded(_function))


@_builtin("expimag", 1)
def _expimag(value: Any) -> complex:
    angle = float(_real(value))
    return complex(math.cos(angle), math.sin(angle))


@_builtin("atan2", 2)
def _atan2(y: Any, x: Any) -> float:
    return math.atan2(_real(y), _real(x))


@_builtin("atan2d", 2)
def _atan2d(y: Any, x: Any) -> float:
    return math.degrees(math.atan2(_real(y), _real(x)))


@_builtin("complex", 2)
def _complex(real: Any, imaginary: Any) -> complex:
    return complex(_real(real), _real(imaginary))


@_builtin("real", 1)
def _real_part(value: Any) -> float:
    return complex(_number(value)).real


@_builtin("imag", 1)
def _imaginary_part(value: Any) -> float:
    return complex(_number(value)).imag


@_builtin("magn", 1)
def _magnitude(value: Any) -> Any:
    return abs(value) if isinstance(value, complex) else _number(value)


@_builtin("phase", 1)
def _phase(value: Any) -> float:
    number = complex(_number(value))
    return math.atan2(number.imag, number.real)


@_builtin("abs", 1)
def _abs(value: Any) -> Any:
    return np.abs(array_of(value)) if isinstance(value, (list, np.ndarray)) else abs(_number(value))


@_builtin("sign", 2)
def _sign(value: Any, sign: Any) -> Any:
    return math.copysign(abs(_real(value)), _real(sign)) if sign else abs(_real(value))


@_builtin("mod", 2)
def _mod(value: Any, base: Any) -> Any:
    if isinstance(value, (list, np.ndarray)):
        value = array_of(value)
    elif not is_nothing(value):
        value = _real(value)
    if is_nothing(value):
        return MISSING
    if not _real(base):
        return NULL
    result = value % base
    return result if isinstance(result, np.ndarray) else plain(result)


@_builtin("list", 0, 10_000, sees_nothing=True)
def _list(*arguments: Any) -> list[Any]:
    # `List([i,j,k])` of the core dictionary is the list i, j, k.
    if len(arguments) == 1 and isinstance(arguments[0], (list, np.ndarray)):
        return list(plain(arguments[0]))
    return list(arguments)


@_builtin("table", 0, 10_000, sees_nothing=True)
def _table(*arguments: Any) -> dict[Any, Any]:
    if len(arguments) % 2 or not all(isinstance(key, str) for key in arguments[::2]):
        raise OperationError("a table is made of texts and values by turns")
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


@_builtin("matrix", 1, sees_nothing=True)
def _matrix(value: Any) -> Any:
    return MISSING if is_nothing(value) else array_of(value)


@_builtin("atoi", 1)
def _atoi(value: Any) -> Any:
    text = str(value).strip()
    if not isinstance(value, str) or len(text) > 300:
        raise OperationError(f"{describe(value)} stands where digits are needed")
    try:
        return int(text)
    except ValueError:
        return NULL


@_builtin("caseless", 1)
def _caseless(value: Any) -> Caseless:
    return Caseless(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise OperationError(f"{describe(value)} stands where a text is needed")
    return str(value)


@_builtin("upper", 1)
def _upper(value: Any) -> str:
    return _text(value).upper()


@_builtin("lower", 1)
def _lower(value: Any) -> str:
    return _text(value).lower()


@_builtin("char", 1)
def _char(value: Any) -> Any:
    code = _whole(value)
    return chr(code) if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000 else NULL


@_builtin("repr", 1)
def _repr(value: Any) -> str:
    return str(_whole(value)) if not isinstance(value, str) else value


@_builtin("is_missing", 1, sees_nothing=True)
def _is_missing(value: Any) -> bool:
    return value is MISSING


def _square(value: Any) -> np.ndarray:
    array = np.asarray(array_of(value))
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] > 100:
        raise OperationError(f"{describe(array)} of shape {array.shape} stands where a square matrix is needed")
    return array


@_builtin("minor", 1)
def _minor(value: Any) -> np.ndarray:
    matrix = _square(value)
    rows = range(len(matrix))
    found = [[np.linalg.det(np.delete(np.delete(matrix, i, 0), j, 1)) for j in rows] for i in rows]
    return np.array(found)


@_builtin("cofactor", 1)
def _cofactor(value: Any) -> np.ndarray:
    minors = _minor(value)
    signs = np.indices(minors.shape).sum(axis=0) % 2 * -2 + 1
    found: np.ndarray = minors * signs
    return found


@_builtin("adjoint", 1)
def _adjoint(value: Any) -> np.ndarray:
    found: np.ndarray = _cofactor(value).T
    return found


@_builtin("inverse", 1)
def _inverse(value: Any) -> Any:
    try:
        return np.linalg.inv(_square(value))
    except np.linalg.LinAlgError:
        return NULL


@_builtin("transpose", 1)
def _transpose(value: Any) -> Any:
    array = array_of(value)
    return array if is_nothing(array) else array.T


@_builtin("eigen", 1)
def _eigen(value: Any) -> np.ndarray:
    matrix = _square(value)
    numbers, vectors = np.linalg.eigh(matrix) if np.allclose(matrix, matrix.T) else np.linalg.eig(matrix)
    return np.column_stack([numbers, vectors.T])


@_builtin("det", 1)
def _determinant(value: Any) -> float:
    return float(np.linalg.det(_square(value)))


@_builtin("dot", 2)
def _dot(left: Any, right: Any) -> Any:
    try:
        return plain(np.dot(array_of(left), array_of(right)))
    except ValueError:
        raise OperationError("the dot product needs matrices that fit") from None


@_builtin("cross", 2)
def _cross(left: Any, right: Any) -> Any:
    from imgcif_core.ddlm.drel.values import OPERATORS

    return OPERATORS["^"](left, right)


@_builtin("norm", 1)
def _norm(value: Any) -> Any:
    # Every published use is the length of a vector, though the list of built-ins says root mean square.
    array = array_of(value)
    if is_nothing(array):
        return MISSING
    return math.sqrt(float((np.abs(array) ** 2).sum()))


def _sequence(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return plain(value)
    if isinstance(value, (str, list)):
        return value
    raise OperationError(f"{describe(value)} stands where a list or a text is needed")


@_builtin("first", 1)
def _first(value: Any) -> Any:
    found = _sequence(value)
    return found[0] if found else NULL


@_builtin("last", 1)
def _last(value: Any) -> Any:
    found = _sequence(value)
    return found[-1] if found else NULL


@_builtin("strip", 2)
def _strip(value: Any, index: Any) -> Any:
    # In the core dictionary `Strip(molelist, 0)` takes element 0 out of each row of a list of rows.
    found, place = _sequence(value), _whole(index)
    if isinstance(found, list) and found and all(isinstance(row, list) for row in found):
        if all(0 <= place < len(row) for row in found):
            return [row[place] for row in found]
        return NULL
    if not 0 <= place < len(found):
        return NULL
    return found[:place] + found[place + 1 :]


@_builtin("drop_missing", 1)
def _drop_missing(value: Any) -> list[Any]:
    return [entry for entry in _sequence(value) if entry is not MISSING]


@_builtin("len", 1)
def _len(value: Any) -> int:
    if isinstance(value, dict):
        return len(value)
    return len(_sequence(value))


@_builtin("indexof", 2)
def _indexof(value: Any, element: Any) -> int:
    found = _sequence(value)
    return next((index for index, entry in enumerate(found) if equal(entry, element) is True), -1)


@_builtin("sort", 1)
def _sort(value: Any) -> Any:
    found = _sequence(value)
    if any(is_nothing(entry) for entry in found):
        return MISSING
    try:
        ordered = sorted(found)
    except TypeError:
        raise OperationError("the elements have no common order") from None
    return "".join(ordered) if isinstance(found, str) else ordered


@_builtin("reverse", 1)
def _reverse(value: Any) -> Any:
    return _sequence(value)[::-1]


@_builtin("dim", 1)
def _dimensions(value: Any) -> Any:
    array = array_of(value)
    return array if is_nothing(array) else list(array.shape)


@_builtin("split", 2)
def _split(value: Any, character: Any) -> Any:
    text, mark = _text(value), _text(character)
    if len(mark) != 1:
        raise OperationError("a text is split at one character")
    return limited(text.split(mark)) if contains(mark, text) else text
