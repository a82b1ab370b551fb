"""Small experiment descriptions of our own, as the formats hold them."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def expt(**changes: Any) -> dict[str, Any]:
    """A DIALS experiment list of one scan of five frames; top-level entries may be replaced."""
    panel = {
        "name": "Panel",
        "fast_axis": [1.0, 0.0, 0.0],
        "slow_axis": [0.0, -1.0, 0.0],
        "origin": [-10.0, 12.0, -100.0],
        "raw_image_offset": [0, 0],
        "image_size": [200, 240],
        "pixel_size": [0.1, 0.1],
        "trusted_range": [-1.0, 65535.0],
        "thickness": 0.32,
        "material": "Si",
        "identifier": "Example 48k",
    }
    data: dict[str, Any] = {
        "__id__": "ExperimentList",
        "experiment": [{"beam": 0, "detector": 0, "goniometer": 0, "scan": 0, "imageset": 0}],
        "imageset": [{"__id__": "ImageSequence", "template": "images/run_####.cbf"}],
        "beam": [{"direction": [0.0, 0.0, 1.0], "wavelength": 0.9}],
        "detector": [{"panels": [panel]}],
        "goniometer": [{"rotation_axis": [1.0, 0.0, 0.0]}],
        "scan": [
            {"image_range": [3, 7], "oscillation": [10.0, 0.5], "exposure_time": [0.2] * 5, "epochs": [1.5e9] * 5}
        ],
        "crystal": [],
    }
    return {**data, **changes}


def write(folder: Path, data: Any, name: str = "one.expt") -> Path:
    """A file that holds data as JSON."""
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def nxmx(path: Path, *, frames: int = 6, vector: tuple[float, ...] = (-1.0, 0.0, 0.0)) -> Path:
    """An NXmx master with a two-theta arm at 20 degrees, and its data in a file beside it."""
    import h5py

    beside = path.with_name(path.stem.replace("_master", "") + "_000001.h5")
    with h5py.File(beside, "w") as data:
        data["data"] = np.zeros((frames, 24, 20), np.uint16)
    with h5py.File(path, "w") as master:
        entry = _group(master, "entry", "NXentry")
        entry["definition"] = "NXmx"
        entry["start_time"] = "2026-03-01T10:00:00Z"
        _group(entry, "data", "NXdata")["data_000001"] = h5py.ExternalLink(beside.name, "/data")
        instrument = _group(entry, "instrument", "NXinstrument")
        _group(instrument, "beam", "NXbeam")["incident_wavelength"] = 1.1
        detector = _group(instrument, "detector", "NXdetector")
        detector["depends_on"] = "transformations/det_z"
        detector["count_time"] = 0.05
        detector["saturation_value"] = 999
        moves = _group(detector, "transformations", "NXtransformations")
        _move(moves, "two_theta", [20.0], "rotation", (-1.0, 0.0, 0.0), "deg", ".")
        _move(moves, "det_z", [0.15], "translation", (0.0, 0.0, 1.0), "m", "two_theta")
        module = _group(detector, "module", "NXdetector_module")
        module["data_origin"], module["data_size"] = [0, 0], [24, 20]
        chain = f"{detector.name}/transformations/det_z"
        _move(module, "module_offset", 0.0, "translation", (1.0, 0.0, 0.0), "mm", chain, (1.0, 1.2, 0.0))
        for name, direction in (("fast", (-1.0, 0.0, 0.0)), ("slow", (0.0, -1.0, 0.0))):
            _move(module, f"{name}_pixel_direction", 0.1, "translation", direction, "mm", "module_offset")
        sample = _group(entry, "sample", "NXsample")
        sample["depends_on"] = "/entry/sample/transformations/phi"
        moves = _group(sample, "transformations", "NXtransformations")
        _move(moves, "omega", 5.0 + 0.25 * np.arange(frames), "rotation", vector, "deg", ".")
        _move(moves, "phi", [30.0], "rotation", (0.0, 1.0, 0.0), "deg", "omega")
    return path


def _group(parent: Any, name: str, nx_class: str) -> Any:
    """A NeXus group."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _move(
    group: Any,
    name: str,
    value: Any,
    kind: str,
    vector: tuple[float, ...],
    units: str,
    depends_on: str,
    offset: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> None:
    """A NeXus transformation."""
    group[name] = value
    attributes = {"transformation_type": kind, "vector": vector, "units": units, "depends_on": depends_on}
    group[name].attrs.update({**attributes, "offset": offset})


HEADER = """\
###CBF: VERSION 1.5, CBFlib v0.7.8
data_run_00001
_array_data.header_convention "PILATUS_1.2"
_array_data.header_contents
;
# Detector: Example 48k, S/N 01-0001
# 2026-Mar-01T10:00:00.250
# Pixel_size 100e-6 m x 172e-6 m
# CdTe sensor, thickness 0.000750 m
# Exposure_time 0.1990000 s
# Exposure_period 0.2000000 s
# Count_cutoff 65534 counts
# Wavelength 0.95000 A
# Detector_distance 0.20000 m
# Beam_xy (100.50, 120.25) pixels
# Start_angle 10.0000 deg.
# Angle_increment 0.5000 deg.
# Phi_increment 0.5000 deg.
;
_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
X-Binary-Size-Fastest-Dimension: 200
X-Binary-Size-Second-Dimension: 240

"""
