"""Vectors of d*TREK in SMV headers: places worked out by hand, marks of all values, series, bad numbers."""

from pathlib import Path

import numpy as np
import pytest
from create.images import smv
from numpy.testing import assert_allclose
from sources.test_statements import other_number, outcome

from imgcif_core.create.loop import create
from imgcif_core.errors import InputError
from imgcif_core.sources.series import read_inputs
from imgcif_core.sources.smv import read_smv
from imgcif_core.sources.statements import Fate

# The detector at 30 degrees of an arm that turns about X, 60 mm along it; its first pixel seen from the source is
# at the right below, as its directions are exchanged and turned by the distortion.
HEADER = {
    "PIXEL_SIZE": None,
    "DISTANCE": None,
    "WAVELENGTH": None,
    "OSC_START": None,
    "OSC_RANGE": None,
    "DATE": None,
    "Data_type": "unsigned short int",
    "DETECTOR_NUMBER": "1",
    "DETECTOR_NAMES": "CCD_",
    "CCD_DETECTOR_DESCRIPTION": "Saturn 944",
    "CCD_DETECTOR_DIMENSIONS": "4 3",
    "CCD_DETECTOR_SIZE": "0.8 0.6",
    "CCD_DETECTOR_VECTORS": "1 0 0 0 1 0",
    "CCD_GONIO_NUM_VALUES": "3",
    "CCD_GONIO_NAMES": "RotX/Swing TransY TransZ/Distance",
    "CCD_GONIO_UNITS": "deg mm mm",
    "CCD_GONIO_VALUES": "30.0 0.5 60.0",
    "CCD_GONIO_VECTORS": "1 0 0 0 1 0 0 0 -1",
    "CCD_SPATIAL_DISTORTION_INFO": "2.5 1.25 0.2 0.1",
    "CCD_SPATIAL_DISTORTION_VECTORS": "0 -1 -1 0",
    "CCD_SPATIAL_BEAM_POSITION": "2.5 1.25",
    "CRYSTAL_GONIO_NUM_VALUES": "3",
    "CRYSTAL_GONIO_NAMES": "Omega Chi Phi",
    "CRYSTAL_GONIO_UNITS": "deg deg deg",
    "CRYSTAL_GONIO_VALUES": "10.0 45.0 0.0",
    "CRYSTAL_GONIO_VECTORS": "1 0 0 0 0 1 1 0 0",
    "ROTATION": "10.0 10.5 0.5 20.0 1 0 0 0 0 0",
    "ROTATION_AXIS_NAME": "Omega",
    "ROTATION_VECTOR": "1 0 0",
    "SOURCE_VECTORS": "0 0 1 0 1 0",
    "SOURCE_WAVELENGTH": "1 1.5418",
    "SOURCE_POLARZ": "0.6 0 1 0",
    "SATURATED_VALUE": "60000",
    "DTREK_DATE_TIME": "12-Mar-2015 10:11:12",
    "CRYSTAL_UNIT_CELL": "40 50 60 90 90 90",
    "MOOD": "7",
}


def image(folder: Path, number: int = 1, **changes: str | None) -> Path:
    values = HEADER | changes
    path = smv(folder / f"x_{number:04d}.img", 4096, **values)
    text = path.read_bytes()
    for key, value in values.items():
        if value is None:
            text = text.replace(f"{key}=None;\n".encode(), b"")
    end = text.index(b"}\n") + 2
    path.write_bytes(text[:end].ljust(4096) + bytes(24))
    return path


def test_panel_stands_where_its_axes_put_it(tmp_path: Path) -> None:
    draft = read_smv(image(tmp_path))
    (panel,) = draft.panels
    # At zero: fast = -Y, slow = -X; the corner is 2.5 pixels of 0.2 mm and 1.25 of 0.1 mm before the origin.
    corner = np.array([0.125, 0.5, 0.0]) + np.array([0.0, 0.5, -60.0])
    cosine, sine = np.sqrt(0.75), 0.5
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    assert_allclose(panel.corner, turn @ corner, atol=1e-12)
    assert_allclose(panel.fast, turn @ [0, -1, 0], atol=1e-12)
    assert_allclose(panel.slow, [-1, 0, 0], atol=1e-12)
    assert [axis.id for axis in draft.mounting] == ["swing", "transy", "distance"]
    assert [axis.id for axis in draft.goniometer] == ["omega", "chi", "phi"] and draft.axis_id == "omega"
    assert (draft.start, draft.increment, draft.exposure_time, draft.wavelength) == (10.0, 0.5, 20.0, 1.5418)
    assert draft.standing == {"chi": 45.0, "phi": 0.0}


