"""DIALS experiment lists, SMV, TIFF and CrystFEL geometry."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .images import frame
from .model import Model, Panel, Sweep


def write_expt(model: Model, folder: Path) -> list[str]:
    """One experiment list for all scans."""
    return write_expts([model], folder)


def write_expts(models: Sequence[Model], folder: Path) -> list[str]:
    """One experiment list for the scans of several models, each with its wavelength."""
    detectors, goniometers, scans, images, experiments = [], [], [], [], []
    every = [(number, model, sweep) for number, model in enumerate(models) for sweep in model.sweeps]
    for index, (number, model, sweep) in enumerate(every):
        detectors.append({"panels": [expt_panel(model, sweep, panel) for panel in model.panels]})
        experiments.append(
            {"__id__": "Experiment", "identifier": f"run-{index + 1}", "beam": number, "detector": index}
        )
        if model.axes:
            experiments[-1].update({"goniometer": index, "scan": index, "imageset": index})
            goniometers.append(_expt_goniometer(model, sweep))
            scans.append(_expt_scan(model, sweep))
            images.append({"__id__": "ImageSequence", "template": f"run{index + 1}_#####.cbf"})
    data = {
        "__id__": "ExperimentList",
        "experiment": experiments,
        "imageset": images,
        "beam": [_expt_beam(model) for model in models],
        "detector": detectors,
        "goniometer": goniometers,
        "scan": scans,
        "crystal": [],
        "profile": [],
        "scaling_model": [],
    }
    (folder / "imported.expt").write_text(json.dumps(data) + "\n", encoding="utf-8")
    return ["imported.expt"]


def _expt_beam(model: Model) -> dict:
    """The beam of one wavelength."""
    return {
        "__id__": "monochromatic",
        "direction": [0.0, 0.0, 1.0],
        "wavelength": model.wavelength,
        "polarization_normal": model.laboratory(np.array([0.0, 1.0, 0.0])).tolist(),
        "polarization_fraction": 0.99,
        "probe": model.probe,
    }


def expt_panel(model: Model, sweep: Sweep, panel) -> dict:
    """A panel in the frame of the laboratory."""
    corner, fast, slow = (model.laboratory(vector) for vector in model.placed(sweep, panel))
    return {
        "name": panel.name,
        "type": "SENSOR_PAD",
        "fast_axis": fast.tolist(),
        "slow_axis": slow.tolist(),
        "origin": corner.tolist(),
        "raw_image_offset": [0, panel.row],
        "image_size": list(panel.size),
        "pixel_size": [model.pixel, model.pixel],
        "trusted_range": [0.0, model.overload - 1.0],
        "thickness": 0.45,
        "material": "Si",
        "identifier": model.detector,
        "gain": 1.0,
    }


def _expt_goniometer(model: Model, sweep: Sweep) -> dict:
    """Axes from the sample outwards."""
    if len(model.axes) == 1:
        vector = model.laboratory(np.array(model.axes[0].vector)).tolist()
        unit = np.eye(3).ravel().tolist()
        return {"rotation_axis": vector, "fixed_rotation": unit, "setting_rotation": unit}
    inner = model.axes[::-1]
    return {
        "axes": [model.laboratory(np.array(axis.vector)).tolist() for axis in inner],
        "angles": [sweep.settings[axis.name] for axis in inner],
        "names": [axis.name.upper() for axis in inner],
        "scan_axis": [axis.name for axis in inner].index(sweep.moves or inner[-1].name),
    }


def _expt_scan(model: Model, sweep: Sweep) -> dict:
    """A scan in the newer form: the setting of every frame."""
    start = sweep.settings[sweep.moves or model.axes[0].name]
    angles = [round(start + number * sweep.step, 10) for number in range(sweep.frames)]
    return {
        "image_range": [1, sweep.frames],
        "batch_offset": 0,
        "properties": {"oscillation": angles, "exposure_time": [model.exposure] * sweep.frames},
    }


def write_smv(model: Model, folder: Path) -> list[str]:
    """One SMV image for each frame; 16 bits."""
    names = []
    panel = model.panels[0]
    for index, sweep in enumerate(model.sweeps, 1):
        for number in range(sweep.frames):
            angle = sweep.angles(number)[sweep.moves or "omega"]
            lines = {
                "HEADER_BYTES": "512",
                "DIM": "2",
                "BYTE_ORDER": "little_endian",
                "TYPE": "unsigned_short",
                "SIZE1": panel.size[0],
                "SIZE2": panel.size[1],
                "PIXEL_SIZE": f"{model.pixel:.6f}",
                "DISTANCE": f"{sweep.distance:.4f}",
                "TWOTHETA": f"{sweep.two_theta:.4f}",
                "TIME": f"{model.exposure:.4f}",
                "AXIS": sweep.moves or "omega",
                "PHI": f"{angle:.4f}",
                "OSC_START": f"{angle:.4f}",
                "OSC_RANGE": f"{sweep.step:.4f}",
                "WAVELENGTH": f"{model.wavelength:.6f}",
                "BEAM_CENTER_X": f"{-panel.corner[0]:.4f}",
                "BEAM_CENTER_Y": f"{panel.corner[1]:.4f}",
                "DETECTOR_SN": "907",
                "DATE": "Sun Mar  1 10:00:00 2026",
            }
            head = "{\n" + "".join(f"{key}={value};\n" for key, value in lines.items()) + "}\n"
            counts = frame(model, sweep, number, panel)
            name = f"run{index}_{number + 1:03d}.img"
            data = head.encode().ljust(512, b" ") + np.minimum(counts, 65535).astype("<u2").tobytes()
            (folder / name).write_bytes(data)
            names.append(name)
    return names


def write_tiff(model: Model, folder: Path) -> list[str]:
    """One plain TIFF of 16 bits for each frame: nothing but the pixels."""
    names = []
    panel = model.panels[0]
    for index, sweep in enumerate(model.sweeps, 1):
        for number in range(sweep.frames):
            counts = np.minimum(frame(model, sweep, number, panel), 65535).astype("<u2")
            name = f"run{index}_{number + 1:04d}.tif"
            (folder / name).write_bytes(_tiff(counts))
            names.append(name)
    return names


def _tiff(counts: np.ndarray) -> bytes:
    """A baseline TIFF with one strip."""
    slow, fast = counts.shape
    data = counts.tobytes()
    entries = [
        (256, 3, fast),
        (257, 3, slow),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, slow),
        (279, 4, len(data)),
        (339, 3, 1),
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\x00" + struct.pack("<I", 8 + len(data)) + data + directory + struct.pack("<I", 0)


def geom_top(model: Model, sweep: Sweep) -> list[str]:
    """What a CrystFEL geometry says of all panels."""
    return [
        f"photon_energy = {12398.4198 / model.wavelength:.6f} eV",
        f"clen = {sweep.distance / 1e3:.6f} m",
        f"res = {1e3 / model.pixel:.6f}",
        "adu_per_photon = 1",
        f"max_adu = {model.overload - 1}",
        "data = /entry/data/data",
    ]


def geom_panel(model: Model, panel: Panel, row: int) -> list[str]:
    """One panel, which begins at a row of its array; in CrystFEL's frame x is the opposite of imgCIF's."""
    fast, slow = panel.fast, panel.slow
    return [
        f"{panel.name}/min_fs = 0",
        f"{panel.name}/max_fs = {panel.size[0] - 1}",
        f"{panel.name}/min_ss = {row}",
        f"{panel.name}/max_ss = {row + panel.size[1] - 1}",
        f"{panel.name}/corner_x = {-panel.corner[0] / model.pixel:.8f}",
        f"{panel.name}/corner_y = {panel.corner[1] / model.pixel:.8f}",
        f"{panel.name}/coffset = {-panel.corner[2] / 1e3:.8f}",
        f"{panel.name}/fs = {-fast[0]:+.12f}x {fast[1]:+.12f}y",
        f"{panel.name}/ss = {-slow[0]:+.12f}x {slow[1]:+.12f}y",
    ]


def write_geom(model: Model, folder: Path) -> list[str]:
    """CrystFEL geometry of stills in one HDF5 file: panels in one array, below each other.

    In CrystFEL's frame z runs along the beam and y is up, so that x is the opposite of imgCIF's.
    """
    import h5py

    sweep = model.sweeps[0]
    lines = [*geom_top(model, sweep), "dim0 = %", "dim1 = ss", "dim2 = fs"]
    for panel in model.panels:
        lines += geom_panel(model, panel, panel.row)
    (folder / "detector.geom").write_text("\n".join(lines) + "\n", encoding="utf-8")
    frames = range(sweep.frames)
    stack = np.stack([np.concatenate([frame(model, sweep, number, one) for one in model.panels]) for number in frames])
    with h5py.File(folder / "stills.h5", "w", track_order=False) as file:
        file.create_dataset(
            "entry/data/data", data=stack.astype(np.uint16), compression="gzip", chunks=(1, *stack.shape[1:])
        )
    return ["detector.geom", "stills.h5"]
