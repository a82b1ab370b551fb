"""Texts that differ only in counting digits, judged once: a million file names are a few shapes."""

import re

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.formats import suffix_pattern
from imgcif_core.records import cached_property, dataclass

_IS_DIGIT = np.zeros(256, dtype=bool)
_IS_DIGIT[48:58] = True
_IS_LETTER = np.zeros(256, dtype=bool)
_IS_LETTER[65:91] = _IS_LETTER[97:123] = True
_IS_WORD = _IS_DIGIT | _IS_LETTER
# More shapes than this are no series of files: names made by chance, or by an adversary.
MANY = 2000
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
    def coarse(self) -> "Shapes":
        """These shapes; where they are many, those of texts whose words are alike in length alone.

        What is said of the first row of a coarse shape is true of that row; of the others only the server,
        the suffix and all characters besides letters and digits are known to be the same.
        """
        if len(self.first) <= MANY:
            return self
        return _grouped(self.column, self.column.hashes_after(_mask_words, _mask_words_text))

    @property
    def is_series(self) -> bool:
        """True if the texts are few shapes, so that numbers in them can count something."""
        return len(self.first) <= MANY

    @cached_property
    def last_numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The last number in the stem of each file name, nan where none, and its offset: (rows,) each.

        Of names that are no series there are none.
        """
        offsets, widths = np.zeros((2, len(self.first)), dtype=np.int64)
        if not self.is_series:
            return np.full(len(self.inverse), np.nan), offsets[self.inverse]
        for shape, text in enumerate(self.texts):
            span = last_digits(text or "")
            if span and text and text.isascii():
                delimiter = 0 if self.column.is_bare[self.first[shape]] else 1
                offsets[shape], widths[shape] = span[0] + delimiter, min(span[1] - span[0], 15)
        at, width = offsets[self.inverse], widths[self.inverse]
        if len(self.first) == 1:
            return self._numbers_at(np.arange(len(at)), int(offsets[0]), int(widths[0])), at
        return self.column.digits_at(np.arange(len(at)), at, width), at

    def _numbers_at(self, rows: np.ndarray, offset: int, width: int) -> np.ndarray:
        """The unsigned integers of a width at one offset in some values, nan where the width is 0: like rows."""
        counting = self.column.counting
        digits = 0 if counting is None else counting.width or len(str(counting.first))
        if counting is not None and counting.has_even_width and (offset, width) == (len(counting.prefix), digits):
            return np.asarray(counting.numbers[rows], dtype=float)
        # What is written alike in all rows is read once.
        chosen = rows[:1] if self.column.is_constant else rows
        numbers = self.column.digits_at(chosen, np.full(len(chosen), offset), np.full(len(chosen), width))
        return np.broadcast_to(numbers, len(rows)) if len(rows) else numbers

    def numbers_in(self, shape: int, span: tuple[int, int]) -> dict[int, int]:
        """The numbers that stand in a range of the texts of a shape, each with its first row."""
        rows = self.rows(shape)
        delimiter = 0 if self.column.is_bare[rows[0]] else 1
        numbers = self._numbers_at(rows, span[0] + delimiter, min(span[1] - span[0], 15))
        values, first = np.unique(numbers, return_index=True)
        return {int(value): int(rows[index]) for value, index in zip(values, first, strict=True)}


_SUFFIXES = re.compile(suffix_pattern(), re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")


def last_digits(text: str) -> tuple[int, int] | None:
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
    return _grouped(column, column.hashes_after(_mask, _mask_text))


def _grouped(column: Column, hashes: np.ndarray) -> Shapes:
    """Rows of equal hashes are one shape, in the order of the first rows."""
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


def _mask_words(matrix: np.ndarray) -> np.ndarray:
    """Letters and digits behind the server as `a`, but for the suffix, escapes and texts with a query."""
    rows, width = matrix.shape
    places = np.arange(width)
    word = _IS_WORD[matrix]
    word[:, 1:] &= matrix[:, :-1] != 37
    word[:, 2:] &= matrix[:, :-2] != 37
    slash, dot = matrix == 47, matrix == 46
    has_server = (slash[:, 1:] & slash[:, :-1]).any(axis=1)
    word &= (np.cumsum(slash, axis=1, dtype=np.uint8) >= 3) | ~has_server[:, None]
    last_dot = np.where(dot.any(axis=1), width - 1 - dot[:, ::-1].argmax(axis=1), width)
    last_slash = np.where(slash.any(axis=1), width - 1 - slash[:, ::-1].argmax(axis=1), -1)
    before = np.maximum(last_dot - 4, 0)
    is_double = (last_dot < width) & (last_dot >= 4) & (matrix[np.arange(rows), before] == 46)
    start = np.where(last_dot > last_slash, np.where(is_double, before, last_dot), width)
    word &= places < start[:, None]
    word &= ~((matrix == 63) | (matrix == 35)).any(axis=1)[:, None]
    return np.where(word, np.uint8(97), matrix)


_SUFFIX = re.compile(r"(?:\..{3})?\.[^./]*\Z")


def _mask_words_text(text: str) -> str:
    """As `_mask_words`, of one text."""
    if "?" in text or "#" in text:
        return text
    start = _server_end(text.encode("utf-8", "surrogatepass")) if text.isascii() else 0
    found = _SUFFIX.search(text, start)
    stop = found.start() if found else len(text)
    return text[:start] + re.sub(r"(?<!%)(?<!%.)[A-Za-z0-9]", "a", text[start:stop]) + text[stop:]


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
