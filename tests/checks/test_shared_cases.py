"""The small inputs beside the project: each gap is said, and says it at its level; nothing else is."""

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import DICTIONARIES, EXAMPLE, SHARED

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import FileReport

CASES = SHARED / "cases"
LETTERS = sorted((CASES / "letters").glob("rdl-*.cif"))
MISSING = [*sorted((CASES / "missing").glob("N1*.cif")), *(CASES / "missing").glob("N04*.cif")]
MORE = (DICTIONARIES, DICTIONARIES / "more")
pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}")]

# Of a fragment it is also told that it lacks the beam, or that nothing of it is known.
BEAM = {"SRC001", "SRC003"}
UNKNOWN = {"DIC001", "MTA024"}
# Each file with the rules that say what is wrong with it, as often as they say it; no error and no warning else.
EXPECTED: dict[str, tuple[list[str], set[str]]] = {
    "missing/N39_QTZ.cif": (["SCN017"], set()),
    "missing/N66_QTZ.cif": (["CON001"], set()),
    "texts/AXI001_none.cif": (["AXI001"], set()),
    "texts/DIC004_followed.cif": (["DIC006"], set()),
    "texts/DIC014_data_unknown.cif": (["EXT001"], set()),
    "texts/N114_QTZ.cif": (["DIC001"], set()),
    "texts/N125_QTZ.cif": (["SYN013"], set()),
    "texts/QUIET_one_warning.cif": (["CON001"], set()),
    "texts/REL007_array_id_left_out.cif": ([], set()),
    "texts/SYN006_ragged_loop_cascade.cif": (["SYN006"], set()),
    "texts/ext_dots.cif": (["DIC013", "DIC013"], BEAM),
    "texts/ext_no_uri.cif": (["DIC001"], BEAM),
    "texts/ids_disagree.cif": (["REL001"], BEAM),
    "texts/mixed_loop.cif": (["DIC021"], BEAM),
    "texts/suggest.cif": (["DIC001"] * 10, {*BEAM, "EXT001", "REL002"}),
    "texts/text_binary_id.cif": (["DIC008"], {*BEAM, "MTA022"}),
    "texts/two_authors.cif": ([], set()),
    "syntax/20_table_valcomment_glued.cif": (["SYN001"], UNKNOWN),
    "syntax/frame_code_76.cif": (["SYN005"], {*UNKNOWN, "SYN016"}),
    "syntax/keyword_in_list.cif": (["SYN007"] * 3, UNKNOWN),
    "syntax/magic_with_text.cif": (["SYN002"], UNKNOWN),
    "syntax/nomagic_bracket.cif": (["SYN007"], UNKNOWN),
    "syntax/nomagic_triple.cif": (["SYN012"], UNKNOWN),
    "syntax/table_dup_key.cif": (["SYN004"], UNKNOWN),
    "ddlm/frame_unjudged.cif": (["SYN016", "DIC008"], UNKNOWN),
    "ddlm/key_number_twice.cif": (["REL004"], set()),
    "compare/dials2488_raw.cbf.gz": (["CON010", "CON010"], set()),
    "compare/dials376.cbf": (["DIC010", "CON010"], set()),
    "compare/dials_convert_0001.cbf": (["BIN015", "CON010"], set()),
    "compare/f471bxy_00001.cbf": ([], set()),
    "compare/slsdet.cbf": (["SYN001", "CON010"], set()),
    "engine/cxi-called-cbf.cif": (["EXT008"], set()),
    "engine/h5-called-cbf.cif": (["EXT008"], set()),
    "engine/date-with-blank.cif": (["SCN014"], set()),
    # Two ids with one hash: neither is a repeated key, nor is a link taken for one that leads somewhere.
    "engine/hash-collision.cif": (["REL002"], {*BEAM, "MTA022"}),
    "hostile/n1_1e400su.cif": (["DIC008"], set()),
    "hostile/n3_4.9e-324.cif": (["SRC001"], set()),
    "hostile/n4_distance0.cbf": (["CON010"], set()),
    "hostile/n5_empty_measurand_loop.cif": (["SYN017"], set()),
    "hostile/su400.cif": ([], set()),
}
# What a remedy has to say.
REMEDIES = {
    "texts/AXI001_none.cif": "write a dot",
    "texts/DIC004_followed.cif": "write synch",
    "texts/N114_QTZ.cif": "_diffrn_radiation_wavelength.value",
    "texts/N125_QTZ.cif": "write loop_ instead of loop",
    "compare/dials_convert_0001.cbf": "the image is whole",
    "compare/dials376.cbf": "before the first of these lines",
}
BY_DICTIONARY = {
    "symop_noid.cif": ("cif_core.dic", []),
    "symequiv_noid.cif": ("cif_core.dic", ["DIC004"]),
    "author_noid.cif": ("cif_core.dic", []),
    "sibling_loop.cif": ("more/cif_pow.dic", []),
}


