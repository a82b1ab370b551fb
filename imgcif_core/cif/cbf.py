"""Binary sections of a CBF: found on the bytes, before anything is read as text."""

import re

from imgcif_core.cif.document import BinarySection
from imgcif_core.records import dataclass

BOUNDARY = b"--CIF-BINARY-FORMAT-SECTION--"
CLOSING = BOUNDARY + b"--"
MAGIC = b"\x0c\x1a\x04\xd5"
HEADER_LIMIT = 64 * 1024
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r)")
_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)", re.S)
_FIELD_START = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?![ \t\r\n])")
_FIELD_BEFORE = re.compile(rb"(?<![^\r\n]);[ \t\r\n]*\Z")
_HEADER_LINES = re.compile(
    rb"(?:[ \t]*(?:\r\n|\n|\r)(?:[A-Za-z][A-Za-z0-9-]*[ \t]*:[^\r\n]*|[ \t]+[^\r\n]+))*(?:\r\n|\n|\r)?"
)
_TEXT_END = re.compile(rb"(?:\r\n|\n|\r);")


class _Marks:
    """Where a mark stands next, without a second look at what holds none: thousands of sections may lack theirs."""

    def __init__(self, data: bytes, mark: re.Pattern[bytes]) -> None:
        self._data = data
        self._mark = mark
        self._seen: tuple[int, tuple[int, int]] | None = None

    def next(self, position: int) -> tuple[int, int]:
        """Start and end of the first mark from a position on; -1 where there is none."""
        if self._seen is None or not self._seen[0] <= position or 0 <= self._seen[1][0] < position:
            found = self._mark.search(self._data, position)
            self._seen = position, found.span() if found else (-1, -1)
        return self._seen[1]


@dataclass(frozen=True, slots=True)
class _Text:
    """The bytes of a file with the marks that end sections and text fields in it."""

    data: bytes
    closings: _Marks
    text_ends: _Marks


def find_sections(data: bytes) -> list[BinarySection]:
    """All binary sections, in the order of the file."""
    sections = []
    text = _Text(data, _Marks(data, re.compile(re.escape(CLOSING))), _Marks(data, _TEXT_END))
    position = data.find(BOUNDARY)
    while position >= 0:
        if data.startswith(b"--", position + len(BOUNDARY)) or not _at_line_start(data, position):
            position = data.find(BOUNDARY, position + len(BOUNDARY))
            continue
        section = _read_section(text, position)
        if section.start == section.boundary_start and not section.has_magic:
            # A text that only speaks of binary sections, as the dictionary's examples do.
            position = data.find(BOUNDARY, position + len(BOUNDARY))
            continue
        sections.append(section)
        position = data.find(BOUNDARY, max(section.end, position + len(BOUNDARY)))
    return sections


def _at_line_start(data: bytes, position: int) -> bool:
    """True if only blanks stand before the boundary in its line."""
    line = data[max(0, position - 80) : position]
    head = re.split(rb"[\r\n]", line)[-1]
    return not head.strip(b" \t;")


def _read_section(text: _Text, boundary: int) -> BinarySection:
    """The section whose boundary stands at an offset."""
    data = text.data
    header_start = boundary + len(BOUNDARY)
    fields_end, header_end = _header_range(data, header_start)
    headers, spans = _read_headers(data, header_start, fields_end)
    has_magic = data.startswith(MAGIC, header_end)
    payload = header_end + (len(MAGIC) if has_magic else 0)
    closing = _find_closing(text, payload, headers)
    end = closing
    if closing >= 0:
        _, text_end = text.text_ends.next(closing + len(CLOSING))
        end = text_end if text_end >= 0 else closing + len(CLOSING)
    elif has_magic:
        end = len(data)
    else:
        _, text_end = text.text_ends.next(payload)
        end = text_end if text_end >= 0 else len(data)
    payload_end = closing if closing >= 0 else (end if has_magic else max(payload, end - 2))
    opening = _FIELD_BEFORE.search(data[max(0, boundary - 256) : boundary])
    start = max(0, boundary - 256) + opening.start() if opening else boundary
    is_terminated = closing >= 0 or (not has_magic and end < len(data))
    return BinarySection(
        start, boundary, header_start, payload, payload_end, end, headers, spans, is_terminated, has_magic
    )


def _header_range(data: bytes, start: int) -> tuple[int, int]:
    """Where the fields of a header end, and where its data begin; an empty line should part them."""
    limit = min(len(data), start + HEADER_LIMIT)
    # A header ends before the next boundary at the latest, be it the closing one or that of another section.
    for mark in (BOUNDARY, MAGIC):
        found = data.find(mark, start, limit)
        limit = found if found >= 0 else limit
    blank = _BLANK_LINE.search(data, start, limit)
    if blank:
        return blank.start(), blank.end()
    if data.startswith(MAGIC, limit):
        return limit, limit
    lines = _HEADER_LINES.match(data, start, limit)
    end = lines.end() if lines else start
    return end, end


def _find_closing(text: _Text, payload: int, headers: dict[str, str]) -> int:
    """The closing boundary: looked for behind the stated size first, for a payload holds anything."""
    data = text.data
    size = headers.get("x-binary-size", "")
    if size.isascii() and size.isdigit() and len(size) < 16:
        expected = payload + int(size)
        padding = headers.get("x-binary-size-padding", "")
        slack = int(padding) if padding.isascii() and padding.isdigit() and len(padding) < 16 else 0
        if expected <= len(data):
            found = data.find(CLOSING, expected, expected + slack + 4096)
            if found >= 0:
                return found
    return text.closings.next(payload)[0]


def _read_headers(data: bytes, start: int, end: int) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    """MIME header fields by lower-case name with their byte ranges; the first of repeats counts."""
    headers: dict[str, str] = {}
    spans: dict[str, tuple[int, int]] = {}
    edges = [match.end() for match in _FIELD_START.finditer(data, start, end)]
    for begin, stop in zip(edges, [*edges[1:], end]):
        field = data[begin:stop].rstrip()
        match = _FIELD.match(field)
        if match:
            name = match[1].decode("ascii").lower()
            text = " ".join(match[2].decode("latin-1").split())
            headers.setdefault(name, text)
            spans.setdefault(name, (begin, begin + len(field)))
    return headers, spans
