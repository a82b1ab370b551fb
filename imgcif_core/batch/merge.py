"""Lines of many runs as one report of bounded size: counts of rules, the worst files, those that cannot be read."""

import csv
import heapq
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from imgcif_core.batch.lines import key_of, read_lines

SCHEMA = "imgcif-merged-report/1"
FORMATS = ("html", "json", "csv")
SHOWN = 100


def merged(paths: Sequence[str]) -> dict[str, Any]:
    """The report of all lines; of several lines of one file the last counts, whatever the order of the others.

    Raises
    ------
    InputError
        If a file cannot be read, or is none of `imgcif-check --format jsonl`.
    """
    last: dict[bytes, tuple[int, int]] = {}
    for number, path in enumerate(paths):
        for at, line in read_lines(path):
            last[key_of(line["path"])] = (number, at)
    kept = set(last.values())
    last.clear()
    totals = _Totals()
    for number, path in enumerate(paths):
        for at, line in read_lines(path):
            if (number, at) in kept:
                totals.add(line)
    return totals.as_dict()


class _Totals:
    """Sums that do not depend on the order of the lines."""

    def __init__(self) -> None:
        self.files = self.conforming = self.unreadable = self.crashed = 0
        self.profiles: dict[str, int] = {}
        self.readiness: dict[str, dict[str, int]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self._worst: list[tuple[int, int, _Backwards]] = []
        self._unread: list[tuple[_Backwards, str]] = []

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one file."""
        path = line["path"]
        self.files += 1
        if "unreadable" in line:
            self.unreadable += 1
            _keep(self._unread, (_Backwards(path), str(line["unreadable"])))
            return
        self.conforming += bool(line["conforming"])
        self.crashed += bool(line["outcomes"]["crashed"])
        self.profiles[line["profile"]] = self.profiles.get(line["profile"], 0) + 1
        for name, answer in line.get("readiness", {}).items():
            if isinstance(answer, Mapping) and "answer" in answer:
                counts = self.readiness.setdefault(name, {})
                counts[answer["answer"]] = counts.get(answer["answer"], 0) + 1
        self._count_rules(path, line["findings"])
        counts = line["counts"]
        if counts["error"] or counts["warning"]:
            _keep(self._worst, (counts["error"], counts["warning"], _Backwards(path)))

    def _count_rules(self, path: str, findings: Sequence[Mapping[str, Any]]) -> None:
        """Count the findings of one file."""
        seen = set()
        for finding in findings:
            empty = {"name": finding["name"], "error": 0, "warning": 0, "info": 0, "files": 0, "example": path}
            entry = self.rules.setdefault(finding["rule"], empty)
            entry[finding["severity"]] += 1
            entry["example"] = min(entry["example"], path)
            seen.add(finding["rule"])
        for rule in seen:
            self.rules[rule]["files"] += 1

    def as_dict(self) -> dict[str, Any]:
        """The report, the most frequent first."""
        rules = [{"rule": rule, **entry} for rule, entry in self.rules.items()]
        rules.sort(key=lambda entry: (-entry["files"], entry["rule"]))
        worst = sorted(self._worst, reverse=True)
        return {
            "schema": SCHEMA,
            "files": self.files,
            "conforming": self.conforming,
            "not_conforming": self.files - self.conforming - self.unreadable,
            "unreadable": self.unreadable,
            "crashed": self.crashed,
            "profiles": dict(sorted(self.profiles.items())),
            "readiness": {name: dict(sorted(counts.items())) for name, counts in sorted(self.readiness.items())},
            "rules": rules,
            "worst": [{"path": path.text, "errors": errors, "warnings": warns} for errors, warns, path in worst],
            "unreadable_files": [
                {"path": path.text, "reason": reason} for path, reason in sorted(self._unread, reverse=True)
            ],
        }


class _Backwards:
    """A text that sorts backwards, so that the first of the alphabet is kept among equals."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: "_Backwards") -> bool:
        return self.text > other.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _keep(heap: list[Any], entry: Any) -> None:
    """Keep the largest entries."""
    if len(heap) < SHOWN:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def rendered(report: Mapping[str, Any], form: str) -> str:
    """A merged report as html, json or csv."""
    if form == "json":
        return json.dumps(report, indent=1) + "\n"
    return _csv(report) if form == "csv" else _html(report)


_COLUMNS = ("rule", "name", "files", "error", "warning", "info", "example")


def _csv(report: Mapping[str, Any]) -> str:
    """One row a rule; texts that a spreadsheet would take for formulas are quoted by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for entry in report["rules"]:
        writer.writerow([_no_formula(entry[name]) for name in _COLUMNS])
    return out.getvalue()


def _no_formula(value: Any) -> Any:
    """A value that is no formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _html(report: Mapping[str, Any]) -> str:
    """A page without scripts and without links to other places."""
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    total = report["files"]
    words = f"{total} files: {report['conforming']} conforming, {report['not_conforming']} not, "
    words += f"{report['unreadable']} unreadable; in {report['crashed']} a rule crashed"
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>imgcif-check: merged report</title>',
        f"<style>{style}</style></head><body><h1>Merged report</h1><p>{escape(words)}</p>",
        _table("Rules", _COLUMNS, [[entry[name] for name in _COLUMNS] for entry in report["rules"]]),
    ]
    answers = [
        [name, *(counts.get(key, 0) for key in ("yes", "no", "not-checked"))]
        for name, counts in report["readiness"].items()
    ]
    parts.append(_table("Readiness", ("question", "yes", "no", "not checked"), answers))
    parts.append(_table("Profiles", ("profile", "files"), list(report["profiles"].items())))
    worst = [[entry["path"], entry["errors"], entry["warnings"]] for entry in report["worst"]]
    parts.append(_table(f"Worst files (at most {SHOWN})", ("file", "errors", "warnings"), worst))
    unread = [[entry["path"], entry["reason"]] for entry in report["unreadable_files"]]
    parts.append(_table(f"Unreadable files (at most {SHOWN})", ("file", "reason"), unread))
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table under a heading; none without rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(str(cell)[:400])}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
