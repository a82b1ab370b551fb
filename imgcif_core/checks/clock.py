"""Time limits of rules and files, for commands and their workers; the library itself has none."""

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from imgcif_core.limits import Budget
from imgcif_core.records import dataclass

# What a rule may take where the time is used up while its inputs are built.
_LAST_SECONDS = 2.0

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
    """How long one rule may take, in seconds, None for any time; and what is left for the whole check."""

    rule: float | None
    budget: Budget

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
