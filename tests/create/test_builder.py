"""A described experiment becomes a block that says the same."""

import numpy as np
import pytest
from create.experiments import X, Y, Z, block_text, experiment, largest_deviation, panel, scan, written
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import imgcif_core
from imgcif_core.create.builder import prepare
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.sources.description import AxisFacts, BeamFacts, Experiment


def findings(source: Experiment) -> list[str]:
    report = imgcif_core.check(block_text(prepare(source)).encode(), name="created.cif")
    return [f"{f.rule} {f.message}" for f in report.findings(imgcif_core.Severity.WARNING)]


def turned(panels, rotation: np.ndarray, shift=(0.0, 0.0, 0.0)):
    from dataclasses import replace

    return tuple(
        replace(entry.turned(rotation), corner=entry.turned(rotation).corner + np.array(shift)) for entry in panels
    )


def test_first_pixel_centre_is_half_a_pixel_inside_the_corner() -> None:
    # Corner (-166.8, 172.497, -287.22), pixels of 0.075 along +X and -Y: (-166.7625, 172.4595, -287.22).
    _, scans, detector = written(experiment())
    (pose,) = detector.poses(next(iter(scans)))
    assert_allclose(pose.origin[0], [-166.7625, 172.4595, -287.22], rtol=0, atol=1e-12)
    assert_allclose(pose.fast_step[0], [0.075, 0, 0], rtol=0, atol=1e-12)
    assert_allclose(pose.slow_step[0], [0, -0.075, 0], rtol=0, atol=1e-12)
    # The beam meets the plane at 166.7625 / 0.075 and 172.4595 / 0.075 pixels from there.
    assert_allclose(pose.beam_centre()[0], [2223.5, 2299.46], rtol=0, atol=1e-9)


def test_a_plain_experiment_has_neither_errors_nor_warnings() -> None:
    assert findings(experiment()) == []


def test_distance_is_the_setting_of_an_axis_along_the_beam() -> None:
    axes, scans, _ = written(experiment())
    row = axes.find("distance")
    assert_allclose(axes.vector[row], [0, 0, -1])
    assert next(iter(scans)).setting(row, 0) == 287.22


def test_vertical_spindle_turns_the_whole_frame() -> None:
    # X must point along what was +Y: x' = y, y' = -x, z' = z.
    axes, _, detector = written(experiment(goniometer=(AxisFacts("omega", "rotation", Y),)))
    assert_allclose(axes.vector[axes.find("omega")], [1, 0, 0])
    (pose,) = detector.poses()
    assert_allclose(pose.fast[0], [0, -1, 0], atol=1e-12)
    assert_allclose(pose.slow[0], [-1, 0, 0], atol=1e-12)
    assert "Y = (-1, 0, 0)" in block_text(prepare(experiment(goniometer=(AxisFacts("omega", "rotation", Y),))))


def test_bare_geometry_puts_the_panel_where_it_is_without_any_setting() -> None:
    source = experiment(scan(frames=0, settings={}), goniometer=())
    axes, scans, detector = written(source)
    assert len(scans) == 0 and axes.find("distance") < 0
    (pose,) = detector.poses()
    assert_allclose(pose.corner[0], [-166.8, 172.497, -287.22], rtol=0, atol=1e-12)
    assert findings(source) == []


def test_spindle_off_the_right_angle_leaves_x_along_it_and_tilts_the_beam() -> None:
    # The beam is 89 degrees from the spindle: the source keeps sin 89, cos 89 along Z and X.
    lean = np.array([np.cos(np.radians(89.0)), 0.0, np.sin(np.radians(89.0))])
    source = experiment(beam=BeamFacts(lean, 1.0, probe="x-ray"))
    axes, _, _ = written(source)
    assert_allclose(axes.vector[axes.find("source")], lean, rtol=0, atol=1e-12)
    assert_allclose(axes.vector[axes.find("omega")], [1, 0, 0])


def test_still_without_goniometer_has_x_along_the_fast_direction() -> None:
    still = scan(panels=(panel(corner=(-170.0, -160.0, -287.22), fast=Y, slow=X),), settings={}, frames=1)
    _, _, detector = written(experiment(still, goniometer=()))
    (pose,) = detector.poses()
    assert_allclose(pose.fast[0], [1, 0, 0], atol=1e-12)
    assert findings(experiment(still, goniometer=())) == []


