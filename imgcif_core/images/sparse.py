"""HDF5 files that do not lie on this machine: a file with holes, filled as the library asks for bytes.

The process that reads HDF5 has no way to a server. Where it meets a hole, it ends the request with the range
that is missing; the process that asked fills the hole and asks again.
"""

from __future__ import annotations

import io
import json
import os
import weakref
from pathlib import Path
from typing import Any

from imgcif_core.images.bytes import ByteSource, ReadStream
from imgcif_core.images.limits import BytesError

BLOCK = 1 << 16
MAP_SUFFIX = ".held"
# Rounds of one request: links of blocks that lead from one to the next.
MAX_ROUNDS = 400
# The holes that readers of this process have met since the last request.
_MISSING: list[tuple[str, int, int]] = []
_KNOWN: weakref.WeakValueDictionary[str, SparseFile] = weakref.WeakValueDictionary()


class SparseFile:
    """A file on disk as large as its source, in which only the blocks that were asked for are filled."""

    def __init__(self, source: ByteSource, path: Path) -> None:
        self.label, self.size = source.label, source.size
        self.path: Path | None = path
        self._place = path
        self._source = source
        self._blocks = -(-source.size // BLOCK)
        try:
            with path.open("xb") as target:
                target.truncate(source.size)
            with Path(f"{path}{MAP_SUFFIX}").open("wb") as blocks:
                blocks.write(bytes(self._blocks))
        except OSError as error:
            raise BytesError("limit", f"{self.label}: no room for it ({error.strerror or error})") from None
        _KNOWN[os.path.realpath(path)] = self

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end."""
        return self._source.read(start, length)

    def fill(self, start: int, length: int) -> None:
        """Have the blocks of a range in the file."""
        first, last = start // BLOCK, -(-min(start + length, self.size) // BLOCK)
        place = self._place
        try:
            with place.open("r+b") as target, open(f"{place}{MAP_SUFFIX}", "r+b") as held:
                data = self._source.read(first * BLOCK, (last - first) * BLOCK)
                target.seek(first * BLOCK)
                target.write(data)
                held.seek(first)
                held.write(b"\1" * (last - first))
        except OSError as error:
            raise BytesError("limit", f"{self.label}: no room for it ({error.strerror or error})") from None

    def close(self) -> None:
        """Remove the file."""
        for path in (self._place, Path(f"{self._place}{MAP_SUFFIX}")):
            path.unlink(missing_ok=True)
        self._source.close()


class HeldFile(ReadStream):
    """The readable side of a file with holes; a hole that is met is remembered, and is an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "rb")  # noqa: SIM115
        self._map = open(f"{path}{MAP_SUFFIX}", "rb", buffering=0)  # noqa: SIM115
        self._size = os.fstat(self._file.fileno()).st_size

    def __repr__(self) -> str:
        return self._path

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        first, last = self._at // BLOCK, -(-end // BLOCK)
        self._map.seek(first)
        held = self._map.read(max(0, last - first)) or b""
        if len(held) < last - first or 0 in held:
            _MISSING.append((self._path, self._at, end - self._at))
            raise OSError("a part of the file that is not at hand")
        self._file.seek(self._at)
        count = self._file.readinto(buffer)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._map.close()
        super().close()


def is_sparse(path: str) -> bool:
    """True if a file has a map of what is held of it."""
    return os.path.isfile(f"{path}{MAP_SUFFIX}")


def hole_met() -> str | None:
    """The hole that was met since the last call, as text for another process; None if there was none."""
    if not _MISSING:
        return None
    found = _MISSING[0]
    _MISSING.clear()
    return json.dumps(found)


def fill_hole(text: str) -> None:
    """Fill a hole that another process has met.

    Raises
    ------
    BytesError
        `damaged` if no such file is being filled, or what the source of the file raises.
    """
    path, start, length = json.loads(text)
    known = _KNOWN.get(os.path.realpath(path))
    if known is None:
        raise BytesError("damaged", f"{os.path.basename(path)} lies here in parts only")
    known.fill(int(start), int(length))


class Slice:
    """A part of a source, such as a member of an archive that is not packed."""

    path: Path | None = None

    def __init__(self, source: ByteSource, start: int, size: int, label: str) -> None:
        self.label, self.size = label, size
        self.buffer = getattr(source, "buffer", io.DEFAULT_BUFFER_SIZE)
        self._source, self._start = source, start

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end."""
        wanted = max(0, min(length, self.size - start))
        return self._source.read(self._start + start, wanted) if wanted else b""

    def close(self) -> None:
        """Nothing to let go of: the source belongs to the archive."""
