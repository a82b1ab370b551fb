"""What one image tells in numbers, so that its pixels need not be kept."""

import hashlib

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.records import dataclass

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


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Numbers of one image.

    shape : (slow, fast) or with slower dimensions first; mean and valid count pixels that are no codes:
    not negative, not the largest value of an unsigned type, not the undefined value. negative : count
    of each of the most frequent negative values; distinct_negative : how many there are. at_largest : pixels with the
    largest value of the type, below_largest those with one of the ten values before it; at_maximum
    and below_maximum the same for the largest valid value. gap_rows, gap_columns : runs (first, end) of rows and
    columns without a valid pixel; overloaded counts pixels outside of them.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    pixels: int
    minimum: float
    maximum: float
    valid: int
    mean: float
    negative: tuple[tuple[float, int], ...]
    distinct_negative: int
    at_largest: int
    below_largest: int
    at_maximum: int
    below_maximum: int
    maximum_valid: float
    overloaded: int
    undefined: int
    gap_rows: tuple[tuple[int, int], ...]
    gap_columns: tuple[tuple[int, int], ...]
    digest: bytes

    @property
    def is_constant(self) -> bool:
        """True if all pixels hold one value."""
        return self.pixels > 0 and self.minimum == self.maximum

    @property
    def masked_share(self) -> float:
        """The share of pixels that hold a code."""
        return 1.0 - self.valid / self.pixels if self.pixels else 0.0


def measure(image: np.ndarray, levels: Levels) -> ImageFacts:
    """The numbers of one image; `nan` pixels of real images count as codes."""
    flat = np.ascontiguousarray(image).reshape(-1)
    is_real = image.dtype.kind in "fc"
    values = np.abs(flat) if image.dtype.kind == "c" else flat
    largest = _largest(image.dtype)
    codes = code_mask(values, levels)
    valid = int(codes.size - np.count_nonzero(codes))
    finite = values[np.isfinite(values)] if is_real else values
    maximum = float(finite.max()) if finite.size else np.nan
    good_maximum = maximum if is_real or not valid else float(np.max(values, where=~codes, initial=values.min()))
    negative, distinct = _negative(values)
    plane = codes.reshape(image.shape[-2:]) if image.ndim == 2 else None
    rows, columns = (_runs(plane, 1), _runs(plane, 0)) if plane is not None else ((), ())
    total = float(np.sum(values, where=~codes, dtype=np.float64))
    return ImageFacts(
        tuple(image.shape),
        image.dtype,
        int(flat.size),
        float(finite.min()) if finite.size else np.nan,
        maximum,
        valid,
        total / valid if valid else np.nan,
        negative,
        distinct,
        _count_outside(values == largest, image.shape, rows, columns) if largest != levels.undefined else 0,
        _count_below(values, largest),
        0 if is_real else int(np.count_nonzero(values == good_maximum)),
        0 if is_real else _count_below(values, good_maximum),
        good_maximum,
        _overloaded(values, image.shape, levels, rows, columns),
        int(np.count_nonzero(values == levels.undefined)) if np.isfinite(levels.undefined) else 0,
        rows,
        columns,
        hashlib.md5(flat.view(np.uint8), usedforsecurity=False).digest(),
    )


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


def _largest(dtype: np.dtype) -> float:
    """The largest value of an integer type."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else np.nan


def _negative(values: np.ndarray) -> tuple[tuple[tuple[float, int], ...], int]:
    """The most frequent negative values with their counts, and the number of distinct ones."""
    if values.dtype.kind not in "if" or not values.size or not values.min() < 0:
        return (), 0
    found, counts = np.unique(values[values < 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_CODES]
    return tuple((float(found[index]), int(counts[index])) for index in order), len(found)


def _count_below(values: np.ndarray, top: float) -> int:
    """How many pixels hold one of the ten values before a value."""
    if not np.isfinite(top):
        return 0
    return int(np.count_nonzero(values >= top - NEIGHBOURS)) - int(np.count_nonzero(values >= top))


def _count_outside(
    flags: np.ndarray, shape: tuple[int, ...], rows: tuple[tuple[int, int], ...], columns: tuple[tuple[int, int], ...]
) -> int:
    """How many pixels are flagged outside of the gaps."""
    if len(shape) == 2 and (rows or columns):
        plane = flags.reshape(shape)
        for first, end in rows:
            plane[first:end] = False
        for first, end in columns:
            plane[:, first:end] = False
    return int(np.count_nonzero(flags))


def _runs(codes: np.ndarray, axis: int) -> tuple[tuple[int, int], ...]:
    """Runs (first, end) of lines along an axis in which nearly all pixels are codes."""
    is_gap = codes.mean(axis=axis) >= GAP_SHARE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_gap, [False]]).astype(np.int8)))
    return tuple((int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True))


def _overloaded(
    values: np.ndarray,
    shape: tuple[int, ...],
    levels: Levels,
    rows: tuple[tuple[int, int], ...],
    columns: tuple[tuple[int, int], ...],
) -> int:
    """Pixels at or above the overload, without gaps and codes of an unsigned type."""
    if not np.isfinite(levels.overload):
        return 0
    over = values >= levels.overload
    if np.isfinite(levels.undefined):
        over &= values != levels.undefined
    if values.dtype.kind == "u" and levels.overload < np.iinfo(values.dtype).max:
        over &= values != np.iinfo(values.dtype).max
    return _count_outside(over, shape, rows, columns)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An image in blocks: mean of the valid pixels and their share, (slow, fast) float32; block in pixels."""

    mean: np.ndarray
    share: np.ndarray
    block: int


def thumbnail(image: np.ndarray, levels: Levels, blocks: int = 128) -> Thumbnail:
    """An image of (slow, fast) pixels in at most so many blocks along each side."""
    slow, fast = image.shape
    block = max(1, -(-max(slow, fast) // blocks))
    good = ~code_mask(image, levels)
    if np.isfinite(levels.overload):
        good &= image < levels.overload
    edges = np.arange(0, slow, block), np.arange(0, fast, block)
    total = np.add.reduceat(np.where(good, image, 0).astype(np.float32), edges[0], axis=0)
    total = np.add.reduceat(total, edges[1], axis=1)
    count = np.add.reduceat(np.add.reduceat(good.astype(np.float32), edges[0], axis=0), edges[1], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    return Thumbnail(mean.astype(np.float32), (count / block**2).astype(np.float32), block)
