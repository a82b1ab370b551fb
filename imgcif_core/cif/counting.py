"""Columns that count: frame1, frame2, ... in equal steps, known by a few numbers instead of their texts.

Large files consist of such columns. Two of them are compared by what they count, without a look at
their values.
"""

import re

import numpy as np

from imgcif_core.cif.runs import Runs
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

    def rows_with(self, digits: int) -> slice:
        """The rows whose number has more than so many digits."""
        least = 10**digits if digits else 0
        if self.step > 0:
            return slice(min(self.rows, max(0, -((self.first - least) // self.step))), self.rows)
        return slice(0, max(0, min(self.rows, (self.first - least) // -self.step + 1)))

    def is_spelt_like(self, other: "Counting") -> bool:
        """True if equal numbers are equal texts in both."""
        return (self.prefix, self.suffix, self.width) == (other.prefix, other.suffix, other.width)

    def places_in(self, other: "Counting") -> np.ndarray:
        """For each row the row of another, spelt alike, with the same number; -1 where there is none: (rows,) int64."""
        if (self.first, self.step) == (other.first, other.step):
            place = np.arange(self.rows, dtype=np.int64)
            place[other.rows :] = -1
            return place
        place, rest = np.divmod(self.numbers - other.first, other.step)
        return np.where((rest != 0) | (place < 0) | (place >= other.rows), -1, place)

    def missing_from(self, other: "Counting") -> np.ndarray:
        """The rows whose number the other, spelt alike, does not reach: (n,) int64."""
        return np.flatnonzero(self.places_in(other) < 0)


class Digits:
    """The digits of numbers that count, made once for all columns that count alike."""

    def __init__(self, first: int, step: int, rows: int) -> None:
        small = np.int32 if max(first, first + step * (rows - 1)) < 2**31 else np.int64
        self._rest = (first + step * np.arange(rows, dtype=np.int64)).astype(small)
        self._made: list[np.ndarray] = []

    def of(self, index: int) -> np.ndarray:
        """The characters of the ones, tens, ... of all rows, from index 0 on: (rows,) uint8."""
        while len(self._made) <= index:
            self._rest, digit = np.divmod(self._rest, 10)
            self._made.append((digit + 48).astype(np.uint8))
        return self._made[index]


def find_counting(
    data: bytes, starts: np.ndarray, ends: np.ndarray, before: Runs, known: dict[tuple[int, int, int], Digits]
) -> Counting | None:
    """How unquoted values count, None where they do not.

    Parameters
    ----------
    data :
        The file.
    starts, ends, before :
        Byte ranges of the values, (rows,) each, and the starts as runs.
    known :
        The digits of columns of the file that count, by first number, step and rows.
    """
    rows = len(starts)
    if rows < MIN_ROWS:
        return None
    guess = _guess(data[starts[0] : ends[0]], data[starts[1] : ends[1]], rows)
    if guess is None or not _has_lengths(guess, ends - starts):
        return None
    behind = Runs(before.array, ends)
    if not behind.holds(-len(guess.suffix), guess.suffix) or not before.holds(0, guess.prefix):
        return None
    key = guess.first, guess.step, rows
    digits = known.get(key) or Digits(*key)
    for index in range(guess.width or len(str(max(guess.first, guess.last)))):
        part = slice(0, rows) if guess.width else guess.rows_with(index)
        if (behind.bytes_at(-len(guess.suffix) - 1 - index, part) != digits.of(index)[part]).any():
            return None
    known[key] = digits
    return guess


def _has_lengths(guess: Counting, lengths: np.ndarray) -> bool:
    """True if values are as long as what they are taken for: lengths (rows,) bytes."""
    fixed = len(guess.prefix) + len(guess.suffix)
    if guess.width:
        return bool((lengths == guess.width + fixed).all())
    for digits in range(1, len(str(max(guess.first, guess.last))) + 1):
        shorter, longer = (guess.rows_with(count) for count in (digits - 1, digits))
        # Those with this many digits stand before the longer ones, or behind them where the numbers fall.
        part = slice(shorter.start, longer.start) if guess.step > 0 else slice(longer.stop, shorter.stop)
        if (lengths[part] != digits + fixed).any():
            return False
    return True


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
