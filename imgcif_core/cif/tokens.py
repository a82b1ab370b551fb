"""The careful tokeniser: CIF 1.1 and 2.0, one token at a time, never an exception."""

import re
from bisect import bisect_left
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from imgcif_core.cif.document import BinarySection, Quoting, SyntaxProblem
from imgcif_core.cif.values import decode_text, normal
from imgcif_core.records import dataclass, field

MAX_DEPTH = 500
OPEN_QUOTE = "SYN008"


class Kind(IntEnum):
    """What a token is."""

    END = 0
    NAME = 1
    LOOP = 2
    DATA = 3
    SAVE = 4
    STOP = 5
    GLOBAL = 6
    VALUE = 7
    STRAY = 8


class Token(NamedTuple):
    """A token and its byte range; `quoting` says how a value is written."""

    kind: Kind
    start: int
    end: int
    quoting: Quoting = Quoting.BARE


_SKIP = re.compile(rb"(?:[ \t\r\n]+|#[^\r\n]*)*")
_WORD = re.compile(rb"[^ \t\r\n]+")
_WORD2 = re.compile(rb"[^ \t\r\n\[\]{}]+")
_CLOSING1 = {39: re.compile(rb"'(?=[ \t\r\n]|\Z)|[\r\n]"), 34: re.compile(rb"\"(?=[ \t\r\n]|\Z)|[\r\n]")}
_QUOTED2 = re.compile(rb"'[^'\r\n]*'|\"[^\"\r\n]*\"")
_TEXT_END = re.compile(rb"(?:\r\n|\n|\r);")
_LINE_END = re.compile(rb"[\r\n]")
_KEYWORD = re.compile(rb"(?:(loop_)|(data_)|(save_)|(stop_)|(global_))", re.I)
_WHITE = b" \t\r\n"
# A run of plain and simply quoted values in a list, each followed by white space.
_PLAIN_RUN = re.compile(
    rb"(?:(?:(?!(?:loop_|data_|save_|stop_|global_))[^ \t\r\n\[\]{}'\"#;_$][^ \t\r\n\[\]{}]*+"
    rb"|'(?!'')[^'\r\n]*+'|\"(?!\"\")[^\"\r\n]*+\")[ \t\r\n]++)*+",
    re.I,
)
_CLOSES = re.compile(rb"[ \t\r\n]*[\]}]")


@cache
def _ordinary(*, is_cif2: bool) -> re.Pattern[bytes]:
    """What nothing is to be said of, white space behind it: bare words, strings without their own quote, names."""
    rest = rb"[^ \t\r\n\[\]{}]*+" if is_cif2 else rb"[^ \t\r\n]*+"
    return re.compile(
        rb"(?:[ \t\r\n]++|#[^\r\n]*+)*+(?:((?!(?:loop_|data_|save_|stop_|global_))[^ \t\r\n\[\]{}'\"#;_$]"
        + rest
        + rb")|('[^'\r\n]*+')|(\"[^\"\r\n]*+\")|(_[^ \t\r\n]++))(?=[ \t\r\n])",
        re.I,
    )


# The kinds of quoting by the groups of that pattern, and the group of names.
_BY_GROUP = (Quoting.BARE, Quoting.BARE, Quoting.SINGLE, Quoting.DOUBLE)
_NAME_GROUP = 4

_KEYS = (Quoting.SINGLE, Quoting.DOUBLE, Quoting.TRIPLE_SINGLE, Quoting.TRIPLE_DOUBLE)


@dataclass(slots=True)
class _Level:
    """An open list or table; `has_key` where a key waits for its value, `keys` are those of a table so far."""

    is_table: bool
    has_key: bool = False
    keys: set[str] = field(default_factory=set)


