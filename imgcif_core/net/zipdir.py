"""Zip archives on a server: the directory from their end, single members by one request each."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

from imgcif_core.images.archives import ZipArchive
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.sparse import Slice
from imgcif_core.images.workspace import Workspace

if TYPE_CHECKING:
    from imgcif_core.net.remote import RemoteFile

# The end record with the longest comment, and before it the record and locator of large archives.
TAIL = 65_557
_ZIP64 = 76
_LOCAL = 30
# Members that are not packed are read in parts from this size on.
_LARGE = 1 << 20


class RemoteZip(ZipArchive):
    """A zip archive on a server; requests for one member do not grow with the archive."""

    def __init__(self, source: RemoteFile, limits: Limits) -> None:
        super().__init__(source, limits)
        self._remote = source

    @staticmethod
    def fits(source: RemoteFile) -> bool:
        """True if a file ends as zip archives do."""
        tail = source.read_tail(TAIL)
        at = tail.rfind(b"PK\x05\x06")
        return 0 <= at <= len(tail) - 22

    def entries(self) -> list[zipfile.ZipInfo]:
        """The directory: names, sizes, CRC-32 and methods.

        Raises
        ------
        BytesError
            If it cannot be had.
        """
        return self._open().infolist()

    def _open(self) -> zipfile.ZipFile:
        """The archive with its directory, which is asked for in one request."""
        if self._archive is None:
            tail = self._remote.read_tail(TAIL)
            self._refuse_large_directory()
            place = _directory(tail, self._remote.size)
            if place is not None:
                self._remote.read(*place)
        return super()._open()

    def _unpacked(self, info: zipfile.ZipInfo, workspace: Workspace) -> ByteSource | BytesError:
        """One member as a file; a large one that is not packed is read in parts."""
        known = _LOCAL + len(info.orig_filename.encode("utf-8", "replace"))
        try:
            if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1 and info.file_size > _LARGE:
                head = self._remote.read(info.header_offset, _LOCAL)
                if len(head) == _LOCAL and head.startswith(b"PK\x03\x04"):
                    name, extra = struct.unpack_from("<HH", head, 26)
                    start = info.header_offset + _LOCAL + name + extra
                    if start + info.file_size <= self._remote.size:
                        return Slice(self._remote, start, info.file_size, f"{self.label}/{info.filename}")
            # The extra field of a member may be longer at its place than in the directory.
            self._remote.read(info.header_offset, known + len(info.extra) + 256 + info.compress_size)
        except BytesError as fault:
            return fault
        return super()._unpacked(info, workspace)


def _directory(tail: bytes, size: int) -> tuple[int, int] | None:
    """Start and length of the directory by the records at the end; None where they make no sense."""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return None
    length = struct.unpack_from("<I", tail, at + 12)[0]
    end = size - len(tail) + at
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07") and at >= _ZIP64:
        record = tail.rfind(b"PK\x06\x06", 0, at)
        if record < 0 or record + 56 > len(tail):
            return None
        length = struct.unpack_from("<Q", tail, record + 40)[0]
        end = size - len(tail) + record
    start = end - length
    return (start, length) if start >= 0 else None
