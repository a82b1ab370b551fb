"""What definitions say of each other: parents, keys, links, aliases, replacements, uncertainties."""

import re
from collections.abc import Iterator

from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error, info, scope_of, warning
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.model import Item
from imgcif_core.findings import Severity

_MENTION = re.compile(r"(?<![\w.\]])_[a-z][a-z0-9_]*\.[a-z][\w\[\]/-]*[\w\]]", re.I)


def parents(subject: Subject) -> Iterator[DictionaryProblem]:
    """Categories to which definitions belong: defined, of the right class, and without a circle."""
    for frame in subject.frames:
        parent = frame.first("_name.category_id")
        if subject.is_template or not parent or frame.first("_definition.class").lower() == "head":
            continue
        found = subject.definitions.get(parent.lower())
        if found is None or scope_of(found[0]) != "category":
            message = f"{frame.id} belongs to the category {parent}, which is not defined"
            yield error("missing-parent", message, frame, "_name.category_id")
        elif scope_of(frame) == "category":
            yield from _parent_class(subject, frame, found[0])


def _parent_class(subject: Subject, frame: Frame, parent: Frame) -> Iterator[DictionaryProblem]:
    """A Set does not lie below a Loop, and no category below itself."""
    kinds = frame.first("_definition.class").lower(), parent.first("_definition.class").lower()
    if kinds == ("set", "loop"):
        message = f"{frame.id} is a Set below the Loop {parent.id}"
        yield error("set-below-loop", message, frame, "_definition.class")
    seen = {frame.id.lower()}
    while parent.id.lower() not in seen:
        seen.add(parent.id.lower())
        above = subject.definitions.get(parent.first("_name.category_id").lower())
        if not above:
            return
        parent = above[0]
    if parent is frame:
        yield error("category-cycle", f"{frame.id} lies below itself", frame, "_name.category_id")


def keys(subject: Subject) -> Iterator[DictionaryProblem]:
    """Keys of categories: given for loops, defined, and items of the category."""
    for frame in subject.categories():
        names = frame.all("_category_key.name")
        if frame.first("_definition.class").lower() == "loop" and not names:
            yield error("missing-key", f"{frame.id} is a Loop without a key", frame, "_definition.class")
        for row, name in enumerate(names):
            item = subject.dictionary.lookup(name)
            if item is None:
                yield error("missing-key", f"key {name} is not defined", frame, "_category_key.name", row)
                continue
            if frame.first("_definition.class").lower() not in ("loop", "set") and not row:
                message = f"{frame.id} is of class {frame.first('_definition.class')}, which has no keys"
                yield error("key-of-class", message, frame, "_category_key.name")
            if subject.dictionary.is_alias(name):
                message = f"key {name} is known only as an alias of {item.id}"
                yield warning("key-is-alias", message, frame, "_category_key.name", row)
            if item.category != frame.id.lower():
                message = f"key {name} belongs to {item.category.upper()}, not to {frame.id}"
                yield error("foreign-key", message, frame, "_category_key.name", row)
        yield from _keys_of_parent(subject, frame, names)


def _keys_of_parent(subject: Subject, frame: Frame, names: list[str]) -> Iterator[DictionaryProblem]:
    """A loop below a loop is joined to it through keys that link to the parent's keys."""
    category = subject.dictionary.category(frame.id)
    parent = subject.dictionary.category(category.parent) if category and category.parent else None
    if parent is None or parent.cls != "Loop" or frame.first("_definition.class").lower() != "loop":
        return
    targets = {_linked(subject, name) for name in names}
    parent_keys = {subject.dictionary.canonical(key) for key in parent.keys}
    for row, name in enumerate(names):
        target = subject.dictionary.lookup(_linked(subject, name) or "")
        if target is not None and target.category == parent.id and target.id.lower() not in parent_keys:
            message = f"key {name} links to {target.id}, which is no key of the loop {parent.name} above"
            yield error("key-to-non-key", message, frame, "_category_key.name", row)
    if len(names) > len(parent.keys) > 0:
        message = (
            f"{frame.id} has {len(names)} keys, more than the {len(parent.keys)} of the loop {parent.name} above it"
        )
        yield info("more-keys-than-parent", message, frame, "_category_key.name")
    for key in parent.keys:
        if subject.dictionary.canonical(key) not in targets:
            message = f"no key of {frame.id} links to {key}, a key of the loop {parent.name} above it"
            yield warning("key-of-parent", message, frame, "_category_key.name")


