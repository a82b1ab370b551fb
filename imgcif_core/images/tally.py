"""What is counted of the values of one image, strip by strip, so that each strip stays in the cache of a core."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.records import dataclass

# Elements that are counted at a time: so many stay in the cache of a core.
STRIP = 1 << 16
NEIGHBOURS = 10
MAX_CODES = 8
# A row or column is a gap if all but so large a share of its pixels hold a code of invalid pixels.
GAP_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Levels:
    """Limits of valid values that the tables state; nan where they do not."""

    overload: float
    underload: float
    undefined: float


def code_mask(values: np.ndarray, levels: Levels) -> Flags:
    """Where pixels hold a code and no count: bool like values."""
    if values.dtype.kind == "f":
        codes: Flags = ~np.isfinite(values)
    elif values.dtype.kind == "u":
        codes = values == np.iinfo(values.dtype).max
    else:
        codes = values < 0
    if np.isfinite(levels.undefined):
        codes |= values == levels.undefined
    return codes


def strips(flat: np.ndarray, step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Parts of some elements with the place of their first, as numbers of this machine that can be compared."""
    for place in range(0, flat.size, step):
        part = flat[place : place + step]
        if part.dtype.kind == "c":
            part = np.abs(part)
        elif part.dtype.kind == "b":
            part = part.view(np.uint8)
        yield place, part if part.dtype.isnative else part.astype(part.dtype.newbyteorder("="))


