"""Small inputs of which each stands for a kind of fault, or of legal text, with what is expected of them."""

from pathlib import Path

import pytest
from shared import DICTIONARIES, SHARED, needs_dictionaries
from test_recognise import DDL2

from imgcif_core import InputError, check, load_dictionary
from imgcif_core.ddlm.lint import lint

CASES = SHARED / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}")

# The file, the dictionary that judges, and the rules with warnings or errors that must speak; none may else.
JUDGED = [
    ("ddlm/symop_noid.cif", "cif_core.dic", {}),
    ("ddlm/symequiv_noid.cif", "cif_core.dic", {"DIC004": 1}),
    ("ddlm/author_noid.cif", "cif_core.dic", {}),
    ("ddlm/sibling_loop.cif", "more/cif_pow.dic", {}),
    ("ddlm/frame_unjudged.cif", None, {"SYN016": 1, "DIC008": 1, "DIC001": 1}),
    ("ddlm/key_number_twice.cif", None, {"REL004": 1}),
    ("ddlm/key_real_twice.cif", "key_real_twice.dic", {"REL004": 2, "DIC008": 4, "DIC011": 1, "SYN004": 1}),
    ("syntax/keyword_in_list.cif", None, {"SYN007": 3}),
    ("syntax/table_dup_key.cif", None, {"SYN004": 1}),
    ("syntax/magic_with_text.cif", None, {"SYN002": 1}),
    ("syntax/frame_code_76.cif", None, {"SYN005": 1, "SYN016": 1, "DIC001": 1}),
    ("syntax/nomagic_bracket.cif", None, {"SYN007": 1}),
    ("syntax/nomagic_triple.cif", None, {"SYN012": 1}),
    ("syntax/20_table_valcomment_glued.cif", None, {"SYN001": 1}),
]


@needs_cases
@needs_dictionaries
@pytest.mark.parametrize(("name", "judge", "expected"), JUDGED, ids=[entry[0] for entry in JUDGED])
def test_case_is_judged_as_it_should_be(name: str, judge: str | None, expected: dict[str, int]) -> None:
    folder = CASES / "ddlm" if judge and (CASES / "ddlm" / judge).is_file() else DICTIONARIES
    paths = [folder / judge] if judge else []
    dictionary = load_dictionary(paths, [str(DICTIONARIES)], is_lenient=True)
    (report,) = check(CASES / name, dictionary=dictionary).files
    told: dict[str, int] = {}
    for finding in report.findings:
        is_nameless = finding.message.startswith("none of the")
        if finding.severity != "info" and not is_nameless:
            told[finding.rule] = told.get(finding.rule, 0) + finding.count
    assert {rule: count for rule, count in told.items() if not rule.startswith("MTA")} == expected


@needs_cases
def test_a_version_that_is_no_semantic_one_is_told() -> None:
    problems = [str(problem) for problem in lint(CASES / "ddlm" / "key_word_semver.dic")]
    assert any("01.2.3" in problem and "error" in problem for problem in problems), problems


@needs_cases
def test_a_dimension_that_a_method_sets_is_there() -> None:
    problems = lint(CASES / "ddlm" / "lint_dimension_by_method.dic")
    assert [
        str(problem) for problem in problems if "_cat.v" in problem.message and "dimension" in problem.message
    ] == []


def test_a_ddl2_dictionary_judges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.dic"
    path.write_text(DDL2, encoding="utf-8")
    with pytest.raises(InputError, match="is a DDL2 dictionary"):
        load_dictionary([path])
