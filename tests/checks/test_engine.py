"""How rules end: six outcomes, blocking, crashes kept apart, grouping, selection, profiles, plug-ins."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared import EXAMPLE, ROOT

import imgcif_core
from imgcif_core import CheckOptions, FileReport, UsageError
from imgcif_core.checks import registry
from imgcif_core.checks.families import FAMILY_OF
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.cif.document import Document, Place
from imgcif_core.cli import check_main


@pytest.fixture(autouse=True)
def alone(own_registry: None) -> None:
    """Rules of a test are gone after it."""


def judged(text: str = "data_a\n_axis.id x\n", **options: object) -> FileReport:
    (entry,) = imgcif_core.check(text.encode(), options=CheckOptions(**options), name="t.cif").files
    return entry


def add(code: str, function, **settings: object) -> None:
    settings = {"severity": "warning", "source": "a test", "message": "said {what}", **settings}
    rule(code, f"rule-{code.lower()}", **settings)(function)


def at_start(document: Document) -> Place:
    return Place(document.source, 0, 1)


def test_a_rule_that_says_nothing_is_clean() -> None:
    add("TST001", lambda document: iter(()))
    assert "TST001" in judged().outcomes.clean


def test_a_rule_without_anything_to_judge_is_not_applicable() -> None:
    def nothing(document: Document) -> Iterator[Problem]:
        raise NotApplicable("nothing there")
        yield

    add("TST001", nothing)
    assert "TST001" in judged().outcomes.not_applicable


def test_a_rule_that_could_not_look_says_why() -> None:
    def offline(document: Document) -> Iterator[Problem]:
        raise NotChecked("offline")
        yield

    add("TST001", offline)
    (entry,) = [unchecked for unchecked in judged().outcomes.not_checked if unchecked.rule == "TST001"]
    assert entry.reason == "offline"


def test_a_blocked_input_blocks_its_rules_and_names_the_finding() -> None:
    @provider("broken_thing")
    def broken_thing(document: Document) -> object:
        raise Blocked("SYN001")

    add("TST001", lambda broken_thing: iter(()))
    add("TST002", lambda broken_thing, document: iter(()))
    blocked = {entry.rule: entry.by for entry in judged().outcomes.blocked}
    assert (blocked["TST001"], blocked["TST002"]) == (("SYN001",), ("SYN001",))


def test_an_input_is_built_once_for_all_rules() -> None:
    built = []

    @provider("counted_thing")
    def counted_thing(document: Document) -> int:
        built.append(1)
        return 1

    for code in ("TST001", "TST002", "TST003"):
        add(code, lambda counted_thing: iter(()))
    judged("data_a\n_axis.id x\ndata_b\n_axis.id y\n")
    assert built == [1]


def test_a_crash_is_a_finding_and_the_other_rules_go_on() -> None:
    def crashes(document: Document) -> Iterator[Problem]:
        yield Problem(at_start(document), what="one thing")
        raise ZeroDivisionError("by nought")

    add("TST001", crashes)
    add("TST002", lambda document: iter([Problem(at_start(document), what="another")]))
    entry = judged()
    assert [unchecked.rule for unchecked in entry.outcomes.crashed] == ["TST001"]
    told = {finding.rule: finding.message for finding in entry.findings}
    assert [finding.rule for finding in entry.findings].count("TST001") == 2
    messages = " ".join(finding.message for finding in entry.findings)
    assert "crashed and did not finish - ZeroDivisionError: by nought at" in messages
    assert told["TST002"] == "said another"


def test_a_crashed_input_crashes_its_rules_only_and_the_trace_is_kept_on_request() -> None:
    @provider("crashing_thing")
    def crashing_thing(document: Document) -> object:
        return [][1]

    add("TST001", lambda crashing_thing: iter(()))
    add("TST002", lambda document: iter(()))
    entry = judged(debug=True)
    assert [unchecked.rule for unchecked in entry.outcomes.crashed] == ["TST001"]
    (finding,) = [found for found in entry.findings if found.rule == "TST001"]
    assert "input crashing_thing stopped on IndexError" in finding.message
    assert any("crashing_thing" in step for step in finding.data["trace"])


def test_a_crash_ends_with_status_3(capsys: pytest.CaptureFixture[str]) -> None:
    add("TST001", lambda document: iter([1 / 0]))
    assert check_main([str(EXAMPLE), "--debug"]) == 3
    said = capsys.readouterr()
    assert "TST001: ZeroDivisionError" in said.err
    assert "Traceback" not in said.out + said.err


def test_repeats_are_one_finding_with_a_count_and_places() -> None:
    def repeats(document: Document) -> Iterator[Problem]:
        for offset in range(100):
            yield Problem(Place(document.source, offset % 10, offset % 10 + 1), what="the same")

    add("TST001", repeats)
    (finding,) = [found for found in judged().findings if found.rule == "TST001"]
    assert (finding.count, len(finding.more)) == (100, 5)


def test_different_messages_are_capped_and_the_rest_is_counted() -> None:
    def varied(document: Document) -> Iterator[Problem]:
        for number in range(1000):
            yield Problem(at_start(document), what=number)

    add("TST001", varied)
    found = [finding for finding in judged().findings if finding.rule == "TST001"]
    assert len(found) == 11
    assert sum(finding.count for finding in found) == 1000
    assert found[-1].message.startswith("990 more of the same kind")


def test_a_code_is_given_once() -> None:
    add("TST001", lambda document: iter(()))
    with pytest.raises(UsageError, match="TST001 is registered twice"):
        add("TST001", lambda document: iter(()))


def test_selection_goes_by_code_family_and_name() -> None:
    def reasons(**options: object) -> dict[str, str]:
        return {entry.rule: entry.reason for entry in judged(**options).outcomes.not_checked}

    assert reasons(select=("DIC",))["SYN001"] == "not selected"
    assert "DIC001" not in reasons(select=("DIC",))
    assert reasons(ignore=("DIC001",))["DIC001"] == "ignored on request"
    assert reasons(ignore=("unknown-data-name",))["DIC001"] == "ignored on request"


def test_a_block_is_judged_alone_on_request() -> None:
    text = "data_a\n_axis.idd x\ndata_b\n_axis.iddd y\n"
    told = [finding.message for finding in judged(text, block="b").findings if finding.rule == "DIC001"]
    assert len(told) == 1
    assert "iddd" in told[0] or "none of the 1" in told[0]


def test_findings_stand_in_the_order_of_the_file() -> None:
    (entry,) = imgcif_core.check(ROOT / "examples" / "faulty.cif").files
    lines = [finding.location.span.line for finding in entry.findings]
    assert lines == sorted(lines)


def test_a_profile_changes_severities_and_drops_families(tmp_path: Path) -> None:
    path = tmp_path / "strict.toml"
    path.write_text('extends = "core"\nfamilies = ["DIC"]\n[rules]\nDIC001 = "error"\nDIC003 = "off"\n')
    entry = judged("data_a\n_axis.id x\n_axis.idd y\n", profile=str(path))
    assert entry.profile == "strict"
    assert [str(found.severity) for found in entry.findings if found.rule == "DIC001"] == ["error"]
    reasons = {unchecked.rule: unchecked.reason for unchecked in entry.outcomes.not_checked}
    assert reasons["SYN001"] == reasons["DIC003"] == "off in profile strict"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rules]\nDIC001 = 'fatal'", "none of off, error, warning, info"),
        ("[rules", "is not TOML"),
        ("extends = 'nowhere'", "no profile named nowhere"),
    ],
)
def test_a_profile_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        judged(profile=str(path))


def test_the_families_of_this_package_are_known_to_the_profiles() -> None:
    own = {entry.family for entry in registry.load_rules().values() if entry.function.__module__.startswith("imgcif")}
    assert own <= set(FAMILY_OF)


def test_a_profile_does_not_switch_off_rules_of_other_packages() -> None:
    add("TST001", lambda document: iter(()))
    assert "TST001" in judged("data_a\n_map.id 1\n").outcomes.clean


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("data_a\n_map.id 1\n", "maps"),
        ("data_a\n_array_data.header_contents x\n", "minicbf"),
        ("data_a\n_axis.id x\n", "geometry-template"),
        ("data_a\n_diffrn_scan.id 1\n_axis.id x\n", "core"),
        ("data_a\n_cell.length_a 1\n", "core"),
    ],
)
def test_the_profile_that_fits_is_chosen(text: str, profile: str) -> None:
    assert judged(text).profile == profile


PLUGIN = '''
from imgcif_core.checks.registry import Problem, rule
from imgcif_core.cif.document import Place


@rule("LAB001", "lab-rule", severity="info", source="House rules", message="seen by {who}")
def lab_rule(document):
    """What: A rule of a laboratory runs.
    Why: Laboratories have rules of their own.
    How to fix: Nothing needs to be mended.
    Source: House rules.
    """
    yield Problem(Place(document.source, 0, 1), who="our lab")
'''


def test_a_package_adds_rules_by_its_entry_point(tmp_path: Path) -> None:
    (tmp_path / "lab_rules.py").write_text(PLUGIN)
    info = tmp_path / "lab_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[imgcif_core.rules]\nlab = lab_rules\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "imgcif_core.cli", "check", str(EXAMPLE), "--select", "LAB", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "LAB001 lab-rule" in done.stdout, done.stderr
    assert "seen by our lab" in done.stdout


def test_former_names_of_rules_are_accepted() -> None:
    from imgcif_core.testing import is_allowed

    reasons = {
        entry.rule: entry.reason
        for entry in judged(profile="core", ignore=("authors-and-licence",)).outcomes.not_checked
    }
    assert reasons["MTA012"] == "ignored on request"
    assert is_allowed("MTA012", "authors-not-named", ["authors-and-licence"])
    assert not is_allowed("MTA011", "sample-not-described", ["authors-and-licence"])
