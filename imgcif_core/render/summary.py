"""What all formats say alike: verdicts, repeats, and which rules judged nothing and why."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from imgcif_core.findings import LEVELS, Answer, DictionaryIdentity, FileReport, Finding, Ready, Severity

RuleTexts = Mapping[str, tuple[str, str, str, str]]
_RANKS = ("read", "interpret", "fetch", "", "describe", "picture")
_RULE_BEHIND = re.compile(r" \([A-Z]{3}[0-9]{3}\)\Z")
_BARE = re.compile(r"[A-Z]{2,8}[0-9]{2,5}\Z")
PLURALS = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "infos"}


class Gap(NamedTuple):
    """Rules that judged nothing, for one and the same reason."""

    kind: str
    reason: str
    rules: tuple[str, ...]


def numbered(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def verdict(entry: FileReport) -> str:
    """The verdict on one file in words: good only where somebody else could fetch and process the images."""
    words = "conforming" if entry.conforming else "not conforming"
    if entry.scope:
        return f"{words}, as {entry.scope}"
    joint = "but" if entry.conforming else "and"
    for question, verb in (("interpret", "interpreted"), ("fetch", "fetched")):
        ready: Ready = getattr(entry.readiness, question)
        if ready.answer is Answer.NO:
            return f"{words}, {joint} cannot be {verb}: {_briefly(entry, ready)}"
        if ready.answer is Answer.NOT_CHECKED and ready.because:
            return f"{words}, not checked whether it can be {verb}: {_briefly(entry, ready)}"
    return words


def _because(entry: FileReport, ready: Ready) -> list[str]:
    """The reasons of an answer; a rule that is the reason by itself is told by its name."""
    if not any(_BARE.match(reason) for reason in ready.because):
        return list(ready.because)
    names = {finding.rule: finding.name.replace("-", " ") for finding in entry.findings}
    return [f"{names[reason]} ({reason})" if reason in names else reason for reason in ready.because]


def _briefly(entry: FileReport, ready: Ready) -> str:
    """The first reasons of an answer, in words."""
    shown = [_RULE_BEHIND.sub("", reason) for reason in _because(entry, ready)[:2]]
    return "; ".join(shown) + ("; ..." if len(ready.because) > 2 else "")


def readiness_lines(entry: FileReport) -> Iterator[tuple[str, str]]:
    """Each question with its answer and the reasons for it, as words; nothing where nothing was asked."""
    if all(ready == Ready() for _, ready in entry.readiness):
        return
    for question, ready in entry.readiness:
        answer = str(ready.answer).replace("-", " ")
        yield question, f"{answer} - {'; '.join(_because(entry, ready))}" if ready.because else answer


def alerts(entry: FileReport) -> str:
    """The numbers of alerts by level, and of those to which a reply is missing."""
    found = Counter(finding.level for finding in entry.findings)
    parts = [f"{found[level]} {level}" for level in LEVELS if found[level]]
    missing = f", {entry.unanswered} without the reply that is asked for" if entry.unanswered else ""
    return f"alerts: {', '.join(parts) or 'none'}{missing}"


def old_replies(entry: FileReport) -> Iterator[str]:
    """The replies in the file to which there is no alert, one line each."""
    for old in entry.old_replies:
        yield f"reply to {old.rule} in block {old.block}, {old.state}: {old.reply.response or 'empty'}"


def needs_nothing(finding: Finding) -> bool:
    """True for information that asks for nothing to be done."""
    return finding.severity is Severity.INFO and finding.help.casefold().startswith("nothing is needed")


def tally(findings: Iterable[Finding]) -> str:
    """The numbers of errors, warnings and infos in words."""
    found = Counter(finding.severity for finding in findings)
    parts = [numbered(found[severity], str(severity), PLURALS[severity]) for severity in Severity if found[severity]]
    return ", ".join(parts) or "nothing found"


def place(finding: Finding) -> str:
    """Where a finding stands in the text: line and column, else block or item, else the file."""
    location = finding.location
    if location.span:
        return f"{location.span.line}:{location.span.column}"
    if location.block is None:
        return location.item or "whole file"
    return f"block {location.block}" + (f", {location.item}" if location.item else "")


def repeats(finding: Finding) -> str:
    """How often the finding holds and in which other lines, or an empty text."""
    if finding.count <= 1:
        return ""
    own = finding.location.span.line if finding.location.span else None
    lines = sorted({other.span.line for other in finding.more if other.span} - {own})
    if not lines:
        return f"{finding.count} times"
    unnamed = ", ..." if finding.count > len(finding.more) + 1 else ""
    noun = "line" if len(lines) == 1 and not unnamed else "lines"
    return f"{finding.count} times; also at {noun} {', '.join(map(str, lines))}{unnamed}"


def ranked(findings: Iterable[Finding], at_least: Severity = Severity.INFO, *, by_alert: bool = False) -> list[Finding]:
    """The findings at or above a severity for people to read.

    The gravest come first, by severity or by level of alert; among these what prevents reading, interpretation,
    fetching, then description, and pictures last; else in the order of the file.
    """
    order = list(Severity)
    chosen = [finding for finding in findings if finding.severity.at_least(at_least)]

    def rank(finding: Finding) -> tuple[int, int, int]:
        place = _RANKS.index(finding.question) if finding.question in _RANKS else 3
        level = LEVELS.index(finding.level) if by_alert and finding.level in LEVELS else 0
        return level, order.index(finding.severity), place

    return sorted(chosen, key=rank)


def by_severity(findings: Iterable[Finding], at_least: Severity = Severity.INFO) -> list[Finding]:
    """The findings at or above a severity, the gravest first, else in their own order."""
    order = list(Severity)
    chosen = [finding for finding in findings if finding.severity.at_least(at_least)]
    return sorted(chosen, key=lambda finding: order.index(finding.severity))


def capped(findings: Iterable[Finding], limit: int) -> tuple[list[Finding], Counter[str]]:
    """At most `limit` findings of each rule, and how many more each rule has."""
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.rule] += 1
        if seen[finding.rule] <= limit:
            kept.append(finding)
    return kept, Counter({code: number - limit for code, number in seen.items() if number > limit})


def gaps(entry: FileReport) -> list[Gap]:
    """What was not checked: crashed rules, then blocked ones, then those left out, by reason."""
    outcomes = entry.outcomes
    lines: dict[str, int] = {}
    for finding in entry.findings:
        if finding.location.span:
            lines.setdefault(finding.rule, finding.location.span.line)
    grouped: dict[tuple[str, str], list[str]] = {}
    for crash in outcomes.crashed:
        grouped.setdefault(("crashed", crash.reason), []).append(crash.rule)
    for blockage in outcomes.blocked:
        by = [f"{code} (line {lines[code]})" if code in lines else code for code in blockage.by]
        reason = f"blocked by {', '.join(by) or 'an earlier fault'}"
        grouped.setdefault(("blocked", reason), []).append(blockage.rule)
    for unchecked in outcomes.not_checked:
        grouped.setdefault(("not checked", unchecked.reason), []).append(unchecked.rule)
    return [Gap(kind, reason, tuple(rules)) for (kind, reason), rules in grouped.items()]


GAPS_SHOWN = 3


def judge(identity: DictionaryIdentity) -> str:
    """Which dictionary judged, in one line."""
    date = f" of {identity.date}" if identity.date else ""
    origin = f" ({identity.origin})" if identity.origin else ""
    gaps = f", in part only: {'; '.join(identity.gaps[:GAPS_SHOWN])}" if identity.gaps else ""
    more = f" and {len(identity.gaps) - GAPS_SHOWN} more" if len(identity.gaps) > GAPS_SHOWN else ""
    return f"dictionary {identity.title} {identity.version}{date}{origin}{gaps}{more}"
