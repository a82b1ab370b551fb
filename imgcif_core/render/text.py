"""The report for a terminal: findings by severity, each with its line, and what was not checked."""

import textwrap
from collections.abc import Callable, Iterator
from itertools import compress
from operator import not_

from imgcif_core.findings import FileReport, Finding, LinkVerdict, Report, Severity
from imgcif_core.render.excerpt import cells, clipped, excerpt_of, visible
from imgcif_core.render.summary import (
    PLURALS,
    alerts,
    capped,
    gaps,
    judge,
    needs_nothing,
    numbered,
    old_replies,
    place,
    ranked,
    readiness_lines,
    repeats,
    tally,
    verdict,
)

WIDTH = 80
GUTTER = 11
LONGEST = 1000
SHOWN_OF_A_RULE = 50
LISTED = 12
_COLORS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.INFO: "\x1b[1;36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
Paint = Callable[[str, str], str]


def render(
    report: Report,
    *,
    color: bool = False,
    quiet: bool = False,
    at_least: Severity = Severity.ERROR,
    verbose: bool = False,
    level: str = "",
) -> str:
    """The report as text of 80 columns; escape sequences in the file are shown, not sent.

    Errors and warnings are shown, what prevents interpretation, fetching and description first; `verbose` shows
    the infos too, and which rules did not judge. With the level `alerts` findings are alerts of the levels A, B, C
    and G, with who can mend them and what the author replied. `quiet` leaves only the findings at or above
    `at_least`, and crashed rules: a text that is empty when there is nothing of the kind.
    """
    paint = _painter(color)
    lines: list[str] = []
    for entry in report.files:
        lines += _short(entry, at_least, paint) if quiet else _whole(entry, paint, verbose=verbose, level=level)
    if not quiet:
        lines += _closing(report)
    return "".join(f"{line}\n" for line in lines)


def _painter(color: bool) -> Paint:
    """A function that colours text, or leaves it as it is."""
    return (lambda code, text: f"{code}{text}{_RESET}") if color else (lambda _code, text: text)


def _whole(entry: FileReport, paint: Paint, *, verbose: bool, level: str) -> Iterator[str]:
    """One file: verdict, readiness, findings, and how the other rules ended."""
    by_alert = level == "alerts"
    yield paint(_BOLD, visible(entry.path))
    kind = f"{entry.flavour} file, profile {visible(entry.profile)}"
    yield from _wrap(f"{kind}: {verdict(entry)} - {tally(entry.findings)}", "  ")
    if by_alert:
        yield from _wrap(alerts(entry), "  ")
    for question, answer in readiness_lines(entry):
        yield from _wrap(f"{question + ':':<10} {clipped(answer, LONGEST)}", "  ")
    order = ranked(entry.findings, by_alert=by_alert)
    is_shown = [_is_shown(finding, verbose=verbose, by_alert=by_alert) for finding in order]
    yield from _findings(list(compress(order, is_shown)), paint, entry if by_alert else None)
    if by_alert or verbose:
        yield from _old_replies(entry)
    yield from _links(entry, verbose=verbose)
    yield ""
    yield from _folded(list(compress(order, map(not_, is_shown))), verbose=verbose)
    yield from _outcomes(entry) if verbose else _gaps_in_brief(entry)
    yield ""


def _is_shown(finding: Finding, *, verbose: bool, by_alert: bool) -> bool:
    """Errors and warnings, or the alerts above information; with `verbose` all that asks for something."""
    if verbose:
        return not needs_nothing(finding)
    is_grave = finding.severity is not Severity.INFO
    return is_grave or (by_alert and finding.level not in ("G", ""))


def _folded(hidden: list[Finding], *, verbose: bool) -> Iterator[str]:
    """One line for the infos that are not shown."""
    if not hidden:
        return
    count = numbered(len(hidden), "info", PLURALS[Severity.INFO])
    if verbose:
        codes = ", ".join(dict.fromkeys(finding.rule for finding in hidden))
        yield from _wrap(f"{count} more, for which nothing is needed: {codes}", "  ")
    else:
        yield f"  {count}; --verbose shows them"


