"""Kinds of dictionaries: told apart, refused as judges, and not taken for data."""

from pathlib import Path

import pytest
from dictionaries import FRAMES, HEAD, dictionary, edited, write

from imgcif_core import InputError, check, load_dictionary
from imgcif_core.cli import check_main

DDL2 = """\
data_old.dic
_datablock.id old.dic
_dictionary.title old.dic
_dictionary.version 1.0
save__cell.length_a
_item_description.description 'the length'
_item.name '_cell.length_a'
_item.category_id cell
_item.mandatory_code no
_item_type.code float
save_
"""
DDL1 = """\
data_on_this_dictionary
_dictionary_name cif_old.dic
_dictionary_version 2.0
data_cell_length_a
_name '_cell_length_a'
_category cell
_type numb
_definition 'the length'
"""
TEMPLATE = """\
#\\#CIF_2.0
data_T
_dictionary.title T
_dictionary.class Template
save_length
_type.contents Real
save_
"""
DATA = "#\\#CIF_2.0\ndata_x\n_sample.id A\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [(DDL2, "is a DDL2 dictionary"), (DDL1, "is a DDL1 dictionary"), (TEMPLATE, "is a template dictionary")],
    ids=["DDL2", "DDL1", "template"],
)
def test_a_dictionary_that_cannot_judge_is_refused_in_one_sentence(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "x.cif"
    data.write_text(DATA, encoding="utf-8")
    assert check_main(["--dictionary", str(write(tmp_path, text)), str(data)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("text", [DDL2, DDL1, TEMPLATE, dictionary()], ids=["DDL2", "DDL1", "template", "DDLm"])
def test_a_dictionary_as_data_is_told_once_and_does_not_pass(text: str) -> None:
    (report,) = check(text.encode()).files
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert [finding.rule for finding in errors] == ["DIC001"]
    assert "is a dictionary" in errors[0].message
    assert not any(finding.rule == "SYN016" for finding in report.findings)


@pytest.fixture
def with_gap(tmp_path: Path) -> Path:
    start = "\n".join(FRAMES["sample.cell"].splitlines()[:4])
    body = f"{start}\n_type.contents Real\n_import.get [{{'file':templates.cif 'save':length}}]\n"
    return write(tmp_path, dictionary(sample__cell=body))


def test_without_an_import_the_rest_judges_only_when_asked_and_the_gap_is_told(
    with_gap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="--lenient-imports"):
        load_dictionary([with_gap])
    data = tmp_path / "x.cif"
    data.write_text(DATA + "_sample.mass -5.0\n_sample.colour red\n", encoding="utf-8")
    assert check_main(["--dictionary", str(with_gap), "--lenient-imports", "--format", "json", str(data)]) == 1
    import json

    report = json.loads(capsys.readouterr().out)
    assert "templates.cif" in report["dictionaries"][0]["gaps"][0]
    rules = {finding["rule"]: finding["severity"] for finding in report["files"][0]["findings"]}
    assert rules["DIC011"] == "error"
    # What the missing import may define is no misspelt name.
    assert rules["DIC001"] == "info"


def test_a_full_import_of_a_head_by_another_name_takes_the_head(tmp_path: Path) -> None:
    other = dictionary(
        HEAD.replace("TESTS", "OTHER"), TESTS_HEAD=None, OTHER_HEAD=FRAMES["TESTS_HEAD"].replace("TESTS", "OTHER")
    )
    write(
        tmp_path,
        other.replace("sample", "piece")
        .replace("SAMPLE", "PIECE")
        .replace("category_id TESTS_HEAD", "category_id OTHER_HEAD"),
        "other.dic",
    )
    head = FRAMES["TESTS_HEAD"] + "_import.get [{'file':other.dic 'save':HEAD 'mode':Full 'dupl':Ignore}]\n"
    judge = load_dictionary([write(tmp_path, dictionary(TESTS_HEAD=head))], is_lenient=True)
    assert judge.lookup("_piece.mass") is not None
    assert "its Head OTHER_HEAD is taken" in judge.gaps[0]


def test_rules_of_the_instrument_are_off_where_the_dictionary_has_none(tmp_path: Path) -> None:
    judge = load_dictionary([write(tmp_path, dictionary())])
    (report,) = check(DATA.encode(), dictionary=judge).files
    reasons = {entry.rule: entry.reason for entry in report.outcomes.not_checked}
    assert reasons["AXI001"] == "dictionary TESTS does not define the instrument of imgCIF"
    assert "DIC008" not in reasons


def test_methods_are_recorded_by_purpose_and_by_what_they_set(tmp_path: Path) -> None:
    text = edited(
        "sample.cell",
        "_type.dimension '[3]'\n",
        "loop_ _method.purpose _method.expression\nEvaluation 'sample.cell = [1. 1. 1.]'\n"
        "Definition\n;\n_type.dimension = '[3]'\n_units.code = 'angstroms'\nx == _sample.id\n;\n",
    )
    item = load_dictionary([write(tmp_path, text)]).lookup("_sample.cell")
    assert item is not None
    assert (item.methods, item.sets) == (("Evaluation", "Definition"), ("_type.dimension", "_units.code"))
    assert item.is_made_by_method


NESTED = """\
_definition.id '_sample.rows'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id rows
_type.purpose Number
_type.source Recorded
_type.container List
_type.contents ByReference
_type.contents_referenced_id '_sample.cell'
"""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[[1 2 3] [4 5 6]]", []),
        ("[]", []),
        ("[[1 2 3] 4]", ["is a single value"]),
        ("[[1 2] [4 5 6]]", ["has the shape [2]"]),
        ("[[1 2 x]]", ["is 'x'"]),
        ("[1 2 3]", ["is a single value"] * 3),
    ],
)
def test_elements_take_the_form_of_the_item_that_is_referenced(value: str, told: list[str], tmp_path: Path) -> None:
    judge = load_dictionary([write(tmp_path, dictionary(sample__rows=NESTED))])
    (report,) = check(f"{DATA}_sample.rows {value}\n".encode(), dictionary=judge).files
    messages = [finding.message for finding in report.findings if finding.rule == "DIC008"]
    assert len(messages) == len(set(told)), messages
    assert all(words in message for words, message in zip(dict.fromkeys(told), messages, strict=True))


@pytest.mark.parametrize(
    ("contents", "second", "is_same"),
    [
        ("Real", "2.0", True),
        ("Real", "2.5", False),
        ("Complex", "2+0j", True),
        ("Complex", "2+1j", False),
        ("Word", "2.0", False),
    ],
)
def test_keys_of_number_types_are_compared_as_numbers(
    contents: str, second: str, is_same: bool, tmp_path: Path
) -> None:
    judge = load_dictionary([write(tmp_path, edited("sample.id", "contents Word", f"contents {contents}"))])
    (report,) = check(f"#\\#CIF_2.0\ndata_x\nloop_\n_sample.id\n2\n{second}\n".encode(), dictionary=judge).files
    assert any(finding.rule == "REL004" for finding in report.findings) is is_same


def test_sub_categories_of_one_loop_may_stand_in_one_loop(tmp_path: Path) -> None:
    def part(name: str) -> dict[str, str]:
        category = FRAMES["SAMPLE"].replace("SAMPLE", name.upper()).replace("TESTS_HEAD", "SAMPLE")
        item = FRAMES["sample.parent_id"].replace("sample.parent_id", f"{name}.id")
        item = item.replace("category_id sample", f"category_id {name}").replace("object_id parent_id", "object_id id")
        return {name.upper(): category.replace("_sample.id", f"_{name}.id"), f"{name}__id": item}

    judge = load_dictionary([write(tmp_path, dictionary(**part("left"), **part("right")))])
    (report,) = check(b"#\\#CIF_2.0\ndata_x\nloop_\n_left.id\n_right.id\nA A\nB B\n", dictionary=judge).files
    assert [finding.rule for finding in report.findings if finding.severity != "info"] == []
