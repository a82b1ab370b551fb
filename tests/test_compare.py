"""Descriptions held against each other, by numbers derived by hand."""

import copy
from pathlib import Path

import numpy as np
import pytest
from experiments import expt
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.cli import check_main
from imgcif_core.compare import Comparison
from imgcif_core.sources.expt import describe


def compared(change, **other) -> Comparison:
    data = copy.deepcopy(expt(**other))
    change(data)
    return Comparison(describe(expt(**other), "a"), describe(data, "b"))


def test_a_description_agrees_with_itself() -> None:
    comparison = compared(lambda data: None)
    (scan,) = comparison.scans
    assert scan.worst is not None and scan.worst.worst == 0.0
    assert comparison.turn == 0.0 and scan.axis_angle == 0.0 and scan.start == (10.0, 10.0)


def test_a_shift_is_measured_in_mm_and_pixels() -> None:
    def shift(data):
        data["detector"][0]["panels"][0]["origin"] = [-10.3, 12.4, -100.0]

    (scan,) = compared(shift).scans
    assert scan.worst is not None
    # 0.3 and 0.4 mm make 0.5 mm, 5 pixels of 0.1 mm.
    assert_allclose([scan.worst.worst, scan.worst.worst_pixels], [0.5, 5.0], atol=1e-9)
    assert_allclose(scan.worst.shift, [3.0, 4.0], atol=1e-9)
    assert not scan.worst.is_half_pixel


def test_half_a_pixel_is_told_from_other_shifts() -> None:
    def shift(data):
        data["detector"][0]["panels"][0]["origin"] = [-10.05, 12.05, -100.0]

    (scan,) = compared(shift).scans
    assert scan.worst is not None and scan.worst.is_half_pixel


@pytest.mark.parametrize("angle", [90.0, -90.0, 180.0, 33.0])
def test_a_frame_turned_about_the_beam_is_turned_back(angle: float) -> None:
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])

    def turn(data):
        panel = data["detector"][0]["panels"][0]
        for name in ("origin", "fast_axis", "slow_axis"):
            panel[name] = (rotation @ panel[name]).tolist()
        data["goniometer"][0]["rotation_axis"] = rotation[:, 0].tolist()

    comparison = compared(turn)
    (scan,) = comparison.scans
    assert scan.worst is not None
    assert_allclose(scan.worst.worst, 0.0, atol=1e-9)
    assert_allclose(np.cos(np.radians(comparison.turn + angle)), 1.0, atol=1e-9)
    assert_allclose(scan.axis_angle, 0.0, atol=1e-6)


def test_stills_are_turned_by_their_panels() -> None:
    shot = {"experiment": [{"beam": 0, "detector": 0}], "goniometer": [], "scan": [], "imageset": []}

    def turn(data):
        panel = data["detector"][0]["panels"][0]
        for name in ("origin", "fast_axis", "slow_axis"):
            x, y, z = panel[name]
            panel[name] = [-y, x, z]

    comparison = compared(turn, **shot)
    assert_allclose(comparison.turn, -90.0, atol=1e-6)
    assert comparison.scans[0].worst is not None
    assert_allclose(comparison.scans[0].worst.worst, 0.0, atol=1e-9)


def test_an_axis_and_its_angles_reversed_are_the_same_motion() -> None:
    def reverse(data):
        data["goniometer"][0]["rotation_axis"] = [-1.0, 0.0, 0.0]
        data["scan"][0]["oscillation"] = [-10.0, -0.5]

    comparison = compared(reverse)
    (scan,) = comparison.scans
    assert scan.increment == (0.5, 0.5) and scan.start == (10.0, 10.0)


def test_only_the_sign_of_the_increment_is_another_motion() -> None:
    def reverse(data):
        data["scan"][0]["oscillation"] = [10.0, -0.5]

    (scan,) = compared(reverse).scans
    assert scan.increment == (0.5, -0.5)


def test_an_unreadable_source_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source = tmp_path / "cut.expt"
    source.write_text('{"__id__": "ExperimentList", "experiment": [')
    example = Path(__file__).parent.parent / "examples" / "complete.cif"
    assert check_main([str(example), "--against", str(source)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "cut.expt" in captured.err


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("name", ["DLS_I03_smargon_0001.cbf.gz", "l-cyst_01_00001.cbf", "l-cyst_04_00001.cbf"])
def test_full_and_mini_header_of_real_files_agree(name: str) -> None:
    path = CORPUS / "cbf_full" / name
    options = imgcif_core.CheckOptions(against=path, select=("CMP",))
    (report,) = imgcif_core.check(path, options=options).files
    assert not report.findings
    assert "CMP008" in report.outcomes.clean


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("imgcif/refgen_6RLR_I04_tbz.cif", "expt/6RLR-cbf.expt"),
        ("imgcif/refgen_P5P1_hdf5_zip.cif", "hdf5/FJ_P5P1/FJ_P5P1_1_master.h5"),
    ],
)
def test_files_of_the_official_creator_are_half_a_pixel_off(file: str, source: str) -> None:
    if source.startswith("hdf5"):
        pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    options = imgcif_core.CheckOptions(against=CORPUS / source, select=("CMP",))
    (report,) = imgcif_core.check(CORPUS / file, options=options).files
    (finding,) = report.findings
    assert finding.rule == "CMP002" and finding.message.startswith("first pixel lies half a pixel")
