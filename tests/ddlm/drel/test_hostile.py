"""Methods that mean no good: each ends with its place and its budget, and the next one runs."""

import time
from pathlib import Path

import pytest
from methodical import dictionary, world

from imgcif_core.ddlm.drel.budget import Limits
from imgcif_core.ddlm.drel.values import MISSING

LIMITS = Limits(steps=20_000, seconds=5.0, total_seconds=10.0)
HOSTILE = {
    "loops for ever": ("x = 0\nRepeat { x += 1 }", "budget of steps"),
    "loops far": ("Do i = 1, 10 ** 9 { x = i }", "budget of steps"),
    "calls itself": ("x = Again(1)", "budget of depth"),
    "divides by zero": ("x = 1\n_cell.result = x / 0", "division by zero"),
    "divides integers by zero": ("x = 1\n_cell.result = x / (x - 1)", "division by zero"),
    "index out of range": ("x = [1,2]\n_cell.result = x[5]", "index 5 lies outside a list"),
    "matrix index out of range": ("x = Matrix([[1]])\n_cell.result = x[3,3]", "index 3,3 lies outside a matrix"),
    "calls what does not exist": ("_cell.result = Launch(1)", "Launch is no function"),
    "takes too many arguments": ("_cell.result = Sin(1, 2)", "Sin takes 1 arguments, not 2"),
    "names what does not exist": ("_cell.result = nobody", "nobody is no variable"),
    "names an unknown item": ("_cell.result = _cell.nothing", "cell has no item nothing"),
    "grows a text": ("s = 'aaaaaaaaaa'\nRepeat { s = s + s }", "budget of"),
    "grows a number": ("n = 9\nRepeat { n = n * n }", "budget of size"),
    "raises to a tower": ("_cell.result = 9 ** 9 ** 9", "too large"),
    "adds text and number": ("_cell.result = 'a' + 1", "cannot be added"),
    "orders what has no order": ("If ([1] < 2) x = 1", "no order"),
    "assigns another item": ("_cell.a = 3", "but the method is that of _cell.result"),
    "mixes shapes": ("_cell.result = [1,2] * [1,2,3]", "do not fit"),
    "gives the wrong type": ("_cell.result = 'text'", "wants Real"),
    "is no dREL": ("x = = 1", "not expected here"),
    "is cut off": ("x = (1", "ends in the middle"),
    "sorts what has no order": ("x = Sort([1,'a'])", "no common order"),
    "has a ragged matrix": ("x = Matrix([[1],[1,2]])", "differ in length"),
    "reaches for Python": ("x = __import__('os')", "no function"),
    "reaches for an object": ("x = 'a'\ny = x.__class__", "has no item __class__"),
    "counts by nothing": ("Do i = 1, 5, 0 { x = i }", "cannot count by 0"),
    "names many rows": ("_cell.result = atom.x", "has 2 rows"),
}
DATA = "_cell.a 1.0\nloop_ _atom.id _atom.x\nA 1\nB 2\n"
AGAIN = "Function Again( x :[Single, Real] ) { Again = Again(x) }"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_method_is_stopped_and_told(tmp_path: Path, name: str) -> None:
    text, message = HOSTILE[name]
    judge = dictionary(tmp_path, cell__result=text, cell__complex="_cell.complex = Complex(1, 2)", Again=AGAIN)
    there = world(DATA, judge, LIMITS)
    bad, good = judge.lookup("_cell.result"), judge.lookup("_cell.complex")
    assert bad is not None and good is not None
    start = time.process_time()
    assert there.value(bad, 0).value is MISSING
    assert time.process_time() - start < 20
    assert len(there.troubles) == 1
    trouble = there.troubles[0]
    assert message in trouble.message
    assert trouble.line >= 1 and trouble.column >= 1
    assert trouble.method.id == "_cell.result"
    assert there.value(good, 0).value == 1 + 2j


def test_the_place_is_inside_the_method_and_inside_the_file(tmp_path: Path) -> None:
    judge = dictionary(tmp_path, cell__result="x = 1\n\n  y = x / 0")
    there = world("_cell.a 1.0", judge)
    item = judge.lookup("_cell.result")
    assert item is not None
    there.value(item, 0)
    (trouble,) = there.troubles
    lines = (tmp_path / "tests.dic").read_text().splitlines()
    assert (trouble.line, trouble.column) == (4, 9)
    assert lines[trouble.file_line - 1] == "  y = x / 0"


def test_a_list_that_changes_under_a_loop_is_gone_through_as_it_was(tmp_path: Path) -> None:
    method = "x = [1,2,3] n = 0 For i in x { x ++= i n += 1 } _cell.result = n * 100 + Len(x)"
    judge = dictionary(tmp_path, cell__result=method)
    item = judge.lookup("_cell.result")
    assert item is not None
    assert world("_cell.a 1.0", judge, LIMITS).value(item, 0).value == 306


def test_methods_that_call_each_other_without_end_are_circles(tmp_path: Path) -> None:
    judge = dictionary(tmp_path, cell__a="_cell.a = _cell.result", cell__result="_cell.result = _cell.a")
    item = judge.lookup("_cell.a")
    assert item is not None
    assert world("_cell.text x", judge).value(item, 0).value is MISSING
