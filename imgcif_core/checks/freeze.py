"""Inputs that several rules share are frozen: no rule can change what the next one sees."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from imgcif_core.cif.document import Block, Document, Source
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.tables import Tables

# Levels of parts that are gone through: what a rule writes into by mistake lies near the surface.
_DEPTH = 4
# Values of a mapping that are looked at; long ones hold many of the same kind, made by one provider.
_ENOUGH = 1000
# What is no container, or stood there before any provider: the tables of one block lead to those of all others.
_PLAIN = (str, bytes, int, float, bool, complex, type(None), type, Tables, Document, Source, Block, Dictionary)


class _Kinds(dict[type, Any]):
    """How the parts of the objects of a class are found, looked up once for each class; None for those without."""

    def __missing__(self, kind: type) -> Any:
        found: Any = None
        if issubclass(kind, _PLAIN):
            pass
        elif issubclass(kind, np.ndarray):
            found = np.ndarray
        elif issubclass(kind, Mapping):
            found = _first_values
        elif issubclass(kind, (list, tuple)):
            # Long ones hold many of the same kind, made by one provider.
            found = _first
        elif kind.__module__.startswith("imgcif_core."):
            found = _fields_of(kind)
        self[kind] = found
        return found


def _first_values(value: Mapping[Any, Any]) -> Iterable[Any]:
    """The values of a mapping, as many as are looked at."""
    return islice(value.values(), _ENOUGH)


def _first(value: Sequence[Any]) -> Sequence[Any]:
    """The parts of a list, as many as are looked at."""
    return value[:100]


def _fields_of(kind: type) -> Any:
    """How the attributes of the objects of a class of ours are found."""
    slots = [name for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]

    def fields(value: Any) -> list[Any]:
        return [getattr(value, name, None) for name in slots] + list(getattr(value, "__dict__", {}).values())

    return fields


_KINDS = _Kinds()


def frozen(value: Any) -> Any:
    """The same value with the arrays in it, as far as they lie open, no longer writable."""
    _freeze((value,), _DEPTH, set())
    return value


def _freeze(values: Iterable[Any], depth: int, seen: set[int]) -> None:
    """Go through some values and what they are made of."""
    for value in values:
        parts = _KINDS[type(value)]
        if parts is None:
            continue
        if parts is np.ndarray:
            value.flags.writeable = False
        elif depth and id(value) not in seen:
            seen.add(id(value))
            _freeze(parts(value), depth - 1, seen)
