"""A simulated experiment: what a generator must find again in the raw files made from it.

Frame: that of imgCIF, right-handed, X along the principal goniometer axis, Z towards the source, in
millimetres and degrees. `turn` is the angle about Z by which the laboratory of the raw files is turned
against it, 90 for a spindle that stands upright there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

X, Y, Z = np.eye(3)


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """The right-handed rotation about an axis: (3, 3)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    return np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross)


@dataclass(frozen=True)
class Axis:
    """A rotation of the goniometer, from the base inwards."""

    name: str
    vector: tuple[float, float, float]


@dataclass(frozen=True)
class Panel:
    """A flat panel with the detector at distance zero: first corner, directions, place in the array."""

    name: str
    corner: tuple[float, float, float]
    size: tuple[int, int]
    fast: tuple[float, float, float] = (1.0, 0.0, 0.0)
    slow: tuple[float, float, float] = (0.0, -1.0, 0.0)
    row: int = 0


@dataclass(frozen=True)
class Sweep:
    """A scan: settings of all axes at the start, which axis moves and how far, where the detector stands."""

    name: str
    settings: dict[str, float]
    moves: str | None
    step: float
    frames: int
    distance: float
    two_theta: float = 0.0

    def angles(self, frame: float) -> dict[str, float]:
        """The settings at a frame, which need not be whole."""
        moved = {self.moves: self.settings[self.moves] + frame * self.step} if self.moves else {}
        return {**self.settings, **moved}


@dataclass(frozen=True)
class Model:
    """The whole experiment."""

    axes: tuple[Axis, ...]
    panels: tuple[Panel, ...]
    sweeps: tuple[Sweep, ...]
    wavelength: float
    pixel: float
    probe: str = "x-ray"
    turn: float = 0.0
    exposure: float = 0.25
    overload: int = 60000
    cell: float = 45.0
    seed: int = 20260301
    detector: str = "Example 8k, S/N 07-0001"

    def placed(self, sweep: Sweep, panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First corner and directions of a panel during a scan, in the frame of imgCIF."""
        arm = rotation(X, sweep.two_theta)
        corner = arm @ (np.array(panel.corner) - sweep.distance * Z)
        return corner, arm @ np.array(panel.fast), arm @ np.array(panel.slow)

    def laboratory(self, vector: np.ndarray) -> np.ndarray:
        """A vector of the imgCIF frame in the laboratory of the raw files, Z towards the source."""
        turned = rotation(Z, self.turn) @ np.asarray(vector, float)
        return np.where(np.abs(turned) < 1e-15, 0.0, turned)

    def sample(self, sweep: Sweep, frame: float) -> np.ndarray:
        """How the crystal is turned at a frame: (3, 3)."""
        angles = sweep.angles(frame)
        turned = np.eye(3)
        for axis in self.axes:
            turned = turned @ rotation(np.array(axis.vector), angles[axis.name])
        return turned

    def only(self, sweeps: int) -> Model:
        """The same experiment with the first scans only."""
        return replace(self, sweeps=self.sweeps[:sweeps])


def expected(
    model: Model,
    external: dict[str, list[dict]] | None = None,
    by_panel: dict[str, list[dict | None]] | None = None,
) -> dict:
    """What a generator should describe, in the geometry schema; `by_panel` where panels have images of their own."""
    scans = []
    for sweep in model.sweeps:
        axes = []
        for axis in model.axes:
            step = sweep.step if axis.name == sweep.moves else 0.0
            axes.append(
                {
                    "id": axis.name,
                    "start": sweep.settings[axis.name],
                    "increment": step,
                    "range": round(step * sweep.frames, 10),
                }
            )
        scan = {
            "id": sweep.name,
            "frames": sweep.frames,
            "axes": axes,
            "panels": [_panel(model, sweep, panel) for panel in model.panels],
        }
        if external is not None:
            scan["external"] = external[sweep.name]
        if by_panel is not None:
            scan["panels"] = [{**panel, "external": by_panel[panel["id"]]} for panel in scan["panels"]]
        scans.append(scan)
    block = {
        "wavelengths": [model.wavelength],
        "source": [0.0, 0.0, 1.0],
        "goniometer": [{"id": axis.name, "type": "rotation", "vector": list(axis.vector)} for axis in model.axes],
        "scans": scans,
    }
    return {
        "schema": "imgcif-geometry/1",
        "tolerances": {"length": 1e-3, "angle": 1e-4},
        "files": [{"blocks": [block]}],
    }


def template(model: Model) -> dict:
    """What a description of a detector alone should become: panels that stand where they do, and no scan."""
    found = expected(model)
    (block,) = found["files"][0]["blocks"]
    (scan,) = block["scans"]
    block |= {"wavelengths": [], "scans": [], "panels": scan["panels"]}
    return found


def _panel(model: Model, sweep: Sweep, panel: Panel) -> dict:
    """One panel at the start of a scan."""
    corner, fast, slow = model.placed(sweep, panel)
    origin = corner + 0.5 * model.pixel * (fast + slow)
    return {
        "id": panel.name,
        "size": list(panel.size),
        "pixel_size": [model.pixel, model.pixel],
        "origin": _rounded(origin),
        "corner": _rounded(corner),
        "fast": _rounded(fast),
        "slow": _rounded(slow),
    }


def _rounded(vector: np.ndarray) -> list[float]:
    """Numbers without the last noise of the arithmetic."""
    return [round(float(part), 9) + 0.0 for part in vector]
