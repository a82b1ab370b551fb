"""What can be said of the text before its grammar: version line, bytes, lines, binary sections."""

import re

import numpy as np

from imgcif_core.cif.cbf import CLOSING
from imgcif_core.cif.document import CACHED, Document, Quoting, Source, SyntaxProblem
from imgcif_core.formats import HEAD_BYTES, stranger

LINE_LIMIT = 2048
KEPT = 100
VERSIONS = ("1.0", "1.1", "2.0")
_CONTROL = np.zeros(256, dtype=bool)
_CONTROL[:32] = True
_CONTROL[[9, 10, 13]] = False
_CONTROL[127] = True


def check_text(document: Document, start: int, *, needs_cif2: bool) -> None:
    """Add the problems of the text as a whole to a document."""
    _check_version(document, start, needs_cif2=needs_cif2)
    _check_bytes(document, start)
    _check_lines(document)
    _check_sections(document)
    _name_what_it_is(document)


def _add(document: Document, code: str, variant: str, start: int, end: int, severity: str, **data: object) -> None:
    total = document.problem_totals.get(code, 0) + 1
    document.problem_totals[code] = total
    if total <= 1000:
        document.problems.append(SyntaxProblem(code, variant, start, end, severity, data=data))


def _check_version(document: Document, start: int, *, needs_cif2: bool) -> None:
    """The version line, and the magic of a CBF against what the file holds."""
    end = start + len(document.magic.encode())
    if needs_cif2:
        _add(document, "SYN002", "cif2-syntax", start, start, "error")
    elif document.is_cif2 and (rest := _rest_of_line(document.source.data, end)):
        _add(document, "SYN002", "trailing", end, end + rest, "warning", magic=document.magic)
    elif document.version is not None and document.version not in VERSIONS:
        _add(document, "SYN002", "unknown", start, end, "warning", version=document.version)
    elif not document.magic and document.blocks:
        _add(document, "SYN002", "", start, start, "info")
    if document.sections and not document.is_cbf:
        first = document.sections[0]
        if first.has_magic:
            _add(document, "SYN003", "no-magic", first.boundary_start, first.header_start, "warning")
    elif document.is_cbf and not document.sections:
        _add(document, "SYN003", "no-section", start, end, "info")


def _rest_of_line(data: bytes, start: int) -> int:
    """The number of bytes up to the end of the line, 0 where only blanks are left."""
    line = re.compile(rb"[^\r\n]*").match(data, start)
    text = line[0] if line else b""
    return len(text) if text.strip(b" \t") else 0


def _text_ranges(document: Document, start: int) -> list[tuple[int, int]]:
    """The byte ranges outside binary payloads."""
    ranges = []
    for begin, end in document.source.opaque:
        if begin > start:
            ranges.append((start, begin))
        start = max(start, end)
    ranges.append((start, len(document.source.data)))
    return ranges


def _check_bytes(document: Document, start: int) -> None:
    """Encoding and control characters outside the payloads."""
    data = document.source.data
    for begin, end in _text_ranges(document, start):
        array = np.frombuffer(data, np.uint8, end - begin, begin)
        allowed = data.count(b"\t", begin, end) + _line_end_bytes(document.source, begin, end)
        if _count_controls(array) > allowed or data.find(b"\x7f", begin, end) >= 0:
            _report_controls(document, begin, array)
        if not data.isascii() and (array > 127).any():
            _check_unicode(document, begin, end)


def _count_controls(array: np.ndarray) -> int:
    """How many bytes are control characters, white space among them."""
    pieces = (array[begin : begin + CACHED] for begin in range(0, len(array), CACHED))
    return sum(int(np.count_nonzero(piece < 32)) for piece in pieces)


def _line_end_bytes(source: Source, begin: int, end: int) -> int:
    """The number of LF and CR in a range; without any CR the known starts of lines tell it faster."""
    if source.data.find(b"\r", begin, end) >= 0:
        return source.data.count(b"\n", begin, end) + source.data.count(b"\r", begin, end)
    first, last = np.searchsorted(source.line_starts, (begin, end), side="right")
    return int(last - first)


def _report_controls(document: Document, begin: int, array: np.ndarray) -> None:
    """NUL bytes, and other control characters; the first of each kind is told."""
    nulls = array == 0
    others = _CONTROL[array] & ~nulls
    if nulls.any():
        at = begin + int(nulls.argmax())
        _add(document, "SYN009", "nul", at, at + 1, "error", count=int(nulls.sum()))
    if others.any():
        at = begin + int(others.argmax())
        byte, count = document.source.data[at], int(others.sum())
        _add(document, "SYN009", "control", at, at + 1, "error", byte=byte, count=count)


def _check_unicode(document: Document, begin: int, end: int) -> None:
    """Bytes beyond ASCII: UTF-8 or not, and allowed code points or not."""
    data = document.source.data
    try:
        text = data[begin:end].decode("utf-8")
    except UnicodeDecodeError as error:
        at = begin + error.start
        _add(document, "SYN009", "not-utf-8", at, begin + error.end, "error", byte=data[at], count=1)
        return
    if "\ufeff" in text:
        at = begin + len(text[: text.index("\ufeff")].encode())
        _add(document, "SYN009", "bom", at, at + 3, "warning", count=1)
    array = np.frombuffer(data, np.uint8, end - begin, begin)
    place = _forbidden(array)
    if place is not None:
        at = begin + place
        character = data[at : at + 4].decode("utf-8", "ignore")[0]
        code_point = f"U+{ord(character):04X}"
        size = len(character.encode())
        _add(document, "SYN009", "code-point", at, at + size, "error", code_point=code_point, count=1)
    elif not document.is_cif2:
        at = begin + int((array > 127).argmax())
        _add(document, "SYN009", "non-ascii", at, at + 1, "warning", count=1)


