"""What all formats say alike: verdicts, repeats, and which rules judged nothing and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from imgcif_core.findings import DictionaryIdentity, FileReport, Finding, Severity

RuleTexts = Mapping[str, tuple[str, str, str, str]]
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
    """The verdict on one file in words."""
    return "conforming" if entry.conforming else "not conforming"


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
