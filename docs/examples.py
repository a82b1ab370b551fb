"""The examples that `imgcif explain` and the pages of rules show, from the cases of the conformance suite."""

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from imgcif_core.checks.registry import Rule, load_rules

ROOT = Path(__file__).parent.parent
DATASETS = ROOT / "conformance" / "datasets"
TARGET = ROOT / "imgcif_core" / "checks" / "data" / "examples.json"
MOST_LINES = 12
WIDEST = 110


def folder_of(rule: Rule) -> Path:
    """The folder of a rule's cases."""
    return DATASETS / rule.family.lower() / f"{rule.code}-{rule.name}"


def cases_of(rule: Rule) -> list[dict[str, Any]]:
    """The cases of a rule, none where it has no folder."""
    path = folder_of(rule) / "case.json"
    return json.loads(path.read_text(encoding="utf-8"))["cases"] if path.is_file() else []


def told(rule: Rule, case: dict[str, Any]) -> bool:
    """True if the rule is to say something about a case."""
    return any(finding["rule"] == rule.code for finding in case["expect"].get("findings", ()))


def changed_lines(rule: Rule, case: dict[str, Any]) -> list[str]:
    """What makes a case of its base: lines with `-` and `+`; of a file of its own the lines that the findings name."""
    text = text_of(folder_of(rule) / case["input"])
    if text is None:
        return []
    if not case.get("base"):
        lines = text.splitlines()
        numbers = [finding.get("line") or 1 for finding in case["expect"].get("findings", ())] or [1]
        first = max(0, min(numbers) - 1 - MOST_LINES // 2)
        return [f"  {line[:WIDEST]}" for line in lines[first : first + MOST_LINES]]
    (base,) = (DATASETS / "bases").glob(f"{case['base']}.*")
    before = text_of(base)
    return list(_difference(before.splitlines(), text.splitlines()))[:MOST_LINES] if before is not None else []


def text_of(path: Path) -> str | None:
    """The text of a file, None where it holds other bytes than text."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None


def _difference(before: list[str], after: list[str]) -> Iterator[str]:
    """Lines that went and lines that came."""
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from (f"- {line[:WIDEST]}" for line in before[a:b])
            yield from (f"+ {line[:WIDEST]}" for line in after[c:d])


def table() -> str:
    """One failing and one passing case of each rule as JSON, a rule a line."""
    rows = []
    for rule in load_rules().values():
        found: dict[str, Any] = {}
        for case in cases_of(rule):
            kind = "fails" if told(rule, case) else "passes"
            if kind not in found:
                found[kind] = {"title": case["title"], "lines": changed_lines(rule, case)}
        if "fails" in found:
            rows.append(f"{json.dumps(rule.code)}:{json.dumps(found, separators=(',', ':'), ensure_ascii=False)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"
