"""Scans: which setting holds for which frame, whatever the form in which the file says it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import imgcif_core
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.scans import Scans, build_scans
from imgcif_core.tables import Tables

DICTIONARY = imgcif_core.load_dictionary()
AXES = """data_x
loop_
_axis.id
_axis.type
_axis.equipment
omega rotation goniometer
phi rotation goniometer
distance translation detector
"""
DRIVES = """loop_
_diffrn_scan_axis.scan_id
_diffrn_scan_axis.axis_id
_diffrn_scan_axis.angle_start
_diffrn_scan_axis.angle_increment
_diffrn_scan_axis.angle_rstrt_incr
_diffrn_scan_axis.displacement_start
"""
FRAMES = "loop_\n_diffrn_scan_frame.scan_id\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.frame_number\n"
SETTINGS = """loop_
_diffrn_scan_frame_axis.frame_id
_diffrn_scan_frame_axis.axis_id
_diffrn_scan_frame_axis.angle
_diffrn_scan_frame_axis.angle_increment
"""
OMEGA, PHI, DISTANCE = 0, 1, 2


def read(*parts: str) -> tuple[Axes, Scans]:
    """Axes and scans of a block that begins with the three axes."""
    document = imgcif_core.read((AXES + "".join(parts)).encode(), name="test.cif")
    tables = Tables(document.blocks[0], DICTIONARY)
    axes = build_axes(tables)
    return axes, build_scans(tables, axes)


def every(scan) -> np.ndarray:
    return np.arange(scan.count)


def test_settings_follow_from_start_and_increment() -> None:
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 4\n", DRIVES, "S omega 10 0.5 . .\nS distance . . . 200\n")
    (scan,) = scans
    # 10 + (n - 1) * 0.5 for n = 1 to 4
    assert_allclose(scan.settings(OMEGA, every(scan)), [10.0, 10.5, 11.0, 11.5], atol=1e-12)
    assert_allclose(scan.settings(DISTANCE, every(scan)), [200.0] * 4, atol=0)
    assert_allclose(scan.increments(OMEGA, every(scan)), [0.5] * 4, atol=0)


def test_an_axis_that_is_not_listed_stands_at_zero() -> None:
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 3\n", DRIVES, "S omega 10 0.5 . .\n")
    (scan,) = scans
    assert_array_equal(scan.settings(PHI, every(scan)), [0.0, 0.0, 0.0])
    assert PHI not in scan.drives


def test_restart_increments_add_to_the_step_but_not_to_the_wedge() -> None:
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 3\n", DRIVES, "S omega 0 0.5 1.5 .\n")
    (scan,) = scans
    # each frame covers 0.5, then the axis runs on by 1.5 to the next start: 0, 2, 4
    assert_allclose(scan.settings(OMEGA, every(scan)), [0.0, 2.0, 4.0], atol=1e-12)
    assert_allclose(scan.increments(OMEGA, every(scan)), [0.5] * 3, atol=0)
    assert_allclose(scan.restarts(OMEGA, every(scan)), [1.5] * 3, atol=0)
    assert scan.drives[OMEGA].step == 2.0


def test_frame_rows_win_over_the_scan() -> None:
    _, scans = read(
        "_diffrn_scan.id S\n_diffrn_scan.frames 3\n",
        DRIVES,
        "S omega 0 1 . .\nS phi 30 0 . .\n",
        FRAMES,
        "S a 1\nS b 2\nS c 3\n",
        SETTINGS,
        "a omega 100 0.9\nb omega 101 1.1\nc omega 102 .\n",
    )
    (scan,) = scans
    assert_array_equal(scan.settings(OMEGA, every(scan)), [100.0, 101.0, 102.0])
    assert_array_equal(scan.settings(PHI, every(scan)), [30.0, 30.0, 30.0])
    # the third frame does not state its own increment, so that of the scan holds
    assert_array_equal(scan.increments(OMEGA, every(scan)), [0.9, 1.1, 1.0])


def test_frames_without_a_row_take_the_setting_of_the_scan() -> None:
    _, scans = read(
        "_diffrn_scan.id S\n_diffrn_scan.frames 3\n",
        DRIVES,
        "S omega 0 1 . .\n",
        FRAMES,
        "S a 1\nS b 2\nS c 3\n",
        SETTINGS,
        "b omega 77 .\nc phi 5 .\n",
    )
    (scan,) = scans
    # frames 1 and 3 by the scan: 0 and 2
    assert_array_equal(scan.settings(OMEGA, every(scan)), [0.0, 77.0, 2.0])
    assert_array_equal(scan.settings(PHI, every(scan)), [0.0, 0.0, 5.0])


@pytest.mark.parametrize("first", [0, 1, 1201])
def test_numbering_from_0_from_1_or_on_from_another_scan_gives_the_same_settings(first: int) -> None:
    rows = "".join(f"S f{index} {index + first}\n" for index in range(3))
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 3\n", DRIVES, "S omega 10 0.5 . .\n", FRAMES, rows)
    (scan,) = scans
    assert_array_equal(scan.numbers, [1, 2, 3])
    assert_allclose(scan.settings(OMEGA, every(scan)), [10.0, 10.5, 11.0], atol=1e-12)


def test_frames_in_any_order_are_taken_by_number() -> None:
    _, scans = read(
        "_diffrn_scan.id S\n_diffrn_scan.frames 3\n",
        DRIVES,
        "S omega 0 1 . .\n",
        FRAMES,
        "S c 3\nS a 1\nS b 2\n",
        SETTINGS,
        "b omega 20 .\nc omega 30 .\na omega 10 .\n",
    )
    (scan,) = scans
    # rows of DIFFRN_SCAN_FRAME: c is 0, a is 1, b is 2
    assert_array_equal(scan.frame_rows, [1, 2, 0])
    assert_array_equal(scan.settings(OMEGA, every(scan)), [10.0, 20.0, 30.0])


def test_one_frame_of_many_stands_where_its_number_says() -> None:
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 90\n", DRIVES, "S omega 0 1 . .\n", FRAMES, "S x 18\n")
    (scan,) = scans
    assert (scan.frames, scan.count) == (90, 1)
    # frame 18 starts after 17 steps of 1
    assert scan.setting(OMEGA, 0) == 17.0


def test_several_scans_keep_their_frames_and_drives() -> None:
    _, scans = read(
        "loop_\n_diffrn_scan.id\n_diffrn_scan.frames\nA 2\nB 1\n",
        DRIVES,
        "A omega 0 1 . .\nB omega 50 2 . .\nA phi 7 0 . .\n",
        FRAMES,
        "B b1 1\nA a1 1\nA a2 2\n",
    )
    first, second = scans
    assert_array_equal(first.frame_rows, [1, 2])
    assert_array_equal(second.frame_rows, [0])
    assert_array_equal(first.settings(OMEGA, every(first)), [0.0, 1.0])
    assert_array_equal(second.settings(OMEGA, every(second)), [50.0])
    assert (first.setting(PHI, 0), second.setting(PHI, 0)) == (7.0, 0.0)


def test_scan_ids_that_differ_in_case_alone_are_two_scans_where_both_exist() -> None:
    _, scans = read("loop_\n_diffrn_scan.id\n_diffrn_scan.frames\nS 1\ns 1\n", FRAMES, "S a 1\ns b 1\n")
    upper, lower = scans
    assert_array_equal(upper.frame_rows, [0])
    assert_array_equal(lower.frame_rows, [1])
    _, scans = read("_diffrn_scan.id Scan\n_diffrn_scan.frames 2\n", FRAMES, "SCAN a 1\nSCAN b 2\n")
    assert_array_equal(next(iter(scans)).frame_rows, [0, 1])


def test_scans_are_implied_where_their_table_is_absent() -> None:
    _, scans = read(DRIVES, "A omega 0 1 . .\nB omega 9 1 . .\n", FRAMES, "A a 1\nA b 2\nB c 1\n")
    assert [(scan.id, scan.row, scan.frames) for scan in scans] == [("A", -1, 2), ("B", -1, 1)]
    assert next(iter(scans)).setting(OMEGA, 1) == 1.0


def test_scan_ids_left_away_belong_to_the_only_scan() -> None:
    _, scans = read(
        "_diffrn_scan.id S\n_diffrn_scan.frames 2\n",
        "_diffrn_scan_axis.axis_id omega\n_diffrn_scan_axis.angle_start 5\n_diffrn_scan_axis.angle_increment 1\n",
        "loop_\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.frame_number\na 1\nb 2\n",
    )
    (scan,) = scans
    assert_array_equal(scan.settings(OMEGA, every(scan)), [5.0, 6.0])
    _, scans = read("_diffrn_scan.id S\n", FRAMES, ". a 1\nS b 2\n")
    assert_array_equal(next(iter(scans)).frame_rows, [0, 1])


def test_no_table_of_scans_axes_or_frames_is_no_scan() -> None:
    _, scans = read()
    assert len(scans) == 0


def test_an_untyped_axis_takes_the_kind_that_is_stated() -> None:
    # the start is absent and the increment is an angle: the displacement 0 says nothing of the kind
    _, scans = read(
        "_diffrn_scan.id S\n_diffrn_scan.frames 2\n",
        "loop_\n_diffrn_scan_axis.scan_id\n_diffrn_scan_axis.axis_id\n_diffrn_scan_axis.angle_increment\n"
        "_diffrn_scan_axis.displacement_start\nS omega 0.5 0\n",
    )
    (scan,) = scans
    assert scan.drives[OMEGA].is_angle
    assert_array_equal(scan.settings(OMEGA, every(scan)), [0.0, 0.5])


def test_settings_of_the_other_kind_stand_in_where_they_are_alone() -> None:
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 1\n", DRIVES, "S distance 200 0 . .\n")
    assert next(iter(scans)).setting(DISTANCE, 0) == 200.0


@pytest.mark.parametrize("count", ["1e400", "-3", "?", "1e300", "nonsense"])
def test_a_senseless_number_of_frames_does_not_stop_the_reading(count: str) -> None:
    _, scans = read(f"_diffrn_scan.id S\n_diffrn_scan.frames {count}\n", FRAMES, "S a 1\nS b 1e300\n")
    (scan,) = scans
    assert scan.count == 2
    assert_array_equal(scan.numbers, [1, 2])


def test_settings_for_frames_of_no_scan_are_left_out() -> None:
    _, scans = read("_diffrn_scan.id S\n", FRAMES, "S a 1\n", SETTINGS, "zz omega 9 .\na omega 3 .\na ghost 4 .\n")
    (scan,) = scans
    assert_array_equal(scan.settings(OMEGA, every(scan)), [3.0])
    assert scan.frame_settings.axes == [OMEGA]


def test_settings_are_the_same_whether_written_per_frame_or_per_scan() -> None:
    frames = 200
    numbers = np.random.default_rng(7).permutation(frames) + 1
    rows = "".join(f"S f{number} {number}\n" for number in numbers)
    explicit = "".join(f"f{number} omega {10 + (number - 1) * 0.25} .\n" for number in sorted(numbers, reverse=True))
    head = f"_diffrn_scan.id S\n_diffrn_scan.frames {frames}\n"
    _, by_scan = read(head, DRIVES, "S omega 10 0.25 . .\n", FRAMES, rows)
    _, by_frame = read(head, FRAMES, rows, SETTINGS, explicit)
    one, two = next(iter(by_scan)), next(iter(by_frame))
    assert_allclose(one.settings(OMEGA, every(one)), two.settings(OMEGA, every(two)), atol=1e-12)


def test_a_start_that_cannot_be_read_is_not_zero() -> None:
    drives = "S omega 10deg 0.5 . .\nS distance . . . 200mm\nS phi . 0.1deg . .\n"
    axes, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 3\n", DRIVES, drives)
    (scan,) = scans
    assert np.isnan(scan.settings(OMEGA, every(scan))).all()
    assert np.isnan(scan.settings(DISTANCE, every(scan))).all()
    # Where it stands before it moves is stated: nowhere, so at zero.
    assert_array_equal(scan.settings(PHI, every(scan)), [0.0, np.nan, np.nan])
    assert_array_equal(scan.increments(PHI, every(scan)), [np.nan] * 3)
    assert scan.drives[PHI].moves and not scan.drives[DISTANCE].moves
    assert sorted(scan.unread_axes()) == [OMEGA, PHI, DISTANCE]
    assert len(axes) == 3


def test_a_setting_of_a_frame_that_cannot_be_read_is_not_that_of_the_scan() -> None:
    frames = "S a 1\nS b 2\nS c 3\n"
    settings = "a omega 10 0.5\nb omega 10.5deg 0.5\nc omega . 0.5o\n"
    drives = "S omega 10 0.5 . .\nS distance . . . 200\n"
    _, scans = read("_diffrn_scan.id S\n", DRIVES, drives, FRAMES, frames, SETTINGS, settings)
    (scan,) = scans
    assert_array_equal(scan.settings(OMEGA, every(scan)), [10.0, np.nan, 11.0])
    assert_array_equal(scan.increments(OMEGA, every(scan)), [0.5, 0.5, np.nan])
    assert_array_equal(scan.settings(DISTANCE, every(scan)), [200.0] * 3)
    assert scan.unread_axes() == [OMEGA]


def test_a_setting_that_cannot_be_read_is_not_looked_for_in_the_other_kind() -> None:
    drives = "S omega 10deg 0.5deg . 7\n"
    _, scans = read("_diffrn_scan.id S\n_diffrn_scan.frames 1\n", DRIVES, drives)
    assert np.isnan(next(iter(scans)).setting(OMEGA, 0))
