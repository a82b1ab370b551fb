"""Columns that count are told from those that nearly do, and stand for their texts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgcif_core.checks.joins import missing_rows
from imgcif_core.cif.columns import Column
from imgcif_core.cif.counting import MIN_ROWS
from imgcif_core.cif.document import Source


def column(values: list[str]) -> Column:
    """A column of unquoted values, one in each line."""
    data = "\n".join(values).encode()
    lengths = np.array([len(value.encode()) for value in values])
    starts = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
    return Column("_x.y", Source("x.cif", data), 0, 0, starts, starts + lengths)


def frames(first: int = 1, step: int = 1, rows: int = 200, form: str = "frame{}") -> list[str]:
    return [form.format(first + step * row) for row in range(rows)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (frames(), (b"frame", b"", 1, 1, 0)),
        (frames(form="a/b_{:05d}.cbf"), (b"a/b_", b".cbf", 1, 1, 5)),
        (frames(form="x_{}.cbf.gz", first=7, step=3), (b"x_", b".cbf.gz", 7, 3, 0)),
        (frames(form="{}"), (b"", b"", 1, 1, 0)),
        (frames(form="{}", first=5000, step=-5), (b"", b"", 5000, -5, 0)),
        (frames(form="v2_{:03d}_x", first=10), (b"v2_", b"_x", 10, 1, 3)),
    ],
)
def test_what_counts_is_known(values: list[str], expected: tuple) -> None:
    counting = column(values).counting
    assert counting is not None
    assert (counting.prefix, counting.suffix, counting.first, counting.step, counting.width) == expected


@pytest.mark.parametrize(
    "values",
    [
        frames(rows=MIN_ROWS - 1),
        ["same"] * 200,
        [*frames(rows=199), "frame999"],
        [*frames(rows=100), *frames(rows=100)],
        [*frames(rows=199), "Frame200"],
        [*frames(rows=199, form="{:03d}"), "0200"],
        [*frames(rows=199), "frame0200"],
        ["-1", "-2", *frames(first=3, form="-{}")],
        frames(form="0.{}"),
        frames(form="é{}", first=1)[:150] + frames(form="e\u0301{}", first=151, rows=50),
    ],
)
def test_what_does_not_count_is_left_alone(values: list[str]) -> None:
    assert column(values).counting is None


@given(
    st.integers(0, 10**12),
    st.integers(-50, 50).filter(bool),
    st.sampled_from(["{}", "f{}", "F{}", "a_{:09d}.cbf", "x{}y", "{:015d}", "p{}.h5"]),
    st.integers(64, 300),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_a_counting_column_stands_for_its_texts(
    first: int, step: int, form: str, rows: int, data: st.DataObject
) -> None:
    if first + step * (rows - 1) < 0:
        first += 50 * rows
    values = frames(first, step, rows, form)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, rows - 1))
        values[at] = data.draw(st.sampled_from(["other", values[at] + "0", values[0], values[at].upper(), "7"]))
    known = column(values)
    counting = known.counting
    if counting is not None:
        texts = [
            f"{counting.prefix.decode()}{number:0{counting.width or 1}d}{counting.suffix.decode()}"
            for number in counting.numbers.tolist()
        ]
        assert texts == values
    assert known.is_all_distinct == (len(set(values)) == rows)
    assert known.is_constant == (len(set(values)) == 1)
    lowered = column([value.casefold() for value in values])
    assert np.array_equal(known.folded_hashes(), lowered.hashes)
    numbers = known.numbers()
    for value, number, valid in zip(values, numbers.values, numbers.valid, strict=True):
        assert bool(valid) == value.isdigit()
        assert not valid or number == float(value)


@given(st.integers(0, 300), st.integers(1, 3), st.integers(0, 300), st.integers(1, 3), st.integers(64, 150))
@settings(max_examples=100, deadline=None)
def test_missing_values_are_those_that_the_parent_does_not_reach(
    first: int, step: int, parent_first: int, parent_step: int, rows: int
) -> None:
    child, parent = frames(first, step, rows), frames(parent_first, parent_step, rows + 20)
    expected = [row for row, value in enumerate(child) if value not in set(parent)]
    assert missing_rows(column(child), [column(parent)]).tolist() == expected