def _forbidden(array: np.ndarray) -> int | None:
    """The offset of the first code point that CIF 2.0 does not allow, in UTF-8: C1 and non-characters."""
    # C2 80 to C2 9F; EF B7 90 to EF B7 AF; the last two of each plane, which end as BF BE and BF BF.
    first = np.flatnonzero((array == 0xC2) | (array >= 0xEF))
    lead, (second, third, fourth) = array[first], (array[np.minimum(first + n, len(array) - 1)] for n in (1, 2, 3))
    is_wrong = (lead == 0xC2) & (second < 0xA0)
    is_wrong |= (lead == 0xEF) & (second == 0xB7) & (third >= 0x90) & (third < 0xB0)
    is_wrong |= (lead == 0xEF) & (second == 0xBF) & (third >= 0xBE)
    is_wrong |= (lead >= 0xF0) & (second & 0x0F == 0x0F) & (third == 0xBF) & (fourth >= 0xBE)
    return int(first[is_wrong.argmax()]) if is_wrong.any() else None


def _check_lines(document: Document) -> None:
    """Long lines, and line endings of several kinds."""
    source = document.source
    starts = source.line_starts
    ends = np.append(starts[1:], len(source.data))
    wide = np.flatnonzero(ends - starts > LINE_LIMIT)
    for index in [int(row) for row in wide if not _is_opaque(document, int(starts[row]), int(ends[row]))][:KEPT]:
        line = source.data[int(starts[index]) : int(ends[index])]
        length = len(line.decode("utf-8", "replace").rstrip("\r\n"))
        if length > LINE_LIMIT:
            at = int(starts[index]) + LINE_LIMIT
            _add(document, "SYN010", "line", at, at + 1, "warning", length=length)
    _check_line_ends(document)


def _is_opaque(document: Document, start: int, end: int) -> bool:
    """True if a line touches a binary payload."""
    return any(start < stop and end > begin for begin, stop in document.source.opaque)


def _check_line_ends(document: Document) -> None:
    """Mixed or CR-only line endings; the first line of each kind is told."""
    data = document.source.data
    kinds: dict[str, int] = {}
    for begin, end in _text_ranges(document, 0):
        if data.find(b"\r", begin, end) < 0:
            at = data.find(b"\n", begin, end)
            if at >= 0:
                kinds.setdefault("LF", at)
            continue
        array = np.frombuffer(data, np.uint8, end - begin, begin)
        feeds, returns = array == 10, array == 13
        pairs = np.zeros(len(array), dtype=bool)
        pairs[:-1] = returns[:-1] & feeds[1:]
        after = np.zeros(len(array), dtype=bool)
        after[1:] = pairs[:-1]
        for name, marks in (("CRLF", pairs), ("CR", returns & ~pairs), ("LF", feeds & ~after)):
            # A payload may begin right behind a return that belongs to it.
            marks = marks[: len(marks) - 1] if end < len(data) else marks
            if marks.any():
                kinds.setdefault(name, begin + int(marks.argmax()))
    if len(kinds) > 1:
        at = max(kinds.values())
        _add(document, "SYN011", "mixed", at, at + 1, "info", kinds=" and ".join(sorted(kinds)))
    elif "CR" in kinds:
        _add(document, "SYN011", "cr", kinds["CR"], kinds["CR"] + 1, "info", kinds="CR")


def _check_sections(document: Document) -> None:
    """Binary sections must be values of a text field, with nothing between boundary and semicolon."""
    used = set()
    for block in document.blocks:
        for holder in (block, *block.frames):
            for column in holder.columns.values():
                if column.quoting is not None and (column.quoting == Quoting.BINARY).any():
                    used.update(column.starts[column.quoting == Quoting.BINARY].tolist())
    data = document.source.data
    for section in document.sections:
        if section.start == section.boundary_start:
            _add(document, "SYN018", "outside", section.boundary_start, section.header_start, "error")
        if section.has_magic and section.is_terminated:
            begin = section.payload_end + len(CLOSING)
            rest = data[begin : section.end].rstrip(b";")
            if rest.strip(b" \t\r\n\0"):
                _add(document, "SYN018", "after", begin, section.end, "warning", count=len(rest.strip()))


def _name_what_it_is(document: Document) -> None:
    """A text without a data block: say what the bytes look like."""
    data = document.source.data
    for problem in document.problems:
        if problem.code == "SYN001" and problem.variant == "no-data-block":
            looks = stranger(data[:HEAD_BYTES]) or ""
            head = data[:512].lstrip().lower()
            if head.startswith((b"<!doctype", b"<html", b"<?xml")):
                looks = "a web page or XML"
            elif not data.strip():
                looks = "empty"
            elif not looks and b"\0" in data[:4096]:
                looks = "binary data"
            variant = "not-cif" if looks else "no-data-block"
            told = SyntaxProblem(
                "SYN001", variant, problem.start, problem.end, "error", data={"looks": looks or "text"}
            )
            # What the tokeniser makes of such bytes only repeats that they are no CIF.
            kept = (
                []
                if looks
                else [p for p in document.problems if p.variant not in ("no-data-block", "text-before-block")]
            )
            document.problems = [told, *kept]
            document.problem_totals = {
                code: sum(p.code == code for p in document.problems) for code in {"SYN001", *(p.code for p in kept)}
            }
            return
