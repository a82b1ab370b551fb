"""All cases through one tool."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from . import meaning
from .adapter import Adapter, AdapterError, Answer, Found
from .cases import Case, base_file
from .judge import Result, judge
from .tool import CommandTool, open_tool


@dataclass(frozen=True)
class Settings:
    """How a run goes: depth, skips with their reasons by pattern, number of processes."""

    depth: str = "C"
    skips: Mapping[str, str] | None = None
    jobs: int = 1
    unclaimed: bool = False


class Runner:
    """Runs cases and keeps what the tool says of the bases themselves.

    Each thread has a tool of its own, so that several harnesses answer side by side.
    """

    def __init__(self, tool: CommandTool, adapter: Adapter, settings: Settings) -> None:
        self.adapter = adapter
        self.settings = settings
        self._first = tool
        self._local = threading.local()
        self._opened: list[CommandTool] = []
        self._bases: dict[tuple[str, str], Answer] = {}

    @property
    def tool(self) -> CommandTool:
        """The tool of this thread."""
        if threading.current_thread() is threading.main_thread():
            return self._first
        if not hasattr(self._local, "tool"):
            self._local.tool = open_tool(self.adapter, self._first.timeout)
            self._opened.append(self._local.tool)
        return self._local.tool

    def run(self, cases: Iterable[Case]) -> list[Result]:
        """The results, in the order of the cases."""
        listed = list(cases)
        for case in listed if self.adapter.data.get("baseline") else ():
            self._noise(case)
        if self.settings.jobs < 2 or len(listed) < 2:
            return [self.one(case) for case in listed]
        # A folder is not split: some harnesses work through a whole folder at once.
        folders = [list(group) for _, group in groupby(listed, key=lambda case: case.folder)]
        try:
            with ThreadPoolExecutor(self.settings.jobs) as pool:
                results = pool.map(lambda group: [self.one(case) for case in group], folders)
                return [result for group in results for result in group]
        finally:
            for tool in self._opened:
                tool.close()

    def one(self, case: Case) -> Result:
        """The result of one case."""
        unclaimed = self.adapter.claims_case(case)
        if unclaimed and not self.settings.unclaimed:
            return Result(case, "skipped", reason=f"not claimed: {unclaimed}")
        result = self._generate(case) if case.kind == "generate" else self._check(case)
        for pattern, reason in (self.settings.skips or {}).items():
            if case.meant_by(pattern):
                return replace(result, outcome="skipped", reason=reason, would_pass=result.outcome == "passed")
        return result

    def _check(self, case: Case) -> Result:
        answer = self.tool.check(case.path, case)
        noise = self._noise(case)
        if noise and answer.findings is not None:
            left = tuple(found for found in answer.findings if _identity(found) not in noise)
            answer = replace(answer, findings=left, accepted=answer.accepted or not left)
        return judge(case, answer, self.adapter, self.settings.depth)

    def _noise(self, case: Case) -> set[tuple[str, str]]:
        """What a tool with a baseline says of the sound base, from which the case differs in one thing."""
        if not self.adapter.data.get("baseline") or not case.base or self.adapter.claims_case(case):
            return set()
        path = base_file(case.base)
        key = (case.base, case.scope)
        if key not in self._bases and path is not None:
            self._bases[key] = self.tool.check(path, replace(case, options={}))
        return {_identity(found) for found in self._bases.get(key, Answer()).findings or ()}

    def base_remarks(self) -> int:
        """How many remarks the tool makes on the sound bases."""
        return sum(len(answer.findings or ()) for answer in self._bases.values())

    def _generate(self, case: Case) -> Result:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "made.cif")
            made = self.tool.create(case, output)
            if made.error:
                outcome = "failed" if made.accepted is False else "errored"
                return Result(case, outcome, {"A": False}, made.error, time.monotonic() - start)
            try:
                fault = meaning.difference(case.folder / "expected.json", self.tool.geometry(output))
            except AdapterError as error:
                return Result(case, "errored", {}, str(error), time.monotonic() - start)
        seconds = time.monotonic() - start
        return Result(case, "failed" if fault else "passed", {"A": True, "B": not fault}, fault, seconds)


def _identity(found: Found) -> tuple[str, str]:
    """What makes a remark the same in two files: its code and item, or its words where it has neither."""
    return (found.own, (found.item or "").lower() or ("" if found.own else found.message))


def report(adapter: Adapter, version: str, results: list[Result], runner: Runner | None = None) -> dict[str, Any]:
    """The run as plain data."""
    from .judge import count

    families: dict[str, dict[str, Any]] = {}
    for result in results:
        entry = families.setdefault(result.case.family, {"depths": {}, "results": []})
        entry["results"].append(result)
        for level, passed in result.depths.items():
            if result.outcome != "skipped":
                totals = entry["depths"].setdefault(level, [0, 0])
                totals[0] += passed
                totals[1] += 1
    return {
        "schema": "imgcif-conformance-run/1",
        "tool": {"name": adapter.name, "version": version},
        "counts": count(results),
        "families": {
            name: {"counts": count(entry["results"]), "depths": entry["depths"]} for name, entry in families.items()
        },
        "seconds": round(sum(result.seconds for result in results), 2),
        "base_remarks": runner.base_remarks() if runner else 0,
        "stale_skips": [result.case.id for result in results if result.would_pass],
        "results": [result.as_dict() for result in results],
    }
