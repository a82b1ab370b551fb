"""How much a method may do before it is stopped."""

import time

from imgcif_core.ddlm.drel.errors import BudgetExceeded
from imgcif_core.records import dataclass

_LOOK = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What one value, and what all values of a file may cost together."""

    steps: int = 1_000_000
    seconds: float = 5.0
    total_seconds: float = 60.0
    depth: int = 60


class Budget:
    """Counts the steps of one evaluation, and looks at the clock now and then."""

    __slots__ = ("_end", "_final", "_next", "depth", "limits", "steps")

    def __init__(self, limits: Limits, final: float) -> None:
        self.limits = limits
        self.steps = 0
        self.depth = 0
        self._final = final
        self._end = time.monotonic() + limits.seconds
        self._next = _LOOK

    def spend(self, steps: int, at: int) -> None:
        """Count steps at a place in a method.

        Raises
        ------
        BudgetExceeded
            If the steps or the time are used up.
        """
        self.steps += steps
        if self.steps < self._next:
            return
        self._next = self.steps + _LOOK
        if self.steps > self.limits.steps:
            raise BudgetExceeded(f"stopped after {self.limits.steps} steps (budget of steps)", at)
        now = time.monotonic()
        if now > self._end:
            raise BudgetExceeded(f"stopped after {self.limits.seconds:g} s (budget of time)", at)
        if now > self._final:
            raise BudgetExceeded(f"stopped: all methods took {self.limits.total_seconds:g} s (budget of time)", at)
