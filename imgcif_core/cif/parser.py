"""From tokens to blocks, loops and columns; after an error the rest is still judged."""

import numpy as np

from imgcif_core.cif.document import Block, Document, Quoting
from imgcif_core.cif.loops import LoopReading
from imgcif_core.cif.reading import NAME_LIMIT
from imgcif_core.cif.recovery import is_name_without_underscore, is_nearly_loop, stuck_value
from imgcif_core.cif.tokens import Kind, Token
from imgcif_core.cif.values import decode_text, fold

# Nobody writes a value of that length without a blank behind its name.
MAX_STUCK = 2048


class Parser(LoopReading):
    """Reads one text by the rules of one version of CIF."""

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
        if not count or self._is_meant_otherwise(first, last, count):
            return
        if self._block is None:
            variant = "text-before-block"
            self._say("SYN001", variant, first.start, first.end, text=self._text(first), count=count)
        else:
            self._say("SYN013", "value-without-name", first.start, last.end, text=self._text(first), count=count)

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
            if not self._is_cif2 and len(name) > NAME_LIMIT:
                self._say("SYN005", "long-frame", token.start, token.end, "warning", length=len(name))
            if fold(name) in self._frame_codes:
                self._say("SYN005", "frame", token.start, token.end, name=name)
            self._frame_codes.add(fold(name))
        self._advance()

    def _is_meant_otherwise(self, first: Token, last: Token, count: int) -> bool:
        """True if values without a name were a keyword or a name with a slip, and have been read as such."""
        data = self._source.data
        word = data[first.start : first.end]
        if first.quoting is not Quoting.BARE or self._block is None:
            return False
        if count == 1 and self._token.kind is Kind.NAME and is_nearly_loop(word):
            self._read_as_loop(first)
            return True
        if count == 2 and is_name_without_underscore(word, ()):
            self._rename(first, "_" + self._text(first), "lost-underscore")
            starts, ends = np.array([last.start], dtype=np.int64), np.array([last.end], dtype=np.int64)
            quoting = None if last.quoting is Quoting.BARE else np.array([last.quoting], dtype=np.uint8)
            self._add(self._here(first), first, starts, ends, quoting, None)
            return True
        return False

    def _item(self) -> None:
        """A data name and its value."""
        name = self._token
        block = self._here(name)
        self._advance()
        value = self._token
        if self._has_stuck_value(block, name):
            return
        if value.kind is not Kind.VALUE:
            self._names_without_value(block, name)
            return
        self._single(block, name, value)
        self._advance()

    def _has_stuck_value(self, block: Block, name: Token) -> bool:
        """Read a name and the quoted value that sticks to it, as in `_name'value'`; False where none does."""
        data = self._source.data
        at = stuck_value(data[name.start : name.end])
        if not at:
            return False
        start, end = name.start + at, name.end
        quote = data[start : start + 1]
        closes = end - start > 1 and data[end - 1 : end] == quote
        if self._token.kind is Kind.VALUE:
            # A value may follow a name that holds a quote: only the closing quote of its line is left for it.
            line_end = self._line_end(end, end + MAX_STUCK)
            rest = data[end:line_end].rstrip()
            if closes or line_end == end + MAX_STUCK or rest.count(quote) != 1 or not rest.endswith(quote):
                return False
            end += len(rest)
            self._tokens.position = end
            self._advance()
        elif not closes:
            return False
        cut = Token(Kind.NAME, name.start, start)
        self._say("SYN013", "no-blank", name.start, end, item=self._text(cut), name=self._text(cut))
        quoting = Quoting.SINGLE if quote == b"'" else Quoting.DOUBLE
        self._single(block, cut, Token(Kind.VALUE, start, end, quoting))
        return True

    def _names_without_value(self, block: Block, first: Token) -> None:
        """Names in a row: those of a loop that lost its keyword, else names that lost their values."""
        names = [first, *self._names()]
        own = [name for name in names if self._category(name) == self._category(names[-1])]
        if len(names) > 1 and self._token.kind is Kind.VALUE:
            starts, ends, quoting = self._body()
            if len(own) > 1 and len(starts) > 1 and names[-len(own) :] == own:
                self._say_lost_loop(own, len(starts))
                self._enter_loop(block, own[0], own, starts, ends, quoting)
                names = names[: -len(own)]
            else:
                kind = Quoting.BARE if quoting is None else Quoting(int(quoting[0]))
                self._single(block, names.pop(), Token(Kind.VALUE, int(starts[0]), int(ends[0]), kind))
                self._say_left_over(starts[1:], ends[1:])
        if names:
            text = self._text(names[0])
            for name in names:
                self._name_limits(name)
            variant = "names-without-value" if len(names) > 1 else "name-without-value"
            self._say("SYN013", variant, names[0].start, names[-1].end, item=text, name=text, names=len(names))

    def _say_lost_loop(self, names: list[Token], values: int) -> None:
        """The keyword of a loop is missing."""
        first = names[0]
        text = self._text(first)
        self._say("SYN013", "lost-loop", first.start, first.end, item=text, name=text, names=len(names), values=values)

    def _say_left_over(self, starts: np.ndarray, ends: np.ndarray) -> None:
        """Values behind the one that a name takes."""
        if len(starts):
            text = self._text(Token(Kind.VALUE, int(starts[0]), int(ends[0])))
            begin, end = int(starts[0]), int(ends[-1])
            self._say("SYN013", "value-without-name", begin, end, text=text, count=len(starts))

    def _loop(self) -> None:
        """`loop_`, its names and its values."""
        keyword = self._token
        self._advance()
        self._loop_after(keyword)
