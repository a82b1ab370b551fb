"""A new rule begins as a module and a case folder that are right but for what only its author knows."""

import ast
import json
from pathlib import Path

import pytest

from imgcif_core.checks import __main__ as command
from imgcif_core.checks.families import FAMILIES
from imgcif_core.checks.registry import FILE_INPUTS, load_rules, providers
from imgcif_core.checks.scaffold import input_table, new_rule
from imgcif_core.errors import UsageError


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "imgcif_core" / "checks").mkdir(parents=True)
    (tmp_path / "conformance" / "datasets").mkdir(parents=True)
    return tmp_path


def new(clone: Path, *words: str) -> int:
    return command.main(["new", *words, "--root", str(clone)])


def test_module_and_case_stand_where_they_belong(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(clone, "AXI999", "vector-too-red", "--item", "_axis.vector[1]", "--who", "beamline") == 0
    module = clone / "imgcif_core/checks/axes/vector_too_red.py"
    case = clone / "conformance/datasets/axi/AXI999-vector-too-red/case.json"
    assert capsys.readouterr().out.splitlines()[:2] == [str(module), str(case)]
    (function,) = [node for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert function.name == "vector_too_red"
    document = json.loads(case.read_text())
    assert [entry["id"] for entry in document["cases"]] == ["pass-base", "fail-first"]
    assert document["cases"][1]["expect"]["findings"][0]["rule"] == "AXI999"
    assert document["source"] == "_axis.vector[1]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["AXI001", "quite-new"], "AXI001 has this code or name already"),
        (["AXI999", load_rules()["AXI002"].name], "AXI002 has this code or name already"),
        (["XYZ001", "quite-new"], "XYZ001 is no code"),
        (["AXI1", "quite-new"], "AXI1 is no code"),
        (["SYN999", "quite-new"], "found by the reader"),
        (["AXI999", "Quite_New"], "is no name"),
        (["AXI999", "quite-new", "--item", "_axis.colour"], "no item _axis.colour"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_is_one_sentence(
    clone: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    item = [] if "--item" in words else ["--item", "_axis.vector[1]"]
    assert new(clone, *words, *item) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(clone.rglob("*.py"))


def test_nothing_is_overwritten_and_no_other_folder_written(clone: Path, tmp_path: Path) -> None:
    made = new_rule("AXI999", "vector-too-red", "_axis.vector[1]")
    made.write(clone)
    with pytest.raises(UsageError, match="is there already"):
        made.write(clone)
    with pytest.raises(UsageError, match="no clone"):
        made.write(tmp_path / "elsewhere")


def test_all_that_rules_ask_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = {name for name, *_ in input_table()}
    asked = {name for rule in load_rules().values() for name in rule.inputs}
    assert asked <= told
    assert told == FILE_INPUTS | {"tables", "block"} | set(providers())
    assert all(kind and text for _, kind, _, text in input_table())
    assert command.main(["inputs"]) == 0
    assert "detector: Detector from " in capsys.readouterr().out


def test_each_family_has_its_package() -> None:
    for family in FAMILIES:
        modules = {rule.function.__module__ for rule in load_rules().values() if rule.family == family.letters}
        assert modules
        if family.package:
            assert f"imgcif_core.checks.{family.package}" in {module.rsplit(".", 1)[0] for module in modules}
