"""One self-contained page that prints well."""

from collections.abc import Iterator
from html import escape

from imgcif_core.findings import FileReport, Finding, Report, Severity

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1b1b1b}
h1{font-size:1.4em}h2{font-size:1.1em;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.35em .5em;text-align:left;
vertical-align:top}pre{margin:.3em 0;overflow-x:auto}.error{border-left:.5em solid #9b1c1c}
.warning{border-left:.5em double #b7791f}.info{border-left:.5em dotted #2b6cb0}
@media print{body{margin:0;font-size:11px}tr{break-inside:avoid}}
"""


def render(report: Report) -> str:
    """The report as an HTML page without scripts and without anything fetched."""
    body = "\n".join(line for entry in report.files for line in _file(entry))
    judged = "; ".join(
        escape(f"{entry.title} {entry.version} ({entry.date}), SHA-256 {entry.sha256[:16]}")
        for entry in report.dictionaries
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>imgCIF check</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>imgCIF check</h1>\n{body}\n"
        f"<p>imgcif-check {escape(report.version)}; dictionary {judged}</p>\n</body></html>\n"
    )


def _file(entry: FileReport) -> Iterator[str]:
    """One file: verdict, findings, what was not checked."""
    counts = ", ".join(f"{entry.count(severity)} {severity}" for severity in Severity)
    verdict = "conforming" if entry.conforming else "not conforming"
    yield f"<h2>{escape(entry.path)}</h2>"
    yield f"<p><strong>{verdict}</strong>: {counts}. {escape(entry.flavour)} file, profile "
    yield f"{escape(entry.profile)}, SHA-256 {escape(entry.sha256[:16])}</p>"
    if entry.findings:
        yield "<table><tr><th>Severity</th><th>Line</th><th>Rule</th><th>Finding</th></tr>"
        for severity in Severity:
            yield from (_row(finding) for finding in entry.findings if finding.severity is severity)
        yield "</table>"
    outcomes = entry.outcomes
    yield f"<p>Clean: {len(outcomes.clean)} rules; not applicable: {len(outcomes.not_applicable)}.</p><ul>"
    for blockage in outcomes.blocked:
        yield f"<li>{escape(blockage.rule)} blocked by {escape(', '.join(blockage.by))}</li>"
    for unchecked in (*outcomes.not_checked, *outcomes.crashed):
        yield f"<li>{escape(unchecked.rule)} not checked: {escape(unchecked.reason)}</li>"
    yield "</ul>"


def _row(finding: Finding) -> str:
    """One finding as a table row."""
    span = finding.location.span
    line = str(span.line) if span else ""
    times = f" ({finding.count} times)" if finding.count > 1 else ""
    source = f"<pre>{escape(finding.source_line[:200])}</pre>" if finding.source_line.strip() else ""
    return (
        f'<tr class="{finding.severity}"><td>{finding.severity}</td><td>{line}</td>'
        f"<td>{escape(finding.rule)}<br>{escape(finding.name)}</td>"
        f"<td>{escape(finding.message)}{times}{source}{escape(finding.help)}</td></tr>"
    )
