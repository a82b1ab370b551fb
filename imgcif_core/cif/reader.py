"""Opening inputs of all kinds, and reading them: the two roads behind one document.

Both roads are our own. The fast one marks the white space of loop bodies with numpy and keeps byte
ranges only; it is not gemmi's parser, which would keep no position of a value, stop at the first
error, refuse CIF 2.0, and make a string of every value. gemmi is the yardstick of the tests: it
reads the same values, and its time is what a check is measured by.
"""

import re
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Literal

from imgcif_core.cif.cbf import MAGIC, find_sections
from imgcif_core.cif.document import BinarySection, Document, Source, SyntaxProblem
from imgcif_core.cif.parser import Parser
from imgcif_core.cif.textcheck import check_text
from imgcif_core.errors import InputError
from imgcif_core.formats import TEXT_SUFFIXES, plain_ending
from imgcif_core.inputs import read_path, read_stream
from imgcif_core.limits import DEFAULT_LIMITS, Limits

_CHUNK = 1 << 20
_VERSION = re.compile(rb"#\\#CIF_(\d+\.\d+)(?=[ \t\r\n]|\Z)")
_CBF = re.compile(rb"###CBF(?:: VERSION[ \t]+[\d.]+)?")
_BRACKETED = re.compile(rb"\[[^\[\]\s]*\]")
_CIF2_HINTS = frozenset({"SYN007", "SYN008", "SYN013", "SYN006"})


def read(source: Source, *, road: Literal["auto", "careful"] = "auto") -> Document:
    """Read a document; whatever is wrong with it stands in `Document.problems`.

    The fast road takes the plain bodies of loops as whole columns, the careful road tokenises every
    value; both give the same document. Text without a version line is read as CIF 1.1, and as
    CIF 2.0 if only that makes sense of it.
    """
    data = source.data
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    version, magic, is_cbf = _first_line(data, start)
    sections = find_sections(data)
    source.opaque = [
        (section.payload_start - (len(MAGIC) if section.has_magic else 0), section.payload_end)
        for section in sections
        if section.has_magic or _is_opaque(section, data)
    ]

    def parse(reading: str | None) -> Document:
        parser = Parser(
            source,
            start,
            version=reading,
            magic=magic,
            is_cbf=is_cbf,
            sections=sections,
            is_fast=road == "auto",
        )
        return parser.parse()

    document = parse(version)
    needs_cif2 = False
    if version is None and not is_cbf and _hints_at_cif2(document):
        other = parse("2.0")
        if _errors(other) == 0:
            document, needs_cif2 = other, True
    check_text(document, start, needs_cif2=needs_cif2)
    document.problems.sort(key=lambda problem: problem.start)
    return document


def _is_opaque(section: BinarySection, data: bytes) -> bool:
    """True if the data of a section are not in the character set of the file: raw octets, or UTF-16."""
    encoding = section.headers.get("content-transfer-encoding", "").upper()
    is_raw = encoding.partition(";")[0].strip(" \"'") == "BINARY"
    return is_raw or "UTF-16" in encoding or data.startswith((b"\xfe\xff", b"\xff\xfe"), section.payload_start)


def _first_line(data: bytes, start: int) -> tuple[str | None, str, bool]:
    """The declared version, the magic line, and whether it is that of a CBF."""
    end = min((at for at in (data.find(b"\n", start), data.find(b"\r", start)) if at >= 0), default=len(data))
    line = data[start : min(end, start + 200)]
    match = _VERSION.match(line)
    if match:
        return match[1].decode(), match[0].decode(), False
    # CBFlib's own templates have blank lines before the magic.
    cbf = _CBF.match(data[start : start + 256].lstrip(b"\r\n \t"))
    return (None, cbf[0].decode() if cbf else "", cbf is not None)


def _hints_at_cif2(document: Document) -> bool:
    """True if the errors are such as CIF 2.0 syntax makes under the rules of CIF 1.1.

    Words in brackets alone are no reason: they may be texts that lack their quotes as well as lists.
    """
    errors = [problem for problem in document.problems if problem.severity == "error"]
    codes = {problem.code for problem in errors if not _is_bracketed_word(problem, document)} & _CIF2_HINTS
    data = document.source.data
    return bool(codes) and any(mark in data for mark in (b"[", b"{", b"'''", b'"""'))


def _is_bracketed_word(problem: SyntaxProblem, document: Document) -> bool:
    """True for a value such as [abc], which CIF 1.1 forbids without quotes."""
    text = document.source.data[problem.start : problem.end]
    return (problem.code, problem.variant) == ("SYN007", "first-character") and _BRACKETED.fullmatch(text) is not None


def _errors(document: Document) -> int:
    """The number of errors kept."""
    return sum(problem.severity == "error" for problem in document.problems)


def open_source(
    source: str | PathLike[str] | bytes | BinaryIO, name: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Source:
    """The bytes of an input, with `.gz` and `.bz2` undone.

    Raises
    ------
    InputError
        If it cannot be read, or expands beyond all measure.
    """
    if isinstance(source, (bytes, bytearray)):
        return Source(name or "<bytes>", _expand(bytes(source), name or "<bytes>", limits), size=len(source))
    if isinstance(source, (str, PathLike)):
        data = read_path(source, limits)
        return Source(name or str(source), _expand(data, str(source), limits), Path(source).parent, len(data))
    if not hasattr(source, "read"):
        raise InputError(f"cannot read from a {type(source).__name__}: expected path, bytes or binary file")
    label = name or str(getattr(source, "name", "<file>"))
    data = read_stream(source, label, limits)
    return Source(label, _expand(data, label, limits), size=len(data))


def _expand(data: bytes, name: str, limits: Limits) -> bytes:
    """Undo gzip or bzip2, told by the first bytes, within limits of size and ratio."""
    if data.startswith(b"\x1f\x8b"):
        import gzip
        from io import BytesIO

        return _limited(gzip.GzipFile(fileobj=BytesIO(data)), len(data), name, limits)
    if data.startswith(b"BZh") and data[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        import bz2
        from io import BytesIO

        return _limited(bz2.BZ2File(BytesIO(data)), len(data), name, limits)
    return data


def _limited(stream: Any, packed: int, name: str, limits: Limits) -> bytes:
    """All bytes of a stream, unless it expands beyond the limits."""
    import zlib

    limit = limits.text_from(packed)
    parts: list[bytes] = []
    size = 0
    try:
        while part := stream.read(_CHUNK):
            size += len(part)
            if size > limit:
                raise InputError(
                    f"{name}: expands to more than {limit >> 20} MB from {packed} bytes, which no imgCIF does"
                )
            parts.append(part)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"{name}: compressed data are damaged ({error})") from None
    return b"".join(parts)


def find_inputs(folder: Path) -> list[str]:
    """The imgCIF and CBF files below a folder, packed ones too, sorted; links are not followed."""
    found = []
    for path in folder.rglob("*"):
        if plain_ending(path.name) in TEXT_SUFFIXES and path.is_file():
            found.append(str(path))
    return sorted(found)
