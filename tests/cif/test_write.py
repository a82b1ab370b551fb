"""What is written is read back as it was, by the careful road and the fast one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgcif_core.cif.reader import open_source, read
from imgcif_core.cif.write import NOT_APPLICABLE, UNKNOWN, Category, DataBlock, encode, version_for, write_blocks
from imgcif_core.errors import UsageError

ALPHABET = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"), include_characters="\n\t;'\"\\ #_[]{}"
)


def text_of(*categories: Category) -> str:
    return "".join(write_blocks([DataBlock("test", categories)]))


def read_back(text: str, road: str = "careful"):
    document = read(open_source(text.encode()), road=road)
    assert not [problem for problem in document.problems if problem.severity == "error"], text
    return document.blocks[0].columns


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=40), min_size=1, max_size=4))
def test_any_text_comes_back(values: list[str]) -> None:
    values = [value.replace("\ufeff", "") for value in values]
    columns = read_back(text_of(Category("audit_author", {"name": values, "id": list(range(len(values)))})))
    assert list(columns["_audit_author.name"].texts()) == values


@pytest.mark.parametrize(
    "value",
    ["'", "data_x", "LOOP_", ".", "?", "_x", "a b", 'it\'s "so"', "a\n;b", "\\", "x" * 5000, ";", "#1", "[1]", "-"],
)
def test_single_values_come_back(value: str) -> None:
    columns = read_back(text_of(Category("audit", {"creation_method": value})))
    assert columns["_audit.creation_method"].text(0) == value
    assert not columns["_audit.creation_method"].is_null[0]


def test_long_lines_with_semicolons_come_back() -> None:
    value = "y" * 3000 + "\n; z\\\n" + "\\" * 2100
    columns = read_back(text_of(Category("audit", {"creation_method": value})))
    assert columns["_audit.creation_method"].text(0) == value


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_floats_come_back_bit_by_bit(values: list[float]) -> None:
    columns = read_back(text_of(Category("axis", {"offset[1]": np.array(values)})))
    assert [float(text) for text in columns["_axis.offset[1]"].texts()] == values


def test_nulls_are_bare() -> None:
    columns = read_back(
        text_of(Category("axis", {"id": ["a", "b", "c"], "depends_on": [None, UNKNOWN, NOT_APPLICABLE]}))
    )
    assert columns["_axis.depends_on"].is_null.all()
    assert encode(float("nan")) == "?"
    assert encode(-0.0) == "0.0"


def test_long_loops_come_back_by_the_fast_road() -> None:
    rows = 120_001
    names = [f"frame{n}" for n in range(rows)]
    text = text_of(Category("diffrn_scan_frame", {"frame_id": names, "frame_number": np.arange(rows), "scan_id": "S1"}))
    columns = read_back(text, "auto")
    assert list(columns["_diffrn_scan_frame.frame_id"].texts()) == names
    assert set(columns["_diffrn_scan_frame.scan_id"].texts()) == {"S1"}


def test_reserved_words_in_long_columns_are_quoted() -> None:
    names = ["x"] * 100 + ["data_1", "loop_", "stop_it"]
    columns = read_back(text_of(Category("axis", {"id": names})))
    assert list(columns["_axis.id"].texts()) == names


def test_version_follows_the_characters() -> None:
    assert version_for([DataBlock("a", [Category("audit", {"creation_method": "plain"})])]) == "1.1"
    assert version_for([DataBlock("a", [Category("audit", {"creation_method": "Grünberg"})])]) == "2.0"


def test_columns_of_unlike_length_are_refused() -> None:
    with pytest.raises(UsageError, match=r"axis\.type has 1 values in a loop of 2 rows"):
        text_of(Category("axis", {"id": ["a", "b"], "type": ["rotation"]}))
