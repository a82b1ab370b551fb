"""Axes as a tree, and placement along it."""

import time

import numpy as np
import pytest
from axis_tables import axes_of, loop, scans_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.model.axes import CYCLIC, DANGLING, NO_PARENT, Axes

# A flat detector on a two-theta arm, as beamlines describe it: corner offset on the outer surface axis.
ARM = """two_theta rotation detector . 1 0 0 0 0 0
trans translation detector two_theta 0 0 -1 0 0 0
detx translation detector trans 1 0 0 -166.8 172.497 0
dety translation detector detx 0 -1 0 0 0 0"""
KAPPA = """omega rotation goniometer . 1 0 0 0 0 0
kappa rotation goniometer omega 0.642788 0 -0.766044 0 0 0
phi rotation goniometer kappa 1 0 0 0 0 0"""
NUMBERS = st.floats(-100, 100)
SETTINGS = st.lists(NUMBERS, min_size=4, max_size=4)


def place(axes: Axes, name: str, settings: dict[str, float], point=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Laboratory position of a point that an axis carries."""
    by_row = {axes.find(axis): np.array([value]) for axis, value in settings.items()}
    return axes.placement(axes.find(name), by_row).apply(np.array(point))[0]


def test_first_pixel_lies_where_offsets_and_settings_add_up() -> None:
    # (-166.8 + 0.0375, 172.497 - 0.0375, -287.22): all vectors are along X, -Y and -Z.
    first = place(axes_of(ARM), "dety", {"trans": 287.22, "detx": 0.0375, "dety": 0.0375})
    assert_allclose(first, [-166.7625, 172.4595, -287.22], atol=1e-9)


def test_two_theta_carries_all_that_depends_on_it() -> None:
    # A quarter turn about X sends (x, y, z) to (x, -z, y).
    first = place(axes_of(ARM), "dety", {"two_theta": 90, "trans": 287.22, "detx": 0.0375, "dety": 0.0375})
    assert_allclose(first, [-166.7625, 287.22, 172.4595], atol=1e-9)


def test_phi_of_a_kappa_goniometer_turns_with_kappa_and_omega() -> None:
    # R_kappa(90) (1,0,0) = k k_x + (k x X) with k = (0.642788, 0, -0.766044), k x X = (0, -0.766044, 0):
    # (0.413176, -0.766044, -0.492404); R_omega(90) then sends (x, y, z) to (x, -z, y).
    axes = axes_of(KAPPA)
    carried = axes.placement(axes.find("phi"), {0: np.array([90.0]), 1: np.array([90.0])})
    assert_allclose(carried.turn(axes.direction[2])[0], [0.413176, 0.492404, -0.766044], atol=1e-6)


def test_phi_axis_of_a_real_scan() -> None:
    # Numbers of an independent program for omega -170.892449, kappa -73.759793.
    axes = axes_of(KAPPA)
    settings = {0: np.array([-170.892449]), 1: np.array([-73.759793])}
    carried = axes.placement(axes.find("phi"), settings)
    assert_allclose(carried.turn(axes.direction[2])[0], [0.577290, -0.782349, 0.233807], atol=2e-6)


def test_deep_hierarchy_of_an_xfel_detector() -> None:
    # From the root: -130.106633 along Z, (-0.049563, 0.028626), a turn of 0.140333 about Z at
    # (-50.334928, 41.253845), of 89.651567 at (11.384895, -23.200388), none at (-10.82712, 0), then
    # the surface offset; positions of an independent program.
    rows = """z translation detector . 0 0 1 0 0 0
y translation detector z 0 1 0 0 0 0
x translation detector y 1 0 0 0 0 0
q rotation detector x 0 0 1 -50.334928 41.253845 0
s rotation detector q 0 0 1 11.384895 -23.200388 0
a rotation detector s 0 0 1 -10.82712 0 0
slow translation detector a 0 -1 0 -10.66224 10.1676 0
fast translation detector slow 1 0 0 0 0 0"""
    settings = {"z": -130.106633, "y": 0.028626, "x": -0.049563, "q": 0.140333, "s": 89.651567}
    axes = axes_of(rows)
    assert_allclose(place(axes, "s", settings), [-38.942807, 18.110037, -130.106633], atol=2e-6)
    assert_allclose(place(axes, "fast", settings), [-49.188390, -3.342252, -130.106633], atol=2e-6)
    stepped = place(axes, "fast", {**settings, "fast": 10 * 0.10992, "slow": 20 * 0.10992})
    assert_allclose(stepped, [-46.986012, -2.251044, -130.106633], atol=2e-6)


def test_offset_is_added_after_the_rotation() -> None:
    # A quarter turn about Z of (1, 0, 0) is (0, 1, 0); the offset is the base of the axis, not turned.
    axes = axes_of("r rotation detector . 0 0 1 5 0 0")
    assert_allclose(place(axes, "r", {"r": 90}, (1, 0, 0)), [5, 1, 0], atol=1e-15)


def test_order_in_the_chain_matters() -> None:
    # 10 mm along X inside a quarter turn about Z end on Y; around it they stay on X.
    inside = axes_of("r rotation detector . 0 0 1 0 0 0\nt translation detector r 1 0 0 0 0 0")
    outside = axes_of("t translation detector . 1 0 0 0 0 0\nr rotation detector t 0 0 1 0 0 0")
    assert_allclose(place(inside, "t", {"r": 90, "t": 10}), [0, 10, 0], atol=1e-14)
    assert_allclose(place(outside, "r", {"r": 90, "t": 10}), [10, 0, 0], atol=1e-14)


def test_order_of_rows_does_not_matter() -> None:
    settings = {"trans": 287.22, "two_theta": 12.0, "detx": 1.0, "dety": 2.0}
    rows = ARM.splitlines()
    expected = place(axes_of(ARM), "dety", settings)
    assert_allclose(place(axes_of("\n".join(reversed(rows))), "dety", settings), expected, atol=1e-12)


def test_all_frames_are_placed_at_once() -> None:
    axes, angles = axes_of(KAPPA), np.array([0.0, 90.0, 180.0])
    carried = axes.placement(axes.find("phi"), {0: angles, 1: np.array([0.0])}, frames=3)
    assert_allclose(carried.apply(np.array([0, 1.0, 0])), [[0, 1, 0], [0, 0, 1], [0, -1, 0]], atol=1e-15)
    assert carried.apply(np.zeros((4, 5, 3))).shape == (3, 4, 5, 3)


@given(SETTINGS, st.lists(NUMBERS, min_size=6, max_size=6))
def test_placement_keeps_distances(settings: list[float], points: list[float]) -> None:
    axes = axes_of(ARM)
    placed = axes.placement(3, {row: np.array([value]) for row, value in enumerate(settings)})
    one, two = np.array(points[:3]), np.array(points[3:])
    moved = placed.apply(np.stack([one, two]))[0]
    assert_allclose(np.linalg.norm(moved[0] - moved[1]), np.linalg.norm(one - two), atol=1e-9)


@given(NUMBERS, NUMBERS)
def test_opposite_settings_undo_each_other(angle: float, shift: float) -> None:
    rows = """r rotation detector . 0.6 0 0.8 1 2 3
t translation detector r 0 0.6 0.8 0 0 0
back translation detector t 0 0.6 0.8 0 0 0
undone rotation detector back 0.6 0 0.8 0 0 0"""
    moved = place(axes_of(rows), "undone", {"r": angle, "t": shift, "back": -shift, "undone": -angle}, (7, 8, 9))
    assert_allclose(moved, [8, 10, 12], atol=1e-9)


# An ASIC on a sensor: `asic` hangs on `sensor`, and is mounted by a quarter turn about it.
MOUNTED = """sensor rotation detector . 0 0 1 10 20 0 . .
asic rotation detector sensor 0 0 1 -3 0 0 90 sensor"""


def test_mounting_rotation_about_the_parent_turns_what_the_parent_carries() -> None:
    # o_Q + R_Q(90) o_A = (10, 20, 0) + (0, -3, 0).
    axes = axes_of(MOUNTED, "rotation", "rotation_axis")
    assert_allclose(place(axes, "asic", {}), [10, 17, 0], atol=1e-14)


def test_a_setting_of_the_mounting_axis_is_added_to_the_fixed_rotation() -> None:
    # 90 + 90 degrees: (10, 20, 0) + (3, 0, 0).
    axes = axes_of(MOUNTED, "rotation", "rotation_axis")
    assert_allclose(place(axes, "asic", {"sensor": 90}), [13, 20, 0], atol=1e-14)


def test_a_mounting_axis_beside_the_parent_comes_before_it() -> None:
    # Innermost o_A = (1, 0, 0); then 90 about Z at the origin: (0, 1, 0); then the parent's 5 along X.
    rows = """base translation detector . 1 0 0 0 0 0 . .
turn rotation detector base 0 0 1 0 0 0 . .
asic translation detector base . . . 1 0 0 90 turn"""
    axes = axes_of(rows, "rotation", "rotation_axis")
    assert axes.chain(axes.find("asic")) == [2, 1, 0]
    assert_allclose(place(axes, "asic", {"base": 5}), [5, 1, 0], atol=1e-14)


def test_a_mounting_axis_that_is_mounted_itself_keeps_its_own_mounting() -> None:
    # From inside: (1, 0, 0) at asic; 90 about sensor: (0, 1, 0), and its offset: (2, 1, 0); 90 about
    # quad: (-1, 2, 0), and its offset: (-1, 2, 5).
    rows = """quad rotation detector . 0 0 1 0 0 5 . .
sensor rotation detector quad 0 0 1 2 0 0 90 quad
asic rotation detector sensor 0 0 1 1 0 0 90 sensor"""
    axes = axes_of(rows, "rotation", "rotation_axis")
    assert_allclose(place(axes, "asic", {}), [-1, 2, 5], atol=1e-14)


def test_rotation_without_an_axis_does_nothing() -> None:
    axes = axes_of("a rotation detector . 0 0 1 1 0 0 90 .", "rotation", "rotation_axis")
    assert_allclose(place(axes, "a", {}, (1, 0, 0)), [2, 0, 0], atol=1e-14)


@pytest.mark.parametrize("vector", ["0 0 0", ". . ."])
def test_a_null_vector_leaves_points_where_they_are(vector: str) -> None:
    axes = axes_of(f"r rotation detector . {vector} 1 2 3\nt translation detector r {vector} 0 0 0")
    assert_allclose(place(axes, "t", {"r": 40, "t": 7}, (1, 1, 1)), [2, 3, 4], atol=1e-14)


def test_vectors_are_normalised_before_use() -> None:
    axes = axes_of("t translation detector . 0 0 -2 0 0 0")
    assert_allclose(place(axes, "t", {"t": 100}), [0, 0, -100], atol=1e-12)


def test_untyped_axes_are_what_their_settings_make_them() -> None:
    rows = "t . detector . 0 0 -1 0 0 0\nr . detector t 0 0 1 0 0 0\ng general gravity . 0 -1 0 0 0 0"
    text = loop("diffrn_scan_axis", ("axis_id", "angle_start", "displacement_start"), "t . 100\nr 30 .")
    axes, _ = scans_of(rows, text)
    assert axes.kind == ("translation", "rotation", "general")


def test_a_cycle_is_found_and_cut() -> None:
    axes = axes_of("phi rotation goniometer chi 1 0 0 0 0 0\nchi rotation goniometer phi 0 0 1 0 0 0")
    assert axes.cycles == [[0, 1]]
    assert axes.walk(0) == ([(0, 0.0), (1, 0.0)], CYCLIC)
    assert not axes.is_whole(0)
    assert np.isfinite(place(axes, "phi", {"phi": 10, "chi": 20})).all()


def test_a_cycle_over_rotation_axes_is_found() -> None:
    rows = "a rotation detector . 1 0 0 0 0 0 b\nb rotation detector a 0 0 1 0 0 0 ."
    axes = axes_of(rows, "rotation_axis")
    assert axes.cycles == [[0, 1]]
    assert axes.walk(0)[1] == CYCLIC


def test_a_parent_that_is_not_defined_ends_the_walk() -> None:
    axes = axes_of("phi rotation goniometer chi 1 0 0 0 0 0")
    assert axes.walk(0) == ([(0, 0.0)], DANGLING)
    assert not axes.is_whole(0)


@pytest.mark.parametrize("number", ["ten", "1e999", "NaN", "0..5"])
def test_numbers_that_cannot_be_read_make_a_chain_unknown(number: str) -> None:
    axes = axes_of(f"r rotation detector . 0 0 1 {number} 0 0\nt translation detector r 1 0 0 0 0 0")
    assert not axes.is_whole(1)
    assert np.isfinite(place(axes, "t", {"t": 1})).all()


def test_ids_are_matched_exactly_before_case_is_set_aside() -> None:
    axes = axes_of("T rotation detector . 1 0 0 0 0 0\nt translation detector T 0 0 1 0 0 0")
    assert (axes.find("T"), axes.find("t"), axes.parent[1]) == (0, 1, 0)
    assert axes_of(ARM).find("TRANS") == 1
    assert axes_of(ARM).find("nothing") == DANGLING
    assert axes_of(ARM).find(None) == NO_PARENT


def test_a_shared_axis_is_found_by_its_equipment() -> None:
    rows = """tth rotation detector . 1 0 0 0 0 0
tth rotation goniometer . 1 0 0 0 0 9
x rotation goniometer tth 1 0 0 0 0 0"""
    axes = axes_of(rows)
    assert axes.parent[2] == 1
    assert axes.rows_named("tth") == [0, 1]


def test_a_setting_acts_on_a_shared_axis_wherever_it_is_mounted() -> None:
    rows = """tth rotation goniometer . 1 0 0 0 0 0
tth rotation detector . 1 0 0 0 0 0
trans translation detector tth 0 0 -1 0 0 0"""
    text = loop("diffrn_scan_axis", ("axis_id", "angle_start", "displacement_start"), "tth 90 .\ntrans . 100")
    axes, scans = scans_of(rows, text)
    settings = scans.scans[0].at(0, [0, 1, 2])
    # 100 along -Z, a quarter turn about X: (x, y, z) to (x, -z, y).
    assert_allclose(axes.placement(2, settings).apply(np.zeros(3))[0], [0, 100, 0], atol=1e-12)


def test_a_chain_of_thousands_of_axes_is_walked_without_recursion() -> None:
    size = 3_000
    rows = "\n".join(f"a{n} translation detector {f'a{n - 1}' if n else '.'} 0 0 1 0 0 0.5" for n in range(size))
    begin = time.process_time()
    axes = axes_of(rows)
    assert axes.cycles == []
    # 3000 offsets of 0.5 and settings of 0.001, all along Z.
    settings = {row: np.array([0.001]) for row in range(size)}
    assert_allclose(axes.placement(size - 1, settings).apply(np.zeros(3))[0], [0, 0, 1503.0], rtol=1e-12)
    assert time.process_time() - begin < 5
