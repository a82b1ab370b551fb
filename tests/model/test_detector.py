"""Where pixels lie: worked examples, invariants, sections, hierarchies and what cannot be placed."""

import numpy as np
import pytest
from detector_texts import AXIS, LIST, STEPS, detector_of, first_scan, loop, tables_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.model.axes import build_axes
from imgcif_core.model.detector import Detector, Fault, Posture, build_detector
from imgcif_core.model.pose import Pose
from imgcif_core.model.vectors import rotation_matrices

FLAT_LIST = "1 1 4148 1 fast\n1 2 4362 2 slow"
SCAN = ("scan_id", "axis_id", "angle_start", "displacement_start")


def placed(detector: Detector, **settings: float) -> Pose:
    """The first flat panel with axes set by id."""
    rows = {detector.axes.id.index(name): np.array([value]) for name, value in settings.items()}
    return detector.flat[0].pose(Posture(detector.axes, rows))


def test_single_panel_at_a_distance() -> None:
    # A 16M panel of 0.075 mm pixels, its corner at (-166.8, 172.497) before the beam, 287.22 mm away.
    # First centre: half a pixel inwards. Beam at 166.7625/0.075 = 2223.5 and 172.4595/0.075 = 2299.46.
    detector = detector_of(
        "tth rotation . 1 0 0 0 0 0\ntrans translation tth 0 0 -1 0 0 0\n"
        "fast translation trans 1 0 0 -166.8 172.497 0\nslow translation fast 0 -1 0 0 0 0",
        FLAT_LIST,
        "fast 0.0375 0.075\nslow 0.0375 0.075",
    )
    pose = placed(detector, trans=287.22)
    assert_allclose(pose.origin[0], [-166.7625, 172.4595, -287.22], atol=1e-12)
    assert_allclose(pose.corner[0], [-166.8, 172.497, -287.22], atol=1e-12)
    assert_allclose(pose.normal[0], [0, 0, -1], atol=1e-15)
    assert_allclose(pose.normal_distance, 287.22)
    assert_allclose(pose.beam_centre()[0], [2223.5, 2299.46], atol=1e-9)
    assert_allclose(pose.at(1000, 500)[0], [-91.7625, 134.9595, -287.22], atol=1e-12)
    assert pose.holds(pose.beam_centre()).all()
    assert_allclose(pose.pixel_size, [0.075, 0.075])


def test_tilted_detector_on_six_axes() -> None:
    # The numbers of an independent implementation for this chain, given to six decimals.
    detector = detector_of(
        "tth rotation . 1 0 0 0 0 0\ndx translation tth 0 0 -1 0 0 0\nyaw rotation dx -1 0 0 0 0 0\n"
        "pitch rotation yaw 0 1 0 0 0 0\nroll rotation pitch 0 0 1 0 0 0\nh translation roll 0 1 0 0 0 0\n"
        "v translation h 1 0 0 0 0 0\nx translation v 0 1 0 -30.7201 -30.7201 0\ny translation x 1 0 0 0 0 0",
        "1 1 512 1 x\n1 2 512 2 y",
        "x 0.0600002 0.12\ny 0.0600002 0.12",
    )
    settings = {"tth": -21.518999, "dx": 41, "yaw": -0.1006, "pitch": -0.0945, "roll": 0.2967}
    pose = placed(detector, h=-0.319201756807026, v=-0.0828005712022839, **settings)
    assert_allclose(pose.origin[0], [-30.582024, -44.045263, -26.818219], atol=2e-6)
    assert_allclose(pose.fast_step[0], [-0.0006214, 0.1117108, -0.0438215], atol=1e-7)
    assert_allclose(pose.slow_step[0], [0.1199982, 0.0006508, -0.0000427], atol=1e-7)
    assert_allclose(pose.normal_distance, 40.99988, atol=1e-5)
    assert_allclose(pose.at(9, 5)[0], [-29.987626, -43.036612, -27.212825], atol=2e-6)
    assert_allclose(pose.beam_centre()[0], [392.783, 256.888], atol=1e-3)
    # Along the beam the plane is met at z = -44.0415.
    assert_allclose(pose.at(*pose.beam_centre()[0])[0], [0, 0, -44.0415], atol=1e-4)


