"""Every generic check against a dictionary is made: one tiny file each, and its legal neighbour.

The rows follow the checks that DDLm validators make between them; `-` in place of a rule says that
nothing may be found.
"""

import pytest
from every_type import every_type, findings

import imgcif_core
from imgcif_core import Severity
from imgcif_core.ddlm.model import Dictionary

ROWS = "loop_ _row.id _row.value a 1 b 2\n"
PAIRS = "loop_ _pair.one _pair.two A 1 B 2\n"
QUIET = frozenset({"DIC003", "DIC020", "REL006"})

# name of the check: text, rule or -, severity, a part of the message
MATRIX: dict[str, tuple[str, str, str, str]] = {
    "unknown name": ("_thing.nothing 1 _thing.text x", "DIC001", "warning", "_thing.nothing"),
    "local name": ("_thing.[mine]_note 1 _thing.text x", "DIC002", "info", "local"),
    "alias is known": ("_thing_old_name x", "DIC003", "info", "_thing.named"),
    "text of forbidden code points": ("_thing.text 'a\ufdd0b'", "SYN009", "error", "U+FDD0"),
    "word with a blank": ("_thing.word 'two words'", "DIC010", "warning", "no blanks"),
    "word without": ("_thing.word 'words'", "-", "", ""),
    "code with a blank": ("_thing.code 'two words'", "DIC010", "warning", "no blanks"),
    "name with a hyphen": ("_thing.name a-b", "DIC008", "error", "expected a name of letters"),
    "name": ("_thing.name A_1", "-", "", ""),
    "tag without underscore": ("_thing.tag a.b", "DIC008", "error", "expected a data name"),
    "tag": ("_thing.tag '_a.b'", "-", "", ""),
    "uri with a blank": ("_thing.uri 'http://a b'", "DIC008", "error", "a URI such as"),
    "uri with a letter beyond ASCII": ("_thing.uri http://é.org", "DIC008", "error", "a URI such as"),
    "relative uri": ("_thing.uri ../data/a%20b.cbf", "-", "", ""),
    "iri with a letter beyond ASCII": ("_thing.iri http://é.org", "-", "", ""),
    "iri with a blank": ("_thing.iri 'http://a b'", "DIC008", "error", "an IRI such as"),
    "day that does not exist": ("_thing.date 2026-02-30", "DIC008", "error", "yyyy-mm-dd"),
    "date": ("_thing.date 2024-02-29", "-", "", ""),
    "time without zone": ("_thing.datetime 2026-01-01T10:00:00", "DIC008", "error", "zone"),
    "time": ("_thing.datetime 2026-01-01T10:00:00.5+01:00", "-", "", ""),
    "version of two numbers": ("_thing.version 1.0", "DIC008", "error", "a version such as"),
    "version": ("_thing.version 1.0.0-dev", "-", "", ""),
    "dimension without brackets": ("_thing.dimension 3,3", "DIC008", "error", "type Dimension"),
    "dimension": ("_thing.dimension '[3,3]'", "-", "", ""),
    "range without ends": ("_thing.range :", "DIC008", "error", "type Range"),
    "range of words": ("_thing.range a:b", "DIC008", "error", "type Range"),
    "range upside down": ("_thing.range 5:1", "DIC008", "error", "type Range"),
    "range": ("_thing.range -1.5:", "-", "", ""),
    "integer with letters": ("_thing.integer 12a", "DIC008", "error", "integer"),
    "integer with a decimal point": ("_thing.integer 12.0", "DIC008", "warning", "decimal point"),
    "integer": ("_thing.integer -12", "-", "", ""),
    "real nan": ("_thing.real nan", "DIC008", "error", "a number"),
    "real inf": ("_thing.real inf", "DIC008", "error", "a number"),
    "real with underscore": ("_thing.real 1_0", "DIC008", "error", "a number"),
    "real": ("_thing.real -1.5e-3", "-", "", ""),
    "imaginary without unit": ("_thing.imag 1.5", "DIC008", "error", "an imaginary number such as"),
    "imaginary": ("_thing.imag 1.5i", "-", "", ""),
    "complex of words": ("_thing.complex 1+x", "DIC008", "error", "a complex number such as"),
    "complex": ("_thing.complex 1.5-2j", "-", "", ""),
    "symmetry operation of words": ("_thing.symop x,y,z", "DIC008", "error", "symmetry operation"),
    "symmetry operation": ("_thing.symop 2_555", "-", "", ""),
    "symmetry operation with a blank": ("_thing.symop '2 555'", "-", "", ""),
    "count below zero": ("_thing.count -1", "DIC008", "error", "type Count"),
    "index zero": ("_thing.index 0", "DIC008", "error", "type Index"),
    "type by reference": ("_thing.byref someday", "DIC008", "error", "a date"),
    "number in quotes": ("_thing.real '1.5'", "DIC008", "info", "is quoted"),
    "list for a single value": ("_thing.real [1 2]", "DIC008", "error", "is a list"),
    "single value for a list": ("_thing.list 1", "DIC008", "error", "is a single value"),
    "table for a list": ("_thing.list {'a':1}", "DIC008", "error", "is a table"),
    "list for a table": ("_thing.table [1]", "DIC008", "error", "is a list"),
    "list too short": ("_thing.list [1 2]", "DIC008", "error", "shape [2]"),
    "list": ("_thing.list [1 2 3]", "-", "", ""),
    "matrix ragged": ("_thing.matrix [[1 2] [3]]", "DIC008", "error", "ragged"),
    "matrix of another shape": ("_thing.matrix [[1 2 3] [4 5 6]]", "DIC008", "error", "shape [2,3]"),
    "matrix": ("_thing.matrix [[1 2] [3 4]]", "-", "", ""),
    "array of any length": ("_thing.array [1 2 3 4]", "-", "", ""),
    "element of another type": ("_thing.array [1 two 3]", "DIC008", "error", "'two'"),
    "key of a table of another type": ("_thing.table {'someday':1}", "DIC008", "error", "'someday'"),
    "key of a table": ("_thing.table {'2026-01-01':1}", "-", "", ""),
    "value in a table of another type": ("_thing.table {'2026-01-01':one}", "DIC008", "error", "'one'"),
    "state that is not listed": ("_thing.code_state yellow", "DIC006", "error", "expected one of"),
    "caseless state in another case": ("_thing.code_state BLUE", "-", "", ""),
    "word state in another case": ("_thing.word_state blue", "DIC006", "warning", "writes Blue"),
    "state in a list": ("_thing.colours [red yellow]", "DIC006", "error", "yellow"),
    "caseless state in a list": ("_thing.colours [RED blue]", "-", "", ""),
    "state that is only advised": ("_thing.advised yellow", "DIC006", "info", "without demanding"),
    "below the range": ("_thing.limited -1.0(1)", "DIC011", "error", "0 to 10"),
    "end of the range": ("_thing.limited 10", "-", "", ""),
    "range and uncertainty": ("_thing.limited -0.1(1)", "-", "", ""),
    "range in a list": ("_thing.list [1 2 30]", "DIC011", "error", "30"),
    "uncertainty of an exact number": ("_thing.exact 1.0(2)", "DIC009", "warning", "does not make it a measurand"),
    "uncertainty missing": ("_thing.limited 5.0", "DIC009", "info", "without its standard uncertainty"),
    "uncertainty given twice": ("_thing.limited 5.0(2) _thing.limited_su 0.5", "DIC009", "warning", "0.2 in brackets"),
    "uncertainty given twice alike": ("_thing.limited 5.0(2) _thing.limited_su 0.2", "-", "", ""),
    "uncertainty below zero": ("_thing.limited 5.0 _thing.limited_su -0.2", "DIC009", "warning", "0 or more"),
    "uncertainty alone": ("_thing.limited_su 0.2", "DIC009", "info", "is not given"),
    "uncertainty of zero": ("_thing.limited 5.0(0)", "DIC009", "warning", "uncertainty of 0"),
    "uncertainty above the value": ("_thing.limited 5.0(90)", "DIC009", "info", "larger than the value"),
    "set in a loop of one row": ("loop_ _other.value x", "-", "", ""),
    "set of two rows": ("loop_ _other.value x y", "DIC012", "error", "2 rows"),
    "loop of two categories": ("loop_ _row.id _coded.code a b", "DIC021", "error", "ROW"),
    "loop of parent and child": ("loop_ _row.id _row.value _row_more.note a b c", "-", "", ""),
    "category in two loops": ("loop_ _row.id a b loop_ _row.value x y", "SYN015", "error", "2 places"),
    "key column missing": ("loop_ _row.value x y", "REL005", "error", "_row.id"),
    "key column with a default missing": ("loop_ _pair.two 1 2", "-", "", ""),
    "key twice": ("loop_ _row.id a a", "REL004", "error", "twice"),
    "key twice as a number": ("loop_ _numbered.nr 1 01", "REL004", "error", "twice"),
    "key twice but for case": ("loop_ _coded.code Ab aB", "REL004", "error", "twice"),
    "key twice but for case and composition": ("loop_ _coded.code \u00e9 E\u0301", "REL004", "error", "twice"),
    "word key twice but for case": ("loop_ _row.id Ab aB", "DIC015", "warning", "only in case"),
    "compound key twice": ("loop_ _pair.one _pair.two A 1 B 1 A 1", "REL004", "error", "twice"),
    "compound key twice by its default": ("loop_ _pair.one _pair.two A 1 . 1", "REL004", "error", "twice"),
    "half a compound key twice": ("loop_ _pair.one _pair.two A 1 A 2", "-", "", ""),
    "null in a key": ("loop_ _row.id a ?", "DIC013", "error", "is ?"),
    "null in a key with a default": ("loop_ _pair.one _pair.two . 1 B 2", "DIC013", "info", "A is understood"),
    "link into an absent table": (
        "loop_ _numbered.nr _numbered.row_id 1 a 2 b",
        "REL002",
        "warning",
        "the table ROW is not given",
    ),
    "link to no row": (f"{ROWS}loop_ _numbered.nr _numbered.row_id 1 a 2 c", "REL001", "error", "'c'"),
    "link": (f"{ROWS}loop_ _numbered.nr _numbered.row_id 1 a 2 b", "-", "", ""),
    "caseless link": ("loop_ _coded.code Ab Bc loop_ _user.id _user.code u AB v bc", "-", "", ""),
    "link of a number": ("loop_ _numbered.nr 1 2 loop_ _user.id _user.nr u 01 v 2", "-", "", ""),
    "compound link to no row": (
        f"{PAIRS}loop_ _user.id _user.one _user.two u A 2",
        "REL008",
        "error",
        "one A, two 2",
    ),
    "compound link": (f"{PAIRS}loop_ _user.id _user.one _user.two u A 1 v B 2", "-", "", ""),
    "compound link by a default": (f"{PAIRS}loop_ _user.id _user.one _user.two u . 1", "-", "", ""),
    "alias and name differ": ("_thing_old_name x _thing.named y", "DIC005", "error", "different values"),
    "alias and name agree": ("_thing_old_name x _thing.named x", "DIC005", "warning", "equal values"),
    "alias with a date of deprecation": ("_thing.retired x", "DIC004", "warning", "_thing.renamed"),
    "replaced item": ("_thing.replaced x", "DIC004", "warning", "_thing.named"),
    "name twice": ("_thing.text x _THING.Text y", "SYN004", "error", "_THING.Text"),
    "values missing in a loop": ("loop_ _row.id _row.value a 1 b", "SYN006", "error", "3 values"),
    "text that is not closed": ("_thing.text\n;never", "SYN008", "error", "text field"),
    "null in quotes": ("loop_ _row.id a '.'", "SYN014", "warning", "quoted"),
    "null": ("_thing.real .", "-", "", ""),
    "nothing recognised": ("_cell.length_a 1", "DIC001", "error", "nothing could be judged"),
}


