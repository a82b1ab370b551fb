"""The lines of a run over many files: what stands in them, how they are written, and what a run finds done already."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.findings import FileReport, Outcomes, Severity
from imgcif_core.render.json import dumps

SCHEMA = "imgcif-check-line/1"
_SHOWN_RUN = 16


def run_name(options: CheckOptions, dictionary: Dictionary) -> str:
    """A short name of what judges and of all options, the same for the same run on another day."""
    settings = [f"{name}={getattr(options, name)!r}" for name in sorted(options.__dataclass_fields__)]
    text = "\n".join([__version__, dictionary.sha256, *settings])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_SHOWN_RUN]


def line_of(path: str, report: FileReport, run: str, status: int) -> str:
    """The line of a file that was judged, without its end."""
    head = report.as_dict()
    head["path"] = path
    head["outcomes"] = _short(report.outcomes)
    counts = {str(severity): report.count(severity) for severity in Severity}
    return dumps(
        {"schema": SCHEMA, "run": run, "status": status, "conforming": report.conforming, **head, **{"counts": counts}}
    )


def line_of_unreadable(path: str, reason: str, run: str, sha256: str = "") -> str:
    """The line of a file that could not be read."""
    return dumps({"schema": SCHEMA, "run": run, "status": 2, "path": path, "sha256": sha256, "unreadable": reason})


def _short(outcomes: Outcomes) -> dict[str, Any]:
    """Outcomes of rules, those with one reason under that reason; of rules that were clean, only how many."""
    by_reason: dict[str, list[str]] = {}
    for entry in outcomes.not_checked:
        by_reason.setdefault(entry.reason, []).append(entry.rule)
    return {
        "clean": len(outcomes.clean),
        "not_applicable": len(outcomes.not_applicable),
        "blocked": [entry.rule for entry in outcomes.blocked],
        "not_checked": by_reason,
        "crashed": [{"rule": entry.rule, "reason": entry.reason} for entry in outcomes.crashed],
    }


def read_lines(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Place and content of each line that is whole; an incomplete last one is passed over.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is none of a run.
    """
    try:
        with Path(path).open("rb") as stream:
            at = 0
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return
                yield at, _read(line, path, number)
                at += len(line)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _read(line: bytes, path: str, number: int) -> dict[str, Any]:
    """One line as it was meant."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not isinstance(found.get("path"), str):
        raise InputError(f"{path}: line {number} is no line of imgcif-check --format jsonl")
    return found


class Done:
    """Which files a run finds judged already: by path, content, and what judged; 32 bytes a file."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()
        self._paths: set[bytes] = set()
        self.status = 0

    def add(self, line: Mapping[str, Any]) -> None:
        """Remember a line."""
        self._paths.add(key_of(line["path"]))
        self._keys.add(key_of(line["path"], line.get("sha256", ""), line.get("run", "")))
        self.status = max(self.status, int(line.get("status", 0)))

    def may_hold(self, path: str) -> bool:
        """True if there is a line of the path, so that its content has to be looked at."""
        return key_of(path) in self._paths

    def holds(self, path: str, sha256: str, run: str) -> bool:
        """True if this content was judged by the same rules and options."""
        return key_of(path, sha256, run) in self._keys

    def __bool__(self) -> bool:
        return bool(self._keys)


def key_of(*words: str) -> bytes:
    """A short key of some words, 12 bytes."""
    return hashlib.blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def done_in(path: str) -> tuple[Done, int]:
    """What the lines of an earlier run tell, and the length of those that are whole, in bytes."""
    done, length = Done(), 0
    if os.path.exists(path):
        for _, line in read_lines(path):
            done.add(line)
        with Path(path).open("rb") as stream:
            length = _whole_length(stream)
    return done, length


def _whole_length(stream: BinaryIO) -> int:
    """The length up to the end of the last whole line."""
    size = stream.seek(0, os.SEEK_END)
    at = size
    while at > 0:
        start = max(0, at - (1 << 16))
        stream.seek(start)
        found = stream.read(at - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0
