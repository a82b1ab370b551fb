"""What a tool said against what a case expects, at three depths.

A: the verdict. B: the codes, and no other warning or error; the values, where the case gives them.
C: data item, key and line of what was found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .adapter import DEPTHS, Adapter, Answer, Found
from .cases import Case

SERIOUS = ("error", "warning", None)


@dataclass(frozen=True)
class Result:
    """How one case ended: passed, failed, errored or skipped, and each depth that could be judged."""

    case: Case
    outcome: str
    depths: dict[str, bool] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    would_pass: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The result as the JSON report writes it."""
        return {
            "id": self.case.id,
            "title": self.case.title,
            "outcome": self.outcome,
            "depths": self.depths,
            "reason": self.reason,
            "seconds": round(self.seconds, 4),
            **({"would_pass": True} if self.would_pass else {}),
        }


def judge(case: Case, answer: Answer, adapter: Adapter, depth: str) -> Result:
    """The result of a case at a depth; a tool that gives no codes is judged no deeper than A."""
    if answer.error:
        return Result(case, "errored", reason=answer.error, seconds=answer.seconds)
    allowed = DEPTHS[: DEPTHS.index(min(depth, adapter.depth)) + 1]
    faults = {"A": _verdict(case, answer, adapter)}
    if "B" in allowed:
        faults["B"] = _codes(case, answer, adapter)
    if "B" in allowed or adapter.gives_values:
        wrong = _values(case, answer, adapter)
        if wrong is not None:
            faults["B"] = faults.get("B") or wrong
    if "C" in allowed:
        faults["C"] = _places(case, answer, adapter)
    depths = {level: not fault for level, fault in faults.items()}
    failed = [f"{level}: {fault}" for level, fault in faults.items() if fault]
    return Result(case, "failed" if failed else "passed", depths, failed[0] if failed else "", answer.seconds)


def _verdict(case: Case, answer: Answer, adapter: Adapter) -> str:
    """Why the verdict is wrong; a tool without severities may or may not speak of what is only doubtful."""
    expected = case.conforming
    if not adapter.has_severities and expected and case.findings:
        return ""
    if answer.accepted == expected:
        return ""
    grave = sorted(answer.findings or (), key=lambda found: found.severity not in ("error", None))
    said = "; ".join(_told(found) for found in grave[:3])
    return f"{'refused' if expected else 'accepted'}, should be {'accepted' if expected else 'refused'}" + (
        f" ({said})" if said else ""
    )


def _told(found: Found) -> str:
    place = f" at line {found.line}" if found.line else ""
    return f"{found.own or found.message}{place}"


def _has(found: Found, wanted: str) -> bool:
    """True if a finding may be meant by the code that is wanted."""
    return any(fnmatchcase(wanted, code) for code in found.codes)


def _codes(case: Case, answer: Answer, adapter: Adapter) -> str:
    """Which code is missing, or which finding is one too many."""
    found = answer.findings or ()
    wanted = [entry["rule"] for entry in case.findings]
    for entry in case.findings:
        if adapter.demands(entry) and not any(_has(one, entry["rule"]) for one in found):
            said = ", ".join(sorted({one.own for one in found})) or "nothing"
            return f"{entry['rule']} is not found, but {said}"
    own = case.rule if not case.conforming or wanted else ""
    for one in found:
        if one.severity in SERIOUS and not any(_has(one, code) for code in wanted):
            return f"not expected: {_told(one)}"
        if case.rule and not own and case.rule in one.codes:
            return f"not expected: {_told(one)}"
    return ""


def _places(case: Case, answer: Answer, adapter: Adapter) -> str:
    """Which finding stands at a wrong place."""
    found = answer.findings or ()
    for entry in case.findings:
        if not adapter.demands(entry):
            continue
        same = [one for one in found if _has(one, entry["rule"])]
        if same and not any(_is_at(one, entry) for one in same):
            near = same[0]
            return (
                f"{entry['rule']} at line {near.line}, {near.item}, {near.severity}; "
                f"expected {entry.get('line', 'any line')}, {entry.get('item', 'any item')}, "
                f"{entry.get('severity', 'any severity')}, {entry.get('key', {})}"
            )
        if not same:
            return f"{entry['rule']} is not found"
    return ""


def _is_at(found: Found, wanted: dict[str, Any]) -> bool:
    """True if a finding stands where it should, as far as the case says."""
    return (
        wanted.get("severity", found.severity) == found.severity
        and wanted.get("line", found.line) == found.line
        and (wanted.get("item") or found.item or "").lower() == (found.item or "").lower()
        and dict(wanted.get("key", {})).items() <= found.key.items()
    )


def _values(case: Case, answer: Answer, adapter: Adapter) -> str | None:
    """Where the values read differ from those expected; None where there is nothing to compare."""
    if "document" not in case.expect or not adapter.gives_values or not answer.accepted:
        return None
    return difference(case.expect["document"], answer.document, adapter.claims.get("nulls", True))


def difference(expected: Any, actual: Any, tells_nulls: bool = True) -> str:
    """The first difference of two documents in the form of the suite; block and data names in any case."""
    blocks, others = _blocks(expected), _blocks(actual)
    if list(blocks) != list(others):
        return f"blocks {list(others)}, expected {list(blocks)}"
    for code, items in blocks.items():
        missing = items.keys() ^ others[code].keys()
        if missing:
            return f"block {code}: data name {min(missing)} is missing or too many"
        for name, values in items.items():
            given = others[code][name]
            if len(given) != len(values):
                return f"{name} has {len(given)} values, expected {len(values)}"
            for value, other in zip(values, given):
                if not _same(value, other, tells_nulls):
                    return f"{name} is {_short(other)}, expected {_short(value)}"
    return ""


def _blocks(document: Any) -> dict[str, dict[str, list]]:
    """Items by lower-case name, by lower-case block code; save frames as block:frame."""
    found: dict[str, dict[str, list]] = {}
    for block in (document or {}).get("blocks", []):
        code = str(block["code"]).lower()
        found[code] = {name.lower(): values for name, values in block.get("items", {}).items()}
        for frame in block.get("frames", []):
            found[f"{code}:{frame['code'].lower()}"] = {
                name.lower(): values for name, values in frame.get("items", {}).items()
            }
    return found


def _same(value: Any, other: Any, tells_nulls: bool) -> bool:
    """True if two values are the same; a tool that cannot tell `.` from '.' is not asked to."""
    if isinstance(value, dict) and set(value) == {"null"} and not tells_nulls:
        return other == value or other == value["null"]
    if isinstance(value, list):
        return (
            isinstance(other, list)
            and len(value) == len(other)
            and all(_same(one, two, tells_nulls) for one, two in zip(value, other))
        )
    if isinstance(value, dict) and "table" in value:
        table = other.get("table") if isinstance(other, dict) else None
        return (
            isinstance(table, dict)
            and table.keys() == value["table"].keys()
            and all(_same(one, table[key], tells_nulls) for key, one in value["table"].items())
        )
    if isinstance(value, float) and isinstance(other, (int, float)):
        return math.isclose(value, other)
    return bool(value == other)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def count(results: Iterable[Result]) -> dict[str, int]:
    """How many cases ended in which way."""
    counts = dict.fromkeys(("passed", "failed", "errored", "skipped"), 0)
    for result in results:
        counts[result.outcome] += 1
    return counts
