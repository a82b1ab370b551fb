"""Where the scattering of an image is centred: the shift of the detector that makes rings of it.

The background of a diffraction image depends on the scattering angle alone. If the beam meets the
detector elsewhere than stated, counts vary along each ring of constant angle; the shift with the least
variation shows the true centre. Polarization makes rings uneven, but evenly on both sides.
"""

import numpy as np

from imgcif_core.arrays import Floats, Integers
from imgcif_core.images.measure import Thumbnail
from imgcif_core.records import dataclass

BINS = 40
LEAST_BLOCKS = 400
# Share of valid pixels from which a block counts.
WHOLE = 0.6
# Share of the shorter side within which the centre is looked for.
REACH = 0.2
_STEPS = 7


@dataclass(frozen=True, slots=True)
class CentreEvidence:
    """A shift in pixels (fast, slow) from the stated to the observed centre, and how clear it is.

    unexplained_stated, unexplained_found : shares of the variance that the scattering angle does not
    explain; spread : pixels between the shifts of two halves of the blocks; fault : why nothing can be
    said, empty if something can.
    """

    shift: tuple[float, float]
    unexplained_stated: float
    unexplained_found: float
    spread: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of an image that count: positions (n, 3) mm, values (n,)."""

    positions: np.ndarray
    values: np.ndarray

    def part(self, which: np.ndarray) -> "_Blocks":
        """Some of the blocks."""
        return _Blocks(self.positions[which], self.values[which])


def find_centre(
    small: Thumbnail, origin: np.ndarray, fast_step: np.ndarray, slow_step: np.ndarray, beam: np.ndarray
) -> CentreEvidence:
    """Where the rings of an image are centred.

    Parameters
    ----------
    origin, fast_step, slow_step :
        Centre of the first pixel and steps to the next ones: (3,) mm.
    beam :
        Unit vector along which the beam travels: (3,).
    """
    blocks = _usable(small, origin, fast_step, slow_step)
    if len(blocks.values) < LEAST_BLOCKS:
        return CentreEvidence((0.0, 0.0), 1.0, 1.0, 0.0, "too few pixels with counts")
    reach = REACH * min(small.mean.shape) * small.block
    steps = np.stack([fast_step, slow_step])
    blocks = _without_peaks(blocks, beam)
    if not np.var(blocks.values) > 0:
        return CentreEvidence((0.0, 0.0), 1.0, 1.0, 0.0, "no background")
    stated = _unexplained(blocks, np.zeros(3), beam)
    shift, found = _search(blocks, steps, beam, reach)
    parity = np.arange(len(blocks.values)) % 2 == 0
    halves = [_search(blocks.part(which), steps, beam, reach)[0] for which in (parity, ~parity)]
    spread = float(np.hypot(*(halves[0] - halves[1])))
    fault = "rings are centred beyond the range of the search" if np.abs(shift).max() > 0.95 * reach else ""
    return CentreEvidence((float(shift[0]), float(shift[1])), stated, found, spread, fault)


def _usable(small: Thumbnail, origin: np.ndarray, fast_step: np.ndarray, slow_step: np.ndarray) -> _Blocks:
    """Blocks that are mostly valid; square roots make the noise of counting even."""
    which = (small.share >= WHOLE) & np.isfinite(small.mean)
    slow, fast = np.nonzero(which)
    centre = 0.5 * (small.block - 1)
    along, down = fast * small.block + centre, slow * small.block + centre
    positions = origin + along[:, None] * fast_step + down[:, None] * slow_step
    return _Blocks(positions, np.sqrt(np.maximum(small.mean[which], 0.0)).astype(np.float64))


def _angles(positions: Floats, beam: Floats) -> Floats:
    """Scattering angles in radians: (n,)."""
    along = positions @ beam
    across = np.linalg.norm(positions - along[:, None] * beam, axis=1)
    found: Floats = np.arctan2(across, along)
    return found


def _bins(blocks: _Blocks, move: Floats, beam: Floats) -> Integers:
    """The ring of each block when the detector is moved: (n,) int."""
    angles = _angles(blocks.positions - move, beam)
    low, high = angles.min(), angles.max()
    found: Integers = np.minimum((angles - low) / max(high - low, 1e-12) * BINS, BINS - 1).astype(np.int64)
    return found


def _ring_means(blocks: _Blocks, rings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean value and number of blocks of each ring."""
    count = np.bincount(rings, minlength=BINS)
    total = np.bincount(rings, weights=blocks.values, minlength=BINS)
    return total / np.maximum(count, 1), count


def _unexplained(blocks: _Blocks, move: np.ndarray, beam: np.ndarray) -> float:
    """The share of the variance that remains within rings."""
    rings = _bins(blocks, move, beam)
    means, _ = _ring_means(blocks, rings)
    total = float(np.var(blocks.values))
    return float(np.mean((blocks.values - means[rings]) ** 2)) / total if total > 0 else 1.0


def _without_peaks(blocks: _Blocks, beam: np.ndarray) -> _Blocks:
    """The blocks without those far off the others of their ring: reflections, and shadows."""
    for _ in range(3):
        rings = _bins(blocks, np.zeros(3), beam)
        means, _ = _ring_means(blocks, rings)
        off = blocks.values - means[rings]
        width = np.median(np.abs(off)) * 1.4826
        kept = np.abs(off) <= 4.0 * max(width, 1e-9)
        if kept.all() or kept.sum() < LEAST_BLOCKS:
            break
        blocks = blocks.part(kept)
    return blocks


def _search(blocks: _Blocks, steps: np.ndarray, beam: np.ndarray, reach: float) -> tuple[np.ndarray, float]:
    """The shift (fast, slow) in pixels with the least variation along rings, and that variation."""
    centre, width = np.zeros(2), reach
    best = np.inf
    while width > 0.5:
        offsets = np.linspace(-width, width, _STEPS)
        grid = [(fast, slow) for fast in centre[0] + offsets for slow in centre[1] + offsets]
        costs = [_unexplained(blocks, np.array(shift) @ steps, beam) for shift in grid]
        at = int(np.argmin(costs))
        centre, best = np.array(grid[at]), costs[at]
        width *= 2.0 / (_STEPS - 1)
        centre = np.clip(centre, -reach, reach)
    return centre, float(best)
