"""The report for a terminal: findings by severity, each with its line, and what was not checked."""

import textwrap
from collections.abc import Callable, Iterator

from imgcif_core.findings import FileReport, Finding, Report, Severity
from imgcif_core.render.excerpt import cells, clipped, excerpt_of, visible
from imgcif_core.render.summary import by_severity, capped, gaps, judge, numbered, place, repeats, tally, verdict

WIDTH = 80
GUTTER = 11
LONGEST = 1000
SHOWN_OF_A_RULE = 50
LISTED = 12
_COLORS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.INFO: "\x1b[1;36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
Paint = Callable[[str, str], str]


def render(report: Report, *, color: bool = False, quiet: bool = False, at_least: Severity = Severity.ERROR) -> str:
    """The report as text of 80 columns; escape sequences in the file are shown, not sent.

    `quiet` leaves only the findings at or above `at_least`, and crashed rules: a text that is
    empty when there is nothing of the kind.
    """
    paint = _painter(color)
    lines: list[str] = []
    for entry in report.files:
        lines += _short(entry, at_least, paint) if quiet else _whole(entry, paint)
    if not quiet:
        lines += _closing(report)
    return "".join(f"{line}\n" for line in lines)


def _painter(color: bool) -> Paint:
    """A function that colours text, or leaves it as it is."""
    return (lambda code, text: f"{code}{text}{_RESET}") if color else (lambda _code, text: text)


def _whole(entry: FileReport, paint: Paint) -> Iterator[str]:
    """One file: verdict, findings, and how the other rules ended."""
    yield paint(_BOLD, visible(entry.path))
    kind = f"{entry.flavour} file, profile {visible(entry.profile)}"
    yield from _wrap(f"{kind}: {verdict(entry)} - {tally(entry.findings)}", "  ")
    yield from _findings(by_severity(entry.findings), paint)
    yield ""
    yield from _outcomes(entry)
    yield ""


def _short(entry: FileReport, at_least: Severity, paint: Paint) -> Iterator[str]:
    """One file in quiet mode: nothing, unless there is something grave."""
    found = by_severity(entry.findings, at_least)
    crashed = [gap for gap in gaps(entry) if gap.kind == "crashed"]
    if not found and not crashed:
        return
    yield paint(_BOLD, visible(entry.path))
    yield from _findings(found, paint)
    for gap in crashed:
        yield from _wrap(f"crashed: {', '.join(gap.rules)} ({clipped(gap.reason, LONGEST)})", "  ")
    yield ""


def _findings(findings: list[Finding], paint: Paint) -> Iterator[str]:
    """Findings with a blank line before each; of a rule with very many, the first ones."""
    shown, hidden = capped(findings, SHOWN_OF_A_RULE)
    for finding in shown:
        yield ""
        yield from _finding(finding, paint)
    if hidden:
        yield ""
    for code, number in hidden.items():
        yield f"  {numbered(number, 'more finding')} of {code} not shown; --format json lists all"


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    """One finding: what and where, the line with a caret, the way out, further places."""
    label = paint(_COLORS[finding.severity], f"{finding.severity} {finding.rule}")
    yield f"{label} {finding.name} at {visible(place(finding))}"
    yield from _wrap(clipped(finding.message, LONGEST), "  ")
    yield from _pointed(finding, paint)
    if finding.help:
        yield from _wrap(f"help: {clipped(finding.help, LONGEST)}", "  ")
    yield from _wrap(repeats(finding), "  ")


def _wrap(text: str, indent: str) -> list[str]:
    """Lines of at most 80 characters, the later ones set in."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _pointed(finding: Finding, paint: Paint) -> Iterator[str]:
    """The source line with carets under the span."""
    excerpt = excerpt_of(finding, WIDTH - GUTTER)
    span = finding.location.span
    if excerpt is None or span is None:
        return
    carets = paint(_COLORS[finding.severity], "^" * max(1, cells(excerpt.marked)))
    yield f"  {span.line:>6} | {''.join(excerpt)}".rstrip()
    yield f"  {'':>6} | {' ' * cells(excerpt.before)}{carets}"


def _outcomes(entry: FileReport) -> Iterator[str]:
    """How many rules judged, and which did not and why."""
    outcomes = entry.outcomes
    found = len({finding.rule for finding in entry.findings} - {crash.rule for crash in outcomes.crashed})
    yield (
        f"  rules: {found} with findings, {len(outcomes.clean)} clean, {len(outcomes.not_applicable)} not applicable"
    )
    for gap in gaps(entry):
        left = len(gap.rules) - LISTED
        codes = ", ".join(gap.rules[:LISTED]) + (f" and {left} more" if left > 0 else "")
        head = "crashed" if gap.kind == "crashed" else "not checked"
        yield from _wrap(f"{head}: {codes} ({clipped(gap.reason, LONGEST)})", "  ")


def _closing(report: Report) -> Iterator[str]:
    """Totals over several files, and what judged."""
    if not report.files:
        yield "no files checked"
    if len(report.files) > 1:
        bad = sum(not entry.conforming for entry in report.files)
        yield f"{len(report.files)} files, {bad} not conforming - {tally(report.findings())}"
    judges = [visible(judge(identity)) for identity in report.dictionaries]
    yield from _wrap("; ".join([f"imgcif-check {report.version}", *judges]), "")