class Tally:
    """What is counted of an image in one pass, strip by strip; of an image of two dimensions in whole rows."""

    def __init__(self, image: np.ndarray, levels: Levels) -> None:
        self._levels, self._dtype = levels, image.dtype
        self._shape = image.shape if image.ndim == 2 and image.size else (0, 0)
        width = self._shape[1]
        # Codes of a column are summed as bytes: of no more rows.
        self.step = width * min(255, max(1, STRIP // width)) if width else STRIP
        self.is_real = image.dtype.kind in "fc"
        self._total_type = np.float64 if self.is_real or image.dtype.itemsize > 4 else np.int64
        self._highest: list[float] = []
        self._codes: tuple[np.ndarray, np.ndarray] | None = None
        self.minimum = self.maximum = self.good_maximum = np.nan
        self.valid, self.undefined, self.total = 0, 0, 0.0
        self.negative: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, place: int, part: np.ndarray) -> None:
        """Count a strip."""
        low, high = float(part.min()), float(part.max())
        finite, top = part, high
        if self.is_real and not (np.isfinite(low) and np.isfinite(high)):
            finite, top = part[np.isfinite(part)], float(np.fmax.reduce(part))
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
        self._highest.append(top)
        self.minimum, self.maximum = float(np.fmin(self.minimum, low)), float(np.fmax(self.maximum, high))
        has_undefined = low <= self._levels.undefined <= high
        has_mark = low < 0 if self._dtype.kind == "i" else high == largest_of(self._dtype) and self._dtype.kind == "u"
        if has_undefined or has_mark or finite is not part:
            self._add_with_codes(place, part, finite, high)
            return
        if low < 0:
            self.negative.append(_counted(part[part < 0]))
        self.valid += part.size
        self.total += float(part.sum(dtype=self._total_type))
        self.good_maximum = float(np.fmax(self.good_maximum, high))

    def _add_with_codes(self, place: int, part: np.ndarray, finite: np.ndarray, high: float) -> None:
        """Count a strip with codes, those of its rows and columns too."""
        codes = code_mask(part, self._levels)
        coded = part[codes]
        self.valid += part.size - coded.size
        if self._total_type is np.float64:
            # Codes are as large as can be: taken from a sum of reals, they would leave nothing of it.
            self.total += float(part[~codes].sum(dtype=np.float64))
        else:
            self.total += float(part.sum(dtype=np.int64) - coded.sum(dtype=np.int64))
        if not self.is_real and coded.size < part.size:
            good = part[~codes].max() if (coded == high).any() else high
            self.good_maximum = float(np.fmax(self.good_maximum, good))
        # All negative integers are codes.
        negative = finite[finite < 0] if self.is_real else coded[coded < 0] if self._dtype.kind == "i" else coded[:0]
        if negative.size:
            self.negative.append(_counted(negative))
        self.undefined += int(np.count_nonzero((part if self.is_real else coded) == self._levels.undefined))
        if self._shape[1]:
            if self._codes is None:
                self._codes = np.zeros(self._shape[0], np.int64), np.zeros(self._shape[1], np.int64)
            plane = codes.view(np.uint8).reshape(-1, self._shape[1])
            first = place // self._shape[1]
            self._codes[0][first : first + len(plane)] = plane.sum(axis=1, dtype=np.uint32)
            self._codes[1][:] += plane.sum(axis=0, dtype=np.uint8)

    @property
    def gap_rows(self) -> Flags:
        """Rows in which nearly all pixels are codes: (slow,) bool."""
        return self._codes[0] / self._shape[1] >= GAP_SHARE if self._codes is not None else np.zeros(0, bool)

    @property
    def gap_columns(self) -> Flags:
        """Columns in which nearly all pixels are codes: (fast,) bool."""
        return self._codes[1] / self._shape[0] >= GAP_SHARE if self._codes is not None else np.zeros(0, bool)

    @property
    def has_gaps(self) -> bool:
        """True if there are such rows or columns."""
        return bool(self.gap_rows.any() or self.gap_columns.any())

    def near(self, flat: np.ndarray, top: float) -> tuple[int, int]:
        """How many pixels hold a value, and one of the ten before it."""
        at_top = from_top = from_below = 0
        if not np.isfinite(top):
            return 0, 0
        for _, part in self._reaching(flat, top - NEIGHBOURS):
            from_below += _count_from(part, top - NEIGHBOURS)
            from_top += _count_from(part, top)
            # Codes may lie above the largest valid value.
            at_top += int(np.count_nonzero(part == _bound(part.dtype, top))) if top < self.maximum else 0
        return at_top if top < self.maximum else from_top, from_below - from_top

    def overloaded(self, flat: np.ndarray, good: float) -> int:
        """Pixels at or above the overload, without gaps and codes of an unsigned type; `good` is the largest valid."""
        overload = self._levels.overload
        is_mark_excluded = self._dtype.kind == "u" and overload < largest_of(self._dtype)
        has_other_marks = self.is_real or (self._dtype.kind == "u" and not is_mark_excluded)
        if not overload <= max(self._highest, default=np.nan) or (good < overload and not has_other_marks):
            return 0
        return self.outside_gaps(flat, overload, np.inf, is_mark_excluded=is_mark_excluded)

    def outside_gaps(self, flat: np.ndarray, low: float, high: float, *, is_mark_excluded: bool = False) -> int:
        """Pixels from one value to another that lie in no gap; undefined ones do not count above a limit."""
        rows, columns = self.gap_rows, self.gap_columns
        count = 0
        for place, part in self._reaching(flat, low):
            flags = part >= _bound(part.dtype, low)
            if high == np.inf and np.isfinite(self._levels.undefined):
                flags &= part != self._levels.undefined
            if is_mark_excluded:
                flags &= part != np.iinfo(part.dtype).max
            if self.has_gaps:
                plane = flags.reshape(-1, self._shape[1])
                first = place // self._shape[1]
                plane &= ~rows[first : first + len(plane), None]
                plane &= ~columns
            count += int(np.count_nonzero(flags))
        return count

    def _reaching(self, flat: np.ndarray, value: float) -> Iterator[tuple[int, np.ndarray]]:
        """The strips that hold a value at least as large."""
        for index, highest in enumerate(self._highest):
            if highest >= value:
                place = index * self.step
                yield next((place + at, part) for at, part in strips(flat[place : place + self.step], self.step))


def _bound(dtype: np.dtype, value: float) -> float:
    """The least number of a type that is not below a value: comparing integers with reals would convert them all."""
    if dtype.kind == "f":
        return value
    kind = np.iinfo(dtype)
    return int(min(max(math.ceil(value), kind.min), kind.max))


def _count_from(part: np.ndarray, value: float) -> int:
    """How many pixels hold a value or more, which the largest of them does."""
    return int(np.count_nonzero(part >= _bound(part.dtype, value))) if part.size else 0


def largest_of(dtype: np.dtype) -> float:
    """The largest value of an integer type."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else np.nan


def _counted(negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct negative values and their counts."""
    low = negative.min()
    if negative.dtype.kind == "i" and int(negative.max()) - int(low) < STRIP:
        counts = np.bincount(negative - low)
        found = np.flatnonzero(counts)
        return found + int(low), counts[found]
    return np.unique(negative, return_counts=True)


def most_frequent(
    negative: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[tuple[tuple[float, int], ...], int]:
    """The most frequent negative values with their counts, and the number of distinct ones."""
    if not negative:
        return (), 0
    found, inverse = np.unique(np.concatenate([values for values, _ in negative]), return_inverse=True)
    counts = np.bincount(inverse, weights=np.concatenate([counts for _, counts in negative])).astype(np.int64)
    order = np.argsort(-counts, kind="stable")[:MAX_CODES]
    return tuple((float(found[index]), int(counts[index])) for index in order), len(found)
