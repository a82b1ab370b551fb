"""Decoders in a process of their own: whatever they do on damaged data, the check goes on.

Requests and answers are a line of JSON and a block of bytes; nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.images.limits import BytesError

if TYPE_CHECKING:
    import subprocess

TIME_LIMIT = 120.0
MAX_ANSWER = 1 << 31
COMMAND = (sys.executable, "-m", "imgcif_core.images.worker")
MAX_LINE = 1 << 26
_CHUNK = 1 << 20
_PACKAGE_ROOT = Path(__file__).parent.parent.parent


class Helper:
    """A helper process, started with the first request and again after a crash."""

    def __init__(self, time_limit: float = TIME_LIMIT, command: Sequence[str] = COMMAND) -> None:
        self._process: subprocess.Popen | None = None
        self._command = list(command)
        self._pending = bytearray()
        self._time_limit = time_limit
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
        return self._request(operation, arguments, blob)[0]["facts"]

    def close(self) -> None:
        """End the process."""
        if self._stop is not None:
            self._stop()
        self._process = None

    def _request(self, operation: str, arguments: Mapping[str, Any], blob: bytes) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for the answer."""
        process = self._running()
        line = json.dumps({"operation": operation, "arguments": dict(arguments), "size": len(blob)}).encode() + b"\n"
        deadline = time.monotonic() + self._time_limit
        try:
            process.stdin.write(line)  # type: ignore[union-attr]
            process.stdin.write(blob)  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            answer = json.loads(self._read_line(process, deadline))
            body = self._read_block(process, int(answer.get("size", 0)), deadline)
        except (OSError, EOFError, ValueError):
            raise BytesError("crashed", self._epitaph(process)) from None
        if "error" in answer:
            if answer.get("is_last"):
                self.close()
            raise BytesError(answer["error"], answer["text"])
        return answer, body

    def _running(self) -> subprocess.Popen:
        """The process, started if it does not run."""
        import subprocess

        if self._process is None or self._process.poll() is not None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("HDF5_")}
            paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            self._pending.clear()
            self._stop = weakref.finalize(self, _end, self._process)
        return self._process

    def _read_line(self, process: subprocess.Popen, deadline: float) -> bytes:
        """One line of the answer; what comes with it is kept."""
        while (end := self._pending.find(b"\n")) < 0:
            if len(self._pending) > MAX_LINE:
                raise ValueError("answer too long")
            self._pending += self._read_some(process, deadline)
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line

    def _read_block(self, process: subprocess.Popen, size: int, deadline: float) -> bytearray:
        """A block of bytes of known size."""
        if not 0 <= size <= MAX_ANSWER:
            raise ValueError("block too long")
        block = bytearray(size)
        view, at = memoryview(block), min(size, len(self._pending))
        view[:at] = self._pending[:at]
        del self._pending[:at]
        while at < size:
            self._wait(process, deadline)
            count = os.readv(process.stdout.fileno(), [view[at : at + _CHUNK]])  # type: ignore[union-attr]
            if not count:
                raise EOFError
            at += count
        return block

    def _read_some(self, process: subprocess.Popen, deadline: float) -> bytes:
        """At least one byte."""
        self._wait(process, deadline)
        found = os.read(process.stdout.fileno(), _CHUNK)  # type: ignore[union-attr]
        if not found:
            raise EOFError
        return found

    def _wait(self, process: subprocess.Popen, deadline: float) -> None:
        """Wait until there is something to read, not beyond the deadline."""
        import selectors

        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise EOFError

    def _epitaph(self, process: subprocess.Popen) -> str:
        """How the process ended, which it does now at the latest."""
        import subprocess

        try:
            status = process.wait(0.5)
        except subprocess.TimeoutExpired:
            _end(process)
            self._process = None
            return f"the decoder gave no answer within {self._time_limit:g} s"
        self._process = None
        return f"the decoder crashed (signal {-status})" if status < 0 else f"the decoder ended (status {status})"


def _end(process: subprocess.Popen) -> None:
    """End a process of ours, and wait for it."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
