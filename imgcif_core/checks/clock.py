"""Time limits of rules and files, for commands and their workers; the library itself has none."""

import signal
import threading
import time
from types import FrameType
from typing import Any

from imgcif_core.limits import Budget
from imgcif_core.records import dataclass

# What a rule may take where the time is used up while its inputs are built.
_LAST_SECONDS = 2.0


class TimeUp(BaseException):
    """Time is used up; no rule can catch it by accident."""


class Alarm:
    """Raises `TimeUp` where a step of a run takes more than its time; without effect outside the main thread.

    Steps are many and short: the timer of the system is set anew only where it would ring too late, and a ring
    that comes too early sets it to the end of the step under way.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._end: float | None = None
        self._rings: float | None = None
        self._before: Any = None
        self._is_set_up = False

    def __enter__(self) -> "Alarm":
        return self

    def __exit__(self, *_: object) -> None:
        self._end = None
        if self._is_set_up:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._is_set_up = False

    def start(self, seconds: float | None) -> None:
        """Begin a step that may take so many seconds, None for any time."""
        self._end = None
        if seconds is None or not (self._is_set_up or self._set_up()):
            return
        self._seconds = seconds
        self._end = end = time.monotonic() + seconds
        # A rule may have used the timer of the system for itself, and stopped it.
        if self._rings is None or end < self._rings or not signal.getitimer(signal.ITIMER_REAL)[0]:
            self._ring_at(end)

    def stop(self) -> None:
        """End a step."""
        self._end = None

    def _set_up(self) -> bool:
        """Take the signal, unless this is not possible here, or somebody else waits for it."""
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            return False
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            return False
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._is_set_up = True
        return True

    def _ring_at(self, moment: float) -> None:
        """Set the timer."""
        self._rings = moment
        signal.setitimer(signal.ITIMER_REAL, max(moment - time.monotonic(), 1e-3))

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        """End the step if its time is used up."""
        self._rings = None
        if self._end is None:
            return
        if time.monotonic() < self._end:
            self._ring_at(self._end)
            return
        self._end = None
        raise TimeUp(f"it took more than {self._seconds:g} s")


@dataclass(frozen=True, slots=True)
class Clock:
    """How long one rule may take, in seconds, None for any time; and what is left for the whole check."""

    rule: float | None
    budget: Budget

    @property
    def is_limited(self) -> bool:
        """True if there is an end of the time of anything."""
        return self.rule is not None or self.budget.wall_left is not None

    def is_up(self) -> str:
        """Why no further rule may begin, or an empty text; without a limit of rules, computing takes any time."""
        return self.budget.is_up() if self.rule is not None or self.budget.wall_left == 0.0 else ""

    def for_rule(self, patience: float = 0.0) -> float | None:
        """How long the next rule may take, and `patience` for waits that are no fault of its."""
        rule, wall = self.rule, self.budget.wall_left
        times = [] if wall is None else [max(_LAST_SECONDS, wall)]
        if rule is not None:
            times.append(rule)
            cpu = self.budget.cpu_left
            if cpu is not None:
                # Waiting is not computing: a rule may take somewhat longer than the computing time that is left.
                times.append(max(_LAST_SECONDS, 2.0 * cpu))
        return min(times) + patience if times else None

    def stopped_early(self, seconds: float | None, patience: float = 0.0) -> bool:
        """True if a rule was given less than any rule is, for the time of the whole check is used up."""
        return seconds is not None and (self.rule is None or seconds - patience < self.rule)
