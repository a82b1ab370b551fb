"""Licences and embargoes: judged only by what repositories tell, never by a guess."""

import pytest

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import FileReport
from imgcif_core.model.repositories import Record

LINK = (
    b"data_a\n_array_data_external_data.id 1\n_array_data_external_data.uri https://zenodo.org/records/1/files/a.cbf\n"
)


def judged(*records: Record, asked: bool = True) -> FileReport:
    options = CheckOptions(select=("EXT030",), records=records if asked else None)
    return imgcif_core.check(LINK, options=options).files[0]


def record(**facts: str) -> Record:
    return Record("Zenodo", "record 1", **facts)


@pytest.mark.parametrize("licence", ["CC BY 4.0", "cc-by-4.0", "CC0 1.0", "Creative Commons Attribution 4.0"])
def test_an_open_licence_is_no_finding(licence: str) -> None:
    report = judged(record(licence=licence, access="open"))
    assert report.findings == () and "EXT030" in report.outcomes.clean


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"licence": ""}, "without a licence"),
        ({"licence": "all rights reserved"}, "under all rights reserved"),
        ({"access": "embargoed", "embargo": "2027-01-01"}, "closed until 2027-01-01"),
        ({"access": "restricted", "licence": "cc-by-4.0"}, "as restricted"),
    ],
)
def test_what_keeps_readers_out_is_said(facts: dict[str, str], said: str) -> None:
    (finding,) = judged(record(**facts)).findings
    assert said in finding.message and finding.who == "author"


def test_nothing_is_said_of_what_a_record_does_not_tell() -> None:
    assert judged(record()).findings == ()


@pytest.mark.parametrize("asked", [True, False])
def test_without_a_record_the_licence_is_not_checked(asked: bool) -> None:
    report = judged(asked=asked)
    assert [entry.rule for entry in report.outcomes.not_checked if "record" in entry.reason] == ["EXT030"]
