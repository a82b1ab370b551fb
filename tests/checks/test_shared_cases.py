"""The small inputs beside the project: each gap is said, and says it at its level."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import EXAMPLE, SHARED

import imgcif_core
from imgcif_core.checks.options import CheckOptions

CASES = SHARED / "cases"
LETTERS, MISSING = sorted((CASES / "letters").glob("rdl-*.cif")), sorted((CASES / "missing").glob("N1*.cif"))
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}")


def alerts(path: Path) -> list[str]:
    report = imgcif_core.check(path, options=CheckOptions(profile="raw-data-letters")).files[0]
    return [finding.level for finding in report.findings]


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: path.name)
def test_what_is_missing_in_a_letter_is_one_alert(path: Path) -> None:
    level = "B" if "frames-count" in path.name else "A"
    assert alerts(path).count(level) == alerts(EXAMPLE).count(level) + 1


@pytest.mark.parametrize("path", [*MISSING, *(CASES / "missing").glob("N04*.cif")], ids=lambda path: path.name)
def test_what_is_missing_is_told_without_any_profile(path: Path) -> None:
    report = imgcif_core.check(path).files[0]
    assert sum(finding.severity != "info" for finding in report.findings) == 1
    assert any(ready.answer == "no" for _, ready in report.readiness)
