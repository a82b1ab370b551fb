"""Near misses: the name or value that was most likely meant, and silence where that is open."""

import re
from collections.abc import Iterable
from functools import cached_property
from itertools import chain, islice

from imgcif_core.checks.renamings import NAMES, NOWHERE
from imgcif_core.cif.columns import Column
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.ddlm.types import in_states, wrong_rows
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

# A text is compared with each of them by difflib, which is slow.
MAX_CANDIDATES = 2000
# Names of a hostile file are not all kept.
MAX_NAMES = 100_000
_DIGITS = re.compile(r"\d+")
_SIGNS = re.compile(r"[^a-z0-9\[\]]")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The item that a name stands for; `is_certain` where it can be no other, `reason` where it is known."""

    item: Item
    is_certain: bool
    reason: str = ""

    @property
    def text(self) -> str:
        """The remedy in words."""
        if self.reason:
            return f"write {self.item.id} - {self.reason}"
        return f"did you mean {self.item.id}"


class Candidates:
    """Names among which the one that was meant is looked for; made once for many texts."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(dict.fromkeys(islice(names, MAX_NAMES)))
        self._by_signs: dict[str, set[str]] | None = None

    @cached_property
    def _by_numbers(self) -> dict[tuple[str, ...], dict[str, str]]:
        """Names by their lower-case form, for each row of numbers that stands in them."""
        groups: dict[tuple[str, ...], dict[str, str]] = {}
        for name in self.names:
            pool = groups.setdefault(_numbers_in(name), {})
            if len(pool) < MAX_CANDIDATES:
                pool.setdefault(name.lower(), name)
        return groups

    def nearest(self, text: str, cutoff: float) -> str | None:
        """The name that is most like a text, compared without case; None where none is near.

        Texts that differ in a number alone, such as SCAN8 and SCAN7, are names of different things.
        """
        from difflib import get_close_matches

        # Of two texts with numbers only those with the same ones can be meant.
        numbers = _numbers_in(text)
        wanted = (numbers, ()) if numbers else self._by_numbers
        groups = (self._by_numbers.get(key, {}) for key in wanted)
        pool = dict(islice(chain.from_iterable(group.items() for group in groups), MAX_CANDIDATES))
        found = get_close_matches(text.lower()[:200], pool, 3, cutoff)
        alike = [name for name in found if not _are_counted_apart(text.lower(), name, pool)]
        return pool[alike[0]] if alike else None

    def same_but_signs(self, text: str) -> str | None:
        """The only name that differs from a text in case, blanks and signs alone."""
        if self._by_signs is None:
            self._by_signs = {}
            for name in self.names:
                self._by_signs.setdefault(_SIGNS.sub("", name.lower()), set()).add(name)
        key = _SIGNS.sub("", text.lower())
        found = self._by_signs.get(key, set()) if key else set()
        return next(iter(found)) if len(found) == 1 else None


def _numbers_in(text: str) -> tuple[str, ...]:
    """The numbers in a text, without zeros before them."""
    return tuple(number.lstrip("0") for number in _DIGITS.findall(text))


def _are_counted_apart(one: str, other: str, pool: Iterable[str]) -> bool:
    """True if two texts differ in their numbers, or in a last letter by which others of the pool differ too."""
    if one != other and _DIGITS.sub("#", one) == _DIGITS.sub("#", other):
        return _numbers_in(one) != _numbers_in(other)
    if _DIGITS.findall(one) != _DIGITS.findall(other) and _DIGITS.search(one) and _DIGITS.search(other):
        return True
    if len(one) == len(other) and one[:-1] == other[:-1]:
        return sum(name[:-1] == one[:-1] and len(name) == len(one) for name in pool) > 1
    return False


