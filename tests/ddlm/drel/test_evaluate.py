"""The meaning of methods: rows, keys, missing values, matrices, circles; expected values are worked out by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from methodical import derive, dictionary, result, world
from numpy.testing import assert_allclose

from imgcif_core.ddlm.drel.context import BY_METHOD, CREATED, DEFAULT, DERIVED, STORED
from imgcif_core.ddlm.drel.values import MISSING, NULL

ATOMS = """\
loop_ _atom.id _atom.kind _atom.x _atom.y
A1 C 1.0 2.0
A2 o 3.0 ?
A3 C 5.0 .
loop_ _kind.symbol _kind.mass
C 12.0
O 16.0
"""


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("_cell.result = 1 + 2 * 3 ** 2", 19),
        ("_cell.result = -2 ** 2", -4),
        ("_cell.result = 7 / 2", 3.5),
        ("_cell.result = [1,2,3] * [4,5,6]", 32),
        ("v = [1,0,0] ^ [0,1,0] _cell.result = v[2]", 1),
        ("m = Matrix([[1,2],[3,4]]) v = m * [1,1] _cell.result = v[1]", 7),
        ("m = Matrix([[1,2],[3,4]]) _cell.result = Det(m)", -2),
        ("m = Inverse(Matrix([[2,0],[0,4]])) _cell.result = m[1,1]", 0.25),
        ("_cell.result = Norm([3,4])", 5),
        ("_cell.result = Acosd(1.0000000000000002)", 0),
        ("_cell.result = Log(1000)", 3),
        ("_cell.result = Atan2d(1, -1)", 135),
        ("_cell.result = Mod(-1, 3)", 2),
        ("_cell.result = Imag(ExpImag(Pi / 2))", 1),
        ("_cell.result = Imag(Sqrt(-4))", 2),
        ("_cell.result = Len('abc') + Len([1,2]) + Len(atom)", 5),
        ("x = [] For i in [3,1,2] x ++= i x = Sort(x) _cell.result = x[0] * 100 + x[1] * 10 + x[2]", 123),
        ("x = [1,2,3] x --= 2 _cell.result = Len(x)", 2),
        ("x = [1,2] y = x y ++= 3 _cell.result = Len(x)", 2),
        ("n = 0 Do i = -2, 2 { If (i == 0) Next n += 1 } _cell.result = n", 4),
        ("n = 0 Repeat { n += 1 If (n > 9) Break } _cell.result = n", 10),
        ("t = {'a':1} t['b'] = 5 _cell.result = t['a'] + t['b']", 6),
        ("s = Matrix([[0,0],[0,0]]) s[1,0] = 0.5 _cell.result = s[1,0]", 0.5),
        ("s = 'abcdef' If (s[0:2] == 'ab' and 'c' in s) _cell.result = 1 Else _cell.result = 2", 1),
        ("a, b = 4, 5 _cell.result = a * b", 20),
        ("If ('X' == 'x') _cell.result = 1 Else _cell.result = 2", 2),
        ("If (Caseless('X') == 'x') _cell.result = 1 Else _cell.result = 2", 1),
        ("temp.a = [1,2,3] _cell.result = temp.a[1]", 2),
        ("x = Strip([[1,2],[3,4]], 0) _cell.result = x[1]", 3),
        ("_cell.result = AtoI('42') + Indexof([5,6], 6)", 43),
        ("count = 1 count++ _cell.result = count", 2),
    ],
)
def test_expressions(tmp_path: Path, method: str, expected: float) -> None:
    assert_allclose(result(tmp_path, method), expected, atol=1e-12)


@pytest.mark.parametrize(
    "method",
    [
        "_cell.result = _cell.text + 1",
        "If (_cell.text == 'x') _cell.result = 1 Else _cell.result = 2",
        "_cell.result = Sin(?)",
        "If (_cell.a > 5) _cell.result = 1",
        "x = [1, ?] _cell.result = x * [1, 1]",
    ],
)
def test_what_is_missing_stays_missing(tmp_path: Path, method: str) -> None:
    assert result(tmp_path, method) is MISSING


def test_missing_is_seen_by_is_missing_alone_and_logic_has_three_truths(tmp_path: Path) -> None:
    assert result(tmp_path, "If (Is_missing(_cell.text)) _cell.result = 1") == 1
    assert result(tmp_path, "If (_cell.text == 'x' or 1 < 2) _cell.result = 1") == 1
    assert result(tmp_path, "If (_cell.text == 'x' and 1 > 2) _cell.result = 1 Else _cell.result = 3") == 3


def test_a_domain_fault_gives_null(tmp_path: Path) -> None:
    assert result(tmp_path, "_cell.result = Acos(2)") is NULL
    assert result(tmp_path, "If (Log(-1) == NULL) _cell.result = 1") == 1


def value(folder: Path, item: str, row: int = 0, data: str = ATOMS, **methods: Any) -> Any:
    return derive(folder, data, item, row, **methods)


def test_a_bare_category_is_the_row_of_the_method(tmp_path: Path) -> None:
    assert value(tmp_path, "_atom.twice", 1, atom__twice="_atom.twice = 2 * _atom.x") == 6.0
    assert value(tmp_path, "_atom.twice", 1, atom__twice="With a as atom  a.twice = 2 * a.x") == 6.0


def test_links_lead_to_the_row_of_another_loop(tmp_path: Path) -> None:
    assert value(tmp_path, "_atom.twice", 0, atom__twice="_atom.twice = kind.mass") == 12.0


def test_keys_are_values_and_codes_know_no_case(tmp_path: Path) -> None:
    method = "With a as atom  _atom.twice = kind[a.kind].mass"
    assert value(tmp_path, "_atom.twice", 1, atom__twice=method) == 16.0
    assert value(tmp_path, "_atom.twice", 1, atom__twice="_atom.twice = atom[.kind = 'O'].x") == 3.0


def test_rows_of_a_child_category_are_those_of_its_parent(tmp_path: Path) -> None:
    data = ATOMS + "loop_ _shape.id _shape.size\nA2 9.0\n"
    method = "n = 0. Loop a as atom { If (not Is_missing(a.size)) n += a.size + a.x } _cell.result = n"
    assert derive(tmp_path, data, "_cell.result", cell__result=method) == 12.0
    assert value(tmp_path, "_shape.size", 0, data, shape__size="_shape.size = 0") == 9.0
    up = "With s as shape  _shape.size = s.x"
    assert value(tmp_path, "_shape.size", 2, ATOMS, shape__size=up) == 5.0


def test_a_category_method_makes_rows_once_where_none_are_stored(tmp_path: Path) -> None:
    data = "loop_ _atom.id _atom.kind\nA1 C\nA2 O\nA3 C\n"
    method = (
        "t = [] Loop a as atom { If (a.kind not in t) t ++= a.kind } For k in t { kind(.symbol = k, .mass = Len(t)) }"
    )
    judge = dictionary(tmp_path, kind=method)
    there = world(data, judge)
    symbol, mass = judge.lookup("_kind.symbol"), judge.lookup("_kind.mass")
    assert symbol is not None and mass is not None
    assert there.row_count("kind") == 2
    assert [there.value(symbol, row).value for row in (0, 1)] == ["C", "O"]
    assert (there.value(mass, 1).value, there.value(mass, 1).how) == (2, CREATED)


def test_a_stored_value_comes_before_a_method_and_a_method_before_defaults(tmp_path: Path) -> None:
    judge = dictionary(tmp_path, cell__a="_cell.a = 5", cell__result=("Definition", "_enumeration.default = _cell.b"))
    items = {name: judge.lookup(f"_cell.{name}") for name in ("a", "b", "result")}
    stored, open_ = world("_cell.a 1.0", judge), world("_cell.text x", judge)
    found = {name: (item, open_.value(item, 0)) for name, item in items.items() if item is not None}
    assert stored.value(found["a"][0], 0).how == STORED
    assert (found["a"][1].value, found["a"][1].how) == (5, DERIVED)
    assert (found["b"][1].value, found["b"][1].how) == (7.5, DEFAULT)
    assert (found["result"][1].value, found["result"][1].how) == (7.5, BY_METHOD)


def test_circles_end_and_do_not_spoil_what_lies_beside_them(tmp_path: Path) -> None:
    methods = {
        "atom__xy": "With a as atom  _atom.xy = [a.x, a.y]",
        "atom__x": "With a as atom  _atom.x = a.xy[0]",
        "atom__y": "With a as atom  _atom.y = a.xy[1]",
    }
    assert derive(tmp_path, "loop_ _atom.id _atom.xy\nA1 [3 4]\n", "_atom.y", **methods) == 4
    found = derive(tmp_path, "loop_ _atom.id _atom.x _atom.y\nA1 3 4\n", "_atom.xy", **methods)
    assert np.array_equal(found, [3, 4])
    assert derive(tmp_path, "loop_ _atom.id _atom.x\nA1 3\n", "_atom.y", **methods) is MISSING


def test_functions_of_the_dictionary_are_called(tmp_path: Path) -> None:
    double = "Function Double( x :[Single, Real] ) { Double = 2 * x }"
    assert (
        derive(tmp_path, "_cell.a 4.0", "_cell.result", Double=double, cell__result="_cell.result = double(_cell.a)")
        == 8
    )


def test_definition_methods_give_attributes(tmp_path: Path) -> None:
    units = "If (_cell.text == 'n') _units.code = 'fm' Else _units.code = 'e'"
    judge = dictionary(
        tmp_path,
        cell__result=("Definition", units),
        cell__list=("Definition", "With c as cell _type.dimension = '[c.a + 1, 2]'"),
        atom__number=("Definition", "_enumeration.range = -_cell.a:_cell.a"),
    )
    there = world("_cell.text n\n_cell.a 3", judge)
    items = [judge.lookup(name) for name in ("_cell.result", "_cell.list", "_atom.number")]
    found = [there.attributes(item, 0) for item in items if item is not None]
    assert found == [{"_units.code": "fm"}, {"_type.dimension": "[4,2]"}, {"_enumeration.range": "-3.0:3.0"}]


def test_columns_agree_with_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    numbers = rng.uniform(-1, 1, (50, 2))
    numbers[7, 0] = 0.0
    rows = "\n".join(f"A{i} {x:.6f} {y if i != 9 else '?'}" for i, (x, y) in enumerate(numbers))
    data = f"loop_ _atom.id _atom.x _atom.y\n{rows}\n_cell.a 2.0\n"
    vector = "With a as atom  _atom.xy = [a.x, a.y]"
    method = (
        "h = _atom.xy  g = Matrix([[_cell.a, 0], [1, 3]])  _atom.twice = Sqrt(h * g * h + 9) + Cosd(_atom.x) / _atom.x"
    )
    judge = dictionary(tmp_path, atom__xy=vector, atom__twice=method)
    item = judge.lookup("_atom.twice")
    assert item is not None
    fast, slow = world(data, judge), world(data, judge)
    slow._columns.value = lambda item, row: None  # type: ignore[method-assign]
    assert fast._columns.column(item) is not None
    found = [(fast.value(item, row).value, slow.value(item, row).value) for row in range(50)]
    assert found[9] == (MISSING, MISSING) and found[7] == (MISSING, MISSING)
    assert_allclose(*zip(*(pair for i, pair in enumerate(found) if i not in (7, 9)), strict=True), rtol=1e-12)
    assert any("division by zero" in trouble.message for trouble in fast.troubles)


BRANCHES = {
    "two ways": "If (_atom.x < 0.0) _atom.twice = -_atom.x Else _atom.twice = 2.0 * _atom.y",
    "several ways": (
        "x = _atom.x If (x < -0.5) k = 1 Else If (x < 0) k = 2 Else If (_atom.y > 0 and x > 0.5) k = 3 Else k = 4 "
        "_atom.twice = k * x"
    ),
    "one within the other": (
        "If (_atom.x > 0) { If (not (_atom.y <= 0)) _atom.twice = _atom.y Else _atom.twice = 1 } "
        "Else _atom.twice = Sqrt(_atom.y)"
    ),
    "no other way": "If (-0.3 < _atom.x < 0.3 or _atom.y == 0.25) _atom.twice = 1.0 / _atom.x",
    "the same for all": "If (_cell.a == 2.0) _atom.twice = _atom.x Else _atom.twice = 'no'",
    "a variable of before": "k = _atom.y  If (_atom.x > 0) k = 2 * k  _atom.twice = k",
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branches_taken_for_all_rows_agree_with_rows(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(6)
    numbers = rng.uniform(-1, 1, (60, 2)).round(2).tolist()
    numbers[3:6] = [[0.0, 0.25], ["?", 0.5], [0.4, "?"]]
    rows = "\n".join(f"A{i} {x} {y}" for i, (x, y) in enumerate(numbers))
    judge = dictionary(tmp_path, atom__twice=BRANCHES[name])
    item = judge.lookup("_atom.twice")
    assert item is not None
    data = f"loop_ _atom.id _atom.x _atom.y\n{rows}\n_cell.a 2.0\n"
    fast, slow = world(data, judge), world(data, judge)
    slow._columns.value = lambda item, row: None  # type: ignore[method-assign]
    made = fast._columns.column(item) if name != "the same for all" else True
    assert made is not None
    one, other = ([there.value(item, row) for row in range(60)] for there in (fast, slow))
    for row, (quick, sure) in enumerate(zip(one, other, strict=True)):
        assert (quick.value is MISSING) == (sure.value is MISSING), row
        if sure.value is not MISSING:
            assert_allclose(quick.value, sure.value, rtol=1e-12, err_msg=str(row))
            assert set(quick.inputs) == set(sure.inputs), row


def test_a_sum_over_no_rows_is_not_known(tmp_path: Path) -> None:
    method = "n = 0 Loop a as atom n += 1 _cell.result = n"
    assert derive(tmp_path, "_cell.a 1", "_cell.result", cell__result=method) is MISSING
    assert derive(tmp_path, ATOMS, "_cell.result", cell__result=method) == 3
