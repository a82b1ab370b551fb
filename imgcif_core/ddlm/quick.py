"""The save frames of a dictionary in one sweep, for texts that follow the syntax of CIF 2.0 to the letter.

A dictionary tree holds 50,000 tokens in frames of a few values each, where arrays of positions cost more than they
give. Whatever is not plain makes this road give up, so that the parser reads and judges the text; what it does
read has the same values there, which a test holds over all dictionaries.
"""

import re

from imgcif_core.cif.cbf import find_sections
from imgcif_core.cif.recovery import category_of, is_nearly_loop
from imgcif_core.cif.values import decode_text, decode_text_field
from imgcif_core.records import dataclass, field

_MAGIC = b"#\\#CIF_2.0\n"
_QUOTED = rb"(?:'(?!'')[^'\n]*+'|\"(?!\"\")[^\"\n]*+\")"
_END = rb"(?=[ \t\n]|\Z)"
_INNER_END = rb"(?=[ \t\n\]}])"
# A word in brackets begins with no colon, which would belong to the key before it.
_WORD = rb"[^ \t\n\[\]{}'\"#;_$:][^ \t\n\[\]{}]*+" + _INNER_END
_LEAF = rb"[ \t\n]++(?!;)|" + _QUOTED + rb":(?![ \t\n\]}])|" + _QUOTED + _INNER_END + rb"|" + _WORD


def _nested(depth: int) -> bytes:
    """The expression of a list or table that holds others down to some depth."""
    inside = _LEAF + (b"|" + _nested(depth - 1) if depth else b"")
    body = b"(?:" + inside + b")*+"
    return rb"(?:\[" + body + rb"\]|\{" + body + rb"\})"


_TOKEN = re.compile(
    rb"(?:[ \t\n]++|#[^\n]*+)*+(?:"
    + b"|".join(
        (
            rb"(_[A-Za-z][A-Za-z0-9_.]*+" + _END + rb")",
            rb"(?!(?i:loop_|data_|save_|stop_|global_))([^ \t\n\[\]{}'\"#;_$][^ \t\n\[\]{}]*+" + _END + rb")",
            rb"(" + _QUOTED + _END + rb")",
            rb"((?<=\n);[^\n]*+(?:\n(?!;)[^\n]*+)*+\n;" + _END + rb")",
            rb"((?i:loop_|save_|data_)[^ \t\n]*+)",
            rb"(" + _nested(2) + _END + rb")",
            rb"('''(?:[^']|'(?!''))*+'''" + _END + rb"|\"\"\"(?:[^\"]|\"(?!\"\"))*+\"\"\"" + _END + rb")",
            rb"([^ \t\n])",
            # Blanks at the end are taken once and not from each of them on.
            rb"(\Z)",
        )
    )
    + rb")"
)
_NAME, _BARE, _SINGLE, _TEXT, _KEYWORD, _LIST, _TRIPLE, _ODD, _END_OF_TEXT = range(1, 10)


@dataclass(slots=True)
class RawFrame:
    """A save frame, or the head of the block: the texts of its values by lower-case name.

    `start` and `end` are the bytes of its heading, `methods` the first bytes of the values of `_method.expression`.
    """

    name: str
    start: int
    end: int
    values: dict[str, list[str]] = field(default_factory=dict)
    methods: list[int] = field(default_factory=list)


class _NotPlain(Exception):
    """The text holds something that the parser has to look at."""


def quick_frames(data: bytes, unread: tuple[str, ...]) -> list[RawFrame] | None:
    """The head of the one data block and its save frames in order, None where the text is not that plain.

    Names that begin with one of `unread` get empty texts as values.
    """
    if not data.startswith(_MAGIC) or b"\r" in data or b"\0" in data or find_sections(data):
        return None
    try:
        return _Sweep(data, unread).frames()
    except _NotPlain:
        return None


