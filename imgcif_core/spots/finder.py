"""Strong spots of an image: pixels above the noise of their neighbourhood, in connected groups.

The threshold is that of the index of dispersion: where counts are those of a flat background, their
variance about the local mean equals that mean; a spot raises the variance.
"""

import numpy as np

from imgcif_core.images.groups import touching
from imgcif_core.images.measure import Levels, code_mask
from imgcif_core.records import dataclass

# Half the side of the square of neighbours, in pixels.
REACH = 3
SIDE = 2 * REACH + 1
# Standard deviations: of the index of dispersion, and of a pixel above the local mean.
DISPERSED = 6.0
ABOVE = 3.0
LEAST_PIXELS, MOST_PIXELS = 3, 600
# With more strong pixels than this share an image is no diffraction of a crystal.
MOST_STRONG = 0.05
# Rows of an image that are summed at a time.
_STRIP = 256


@dataclass(frozen=True, slots=True)
class Spots:
    """The spots of one image, strongest first; immutable.

    fast, slow : (n,) centres in pixels, 0 at the centre of the first stored one; counts : (n,) above the
    background; pixels : (n,) size.
    """

    fast: np.ndarray
    slow: np.ndarray
    counts: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.fast)

    def part(self, which: np.ndarray) -> "Spots":
        """Some of the spots, by mask or index."""
        return Spots(self.fast[which], self.slow[which], self.counts[which], self.pixels[which])


NO_SPOTS = Spots(*(np.zeros(0) for _ in range(4)))


def find_spots(image: np.ndarray, levels: Levels, most: int = 1000) -> Spots:
    """The strongest spots of an image (slow, fast), at most so many."""
    if image.ndim != 2 or min(image.shape) < 2 * SIDE or image.dtype.kind not in "iuf":
        return NO_SPOTS
    bad = code_mask(image, levels)
    is_over = None
    if np.isfinite(levels.overload):
        is_over = (image >= levels.overload) & ~bad
        is_over = is_over if is_over.any() else None
        bad = bad if is_over is None else bad | is_over
    values = image.astype(np.float32)
    values[bad] = 0.0
    strong = _strong(values, bad)
    if is_over is not None:
        strong |= is_over
    if not strong.any() or np.count_nonzero(strong) > MOST_STRONG * strong.size:
        return NO_SPOTS
    rows, columns, level = _grow(values, bad, strong)
    height = values[rows, columns]
    if is_over is not None:
        height = np.where(is_over[rows, columns], levels.overload, height)
    return _centres(rows, columns, np.maximum(height - level, 1e-3), most)


def _strong(values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Pixels above the noise about them: bool like values; in strips, as the sums take many times the image."""
    strong = np.zeros(values.shape, dtype=bool)
    height = len(values)
    for first in range(0, height, _STRIP):
        end = min(first + _STRIP, height)
        low, high = max(0, first - REACH), min(height, end + REACH)
        strong[first:end] = _strong_within(values[low:high], bad[low:high])[first - low : end - low]
    return strong


def _strong_within(values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Pixels of one strip above the noise about them: bool like values."""
    count = _counts(bad)
    total, squares = box_sum(values), box_sum(values * values)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        # count * mean * (1 + limit) and the squares about the mean, compared without further divisions.
        limit = (count - 1.0 + DISPERSED * np.sqrt(2.0 * (count - 1.0))) * mean
        strong: np.ndarray = squares - total * mean > limit
        strong &= values > mean
    rows, columns = np.nonzero(strong)
    level = mean[rows, columns]
    kept = values[rows, columns] > level + ABOVE * np.sqrt(np.maximum(level, 1.0))
    kept &= ~bad[rows, columns] & (_at(count, rows, columns) >= 0.4 * SIDE**2)
    strong[:] = False
    strong[rows[kept], columns[kept]] = True
    return strong


def _counts(bad: np.ndarray) -> np.ndarray:
    """The number of good neighbours of each pixel; one row and column where all are good."""
    if bad.any():
        return box_sum(np.logical_not(bad).astype(np.float32))
    lines = [np.convolve(np.ones(size, np.float32), np.ones(SIDE, np.float32), "same") for size in bad.shape]
    return lines[0][:, None] * lines[1][None, :]


def _at(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values at some pixels."""
    return np.asarray(values[rows, columns])


def _grow(values: np.ndarray, bad: np.ndarray, strong: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strong pixels and the neighbours that belong to them (rows, columns), with the background there.

    A spot raises the mean about it, so that its flanks are judged by the mean of the other pixels.
    """
    height, width = strong.shape
    rows, columns = np.nonzero(strong)
    near = np.unique(
        np.concatenate(
            [
                np.clip(rows + down, 0, height - 1) * width + np.clip(columns + along, 0, width - 1)
                for down in (-1, 0, 1)
                for along in (-1, 0, 1)
            ]
        )
    )
    rows, columns = near // width, near % width
    total, count = np.zeros(len(near)), np.zeros(len(near))
    for down in range(-REACH - 1, REACH + 2):
        for along in range(-REACH - 1, REACH + 2):
            at = np.clip(rows + down, 0, height - 1), np.clip(columns + along, 0, width - 1)
            used = ~(bad[at] | strong[at])
            total += np.where(used, values[at], 0.0)
            count += used
    level = total / np.maximum(count, 1.0)
    kept = strong[rows, columns] | (
        ~bad[rows, columns] & (values[rows, columns] > level + ABOVE * np.sqrt(np.maximum(level, 1.0)))
    )
    return rows[kept], columns[kept], level[kept]


def box_sum(values: np.ndarray) -> np.ndarray:
    """The sum over the square of 7 x 7 about each pixel, cut at the edges: float32 like values."""
    for axis in (0, 1):
        pads = [(REACH, REACH) if axis == side else (0, 0) for side in (0, 1)]
        wide = np.moveaxis(np.pad(values, pads), axis, 0)
        two = wide[:-1] + wide[1:]
        four = two[:-2] + two[2:]
        four = four[: len(wide) - 6] + two[4 : len(wide) - 2]
        four += wide[6:]
        values = np.moveaxis(four, 0, axis)
    return values


def _centres(rows: np.ndarray, columns: np.ndarray, height: np.ndarray, most: int) -> Spots:
    """Groups of touching pixels as spots."""
    groups = touching(rows, columns)
    pixels = np.bincount(groups)
    counts = np.bincount(groups, weights=height)
    with np.errstate(divide="ignore", invalid="ignore"):
        slow = np.bincount(groups, weights=height * rows) / counts
        fast = np.bincount(groups, weights=height * columns) / counts
    kept = np.flatnonzero((pixels >= LEAST_PIXELS) & (pixels <= MOST_PIXELS))
    kept = kept[np.argsort(-counts[kept], kind="stable")][:most]
    return Spots(fast[kept], slow[kept], counts[kept], pixels[kept])