def _linked(subject: Subject, name: str) -> str | None:
    """The canonical name of the item to which an item links."""
    item = subject.dictionary.lookup(name)
    return subject.dictionary.canonical(item.linked) if item and item.linked else None


def links(subject: Subject) -> Iterator[DictionaryProblem]:
    """Targets of links: there where needed, defined, and of the same kind of values."""
    for frame, item in subject.items():
        if item.purpose in ("Link", "SU") and item.linked is None:
            message = f"{item.id} has the purpose {item.purpose}, but names no linked item"
            yield error("missing-link", message, frame, "_type.purpose")
        if item.linked is None:
            continue
        target = subject.dictionary.lookup(item.linked)
        if target is None:
            message = f"{item.id} links to {item.linked}, which is not defined"
            yield error("missing-link-target", message, frame, "_name.linked_item_id")
        elif target.id == item.id:
            yield error("refers-to-itself", f"{item.id} links to itself", frame, "_name.linked_item_id")
        elif item.purpose == "SU":
            yield from _measurand(frame, item, target)
        else:
            yield from _alike(frame, item, target)


def links_by_name(subject: Subject) -> Iterator[DictionaryProblem]:
    """Links that name their target by an alias, or lead to one of several keys of a table."""
    for frame, item in subject.items():
        target = subject.dictionary.lookup(item.linked or "")
        if target is None or item.linked is None or item.purpose == "SU":
            continue
        if subject.dictionary.is_alias(item.linked):
            message = f"{item.id} links to {item.linked}, an alias of {target.id}"
            yield warning("link-by-alias", message, frame, "_name.linked_item_id")
        keys = {subject.dictionary.canonical(key) for key in _keys_of(subject, target.category)}
        if target.id.lower() in keys and len(keys) > 1 and not _is_joined(subject, item, target.category, keys):
            message = f"{item.id} links to {target.id}, one of {len(keys)} keys that tell rows apart only together"
            yield info("link-to-part-of-key", message, frame, "_name.linked_item_id")


def _keys_of(subject: Subject, category: str) -> tuple[str, ...]:
    """The keys of a category."""
    found = subject.dictionary.category(category)
    return found.keys if found else ()


def _is_joined(subject: Subject, item: Item, category: str, keys: set[str | None]) -> bool:
    """True if other items of the same category link to the other keys, so that the whole key is met."""
    linked = {_linked(subject, other.id) for other in subject.dictionary.items_of(item.category)}
    return item.category == category or keys <= linked


def _measurand(frame: Frame, item: Item, target: Item) -> Iterator[DictionaryProblem]:
    """An uncertainty belongs to a measurand, and is of its unit and shape."""
    if target.purpose != "Measurand":
        message = f"{item.id} is the uncertainty of {target.id}, which has the purpose {target.purpose}"
        yield error("uncertainty-of-exact-item", message, frame, "_name.linked_item_id")
    if item.source != "Related":
        message = f"{item.id} is an uncertainty with the source {item.source} - expected Related"
        yield error("uncertainty-source", message, frame, "_type.source")
    if not item.id.lower().startswith(target.id.lower()) or not item.id.lower().endswith("_su"):
        message = f"{item.id} is the uncertainty of {target.id} - expected the name {target.id}_su"
        yield warning("uncertainty-name", message, frame, "_definition.id")
    if any(low is not None and low < 0 for low, _ in item.ranges) or (item.ranges and None in item.ranges[0][:1]):
        message = f"{item.id} is an uncertainty, but its range allows values below zero"
        yield error("uncertainty-range", message, frame, "_enumeration.range")
    yield from _same(frame, item, target, ("contents", "container", "dimension", "units"))


