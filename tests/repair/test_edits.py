"""Every edit that a finding of the failing conformance cases offers is made: the finding goes, none comes."""

import dataclasses

import pytest
from runner import cases as suite

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Source
from imgcif_core.cif.reader import open_source, read
from imgcif_core.conformance_run import _options
from imgcif_core.findings import FileReport, Severity
from imgcif_core.repair import apply_edits, repairs_of

FAILING = [case for case in suite.load() if case.kind != "generate" and not case.path.name.startswith("pass")]


def report_of(source: Source, options: CheckOptions) -> FileReport:
    return api.check_document(read(source), options=options)


def told(report: FileReport, severity: Severity = Severity.WARNING) -> dict[tuple, str]:
    """What a report says, without the places."""
    return {
        (finding.rule, finding.location.block, finding.location.item, finding.message): finding.message
        for finding in report.findings
        if finding.severity.at_least(severity)
    }


def test_every_edit_of_the_failing_cases_mends_its_finding_and_brings_none() -> None:
    made = 0
    wrong = []
    for case in FAILING:
        options = _options({"folder": str(case.folder), "scope": case.scope, "options": case.options})
        source = open_source(case.path)
        first = report_of(source, dataclasses.replace(options, select=(case.rule,)))
        repairs = repairs_of(source, first)
        whole = report_of(source, options) if repairs else first
        for repair in repairs:
            after = report_of(Source(source.path, apply_edits(source, repair.edits), source.folder), options)
            made += 1
            identity = (repair.rule, repair.finding.location.block, repair.finding.location.item)
            if (*identity, repair.finding.message) in told(after, Severity.INFO):
                wrong.append(f"{case.id}: {repair.rule} stays: {repair.finding.message}")
            come = {key: text for key, text in told(after).items() if key not in told(whole)}
            counted = {(key[0], key[1]) for key in told(whole)}
            new = [f"{key[0]}: {text}" for key, text in come.items() if (key[0], key[1]) not in counted]
            if new:
                wrong.append(f"{case.id}: {repair.rule} {repair.finding.message} brings {new}")
    assert not wrong, "\n".join(wrong)
    assert made > 60, f"only {made} edits"


@pytest.mark.parametrize("case", [case for case in FAILING if case.rule in ("DIC003", "DIC006")][:20], ids=str)
def test_edits_lie_within_the_text(case: suite.Case) -> None:
    source = open_source(case.path)
    for finding in report_of(source, CheckOptions()).findings:
        for edit in finding.edits:
            assert (edit.line, edit.column) <= (edit.end_line, edit.end_column)
            assert edit.end_line <= len(source.line_starts)
