"""A lattice through reciprocal positions: found by Fourier transform, fitted by least squares.

Positions of spots are put on a grid; peaks of its transform are real-space vectors of the crystal. Three of
them, not in one plane, are a lattice; its fit leaves the beam centre and the angle within each frame free.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.records import dataclass
from imgcif_core.spots.geometry import Mapped, Reading, Sample

# Points along the grid of a transform, and the share of the largest |q| within which spots are put on it: the
# transform knows vectors of up to some 0.23 points / |q|, so that large cells need low resolution or many points.
PLANS = ((64, 1.0), (64, 0.55), (64, 0.3), (128, 1.0), (128, 0.6), (64, 0.16))
QUICK = ((64, 1.0), (64, 0.55), (64, 0.3))
LEAST = 12
CANDIDATES, TRIED = 40, 14
# Highest points of a transform that are looked at, and the neighbours of each.
PEAKS = 1500
_AROUND = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)])
# Distance from whole indices within which a spot belongs to a lattice: 3 % of all positions lie so near.
NEAR = 0.2
LOOSE = 0.3
# And in pixels: in small cells 0.2 of an index are 20 pixels, and no geometry that is right is so far off.
PIXELS = 4.0
# Score of a lattice from which no other is looked for.
CLEAR = 0.7
# Cubic ångström and share of the product of the edges: no crystal has a smaller or flatter cell.
LEAST_VOLUME, LEAST_FLAT = 25.0, 0.12
# By so much the distance or the wavelength may be off, which scale a known cell.
MOST_SCALE = 0.03
# Shift of the beam centre in pixels that a fit may make of itself.
MOST_SHIFT = 40.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A lattice under one reading.

    vectors : (3, 3) real-space vectors in rows, ångström, in the frame of the crystal; shift : (2,) pixels by
    which the detector had to be moved along fast and slow; inside : (n,) which spots lie on it; by_frame :
    share of the spots of each frame on it; distance : root mean square of theirs from whole indices;
    score : 0 to 1, the mean over orientations of 1 - d**2 of their spots, d as by `away`; plan : how it was found.
    """

    reading: Reading
    vectors: np.ndarray
    shift: np.ndarray
    inside: np.ndarray
    by_frame: tuple[float, ...]
    distance: float
    score: float
    plan: tuple[int, float] | None = None

    @property
    def share(self) -> float:
        """The mean share of the frames, so that no frame with many spots decides alone."""
        return float(np.mean(self.by_frame)) if self.by_frame else 0.0

    @property
    def indexed(self) -> int:
        """The number of spots on the lattice."""
        return int(np.count_nonzero(self.inside))

    @property
    def volume(self) -> float:
        """Volume of the cell in cubic ångström."""
        return float(abs(np.linalg.det(self.vectors)))


def no_fit(reading: Reading, count: int) -> Fit:
    """No lattice at all."""
    return Fit(reading, np.eye(3), np.zeros(2), np.zeros(count, dtype=bool), (), 1.0, 0.0)


def fit_lattice(
    sample: Sample,
    reading: Reading,
    starts: Sequence[np.ndarray] = (),
    plans: Sequence[tuple[int, float]] = PLANS,
    cell: np.ndarray | None = None,
) -> Fit:
    """The best lattice of the spots under one reading; `starts` are lattices to begin with of a cell that is known."""
    mapped = sample.mapped(reading)
    best = no_fit(reading, len(mapped.q))
    length = np.linalg.norm(mapped.q, axis=1)
    for vectors in starts:
        best = better(best, refine(sample, reading, vectors, 0.16, cell=cell))
    for grid, level in plans:
        which = length <= level * length.max() * 1.0001
        if np.count_nonzero(which) < LEAST:
            continue
        if best.score > CLEAR:
            break
        for vectors in lattices(mapped.q[which], grid):
            best = better(best, replace(refine(sample, reading, vectors, level), plan=(grid, level)))
    return best


def better(one: Fit, other: Fit) -> Fit:
    """The one with more spots; of two that are alike the smaller cell."""
    if abs(one.score - other.score) < 0.03 and one.by_frame:
        return one if one.volume <= other.volume * 1.02 else other
    return one if one.score >= other.score else other


