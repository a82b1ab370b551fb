"""Each attribute by itself, judged by the DDLm reference dictionary: names, scopes, types and states."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Block, Place, Quoting
from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error, scope_of, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.model import Item
from imgcif_core.ddlm.types import PATTERNS, check_contents, in_states, wrong_rows
from imgcif_core.findings import Severity

_LISTS = ("List", "Array", "Matrix")
_SHOWN = 60


def attribute_names(subject: Subject) -> Iterator[DictionaryProblem]:
    """Attributes that DDLm does not define or has replaced."""
    for block in _blocks(subject):
        for name, column in block.columns.items():
            place = Place(column.source, column.name_start, column.name_end, block.name, None, name)
            item = subject.ddl.lookup(name)
            if item is None:
                yield DictionaryProblem("unknown-attribute", f"{column.name} is no attribute of DDLm", place)
            elif item.deprecated and subject.kind != "reference":
                by = next((other for other in item.replaced_by if other != "."), "nothing")
                message = f"{column.name} is deprecated in DDLm - {by} takes its place"
                yield DictionaryProblem("deprecated-attribute", message, place, Severity.WARNING)


def attribute_values(subject: Subject) -> Iterator[DictionaryProblem]:
    """Values that are not of the attribute's type, or not among its states."""
    for block in _blocks(subject):
        for name, column in block.columns.items():
            item = subject.ddl.lookup(name)
            if item is not None and item.contents != "Implied":
                yield from _container_problem(block, column, item)
                yield from _state_problems(block, column, item)
                yield from _type_problems(block, column, item)


def _blocks(subject: Subject) -> list[Block]:
    """The head of the dictionary and its save frames."""
    return [subject.file.document.blocks[0], *subject.file.document.blocks[0].frames]


def _problem(block: Block, column: Column, row: int, code: str, message: str) -> DictionaryProblem:
    """A problem with one value."""
    place = Place(column.source, int(column.starts[row]), int(column.ends[row]), block.name, None, column.name)
    return DictionaryProblem(code, message, place)


def _container_problem(block: Block, column: Column, item: Item) -> Iterator[DictionaryProblem]:
    """Lists where single values are due, and the other way round."""
    for row in range(len(column)):
        found = {Quoting.LIST: "a list", Quoting.TABLE: "a table"}.get(column.quoting_of(row), "a single value")
        expected = (
            "a list" if item.container in _LISTS else "a table" if item.container == "Table" else "a single value"
        )
        if found != expected and not column.is_null[row]:
            message = f"{column.name} is {found} - expected {expected}"
            yield _problem(block, column, row, "attribute-container", message)
            return


def _state_problems(block: Block, column: Column, item: Item) -> Iterator[DictionaryProblem]:
    """Values that DDLm does not enumerate."""
    if item.states is None:
        return
    for row in range(len(column)):
        text = column.text(row)
        if not column.is_null[row] and not in_states(item, text):
            states = ", ".join(item.states[:8]) + (", ..." if len(item.states) > 8 else "")
            message = f"{column.name} is {text[:_SHOWN]!r} - expected one of {states}"
            yield _problem(block, column, row, "attribute-state", message)


def _type_problems(block: Block, column: Column, item: Item) -> Iterator[DictionaryProblem]:
    """Values that are not of the type, in lists too."""
    for row in wrong_rows(item, column):
        message = f"{column.name} is {column.text(int(row))[:_SHOWN]!r} - expected a value of type {item.contents}"
        yield _problem(block, column, int(row), "attribute-type", message)
    if item.container not in _LISTS or item.contents not in PATTERNS:
        return
    rows = np.flatnonzero(np.isin(column.quoting, (Quoting.LIST,))) if column.quoting is not None else ()
    for row in rows:
        for cell in column.cells(int(row)):
            if not cell.is_null and not check_contents(item.contents, cell.text):
                message = f"{column.name} holds {cell.text[:_SHOWN]!r} - expected values of type {item.contents}"
                yield _problem(block, column, int(row), "attribute-type", message)


def scopes(subject: Subject) -> Iterator[DictionaryProblem]:
    """Attributes that a scope demands or forbids."""
    rules = subject.ddl.facts.get("valid", ())
    for rule in rules:
        scope, names = rule["scope"].lower(), rule["attributes"]
        if scope == "dictionary":
            yield from _head_attributes(subject, rule["option"], names)
            continue
        frames = [frame for frame in subject.frames if scope_of(frame) == scope]
        for frame in frames:
            if rule["option"] == "Prohibited":
                yield from _forbidden(frame, names, scope)
            elif rule["option"] == "Mandatory" and not subject.is_template:
                lacking = [name for name in names if not frame.all(name)]
                if lacking:
                    message = f"{frame.name} lacks {', '.join(lacking)}, mandatory for the scope {scope}"
                    yield error("missing-attribute", message, frame)


def _forbidden(frame: Frame, names: list[str], scope: str) -> Iterator[DictionaryProblem]:
    """Attributes, or whole categories of them, that do not belong into a scope."""
    for name in frame.block.columns:
        category = name.partition(".")[0].lstrip("_")
        if category in names or name in names:
            yield error("forbidden-attribute", f"{name} has no place in a definition of scope {scope}", frame, name)


def _head_attributes(subject: Subject, option: str, names: list[str]) -> Iterator[DictionaryProblem]:
    """Attributes of the dictionary as a whole."""
    block = subject.file.document.blocks[0]
    place = Place(subject.file.source, block.start, block.end, block.name)
    if option == "Mandatory":
        # A template defines nothing, and needs no space for names.
        needed = [name for name in names if not (subject.is_template and name == "_dictionary.namespace")]
        lacking = [name for name in needed if name not in block.columns]
        if lacking:
            message = f"dictionary lacks {', '.join(lacking)}"
            yield DictionaryProblem("missing-attribute", message, place)
    elif option == "Prohibited":
        for name, column in block.columns.items():
            if name.partition(".")[0].lstrip("_") in names:
                here = Place(column.source, column.name_start, column.name_end, block.name, None, name)
                yield DictionaryProblem("forbidden-attribute", f"{name} has no place outside a save frame", here)


def imports(subject: Subject) -> Iterator[DictionaryProblem]:
    """Import requests: their keys, modes and options."""
    known = subject.ddl.lookup("_import_details.single_index")
    words = {"mode": "mode", "dupl": "if_dupl", "miss": "if_miss"}
    for frame in subject.frames:
        for request in frame.imports:
            for key, value in request.items():
                if known is not None and not in_states(known, key):
                    yield error("import-key", f"import request has the unknown key {key!r}", frame, "_import.get")
                option = subject.ddl.lookup(f"_import_details.{words[key]}") if key in words else None
                if option is not None and not in_states(option, value):
                    message = f"import request has {key} {value!r} - expected {' or '.join(option.states or ())}"
                    yield error("import-option", message, frame, "_import.get")
            if request.get("mode", "").lower() == "full" and scope_of(frame) != "category":
                message = "mode Full imports whole definitions, which only a category can"
                yield error("import-mode", message, frame, "_import.get")
        if not frame.imports and "_import.get" in frame.block.columns:
            yield warning("import-key", "_import.get holds no import request", frame, "_import.get")


CHECKS = (attribute_names, attribute_values, scopes, imports)
