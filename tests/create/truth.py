"""What other programs say of the files of the corpus, and how far a created file is from it.

The frames of the truth are turned to imgCIF's by the dictionary's own words, worked out here anew: X
along the base of the goniometer, else along the fast direction of the first panel; Z along what of
the direction to the source is across X.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared import CORPUS

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.sources.description import Experiment
from imgcif_core.sources.imgcif import describe
from imgcif_core.tables import Tables

REVERSED_X_Z = np.diag([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Pose:
    """One scan of the truth: corners (panels, 4, 3), axes from the base with angles, wavelength."""

    corners: np.ndarray
    first_centres: np.ndarray
    axes: tuple[tuple[np.ndarray, float], ...]
    oscillation: tuple[float, float] | None
    wavelength: float


def experiments_of(text: str) -> list[Experiment]:
    """The blocks of a created file, as read back."""
    document = read(open_source(text.encode()))
    dictionary = load_bundled()
    return [describe(Tables(block, dictionary), block.name) for block in document.blocks]


def truth_of(relative: str) -> dict[str, Any]:
    """The truth about a file of the corpus."""
    folder, _, name = relative.partition("/")
    return json.loads((CORPUS / "truth" / folder / f"{name.replace('/', '__')}.json").read_text())


def poses_of(truth: Mapping[str, Any]) -> Iterator[Pose]:
    """The scans of a truth from dxtbx, each once."""
    if "experiments_first60" not in truth:
        yield _pose(truth["beam"], truth["detector"], truth.get("goniometer"), truth.get("scan"))
        return
    seen = set()
    for entry in truth["experiments_first60"]:
        key = tuple(entry.get(name) for name in ("beam", "detector", "goniometer", "scan"))
        if key in seen:
            continue
        seen.add(key)
        models = [
            truth[kind][entry[name]] if entry.get(name) is not None else None
            for kind, name in (
                ("beams", "beam"),
                ("detectors", "detector"),
                ("goniometers", "goniometer"),
                ("scans", "scan"),
            )
        ]
        yield _pose(*models)


def _pose(beam: Mapping, detector: Mapping, goniometer: Mapping | None, scan: Mapping | None) -> Pose:
    """One scan in imgCIF's frame."""
    axes: list[tuple[np.ndarray, float]] = []
    if goniometer and "axes" in goniometer:
        axes = [(np.array(a), t) for a, t in zip(goniometer["axes"], goniometer["angles_deg"], strict=True)][::-1]
    elif goniometer:
        setting = np.array(goniometer["setting_rotation"]).reshape(3, 3)
        axes = [(setting @ np.array(goniometer["rotation_axis_datum"]), 0.0)]
    first = detector["panels"][0]
    along = axes[0][0] if axes else np.array(first["fast_axis"])
    rotation = laboratory(along, np.array(beam["sample_to_source_direction"]))
    corners = np.array([_corners(panel) for panel in detector["panels"]]) @ rotation.T
    origins = np.array([panel["origin_mm"] for panel in detector["panels"]]) @ rotation.T
    oscillation = tuple(scan["oscillation_start_width_deg"]) if scan else None
    turned = tuple((rotation @ axis / np.linalg.norm(axis), angle) for axis, angle in axes)
    return Pose(corners, origins, turned, oscillation, beam["wavelength_A"])


