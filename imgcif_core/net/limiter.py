"""Manners towards servers: one request at a time and not too many, and a budget for the whole run."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

from imgcif_core.images.limits import BytesError
from imgcif_core.net.settings import NetSettings, shown_size
from imgcif_core.records import dataclass, field


@dataclass(slots=True)
class Budget:
    """What a run has spent of bytes, requests and seconds; redirects and further tries count as requests."""

    most_bytes: int
    most_requests: int
    seconds: float = float("inf")
    bytes: int = 0
    requests: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """The bytes that may still be read."""
        return max(0, self.most_bytes - self.bytes)

    def allow(self, wanted: int, what: str) -> None:
        """Refuse a request that would not fit, before it is made."""
        self.in_time(what)
        if self.requests >= self.most_requests:
            raise BytesError("budget", f"{what}: {self.most_requests} requests were made, and no more are")
        if wanted > self.left:
            left, most = shown_size(self.left), shown_size(self.most_bytes)
            text = f"{what}: {shown_size(wanted)} more than {left} that are left of {most} (--max-download)"
            raise BytesError("budget", text.replace(" more than ", " are more than the ", 1))

    def in_time(self, what: str) -> None:
        """Refuse to go on when the time is used up."""
        if time.monotonic() - self.began > self.seconds:
            raise BytesError("budget", f"{what}: the time for the network, {self.seconds:g} s, is used up")


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
        asked = self._asked[host]
        pause = _pause(asked, self._clock(), host, settings)
        if pause > 0.0:
            self._sleep(pause)
        asked.append(self._clock())

    def release(self, host: str) -> None:
        """The request to a host is over."""

    def pause(self, seconds: float) -> None:
        """Wait before another try."""
        self._sleep(seconds)


class SharedLimiter(Limiter):
    """A limiter for several processes: times of requests lie in files, and who asks a host holds the lock of its file.

    The monotonic clock is one for all processes of a machine.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._locks: dict[str, IO[str]] = {}

    def wait(self, host: str, settings: NetSettings) -> None:
        """Wait for the turn of this process, too; `release` ends it."""
        import fcntl

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = hashlib.sha256(host.casefold().encode("utf-8", "replace")).hexdigest()[:40]
        lock = open(self._folder / name, "a+", encoding="ascii")  # noqa: SIM115
        is_mine = False
        try:
            until = self._clock() + settings.longest_pause
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if self._clock() > until:
                        raise BytesError("unreached", f"{host} is being asked by others - try again later") from None
                    self._sleep(0.02)
            asked = _times(lock, self._clock())
            pause = _pause(asked, self._clock(), host, settings)
            if pause > settings.longest_pause:
                raise BytesError("unreached", f"{host} was asked often in this minute - try again later")
            if pause > 0.0:
                self._sleep(pause)
            lock.truncate(0)
            json.dump([*asked, self._clock()], lock)
            lock.flush()
            is_mine = True
        finally:
            if not is_mine:
                lock.close()
        self._locks[host] = lock

    def release(self, host: str) -> None:
        """Let others ask the host."""
        lock = self._locks.pop(host, None)
        if lock is not None:
            lock.close()


def _times(lock: IO[str], now: float) -> deque[float]:
    """When a host was asked, as a file has it; times to come are of before the machine was started anew."""
    lock.seek(0)
    try:
        found = json.loads(lock.read() or "[]")
    except ValueError:
        found = []
    return deque(sorted(entry for entry in found if isinstance(entry, float) and entry <= now))


def _pause(asked: deque[float], now: float, host: str, settings: NetSettings) -> float:
    """Seconds until a host may be asked that was asked at some times; those of before this hour are dropped.

    Raises
    ------
    BytesError
        `unreached` if the hour is full.
    """
    while asked and asked[0] <= now - 3600.0:
        asked.popleft()
    if len(asked) >= settings.per_hour:
        raise BytesError("unreached", f"{host} was asked {settings.per_hour} times within an hour - try again later")
    if len(asked) < settings.per_minute:
        return 0.0
    return asked[-settings.per_minute] + 60.0 - now


def back_off(attempt: int) -> float:
    """Seconds before the next try: about 1, 2, 4, never the same for all clients."""
    return 2.0**attempt * random.uniform(0.75, 1.25)


# One for all runs of this process.
LIMITER = Limiter()
