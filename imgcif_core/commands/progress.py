"""A bar on the terminal during a long transfer; what is written next takes its place."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

# Transfers that are over sooner need no words, and nobody reads faster.
AFTER, EVERY = 1.0, 0.2
_WIDTH, _CELLS = 79, 20


class Progress:
    """Told of bytes as they come: the host, how much of what may be read (`most` bytes), and how fast.

    Pauses are no transfer.
    """

    def __init__(self, most: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._stream, self._clock = max(1, most), stream, clock
        self._all = 0
        self._host, self._bytes, self._began = "", 0, 0.0
        self._last = self._shown = float("-inf")

    def __call__(self, host: str, size: int) -> None:
        """Count bytes; show them once the transfer takes long."""
        now = self._clock()
        if host != self._host or now - self._last > 2.0:
            self._host, self._bytes, self._began = host, 0, now
        self._bytes += size
        self._all += size
        self._last = now
        if now - self._began >= AFTER and now - self._shown >= EVERY:
            self._shown = now
            self._show(now - self._began)

    def _show(self, passed: float) -> None:
        """Write the line, and leave the cursor at its start so that what follows takes its place."""
        from imgcif_core.net.settings import shown_size

        stream = self._stream or sys.stderr
        full = min(_CELLS, _CELLS * self._all // self._most)
        bar = "#" * full + "." * (_CELLS - full)
        told = f"{shown_size(self._all)} of at most {shown_size(self._most)}, {shown_size(self._bytes / passed)}/s"
        text = f"[{bar}] {told}, {self._host}"
        stream.write(f"\r{text[:_WIDTH]:<{_WIDTH}}\r")
        stream.flush()

    def __reduce__(self) -> tuple[type[Progress], tuple[int]]:
        """Another process begins anew, on its own terminal."""
        return Progress, (self._most,)
