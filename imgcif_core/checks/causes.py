"""One cause, one finding: which findings are mere consequences of which others, as data.

A rule that reports a cause runs before the rules that would report its consequences. A consequence is
left out only where the cause is at least as grave, so that no verdict changes by it; a rule all of
whose problems are left out, or that had nothing left to judge, ends as blocked by the cause.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from imgcif_core.checks.profiles import Profile
from imgcif_core.checks.registry import Problem, Rule
from imgcif_core.findings import Severity
from imgcif_core.records import dataclass, field

ANY = ("*",)
# Causes remembered over a whole file: memory stays bounded, and beyond them a finding is told beside its cause.
MAX_MARKS = 50_000
_PREVENTING = ("block", "category", "file")
# Rules whose findings leave a table without items or rows that the file nevertheless holds.
DAMAGING = frozenset({"SYN006", "SYN013", "SYN017", "DIC001"})


# Each relation is one line of the table below, known by itself: it is looked up for every problem.
@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A rule, and the rules whose findings follow from its own.

    `where` says what both must have in common: the value, the line of a row, the row (by its key), the
    column (item), the table (category), the block or the file; `parent`: the consequence is about the
    table of the cause, or leads there; `meant`: it is about the item that the cause says was meant;
    `text`: it names one of the texts that the cause could not place; `data`: both give the same value
    under the name `by`. `variants` and `item` narrow the cause.
    """

    cause: str
    where: str
    of: tuple[str, ...]
    variants: tuple[str, ...] | None = None
    item: str | None = None
    by: str = ""


# What each line rests on stands behind it; the order does not matter.
RELATIONS = (
    # A value that is not what its type, its states or its range demand is judged once.
    Relation("DIC008", "value", ANY),
    Relation("DIC008", "column", ANY, ("column",)),
    Relation("DIC006", "value", ANY),
    # Rows of nothing but dots repeat each other, lead nowhere and lack everything.
    Relation("DIC013", "line", ANY, ("empty",)),
    Relation("DIC011", "value", ANY, ("",)),
    Relation("DIC019", "value", ANY),
    Relation("SYN019", "value", ANY),
    # The values of lines that do not fit their loop are in no row: what they would have named is not missing.
    Relation("SYN006", "text", ("REL001", "REL007", "REL008", "REL013", "AXI001", "EXT001", "REL018", "CON019")),
    Relation("SYN006", "category", ("SCN004", "SCN009", "SCN010", "REL013", "CON019", "SCN012")),
    # A loop whose values cannot be told by rows is no table to which ids could lead, or on which others rest.
    Relation("SYN006", "parent", ANY, ("shapeless",)),
    # A foreign column brings a second, shapeless table of its category with it.
    Relation("DIC021", "category", ("SYN015", "DIC012", "REL002", "REL004", "REL005", "REL006")),
    # A name that is not known leaves the item that it stood for absent.
    Relation("DIC001", "meant", ANY),
    # Ids that disagree between tables lead nowhere, in whichever way they are followed.
    Relation("REL001", "value", ("REL003", "REL008", "REL019")),
    Relation("REL003", "value", ("REL008",)),
    Relation("REL003", "data", ("REL002",), by="parent"),
    Relation("REL001", "block", ("BIN005", "REL007", "REL019", "EXT012", "IMG001"), item="_array_data.array_id"),
    Relation("REL003", "block", ("BIN005", "REL007", "REL008", "REL019", "REL020", "EXT012", "IMG001"), ("",)),
    Relation("REL001", "block", ("CON019",), item="_diffrn_data_frame.array_id"),
    # A frame of an unknown scan is missing in the scan that was meant.
    Relation("REL001", "block", ("SCN004", "SCN012"), item="_diffrn_scan_frame.scan_id"),
    # A frame number given twice leaves its own place empty, and its link seems out of order.
    Relation("SCN004", "block", ("EXT011", "EXT015"), ("repeated",)),
    # A size of the data that is wrong makes digest, padding and count wrong.
    Relation("BIN011", "row", ("BIN002", "BIN003", "BIN008")),
    Relation("BIN006", "block", ("IMG004",)),
    # A step with the wrong sign mirrors the panel, puts it beside the beam and half a pixel to the wrong side.
    Relation("DET012", "block", ("DET008", "DET011", "SRC010"), ("sign", "behind")),
    # One frame with another array than all others names it wrongly: nobody forgot to describe it.
    Relation("CON019", "block", ("MTA020",), ("array",)),
    # What a missing value prevents is said by the rule that needs it.
    Relation("MTA020", "value", ("DIC014",)),
    Relation("MTA021", "value", ("DIC014",)),
    Relation("MTA022", "value", ("DIC014",)),
    Relation("SRC001", "value", ("DIC014",)),
    # A wrong word for the format makes all else that is said of the format wrong.
    Relation("EXT008", "row", ("EXT024", "EXT028", "EXT009", "EXT010")),
)


