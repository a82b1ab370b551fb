"""`imgcif create`: an imgCIF from raw data or an experiment description."""

import argparse
import sys
import time

from imgcif_core.commands.common import emit
from imgcif_core.create.command import Terminal, add_arguments

__all__ = ["add_arguments", "run"]

_FEW_FILES = 200
_SECONDS_BETWEEN = 0.2


def run(given: argparse.Namespace) -> int:
    """Create an imgCIF, and say what came of it."""
    from imgcif_core.create.command import run as create

    progress = _Progress() if sys.stderr.isatty() else None
    outcome = create(given, Terminal(_say, _read, progress))
    if outcome.output:
        emit(sys.stdout, outcome.output)
    return outcome.status


def _say(lines: str) -> None:
    """Show lines on standard error."""
    emit(sys.stderr, lines)


def _read() -> str | None:
    """The next line that is typed; None at the end of the input."""
    sys.stderr.write("> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None


class _Progress:
    """One line on the terminal that counts many files, gone at the end."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        if total < _FEW_FILES:
            return
        if done == total:
            sys.stderr.write("\r\x1b[K")
        elif time.monotonic() - self._last > _SECONDS_BETWEEN:
            self._last = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{what}: {done:,} of {total:,}")
        sys.stderr.flush()
