"""A lattice through reciprocal positions: found by Fourier transform, fitted by least squares.

Positions of spots are put on a grid; peaks of its transform are real-space vectors of the crystal. Three of
them, not in one plane, are a lattice; its fit leaves the beam centre and the angle within each frame free.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from imgcif_core.spots.geometry import Mapped, Reading, Sample

# Points along the grid of a transform, and the share of the largest |q| within which spots are put on it: the
# transform knows vectors of up to some 0.23 points / |q|, so that large cells need low resolution or many points.
PLANS = ((64, 1.0), (64, 0.55), (64, 0.3), (128, 1.0), (128, 0.6), (64, 0.16))
QUICK = ((64, 1.0), (64, 0.55), (64, 0.3))
# The same where each frame is transformed by itself.
BY_FRAME = ((64, 1.0), (64, 0.55), (128, 1.0), (128, 0.6), (128, 0.3))
LEAST = 12
CANDIDATES, TRIED = 40, 14
# Distance from whole indices within which a spot belongs to a lattice: 3 % of all positions lie so near.
NEAR = 0.2
LOOSE = 0.3
# Score of a lattice from which no other is looked for.
CLEAR = 0.8
# Cubic ångström and share of the product of the edges: no crystal has a smaller or flatter cell.
LEAST_VOLUME, LEAST_FLAT = 25.0, 0.12
# Shift of the beam centre in pixels that a fit may make of itself.
MOST_SHIFT = 40.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A lattice under one reading.

    vectors : (3, 3) real-space vectors in rows, ångström, in the frame of the crystal; shift : (2,) pixels by
    which the detector had to be moved along fast and slow; inside : (n,) which spots lie on it; by_frame :
    share of the spots of each frame on it; distance : root mean square of theirs from whole indices;
    score : 0 to 1, the mean over frames of 1 - (distance / NEAR)**2 of their spots; plan : how it was found.
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
    sample: Sample, reading: Reading, starts: list[np.ndarray] | None = None, plans: Sequence[tuple[int, float]] = PLANS
) -> Fit:
    """The best lattice of the spots under one reading; `starts` are further lattices to begin with."""
    mapped = sample.mapped(reading)
    best = no_fit(reading, len(mapped.q))
    length = np.linalg.norm(mapped.q, axis=1)
    for vectors in starts or ():
        best = better(best, refine(sample, reading, vectors, 0.16))
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


def lattices(q: np.ndarray, grid: int, parts: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
    """Some lattices that explain reciprocal positions (n, 3): vectors in rows, best first.

    With `parts`, the positions of each frame, q are differences of positions within frames.
    """
    vectors, heights = candidates(q, grid, parts)
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


def candidates(q: np.ndarray, grid: int, parts: Sequence[np.ndarray] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Real-space vectors (m, 3) in ångström with which many positions have whole products, and how clearly."""
    top = max(float(np.abs(part).max()) for part in parts or (q,))
    step = 2.0 * top / (0.94 * grid)
    if parts:
        # The phase of each frame is open: the shift of the beam centre turns it.
        wave = sum(np.abs(_transform(part, step, grid)) ** 2 for part in parts).ravel()
    else:
        wave = _transform(q, step, grid).real.ravel()
    peaks = np.argpartition(-wave, 2500)[:2500]
    peaks = peaks[np.argsort(-wave[peaks], kind="stable")]
    places = np.stack(np.unravel_index(peaks, (grid, grid, grid // 2 + 1)), axis=1)
    places = np.where(places >= grid // 2, places - grid, places)
    vectors = places / (grid * step)
    # Shorter than twice the resolution are shoulders of the peak at zero.
    far = np.linalg.norm(vectors, axis=1) > 1.4 / np.linalg.norm(q, axis=1).max()
    vectors = _sharpen(_apart(vectors[far], 1.8 / (grid * step)), q)
    heights = np.cos(2.0 * np.pi * (vectors @ q.T)).mean(axis=1)
    kept: list[int] = []
    for index in np.argsort(-heights, kind="stable").tolist():
        one = vectors[index]
        if heights[index] > 0.15 and all(
            min(np.linalg.norm(one - vectors[other]), np.linalg.norm(one + vectors[other])) > 0.02 * np.linalg.norm(one)
            for other in kept
        ):
            kept.append(index)
    return vectors[kept], heights[kept] - 0.002 * np.linalg.norm(vectors[kept], axis=1) * step


def _transform(q: np.ndarray, step: float, grid: int) -> np.ndarray:
    """The Fourier transform of positions on a grid of steps per ångström."""
    cells = np.rint(q / step).astype(np.int64) % grid
    density = np.bincount((cells[:, 0] * grid + cells[:, 1]) * grid + cells[:, 2], minlength=grid**3)
    return np.fft.rfftn(density.reshape(grid, grid, grid).astype(np.float32))


def _apart(vectors: np.ndarray, distance: float) -> np.ndarray:
    """The first of the vectors that lie near each other, at most so many as are looked at."""
    kept: list[np.ndarray] = []
    left = vectors
    while len(left) and len(kept) < CANDIDATES:
        first = left[0]
        kept.append(first)
        near = np.minimum(np.linalg.norm(left - first, axis=1), np.linalg.norm(left + first, axis=1)) < distance
        left = left[~near]
    return np.array(kept).reshape(-1, 3)


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


def refine(sample: Sample, reading: Reading, vectors: np.ndarray, level: float, shift: np.ndarray | None = None) -> Fit:
    """A lattice fitted to the spots, from those at low resolution to all."""
    start = np.zeros(2) if shift is None else shift
    moved = start.copy()
    mapped = sample.mapped(reading, start)
    length = np.linalg.norm(mapped.q, axis=1)
    cuts = [cut for cut in (0.16, 0.3, 0.45, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0) if cut >= level]
    for turn, cut in enumerate(cuts):
        tolerance = LOOSE if turn < len(cuts) - 2 else NEAR
        _, off = misfit(mapped, vectors, moved - start)
        inside = (np.sum(off**2, axis=1) < tolerance**2) & (length <= cut * length.max() * 1.0001)
        if np.count_nonzero(inside) < 8:
            break
        step = _solve(mapped.part(inside), vectors, off[inside])
        vectors = vectors + step[0]
        moved = moved + step[1]
        if not np.isfinite(vectors).all() or np.abs(moved - start).max() > MOST_SHIFT:
            return no_fit(reading, len(length))
    edges = np.linalg.norm(vectors, axis=1).prod()
    if not abs(np.linalg.det(vectors)) > max(LEAST_VOLUME, LEAST_FLAT * edges):
        return no_fit(reading, len(length))
    return _judged(sample, reading, mapped, vectors, moved, start)


def _judged(
    sample: Sample, reading: Reading, mapped: Mapped, vectors: np.ndarray, moved: np.ndarray, start: np.ndarray
) -> Fit:
    """What lies on a lattice, frame by frame."""
    _, off = misfit(mapped, vectors, moved - start)
    square = np.sum(off**2, axis=1)
    inside = square < NEAR**2
    total = np.bincount(mapped.shot, minlength=len(sample.shots))
    hits = np.bincount(mapped.shot[inside], minlength=len(sample.shots))
    shares = tuple(float(hit / count) if count else 0.0 for hit, count in zip(hits, total, strict=True))
    distance = float(np.sqrt(square[inside].mean())) if inside.any() else 1.0
    worth = np.bincount(mapped.shot, weights=np.maximum(1.0 - square / NEAR**2, 0.0), minlength=len(sample.shots))
    score = float(np.mean(worth[total > 0] / total[total > 0])) if total.any() else 0.0
    return Fit(reading, vectors, moved, inside, shares, distance, score)


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


def fit_elsewhere(sample: Sample, reading: Reading, reach: float) -> Fit:
    """The best lattice if the beam centre may lie anywhere within so many pixels.

    Differences of spots of one frame hardly depend on the beam centre: they give the lattice, and the
    positions themselves then the centre.
    """
    mapped = sample.mapped(reading)
    best = no_fit(reading, len(mapped.q))
    length = np.linalg.norm(mapped.q, axis=1)
    for grid, level in BY_FRAME:
        near = length <= level * length.max() * 1.0001
        parts = [mapped.q[near & (mapped.shot == index)][:80] for index in range(len(sample.shots))]
        parts = [part for part in parts if len(part) > 4]
        if sum(len(part) for part in parts) < LEAST:
            continue
        pairs = [np.triu_indices(len(part), 1) for part in parts]
        pool = np.concatenate([part[first] - part[second] for part, (first, second) in zip(parts, pairs, strict=True)])
        for vectors in lattices(pool, grid, parts):
            best = better(best, refine(sample, reading, vectors, 0.3, _shift(mapped, vectors, reach)))
        if best.score > CLEAR:
            break
    return best


def _shift(mapped: Mapped, vectors: np.ndarray, reach: float) -> np.ndarray:
    """The shift in pixels (2,) with which the most positions are whole, of equals the smallest."""
    slope = np.einsum("ij,njk->nik", vectors, mapped.by_shift).mean(axis=0)
    step = min(max(0.15 / max(np.abs(slope).max(), 1e-9), 0.5), reach / 8)
    line = np.arange(-reach, reach + step, step)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    rows = slice(0, 90)
    phase = mapped.q[rows] @ vectors.T
    total = np.zeros(len(grid))
    by_shift = np.einsum("ij,njk->nik", vectors, mapped.by_shift[rows])
    for spot, change in zip(phase, by_shift, strict=True):
        products = spot[:, None] + change @ grid.T
        off = products - np.round(products)
        total += np.sum(off**2, axis=0) < LOOSE**2
    total -= 0.02 * len(phase) * np.linalg.norm(grid, axis=1) / reach
    return grid[int(np.argmax(total))]