class _Sweep:
    """One pass over the tokens of a text."""

    def __init__(self, data: bytes, unread: tuple[str, ...]) -> None:
        self._data = data
        self._unread = unread
        self._head: RawFrame | None = None
        self._found: list[RawFrame] = []
        self._frame: RawFrame | None = None
        # The names that wait for values: that of an item, or those of a loop whose values are gathered.
        self._names: list[bytes] = []
        self._values: list[tuple[int, int, bytes]] = []
        self._is_loop = False

    def frames(self) -> list[RawFrame]:
        """The head and the frames."""
        names, values = self._names, self._values
        for match in _TOKEN.finditer(self._data):
            kind = match.lastindex or _ODD
            if kind == _NAME:
                if names:
                    if self._is_loop and not values:
                        names.append(match[_NAME])
                        continue
                    self._close(match[_NAME])
                names.append(match[_NAME])
            elif kind == _KEYWORD:
                self._close(b"")
                self._heading(match[_KEYWORD], match.start(_KEYWORD), match.end())
            elif kind == _END_OF_TEXT:
                break
            elif kind == _ODD:
                raise _NotPlain
            elif self._is_loop and names:
                values.append((kind, match.start(kind), match[kind]))
            elif names:
                self._enter(names.pop(), [(kind, match.start(kind), match[kind])])
            else:
                raise _NotPlain
        self._close(b"")
        if self._head is None or self._frame is not self._head:
            raise _NotPlain
        return [self._head, *self._found]

    def _heading(self, word: bytes, start: int, end: int) -> None:
        """`loop_`, `data_NAME` (once), `save_NAME` or `save_`."""
        key = word.lower()
        if key == b"loop_":
            self._is_loop = True
        elif key.startswith(b"data_") and self._head is None and len(word) > 5:
            self._head = self._frame = RawFrame(decode_text(word[5:]), start, end)
        elif key == b"save_" and self._frame is not self._head:
            self._frame = self._head
        elif key.startswith(b"save_") and len(word) > 5 and self._head is not None and self._frame is self._head:
            self._frame = RawFrame(decode_text(word[5:]), start, end)
            self._found.append(self._frame)
        else:
            raise _NotPlain

    def _close(self, follows: bytes) -> None:
        """What ends before a name or a keyword: a loop with whole rows; an item must have got its value."""
        names, values = self._names, self._values
        if not self._is_loop:
            if names:
                raise _NotPlain
            return
        width = len(names)
        if not width or not values or len(values) % width:
            raise _NotPlain
        if follows and self._is_perhaps_a_slip(follows):
            raise _NotPlain
        for index, name in enumerate(names):
            self._enter(name, values[index::width])
        names.clear()
        values.clear()
        self._is_loop = False

    def _is_perhaps_a_slip(self, follows: bytes) -> bool:
        """True where the parser would ask whether a name before the values, or the last value, is a slip."""
        values = self._values
        is_short = len(values) <= 3 and all(value[0] == _BARE for value in values)
        if is_short and category_of(follows) == category_of(self._names[0]):
            return True
        return values[-1][0] == _BARE and is_nearly_loop(values[-1][2])

    def _enter(self, name: bytes, values: list[tuple[int, int, bytes]]) -> None:
        """Add a column to the frame."""
        frame = self._frame
        if frame is None:
            raise _NotPlain
        key = name.decode("ascii").lower()
        if key in frame.values:
            raise _NotPlain
        if key.startswith(self._unread):
            frame.values[key] = [""] * len(values)
        else:
            # Bare words are the most; the other kinds have delimiters to be taken off.
            frame.values[key] = [decode_text(value[2]) if value[0] == _BARE else _text(value) for value in values]
        if key == "_method.expression":
            frame.methods = [start for _, start, _ in values]


def _text(value: tuple[int, int, bytes]) -> str:
    """A value as the parser decodes it."""
    kind, _, raw = value
    if kind == _SINGLE:
        return decode_text(raw[1:-1])
    if kind == _TEXT:
        return decode_text_field(raw)
    return decode_text(raw[3:-3]) if kind == _TRIPLE else decode_text(raw)
