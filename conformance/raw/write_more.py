"""XDS inputs, vectors of d*TREK, archives, lists of several wavelengths, and detectors beside images."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .images import frame
from .model import Model, Panel, Sweep
from .write_cbf import write_mini
from .write_text import expt_panel, write_expts, write_smv

# From a frame with Z towards the source to one with Z along the beam.
_FLIP = np.array([-1.0, 1.0, -1.0])


def second_wavelength(model: Model) -> Model:
    """The scan that follows at another wavelength, with the crystal turned on."""
    (sweep,) = model.sweeps
    start = {**sweep.settings, "omega": sweep.settings["omega"] + 90.0}
    return Model(model.axes, model.panels, (Sweep("SCAN2", start, "omega", sweep.step, 6, sweep.distance),), 1.25, 0.4)


def write_wavelengths(model: Model, folder: Path) -> list[str]:
    """One experiment list of two scans with a wavelength each."""
    return write_expts([model, second_wavelength(model)], folder)


def write_archive(model: Model, folder: Path) -> list[str]:
    """An archive of miniCBF images in a folder, with a note beside them."""
    names = write_mini(model, folder)
    target = folder / "run1.tar.bz2"
    with tarfile.open(target, "w:bz2", format=tarfile.USTAR_FORMAT) as archive:
        members = [(f"images/{name}", (folder / name).read_bytes()) for name in names]
        for name, data in [("images/notes.txt", b"beam was stable\n"), *members]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), 1772359200
            archive.addfile(entry, io.BytesIO(data))
    for name in names:
        (folder / name).unlink()
    return [target.name]


def write_xds(model: Model, folder: Path) -> list[str]:
    """XDS.INP of the first scan, in a frame with Z along the beam."""
    (sweep,) = model.sweeps
    placed = [[_FLIP * model.laboratory(part) for part in model.placed(sweep, panel)] for panel in model.panels]
    corner, fast, slow = placed[0]
    axes = np.stack([fast, slow, np.cross(fast, slow)])
    place = axes @ corner
    # Pixels count from 1 at the centre of the first, so that its outer corner has the number 0.5.
    origin = 0.5 - place[:2] / model.pixel
    size = [max(panel.size[0] for panel in model.panels), max(panel.row + panel.size[1] for panel in model.panels)]
    lines = [
        "! written for a test",
        "DETECTOR= PILATUS MINIMUM_VALID_PIXEL_VALUE= 0 OVERLOAD= 60000",
        f"NX= {size[0]} NY= {size[1]} QX= {model.pixel:.6f} QY= {model.pixel:.6f}",
        f"ORGX= {origin[0]:.6f} ORGY= {origin[1]:.6f}  DETECTOR_DISTANCE= {place[2]:.6f}",
        f"DIRECTION_OF_DETECTOR_X-AXIS= {_three(fast)}",
        f"DIRECTION_OF_DETECTOR_Y-AXIS= {_three(slow)}",
        f"X-RAY_WAVELENGTH= {model.wavelength:.6f}",
        "INCIDENT_BEAM_DIRECTION= 0 0 1",
        f"ROTATION_AXIS= {_three(_FLIP * model.laboratory(np.array(model.axes[0].vector)))}",
        f"OSCILLATION_RANGE= {sweep.step:.6f} STARTING_ANGLE= {sweep.settings[model.axes[0].name]:.4f}",
        f"NAME_TEMPLATE_OF_DATA_FRAMES= run1_?????.cbf ! as they were written\nDATA_RANGE= 1 {sweep.frames}",
        "JOB= XYCORR INIT\nSPACE_GROUP_NUMBER= 0\nUNTRUSTED_RECTANGLE= 10 14 0 9",
    ]
    if len(placed) > 1:
        begin = np.array([-origin[0] * model.pixel, -origin[1] * model.pixel, place[2]])
        for panel, part in zip(model.panels, placed):
            lines += _segment(model, panel, axes, begin, part)
    (folder / "XDS.INP").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["XDS.INP"]


def _segment(
    model: Model, panel: Panel, axes: np.ndarray, begin: np.ndarray, placed: Sequence[np.ndarray]
) -> list[str]:
    """One panel in the frame that the first one spans."""
    corner, fast, slow = placed
    own = [axes @ fast, axes @ slow]
    own.append(np.cross(*own))
    first = axes @ (corner + 0.5 * model.pixel * (fast + slow)) - begin
    start = [1, panel.row + 1]
    origin = [start[index] - float(first @ own[index]) / model.pixel for index in (0, 1)]
    return [
        f"SEGMENT= 1 {panel.size[0]} {start[1]} {panel.row + panel.size[1]} ! {panel.name}",
        f" DIRECTION_OF_SEGMENT_X-AXIS= {_three(own[0])}",
        f" DIRECTION_OF_SEGMENT_Y-AXIS= {_three(own[1])}",
        f" SEGMENT_ORGX= {origin[0]:.6f} SEGMENT_ORGY= {origin[1]:.6f}",
        f" SEGMENT_DISTANCE= {float(first @ own[2]):.6f}",
    ]


def write_dtrek(model: Model, folder: Path) -> list[str]:
    """SMV images whose headers hold the vectors of d*TREK: an arm, and all axes of the goniometer."""
    panel, names = model.panels[0], []
    corner, fast, slow = np.array(panel.corner), np.array(panel.fast), np.array(panel.slow)
    centre = [-float(corner @ way) / model.pixel for way in (fast, slow)]
    for index, sweep in enumerate(model.sweeps, 1):
        for number in range(sweep.frames):
            angles = sweep.angles(number)
            start = angles[sweep.moves or "omega"]
            lines = {
                "HEADER_BYTES": "2048",
                "DIM": "2",
                "BYTE_ORDER": "little_endian",
                "Data_type": "unsigned short int",
                "SIZE1": panel.size[0],
                "SIZE2": panel.size[1],
                "DETECTOR_NUMBER": "1",
                "DETECTOR_NAMES": "CCD_",
                "CCD_DETECTOR_DESCRIPTION": "Example CCD 7",
                "CCD_DETECTOR_VECTORS": f"{_three(fast)} {_three(slow)}",
                "CCD_GONIO_NUM_VALUES": "2",
                "CCD_GONIO_NAMES": "RotX/Swing TransZ/Distance",
                "CCD_GONIO_UNITS": "deg mm",
                "CCD_GONIO_VALUES": f"{sweep.two_theta:.4f} {sweep.distance:.4f}",
                "CCD_GONIO_VECTORS": "1 0 0 0 0 -1",
                "CCD_SPATIAL_DISTORTION_INFO": f"{centre[0]:.4f} {centre[1]:.4f} {model.pixel:.5f} {model.pixel:.5f}",
                "CCD_SPATIAL_DISTORTION_VECTORS": "1 0 0 1",
                "CRYSTAL_GONIO_NUM_VALUES": len(model.axes),
                "CRYSTAL_GONIO_NAMES": " ".join(axis.name.capitalize() for axis in model.axes),
                "CRYSTAL_GONIO_UNITS": " ".join("deg" for _ in model.axes),
                "CRYSTAL_GONIO_VALUES": " ".join(f"{angles[axis.name]:.4f}" for axis in model.axes),
                "CRYSTAL_GONIO_VECTORS": " ".join(_three(np.array(axis.vector)) for axis in model.axes),
                "ROTATION": f"{start:.4f} {start + sweep.step:.4f} {sweep.step:.4f} {model.exposure:.4f} 1 0 0 0 0 0",
                "ROTATION_AXIS_NAME": (sweep.moves or "omega").capitalize(),
                "ROTATION_VECTOR": _three(_moving(model, sweep)),
                "SOURCE_VECTORS": "0 0 1 0 1 0",
                "SOURCE_WAVELENGTH": f"1 {model.wavelength:.6f}",
                "SATURATED_VALUE": model.overload,
            }
            head = "{\n" + "".join(f"{key}={value};\n" for key, value in lines.items()) + "}\n"
            counts = np.minimum(frame(model, sweep, number, panel), 65535).astype("<u2")
            names.append(f"run{index}_{number + 1:03d}.img")
            (folder / names[-1]).write_bytes(head.encode().ljust(2048, b" ") + counts.tobytes())
    return names


def _moving(model: Model, sweep: Sweep) -> np.ndarray:
    """The direction of the axis that moves, turned by those that carry it."""
    outer = []
    for axis in model.axes:
        if axis.name == sweep.moves:
            carried = Model(tuple(outer), model.panels, model.sweeps, model.wavelength, model.pixel)
            return carried.sample(sweep, 0) @ np.array(axis.vector)
        outer.append(axis)
    return np.array(model.axes[0].vector)


def write_beside(model: Model, folder: Path) -> list[str]:
    """SMV images, and the detector of DIALS that says where their pixels lie."""
    panels = [expt_panel(model, model.sweeps[0], panel) for panel in model.panels]
    (folder / "detector.json").write_text(json.dumps({"panels": panels}) + "\n", encoding="utf-8")
    return [*write_smv(model, folder), "detector.json"]


def _three(vector: np.ndarray) -> str:
    """Three numbers."""
    return " ".join(f"{part:.10f}" for part in vector + 0.0)
