"""A bound on the memory of this process while it works on inputs that somebody else made."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def is_exhausted() -> bool:
    """True within `bounded_memory` where this process has had most of what it may have: the input needs more."""
    if not _BOUNDS:
        return False
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            peak = next((int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:")), 0)
    except (OSError, ValueError):
        return True
    return peak > _BOUNDS[-1] // 2


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
