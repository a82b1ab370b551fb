"""What a CIF or CBF holds: blocks, loops and columns, each value with its byte range.

Everything here is made once by the parser and then only read. Byte ranges are half open and
include the delimiters of a value.
"""

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.findings import Edit, Location, Span
from imgcif_core.records import cached_property, dataclass, field

SHOWN_WIDTH = 4096
# So few bytes at once that what is computed of them stays in the caches of the processor.
CACHED = 1 << 18


class Quoting(IntEnum):
    """How a value is written."""

    BARE = 0
    SINGLE = 1
    DOUBLE = 2
    TEXT = 3
    TRIPLE_SINGLE = 4
    TRIPLE_DOUBLE = 5
    LIST = 6
    TABLE = 7
    BINARY = 8


class Source:
    """The bytes of a file, and lines and columns in them.

    `folder` is None where it is no file on disk; `size` is the number of bytes as they came, perhaps packed.
    """

    def __init__(self, path: str, data: bytes, folder: Path | None = None, size: int | None = None) -> None:
        self.path = path
        self.data = data
        self.folder = folder
        self.size = len(data) if size is None else size
        self.opaque: list[tuple[int, int]] = []
        # What columns that count have in common, by how they count.
        self.digits: dict[tuple[int, int, int], Any] = {}

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def is_utf8(self) -> bool:
        """True if all bytes are UTF-8; those of a CBF with binary sections are hardly ever."""
        if self.data.isascii():
            return True
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    @cached_property
    def line_starts(self) -> np.ndarray:
        """The offset of the first byte of each line: LF, CRLF and CR end lines."""
        array = np.frombuffer(self.data, np.uint8)
        small = np.int32 if len(array) < 2**31 - 1 else np.int64
        parts = [np.zeros(1, dtype=small)]
        has_returns = self.data.find(b"\r") >= 0
        for begin in range(0, len(array), CACHED):
            chunk = array[begin : begin + CACHED]
            marks = chunk == 10
            if has_returns:
                following = np.append(chunk[1:], array[begin + CACHED : begin + CACHED + 1])
                returns = chunk == 13
                returns[: len(following)] &= following != 10
                marks |= returns
            parts.append((np.flatnonzero(marks) + (begin + 1)).astype(small))
        return np.concatenate(parts)

    def line_of(self, offset: int) -> int:
        """The 1-based line of a byte offset."""
        starts = self.line_starts
        # A number of another type would make numpy copy all the offsets at each call.
        return int(starts.searchsorted(starts.dtype.type(offset), side="right"))

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line, and the column in code points, of a byte offset."""
        line = self.line_of(offset)
        head = self.data[int(self.line_starts[line - 1]) : offset]
        if head.isascii():
            return line, len(head) + 1
        if line == 1 and head.startswith(b"\xef\xbb\xbf"):
            head = head[3:]
        return line, len(head.decode("utf-8", "replace")) + 1

    def span(self, start: int, end: int) -> Span:
        """Lines and columns of a byte range."""
        line, column = self.position(start)
        starts = self.line_starts
        stop = int(starts[line]) if line < len(starts) else len(self.data) + 1
        if start <= end < stop and self.data[start:end].isascii():
            return Span(line, column, line, column + end - start)
        return Span(line, column, *self.position(max(start, end)))

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a line and a column in code points: the inverse of `position`."""
        start = int(self.line_starts[line - 1])
        stop = int(self.line_starts[line]) if line < len(self.line_starts) else len(self.data)
        if line == 1 and self.data.startswith(b"\xef\xbb\xbf"):
            start += 3
        text = self.data[start:stop]
        if text.isascii():
            return min(start + column - 1, stop)
        # The longest head of that many characters: a character that is cut short counts as one.
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if len(text[:middle].decode("utf-8", "replace")) < column:
                low = middle
            else:
                high = middle - 1
        return start + low

    def line_text(self, line: int) -> str:
        """The text of a line without its end; very long lines are cut."""
        start = int(self.line_starts[line - 1])
        stop = int(self.line_starts[line]) if line < len(self.line_starts) else len(self.data)
        text = self.data[start : min(stop, start + SHOWN_WIDTH)]
        return text.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff")


@dataclass(frozen=True, slots=True)
class Place:
    """A byte range with what stands there; the line is worked out when it is asked for."""

    source: Source | None
    start: int
    end: int
    block: str | None = None
    category: str | None = None
    item: str | None = None
    key: Mapping[str, str] = field(default_factory=dict)

    def location(self) -> Location:
        """The public form, with lines and columns."""
        span = self.source.span(self.start, self.end) if self.source is not None else None
        return Location(self.block, self.category, self.item, self.key, span)


@dataclass(frozen=True, slots=True)
class Change:
    """What shall stand in place of the bytes from `start` to `end`; both alike to insert.

    `is_safe` is true where no number changes and only one legal reading exists.
    """

    source: Source
    start: int
    end: int
    text: str
    is_safe: bool = False

    def edit(self) -> Edit:
        """The public form, with lines and columns."""
        span = self.source.span(self.start, self.end)
        return Edit(span.line, span.column, span.end_line, span.end_column, self.text, self.is_safe)


@dataclass(frozen=True, slots=True)
class BinarySection:
    """One embedded binary: its MIME header, and where header and payload stand.

    `header_spans` holds the byte range of each header line by lower-case field name; `payload_end`
    is the start of the closing boundary, or the end of the file where there is none.
    """

    start: int
    boundary_start: int
    header_start: int
    payload_start: int
    payload_end: int
    end: int
    headers: Mapping[str, str]
    header_spans: Mapping[str, tuple[int, int]]
    is_terminated: bool
    has_magic: bool


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """What the parser found: the code of the rule that reports it, a variant and a range."""

    code: str
    variant: str
    start: int
    end: int
    severity: str = "error"
    block: str | None = None
    item: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Loop:
    """A loop: its columns share the number of rows."""

    start: int
    end: int = 0
    columns: list[Any] = field(default_factory=list)
    rows: int = 0


@dataclass(slots=True, eq=False)
class Block:
    """A data block or save frame; columns by case-folded name, the first of duplicates."""

    name: str
    kind: str
    start: int
    end: int
    columns: dict[str, Any] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    frames: list["Block"] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """A whole file: what it holds, and what is wrong with its text."""

    source: Source
    version: str | None
    magic: str
    is_cbf: bool
    blocks: list[Block] = field(default_factory=list)
    problems: list[SyntaxProblem] = field(default_factory=list)
    problem_totals: dict[str, int] = field(default_factory=dict)
    sections: list[BinarySection] = field(default_factory=list)
    # Which kind of dictionary it is, once somebody has looked: rules ask for it in every block.
    known_kind: str | None = field(default=None, compare=False, repr=False)

    @property
    def is_cif2(self) -> bool:
        """True if the text is read by the rules of CIF 2.0."""
        return self.version == "2.0"
