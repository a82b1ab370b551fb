"""Items that definitions name for their type, their defaults or their replacement."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.cif.containers import Cell
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.model import Item
from imgcif_core.ddlm.types import check_contents, in_ranges, in_states

NULLS = (".", "?", "")
_SINGLE = ("_type.contents_referenced_id", "_type.indices_referenced_id", "_definition_replaced.by")
_INDEX = ("_enumeration.def_index_id", "_enumeration.def_index_ids")
_TABLES = ("_enumeration_default", "_enumeration_defaults")


def targets(subject: Subject) -> Iterator[DictionaryProblem]:
    """Names of other items: defined, and not those of the definition itself."""
    for frame in subject.frames if not subject.is_template else ():
        for attribute in (*_SINGLE, *_INDEX):
            for row, name in _named(frame, attribute):
                item = subject.dictionary.lookup(name)
                if not subject.defines(name):
                    message = f"{attribute} names {name}, which is not defined"
                    yield error("missing-target", message, frame, attribute, row)
                elif frame.id.lower() in (name.lower(), item.id.lower() if item else ""):
                    yield error("refers-to-itself", f"{attribute} of {frame.id} names itself", frame, attribute, row)


def _named(frame: Frame, attribute: str) -> Iterator[tuple[int, str]]:
    """The names that an attribute holds, in lists too, with their rows."""
    column = frame.block.columns.get(attribute)
    for row in range(len(column) if column is not None else 0):
        value = column.value(row) if column is not None else ""
        names = [cell.text for cell in value if isinstance(cell, Cell)] if isinstance(value, list) else [str(value)]
        for name in names:
            if name not in NULLS:
                yield row, name


def references(subject: Subject) -> Iterator[DictionaryProblem]:
    """A type taken by reference names an item, and an item is named only for a type taken by reference."""
    for frame, item in subject.items():
        for kind in ("contents", "indices"):
            named, is_by_reference = (
                frame.all(f"_type.{kind}_referenced_id"),
                frame.first(f"_type.{kind}") == "ByReference",
            )
            if is_by_reference and not named:
                message = f"{item.id} takes its type by reference, but names no item"
                yield error("missing-target", message, frame, f"_type.{kind}")
            elif named and not is_by_reference:
                message = f"{item.id} names {named[0]} for its type, but _type.{kind} is not ByReference"
                yield error("unused-reference", message, frame, f"_type.{kind}_referenced_id")


def default_tables(subject: Subject) -> Iterator[DictionaryProblem]:
    """Defaults in a table: with the items that are its index, and values of the item."""
    for frame, item in subject.items():
        has_index = any(frame.all(name) for name in _INDEX)
        values = [(f"{table}.value", value) for table in _TABLES for value in frame.all(f"{table}.value")]
        if has_index and not values:
            yield error(
                "default-table", f"{item.id} names an index of defaults, but gives no table", frame, _index(frame)
            )
        elif values and not has_index:
            message = f"{item.id} gives a table of defaults, but names no item as its index"
            yield error("default-table", message, frame, values[0][0])
        told: set[str] = set()
        for row, (attribute, value) in enumerate(values):
            fault = _fault(item, value) if value not in NULLS and value not in told else None
            if fault:
                told.add(value)
                yield error(
                    f"default-{fault[0]}", f"tabulated default {value!r} of {item.id} {fault[1]}", frame, attribute, row
                )


def _index(frame: Frame) -> str:
    """The attribute that names the index of a table of defaults."""
    return next(name for name in _INDEX if frame.all(name))


def _fault(item: Item, value: str) -> tuple[str, str] | None:
    """What keeps a default from being a value of its item: a kind, and the words for it."""
    if item.container != "Single":
        return None
    if not check_contents(item.contents, value):
        return "type", f"is not of type {item.contents}"
    if item.states is not None and item.states_mandatory and not in_states(item, value):
        return "state", "is none of its states"
    number = parse_number(value.encode())
    if number is not None and item.is_numeric and not in_ranges(item, np.array([number[0]]), np.array([np.nan]))[0]:
        return "range", "lies outside its range"
    return None


def defaults(subject: Subject) -> Iterator[DictionaryProblem]:
    """Defaults are values of the item: of its type, one of its states, within its range."""
    for frame, item in subject.items():
        fault = _fault(item, item.default) if item.default is not None and item.default not in NULLS else None
        if fault:
            message = f"default {item.default!r} of {item.id} {fault[1]}"
            yield error(f"default-{fault[0]}", message, frame, "_enumeration.default")


def lost_deprecations(subject: Subject) -> Iterator[DictionaryProblem]:
    """Items that an imported dictionary has replaced, and that are defined here as if they were current."""
    for frame, item in subject.items():
        layers = [
            other.layer for other in subject.definitions[item.id.lower()][1:] if "definition_replaced" in other.groups
        ]
        if layers and "definition_replaced" not in frame.groups:
            message = f"{item.id} is replaced in {', '.join(layers)}, which its definition here does not say"
            yield warning("lost-deprecation", message, frame, "_definition.id")


CHECKS = (targets, references, default_tables, defaults, lost_deprecations)
