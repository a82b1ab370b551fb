"""Tools as processes: one for each file, or one that answers lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from . import instrument
from .adapter import Adapter, AdapterError, Answer, found_from, read_output
from .cases import Case

OUTPUT_LIMIT = 4 << 20


def environment(adapter: Adapter) -> dict[str, str]:
    """The variables under which a tool runs."""
    extra = {name: adapter.fill(value) for name, value in adapter.data.get("environment", {}).items()}
    return {**os.environ, "PYTHONIOENCODING": "utf-8", **extra}


def stop(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command: list[str], timeout: float, variables: dict[str, str]) -> tuple[int, str]:
    """Exit status and output of a command.

    Raises
    ------
    AdapterError
        If it cannot be started, or does not end in time.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )
        except OSError as error:
            raise AdapterError(f"{command[0]}: cannot be started ({error.strerror})") from None
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AdapterError(f"no answer within {timeout:g} s") from None
        finally:
            stop(process)
        output.seek(0)
        return status, output.read(OUTPUT_LIMIT).decode("utf-8", "replace")


class CommandTool:
    """A command that is called for each file."""

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        self.adapter = adapter
        self.timeout = timeout

    def check(self, path: Path, case: Case | None = None) -> Answer:
        """What the tool says of one file."""
        start = time.monotonic()
        try:
            command = [*self.adapter.command("command", file=str(path)), *self._extra(case)]
            status, output = run(command, self.timeout, environment(self.adapter))
            answer = read_output(self.adapter, status, output, path.name)
        except AdapterError as error:
            return Answer(error=str(error), seconds=time.monotonic() - start)
        return Answer(answer.accepted, answer.findings, seconds=time.monotonic() - start)

    def _extra(self, case: Case | None) -> list[str]:
        """Arguments for the scope of a case and for its options."""
        if case is None:
            return []
        words = list(self.adapter.data.get("scopes", {}).get(case.scope, []))
        for name, value in case.options.items():
            for word in self.adapter.data.get("options", {}).get(name, []):
                words.append(word.replace("{value}", str(value)).replace("{folder}", str(case.folder)))
        return words

    def create(self, case: Case, output: Path) -> Answer:
        """Whether the tool made an imgCIF from the raw inputs of a case."""
        start = time.monotonic()
        document = json.loads((case.folder / "case.json").read_text(encoding="utf-8"))
        inputs = [str(case.folder / name) for name in document["inputs"]]
        try:
            words = self.adapter.command("create", output=str(output), folder=str(case.folder))
            at = words.index("[inputs]")
            command = [*words[:at], *inputs, *words[at + 1 :], *self._extra(case)]
            status, text = run(command, self.timeout, environment(self.adapter))
        except AdapterError as error:
            return Answer(error=str(error), seconds=time.monotonic() - start)
        told = text.strip().splitlines()[-1:] or ["no output"]
        made = status == 0 and output.is_file()
        return Answer(made, error="" if made else f"made no file, exit status {status} ({told[0][:200]})")

    def geometry(self, path: Path) -> Any:
        """The instrument in a file, in the geometry schema, with the external data of each scan.

        The suite reads it itself unless the adapter names a command that does.
        """
        if "geometry" not in self.adapter.data:
            try:
                return instrument.read(path)
            except (instrument.GeometryError, OSError) as error:
                raise AdapterError(f"what was made describes no instrument: {error}") from None
        words = self.adapter.command("geometry", file=str(path))
        status, output = run(words, self.timeout, environment(self.adapter))
        if status:
            raise AdapterError(f"{words[0]}: exit status {status} ({output.strip()[:200]})")
        try:
            return json.loads(output)
        except ValueError as error:
            raise AdapterError(f"{words[0]}: gives no JSON ({error})") from None

    def version(self) -> str:
        """What the tool says of its version."""
        if "version" not in self.adapter.data:
            return "unknown"
        try:
            _, output = run(self.adapter.command("version"), self.timeout, environment(self.adapter))
        except AdapterError:
            return "unknown"
        match = re.search(self.adapter.data.get("version_pattern", r"\d+(?:\.\w+)+"), output)
        return match[0] if match else "unknown"

    def close(self) -> None:
        """Nothing is kept open."""


class HarnessTool(CommandTool):
    """A process that reads a JSON object from each line and answers with one; it is started again if it dies."""

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        super().__init__(adapter, timeout)
        self._process: subprocess.Popen | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._count = 0

    def check(self, path: Path, case: Case | None = None) -> Answer:
        """What the tool says of one file."""
        request: dict[str, Any] = {"op": "check", "file": str(path), "scope": case.scope if case else "all"}
        if case is not None:
            request["folder"] = str(case.folder)
            request["options"] = case.options
            request["values"] = "document" in case.expect and self.adapter.gives_values
        start = time.monotonic()
        try:
            reply = self.ask(request)
            if reply.get("error"):
                raise AdapterError(str(reply["error"]))
            if not isinstance(reply.get("conforming"), bool):
                raise AdapterError("the answer does not say whether the file is conforming")
            findings = reply.get("findings")
            found = None if findings is None else tuple(found_from(self.adapter, entry) for entry in findings)
        except AdapterError as error:
            return Answer(error=str(error), seconds=time.monotonic() - start)
        return Answer(reply["conforming"], found, reply.get("document"), seconds=time.monotonic() - start)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request.

        Raises
        ------
        AdapterError
            If the process cannot be started, dies, is silent for too long or answers no JSON object.
        """
        self._start()
        self._count += 1
        process = self._process
        assert process is not None and process.stdin is not None
        try:
            process.stdin.write(json.dumps({"id": self._count, **request}) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=self.timeout)
        except queue.Empty:
            self.close()
            raise AdapterError(f"no answer within {self.timeout:g} s") from None
        except OSError:
            line = None
        if line is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
            status = process.returncode
            self.close()
            raise AdapterError(f"the harness ended without an answer (exit status {status})")
        return self._parse(line)

    def _parse(self, line: str) -> dict[str, Any]:
        try:
            reply = json.loads(line)
        except ValueError:
            reply = None
        if not isinstance(reply, dict) or reply.get("id") != self._count:
            self.close()
            raise AdapterError(f"no answer to request {self._count}, but {line.strip()[:120]!r}")
        return reply

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        command = self.adapter.command("harness")
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(self.adapter),
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        except OSError as error:
            raise AdapterError(f"{command[0]}: cannot be started ({error.strerror})") from None
        self._lines = queue.Queue()
        threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()

    def version(self) -> str:
        """What the harness says of its tool's version."""
        if "version" in self.adapter.data:
            return super().version()
        try:
            return str(self.ask({"op": "hello"}).get("version", "unknown"))
        except AdapterError:
            return "unknown"

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            stop(self._process)
            self._process = None


def _pump(process: subprocess.Popen, lines: queue.Queue) -> None:
    """Hand over lines until the process ends, then None."""
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def open_tool(adapter: Adapter, timeout: float) -> CommandTool:
    """The tool of an adapter; a harness is preferred."""
    return HarnessTool(adapter, timeout) if "harness" in adapter.data else CommandTool(adapter, timeout)
