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
from imgcif_core.spots.chance import expected_by_chance
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
# Spots of known indices that make a lattice under another reading.
LEAST_CARRIED = 4
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
    which the detector had to be moved along fast and slow; worth : (n,) 1 - d**2 of each spot, d as by `away`, 0 off
    the lattice; by_frame : share of the spots of each frame on it; distance : root mean square of theirs from whole
    indices; score : 0 to 1, the mean over orientations of what their spots are worth; plan : how it was found;
    is_known : the cell was given, and its orientation free.
    """

    reading: Reading
    vectors: np.ndarray
    shift: np.ndarray
    worth: np.ndarray
    by_frame: tuple[float, ...]
    distance: float
    score: float
    plan: tuple[int, float] | None = None
    is_known: bool = False

    @property
    def share(self) -> float:
        """The mean share of the frames, so that no frame with many spots decides alone."""
        return float(np.mean(self.by_frame)) if self.by_frame else 0.0

    @property
    def inside(self) -> np.ndarray:
        """Which spots lie on the lattice: (n,)."""
        return self.worth > 0.0

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
    return Fit(reading, np.eye(3), np.zeros(2), np.zeros(count), (), 1.0, 0.0)


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
    step = step_of(q, grid)
    return lattices_of(peaks(transform(q, step, grid).real, grid) / (grid * step), q, 0.002 * step)


def lattices_of(vectors: np.ndarray, q: np.ndarray, per_length: float) -> list[np.ndarray]:
    """Some lattices of vectors (m, 3) near which true ones may lie, likeliest first.

    per_length : how much less an ångström of length makes of a vector, so that multiples come last.
    """
    vectors, heights = candidates(vectors, q, per_length)
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


def candidates(vectors: np.ndarray, q: np.ndarray, per_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Real-space vectors (m, 3) in ångström with which many positions have whole products, and how clearly."""
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
    return vectors[kept], heights[kept] - per_length * length[kept]


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


def carried(sample: Sample, fit: Fit, reading: Reading, is_held: bool = False) -> Fit:
    """A lattice carried to another reading with the indices that its spots have, and fitted there.

    The spots of one orientation lie on a lattice under every reading: what is found under one must be looked at
    under all. The indices are those of all spots on the lattice, or of those of one orientation; is_held : the
    detector stays where it is stated.
    """
    indices, _ = misfit(sample.mapped(fit.reading), fit.vectors, fit.shift)
    mapped = sample.mapped(reading)
    stance = np.array(sample.stances)[mapped.shot]
    most = int(np.argmax(np.bincount(stance[fit.inside]))) if fit.inside.any() else -1
    best = no_fit(reading, len(mapped.q))
    for own in (fit.inside, fit.inside & (stance == most)):
        if np.count_nonzero(own) < LEAST_CARRIED:
            continue
        moved, *_ = np.linalg.lstsq(mapped.q[own], np.round(indices[own]), rcond=None)
        cell = fit.vectors if fit.is_known else None
        found = refine(sample, reading, moved.T, 0.3, cell=cell, is_held=is_held)
        best = found if found.score > best.score else best
    return best


