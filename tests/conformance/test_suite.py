"""The checker on the public suite, and the suite on itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import imgcif_core
from imgcif_core.findings import Finding, Severity

CONFORMANCE = Path(__file__).parent.parent.parent / "conformance"
CASES = [
    pytest.param(path.parent, case, id=f"{path.parent.name[:6]}/{case['id']}")
    for path in sorted((CONFORMANCE / "datasets").glob("*/*/case.json"))
    for case in json.loads(path.read_text(encoding="utf-8")).get("cases", [])
]


def line(finding: Finding) -> int | None:
    return finding.location.span.line if finding.location.span else None


def matches(finding: Finding, expected: dict) -> bool:
    """True if a finding is the expected one, as far as the case says."""
    return (
        finding.rule == expected["rule"]
        and expected.get("severity", finding.severity) == finding.severity
        and expected.get("line", line(finding)) == line(finding)
        and (expected.get("item") or finding.location.item or "").lower() == (finding.location.item or "").lower()
        and dict(expected.get("key", {})).items() <= dict(finding.location.key).items()
    )


@pytest.mark.parametrize(("folder", "case"), CASES)
def test_case_is_judged_as_expected(folder: Path, case: dict) -> None:
    options = imgcif_core.CheckOptions(profile=case.get("profile", "auto"))
    (report,) = imgcif_core.check(folder / case["input"], options=options).files
    expected = case["expect"]["findings"]
    serious = [finding for finding in report.findings if finding.severity.at_least(Severity.WARNING)]
    told = "\n".join(f"{f.rule} {f.severity} line {line(f)} {f.location.item}: {f.message}" for f in report.findings)
    assert not report.outcomes.crashed, told
    assert report.conforming is case["expect"]["conforming"], told
    for wanted in expected:
        assert any(matches(finding, wanted) for finding in report.findings), f"{wanted} not among:\n{told}"
    for finding in serious:
        assert any(matches(finding, wanted) for wanted in expected), f"not expected: {finding.rule}\n{told}"
    if case["id"].startswith("pass"):
        assert not [finding for finding in report.findings if finding.rule == folder.name[:6]], told


@pytest.mark.parametrize("command", [["make.py", "--check"], ["lint.py"]], ids=["inputs", "lint"])
def test_suite_is_sound(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, str(CONFORMANCE / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
