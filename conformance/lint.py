"""Test the suite itself: schema, titles, citations, both verdicts in each folder, size, edits.

Standard library only.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import make

DATASETS = make.DATASETS
LEVELS = {"required", "recommended", "advisory"}
FOLDER = re.compile(r"[A-Z]{3}\d{3}-[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_BYTES = 8 << 20


def faults_of(path: Path, titles: dict[str, str]) -> Iterator[str]:
    """What is wrong with one case file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    folder = path.parent
    if document.get("schema") != 1:
        yield "schema is not 1"
    if not FOLDER.fullmatch(folder.name) or document.get("rule") != folder.name[:6]:
        yield "folder is not named CODE-name after its rule"
    if folder.parent.name != str(document.get("rule", ""))[:3].lower():
        yield "folder is not below its family"
    if document.get("level") not in LEVELS:
        yield f"level is none of {', '.join(sorted(LEVELS))}"
    if len(str(document.get("source", ""))) < 4:
        yield "no source is cited"
    if not {"title", "version"} <= set(document.get("dictionary", {})):
        yield "no dictionary is named"
    listed = set()
    for case in document.get("cases", []):
        listed.add(case.get("input"))
        yield from faults_of_case(case, titles, folder)
    kinds = {str(name).partition("-")[0] for name in listed}
    if not {"pass", "fail"} <= kinds:
        yield "needs a passing and a failing case"
    extra = {entry.name for entry in folder.iterdir()} - listed - {"case.json"}
    if extra:
        yield f"files without a case: {', '.join(sorted(extra))}"


def faults_of_case(case: dict, titles: dict[str, str], folder: Path) -> Iterator[str]:
    """What is wrong with one case."""
    name = case.get("id", "?")
    if not {"id", "title", "input", "base", "edit", "expect"} <= set(case):
        yield f"{name}: a field is missing"
        return
    if Path(case["input"]).stem != name:
        yield f"{name}: input is not named after the case"
    other = titles.setdefault(case["title"], f"{folder.name}/{name}")
    if other != f"{folder.name}/{name}":
        yield f"{name}: has the title of {other}"
    expect = case["expect"]
    findings = expect.get("findings")
    if not isinstance(expect.get("conforming"), bool) or not isinstance(findings, list):
        yield f"{name}: expects no verdict"
        return
    codes = {finding.get("rule") for finding in findings}
    own = folder.name[:6]
    if name.startswith("fail") and own not in codes:
        yield f"{name}: a failing case must expect its own rule"
    if name.startswith("pass") and own in codes:
        yield f"{name}: a passing case expects its own rule"


def main() -> int:
    """Print the faults; status 1 if there is one."""
    titles: dict[str, str] = {}
    count = 0
    for path in sorted(DATASETS.glob("*/*/case.json")):
        for fault in faults_of(path, titles):
            sys.stderr.write(f"{path.parent.name}: {fault}\n")
            count += 1
    size = sum(path.stat().st_size for path in DATASETS.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        sys.stderr.write(f"the suite has {size} bytes, more than {MAX_BYTES}\n")
        count += 1
    sys.stdout.write(f"{len(titles)} cases, {size / 1e6:.2f} MB, {count} faults\n")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