def judged(path: Path, dictionary: Dictionary | None = None, **options: object) -> FileReport:
    report = imgcif_core.check(path, options=CheckOptions(**options), dictionary=dictionary).files[0]
    assert not report.outcomes.crashed
    return report


@cache
def loaded(name: str) -> Dictionary:
    return imgcif_core.load_dictionary([DICTIONARIES / name], MORE, is_lenient=True)


@cache
def alerts_of_the_example() -> dict[str, int]:
    return judged(EXAMPLE, profile="raw-data-letters").alerts


def grave(report: FileReport) -> list[str]:
    return [finding.rule for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: path.name)
def test_what_is_missing_in_a_letter_is_one_alert(path: Path) -> None:
    level = "B" if "frames-count" in path.name else "A"
    assert judged(path, profile="raw-data-letters").alerts[level] == alerts_of_the_example()[level] + 1


def test_the_reply_form_of_a_letter_is_read() -> None:
    report = judged(CASES / "letters" / "vrf.cif", profile="raw-data-letters")
    assert "DIC001" not in grave(report)
    assert report.old_replies or any(finding.reply for finding in report.findings)


@pytest.mark.parametrize("path", MISSING, ids=lambda path: path.name)
def test_what_is_missing_is_told_without_any_profile(path: Path) -> None:
    report = judged(path)
    assert len(grave(report)) == 1
    assert any(ready.answer == "no" for _, ready in report.readiness)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_cause_is_told_once_and_nothing_else(name: str) -> None:
    rules, beside = EXPECTED[name]
    report = judged(CASES / name)
    found = [rule for rule in grave(report) if rule not in beside or rule in rules]
    assert sorted(found) == sorted(rules)
    if name in REMEDIES:
        assert REMEDIES[name] in " ".join(finding.help for finding in report.findings if finding.rule in rules)


def test_every_file_whose_expectation_can_be_stated_is_in_the_table() -> None:
    folders = ("missing", "texts", "syntax", "ddlm", "compare", "engine")
    files = {str(path.relative_to(CASES)) for name in folders for path in (CASES / name).glob("*.c[bi][fr]*")}
    files |= {str(path.relative_to(CASES)) for name in folders for path in (CASES / name).glob("*.cif")}
    known = {*EXPECTED, *(f"missing/{path.name}" for path in MISSING), *(f"ddlm/{name}" for name in BY_DICTIONARY)}
    # Judged by tests of their own: below, or where dictionaries are recognised.
    other = {"compare/i19_2th.cbf", "ddlm/key_real_twice.cif", "ddlm/ddl2_data.cif", "engine/quoted-loop-head.cif"}
    assert files <= known | other


def test_no_name_is_suggested_that_stands_there_or_means_another_thing() -> None:
    report = judged(CASES / "texts" / "suggest.cif")
    text = (CASES / "texts" / "suggest.cif").read_text()
    for finding in report.findings:
        if finding.rule == "DIC001":
            _, _, named = finding.help.partition("did you mean ")
            assert not named or named.split()[0] not in text


@pytest.mark.parametrize(("name", "dictionary", "rules"), [(name, *rest) for name, rest in BY_DICTIONARY.items()])
def test_keys_and_loops_of_other_dictionaries(name: str, dictionary: str, rules: list[str]) -> None:
    assert grave(judged(CASES / "ddlm" / name, loaded(dictionary))) == rules


def test_real_keys_compare_as_numbers() -> None:
    folder = CASES / "ddlm"
    chosen = imgcif_core.load_dictionary([folder / "key_real_twice.dic"], MORE)
    assert grave(judged(folder / "key_real_twice.cif", chosen)).count("REL004") == 2


@pytest.mark.parametrize("sources", [("1",), ("1", "2", "3"), ("folder",)], ids=" ".join)
def test_frames_of_one_series_agree_with_each_other(sources: tuple[str, ...]) -> None:
    folder = CASES / "compare" / "i19"
    against = tuple(folder if name == "folder" else folder / f"whatev1_02_0000{name}.cbf" for name in sources)
    report = judged(folder / "whatev1_02_00002.cbf", against=against, select=("CMP",))
    assert not [finding.message for finding in report.findings if finding.severity != "info"]


def test_a_header_that_contradicts_the_tables_is_told() -> None:
    found = judged(CASES / "compare" / "i19_2th.cbf", select=("CON010",)).findings
    assert [finding.data["key"] for finding in found] == ["Detector_2theta"]


@pytest.mark.parametrize("name", ["scn019.cif", "loop.tif.cif"])
def test_hostile_numbers_and_files_crash_no_rule(name: str) -> None:
    judged(CASES / "hostile" / name)
