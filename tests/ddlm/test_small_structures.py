"""Published patterns of small structures, judged by the core dictionary: nothing in them is an error."""

import pytest
from shared import DICTIONARIES, needs_dictionaries
from small_structures import COUNT, make

from imgcif_core import check, load_dictionary

# The words of old dictionaries, and of programs, are told; they are no faults of the data.
EXPECTED = {"DIC001", "DIC004"}


@needs_dictionaries
def test_no_error_is_found_in_published_patterns() -> None:
    judge = load_dictionary([DICTIONARIES / "cif_core.dic"])
    for seed in range(COUNT):
        (report,) = check(make(seed).encode(), dictionary=judge).files
        told = [f"{finding.rule} {finding.message}" for finding in report.findings if finding.severity == "error"]
        assert told == [], seed
        assert {finding.rule for finding in report.findings if finding.severity == "warning"} <= EXPECTED, seed


@needs_dictionaries
@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("_cell_length_a ", "_cell_length_a -", "DIC011"),
        ("_cell_volume ", "_cell_volume about_", "DIC008"),
        ("_refine_ls_matrix_type full", "_refine_ls_matrix_type whole", "DIC006"),
        ("_exptl_crystal_F_000", "_exptl_crystal_F_OOO", "DIC001"),
    ],
)
def test_a_fault_in_a_published_pattern_is_found(old: str, new: str, rule: str) -> None:
    judge = load_dictionary([DICTIONARIES / "cif_core.dic"])
    text = make(1)
    assert text.count(old) == 1
    (report,) = check(text.replace(old, new).encode(), dictionary=judge).files
    assert any(finding.rule == rule and finding.severity != "info" for finding in report.findings)
