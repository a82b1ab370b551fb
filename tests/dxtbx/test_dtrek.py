"""Vectors of d*TREK, read here and by dxtbx from the same header."""

from pathlib import Path

import pytest
from dxtbx.models import read_models
from numpy.testing import assert_allclose
from sources.test_dtrek import image

from imgcif_core.sources.smv import read_smv

pytestmark = pytest.mark.dxtbx


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"CCD_SPATIAL_DISTORTION_VECTORS": "1 0 0 -1", "CCD_GONIO_VALUES": "-40.0 0.0 45.0"},
        {
            "CCD_GONIO_NAMES": "RotZ RotX/Swing RotY TransX TransY TransZ/Distance",
            "CCD_GONIO_NUM_VALUES": "6",
            "CCD_GONIO_UNITS": "deg deg deg mm mm mm",
            "CCD_GONIO_VALUES": "1.0 -20.0 2.0 0.3 -0.2 50.0",
            "CCD_GONIO_VECTORS": "0 0 1 1 0 0 0 1 0 1 0 0 0 1 0 0 0 -1",
        },
    ],
    ids=["arm", "negative arm", "six axes"],
)
def test_panel_beam_and_rotation_are_those_of_dxtbx(tmp_path: Path, change: dict[str, str]) -> None:
    path = image(tmp_path, SCAN_WAVELENGTH="1.5418", **change)
    (stated,) = read_models(path)
    draft = read_smv(path)
    (panel,), (other,) = draft.panels, stated["panels"]
    assert_allclose(panel.corner, other["origin"], atol=1e-6)
    assert_allclose(panel.fast, other["fast"], atol=1e-9)
    assert_allclose(panel.slow, other["slow"], atol=1e-9)
    assert_allclose(panel.pixel_size, other["pixel_size"], atol=1e-9)
    assert tuple(other["size"]) == panel.size
