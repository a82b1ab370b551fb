"""Where a lattice puts its spots on each frame, and how many of those that were found lie there."""

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.records import dataclass
from imgcif_core.spots.geometry import Face, Sample, Shot
from imgcif_core.spots.lattice import Fit

# Pixels within which a predicted spot is found again.
FOUND = 3.0
# Indices that are tried at most: beyond, a cell has more spots than frames tell apart.
MOST_INDICES = 3_000_000
# Degrees over which a reflection lasts beside the turn of the frame: beams and crystals are not perfect, and
# reflections of fine slices are seen on three or four of a tenth of a degree.
MOSAIC = 0.3


@dataclass(frozen=True, slots=True)
class Predicted:
    """One frame: predicted pixels (m, 2) by panel, and the distance in pixels of each found spot from the nearest."""

    label: str
    pixels: tuple[np.ndarray, ...]
    off: np.ndarray

    @property
    def again(self) -> int:
        """Found spots that lie where one is predicted."""
        return int(np.count_nonzero(self.off <= FOUND))


def predict(sample: Sample, fit: Fit) -> list[Predicted]:
    """The spots of a lattice on all frames, under the reading with which it was fitted."""
    points = _points(sample, fit)
    return [_on_frame(sample, shot, fit, points) for shot in sample.shots]


@dataclass(frozen=True, slots=True)
class Refound:
    """How many spots were found where they are predicted, of how many, and how many would be by chance."""

    again: int
    of: int
    expected: float


def refound(sample: Sample, fit: Fit) -> Refound:
    """The prediction of a lattice against the spots of all frames."""
    again, expected = 0, 0.0
    for frame, shot in zip(predict(sample, fit), sample.shots, strict=True):
        again += frame.again
        for here, face, spots in zip(frame.pixels, shot.faces, shot.spots, strict=True):
            covered = len(here) * np.pi * FOUND**2 / (face.size[0] * face.size[1])
            expected += len(spots) * float(-np.expm1(-covered))
    return Refound(again, sample.count, expected)


def _points(sample: Sample, fit: Fit) -> Floats:
    """Reciprocal lattice points (n, 3) as far out as spots were found."""
    top = float(np.linalg.norm(sample.mapped(fit.reading, fit.shift).q, axis=1).max()) * 1.02
    star = np.linalg.inv(fit.vectors)
    most = np.floor(np.linalg.norm(fit.vectors, axis=1) * top).astype(int)
    if np.prod(2.0 * most + 1.0) > MOST_INDICES:
        return np.zeros((0, 3))
    grid = np.stack(np.meshgrid(*(np.arange(-end, end + 1) for end in most), indexing="ij"), axis=-1).reshape(-1, 3)
    points = grid @ star.T
    length = np.linalg.norm(points, axis=1)
    found: Floats = points[(length > 0) & (length <= top)]
    return found


def _on_frame(sample: Sample, shot: Shot, fit: Fit, points: np.ndarray) -> Predicted:
    """The predicted spots of one frame, and how far the found ones lie from them."""
    middle = points @ shot.rotation(fit.reading.axes).T
    axis, half = shot.rate(fit.reading.axes)
    half += 0.5 * np.radians(MOSAIC)
    axis = axis if axis.any() else np.array([1.0, 0.0, 0.0])
    # Points that no turn so small takes to the Ewald sphere are most of them.
    far = np.abs(np.linalg.norm(middle + unit(shot.beam) / shot.wavelength, axis=1) - 1.0 / shot.wavelength)
    middle = middle[far <= 1.01 * half * np.linalg.norm(middle, axis=1)]
    ends = [middle @ rotation_matrices(axis, np.array([np.degrees(turn)]))[0].T for turn in (-half, half)]
    beam = unit(shot.beam) / shot.wavelength
    before, after = (np.linalg.norm(end + beam, axis=1) - 1.0 / shot.wavelength for end in ends)
    crosses = (before > 0) != (after > 0)
    share = (before / np.where(crosses, before - after, 1.0))[crosses, None]
    rays = ends[0][crosses] * (1.0 - share) + ends[1][crosses] * share + beam
    pixels, off = [], []
    for face, spots in zip(shot.faces, shot.spots, strict=True):
        here = _meet(sample, face, fit, rays)
        pixels.append(here)
        found = np.stack([spots.fast, spots.slow], axis=1)
        if len(here) and len(found):
            off.append(np.linalg.norm(found[:, None] - here[None], axis=2).min(axis=1))
        else:
            off.append(np.full(len(found), np.inf))
    return Predicted(shot.label, tuple(pixels), np.concatenate(off) if off else np.zeros(0))


def _meet(sample: Sample, face: Face, fit: Fit, rays: np.ndarray) -> np.ndarray:
    """Stored pixels (m, 2) of one panel that rays (n, 3) from the sample meet, under the reading of a fit."""
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    first, fast, slow = sample.place(face, corner[:, 0], corner[:, 1], fit.reading, fit.shift)
    matrix = np.stack([fast - first, slow - first, first], axis=1)
    solved = rays @ np.linalg.inv(matrix).T
    ahead = solved[:, 2] > 1e-9
    pixels = solved[ahead, :2] / solved[ahead, 2:]
    inside = ((pixels > -0.5) & (pixels < np.array(face.size) - 0.5)).all(axis=1)
    return np.asarray(pixels[inside])
