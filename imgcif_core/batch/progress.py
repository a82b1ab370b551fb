"""One line on a terminal that counts files while a run goes on; nothing where nobody looks."""

import time
from typing import TextIO

_SECONDS_BETWEEN = 0.5


class Progress:
    """Counts files on a terminal; use it in a `with`, at the end of which the line is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._started = self._last = time.monotonic()
        self._counts = [0, 0, 0, 0]

    def count(self, status: int) -> None:
        """Count a file that ended with a status."""
        self._counts[min(status, 3)] += 1
        now = time.monotonic()
        if self._is_shown and now - self._last > _SECONDS_BETWEEN:
            self._last = now
            self._stream.write(f"\r\x1b[K{self.text(now)}")
            self._stream.flush()

    def text(self, now: float) -> str:
        """What is counted so far."""
        total = sum(self._counts)
        words = [f"{total:,} files", f"{total / max(now - self._started, 1e-3):.1f} a second"]
        for status, what in ((1, "with findings"), (2, "unreadable"), (3, "with a crashed rule")):
            if self._counts[status]:
                words.append(f"{self._counts[status]:,} {what}")
        return ", ".join(words)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
