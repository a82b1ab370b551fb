"""Completeness: facts count wherever in the data set they stand."""

import pytest

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import Finding

DATA = "_diffrn_scan.id S1\n_diffrn_scan.frames 1\n"
SOURCE = "_diffrn_source.facility 'Diamond Light Source'\n_diffrn_source.beamline I04\n"


def findings(text: str, code: str, profile: str = "core") -> list[Finding]:
    options = CheckOptions(select=(code,), profile=profile)
    (report,) = imgcif_core.check(text.encode(), options=options).files
    assert not report.outcomes.crashed
    return [finding for finding in report.findings if finding.rule == code]


def test_a_fact_may_stand_in_another_block() -> None:
    assert findings(f"data_a\n{DATA}data_b\n{SOURCE}", "MTA002") == []


def test_a_fact_of_another_data_set_does_not_count() -> None:
    text = f"data_a\n_audit_dataset.id X\n{DATA}data_b\n_audit_dataset.id Y\n{SOURCE}"
    assert [finding.location.block for finding in findings(text, "MTA002")] == ["a"]


def test_blocks_of_one_data_set_are_told_once() -> None:
    blocks = "".join(f"data_{name}\n_audit_dataset.id X\n{DATA}" for name in "abc")
    assert [finding.location.block for finding in findings(blocks, "MTA002")] == ["a"]


def test_a_block_without_data_is_not_judged() -> None:
    assert findings("data_a\n_cell.length_a 10\n", "MTA001") == []


@pytest.mark.parametrize(
    ("code", "core", "submitted"),
    [
        ("MTA001", "info", "error"),
        ("MTA002", "info", "error"),
        ("MTA004", "info", "warning"),
        ("MTA008", "info", "warning"),
        ("MTA010", "info", "warning"),
        ("MTA011", "info", "warning"),
        ("MTA012", "info", "warning"),
        ("MTA013", "info", "info"),
    ],
)
def test_the_profile_decides_how_grave_a_gap_is(code: str, core: str, submitted: str) -> None:
    text = f"data_a\n{DATA}"
    assert findings(text, code)[0].severity == core
    assert findings(text, code, "raw-data-letters")[0].severity == submitted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.5281/zenodo.12", []),
        ("10.1000.10/123", []),
        ("'10.5281/zenodo.12 '", []),
        ("doi:10.5281/zenodo.12", ["write 10.5281/zenodo.12"]),
        ("https://doi.org/10.5281/zenodo.12", ["write 10.5281/zenodo.12"]),
        ("12", [None]),
    ],
)
def test_the_form_of_a_doi_is_judged(value: str, expected: list) -> None:
    found = findings(f"data_a\n{DATA}_database.dataset_DOI {value}\n", "MTA001")
    hints = [finding.help if finding.help.startswith("write") else None for finding in found]
    assert hints == expected
