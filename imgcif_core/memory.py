"""A bound on the memory of this process while it works on inputs that somebody else made."""

import gc
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from imgcif_core.errors import InputError
from imgcif_core.limits import DEFAULT_LIMITS, MIB, Limits

# The interpreter, numpy and the dictionary, beside what an input takes: twice what a small check has of data.
_OWN_MEMORY = 128 * MIB
# Files of a folder whose sizes are summed: so many allow any memory that a machine has.
_MOST_FILES = 10_000
_MOST = 1 << 62
# How many bounds hold in this process now.
_BOUNDS: list[int] = []


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: what is made at a start stays, and is looked through in vain again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def peak_memory() -> int:
    """The most memory that this process has had, in bytes; 0 where the system does not tell."""
    with suppress(OSError, StopIteration, ValueError), open("/proc/self/status", encoding="ascii") as status:
        # The count of the system's own call begins with what the process had that started this one.
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) << 10
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def is_exhausted() -> bool:
    """True within `bounded_memory` where this process has had most of what it may have: the input needs more."""
    return bool(_BOUNDS) and peak_memory() > _BOUNDS[-1] // 2


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
    allowed = min(_MOST, limits.memory_for(sum(map(_size, names))))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [allowed + _OWN_MEMORY, *(bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    _BOUNDS.append(allowed)
    try:
        yield
    except MemoryError:
        what = names[0] if names else "the work"
        raise InputError(
            f"{what}: takes more than {allowed // MIB} MiB of memory; --limit memory=SIZE allows more"
        ) from None
    finally:
        _BOUNDS.pop()
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _size(path: str) -> int:
    """The size of a file, or of those in a folder; that of pipes is what may be read of them."""
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(path) as entries:
                return sum(entry.stat().st_size for entry in islice(entries, _MOST_FILES) if entry.is_file())
    except (OSError, ValueError):
        return DEFAULT_LIMITS.memory // 8
    return found.st_size if stat.S_ISREG(found.st_mode) else DEFAULT_LIMITS.memory // 8
