"""Worker processes of our own, each with hard limits: what exceeds them is killed, and the others go on.

Requests and answers are lines of JSON over pipes; results are files in the folder of the job. A process starts
before it is needed, serves one task at a time, and is replaced when it has grown.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from imgcif_core.records import dataclass, field
from imgcif_core.web.problems import Problem

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_MAX_LINE = 1 << 20
_RETRY_SECONDS = 5
# A worker that once needed this much is started anew, so that a quiet service is a small one.
_LARGE = 300_000_000
_HOMES = 10_000
_PAUSE_SECONDS, _START_SECONDS = 1.0, 120.0


@dataclass(slots=True, eq=False)
class Work:
    """One task on the folder of a job, and what became of it.

    `progress` has `done`, `total`, `unit` and `text`; `answer` is the plain data that the task gave.
    """

    task: str
    folder: Path
    given: Mapping[str, Any]
    seconds: float
    client: str = ""
    state: str = "queued"
    progress: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def finish(self, answer: dict[str, Any] | None = None, problem: Problem | None = None) -> None:
        """Put down how it ended."""
        self.answer, self.problem = answer or {}, problem
        self.state = "failed" if problem else "done"
        self.ended.set()


class Pool:
    """As many workers as given, fed from one queue."""

    def __init__(self, workers: int, memory: int, *, queued: int, per_client: int) -> None:
        self._memory = memory
        self._most, self._per_client = queued, per_client
        self._waiting: deque[Work] = deque()
        self._running: dict[Work, asyncio.subprocess.Process] = {}
        self._bell = asyncio.Condition()
        self._count = workers
        self._slots: list[asyncio.Task[None]] = []
        self._clients: Counter[str] = Counter()
        # Which slot worked last on a folder: its process remembers what it has read there.
        self._homes: OrderedDict[Path, int] = OrderedDict()
        # Slots that wait for no task: they work, or their process starts.
        self._busy = set(range(workers))
        self.done = self.killed = 0

    async def start(self) -> None:
        """Start the workers."""
        self._slots = [asyncio.create_task(self._serve(slot)) for slot in range(self._count)]

    async def stop(self) -> None:
        """End all workers, whatever they do."""
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        for work in [*self._waiting, *self._running]:
            work.finish(problem=Problem(503, "the service is stopping"))
        self._waiting.clear()

    @property
    def load(self) -> tuple[int, int]:
        """How many tasks run, and how many wait."""
        return len(self._running), len(self._waiting)

    async def submit(self, work: Work) -> Work:
        """Put a task into the queue.

        Raises
        ------
        Problem
            503 if the queue is full, 429 if the client has too many tasks already.
        """
        if len(self._waiting) >= self._most:
            raise Problem(503, "the queue is full; try again in a moment", retry=_RETRY_SECONDS)
        if self._clients[work.client] >= self._per_client:
            detail = f"{self._per_client} of your jobs wait or run already"
            raise Problem(429, detail, retry=_RETRY_SECONDS)
        self._clients[work.client] += 1
        async with self._bell:
            self._waiting.append(work)
            # Which slot may take it is for the slots to say.
            self._bell.notify_all()
        return work

    async def run(self, work: Work) -> dict[str, Any]:
        """Submit a task, wait for its end, and give its answer.

        Raises
        ------
        Problem
            If it fails, or the pool does not take it.
        """
        await self.submit(work)
        await work.ended.wait()
        if work.problem is not None:
            raise work.problem
        return work.answer

    def position(self, work: Work) -> int:
        """The place in the queue from 1, 0 for a task that does not wait."""
        return self._waiting.index(work) + 1 if work in self._waiting else 0

    async def cancel(self, work: Work) -> None:
        """Take a task out of the queue, or end the process that works on it."""
        if work in self._waiting:
            self._waiting.remove(work)
            self._end(work, problem=Problem(410, "the job was stopped"))
        elif work in self._running:
            _kill(self._running[work])
            await work.ended.wait()

    def _end(self, work: Work, answer: dict[str, Any] | None = None, problem: Problem | None = None) -> None:
        """Count a task as ended."""
        self._clients[work.client] -= 1
        if not self._clients[work.client]:
            del self._clients[work.client]
        self.done += 1
        work.finish(answer, problem)

    def _next(self, slot: int) -> Work | None:
        """The first task that a slot may take; one whose folder another free slot knows is left to that."""
        for work in self._waiting:
            home = self._homes.get(work.folder, slot)
            if home == slot or home in self._busy:
                return work
        return None

    def _take(self, slot: int, work: Work) -> None:
        """Put down that a slot works on a task."""
        self._waiting.remove(work)
        self._busy.add(slot)
        self._homes[work.folder] = slot
        self._homes.move_to_end(work.folder)
        while len(self._homes) > _HOMES:
            self._homes.popitem(last=False)

    async def _serve(self, slot: int) -> None:
        """The life of one slot: a process ready, a task, and the next."""
        process: asyncio.subprocess.Process | None = None
        try:
            while True:
                if process is None or process.returncode is not None:
                    try:
                        process = await self._start()
                    except OSError:
                        # The machine gives no process now; others go on meanwhile.
                        await asyncio.sleep(_PAUSE_SECONDS)
                        continue
                async with self._bell:
                    self._busy.discard(slot)
                    await self._bell.wait_for(lambda: self._next(slot) is not None)
                    work = self._next(slot)
                    assert work is not None
                    self._take(slot, work)
                    self._running[work] = process
                    # Others may take now what waited for this slot.
                    self._bell.notify_all()
                    work.state = "running"
                is_fit = False
                answer: dict[str, Any] | None = None
                problem: Problem | None = Problem(503, "the service is stopping")
                try:
                    answer, problem, is_fit = await self._do(process, work)
                finally:
                    self._running.pop(work, None)
                    if not is_fit:
                        await _end_process(process)
                        process = None
                    self._end(work, answer, problem)
        finally:
            if process is not None:
                await _end_process(process)

    async def _start(self) -> asyncio.subprocess.Process:
        """A new worker in a process group of its own, ready to work.

        Raises
        ------
        OSError
            If there is none.
        """
        environment = {
            **os.environ,
            # Threads of linear algebra take address space.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "IMGCIF_WEB_MEMORY": str(self._memory),
            # No module is taken from the folder in which the server runs.
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")])),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "imgcif_core.web.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            limit=_MAX_LINE,
            start_new_session=True,
        )
        is_ready = False
        try:
            async with asyncio.timeout(_START_SECONDS):
                assert process.stdout is not None
                is_ready = bool(await process.stdout.readline())
        finally:
            if not is_ready:
                await _end_process(process)
        if not is_ready:
            raise OSError("the worker did not start")
        return process

    async def _do(
        self, process: asyncio.subprocess.Process, work: Work
    ) -> tuple[dict[str, Any] | None, Problem | None, bool]:
        """Let a process do a task: the answer or the problem, and whether the process may go on."""
        request = {"task": work.task, "folder": str(work.folder), "given": dict(work.given)}
        try:
            async with asyncio.timeout(work.seconds):
                return await _exchange(process, json.dumps(request).encode() + b"\n", work)
        except TimeoutError:
            self.killed += 1
            detail = f"not done within {work.seconds:g} s, the limit of this service; it was stopped"
            return None, Problem(422, detail, title="Time limit exceeded"), False
        except (OSError, EOFError, ValueError):
            self.killed += 1
            detail = "the process ended before the work was done: it was stopped, crashed, or needed more memory"
            return None, Problem(422, f"{detail} than this service gives", title="Work ended early"), False


async def _exchange(
    process: asyncio.subprocess.Process, request: bytes, work: Work
) -> tuple[dict[str, Any] | None, Problem | None, bool]:
    """Send a request, keep what is said of its progress, and read how it ended."""
    requests: Any = process.stdin
    answers: Any = process.stdout
    requests.write(request)
    await requests.drain()
    while True:
        line = await answers.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        said = json.loads(line)
        if "progress" in said:
            work.progress = said["progress"]
            continue
        is_fit = said.get("peak", 0) < _LARGE
        if "failed" in said:
            return None, Problem(int(said["status"]), str(said["failed"])), is_fit
        return said["done"], None, is_fit


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a worker with all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end_process(process: asyncio.subprocess.Process) -> None:
    """Kill a worker and wait for its end."""
    _kill(process)
    await process.wait()
