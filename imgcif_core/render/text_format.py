"""The report for a terminal: findings by severity, each with its line, and what was not checked."""

import textwrap
import unicodedata
from collections.abc import Iterator

from imgcif_core.findings import FileReport, Finding, Report, Severity

WIDTH = 80
LINE_WINDOW = 100
LISTED = 12
_COLORS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.INFO: "\x1b[1;36m"}
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(report: Report, *, color: bool = False, quiet: bool = False) -> str:
    """The report as text for a terminal of 80 columns; escape sequences in the file are shown, not sent.

    `quiet` leaves out warnings, infos and the account of what was not checked.
    """
    lines: list[str] = []
    for entry in report.files:
        lines += _file(entry, color=color, quiet=quiet)
    if not quiet:
        lines += _closing(report)
    return "\n".join(lines) + "\n"


def _file(entry: FileReport, *, color: bool, quiet: bool) -> Iterator[str]:
    """One file: verdict, findings, and how the other rules ended."""
    paint = _painter(color)
    yield paint(_BOLD, visible(entry.path))
    yield f"  {entry.flavour} file, profile {visible(entry.profile)}: {_verdict(entry)}"
    for severity in [Severity.ERROR] if quiet else list(Severity):
        for finding in entry.findings:
            if finding.severity is severity:
                yield ""
                yield from _finding(finding, paint)
    if not quiet:
        yield ""
        yield from _unchecked(entry)
    yield ""


def _painter(color: bool):
    """A function that colours text, or leaves it as it is."""
    return (lambda code, text: f"{code}{text}{_RESET}") if color else (lambda _code, text: text)


def _verdict(entry: FileReport) -> str:
    """Counts in words."""
    parts = []
    for severity in Severity:
        number = entry.count(severity)
        if number:
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    found = ", ".join(parts) if parts else "nothing found"
    return f"{found} - {'conforming' if entry.conforming else 'not conforming'}"


def _finding(finding: Finding, paint) -> Iterator[str]:
    """One finding: where and what, the line with a caret, the way out, further places."""
    span = finding.location.span
    where = f"line {span.line}, column {span.column}" if span else "whole file"
    label = paint(_COLORS[finding.severity], f"{finding.severity} {finding.rule}")
    yield f"{label} {finding.name} ({where})"
    yield from _wrap(visible(finding.message), "  ")
    if span and finding.source_line.strip():
        yield from _excerpt(finding, paint)
    if finding.help:
        yield from _wrap(f"help: {visible(finding.help)}", "  ")
    if finding.count > 1:
        lines = sorted({place.span.line for place in finding.more if place.span})
        if span and span.line in lines:
            lines.remove(span.line)
        also = f"; also at line {', '.join(map(str, lines))}" if lines else ""
        more = ", ..." if finding.count > len(lines) + 1 and lines else ""
        yield f"  {finding.count} times{also}{more}"


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _excerpt(finding: Finding, paint) -> Iterator[str]:
    """The source line and a caret under the span; a long line is cut round it."""
    span = finding.location.span
    if span is None:
        return
    line = finding.source_line
    begin = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    shift = max(0, begin - LINE_WINDOW // 2) if len(line) > LINE_WINDOW else 0
    window = line[shift : shift + LINE_WINDOW]
    head = visible(window[: max(0, begin - shift)])
    marked = visible(window[max(0, begin - shift) : max(0, end - shift)])
    yield f"  {span.line:>6} | {visible(window)}"
    yield f"  {'':>6} | {' ' * _width(head)}{paint(_COLORS[finding.severity], '^' * max(1, _width(marked)))}"


def _width(text: str) -> int:
    """The number of terminal cells that a text fills."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def visible(text: str) -> str:
    """Text in which control characters are shown and tabs are one blank, so that nothing acts on the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else " "
        if character == "\t"
        else chr(0x2400 + ord(character))
        if ord(character) < 32
        else "\ufffd"
        for character in text
    )


def _unchecked(entry: FileReport) -> Iterator[str]:
    """What was judged, and what was not and why."""
    outcomes = entry.outcomes
    found = len({finding.rule for finding in entry.findings})
    yield (
        f"  rules: {found} with findings, {len(outcomes.clean)} clean, {len(outcomes.not_applicable)} not applicable"
    )
    for blockage in outcomes.blocked:
        yield f"  not checked: {blockage.rule}, blocked by {', '.join(blockage.by) or 'an earlier fault'}"
    reasons: dict[str, list[str]] = {}
    for unchecked in outcomes.not_checked:
        reasons.setdefault(unchecked.reason, []).append(unchecked.rule)
    for reason, codes in reasons.items():
        shown = ", ".join(codes[:LISTED]) + (f" and {len(codes) - LISTED} more" if len(codes) > LISTED else "")
        yield from _wrap(f"not checked ({visible(reason)}): {shown}", "  ")
    for crash in outcomes.crashed:
        yield from _wrap(f"crashed: {crash.rule}, {visible(crash.reason)}", "  ")


def _closing(report: Report) -> Iterator[str]:
    """Totals over several files, and what judged."""
    if len(report.files) > 1:
        bad = sum(not entry.conforming for entry in report.files)
        yield f"{len(report.files)} files, {bad} not conforming"
    for entry in report.dictionaries:
        yield f"imgcif-check {report.version}, dictionary {entry.title} {entry.version} of {entry.date}"
