"""Columns that count: frame1, frame2, ... in equal steps, known by a few numbers instead of their texts.

Large files consist of such columns. Two of them are compared by what they count, without a look at
their values.
"""

import re

import numpy as np

from imgcif_core.formats import suffix_pattern
from imgcif_core.records import dataclass

MIN_ROWS = 64
_MAX_DIGITS = 15
_LAST_DIGITS = re.compile(rb"(?P<prefix>.*?)(?P<digits>[0-9]+)(?P<suffix>[^0-9]*)\Z", re.S)
_LEFT_OUT = re.compile(suffix_pattern().encode(), re.I)


@dataclass(frozen=True, slots=True)
class Counting:
    """prefix + (first + row * step) + suffix, in `width` digits with leading zeros, 0 for none."""

    prefix: bytes
    suffix: bytes
    first: int
    step: int
    width: int
    rows: int

    @property
    def last(self) -> int:
        """The number in the last row."""
        return self.first + self.step * (self.rows - 1)

    @property
    def numbers(self) -> np.ndarray:
        """The numbers of all rows: (rows,) int64."""
        return self.first + self.step * np.arange(self.rows, dtype=np.int64)

    @property
    def has_even_width(self) -> bool:
        """True if all values have the same number of digits."""
        return self.width > 0 or len(str(self.first)) == len(str(self.last))

    def is_spelt_like(self, other: "Counting") -> bool:
        """True if equal numbers are equal texts in both."""
        return (self.prefix, self.suffix, self.width) == (other.prefix, other.suffix, other.width)

    def missing_from(self, other: "Counting") -> np.ndarray:
        """The rows whose number the other, spelt alike, does not reach: (n,) int64."""
        numbers = self.numbers
        place, rest = np.divmod(numbers - other.first, other.step)
        return np.flatnonzero((rest != 0) | (place < 0) | (place >= other.rows))


def find_counting(data: bytes, array: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Counting | None:
    """How unquoted values count, None where they do not.

    Parameters
    ----------
    data, array :
        The file as bytes and as (n,) uint8.
    starts, ends :
        Byte ranges of the values: (rows,) each.
    """
    rows = len(starts)
    if rows < MIN_ROWS:
        return None
    guess = _guess(data[starts[0] : ends[0]], data[starts[1] : ends[1]], rows)
    if guess is None:
        return None
    numbers = guess.numbers
    digits = np.full(rows, guess.width) if guess.width else _digit_counts(numbers)
    if (ends - starts != digits + (len(guess.prefix) + len(guess.suffix))).any():
        return None
    if not _holds(array, starts, guess.prefix) or not _holds(array, ends - len(guess.suffix), guess.suffix):
        return None
    return guess if _counts(array, ends - len(guess.suffix) - 1, numbers, digits) else None


def _guess(first: bytes, second: bytes, rows: int) -> Counting | None:
    """What the first two values say."""
    suffix = _LEFT_OUT.search(first)
    tail = suffix[0] if suffix else b""
    one = _LAST_DIGITS.match(first[: len(first) - len(tail)])
    two = _LAST_DIGITS.match(second[: len(second) - len(tail)])
    if one is None or two is None or max(len(one["digits"]), len(two["digits"])) > _MAX_DIGITS:
        return None
    start, step = int(one["digits"]), int(two["digits"]) - int(one["digits"])
    last = start + step * (rows - 1)
    if step == 0 or last < 0 or last >= 10**_MAX_DIGITS or one["prefix"][-1:] in (b"-", b"+", b"."):
        return None
    padded = [len(part) > 1 and part.startswith(b"0") for part in (one["digits"], two["digits"])]
    width = len(one["digits"]) if any(padded) else 0
    if width and (len(two["digits"]) != width or len(str(last)) > width):
        return None
    return Counting(one["prefix"], one["suffix"] + tail, start, step, width, rows)


def _digit_counts(numbers: np.ndarray) -> np.ndarray:
    """How many digits numbers have without leading zeros."""
    powers = 10 ** np.arange(1, _MAX_DIGITS + 1, dtype=np.int64)
    return np.searchsorted(powers, numbers, side="right") + 1


def _holds(array: np.ndarray, starts: np.ndarray, text: bytes) -> bool:
    """True if the same bytes stand at all offsets."""
    return all(bool((array[starts + index] == byte).all()) for index, byte in enumerate(text))


def _counts(array: np.ndarray, lasts: np.ndarray, numbers: np.ndarray, digits: np.ndarray) -> bool:
    """True if the digits before some offsets are those of numbers."""
    rest = numbers
    for index in range(int(digits.max())):
        rest, digit = np.divmod(rest, 10)
        same = array[np.maximum(lasts - index, 0)] == digit + 48
        if not (same | (digits <= index)).all():
            return False
    return True
