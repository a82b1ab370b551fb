"""How a tool is called and how its answer is read: data, not code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .cases import SUITE, Case

ADAPTERS = SUITE / "adapters"
DEPTHS = "ABC"


class AdapterError(Exception):
    """An adapter that cannot be used, or an answer that it cannot read."""


@dataclass(frozen=True)
class Found:
    """One thing that a tool said: codes of the suite, and where."""

    codes: tuple[str, ...]
    own: str = ""
    severity: str | None = None
    item: str | None = None
    key: dict[str, str] = field(default_factory=dict)
    line: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Answer:
    """What a tool made of one case; `error` says why it gave no answer."""

    accepted: bool | None = None
    findings: tuple[Found, ...] | None = None
    document: Any = None
    geometry: Any = None
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Adapter:
    """The description of a tool."""

    name: str
    data: dict[str, Any]
    folder: Path = ADAPTERS

    @property
    def claims(self) -> dict[str, Any]:
        """What the tool says it does."""
        return dict(self.data.get("claims", {}))

    @property
    def depth(self) -> str:
        """The deepest level at which the tool can be judged."""
        return str(self.claims.get("depth", "A"))

    @property
    def gives_values(self) -> bool:
        """True if the tool shows the values that it reads."""
        return bool(self.claims.get("values"))

    @property
    def has_severities(self) -> bool:
        """True if the tool tells errors from lesser remarks, or makes no lesser remarks."""
        return bool(self.data.get("severities", True))

    def demands(self, entry: dict[str, Any]) -> bool:
        """True if the tool must report what the suite expects.

        `severities` may list those that the tool reports; false means that it reports without telling them apart.
        """
        told = self.data.get("severities", True)
        severity = entry.get("severity")
        if not self.knows(entry["rule"]):
            return False
        if isinstance(told, list):
            return severity in told
        return bool(told) or severity in ("error", "warning")

    def claims_case(self, case: Case) -> str:
        """Why a case is not one that the tool claims to judge; empty if it does."""
        claims = self.claims
        if case.kind == "generate":
            return "" if claims.get("generate") else "does not make imgCIF"
        wanted = claims.get("cases")
        if wanted is not None and not any(case.meant_by(pattern) for pattern in wanted):
            return "not among the cases that the tool claims"
        versions = claims.get("versions")
        if versions is not None and case.version not in versions:
            return f"does not read CIF {case.version}"
        for pattern, reason in claims.get("except", {}).items():
            if case.meant_by(pattern):
                return str(reason)
        serious = [entry["rule"] for entry in case.findings if entry.get("severity") != "info"]
        if serious and not any(self.knows(rule) for rule in serious):
            return "has no such check"
        return ""

    def knows(self, rule: str) -> bool:
        """True if some code of the tool may mean a rule of the suite; unknown where the tool has no codes."""
        codes = self.data.get("codes", "same")
        if codes == "same" or self.depth == "A":
            return True
        known = [code for mapped in codes.values() for code in ([mapped] if isinstance(mapped, str) else mapped)]
        return any(fnmatchcase(rule, code) for code in known)

    def mapped(self, own: str) -> tuple[str, ...]:
        """The codes of the suite for a code of the tool; patterns such as SYN* are allowed."""
        codes = self.data.get("codes", "same")
        if codes == "same":
            return (own,)
        for pattern, mapped in codes.items():
            if pattern == own or fnmatchcase(own, pattern):
                return tuple([mapped] if isinstance(mapped, str) else mapped)
        return ()

    def command(self, key: str, **values: str) -> list[str]:
        """A command of the adapter with its placeholders filled.

        Raises
        ------
        AdapterError
            If a placeholder has no value.
        """
        words: list[str] = []
        for word in self.data[key]:
            filled = self.fill(word, **values)
            words.extend([filled] if filled or not word.startswith("{") else [])
        return words

    def fill(self, word: str, **values: str) -> str:
        """A word with its placeholders filled; CONFORMANCE_NAME in the environment gives {name}."""
        known = {
            "python": sys.executable,
            "tools": tools(),
            "adapters": str(ADAPTERS),
            "suite": str(SUITE),
            **variables(),
            **values,
        }
        return re.sub(r"\{(\w+)\}", lambda match: self._value(match[1], known), word)

    def _value(self, name: str, known: dict[str, str]) -> str:
        if name not in known:
            raise AdapterError(f"{self.name}: {{{name}}} has no value; set the variable CONFORMANCE_{name.upper()}")
        return known[name]

    def why_unusable(self) -> str:
        """Why the tool cannot be run here; empty if it can."""
        for name in self.data.get("needs", []):
            if name.startswith("CONFORMANCE_"):
                if not os.environ.get(name):
                    return f"the variable {name} is not set"
            elif name.startswith("module:"):
                if subprocess.run([tools(), "-c", f"import {name[7:]}"], capture_output=True, check=False).returncode:
                    return f"the Python module {name[7:]} is not installed"
            elif shutil.which(name) is None:
                return f"{name} is not installed"
        return ""


def tools() -> str:
    """The Python that has the tools: this one, unless CONFORMANCE_TOOLS names another."""
    return os.environ.get("CONFORMANCE_TOOLS") or sys.executable


def variables() -> dict[str, str]:
    """The values of placeholders that stand in variables named CONFORMANCE_..."""
    head = "CONFORMANCE_"
    return {name[len(head) :].lower(): value for name, value in os.environ.items() if name.startswith(head)}


def load(name: str) -> Adapter:
    """An adapter by name or file.

    Raises
    ------
    AdapterError
        If there is none, or it says too little.
    """
    path = Path(name) if name.endswith(".json") else ADAPTERS / f"{name}.json"
    if not path.is_file():
        raise AdapterError(f"no adapter {name}; there are {', '.join(names())}, or give a file")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AdapterError(f"{path}: {error}") from None
    adapter = Adapter(str(data.get("name", path.stem)), data, path.parent)
    faults = list(faults_of(adapter))
    if faults:
        raise AdapterError(f"{path.name}: {faults[0]}")
    return adapter


def names() -> list[str]:
    """The adapters that come with the suite."""
    return sorted(path.stem for path in ADAPTERS.glob("*.json"))


def faults_of(adapter: Adapter) -> Iterator[str]:
    """What is wrong with an adapter in itself, its samples of recorded output included."""
    data = adapter.data
    if "command" not in data and "harness" not in data and "create" not in data:
        yield "gives neither command nor harness"
    if adapter.depth not in DEPTHS:
        yield f"depth {adapter.depth} is none of A, B, C"
    verdict = data.get("verdict", {"by": "exit"})
    if verdict.get("by") not in ("exit", "findings"):
        yield "verdict is by neither exit nor findings"
    for index, sample in enumerate(data.get("samples", []), 1):
        yield from _sample_faults(adapter, sample, index)


def _sample_faults(adapter: Adapter, sample: dict[str, Any], index: int) -> Iterator[str]:
    """Recorded output must be read as the sample says."""
    try:
        answer = read_output(adapter, sample.get("exit", 0), sample.get("output", ""), "sample.cif")
    except AdapterError as error:
        yield f"sample {index}: {error}"
        return
    if answer.accepted is not sample["accepted"]:
        yield f"sample {index} is read as {'accepted' if answer.accepted else 'refused'}"
    own = [found.own for found in answer.findings or ()]
    if own != sample.get("codes", own):
        yield f"sample {index} is read with the codes {own}"


def read_output(adapter: Adapter, status: int, output: str, file: str) -> Answer:
    """The answer in an exit status and an output.

    Raises
    ------
    AdapterError
        If the status is none that the adapter knows, or the output is not of its format.
    """
    verdict = adapter.data.get("verdict", {"by": "exit"})
    known = [*verdict.get("accept", [0]), *verdict.get("refuse", [1])]
    if status not in known:
        last = output.strip().splitlines()[-1:] or ["no output"]
        raise AdapterError(f"exit status {status} is none of {known} ({last[0][:200]})")
    findings = _findings(adapter, output, file)
    if verdict["by"] == "exit":
        return Answer(status in verdict.get("accept", [0]), findings)
    grave = verdict.get("severities")
    counted = [found for found in findings or () if grave is None or found.severity in grave]
    return Answer(not counted, findings)


def _findings(adapter: Adapter, output: str, file: str) -> tuple[Found, ...] | None:
    form = adapter.data.get("output", {"format": "none"})
    if form["format"] == "none":
        return None
    if form["format"] == "lines":
        return tuple(_from_lines(adapter, form["patterns"], output, file))
    if form["format"] == "json":
        try:
            document = json.loads(output)
        except ValueError as error:
            raise AdapterError(f"the output is not JSON ({error})") from None
        return tuple(_from_json(adapter, form, document))
    raise AdapterError(f"unknown output format {form['format']}")


def _from_lines(adapter: Adapter, patterns: list[dict[str, Any]], output: str, file: str) -> Iterator[Found]:
    """Findings by the first pattern that a line of the output fits."""
    for text in output.splitlines():
        for entry in patterns:
            match = re.search(entry["pattern"].replace("{file}", re.escape(file)), text)
            if match:
                if entry.get("ignore"):
                    break
                groups = match.groupdict()
                own = entry.get("code") or groups.get("code") or ""
                yield Found(
                    codes=adapter.mapped(own),
                    own=own,
                    severity=entry.get("severity") or groups.get("severity"),
                    item=groups.get("item"),
                    line=int(groups["line"]) if groups.get("line") else None,
                    message=text.strip()[:300],
                )
                break


def _from_json(adapter: Adapter, form: dict[str, Any], document: Any) -> Iterator[Found]:
    fields = form["fields"]
    for entry in walk(document, form["findings"].split(".")):
        yield found_from(adapter, {name: first(entry, path) for name, path in fields.items()})


def found_from(adapter: Adapter, entry: dict[str, Any]) -> Found:
    """A finding from its fields rule, severity, item, key, line, message."""
    own = str(entry.get("rule", ""))
    line = entry.get("line")
    return Found(
        codes=adapter.mapped(own),
        own=own,
        severity=entry.get("severity"),
        item=entry.get("item"),
        key=dict(entry.get("key") or {}),
        line=int(line) if line is not None else None,
        message=str(entry.get("message") or "")[:300],
    )


def walk(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path such as files.*.findings.*; what is not there gives nothing."""
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for entry in value:
            yield from walk(entry, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from walk(value[path[0]], path[1:])


def first(value: Any, path: str) -> Any:
    """The first value at a path, or None."""
    return next(walk(value, path.split(".")), None)
