"""One self-contained page that prints on few sheets; no scripts, nothing fetched.

It begins with what a decision rests on: verdict, readiness, title block, alerts, instrument; the rest follows.
"""

import re
from collections.abc import Iterator, Sequence

from imgcif_core.findings import Answer, FileReport, Report
from imgcif_core.render import html_findings, html_sheet
from imgcif_core.render.escaping import bidi_safe, text
from imgcif_core.render.html_style import STYLE, STYLE_SOURCE
from imgcif_core.render.sheet import Sheet
from imgcif_core.render.summary import (
    gaps,
    judge,
    numbered,
    readiness_lines,
    tally,
    verdict,
)

LISTED = 14
_HEADING = re.compile(r"(</?h)([2-5])(?=[ >])")
_POLICY = f"default-src 'none'; style-src {STYLE_SOURCE}; img-src data:"
_QUESTIONS = {
    "read": "Can it be read?",
    "interpret": "Can the images be interpreted?",
    "fetch": "Can the images be fetched?",
    "describe": "Is the experiment described?",
}


def render(
    report: Report,
    *,
    verbose: bool = False,
    sheets: Sequence[Sheet | None] = (),
    prose: html_findings.Prose | None = None,
) -> str:
    """The report as an HTML page, in ASCII so that no encoding of the output can spoil it.

    Parameters
    ----------
    verbose :
        True to show findings of level G unfolded.
    sheets :
        What is shown of each file beside its findings, in the order of the files; None for nothing.
    prose :
        The explanation of each rule by its headings, by code.
    """
    held = [*sheets, *[None] * (len(report.files) - len(sheets))]
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_title(report)}</title><style>{STYLE}</style></head><body><main>",
        *_overview(report),
    ]
    is_alone = len(report.files) == 1
    for number, (entry, sheet) in enumerate(zip(report.files, held, strict=True), 1):
        whole = _file(entry, number, sheet or Sheet(), prose or {}, verbose=verbose)
        parts += map(_raised, whole) if is_alone else whole
    parts += ["</main>", *_footer(report), "</body></html>\n"]
    return "\n".join(parts).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _title(report: Report) -> str:
    """What a window is called: the worst alerts first, then the file."""
    if len(report.files) != 1:
        return f"imgCIF check of {numbered(len(report.files), 'file')}"
    entry = report.files[0]
    worst = next(((level, count) for level, count in html_findings.counts(entry).items() if count), None)
    found = f"{numbered(worst[1], 'alert')} {worst[0]}" if worst else "no alerts"
    return f"{found} - {text(entry.path.rpartition('/')[2], 200)}"


def _overview(report: Report) -> Iterator[str]:
    """A table of the files, where there are several."""
    if len(report.files) == 1:
        return
    yield "<h1>imgCIF check</h1>"
    if not report.files:
        yield "<p>No files checked.</p>"
        return
    levels = "".join(f'<th scope="col" class="n">{level}</th>' for level in html_findings.MEANINGS)
    yield f'<table><thead><tr><th scope="col">File</th><th scope="col">Verdict</th>{levels}</tr></thead><tbody>'
    for number, entry in enumerate(report.files, 1):
        numbers = "".join(f'<td class="n">{count}</td>' for count in html_findings.counts(entry).values())
        link = f'<a href="#file-{number}">{bidi_safe(entry.path)}</a>'
        yield f"<tr><td>{link}</td><td>{text(verdict(entry))}</td>{numbers}</tr>"
    yield "</tbody></table>"


def _raised(part: str) -> str:
    """Headings one step higher, as the file's own is the first of the page; texts of files hold no markup."""
    return _HEADING.sub(lambda match: f"{match[1]}{int(match[2]) - 1}", part)