def refine(
    sample: Sample,
    reading: Reading,
    vectors: np.ndarray,
    level: float,
    shift: np.ndarray | None = None,
    cell: np.ndarray | None = None,
    is_held: bool = False,
) -> Fit:
    """A lattice fitted to the spots, from those at low resolution to all; of a cell that is known, its orientation.

    is_held : the detector stays where `shift` puts it.
    """
    start = np.zeros(2) if shift is None else shift
    moved = start.copy()
    vectors = vectors if cell is None else turned_cell(cell, vectors)
    mapped = sample.mapped(reading, start)
    length = np.linalg.norm(mapped.q, axis=1)
    cuts = [cut for cut in (0.16, 0.3, 0.45, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0) if cut >= level]
    for turn, cut in enumerate(cuts):
        _, off = misfit(mapped, vectors, moved - start)
        if turn >= len(cuts) - 2 and is_flat(vectors):
            return no_fit(reading, len(length))
        square = np.sum(off**2, axis=1) / LOOSE**2 if turn < len(cuts) - 2 else away(mapped, vectors, off)
        inside = (square < 1.0) & (length <= cut * length.max() * 1.0001)
        if np.count_nonzero(inside) < (8 if cell is None else 5):
            continue
        step = (_solve if cell is None else _turn)(mapped.part(inside), vectors, off[inside], is_held)
        vectors, moved = vectors + step[0], moved + step[1]
        if cell is not None and np.isfinite(vectors).all():
            vectors = turned_cell(cell, vectors)
        if not np.isfinite(vectors).all() or np.abs(moved - start).max() > MOST_SHIFT:
            return no_fit(reading, len(length))
    if is_flat(vectors):
        return no_fit(reading, len(length))
    return replace(_judged(sample, reading, mapped, vectors, moved, start), is_known=cell is not None)


def is_flat(vectors: Floats) -> bool:
    """True for edges (in rows) that span no cell of a crystal, so that points have no place by them."""
    edges = np.linalg.norm(vectors, axis=1).prod()
    return not abs(np.linalg.det(vectors)) > max(LEAST_VOLUME, LEAST_FLAT * edges)


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
    worth = np.maximum(1.0 - square, 0.0)
    total = np.bincount(stance)
    means = np.bincount(stance, weights=worth)[total > 0] / total[total > 0]
    return Fit(reading, vectors, moved, worth, shares, distance, float(np.mean(means)) if len(square) else 0.0)


def chance_of(sample: Sample, fit: Fit, reach: float = MOST_SHIFT) -> float:
    """Decimal logarithm of how many lattices as good spots strewn at random are expected to have under a reading.

    reach : pixels within which the beam centre was free.
    """
    if not fit.by_frame:
        return 0.0
    mapped = sample.mapped(fit.reading)
    _, off = misfit(mapped, fit.vectors, fit.shift)
    apart = np.linalg.norm(off @ np.linalg.inv(fit.vectors).T, axis=1)
    return expected_by_chance(mapped, apart, fit.volume, reach, fit.is_known)[0]


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


def _solve(
    mapped: Mapped, vectors: np.ndarray, off: np.ndarray, is_held: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of the vectors and of the shift that take the distances away, by least squares."""
    design = np.zeros((len(off), 3, 9))
    for row in range(3):
        design[:, row, 3 * row : 3 * row + 3] = mapped.q
    solved, shift = _least_squares(mapped, vectors, off, design, is_held)
    return solved.reshape(3, 3), shift


def _turn(mapped: Mapped, vectors: np.ndarray, off: np.ndarray, is_held: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The same where vectors may turn and scale together alone."""
    turning = np.cross(vectors[None], mapped.q[:, None])
    scaling = mapped.q @ vectors.T
    solved, shift = _least_squares(mapped, vectors, off, np.concatenate([turning, scaling[..., None]], axis=2), is_held)
    return np.cross(solved[:3], vectors) + solved[3] * vectors, shift


def _least_squares(
    mapped: Mapped, vectors: np.ndarray, off: np.ndarray, design: np.ndarray, is_held: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and shift that take distances away; design : (n, 3, k) change of the indices by each parameter."""
    own = design.shape[2]
    by_shift = np.einsum("ij,njk->nik", vectors, mapped.by_shift) * (0.0 if is_held else 1.0)
    whole = np.concatenate([design, by_shift], axis=2)
    scale = np.concatenate([np.full(own, np.abs(design).max()), np.full(2, max(np.abs(by_shift).max(), 1e-12))])
    # A little weight holds what the spots do not tell.
    damped = np.vstack([(whole / scale).reshape(-1, own + 2), 0.02 * np.eye(own + 2)])
    solved, *_ = np.linalg.lstsq(damped, np.concatenate([-off.ravel(), np.zeros(own + 2)]), rcond=None)
    solved = solved / scale
    return solved[:own], solved[own:]