@dataclass(frozen=True, slots=True)
class _Links:
    """The relations by the code of the cause and of the consequence, and the order of the rules."""

    as_cause: Mapping[str, tuple[Relation, ...]]
    of_any: tuple[Relation, ...]
    named: Mapping[str, tuple[Relation, ...]]


@cache
def _consequences(code: str) -> tuple[Relation, ...]:
    """The relations by which a rule's finding can be a consequence."""
    links = _links()
    any_of = () if code.startswith("SYN") else links.of_any
    return tuple(found for found in (*links.named.get(code, ()), *any_of) if found.cause != code)


@cache
def _preventing(code: str) -> tuple[Relation, ...]:
    """The relations by which a rule can be left with nothing to judge."""
    return tuple(found for found in _links().named.get(code, ()) if found.where in _PREVENTING)


@lru_cache(maxsize=1)
def _links() -> _Links:
    """The relations, sorted once."""
    as_cause: dict[str, tuple[Relation, ...]] = {}
    named: dict[str, tuple[Relation, ...]] = {}
    for relation in RELATIONS:
        as_cause[relation.cause] = (*as_cause.get(relation.cause, ()), relation)
        for code in relation.of:
            if code != "*":
                named[code] = (*named.get(code, ()), relation)
    return _Links(as_cause, tuple(found for found in RELATIONS if found.of == ANY), named)


def causes_first(rules: Iterable[Rule]) -> list[Rule]:
    """The rules in an order in which causes run before their consequences, else by code."""
    depths: dict[str, int] = {}
    return sorted(rules, key=lambda rule: (_depth(rule.code, depths, ()), rule.code))


def _depth(code: str, depths: dict[str, int], path: tuple[str, ...]) -> int:
    """How many causes may stand before a rule; rules that cause nothing run last."""
    links = _links()
    if code not in links.as_cause:
        return 900 if code in DAMAGING else 1000
    if code in path:
        return 0
    if code not in depths:
        before = [relation.cause for relation in links.named.get(code, ())]
        depths[code] = 1 + max((_depth(other, depths, (*path, code)) for other in before), default=0)
        depths[code] += 10 * (code not in {relation.cause for relation in links.of_any})
    return depths[code]


# What two findings have in common where one follows from the other: a place, a row, a text.
Mark = tuple[object, ...]