def laboratory(along: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The turn into a frame with X along a direction and Z towards the source."""
    x = along / np.linalg.norm(along)
    z = source - (source @ x) * x
    z = z / np.linalg.norm(z)
    return np.stack([x, np.cross(z, x), z])


def _corners(panel: Mapping[str, Any]) -> np.ndarray:
    """The outer corners of a panel of dxtbx: (4, 3) mm."""
    size, pixel = np.array(panel["image_size_fast_slow"]), np.array(panel["pixel_size_mm"])
    fast = size[0] * pixel[0] * np.array(panel["fast_axis"])
    slow = size[1] * pixel[1] * np.array(panel["slow_axis"])
    first = np.array(panel["origin_mm"])
    return np.stack([first, first + fast, first + fast + slow, first + slow])


def crystfel_corners(truth: Mapping[str, Any], distance: float | None) -> np.ndarray:
    """The corners of the panels of a CrystFEL geometry, in imgCIF's frame: (panels, 4, 3) mm."""
    found = []
    first_offset = 1e3 * truth["panels"][0]["coffset_m"]
    for panel in truth["panels"]:
        pixel, fast, slow = panel["pixel_size_mm"], np.array(panel["fs"]), np.array(panel["ss"])
        offset = 1e3 * panel["coffset_m"]
        along = 1e3 * panel["clen_m"] + offset if distance is None else distance + offset - first_offset
        first = np.array([*panel["corner_xy_mm"], along])
        fast, slow = panel["n_fs"] * pixel * fast, panel["n_ss"] * pixel * slow
        found.append(np.stack([first, first + fast, first + fast + slow, first + slow]))
    ours = np.array(found) @ REVERSED_X_Z.T
    rotation = laboratory(ours[0, 1] - ours[0, 0], np.array([0.0, 0.0, 1.0]))
    return ours @ rotation.T


@dataclass(frozen=True)
class Deviation:
    """The largest differences: corners in mm, axes and settings in degrees, wavelength relative."""

    corners: float
    axes: float
    settings: float
    wavelength: float


def deviation(text: str, poses: list[Pose], centres: bool = False) -> Deviation:
    """How far a created file is from the truth; scans of all blocks against the poses in order.

    `centres` compares the centres of first pixels with what dxtbx takes for corners of panels.
    """
    created = [(part, scan) for part in experiments_of(text) for scan in part.scans for _ in range(_repeats(scan))]
    worst = np.zeros(4)
    unused = list(poses)
    assert len(created) >= len(poses), f"{len(created)} scans created, {len(poses)} expected"
    for part, scan in created:
        found = [_difference(part, scan, pose, centres) for pose in unused or poses]
        best = min(range(len(found)), key=lambda index: tuple(found[index]))
        worst = np.maximum(worst, found[best])
        if unused:
            unused.pop(best)
    assert not unused, f"{len(unused)} scans were not created"
    return Deviation(*worst.tolist())


def _repeats(scan) -> int:
    """Stills that were merged stand for as many scans of the truth."""
    return scan.frames if scan.scanned_axis is None else 1


def _difference(part: Experiment, scan, pose: Pose, centres: bool) -> np.ndarray:
    """Differences of one scan from one pose."""
    if len(scan.panels) != len(pose.corners):
        return np.full(4, np.inf)
    if centres:
        own = np.array([panel.origin for panel in scan.panels])
        corners = float(np.linalg.norm(own - pose.first_centres, axis=-1).max())
    else:
        own = np.array([panel.corners() for panel in scan.panels])
        corners = float(np.linalg.norm(own - pose.corners, axis=-1).max())
    axes = settings = 0.0
    if pose.axes and part.goniometer:
        rotations = [axis for axis in part.goniometer if axis.kind == "rotation"]
        assert len(rotations) >= len(pose.axes)
        for axis, (direction, angle) in zip(rotations, pose.axes, strict=False):
            axes = max(axes, _angle(axis.vector, direction))
            start, increment = scan.settings[axis.id]
            if increment == 0 and len(pose.axes) > 1:
                settings = max(settings, _modulo(start - angle))
            elif increment and pose.oscillation:
                settings = max(settings, _modulo(start - pose.oscillation[0]), abs(increment - pose.oscillation[1]))
    return np.array([corners, axes, settings, abs(part.beam.wavelength / pose.wavelength - 1.0)])


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """The angle between two unit vectors in degrees, accurate for small ones."""
    return float(np.degrees(2.0 * np.arcsin(min(1.0, 0.5 * float(np.linalg.norm(one - other))))))


def _modulo(degrees: float) -> float:
    """How far an angle is from a whole number of turns."""
    return abs((degrees + 180.0) % 360.0 - 180.0)


def path_of(relative: str) -> Path:
    """A file of the corpus; HDF5 ones skip where nothing reads them."""
    if relative.startswith("hdf5"):
        pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    return CORPUS / relative
