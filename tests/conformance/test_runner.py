"""The runner of the suite: outcomes kept apart, adapters told from tools, time limits, skips, reports."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from runner import cases as suite
from runner.adapter import Adapter, AdapterError, Answer, Found, faults_of, load, names, read_output
from runner.judge import difference, judge
from runner.show import badge

CONFORMANCE = Path(__file__).parent.parent.parent / "conformance"

RUN = [sys.executable, "-I", str(CONFORMANCE / "run.py")]
ONE = ["--only", "dic/DIC001"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The runner as a stranger calls it: isolated from this package."""
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, check=False)


def outcome(*arguments: str) -> dict:
    """The counts of a run."""
    return json.loads(run("run", "--format", "json", *arguments).stdout)


def case(**changes: object) -> suite.Case:
    values = {
        "id": "dic/DIC001-x/fail-x",
        "family": "dic",
        "kind": "check",
        "folder": Path(),
        "rule": "DIC001",
        "title": "t",
        "level": "required",
        "source": "s",
        "input": "x.cif",
        "base": None,
        "version": "2.0",
        "scope": "all",
        "expect": {
            "conforming": False,
            "findings": [{"rule": "DIC001", "severity": "error", "item": "_A.b", "key": {"id": "1"}, "line": 3}],
        },
    }
    return suite.Case(**{**values, **changes})


OURS = Adapter("ours", {"command": ["x"], "claims": {"depth": "C", "values": True}})
RIGHT = Found(("DIC001",), "DIC001", "error", "_a.B", {"id": "1", "more": "2"}, 3)


def test_a_right_answer_passes_all_depths() -> None:
    result = judge(case(), Answer(False, (RIGHT,)), OURS, "C")
    assert (result.outcome, result.depths) == ("passed", {"A": True, "B": True, "C": True})


@pytest.mark.parametrize(
    ("found", "depths"),
    [
        (Found(("DIC001",), "DIC001", "error", "_a.b", {"id": "1"}, 4), {"A": True, "B": True, "C": False}),
        (Found(("DIC001",), "DIC001", "error", "_a.b", {"id": "2"}, 3), {"A": True, "B": True, "C": False}),
        (Found(("DIC002",), "DIC002", "error", "_a.b", {"id": "1"}, 3), {"A": True, "B": False, "C": False}),
    ],
    ids=["line", "key", "code"],
)
def test_a_wrong_place_or_code_fails_from_its_depth_on(found: Found, depths: dict[str, bool]) -> None:
    assert judge(case(), Answer(False, (found,)), OURS, "C").depths == depths


def test_a_second_warning_fails_depth_b_and_a_remark_does_not() -> None:
    other = Found(("DIC009",), "DIC009", "warning")
    remark = Found(("DIC020",), "DIC020", "info")
    assert judge(case(), Answer(False, (RIGHT, other)), OURS, "C").depths["B"] is False
    assert judge(case(), Answer(False, (RIGHT, remark)), OURS, "C").outcome == "passed"


def test_no_answer_is_an_error_not_a_failure() -> None:
    assert judge(case(), Answer(error="no answer within 1 s"), OURS, "C").outcome == "errored"


def test_a_tool_without_codes_is_judged_at_depth_a_only() -> None:
    plain = Adapter("plain", {"command": ["x"], "claims": {"depth": "A"}})
    assert judge(case(), Answer(False), plain, "C").depths == {"A": True}


def test_values_are_compared_with_their_kind() -> None:
    def document(value: object) -> dict:
        return {"blocks": [{"code": "x", "items": {"_a": [value]}}]}

    assert difference(document("1"), document("1")) == ""
    assert "_a is 'b'" in difference(document("a"), document("b"))
    assert difference(document({"null": "?"}), document("?"))
    assert difference(document({"null": "?"}), document("?"), tells_nulls=False) == ""
    assert difference(document({"table": {"k": ["1"]}}), document({"table": {"k": ["1"]}})) == ""
    assert difference(document(["1", ["2"]]), document(["1", "2"]))


def test_output_is_read_by_patterns_and_unknown_statuses_are_refused() -> None:
    form = {"format": "lines", "patterns": [{"pattern": r"{file}:(?P<line>\d+): (?P<code>\w+)"}]}
    adapter = Adapter("t", {"command": ["x"], "output": form, "codes": {"parse*": "SYN*"}})
    answer = read_output(adapter, 1, "a.cif:7: parse_error\nnoise\n", "a.cif")
    assert answer.accepted is False
    assert [(one.codes, one.line) for one in answer.findings] == [(("SYN*",), 7)]
    with pytest.raises(AdapterError, match="exit status 139"):
        read_output(adapter, 139, "", "a.cif")


def test_an_adapter_whose_sample_is_misread_is_at_fault() -> None:
    sample = {"exit": 1, "output": "", "accepted": True}
    assert list(faults_of(Adapter("t", {"command": ["x"], "samples": [sample]})))


def test_accept_all_and_reject_all_fail_clearly() -> None:
    for name in ("accept-all", "reject-all"):
        result = run("run", "--tool", name, "--format", "json", "--only", "rel/", "--only", "dic/DIC00")
        counts = json.loads(result.stdout)["counts"]
        assert result.returncode == 1
        assert counts["failed"] >= 0.2 * sum(counts.values())
        assert counts["errored"] == counts["skipped"] == 0
        assert "the tool is wrong" in result.stderr


