"""Typed access to what a source holds, with one clear line where it does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imgcif_core.errors import InputError

# Beyond all that an experiment measures, and far below where products overflow.
_LARGEST = 1e100


class Record:
    """A mapping of a file, with the name of the file and the place for messages."""

    def __init__(self, data: Any, path: str, place: str) -> None:
        if not isinstance(data, Mapping):
            raise InputError(f"{path}: {place} is {_kind(data)}, expected named values")
        self.data, self.path, self.place = data, path, place

    def has(self, name: str) -> bool:
        """True if the value is given and not null."""
        return self.data.get(name) is not None

    def fail(self, name: str, expected: str) -> InputError:
        """The exception for a value that is missing or not of the kind expected."""
        found = f"is {_kind(self.data[name])}" if name in self.data else "is missing"
        return InputError(f"{self.path}: {self.place}, {name} {found}, expected {expected}")

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.data.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < _LARGEST:
            raise self.fail(name, "a finite number")
        return float(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.number(name, None if default is None else float(default))
        if value != int(value):
            raise self.fail(name, "a whole number")
        return int(value)

    def text(self, name: str, default: str = "") -> str:
        """A text; null counts as absent."""
        value = self.data.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.fail(name, "a text")
        return value

    def numbers(self, name: str, length: int | None = None) -> np.ndarray:
        """A list of finite numbers: (length,) float64."""
        value = self.data.get(name)
        try:
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError, OverflowError):
            raise self.fail(name, "numbers") from None
        if value is None or array.ndim != 1 or (length is not None and len(array) != length):
            raise self.fail(name, f"{length} numbers" if length is not None else "a list of numbers")
        if not (np.abs(array) < _LARGEST).all():
            raise self.fail(name, "finite numbers")
        return array

    def records(self, name: str) -> list["Record"]:
        """A list of named values; empty where it is absent."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.fail(name, "a list")
        return [Record(entry, self.path, f"{name} {index + 1}") for index, entry in enumerate(value)]


def _kind(value: Any) -> str:
    """What a value is, in a few words."""
    if value is None:
        return "null"
    if isinstance(value, (str, int, float)):
        return repr(value)[:60]
    return f"a {type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else f"a {type(value).__name__}"
