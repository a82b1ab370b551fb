"""A lattice where the beam centre may be far from where the geometry puts it."""

from dataclasses import replace

import numpy as np

from imgcif_core.records import dataclass
from imgcif_core.spots.geometry import Mapped, Reading, Sample
from imgcif_core.spots.lattice import (
    CLEAR,
    LEAST,
    PLANS,
    Fit,
    better,
    lattices,
    lattices_of,
    no_fit,
    peaks,
    refine,
    step_of,
    transform,
)

# Points along the grid of the transforms, and the shares of the largest |q| within which spots are put on it, the first
# with enough of them: of twelve simulated crystals the best shift at 0.55 lay within 1.1 pixels of the truth each time,
# those of 64 points or other shares missed two to seven of them; with 12 spots within 0.55 it missed.
GRID, LEVELS, ENOUGH = 96, (0.55, 0.75, 1.0), 24
# An edge in ångström that is to be found.
USUAL_EDGE = 40.0
# Vectors of which some must agree about a beam centre, and the likeliest centres about each place that are tried.
VECTORS, AGREE, MOVES = 600, 6, 3
# Vectors that agree best about a centre, from which a lattice is made.
STARTS = 60


def fit_elsewhere(sample: Sample, reading: Reading, reach: float, enough: float = CLEAR) -> Fit:
    """The best lattice if the beam centre may lie anywhere within so many pixels; none is looked for beyond a score.

    The size of the transform of each frame hardly depends on the beam centre: its peaks are vectors of the crystal,
    and the phases of all frames together then tell the centre. As the Ewald sphere is curved this holds for some
    pixels only, so that it is done about several places.
    """
    best = no_fit(reading, sample.count)
    for place in _places(sample.mapped(reading), reach):
        mapped = sample.mapped(reading, place.centre)
        length = np.linalg.norm(mapped.q, axis=1)
        level = next((one for one in LEVELS if np.count_nonzero(length <= one * length.max()) >= ENOUGH), 1.0)
        near = mapped.part(length <= level * length.max() * 1.0001)
        for move, starts in _moves(near, GRID, place.reach):
            moved = near.q + near.by_shift @ move
            for vectors in lattices_of(starts, moved, 0.002 * step_of(moved, GRID)):
                found = refine(sample, reading, vectors, level, place.centre + move)
                best = better(best, replace(found, plan=(GRID, level)))
        if best.score > enough:
            return best
    if best.by_frame:
        # With the centre known, the lattice may be found better.
        mapped = sample.mapped(reading, best.shift)
        length = np.linalg.norm(mapped.q, axis=1)
        for grid, level in ((GRID, LEVELS[0]), *PLANS):
            if best.score > enough:
                break
            near = mapped.q[length <= level * length.max() * 1.0001]
            for vectors in lattices(near, grid) if len(near) >= LEAST else ():
                found = refine(sample, reading, vectors, level, best.shift)
                best = better(best, replace(found, plan=(grid, level)))
    return best


def _moves(mapped: Mapped, grid: int, reach: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Shifts in pixels (2,) with which several vectors (m, 3) of the crystal have whole products, likeliest first."""
    parts = [mapped.q[mapped.shot == index] for index in np.unique(mapped.shot)]
    step = step_of(mapped.q, grid)
    wave = np.sum([np.abs(transform(part, step, grid)) ** 2 for part in parts], axis=0)
    vectors = peaks(wave, grid)[:VECTORS] / (grid * step)
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 1.4 / np.linalg.norm(mapped.q, axis=1).max()]
    if len(vectors) < 3:
        return []
    fine = max(0.5 / float(np.abs(_slopes(mapped, vectors)).max()), reach / 24)
    line = np.arange(-0.6 * reach, 0.6 * reach + fine, fine)
    shifts = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    agree = _agreement(mapped, vectors, shifts)
    # A vector is blind to shifts across it: several must agree.
    most = np.partition(agree, -AGREE, axis=1)[:, -AGREE:].sum(axis=1)
    found: list[int] = []
    for index in np.argsort(-most, kind="stable").tolist():
        if all(np.linalg.norm(shifts[index] - shifts[other]) > 2.5 * fine for other in found):
            found.append(index)
        if len(found) == MOVES:
            break
    return [(shifts[index], vectors[np.argsort(-agree[index], kind="stable")[:STARTS]]) for index in found]


def _slopes(mapped: Mapped, vectors: np.ndarray) -> np.ndarray:
    """Change of the products with vectors (v, 3) per pixel of a shift, on each frame: (frames, v, 2)."""
    numbers = np.unique(mapped.shot)
    return np.stack([vectors @ mapped.by_shift[mapped.shot == number].mean(axis=0) for number in numbers])


def _agreement(mapped: Mapped, vectors: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """How well vectors (v, 3) have whole products with all spots, for each shift (s, 2) in pixels: (s, v) -1 to 1.

    A shift turns the phase of a frame as a whole, as the spots of one frame move nearly alike.
    """
    total = np.zeros((len(shifts), len(vectors)), np.complex64)
    for number, slope in zip(np.unique(mapped.shot), _slopes(mapped, vectors), strict=True):
        own = np.exp(2j * np.pi * (vectors @ mapped.q[mapped.shot == number].T)).sum(axis=1).astype(np.complex64)
        total += own * np.exp(1j * (2.0 * np.pi * shifts @ slope.T).astype(np.float32))
    return np.asarray(total.real) / len(mapped.q)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a beam centre is looked for: pixels (2,), and how far about it."""

    centre: np.ndarray
    reach: float


def _places(mapped: Mapped, reach: float) -> list[_Place]:
    """Places that cover a circle of so many pixels, nearest first."""
    middle = np.array([mapped.by_shift[mapped.shot == index].mean(axis=0) for index in np.unique(mapped.shot)])
    number = np.unique(mapped.shot, return_inverse=True)[1]
    curved = float(np.sqrt(np.mean(np.sum((mapped.by_shift - middle[number]) ** 2, axis=(1, 2)))))
    step = float(np.clip(0.5 / (USUAL_EDGE * max(curved, 1e-9)), reach / 6, 2 * reach))
    line = step * np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    off = np.linalg.norm(grid, axis=1)
    order = np.argsort(off, kind="stable")
    return [_Place(grid[index], step) for index in order.tolist() if off[index] <= reach]
