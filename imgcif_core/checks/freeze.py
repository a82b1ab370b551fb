"""Inputs that several rules share are frozen: no rule can change what the next one sees."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from imgcif_core.cif.document import Block, Document, Source
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.tables import Tables

_DEPTH = 4
# What is no container, or stood there before any provider: the tables of one block lead to those of all others.
_PLAIN = (str, bytes, int, float, bool, complex, type(None), type, Tables, Document, Source, Block, Dictionary)


def frozen(value: Any) -> Any:
    """The same value with the arrays in it, as far as they lie open, no longer writable."""
    _freeze(value, _DEPTH, set())
    return value


def _freeze(value: Any, depth: int, seen: set[int]) -> None:
    """Go through a value and what it is made of."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        return
    if depth == 0 or isinstance(value, _PLAIN) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, (list, tuple)):
        # Long lists hold many of the same kind, made by one provider.
        parts = list(value)[:1000]
    elif type(value).__module__.startswith("imgcif_core."):
        parts = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ()) if isinstance(name, str)]
        parts.extend(getattr(value, "__dict__", {}).values())
    else:
        return
    for part in parts:
        _freeze(part, depth - 1, seen)
