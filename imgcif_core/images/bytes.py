"""One way to read bytes: in ranges, from files on disk and from servers.

A source has a label for messages, a size, ranges and, where it lies on disk, a path. What reads
images or archives takes a `ByteSource` and never a file name.
"""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from imgcif_core.images.limits import BytesError

BUFFER = 1 << 20


class ByteSource(Protocol):
    """Bytes that can be read in ranges; the size is known before anything is read.

    Raises
    ------
    BytesError
        From every method: `missing`, `damaged`, `changed` or `limit`.
    """

    @property
    def label(self) -> str:
        """What to call it in messages."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    @property
    def path(self) -> Path | None:
        """Where the same bytes lie on disk, None where they do not."""

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end."""

    def close(self) -> None:
        """Let go of it."""


def open_stream(source: ByteSource) -> BinaryIO:
    """A seekable binary stream over a source, with a buffer of one MiB unless the source asks for another."""
    return io.BufferedReader(_Ranges(source), getattr(source, "buffer", BUFFER))


class ReadStream(io.RawIOBase):
    """A raw stream for reading that knows where it is."""

    _at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at


class _Ranges(ReadStream):
    """A raw stream that asks a source for ranges."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        found = self._source.read(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class FileBytes:
    """A regular file on disk; a change while it is open is noticed with the next range."""

    def __init__(self, path: str | os.PathLike[str], label: str | None = None) -> None:
        self.path: Path | None = Path(path)
        self.label = label or str(path)
        self._file = _open_regular(self.path, self.label)
        self._state = _state(os.fstat(self._file.fileno()))
        self.size = self._state[0]

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end of the file."""
        self._file.seek(start)
        wanted = max(0, min(length, self.size - start))
        found = self._file.read(wanted)
        self.refuse_change()
        if len(found) < wanted:
            raise BytesError("damaged", f"{self.label}: {len(found)} bytes at {start}, not {wanted}")
        return found

    def refuse_change(self) -> None:
        """Raise if the file is no longer the one that was opened."""
        if _state(os.fstat(self._file.fileno())) != self._state:
            raise BytesError("changed", f"{self.label} changed while it was read")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _state(found: os.stat_result) -> tuple[int, int]:
    """What changes when a file is written to."""
    return found.st_size, found.st_mtime_ns


def _open_regular(path: Path, label: str) -> BinaryIO:
    """Open a regular file: never a device, a pipe or a folder."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "no such file"
            raise BytesError("missing", f"{label}: {what}")
        return path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise BytesError("missing", f"{label}: cannot be read ({text})") from None


class MemoryBytes:
    """Bytes in memory: embedded sections, and small things in tests."""

    path: Path | None = None

    def __init__(self, data: bytes, label: str = "<bytes>") -> None:
        self.label = label
        self.size = len(data)
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end."""
        return self._data[start : start + length]

    def close(self) -> None:
        """Nothing to let go of."""
