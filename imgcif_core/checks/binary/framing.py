"""Rules about the frame of a binary section: its form, size, digest and transfer encoding."""

import base64
import binascii
import re
from collections.abc import Iterator

from imgcif_core.checks.binary.sections import Binary
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.document import Change, Document, Place
from imgcif_core.images.mime import BINARY, TRANSFER_ENCODINGS
from imgcif_core.images.payload import is_binary

_BLANK_LINE_AT_END = re.compile(rb"(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)\Z")
_HEX_DIGEST = re.compile(r"[0-9A-Fa-f]{32}")
# Octets 0C 1A 04 D5, which start the data of a binary section.
MAGIC_LENGTH = 4


@rule(
    "BIN001",
    "binary-section-form",
    severity="error",
    source="_array_data.data",
    messages={
        "no-header": "binary section has no MIME header",
        "no-blank": "MIME header of the binary section is not followed by an empty line",
        "no-magic": "binary data begin with {found}, expected the octets 0c 1a 04 d5 before them",
        "number": "{field} is {value!r}, expected a whole number",
    },
)
def binary_section_form(binaries: list[Binary]) -> Iterator[Problem]:
    """What: A binary section lacks its header, the empty line after it, or the four octets that begin raw data.
    Why: Readers find the image by these marks; without them they stop, or take header text for pixels.
    How to fix: Write the section again with a library that writes CBF, for example CBFlib or fabio.
    Source: Dictionary imgCIF, _array_data.data; RFC 2045 for the header.
    """
    for binary in binaries:
        section, header = binary.section, binary.header
        if not section.headers:
            yield Problem(binary.at(), variant="no-header")
            continue
        start = section.payload_start - (MAGIC_LENGTH if section.has_magic else 0)
        if not _BLANK_LINE_AT_END.search(binary.source.data[max(0, start - 64) : start]):
            yield Problem(binary.at(), variant="no-blank")
        elif header.transfer_encoding == BINARY and not section.has_magic:
            begin = section.payload_start
            found = binary.source.data[begin : begin + MAGIC_LENGTH].hex(" ") or "nothing"
            place = binary.at()
            yield Problem(
                Place(binary.source, begin, begin + MAGIC_LENGTH, place.block, place.category, place.item, place.key),
                variant="no-magic",
                found=found,
            )
        for name in header.unreadable_numbers():
            yield Problem(binary.at(name), variant="number", field=_title(name), value=header.fields[name])


@rule(
    "BIN002",
    "digest-mismatch",
    severity="error",
    source="_array_data.data",
    message="Content-MD5 is {stated}, but the {size} bytes of data have {found}",
    messages={"form": "Content-MD5 is {stated!r}, expected the 24 characters of a BASE64 digest"},
)
def digest_mismatch(binaries: list[Binary]) -> Iterator[Problem]:
    """What: The digest of the data differs from the one that the header states.
    Why: At least one byte has changed since the image was written, so the pixels cannot be trusted.
    How to fix: Fetch the file again, or write it again from its source.
    Source: Dictionary imgCIF, _array_data.data, Content-MD5 over the data before decompression.
    """
    stated = [binary for binary in binaries if "content-md5" in binary.header.fields]
    if not stated:
        raise NotApplicable("no section has a digest")
    for binary in stated:
        text = binary.header.fields["content-md5"].strip(" \"'")
        expected = _digest(text)
        if expected is None:
            is_hex = _HEX_DIGEST.fullmatch(text) is not None
            wanted = base64.b64encode(bytes.fromhex(text)).decode("ascii") if is_hex else ""
            remedy = f"the digest is hexadecimal: write it in BASE64, {wanted}" if is_hex else None
            place = binary.at("content-md5")
            edits = _digest_written(place, text, wanted) if is_hex else []
            yield Problem(place, variant="form", help=remedy, edits=edits, stated=text)
            continue
        if not binary.is_whole:
            continue
        payload = binary.payload
        if expected != payload.digest and expected not in payload.other_digests:
            size = min(binary.header.size or payload.available, payload.available)
            found = base64.b64encode(payload.digest).decode("ascii")
            yield Problem(binary.at("content-md5"), stated=text, found=found, size=size)


def _digest_written(place: Place, text: str, wanted: str) -> list[Change]:
    """The digest of a header line in its other form."""
    if place.source is None:
        return []
    at = place.source.data.find(text.encode("ascii"), place.start, place.end)
    return [] if at < 0 else [Change(place.source, at, at + len(text), wanted, True)]


def _digest(text: str) -> bytes | None:
    """The 16 bytes of a BASE64 digest, None where it is none."""
    try:
        digest = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return digest if len(digest) == 16 else None


