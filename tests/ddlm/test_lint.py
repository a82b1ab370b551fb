"""Every check of a dictionary fires on a dictionary wrong in one thing, and says in which line."""

from pathlib import Path

import pytest
from dictionaries import FRAMES, dictionary, edited, write
from lint_faults import FAULTS
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core import Severity
from imgcif_core.cli import main
from imgcif_core.ddlm.lint import lint


def test_a_faultless_dictionary_has_no_problems(tmp_path: Path) -> None:
    assert [str(problem) for problem in lint(write(tmp_path, dictionary()))] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, code, shown = FAULTS[name]
    problems = [problem for problem in lint(write(tmp_path, text)) if problem.code == code]
    assert problems, [str(problem) for problem in lint(write(tmp_path, text))]
    if shown:
        line = text.splitlines()[problems[0].line - 1]
        assert shown in line, str(problems[0])


def test_each_code_has_a_fault_that_shows_it() -> None:
    import re

    import imgcif_core.ddlm.lint as package

    folder = Path(package.__file__).parent
    sources = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    codes = set(re.findall(r'(?:error|warning|info|tell|_problem|DictionaryProblem)\(\s*"([a-z-]+)"', sources))
    shown = {code for _, code, _ in FAULTS.values()}
    assert codes - shown <= {"undefined-mention", "lost-deprecation", "attribute-container"}


SILENT = {
    "dimension set by a method": edited(
        "sample.cell",
        "List\n_type.dimension '[3]'",
        "Matrix\n_method.purpose Definition\n_method.expression\n;\n_type.dimension = '[3]'\n;",
    ),
    "unit set by a method": edited(
        "sample.cell",
        "_units.code angstroms",
        "_method.purpose Definition\n_method.expression\n;\n_units.code = 'angstroms'\n;",
    ),
    "template without a space for names": "#\\#CIF_2.0\ndata_T\n_dictionary.title T\n_dictionary.class Template\n"
    "_dictionary.version 1.0.0\n_dictionary.date 2026-01-31\n_dictionary.uri x.cif\n_dictionary.ddl_conformance 4.2.0\n"
    "save_a\n_type.contents Real\n_type.purpose Number\nsave_\n",
    "name that can be no object id": dictionary(
        sample__cell=FRAMES["sample.cell"].replace("_sample.cell'", "_sample.cell[1]'").replace("id cell", "id cell_1_")
    ).replace("save_sample.cell\n", "save_sample.cell[1]\n"),
    "example behind words": edited(
        "SAMPLE",
        "loop_",
        "_description_example.case\n;\nTwo samples.\n\nloop_\n_sample.id\nA B\n\n"
        "Example based on the article: x, y.\n;\nloop_",
    ),
    "example with nulls, other case, uncertainties and a list": edited(
        "SAMPLE",
        "loop_",
        "_description_example.case\n;\nloop_ _Sample.ID _sample_kind _sample.mass _sample.cell\n"
        "A Glass 0.0 [1 2 3] B . -1(1) ?\n;\nloop_",
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_no_fault_is_not_told(name: str, tmp_path: Path) -> None:
    assert [str(problem) for problem in lint(write(tmp_path, SILENT[name]))] == []


def test_a_lost_deprecation_and_a_gap_are_told_and_their_consequences_are_not(tmp_path: Path) -> None:
    old = edited("sample.kind", "_type.purpose", "_definition_replaced.id 1\n_definition_replaced.by .\n_type.purpose")
    write(tmp_path, old.replace("TESTS", "OTHER"), "other.dic")
    head = FRAMES["TESTS_HEAD"] + "_import.get [{'file':other.dic 'save':OTHER_HEAD 'mode':Full 'dupl':Ignore}]\n"
    problems = lint(write(tmp_path, dictionary(TESTS_HEAD=head)))
    assert [problem.code for problem in problems] == ["lost-deprecation"]
    (tmp_path / "other.dic").unlink()
    problems = lint(write(tmp_path, dictionary(TESTS_HEAD=head, SAMPLE=None)))
    assert [problem.code for problem in problems] == ["import-file"]


@needs_dictionaries
def test_a_dictionary_as_data_is_judged_frame_by_frame_by_the_one_of_attributes(tmp_path: Path) -> None:
    from imgcif_core import check, load_dictionary

    judge = load_dictionary([DICTIONARIES / "ddl.dic"])
    (report,) = check(edited("sample.kind", "Recorded", "Recalled").encode(), dictionary=judge).files
    told = [finding for finding in report.findings if finding.severity != "info"]
    assert [(finding.rule, finding.location.block) for finding in told] == [("DIC006", "sample.kind")]


def test_mentions_of_undefined_names_are_told_on_request(tmp_path: Path) -> None:
    text = edited(
        "sample.id", "_name.category_id", "_description.text 'see _sample.kind and _sample.nr'\n_name.category_id"
    )
    path = write(tmp_path, text)
    assert lint(path) == []
    (problem,) = lint(path, mentions=True)
    assert "_sample.nr" in problem.message
    assert problem.severity is Severity.INFO


def test_the_command_prints_lines_and_fails_on_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, edited("sample.mass", "0.0:", "9.0:0.0"))
    assert main(["dictionary", "lint", str(path)]) == 1
    assert "range-order" in capsys.readouterr().out
    assert main(["dictionary", "lint", str(write(tmp_path, dictionary()))]) == 0
    assert capsys.readouterr().out == "no faults found\n"


@needs_dictionaries
@pytest.mark.parametrize("name", ["ddl.dic", "multi_block_core.dic", "cif_core.dic", "cif_img.dic"])
def test_official_dictionaries_have_no_errors(name: str) -> None:
    problems = lint(DICTIONARIES / name)
    assert [str(problem) for problem in problems if problem.severity is Severity.ERROR] == []
