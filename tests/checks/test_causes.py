"""One cause, one finding: consequences are left out, and what could not judge says why."""

import pytest

import imgcif_core
from imgcif_core import Severity
from imgcif_core.checks.causes import RELATIONS, causes_first
from imgcif_core.checks.registry import load_rules
from imgcif_core.findings import FileReport

HEAD = "#\\#CIF_2.0\ndata_a\n"
ARRAYS = (
    "loop_\n_array_structure.id\nimage\n"
    "loop_\n_array_structure_list.array_id\n_array_structure_list.index\n_array_structure_list.dimension\n"
    "_array_structure_list.precedence\nimage 1 10 1\nimage 2 20 2\n"
)


def judged(text: str) -> FileReport:
    """The report of a text."""
    (entry,) = imgcif_core.check((HEAD + text).encode()).files
    return entry


def codes(text: str, *, of: Severity = Severity.WARNING) -> list[str]:
    """The rules that find something at least as grave, those about what is missing apart."""
    return [
        found.rule
        for found in judged(text).findings
        if found.severity.at_least(of) and found.rule[:3] not in ("SRC", "MTA")
    ]


def test_every_relation_names_rules_that_there_are() -> None:
    known = set(load_rules())
    for relation in RELATIONS:
        assert {relation.cause, *relation.of} - {"*"} <= known, relation


def test_causes_run_before_their_consequences() -> None:
    order = [rule.code for rule in causes_first(load_rules().values())]
    assert sorted(order) == sorted(load_rules())
    for relation in RELATIONS:
        for code in relation.of:
            if code != "*" and not any(other.cause == code for other in RELATIONS):
                assert order.index(relation.cause) < order.index(code), relation


def test_a_text_column_is_one_finding_and_no_link() -> None:
    rows = "".join(f"f{number} image ext{number}\n" for number in range(1, 6))
    data = "".join(f"image {number}\n" for number in range(1, 6))
    text = (
        f"{ARRAYS}loop_\n_diffrn_data_frame.id\n_diffrn_data_frame.array_id\n_diffrn_data_frame.binary_id\n{rows}"
        f"loop_\n_array_data.array_id\n_array_data.binary_id\n{data}"
    )
    (found,) = [entry for entry in judged(text).findings if entry.severity is Severity.ERROR]
    assert (found.rule, found.count) == ("DIC008", 5)


def test_one_wrong_number_in_a_column_keeps_its_value_in_the_message() -> None:
    rows = "f1 image 1\nf2 image 2\nf3 image x\n"
    text = f"{ARRAYS}loop_\n_diffrn_data_frame.id\n_diffrn_data_frame.array_id\n_diffrn_data_frame.binary_id\n{rows}"
    found = [entry for entry in judged(text).findings if entry.rule == "DIC008"]
    assert ["'x'" in entry.message for entry in found] == [True]


def test_an_id_that_leads_nowhere_from_several_tables_is_one_finding() -> None:
    text = f"{ARRAYS}_array_data.array_id other\n_array_data.binary_id 1\n_diffrn_data_frame.array_id other\n"
    report = judged(text)
    assert [found.rule for found in report.findings if found.severity is Severity.ERROR] == ["REL001"]
    blocked = {entry.rule: entry.by for entry in report.outcomes.blocked}
    assert blocked["REL003"] == ("REL001",)


def test_a_loop_that_cannot_be_told_by_rows_is_one_finding() -> None:
    rows = "image 1 e1\nimage 2\nimage 3\n"
    frames = "loop_\n_diffrn_data_frame.id\n_diffrn_data_frame.array_id\n_diffrn_data_frame.binary_id\nf1 image 3\n"
    text = f"{ARRAYS}{frames}loop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.external_data_id\n{rows}"
    assert codes(text, of=Severity.ERROR) == ["SYN006"]
    assert any(entry.by == ("SYN006",) for entry in judged(text).outcomes.blocked)


def test_what_a_ragged_line_names_is_not_missing() -> None:
    rows = "s1 f1 1\ns1 f2\ns1 f3 3\ns1 f4 4\ns1 f5 5\n"
    frames = "".join(f"f{number}\n" for number in range(1, 6))
    text = (
        f"_diffrn_scan.id s1\n_diffrn_scan.frames 5\nloop_\n_diffrn_data_frame.id\n{frames}loop_\n"
        f"_diffrn_scan_frame.scan_id\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.frame_number\n{rows}"
    )
    assert [code for code in codes(text) if code != "REL002"] == ["SYN006"]


@pytest.mark.parametrize(("rows", "expected"), [(1, []), (2, ["DIC013"])])
def test_rows_of_dots_are_one_error(rows: int, expected: list[str]) -> None:
    text = (
        "loop_\n_array_data_external_data.id\n_array_data_external_data.format\n_array_data_external_data.uri\n"
        "e1 CBF https://example.org/a_1.cbf\n" + ". . .\n" * rows
    )
    assert codes(text, of=Severity.ERROR) == expected


def test_a_foreign_column_is_one_finding() -> None:
    text = "loop_\n_diffrn_scan.id\n_diffrn_source.device\n_diffrn_source.power\ns1 synch 1\ns2 synch 1\n"
    assert codes(text, of=Severity.ERROR) == ["DIC021"]


def test_a_warning_hides_no_error() -> None:
    graver = [entry for entry in RELATIONS if entry.cause == "DIC001"]
    assert graver, "an unknown name is a warning, what lacks it may be an error in a profile"
    text = "_diffrn_radiation.probe x-ray\n_diffrn_radiation_wavelength.valu 1.0\n"
    (entry,) = imgcif_core.check(
        (HEAD + text).encode(), options=imgcif_core.CheckOptions(profile="raw-data-letters")
    ).files
    assert "SRC001" in {found.rule for found in entry.findings}