def lattices(q: np.ndarray, grid: int) -> list[np.ndarray]:
    """Some lattices that explain reciprocal positions (n, 3): vectors in rows, best first."""
    vectors, heights = candidates(q, grid)
    if len(vectors) < 3:
        return []
    order = np.argsort(-heights, kind="stable")[:TRIED]
    chosen = vectors[order]
    triples = np.array(list(combinations(range(len(chosen)), 3)))
    cells = chosen[triples]
    lengths = np.linalg.norm(cells, axis=2)
    volumes = np.abs(np.linalg.det(cells))
    flat = volumes / np.maximum(lengths.prod(axis=1), 1e-9)
    solid = (flat > 0.2) & (volumes > LEAST_VOLUME)
    cells, volumes = cells[solid], volumes[solid]
    if not len(cells):
        return []
    indices = cells @ q.T
    off = np.sum((indices - np.round(indices)) ** 2, axis=1)
    hits = np.count_nonzero(off < NEAR**2, axis=1)
    found = []
    # The smallest cell with nearly the most spots, then the one with the most.
    for share in (0.93, 1.0):
        good = np.flatnonzero(hits >= share * hits.max())
        found.append(cells[good[np.argmin(volumes[good])]])
    return found[:1] if np.allclose(found[0], found[1]) else found