def test_a_tool_that_cannot_be_started_is_the_adapters_fault() -> None:
    result = run("run", "--command", "no-such-program {file}", *ONE)
    assert result.returncode == 2
    assert "the adapter is wrong" in result.stderr
    counts = outcome("--command", "no-such-program {file}", "--no-smoke", *ONE)["counts"]
    assert counts["errored"] == sum(counts.values()) > 0


def test_a_tool_that_hangs_is_stopped(tmp_path: Path) -> None:
    script = tmp_path / "hang.py"
    script.write_text("import time\ntime.sleep(60)\n")
    for way in ("--command", "--harness"):
        told = outcome(way, f"{sys.executable} {script}", "--timeout", "0.3", "--no-smoke", "--only", "fail-misspelt")
        assert told["counts"]["errored"] == 1
        assert "within 0.3 s" in told["results"][0]["reason"]


def test_a_harness_that_dies_is_started_again(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import sys\nsys.stdin.readline()\nsys.exit(3)\n")
    told = outcome("--harness", f"{sys.executable} {script}", "--no-smoke", *ONE)
    assert told["counts"]["errored"] == len(told["results"]) > 1
    assert all("exit status 3" in result["reason"] for result in told["results"])


def test_a_skip_needs_a_reason_and_is_told_when_it_would_pass() -> None:
    assert run("run", "--tool", "reject-all", "--skip", "DIC001=").returncode == 2
    told = outcome("--tool", "reject-all", "--only", "dic/DIC001", "--skip", "DIC001=not ready")
    assert told["counts"]["skipped"] >= 5
    # reject-all is right where a case of DIC001 has an error.
    folder = "dic/DIC001-unknown-data-name"
    assert sorted(told["stale_skips"]) == [f"{folder}/fail-dictionary-as-data", f"{folder}/fail-nothing-known"]


def test_what_a_tool_does_not_claim_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"command": [sys.executable, "-c", "0"], "claims": {"depth": "A", "cases": ["DIC002"]}}))
    told = outcome("--tool", str(path), "--only", "dic")
    counts = told["counts"]
    assert counts["skipped"] > counts["passed"] + counts["failed"] > 0
    assert outcome("--tool", str(path), "--only", "dic", "--unclaimed")["counts"]["skipped"] == 0


def test_the_badge_is_green_only_when_all_pass() -> None:
    def of(passed: int, failed: int) -> dict:
        counts = {"passed": passed, "failed": failed, "errored": 0, "skipped": 4}
        return badge({"counts": counts, "families": {"dic": {"depths": {"A": [passed, passed + failed]}}}})

    assert of(10, 0)["color"] == "brightgreen"
    assert of(9, 1)["message"] == "9/10 at depth A"
    assert of(9, 1)["color"] == "yellow"


def test_list_shows_ids_and_titles() -> None:
    rows = json.loads(run("list", "--only", "dic", "--format", "json").stdout)
    assert {"id", "kind", "title", "version", "conforming"} <= set(rows[0])
    assert all(row["id"].startswith("dic/") for row in rows)
    assert run("list", "--only", "no-such-case").returncode == 0


@pytest.mark.parametrize("name", names())
def test_each_adapter_is_sound_in_itself(name: str) -> None:
    assert load(name).data["about"]


def test_our_harness_and_our_command_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from imgcif_core import conformance_run

    assert conformance_run.run(["run", *ONE, "-o", "/dev/null"]) == 0
    command = f"{sys.executable} -m imgcif_core.cli check {{file}}"
    assert conformance_run.run(["run", "--command", command, *ONE, "-o", "/dev/null"]) == 0


def test_harnesses_side_by_side_keep_the_order_of_the_cases() -> None:
    command = f"{sys.executable} -m imgcif_core.cli conformance harness"
    one, two = (outcome("--harness", command, "--only", "dic/DIC00", "--jobs", jobs) for jobs in ("1", "3"))
    assert [result["id"] for result in one["results"]] == [result["id"] for result in two["results"]]
    assert one["counts"] == two["counts"]
    assert one["counts"]["failed"] == one["counts"]["errored"] == 0


def readme_commands() -> list[list[str]]:
    """The commands of the README that need no tool of the reader's."""
    text = (CONFORMANCE / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^python3 conformance/(\S+\.py)([^#\n]*)", text, re.M)
    return [[script, *shlex.split(rest)] for script, rest in lines if "my-" not in rest]


@pytest.mark.parametrize("command", readme_commands(), ids=" ".join)
def test_the_commands_of_the_readme_run_without_the_package(command: list[str], tmp_path: Path) -> None:
    script, *rest = command
    # Makers write; here they only compare.
    rest += ["--check"] if script.startswith("make") else []
    result = subprocess.run(
        [sys.executable, "-I", str(CONFORMANCE / script), *rest],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = 1 if "accept-all" in rest else 0
    assert result.returncode == expected, result.stdout + result.stderr


def test_the_readme_names_each_field_of_the_adapters() -> None:
    text = (CONFORMANCE / "README.md").read_text(encoding="utf-8")
    used = {field for name in names() for field in load(name).data}
    missing = {field for field in used - {"schema", "name", "about"} if f"`{field}`" not in text}
    assert missing <= {"needs", "version", "environment", "create", "geometry"}
