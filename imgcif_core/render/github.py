"""Annotations for GitHub workflows."""

from collections.abc import Iterator

from imgcif_core.findings import FileReport, Finding, Report, Severity
from imgcif_core.render.excerpt import visible
from imgcif_core.render.summary import by_severity, numbered, repeats, tally, verdict

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """One workflow command a finding, the gravest first, and a summary line a file and in all.

    The order matters: GitHub shows only the first annotations of each kind.
    """
    lines = [line for entry in report.files for line in _file(entry)]
    bad = sum(not entry.conforming for entry in report.files)
    checked = numbered(len(report.files), "file")
    lines.append(_log(f"imgcif-check: {checked}, {bad} not conforming - {tally(report.findings())}"))
    return "".join(f"{line}\n" for line in lines)


def _file(entry: FileReport) -> Iterator[str]:
    """The commands and the summary line of one file."""
    for finding in by_severity(entry.findings):
        yield _command(entry, finding)
    for crash in entry.outcomes.crashed:
        title = _property(f"{crash.rule} crashed")
        yield f"::error file={_property(entry.path)},title={title}::{_data(crash.reason)}"
    yield _log(f"imgcif-check: {entry.path}: {verdict(entry)} - {tally(entry.findings)}")


def _command(entry: FileReport, finding: Finding) -> str:
    """One finding; columns only within one line, as GitHub refuses them otherwise."""
    span = finding.location.span
    properties = [f"file={_property(entry.path)}"]
    if span:
        properties += [f"line={span.line}", f"endLine={span.end_line}"]
        if span.line == span.end_line:
            properties += [f"col={span.column}", f"endColumn={span.end_column}"]
    properties.append(f"title={_property(f'{finding.rule} {finding.name}')}")
    lines = [finding.message, f"help: {finding.help}" if finding.help else "", repeats(finding)]
    text = "%0A".join(_data(line) for line in lines if line)
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{text}"


def _log(text: str) -> str:
    """A plain line of the log that cannot be taken for a command of the older form `##[...]`."""
    return visible(text).replace("##[", "## [")


def _data(text: str) -> str:
    """Text behind a command; control characters become visible, as logs obey escape sequences."""
    parts = (visible(part) for part in text.replace("\r\n", "\n").split("\n"))
    return "%0A".join(part.replace("%", "%25") for part in parts)


def _property(text: str) -> str:
    """Text of a property, whose value must stay the one that was given."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped.replace(":", "%3A").replace(",", "%2C"))
