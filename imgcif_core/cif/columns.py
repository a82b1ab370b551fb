"""Columns: the values of one data name as arrays, decoded only where somebody asks.

Frame tables hold up to millions of rows, so that nearly everything here works on byte ranges with
numpy; only quoted and odd values are looked at one by one.
"""

import math
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from imgcif_core.arrays import Bytes, Flags, Floats, Integers
from imgcif_core.cif.containers import Cell, Container, decode_container, leaves
from imgcif_core.cif.counting import Counting, find_counting
from imgcif_core.cif.document import Loop, Quoting, Source
from imgcif_core.cif.matrices import greater, hash_rows, hash_text, read_floats, take_uncertainties
from imgcif_core.cif.values import decode_text, decode_text_field, parse_number
from imgcif_core.findings import Span
from imgcif_core.records import dataclass

CHUNK = 1 << 22
WIDEST = 256
_PLAIN_NUMBER = np.zeros(256, dtype=bool)
_PLAIN_NUMBER[list(b"0123456789+-.eE\0")] = True
# Up to this many rows a step for each is faster than arrays are set up.
FEW = 24


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers: nan and not valid where a value is null or no number.

    values, su : (rows,) float64; is_valid, is_integer : (rows,) bool.
    """

    values: Floats
    su: Floats
    valid: Flags
    is_integer: Flags


class Column:
    """All values of one data name in one block; one per row."""

    def __init__(
        self,
        name: str,
        source: Source,
        name_start: int,
        name_end: int,
        starts: Integers,
        ends: Integers,
        quoting: Integers | None = None,
        loop: Loop | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self.name_start = name_start
        self.name_end = name_end
        self.starts = starts
        self.ends = ends
        self.quoting = quoting
        self.loop = loop
        # All rules share the column, and none may change it.
        starts.setflags(write=False)
        ends.setflags(write=False)

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, row: int) -> bytes:
        """The bytes of a value, delimiters and all."""
        return self.source.data[self.starts[row] : self.ends[row]]

    def quoting_of(self, row: int) -> Quoting:
        """How a value is written."""
        return Quoting.BARE if self.quoting is None else Quoting(int(self.quoting[row]))

    def text(self, row: int) -> str:
        """The decoded value: delimiters removed, folding and prefixes undone."""
        quoting = self.quoting_of(row)
        raw = self.raw(row)
        if quoting in (Quoting.BARE, Quoting.LIST, Quoting.TABLE):
            return decode_text(raw)
        if quoting is Quoting.BINARY:
            return ""
        if quoting is Quoting.TEXT:
            return decode_text_field(raw)
        width = 3 if quoting >= Quoting.TRIPLE_SINGLE else 1
        body = raw[width:]
        if body.endswith(raw[:width]):
            body = body[:-width]
        text = decode_text(body)
        return text.replace("\r\n", "\n").replace("\r", "\n") if width == 3 else text

    def texts(self) -> list[str]:
        """All decoded values; for columns of moderate length."""
        data = self.source.data
        if self.quoting is not None and len(self) <= FEW:
            return [self.text(row) for row in range(len(self))]
        starts, ends, is_plain = self._content
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        texts = [decode_text(data[start:end]) for start, end in pairs]
        for row in np.flatnonzero(~is_plain).tolist():
            texts[row] = self.text(row)
        return texts

    def value(self, row: int) -> "str | Container":
        """The decoded value; CIF 2.0 lists and tables as Python lists and dicts of `Cell`."""
        if self.quoting_of(row) in (Quoting.LIST, Quoting.TABLE):
            return decode_container(self.source.data, int(self.starts[row]), int(self.ends[row]))
        return self.text(row)

    def cells(self, row: int) -> Iterator[Cell]:
        """The leaves of a CIF 2.0 container, in the order of the text."""
        return leaves(self.value(row))

    def span(self, row: int) -> Span:
        """Lines and columns of a value."""
        return self.source.span(int(self.starts[row]), int(self.ends[row]))

    def name_span(self) -> Span:
        """Lines and columns of the data name."""
        return self.source.span(self.name_start, self.name_end)

    @cached_property
    def lengths(self) -> Integers:
        """The number of bytes of each value."""
        return self.ends - self.starts

    @cached_property
    def _content(self) -> tuple[Integers, Integers, Flags]:
        """Where the text of each value stands, delimiters left out, and where it stands there as it is.

        A text field does without folding, prefixes and line ends that would have to be undone.
        """
        if self.quoting is None:
            return self.starts, self.ends, np.ones(len(self), dtype=bool)
        array, last = self.bytes_array, self.ends - 1
        is_closed = (self.lengths > 1) & (array[last] == array[self.starts])
        is_quoted = (self.quoting == Quoting.SINGLE) | (self.quoting == Quoting.DOUBLE)
        is_field = (self.quoting == Quoting.TEXT) & (self.lengths > 2) & is_closed & (array[last - 1] == 10)
        for row in np.flatnonzero(is_field).tolist():
            raw = self.raw(row)
            is_field[row] = b"\\" not in raw and b"\r" not in raw
        is_plain = self.is_bare | (is_quoted & is_closed) | is_field
        starts = self.starts + (is_plain & ~self.is_bare)
        ends = self.ends - np.where(is_field, 2, is_quoted & is_closed)
        return starts, np.maximum(starts, ends), is_plain

    @cached_property
    def bytes_array(self) -> Bytes:
        """The source as an array of bytes."""
        return np.frombuffer(self.source.data, np.uint8)

    @cached_property
    def is_bare(self) -> Flags:
        """Where a value is written without delimiters."""
        if self.quoting is None:
            return np.ones(len(self), dtype=bool)
        bare: Flags = self.quoting == Quoting.BARE
        return bare

    @cached_property
    def is_unknown(self) -> Flags:
        """Where the value is an unquoted `?`."""
        return self._is_byte(ord("?"))

    @cached_property
    def is_inapplicable(self) -> Flags:
        """Where the value is an unquoted `.`."""
        return self._is_byte(ord("."))

    @cached_property
    def is_null(self) -> Flags:
        """Where the value is an unquoted `.` or `?`."""
        return self.is_unknown | self.is_inapplicable

    def _is_byte(self, byte: int) -> Flags:
        """Where the value is one unquoted byte."""
        if len(self) <= FEW:
            data, wanted = (
                self.source.data,
                [Quoting.BARE] * len(self) if self.quoting is None else self.quoting.tolist(),
            )
            ranges = zip(self.starts.tolist(), self.ends.tolist(), wanted, strict=True)
            return np.array([end - at == 1 and data[at] == byte and not kind for at, end, kind in ranges], dtype=bool)
        found: Flags = (self.lengths == 1) & self.is_bare
        if found.any():
            found[found] = self.bytes_array[self.starts[found]] == byte
        return found

    @cached_property
    def counting(self) -> Counting | None:
        """How the values count, for columns such as frame1, frame2, ...; None for others."""
        starts, ends, is_plain = self._content
        if not is_plain.all():
            return None
        return find_counting(self.source.data, self.bytes_array, starts, ends)

    @cached_property
    def is_constant(self) -> bool:
        """True if all values are written alike."""
        rows = len(self)
        if rows < 2:
            return True
        if self.raw(0) != self.raw(rows - 1):
            return False
        if self.quoting is not None and (self.quoting != self.quoting[0]).any():
            return False
        if (self.lengths != self.lengths[0]).any():
            return False
        width = int(self.lengths[0])
        if width > WIDEST:
            return all(self.raw(row) == self.raw(0) for row in range(1, rows))
        first = np.frombuffer(self.raw(0), np.uint8)
        return all((matrix == first).all() for _, matrix in self._matrices(self.starts, width))

    def _matrices(self, all_starts: np.ndarray, width: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The `width` bytes behind each of some offsets, in chunks of rows: (rows, width) uint8."""
        array = self.bytes_array
        step = max(1, CHUNK // max(width, 1))
        last = len(array) - width
        for begin in range(0, len(self), step):
            rows = slice(begin, min(begin + step, len(self)))
            starts = all_starts[rows]
            if last >= 0 and int(starts.max()) <= last:
                windows = np.lib.stride_tricks.sliding_window_view(array, width)
                yield rows, windows[starts]
            else:
                offsets = starts.astype(np.int64)[:, None] + np.arange(width)
                yield rows, array[np.minimum(offsets, len(array) - 1)]

    def _padded(self, width: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The first `width` bytes of each text, with zeros after its end, in chunks of rows: (rows, width) uint8."""
        starts, ends, _ = self._content
        for rows, matrix in self._matrices(starts, width):
            lengths = (ends - starts)[rows]
            if (lengths != width).any():
                matrix[np.arange(width) >= lengths[:, None]] = 0
            yield rows, matrix

    @cached_property
    def hashes(self) -> np.ndarray:
        """A 64-bit hash of each decoded value: equal for equal texts, (rows,) uint64."""
        return self._hashes(fold=False)

    @cached_property
    def _folded(self) -> np.ndarray:
        counting = self.counting
        if counting is not None:
            fixed = counting.prefix + counting.suffix
            if fixed.isascii() and fixed == fixed.lower():
                return self.hashes
        return self._hashes(fold=True)

    def folded_hashes(self) -> np.ndarray:
        """As `hashes`, of the case-folded texts."""
        return self._folded

    def hashes_after(self, change: Callable[[np.ndarray], np.ndarray], change_text: Callable[[str], str]) -> np.ndarray:
        """Hashes of changed values: `change` maps matrices of ASCII bytes, `change_text` single texts."""
        result = np.zeros(len(self), dtype=np.uint64)
        lengths, plain = self._plain(WIDEST)
        if plain.any():
            width = int(lengths[plain].max())
            width += -width % 8
            for part, matrix in self._padded(width):
                if (matrix > 127).any():
                    plain[part] &= ~(matrix > 127).any(axis=1)
                result[part] = hash_rows(np.ascontiguousarray(change(matrix)))
        for row in np.flatnonzero(~plain):
            result[row] = hash_text(change_text(self.text(int(row))))
        return result

    def _plain(self, longest: int) -> tuple[np.ndarray, np.ndarray]:
        """How long the texts are, and which of them stand in the file as they are and are not too long."""
        starts, ends, is_plain = self._content
        lengths = ends - starts
        return lengths, is_plain & (lengths <= longest)

    def digits_at(self, rows: np.ndarray, offsets: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """The unsigned integers at byte offsets within some values; nan where a width is 0: like rows."""
        values = np.zeros(len(rows))
        first = self.starts[rows] + offsets
        for index in range(int(widths.max(initial=0))):
            digits = self.bytes_array[np.minimum(first + index, len(self.bytes_array) - 1)]
            values = np.where(index < widths, values * 10.0 + digits - 48.0, values)
        return np.where(widths > 0, values, np.nan)

    def _hashes(self, *, fold: bool) -> np.ndarray:
        """Hash plain values as whole columns, the others one by one."""
        rows = len(self)
        if rows > 64 and self.is_constant:
            return np.full(rows, hash_text(self.text(0), fold=fold), dtype=np.uint64)
        if rows <= FEW:
            return np.array([hash_text(text, fold=fold) for text in self.texts()], dtype=np.uint64)
        lengths, plain = self._plain(WIDEST)
        result = np.zeros(rows, dtype=np.uint64)
        if plain.any():
            # An empty text is hashed as one word of zeros.
            width = max(1, int(lengths[plain].max()))
            width += -width % 8
            for part, matrix in self._padded(width):
                if fold:
                    odd = (matrix > 127).any(axis=1)
                    plain[part] &= ~odd
                    matrix = np.where((matrix >= 65) & (matrix <= 90), matrix + 32, matrix).astype(np.uint8)
                result[part] = hash_rows(np.ascontiguousarray(matrix))
        for row in np.flatnonzero(~plain):
            result[row] = hash_text(self.text(int(row)), fold=fold)
        return result

    @cached_property
    def _distinct(self) -> tuple[np.ndarray, np.ndarray]:
        rows = len(self)
        if rows == 0 or self.is_constant:
            return np.arange(min(rows, 1)), np.zeros(rows, dtype=np.int64)
        if self.counting is not None:
            return np.arange(rows), np.arange(rows)
        _, first, inverse = np.unique(self.hashes, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return first[order], rank[inverse]

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """The first row of each distinct value in order of appearance, and each row's index in it."""
        return self._distinct

    @cached_property
    def is_all_distinct(self) -> bool:
        """True if no two values are equal; counting columns are seen without sorting."""
        rows = len(self)
        if rows < 2:
            return True
        if self.is_constant:
            return False
        if self.counting is not None or self._counts_up():
            return True
        ordered = np.sort(self.hashes)
        return not (ordered[1:] == ordered[:-1]).any()

    def _counts_up(self) -> bool:
        """True if each value is longer than the one before, or as long and greater: frame9, frame10."""
        if self.quoting is not None or int(self.lengths.max()) > WIDEST or (np.diff(self.lengths) < 0).any():
            return False
        width = int(self.lengths.max())
        width += -width % 8
        last: np.ndarray | None = None
        for part, matrix in self._padded(width):
            words = np.ascontiguousarray(matrix).view(">u8").astype(np.uint64)
            if last is not None:
                words = np.concatenate([last, words])
            lengths = self.lengths[part.stop - len(words) : part.stop]
            if not (greater(words) | (np.diff(lengths) > 0)).all():
                return False
            last = words[-1:]
        return True

    @cached_property
    def _numbers(self) -> Numbers:
        rows = len(self)
        if rows > 64 and self.is_constant:
            one = self._slow_numbers(np.zeros(1, dtype=np.int64), 1)
            return Numbers(*(np.repeat(getattr(one, name), rows) for name in Numbers.__slots__))
        if self.counting is not None and not self.counting.prefix and not self.counting.suffix:
            every = np.ones(rows, dtype=bool)
            return Numbers(self.counting.numbers.astype(float), np.full(rows, np.nan), every, every.copy())
        values = np.full(rows, np.nan)
        su = np.full(rows, np.nan)
        valid = np.zeros(rows, dtype=bool)
        is_integer = np.zeros(rows, dtype=bool)
        pending = ~self.is_null
        if self.quoting is not None:
            pending &= np.isin(self.quoting, (Quoting.BARE, Quoting.SINGLE, Quoting.DOUBLE))
        lengths, plain = self._plain(32)
        plain &= pending
        if plain.sum() > 16:
            width = max(1, int(lengths[plain].max()))
            for part, matrix in self._padded(width):
                doubts = take_uncertainties(matrix)
                wanted = plain[part] & (matrix[:, 0] != 0) & _PLAIN_NUMBER[matrix].all(axis=1)
                read = read_floats(matrix[wanted])
                if read is None:
                    continue
                index = np.flatnonzero(wanted) + part.start
                values[index] = read
                su[index] = doubts[wanted] if doubts is not None else np.nan
                valid[index] = np.isfinite(read)
                chosen = matrix[wanted]
                is_integer[index] = ~((chosen == 46) | (chosen == 101) | (chosen == 69)).any(axis=1)
        left = np.flatnonzero(pending & ~valid)
        if len(left):
            slow = self._slow_numbers(left, rows)
            values[left], su[left] = slow.values[left], slow.su[left]
            valid[left], is_integer[left] = slow.valid[left], slow.is_integer[left]
        return Numbers(values, su, valid, is_integer)

    def _slow_numbers(self, index: np.ndarray, rows: int) -> Numbers:
        """Numbers one by one: quoted ones, those with a standard uncertainty, and what is none."""
        values = np.full(rows, np.nan)
        su = np.full(rows, np.nan)
        valid = np.zeros(rows, dtype=bool)
        is_integer = np.zeros(rows, dtype=bool)
        for row in index:
            quoting = self.quoting_of(row)
            raw = self.raw(row)
            if quoting in (Quoting.SINGLE, Quoting.DOUBLE):
                raw = raw[1:-1].strip()
            if len(raw) > WIDEST:
                continue
            parsed = parse_number(raw)
            # What overflows a float is written as a number, but none that anything can be computed from.
            if parsed is not None and math.isfinite(parsed[0]):
                values[row], su[row] = parsed
                valid[row] = True
                is_integer[row] = not set(raw) & set(b".eE")
        return Numbers(values, su, valid, is_integer)

    def numbers(self) -> Numbers:
        """The values as numbers by the grammar of CIF, with standard uncertainties."""
        return self._numbers
