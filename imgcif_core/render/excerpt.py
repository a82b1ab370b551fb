"""Text of a file made fit to be shown: control characters visible, long lines cut round a span."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from imgcif_core.findings import Finding

TAB = "    "
CUT = "…"


class Excerpt(NamedTuple):
    """A line in three parts, each safe to show; the middle one is what a finding is about."""

    before: str
    marked: str
    after: str


def visible(text: str) -> str:
    """Text in which every control, format and odd space character is shown by a stand-in.

    Escape sequences, NUL, carriage returns and changes of the writing direction can then neither
    act on a terminal nor hide what a file says.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def clipped(text: str, limit: int) -> str:
    """Visible text of at most `limit` characters of the original."""
    return visible(text) if len(text) <= limit else visible(text[:limit]) + CUT


def cells(text: str) -> int:
    """The number of terminal cells that visible text fills."""
    return len(text) if text.isascii() else sum(map(_cells_of_character, text))


def excerpt_of(finding: Finding, room: int) -> Excerpt | None:
    """The source line of a finding in at most `room` cells, or nothing where no line is known.

    A span that goes on in the next line is marked to the end of its first one.
    """
    span = finding.location.span
    line = finding.source_line.rstrip("\r\n")
    if span is None or not line.strip() or span.column - 1 > len(line):
        return None
    begin = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return _cut(line[:begin], line[begin : max(begin, end)], line[max(begin, end) :], room)


def _cut(before: str, marked: str, after: str, room: int) -> Excerpt:
    """The three parts of a line, shortened at the far ends until they fit."""
    middle = "".join(_fitting(marked, room - 2))
    if middle.endswith(CUT) and not marked.endswith(CUT):
        return Excerpt(CUT if before else "", middle.removesuffix(CUT), CUT)
    spare = room - max(1, cells(middle))
    left, right = _tail(before, spare), _head(after, spare)
    half = spare // 2
    if cells(left) + cells(right) > spare:
        if cells(left) <= half:
            right = _head(after, spare - cells(left))
        elif cells(right) <= half:
            left = _tail(before, spare - cells(right))
        else:
            left, right = _tail(before, half), _head(after, spare - half)
    return Excerpt(left, middle, right)


def _head(text: str, room: int) -> str:
    """The beginning of a text in `room` cells."""
    return "".join(_fitting(text, room))


def _tail(text: str, room: int) -> str:
    """The end of a text in `room` cells."""
    return "".join(reversed(_fitting(reversed(text), room)))


def _fitting(characters: Iterable[str], room: int) -> list[str]:
    """The first characters, made visible, that fit; the mark of a cut comes last if some do not."""
    parts: list[str] = []
    used = 0
    for character in characters:
        part = TAB if character == "\t" else _visible_character(character)
        width = cells(part)
        if used + width > room:
            while parts and used > room - cells(CUT):
                used -= cells(parts.pop())
            return [*parts, CUT]
        parts.append(part)
        used += width
    return parts


def _visible_character(character: str) -> str:
    """A printable character itself, or a stand-in that names the character."""
    if character.isprintable():
        return character
    number = ord(character)
    if number < 32:
        return chr(0x2400 + number)
    return "␡" if number == 127 else f"<U+{number:04X}>"


def _cells_of_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
