"""From tokens to blocks, loops and columns; after an error the rest is still judged."""

from collections import Counter

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import BinarySection, Block, Document, Loop, Quoting, Source, SyntaxProblem
from imgcif_core.cif.scan import LARGEST_CHUNK, SMALLEST_CHUNK, plain_words
from imgcif_core.cif.tokens import Kind, Token, Tokeniser
from imgcif_core.cif.values import decode_text, fold

MAX_PROBLEMS = 1000
CAREFUL_STRETCH = 256
NAME_LIMIT = 75


class Parser:
    """Reads one text by the rules of one version of CIF."""

    def __init__(
        self,
        source: Source,
        start: int,
        *,
        version: str | None,
        magic: str,
        is_cbf: bool,
        sections: list[BinarySection],
        is_fast: bool,
    ) -> None:
        self.document = Document(source, version, magic, is_cbf, sections=sections)
        self._source = source
        self._totals: Counter[str] = Counter()
        self._is_fast = is_fast
        self._is_cif2 = version == "2.0"
        self._tokens = Tokeniser(source.data, start, is_cif2=self._is_cif2, sections=sections, report=self._report)
        self._block: Block | None = None
        self._frame: Block | None = None
        self._codes: dict[str, Block] = {}
        self._frame_codes: set[str] = set()
        self._token = Token(Kind.END, start, start)

    def parse(self) -> Document:
        """The document with all that was found."""
        self._advance()
        while self._token.kind is not Kind.END:
            self._step()
        if self._frame is not None:
            self._say("SYN008", "save-frame", self._frame.start, self._frame.end, name=self._frame.name)
        self._refuse_no_block()
        self.document.problem_totals = dict(self._totals)
        return self.document

    def _refuse_no_block(self) -> None:
        """A text without any data block is no CIF."""
        if not self.document.blocks:
            self._say("SYN001", "no-data-block", 0, min(1, len(self._source.data)))

    def _advance(self) -> None:
        self._token = self._tokens.next()

    def _report(self, problem: SyntaxProblem) -> None:
        """Count a problem, and keep it while there is room."""
        self._totals[problem.code] += 1
        if self._totals[problem.code] <= MAX_PROBLEMS:
            here = self._frame or self._block
            if problem.block is None and here is not None:
                problem = SyntaxProblem(
                    problem.code,
                    problem.variant,
                    problem.start,
                    problem.end,
                    problem.severity,
                    here.name,
                    problem.item,
                    problem.data,
                )
            self.document.problems.append(problem)

    def _say(
        self,
        code: str,
        variant: str,
        start: int,
        end: int,
        severity: str = "error",
        item: str | None = None,
        **data: object,
    ) -> None:
        self._report(SyntaxProblem(code, variant, start, end, severity, None, item, data))

    def _text(self, token: Token, limit: int = 80) -> str:
        """The beginning of a token, for a message."""
        return decode_text(self._source.data[token.start : min(token.end, token.start + limit)])

    def _step(self) -> None:
        """One heading, item, loop or stray token."""
        token = self._token
        if token.kind is Kind.NAME:
            self._item()
        elif token.kind is Kind.LOOP:
            self._loop()
        elif token.kind is Kind.DATA:
            self._data_heading()
        elif token.kind is Kind.SAVE:
            self._save_heading()
        else:
            self._stray()

    def _stray(self) -> None:
        """Values without a name, and reserved words; a run of values is one problem."""
        first = self._token
        if first.kind in (Kind.STOP, Kind.GLOBAL):
            self._say("SYN007", "reserved", first.start, first.end, text=self._text(first))
            self._advance()
            return
        count = 0
        last = first
        while self._token.kind in (Kind.VALUE, Kind.STRAY):
            count += self._token.kind is Kind.VALUE
            last = self._token
            self._advance()
        if not count:
            return
        if self._block is None:
            variant = "text-before-block"
            self._say("SYN001", variant, first.start, first.end, text=self._text(first), count=count)
        else:
            self._say("SYN013", "value-without-name", first.start, last.end, text=self._text(first), count=count)

    def _here(self, token: Token) -> Block:
        """The block or frame that receives items; an unnamed one where no heading came."""
        if self._frame is not None:
            return self._frame
        if self._block is None:
            self._block = Block("", "data", token.start, token.start)
            self.document.blocks.append(self._block)
            self._say("SYN001", "no-data-heading", token.start, token.end, text=self._text(token))
        return self._block

    def _data_heading(self) -> None:
        """`data_NAME`."""
        token = self._token
        self._close_frame(token)
        name = decode_text(self._source.data[token.start + 5 : token.end])
        code = fold(name)
        self._block = Block(name, "data", token.start, token.end)
        if not name:
            self._say("SYN005", "empty", token.start, token.end)
        elif code in self._codes:
            line = self._source.line_of(self._codes[code].start)
            self._say("SYN005", "duplicate", token.start, token.end, name=name, first_line=line)
        elif not self._is_cif2 and len(name) > NAME_LIMIT:
            self._say("SYN005", "long", token.start, token.end, "warning", length=len(name))
        self._codes.setdefault(code, self._block)
        self._frame_codes = set()
        self.document.blocks.append(self._block)
        self._advance()

    def _close_frame(self, token: Token) -> None:
        """A heading inside a save frame ends the frame."""
        if self._frame is not None:
            self._say("SYN008", "save-frame", self._frame.start, self._frame.end, name=self._frame.name)
            self._frame = None

    def _save_heading(self) -> None:
        """`save_NAME` opens a frame, `save_` closes it."""
        token = self._token
        name = decode_text(self._source.data[token.start + 5 : token.end])
        if not name:
            if self._frame is None:
                self._say("SYN007", "reserved", token.start, token.end, text="save_")
            self._frame = None
        else:
            self._close_frame(token)
            block = self._here(token)
            self._frame = Block(name, "save", token.start, token.end)
            block.frames.append(self._frame)
            self._say("SYN016", "", token.start, token.end, "warning", name=name)
            if fold(name) in self._frame_codes:
                self._say("SYN005", "frame", token.start, token.end, name=name)
            self._frame_codes.add(fold(name))
        self._advance()

    def _item(self) -> None:
        """A data name and its value."""
        name = self._token
        block = self._here(name)
        self._advance()
        value = self._token
        if value.kind is not Kind.VALUE:
            text = self._text(name)
            self._name_limits(name)
            self._say("SYN013", "name-without-value", name.start, name.end, item=text, name=text)
            return
        starts = np.array([value.start], dtype=np.int64)
        ends = np.array([value.end], dtype=np.int64)
        quoting = None if value.quoting is Quoting.BARE else np.array([value.quoting], dtype=np.uint8)
        self._add(block, name, starts, ends, quoting, None)
        self._advance()

    def _name_limits(self, name: Token) -> None:
        """The limit of CIF 1.1 on the length of a name."""
        if not self._is_cif2 and name.end - name.start > NAME_LIMIT:
            text = self._text(name)
            length = name.end - name.start
            self._say("SYN010", "name", name.start, name.end, "warning", item=text, length=length, name=text)

    def _add(
        self,
        block: Block,
        name: Token,
        starts: np.ndarray,
        ends: np.ndarray,
        quoting: np.ndarray | None,
        loop: Loop | None,
    ) -> None:
        """Make a column, and enter it unless the block holds that name."""
        text = decode_text(self._source.data[name.start : name.end])
        self._name_limits(name)
        column = Column(text, self._source, name.start, name.end, starts, ends, quoting, loop)
        if loop is not None:
            loop.columns.append(column)
        key = fold(text)
        first = block.columns.get(key)
        if first is None:
            block.columns[key] = column
        else:
            line = self._source.line_of(first.name_start)
            self._say("SYN004", "", name.start, name.end, item=text, name=text, first_line=line)

    def _loop(self) -> None:
        """`loop_`, its names and its values."""
        keyword = self._token
        block = self._here(keyword)
        self._advance()
        names = []
        while self._token.kind is Kind.NAME:
            names.append(self._token)
            self._advance()
        if not names:
            self._say("SYN017", "no-names", keyword.start, keyword.end)
            if self._token.kind in (Kind.VALUE, Kind.STRAY):
                self._stray()
            return
        starts, ends, quoting = self._body()
        if self._token.kind is Kind.STOP:
            self._stray()
        last = int(ends[-1]) if len(ends) else names[-1].end
        whole = self._count_values(keyword, names, starts, ends)
        if whole is not None:
            starts, ends = starts[whole], ends[whole]
            quoting = None if quoting is None else quoting[whole]
        loop = Loop(keyword.start, last)
        loop.rows = len(starts) // len(names)
        block.loops.append(loop)
        for index, name in enumerate(names):
            used = slice(index, loop.rows * len(names), len(names))
            kinds = None if quoting is None else quoting[used]
            if kinds is not None and not kinds.any():
                kinds = None
            self._add(block, name, starts[used], ends[used], kinds, loop)

    def _count_values(
        self, keyword: Token, names: list[Token], starts: np.ndarray, ends: np.ndarray
    ) -> np.ndarray | None:
        """A loop must hold values, and a whole number of rows.

        Where rows are lines and only some lines are of the wrong length, the mask of the values in
        whole rows is given, so that the others are not shifted into wrong columns.
        """
        first = self._text(names[0])
        left = len(starts) % len(names)
        if not len(starts):
            self._say("SYN017", "no-values", keyword.start, names[-1].end, item=first, name=first)
        elif left:
            begin, end = int(starts[len(starts) - left]), int(ends[-1])
            whole, line = self._whole_rows(len(names), starts)
            if whole is not None:
                wrong = np.flatnonzero(~whole)
                on_line = wrong[np.searchsorted(self._source.line_starts, starts[wrong], side="right") == line]
                begin, end = int(starts[on_line[0]]), int(ends[on_line[-1]])
            counts = (len(names), len(starts), len(names) - left)
            self._say_count(begin, end, first, counts, line)
            return whole
        return None

    def _say_count(self, begin: int, end: int, first: str, counts: tuple[int, int, int], line: int) -> None:
        """The number of values does not fit the number of names."""
        names, values, missing = counts
        self._say("SYN006", "", begin, end, item=first, names=names, values=values, missing=missing, suspect=line)

    def _whole_rows(self, width: int, starts: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Which values stand in lines of the right length, and the first other line; None where rows are not lines."""
        lines = np.searchsorted(self._source.line_starts, starts, side="right")
        numbers, inverse, counts = np.unique(lines, return_inverse=True, return_counts=True)
        wrong = counts != width
        if wrong.sum() > max(1, len(numbers) // 4):
            return None, 0
        return ~wrong[inverse], int(numbers[wrong.argmax()])

    def _body(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The byte ranges of all values of a loop, and how they are written."""
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []
        chunk = SMALLEST_CHUNK
        stretch = CAREFUL_STRETCH
        while self._token.kind in (Kind.VALUE, Kind.STRAY):
            parts.append(self._careful(stretch))
            if not self._is_fast or self._token.kind is not Kind.VALUE:
                continue
            position = self._token.start
            used_up, words = True, 0
            while used_up:
                starts, ends, position, used_up = plain_words(self._source.data, position, chunk, is_cif2=self._is_cif2)
                words += len(starts)
                parts.append((_small(starts, len(self._source.data)), _small(ends, len(self._source.data)), None))
                chunk = min(2 * chunk, LARGEST_CHUNK)
                if not len(starts):
                    break
            # Short plain stretches between quoted values are cheaper by the careful road.
            stretch = CAREFUL_STRETCH if words > CAREFUL_STRETCH else min(4 * stretch, 1 << 16)
            if words:
                self._tokens.position = position
                self._advance()
        return _join(parts)

    def _careful(self, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Up to `limit` values by the careful tokeniser."""
        starts: list[int] = []
        ends: list[int] = []
        kinds: list[int] = []
        while self._token.kind in (Kind.VALUE, Kind.STRAY) and (len(starts) < limit or not self._is_fast):
            if self._token.kind is Kind.VALUE:
                starts.append(self._token.start)
                ends.append(self._token.end)
                kinds.append(self._token.quoting)
            self._advance()
        quoting = np.array(kinds, dtype=np.uint8)
        size = len(self._source.data)
        return (
            _small(np.array(starts, dtype=np.int64), size),
            _small(np.array(ends, dtype=np.int64), size),
            quoting if quoting.any() else None,
        )


def _small(offsets: np.ndarray, size: int) -> np.ndarray:
    """Offsets in 4 bytes where the file allows it: millions of values are kept."""
    return offsets.astype(np.int32) if size < 2**31 - 1 else offsets.astype(np.int64)


def _join(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The stretches of a loop as one."""
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, None
    starts = np.concatenate([part[0] for part in parts])
    ends = np.concatenate([part[1] for part in parts])
    if all(part[2] is None for part in parts):
        return starts, ends, None
    quoting = [np.zeros(len(part[0]), np.uint8) if part[2] is None else part[2] for part in parts]
    return starts, ends, np.concatenate(quoting)
