"""Remedies in words are followed as they read: the finding goes, and no other comes that asks for something."""

import re

import pytest
from followed import FOLLOWED
from runner import cases as suite

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Source
from imgcif_core.cif.reader import open_source, read
from imgcif_core.conformance_run import _options
from imgcif_core.findings import Finding, Severity

CASES = {case.id: case for case in suite.load()}
pytestmark = pytest.mark.slow


def found(source: Source, options: CheckOptions) -> list[Finding]:
    return list(api.check_document(read(source), options=options).findings)


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_remedy_that_is_followed_mends_its_finding_and_brings_none(name: str) -> None:
    case = CASES[name]
    options = _options({"folder": str(case.folder), "scope": case.scope, "options": case.options})
    source = open_source(case.path)
    before = found(source, options)
    (first, *_) = [finding for finding in before if finding.rule == case.rule]
    assert first.help and not first.edits
    text = source.data.decode("latin-1")
    for pattern, replacement in FOLLOWED[name]:
        text, number = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert number, pattern
    after = found(Source(source.path, text.encode("latin-1"), source.folder), options)
    assert first.message not in [finding.message for finding in after if finding.rule == case.rule]
    known = {finding.rule for finding in before}
    new = [
        f"{one.rule}: {one.message}"
        for one in after
        if one.severity.at_least(Severity.WARNING) and one.rule not in known
    ]
    assert not new


def test_the_sample_is_large() -> None:
    assert len({CASES[name].rule for name in FOLLOWED}) >= 40
