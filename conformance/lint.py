"""Test the suite itself: schema, one fault, citations, edits, titles, both verdicts, size, adapters.

Standard library only.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import make
from runner import adapter as adapters

DATASETS = make.DATASETS
LEVELS = {"required", "recommended", "advisory"}
SEVERITIES = {"error", "warning", "info"}
CODE = re.compile(r"[A-Z]{3}\d{3}")
FOLDER = re.compile(r"[A-Z]{3}\d{3}-[a-z0-9]+(?:-[a-z0-9]+)*")
GROUP = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# Folders of these families hold cases of one subject and of several rules.
GROUPED = {"syntax": "syntax", "ddlm": "check"}
GENERATED = {"generate"}
BOTH = {"pass", "fail"}
FIELDS = {"id", "title", "input", "base", "edit", "expect"}
MAX_BYTES = 20_000_000
MAX_RULES = 2


class Suite:
    """What is known of the cases seen so far."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.inputs: dict[tuple[str, str], tuple[str, bool]] = {}
        self.count = 0

    def faults_of(self, path: Path) -> Iterator[str]:
        """What is wrong with one case file and what lies beside it."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            yield f"is not JSON ({error})"
            return
        family = path.parent.parent.name
        if document.get("schema") != 1:
            yield "schema is not 1"
        if family in GENERATED:
            yield from self._generated(document, path.parent)
            return
        yield from _head(document, path.parent, family)
        listed = set()
        for case in document.get("cases", []):
            listed.add(case.get("input"))
            yield from self._case(case, document, path.parent)
        # A protocol of text fields cannot be violated, only read wrongly: values are the test.
        wanted = {"pass"} if any("document" in case.get("expect", {}) for case in document.get("cases", [])) else BOTH
        if not wanted <= {str(name).partition("-")[0] for name in listed}:
            yield "needs a passing and a failing case"
        companions = set(document.get("companions", []))
        shared = document.get("files", {})
        found = {entry.relative_to(path.parent).as_posix() for entry in path.parent.rglob("*") if entry.is_file()}
        extra = {name for name in found - set(shared) if name.partition("/")[0] not in companions}
        extra -= listed | {"case.json"}
        if extra:
            yield f"files without a case: {', '.join(sorted(extra))}"
        stand_ins = {str(case.get("options", {}).get("local")) for case in document.get("cases", [])}
        unused = {name.partition("/")[0] for name in shared} - stand_ins
        if unused:
            yield f"files that no case uses: {', '.join(sorted(unused))}"

    def _generated(self, document: dict, folder: Path) -> Iterator[str]:
        """What is wrong with a generator case."""
        self.count += 1
        if not document.get("title"):
            yield "has no title"
        for name in ["expected.json", *document.get("inputs", [])]:
            if not (folder / name).is_file():
                yield f"{name} is missing"
        if not document.get("inputs"):
            yield "names no inputs"

    def _case(self, case: dict, document: dict, folder: Path) -> Iterator[str]:
        """What is wrong with one case."""
        name = case.get("id", "?")
        self.count += 1
        if not set(case) >= FIELDS:
            yield f"{name}: lacks {', '.join(sorted(FIELDS - set(case)))}"
            return
        place = f"{folder.parent.name}/{folder.name}/{name}"
        if Path(case["input"]).stem != name:
            yield f"{name}: input is not named after the case"
        other = self.titles.setdefault(case["title"], place)
        if other != place:
            yield f"{name}: has the title of {other}"
        yield from self._edits(case, document, folder, place)
        yield from _expectation(case, document, folder)

    def _edits(self, case: dict, document: dict, folder: Path, place: str) -> Iterator[str]:
        """The file is what the edits make of the base, and no other case says the opposite of the same file."""
        name = case["id"]
        try:
            data = make.build(case)
        except (make.EditError, KeyError, TypeError, ValueError) as error:
            yield f"{name}: {error}"
            return
        target = folder / case["input"]
        if not target.is_file() or target.read_bytes() != data:
            yield f"{name}: {target.name} is not what the edits make; run make.py"
        if case["base"] and name.startswith("fail") and not case["edit"] and "local" not in case.get("options", {}):
            yield f"{name}: is its base, unchanged, and yet fails"
        terms = (case.get("scope", document.get("scope")), case.get("options"), case.get("profile"))
        key = (hashlib.sha256(data).hexdigest(), repr(terms))
        verdict = bool(case["expect"].get("conforming"))
        earlier, said = self.inputs.setdefault(key, (place, verdict))
        if said is not verdict:
            yield f"{name}: is the same file as {earlier}, with the opposite verdict"
        for line in (entry.get("line") or 1 for entry in case["expect"].get("findings", [])):
            if line > len(re.split(rb"\r\n|\n|\r", data)):
                yield f"{name}: expects a finding at line {line}, beyond the end of the file"


def _head(document: dict, folder: Path, family: str) -> Iterator[str]:
    """What is wrong with the part that all cases of a folder share."""
    if family in GROUPED:
        if not GROUP.fullmatch(folder.name) or document.get("kind", "check") != GROUPED[family]:
            yield f"a folder of {family} is named in small letters and of kind {GROUPED[family]}"
    elif not FOLDER.fullmatch(folder.name) or document.get("rule") != folder.name[:6]:
        yield "folder is not named CODE-name after its rule"
    elif family != folder.name[:3].lower():
        yield "folder is not below its family"
    if document.get("level") not in LEVELS:
        yield f"level is none of {', '.join(sorted(LEVELS))}"
    if len(str(document.get("source", ""))) < 4:
        yield "no source is cited"
    if family != "syntax" and not {"title", "version"} <= set(document.get("dictionary", {})):
        yield "no dictionary is named"


def _expectation(case: dict, document: dict, folder: Path) -> Iterator[str]:
    """What is wrong with what a case expects: a verdict, its own rule, one fault."""
    name, expect = case["id"], case["expect"]
    findings = expect.get("findings")
    if not isinstance(expect.get("conforming"), bool) or not isinstance(findings, list):
        yield f"{name}: expects no verdict"
        return
    for finding in findings:
        if not CODE.fullmatch(str(finding.get("rule"))) or finding.get("severity") not in SEVERITIES:
            yield f"{name}: a finding needs rule and severity"
    has_error = any(finding.get("severity") == "error" for finding in findings)
    if has_error is expect["conforming"]:
        yield f"{name}: conforming is {expect['conforming']}, but the findings say otherwise"
    serious = {finding["rule"] for finding in findings if finding.get("severity") in ("error", "warning")}
    if len(serious) > MAX_RULES:
        yield f"{name}: is wrong in more than one thing ({', '.join(sorted(serious))})"
    codes = {finding.get("rule") for finding in findings}
    own = document.get("rule", case.get("rule"))
    if name.startswith("fail") and (own not in codes if own else not codes):
        yield f"{name}: a failing case must expect its own rule"
    if name.startswith("pass") and (own in codes if own else not expect["conforming"]):
        yield f"{name}: a passing case expects its own rule"
    if "document" in expect and not expect["conforming"]:
        yield f"{name}: values are expected of a file that is refused"


def adapter_faults() -> Iterator[str]:
    """Adapters that cannot be used, or whose samples of recorded output are not read as they should."""
    for name in adapters.names():
        try:
            adapters.load(name)
        except adapters.AdapterError as error:
            yield f"adapters: {error}"


def main() -> int:
    """Print the faults; status 1 if there is one."""
    suite = Suite()
    faults = []
    for path in sorted(DATASETS.glob("*/*/case.json")):
        faults += [f"{path.parent.name}: {fault}" for fault in suite.faults_of(path)]
    folders = {path.parent for path in DATASETS.glob("*/*/*")} - {
        path.parent for path in DATASETS.glob("*/*/case.json")
    }
    faults += [f"{folder.name}: has no case.json" for folder in sorted(folders)]
    faults += adapter_faults()
    size = sum(path.stat().st_size for path in DATASETS.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        faults.append(f"the suite has {size} bytes, more than {MAX_BYTES}")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    sys.stdout.write(f"{suite.count} cases, {size / 1e6:.2f} MB, {len(faults)} faults\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
