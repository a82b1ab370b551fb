"""Xz archives on a server whose index tells where blocks begin: only the blocks that are wanted are read.

Source: The .xz File Format, version 1.2.1: stream header and footer (2.1), block (3), index (4).
"""

from __future__ import annotations

import lzma
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.net.settings import MB, shown_size
from imgcif_core.net.tarhops import RemoteTar

if TYPE_CHECKING:
    from imgcif_core.net.remote import RemoteFile

_MAGIC, _END = b"\xfd7zXZ\0", b"YZ"
_HEADER = 12
# The footer with the index of some hundred blocks before it.
TAIL = 4096
MAX_INDEX = 1 * MB
# Blocks of the strongest preset hold 192 MiB; more has to be held in memory than is sensible.
MAX_BLOCK = 256 << 20
_PIECE = 1 << 18


class Block(NamedTuple):
    """Where a block lies among the packed bytes, and how many it expands to."""

    start: int
    length: int
    expanded: int


def blocks_of(source: RemoteFile) -> list[Block]:
    """The blocks of a file of one xz stream by the index at its end; none where it has another form."""
    tail = source.read_tail(TAIL)
    size = source.size
    footer = tail[-_HEADER:]
    if len(footer) < _HEADER or footer[-2:] != _END or zlib.crc32(footer[4:10]) != _number(footer[:4]):
        return []
    length = (_number(footer[4:8]) + 1) * 4
    start = size - _HEADER - length
    if start < _HEADER or length > MAX_INDEX or source.read(0, 6) != _MAGIC:
        return []
    index = source.read(start, length)
    if len(index) != length or index[0] != 0 or zlib.crc32(index[:-4]) != _number(index[-4:]):
        return []
    return _blocks(index[1:-4], start)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _blocks(records: bytes, end: int) -> list[Block]:
    """The blocks that an index lists, if they fill the stream up to the index."""
    try:
        count, at = _variable(records, 0)
        found, place = [], _HEADER
        for _ in range(count):
            unpadded, at = _variable(records, at)
            expanded, at = _variable(records, at)
            found.append(Block(place, unpadded, expanded))
            place += -(-unpadded // 4) * 4
    except IndexError:
        return []
    return found if place == end else []


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where the next one begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 56:
            raise IndexError


class XzBlocks:
    """The expanded bytes of a file of blocks; a block is expanded as far as it is wanted, one at a time."""

    path: Path | None = None
    buffer = 2048

    def __init__(self, source: RemoteFile, blocks: Sequence[Block], limits: Limits, most: int) -> None:
        self.label = source.label
        self.size = sum(block.expanded for block in blocks)
        self._source, self._blocks, self._limits, self._most = source, blocks, limits, most
        self._starts = list(accumulate((block.expanded for block in blocks), initial=0))[:-1]
        self._spent = 0
        self._number, self._data, self._at = -1, bytearray(), 0
        self._decoder = lzma.LZMADecompressor()

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end.

        Raises
        ------
        BytesError
            `budget` when the stream's bounds are reached, `damaged` where blocks are not what the index says.
        """
        pieces, end = [], min(start + length, self.size)
        while start < end:
            number = bisect_right(self._starts, start) - 1
            first = start - self._starts[number]
            last = min(end - self._starts[number], self._blocks[number].expanded)
            self._expand(number, last)
            pieces.append(bytes(self._data[first:last]))
            start += last - first
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of the block at hand."""
        self._number, self._data = -1, bytearray()

    def _expand(self, number: int, until: int) -> None:
        """Have the bytes of a block at hand up to a place."""
        block = self._blocks[number]
        if number != self._number:
            self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=self._limits.decoder_bytes)
            # The header of the stream says how blocks are checked.
            self._decoder.decompress(self._source.read(0, _HEADER))
            self._number, self._data, self._at = number, bytearray(), 0
        while len(self._data) < until:
            wanted = min(_PIECE, block.length - self._at)
            if wanted <= 0 and self._decoder.needs_input:
                raise BytesError("damaged", f"{self.label}: a block holds fewer bytes than the index says")
            packed = self._fetched(block.start + self._at, wanted) if self._decoder.needs_input else b""
            self._at += len(packed)
            try:
                self._data += self._decoder.decompress(packed, until - len(self._data))
            except (lzma.LZMAError, EOFError) as error:
                raise BytesError("damaged", f"{self.label}: xz data are damaged ({error})") from None

    def _fetched(self, start: int, length: int) -> bytes:
        """Packed bytes, as many as may be read."""
        if self._spent + length > self._most:
            most = shown_size(self._most)
            raise BytesError("budget", f"{self.label} is packed in blocks: {most} of them were read, and no more are")
        self._spent += length
        return self._source.read(start, length)


def open_blocks(source: RemoteFile, limits: Limits, most: int, expected: Sequence[str]) -> RemoteTar | None:
    """A tar archive of which single blocks can be read, None where it is packed as a whole."""
    blocks = blocks_of(source)
    if len(blocks) < 2 or max(block.expanded for block in blocks) > MAX_BLOCK:
        return None
    expanded = XzBlocks(source, blocks, limits, most)
    found = RemoteTar(expanded, limits, expected, most_hops=limits.members)
    found.format = "TXZ"
    return found