def _file(entry: FileReport, number: int, sheet: Sheet, prose: html_findings.Prose, *, verbose: bool) -> Iterator[str]:
    """One file: the first page for a decision, then findings, data, and how it was judged."""
    groups = html_findings.groups_of(entry, number)
    yield f'<section class="file"><h2 id="file-{number}">imgCIF check: {bidi_safe(entry.path)}</h2>'
    yield from _verdict(entry)
    yield html_sheet.facts(sheet.facts)
    yield from _readiness(entry)
    yield from html_findings.glance(groups, entry)
    yield from html_sheet.drawings(sheet)
    yield from html_sheet.spots(sheet)
    yield "<h3>Findings</h3>"
    yield html_findings.levels_legend(entry)
    if entry.findings:
        yield from html_findings.details(groups, entry, prose, verbose=verbose)
    else:
        yield "<p>No rule has anything to say.</p>"
    yield from html_findings.old_replies(entry)
    if sheet != Sheet():
        yield "<h3>Data</h3>"
        yield from html_sheet.scans(sheet)
        yield from html_sheet.links(sheet)
        yield from html_sheet.passport(sheet)
    yield from _judging(entry, sheet)
    yield "</section>"


def _verdict(entry: FileReport) -> Iterator[str]:
    """The verdict in words, with the numbers behind it."""
    answers = {ready.answer for _, ready in entry.readiness}
    usable = {entry.readiness.read.answer, entry.readiness.interpret.answer, entry.readiness.fetch.answer}
    kind = "" if not entry.conforming or Answer.NO in usable else "yes" if answers == {Answer.YES} else "open"
    words = verdict(entry).rstrip(".; ")
    counted = ", ".join(f"{count} {level}" for level, count in html_findings.counts(entry).items() if count)
    waiting = f"; {entry.unanswered} without the reply that is asked for" if entry.unanswered else ""
    yield f'<div class="verdict {kind}"><p><strong>{text(words[:1].upper() + words[1:])}.</strong></p>'
    yield f"<p>{tally(entry.findings)}; alerts by level: {counted or 'none'}{waiting}.</p></div>"


def _readiness(entry: FileReport) -> Iterator[str]:
    """The four questions with their answers."""
    lines = list(readiness_lines(entry))
    if lines:
        rows = "".join(
            f'<tr><th scope="row">{_QUESTIONS[question]}</th><td>{_answer(answer)}</td></tr>'
            for question, answer in lines
        )
        yield f'<h3>Can it be used?</h3><table class="asked"><tbody>{rows}</tbody></table>'


def _answer(words: str) -> str:
    """An answer, its first word in bold."""
    word, dash, reasons = words.partition(" - ")
    return f"<strong>{text(word)}</strong>{': ' if dash else ''}{bidi_safe(reasons) if dash else ''}"


def _judging(entry: FileReport, sheet: Sheet) -> Iterator[str]:
    """What was not checked, and what judged: enough to repeat the run."""
    yield "<h3>How this was judged</h3>"
    why = sheet.why_profile or f"profile {entry.profile}"
    pairs = [
        ("Profile", why),
        ("Kind of file", f"{entry.flavour}" + (f"; judged as {entry.scope}" if entry.scope else "")),
        ("SHA-256", entry.sha256),
    ]
    if sheet.command:
        pairs.append(("To repeat", sheet.command))
    yield html_sheet.facts(pairs, "facts one")
    yield from _outcomes(entry)


def _outcomes(entry: FileReport) -> Iterator[str]:
    """How many rules judged, and in words what was not checked and why."""
    outcomes = entry.outcomes
    clean = numbered(len(outcomes.clean), "rule")
    found = len({finding.rule for finding in entry.findings} - {crash.rule for crash in outcomes.crashed})
    yield f"<p>{clean} clean, {found} with findings, {len(outcomes.not_applicable)} not applicable.</p>"
    open_ones = gaps(entry)
    if not open_ones:
        return
    yield "<h4>Not checked</h4><ul>"
    for gap in open_ones:
        lead = "crashed" if gap.kind == "crashed" else "not checked"
        codes = ", ".join(gap.rules[:LISTED])
        left = len(gap.rules) - LISTED
        more = f" and {left} more" if left > 0 else ""
        told = f"{numbered(len(gap.rules), 'rule')} {lead}: {bidi_safe(gap.reason)}"
        yield f"<li>{told} <small>({text(codes)}{more})</small></li>"
    yield "</ul>"


def _footer(report: Report) -> Iterator[str]:
    """What judged."""
    yield f"<footer><p>imgcif-check {text(report.version)}</p><ul>"
    for identity in report.dictionaries:
        digest = f", SHA-256 {identity.sha256}" if identity.sha256 else ""
        yield f"<li>{text(judge(identity) + digest)}</li>"
    yield "</ul></footer>"
