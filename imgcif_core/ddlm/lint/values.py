"""What a definition says of values: type, purpose, shape, states, range, default and unit agree."""

import re
from collections.abc import Iterator

from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error, info, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.types import check_contents

_RANGE = re.compile(r"\s*([^:\s]*)\s*:\s*([^:\s]*)\s*\Z")
_NUMBERS = frozenset({"Real", "Integer", "Imag", "Complex", "Count", "Index"})
_SHAPED = frozenset({"List", "Array", "Matrix"})
_NULLS = (".", "?")


def purposes(subject: Subject) -> Iterator[DictionaryProblem]:
    """Purposes that demand states, numbers or a kind of source."""
    for frame, item in subject.items():
        if item.purpose == "State" and item.states is None:
            message = f"{item.id} has the purpose State, but enumerates no states"
            yield error("missing-states", message, frame, "_type.purpose")
        if item.purpose in ("Number", "Measurand", "SU") and item.contents not in _NUMBERS:
            message = f"{item.id} has the purpose {item.purpose}, but contents of type {item.contents}"
            yield error("purpose-contents", message, frame, "_type.purpose")
        if item.contents in ("Real", "Imag", "Complex") and item.purpose in ("Describe", "State", "Link"):
            message = f"{item.id} has contents of type {item.contents}, but the purpose {item.purpose}"
            yield warning("purpose-contents", message, frame, "_type.purpose")
        if item.contents in ("Count", "Index"):
            message = f"{item.id} has the old type {item.contents} - expected Integer with a range"
            yield warning("old-type", message, frame, "_type.contents")
        if item.source == "Recorded" and _has_method(frame, "evaluation"):
            message = f"{item.id} is Recorded, a primitive item, but has a method to evaluate it"
            yield warning("method-of-primitive", message, frame, "_type.source")


def _has_method(frame: Frame, purpose: str) -> bool:
    """True if a definition has a method of a purpose; without one it is an evaluation."""
    columns = frame.block.columns
    column = columns.get("_method.purpose")
    if column is None:
        return purpose == "evaluation" and "_method.expression" in columns
    return purpose in {text.lower() for text in column.texts()}


def reserved(subject: Subject) -> Iterator[DictionaryProblem]:
    """Types and purposes that DDLm keeps for the dictionary of its own attributes."""
    for frame in subject.frames if subject.kind != "reference" else ():
        for name, words in _RESERVED.items():
            if frame.first(name).capitalize() in words:
                message = f"{name} of {frame.id} is {frame.first(name)}, which only reference dictionaries use"
                yield error("reserved-word", message, frame, name)


_RESERVED = {
    "_type.contents": ("Implied", "Inherited"),
    "_type.container": ("Implied",),
    "_type.purpose": ("Import", "Method", "Audit", "Identify"),
}


def shapes(subject: Subject) -> Iterator[DictionaryProblem]:
    """Dimensions only where values have a shape."""
    for frame, item in subject.items():
        if item.dimension and item.container not in _SHAPED:
            message = f"{item.id} is {item.container}, but has the dimension {item.dimension}"
            yield error("dimension-of-single", message, frame, "_type.dimension")
        elif item.container in _SHAPED and not item.dimension and "_type.dimension" not in item.sets:
            message = f"{item.id} is {item.container}, but has no dimension"
            tell = info if item.container == "List" else warning
            yield tell("missing-dimension", message, frame, "_type.container")
        if item.container == "Matrix" and item.contents not in _NUMBERS:
            message = f"{item.id} is a Matrix, but has contents of type {item.contents}"
            yield error("matrix-of-text", message, frame, "_type.contents")
        if item.indices and item.container != "Table":
            message = f"{item.id} is {item.container}, but has a type for the keys of a table"
            yield error("indices-of-single", message, frame, "_type.indices")


def states(subject: Subject) -> Iterator[DictionaryProblem]:
    """Enumerated states: each once, and of the type of the item."""
    for frame, item in subject.items():
        seen: dict[str, int] = {}
        for row, state in enumerate(frame.all("_enumeration_set.state")):
            key = state.casefold() if item.is_caseless else state
            if seen.setdefault(key, row) != row:
                message = f"{item.id} has the state {state!r} twice"
                yield error("duplicate-state", message, frame, "_enumeration_set.state", row)
            elif state not in _NULLS and item.container == "Single" and not check_contents(item.contents, state):
                message = f"state {state!r} of {item.id} is not of type {item.contents}"
                yield error("state-type", message, frame, "_enumeration_set.state", row)


def ranges(subject: Subject) -> Iterator[DictionaryProblem]:
    """Ranges: readable, the smaller end first, and of numbers."""
    for frame, item in subject.items():
        text = frame.first("_enumeration.range")
        if not text:
            continue
        match = _RANGE.match(text)
        ends = [parse_number(part.encode()) if part else None for part in match.groups()] if match else []
        if not match or any(part and end is None for part, end in zip(match.groups(), ends, strict=True)):
            message = f"range {text!r} of {item.id} is not of the form low:high"
            yield error("range-form", message, frame, "_enumeration.range")
            continue
        low, high = ends
        if low is None and high is None:
            message = f"range {text!r} of {item.id} has no end"
            yield error("range-form", message, frame, "_enumeration.range")
        if low is not None and high is not None and low[0] > high[0]:
            message = f"range {text!r} of {item.id} has its larger end first"
            yield error("range-order", message, frame, "_enumeration.range")
        if item.contents == "Integer" and any(end is not None and not end[0].is_integer() for end in (low, high)):
            message = f"range {text!r} of {item.id}, an integer, has an end that is none"
            yield error("range-of-integer", message, frame, "_enumeration.range")
        if item.contents not in _NUMBERS:
            message = f"{item.id} has a range, but contents of type {item.contents}"
            yield error("range-of-text", message, frame, "_enumeration.range")


def units(subject: Subject) -> Iterator[DictionaryProblem]:
    """Units for numbers, none for text."""
    for frame, item in subject.items():
        if item.units and item.contents not in _NUMBERS:
            message = f"{item.id} has the unit {item.units}, but contents of type {item.contents}"
            yield error("unit-of-text", message, frame, "_units.code")
        if item.contents in _NUMBERS and not item.units and "_units.code" not in item.sets:
            yield warning("missing-unit", f"{item.id} is a number without a unit", frame, "_type.contents")


CHECKS = (purposes, reserved, shapes, states, ranges, units)
