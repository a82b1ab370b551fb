"""Rules about scans where one small file per fault cannot show it: many frames, profiles, the numbers in findings."""

from pathlib import Path

import pytest

import imgcif_core
from imgcif_core import CheckOptions, Finding, Severity

BASES = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "bases"
BASE = (BASES / "single-panel.cif").read_text(encoding="utf-8")
STEPPED = (BASES / "step-scan.cif").read_text(encoding="utf-8")
OMEGA = "SCAN1 omega    10.0 3.0 0.5"
FRAMES = 1800


def findings(text: str, code: str, profile: str = "core") -> list[Finding]:
    """What one rule finds in a text."""
    options = CheckOptions(select=[code], profile=profile)
    (report,) = imgcif_core.check(text.encode(), options=options, name="test.cif").files
    assert not report.outcomes.crashed
    return [finding for finding in report.findings if finding.rule == code]


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def long_scan(*, number: str = "{n}", angle: str = "{angle:.1f}", scan: str = "10.0 900.0 0.5") -> str:
    """1800 frames with settings of their own; templates for frame number and angle."""
    head = BASE[: BASE.index("loop_\n  _diffrn_scan_frame.scan_id")]
    head = replaced(head, "frame01 frame06 6 ", f"f1 f{FRAMES} {FRAMES} ")
    head = replaced(head, "omega    10.0 3.0 0.5", f"omega    {scan}")
    rows = ["loop_\n_diffrn_scan_frame.scan_id\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.frame_number\n"]
    rows += [f"SCAN1 f{n} {number.format(n=n, half=(n + 1) // 2)}\n" for n in range(1, FRAMES + 1)]
    rows += ["loop_\n_diffrn_scan_frame_axis.frame_id\n_diffrn_scan_frame_axis.axis_id\n"]
    rows += ["_diffrn_scan_frame_axis.angle\n_diffrn_scan_frame_axis.angle_increment\n"]
    rows += [f"f{n} omega {angle.format(angle=10 + 0.5 * (n - 1))} 0.5\n" for n in range(1, FRAMES + 1)]
    return head + "".join(rows)


def test_a_long_scan_is_clean() -> None:
    for code in ("SCN004", "SCN009", "SCN010", "SCN022"):
        assert findings(long_scan(), code) == []


def test_settings_off_in_all_frames_are_one_finding() -> None:
    (finding,) = findings(long_scan(scan="50.0 900.0 0.5"), "SCN009")
    assert finding.severity is Severity.ERROR
    assert finding.count == FRAMES
    # the first frame stands at 10, the scan starts at 50
    assert (finding.data["found"], finding.data["expected"]) == (10.0, 50.0)


def test_numbers_repeated_in_all_frames_are_one_finding() -> None:
    (finding,) = findings(long_scan(number="{half}"), "SCN004")
    # 900 numbers, each of them twice
    assert finding.count == FRAMES // 2


def test_a_drift_by_rounding_names_the_frame_where_it_is_largest() -> None:
    # 1800 x 0.5 = 900; an increment printed as 0.5 may be 0.4999, as the last setting tells: 10 + 1799 x 0.4999
    text = long_scan(angle="{angle:.4f}")
    for n in range(1, FRAMES + 1):
        text = text.replace(f"f{n} omega {10 + 0.5 * (n - 1):.4f} ", f"f{n} omega {10 + 0.4999 * (n - 1):.4f} ")
    (finding,) = findings(text, "SCN009")
    assert finding.severity is Severity.WARNING
    assert finding.data["number"] == FRAMES
    assert finding.data["found"] == pytest.approx(909.3201, abs=1e-9)
    assert finding.data["expected"] == pytest.approx(909.5, abs=1e-9)


def test_the_older_range_is_told_with_both_figures() -> None:
    (finding,) = findings(BASE.replace(OMEGA, "SCAN1 omega    10.0 2.5 0.5"), "SCN001")
    # 6 x 0.5 at the end of the last step, 5 x 0.5 at its start
    assert (finding.data["expected"], finding.data["older"], finding.data["range"]) == (3.0, 2.5, 2.5)
    assert "3 deg" in finding.message and "2.5 deg" in finding.message


@pytest.mark.parametrize(
    ("profile", "count"), [("core", 1), ("full-cbf", 1), ("raw-data-letters", 1), ("xfel-stills", 0)]
)
def test_the_verdict_on_the_older_range_depends_on_the_profile(profile: str, count: int) -> None:
    assert len(findings(BASE.replace(OMEGA, "SCAN1 omega    10.0 2.5 0.5"), "SCN001", profile)) == count


def test_no_exposure_is_a_note_for_stills_and_a_negative_one_an_error() -> None:
    text = BASE.replace("frame01 1 0.5", "frame01 1 0.0")
    assert findings(text, "SCN016")[0].severity is Severity.WARNING
    assert findings(text, "SCN016", "xfel-stills")[0].severity is Severity.INFO
    negative = BASE.replace("frame01 1 0.5", "frame01 1 -0.5")
    assert findings(negative, "SCN016", "xfel-stills")[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("digits", "code"),
    [
        # 6 x 0.4 = 2.4, and 0.4 may be up to 0.42, 5 % more: 2.52 at most
        ("2.51 0.4", "SCN002"),
        ("2.61 0.4", "SCN001"),
        ("2.90 0.4", "SCN001"),
        # one more digit leaves 0.405: 2.43 at most
        ("2.61 0.40", "SCN001"),
    ],
)
def test_tolerances_follow_the_printed_digits(digits: str, code: str) -> None:
    text = BASE.replace(OMEGA, f"SCAN1 omega    10.0 {digits}")
    assert [bool(findings(text, name)) for name in ("SCN001", "SCN002")] == [code == "SCN001", code == "SCN002"]


def test_a_range_is_no_contradiction_where_frames_state_other_steps() -> None:
    # the increment of the scan is representative only: the frames turn by 0.5, the scan says 0.2
    (finding,) = findings(long_scan(scan="10.0 900.0 0.2"), "SCN001")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(("restart", "expected"), [("2.0", 10.0), ("1.5", 7.5)])
def test_restart_increments_count_between_frames_only(restart: str, expected: float) -> None:
    text = STEPPED.replace("10.0 10.0 0.0 2.0", f"10.0 99.0 0.0 {restart}")
    (finding,) = findings(text, "SCN001")
    assert finding.data["expected"] == expected


def test_an_axis_shared_by_two_pieces_of_equipment_is_told_once() -> None:
    shared = "  omega    rotation    detector   .        1  0  0     0.0    0.0   0.0\n"
    text = replaced(BASE, "  distance translation", shared + "  distance translation")
    (finding,) = findings(text.replace(OMEGA, "SCAN1 omega    10.0 30.0 0.5"), "SCN001")
    assert (finding.severity, finding.count) == (Severity.ERROR, 1)


def test_scans_beyond_the_limit_are_said_not_to_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    from imgcif_core.checks import instrument

    monkeypatch.setattr(instrument, "MAX_SCANS", 0)
    options = CheckOptions(select=["SCN001"])
    (report,) = imgcif_core.check(BASE.encode(), options=options, name="test.cif").files
    assert any(entry.rule == "SCN001" and "more than 0" in entry.reason for entry in report.outcomes.not_checked)
