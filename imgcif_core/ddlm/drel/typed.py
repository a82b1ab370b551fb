"""From texts of a file to values of methods and back, by the type that the dictionary gives an item."""

from typing import Any

import numpy as np

from imgcif_core.cif.containers import Cell, decode_container
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.drel.errors import OperationError
from imgcif_core.ddlm.drel.values import (
    MISSING,
    NULL,
    Caseless,
    array_of,
    describe,
    is_nothing,
    is_number,
    plain,
)
from imgcif_core.ddlm.model import Item

_ARRAYS = frozenset({"Matrix", "Array"})
_ROUNDING = 1e-6


def typed(item: Item, text: str) -> Any:
    """A text as a value of the item's type; what is no such value is missing."""
    if item.container != "Single" and text[:1] in ("[", "{"):
        raw = text.encode("utf-8")
        return typed_container(item, decode_container(raw, 0, len(raw)))
    return _single(item, text)


def _single(item: Item, text: str) -> Any:
    """One text by the contents of its item."""
    if item.contents in ("Complex", "Imag"):
        return _complex(text)
    if item.is_numeric:
        number = parse_number(text.strip().encode("utf-8", "replace"))
        if number is None:
            return MISSING
        return int(number[0]) if item.contents != "Real" and number[0].is_integer() else number[0]
    return Caseless(text) if item.is_caseless else text


def _complex(text: str) -> Any:
    try:
        return complex(text.strip().replace("i", "j"))
    except ValueError:
        return MISSING


def typed_container(item: Item, found: Any) -> Any:
    """A decoded list or table as a list, a table or an array of values."""
    value = _nested(item, found)
    if item.container in _ARRAYS and item.is_numeric and isinstance(value, list):
        try:
            return array_of(value)
        except OperationError:
            return MISSING
    return value


def _nested(item: Item, found: Any) -> Any:
    """Lists and tables of values; recursion is bounded by the depth that the reader allows for."""
    if isinstance(found, list):
        return [_nested(item, entry) for entry in found]
    if isinstance(found, dict):
        return {key: _nested(item, entry) for key, entry in found.items()}
    if isinstance(found, Cell):
        if found.is_null:
            return MISSING if found.text == "?" else NULL
        return _single(item, found.text)
    return MISSING


def conform(item: Item, value: Any) -> Any:
    """A result as a value of the item's type.

    Raises
    ------
    OperationError
        If it is of another type.
    """
    if is_nothing(value):
        return value
    if item.container == "Single":
        return _conform_single(item, value)
    if item.container == "Table":
        if not isinstance(value, dict):
            raise OperationError(f"gives {describe(value)}, where the dictionary wants a table")
        return value
    if isinstance(value, np.ndarray) or item.container == "List":
        value = _whole_numbers(item, value)
        found = plain(value) if item.container == "List" else value
        if not isinstance(found, (list, np.ndarray)):
            raise OperationError(f"gives {describe(value)}, where the dictionary wants a {item.container}")
        return found
    if isinstance(value, list):
        return array_of(value) if item.is_numeric else value
    raise OperationError(f"gives {describe(value)}, where the dictionary wants a {item.container}")


def _whole_numbers(item: Item, value: Any) -> Any:
    """An array of integers where the item is one and rounding alone stands in the way."""
    is_real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    if item.contents != "Integer" or not is_real or np.any(np.abs(value - np.round(value)) >= _ROUNDING):
        return value
    return np.round(value).astype(np.int64)


def _conform_single(item: Item, value: Any) -> Any:
    """A single number or text of the item's contents."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0].item()
    if item.is_numeric:
        if isinstance(value, bool) or not is_number(value):
            raise OperationError(f"gives {describe(value)}, where the dictionary wants {item.contents}")
        number = plain(value)
        if isinstance(number, complex) and item.contents not in ("Complex", "Imag"):
            raise OperationError(f"gives a complex number, where the dictionary wants {item.contents}")
        if item.contents == "Integer" and isinstance(number, float) and abs(number - round(number)) < _ROUNDING:
            return round(number)
        return complex(number) if item.contents == "Complex" else number
    if isinstance(value, str):
        return Caseless(value) if item.is_caseless else str(value)
    if item.contents in ("Code", "Word", "Text") and is_number(value) and not isinstance(value, bool):
        return Caseless(str(plain(value))) if item.is_caseless else str(plain(value))
    raise OperationError(f"gives {describe(value)}, where the dictionary wants {item.contents}")
