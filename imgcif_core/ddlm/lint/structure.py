"""The dictionary as a whole: its head, names that must be unique, the order of its history."""

import re
from collections.abc import Iterator

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.lint.subject import Subject, error, scope_of, warning
from imgcif_core.ddlm.load import DictionaryProblem, Frame
from imgcif_core.findings import Severity


def head_category(subject: Subject) -> Iterator[DictionaryProblem]:
    """One category of class Head, named in the dictionary's title."""
    heads = [frame for frame in subject.frames if frame.first("_definition.class").lower() == "head"]
    if subject.is_template:
        for frame in heads:
            yield error("head-category", "a template dictionary has no Head", frame, "_definition.class")
        return
    if not heads:
        block = subject.file.document.blocks[0]
        place = Place(subject.file.document.source, block.start, block.end, block.name)
        yield DictionaryProblem("head-category", "dictionary has no category of class Head", place)
    for frame in heads[1:]:
        message = f"{frame.name} is a second Head besides {heads[0].name}"
        yield error("head-category", message, frame, "_definition.class")
    for frame in heads[:1]:
        parent = frame.first("_name.category_id")
        if parent.lower() != subject.file.title.lower():
            message = f"Head has the parent {parent} - expected the dictionary's title {subject.file.title}"
            yield warning("head-category", message, frame, "_name.category_id")


def definition_classes(subject: Subject) -> Iterator[DictionaryProblem]:
    """Classes that fit the scope and the kind of dictionary."""
    for frame in subject.frames:
        name = frame.first("_definition.class").lower()
        if not name:
            continue
        is_category = scope_of(frame) == "category"
        if is_category != (name in ("head", "loop", "set", "functions")):
            scope = "category" if is_category else "item"
            message = f"{frame.name} is of class {name}, which is none for a definition of scope {scope}"
            yield error("definition-class", message, frame, "_definition.class")
        if name == "attribute" and subject.kind == "instance":
            message = f"{frame.name} is of class Attribute, which only a reference dictionary defines"
            yield error("definition-class", message, frame, "_definition.class")


def unique_ids(subject: Subject) -> Iterator[DictionaryProblem]:
    """Definition ids, and names for methods, that two frames claim."""
    seen: dict[str, Frame] = {}
    for frame in subject.frames:
        key = frame.id.lower()
        first = seen.setdefault(key, frame)
        if first is not frame:
            message = f"{frame.id} is defined again - first in save frame {first.name}, line {_line(first)}"
            yield error("duplicate-definition", message, frame, "_definition.id")
    if subject.is_template:
        return
    objects: dict[tuple[str, str], Frame] = {}
    for frame, item in subject.items():
        pair = (item.category, frame.first("_name.object_id").lower())
        other = objects.setdefault(pair, frame)
        if other is not frame and pair[1]:
            message = f"{frame.id} and {other.id} have the same method name {'.'.join(pair)}"
            yield error("duplicate-object", message, frame, "_name.object_id")


def frame_names(subject: Subject) -> Iterator[DictionaryProblem]:
    """Save frames that are not named after what they define, and ids that are no names."""
    for frame in subject.frames:
        identifier = frame.first("_definition.id")
        if not identifier:
            continue
        if frame.name.lower() != identifier.lower().removeprefix("_"):
            message = f"save frame {frame.name} defines {identifier}"
            yield warning("frame-name", message, frame, "_definition.id")
        is_name = re.fullmatch(r"_\S+", identifier) is not None
        if is_name is (scope_of(frame) == "category"):
            expected = "without" if is_name else "with"
            message = f"{identifier} is defined as {scope_of(frame)} - expected a name {expected} underscore"
            yield error("definition-id", message, frame, "_definition.id")


def data_names(subject: Subject) -> Iterator[DictionaryProblem]:
    """Data names that are not made of category and object."""
    for frame, item in subject.items():
        name = f"_{item.category}.{frame.first('_name.object_id')}".lower()
        if item.id.lower() != name and "." in item.id:
            message = f"{item.id} is not the category and object {name}, by which methods know it"
            yield warning("data-name-form", message, frame, "_name.object_id")


def history(subject: Subject) -> Iterator[DictionaryProblem]:
    """Versions and dates of the dictionary's history in order, the last one being its own."""
    columns = subject.file.document.blocks[0].columns
    versions, dates = columns.get("_dictionary_audit.version"), columns.get("_dictionary_audit.date")
    if versions is None or dates is None or len(versions) != len(dates):
        return

    def problem(row: int, message: str, severity: Severity = Severity.WARNING) -> DictionaryProblem:
        place = Place(versions.source, int(versions.starts[row]), int(versions.ends[row]))
        return DictionaryProblem("dictionary-history", message, place, severity)

    for row in range(1, len(versions)):
        if _numbers(versions.text(row)) < _numbers(versions.text(row - 1)):
            yield problem(row, f"version {versions.text(row)} stands after {versions.text(row - 1)}")
        elif dates.text(row) < dates.text(row - 1):
            yield problem(row, f"date {dates.text(row)} stands after {dates.text(row - 1)}")
    last = len(versions) - 1
    if last >= 0 and versions.text(last) != subject.file.version:
        yield problem(
            last, f"history ends with version {versions.text(last)}, the dictionary is {subject.file.version}"
        )
    elif last >= 0 and dates.text(last) != subject.file.date:
        yield problem(last, f"history ends on {dates.text(last)}, the dictionary is of {subject.file.date}")


def update_dates(subject: Subject) -> Iterator[DictionaryProblem]:
    """Definitions that are newer than the dictionary."""
    for frame in subject.frames:
        date = frame.first("_definition.update")
        if subject.file.date and date > subject.file.date:
            message = f"{frame.name} was changed on {date}, after the dictionary's date {subject.file.date}"
            yield warning("update-date", message, frame, "_definition.update")


def _line(frame: Frame) -> int:
    """The line of a frame's heading."""
    return frame.document.source.line_of(frame.block.start)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparison."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


CHECKS = (head_category, definition_classes, unique_ids, frame_names, data_names, history, update_dates)