# From root to leaf: shifts in z, y and x, then four nested groups, then the two pixel directions.
ASIC_AXES = """Z translation . 0 0 1 0 0 0
Y translation Z 0 1 0 0 0 0
X translation Y 1 0 0 0 0 0
R rotation X 0 0 1 0 0 0
Q rotation R 0 0 1 -50.334928 41.253845 0
S rotation Q 0 0 1 11.384895 -23.200388 0
A rotation S 0 0 1 -10.82712 0 0
slow translation A 0 -1 0 -10.66224 10.1676 0
fast translation slow 1 0 0 0 0 0"""


def test_one_chip_deep_in_a_hierarchy() -> None:
    detector = detector_of(ASIC_AXES, "1 1 194 1 fast\n1 2 185 2 slow", "fast 0 0.10992\nslow 0 0.10992")
    settings = {"Z": -130.106633, "Y": 0.028626, "X": -0.049563, "Q": 0.140333, "S": 89.651567}
    pose = placed(detector, **settings)
    assert_allclose(pose.origin[0], [-49.188390, -3.342252, -130.106633], atol=2e-6)
    assert_allclose(pose.fast_step[0], [0.0003992, 0.1099193, 0], atol=1e-7)
    assert_allclose(pose.slow_step[0], [0.1099193, -0.0003992, 0], atol=1e-7)
    assert_allclose(pose.at(193, 184)[0], [-28.886191, 17.798709, -130.106633], atol=3e-6)


def test_64_chips_share_their_groups() -> None:
    # 4 quadrants turned by 90 degrees, 8 sensors 20 mm apart in each, 2 chips 10 mm apart on each.
    axes = ["z translation . 0 0 1 0 0 0"]
    listed, steps, ids = [], [], []
    for quadrant in range(4):
        axes.append(f"q{quadrant} rotation z 0 0 1 5 5 0")
        for sensor in range(8):
            group = f"s{quadrant}{sensor}"
            axes.append(f"{group} rotation q{quadrant} 0 0 1 0 {20 * sensor} 0")
            for chip in range(2):
                name = f"{quadrant}{sensor}{chip}"
                ids.append(name)
                axes.append(f"y{name} translation {group} 0 -1 0 {10 * chip} 0 0")
                axes.append(f"x{name} translation y{name} 1 0 0 0 0 0")
                listed.append(f"{name} 1 19 1 x{name}\n{name} 2 18 2 y{name}")
                steps.append(f"x{name} 0.25 0.5\ny{name} 0.25 0.5")
    detector = detector_of("\n".join(axes), "\n".join(listed), "\n".join(steps))
    assert [panel.array_id for panel in detector.flat] == ids
    turns = {detector.axes.id.index(f"q{quadrant}"): np.array([90.0 * quadrant]) for quadrant in range(4)}
    posture = Posture(detector.axes, {0: np.array([-100.0]), **turns})
    for panel in detector.flat:
        quadrant, sensor, chip = map(int, panel.array_id)
        # In the quadrant's frame the first centre lies at (10 chip + 0.25, 20 sensor - 0.25); then it turns.
        x, y = 10 * chip + 0.25, 20 * sensor - 0.25
        for _ in range(quadrant):
            x, y = -y, x
        assert_allclose(panel.pose(posture).origin[0], [x + 5, y + 5, -100], atol=1e-12)


def test_either_pixel_direction_may_carry_the_other() -> None:
    rows = "{outer} translation . {a} 3 4 5\n{inner} translation {outer} {b} 0 0 0"
    listed, steps = "1 1 10 1 fast\n1 2 10 2 slow", "fast 0.5 1\nslow 0.25 0.5"
    one = detector_of(rows.format(outer="fast", inner="slow", a="1 0 0", b="0 -1 0"), listed, steps)
    two = detector_of(rows.format(outer="slow", inner="fast", a="0 -1 0", b="1 0 0"), listed, steps)
    for detector in (one, two):
        assert_allclose(placed(detector).origin[0], [3.5, 3.75, 5])


def test_siblings_are_both_displaced() -> None:
    detector = detector_of(
        "arm translation . 0 0 -1 0 0 0\nfast translation arm 1 0 0 -5 6 0\nslow translation arm 0 -1 0 0 0 0",
        "1 1 10 1 fast\n1 2 10 2 slow",
        "fast 0.5 1\nslow 0.25 0.5",
    )
    # -5 + 0.5 along x, 6 - 0.25 along y.
    assert_allclose(placed(detector, arm=100).origin[0], [-4.5, 5.75, -100])


