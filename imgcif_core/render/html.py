"""One self-contained page that prints well; no scripts, nothing fetched."""

from collections.abc import Iterable, Iterator
from html import escape

from imgcif_core.findings import FileReport, Finding, Report, Severity
from imgcif_core.render.excerpt import clipped, excerpt_of
from imgcif_core.render.summary import (
    alerts,
    capped,
    gaps,
    judge,
    needs_nothing,
    numbered,
    place,
    ranked,
    readiness_lines,
    repeats,
    tally,
    verdict,
)

LONGEST = 4000
SHOWN_OF_A_RULE = 200
ROOM = 100
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#1b1b1b}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}h2,td,li{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.8em 0}
th,td{border:1px solid #bbb;padding:.35em .5em;text-align:left;vertical-align:top}th{background:#eee}
td.n,th.n{text-align:right}pre{margin:.4em 0;overflow-x:auto;background:#f6f6f6;padding:.3em .5em}
mark{background:#ffe9a8;text-decoration:underline}p.help{margin:.3em 0}p.help::before{content:"Help: "}
tr.error td:first-child{border-left:.5em solid #9b1c1c}
tr.warning td:first-child{border-left:.5em double #b7791f}
tr.info td:first-child{border-left:.5em dotted #2b6cb0}
footer{margin-top:2em;font-size:.9em;color:#444}
@media print{body{margin:0;max-width:none;font-size:10px}tr,li{break-inside:avoid}thead{display:table-header-group}
pre{white-space:pre-wrap}}
"""


def render(report: Report, *, verbose: bool = False, level: str = "") -> str:
    """The report as an HTML page, in ASCII so that no encoding of the output can spoil it.

    Infos are folded away unless `verbose` is true; with the level `alerts` findings are shown as alerts.
    """
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>imgCIF check</title><style>{_STYLE}</style></head><body>",
        "<h1>imgCIF check</h1>",
        *_overview(report),
    ]
    for number, entry in enumerate(report.files, 1):
        parts += _file(entry, number, verbose=verbose, by_alert=level == "alerts")
    parts += [*_footer(report), "</body></html>\n"]
    return "\n".join(parts).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _overview(report: Report) -> Iterator[str]:
    """A table of the files with their counts."""
    if not report.files:
        yield "<p>No files checked.</p>"
        return
    columns = "".join(f'<th class="n">{severity}</th>' for severity in Severity)
    yield f"<table><thead><tr><th>File</th><th>Verdict</th>{columns}</tr></thead><tbody>"
    for number, entry in enumerate(report.files, 1):
        counts = "".join(f'<td class="n">{entry.count(severity)}</td>' for severity in Severity)
        link = f'<a href="#file-{number}">{_text(entry.path)}</a>'
        yield f"<tr><td>{link}</td><td>{_text(verdict(entry))}</td>{counts}</tr>"
    yield "</tbody></table>"


def _file(entry: FileReport, number: int, *, verbose: bool, by_alert: bool) -> Iterator[str]:
    """One file: verdict, findings, and how the other rules ended."""
    yield f'<section><h2 id="file-{number}">{_text(entry.path)}</h2>'
    yield f"<p><strong>{_text(verdict(entry))}</strong>: {tally(entry.findings)}.<br>"
    yield f"{_text(entry.flavour)} file, profile {_text(entry.profile)}, SHA-256 {_text(entry.sha256)}</p>"
    if by_alert:
        yield f"<p>{_text(alerts(entry))}</p>"
    yield from _readiness(entry)
    shown, hidden = capped(ranked(entry.findings, by_alert=by_alert), SHOWN_OF_A_RULE)
    grave = [finding for finding in shown if finding.severity is not Severity.INFO]
    infos = [finding for finding in shown if finding.severity is Severity.INFO and not needs_nothing(finding)]
    idle = [finding for finding in shown if needs_nothing(finding)]
    alerting = entry if by_alert else None
    if grave:
        yield from _table(grave, alerting)
    for found, words in ((infos, ""), (idle, ", for which nothing is needed")):
        if found:
            opened = " open" if verbose and found is infos else ""
            yield f"<details{opened}><summary>{numbered(len(found), 'info')}{words}</summary>"
            yield from _table(found, alerting)
            yield "</details>"
    for code, count in hidden.items():
        yield f"<p>{numbered(count, 'more finding')} of {_text(code)} not shown.</p>"
    yield from _outcomes(entry)
    yield "</section>"


def _readiness(entry: FileReport) -> Iterator[str]:
    """The four questions with their answers."""
    lines = list(readiness_lines(entry))
    if lines:
        rows = "".join(f"<tr><th>{question}</th><td>{_text(answer)}</td></tr>" for question, answer in lines)
        yield f"<table><caption>Can it be used?</caption><tbody>{rows}</tbody></table>"


def _table(findings: Iterable[Finding], alerting: FileReport | None = None) -> Iterator[str]:
    heads = "".join(f"<th>{head}</th>" for head in ("Severity", "Place", "Rule", "Finding"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    yield from (_row(finding, alerting) for finding in findings)
    yield "</tbody></table>"


def _row(finding: Finding, alerting: FileReport | None = None) -> str:
    """One finding as a table row; as an alert with who can mend it and the reply."""
    label = f"<br>{_text(finding.alert)}<br>{_text(finding.who)}" if alerting else ""
    reply = f"<p>Reply: {_text(finding.reply.response)}</p>" if alerting and finding.reply else ""
    if alerting and finding.reply is None and finding.level in alerting.replies:
        reply = "<p>No reply</p>"
    times = f"<p>{_text(repeats(finding))}</p>" if finding.count > 1 else ""
    help_line = f'<p class="help">{_text(finding.help)}</p>' if finding.help else ""
    return (
        f'<tr class="{finding.severity}"><td>{finding.severity}</td><td>{_text(place(finding))}</td>'
        f"<td>{_text(finding.rule)}<br>{_text(finding.name)}{label}</td>"
        f"<td>{_text(finding.message)}{_source(finding)}{help_line}{times}{reply}</td></tr>"
    )


def _source(finding: Finding) -> str:
    """The source line with its span marked."""
    excerpt = excerpt_of(finding, ROOM)
    if excerpt is None:
        return ""
    before, marked, after = map(escape, excerpt)
    return f"<pre>{before}<mark>{marked}</mark>{after}</pre>"


def _outcomes(entry: FileReport) -> Iterator[str]:
    """How many rules judged, and which did not and why."""
    outcomes = entry.outcomes
    clean = numbered(len(outcomes.clean), "rule")
    yield f"<p>{clean} clean, {len(outcomes.not_applicable)} not applicable.</p>"
    found = gaps(entry)
    if not found:
        return
    yield "<h3>Not checked</h3><ul>"
    for gap in found:
        lead = "crashed" if gap.kind == "crashed" else "not checked"
        yield f"<li>{_text(', '.join(gap.rules))}: {lead} ({_text(gap.reason)})</li>"
    yield "</ul>"


def _footer(report: Report) -> Iterator[str]:
    """What judged: enough to repeat the run."""
    yield f"<footer><p>imgcif-check {_text(report.version)}</p><ul>"
    for identity in report.dictionaries:
        digest = f", SHA-256 {identity.sha256}" if identity.sha256 else ""
        yield f"<li>{_text(judge(identity) + digest)}</li>"
    yield "</ul></footer>"


def _text(text: str) -> str:
    """Text safe inside an element: control characters visible, markup escaped, length limited."""
    return escape(clipped(text, LONGEST))
