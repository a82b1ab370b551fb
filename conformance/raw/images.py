"""Images with spots where the simulated crystal diffracts, and the byte_offset compression."""

from __future__ import annotations

import numpy as np

from .model import Model, Panel, Sweep

_BACKGROUND = 8
_SPOT = 900.0


def frame(model: Model, sweep: Sweep, number: int, panel: Panel) -> np.ndarray:
    """The counts of one panel in one frame, (slow, fast) int32."""
    generator = np.random.default_rng([model.seed, number, panel.row])
    counts = generator.poisson(_BACKGROUND, size=panel.size[::-1]).astype(float)
    corner, fast, slow = model.placed(sweep, panel)
    origin = corner + 0.5 * model.pixel * (fast + slow)
    rays = _rays(model, sweep, number)
    normal = np.cross(fast, slow)
    across = rays @ normal
    hit = np.abs(across) > 1e-9
    rays, across = rays[hit], across[hit]
    reach = (origin @ normal) / across
    points = reach[:, None] * rays - origin
    where = np.stack([points @ fast, points @ slow], axis=1)[reach > 0] / model.pixel
    columns, rows = np.meshgrid(np.arange(panel.size[0]), np.arange(panel.size[1]))
    for x, y in where[((where > -2) & (where < np.array(panel.size) + 2)).all(axis=1)]:
        counts += _SPOT * np.exp(-((columns - x) ** 2 + (rows - y) ** 2))
    return np.minimum(counts, model.overload - 1).astype(np.int32)


def _rays(model: Model, sweep: Sweep, number: int) -> np.ndarray:
    """Directions of the diffracted beams during a frame: (n, 3)."""
    limit = int(model.cell / max(2.0 * model.wavelength, 3.0)) if model.probe != "electron" else int(model.cell / 2.0)
    index = np.arange(-limit, limit + 1)
    hkl = np.stack(np.meshgrid(index, index, index), axis=-1).reshape(-1, 3)
    generator = np.random.default_rng(model.seed)
    setting, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    crystal = hkl[(hkl != 0).any(axis=1)] @ setting.T / model.cell
    incident = np.array([0.0, 0.0, -1.0 / model.wavelength])
    first, last = (
        _excess(crystal @ model.sample(sweep, number + end).T + incident, model.wavelength) for end in (0.0, 1.0)
    )
    crossing = first * last <= 0 if sweep.moves else np.abs(first) < 2e-4
    return crystal[crossing] @ model.sample(sweep, number + 0.5).T + incident


def _excess(vectors: np.ndarray, wavelength: float) -> np.ndarray:
    """How far vectors lie outside the Ewald sphere, in 1/angstrom."""
    return np.linalg.norm(vectors, axis=1) - 1.0 / wavelength


def byte_offset(counts: np.ndarray) -> bytes:
    """The differences between neighbours in one byte each, in more where they do not fit."""
    out = bytearray()
    previous = 0
    for value in counts.ravel().tolist():
        step = value - previous
        previous = value
        if -127 <= step <= 127:
            out += step.to_bytes(1, "little", signed=True)
        elif -32767 <= step <= 32767:
            out += b"\x80" + step.to_bytes(2, "little", signed=True)
        else:
            out += b"\x80\x00\x80" + step.to_bytes(4, "little", signed=True)
    return bytes(out)
