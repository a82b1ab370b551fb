"""A run as text, as a badge, and as JSON."""

from __future__ import annotations

import json
from typing import Any

SHOWN = 25
COLORS = ((1.0, "brightgreen"), (0.9, "yellow"), (0.6, "orange"), (0.0, "red"))


def render(run: dict[str, Any], form: str) -> str:
    """The run in one of the formats text, json, badge."""
    if form == "json":
        return json.dumps(run, indent=1, ensure_ascii=False)
    if form == "badge":
        return json.dumps(badge(run))
    return text(run)


def totals(run: dict[str, Any]) -> dict[str, list[int]]:
    """Passed and judged at each depth, over all families."""
    found: dict[str, list[int]] = {}
    for family in run["families"].values():
        for level, (passed, judged) in family["depths"].items():
            entry = found.setdefault(level, [0, 0])
            entry[0] += passed
            entry[1] += judged
    return dict(sorted(found.items()))


def badge(run: dict[str, Any]) -> dict[str, Any]:
    """The badge in the endpoint schema of shields.io."""
    counts = run["counts"]
    judged = counts["passed"] + counts["failed"] + counts["errored"]
    share = counts["passed"] / judged if judged else 0.0
    color = next(name for limit, name in COLORS if share >= limit)
    deepest = max(totals(run), default="A")
    return {
        "schemaVersion": 1,
        "label": "imgCIF conformance",
        "message": f"{counts['passed']}/{judged} at depth {deepest}" if judged else "not run",
        "color": color if judged else "lightgrey",
    }


def text(run: dict[str, Any]) -> str:
    """Tables of outcomes and depths, then what went wrong."""
    tool = run["tool"]
    lines = [f"{tool['name']} {tool['version']}", ""]
    lines.append(f"{'family':<10}{'passed':>8}{'failed':>8}{'errored':>9}{'skipped':>9}   depths")
    for name, family in run["families"].items():
        lines.append(_row(name, family["counts"], family["depths"]))
    lines.append(_row("all", run["counts"], totals(run)))
    wrong = [result for result in run["results"] if result["outcome"] in ("failed", "errored")]
    if wrong:
        lines.append("")
    for result in wrong[:SHOWN]:
        lines += [f"{result['outcome']:<8} {result['id']}: {result['title']}", f"         {result['reason']}"]
    if len(wrong) > SHOWN:
        lines.append(f"... and {len(wrong) - SHOWN} more; --format json has them all")
    lines += _skips(run)
    return "\n".join(lines)


def _row(name: str, counts: dict[str, int], depths: dict[str, Any]) -> str:
    shown = "  ".join(f"{level} {passed}/{judged}" for level, (passed, judged) in sorted(depths.items()))
    cells = f"{counts['passed']:>8}{counts['failed']:>8}{counts['errored']:>9}{counts['skipped']:>9}"
    return f"{name:<10}{cells}   {shown}"


def _skips(run: dict[str, Any]) -> list[str]:
    """Why cases were skipped, and which skips are no longer needed."""
    reasons: dict[str, int] = {}
    for result in run["results"]:
        if result["outcome"] == "skipped":
            reasons[result["reason"]] = reasons.get(result["reason"], 0) + 1
    lines = ["", *(f"skipped {number}: {reason}" for reason, number in reasons.items())] if reasons else []
    if run["base_remarks"]:
        lines += ["", f"{run['base_remarks']} remarks on the sound bases are not counted in the cases made from them"]
    for name in run["stale_skips"]:
        lines.append(f"skipped, but would pass: {name}")
    return lines