def test_nothing_needed_is_asked(tmp_path: Path) -> None:
    made = create(image(tmp_path))
    assert made.is_sound and not made.needed and made.deviation < 1e-6
    assert "swing" in made.text and "Saturn 944" in made.text


def test_every_value_is_marked_and_the_mark_is_true(tmp_path: Path) -> None:
    given = {key.upper(): (key, text) for key, text in HEADER.items() if text is not None}
    whole = outcome(image(tmp_path))
    marked = {entry.place: entry for entry in read_smv(image(tmp_path)).statements}
    assert set(given) <= set(marked)
    words = {"CCD_GONIO_UNITS": "deg mm deg", "CRYSTAL_GONIO_UNITS": "deg deg mm", "DETECTOR_NAMES": "IP_"}
    words |= {"SOURCE_VECTORS": "0 0.1 1", "SOURCE_WAVELENGTH": "1 1.6", "ROTATION_VECTOR": "0 1 0"}
    words |= {"CCD_DETECTOR_VECTORS": "1 0 0 0 1 0.1", "CCD_GONIO_VECTORS": "1 0.1 0 0 1 0 0 0 -1"}
    words |= {"CRYSTAL_GONIO_VECTORS": "1 0 0 0 0.1 1 1 0 0", "CCD_SPATIAL_DISTORTION_VECTORS": "1 0 0 -1"}
    words |= {"CRYSTAL_GONIO_VALUES": "10.0 46.0 0.0"}
    for place, (key, text) in given.items():
        entry = marked[place]
        for changed in [words[place]] if place in words else other_number(text):
            other = outcome(image(tmp_path, **{key: changed}))
            assert (other != whole) == (entry.fate is Fate.USED), f"{key}={changed}: {entry.fate}"
        assert entry.fate is Fate.USED or entry.reason


def test_a_goniometer_that_contradicts_the_rotation_is_left_out_by_name(tmp_path: Path) -> None:
    draft = read_smv(image(tmp_path, ROTATION_VECTOR="0 1 0"))
    assert [axis.id for axis in draft.goniometer] == ["omega"] and not draft.standing
    assert any("CRYSTAL_GONIO_VECTORS is left out" in note for note in draft.notes)


def test_images_of_a_series_follow_each_other_and_share_their_detector(tmp_path: Path) -> None:
    turns = {"ROTATION": "10.5 11.0 0.5 20.0", "CRYSTAL_GONIO_VALUES": "10.5 45.0 0.0"}
    files = [str(image(tmp_path)), str(image(tmp_path, 2, **turns))]
    made = create(files)
    assert made.is_sound and made.built[0].experiment.scans[0].frames == 2
    files[1] = str(image(tmp_path, 2, **turns, CCD_GONIO_VALUES="30.0 0.5 61.0"))
    with pytest.raises(InputError, match="puts the detector"):
        read_inputs(files)


@pytest.mark.parametrize(
    "change",
    [
        {"CCD_GONIO_VALUES": "30.0 0.5"},
        {"CCD_GONIO_VECTORS": "0 0 0 0 1 0 0 0 -1"},
        {"CCD_GONIO_UNITS": "deg mm inch"},
        {"CCD_SPATIAL_DISTORTION_INFO": "2.5 1.25 200 100"},
        {"CCD_DETECTOR_VECTORS": "1 0 0 1 0 0"},
        {"ROTATION": "ten"},
        {"ROTATION_VECTOR": "nan 0 0"},
        {"SOURCE_POLARZ": "9" * 400},
    ],
    ids=str,
)
def test_bad_vectors_are_refused_in_one_sentence(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(InputError) as refusal:
        read_smv(image(tmp_path, **change))
    assert "\n" not in str(refusal.value)
