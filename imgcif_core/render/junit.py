"""JUnit XML: a suite for each file, a case for each rule."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from imgcif_core.findings import FileReport, Finding, Report, Severity
from imgcif_core.render.summary import gaps, judge, place, readiness_lines, repeats

_UNFIT = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Case(NamedTuple):
    """One rule: its code, how it ended, and the elements that say so."""

    code: str
    ending: str
    body: str


def render(report: Report) -> str:
    """The report as JUnit XML, in ASCII so that no encoding of the output can spoil it.

    Errors and warnings are failures, infos are output, rules that did not judge are skipped, and
    crashed rules are errors.
    """
    judges = "; ".join(judge(identity) for identity in report.dictionaries)
    suites = [(entry, sorted(_cases(entry))) for entry in report.files]
    head = _numbers([case for _, cases in suites for case in cases])
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="imgcif-check" {head}>']
    for entry, cases in suites:
        parts += _suite(entry, cases, {"version": report.version, "dictionary": judges})
    text = "\n".join([*parts, "</testsuites>\n"])
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _suite(entry: FileReport, cases: list[_Case], run: dict[str, str]) -> Iterator[str]:
    """One file."""
    facts = {"flavour": entry.flavour, "profile": entry.profile, "sha256": entry.sha256, **run}
    facts |= {f"readiness.{question}": answer for question, answer in readiness_lines(entry)}
    yield f"<testsuite name={_attribute(entry.path)} {_numbers(cases)}>"
    yield "<properties>"
    for name, value in facts.items():
        yield f"<property name={_attribute(name)} value={_attribute(value)}/>"
    yield "</properties>"
    for case in cases:
        yield f"<testcase classname={_attribute(entry.path)} name={_attribute(case.code)}>{case.body}</testcase>"
    yield "</testsuite>"


def _numbers(cases: Iterable[_Case]) -> str:
    """The counting attributes of a suite."""
    endings = [case.ending for case in cases]
    counts = {name: endings.count(name.removesuffix("s")) for name in ("failures", "errors", "skipped")}
    return f'tests="{len(endings)}" ' + " ".join(f'{name}="{count}"' for name, count in counts.items())


def _cases(entry: FileReport) -> Iterator[_Case]:
    """Every rule once: a crash outweighs findings."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in entry.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for gap in gaps(entry):
        for code in gap.rules:
            if gap.kind == "crashed":
                yield _crashed(code, gap.reason, by_rule.pop(code, []))
            else:
                yield _skipped(code, gap.reason)
    for code, findings in by_rule.items():
        yield _found(code, findings)
    for code in entry.outcomes.not_applicable:
        yield _skipped(code, "not applicable")
    for code in entry.outcomes.clean:
        yield _Case(code, "passed", "")


def _skipped(code: str, reason: str) -> _Case:
    return _Case(code, "skipped", f"<skipped message={_attribute(reason)}/>")


def _crashed(code: str, reason: str, findings: list[Finding]) -> _Case:
    body = f'<error type="crash" message={_attribute(reason)}>{_content(findings)}</error>'
    return _Case(code, "error", body)


def _found(code: str, findings: list[Finding]) -> _Case:
    """A rule with findings; the gravest one gives the headline."""
    infos = [finding for finding in findings if finding.severity is Severity.INFO]
    failures = [finding for finding in findings if finding.severity is not Severity.INFO]
    output = f"<system-out>{_content(infos)}</system-out>" if infos else ""
    if not failures:
        return _Case(code, "passed", output)
    worst = next((finding for finding in failures if finding.severity is Severity.ERROR), failures[0])
    head = f'<failure type="{worst.severity}" message={_attribute(worst.message)}>'
    return _Case(code, "failure", f"{head}{_content(failures)}</failure>{output}")


def _content(findings: Iterable[Finding]) -> str:
    """Findings as the text of an element."""
    # A bare carriage return would be read back as a line feed.
    return escape(_legal("\n".join(map(_line, findings))), {"\r": "&#13;"})


def _line(finding: Finding) -> str:
    """A finding in one line, with its help in a second."""
    times = f" ({repeats(finding)})" if finding.count > 1 else ""
    help_line = f"\n  help: {finding.help}" if finding.help else ""
    return f"{finding.severity} {finding.name} at {place(finding)}: {finding.message}{times}{help_line}"


def _legal(text: str) -> str:
    """Text with a mark in place of what XML cannot hold or advises against."""
    return _UNFIT.sub("\ufffd", text)


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))
