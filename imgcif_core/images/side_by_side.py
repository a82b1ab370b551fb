"""Images decoded and measured side by side, two at a time, where there are cores for it; their order is kept.

Each of the two has a helper process of its own, with half of the memory and of the computing time that is left.
An image for which that is not enough is read again alone, with all of both, as are those after it: what comes of
the images is the same as without any of this.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from imgcif_core.images.limits import BytesError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from imgcif_core.images.isolated import Helper

# With fewer images, smaller ones or fewer pixels in all, handing work on takes as long as the work.
LEAST_IMAGES, LEAST_PIXELS, LEAST_TOTAL = 6, 1 << 18, 1 << 23
# One more than work at a time are prepared, so that none waits.
_AHEAD = 3
# Faults that half of the memory or of the time may have made.
_OF_SHARING = frozenset({"crashed", "limit", "budget"})
_ALONE: list[bool] = []
Found = TypeVar("Found")
Found_co = TypeVar("Found_co", covariant=True)


class Job(Protocol[Found_co]):
    """What is done about one image."""

    def run(self, helper: Helper) -> Found_co:
        """Do it, in any thread; raises `BytesError`."""

    def refused(self, fault: BytesError) -> Found_co:
        """What stands in its place where it cannot be done."""


def work_alone() -> None:
    """Start nothing twice in this process: it is one of several that share the cores."""
    _ALONE[:] = [True]


def has_cores() -> bool:
    """True if there are cores for two."""
    affinity = getattr(os, "sched_getaffinity", None)
    return not _ALONE and (len(affinity(0)) if affinity is not None else os.cpu_count() or 1) > 1


def run_all(prepared: Iterable[Callable[[Helper], Job[Found]]], helper: Helper, *, is_shared: bool) -> Iterator[Found]:
    """What comes of each job, in order; `prepared` make the jobs, each shortly before its turn."""
    waiting = iter(prepared)
    if is_shared and helper.can_share:
        with_two: _Two[Found] = _Two(helper)
        try:
            yield from with_two.run(waiting)
        finally:
            with_two.close()
    for prepare in waiting:
        yield _alone(prepare, helper)


def _alone(prepare: Callable[[Helper], Job[Found]], helper: Helper) -> Found:
    """What comes of one job while nothing else is done."""
    job = prepare(helper)
    try:
        return job.run(helper)
    except BytesError as fault:
        return job.refused(fault)


class _Two(Generic[Found]):
    """Two helpers and the threads that wait for their answers and count pixels."""

    def __init__(self, helper: Helper) -> None:
        from concurrent.futures import ThreadPoolExecutor

        # It gives its memory to the halves.
        helper.close()
        self._helper, self._halves = helper, helper.halves()
        self._free: SimpleQueue[Helper] = SimpleQueue()
        for half in self._halves:
            self._free.put(half)
        self._threads = ThreadPoolExecutor(len(self._halves))

    def run(self, waiting: Iterator[Callable[[Helper], Job[Found]]]) -> Iterator[Found]:
        """What comes of jobs, until there are no more or one needs more than its half."""
        under_way: deque[tuple[Callable[[Helper], Job[Found]], Job[Found], Future[Found]]] = deque()
        is_enough = True
        while True:
            while is_enough and len(under_way) < _AHEAD and (prepare := next(waiting, None)) is not None:
                job = self._with_half(prepare)
                under_way.append((prepare, job, self._threads.submit(self._with_half, job.run)))
            if not under_way:
                return
            prepare, job, future = under_way.popleft()
            try:
                yield future.result()
            except BytesError as fault:
                found = job.refused(fault)
                if fault.kind in _OF_SHARING:
                    is_enough = False
                    self._wait([other for _, _, other in under_way])
                    found = _alone(prepare, self._helper)
                yield found

    def _with_half(self, step: Callable[[Helper], Any]) -> Any:
        """What a step gives, with a helper that nobody else uses meanwhile."""
        half = self._free.get()
        try:
            # Each thread begins with warnings of its own.
            with np.errstate(all="ignore"):
                return step(half)
        finally:
            self._free.put(half)

    def _wait(self, futures: Iterable[Future[Found]]) -> None:
        """Let what is under way end, and give back the memory."""
        for future in futures:
            future.exception()
        for half in self._halves:
            half.close()

    def close(self) -> None:
        """End all: who waits for an answer gets none from a process that has ended."""
        for half in self._halves:
            half.close()
        self._threads.shutdown(cancel_futures=True)