@rule(
    "BIN003",
    "binary-size-mismatch",
    severity="error",
    source="_array_data.data",
    message="X-Binary-Size is {size}, but the section holds {available} bytes",
    messages={
        "surplus": "{surplus} bytes follow the {size} bytes of data, expected {padding} bytes of padding",
        "absent": "header gives no X-Binary-Size - only the closing boundary tells where the data end",
    },
    helps={
        "": "fetch the file again; if it is whole, let the writing program count the bytes in X-Binary-Size",
        "surplus": "state the bytes that follow the data in X-Binary-Size-Padding",
        "absent": "let the writing program state the number of bytes in X-Binary-Size",
    },
)
def binary_size_mismatch(binaries: list[Binary]) -> Iterator[Problem]:
    """What: The section holds fewer bytes than its header states, or more than data and padding need.
    Why: With fewer bytes the image is incomplete; with more, size and data do not belong together.
    How to fix: Write the section again; X-Binary-Size counts the data alone, X-Binary-Size-Padding what follows.
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Size and X-Binary-Size-Padding.
    """
    for binary in binaries:
        size, padding = binary.header.size, binary.header.padding
        if not binary.is_readable:
            continue
        if size is None:
            if "x-binary-size" not in binary.header.fields:
                yield Problem(binary.at(), variant="absent", severity="info")
            continue
        payload = binary.payload
        if payload.transfer_fault:
            continue
        if payload.available < size:
            yield Problem(binary.at("x-binary-size"), size=size, available=payload.available)
        elif payload.surplus not in _legal_surplus(binary, padding):
            yield Problem(
                binary.at("x-binary-size"),
                variant="surplus",
                severity="warning",
                surplus=payload.surplus,
                size=size,
                padding=padding,
            )


def _legal_surplus(binary: Binary, padding: int) -> tuple[int, ...]:
    """The numbers of bytes behind the data that need no word: a line end may be one of the padding."""
    if is_binary(binary.section, binary.header):
        return (padding, padding - 1, padding - 2) if padding else (0,)
    return (0, padding)


@rule(
    "BIN010",
    "transfer-encoding-fault",
    severity="error",
    source="_array_data.data",
    message="{fault}",
    messages={
        "unknown": "Content-Transfer-Encoding is {encoding}, expected BINARY, BASE64, Quoted-Printable, "
        "X-BASE8, X-BASE10, X-BASE16, X-BASE32K, 7bit or 8bit",
        "absent": "header gives no Content-Transfer-Encoding - read as BINARY for its first octets",
    },
    helps={
        "": "encode the data again, BASE64 in text files and BINARY in CBF",
        "unknown": "name the encoding in which the data are written, most often BINARY or BASE64",
        "absent": "state Content-Transfer-Encoding: BINARY",
    },
)
def transfer_encoding_fault(binaries: list[Binary]) -> Iterator[Problem]:
    """What: The transfer encoding is none that the format knows, or the text does not follow it.
    Why: The bytes of the image cannot be restored from the text.
    How to fix: Encode the data again; BASE64 for text files and BINARY for CBF are the common ones.
    Source: Dictionary imgCIF, _array_data.data, Content-Transfer-Encoding; RFC 2045.
    """
    for binary in binaries:
        encoding = binary.header.transfer_encoding
        if encoding is None:
            if binary.section.has_magic and binary.section.headers:
                yield Problem(binary.at(), variant="absent", severity="warning")
        elif encoding not in TRANSFER_ENCODINGS:
            yield Problem(binary.at("content-transfer-encoding"), variant="unknown", encoding=encoding)
        elif encoding != BINARY and binary.is_readable and binary.payload.transfer_fault:
            yield Problem(binary.at("content-transfer-encoding"), fault=binary.payload.transfer_fault)


@rule(
    "BIN015",
    "binary-section-cut-off",
    severity="error",
    source="CBF format description, binary sections",
    message="file ends within a binary section: {found} bytes of data{of_expected}, and no closing boundary",
    messages={"whole": "binary section has all {found} bytes of its data, but no closing boundary"},
)
def binary_section_cut_off(document: Document) -> Iterator[Problem]:
    """What: A binary section has no closing boundary before the end of the file.
    Why: The file was cut off, most often by an interrupted download, and the image is incomplete; or the program
    that wrote it left the last lines out.
    How to fix: Fetch the file again, or write it again from its source.
    Source: CBF format description, binary sections; dictionary imgCIF, _array_data.data.
    """
    if not document.sections:
        raise NotApplicable("no binary section")
    for section in document.sections:
        if section.is_terminated:
            continue
        size = section.headers.get("x-binary-size", "")
        found = section.payload_end - section.payload_start
        place = Place(
            document.source,
            section.boundary_start,
            section.header_start,
            None,
            "array_data",
            "_array_data.data",
        )
        is_whole = size.isdigit() and 0 < int(size) <= found
        remedy = "append a line --CIF-BINARY-FORMAT-SECTION---- and a line with a semicolon; the image is whole"
        yield Problem(
            place,
            variant="whole" if is_whole else "",
            help=remedy if is_whole else None,
            found=int(size) if is_whole else found,
            of_expected=f" of {size}" if size.isdigit() else "",
        )


@rule(
    "BIN018",
    "digest-missing",
    severity="info",
    source="_array_data.data",
    message="binary section has no Content-MD5 - damage to its bytes would not be noticed",
)
def digest_missing(binaries: list[Binary]) -> Iterator[Problem]:
    """What: The header of a binary section states no digest of the data.
    Why: The digest is optional, but only by it can a changed byte be found.
    How to fix: Let the writing program state Content-MD5.
    Source: Dictionary imgCIF, _array_data.data, Content-MD5.
    """
    for binary in binaries:
        if "content-md5" not in binary.header.fields and binary.section.headers:
            yield Problem(binary.at())


def _title(name: str) -> str:
    """A header field as it is usually written."""
    return "-".join(part.upper() if part in ("x", "id", "md5") else part.capitalize() for part in name.split("-"))