def test_two_theta_is_found_from_three_poses() -> None:
    flat = (panel(corner=(-148.95, -127.28, -160.0), fast=Y, slow=X, size=(1475, 1679), pixel_size=(0.172, 0.172)),)
    scans = [
        scan(n, panels=turned(flat, rotation_matrices(X, np.array(angle)))) for n, angle in enumerate((30, 0, -55), 1)
    ]
    axes, read_back, _ = written(experiment(*scans))
    row, distance = axes.find("two_theta"), axes.find("distance")
    assert_allclose(axes.vector[row], [1, 0, 0], rtol=0, atol=0)
    assert [entry.setting(row, 0) for entry in read_back] == [30.0, 0.0, -55.0]
    assert [entry.setting(distance, 0) for entry in read_back] == [160.0] * 3
    assert largest_deviation(experiment(*scans)) < 1e-9
    assert findings(experiment(*scans)) == []


def test_two_theta_of_a_single_pose_is_named() -> None:
    tilted = turned((panel(),), rotation_matrices(X, np.array(30.0)))
    axes, scans, _ = written(experiment(scan(panels=tilted)))
    assert next(iter(scans)).setting(axes.find("two_theta"), 0) == 30.0


def test_arm_that_turns_about_a_point_apart_from_the_sample_gets_an_offset() -> None:
    # x' = R (x - c) + c with c = (0, 3, -4).
    pivot, scans = np.array([0.0, 3.0, -4.0]), []
    for number, angle in enumerate((0.0, 20.0, 45.0, 70.0), 1):
        rotation = rotation_matrices(X, np.array(angle))
        scans.append(scan(number, panels=turned((panel(),), rotation, pivot - rotation @ pivot)))
    axes, _, _ = written(experiment(*scans))
    assert_allclose(axes.offset[axes.find("two_theta")], pivot, rtol=0, atol=1e-6)
    assert largest_deviation(experiment(*scans)) < 1e-6


def test_distances_that_differ_are_settings() -> None:
    scans = [scan(n, panels=(panel(corner=(-166.8, 172.497, -z)),)) for n, z in enumerate((200.0, 300.5), 1)]
    axes, read_back, _ = written(experiment(*scans))
    assert [entry.setting(axes.find("distance"), 0) for entry in read_back] == [200.0, 300.5]
    assert axes.find("detector_x") < 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-60, 60)] * 6), min_size=1, max_size=4))
def test_any_rigid_poses_are_placed_to_a_nanometre(poses) -> None:
    two = (panel("a"), panel("b", corner=(170.0, 172.0, -280.0), fast=(0.8, 0.6, 0.0), slow=(0.6, -0.8, 0.0)))
    scans = []
    for number, (a, b, c, *shift) in enumerate(poses, 1):
        rotation = np.eye(3)
        for axis, angle in ((X, a), (Y, b), (Z, c)):
            rotation = rotation @ rotation_matrices(axis, np.array(angle))
        scans.append(scan(number, panels=turned(two, rotation, shift)))
    assert largest_deviation(experiment(*scans)) < 1e-6


def test_panels_that_do_not_move_together_are_refused() -> None:
    one = (panel("a"), panel("b", corner=(170.0, 172.0, -280.0)))
    other = (one[0], panel("b", corner=(170.0, 172.5, -280.0)))
    with pytest.raises(imgcif_core.InputError, match="scan 2 do not stand to each other as in scan 1"):
        prepare(experiment(scan(1, panels=one), scan(2, panels=other)))


def test_panels_of_one_stored_array_become_its_sections() -> None:
    panels = tuple(
        panel(f"m{n}", corner=(-15.0, 15.0 - 20.0 * n, -100.0), size=(512, 256), raw_offset=(0, 256 * n))
        for n in range(4)
    )
    source = experiment(scan(panels=panels, settings={}), goniometer=())
    text = block_text(prepare(source))
    assert "m2 1 2 513 768 1" in " ".join(text.split())
    assert findings(source) == []
    assert largest_deviation(source) < 1e-9


