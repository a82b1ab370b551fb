"""The small inputs on which the checker fell short: texts and comparisons, each against what is expected of it.

`python tests/test_cases_of_findings.py` prints the table.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shared import SHARED

import imgcif_core
from imgcif_core import Severity
from imgcif_core.findings import FileReport

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}")

# The rules that speak at the level of warnings or errors; those of the beam apart where a file is a mere piece.
EXPECTED = {
    "texts/N114_QTZ.cif": ["DIC001"],
    "texts/N125_QTZ.cif": ["SYN013"],
    "texts/SYN006_ragged_loop_cascade.cif": ["SYN006"],
    "texts/AXI001_none.cif": ["AXI001"],
    "texts/DIC014_data_unknown.cif": ["EXT001"],
    "texts/REL007_array_id_left_out.cif": [],
    "texts/QUIET_one_warning.cif": ["CON001"],
    "texts/ext_dots.cif": ["DIC013"],
    "texts/ids_disagree.cif": ["REL001"],
    "texts/mixed_loop.cif": ["DIC021"],
    "texts/text_binary_id.cif": ["DIC008"],
    "texts/two_authors.cif": [],
    "missing/N39_QTZ.cif": ["SCN017"],
    "missing/N66_QTZ.cif": ["CON001"],
    "compare/dials376.cbf": ["CON010", "DIC010"],
    "compare/dials2488_raw.cbf.gz": ["CON010"],
    "compare/dials_convert_0001.cbf": ["BIN015", "CON010"],
    "compare/slsdet.cbf": ["CON010", "SYN001"],
    "compare/f471bxy_00001.cbf": [],
}
_PIECES = ("SRC001", "SRC003", "MTA02")


def judged(name: str) -> FileReport:
    """The report of one of the inputs."""
    return imgcif_core.check(CASES / name).files[0]


def codes(report: FileReport) -> list[str]:
    """The rules that speak, each once."""
    found = {entry.rule for entry in report.findings if entry.severity is not Severity.INFO}
    return sorted(code for code in found if not code.startswith(_PIECES))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_says_what_is_expected(name: str) -> None:
    assert codes(judged(name)) == EXPECTED[name]


def test_a_table_of_another_angle_is_told_once() -> None:
    found = [entry.message for entry in judged("compare/i19_2th.cbf").findings if entry.rule == "CON010"]
    assert len(found) == 1
    assert "Detector_2theta" in found[0]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_frame_of_a_scan_is_no_contradiction_to_another(number: int) -> None:
    folder = CASES / "compare" / "i19"
    options = imgcif_core.CheckOptions(against=str(folder / f"whatev1_02_0000{number}.cbf"))
    (entry,) = imgcif_core.check(folder / "whatev1_02_00001.cbf", options=options).files
    assert [
        found.message for found in entry.findings if found.rule.startswith("CMP") and found.severity == "error"
    ] == []


if __name__ == "__main__":
    for case, wanted in EXPECTED.items():
        said = codes(judged(case))
        print(f"{case:44} {'as expected' if said == wanted else 'OTHERWISE':11} {' '.join(said)}")
