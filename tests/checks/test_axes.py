"""Axes that a rule must let pass, and variants that no conformance case shows."""

from pathlib import Path

import pytest
from axis_tables import COLUMNS, loop

import imgcif_core
from imgcif_core import Finding

BASES = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "bases"
SINGLE = (BASES / "single-panel.cif").read_text(encoding="utf-8")
KAPPA = (BASES / "kappa-two-theta.cif").read_text(encoding="utf-8")


def findings(text: str, code: str) -> list[Finding]:
    options = imgcif_core.CheckOptions(select=(code,), profile="core")
    (entry,) = imgcif_core.check(text.encode(), name="axes.cif", options=options).files
    assert entry.outcomes.crashed == ()
    return [finding for finding in entry.findings if finding.rule == code]


def axes(rows: str, *more: str) -> str:
    return "#\\#CIF_2.0\ndata_x\n" + loop("axis", (*COLUMNS, *more), rows)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_in_the_mcstas_system_the_source_is_at_negative_z() -> None:
    row = "src general source . 0 0 -1 . . . {}"
    assert not findings(axes(row.format("McStas"), "system"), "AXI011")
    (found,) = findings(axes(row.format("."), "system"), "AXI011")
    assert found.severity == "error"


@pytest.mark.parametrize("system", ["direct", "reciprocal", "fractional"])
def test_lattice_axes_need_no_unit_vectors(system: str) -> None:
    assert not findings(axes(f"a . . . 2 0 0 . . . {system}", "system"), "AXI003")
    assert findings(axes("a . . . 2 0 0 . . . orthogonal", "system"), "AXI003")


def test_vectors_without_decimals_are_exact() -> None:
    # (1, 1, 0) is 0.414 too long, which half a unit of a whole digit would explain.
    assert findings(axes("a rotation goniometer . 1 1 0 0 0 0"), "AXI003")
    # (0.7, 0.7, 0) is 0.0101 short; 0.05 of either component explains 0.0707.
    assert not findings(axes("a rotation goniometer . 0.7 0.7 0 0 0 0"), "AXI003")


def test_an_offset_in_pixels_is_recognised() -> None:
    # 1600 x 0.1 mm is 160 mm; 800.5 is half of 1600 pixels, and 1900 pixels stand against 950.5.
    text = changed(SINGLE, "-80.05  95.05  0.0", "-800.5  950.5  0.0")
    (found,) = findings(text, "AXI022")
    assert "in pixels" in found.message


def test_a_distance_given_as_an_offset_is_no_slip() -> None:
    assert not findings(changed(SINGLE, "-80.05  95.05  0.0", "-80.05  95.05  -200.0"), "AXI022")


def test_a_two_theta_circle_that_both_share_is_no_second_root() -> None:
    row = "  two_theta rotation    detector   .          1        0  0         0.0    0.0   0.0\n"
    shared = changed(KAPPA, row, row + row.replace("detector  ", "goniometer"))
    listed = changed(shared, "  GONIOMETER phi\n", "  GONIOMETER phi\n  GONIOMETER two_theta\n")
    assert not findings(listed, "AXI005")
    assert not findings(listed, "AXI007")


def test_a_general_or_translated_base_is_no_root_of_its_own() -> None:
    rows = """table general goniometer . . . . 0 0 0
lift translation goniometer table 0 1 0 0 0 0
omega rotation goniometer lift 1 0 0 0 0 0"""
    for code in ("AXI005", "AXI006", "AXI007"):
        assert not findings(axes(rows), code)


def test_axes_without_an_equipment_are_not_taken_for_general_ones() -> None:
    rows = "omega rotation . . 1 0 0 0 0 0\ntrans translation detector omega 0 0 -1 0 0 0"
    assert not findings(axes(rows), "AXI008")


def test_a_scanned_strip_detector_is_legal() -> None:
    text = changed(SINGLE, "1 2 1900 2", "1 2 1 2")
    row = "  SCAN1 distance .    .   .   200.0 0.0 0.0\n"
    assert not findings(changed(text, row, row + "  SCAN1 slow . . . 5.0 6.0 1.0\n"), "AXI014")


def test_untyped_axes_of_a_map_are_legal() -> None:
    text = axes("x . . . 1 0 0 . . . orthogonal", "system") + loop(
        "array_structure_list_axis", ("axis_id", "displacement", "displacement_increment"), "x 7.5e-8 1.5e-7"
    )
    assert not findings(text, "AXI013")


def test_a_theta_circle_and_the_two_theta_arm_may_coincide() -> None:
    rows = """theta rotation goniometer . 1 0 0 0 0 0
two_theta rotation goniometer . 1 0 0 0 0 0
trans translation detector two_theta 0 0 -1 0 0 0"""
    assert not findings(axes(rows), "AXI020")
    assert not findings(axes(rows), "AXI005")


def test_a_kappa_axis_of_either_sign_in_z_is_usual() -> None:
    rows = """omega rotation goniometer . 1 0 0 0 0 0
kappa rotation goniometer omega {} 0 0 0
phi rotation goniometer kappa 1 0 0 0 0 0"""
    for vector in ("0.642788 0 -0.766044", "0.642788 0.766044 0", "0.91355 0 0.40674", "0 0 1"):
        assert not findings(axes(rows.format(vector)), "AXI021")
    (found,) = findings(axes(rows.format("0.9397 0 0.3420")), "AXI021")
    assert "20.00 degrees" in found.message


def test_a_quoted_dot_is_the_null_that_was_meant() -> None:
    text = axes("omega rotation goniometer '.' 1 0 0 0 0 0")
    assert not findings(text, "AXI001")
    assert findings(text, "SYN014")


def test_a_link_that_differs_in_case_is_left_to_its_own_rule() -> None:
    text = axes("Omega rotation goniometer . 1 0 0 0 0 0\nphi rotation goniometer omega 1 0 0 0 0 0")
    assert not findings(text, "AXI001")
    assert not findings(text, "REL001")
    assert findings(text, "DIC015")


def test_settings_without_any_axis_table_lack_their_parents_only() -> None:
    text = "#\\#CIF_2.0\ndata_x\n" + loop(
        "diffrn_scan_axis", ("scan_id", "axis_id", "angle_start"), "S omega 1\nS phi 2"
    )
    assert not findings(text, "AXI001")
    assert [finding.severity for finding in findings(text, "REL002")] == ["info", "warning"]


def test_quadrants_that_turn_about_one_centre_are_legal() -> None:
    rows = "base translation detector . 0 0 -1 0 0 0\n" + "".join(
        f"q{n} rotation detector base 0 0 1 0 0 0\nm{n} translation detector q{n} 1 0 0 5 5 0\n" for n in range(4)
    )
    assert not findings(axes(rows), "AXI020")


LIBRARY = axes("omega rotation goniometer . 1 0 0 0 0 0") + "\ndata_y\n" + loop("diffrn_scan_axis", ("axis_id",), "phi")


def test_the_axes_of_an_unrelated_block_do_not_stand_for_those_left_out() -> None:
    assert not findings(LIBRARY, "AXI001")
    assert findings(LIBRARY, "REL002")


def test_an_axis_must_be_defined_somewhere_in_a_declared_data_set() -> None:
    declared = LIBRARY.replace("data_x\n", "data_x\n_audit_dataset.id s\n").replace(
        "data_y\n", "data_y\n_audit_dataset.id s\n"
    )
    assert findings(declared, "AXI001")
    assert not findings(declared, "REL002")
