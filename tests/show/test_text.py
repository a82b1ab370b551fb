"""The geometry passport as text, and the terms of other programs."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import CORPUS, ROOT, needs_corpus

import imgcif_core
from imgcif_core.model.pose import Pose
from imgcif_core.model.terms import mcstas_matrix, xds_terms
from imgcif_core.show import geometry, passport_text

BASES = ROOT / "conformance" / "datasets" / "bases"
DICTIONARY = imgcif_core.load_dictionary()


DOWNSTREAM = np.array([0.0, 0.0, -1.0])


def gravity_of(vector: tuple[float, float, float] | None) -> np.ndarray | None:
    return None if vector is None else np.array(vector, dtype=float)


def text_of(name: str, *changes: tuple[str, str]) -> str:
    text = (BASES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return passport_text(imgcif_core.read(text.encode(), name="shown.cif"), DICTIONARY)


def test_mcstas_turns_a_horizontal_beam_about_y() -> None:
    assert_allclose(mcstas_matrix(DOWNSTREAM, gravity_of((0, -1, 0))) @ [1, 2, 3], [-1, 2, -3])


def test_mcstas_has_y_against_gravity() -> None:
    # Gravity along +X: y is -X, z is -Z, and x = y x z is the cross product of (-1,0,0) and (0,0,-1).
    matrix = mcstas_matrix(DOWNSTREAM, gravity_of((1, 0, 0)))
    assert_allclose(matrix @ [1, 0, 0], [0, -1, 0], atol=1e-15)
    assert_allclose(matrix @ [0, 0, -1], [0, 0, 1], atol=1e-15)
    assert_allclose(matrix @ np.cross([-1, 0, 0], [0, 0, -1]), [1, 0, 0], atol=1e-15)


@pytest.mark.parametrize("gravity", [None, (0, 0, 1), (0, 0, -1), (0.1, -1, 0.3)])
def test_mcstas_is_a_rotation_whatever_gravity_is(gravity) -> None:
    matrix = mcstas_matrix(DOWNSTREAM, gravity_of(gravity))
    assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert_allclose(np.linalg.det(matrix), 1)


def test_xds_counts_from_one_at_the_first_centre() -> None:
    # The foot of the crystal on the panel is the first centre itself: pixel 1, 1.
    pose = Pose(np.array([[0.0, 0, -100]]), np.array([[0.1, 0, 0]]), np.array([[0, -0.1, 0]]), (10, 10))
    terms = xds_terms(pose)
    assert_allclose([terms.orgx, terms.orgy, terms.distance], [1, 1, 100], atol=1e-12)


def test_xds_formula_gives_back_every_pixel() -> None:
    # XDS: (IX - ORGX) QX X + (IY - ORGY) QY Y + DISTANCE (X x Y), for a tilted panel, IX from 1.
    chance = np.random.default_rng(5)
    for sign in (1, -1):
        fast = chance.normal(size=3)
        fast /= np.linalg.norm(fast)
        slow = np.cross(fast, chance.normal(size=3))
        slow *= sign / np.linalg.norm(slow)
        pose = Pose(chance.normal(size=(1, 3)) * 100, 0.1 * fast[None], 0.2 * slow[None], (100, 100))
        terms = xds_terms(pose)
        for one, two in ((1, 1), (37, 80)):
            place = (one - terms.orgx) * 0.1 * fast + (two - terms.orgy) * 0.2 * slow
            place = place + terms.distance * np.cross(fast, slow)
            assert_allclose(place, pose.at(one - 1, two - 1)[0], atol=1e-9)


def test_the_passport_names_what_a_beamline_scientist_looks_for() -> None:
    text = text_of("two-theta-scans.cif")
    # 12.398420 / 0.95; first centre (-80, 95, -200) meets the beam at pixel (800, 950).
    assert "0.95 Å (13.0510 keV)" in text
    assert "kappa stands at 50.000° to omega" in text
    assert "Detector in scan SCAN1, at the start of frame 1" in text
    assert "pixel (800.000, 950.000) from the first centre, (80.000, 95.000) mm" in text
    assert "normal 30.000° off the beam" in text and "normal 55.000° off the beam" in text
    assert "ORGX= 801.000 ORGY= 951.000 DETECTOR_DISTANCE= 200" in text
    assert "beam centre (800.500, 950.500) px, (80.050, 95.050) mm from the corner" in text
    assert "as seen from the sample" in text and "mirrored" not in text


def test_scans_in_one_position_share_one_description() -> None:
    changes = (("SCAN2 two_theta  30.0", "SCAN2 two_theta  0.0"), ("SCAN3 two_theta  55.0", "SCAN3 two_theta  0.0"))
    assert text_of("two-theta-scans.cif", *changes).count("DETECTOR_DISTANCE") == 1


def test_a_backward_rotation_is_reversed_for_xds() -> None:
    text = text_of("single-panel.cif", ("10.0 3.0 0.5", "10.0 -3.0 -0.5"))
    assert "ROTATION_AXIS= -1 0 0" in text
    assert "STARTING_ANGLE= -10 OSCILLATION_RANGE= 0.5" in text


def test_a_mirrored_panel_is_told() -> None:
    changes = (("1 1 1600 1", "1 1 1600 2"), ("1 2 1900 2", "1 2 1900 1"))
    assert "mirrored: fast x slow points to the sample" in text_of("single-panel.cif", *changes)


def test_modules_are_listed_line_by_line() -> None:
    text = text_of("multi-panel-still.cif")
    assert "the beam meets none of the panels" in text
    assert all(f"  {name}   200 x 200" in text for name in ("D0Q0", "D0Q1", "D0Q2", "D0Q3"))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("10.0 3.0 0.5", "10.0deg 3.0 0.5", "omega     not readable  0.5        3      not readable"),
        ("10.0 3.0 0.5", "10.0 3.0 0.5deg", "omega     10     not readable  3      13"),
        ("10.0 3.0 0.5", "10.0 3.0deg 0.5", "omega     10     0.5        not readable  not readable"),
        ("200.0 0.0 0.0", "200.0mm 0.0 0.0", "distance  not readable  0          0      not readable"),
        (
            "200.0 0.0 0.0",
            "200.0mm 0.0 0.0",
            "PANEL of array 1 has no position - setting of axis distance not readable",
        ),
        (
            "goniometer .        1  0  0",
            "goniometer .        one  0  0",
            "omega  rotation  not readable    not readable",
        ),
        ("wavelength.value      0.9500", "wavelength.value      0.95A", "wavelength      not readable"),
        ("source     .        0  0  1", "source     .        0  0  1z", "not readable, taken by definition"),
        ("gravity    .        0 -1  0", "gravity    .        0 -1g  0", "gravity         not readable"),
    ],
)
def test_what_cannot_be_read_is_not_told_as_zero(old: str, new: str, line: str) -> None:
    assert line in text_of("single-panel.cif", (old, new))


def test_a_number_of_frames_that_nothing_tells_is_not_one() -> None:
    whole = (BASES / "single-panel.cif").read_text(encoding="utf-8")
    text = whole[: whole.index("loop_\n  _diffrn_scan_frame.scan_id")]
    for stated, words in (("six", "not readable"), ("?", "not given")):
        changed = text.replace("frame06 6 2026", f"frame06 {stated} 2026")
        assert changed != text
        document = imgcif_core.read(changed.encode(), name="shown.cif")
        assert f"SCAN1  {words}" in passport_text(document, DICTIONARY)
        assert geometry(document, DICTIONARY)["files"][0]["blocks"][0]["scans"][0]["frames"] is None
    assert "SCAN1  6 listed" in text_of("single-panel.cif", ("frame06 6 2026", "frame06 six 2026"))


def test_a_broken_tree_is_named_and_the_rest_shown() -> None:
    text = text_of("single-panel.cif", ("distance translation detector   . ", "distance translation detector   fast "))
    assert "axis tree broken: axis distance depends on itself" in text
    assert "Panel PANEL of array 1 has no position - unplaced: axis in a cycle" in text
    assert "SCAN1  6" in text


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "imgcif_core.cli", "show", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_and_refuses() -> None:
    path = BASES / "single-panel.cif"
    assert run(path).stdout.startswith(f"{path}, block quartz_01")
    assert run(path, "--format", "json").stdout.startswith("{")
    for arguments in ((path, "--frame", 99), (ROOT / "absent.cif",), (ROOT / "pyproject.toml",)):
        result = run(*arguments)
        assert result.returncode == 2 and not result.stdout
        assert result.stderr.startswith("imgcif: ") and result.stderr.count("\n") == 1


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "imgcif").glob("*")), ids=lambda path: path.name)
def test_real_files_are_shown(path) -> None:
    assert "Beam" in passport_text(imgcif_core.read(path), DICTIONARY)


def test_the_passport_in_the_documents_is_real() -> None:
    page = (ROOT / "docs" / "show.md").read_text(encoding="utf-8")
    text = page.partition("$ imgcif show examples/complete.cif\n")[2].partition("```")[0]
    command = [sys.executable, "-m", "imgcif_core.cli", "show", "examples/complete.cif"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert text.strip() and result.stdout.strip() == text.strip()
