"""What several commands share: text to the terminal or into a file."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from imgcif_core.errors import InputError
from imgcif_core.limits import DEFAULT_LIMITS, MIB, Limits

UNUSABLE = 2
# The interpreter, numpy and the dictionary, beside what an input takes.
_OWN_MEMORY = 256 * MIB


@contextmanager
def bounded_memory(inputs: Iterable[str], limits: Limits = DEFAULT_LIMITS) -> Iterator[None]:
    """Let work on some inputs fail rather than the machine: their size tells how much memory it may take.

    Raises
    ------
    InputError
        Where more would have been taken.
    """
    try:
        import resource
    except ImportError:
        yield
        return
    names = list(inputs)
    most = limits.memory_for(sum(map(_size, names))) + _OWN_MEMORY
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [most, *(bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(allowed), hard))
    try:
        yield
    except MemoryError:
        text = f"takes more than {limits.memory_for(sum(map(_size, names))) // MIB} MiB of memory"
        raise InputError(f"{names[0]}: {text}; --limit memory=SIZE allows more") from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _size(path: str) -> int:
    """The size of a file; that of pipes is what may be read of them."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return DEFAULT_LIMITS.memory // 8
    return found.st_size if stat.S_ISREG(found.st_mode) else DEFAULT_LIMITS.memory // 8


def write(path: str | None, text: str, inputs: Iterable[str] = ()) -> None:
    """Write to standard output, or to a file that appears only when it is whole and is none of the inputs."""
    if path is None:
        emit(sys.stdout, text)
        return
    from imgcif_core.output import write_file

    write_file(path, text, inputs=inputs)


def emit(stream: TextIO, text: str) -> None:
    """Write text, with a stand-in for what the terminal's encoding cannot show."""
    if not text.endswith("\n"):
        text += "\n"
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
