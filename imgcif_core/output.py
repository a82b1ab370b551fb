"""The one way in which files are written: they appear whole or not at all, and no other file is touched.

A file is written under a random name beside its place, created so that nothing that is there already is
opened, and then put into its place in one step. Devices and pipes are written into.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from imgcif_core.errors import OutputError, UsageError

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_STREAMS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2}


def write_file(
    path: str | os.PathLike[str],
    content: str | bytes,
    *,
    overwrite: bool = True,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> Path:
    """Write a whole file; the arguments and errors are those of `open_output`."""
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with open_output(path, overwrite=overwrite, inputs=inputs) as stream:
        stream.write(data)
    return Path(path)


def refuse_output(
    path: str | os.PathLike[str], *, overwrite: bool = True, inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Raise, before any work is done, where `open_output` would; nothing is written."""
    if _stream_of(path) is None:
        _judged(os.fspath(path), overwrite, inputs)


@contextmanager
def open_output(
    path: str | os.PathLike[str], *, overwrite: bool = True, inputs: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes its place when the block ends and not when it raises.

    Parameters
    ----------
    path :
        A regular file is replaced in one step and keeps its mode; a device or pipe is written into;
        `-` and `/dev/stdout` are standard output.
    overwrite :
        False to refuse a regular file that is there.
    inputs :
        What the content is made from: none of these is replaced.

    Raises
    ------
    OutputError
        If it cannot be written: a symbolic link, a folder, a file that must not be replaced, a full disk.
    """
    name = os.fspath(path)
    number = _stream_of(path)
    try:
        if number is not None:
            with os.fdopen(os.dup(_stream_number(number)), "wb") as stream:
                yield stream
            return
        found = _judged(name, overwrite, inputs)
        if found is not None and not stat.S_ISREG(found.st_mode):
            # Without O_CREAT and O_TRUNC: what is there is used as it is.
            with os.fdopen(os.open(name, os.O_WRONLY | _NO_LINK), "wb") as stream:
                if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    raise OutputError(f"{name}: changed while it was opened")
                yield stream
            return
        with _replacing(name, found, overwrite) as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name}: cannot be written ({error.strerror or error})") from None


@contextmanager
def open_lines(
    path: str | os.PathLike[str], keep: int | None, *, inputs: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[BinaryIO]:
    """A binary file that grows line by line, so that what is written stays when the program is killed.

    `keep` is the number of bytes at its start that stay, None to begin anew; the errors are those of `open_output`.
    """
    name = os.fspath(path)
    if _stream_of(path) is not None:
        with open_output(path) as stream:
            yield stream
        return
    try:
        found = _judged(name, True, inputs)
        flags = os.O_WRONLY | _NO_LINK | (os.O_CREAT | os.O_EXCL if found is None else 0)
        with os.fdopen(os.open(name, flags, 0o666), "wb", buffering=0) as stream:
            if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                stream.truncate(keep or 0)
                stream.seek(keep or 0)
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name}: cannot be written ({error.strerror or error})") from None


def _stream_of(path: str | os.PathLike[str]) -> int | None:
    """The number of the stream of this process that a name means; None for files."""
    return _STREAMS.get(os.fspath(path))


def _stream_number(number: int) -> int:
    """The descriptor of standard output or standard error, with what was written before it flushed."""
    stream = sys.stdout if number == 1 else sys.stderr
    if stream is not None:
        stream.flush()
    return number


def _judged(name: str, overwrite: bool, inputs: Iterable[str | os.PathLike[str]]) -> os.stat_result | None:
    """What lies at a place, None where nothing does; raised where it may not be written."""
    if not name or "\0" in name:
        raise UsageError(f"{name!r}: no name of a file")
    try:
        found = os.lstat(name)
    except FileNotFoundError:
        folder = os.path.dirname(name) or "."
        if not os.path.isdir(folder):
            raise OutputError(f"{name}: cannot be written (no folder {folder})") from None
        if name.endswith("/"):
            raise OutputError(f"{name}: cannot be written (a folder is named, not a file)") from None
        return None
    except OSError as error:
        raise OutputError(f"{name}: cannot be written ({error.strerror or error})") from None
    if stat.S_ISLNK(found.st_mode):
        target = _link_text(name)
        raise OutputError(f"{name}: is a symbolic link{target}, which is not followed - name the file itself")
    if stat.S_ISDIR(found.st_mode):
        raise OutputError(f"{name}: is a folder")
    if stat.S_ISREG(found.st_mode):
        _refuse_regular(name, found, overwrite, inputs)
    elif stat.S_ISSOCK(found.st_mode) or stat.S_ISBLK(found.st_mode):
        raise OutputError(f"{name}: is neither a file, a pipe nor a character device")
    return found


def _link_text(name: str) -> str:
    """Where a link leads, for a message."""
    with suppress(OSError):
        return f" to {os.readlink(name)}"
    return ""


def _refuse_regular(
    name: str, found: os.stat_result, overwrite: bool, inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Raise for a file that is one of the inputs, that is kept, or that may not be written to."""
    for entry in inputs:
        with suppress(OSError, ValueError):
            if os.path.samestat(found, os.stat(entry)):
                raise OutputError(f"{name}: is one of the inputs, and would be replaced")
    if not overwrite:
        raise OutputError(f"{name}: exists, and is replaced only with --overwrite")
    if not os.access(name, os.W_OK):
        raise OutputError(f"{name}: cannot be written (Permission denied)")


@contextmanager
def _replacing(name: str, found: os.stat_result | None, overwrite: bool) -> Iterator[BinaryIO]:
    """A new file beside a place, put there at the end of the block, removed if that fails."""
    part = os.path.join(os.path.dirname(name), f".{secrets.token_hex(16)}.tmp")
    # The mask of the process is applied by the system to a new file.
    handle = os.open(part, _CREATE | _NO_LINK, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            if found is not None:
                _adopt(handle, found)
            yield stream
            stream.flush()
            os.fsync(handle)
        _put(part, name, overwrite)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _adopt(handle: int, found: os.stat_result) -> None:
    """Give a new file the owner, where the system allows it, and the permissions of the old one."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(handle, found.st_uid, found.st_gid)
        os.fchmod(handle, stat.S_IMODE(found.st_mode) & 0o777)


def _put(part: str, name: str, overwrite: bool) -> None:
    """Put a whole file into its place; without `overwrite` only where nothing is."""
    if overwrite:
        os.replace(part, name)
        return
    try:
        os.link(part, name)
    except FileExistsError:
        raise OutputError(f"{name}: exists, and is replaced only with --overwrite") from None
    except OSError:
        # A file system without hard links: the place is taken first, so that nothing else is replaced.
        os.close(os.open(name, _CREATE | _NO_LINK, 0o666))
        os.replace(part, name)
