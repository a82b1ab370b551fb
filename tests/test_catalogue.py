"""One rule: one code, one function with its prose, one case folder."""

import ast
import inspect
import re
import string
import sys
from pathlib import Path

import pytest

from imgcif_core.checks.menders import _BY_MENDER, MENDERS
from imgcif_core.checks.registry import HEADINGS, Rule, load_rules

DATASETS = Path(__file__).parent.parent / "conformance" / "datasets"
RULES = list(load_rules().values())


def case_folders(rule: Rule) -> list[Path]:
    return list(DATASETS.glob(f"{rule.family.lower()}/{rule.code}-*/case.json"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_prose_has_the_four_headings(rule: Rule) -> None:
    prose = rule.prose
    assert tuple(prose) == HEADINGS
    for head, text in prose.items():
        assert len(text.split()) >= (1 if head == "Source" else 4), head
        assert head == "Source" or text.endswith("."), f"{head}: {text[-40:]}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_code_name_and_source_are_well_formed(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{3}\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.source


def names_its_mender(rule: Rule) -> bool:
    """True if the rule says itself who can mend what it finds."""
    tree = ast.parse(inspect.getsource(sys.modules[rule.function.__module__]))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    (own,) = [node for node in calls if isinstance(node.args[0], ast.Constant) and node.args[0].value == rule.code]
    return any(word.arg == "who" for word in own.keywords)


def test_who_can_mend_is_judged_once_for_each_rule_and_no_other() -> None:
    judged = [code for codes in _BY_MENDER.values() for code in codes.split()]
    judged += [rule.code for rule in RULES if names_its_mender(rule)]
    assert len(judged) == len(set(judged))
    assert set(judged) == {rule.code for rule in RULES}
    assert set(_BY_MENDER) <= MENDERS


def test_names_are_unique() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_messages_are_one_line_in_the_house_style(rule: Rule) -> None:
    templates = [text for text in rule.messages.values() if text]
    assert templates
    for text in templates:
        list(string.Formatter().parse(text))
        assert "\n" not in text
        assert not text.endswith(".")


# What these judge comes over the network; their own tests give it to them.
FED_FROM_OUTSIDE = {"EXT030"}


@pytest.mark.parametrize("code", sorted(FED_FROM_OUTSIDE))
def test_a_rule_without_a_case_folder_has_tests_of_its_own(code: str) -> None:
    modules = (Path(__file__).parent / "checks").glob("test_*.py")
    assert any(f'"{code}"' in path.read_text(encoding="utf-8") for path in modules)


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.code not in FED_FROM_OUTSIDE], ids=lambda rule: rule.code
)
def test_each_rule_has_its_case_folder(rule: Rule) -> None:
    folders = case_folders(rule)
    assert len(folders) == 1, f"{rule.code} has {len(folders)} case folders"
    assert folders[0].parent.name == f"{rule.code}-{rule.name}"
    inputs = [path.name for path in folders[0].parent.iterdir()]
    assert any(name.startswith("pass-") for name in inputs)
    assert any(name.startswith("fail-") for name in inputs)


def test_no_case_folder_is_without_a_rule() -> None:
    codes = {rule.code for rule in RULES}
    others = {"generate", "syntax", "ddlm"}
    folders = {path.parent.name[:6] for path in DATASETS.glob("*/*/case.json") if path.parts[-3] not in others}
    assert folders <= codes
