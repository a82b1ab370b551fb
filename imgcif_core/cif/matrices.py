"""Matrices of bytes, a row for each value: compared, hashed and read as numbers, all rows at once."""

from functools import lru_cache

import numpy as np

from imgcif_core.cif.values import fold as fold_text

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_INT = 0xBF58476D1CE4E5B9
_MIX = np.uint64(_MIX_INT)
_WORD = 0xFFFFFFFFFFFFFFFF
# Powers of ten that a float holds exactly.
_POWERS = 10.0 ** np.arange(23)


def greater(words: np.ndarray) -> np.ndarray:
    """Where a row of words is greater than the row before: (rows - 1,) bool."""
    result = np.zeros(len(words) - 1, dtype=bool)
    open_rows = np.ones(len(words) - 1, dtype=bool)
    for index in range(words.shape[1]):
        result |= open_rows & (words[1:, index] > words[:-1, index])
        open_rows &= words[1:, index] == words[:-1, index]
    return result


def take_uncertainties(matrix: np.ndarray) -> np.ndarray | None:
    """The standard uncertainties of rows such as 1.234(5), taken out of the matrix; nan for rows without.

    None where no row has one; those with an exponent, or with more digits than a float holds, are left as they are.
    """
    columns = np.ascontiguousarray(matrix.T)
    if not (columns == 40).any():
        return None
    shape = columns.shape[1]
    at, dot, lengths = np.full(shape, -1, np.int16), np.full(shape, -1, np.int16), np.zeros(shape, np.int16)
    is_read = np.ones(shape, dtype=bool)
    # Column by column: a step along each short row would cost many times as much.
    for index, byte in enumerate(columns):
        at[(byte == 40) & (at < 0)] = index
        dot[(byte == 46) & (dot < 0)] = index
        lengths += byte != 0
        is_read &= byte | 32 != 101
    count = lengths - 2 - at
    decimals = np.where(dot >= 0, at - dot - 1, 0)
    is_read &= (at > 0) & (count > 0) & (count <= 15) & (decimals >= 0) & (decimals < len(_POWERS))
    rows = np.flatnonzero(is_read)
    rows = rows[matrix[rows, lengths[rows] - 1] == 41]
    at, count, numbers, is_good = at[rows], count[rows], np.zeros(len(rows)), np.ones(len(rows), dtype=bool)
    for place in range(int(count.max(initial=0))):
        digits = matrix[rows, np.minimum(at + 1 + place, len(columns) - 1)] - np.uint8(48)
        within = place < count
        is_good &= ~within | (digits <= 9)
        numbers = np.where(within, numbers * 10.0 + digits, numbers)
    rows, at = rows[is_good], at[is_good]
    uncertainties = np.full(shape, np.nan)
    uncertainties[rows] = numbers[is_good] / _POWERS[decimals[rows]]
    kept = np.full(shape, len(columns), np.int16)
    kept[rows] = at
    matrix *= np.arange(len(columns)) < kept[:, None]
    return uncertainties


def read_floats(matrix: np.ndarray) -> np.ndarray | None:
    """Rows of digits as float64, None where one of them is no number."""
    if not len(matrix):
        return None
    width = matrix.shape[1]
    if width <= 15 and ((matrix >= 48) | (matrix == 0)).all() and (matrix <= 57).all():
        return _read_digits(matrix)
    try:
        return np.ascontiguousarray(matrix).view(f"S{width}").ravel().astype(np.float64)
    except ValueError:
        return None


def _read_digits(matrix: np.ndarray) -> np.ndarray:
    """Rows of digits alone, ended by zeros, as float64: digit by digit for all rows at once."""
    values = np.zeros(len(matrix))
    for index in range(matrix.shape[1]):
        digits = matrix[:, index]
        values = np.where(digits != 0, values * 10.0 + digits - 48.0, values)
    return values


def hash_rows(matrix: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each row of a matrix whose width is a multiple of 8; trailing zeros are free."""
    words = matrix.view(np.uint64)
    result = np.zeros(len(words), dtype=np.uint64)
    factor = _MULTIPLIER
    with np.errstate(over="ignore"):
        for index in range(words.shape[1]):
            word = words[:, index] * factor
            word ^= word >> np.uint64(29)
            word *= _MIX
            word ^= word >> np.uint64(32)
            result += np.where(words[:, index] != 0, word, np.uint64(0))
            factor = np.uint64((int(factor) * 0x9E3779B97F4A7C15 + 2) & 0xFFFFFFFFFFFFFFFF | 1)
    return result


def hash_text(text: str, *, fold: bool = False) -> np.uint64:
    """The hash that `Column.hashes` gives to this text."""
    return np.uint64(hash_of_short(fold_text(text) if fold else text))


def hash_of_short(text: str) -> int:
    """As `hash_text`, as a number of Python; small files are full of the same short texts."""
    return _kept_hash(text) if len(text) <= 64 else _hash_of(text)


@lru_cache(maxsize=4096)
def _kept_hash(text: str) -> int:
    return _hash_of(text)


def _hash_of(text: str) -> int:
    """The hash of a text, word by word."""
    raw = text.encode("utf-8", "surrogatepass")
    result, factor = 0, int(_MULTIPLIER)
    for at in range(0, len(raw), 8):
        word = int.from_bytes(raw[at : at + 8], "little")
        if word:
            mixed = word * factor & _WORD
            mixed = (mixed ^ mixed >> 29) * _MIX_INT & _WORD
            result += mixed ^ mixed >> 32
        factor = factor * 0x9E3779B97F4A7C15 + 2 & _WORD | 1
    return result & _WORD
