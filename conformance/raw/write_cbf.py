"""CBF: with the text header that detectors write, and with the full categories."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np

from .images import byte_offset, frame
from .model import Model, Sweep

_MAGIC = b"\x0c\x1a\x04\xd5"


def _section(counts, binary_id: int = 1) -> bytes:
    """The binary section of one image."""
    payload = byte_offset(counts)
    slow, fast = counts.shape
    header = (
        "--CIF-BINARY-FORMAT-SECTION--\r\n"
        "Content-Type: application/octet-stream;\r\n"
        '     conversions="x-CBF_BYTE_OFFSET"\r\n'
        "Content-Transfer-Encoding: BINARY\r\n"
        f"X-Binary-Size: {len(payload)}\r\n"
        f"X-Binary-ID: {binary_id}\r\n"
        'X-Binary-Element-Type: "signed 32-bit integer"\r\n'
        "X-Binary-Element-Byte-Order: LITTLE_ENDIAN\r\n"
        f"Content-MD5: {base64.b64encode(hashlib.md5(payload).digest()).decode()}\r\n"
        f"X-Binary-Number-of-Elements: {counts.size}\r\n"
        f"X-Binary-Size-Fastest-Dimension: {fast}\r\n"
        f"X-Binary-Size-Second-Dimension: {slow}\r\n"
        "X-Binary-Size-Padding: 0\r\n\r\n"
    )
    return b"\r\n;\r\n" + header.encode() + _MAGIC + payload + b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n"


def _text_header(model: Model, sweep: Sweep, number: int) -> str:
    """The comment lines of a miniCBF."""
    panel = model.panels[0]
    corner = model.laboratory(np.array(panel.corner))
    centre = (-corner[0] / model.pixel, corner[1] / model.pixel)
    angle = sweep.angles(number)[sweep.moves or model.axes[0].name]
    lines = [
        f"Detector: {model.detector}",
        f"2026-03-01T10:00:{number * model.exposure:06.3f}",
        f"Pixel_size {model.pixel * 1e3:.0f}e-6 m x {model.pixel * 1e3:.0f}e-6 m",
        "Silicon sensor, thickness 0.000450 m",
        f"Exposure_time {model.exposure:.7f} s",
        f"Exposure_period {model.exposure:.7f} s",
        f"Count_cutoff {model.overload - 1} counts",
        f"Wavelength {model.wavelength:.5f} A",
        f"Detector_distance {sweep.distance / 1e3:.5f} m",
        f"Beam_xy ({centre[0]:.2f}, {centre[1]:.2f}) pixels",
        f"Start_angle {angle:.4f} deg.",
        f"Angle_increment {sweep.step:.4f} deg.",
        f"Detector_2theta {sweep.two_theta:.4f} deg.",
    ]
    return "".join(f"# {line}\r\n" for line in lines)


def write_mini(model: Model, folder: Path) -> list[str]:
    """One miniCBF for each frame; the names."""
    names = []
    for index, sweep in enumerate(model.sweeps, 1):
        for number in range(sweep.frames):
            name = f"run{index}_{number + 1:05d}.cbf"
            head = (
                "###CBF: VERSION 1.5\r\n"
                f"data_run{index}_{number + 1:05d}\r\n\r\n"
                '_array_data.header_convention "PILATUS_1.2"\r\n'
                "_array_data.header_contents\r\n;\r\n"
                f"{_text_header(model, sweep, number)};\r\n\r\n_array_data.data"
            )
            (folder / name).write_bytes(head.encode() + _section(frame(model, sweep, number, model.panels[0])))
            names.append(name)
    return names


def write_full(model: Model, folder: Path) -> list[str]:
    """One full CBF for each frame; the names."""
    names = []
    for index, sweep in enumerate(model.sweeps, 1):
        for number in range(sweep.frames):
            name = f"run{index}_{number + 1:05d}.cbf"
            text = f"###CBF: VERSION 1.5\r\ndata_run{index}_{number + 1:05d}\r\n" + _categories(model, sweep, number)
            (folder / name).write_bytes(text.encode() + _section(frame(model, sweep, number, model.panels[0])))
            names.append(name)
    return names


def _loop(category: str, items: str, rows: list[str]) -> str:
    """One loop of a category."""
    heads = "".join(f"_{category}.{item}\r\n" for item in items.split())
    return f"\r\nloop_\r\n{heads}" + "".join(f"  {row}\r\n" for row in rows)


def _categories(model: Model, sweep: Sweep, number: int) -> str:
    """Everything that a full CBF says of one frame."""
    panel = model.panels[0]
    angles = sweep.angles(number)
    moved = [axis.name for axis in model.axes]
    chain = [".", *moved]
    axes = [
        f"{axis.name} rotation goniometer {parent} {_three(axis.vector)} 0 0 0"
        for axis, parent in zip(model.axes, chain)
    ]
    corner = f"{panel.corner[0]:.10g} {panel.corner[1]:.10g} {panel.corner[2]:.10g}"
    axes += [
        "two_theta rotation detector . 1 0 0 0 0 0",
        "distance translation detector two_theta 0 0 -1 0 0 0",
        f"element_slow translation detector distance {_three(panel.slow)} {corner}",
        f"element_fast translation detector element_slow {_three(panel.fast)} 0 0 0",
        "source general source . 0 0 1 . . .",
        "gravity general gravity . 0 -1 0 . . .",
    ]
    names = [*moved, "two_theta"]
    still = {**angles, "two_theta": sweep.two_theta}
    steps = {name: _step(sweep, name) for name in names}
    scan_axes = [f"SCAN1 {name} {still[name]:.6g} {steps[name]} {steps[name]} . . ." for name in names]
    frame_axes = [f"FRAME1 {name} {still[name]:.6g} {steps[name]} ." for name in names]
    scan_axes.append(f"SCAN1 distance . . . {sweep.distance:.6g} 0 0")
    frame_axes.append(f"FRAME1 distance . . {sweep.distance:.6g}")
    half = model.pixel / 2
    element = "id detector_id"
    return "".join(
        [
            "\r\n_diffrn.id RUN\r\n",
            _loop("diffrn_source", "diffrn_id source", ["RUN synchrotron"]),
            _loop("diffrn_radiation", "diffrn_id wavelength_id probe", ["RUN W1 x-ray"]),
            _loop("diffrn_radiation_wavelength", "id wavelength wt", [f"W1 {model.wavelength:.6g} 1.0"]),
            _loop("diffrn_detector", "diffrn_id id type number_of_axes", ["RUN DET 'Example 8k' 2"]),
            _loop("diffrn_detector_axis", "detector_id axis_id", ["DET two_theta", "DET distance"]),
            _loop("diffrn_detector_element", element, ["ELEMENT DET"]),
            _loop("diffrn_data_frame", "id detector_element_id array_id binary_id", ["FRAME1 ELEMENT ARRAY1 1"]),
            _loop("diffrn_measurement", "diffrn_id id number_of_axes method", [f"RUN GONIO {len(moved)} rotation"]),
            _loop("diffrn_measurement_axis", "measurement_id axis_id", [f"GONIO {name}" for name in moved]),
            _loop("diffrn_scan", "id frame_id_start frame_id_end frames", ["SCAN1 FRAME1 FRAME1 1"]),
            _loop(
                "diffrn_scan_axis",
                "scan_id axis_id angle_start angle_range angle_increment "
                "displacement_start displacement_range displacement_increment",
                scan_axes,
            ),
            _loop(
                "diffrn_scan_frame",
                "frame_id frame_number integration_time scan_id date",
                [f"FRAME1 {number + 1} {model.exposure:.6g} SCAN1 2026-03-01T10:00:{number * model.exposure:06.3f}"],
            ),
            _loop("diffrn_scan_frame_axis", "frame_id axis_id angle angle_increment displacement", frame_axes),
            _loop(
                "axis",
                "id type equipment depends_on vector[1] vector[2] vector[3] offset[1] offset[2] offset[3]",
                axes,
            ),
            _loop(
                "array_structure_list",
                "array_id index dimension precedence direction axis_set_id",
                [
                    f"ARRAY1 1 {panel.size[0]} 1 increasing FAST",
                    f"ARRAY1 2 {panel.size[1]} 2 increasing SLOW",
                ],
            ),
            _loop(
                "array_structure_list_axis",
                "axis_set_id axis_id displacement displacement_increment",
                [f"FAST element_fast {half:.6g} {model.pixel:.6g}", f"SLOW element_slow {half:.6g} {model.pixel:.6g}"],
            ),
            _loop(
                "array_element_size",
                "array_id index size",
                [f"ARRAY1 {index} {model.pixel * 1e-3:.6g}" for index in (1, 2)],
            ),
            _loop(
                "array_intensities",
                "array_id binary_id linearity gain gain_esd overload undefined_value",
                [f"ARRAY1 1 linear 1.0 0.1 {model.overload} -1"],
            ),
            _loop(
                "array_structure",
                "id encoding_type compression_type byte_order",
                ["ARRAY1 'signed 32-bit integer' byte_offset little_endian"],
            ),
            "\r\nloop_\r\n_array_data.array_id\r\n_array_data.binary_id\r\n_array_data.data\r\n  ARRAY1 1",
        ]
    )


def _three(vector: tuple[float, float, float]) -> str:
    """Three numbers."""
    return " ".join(f"{part:.10g}" for part in vector)


def _step(sweep: Sweep, name: str) -> str:
    """How far an axis moves during the frame."""
    return f"{sweep.step if name == sweep.moves else 0.0:.6g}"
