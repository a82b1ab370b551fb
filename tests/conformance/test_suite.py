"""The checker on the public suite, judged as the suite's own runner judges, and the suite on itself."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from runner import cases as suite
from runner.adapter import Adapter, Answer, found_from, load
from runner.judge import judge

from imgcif_core import conformance_run

CONFORMANCE = Path(__file__).parent.parent.parent / "conformance"

OURS: Adapter = load("imgcif")
HAS_IMAGES = all(importlib.util.find_spec(name) is not None for name in ("h5py", "fabio"))
NEED_IMAGES = ("IMG", "EXT012", "EXT013", "CON017")


def marks_of(case: suite.Case) -> list[pytest.MarkDecorator]:
    """A reason to skip a case whose rule reads pixels or HDF5 headers, where nothing here can."""
    needed = case.rule.startswith(NEED_IMAGES) and not HAS_IMAGES
    return [pytest.mark.skip(reason="the extra 'images' is not installed")] if needed else []


CASES = [pytest.param(case, id=case.id, marks=marks_of(case)) for case in suite.load() if case.kind != "generate"]


def answer_to(case: suite.Case) -> Answer:
    """What the harness says of a case, without a process."""
    request = {
        "id": 1,
        "op": "check",
        "file": str(case.path),
        "folder": str(case.folder),
        "scope": case.scope,
        "options": case.options,
        "values": True,
    }
    reply = json.loads(json.dumps(conformance_run.reply(json.dumps(request))))
    assert "error" not in reply, reply["error"]
    findings = tuple(found_from(OURS, entry) for entry in reply["findings"])
    return Answer(reply["conforming"], findings, reply["document"])


@pytest.mark.parametrize("case", CASES)
def test_case_is_judged_as_expected(case: suite.Case) -> None:
    answer = answer_to(case)
    result = judge(case, answer, OURS, "C")
    told = "\n".join(f"{one.own} {one.severity} line {one.line} {one.item}: {one.message}" for one in answer.findings)
    assert result.outcome == "passed", f"{result.reason}\n{told}"


@pytest.mark.parametrize(
    "command",
    [["make.py", "--check"], ["make_ddlm.py", "--check"], ["lint.py"]],
    ids=["inputs", "cases from the facts", "lint"],
)
def test_suite_is_sound(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, str(CONFORMANCE / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


BASES = sorted(path for path in (CONFORMANCE / "datasets" / "bases").glob("*.cif"))


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.stem)
def test_bases_are_sound_so_that_the_edit_is_the_only_fault(path: Path) -> None:
    request = {"op": "check", "id": 1, "file": str(path)}
    reply = conformance_run.reply(json.dumps(request))
    serious = [finding for finding in reply["findings"] if finding["severity"] != "info"]
    assert serious == []


# The page takes long to make, and is made anew when so many cases have come since.
MOST_SHARE_OF_NEW_CASES = 0.1


def test_the_page_of_tools_is_made_from_the_cases_that_are_there() -> None:
    page = (CONFORMANCE.parent / "docs" / "matrix.md").read_text(encoding="utf-8")
    stated = re.search(r"on \d{4}-\d\d-\d\d: (\d+) cases", page)
    own = re.search(r"^\| imgcif \S+ \| (\d+) \|", page, re.M)
    assert stated and own, "the page does not say from how many cases it is made"
    assert stated[1] == own[1], "our own row was made from other cases than the page says"
    cases = len(suite.load())
    new = cases - int(stated[1])
    assert 0 <= new <= MOST_SHARE_OF_NEW_CASES * cases, f"{new} cases are new: python conformance/matrix.py"
