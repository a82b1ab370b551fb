"""Time limits of rules and files, for commands and their workers; the library itself has none."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

_UNLIMITED = nullcontext()


class TimeUp(BaseException):
    """Time is used up; no rule can catch it by accident."""


def limited(seconds: float | None) -> AbstractContextManager[None]:
    """Raise `TimeUp` in the block when its time is used up; without effect outside the main thread."""
    if seconds is None or not hasattr(signal, "setitimer"):
        return _UNLIMITED
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_REAL)[0]:
        return _UNLIMITED
    return _alarmed(seconds)


@contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the block when its time is used up."""

    def ring(*_: object) -> None:
        raise TimeUp(f"it took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True, slots=True)
class Clock:
    """How long one rule and one file may take: wall clock and CPU of this process, in seconds; None for any time."""

    rule: float | None = None
    wall: float | None = None
    cpu: float | None = None
    _started: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), time.process_time()))

    def is_up(self) -> str:
        """Why no further rule may begin, or an empty text."""
        if self.wall is not None and time.monotonic() - self._started[0] > self.wall:
            return f"the time for one file, {self.wall:g} s, is used up"
        if self.cpu is not None and time.process_time() - self._started[1] > self.cpu:
            return f"the computing time for one file, {self.cpu:g} s, is used up"
        return ""

    def for_rule(self, patience: float = 0.0) -> float | None:
        """How long the next rule may take, and `patience` for waits that are no fault of its."""
        if self.rule is None and self.wall is None and self.cpu is None:
            return None
        left = [] if self.wall is None else [self.wall - (time.monotonic() - self._started[0])]
        if self.cpu is not None:
            # Waiting is not computing, so that a rule may take somewhat longer than the computing time that is left.
            left.append(2.0 * (self.cpu - (time.process_time() - self._started[1])))
        times = [seconds for seconds in (self.rule, *left) if seconds is not None]
        return max(0.01, min(times)) + patience if times else None