class Tokeniser:
    """Tokens of a text; what is wrong goes to `report` and the scan goes on."""

    def __init__(
        self,
        data: bytes,
        start: int,
        *,
        is_cif2: bool,
        sections: list[BinarySection],
        report: Callable[[SyntaxProblem], None],
    ) -> None:
        self.data = data
        self.position = start
        self.is_cif2 = is_cif2
        self.report = report
        self._sections = {section.start: section for section in sections}
        self._section_starts = sorted(self._sections)
        self._text_is_open = False
        self._is_inside = False
        self._was_deep = False
        # Binary sections are looked for at each token.
        self._ordinary = None if sections else _ordinary(is_cif2=is_cif2)

    def next(self) -> Token:
        """The next token; END for ever at the end."""
        data = self.data
        ordinary = self._ordinary.match(data, self.position) if self._ordinary is not None else None
        if ordinary is not None:
            group = ordinary.lastindex or 0
            start, end = ordinary.span(group)
            self.position = end
            if group == _NAME_GROUP:
                return Token(Kind.NAME, start, end)
            return Token(Kind.VALUE, start, end, _BY_GROUP[group])
        found = _SKIP.match(data, self.position)
        position = found.end() if found else self.position
        if position >= len(data):
            self.position = position
            return Token(Kind.END, len(data), len(data))
        section = self._sections.get(position)
        if section is not None:
            return self._value(position, max(section.end, position + 1), Quoting.BINARY)
        byte = data[position : position + 1]
        if byte == b";" and (position == 0 or data[position - 1] in b"\r\n"):
            return self._text_field(position)
        if byte in b"'\"":
            return self._quoted2(position) if self.is_cif2 else self._quoted1(position)
        if byte == b"_":
            if data[position + 1 : position + 2].strip(_WHITE):
                return self._word(Kind.NAME, position)
            self._problem("SYN007", "first-character", position, position + 1)
            return self._value(position, position + 1, Quoting.BARE)
        if self.is_cif2 and byte in b"[]{}":
            return self._bracket(position)
        return self._bare(position)

    def take_ordinary(self, limit: int, starts: list[int], ends: list[int], kinds: list[int]) -> None:
        """Pass up to `limit` values of which nothing is to be said, and add where they stand and their quoting."""
        if self._ordinary is None:
            return
        match, data, position = self._ordinary.match, self.data, self.position
        for _ in range(limit):
            found = match(data, position)
            if found is None or found.lastindex == _NAME_GROUP:
                break
            group = found.lastindex or 0
            start, position = found.span(group)
            starts.append(start)
            ends.append(position)
            kinds.append(_BY_GROUP[group])
        self.position = position

    def next_section(self, position: int) -> int:
        """Where the next binary section begins; else the end."""
        index = bisect_left(self._section_starts, position)
        return self._section_starts[index] if index < len(self._section_starts) else len(self.data)

    def _value(self, start: int, end: int, quoting: Quoting) -> Token:
        self.position = end
        return Token(Kind.VALUE, start, end, quoting)

    def _word(self, kind: Kind, position: int) -> Token:
        """A token up to the next white space."""
        match = _WORD.match(self.data, position)
        self.position = match.end() if match else position + 1
        return Token(kind, position, self.position)

    def _bare(self, position: int) -> Token:
        """A keyword, a heading or a bare word."""
        match = _KEYWORD.match(self.data, position)
        if match is not None:
            if self._is_inside and self._is_enclosed(position):
                return self._enclosed_keyword(position)
            word = _WORD.match(self.data, position)
            end = word.end() if word else match.end()
            kind = (Kind.LOOP, Kind.DATA, Kind.SAVE, Kind.STOP, Kind.GLOBAL)[(match.lastindex or 1) - 1]
            if kind in (Kind.DATA, Kind.SAVE) or end == match.end():
                self.position = end
                return Token(kind, position, end)
        pattern = _WORD2 if self.is_cif2 else _WORD
        found = pattern.match(self.data, position)
        end = found.end() if found else position + 1
        follows = self.data[end : end + 1]
        if self.is_cif2 and follows and follows in (b"[{" if self._is_inside else b"[]{}"):
            whole = _WORD.match(self.data, position)
            end = whole.end() if whole else end
            self._problem("SYN001", "bracket-in-word", position, end)
        elif self.data[position] in (b"$" if self.is_cif2 else b"$[]"):
            self._problem("SYN007", "first-character", position, end)
        return self._value(position, end, Quoting.BARE)

    def _is_enclosed(self, position: int) -> bool:
        """True if a word in a container is followed by its closing bracket, so that it can only be meant as a value."""
        word = _WORD2.match(self.data, position)
        return word is not None and _CLOSES.match(self.data, word.end()) is not None

    def _enclosed_keyword(self, position: int) -> Token:
        """A reserved word as the last value of a list or table."""
        word = _WORD2.match(self.data, position)
        end = word.end() if word else position + 1
        text = self.data[position:end].lower()
        if text in (b"loop_", b"stop_", b"global_") or text.startswith((b"data_", b"save_")):
            self._problem("SYN007", "reserved", position, end)
        return self._value(position, end, Quoting.BARE)

    def _problem(self, code: str, variant: str, start: int, end: int, severity: str = "error") -> None:
        text = self.data[start : min(end, start + 60)].decode("utf-8", "replace")
        self.report(SyntaxProblem(code, variant, start, end, severity, data={"text": text}))

    def _line_end(self, position: int) -> int:
        match = _LINE_END.search(self.data, position)
        return match.start() if match else len(self.data)

    def _quoted1(self, position: int) -> Token:
        """A quoted string of CIF 1.1: it ends with a quote before white space."""
        mark = self.data[position]
        match = _CLOSING1[mark].search(self.data, position + 1)
        quoting = Quoting.SINGLE if mark == 39 else Quoting.DOUBLE
        if match is None or self.data[match.start()] != mark:
            return self._open_quote(position, quoting)
        if self.data.find(self.data[position : position + 1], position + 1, match.end() - 1) >= 0:
            self._problem("SYN012", "", position, match.end(), "warning")
        return self._value(position, match.end(), quoting)

    def _open_quote(self, position: int, quoting: Quoting) -> Token:
        """A quote that its line does not close."""
        end = self._line_end(position)
        self.tell_open_quote(position, end)
        return self._value(position, max(end, position + 1), quoting)

    def tell_open_quote(self, position: int, end: int) -> None:
        """Report a quote that is open up to the end of its line."""
        self._problem(OPEN_QUOTE, "quote", position, end)

    def _quoted2(self, position: int) -> Token:
        """A quoted string of CIF 2.0, single or triple."""
        data = self.data
        is_single = data[position] == 39
        triple = b"'''" if is_single else b'"""'
        if data.startswith(triple, position):
            end = data.find(triple, position + 3)
            quoting = Quoting.TRIPLE_SINGLE if is_single else Quoting.TRIPLE_DOUBLE
            if end < 0:
                self._problem("SYN008", "triple", position, self._line_end(position))
                return self._value(position, max(self._line_end(position), position + 1), quoting)
            return self._close2(position, end + 3, quoting)
        match = _QUOTED2.match(data, position)
        quoting = Quoting.SINGLE if is_single else Quoting.DOUBLE
        if match is None:
            return self._open_quote(position, quoting)
        return self._close2(position, match.end(), quoting)

    def _close2(self, start: int, end: int, quoting: Quoting) -> Token:
        """A closing quote must be followed by white space; what sticks to it is reported and skipped."""
        token = self._value(start, end, quoting)
        if end < len(self.data) and self.data[end] not in _WHITE + (b"]}:[{" if self._is_inside else b"]}"):
            rest = _WORD2.match(self.data, end)
            stop = rest.end() if rest else end + 1
            self._problem("SYN001", "after-quote", start, stop)
            self.position = stop
        return token

    def _text_field(self, position: int) -> Token:
        """A text field, or the guess at one that is never closed."""
        match = None if self._text_is_open else _TEXT_END.search(self.data, position + 1)
        if match is not None:
            end = match.end()
            if end < len(self.data) and self.data[end] not in _WHITE + (b"]}" if self.is_cif2 else b""):
                self._problem("SYN008", "after-text-field", end - 1, self._line_end(end))
            return self._value(position, end, Quoting.TEXT)
        self._text_is_open = True
        self._problem("SYN008", "text-field", position, self._line_end(position))
        return self._value(position, self._guess_end(position), Quoting.TEXT)

    def _guess_end(self, position: int) -> int:
        """Where a field that is never closed most likely ended: before the next name or keyword line."""
        match = re.compile(rb"[\r\n](?=_[A-Za-z]+[._]|loop_[ \t\r\n]|data_|save_)").search(self.data, position)
        return match.start() if match else len(self.data)

    def _bracket(self, position: int) -> Token:
        """A whole list or table of CIF 2.0, by counting brackets; a stray closing one is reported."""
        data = self.data
        if data[position] in b"]}":
            self._problem("SYN007", "closing-bracket", position, position + 1)
            self.position = position + 1
            return Token(Kind.STRAY, position, position + 1)
        quoting = Quoting.LIST if data[position] == 91 else Quoting.TABLE
        levels: list[_Level] = []
        self.position = position
        is_apart = True
        while True:
            found = _SKIP.match(data, self.position)
            here = found.end() if found else self.position
            if here >= len(data):
                break
            # A bracket that opens sets a comment apart, a colon or a bracket that closes does not.
            if data[self.position] == ord("#") and data[self.position - 1] in b":]}":
                self._problem("SYN001", "glued-comment", self.position, self._line_end(self.position))
            is_apart = is_apart or here > self.position
            if data[here] in b"]}":
                self._close_level(levels.pop(), here)
                if not levels:
                    return self._end_container(position, quoting)
                is_apart = False
                continue
            if not is_apart:
                self._problem("SYN001", "not-separated", here, here + 1)
            if data[here] in b"[{":
                self._open_level(levels, here)
                is_apart = True
                continue
            run = None if levels[-1].is_table else _PLAIN_RUN.match(data, here)
            if run is not None and run.end() > here:
                self.position = run.end()
                is_apart = True
                continue
            is_key = self._inner(here, levels[-1])
            if is_key is None:
                self.position = here
                break
            is_apart = is_key
        self._problem("SYN008", "list" if quoting is Quoting.LIST else "table", position, position + 1)
        return self._value(position, self.position, quoting)

    def _open_level(self, levels: "list[_Level]", here: int) -> None:
        """A bracket that opens a list or table, as a value of the one around it."""
        if levels and levels[-1].is_table:
            if not levels[-1].has_key:
                self._problem("SYN001", "table-entry", here, here + 1)
            levels[-1].has_key = False
        levels.append(_Level(self.data[here] == 123))
        if len(levels) == MAX_DEPTH + 1 and not self._was_deep:
            self._was_deep = True
            self._problem("SYN001", "too-deep", here, here + 1)
        self.position = here + 1

    def _close_level(self, level: "_Level", here: int) -> None:
        """A bracket that closes a list or table; each key must have got its value."""
        if level.is_table is not (self.data[here] == 125):
            self._problem("SYN001", "wrong-bracket", here, here + 1)
        if level.has_key:
            self._problem("SYN001", "table-entry", here, here + 1)
        self.position = here + 1

    def _end_container(self, start: int, quoting: Quoting) -> Token:
        """A whole list or table; a word that sticks to it is reported and skipped."""
        token = self._value(start, self.position, quoting)
        end = self.position
        if end < len(self.data) and self.data[end] not in _WHITE + b"]}":
            rest = _WORD2.match(self.data, end)
            self.position = rest.end() if rest else end
            self._problem("SYN001", "after-container", end, max(self.position, end + 1))
        return token

    def _inner(self, here: int, level: "_Level") -> bool | None:
        """Pass one value or key in a container: was it a key; None where the container must have ended before."""
        self.position = here
        self._is_inside = True
        token = self.next()
        self._is_inside = False
        if token.kind is not Kind.VALUE:
            return None
        if not level.is_table:
            return False
        is_key = token.quoting in _KEYS and self.data[self.position : self.position + 1] == b":"
        self.position += is_key
        if is_key is level.has_key:
            self._problem("SYN001", "table-entry", here, self.position)
        if is_key:
            self._enter_key(level, token)
        level.has_key = is_key
        return is_key

    def _enter_key(self, level: "_Level", token: Token) -> None:
        """A key of a table, which may stand there once."""
        width = 3 if token.quoting in (Quoting.TRIPLE_SINGLE, Quoting.TRIPLE_DOUBLE) else 1
        key = normal(decode_text(self.data[token.start + width : token.end - width]))
        if key in level.keys:
            self._problem("SYN004", "key", token.start, token.end)
        level.keys.add(key)
