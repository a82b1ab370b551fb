"""Decoders in a process of their own: whatever they do on damaged data, the check goes on.

Requests and answers are a line of JSON and a block of bytes; nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.images.limits import BytesError
from imgcif_core.limits import DEFAULT_LIMITS, Budget, image_bytes_of, shared_image_bytes

if TYPE_CHECKING:
    import subprocess

TIME_LIMIT = 120.0
MAX_ANSWER = 1 << 31
# For programs that have asked for all of some images.
UNBOUND = replace(DEFAULT_LIMITS, cpu=None)
MAX_LINE = 1 << 26
COMMAND = (sys.executable, "-m", "imgcif_core.images.worker")
_PACKAGE_ROOT = Path(__file__).parent.parent.parent


class Helper:
    """A helper process, started with the first request and again after a crash.

    Parameters
    ----------
    time_limit :
        The time on the clock for one request, in seconds.
    memory :
        The memory of the process, in bytes.
    budget :
        The time for all requests together, and what else works on the same check; any if it is not given.
    """

    def __init__(
        self,
        time_limit: float = TIME_LIMIT,
        command: Sequence[str] | None = None,
        memory: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._command = list(command or COMMAND)
        self._time_limit = time_limit
        self._memory = memory
        self._charged = 0.0
        self._is_half = False
        self.budget = budget or Budget(UNBOUND)
        self._stop: Any = None

    def array(self, operation: str, arguments: Mapping[str, Any], blob: bytes = b"") -> np.ndarray:
        """The array that an operation gives.

        Raises
        ------
        BytesError
            What the operation says, or `crashed` if the process ended or took too long.
        """
        answer, body = self._request(operation, arguments, blob)
        return np.frombuffer(body, np.dtype(answer["dtype"])).reshape(answer["shape"])

    def facts(self, operation: str, arguments: Mapping[str, Any], blob: bytes = b"") -> dict[str, Any]:
        """The plain data that an operation gives; raises as `array`."""
        found: dict[str, Any] = self._request(operation, arguments, blob)[0]["facts"]
        return found

    @property
    def image_bytes(self) -> int:
        """The bytes that one image may take, decoded."""
        if self._memory is None:
            return MAX_ANSWER
        return shared_image_bytes(self._memory) if self._is_half else image_bytes_of(self._memory)

    @property
    def can_share(self) -> bool:
        """True if its memory is bound, so that half of it can be told."""
        return self._memory is not None

    def halves(self) -> tuple[Helper, Helper]:
        """Two that work side by side, each with half of the memory and of the time that is left; to be closed."""
        found = tuple(Helper(self._time_limit, self._command, (self._memory or 0) // 2, self.budget) for _ in range(2))
        for half in found:
            half._is_half = True
        return found[0], found[1]

    def close(self) -> None:
        """End the process."""
        if self._stop is not None:
            self._stop()
        self._process = None

    def _request(self, operation: str, arguments: Mapping[str, Any], blob: bytes) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for the answer; holes that it meets in files are filled on the way."""
        from imgcif_core.images.sparse import MAX_ROUNDS, fill_hole

        for _ in range(MAX_ROUNDS):
            try:
                return self._answer(operation, arguments, blob)
            except BytesError as fault:
                if fault.kind != "ranges":
                    raise
                fill_hole(str(fault))
        raise BytesError("limit", f"a file was asked for more than {MAX_ROUNDS} of its parts")

    def _answer(self, operation: str, arguments: Mapping[str, Any], blob: bytes) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for the answer; a process that takes too long is ended."""
        if reason := self.budget.is_up():
            raise BytesError("budget", reason)
        cpu, wall = self.budget.cpu_left, self.budget.wall_left
        cpu = cpu / 2 if cpu is not None and self._is_half else cpu
        process = self._running()
        head = {"operation": operation, "arguments": dict(arguments), "size": len(blob), "cpu": cpu}
        line = json.dumps(head).encode() + b"\n"
        late = threading.Event()
        seconds = self._time_limit if wall is None else min(self._time_limit, wall)
        timer = threading.Timer(seconds, _end_late, (process, late))
        timer.daemon = True
        timer.start()
        try:
            answer, body = _exchange(process, line, blob)
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            raise BytesError("crashed", self._epitaph(process, late, seconds)) from None
        finally:
            timer.cancel()
        self._count(answer)
        if "error" in answer:
            if answer.get("is_last"):
                self.close()
            raise BytesError(str(answer["error"]), str(answer["text"]))
        return answer, body

    def _count(self, answer: Mapping[str, Any]) -> None:
        """Charge what a request has computed, and count the files that links led to."""
        spent = float(answer.get("cpu", 0.0))
        self._charged += spent
        self.budget.charge(spent)
        self.budget.admit(int(answer.get("linked", 0)))

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, started if it does not run."""
        import subprocess

        if self._process is None or self._process.poll() is not None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("HDF5_")}
            paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
            # Threads of linear algebra take address space, and decoders need none.
            environment.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", BLOSC_NTHREADS="1")
            self._charged = 0.0
            if self._memory is not None:
                environment["IMGCIF_WORKER_MEMORY"] = str(self._memory)
            environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
            # The folder in which the command runs may hold data that others made: no module is taken from it.
            environment["PYTHONSAFEPATH"] = "1"
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            self._stop = weakref.finalize(self, _end, self._process)
        return self._process

    def _epitaph(self, process: subprocess.Popen[bytes], late: threading.Event, seconds: float) -> str:
        """How the process ended, which it does now at the latest; `seconds` is the time that it was given."""
        import subprocess

        before = _seconds_of_children()
        try:
            status = process.wait(0.5)
        except subprocess.TimeoutExpired:
            status = None
        _end(process)
        self._process = None
        self.budget.charge(max(0.0, _seconds_of_children() - before - self._charged))
        if late.is_set():
            return f"the decoder gave no answer within {seconds:g} s"
        if status is not None and -status == getattr(signal, "SIGXCPU", 0):
            return "the decoder took more computing time than one file may take"
        if status is None:
            return "the decoder gave an answer that makes no sense"
        return f"the decoder crashed (signal {-status})" if status < 0 else f"the decoder ended (status {status})"


def _seconds_of_children() -> float:
    """The computing time of all processes of ours that have ended."""
    found = os.times()
    return found.children_user + found.children_system


def _end_late(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    """End a process whose answer is overdue."""
    late.set()
    process.kill()


def _exchange(process: subprocess.Popen[bytes], line: bytes, blob: bytes) -> tuple[dict[str, Any], bytearray]:
    """Write a request, read the head of the answer and the block after it.

    Raises
    ------
    OSError, EOFError, ValueError
        If the process ends, or its answer makes no sense.
    """
    requests: Any = process.stdin
    answers: Any = process.stdout
    requests.write(line)
    requests.write(blob)
    requests.flush()
    head = answers.readline(MAX_LINE)
    if not head.endswith(b"\n"):
        raise EOFError
    answer = json.loads(head)
    size = int(answer.get("size", 0))
    if not 0 <= size <= MAX_ANSWER:
        raise ValueError
    block = bytearray(size)
    view, at = memoryview(block), 0
    while at < size:
        count = answers.readinto(view[at:])
        if not count:
            raise EOFError
        at += count
    return answer, block


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, and wait for it."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
