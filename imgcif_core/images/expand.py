"""Packed streams undone within limits: gzip, bzip2 and xz, read forwards once."""

import bz2
import io
import lzma
import os
import zlib
from typing import Any, BinaryIO

from imgcif_core.images.bytes import ReadStream
from imgcif_core.images.limits import BytesError, Limits

CHUNK = 1 << 18


class Expanded(ReadStream):
    """The expanded bytes of a packed stream; it only seeks forwards.

    Several packed members in a row are one stream. Zeros after the last one are padding.

    Raises
    ------
    BytesError
        While reading: `damaged`, or `limit` with the limit that was reached.
    """

    def __init__(self, packed: BinaryIO, size: int, packing: str, label: str, limits: Limits, most: int) -> None:
        self._packed = packed
        self._packing = packing
        self._label = label
        self._limits = limits
        self._most = limits.allowed(size, most)
        self._size = size
        self._decoder: Any = self._new_decoder()
        self._input = b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        target = offset + (self._at if whence == os.SEEK_CUR else 0)
        if whence == os.SEEK_END or target < self._at:
            raise io.UnsupportedOperation("a packed stream is read forwards once")
        while self._at < target:
            if not self._some(min(target - self._at, CHUNK)):
                break
        return self._at

    def readinto(self, buffer: Any) -> int:
        found = self._some(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _some(self, most: int) -> bytes:
        """At least one and at most `most` expanded bytes; none at the end."""
        while most:
            try:
                found = self._step(most)
            except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError) as error:
                text = " ".join(str(error).split())
                raise BytesError("damaged", f"{self._label}: {self._packing} data are damaged ({text})") from None
            if found is None:
                return b""
            if found:
                self._count(len(found))
                return found
        return b""

    def _step(self, most: int) -> bytes | None:
        """Some expanded bytes, perhaps none yet; None at the end of the stream."""
        if self._decoder.eof:
            rest = self._decoder.unused_data.lstrip(b"\0")
            while not rest and (more := self._packed.read(CHUNK)):
                rest = more.lstrip(b"\0")
            if not rest:
                return None
            self._decoder, self._input = self._new_decoder(), rest
        if not self._input and self._wants_input():
            self._input = self._packed.read(CHUNK)
            if not self._input:
                raise EOFError("it ends too early")
        if self._packing == "gz":
            found: bytes = self._decoder.decompress(self._input, most)
            self._input = self._decoder.unconsumed_tail
        else:
            found, self._input = self._decoder.decompress(self._input, most), b""
        return found

    def _wants_input(self) -> bool:
        """True if the decoder has nothing left to give without more input."""
        return True if self._packing == "gz" else self._decoder.needs_input

    def _new_decoder(self) -> Any:
        """A decoder for one packed member."""
        if self._packing == "gz":
            return zlib.decompressobj(wbits=31)
        if self._packing == "bz2":
            return bz2.BZ2Decompressor()
        return lzma.LZMADecompressor(memlimit=self._limits.decoder_bytes)

    def _count(self, length: int) -> None:
        """Count what came out, and stop at the limit."""
        self._at += length
        if self._at > self._most:
            ratio = self._at // max(self._size, 1)
            raise BytesError(
                "limit",
                f"{self._label} expands to more than {_amount(self._most)} from {_amount(self._size)} ({ratio} to 1)",
            )


def _amount(count: int) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} bytes"
