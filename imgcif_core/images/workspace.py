"""A temporary folder for members of archives: made when it is first needed, removed at the end."""

import re
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imgcif_core.images.bytes import BUFFER, ByteSource, FileBytes
from imgcif_core.images.limits import BytesError

_SUFFIX = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}\Z")


class Workspace:
    """Files of a run, under names of our own, in one folder that is removed with them."""

    def __init__(self, folder: Path | None = None, prefix: str = "", room: int | None = None) -> None:
        self._folder = folder
        self._prefix, self._room = prefix, room
        self._count = 0
        self._remove: Any = None

    @property
    def folder(self) -> Path:
        """The folder, made at the first request."""
        if self._folder is None:
            import tempfile

            self._folder = Path(tempfile.mkdtemp(prefix="imgcif-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, True)
        return self._folder

    def keep(self, stream: Any, name: str, size: int, most: int, label: str) -> FileBytes:
        """Write a stream of a stated size to a file; of its name only a plain suffix is used.

        Raises
        ------
        BytesError
            `limit` if it is larger than allowed or stated, `damaged` if it is shorter.
        """
        if size > most:
            raise BytesError("limit", f"{label}: {size} bytes, more than the {most} that are unpacked")
        if size > shutil.disk_usage(self.folder).free:
            raise BytesError("limit", f"{label}: {size} bytes, more than there is room for in {self.folder.parent}")
        if self._room is not None and size + self.used() > self._room:
            raise BytesError("limit", f"{label}: more than {self._room} bytes would lie unpacked at a time")
        path = self._new(name)
        with self._written(path, label) as target:
            written = _copy(stream, target, size)
        if written != size:
            path.unlink(missing_ok=True)
            raise BytesError("damaged", f"{label}: {written} bytes, not {size}")
        return FileBytes(path, label)

    def keep_whole(self, stream: Any, name: str, label: str) -> FileBytes:
        """Write a stream of unknown size, which guards its own limits, to a file.

        Raises
        ------
        BytesError
            As the stream does.
        """
        path = self._new(name)
        with self._written(path, label) as target:
            shutil.copyfileobj(stream, target, BUFFER)
        return FileBytes(path, label)

    def used(self) -> int:
        """The bytes that lie in the folder."""
        return 0 if self._folder is None else sum(entry.stat().st_size for entry in self._folder.iterdir())

    def new(self, name: str) -> Path:
        """A path in the folder for a file that its owner removes."""
        return self._new(name)

    @contextmanager
    def _written(self, path: Path, label: str) -> Iterator[Any]:
        """A new file to write to, which is removed if it does not become whole."""
        try:
            with path.open("xb") as target:
                yield target
        except BytesError:
            path.unlink(missing_ok=True)
            raise
        except OSError as error:
            path.unlink(missing_ok=True)
            raise BytesError("limit", f"{label}: cannot be unpacked ({error.strerror or error})") from None

    def drop(self, source: ByteSource) -> None:
        """Close a source, and delete its file if it is one of this workspace."""
        source.close()
        if self._folder is not None and source.path is not None and source.path.parent == self._folder:
            source.path.unlink(missing_ok=True)

    def _new(self, name: str) -> Path:
        """A fresh path in the folder, with the plain suffix of a name."""
        self._count += 1
        suffix = _SUFFIX.search(name)
        return self.folder / f"{self._prefix}{self._count:06d}{suffix[0] if suffix else ''}"

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        if self._remove is not None:
            self._remove()
        self._folder = None


def _copy(stream: Any, target: Any, size: int) -> int:
    """Copy at most `size` bytes; the number copied."""
    written = 0
    while written < size:
        part = stream.read(min(BUFFER, size - written))
        if not part:
            break
        target.write(part)
        written += len(part)
    return written