def test_precedence_decides_which_direction_is_fast() -> None:
    detector = detector_of(
        "slow translation . 0 -1 0 0 0 -9\nfast translation slow 1 0 0 0 0 0",
        "1 1 30 2 slow\n1 2 20 1 fast",
        "fast 0 0.1\nslow 0 0.2",
    )
    pose = placed(detector)
    assert pose.size == (20, 30)
    assert_allclose(pose.fast_step[0], [0.1, 0, 0])
    assert_allclose(pose.slow_step[0], [0, -0.2, 0])


def test_a_stack_of_frames_leaves_the_face_as_it_is() -> None:
    detector = detector_of(
        "slow translation . 0 -1 0 0 0 -9\nfast translation slow 1 0 0 0 0 0",
        "1 1 2 1 .\n1 2 20 2 fast\n1 3 30 3 slow",
        "fast 0 0.1\nslow 0 0.2",
    )
    assert detector.flat[0].size == (20, 30)


def test_sections_of_one_array_are_panels_of_their_own() -> None:
    tables = tables_of(
        loop(
            "axis",
            AXIS,
            "y1 translation . 0 -1 0 0 0 -50\nx1 translation y1 1 0 0 0 0 0\n"
            "y2 translation . 0 -1 0 0 -20 -50\nx2 translation y2 1 0 0 0 0 0",
        ),
        loop(
            "array_structure_list",
            (*LIST, "array_section_id"),
            "A 1 100 1 . .\nA 2 60 2 . .\nA 1 100 1 x1 upper\nA 2 30 2 y1 upper\nA 1 100 1 x2 lower\nA 2 30 2 y2 lower",
        ),
        loop("array_structure_list_axis", STEPS, "x1 0.05 0.1\ny1 0.05 0.1\nx2 0.05 0.1\ny2 0.05 0.1"),
        loop(
            "diffrn_data_frame",
            ("id", "detector_element_id", "array_id", "array_section_id"),
            "f E1 A upper\nf E2 A lower",
        ),
    )
    detector = build_detector(tables, build_axes(tables))
    assert [(panel.id, panel.section_id, panel.element_id) for panel in detector.flat] == [
        ("upper", "upper", "E1"),
        ("lower", "lower", "E2"),
    ]
    upper, lower = detector.poses()
    assert upper.size == lower.size == (100, 30)
    assert_allclose(lower.origin - upper.origin, [[0, -20, 0]])


def test_settings_of_scans_move_the_panel() -> None:
    tables = tables_of(
        loop(
            "axis",
            AXIS,
            "tth rotation . 1 0 0 0 0 0\narm translation tth 0 0 -1 0 0 0\n"
            "slow translation arm 0 -1 0 0 0 0\nfast translation slow 1 0 0 0 0 0",
        ),
        loop("array_structure_list", LIST, "1 1 10 1 fast\n1 2 10 2 slow"),
        loop("array_structure_list_axis", STEPS, "fast 0 0.1\nslow 0 0.1"),
        "_diffrn_scan.id S\n_diffrn_scan.frames 3\n",
        loop("diffrn_scan_axis", SCAN, "S tth 0 .\nS arm . 100"),
        loop("diffrn_scan_frame", ("scan_id", "frame_id", "frame_number"), "S a 1\nS b 2\nS c 3"),
        loop("diffrn_scan_frame_axis", ("frame_id", "axis_id", "angle"), "a tth 0\nb tth 90\nc tth 180"),
    )
    detector, scan = first_scan(tables)
    (pose,) = detector.poses(scan, np.arange(3))
    # -Z turned about +X by 90 degrees is +Y (Y goes to Z, Z to -Y), by 180 degrees +Z.
    assert_allclose(pose.origin, [[0, 0, -100], [0, 100, 0], [0, 0, 100]], atol=1e-12)
    assert_allclose(pose.normal_distance, 100)
    assert np.isnan(pose.beam_centre()[1:]).all()


