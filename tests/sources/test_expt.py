"""DIALS experiment lists, read without dxtbx."""

import json
from pathlib import Path

import numpy as np
import pytest
from experiments import expt, write
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

from imgcif_core.errors import InputError
from imgcif_core.sources.expt import describe, read_expt


def test_a_scan_is_read_with_its_files_and_times() -> None:
    experiment = describe(expt(), "one.expt")
    (scan,) = experiment.scans
    assert (scan.frames, scan.first_number, dict(scan.settings)) == (5, 3, {"omega": (10.0, 0.5)})
    assert scan.images is not None
    assert scan.images.files[0] == "images/run_0003.cbf" and scan.images.files[-1] == "images/run_0007.cbf"
    # 1.5e9 s after 1970 is 2017-07-14T02:40:00Z.
    assert scan.start_date == "2017-07-14T02:40:00.000Z"
    assert scan.exposure_time == 0.2


def test_an_old_trusted_range_stands_next_to_the_good_values() -> None:
    (panel,) = describe(expt(), "one.expt").scans[0].panels
    assert (panel.underload, panel.overload) == (0.0, 65535.0)


def test_a_new_trusted_range_holds_the_good_values() -> None:
    data = expt()
    data["detector"][0]["panels"][0]["trusted_range"] = [0.0, 65534.0]
    (panel,) = describe(data, "one.expt").scans[0].panels
    assert (panel.underload, panel.overload) == (0.0, 65535.0)


def test_a_new_scan_gives_the_setting_of_every_frame() -> None:
    data = expt(scan=[{"image_range": [1, 4], "properties": {"oscillation": [0.0, 0.1, 0.2, 0.3]}}])
    (scan,) = describe(data, "one.expt").scans
    assert dict(scan.settings) == {"omega": (0.0, 0.1)} and not scan.varying


def test_uneven_settings_are_kept_one_by_one() -> None:
    data = expt(scan=[{"image_range": [1, 3], "properties": {"oscillation": [0.0, 0.1, 0.4]}}])
    (scan,) = describe(data, "one.expt").scans
    assert_allclose(scan.varying["omega"], [0.0, 0.1, 0.4], atol=0)


def test_a_hierarchy_places_its_panels() -> None:
    data = expt()
    data["detector"][0]["hierarchy"] = {
        "name": "root",
        "origin": [0.0, 0.0, -50.0],
        "fast_axis": [0.0, 1.0, 0.0],
        "slow_axis": [-1.0, 0.0, 0.0],
        "children": [{"panel": 0}],
    }
    (panel,) = describe(data, "one.expt").scans[0].panels
    # The root turns x to y and y to -x: (-10, 12, -100) becomes (-12, -10, -100), 50 mm further away.
    assert_allclose(panel.corner, [-12.0, -10.0, -150.0], atol=1e-12)
    assert_allclose(panel.fast, [0.0, 1.0, 0.0], atol=1e-12)
    assert panel.group == ("root",)


def test_axes_are_listed_from_the_sample_outwards() -> None:
    axes = {"axes": [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], "names": ["PHI", "OMEGA"], "angles": [7.0, 8.0], "scan_axis": 1}
    experiment = describe(expt(goniometer=[axes]), "one.expt")
    assert [axis.id for axis in experiment.goniometer] == ["OMEGA", "PHI"]
    assert dict(experiment.scans[0].settings) == {"OMEGA": (10.0, 0.5), "PHI": (7.0, 0.0)}


def test_a_vertical_axis_is_turned_to_x() -> None:
    experiment = describe(expt(goniometer=[{"rotation_axis": [0.0, 1.0, 0.0]}]), "one.expt")
    rotation = experiment.principal_rotation
    assert_allclose(rotation @ [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], atol=1e-12)
    assert_allclose(rotation @ [0.0, 0.0, 1.0], [0.0, 0.0, 1.0], atol=1e-12)
    assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-12)


