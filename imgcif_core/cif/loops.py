"""Loops: their names, their values, and slips in their headings that are read as they were meant."""

import numpy as np

from imgcif_core.cif.document import Block, Loop, Quoting, SyntaxProblem
from imgcif_core.cif.reading import MAX_PROBLEMS, Reading
from imgcif_core.cif.recovery import is_heading, is_name_without_underscore, is_nearly_loop
from imgcif_core.cif.scan import LARGEST_CHUNK, SMALLEST_CHUNK, marked_words, may_be_marked, plain_words, ruled_words
from imgcif_core.cif.tokens import OPEN_QUOTE, Kind, Token

CAREFUL_STRETCH = 256
NEXT_LOOP = b"\nloop_"
MAX_LOOSE = 200


class LoopReading(Reading):
    """The part of the parser that reads loops."""

    def _stray(self) -> None:
        """Values without a name, and reserved words: the parser says what is wrong with them."""
        raise NotImplementedError

    def _read_as_loop(self, word: Token) -> None:
        """Read what follows as the loop that a misspelt keyword announces."""
        self._say("SYN013", "misspelt-loop", word.start, word.end, text=self._text(word))
        self._loop_after(word)

    def _names(self) -> list[Token]:
        """The names that stand here in a row."""
        names = []
        while self._token.kind is Kind.NAME:
            names.append(self._token)
            self._advance()
        return names

    def _loop_after(self, keyword: Token) -> None:
        """The names and values behind the keyword of a loop, and the loops whose misspelt keywords end them."""
        following = self._one_loop(keyword)
        while following is not None:
            self._say("SYN013", "misspelt-loop", following.start, following.end, text=self._text(following))
            following = self._one_loop(following)

    def _one_loop(self, keyword: Token) -> Token | None:
        """The names and values of one loop; gives the word among the values that begins the next one."""
        block = self._here(keyword)
        names = self._names() or self._first_name()
        if not names:
            self._say("SYN017", "no-names", keyword.start, keyword.end)
            if self._token.kind in (Kind.VALUE, Kind.STRAY):
                self._stray()
            return None
        starts, ends, quoting = self._body()
        while self._token.kind is Kind.NAME and self._goes_on(names, starts, ends, quoting):
            names += self._names()
            starts, ends, quoting = self._body()
        head = self._last_name(names, starts, ends, quoting)
        if head:
            starts, ends, quoting = starts[head:], ends[head:], None if quoting is None else quoting[head:]
        if self._token.kind is Kind.STOP:
            self._stray()
        next_loop = self._next_loop(names, starts, ends, quoting)
        if next_loop is not None:
            starts, ends, quoting = starts[:-1], ends[:-1], None if quoting is None else quoting[:-1]
        self._enter_loop(block, keyword, names, starts, ends, quoting)
        return next_loop

    def _first_name(self) -> list[Token]:
        """The first name of a loop if it lost its underscore."""
        token = self._token
        word = self._source.data[token.start : token.end]
        if token.kind is not Kind.VALUE or token.quoting is not Quoting.BARE:
            return []
        if not is_name_without_underscore(word, ()):
            return []
        self._advance()
        self._rename(token, "_" + self._text(token), "lost-underscore")
        return [token, *self._names()]

    def _goes_on(self, names: list[Token], starts: np.ndarray, ends: np.ndarray, quoting: np.ndarray | None) -> bool:
        """True if a few words only break a heading that goes on behind them: a name with a slip in it."""
        data = self._source.data
        if not 0 < len(starts) <= 3 or quoting is not None or self._category(self._token) != self._category(names[0]):
            return False
        if len(starts) % len(names) == 0 and not is_heading(data, self._token.start):
            return False
        return self._is_slip(names, starts, ends)

    def _is_slip(self, names: list[Token], starts: np.ndarray, ends: np.ndarray) -> bool:
        """Take words behind the names as a name without underscore, or as the rest of a name with blanks."""
        data = self._source.data
        spelt = [data[name.start : name.end] for name in names]
        first = Token(Kind.NAME, int(starts[0]), int(ends[0]))
        if len(starts) == 1 and is_name_without_underscore(data[first.start : first.end], spelt):
            self._rename(first, "_" + self._text(first), "lost-underscore")
            names.append(first)
            return True
        last = names[-1]
        if self._source.line_of(int(starts[-1])) != self._source.line_of(last.start):
            return False
        whole = Token(Kind.NAME, last.start, int(ends[-1]))
        self._rename(whole, "_".join(self._text(whole).split()), "blank-in-name")
        names[-1] = whole
        return True

    def _last_name(self, names: list[Token], starts: np.ndarray, ends: np.ndarray, quoting: np.ndarray | None) -> int:
        """How many values belong to the heading, since the last name has a slip in it."""
        if len(starts) < 2 or len(starts) % len(names) == 0 or (quoting is not None and quoting[:3].any()):
            return 0
        data, line_of = self._source.data, self._source.line_of
        spelt = [data[name.start : name.end] for name in names]
        if is_name_without_underscore(data[starts[0] : ends[0]], spelt) and (len(starts) - 1) % (len(names) + 1) == 0:
            return int(self._is_slip(names, starts[:1], ends[:1]))
        line = line_of(names[-1].start)
        beside = next((number for number in range(4) if line_of(int(starts[min(number, len(starts) - 1)])) != line), 0)
        if beside and (len(starts) - beside) % len(names) == 0:
            return beside * self._is_slip(names, starts[:beside], ends[:beside])
        return 0

    def _next_loop(
        self, names: list[Token], starts: np.ndarray, ends: np.ndarray, quoting: np.ndarray | None
    ) -> Token | None:
        """The last value if it was meant as the keyword of the next loop."""
        if self._token.kind is not Kind.NAME or not len(starts) or (quoting is not None and quoting[-1]):
            return None
        data = self._source.data
        if not is_nearly_loop(data[starts[-1] : ends[-1]]):
            return None
        if len(starts) % len(names) == 0 and not is_heading(data, self._token.start):
            return None
        return Token(Kind.LOOP, int(starts[-1]), int(ends[-1]))

    def _enter_loop(
        self,
        block: Block,
        keyword: Token,
        names: list[Token],
        starts: np.ndarray,
        ends: np.ndarray,
        quoting: np.ndarray | None,
    ) -> None:
        """Make the columns of a loop."""
        last = int(ends[-1]) if len(ends) else names[-1].end
        whole = self._count_values(keyword, names, starts, ends)
        if whole is not None:
            starts, ends = starts[whole], ends[whole]
            quoting = None if quoting is None else quoting[whole]
        elif len(starts) % len(names):
            starts, ends, quoting = starts[:0], ends[:0], None
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
            loose: list[str] = []
            whole, line = self._whole_rows(len(names), starts)
            if whole is not None:
                wrong = np.flatnonzero(~whole)
                on_line = wrong[np.searchsorted(self._source.line_starts, starts[wrong], side="right") == line]
                begin, end = int(starts[on_line[0]]), int(ends[on_line[-1]])
                loose = [self._text(Token(Kind.VALUE, int(starts[at]), int(ends[at]))) for at in wrong[:MAX_LOOSE]]
            counts = (len(names), len(starts), len(names) - left)
            self._say_count(begin, end, first, counts, line, loose)
            return whole
        return None

    def _say_count(
        self, begin: int, end: int, first: str, counts: tuple[int, int, int], line: int, loose: list[str]
    ) -> None:
        """The number of values does not fit the number of names."""
        names, values, missing = counts
        data = {"names": names, "values": values, "missing": missing, "suspect": line, "loose": loose}
        self._report(SyntaxProblem("SYN006", "", begin, end, item=first, data=data))

    def _whole_rows(self, width: int, starts: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Which values stand in lines of the right length, and the first other line; None where rows are not lines."""
        lines = np.searchsorted(self._source.line_starts, starts, side="right")
        if lines[0] == lines[-1]:
            return np.zeros(len(starts), dtype=bool), int(lines[0])
        numbers, inverse, counts = np.unique(lines, return_inverse=True, return_counts=True)
        wrong = counts != width
        if wrong.sum() > max(1, len(numbers) // 4):
            return None, 0
        return ~wrong[inverse], int(numbers[wrong.argmax()])

    def _body(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The byte ranges of all values of a loop, and how they are written."""
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []
        size = len(self._source.data)
        chunk, stretch, is_plain = SMALLEST_CHUNK, CAREFUL_STRETCH, True
        while self._token.kind in (Kind.VALUE, Kind.STRAY):
            parts.append(self._careful(stretch))
            if not self._is_fast or self._token.kind is not Kind.VALUE:
                continue
            position = self._token.start
            used_up, words = True, 0
            while used_up:
                starts, ends, kinds, position, used_up = self._fast_words(position, chunk, is_plain=is_plain)
                parts.append((_small(starts, size), _small(ends, size), kinds))
                if kinds is not None:
                    self._say_open_quotes(starts, ends, kinds)
                words += len(starts)
                chunk = min(2 * chunk, LARGEST_CHUNK) if len(starts) > CAREFUL_STRETCH else SMALLEST_CHUNK
                if not len(starts):
                    break
                if not used_up and is_plain and may_be_marked(self._source.data, position):
                    # Quoted values are marked from here on, which costs more than to look for white space alone.
                    is_plain, used_up, chunk = False, True, SMALLEST_CHUNK
            # Short stretches between odd values are cheaper by the careful road.
            stretch = CAREFUL_STRETCH if words > CAREFUL_STRETCH else min(4 * stretch, 1 << 16)
            is_plain = is_plain and words > CAREFUL_STRETCH
            if words:
                self._tokens.position = position
                self._advance()
        return _join(parts)

    def _fast_words(
        self, position: int, chunk: int, *, is_plain: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, int, bool]:
        """The words of a chunk by the fast road: starts, ends, quoting, the position behind them, and if it goes on."""
        data = self._source.data
        if is_plain:
            ruled = ruled_words(data, position, is_cif2=self._is_cif2)
            if ruled is not None:
                return ruled[0], ruled[1], None, ruled[2], True
            # Most loops end with the next one, and what stands behind that would be looked at twice.
            following = data.find(NEXT_LOOP, position, position + chunk)
            chunk = chunk if following < 0 else following + len(NEXT_LOOP) + 1 - position
            starts, ends, position, used_up = plain_words(data, position, chunk, is_cif2=self._is_cif2)
            return starts, ends, None, position, used_up
        stop = min(len(data), position + chunk, self._tokens.next_section(position))
        return marked_words(data, position, stop, is_cif2=self._is_cif2)

    def _say_open_quotes(self, starts: np.ndarray, ends: np.ndarray, kinds: np.ndarray) -> None:
        """Quotes that their lines do not close, among the words of the fast road."""
        array = np.frombuffer(self._source.data, np.uint8)
        quoted = np.flatnonzero((kinds == Quoting.SINGLE) | (kinds == Quoting.DOUBLE))
        first, last = starts[quoted], ends[quoted] - 1
        rows = quoted[(first == last) | (array[first] != array[last])]
        told = rows[: max(0, MAX_PROBLEMS - self._totals[OPEN_QUOTE])]
        for row in told.tolist():
            self._tokens.tell_open_quote(int(starts[row]), int(ends[row]))
        self._totals[OPEN_QUOTE] += len(rows) - len(told)

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
                room = limit - len(starts) if self._is_fast else CAREFUL_STRETCH
                self._tokens.take_ordinary(room, starts, ends, kinds)
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