def nearest(text: str, candidates: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The candidate that is most like a text; see `Candidates.nearest`."""
    return Candidates(candidates).nearest(text, cutoff)


def did_you_mean(text: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """A remedy that names the nearest candidate, None where none is near."""
    found = nearest(text, candidates, cutoff)
    return f"did you mean {found}" if found and found != text else None


def same_but_signs(text: str, candidates: Iterable[str]) -> str | None:
    """The only candidate that differs from a text in case, blanks and signs alone."""
    return Candidates(candidates).same_but_signs(text)


def nowhere(name: str) -> str | None:
    """What a file says instead of a name that has no place in the dictionary."""
    return NOWHERE.get(name.lower())


def meant_item(column: Column, tables: Tables, dictionary: Dictionary) -> Suggestion | None:
    """The item that an unknown name stands for: known renamings first, then slips of the pen.

    It must be free in the block, and fit the values; nothing is suggested where two fit equally well.
    """
    key = column.name.lower()
    if key in NOWHERE:
        return None
    if key in NAMES:
        item = dictionary.lookup(NAMES[key].name)
        if item is not None and _is_free(item, tables) and _fits(item, column):
            return Suggestion(item, NAMES[key].is_certain, NAMES[key].reason)
        return None
    found = _only_signs_apart(key, tables, dictionary, column)
    if found is not None:
        return Suggestion(found, True)
    category, dot, name = key.partition(".")
    if not dot:
        return None
    inside = [item for item in dictionary.items_of(category.lstrip("_")) if _is_free(item, tables)]
    best = _best(name, inside, column)
    if best is None and dictionary.category(category.lstrip("_")) is None:
        best = _in_near_category(category.lstrip("_"), name, column, tables, dictionary)
    return Suggestion(best, False) if best is not None else None


def _is_free(item: Item, tables: Tables) -> bool:
    """True if no name of the item stands in the block."""
    return all(other.id != item.id for other, _ in tables.items.values())


def _fits(item: Item, column: Column) -> bool:
    """True if the values are of the item's type and among its states; a list only where one is due."""
    if item.container != "Single" and column.quoting is None:
        return False
    if len(wrong_rows(item, column)):
        return False
    if item.states is None or not item.states_mandatory:
        return True
    texts = [column.text(int(row)) for row in column.distinct()[0][:20] if not column.is_null[row]]
    states = {state.lower() for state in item.states}
    return all(in_states(item, text) or text.lower() in states for text in texts)


def _only_signs_apart(key: str, tables: Tables, dictionary: Dictionary, column: Column) -> Item | None:
    """The only item whose name differs in dots, underscores and other signs alone."""
    plain = _SIGNS.sub("", key)
    found = {
        item.id: item
        for name in dictionary.names()
        if _SIGNS.sub("", name) == plain and (item := dictionary.lookup(name)) is not None
    }
    if len(found) != 1:
        return None
    item = next(iter(found.values()))
    return item if _is_free(item, tables) and _fits(item, column) else None


def _best(name: str, items: list[Item], column: Column) -> Item | None:
    """The item of one category that a name most likely stands for; None where two are as near."""
    scored = sorted(((_likeness(name, item.object.lower()), item) for item in items), key=lambda entry: -entry[0])
    near = [(score, item) for score, item in scored if score > 0 and _fits(item, column)]
    if not near or (len(near) > 1 and near[1][0] == near[0][0]):
        return None
    return near[0][1]


def _likeness(name: str, other: str) -> float:
    """How like two names are: 1 for a slip of the pen, less where a word is missing, 0 where they differ."""
    words, others = name.split("_"), other.split("_")
    if len(words) == len(others):
        slips = [_slips(word, there) for word, there in zip(words, others, strict=True)]
        if all(number is not None for number in slips):
            return 2.0 - 0.1 * sum(number or 0 for number in slips)
    if _slips(name.replace("_", ""), other.replace("_", "")) is not None:
        return 1.5
    fewer, more = sorted((words, others), key=len)
    is_part = len(fewer) > 1 and len(more) == len(fewer) + 1 and all(word in more for word in fewer)
    return 1.0 if is_part and len("".join(fewer)) >= 6 else 0.0


def _slips(one: str, other: str) -> int | None:
    """The number of letters wrong, lost, doubled or exchanged; None where it is too many for the length.

    Names with different numbers differ.
    """
    if one == other:
        return 0
    if _DIGITS.findall(one) != _DIGITS.findall(other):
        return None
    allowed = 0 if min(len(one), len(other)) < 4 else 1 if len(one) < 8 else 2
    if abs(len(one) - len(other)) > allowed:
        return None
    number = distance(one, other)
    return number if number <= allowed else None


def distance(one: str, other: str) -> int:
    """Letters to change, add, drop or exchange with the next to come from one text to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _in_near_category(category: str, name: str, column: Column, tables: Tables, dictionary: Dictionary) -> Item | None:
    """The item of that very name, or nearly, in the only category whose own name is a slip away."""
    near = [other for other in dictionary.categories() if _slips(category, other) is not None]
    found = []
    for other in near:
        items = [item for item in dictionary.items_of(other) if _is_free(item, tables) and _fits(item, column)]
        exact = [item for item in items if item.object.lower() == name]
        best = exact[0] if exact else _best(name, items, column)
        if best is not None:
            found.append(best)
    return found[0] if len(found) == 1 else None
