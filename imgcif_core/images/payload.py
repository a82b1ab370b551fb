"""What can be said of the data of a binary section without decoding an image."""

import hashlib
import re

import numpy as np

from imgcif_core.cif.document import BinarySection
from imgcif_core.images.mime import BINARY, LINE_ENDS, SectionHeader, data_range
from imgcif_core.images.transfer import TransferError, decode_transfer
from imgcif_core.records import dataclass

# Beyond so many escapes, counting them takes longer than the digest.
MAX_ESCAPES = 20_000
COUNTED_IN_FRONT = frozenset({"packed", "packed_v2", "canonical"})
# An escape of 16, 32 or 64 bits; only the end of the data makes one shorter.
_ESCAPE = re.compile(rb"\x80(?:\x00\x80(?:\x00\x00\x00\x80.{0,8}|.{0,4})|.{0,2})", re.S)
_LONG_MARK = b"\x80\x00\x80\x00\x00\x00\x80"


@dataclass(frozen=True, slots=True)
class Payload:
    """What the data of one section are, apart from their values.

    `available` counts the bytes up to the closing boundary, or those decoded from a text encoding;
    `surplus` those behind the stated size without a line end. `elements` is the number of elements that the data
    hold, None where only decoding would tell; `is_cut` says that they end within an element.
    """

    available: int
    surplus: int
    digest: bytes
    other_digests: tuple[bytes, ...]
    elements: int | None
    is_cut: bool
    is_zero: bool
    transfer_fault: str


def read_bytes(data: bytes, section: BinarySection, header: SectionHeader) -> memoryview:
    """The data of a section with the transfer encoding undone; as many bytes as its header states.

    Raises
    ------
    TransferError
        If the transfer encoding cannot be undone.
    """
    if is_binary(section, header):
        start, end = data_range(data, section, header)
        return memoryview(data)[start:end]
    decoded = decode_transfer(data[section.payload_start : section.payload_end], header)
    return memoryview(decoded)[: header.size]


def is_binary(section: BinarySection, header: SectionHeader) -> bool:
    """True if the data stand as they are, not in a text encoding."""
    return header.transfer_encoding == BINARY or (header.transfer_encoding is None and section.has_magic)


def examine(data: bytes, section: BinarySection, header: SectionHeader) -> Payload:
    """Size, digest and count of the data of a section; nothing of the data is kept."""
    if is_binary(section, header):
        start, end = data_range(data, section, header)
        body = memoryview(data)[start:end]
        available = section.payload_end - section.payload_start
        surplus = _without_line_end(data, end, section.payload_end)
        others = _other_digests(data, section, end) if header.size is None else ()
    else:
        try:
            decoded = decode_transfer(data[section.payload_start : section.payload_end], header)
        except TransferError as fault:
            return Payload(0, 0, b"", (), None, False, False, str(fault))
        available = len(decoded)
        body = memoryview(decoded)[: header.size]
        surplus, others = available - len(body), ()
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    elements, is_cut = count_elements(body, header)
    return Payload(available, surplus, digest, others, elements, is_cut, _is_zero(body), "")


def _without_line_end(data: bytes, start: int, end: int) -> int:
    """The number of bytes between the data and the closing boundary, its line end apart."""
    tail = data[max(start, end - 2) : end]
    ending = next((mark for mark in LINE_ENDS if tail.endswith(mark)), b"")
    return end - start - len(ending)


def _other_digests(data: bytes, section: BinarySection, end: int) -> tuple[bytes, ...]:
    """Digests of the other ranges that the data may have where no size is given."""
    bodies = (memoryview(data)[section.payload_start : stop] for stop in (section.payload_end, end - 1) if stop != end)
    return tuple(hashlib.md5(body, usedforsecurity=False).digest() for body in bodies)


def count_elements(body: bytes | memoryview, header: SectionHeader) -> tuple[int | None, bool]:
    """The number of elements in the data, and whether they end within one; None where only decoding tells."""
    view = memoryview(body)
    if header.compression == "byte_offset":
        return _count_byte_offset(view)
    if header.compression in COUNTED_IN_FRONT:
        return (int.from_bytes(view[:8], "little"), False) if len(view) >= 8 else (0, True)
    if header.compression == "none" and header.element_type is not None:
        bits = int(header.element_type.bytes_per_element * 8)
        return len(view) * 8 // bits, len(view) * 8 % bits != 0
    return None, False


def _count_byte_offset(view: memoryview) -> tuple[int | None, bool]:
    """Elements of byte_offset data: one a byte, but for escapes of 3, 7 and 15 bytes."""
    if np.count_nonzero(np.frombuffer(view, np.uint8) == 0x80) > MAX_ESCAPES:
        return None, False
    longer, last = 0, None
    for last in _ESCAPE.finditer(view):
        longer += last.end() - last.start() - 1
    is_cut = last is not None and last.end() == len(view) and _is_cut(last[0])
    return len(view) - longer - is_cut, is_cut


def _is_cut(escape: bytes) -> bool:
    """True if an escape lacks some of its bytes."""
    return len(escape) not in (3, 7, 15) or escape in (_LONG_MARK[:3], _LONG_MARK)


def _is_zero(body: memoryview) -> bool:
    """True if there are data, and all bytes are null."""
    if not len(body) or any(body[:4096]):
        return False
    return not np.frombuffer(body, np.uint8).any()
