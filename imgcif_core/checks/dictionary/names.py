"""Rules about data names: unknown, local, aliased and replaced ones, and how they share loops."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.checks.edits import new_name, without
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.renamings import known_state
from imgcif_core.checks.suggest import Suggestion, meant_item, nowhere
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Block, Change, Document, Place
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.ddlm.recognise import dictionary_kind
from imgcif_core.ddlm.types import in_states
from imgcif_core.tables import Tables

# Looking for the nearest of some thousand names is slow, and only the first findings are shown one by one.
MAX_SUGGESTED = 40
_LOCAL = re.compile(r"_\[[^\]\s]+\]|_[A-Za-z0-9_]*[._]\[[A-Za-z][^\]\s]*\]")
# Prefixes that the IUCr has registered for programs and databases met in raw data.
_PREFIXES = (
    "_pdbx_",
    "_rcsb_",
    "_ccdc_",
    "_oxdiff_",
    "_iucr_",
    "_cod_",
    "_shelx_",
    "_olex2_",
    "_smtbx_",
    "_dials_",
)


def name_place(block: Block, column: Column) -> Place:
    """The place of a data name."""
    category = column.name.partition(".")[0].lstrip("_").lower()
    return Place(column.source, column.name_start, column.name_end, block.name, category, column.name)


def is_reply(name: str) -> bool:
    """True for a validation reply form, in which an author answers to an alert."""
    return name.lower().startswith("_vrf_")


def is_local(name: str) -> bool:
    """True for a name with a `[local]` part or a registered prefix."""
    return bool(_LOCAL.match(name)) or name.lower().startswith(_PREFIXES)


@rule(
    "DIC001",
    "unknown-data-name",
    severity="warning",
    source="_definition.id",
    message="{name} is not in the dictionary {dictionary}",
    messages={
        "nothing": "none of the {names} data names is in the dictionary {dictionary} - nothing could be judged",
        "undefined": "{name} is not defined: {reason}",
        "dictionary": "file is a dictionary ({kind}), not data - nothing could be judged",
        "gap": "{name} is not in what could be had of the dictionary {dictionary} - an import is missing",
    },
    helps={
        "nothing": "check that this is an imgCIF; other kinds of CIF are judged with --dictionary FILE",
        "undefined": "nothing is needed; programs may not know the name",
    },
)
def unknown_data_name(
    document: Document, tables: Tables, dictionary: Dictionary, all_tables: Sequence[Tables]
) -> Iterator[Problem]:
    """What: A data name is neither defined in the dictionary nor an alias, nor marked as local.
    Why: Programs pass over names that they do not know, so that a misspelt name loses its value silently.
    How to fix: Correct the name, or mark your own names with a prefix such as _axis.[local]_name.
    Source: Dictionary imgCIF with all that it imports, definition ids and aliases.
    """
    block = tables.block
    unknown = [column for column in tables.unknown if not is_local(column.name) and not is_reply(column.name)]
    title = f"{dictionary.title} {dictionary.version}".strip()
    kind = dictionary_kind(document) if not dictionary.is_of_attributes else ""
    if kind:
        if tables is all_tables[0]:
            remedy = (
                "check it with: imgcif dictionary lint FILE" if kind in ("DDLm", "template") else "give a data file"
            )
            place = Place(document.source, block.start, block.end, block.name)
            yield Problem(place, severity="error", variant="dictionary", help=remedy, kind=kind)
        return
    if unknown and block.kind == "data" and not any(entry.items for entry in all_tables):
        if any(entry.unknown for entry in all_tables[: all_tables.index(tables)]):
            return
        place = name_place(block, unknown[0])
        yield Problem(place, severity="error", variant="nothing", names=len(unknown), dictionary=title)
        return
    taken: set[str] = set()
    for index, column in enumerate(unknown):
        reason = dictionary.undefined.get(column.name.lower())
        if reason:
            place = name_place(block, column)
            yield Problem(place, severity="info", variant="undefined", name=column.name, reason=reason)
            continue
        if dictionary.gaps:
            place = name_place(block, column)
            told = dictionary.gaps[0]
            yield Problem(place, severity="info", variant="gap", help=told, name=column.name, dictionary=title)
            continue
        yield _unknown(tables, dictionary, column, taken, title, is_suggested=index < MAX_SUGGESTED)


def _unknown(
    tables: Tables, dictionary: Dictionary, column: Column, taken: set[str], title: str, *, is_suggested: bool
) -> Problem:
    """An unknown name with what it stands for, where that is known; no item is suggested twice."""
    found = meant_item(column, tables, dictionary) if is_suggested else None
    if found is not None and found.item.id in taken:
        found = None
    if found is not None:
        taken.add(found.item.id)
    edits = _renamed(tables, dictionary, column, found) if found else []
    help_text = _help_for(column, found) if found else nowhere(column.name) or _as_own(column.name)
    place = name_place(tables.block, column)
    return Problem(place, name=column.name, dictionary=title, help=help_text, edits=edits)


def _as_own(name: str) -> str:
    """What to do about a name of which nothing is known."""
    category, dot, item = name.partition(".")
    local = f"{category}.[local]_{item}" if dot else f"_[local]_{name.lstrip('_')}"
    return f"look {name} up in the dictionary and correct it, or mark it as your own: {local}"


def _help_for(column: Column, found: Suggestion) -> str:
    """The suggestion in words; from one table to another a loop is not mended by another name."""
    is_moved = found.item.category.lower() != column.name.lower().partition(".")[0].lstrip("_")
    if is_moved and column.loop is not None and found.reason:
        return f"give it as {found.item.id} in a loop of its own - {found.reason}"
    return found.text


def _renamed(tables: Tables, dictionary: Dictionary, column: Column, found: Suggestion) -> list[Change]:
    """The change of the name, where the item fits the table in which it will stand."""
    category = found.item.category.lower()
    if column.loop is None:
        if tables.table(category).rows > 1 or any(part.loop for part in tables.table(category).parts):
            return []
        return new_name(column, found.item.id, is_safe=found.is_certain)
    others = {item.category.lower() for item, other in tables.items.values() if other.loop is column.loop}
    if any(not dictionary.may_share_loop(other, category) for other in others):
        return []
    return new_name(column, found.item.id, is_safe=found.is_certain)


@rule(
    "DIC002",
    "local-data-name",
    severity="info",
    source="CIF naming conventions, reserved prefixes",
    message="{name} is a local name - its meaning is not judged",
)
def local_data_name(tables: Tables) -> Iterator[Problem]:
    """What: A data name is marked as local, or begins with a prefix registered for a program.
    Why: Such names are legal, but nobody outside can judge or use their values.
    How to fix: Nothing is needed; use a name of the dictionary where there is one.
    Source: CIF naming conventions, local names and reserved prefixes.
    """
    for column in tables.unknown:
        if is_local(column.name):
            yield Problem(name_place(tables.block, column), name=column.name)


@rule(
    "DIC003",
    "alias-used",
    severity="info",
    source="_alias.definition_id",
    message="{name} is an alias of {current}",
)
def alias_used(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A data name is an older or shorter form of the one that the dictionary defines.
    Why: Aliases are legal, but not every program knows them.
    How to fix: Use the current name when the file is written the next time.
    Source: Dictionary imgCIF, _alias.definition_id.
    """
    for name, (item, column) in tables.items.items():
        if dictionary.is_alias(name) and not replacement(name, item):
            is_single = sum(other.id == item.id for other, _ in tables.items.values()) == 1
            edits = new_name(column, item.id, is_safe=True) if is_single else []
            yield Problem(
                name_place(tables.block, column),
                name=column.name,
                current=item.id,
                help=f"write {item.id}, or leave it: both names are legal",
                edits=edits,
            )


