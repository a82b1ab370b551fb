"""Remedies in words: made of the data of their message, whole sentences, and suggestions that fit."""

import string

import pytest

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import load_rules
from imgcif_core.checks.suggest import did_you_mean, nearest, same_but_signs


def fields(template: str) -> set[str]:
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("code", list(load_rules()))
def test_remedies_are_made_of_the_data_of_their_message(code: str) -> None:
    rule = load_rules()[code]
    for variant, text in rule.helps.items():
        assert fields(text) <= fields(rule.messages[variant]), (variant, text)
        assert text and not text.endswith((".", " ", ","))
    words = rule.fix().split()
    assert words and words[-1] not in ("and", "or", "Write", "a", "the"), rule.fix()


def help_of(text: str, code: str) -> str:
    document = api.read(f"#\\#CIF_1.1\ndata_a\n_diffrn.id D\n{text}\n".encode(), name="a.cif")
    found = api.check_document(document, options=CheckOptions(select=(code,))).findings
    return found[0].help if found else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_diffrn_radiation.wavelength 0.95", "_diffrn_radiation_wavelength.value"),
        ("_diffrn_detector.mkae X", "_diffrn_detector.make"),
        ("_diffrn_detektor.make X", "_diffrn_detector.make"),
        ("_diffrn_source_beamline B7\n_cell.length_q 1", ""),
        ("_diffrn_scan_frame.scale_factor 1", "have no item"),
    ],
)
def test_names_are_suggested_by_what_they_mean(text: str, expected: str) -> None:
    assert expected in help_of(text, "DIC001")


def test_a_name_that_stands_there_already_is_not_suggested() -> None:
    told = help_of("_diffrn_detector.make X\n_diffrn_detector.mkae Y", "DIC001")
    assert "did you mean" not in told


def test_a_name_is_not_suggested_where_its_values_do_not_fit() -> None:
    assert "did you mean" not in help_of("_diffrn_scan.framse many", "DIC001")
    assert "_diffrn_scan.frames" in help_of("_diffrn_scan.framse 10", "DIC001")


def test_ids_that_count_are_names_of_different_things() -> None:
    scans = [f"SCAN{number}" for number in range(1, 8)]
    assert nearest("SCAN8", scans) is None
    assert did_you_mean("D0Q9", ["D0Q0", "D0Q1"]) is None
    assert nearest("panelC", ["panelA", "panelB"]) is None
    assert nearest("slwo", ["fast", "slow"]) == "slow"
    assert same_but_signs("scan_1", ["SCAN1", "SCAN2"]) == "SCAN1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'200 mm'", "write 200: the dictionary gives the unit, millimetres"),
        ("'0.2 m'", "convert 0.2 m to millimetres"),
        ("200,5", "write 200.5: CIF has a decimal point"),
        ("'\u201c200\u201d'", "write 200"),
        ("abc", "write a number alone"),
    ],
)
def test_what_stands_round_a_number_is_told_by_name(value: str, expected: str) -> None:
    assert expected in help_of(f"_diffrn_measurement.sample_detector_distance {value}", "DIC008")


@pytest.mark.parametrize("text", ["none", "None", "-"])
def test_an_axis_that_depends_on_nothing_needs_a_dot(text: str) -> None:
    told = help_of(f"loop_\n_axis.id\n_axis.depends_on\nomega {text}\nphi omega", "AXI001")
    assert told.startswith("write a dot")
