"""What two editions of a dictionary define differently, item by item."""

from collections.abc import Iterator, Mapping
from typing import Any

from imgcif_core.ddlm.model import Dictionary
from imgcif_core.records import dataclass

SCHEMA = "imgcif-dictionary-diff/1"
# How the facts of a definition are called; what is not named here says nothing about data.
_WORDS = {
    "contents": "type",
    "container": "container",
    "dimension": "dimension",
    "indices": "type of the keys",
    "purpose": "purpose",
    "source": "source",
    "units": "unit",
    "ranges": "range",
    "states": "states",
    "states_mandatory": "states are mandatory",
    "default": "default",
    "linked": "links to",
    "aliases": "aliases",
    "deprecated": "replaced in",
    "replaced_by": "replaced by",
    "is_key": "is a key",
    "methods": "methods",
    "sets": "attributes that methods set",
    "elements": "form of the elements",
    "category": "category",
    "cls": "class",
    "keys": "keys",
    "parent": "lies below",
}
_DEFAULTS = {"contents": "Text", "container": "Single", "purpose": "Describe", "source": "Assigned"}


@dataclass(frozen=True, slots=True)
class Change:
    """One definition that differs: `kind` is added, removed, renamed or changed; facts as (word, old, new)."""

    kind: str
    scope: str
    id: str
    layer: str
    facts: tuple[tuple[str, Any, Any], ...] = ()
    new_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The change as JSON holds it."""
        entry: dict[str, Any] = {"kind": self.kind, "scope": self.scope, "id": self.id, "layer": self.layer}
        if self.new_id:
            entry["new_id"] = self.new_id
        if self.facts:
            entry["facts"] = [{"what": word, "old": old, "new": new} for word, old, new in self.facts]
        return entry


def compare(old: Dictionary, new: Dictionary) -> list[Change]:
    """The definitions that two dictionaries do not have alike, categories first."""
    return [*_changes("category", old, new), *_changes("item", old, new)]


def _changes(scope: str, old: Dictionary, new: Dictionary) -> Iterator[Change]:
    """Changes of one scope, in the order of names."""
    before, after = (entry.facts["items" if scope == "item" else "categories"] for entry in (old, new))
    renamed = _renamed(old, new) if scope == "item" else {}
    for key in sorted(before.keys() | after.keys()):
        if key in renamed.values():
            continue
        if key in renamed:
            target = renamed[key]
            facts = tuple(_facts(before[key], after[target]))
            yield Change("renamed", scope, _id(before, key), after[target]["layer"], facts, _id(after, target))
        elif key not in after:
            yield Change("removed", scope, _id(before, key), before[key]["layer"])
        elif key not in before:
            yield Change("added", scope, _id(after, key), after[key]["layer"])
        else:
            facts = tuple(_facts(before[key], after[key]))
            if facts:
                yield Change("changed", scope, _id(after, key), after[key]["layer"], facts)


def _renamed(old: Dictionary, new: Dictionary) -> dict[str, str]:
    """Items that the new edition knows under another name, the old one being its alias."""
    before, after = old.facts["items"], new.facts["items"]
    found: dict[str, str] = {}
    for key in before:
        target = new.canonical(key) if key not in after else None
        if target is not None and target not in before and target not in found.values():
            found[key] = target
    return found


def _id(table: Mapping[str, Any], key: str) -> str:
    """A name as its definition writes it."""
    entry = table[key]
    return str(entry.get("id") or entry.get("name") or key)


def _facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The facts in which two definitions differ; the order of aliases and states does not count."""
    for name, word in _WORDS.items():
        first, second = (entry.get(name, _DEFAULTS.get(name)) for entry in (before, after))
        if name in ("aliases", "states", "methods") and first and second:
            gone, come = (
                [value for value in one if value not in other] for one, other in ((first, second), (second, first))
            )
            if gone or come:
                yield word, gone, come
        elif first != second:
            yield word, first, second


def diff_text(old: Dictionary, new: Dictionary, changes: list[Change]) -> str:
    """The changes as lines for a person, one a definition, with the numbers of each kind at the end."""
    lines = [f"{_title(old)} -> {_title(new)}"]
    for change in changes:
        arrow = f" -> {change.new_id}" if change.new_id else ""
        lines.append(f"{change.kind:<8} {change.scope:<8} {change.id}{arrow}  ({change.layer})")
        lines += [f"    {word}: {_shown(before)} -> {_shown(after)}" for word, before, after in change.facts]
    counts = {
        kind: sum(change.kind == kind for change in changes) for kind in ("added", "removed", "renamed", "changed")
    }
    lines.append(", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "no differences")
    lines += [f"in part only: {gap}" for gap in dict.fromkeys((*old.gaps, *new.gaps))]
    return "\n".join(lines)


def _title(dictionary: Dictionary) -> str:
    return f"{dictionary.title} {dictionary.version}".strip()


def _shown(value: Any) -> str:
    """A fact for a person."""
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(
            ":".join("" if end is None else f"{end:g}" for end in entry) if _is_range(entry) else str(entry)
            for entry in value
        )
    return str(value)


def _is_range(entry: Any) -> bool:
    """True for the two ends of a range."""
    return isinstance(entry, list) and len(entry) == 2
