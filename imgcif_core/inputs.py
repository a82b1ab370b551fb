"""Opening what somebody names as an input: regular files, pipes that are written to, and nothing without end."""

import os
import select
import stat
from collections.abc import Iterator
from os import PathLike
from typing import Any, BinaryIO

from imgcif_core.errors import InputError
from imgcif_core.limits import DEFAULT_LIMITS, MIB, Limits

_CHUNK = 1 * MIB
# Whoever opens a pipe writes to it soon, or never.
PIPE_SECONDS = 30.0
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_path(path: str | PathLike[str], limits: Limits = DEFAULT_LIMITS) -> bytes:
    """All bytes of a file or pipe, as far as the limits go.

    Raises
    ------
    InputError
        If there is no such file, it is a folder or a device, nobody writes to it, or it is too large.
    """
    shown = os.fspath(path)
    with _opened(shown) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISFIFO(found.st_mode):
            if found.st_size > limits.bytes:
                raise _too_large(shown, limits.bytes)
            return _checked(file, found.st_size, shown, limits)
        return b"".join(_parts(file, shown, limits))


def read_text(path: str | PathLike[str], errors: str = "strict", limits: Limits = DEFAULT_LIMITS) -> str:
    """The text of a file in UTF-8; raises as `read_path`, and where it is no text."""
    try:
        return read_path(path, limits).decode("utf-8", errors).replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError(f"{os.fspath(path)}: is no text in UTF-8") from None


def open_regular(path: str | PathLike[str]) -> BinaryIO:
    """A regular file, for readers that look at it more than once.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder, a device or a pipe.
    """
    shown = os.fspath(path)
    file = _opened(shown)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise InputError(f"{shown}: is a pipe, which can be read only once; write it into a file first")


def read_stream(stream: Any, label: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """All bytes of a binary file object, as far as the limits go.

    Raises
    ------
    InputError
        If it gives text, or more bytes than are read.
    """
    most = min(limits.bytes, limits.memory)
    parts, size = [], 0
    while part := stream.read(_CHUNK):
        if not isinstance(part, bytes):
            raise InputError("the file object gives text: open it in binary mode")
        size += len(part)
        if size > most:
            raise _too_large(label, most)
        parts.append(part)
    return b"".join(parts)


def _opened(shown: str) -> BinaryIO:
    """A file or pipe, opened without waiting."""
    try:
        handle = os.open(shown, os.O_RDONLY | _NO_WAIT)
    except FileNotFoundError:
        raise InputError(f"{shown}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{shown}: is a directory") from None
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(f"{shown!r}: no name of a file ({error})") from None
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or os.path.samestat(os.fstat(handle), os.stat(os.devnull)):
        return os.fdopen(handle, "rb", buffering=0)
    os.close(handle)
    what = "a directory" if stat.S_ISDIR(mode) else "a device or socket, which is not read"
    raise InputError(f"{shown}: is {what}")


def _checked(file: BinaryIO, size: int, shown: str, limits: Limits) -> bytes:
    """The bytes of a regular file; those of a size that only reading tells, as in /proc, within the limits."""
    try:
        data = file.read() if size else read_stream(file, shown, limits)
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror or error})") from None
    return data


def _parts(file: BinaryIO, shown: str, limits: Limits) -> Iterator[bytes]:
    """What is written to a pipe; no pipe is waited for without end."""
    most, size = min(limits.bytes, limits.memory), 0
    poll = select.poll()
    poll.register(file.fileno(), select.POLLIN | select.POLLHUP)
    while True:
        if not poll.poll(1000 * PIPE_SECONDS):
            raise InputError(f"{shown}: is a pipe to which nobody wrote for {PIPE_SECONDS:g} s")
        part = file.read(_CHUNK)
        if part is None:
            continue
        if not part:
            return
        size += len(part)
        if size > most:
            raise _too_large(shown, most)
        yield part


def _too_large(shown: str, most: int) -> InputError:
    """The one sentence on an input that is larger than what is read."""
    return InputError(f"{shown}: is larger than {most // MIB} MiB, which is the most that is read of a text")