ROWS = "slow translation . 0 -1 0 0 0 -9\nfast translation slow 1 0 0 0 0 0"
FAULTS = {
    Fault.PRECEDENCE: (ROWS, "1 1 9 1 fast\n1 2 9 1 slow", "fast 0 1\nslow 0 1"),
    Fault.NO_AXIS: (ROWS, "1 1 9 1 fast\n1 2 9 2 other", "fast 0 1\nslow 0 1"),
    Fault.NO_SET: (ROWS, "1 1 9 1 fast\n1 2 9 2 .", "fast 0 1\nslow 0 1"),
    Fault.AXIS_UNDEFINED: (ROWS, "1 1 9 1 fast\n1 2 9 2 lost", "fast 0 1\nlost 0 1"),
    Fault.PARENT_UNDEFINED: (ROWS.replace(" . ", " lost "), "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 1\nslow 0 1"),
    Fault.CYCLE: (ROWS.replace(" . ", " fast "), "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 1\nslow 0 1"),
    Fault.NUMBER: (ROWS, "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 abc\nslow 0 1"),
    Fault.NULL_VECTOR: (ROWS.replace("slow 1 0 0", "slow 0 0 0"), "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 1\nslow 0 1"),
    Fault.ZERO_STEP: (ROWS, "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 0\nslow 0 1"),
    Fault.NO_STEP: (ROWS, "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 .\nslow 0 1"),
    Fault.PARALLEL: (ROWS.replace("slow 1 0 0", "slow 0 1 0"), "1 1 9 1 fast\n1 2 9 2 slow", "fast 0 1\nslow 0 1"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_cannot_be_placed_says_why(fault: Fault) -> None:
    (panel,) = detector_of(*FAULTS[fault]).panels
    assert (panel.shape, panel.fault) == ("unplaced", fault)


def test_a_strip_is_no_face() -> None:
    (panel,) = detector_of(ROWS, "1 1 1280 1 fast", "fast 0 0.05").panels
    assert panel.shape == "strip"
    (panel,) = detector_of(ROWS, "1 1 1280 1 fast\n1 2 1 2 slow", "fast 0 0.05\nslow 0 0").panels
    assert panel.shape == "strip"


@pytest.mark.parametrize("step", ["angle_increment", "angular_pitch"])
def test_a_cylinder_is_recognised(step: str) -> None:
    tables = tables_of(
        loop("axis", AXIS, "arc rotation . 0 1 0 0 0 0\nheight translation arc 0 1 0 0 0 -200"),
        loop("array_structure_list", LIST, "1 1 900 1 arc\n1 2 400 2 height"),
        loop("array_structure_list_axis", (*STEPS, step), "arc 0 0 0.1\nheight 0 0.1 0"),
    )
    (panel,) = build_detector(tables, build_axes(tables)).panels
    assert (panel.shape, panel.fault) == ("curved", Fault.ROTATION)


def test_coupled_axes_of_a_spiral_are_curved() -> None:
    tables = tables_of(
        loop("axis", AXIS, "turn rotation . 0 0 1 0 0 -90\nout translation turn 1 0 0 0 0 0"),
        loop("array_structure_list", LIST, "1 1 100 1 spiral\n1 2 100 2 out"),
        loop("array_structure_list_axis", ("axis_set_id", *STEPS), "spiral turn . .\nspiral out 0 0.1\nout out 0 0.1"),
    )
    (panel,) = build_detector(tables, build_axes(tables)).panels
    assert panel.shape == "curved"


ANGLES = st.floats(-360, 360)
LENGTHS = st.floats(-500, 500)


@given(tth=ANGLES, tilt=ANGLES, roll=ANGLES, distance=LENGTHS, shift=LENGTHS)
def test_moving_a_panel_keeps_its_shape(tth: float, tilt: float, roll: float, distance: float, shift: float) -> None:
    detector = detector_of(
        "tth rotation . 1 0 0 0 0 0\narm translation tth 0 0 -1 0 0 0\ntilt rotation arm 0 1 0 0 0 0\n"
        "roll rotation tilt 0 0 1 0 0 0\nshift translation roll 1 0 0 0 0 0\n"
        "slow translation shift 0 -1 0 -40 30 0\nfast translation slow 1 0 0 0 0 0",
        "1 1 800 1 fast\n1 2 300 2 slow",
        "fast 0.05 0.1\nslow 0.1 0.2",
    )
    pose = placed(detector, tth=tth, arm=distance, tilt=tilt, roll=roll, shift=shift)
    first, fast_end, far, slow_end = pose.corners()[0]
    assert_allclose(np.linalg.norm(fast_end - first), 80, rtol=1e-12)
    assert_allclose(np.linalg.norm(slow_end - first), 60, rtol=1e-12)
    assert_allclose(np.linalg.norm(far - first), 100, rtol=1e-12)
    assert_allclose(pose.centre[0], (first + far) / 2, atol=1e-9)


@given(angle=ANGLES)
def test_two_theta_moves_the_panel_as_a_whole(angle: float) -> None:
    detector = detector_of(
        "tth rotation . 1 0 0 0 0 0\narm translation tth 0 0 -1 0 0 0\n"
        "slow translation arm 0 -1 0 -40 30 0\nfast translation slow 1 0 0 0 0 0",
        "1 1 800 1 fast\n1 2 300 2 slow",
        "fast 0.05 0.1\nslow 0.1 0.2",
    )
    still, turned = placed(detector, arm=100), placed(detector, arm=100, tth=angle)
    matrix = rotation_matrices(np.array([1.0, 0, 0]), np.array([angle]))[0]
    assert_allclose(turned.corners()[0], still.corners()[0] @ matrix.T, atol=1e-10)
    assert_allclose(turned.normal_distance, still.normal_distance)
    # A ray that turns along meets the same pixel.
    assert_allclose(turned.beam_centre(matrix @ [0, 0, -1])[0], still.beam_centre()[0], atol=1e-8)


@given(fast=st.floats(-2000, 2000), slow=st.floats(-2000, 2000), tilt=st.floats(-60, 60))
def test_the_ray_to_a_pixel_meets_that_pixel(fast: float, slow: float, tilt: float) -> None:
    detector = detector_of(
        "arm translation . 0 0 -1 0 0 0\ntilt rotation arm 0 1 0 0 0 0\n"
        "slow translation tilt 0 -1 0 -40 30 0\nfast translation slow 1 0.3 0 0 0 0",
        "1 1 800 1 fast\n1 2 300 2 slow",
        "fast 0.05 0.1\nslow 0.1 0.2",
    )
    pose = placed(detector, arm=5000, tilt=tilt)
    assert_allclose(pose.intersect(pose.at(fast, slow))[0], [fast, slow], atol=1e-7)


def test_pixel_coordinates_are_centres_in_storage_order() -> None:
    pose = Pose(np.array([[1.0, 2, 3]]), np.array([[0.1, 0, 0]]), np.array([[0, -0.2, 0.01]]), (4, 3))
    pixels = pose.pixel_coordinates()
    assert pixels.shape == (3, 4, 3)
    assert_allclose(pixels[0, 0], [1, 2, 3])
    assert_allclose(pixels[2, 3], [1.3, 1.6, 3.02])
    assert_allclose(pixels[1, 2], pose.at(2, 1)[0])


def test_frames_at_once_agree_with_frames_one_by_one() -> None:
    detector = detector_of(ASIC_AXES, "1 1 194 1 fast\n1 2 185 2 slow", "fast 0 0.10992\nslow 0 0.10992")
    row = detector.axes.id.index
    angles, heights = np.linspace(0, 50, 7), np.linspace(-100, -160, 7)
    together = detector.flat[0].pose(Posture(detector.axes, {row("S"): angles, row("Z"): heights}, 7))
    for index in range(7):
        alone = placed(detector, S=angles[index], Z=heights[index])
        assert_allclose(together.origin[index], alone.origin[0], atol=1e-12)
        assert_allclose(together.slow_step[index], alone.slow_step[0], atol=1e-15)


def test_rays_that_never_arrive_give_no_pixel() -> None:
    behind = Pose(np.array([[-1.0, 1, 50]]), np.array([[0.1, 0, 0]]), np.array([[0, -0.1, 0]]), (20, 20))
    edge_on = Pose(np.array([[-1.0, 0, -50]]), np.array([[0.1, 0, 0]]), np.array([[0, 0, 0.1]]), (20, 20))
    for pose in (behind, edge_on):
        assert np.isnan(pose.beam_centre()).all()
        assert not pose.holds(pose.beam_centre()).any()


def test_a_thousand_axes_in_a_chain_are_composed() -> None:
    rows = ["a0 translation . 0 0 -1 0 0 0"]
    rows += [f"a{index} translation a{index - 1} 0 0 -1 0 0 -0.1" for index in range(1, 1000)]
    rows.append("slow translation a999 0 -1 0 0 0 0\nfast translation slow 1 0 0 0 0 0")
    detector = detector_of("\n".join(rows), "1 1 10 1 fast\n1 2 10 2 slow", "fast 0 1\nslow 0 1")
    assert_allclose(placed(detector, a0=10).origin[0], [0, 0, -109.9], atol=1e-9)


def test_an_added_rotation_turns_about_the_axis_that_it_names() -> None:
    # The panel's axis is turned by 90 degrees about "hinge", which stands 10 mm up; what is 1 mm along x
    # from the hinge then points along y: (0, 10 + 1, 0).
    tables = tables_of(
        loop(
            "axis",
            (*AXIS, "rotation", "rotation_axis"),
            "hinge rotation . 0 0 1 0 10 -50 . .\nfast translation hinge 1 0 0 0 0 0 90 hinge\n"
            "slow translation fast 0 -1 0 0 0 0 . .",
        ),
        loop("array_structure_list", LIST, "1 1 10 1 fast\n1 2 10 2 slow"),
        loop("array_structure_list_axis", STEPS, "fast 1 0.5\nslow 0 0.5"),
    )
    (pose,) = build_detector(tables, build_axes(tables)).poses()
    assert_allclose(pose.origin[0], [0, 11, -50], atol=1e-12)
    assert_allclose(pose.fast_step[0], [0, 0.5, 0], atol=1e-12)
    assert_allclose(pose.slow_step[0], [0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize("frames", [1, 7])
def test_all_panels_are_placed_as_each_alone(frames: int) -> None:
    chance = np.random.default_rng(5)
    axes, listed, steps = ["arm rotation . 0 1 0 0 0 0", "z translation arm 0 0 -1 1 2 3"], [], []
    for number in range(12):
        group = f"g{number // 4}"
        if number % 4 == 0:
            axes.append(f"{group} rotation z {' '.join(f'{value:.3f}' for value in chance.normal(size=6))}")
        fast, slow = f"f{number}", f"s{number}"
        # Slow on fast, fast on slow, and both on the group.
        on = ((group, fast), (slow, group), (group, group))[number % 3]
        for name, carrier, vector in ((fast, on[0], "1 0.1 0"), (slow, on[1], "0 -1 0.2")):
            axes.append(f"{name} translation {carrier} {vector} {number} {chance.normal():.3f} 0.5")
        listed.append(f"{number} 1 {10 + number} 1 {fast}\n{number} 2 20 2 {slow}")
        steps.append(f"{fast} 0.25 0.5\n{slow} 0.1 -0.2")
    detector = detector_of("\n".join(axes), "\n".join(listed), "\n".join(steps))
    rows = {name: detector.axes.id.index(name) for name in detector.axes.id}
    values = {rows[name]: chance.normal(size=frames) * 20 for name in ("arm", "z", "g0", "g2")}
    values[rows["g1"]] = np.array([30.0])
    posture = Posture(detector.axes, values, frames)
    poses = detector.faces.place(posture)
    assert [panel.array_id for panel in detector.flat] == [str(number) for number in range(12)]
    for number, (panel, pose) in enumerate(zip(detector.flat, poses, strict=True)):
        own = {rows[f"f{number}"]: np.array([0.25]), rows[f"s{number}"]: np.array([0.1])}
        fast = detector.axes.placement(rows[f"f{number}"], values | own, frames)
        slow = detector.axes.placement(rows[f"s{number}"], values | own, frames)
        assert_allclose(pose.fast_step, fast.turn(detector.axes.direction[rows[f"f{number}"]]) * 0.5, atol=1e-12)
        assert_allclose(pose.slow_step, slow.turn(detector.axes.direction[rows[f"s{number}"]]) * -0.2, atol=1e-12)
        if number % 3 < 2:
            assert_allclose(pose.origin, (slow if number % 3 == 0 else fast).translation, atol=1e-12)
        alone = panel.pose(posture)
        for name in ("origin", "fast_step", "slow_step", "corner", "centre", "normal"):
            assert_allclose(getattr(pose, name), getattr(alone, name), atol=1e-12)
            assert_allclose(getattr(poses, name)[number], getattr(alone, name), atol=1e-12)
        for name in ("normal_distance", "nearest", "pixel_size"):
            assert_allclose(getattr(poses, name)[number], getattr(alone, name), atol=1e-12)
        assert_allclose(poses.corners()[number], alone.corners(), atol=1e-12)
        assert_allclose(poses.beam_centre()[number], alone.beam_centre(), atol=1e-6)