@pytest.mark.parametrize("name", MATRIX)
def test_a_generic_check_is_made(name: str) -> None:
    cif, rule, severity, message = MATRIX[name]
    found = findings(cif)
    if rule == "-":
        assert [f"{entry.rule} {entry.message}" for entry in found if not _is_beside_the_point(entry)] == []
        return
    own = [entry for entry in found if entry.rule == rule and message in entry.message]
    assert own, [f"{entry.rule} {entry.message}" for entry in found]
    assert own[0].severity is Severity(severity)
    assert own[0].location.span is not None
    # One fault, one finding: nothing else is worse than a note.
    assert {entry.rule for entry in found if entry.severity.at_least(Severity.WARNING)} <= {rule}


def _is_beside_the_point(entry: imgcif_core.Finding) -> bool:
    """Notes that a legal file may earn all the same."""
    return entry.rule in QUIET or (entry.rule == "DIC009" and "without its standard" in entry.message)


def test_a_finding_names_the_value_by_line_column_key_and_remedy() -> None:
    (entry,) = findings("loop_\n_row.id\n_row.value\na 1\nb 2\nloop_\n_user.id\nu\n_thing.word_state gren")
    assert (entry.rule, entry.location.span.line, entry.location.span.column) == ("DIC006", 11, 19)
    assert entry.help == "did you mean green"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("cif_img.dic 1.0.0", "older"),
        ("cif_img.dic 99.0.0", "newer"),
        ("cif_pd.dic 1.0.0", "not among those"),
    ],
)
def test_drift_of_the_dictionary_is_told(declared: str, message: str, image_dictionary: Dictionary) -> None:
    cif = f"loop_ _audit_conform.dict_name _audit_conform.dict_version {declared}"
    (entry,) = [found for found in findings(cif, dictionary=image_dictionary) if found.rule == "DIC017"]
    assert message in entry.message


@pytest.fixture
def image_dictionary() -> Dictionary:
    return imgcif_core.load_dictionary()


def test_the_dictionary_of_these_tests_has_no_faults_of_its_own() -> None:
    assert {item.contents for name in every_type().names() if (item := every_type().lookup(name))} >= {"Date", "Symop"}