def test_crystals_of_one_image_are_one_scan() -> None:
    same = {"beam": 0, "detector": 0, "goniometer": 0, "scan": 0, "imageset": 0}
    assert len(describe(expt(experiment=[{**same, "crystal": 0}, {**same, "crystal": 1}]), "one.expt").scans) == 1


def test_shots_without_images_are_stills_of_their_own() -> None:
    shot = {"beam": 0, "detector": 0}
    experiment = describe(expt(experiment=[shot, shot], goniometer=[], scan=[], imageset=[]), "one.expt")
    assert [scan.frames for scan in experiment.scans] == [1, 1]
    assert experiment.scans[0].panels is experiment.scans[1].panels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"experiment": []}, "lists no experiments"),
        ({"beam": []}, "holds no beam"),
        ({"experiment": [{"beam": 4, "detector": 0}]}, "beam 4 of 1"),
        ({"beam": [{"direction": [0, 0, 1]}]}, "beam 1 has no wavelength"),
        ({"beam": [{"direction": [0, 0], "wavelength": 1.0}]}, "direction is a list of 2, expected 3 numbers"),
        ({"beam": [{"direction": [0, 0, float("nan")], "wavelength": 1.0}]}, "expected finite numbers"),
        ({"detector": [{"panels": []}]}, "has no panels"),
        ({"goniometer": [{"rotation_axis": [0, 0, 0]}]}, "null rotation axis"),
        ({"goniometer": [{"rotation_axis": [1, 0, 0]}, {"rotation_axis": [0, 1, 0]}]}, "other axes than goniometer 1"),
        ({"scan": [{"image_range": [7, 3], "oscillation": [0, 1]}]}, "from image 7 to 3"),
        (
            {"scan": [{"image_range": [1, 3], "oscillation": [0, 1], "epochs": [1, 2]}]},
            "3 images but 2 values of epochs",
        ),
        ({"scan": ["x"]}, "scan 1 is 'x', expected named values"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        describe(expt(**change), "one.expt")


def test_a_deep_hierarchy_is_refused() -> None:
    node: dict = {"panel": 0}
    for _ in range(100):
        node = {"origin": [0, 0, 0], "fast_axis": [1, 0, 0], "slow_axis": [0, 1, 0], "children": [node]}
    data = expt()
    data["detector"][0]["hierarchy"] = node
    with pytest.raises(InputError, match="deeper than"):
        describe(data, "one.expt")


def test_a_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, expt())
    path.write_text(path.read_text()[:500])
    with pytest.raises(InputError, match=r"one\.expt: not JSON, or cut off"):
        read_expt(path)


FILES = sorted((CORPUS / "expt").glob("*"))


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_real_files_agree_with_dxtbx(path: Path) -> None:
    truth = json.loads((CORPUS / "truth" / "expt" / f"{path.name}.json").read_text())
    experiment = read_expt(path)
    for scan, known in zip(experiment.scans, truth["experiments_first60"], strict=False):
        panels = truth["detectors"][known["detector"]]["panels"]
        assert len(panels) == len(scan.panels)
        for panel, expected in zip(scan.panels, panels, strict=True):
            assert_allclose(panel.corner, expected["origin_mm"], atol=1e-9)
            assert_allclose(panel.fast, expected["fast_axis"], atol=1e-12)
            assert_allclose(panel.slow, expected["slow_axis"], atol=1e-12)
            assert panel.size == tuple(expected["image_size_fast_slow"])
        if known.get("goniometer") is not None:
            goniometer = truth["goniometers"][known["goniometer"]]
            axes = goniometer.get("axes") or [goniometer["rotation_axis"]]
            for axis, vector in zip(experiment.goniometer, reversed(axes), strict=True):
                assert_allclose(axis.vector, np.array(vector) / np.linalg.norm(vector), atol=1e-9)
        if known.get("scan") is not None:
            start, width = truth["scans"][known["scan"]]["oscillation_start_width_deg"]
            assert_allclose(scan.settings[scan.scanned_axis or experiment.goniometer[0].id], (start, width), atol=1e-8)
