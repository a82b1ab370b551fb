"""CIF 2.0 lists and tables, decoded on demand and without recursion."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from imgcif_core.cif.document import Quoting
from imgcif_core.cif.values import decode_text, decode_text_field
from imgcif_core.records import dataclass

_SKIP = re.compile(rb"(?:[ \t\r\n]+|#[^\r\n]*)+")
_TEXT = re.compile(rb"(?<![^\r\n]);.*?(?:\r\n|\n|\r);", re.S)
_QUOTED = re.compile(rb"'''(?P<ts>.*?)'''|\"\"\"(?P<td>.*?)\"\"\"|'(?P<s>[^'\r\n]*)'|\"(?P<d>[^\"\r\n]*)\"", re.S)
_BARE = re.compile(rb"[^ \t\r\n\[\]{}]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A leaf of a container: its text, how it is written, and its byte range."""

    text: str
    quoting: Quoting
    start: int
    end: int

    @property
    def is_null(self) -> bool:
        """True for an unquoted `.` or `?`."""
        return self.quoting is Quoting.BARE and self.text in (".", "?")


# What a container holds, to any depth.
Content: TypeAlias = "Cell | list[Content] | dict[str, Content]"
Container: TypeAlias = "list[Content] | dict[str, Content]"


def decode_container(data: bytes, start: int, end: int) -> Container:
    """A list as a list, a table as a dict of its keys, leaves as `Cell`.

    What is malformed has been reported by the parser; here it is passed over.
    """
    top: list[Content] = []
    stack: list[Container] = [top]
    key: str | None = None
    position = start
    while position < end:
        skipped = _SKIP.match(data, position, end)
        if skipped:
            position = skipped.end()
            continue
        byte = data[position : position + 1]
        if byte in b"[{":
            inner: Container = [] if byte == b"[" else {}
            _put(stack[-1], key, inner)
            key = None
            stack.append(inner)
            position += 1
        elif byte in b"]}":
            if len(stack) > 1:
                stack.pop()
            key = None
            position += 1
        else:
            cell = _leaf(data, position, end)
            position = cell.end
            if isinstance(stack[-1], dict) and key is None and data[position : position + 1] == b":":
                key = cell.text
                position += 1
            else:
                _put(stack[-1], key, cell)
                key = None
    # The first value is a list or table: the range begins with its bracket.
    return top[0] if top and not isinstance(top[0], Cell) else top


def leaves(value: object) -> Iterator[Cell]:
    """The leaves of a decoded container, in the order of the text."""
    stack = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, Cell):
            yield entry
        elif isinstance(entry, list):
            stack.extend(reversed(entry))
        elif isinstance(entry, dict):
            stack.extend(reversed(list(entry.values())))


def _put(container: Container, key: str | None, value: Content) -> None:
    """Add a value to a list, or to a table under its key."""
    if isinstance(container, list):
        container.append(value)
    else:
        container[key if key is not None else ""] = value


def _leaf(data: bytes, position: int, end: int) -> Cell:
    """The quoted, text-field or bare value at a position."""
    match = _QUOTED.match(data, position, end)
    if match:
        group = match.lastgroup or "s"
        quoting = {
            "ts": Quoting.TRIPLE_SINGLE,
            "td": Quoting.TRIPLE_DOUBLE,
            "s": Quoting.SINGLE,
            "d": Quoting.DOUBLE,
        }[group]
        return Cell(decode_text(match[group]), quoting, position, match.end())
    match = _TEXT.match(data, position, end)
    if match:
        return Cell(decode_text_field(match[0]), Quoting.TEXT, position, match.end())
    match = _BARE.match(data, position, end)
    stop = match.end() if match else position + 1
    return Cell(decode_text(data[position:stop]), Quoting.BARE, position, stop)
