"""What differs between two files, against numbers worked out by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcif_core import api
from imgcif_core.cli import main
from imgcif_core.show.difference import as_text, difference

ROOT = Path(__file__).parents[2]
BASES = ROOT / "conformance" / "datasets" / "bases"
EXAMPLE = (ROOT / "examples" / "complete.cif").read_text(encoding="utf-8")


def differ(text: str, base: str = EXAMPLE) -> dict[str, Any]:
    one, other = (api.read(entry.encode(), name=name) for entry, name in ((base, "a.cif"), (text, "b.cif")))
    return difference(one, other, api.load_dictionary())


def moved(text: str, base: str = EXAMPLE) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = differ(text, base)["blocks"][0]["moved"]
    return changes


def test_a_file_is_like_itself_and_like_its_other_spelling() -> None:
    assert differ(EXAMPLE)["alike"]
    other = EXAMPLE.replace("_radiation_wavelength.value  ", "_radiation_wavelength.wavelength  ")
    other = other.replace("0.9500", "0.95").replace("\n", "\r\n")
    assert other.count("wavelength.wavelength") == 1
    assert differ(other)["alike"], as_text(differ(other))


def test_a_detector_one_millimetre_further_has_moved_ten_pixels() -> None:
    # The distance axis points along -Z; a pixel is 0.1 mm.
    changes = {change["what"]: change for change in moved(EXAMPLE.replace("200.0 0.0 0.0", "201.0 0.0 0.0"))}
    assert set(changes) == {"axis distance start", "place", "normal distance"}
    assert changes["axis distance start"]["unit"] == "mm"
    place = changes["place"]
    assert place["mm"] == pytest.approx(1.0) and place["pixels"] == pytest.approx(10.0)
    assert place["degrees"] == 0.0 and place["shift_of_first_corner"] == pytest.approx([0.0, 0.0, -1.0])
    assert (place["scan"], place["panel"]) == ("SCAN1", "PANEL")


def test_a_shift_sideways_moves_the_beam_centre() -> None:
    changes = {change["what"]: change for change in moved(EXAMPLE.replace("-80.05  95.05", "-80.25  95.05"))}
    # 0.2 mm towards -X: the beam then meets a pixel two further along fast.
    before, after = changes["beam centre"]["before"], changes["beam centre"]["after"]
    assert after[0] - before[0] == pytest.approx(2.0) and after[1] == pytest.approx(before[1])
    assert changes["place"]["mm"] == pytest.approx(0.2)


def test_an_axis_turned_by_three_degrees_is_told_in_degrees() -> None:
    # cos 3 deg, sin 3 deg
    text = EXAMPLE.replace("goniometer .        1  0  0", "goniometer .        0.99862953 0.05233596 0")
    assert text != EXAMPLE
    change, sample, turning = moved(text)
    assert change["what"] == "goniometer axis omega" and change["degrees"] == pytest.approx(3.0, abs=1e-5)
    assert turning["degrees"] == pytest.approx(3.0, abs=1e-6)
    # Two turns by 10 degrees about axes 3 degrees apart.
    cosine = (np.trace(turn((1, 0, 0), 10.0) @ turn((0.99862953, 0.05233596, 0), 10.0).T) - 1) / 2
    assert sample["degrees"] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-5)


def test_names_and_values_are_told_where_they_differ() -> None:
    text = EXAMPLE.replace("x-ray", "neutron").replace("_diffrn_source.beamline ", "_diffrn_source.details ")
    kinds = {entry["item"]: entry for entry in differ(text)["blocks"][0]["items"]}
    assert kinds["_diffrn_radiation.probe"]["values"] == ["x-ray", "neutron"]
    assert kinds["_diffrn_source.beamline"]["kind"] == "only in the first"
    assert kinds["_diffrn_source.details"]["kind"] == "only in the second"


def test_a_scan_that_is_lost_or_renamed_is_told() -> None:
    assert not moved(EXAMPLE.replace("SCAN1", "S1"))
    text = as_text(differ(EXAMPLE.replace("SCAN1", "S1")))
    assert "nothing of the instrument has moved" in text and "'SCAN1' -> 'S1'" in text


@pytest.mark.parametrize("base", ["", "data_a\n_x 1\n", "loop_\n"])
def test_files_without_an_instrument_are_compared_all_the_same(base: str) -> None:
    assert as_text(differ(EXAMPLE, base)) and as_text(differ(base, EXAMPLE))


def test_the_command_prints_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "a.cif", tmp_path / "b.cif"
    one.write_text(EXAMPLE, encoding="utf-8")
    other.write_text(EXAMPLE.replace("200.0 0.0 0.0", "201.0 0.0 0.0"), encoding="utf-8")
    assert main(["diff", str(one), str(other)]) == 1
    assert "moved by 1 mm = 10 px" in capsys.readouterr().out
    assert main(["diff", "--format", "json", str(one), str(other)]) == 1
    assert json.loads(capsys.readouterr().out)["schema"] == "imgcif-diff/1"
    assert main(["diff", str(one), str(one)]) == 0
    assert main(["diff", str(one), str(tmp_path / "none.cif")]) == 2


def turn(axis: tuple[float, ...], degrees: float) -> np.ndarray:
    """The matrix of a rotation, by the formula of Rodrigues."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    skew, angle = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]), np.radians(degrees)
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew


def test_another_order_of_the_axes_of_the_goniometer_turns_the_sample() -> None:
    text = (BASES / "kappa-two-theta.cif").read_text(encoding="utf-8")
    other = text
    for old, new in (
        ("omega     rotation    goniometer .     ", "omega     rotation    goniometer kappa "),
        ("kappa     rotation    goniometer omega ", "kappa     rotation    goniometer .     "),
        ("phi       rotation    goniometer kappa ", "phi       rotation    goniometer omega "),
    ):
        assert old in other
        other = other.replace(old, new)
    changes = {change["what"]: change for change in moved(other, text)}
    # phi turns about X, which the two others carry: omega at 20 degrees, kappa at 30.
    omega, kappa = turn((1, 0, 0), 20.0), turn((0.642788, 0, -0.766044), 30.0)
    change = changes["axis that turns, in the laboratory"]
    expected = [omega @ kappa @ [1.0, 0.0, 0.0], kappa @ omega @ [1.0, 0.0, 0.0]]
    np.testing.assert_allclose([change["before"], change["after"]], expected, atol=1e-6)
    cosine = (np.trace((omega @ kappa) @ (kappa @ omega).T) - 1) / 2
    assert changes["orientation of the sample"]["degrees"] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-5)
    assert changes["goniometer axis omega depends on"]["before"] == "the laboratory"


def test_what_cannot_be_read_is_no_turn() -> None:
    changes = moved(EXAMPLE.replace("goniometer .        1  0  0", "goniometer .        one  0  0"))
    assert [change["what"] for change in changes] == ["goniometer axis omega"]
