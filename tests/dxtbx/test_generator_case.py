"""dxtbx as a second opinion on the raw full CBF of the conformance suite and on what should be made of it."""

import json

import pytest
from dxtbx.models import read_models
from numpy.testing import assert_allclose
from shared import ROOT

pytestmark = pytest.mark.dxtbx
CASE = ROOT / "conformance" / "datasets" / "generate" / "fullcbf-kappa"
# The file and expected.json give 9 to 12 decimals.
LENGTH, DIRECTION, ANGLE = 1e-6, 1e-8, 1e-9


def test_dxtbx_reads_the_expected_instrument_from_each_frame() -> None:
    block = json.loads((CASE / "expected.json").read_text(encoding="utf-8"))["files"][0]["blocks"][0]
    scan = block["scans"][0]
    frames = sorted(CASE.glob("*.cbf"))
    assert len(frames) == scan["frames"]
    vectors = {axis["id"]: axis["vector"] for axis in block["goniometer"]}
    for number, found in enumerate(read_models(*frames)):
        assert_allclose(found["wavelength"], block["wavelengths"][0], atol=LENGTH)
        assert_allclose(found["source"], block["source"], atol=DIRECTION)
        (panel,), (expected,) = found["panels"], scan["panels"]
        assert panel["size"] == expected["size"]
        assert_allclose(panel["pixel_size"], expected["pixel_size"], atol=LENGTH)
        # For a single panel dxtbx takes the centre of the first pixel for the corner.
        assert_allclose(panel["origin"], expected["origin"], atol=LENGTH)
        assert_allclose(panel["fast"], expected["fast"], atol=DIRECTION)
        assert_allclose(panel["slow"], expected["slow"], atol=DIRECTION)
        # dxtbx lists the axes from the crystal to the base.
        settings = scan["axes"][::-1]
        assert_allclose(found["axes"], [vectors[axis["id"]] for axis in settings], atol=DIRECTION)
        starts = [axis["start"] + number * axis["increment"] for axis in settings]
        assert_allclose(found["angles"], starts, atol=ANGLE)
        turned = next(axis for axis in scan["axes"] if axis["increment"])
        start = turned["start"] + number * turned["increment"]
        assert_allclose(found["oscillation"], [start, turned["increment"]], atol=ANGLE)
