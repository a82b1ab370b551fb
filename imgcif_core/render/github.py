"""Annotations for GitHub workflows."""

from imgcif_core.findings import FileReport, Finding, Report, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """One workflow command a finding, and a summary line a file."""
    lines = []
    for entry in report.files:
        lines += [_command(entry, finding) for finding in entry.findings]
        counts = ", ".join(f"{entry.count(severity)} {severity}" for severity in Severity)
        lines.append(_data(f"{entry.path}: {counts}").replace("::", ":%3A"))
    return "\n".join(lines) + "\n"


def _command(entry: FileReport, finding: Finding) -> str:
    span = finding.location.span
    properties = [f"file={_property(entry.path)}"]
    if span:
        properties += [f"line={span.line}", f"endLine={span.end_line}"]
        if span.line == span.end_line:
            properties += [f"col={span.column}", f"endColumn={span.end_column}"]
    properties.append(f"title={_property(f'{finding.rule} {finding.name}')}")
    text = finding.message + (f"\n{finding.help}" if finding.help else "")
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(text)}"


def _data(text: str) -> str:
    """Text behind a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text of a property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
