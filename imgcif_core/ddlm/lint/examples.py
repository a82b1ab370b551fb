"""Examples in definitions: values of their item, or text that follows the syntax of CIF."""

import re
from collections.abc import Iterator

from imgcif_core.cif.document import Quoting, Source
from imgcif_core.cif.reader import read
from imgcif_core.ddlm.lint.subject import Subject, info, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.types import check_contents, in_states

_CASE = "_description_example.case"
_SHOWN = 40
_LONGEST = 200_000
_PROSE = re.compile(r"\s*(?:[A-Z][\w.]*)(?:\s+[\w(.'-]+,?){2,}")
_BEGINNING = re.compile(r"\s*(?:_\w+[.\w\[\]/-]*(?:\s|$)|loop_\s*$|data_\S|###CBF)", re.I)


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
    """Examples of categories, which are pieces of CIF."""
    for frame in subject.categories():
        column = frame.block.columns.get(_CASE)
        for row in range(len(column)) if column is not None else ():
            text = column.text(row) if column is not None else ""
            fault = _fault(text) if len(text) < _LONGEST else ""
            if fault:
                message = (
                    f"example {row + 1} of {frame.id} does not follow the syntax of CIF 2.0, nor of CIF 1.1: {fault}"
                )
                yield info("example-syntax", message, frame, _CASE, row)


def _fault(text: str) -> str:
    """What breaks the syntax of an example in both versions of CIF, or an empty text."""
    text = _cif_of(text)
    if not text:
        return ""
    told = ""
    for version in ("2.0", "1.1"):
        head = "" if text.lstrip().startswith("data_") else "data_x\n"
        source = Source("example", f"#\\#CIF_{version}\n{head}{text}\n".encode())
        errors = [problem for problem in read(source).problems if problem.severity == "error"]
        if not errors:
            return ""
        first = errors[0]
        shown = source.data[first.start : first.start + _SHOWN].decode("utf-8", "replace").splitlines()
        told = told or f"{first.variant.replace('-', ' ') or first.code} at {(shown or [''])[0]!r}"
    return told


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
