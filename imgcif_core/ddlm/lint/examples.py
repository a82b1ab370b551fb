"""Examples in definitions: values of their item, or text that follows the syntax of CIF."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Block, Document, Quoting, Source
from imgcif_core.cif.reader import read
from imgcif_core.ddlm.lint.subject import Subject, info, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.model import Item
from imgcif_core.ddlm.types import check_contents, in_ranges, in_states, wrong_rows

_CASE = "_description_example.case"
_SHOWN = 40
_LONGEST = 200_000
_PROSE = re.compile(r"\s*(?:[A-Z][\w.]*)(?:\s+[\w(.'-]+,?){2,}")
_BEGINNING = re.compile(r"\s*(?:_\w+[.\w\[\]/-]*(?:\s|$)|loop_(?:\s|$)|data_\S|###CBF)", re.I)


def values(subject: Subject) -> Iterator[DictionaryProblem]:
    """Examples of items: of their type, and one of their states."""
    for frame, item in subject.items():
        column = frame.block.columns.get(_CASE)
        if column is None or item.container != "Single":
            continue
        for row in range(len(column)):
            text = column.text(row)
            if column.is_null[row] or "\n" in text.strip() or column.quoting_of(row) in (Quoting.LIST, Quoting.TABLE):
                continue
            if not check_contents(item.contents, text):
                message = f"example {text[:_SHOWN]!r} of {item.id} is not of type {item.contents}"
                yield warning("example-type", message, frame, _CASE, row)
            elif item.states is not None and item.states_mandatory and not in_states(item, text):
                message = f"example {text[:_SHOWN]!r} of {item.id} is none of its states"
                yield warning("example-state", message, frame, _CASE, row)


def fragments(subject: Subject) -> Iterator[DictionaryProblem]:
    """Examples of categories, which are pieces of CIF: their syntax, and then the values in them."""
    for frame in subject.categories():
        column = frame.block.columns.get(_CASE)
        for row in range(len(column)) if column is not None else ():
            text = _cif_of(column.text(row)) if column is not None else ""
            if not text or len(text) > _LONGEST:
                continue
            document, fault = _read(text)
            label = f"example {row + 1} of {frame.id}"
            if fault:
                message = f"{label} does not follow the syntax of CIF 2.0, nor of CIF 1.1: {fault}"
                yield info("example-syntax", message, frame, _CASE, row)
                continue
            told: set[tuple[str, str]] = set()
            for code, name, words in _faults(subject, document):
                if (code, name) not in told:
                    told.add((code, name))
                    tell = info if code == "example-name" else warning
                    yield tell(code, f"{label} {words}", frame, _CASE, row)


def _read(text: str) -> tuple[Document, str]:
    """An example in the version of CIF whose syntax it follows, and what breaks both where it follows neither."""
    told = ""
    for version in ("2.0", "1.1"):
        head = "" if text.lstrip().startswith("data_") else "data_x\n"
        document = read(Source("example", f"#\\#CIF_{version}\n{head}{text}\n".encode()))
        errors = [problem for problem in document.problems if problem.severity == "error"]
        if not errors:
            return document, ""
        first = errors[0]
        shown = document.source.data[first.start : first.start + _SHOWN].decode("utf-8", "replace").splitlines()
        told = told or f"{first.variant.replace('-', ' ') or first.code} at {(shown or [''])[0]!r}"
    return document, told


def _faults(subject: Subject, document: Document) -> Iterator[tuple[str, str, str]]:
    """What the values in an example break of the definitions of their items: a code, the item, and the words for it."""
    for block in document.blocks:
        for column in block.columns.values():
            item = subject.dictionary.lookup(column.name)
            if item is None:
                if not subject.has_gaps:
                    yield "example-name", column.name, f"uses {column.name}, which nothing defines"
                continue
            yield from _faults_of(item, column)
        yield from _repeated_keys(subject, block)


def _repeated_keys(subject: Subject, block: Block) -> Iterator[tuple[str, str, str]]:
    """Rows of a loop in an example that have the same key, where the whole key stands there."""
    for loop in block.loops:
        columns = {item.id: column for column in loop.columns if (item := subject.dictionary.lookup(column.name))}
        categories = {item.category for name in columns if (item := subject.dictionary.lookup(name))}
        keys = [key.id for key in subject.dictionary.key_items(next(iter(categories)))] if len(categories) == 1 else []
        if not keys or not all(key in columns for key in keys):
            continue
        rows = Counter(zip(*(columns[key].texts() for key in keys), strict=True))
        twice = next((row for row, count in rows.items() if count > 1), None)
        if twice is not None:
            yield "example-key", keys[0], f"has two rows with the key {' '.join(twice)} ({', '.join(keys)})"


def _faults_of(item: Item, column: Column) -> Iterator[tuple[str, str, str]]:
    """The values of one item in an example against its type, its states and its ranges."""
    rows = [row for row in range(len(column)) if not column.is_null[row]]
    is_list = {row: column.quoting_of(row) in (Quoting.LIST, Quoting.TABLE) for row in rows}
    for row in rows:
        if is_list[row] is not (item.container != "Single"):
            found = "a single value" if item.container != "Single" else "a list or table"
            yield "example-type", item.id, f"gives {item.id} as {found}, but it is {item.container}"
            return
    if item.container != "Single":
        return
    for row in wrong_rows(item, column):
        text = column.text(int(row))
        yield "example-type", item.id, f"has the value {text[:_SHOWN]!r} of {item.id}, not of type {item.contents}"
    for row in rows if item.states is not None and item.states_mandatory else ():
        text = column.text(row)
        if not in_states(item, text) and text not in item.tolerated:
            yield "example-state", item.id, f"has the value {text[:_SHOWN]!r} of {item.id}, none of its states"
    numbers = column.numbers()
    if item.is_numeric:
        for at in np.flatnonzero(numbers.valid & ~in_ranges(item, numbers.values, numbers.su)):
            yield "example-range", item.id, f"has the value {column.text(int(at))} of {item.id}, outside its range"


def _cif_of(text: str) -> str:
    """The piece of CIF in an example: without words before and behind, semicolons back at the start of their lines."""
    lines = text.splitlines()
    first = next((row for row, line in enumerate(lines) if _BEGINNING.match(line)), None)
    if first is None or any(line.strip(" #") in ("...", "....", ". . .", "- - -") for line in lines):
        return ""
    piece = "\n".join(re.sub(r"^\s+;\s*", ";", line) for line in lines[first:])
    paragraphs = re.split(r"\n\s*\n", piece)
    while len(paragraphs) > 1 and _PROSE.match(paragraphs[-1]):
        paragraphs.pop()
    return "\n\n".join(paragraphs)


CHECKS = (values, fragments)
