"""Slips in the headings of loops: one problem each, and the loop is read as it was meant."""

import pytest

from imgcif_core.cif.document import Document
from imgcif_core.cif.reader import open_source, read

ROWS = "s1 f1 5\ns2 f6 7\n"
SOUND = f"data_a\n_x.id 1\nloop_\n_scan.id\n_scan.first\n_scan.frames\n{ROWS}_y.id 2\n"


def parse(text: str) -> Document:
    """The document of a text."""
    return read(open_source(b"#\\#CIF_2.0\n" + text.encode()))


def columns(text: str) -> dict[str, list[str]]:
    """The values of each name of the only block."""
    return {name: column.texts() for name, column in parse(text).blocks[0].columns.items()}


@pytest.mark.parametrize(
    ("variant", "old", "new"),
    [
        ("misspelt-loop", "loop_", "loop"),
        ("misspelt-loop", "loop_", "lop_"),
        ("misspelt-loop", "loop_", "Loop:"),
        ("lost-loop", "loop_\n", ""),
        ("lost-underscore", "_scan.first", "scan.first"),
        ("lost-underscore", "_scan.frames", "scan.frames"),
        ("lost-underscore", "_scan.id", "scan.id"),
        ("lost-underscore", "_x.id", "x.id"),
        ("no-blank", "_x.id 1", "_x.id'1'"),
    ],
)
def test_one_slip_is_one_problem_and_nothing_is_lost(variant: str, old: str, new: str) -> None:
    text = SOUND.replace(old, new, 1)
    problems = parse(text).problems
    assert [(problem.code, problem.variant) for problem in problems] == [("SYN013", variant)]
    assert columns(text) == columns(SOUND)


@pytest.mark.parametrize("name", ["_scan.id", "_scan.first", "_scan.frames"])
def test_a_blank_in_a_name_of_a_loop_is_one_problem(name: str) -> None:
    text = SOUND.replace(name, f"{name} used")
    assert [problem.variant for problem in parse(text).problems] == ["blank-in-name"]
    assert columns(text)[f"{name}_used"] == columns(SOUND)[name]


def test_a_keyword_with_a_slip_behind_another_loop_ends_that_loop() -> None:
    text = SOUND.replace("_x.id 1", "loop_\n_x.id\n1\n2").replace("loop_\n_scan", "loop\n_scan")
    assert [problem.variant for problem in parse(text).problems] == ["misspelt-loop"]
    assert columns(text)["_x.id"] == ["1", "2"]
    assert columns(text)["_scan.id"] == ["s1", "s2"]


@pytest.mark.parametrize(
    "text",
    [
        "data_a\n_x.id loop\n_y.id 1\n",
        "data_a\nloop_\n_x.id\nloop\nlop_\n_y.id 1\n",
        "data_a\nloop_\n_x.id\n_x.name\nx.id x.name\n_y.id 1\n",
        "data_a\nloop_\n_x.name\nx.id\nx.name\n_x.other 1\n",
        "data_a\n_it's 'fine'\n_y.o'clock 1\n",
    ],
)
def test_words_that_only_look_like_slips_are_values(text: str) -> None:
    assert parse(text).problems == []


def test_names_without_values_in_a_row_are_one_problem() -> None:
    (problem,) = parse("data_a\n_x.id\n_x.name\n_y.id\nloop_\n_z.id\n1\n").problems
    assert (problem.variant, problem.data["names"]) == ("names-without-value", 3)
