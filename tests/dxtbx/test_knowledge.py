"""What the table of instruments says, against dxtbx's readers of the same detectors, on headers made here."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from imgcif_core.create.loop import Wishes, create

pytestmark = pytest.mark.dxtbx
PYTHON = "/usr/bin/python3"
SCRIPT = """
import json, sys
import dxtbx
image = dxtbx.format.Registry.get_format_class_for_file(sys.argv[1])(sys.argv[1])
detector, goniometer = image.get_detector(), image.get_goniometer()
corners = []
for panel in detector:
    width, height = (n * s for n, s in zip(panel.get_image_size(), panel.get_pixel_size()))
    corners.append([list(panel.get_lab_coord(place)) for place in ((0, 0), (width, 0), (width, height), (0, height))])
print("=====" + json.dumps({"corners": corners, "axis": list(goniometer.get_rotation_axis())}))
"""
HEADER = """###CBF: VERSION 1.5, CBFlib v0.7.8 - SLS/DECTRIS PILATUS detectors

data_x_0001

_array_data.header_convention "PILATUS_1.2"
_array_data.header_contents
;
# Detector: {detector}
# {date}T10:00:00.000
# Pixel_size 172e-6 m x 172e-6 m
# Silicon sensor, thickness 0.000450 m
# Exposure_time 0.0990000 s
# Exposure_period 0.1000000 s
# Count_cutoff 1000000 counts
# Wavelength 1.0 A
# Detector_distance {distance} m
# Beam_xy (1080.5, 1290.25) pixels
# Start_angle 10.0000 deg.
# Angle_increment 0.1000 deg.
;

_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
Content-Type: application/octet-stream;
     conversions="x-CBF_BYTE_OFFSET"
Content-Transfer-Encoding: BINARY
X-Binary-Size: 48
X-Binary-ID: 1
X-Binary-Element-Type: "signed 32-bit integer"
X-Binary-Element-Byte-Order: LITTLE_ENDIAN
X-Binary-Number-of-Elements: 48
X-Binary-Size-Fastest-Dimension: {fast}
X-Binary-Size-Second-Dimension: {slow}
X-Binary-Size-Padding: 0

"""


def asked_of_dxtbx(path: Path) -> dict:
    try:
        run = subprocess.run([PYTHON, "-c", SCRIPT, str(path)], capture_output=True, text=True, timeout=240)
    except OSError as error:
        pytest.skip(f"no Python with dxtbx ({error})")
    if "No module named 'dxtbx'" in run.stderr:
        pytest.skip("no dxtbx")
    _, mark, text = run.stdout.rpartition("=====")
    assert mark, run.stderr[-500:]
    return json.loads(text)


@pytest.mark.parametrize(
    ("detector", "date", "distance", "size"),
    [
        ("PILATUS 12M, S/N 120-0100", "2018-05-05", 0.0, (2463, 5071)),
        ("PILATUS 12M, S/N 120-0100", "2015-05-05", 0.003, (2463, 5071)),
        ("PILATUS3 6M, S/N 60-0132", "2016-05-05", 0.25, (2463, 2527)),
        ("PILATUS3 6M, S/N 60-0125", "2016-05-05", 0.25, (2463, 2527)),
        ("PILATUS 6M-F, S/N 60-0115-F", "2014-05-05", 0.25, (2463, 2527)),
    ],
)
def test_panels_and_axis_are_those_of_dxtbx(tmp_path: Path, detector: str, date: str, distance: float, size) -> None:
    path = tmp_path / "x_0001.cbf"
    header = HEADER.format(detector=detector, date=date, distance=distance, fast=size[0], slow=size[1])
    path.write_bytes(header.encode() + b"\x0c\x1a\x04\xd5" + bytes(48) + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n")
    truth = asked_of_dxtbx(path)
    made = create(path, wishes=Wishes())
    assert made.text and not made.needed
    experiment = made.built[0].experiment
    panels = experiment.scans[0].panels
    own = np.array([panel.corners() for panel in panels])
    # Neither has turned its frame: both see from the source with X to the right and Y up.
    np.testing.assert_allclose(own, truth["corners"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(experiment.goniometer[0].vector, truth["axis"], rtol=0, atol=1e-6)