@dataclass(slots=True)
class Ledger:
    """What was found so far in a file, as far as other findings can follow from it."""

    marks: dict[Relation, dict[Mark, tuple[str, Severity]]] = field(default_factory=dict)
    blocks: dict[Relation, set[str | None]] = field(default_factory=dict)
    damaged: dict[tuple[str | None, str], set[str]] = field(default_factory=dict)
    kept: int = 0

    def sift(self, rule: Rule, problems: Iterable[Problem], profile: Profile, by: set[str]) -> Iterator[Problem]:
        """The problems that follow from nothing found before; `by` gathers the causes of the others."""
        as_cause, as_consequence = _links().as_cause.get(rule.code, ()), _consequences(rule.code)
        for problem in problems:
            severity = profile.severity(rule.code, Severity(problem.severity or rule.severity))
            if severity is None:
                continue
            if as_consequence and self.marks:
                cause = self._cause(rule, problem, severity, as_consequence)
                if cause:
                    by.add(cause)
                    continue
            for relation in as_cause:
                self._note(rule, relation, problem, severity)
            if rule.code in DAMAGING and severity is not Severity.INFO:
                self._note_damage(rule.code, problem)
            yield problem

    def prevents_any(self, rule: Rule) -> bool:
        """True if anything was found that could leave a rule with nothing to judge."""
        return bool(self.damaged or (self.blocks and _preventing(rule.code)))

    def prevents(self, rule: Rule, block: str | None, asked: Iterable[str], *, is_of_file: bool) -> set[str]:
        """The causes that left a rule with nothing to judge in a block; `asked` are the tables that it looked at."""
        found: set[str] = set()
        if self.damaged:
            found |= {code for category in asked for code in self.damaged.get((block, category), ())}
        for relation in _preventing(rule.code) if self.blocks else ():
            blocks = self.blocks.get(relation)
            if blocks and (is_of_file or block in blocks):
                found.add(relation.cause)
        return found

    def _note_damage(self, code: str, problem: Problem) -> None:
        """Remember that a table has lost items or rows."""
        item = _meant(problem) if code == "DIC001" else problem.place.item or ""
        category = item.partition(".")[0].lstrip("_").lower()
        if category:
            self.damaged.setdefault((problem.place.block, category), set()).add(code)

    def _note(self, rule: Rule, relation: Relation, problem: Problem, severity: Severity) -> None:
        """Remember a cause."""
        if relation.variants is not None and problem.variant not in relation.variants:
            return
        if relation.item is not None and (problem.reference or problem.place.item or "").lower() != relation.item:
            return
        self.blocks.setdefault(relation, set()).add(problem.place.block)
        if self.kept < MAX_MARKS:
            marks = self.marks.setdefault(relation, {})
            for mark in _cause_marks(relation, problem):
                held = marks.get(mark)
                self.kept += held is None
                if held is None or severity.at_least(held[1]):
                    marks[mark] = (rule.code, severity)

    def _cause(self, rule: Rule, problem: Problem, severity: Severity, relations: tuple[Relation, ...]) -> str | None:
        """The code of the finding from which a problem follows."""
        for relation in relations:
            marks = self.marks.get(relation)
            if not marks:
                continue
            for mark in _consequence_marks(relation, rule, problem):
                held = marks.get(mark)
                if held is not None and held[1].at_least(severity):
                    return held[0]
        return None


def _meant(problem: Problem) -> str:
    """The item that a misspelt name stands for, in lower case; an empty text where nothing is proposed."""
    help_text = problem.help or ""
    named = problem.data.get("meant") or help_text.removeprefix("did you mean ").removeprefix("write ")
    match = re.match(r"_[a-z0-9_]+\.[a-z0-9_\[\]\-]+", str(named).lower())
    return match[0] if match else ""


def _shared_mark(where: str, place: Any) -> Mark:
    """What a place has in common with others."""
    if where == "value":
        return (place.start, place.end) if place.source is not None else ()
    if where == "row":
        return (place.block, place.category, frozenset(place.key.items()))
    if where == "line":
        return (place.block, place.category, place.source.line_of(place.start) if place.source is not None else 0)
    if where == "column":
        return (place.block, (place.item or "").lower())
    if where == "category":
        return (place.block, (place.category or "").lower())
    return (place.block,) if where == "block" else ("file",)


def _cause_marks(relation: Relation, problem: Problem) -> Iterator[Mark]:
    """The marks that a cause leaves."""
    where, place = relation.where, problem.place
    if where == "parent":
        yield (place.block, (place.category or "").lower())
    elif where == "meant":
        if meant := _meant(problem):
            yield (place.block, meant)
    elif where == "text":
        for text in problem.data.get("loose", ()):
            yield (place.block, str(text))
    elif where == "data":
        yield (place.block, str(problem.data.get(relation.by)))
    else:
        yield _shared_mark(where, place)
        if where in ("value", "line", "row", "category"):
            for other in problem.more:
                yield _shared_mark(where, other)


def _consequence_marks(relation: Relation, rule: Rule, problem: Problem) -> Iterator[Mark]:
    """The marks by which a problem is found to follow from a cause."""
    where, place = relation.where, problem.place
    if where == "parent":
        for item in (problem.data.get("parent"), problem.reference, rule.source):
            yield (place.block, str(item or "").partition(".")[0].lstrip("_").lower())
    elif where == "meant":
        yield (place.block, (problem.reference or rule.source).lower())
    elif where == "text":
        if problem.count <= 1:
            for value in problem.data.values():
                yield (place.block, str(value))
    elif where == "data":
        yield (place.block, str(problem.data.get(relation.by)))
    else:
        yield _shared_mark(where, place)
