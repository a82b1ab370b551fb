"""Small images and descriptions of several formats, made on the spot."""

import json
from pathlib import Path
from typing import Any

import numpy as np

MINI = """###CBF: VERSION 1.5
data_{name}
_array_data.header_convention "PILATUS_1.2"
_array_data.header_contents
;
# Detector: {detector}
# 2020-01-01T10:00:00
# Pixel_size 172e-6 m x 172e-6 m
# Exposure_time 0.1 s
# Count_cutoff 1000 counts
# Wavelength {wavelength} A
# Detector_distance {distance} m
# Beam_xy (10.00, 12.00) pixels
# Start_angle {start} deg.
# Angle_increment {increment} deg.
;
_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
Content-Type: application/octet-stream;
     conversions="x-CBF_BYTE_OFFSET"
Content-Transfer-Encoding: BINARY
X-Binary-Size: 600
X-Binary-ID: 1
X-Binary-Element-Type: "signed 32-bit integer"
X-Binary-Element-Byte-Order: LITTLE_ENDIAN
X-Binary-Number-of-Elements: 600
X-Binary-Size-Fastest-Dimension: 20
X-Binary-Size-Second-Dimension: 30

"""


def minicbf(path: Path, **values: Any) -> Path:
    """A miniCBF of 20 x 30 empty pixels."""
    known = {"detector": "PILATUS 100K, S/N 1-0001", "wavelength": 1.0, "distance": 0.2, "start": 0.0, "increment": 0.5}
    text = MINI.format(name="image", **(known | values))
    path.write_bytes(text.encode() + b"\x0c\x1a\x04\xd5" + bytes(600) + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n")
    return path


def series(folder: Path, numbers, **values: Any) -> list[Path]:
    """miniCBF images of one sweep: the angles follow the numbers."""
    found = []
    for number in numbers:
        own = {"start": round(0.5 * number, 4)} | values
        found.append(minicbf(folder / f"x_{number:04d}.cbf", **own))
    return found


def smv(path: Path, size: int = 512, **values: Any) -> Path:
    """An SMV image of 4 x 3 pixels."""
    known = {
        "DIM": 2,
        "BYTE_ORDER": "little_endian",
        "TYPE": "unsigned_short",
        "SIZE1": 4,
        "SIZE2": 3,
        "PIXEL_SIZE": 0.1,
        "DISTANCE": 100.0,
        "WAVELENGTH": 1.0,
        "OSC_START": 0.0,
        "OSC_RANGE": 1.0,
        "DATE": "Tue Jun 26 09:43:09 2007",
    } | values
    lines = "".join(f"{name}={value};\n" for name, value in known.items())
    head = f"{{\nHEADER_BYTES={size:5d};\n{lines}}}\n".encode()
    path.write_bytes(head.ljust(size) + bytes(24))
    return path


def expt(path: Path, edit=None, **values: Any) -> Path:
    """A DIALS experiment list of two scans of one instrument."""
    data = {
        "__id__": "ExperimentList",
        "experiment": [
            {"beam": 0, "detector": 0, "goniometer": 0, "scan": number, "imageset": number} for number in (0, 1)
        ],
        "beam": [{"direction": [0.0, 0.0, 1.0], "wavelength": 1.0, "probe": "x-ray"}],
        "detector": [
            {
                "panels": [
                    {
                        "name": "Panel",
                        "fast_axis": [1.0, 0.0, 0.0],
                        "slow_axis": [0.0, -1.0, 0.0],
                        "origin": [-5.0, 6.0, -100.0],
                        "image_size": [100, 120],
                        "pixel_size": [0.1, 0.1],
                        "trusted_range": [0, 65000],
                    }
                ]
            }
        ],
        "goniometer": [{"rotation_axis": [1.0, 0.0, 0.0]}],
        "scan": [{"image_range": [1, 4], "oscillation": [10.0 * number, 0.5]} for number in (0, 1)],
        "imageset": [{"template": values.get("template", "/data/run{n}/x_####.cbf").format(n=n)} for n in (1, 2)],
        "crystal": [],
    }
    if edit is not None:
        edit(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def tiff(path: Path, shape: tuple[int, int] = (3, 4), text: str = "", pages: int = 1) -> Path:
    """A little-endian TIFF of empty 16-bit pages."""
    import struct

    parts, offset = [b"II*\0" + struct.pack("<I", 8)], 8
    for page in range(pages):
        entries = [(256, 4, 1, shape[1]), (257, 4, 1, shape[0]), (258, 3, 1, 16)]
        body_at = offset + 2 + 12 * (len(entries) + bool(text)) + 4
        if text:
            entries.append((270, 2, len(text) + 1, body_at))
        after = body_at + (len(text) + 1 if text else 0) + 2 * int(np.prod(shape))
        last = page == pages - 1
        directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        parts.append(directory + struct.pack("<I", 0 if last else after))
        parts.append((text.encode() + b"\0" if text else b"") + bytes(2 * int(np.prod(shape))))
        offset = after
    path.write_bytes(b"".join(parts))
    return path
