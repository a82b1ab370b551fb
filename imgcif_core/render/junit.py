"""JUnit XML: a suite for each file, a case for each rule."""

import re
from xml.sax.saxutils import escape, quoteattr

from imgcif_core.findings import FileReport, Finding, Report, Severity

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The report as JUnit XML; errors and warnings are failures, infos are output."""
    suites = "\n".join(_suite(entry) for entry in report.files)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="imgcif-check">\n{suites}\n</testsuites>\n'


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _suite(entry: FileReport) -> str:
    """One file."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in entry.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    outcomes = entry.outcomes
    cases = [_found(code, findings) for code, findings in sorted(by_rule.items())]
    cases += [_case(code, "") for code in outcomes.clean]
    skipped = [(code, "not applicable") for code in outcomes.not_applicable]
    skipped += [(item.rule, f"blocked by {', '.join(item.by)}") for item in outcomes.blocked]
    skipped += [(item.rule, item.reason) for item in outcomes.not_checked]
    cases += [_case(code, f"<skipped message={_attribute(reason)}/>") for code, reason in skipped]
    crashed = [(item.rule, item.reason) for item in outcomes.crashed]
    cases += [_case(code, f"<error message={_attribute(reason)}/>") for code, reason in crashed if code not in by_rule]
    failures = sum(any(f.severity is not Severity.INFO for f in group) for group in by_rule.values())
    head = (
        f'<testsuite name={_attribute(entry.path)} tests="{len(cases)}" failures="{failures}" '
        f'errors="{len(crashed)}" skipped="{len(skipped)}">'
    )
    return "\n".join([head, *cases, "</testsuite>"])


def _case(code: str, body: str) -> str:
    return f'<testcase classname="imgcif" name={_attribute(code)}>{body}</testcase>'


def _found(code: str, findings: list[Finding]) -> str:
    """A rule with findings."""
    text = _clean("\n".join(_line(finding) for finding in findings))
    if all(finding.severity is Severity.INFO for finding in findings):
        return _case(code, f"<system-out>{escape(text)}</system-out>")
    worst = Severity.ERROR if any(f.severity is Severity.ERROR for f in findings) else Severity.WARNING
    first = next(f for f in findings if f.severity is worst)
    return _case(code, f'<failure type="{worst}" message={_attribute(first.message)}>{escape(text)}</failure>')


def _line(finding: Finding) -> str:
    span = finding.location.span
    where = f"line {span.line}: " if span else ""
    times = f" ({finding.count} times)" if finding.count > 1 else ""
    return f"{finding.severity} {where}{finding.message}{times}. {finding.help}".strip()
