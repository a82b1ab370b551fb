"""The lint of the suite finds each kind of fault that a case can have."""

import json
from collections.abc import Callable
from pathlib import Path

import lint
import make
import pytest

BASE = "#\\#CIF_2.0\ndata_x\n_axis.id omega\n_axis.type rotation\n"


def case(name: str, **changes: object) -> dict:
    fails = name.startswith("fail")
    findings = [{"rule": "DIC006", "severity": "error", "line": 4}] if fails else []
    values = {
        "id": name,
        "title": f"what {name} shows",
        "input": f"{name}.cif",
        "base": "plain",
        "edit": [{"replace": ["rotation", "upward"]}] if fails else [],
        "expect": {"conforming": not fails, "findings": findings},
    }
    return {**values, **changes}


def document(*cases: dict, **changes: object) -> dict:
    values = {
        "schema": 1,
        "rule": "DIC006",
        "level": "required",
        "source": "_enumeration_set.state",
        "dictionary": {"title": "CIF_IMG", "version": "1.8.9"},
        "cases": list(cases) or [case("pass-a"), case("fail-b")],
    }
    return {**values, **changes}


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Writes a suite of one folder and gives what the lint says of it."""
    monkeypatch.setattr(make, "DATASETS", tmp_path)
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "plain.cif").write_text(BASE)

    def run(
        content: dict, place: str = "dic/DIC006-state-not-enumerated", spoil: str = "", extra: str = ""
    ) -> list[str]:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        path = folder / "case.json"
        path.write_text(json.dumps(content))
        for entry in content["cases"]:
            try:
                data = make.build(entry)
            except (make.EditError, KeyError):
                continue
            (folder / entry.get("input", "none.cif")).write_bytes(data)
        if spoil:
            (folder / spoil).write_text("data_other\n")
        if extra:
            (folder / extra).write_text("")
        return list(lint.Suite().faults_of(path))

    return run


def test_a_sound_folder_has_no_fault(faults: Callable[..., list[str]]) -> None:
    assert faults(document()) == []


def expecting(*findings: dict, conforming: bool = False) -> dict:
    return {"conforming": conforming, "findings": list(findings)}


OWN = {"rule": "DIC006", "severity": "error"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (document(schema=2), "schema is not 1"),
        (document(level="grave"), "level is none of"),
        (document(source=""), "no source is cited"),
        (document(dictionary={}), "no dictionary is named"),
        (document(rule="DIC007"), "not named CODE-name"),
        (document(case("pass-a")), "needs a passing and a failing case"),
        (document(case("pass-a"), case("fail-b", title="what pass-a shows")), "has the title of"),
        (document(case("pass-a"), case("fail-b", input="other.cif")), "not named after the case"),
        (document(case("pass-a"), case("fail-b", edit=[{"replace": ["absent", "x"]}])), "occurs 0 times"),
        (document(case("pass-a"), case("fail-b", edit=[])), "unchanged, and yet fails"),
        (document(case("pass-a"), case("fail-b", expect={})), "expects no verdict"),
        (document(case("pass-a"), case("fail-b", expect=expecting())), "findings say otherwise"),
        (document(case("pass-a"), case("fail-b", expect=expecting({**OWN, "line": 99}))), "beyond the end of the file"),
        (document(case("pass-a"), case("fail-b", expect=expecting({"rule": "DIC006"}))), "needs rule and severity"),
        (document(case("pass-a"), case("fail-b", expect=expecting({**OWN, "rule": "DIC008"}))), "expect its own rule"),
        (
            document(
                case("pass-a"), case("fail-b", expect=expecting(*({**OWN, "rule": f"DIC00{n}"} for n in (6, 7, 8))))
            ),
            "more than one thing",
        ),
        (document(case("pass-a"), {"id": "fail-b"}), "lacks"),
        (
            document(case("pass-a"), case("pass-c", expect=expecting(OWN)), case("fail-b")),
            "a passing case expects its own rule",
        ),
    ],
)
def test_each_fault_is_told(faults: Callable[..., list[str]], content: dict, said: str) -> None:
    assert any(said in fault for fault in faults(content))


def test_files_that_differ_from_their_edits_or_belong_to_no_case_are_told(faults: Callable[..., list[str]]) -> None:
    found = faults(document(), spoil="fail-b.cif", extra="notes.txt")
    assert any("is not what the edits make" in fault for fault in found)
    assert any("files without a case: notes.txt" in fault for fault in found)


def test_opposite_verdicts_on_one_file_are_told(faults: Callable[..., list[str]]) -> None:
    same = case("pass-c", edit=[{"replace": ["rotation", "upward"]}])
    assert any("opposite verdict" in fault for fault in faults(document(case("pass-a"), case("fail-b"), same)))


def test_a_folder_below_the_wrong_family_is_told(faults: Callable[..., list[str]]) -> None:
    assert any("below its family" in fault for fault in faults(document(), "rel/DIC006-state-not-enumerated"))
