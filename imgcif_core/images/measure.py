"""What one image tells in numbers, so that its pixels need not be kept."""

import hashlib
import os
from functools import cache

import numpy as np

from imgcif_core.images.tally import STRIP, Levels, Tally, code_mask, largest_of, most_frequent, strips
from imgcif_core.records import dataclass

__all__ = ["ImageFacts", "Levels", "Thumbnail", "code_mask", "measure", "thumbnail"]


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
    tally = Tally(image, levels)
    for place, part in strips(flat, tally.step):
        tally.add(place, part)
    good = tally.maximum if tally.is_real or not tally.valid else tally.good_maximum
    largest = largest_of(image.dtype)
    at_largest, below_largest = tally.near(flat, largest)
    at_good, below_good = (0, 0) if tally.is_real else tally.near(flat, good)
    if tally.has_gaps and at_largest:
        at_largest = tally.outside_gaps(flat, largest, largest)
    rows, columns = tally.gap_rows, tally.gap_columns
    return ImageFacts(
        tuple(image.shape),
        image.dtype,
        int(flat.size),
        tally.minimum,
        tally.maximum,
        tally.valid,
        tally.total / tally.valid if tally.valid else np.nan,
        *most_frequent(tally.negative),
        at_largest if largest != levels.undefined else 0,
        below_largest,
        at_good,
        below_good,
        good,
        tally.overloaded(flat, good),
        tally.undefined,
        _runs(rows),
        _runs(columns),
        _digest(flat),
    )


def _runs(is_gap: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Runs (first, end) of lines that are gaps."""
    if not is_gap.any():
        return ()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_gap, [False]]).astype(np.int8)))
    return tuple((int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True))


@cache
def _factors() -> np.ndarray:
    """Odd numbers by chance, other ones in each process."""
    return np.frombuffer(os.urandom(8 * STRIP // 4), np.uint64) | np.uint64(1)


def _digest(flat: np.ndarray) -> bytes:
    """What tells images of this process apart: sums of products with numbers by chance, for each part of the image.

    Two images that differ share it once in 2^32 times at most (multilinear hashing); a digest that withstands
    whoever knows the numbers would take longer than all else that is counted.
    """
    octets = flat.view(np.uint8)
    factors = _factors()
    sums = []
    # The sums of the second series see the halves of each word exchanged, so that no bit counts by its sign alone.
    for begin in (0, 4):
        words = (
            octets[begin : begin + (len(octets) - begin) // 8 * 8].view(np.uint64)
            if len(octets) > begin
            else octets[:0]
        )
        parts = (words[place : place + len(factors)] for place in range(0, len(words), len(factors)))
        sums += [np.dot(part, factors[: len(part)]) for part in parts]
    ends = octets[:4].tobytes() + octets[-8:].tobytes()
    return hashlib.md5(np.array(sums, np.uint64).tobytes() + ends, usedforsecurity=False).digest()


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
    edges = np.arange(0, fast, block)
    totals, counts = [np.zeros((0, len(edges)), np.float32)], [np.zeros((0, len(edges)), np.float32)]
    # Whole blocks, as many rows of them as stay in the cache.
    step = block * max(1, STRIP // (block * max(1, fast)))
    for first in range(0, slow, step):
        part = image[first : first + step]
        bad = code_mask(part, levels)
        if np.isfinite(levels.overload):
            bad |= part >= levels.overload
        values = part.astype(np.float32)
        values[bad] = 0.0
        totals.append(np.add.reduceat(_block_rows(values, block), edges, axis=1))
        counts.append(np.add.reduceat(_block_rows(~bad, block), edges, axis=1))
    total, count = np.concatenate(totals), np.concatenate(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    return Thumbnail(mean.astype(np.float32), (count / block**2).astype(np.float32), block)


def _block_rows(values: np.ndarray, block: int) -> np.ndarray:
    """The sums of so many rows each: (blocks, fast) float32; of the last block those rows that are left."""
    whole = len(values) // block * block
    sums = values[:whole].reshape(-1, block, values.shape[1]).sum(axis=1, dtype=np.float32)
    rest = values[whole:].sum(axis=0, dtype=np.float32, keepdims=True)
    return np.concatenate([sums, rest]) if whole < len(values) else sums