def replacement(name: str, item: Item) -> str:
    """What took the place of a deprecated name, or an empty text."""
    if item.deprecated:
        return next((other for other in item.replaced_by if other not in (".", "?")), "another description")
    return item.id if name in {alias.lower() for alias in item.deprecated_aliases} else ""


@rule(
    "DIC004",
    "deprecated-data-name",
    severity="warning",
    source="_definition_replaced.by",
    message="{name} is deprecated in {layer} - {current} takes its place",
)
def deprecated_data_name(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: The dictionary, or one that it imports, has replaced this data name.
    Why: Newer programs may no longer read it, and its meaning was found to be unclear.
    How to fix: Give the value under the name that takes its place.
    Source: Dictionary imgCIF and the core dictionary, _definition_replaced.by and _alias.deprecation_date.
    """
    for name, (item, column) in tables.items.items():
        current = replacement(name, item)
        # An importing dictionary that defines the name anew keeps it in use.
        is_kept = bool(item.deprecated) and item.layer not in item.deprecated
        if current and current.lower() != name and not is_kept:
            layer = ", ".join(item.deprecated) or item.layer
            place = name_place(tables.block, column)
            remedy, edits = _way_out(tables, dictionary, item, column, current)
            yield Problem(place, help=remedy, edits=edits, name=column.name, layer=layer, current=current)


def _way_out(
    tables: Tables, dictionary: Dictionary, item: Item, column: Column, current: str
) -> tuple[str | None, list[Change]]:
    """What to write in place of a deprecated name, looked up for the values that stand there."""
    if not item.deprecated:
        is_single = sum(other.id == item.id for other, _ in tables.items.values()) == 1
        return f"write {current}", new_name(column, current, is_safe=True) if is_single else []
    targets = [found for name in item.replaced_by if (found := dictionary.lookup(name)) is not None]
    if not targets:
        return f"leave {column.name} out, or say in a text what it told", []
    given = [found for found in targets if tables.table(found.category).has(found.object.lower())]
    if given:
        return f"leave {column.name} out where {given[0].id} says the same", []
    text = column.text(0) if len(column) else ""
    for found in targets:
        state = _state_of(found, text)
        if state is None:
            continue
        as_written = "" if state == text else f" {state}"
        others = [other.id for other in targets if other is not found]
        more = f", or the words in {others[0]}" if others and found.states is not None else ""
        if found is not targets[0]:
            more = f", or {targets[0].id} with one of its states"
        return f"write {found.id}{as_written}{more}", []
    return f"give the value as {targets[0].id}, with one of its states", []


def _state_of(item: Item, text: str) -> str | None:
    """How a value is written under an item: as it stands, or as a state that it means; None where it does not fit."""
    if item.states is None or not item.states_mandatory or in_states(item, text):
        return text
    return known_state(item.id, text)


@rule(
    "DIC005",
    "alias-and-name",
    severity="warning",
    source="_alias.definition_id",
    messages={
        "equal": "{name} and {other} are names of the same item, with equal values",
        "differ": "{name} and {other} are names of the same item, with different values: {value!r} and {second!r}",
    },
)
def alias_and_name(tables: Tables) -> Iterator[Problem]:
    """What: Two names of one and the same item stand in one block.
    Why: A program takes the one that it knows; where the values differ, results depend on the program.
    How to fix: Keep the current name with the right value and delete the alias.
    Source: Dictionary imgCIF, _alias.definition_id.
    """
    first: dict[str, Column] = {}
    for item, column in tables.items.values():
        other = first.setdefault(item.id, column)
        if other is column:
            continue
        equal = len(other) == len(column) and np.array_equal(other.hashes, column.hashes)
        row = 0
        if not equal and len(other) == len(column):
            row = int((other.hashes != column.hashes).argmax())
        value, second = (entry.text(min(row, len(entry) - 1))[:60] if len(entry) else "" for entry in (other, column))
        yield Problem(
            name_place(tables.block, column),
            severity="warning" if equal else "error",
            variant="equal" if equal else "differ",
            help=None if equal else "find out which value holds; keep it under the current name, and delete the other",
            edits=without(column if column.name.lower() != item.id.lower() else other, is_safe=True) if equal else [],
            name=other.name,
            other=column.name,
            value=value,
            second=second,
        )


@rule(
    "DIC021",
    "mixed-loop",
    severity="error",
    source="_name.category_id",
    message="loop holds items of {first} and of {second}, which are not joined",
    messages={"local": "loop of {first} holds {name}, a local item named for {second}"},
)
def mixed_loop(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: One loop holds items of categories that have nothing to do with each other.
    Why: A row of a loop is a row of one category; readers assign the values to one of them or stop.
    How to fix: Split the loop, one for each category, each with its key.
    Source: Dictionary imgCIF, _name.category_id; DDLm, loops of parent and child categories.
    """
    loops: dict[int, list[tuple[str, Column]]] = {}
    for item, column in tables.items.values():
        if column.loop is not None:
            loops.setdefault(id(column.loop), []).append((item.category, column))
    for columns in loops.values():
        first = columns[0][0]
        foreign = [entry for entry in columns if entry[0] != first and not dictionary.may_share_loop(first, entry[0])]
        if foreign:
            places = (name_place(tables.block, column) for _, column in foreign)
            others = " and ".join(dict.fromkeys(category.upper() for category, _ in foreign))
            yield problem_of(places, len(foreign), first=first.upper(), second=others)
    if not loops:
        raise NotApplicable("no loops")
    yield from _local_strangers(tables, dictionary, {loop: columns[0] for loop, columns in loops.items()})


def _local_strangers(tables: Tables, dictionary: Dictionary, seen: dict[int, tuple[str, Column]]) -> Iterator[Problem]:
    """Local items named for another category than the one whose rows the loop holds."""
    for column in tables.unknown:
        home = seen.get(id(column.loop)) if column.loop is not None else None
        category = column.name.partition(".")[0].lstrip("_").lower()
        if home is None or dictionary.category(category) is None or not is_local(column.name):
            continue
        if category != home[0] and not dictionary.may_share_loop(home[0], category):
            place = name_place(tables.block, column)
            first, second = home[0].upper(), category.upper()
            yield Problem(place, severity="warning", variant="local", name=column.name, first=first, second=second)
