"""Texts that differ only in counting digits, judged once: a million file names are a few shapes."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imgcif_core.cif.columns import Column

_IS_DIGIT = np.zeros(256, dtype=bool)
_IS_DIGIT[48:58] = True
_IS_LETTER = np.zeros(256, dtype=bool)
_IS_LETTER[65:91] = _IS_LETTER[97:123] = True
_COUNTING = re.compile(r"(?<![A-Za-z%])(?<!%.)[0-9]")


@dataclass(frozen=True)
class Shapes:
    """The distinct shapes of a column: values alike but for counting digits share one.

    A digit counts unless it follows a letter (`.h5`, `.bz2`) or belongs to a percent escape or to the
    server of a URI. first : (shapes,) rows; inverse : (rows,) the shape of each row.
    """

    column: Column
    first: np.ndarray
    inverse: np.ndarray

    @cached_property
    def texts(self) -> list[str | None]:
        """The text of the first row of each shape, None for null."""
        column = self.column
        return [None if column.is_null[row] else column.text(int(row)) for row in self.first]

    def rows(self, shape: int) -> np.ndarray:
        """The rows of a shape."""
        if len(self.first) == 1:
            return np.arange(len(self.inverse))
        return np.flatnonzero(self.inverse == shape)

    @cached_property
    def last_numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The last number in the stem of each file name, nan where none, and its offset: (rows,) each."""
        offsets, widths = np.zeros((2, len(self.first)), dtype=np.int64)
        for shape, text in enumerate(self.texts):
            span = _last_digits(text or "")
            if span and text and text.isascii():
                delimiter = 0 if self.column.is_bare[self.first[shape]] else 1
                offsets[shape], widths[shape] = span[0] + delimiter, min(span[1] - span[0], 15)
        at, width = offsets[self.inverse], widths[self.inverse]
        counting = self.column.counting
        if counting is not None and len(self.first) == 1 and offsets[0] == len(counting.prefix):
            return counting.numbers.astype(float), at
        return self.column.digits_at(np.arange(len(at)), at, width), at

    def numbers_in(self, shape: int, span: tuple[int, int]) -> dict[int, int]:
        """The numbers that stand in a range of the texts of a shape, each with its first row."""
        rows = self.rows(shape)
        delimiter = 0 if self.column.is_bare[rows[0]] else 1
        offsets = np.full(len(rows), span[0] + delimiter)
        numbers = self.column.digits_at(rows, offsets, np.full(len(rows), min(span[1] - span[0], 15)))
        values, first = np.unique(numbers, return_index=True)
        return {int(value): int(rows[index]) for value, index in zip(values, first, strict=True)}


_SUFFIXES = re.compile(r"(?:\.(?:cbf|img|mccd|mar\d*|sfrm|kcd|tiff?|h5|gz|bz2))+\Z", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")


def _last_digits(text: str) -> tuple[int, int] | None:
    """The range of the last run of digits in the file name of a path, known suffixes set aside."""
    path = re.split(r"[?#]", text)[0]
    start = path.rfind("/") + 1
    found = _SUFFIXES.search(path, start)
    runs = list(_DIGITS.finditer(path, start, found.start() if found else len(path)))
    return runs[-1].span() if runs else None


def shapes_of(column: Column) -> Shapes:
    """The shapes of a column; of URIs the server keeps its digits."""
    rows = len(column)
    if column.is_constant:
        return Shapes(column, np.arange(min(rows, 1)), np.zeros(rows, dtype=np.int64))
    if _counts_in_one_shape(column):
        return Shapes(column, np.zeros(1, dtype=np.int64), np.zeros(rows, dtype=np.int64))
    hashes = column.hashes_after(_mask, _mask_text)
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Shapes(column, first[order], rank[inverse])


def _counts_in_one_shape(column: Column) -> bool:
    """True if the values count in digits that do not matter, always as many of them."""
    counting = column.counting
    if counting is None or not counting.has_even_width or counting.prefix[-1:].isalpha():
        return False
    first, last = (column.raw(row).decode("utf-8", "replace") for row in (0, len(column) - 1))
    return _mask_text(first) == _mask_text(last) and b"%" not in counting.prefix[-2:]


def _mask(matrix: np.ndarray) -> np.ndarray:
    """Counting digits as 0, in rows of bytes."""
    digit = _IS_DIGIT[matrix]
    digit[:, 1:] &= ~_IS_LETTER[matrix[:, :-1]] & (matrix[:, :-1] != 37)
    digit[:, 2:] &= matrix[:, :-2] != 37
    served = _server_end(bytes(matrix[0]))
    if served and (matrix[:, :served] == matrix[0, :served]).all():
        digit[:, :served] = False
        return np.where(digit, np.uint8(48), matrix)
    slash = matrix == 47
    double = slash[:, 1:] & slash[:, :-1]
    has_server = double.any(axis=1)
    if has_server.any():
        after = np.cumsum(slash, axis=1, dtype=np.uint8) >= 3
        digit &= after | ~has_server[:, None]
    return np.where(digit, np.uint8(48), matrix)


def _server_end(text: bytes) -> int:
    """Where the path begins behind scheme and server, 0 where there is no server."""
    if b"//" not in text:
        return 0
    parts = text.split(b"/", 3)
    return len(text) - len(parts[3]) - 1 if len(parts) == 4 else len(text)


def _mask_text(text: str) -> str:
    """Counting digits as 0, in one text."""
    head = text.encode("utf-8", "surrogatepass")[: _server_end(text.encode("utf-8", "surrogatepass"))]
    start = len(head.decode("utf-8", "surrogatepass"))
    return text[:start] + _COUNTING.sub("0", text[start:])
