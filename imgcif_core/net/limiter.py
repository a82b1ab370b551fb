"""Manners towards servers: one request at a time and not too many, and a budget for the whole run."""

from __future__ import annotations

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from imgcif_core.images.limits import BytesError
from imgcif_core.net.settings import NetSettings, shown_size


@dataclass(slots=True)
class Budget:
    """What a run has spent of the bytes and requests that it may; redirects and further tries count as requests."""

    most_bytes: int
    most_requests: int
    bytes: int = 0
    requests: int = 0

    @property
    def left(self) -> int:
        """The bytes that may still be read."""
        return max(0, self.most_bytes - self.bytes)

    def allow(self, wanted: int, what: str) -> None:
        """Refuse a request that would not fit, before it is made."""
        if self.requests >= self.most_requests:
            raise BytesError("budget", f"{what}: {self.most_requests} requests were made, and no more are")
        if wanted > self.left:
            left, most = shown_size(self.left), shown_size(self.most_bytes)
            text = f"{what}: {shown_size(wanted)} more than {left} that are left of {most} (--max-download)"
            raise BytesError("budget", text.replace(" more than ", " are more than the ", 1))


class Limiter:
    """Keeps requests to one host apart: so many in a minute and in an hour.

    The clock is one that never goes back, so that a wrong date of the machine does no harm.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._asked: dict[str, deque[float]] = defaultdict(deque)

    def wait(self, host: str, settings: NetSettings) -> None:
        """Wait until the host may be asked again, and count the request.

        Raises
        ------
        BytesError
            `unreached` if that would take longer than the longest pause.
        """
        asked, now = self._asked[host], self._clock()
        while asked and asked[0] <= now - 3600.0:
            asked.popleft()
        if len(asked) >= settings.per_hour:
            raise BytesError(
                "unreached", f"{host} was asked {settings.per_hour} times within an hour - try again later"
            )
        if len(asked) >= settings.per_minute:
            pause = asked[-settings.per_minute] + 60.0 - now
            if pause > 0.0:
                self._sleep(pause)
        asked.append(self._clock())

    def pause(self, seconds: float) -> None:
        """Wait before another try."""
        self._sleep(seconds)


def back_off(attempt: int) -> float:
    """Seconds before the next try: about 1, 2, 4, never the same for all clients."""
    return 2.0**attempt * random.uniform(0.75, 1.25)


# One for all runs of this process.
LIMITER = Limiter()