def candidates(q: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Real-space vectors (m, 3) in ångström with which many positions have whole products, and how clearly."""
    step = step_of(q, grid)
    vectors = peaks(transform(q, step, grid).real, grid) / (grid * step)
    # Shorter than twice the resolution are shoulders of the peak at zero.
    far = np.linalg.norm(vectors, axis=1) > 1.4 / np.linalg.norm(q, axis=1).max()
    vectors = _sharpen(vectors[far][:CANDIDATES], q)
    heights = np.cos(2.0 * np.pi * (vectors @ q.T)).mean(axis=1)
    order = np.argsort(-heights, kind="stable")
    vectors, heights = vectors[order], heights[order]
    length = np.linalg.norm(vectors, axis=1)
    apart = np.minimum(
        np.linalg.norm(vectors[:, None] - vectors, axis=2), np.linalg.norm(vectors[:, None] + vectors, axis=2)
    )
    near = apart <= 0.02 * length[:, None]
    kept: list[int] = []
    for index in np.flatnonzero(heights > 0.15).tolist():
        if not near[index, kept].any():
            kept.append(index)
    return vectors[kept], heights[kept] - 0.002 * length[kept] * step


def step_of(q: np.ndarray, grid: int) -> float:
    """Steps per ångström of a grid that holds all positions."""
    return 2.0 * float(np.abs(q).max()) / (0.94 * grid)


def peaks(wave: np.ndarray, grid: int) -> np.ndarray:
    """Places (m, 3) of the highest points of a transform that no neighbour exceeds, highest first."""
    flat = wave.ravel()
    order = np.argpartition(-flat, PEAKS)[:PEAKS]
    order = order[np.argsort(-flat[order], kind="stable")]
    places = np.stack(np.unravel_index(order, wave.shape), axis=1)
    around = (places[:, None] + _AROUND).reshape(-1, 3)
    # The half that is not stored is the same seen through the middle.
    around = np.where(around[:, 2:] < 0, -around, around)
    around = np.where(around[:, 2:] > grid // 2, grid - around, around) % grid
    highest = wave[around[:, 0], around[:, 1], around[:, 2]].reshape(len(places), -1).max(axis=1)
    places = places[flat[order] >= highest]
    found: np.ndarray = np.where(places >= grid // 2, places - grid, places)
    return found


def transform(q: np.ndarray, step: float, grid: int) -> np.ndarray:
    """The Fourier transform of positions on a grid of steps per ångström."""
    cells = np.rint(q / step).astype(np.int64) % grid
    density = np.bincount((cells[:, 0] * grid + cells[:, 1]) * grid + cells[:, 2], minlength=grid**3)
    return np.fft.rfftn(density.reshape(grid, grid, grid).astype(np.float32))


def _sharpen(vectors: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Vectors moved to where most products with the positions are whole."""
    for tolerance in (0.3, 0.25, 0.2):
        products = vectors @ q.T
        whole = np.round(products)
        weight = (np.abs(products - whole) < tolerance).astype(float)
        normal = np.einsum("mn,ni,nj->mij", weight, q, q, optimize=True) + 1e-9 * np.eye(3)
        right = (weight * whole) @ q
        vectors = np.linalg.solve(normal, right[..., None])[..., 0]
    return vectors


def judged(sample: Sample, fit: Fit, shift: np.ndarray) -> Fit:
    """The same lattice with another shift of the detector."""
    return _judged(sample, fit.reading, sample.mapped(fit.reading, shift), fit.vectors, shift, shift)


def refine(
    sample: Sample,
    reading: Reading,
    vectors: np.ndarray,
    level: float,
    shift: np.ndarray | None = None,
    cell: np.ndarray | None = None,
) -> Fit:
    """A lattice fitted to the spots, from those at low resolution to all; at last with a cell that is known."""
    start = np.zeros(2) if shift is None else shift
    moved = start.copy()
    mapped = sample.mapped(reading, start)
    length = np.linalg.norm(mapped.q, axis=1)
    cuts = [cut for cut in (0.16, 0.3, 0.45, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0) if cut >= level]
    for turn, cut in enumerate(cuts):
        _, off = misfit(mapped, vectors, moved - start)
        square = np.sum(off**2, axis=1) / LOOSE**2 if turn < len(cuts) - 2 else away(mapped, vectors, off)
        inside = (square < 1.0) & (length <= cut * length.max() * 1.0001)
        if np.count_nonzero(inside) < (8 if cell is None else 5):
            continue
        step = _solve(mapped.part(inside), vectors, off[inside])
        vectors = vectors + step[0]
        if cell is not None and turn > len(cuts) - 6 and np.isfinite(vectors).all():
            vectors = turned_cell(cell, vectors)
        moved = moved + step[1]
        if not np.isfinite(vectors).all() or np.abs(moved - start).max() > MOST_SHIFT:
            return no_fit(reading, len(length))
    edges = np.linalg.norm(vectors, axis=1).prod()
    if not abs(np.linalg.det(vectors)) > max(LEAST_VOLUME, LEAST_FLAT * edges):
        return no_fit(reading, len(length))
    return _judged(sample, reading, mapped, vectors, moved, start)


def turned_cell(cell: Floats, vectors: Floats) -> Floats:
    """A cell (edges in rows) turned as near as can be to other edges, and scaled a little as they are."""
    left, _, right = np.linalg.svd(np.linalg.solve(cell, vectors))
    scale = (abs(np.linalg.det(vectors)) / abs(np.linalg.det(cell))) ** (1.0 / 3.0)
    found: Floats = float(np.clip(scale, 1.0 - MOST_SCALE, 1.0 + MOST_SCALE)) * cell @ left @ right
    return found


def _judged(
    sample: Sample, reading: Reading, mapped: Mapped, vectors: np.ndarray, moved: np.ndarray, start: np.ndarray
) -> Fit:
    """What lies on a lattice, frame by frame."""
    _, off = misfit(mapped, vectors, moved - start)
    square = away(mapped, vectors, off)
    inside = square < 1.0
    total = np.bincount(mapped.shot, minlength=len(sample.shots))
    hits = np.bincount(mapped.shot[inside], minlength=len(sample.shots))
    shares = tuple(float(hit / count) if count else 0.0 for hit, count in zip(hits, total, strict=True))
    distance = float(np.sqrt(np.sum(off[inside] ** 2, axis=1).mean())) if inside.any() else 1.0
    stance = np.array(sample.stances)[mapped.shot]
    worth = np.bincount(stance, weights=np.maximum(1.0 - square, 0.0))
    spots = np.bincount(stance)
    score = float(np.mean(worth[spots > 0] / spots[spots > 0])) if len(square) else 0.0
    return Fit(reading, vectors, moved, inside, shares, distance, score)


def away(mapped: Mapped, vectors: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Squares (n,) of the distances from lattice points, 1 where a spot is no longer of the lattice.

    off : (n, 3) distances from whole indices. Both count: in parts of NEAR, and on the detector in parts of PIXELS.
    """
    apart = off @ np.linalg.inv(vectors).T
    pixel = np.linalg.norm(mapped.by_shift, axis=(1, 2)) / np.sqrt(2.0)
    return np.asarray(
        np.sum(off**2, axis=1) / NEAR**2 + np.sum(apart**2, axis=1) / np.maximum(PIXELS * pixel, 1e-12) ** 2
    )


def misfit(mapped: Mapped, vectors: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices and the distances from whole ones, (n, 3) each, at the best angle within each frame."""
    indices = (mapped.q + mapped.by_shift @ shift) @ vectors.T
    off = indices - np.round(indices)
    slope = mapped.by_turn @ vectors.T
    square = np.maximum(np.sum(slope**2, axis=1), 1e-30)
    turn = np.clip(-np.sum(off * slope, axis=1) / square, -mapped.half, mapped.half)
    return indices, off + turn[:, None] * slope


def _solve(mapped: Mapped, vectors: np.ndarray, off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps of the vectors and of the shift that take the distances away, by least squares."""
    count = len(off)
    design = np.zeros((count, 3, 11))
    for row in range(3):
        design[:, row, 3 * row : 3 * row + 3] = mapped.q
    design[:, :, 9:] = np.einsum("ij,njk->nik", vectors, mapped.by_shift)
    scale = np.concatenate([np.full(9, np.abs(mapped.q).max()), np.full(2, max(np.abs(design[:, :, 9:]).max(), 1e-12))])
    flat = (design / scale).reshape(-1, 11)
    # A little weight holds what the spots do not tell.
    damped = np.vstack([flat, 0.02 * np.eye(11)])
    solved, *_ = np.linalg.lstsq(damped, np.concatenate([-off.ravel(), np.zeros(11)]), rcond=None)
    solved = solved / scale
    return solved[:9].reshape(3, 3), solved[9:]
