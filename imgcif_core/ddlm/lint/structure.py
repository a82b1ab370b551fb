"""The dictionary as a whole: its head, names that must be unique, the order of its history."""

import re
from collections.abc import Iterator

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error, scope_of, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.types import check_contents
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
        place = Place(subject.file.source, block.start, block.end, block.name)
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


def head_items(subject: Subject) -> Iterator[DictionaryProblem]:
    """Items that belong to the Head, which has none."""
    heads = {frame.id.lower() for frame in subject.categories() if frame.first("_definition.class").lower() == "head"}
    for frame, item in subject.items():
        if item.category in heads:
            message = f"{item.id} belongs to the Head {item.category.upper()} - expected a category that holds items"
            yield error("item-in-head", message, frame, "_name.category_id")


def template_identity(subject: Subject) -> Iterator[DictionaryProblem]:
    """Attributes that say what a definition is; a template that brings them would rename what imports it."""
    for frame in subject.frames if subject.is_template else ():
        for name in _IDENTITY:
            if frame.all(name):
                yield error("template-identity", f"template {frame.name} sets {name}", frame, name)


_IDENTITY = ("_definition.id", "_definition.scope", "_definition.class", "_name.object_id")


def functions(subject: Subject) -> Iterator[DictionaryProblem]:
    """Functions without the method that they are."""
    for frame in subject.frames:
        is_function = frame.first("_definition.class").lower() == "functions" and scope_of(frame) == "item"
        if is_function and not frame.all("_method.expression"):
            yield error("method-missing", f"{frame.id} is a function without a method", frame, "_definition.class")


def data_names(subject: Subject) -> Iterator[DictionaryProblem]:
    """Data names that are not made of category and object."""
    for frame, item in subject.items():
        name = f"_{item.category}.{frame.first('_name.object_id')}".lower()
        # What holds brackets or other marks can be no object id; its marks stand there as underscores.
        plain = re.sub(r"[^\w.]", "_", item.id.lower())
        is_spelt = plain.strip("_") == name.strip("_") or not check_contents("Name", item.id.rpartition(".")[2])
        if item.id.lower() != name and "." in item.id and not is_spelt:
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
        if precedence(versions.text(row)) < precedence(versions.text(row - 1)):
            yield problem(row, f"version {versions.text(row)} stands after {versions.text(row - 1)}")
        elif dates.text(row) < dates.text(row - 1):
            yield problem(row, f"date {dates.text(row)} stands after {dates.text(row - 1)}")
    last = len(versions) - 1
    if not subject.file.version:
        return
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
    return frame.source.line_of(frame.start)


def precedence(version: str) -> tuple[object, ...]:
    """The precedence of a semantic version: numbers first, a pre-release below its release, build data aside."""
    core, _, pre = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) for part in re.findall(r"\d+", core)[:3])
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split("."))
    return (numbers, not pre, parts if pre else ())


CHECKS = (
    head_category,
    definition_classes,
    unique_ids,
    frame_names,
    head_items,
    template_identity,
    functions,
    data_names,
    history,
    update_dates,
)
