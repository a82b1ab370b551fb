"""Each kind of check of a DDLm validator on a file made for it: cod-tools' `ddlm_validate` beside this checker.

A row holds a whole file with one fault, or with something that only looks like one. What either program says is
recorded, so that a change of either is seen. `python tests/peers/test_check_matrix.py` prints the table.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgcif_core import Finding, check, load_dictionary
from imgcif_core.ddlm.lint import lint
from imgcif_core.ddlm.model import Dictionary

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(shutil.which("ddlm_validate") is None, reason="cod-tools is not installed"),
]
HEAD = """\
#\\#CIF_2.0
data_MATRIX
_dictionary.title MATRIX
_dictionary.class Instance
_dictionary.version 1.0.0
_dictionary.date 2026-01-31
_dictionary.uri https://example.org/matrix.dic
_dictionary.ddl_conformance 4.2.0
_dictionary.namespace Matrix
"""


def category(name: str, kind: str, parent: str, *keys: str) -> str:
    """The definition of a category."""
    listed = "loop_ _category_key.name\n" + "".join(f"'{key}'\n" for key in keys) if keys else ""
    return (
        f"save_{name}\n_definition.id {name}\n_definition.scope Category\n_definition.class {kind}\n"
        f"_definition.update 2026-01-01\n_description.text 'A category.'\n"
        f"_name.category_id {parent}\n_name.object_id {name}\n{listed}save_\n"
    )


def item(
    name: str, contents: str = "Text", purpose: str = "Describe", container: str = "Single", more: str = ""
) -> str:
    """The definition of an item."""
    group, _, own = name.partition(".")
    source = "Related" if purpose == "SU" else "Assigned"
    return (
        f"save_{name}\n_definition.id '_{name}'\n_definition.update 2026-01-01\n_description.text 'An item.'\n"
        f"_name.category_id {group}\n_name.object_id {own}\n_type.purpose {purpose}\n_type.source {source}\n"
        f"_type.container {container}\n_type.contents {contents}\n{more}\nsave_\n"
    )


NUMBER = "_units.code none"
LENGTH = "_enumeration.range 0:10\n_units.code millimetres"
DICTIONARY = HEAD + "".join(
    (
        category("MATRIX_HEAD", "Head", "MATRIX"),
        category("THING", "Set", "MATRIX_HEAD"),
        *(
            item(f"thing.{name.lower()}", name)
            for name in [
                "Text",
                "Word",
                "Code",
                "Name",
                "Tag",
                "Uri",
                "Iri",
                "Date",
                "DateTime",
                "Version",
                "Dimension",
            ]
        ),
        item("thing.range", "Range"),
        item("thing.symop", "Symop"),
        item("thing.integer", "Integer", "Number", more=NUMBER),
        item("thing.real", "Real", "Number", more=NUMBER),
        item("thing.imag", "Imag", "Number", more=NUMBER),
        item("thing.complex", "Complex", "Number", more=NUMBER),
        item("thing.count", "Count", "Number", more=NUMBER),
        item("thing.like", "ByReference", "Number", more="_type.contents_referenced_id '_thing.integer'\n" + NUMBER),
        item("thing.list", "Real", "Number", "List", "_type.dimension '[3]'\n" + LENGTH),
        item("thing.matrix", "Real", "Number", "Matrix", "_type.dimension '[2,2]'\n" + NUMBER),
        item("thing.table", "Real", "Number", "Table", "_type.indices Date\n" + NUMBER),
        item("thing.state", "Code", "State", more="loop_ _enumeration_set.state one two"),
        item("thing.advice", "Code", "State", more="_enumeration.mandatory No\nloop_ _enumeration_set.state one two"),
        item("thing.word_state", "Word", "State", more="loop_ _enumeration_set.state one two"),
        item("thing.length", "Real", "Number", more=LENGTH),
        item("thing.mass", "Real", "Measurand", more=LENGTH),
        item("thing.mass_su", "Real", "SU", more="_name.linked_item_id '_thing.mass'\n" + LENGTH.split("\n")[1]),
        item("thing.new_name", more="_alias.definition_id '_thing_old_name'"),
        item("thing.gone", more="loop_ _definition_replaced.id _definition_replaced.by 1 '_thing.text'"),
        category("PART", "Loop", "MATRIX_HEAD", "_part.id"),
        item("part.id", "Code", "Key"),
        item("part.note"),
        item("part.order", "Integer", "Number", more=NUMBER),
        category("PIECE", "Loop", "PART", "_piece.id"),
        item("piece.id", "Code", "Link", more="_name.linked_item_id '_part.id'"),
        item("piece.note"),
        category("JOINT", "Loop", "MATRIX_HEAD", "_joint.one", "_joint.two"),
        item("joint.one", "Code", "Link", more="_name.linked_item_id '_part.id'"),
        item("joint.two", "Code", "Link", more="_name.linked_item_id '_part.id'"),
        item("joint.note"),
        category("WELD", "Loop", "MATRIX_HEAD", "_weld.id"),
        item("weld.id", "Integer", "Key", more=NUMBER),
        item("weld.joint_one", "Code", "Link", more="_name.linked_item_id '_joint.one'"),
        item("weld.joint_two", "Code", "Link", more="_name.linked_item_id '_joint.two'"),
    )
)
PARTS = "loop_ _part.id _part.note\nA one\nB two\n"
JOINTS = PARTS + "loop_ _joint.one _joint.two\nA B\nB A\n"

WELD = JOINTS + "_weld.id 1 _weld.joint_one A _weld.joint_two A"


@dataclass(frozen=True)
class Row:
    """One file: the number of the kind of check, what it holds, our rules about it, and whether they say something.

    What is no fault has at most advice from us.
    """

    number: str
    title: str
    text: str
    ours: tuple[str, ...]
    theirs: bool
    is_fault: bool = True


ROWS = (
    Row("1", "unknown data name", "_thing.colour red", ("DIC001",), True),
    Row("2", "character outside CIF 2.0", "_thing.text 'a\ufdd0b'", ("SYN009",), True),
    Row("3", "Word with a blank", "_thing.word 'two words'", ("DIC010",), True),
    Row("3", "Code with a blank", "_thing.code 'two words'", ("DIC010",), True),
    Row("4", "Name with a hyphen", "_thing.name a-b", ("DIC008",), True),
    Row("4", "Tag without underscore", "_thing.tag cell.length", ("DIC008",), True),
    Row("5", "Uri with a blank", "_thing.uri 'http://a.org/b c'", ("DIC008",), False),
    Row("5", "relative Uri is legal", "_thing.uri images/one.cbf", (), True, False),
    Row("6", "Iri with a blank", "_thing.iri 'http://a.org/b c'", ("DIC008",), True),
    Row("7", "Date that does not exist", "_thing.date 2026-02-30", ("DIC008",), True),
    Row("7", "DateTime with hour 25", "_thing.datetime 2026-02-03T25:00:00Z", ("DIC008",), True),
    Row("8", "Version of two parts", "_thing.version 1.2", ("DIC008",), False),
    Row("9", "Dimension with a letter", "_thing.dimension '[3,x]'", ("DIC008",), True),
    Row("9", "Range with its larger end first", "_thing.range 9:1", ("DIC008",), True),
    Row("10", "Integer with a fraction", "_thing.integer 1.5", ("DIC008",), True),
    Row("11", "Real that is nan", "_thing.real nan", ("DIC008",), True),
    Row("11", "Real with an underscore", "_thing.real 1_0", ("DIC008",), True),
    Row("12", "Imag without unit", "_thing.imag 2.0", ("DIC008",), True),
    Row("12", "Complex in two words", "_thing.complex '1 2j'", ("DIC008",), True),
    Row("13", "Symop with a letter", "_thing.symop 1_5x5", ("DIC008",), True),
    Row("14", "Count below zero", "_thing.count -1", ("DIC008",), True),
    Row("15", "type by reference", "_thing.like 1.5", ("DIC008",), True),
    Row("16", "number in quotes is legal, and told as advice", "_thing.real '1.5'", ("DIC008",), True, False),
    Row("17", "list for a single value", "_thing.real [1 2]", ("DIC008",), True),
    Row("17", "single value for a list", "_thing.list 1", ("DIC008",), True),
    Row("18", "list of another length", "_thing.list [1 2]", ("DIC008",), True),
    Row("18", "ragged matrix", "_thing.matrix [[1 2] [3]]", ("DIC008",), True),
    Row("19", "table key of another type", "_thing.table {'a':1}", ("DIC008",), False),
    Row("20", "state that is not listed", "_thing.state three", ("DIC006",), True),
    Row("20", "Code state in other case is legal", "_thing.state ONE", (), False, False),
    Row("20", "Word state in other case", "_thing.word_state ONE", ("DIC006",), True),
    Row("21", "other value of an advisory list is legal, and told", "_thing.advice three", ("DIC006",), True, False),
    Row("22", "value out of range", "_thing.length 12", ("DIC011",), True),
    Row("23", "out of range within 3 su is legal", "_thing.mass 10.2(1)", (), False, False),
    Row("23", "out of range beyond 3 su", "_thing.mass 10.5(1)", ("DIC011",), True),
    Row("24", "element of a list out of range", "_thing.list [1 2 12]", ("DIC011",), False),
    Row("25", "su on what is no Measurand", "_thing.length 2.0(1)", ("DIC009",), True),
    Row("26", "Measurand without su is legal, and told", "_thing.mass 2.0", ("DIC009",), False, False),
    Row("27", "su given twice", "_thing.mass 2.0(1) _thing.mass_su 0.2", ("DIC009",), True),
    Row("28", "su below zero", "_thing.mass 2.0 _thing.mass_su -0.1", ("DIC009", "DIC011"), False),
    Row("28", "su without its value, told as advice", "_thing.mass_su 0.1", ("DIC009",), True, False),
    Row("29", "Set of two rows", "loop_ _thing.text _thing.word\na b\nc d", ("DIC012",), True),
    Row("29", "Set in a loop of one row is legal", "loop_ _thing.text _thing.word\na b", (), True, False),
    Row("30", "categories mixed in a loop", "loop_ _part.id _weld.id\nA 1\nB 2", ("DIC021",), True),
    Row(
        "30",
        "child in the loop of its parent is legal",
        "loop_ _part.id _part.note _piece.note\nA b c",
        (),
        False,
        False,
    ),
    Row("31", "category in two loops", f"{PARTS}loop_ _part.order\n1\n2", ("SYN015", "REL005"), True),
    Row("32", "key missing", "loop_ _part.note\na\nb", ("REL005",), True),
    Row("32", "key of an only row missing is legal", "_part.note a", (), True, False),
    Row("33", "key twice", "loop_ _part.id\nA\nA", ("REL004",), True),
    Row("33", "key twice in other case", "loop_ _part.id\nA\na", ("REL004",), True),
    Row("33", "key of two columns twice", PARTS + "loop_ _joint.one _joint.two\nA B\nA B", ("REL004",), True),
    Row("34", "key unknown", "loop_ _part.id\nA\n?", ("DIC013",), False),
    Row("35", "parent table absent", "loop_ _joint.one _joint.two\nA B\nB A", ("REL002",), True),
    Row("36", "link that leads nowhere", PARTS + "loop_ _joint.one _joint.two\nA B\nA C", ("REL001",), True),
    Row("36", "link in other case is legal", PARTS + "loop_ _joint.one _joint.two\na b\nb a", (), True, False),
    Row(
        "37",
        "link to two columns of two rows",
        WELD,
        ("REL008",),
        False,
    ),
    Row("38", "name and alias with two values", "_thing.new_name a _thing_old_name b", ("DIC005",), True),
    Row("39", "replaced item", "_thing.gone a", ("DIC004",), True),
    Row("43", "name twice", "_thing.text a _thing.text b", ("SYN004",), True),
    Row("43", "value missing in a loop", "loop_ _part.id _part.note\nA b\nC", ("SYN006",), True),
    Row("43", "quote not closed", "_thing.text 'a\n", ("SYN008",), True),
    Row("43", "text field not closed", "_thing.text\n;a\n", ("SYN008",), True),
)
# Codes that say nothing of these files' faults: they describe an imgCIF, or the head of the file.
ASIDE = ("MTA", "BIN", "EXT", "DIC018", "DIC020", "REL006")


def file_of(row: Row, folder: Path) -> Path:
    """The file of a row."""
    path = folder / "row.cif"
    path.write_text(f"#\\#CIF_2.0\ndata_row\n{row.text}\n", encoding="utf-8")
    return path


def our_findings(row: Row, folder: Path, dictionary: Dictionary) -> list[Finding]:
    """Our findings about a row."""
    (report,) = check(file_of(row, folder), dictionary=dictionary).files
    return [finding for finding in report.findings if not finding.rule.startswith(ASIDE)]


def their_messages(row: Row, folder: Path) -> list[str]:
    """What ddlm_validate says of a row."""
    path = file_of(row, folder)
    command = ["ddlm_validate", "--report-deprecated", "--dictionaries", str(folder / "matrix.dic"), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
    return [line for line in (result.stdout + result.stderr).splitlines() if path.name in line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix")
    (path / "matrix.dic").write_text(DICTIONARY, encoding="utf-8")
    return path


def test_the_dictionary_of_the_rows_has_no_fault_but_its_old_type(folder: Path) -> None:
    assert [problem.code for problem in lint(folder / "matrix.dic")] == ["attribute-state", "old-type"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.title}")
def test_a_row_is_told_as_recorded(row: Row, folder: Path) -> None:
    found = our_findings(row, folder, load_dictionary([folder / "matrix.dic"]))
    codes = {finding.rule for finding in found}
    assert codes & set(row.ours) if row.ours else not codes
    assert any(finding.severity != "info" for finding in found) is row.is_fault
    assert all(finding.location.span is not None for finding in found)
    assert bool(their_messages(row, folder)) is row.theirs


def main() -> None:
    """Print the table."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        path = Path(name)
        (path / "matrix.dic").write_text(DICTIONARY, encoding="utf-8")
        dictionary = load_dictionary([path / "matrix.dic"])
        print("| row | file | | imgcif-check | ddlm_validate |\n|---|---|---|---|---|")
        for row in ROWS:
            ours, theirs = our_findings(row, path, dictionary), their_messages(row, path)
            told = ", ".join(dict.fromkeys(f"{finding.rule} {finding.severity}" for finding in ours))
            kind = "fault" if row.is_fault else "legal"
            print(f"| {row.number} | {row.title} | {kind} | {told or '-'} | {'told' if theirs else '-'} |")


if __name__ == "__main__":
    main()
