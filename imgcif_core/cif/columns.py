"""Columns: the values of one data name as arrays, decoded only where somebody asks.

Frame tables hold up to millions of rows, so that nearly everything here works on byte ranges with
numpy; only quoted and odd values are looked at one by one.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from imgcif_core.arrays import Bytes, Flags, Integers
from imgcif_core.cif.containers import Cell, Container, decode_container, leaves
from imgcif_core.cif.counting import MIN_ROWS, Counting, find_counting
from imgcif_core.cif.document import Loop, Quoting, Source
from imgcif_core.cif.matrices import greater, hash_of_short, hash_rows, hash_text, read_floats, take_uncertainties
from imgcif_core.cif.numbers import FEW, NO_NULLS, WIDEST, Numbers, few_numbers, read_number, unquoted
from imgcif_core.cif.runs import Runs
from imgcif_core.cif.values import decode_text, decode_text_field
from imgcif_core.cif.values import fold as fold_text
from imgcif_core.findings import Span
from imgcif_core.records import cached_property

CHUNK = 1 << 22
FEW_BYTES = 4096
_PLAIN_NUMBER = np.zeros(256, dtype=bool)
_PLAIN_NUMBER[list(b"0123456789+-.eE\0")] = True


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

    @cached_property
    def few_raws(self) -> tuple[bytes, ...] | None:
        """The bytes of all values where they are few and short, None for other columns."""
        if len(self.starts) > FEW:
            return None
        starts, ends, data = self.starts.tolist(), self.ends.tolist(), self.source.data
        if sum(ends) - sum(starts) > FEW_BYTES:
            return None
        return tuple([data[start:end] for start, end in zip(starts, ends, strict=True)])

    @cached_property
    def few_texts(self) -> tuple[str, ...] | None:
        """All decoded values where they are few and short, None for other columns."""
        raws = self.few_raws
        if raws is None:
            return None
        if self.quoting is None:
            return tuple([decode_text(raw) for raw in raws])
        return tuple([self._decoded(raw, kind) for raw, kind in zip(raws, self.quoting.tolist(), strict=True)])

    @cached_property
    def few_values(self) -> tuple[str | None, ...] | None:
        """As `few_texts`, with None for the null values."""
        texts = self.few_texts
        if texts is None or not self.has_nulls:
            return texts
        return tuple([None if null else text for text, null in zip(texts, self.is_null.tolist(), strict=True)])

    def raw(self, row: int) -> bytes:
        """The bytes of a value, delimiters and all."""
        return self.source.data[self.starts[row] : self.ends[row]]

    def quoting_of(self, row: int) -> Quoting:
        """How a value is written."""
        return Quoting.BARE if self.quoting is None else Quoting(int(self.quoting[row]))

    def text(self, row: int) -> str:
        """The decoded value: delimiters removed, folding and prefixes undone."""
        texts = self.few_texts
        return self._decoded(self.raw(row), self.quoting_of(row)) if texts is None else texts[row]

    def _decoded(self, raw: bytes, quoting: int) -> str:
        """The text that the bytes of a value stand for."""
        if quoting in (Quoting.BARE, Quoting.LIST, Quoting.TABLE):
            return decode_text(raw)
        if quoting == Quoting.BINARY:
            return ""
        if quoting == Quoting.TEXT:
            return decode_text_field(raw)
        width = 3 if quoting >= Quoting.TRIPLE_SINGLE else 1
        body = raw[width:]
        if body.endswith(raw[:width]):
            body = body[:-width]
        text = decode_text(body)
        return text.replace("\r\n", "\n").replace("\r", "\n") if width == 3 else text

    def texts(self) -> list[str]:
        """All decoded values; for columns of moderate length."""
        if self.few_texts is not None:
            return list(self.few_texts)
        return self._texts(*self._content, range(len(self)))

    def texts_at(self, rows: np.ndarray) -> list[str]:
        """The decoded values of some rows."""
        if len(rows) <= FEW:
            return [self.text(row) for row in rows.tolist()]
        starts, ends, is_plain = self._content
        return self._texts(starts[rows], ends[rows], is_plain[rows], rows)

    def _texts(
        self, starts: np.ndarray, ends: np.ndarray, is_plain: np.ndarray, rows: Sequence[int] | np.ndarray
    ) -> list[str]:
        """Values by where their texts stand; those that do not stand there as they are one by one."""
        data = self.source.data
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        begin, stop = (int(starts.min()), int(ends.max())) if len(starts) else (0, 0)
        if stop - begin <= CHUNK and (whole := data[begin:stop]).isascii():
            # Parts of a text are taken faster than parts of bytes are decoded.
            text = whole.decode("ascii")
            texts = [text[start - begin : end - begin] for start, end in pairs]
        else:
            texts = [decode_text(data[start:end]) for start, end in pairs]
        for place in np.flatnonzero(~is_plain).tolist():
            texts[place] = self.text(int(rows[place]))
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
        # A quote that is not closed is open up to the end of its line.
        is_plain = self.is_bare | is_quoted | is_field
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
        raws = self.few_raws
        if raws is None:
            return self.is_unknown | self.is_inapplicable
        if not self.has_nulls:
            return NO_NULLS[len(raws)]
        return np.array(self._are_nulls(raws), dtype=bool)

    @cached_property
    def has_nulls(self) -> bool:
        """True if any value is an unquoted `.` or `?`."""
        raws = self.few_raws
        if raws is None:
            return bool(self.is_null.any())
        # A byte between delimiters is no value of one byte.
        return (b"." in raws or b"?" in raws) and any(self._are_nulls(raws))

    @cached_property
    def is_all_null(self) -> bool:
        """True if no value is given, nor any row."""
        return not len(self) or (self.has_nulls and bool(self.is_null.all()))

    def _are_nulls(self, raws: tuple[bytes, ...]) -> list[bool]:
        """Which of few values are null."""
        kinds = [Quoting.BARE] * len(raws) if self.quoting is None else self.quoting.tolist()
        return [raw in (b".", b"?") and not kind for raw, kind in zip(raws, kinds, strict=True)]

    def _is_byte(self, byte: int) -> Flags:
        """Where the value is one unquoted byte."""
        raws = self.few_raws
        if raws is not None:
            wanted = bytes((byte,))
            if wanted not in raws:
                return NO_NULLS[len(raws)]
            kinds = [Quoting.BARE] * len(raws) if self.quoting is None else self.quoting.tolist()
            return np.array([raw == wanted and not kind for raw, kind in zip(raws, kinds, strict=True)], dtype=bool)
        found: Flags = (self.lengths == 1) & self.is_bare
        if found.any():
            found[found] = self.bytes_array[self.starts[found]] == byte
        return found

    @cached_property
    def counting(self) -> Counting | None:
        """How the values count, for columns such as frame1, frame2, ...; None for others."""
        if len(self.starts) < MIN_ROWS:
            return None
        starts, ends, is_plain = self._content
        if not is_plain.all():
            return None
        return find_counting(self.source.data, starts, ends, self._runs, self.source.digits)

    @cached_property
    def is_constant(self) -> bool:
        """True if all values are written alike."""
        rows = len(self)
        if rows < 2:
            return True
        if self.few_raws is not None:
            is_alike = self.few_raws.count(self.few_raws[0]) == rows
            return is_alike and (self.quoting is None or len(set(self.quoting.tolist())) == 1)
        if self.raw(0) != self.raw(rows - 1):
            return False
        if self.quoting is not None and (self.quoting != self.quoting[0]).any():
            return False
        if (self.lengths != self.lengths[0]).any():
            return False
        width = int(self.lengths[0])
        if width > WIDEST:
            return all(self.raw(row) == self.raw(0) for row in range(1, rows))
        runs = self._runs if self.quoting is None else Runs(self.bytes_array, self.starts)
        return runs.holds(0, self.raw(0))

    @cached_property
    def _runs(self) -> Runs:
        """Where the texts of the values begin."""
        return Runs(self.bytes_array, self._content[0])

    def _padded(self, width: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The first `width` bytes of each text, with zeros after its end, in chunks of rows: (rows, width) uint8."""
        starts, ends, _ = self._content
        for rows, found in self._runs.matrices(0, width, CHUNK):
            matrix = found if found.flags.writeable else found.copy()
            lengths = (ends - starts)[rows]
            if (lengths != width).any():
                matrix *= np.arange(width) < lengths[:, None]
            yield rows, matrix

    @cached_property
    def hashes(self) -> np.ndarray:
        """A 64-bit hash of each decoded value: equal for equal texts, (rows,) uint64."""
        return self._hashes(fold=False)

    @cached_property
    def _folded(self) -> np.ndarray:
        if self.few_folded is not None:
            return self.hashes if self.few_folded == self.few_texts else self._hashes(fold=True)
        counting = self.counting
        if counting is not None:
            fixed = counting.prefix + counting.suffix
            if fixed.isascii() and fixed == fixed.lower():
                return self.hashes
        return self._hashes(fold=True)

    @cached_property
    def few_folded(self) -> tuple[str, ...] | None:
        """As `few_texts`, case-folded."""
        return None if self.few_texts is None else tuple([fold_text(text) for text in self.few_texts])

    def folded_hashes(self) -> np.ndarray:
        """As `hashes`, of the case-folded texts."""
        return self._folded

    def hashes_after(self, change: Callable[[np.ndarray], np.ndarray], change_text: Callable[[str], str]) -> np.ndarray:
        """Hashes of changed values: `change` maps matrices of ASCII bytes, `change_text` single texts."""
        if self.few_texts is not None:
            return np.array([hash_of_short(change_text(text)) for text in self.few_texts], dtype=np.uint64)
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
        few = self.few_folded if fold else self.few_texts
        if few is not None:
            return np.array([hash_of_short(text) for text in few], dtype=np.uint64)
        lengths, plain = self._plain(WIDEST)
        result = np.zeros(rows, dtype=np.uint64)
        if plain.any():
            # An empty text is hashed as one word of zeros.
            width = max(1, int(lengths[plain].max()))
            width += -width % 8
            for part, matrix in self._padded(width):
                if fold or not self.source.is_utf8:
                    # Hashes are those of texts, whatever the bytes: those that are not UTF-8 are decoded otherwise.
                    plain[part] &= ~(matrix > 127).any(axis=1)
                if fold:
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
        if self.few_texts is not None:
            seen: dict[str, int] = {}
            ranks = [seen.setdefault(text, len(seen)) for text in self.few_texts]
            firsts = [ranks.index(rank) for rank in range(len(seen))]
            return np.array(firsts, dtype=np.int64), np.array(ranks, dtype=np.int64)
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
        if self.few_texts is not None:
            return len(set(self.few_texts)) == rows
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
        if self.few_raws is not None:
            return few_numbers(self.few_raws, None if self.quoting is None else self.quoting.tolist())
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
                # Along the columns, as rows are short.
                columns = np.ascontiguousarray(matrix.T)
                wanted = plain[part] & (columns[0] != 0) & _PLAIN_NUMBER[columns].all(axis=0)
                read = read_floats(matrix[wanted])
                if read is None:
                    continue
                index = np.flatnonzero(wanted) + part.start
                values[index] = read
                su[index] = doubts[wanted] if doubts is not None else np.nan
                valid[index] = np.isfinite(read)
                has_mark = ((columns == 46) | (columns == 101) | (columns == 69)).any(axis=0)
                is_integer[index] = ~has_mark[wanted]
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
            raw = self.raw(row)
            if self.quoting is not None and self.quoting[row]:
                raw = unquoted(raw, int(self.quoting[row]))
            found = read_number(raw) if len(raw) <= WIDEST else None
            if found is not None:
                values[row], su[row], valid[row], is_integer[row] = found
        return Numbers(values, su, valid, is_integer)

    def numbers(self) -> Numbers:
        """The values as numbers by the grammar of CIF, with standard uncertainties."""
        return self._numbers
