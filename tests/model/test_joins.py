"""Repeated values: found by hashes, said of the values themselves, in few arrays for very many rows."""

import numpy as np
import pytest

from imgcif_core.model import joins


def test_each_repeat_names_the_first_row_of_its_value() -> None:
    values = [3, 1, 3, 2, 1, 3]
    again = joins.repeats(np.array(values, dtype=np.uint64), values.__getitem__)
    assert again.head(10) == [(2, 0), (4, 1), (5, 0)]
    assert again.head(1) == [(2, 0)]


def test_equal_hashes_of_other_values_are_no_repeat() -> None:
    again = joins.repeats(np.array([7, 7, 7], dtype=np.uint64), "aba".__getitem__)
    assert again.head(10) == [(2, 0)]
    assert not len(joins.repeats(np.array([7, 7], dtype=np.uint64), "ab".__getitem__))
    assert not len(joins.repeats(np.zeros(0, dtype=np.uint64), "".__getitem__))


@pytest.mark.parametrize("kinds", [1, 2, 7, 100])
def test_beyond_the_compared_rows_the_hashes_stand_for_the_values(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(kinds).integers(0, kinds, 500).astype(np.uint64)
    whole = joins.repeats(values, lambda row: int(values[row]))
    seen: list[int] = []
    monkeypatch.setattr(joins, "MAX_COMPARED", 20)
    bounded = joins.repeats(values, lambda row: seen.append(row) or int(values[row]))
    assert len(seen) <= 40
    assert bounded.head(600) == whole.head(600)