def _alike(frame: Frame, item: Item, target: Item) -> Iterator[DictionaryProblem]:
    """The values of a link are values of its target."""
    if item.purpose != "Link" and not item.is_key:
        message = f"{item.id} links to {target.id}, but has the purpose {item.purpose}"
        yield warning("link-purpose", message, frame, "_name.linked_item_id")
    yield from _same(frame, item, target, ("contents", "container", "dimension", "units"))
    if item.states is not None and target.states is not None and not set(item.states) <= set(target.states):
        extra = ", ".join(state for state in item.states if state not in target.states)
        message = f"{item.id} has the states {extra}, which {target.id} lacks"
        yield warning("link-states", message, frame, "_enumeration_set.state")
    if item.ranges and target.ranges and item.ranges[0] != target.ranges[0]:
        message = f"{item.id} has another range than {target.id}, to which it links"
        yield warning("link-range", message, frame, "_enumeration.range")


def _same(frame: Frame, item: Item, target: Item, names: tuple[str, ...]) -> Iterator[DictionaryProblem]:
    """Attributes in which two items must agree."""
    attributes = {"units": "_units.code"}
    for name in names:
        own, other = getattr(item, name), getattr(target, name)
        if own.lower() != other.lower():
            message = f"{item.id} has the {name} {own or 'none'}, but {target.id}, to which it links, {other or 'none'}"
            yield warning(f"link-{name}", message, frame, attributes.get(name, f"_type.{name}"))


def uncertainties(subject: Subject) -> Iterator[DictionaryProblem]:
    """Measurands without an item for their uncertainty."""
    known = {item.linked.lower() for name in subject.dictionary.names() if (item := _su(subject, name)) and item.linked}
    for frame, item in subject.items():
        if item.purpose != "SU" and item.id.lower().endswith("_su"):
            message = f"{item.id} ends in _su, but has the purpose {item.purpose} - expected SU"
            yield warning("uncertainty-name", message, frame, "_definition.id")
        if item.purpose == "Measurand" and item.id.lower() not in known:
            message = f"{item.id} is a measurand, but no item holds its uncertainty"
            yield warning("missing-uncertainty", message, frame, "_type.purpose")


def _su(subject: Subject, name: str) -> Item | None:
    """The item of a name if it is an uncertainty."""
    item = subject.dictionary.lookup(name)
    return item if item is not None and item.purpose == "SU" else None


def aliases(subject: Subject) -> Iterator[DictionaryProblem]:
    """Aliases that are names of other items, or claimed twice."""
    owners: dict[str, str] = {}
    for frame, item in subject.items():
        for row, alias in enumerate(frame.all("_alias.definition_id")):
            key = alias.lower()
            if key == item.id.lower():
                message = f"{alias} is given as its own alias"
                yield warning("alias-of-itself", message, frame, "_alias.definition_id", row)
            elif key in subject.dictionary.facts["items"]:
                message = f"alias {alias} of {item.id} is the name of another item"
                yield error("alias-clash", message, frame, "_alias.definition_id", row)
            elif owners.setdefault(key, item.id) != item.id:
                message = f"alias {alias} of {item.id} is an alias of {owners[key]} too"
                yield error("alias-clash", message, frame, "_alias.definition_id", row)


def undefined_mentions(subject: Subject) -> Iterator[DictionaryProblem]:
    """Data names in descriptions that nothing defines."""
    for frame in subject.frames:
        column = frame.block.columns.get("_description.text")
        if column is None or not len(column):
            continue
        for name in dict.fromkeys(_MENTION.findall(column.text(0))):
            if not subject.defines(name) and subject.ddl.lookup(name) is None:
                problem = warning(
                    "undefined-mention", f"text of {frame.id} mentions {name}", frame, "_description.text"
                )
                yield DictionaryProblem(problem.code, problem.message, problem.place, Severity.INFO)


CHECKS = (parents, keys, links, links_by_name, uncertainties, aliases)