def test_long_runs_of_a_stacked_array_are_linked_as_a_whole() -> None:
    panels = tuple(
        panel(f"m{n}", corner=(-15.0, 15.0 - 20.0 * n, -100.0), size=(512, 256), raw_offset=(0, 256 * n))
        for n in range(4)
    )
    source = experiment(scan(frames=60_000, panels=panels, settings={}), goniometer=())
    text = block_text(prepare(source))
    assert text.count("STACK") >= 60_000 > text.count(" m1 ")
    _, scans, detector = written(source)
    assert len(detector.poses(next(iter(scans)))) == 4
    assert findings(source) == []


def test_modules_of_a_deeper_array_are_sections_along_its_third_dimension() -> None:
    panels = tuple(
        panel(f"m{n}", corner=(-15.0, 15.0 - 20.0 * n, -100.0), size=(512, 256), raw_index=(n,)) for n in range(3)
    )
    source = experiment(scan(panels=panels, settings={}), goniometer=())
    text = " ".join(block_text(prepare(source)).split())
    assert "1 3 3 3 increasing . ." in text
    assert "m2 1 3 3 3 1" in text
    assert findings(source) == []


def test_panels_of_several_arrays_keep_arrays_of_their_own() -> None:
    panels = tuple(panel("Panel", corner=(-15.0, 15.0 - 20.0 * n, -100.0), size=(512, 256)) for n in range(3))
    _, _, detector = written(experiment(scan(panels=panels)))
    assert [entry.array_id for entry in detector.panels] == ["Panel1", "Panel2", "Panel3"]
    assert findings(experiment(scan(panels=panels))) == []


def test_axes_of_the_source_are_kept_where_they_explain_the_poses() -> None:
    mounting = (
        AxisFacts("tth", "rotation", X),
        AxisFacts("length", "translation", -Z, "tth"),
    )
    flat = (panel(),)
    poses = [turned(flat, rotation_matrices(X, np.array(angle))) for angle in (0.0, 12.5)]
    scans = [
        scan(n, panels=pose, detector_settings={"tth": angle, "length": 287.22})
        for n, (pose, angle) in enumerate(zip(poses, (0.0, 12.5), strict=True), 1)
    ]
    axes, read_back, _ = written(experiment(*scans, mounting=mounting))
    assert [entry.setting(axes.find("tth"), 0) for entry in read_back] == [0.0, 12.5]
    assert axes.find("distance") < 0
    assert largest_deviation(experiment(*scans, mounting=mounting)) < 1e-9


def test_uneven_settings_are_written_frame_by_frame() -> None:
    angles = np.array([10.0, 10.3, 10.4])
    axes, scans, _ = written(experiment(scan(varying={"omega": angles})))
    assert_allclose(next(iter(scans)).settings(axes.find("omega"), np.arange(3)), angles, rtol=0, atol=0)


def test_names_that_clash_are_kept_apart() -> None:
    goniometer = (AxisFacts("distance", "rotation", X), AxisFacts("Slow axis", "rotation", Z, "distance"))
    source = experiment(scan(settings={"distance": (0.0, 0.1)}), goniometer=goniometer)
    axes, _, _ = written(source)
    assert len({name.casefold() for name in axes.id}) == len(axes.id)
    assert "Slow_axis" in axes.id
    assert findings(source) == []


def test_range_reaches_the_end_of_the_last_frame() -> None:
    assert "SCAN1 omega 10.0 0.1 0.3" in " ".join(block_text(prepare(experiment())).split())


def test_polarization_becomes_a_ratio_and_an_angle_from_y() -> None:
    # 0.999 of the intensity in the plane: (0.999 - 0.001) / 1 = 0.998.
    beam = BeamFacts(Z, 1.0, probe="x-ray", polarization_fraction=0.999, polarization_normal=Y)
    text = block_text(prepare(experiment(beam=beam)))
    assert "_diffrn_radiation.polarizn_source_ratio 0.998" in " ".join(text.split())
    assert "_diffrn_radiation.polarizn_source_norm 0.0" in " ".join(text.split())


@pytest.mark.parametrize("frames", [1, 7])
def test_every_frame_is_linked_once(frames: int) -> None:
    text = " ".join(block_text(prepare(experiment(scan(1, frames), scan(2, frames)))).split())
    assert text.count("https://x.org/a.zip") in (1, 2 * frames)
    assert f"E{2 * frames} " in text
    assert f"run2/x_{frames:05d}.cbf" in text
