"""Rules of other packages: whatever they do is theirs, and the rest is judged all the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared import EXAMPLE

from imgcif_core import api
from imgcif_core.checks import engine
from imgcif_core.checks.engine import check_document
from imgcif_core.checks.freeze import frozen
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.plugins import fault_of
from imgcif_core.checks.registry import Problem, Rule, is_given, load_rules
from imgcif_core.errors import UsageError
from imgcif_core.findings import Severity
from imgcif_core.limits import Limits

RULE = '''
from imgcif_core.checks.registry import Problem, rule

@rule("LAB001", "lab-rule", severity="info", source="_audit.block_code", message="{message}")
def lab_rule({inputs}):
    """What: x. Why: x. How to fix: x. Source: x."""
{body}
'''
PLACE = "    from imgcif_core.cif.document import Place\n    place = Place(source, 0, 1)\n"


def plugged(folder: Path, module: str, *arguments: str, format: str = "json") -> tuple[int, str, str]:
    """Status and output of a check with a plug-in of some text."""
    (folder / "lab_rules.py").write_text(module, encoding="utf-8")
    info = folder / "lab_package-0.1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-package\nVersion: 0.1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[imgcif_core.rules]\nlab = lab_rules\n", encoding="utf-8")
    command = [sys.executable, "-m", "imgcif_core.cli", "check", "--format", format, *arguments, str(EXAMPLE)]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{EXAMPLE.parent.parent}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("import nonexistent_module_xyz", "ModuleNotFoundError"),
        ("raise SystemExit(7)", "SystemExit: 7"),
        ("def f(:", "SyntaxError"),
        (RULE.format(message="{x}", inputs="nothing_gives_this", body="    yield"), "nothing_gives_this"),
        (RULE.format(message="{x.y}", inputs="document", body="    yield"), "{x.y}"),
        (RULE.format(message="{", inputs="document", body="    yield"), "no template"),
        (RULE.format(message="{0}", inputs="document", body="    yield"), "{0}"),
        (RULE.format(message="x", inputs="*documents", body="    yield"), "no plain function"),
        (RULE.replace("LAB001", "AXI001").format(message="x", inputs="document", body="    yield"), "registered twice"),
        (RULE.replace('"info"', '"awful"').format(message="x", inputs="document", body="    yield"), "ValueError"),
    ],
)
def test_package_that_cannot_be_used_is_named_and_the_rest_judged(tmp_path: Path, module: str, reason: str) -> None:
    status, out, err = plugged(tmp_path, module)
    assert status == 3, err
    report = json.loads(out)["files"][0]
    crashed = {entry["rule"]: entry["reason"] for entry in report["outcomes"]["crashed"]}
    assert reason in crashed["lab-package"]
    assert len(report["outcomes"]["clean"]) > 100
    assert "Traceback" not in err


@pytest.mark.parametrize("format", ["text", "sarif", "junit", "github", "html"])
def test_every_report_names_the_package(tmp_path: Path, format: str) -> None:
    status, out, err = plugged(tmp_path, "import nonexistent_module_xyz", format=format)
    assert status == 3, err
    assert "lab-package" in out


@pytest.mark.parametrize("raised", ["SystemExit(1)", "RecursionError()", "MemoryError()", "ValueError('x')"])
def test_findings_before_a_fault_are_kept(tmp_path: Path, raised: str) -> None:
    body = f"{PLACE}    yield Problem(place, x='seen')\n    raise {raised}\n"
    status, out, err = plugged(tmp_path, RULE.format(message="found {x}", inputs="document, source", body=body))
    assert status == 3, err
    messages = [entry["message"] for entry in json.loads(out)["files"][0]["findings"] if entry["rule"] == "LAB001"]
    assert "found seen" in messages
    assert any("did not finish" in message for message in messages)


def test_message_that_cannot_be_filled_is_a_crash_of_that_rule(tmp_path: Path) -> None:
    body = f"{PLACE}    values = dict(y=1)\n    yield Problem(place, **values)\n"
    status, out, _ = plugged(tmp_path, RULE.format(message="found {x}", inputs="document, source", body=body))
    assert status == 3
    assert json.loads(out)["files"][0]["outcomes"]["crashed"]


def test_rule_without_end_is_stopped_by_name(tmp_path: Path) -> None:
    body = "    while True:\n        pass\n    yield\n"
    module = RULE.format(message="x", inputs="document", body=body)
    status, out, _ = plugged(tmp_path, module, "--rule-seconds", "0.5")
    assert status == 3
    crashed = json.loads(out)["files"][0]["outcomes"]["crashed"]
    assert [entry["rule"] for entry in crashed] == ["LAB001"]
    assert "more than 0.5 s" in crashed[0]["reason"]


def test_time_for_a_file_leaves_rules_not_checked() -> None:
    options = CheckOptions(limits=Limits(wall=1e-9), rule_seconds=5.0)
    report = api.check(EXAMPLE, options=options).files[0]
    assert all("is used up" in entry.reason or "off in" in entry.reason for entry in report.outcomes.not_checked)
    assert len(report.outcomes.not_checked) > 100
    assert not report.outcomes.clean


def test_own_rules_are_whole() -> None:
    assert {code: fault_of(entry, is_given) for code, entry in load_rules().items() if fault_of(entry, is_given)} == {}


def test_unknown_field_of_a_template_is_seen() -> None:
    def yields(document):
        yield Problem(document, length=1)

    entry = Rule("X", "x", Severity.INFO, "x", {"": "{lenght}"}, yields, ("document",))
    assert "lenght" in fault_of(entry, is_given)


def test_inputs_are_frozen() -> None:
    class Own:
        __module__ = "imgcif_core.x"

        def __init__(self) -> None:
            self.array = np.zeros(3)
            self.inner = [{"a": np.ones(2)}]

    own = frozen(Own())
    for array in (own.array, own.inner[0]["a"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_no_rule_changes_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every input of every rule is the same after the rule as before it, down to the bytes of its arrays."""
    seen: list[tuple[str, np.ndarray, bytes]] = []
    known: set[int] = set()

    def arrays(value, depth=5):
        if isinstance(value, np.ndarray):
            yield value
        elif depth and isinstance(value, (list, tuple)):
            for part in value[:50]:
                yield from arrays(part, depth - 1)
        elif depth and isinstance(value, dict):
            for part in list(value.values())[:200]:
                yield from arrays(part, depth - 1)
        elif depth and type(value).__module__.startswith("imgcif_core.") and id(value) not in known:
            known.add(id(value))
            names = [name for name in getattr(type(value), "__slots__", ()) if isinstance(name, str)]
            parts = [getattr(value, name, None) for name in names] + list(getattr(value, "__dict__", {}).values())
            for part in parts:
                yield from arrays(part, depth - 1)

    original = engine.Inputs.get

    def watched(self, name):
        value = original(self, name)
        for array in arrays(value):
            if array.dtype.kind != "O" and array.nbytes < 1 << 16:
                seen.append((name, array, array.tobytes()))
        return value

    monkeypatch.setattr(engine.Inputs, "get", watched)
    check_document(api.read(EXAMPLE), api.load_dictionary(), CheckOptions())
    assert len(seen) > 100
    for name, array, before in seen:
        assert array.tobytes() == before, name


def test_limits_are_read_and_refused() -> None:
    found = Limits().with_settings(["memory=512MiB", "cpu=none", "wall=2.5", "members=10k"])
    assert (found.memory, found.cpu, found.wall, found.members) == (512 << 20, None, 2.5, 10_000)
    for text in ("memory", "memory=x", "memory=-1", "nothing=1", "cpu=1e400"):
        with pytest.raises(UsageError, match="--limit"):
            Limits().with_settings([text])
