"""Repeats become one finding: problems are grouped, counted and capped."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.places import MAX_PLACES
from imgcif_core.checks.profiles import Profile
from imgcif_core.checks.registry import Problem, Rule
from imgcif_core.cif.document import Change, Place
from imgcif_core.findings import Finding, Location, Severity
from imgcif_core.records import dataclass, field

# Messages of one kind told one by one; the rest of them share one finding, which counts them.
MAX_MESSAGES = 10
# Entries of one value in the machine-readable report, which would else hold the columns of a file.
MAX_SHOWN = 200
# Each change is an object, kept until the report is written.
MAX_EDITS = 10_000


@dataclass(slots=True)
class _Group:
    """Problems that say the same: the first one, how many, and where the next ones are."""

    problem: Problem
    severity: Severity
    message: str
    count: int = 0
    more: list[Place] = field(default_factory=list)
    edits: list[Change] = field(default_factory=list)
    is_mended: bool = True

    def add(self, problem: Problem, *, is_first: bool) -> None:
        """Count one problem, and keep its place while there is room."""
        self.count += problem.count
        places = problem.more if is_first else [problem.place, *problem.more]
        # The first place stands in the finding itself.
        self.more.extend(places[: MAX_PLACES - 1 - len(self.more)])
        self.is_mended &= bool(problem.edits)
        self.edits.extend(problem.edits[: MAX_EDITS - len(self.edits)])


# What problems of one finding share: severity, variant, block, item, and the message.
_Key = tuple[object, ...]


def gather(rule: Rule, problems: Iterable[Problem], profile: Profile) -> Iterator[Finding]:
    """Findings from the problems of one rule, in the order of their first occurrence."""
    groups: dict[_Key, _Group] = {}
    sizes: dict[_Key, int] = {}
    for problem in problems:
        severity = profile.severity(rule.code, Severity(problem.severity or rule.severity))
        if severity is None:
            continue
        kind = (severity, problem.variant, problem.place.block, (problem.place.item or "").lower())
        if sizes.get(kind, 0) < MAX_MESSAGES:
            message = _message(rule, problem)
            key = (*kind, message)
            if key not in groups:
                sizes[kind] = sizes.get(kind, 0) + 1
        else:
            message = ""
            key = (*kind, _known_message(rule, problem, groups, kind))
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(problem, severity, message)
            group.add(problem, is_first=True)
        else:
            group.add(problem, is_first=False)
    for group in groups.values():
        yield _finding(rule, group, profile)


def _known_message(rule: Rule, problem: Problem, groups: dict[_Key, _Group], kind: _Key) -> str:
    """The message if a group has it already, else that of the rest."""
    message = _message(rule, problem)
    return message if (*kind, message) in groups else ""


def _message(rule: Rule, problem: Problem) -> str:
    """The rule's template filled with the problem's data."""
    return rule.messages[problem.variant].format_map(problem.data)


def _help(rule: Rule, problem: Problem) -> str:
    """The remedy: the problem's own, that of its variant, or the rule's."""
    if problem.help is not None:
        return problem.help
    template = rule.helps.get(problem.variant)
    return rule.fix() if template is None else template.format_map(problem.data)


def _finding(rule: Rule, group: _Group, profile: Profile) -> Finding:
    """The public finding of a group."""
    problem = group.problem
    message = group.message or f"{group.count} more of the same kind, the first here: {_message(rule, problem)}"
    source = problem.place.source
    location = problem.place.location()
    line = ""
    if source is not None and location.span is not None:
        line = source.line_text(location.span.line)
    return Finding(
        rule.code,
        rule.name,
        group.severity,
        message,
        _help(rule, problem),
        problem.reference or rule.source,
        location,
        group.count,
        tuple(_locations(group.more)),
        {name: plain(value) for name, value in problem.data.items()},
        line,
        tuple(change.edit() for change in dict.fromkeys(group.edits)) if group.is_mended else (),
        problem.mender or rule.who,
        profile.alerts.name(rule.code, group.severity),
        question=rule.question,
    )


def _locations(places: list[Place]) -> Iterator[Location]:
    """Public locations of the further places."""
    for place in places:
        yield place.location()


def plain(value: Any) -> Any:
    """A value that JSON can hold: numpy scalars and arrays become Python's own."""
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value[:MAX_SHOWN].tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in list(value)[:MAX_SHOWN]]
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in list(value.items())[:MAX_SHOWN]}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
