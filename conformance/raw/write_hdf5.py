"""HDF5 masters: NXmx with its transformations, and the older form of Eiger detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .images import frame
from .model import Model, X, rotation

_FLIP = np.array([-1.0, 1.0, -1.0])


def _group(parent: Any, name: str, nx_class: str) -> Any:
    """A NeXus group."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _put(parent: Any, name: str, value: Any, units: str = "") -> Any:
    """A dataset, with its unit."""
    parent[name] = value
    if units:
        parent[name].attrs["units"] = units
    return parent[name]


def _move(group: Any, name: str, value: Any, kind: str, vector: np.ndarray, units: str, depends_on: str, **more: Any):
    """A transformation; the vector is given with Z towards the source and turned to NeXus here."""
    node = _put(group, name, value, units)
    node.attrs["transformation_type"] = kind
    node.attrs["vector"] = np.where(vector == 0.0, 0.0, vector * _FLIP)
    node.attrs["depends_on"] = depends_on
    for key, entry in more.items():
        node.attrs[key] = entry
    return node


def _data_files(model: Model, folder: Path, path: str) -> list[str]:
    """The images of the first scan in two files."""
    import h5py

    sweep = model.sweeps[0]
    stack = np.stack(
        [
            np.concatenate([frame(model, sweep, number, panel) for panel in model.panels])
            for number in range(sweep.frames)
        ]
    )
    cut = (sweep.frames + 1) // 2
    names = []
    for index, part in enumerate((stack[:cut], stack[cut:]), 1):
        if not len(part):
            continue
        names.append(f"run_data_{index:06d}.h5")
        with h5py.File(folder / names[-1], "w") as file:
            file.create_dataset(path, data=part.astype(np.uint32), compression="gzip", chunks=(1, *part.shape[1:]))
    return names


def write_nxmx(model: Model, folder: Path) -> list[str]:
    """An NXmx master of the first scan with its data files."""
    import h5py

    names = _data_files(model, folder, "data")
    sweep = model.sweeps[0]
    with h5py.File(folder / "run_master.h5", "w") as file:
        entry = _group(file, "entry", "NXentry")
        entry["definition"] = "NXmx"
        entry["start_time"] = "2026-03-01T10:00:00Z"
        data = _group(entry, "data", "NXdata")
        for index, name in enumerate(names, 1):
            data[f"data_{index:06d}"] = h5py.ExternalLink(name, "/data")
        instrument = _group(entry, "instrument", "NXinstrument")
        instrument["name"] = "Example beamline B7"
        _put(_group(instrument, "beam", "NXbeam"), "incident_wavelength", model.wavelength, "angstrom")
        _detector(model, _group(instrument, "detector", "NXdetector"))
        source = _group(entry, "source", "NXsource")
        source["name"] = "Example Light Source"
        source["probe"] = model.probe
        sample = _group(entry, "sample", "NXsample")
        moves = _group(sample, "transformations", "NXtransformations")
        parent = "."
        for axis in model.axes:
            angles = [sweep.angles(number)[axis.name] for number in range(sweep.frames)]
            values = np.round(angles if axis.name == sweep.moves else angles[:1], 10)
            vector = model.laboratory(np.array(axis.vector))
            parent = _move(moves, axis.name, values, "rotation", vector, "deg", parent).name
        sample["depends_on"] = parent
    return ["run_master.h5", *names]


def _detector(model: Model, detector: Any) -> None:
    """The detector with two-theta arm, distance and modules."""
    sweep = model.sweeps[0]
    detector["depends_on"] = "/entry/instrument/detector/transformations/det_z"
    detector["description"] = model.detector
    detector["type"] = "Pixel"
    detector["sensor_material"] = "Si"
    _put(detector, "sensor_thickness", 0.45, "mm")
    _put(detector, "count_time", model.exposure, "s")
    _put(detector, "frame_time", model.exposure, "s")
    detector["saturation_value"] = model.overload - 1
    for name in ("x", "y"):
        _put(detector, f"{name}_pixel_size", model.pixel / 1e3, "m")
    moves = _group(detector, "transformations", "NXtransformations")
    arm = _move(moves, "two_theta", [sweep.two_theta], "rotation", model.laboratory(X), "deg", ".")
    downstream = np.array([0.0, 0.0, -1.0])
    _move(moves, "det_z", [sweep.distance], "translation", downstream, "mm", arm.name)
    for index, panel in enumerate(model.panels):
        module = _group(detector, f"module_{index}" if len(model.panels) > 1 else "module", "NXdetector_module")
        module["data_origin"] = [panel.row, 0]
        module["data_size"] = list(panel.size[::-1])
        corner = model.laboratory(np.array(panel.corner))
        chain = "/entry/instrument/detector/transformations/det_z"
        offset = {"offset": np.where(corner == 0.0, 0.0, corner * _FLIP), "offset_units": "mm"}
        node = _move(module, "module_offset", 0.0, "translation", X * _FLIP, "mm", chain, **offset)
        for name, direction in (("fast", panel.fast), ("slow", panel.slow)):
            vector = model.laboratory(np.array(direction))
            _move(module, f"{name}_pixel_direction", model.pixel, "translation", vector, "mm", node.name)


def write_eiger(model: Model, folder: Path) -> list[str]:
    """A master as Eiger detectors wrote it before NXmx: settings and beam centre, no directions."""
    import h5py

    names = _data_files(model, folder, "entry/data/data")
    sweep, panel = model.sweeps[0], model.panels[0]
    assert not sweep.two_theta and np.allclose(rotation(X, 0.0), np.eye(3))
    with h5py.File(folder / "run_master.h5", "w") as file:
        entry = _group(file, "entry", "NXentry")
        data = _group(entry, "data", "NXdata")
        for index, name in enumerate(names, 1):
            data[f"data_{index:06d}"] = h5py.ExternalLink(name, "entry/data/data")
        instrument = _group(entry, "instrument", "NXinstrument")
        _put(_group(instrument, "beam", "NXbeam"), "incident_wavelength", np.float32(model.wavelength), "angstrom")
        detector = _group(instrument, "detector", "NXdetector")
        _put(detector, "beam_center_x", np.float32(-panel.corner[0] / model.pixel), "pixel")
        _put(detector, "beam_center_y", np.float32(panel.corner[1] / model.pixel), "pixel")
        _put(detector, "detector_distance", np.float32(sweep.distance / 1e3), "m")
        for name in ("x", "y"):
            _put(detector, f"{name}_pixel_size", np.float32(model.pixel / 1e3), "m")
        _put(detector, "count_time", np.float32(model.exposure), "s")
        _put(detector, "frame_time", np.float32(model.exposure), "s")
        _put(detector, "sensor_thickness", np.float32(4.5e-4), "m")
        detector["sensor_material"], detector["description"] = "Si", model.detector
        specific = _group(detector, "detectorSpecific", "NXcollection")
        specific["nimages"], specific["ntrigger"] = sweep.frames, 1
        specific["x_pixels_in_detector"], specific["y_pixels_in_detector"] = panel.size
        specific["countrate_correction_count_cutoff"] = np.uint32(model.overload - 1)
        specific["data_collection_date"] = "2026-03-01T10:00:00.000"
        goniometer = _group(_group(entry, "sample", "NXsample"), "goniometer", "NXtransformations")
        angles = [sweep.angles(number)["omega"] for number in range(sweep.frames)]
        _put(goniometer, "omega", np.round(angles, 10), "degree")
        _put(goniometer, "omega_increment", np.float32(sweep.step), "degree")
    return ["run_master.h5", *names]