def _gaps_in_brief(entry: FileReport) -> Iterator[str]:
    """Why rules did not judge, without their codes; crashed rules are named."""
    found = gaps(entry)
    for gap in found:
        if gap.kind == "crashed":
            yield from _wrap(f"crashed: {', '.join(gap.rules)} ({clipped(gap.reason, LONGEST)})", "  ")
    reasons = dict.fromkeys(gap.reason for gap in found if gap.kind != "crashed")
    if reasons:
        yield from _wrap(f"not checked: {clipped('; '.join(reasons), LONGEST)}", "  ")


def _short(entry: FileReport, at_least: Severity, paint: Paint) -> Iterator[str]:
    """One file in quiet mode: nothing, unless there is something grave."""
    found = ranked(entry.findings, at_least)
    crashed = [gap for gap in gaps(entry) if gap.kind == "crashed"]
    if not found and not crashed:
        return
    yield paint(_BOLD, visible(entry.path))
    yield from _findings(found, paint)
    for gap in crashed:
        yield from _wrap(f"crashed: {', '.join(gap.rules)} ({clipped(gap.reason, LONGEST)})", "  ")
    yield ""


def _findings(findings: list[Finding], paint: Paint, alerting: FileReport | None = None) -> Iterator[str]:
    """Findings with a blank line before each; of a rule with very many, the first ones."""
    shown, hidden = capped(findings, SHOWN_OF_A_RULE)
    for finding in shown:
        yield ""
        yield from _finding(finding, paint, alerting)
    if hidden:
        yield ""
    for code, number in hidden.items():
        yield f"  {numbered(number, 'more finding')} of {code} not shown; --format json lists all"


def _finding(finding: Finding, paint: Paint, alerting: FileReport | None = None) -> Iterator[str]:
    """One finding: what and where, the line with a caret, the way out, further places; as an alert in full."""
    named = finding.alert if alerting and finding.alert else f"{finding.severity} {finding.rule}"
    label = paint(_COLORS[finding.severity], named)
    yield f"{label} {finding.name} at {visible(place(finding))}"
    yield from _wrap(clipped(finding.message, LONGEST), "  ")
    yield from _pointed(finding, paint)
    if finding.help:
        yield from _wrap(f"help: {clipped(finding.help, LONGEST)}", "  ")
    yield from _wrap(repeats(finding), "  ")
    if alerting:
        yield from _reply(finding, alerting)


def _reply(finding: Finding, entry: FileReport) -> Iterator[str]:
    """Who can mend it, and what the author replied."""
    if finding.who:
        yield f"  who can mend it: {finding.who}"
    if finding.reply:
        yield from _wrap(f"reply: {clipped(finding.reply.response, LONGEST) or 'empty'}", "  ")
    elif finding.level in entry.replies:
        yield "  no reply"


def _old_replies(entry: FileReport) -> Iterator[str]:
    """Replies to which there is no alert."""
    lines = list(old_replies(entry))
    if lines:
        yield ""
    for line in lines:
        yield from _wrap(clipped(line, LONGEST), "  ")


def _links(entry: FileReport, *, verbose: bool) -> Iterator[str]:
    """What came of each link that was followed, links of one fate together; the grave ones first."""
    if not entry.links:
        return
    states = [link.state for link in entry.links]
    order = ("contradicted", "not checked", "confirmed")
    told = ", ".join(f"{states.count(state)} {state}" for state in reversed(order) if state in states)
    yield ""
    yield f"  {numbered(len(states), 'link')}: {told}"
    groups: dict[tuple[str, str], list[LinkVerdict]] = {}
    for link in sorted(entry.links, key=lambda link: order.index(link.state)):
        groups.setdefault((link.state, link.because), []).append(link)
    most = SHOWN_OF_A_RULE if verbose else LISTED
    for (state, because), found in list(groups.items())[:most]:
        size = f", {found[0].size} bytes" if len(found) == 1 and found[0].size is not None else ""
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield from _wrap(clipped(f"{state}: {found[0].uri}{more} ({because}{size})", LONGEST), "    ")
    if len(groups) > most:
        yield f"    {len(groups) - most} more kinds; --format json lists all"


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
