"""Rows that repeat others: hashes point to them, the values decide, and very many take little memory."""

import sys
from pathlib import Path

import numpy as np
import pytest
from detector_texts import tables_of

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import SHARED

import imgcif_core
from imgcif_core.model import joins
from imgcif_core.model.joins import repeats

COLLISION = SHARED / "cases" / "engine" / "hash-collision.cif"


def test_equal_hashes_of_different_values_are_no_repetition() -> None:
    values = ["a", "b", "a", "c"]
    assert repeats(np.array([7, 7, 7, 9], dtype=np.uint64), values.__getitem__).head(9) == [(2, 0)]
    assert not len(repeats(np.array([7, 7], dtype=np.uint64), "ab".__getitem__))
    assert not len(repeats(np.zeros(0, dtype=np.uint64), "".__getitem__))


def test_the_first_of_several_equal_rows_is_named() -> None:
    values = ["b", "a", "a", "b", "a"]
    again = repeats(np.array([7, 7, 7, 7, 7], dtype=np.uint64), values.__getitem__)
    assert again.head(9) == [(2, 1), (3, 0), (4, 1)]
    assert again.head(1) == [(2, 1)]


def test_one_value_with_two_hashes_is_two() -> None:
    again = repeats(np.array([1, 1, 2, 2], dtype=np.uint64), lambda row: "same")
    assert again.head(9) == [(1, 0), (3, 2)]


def test_beyond_the_limit_hashes_are_believed_where_values_were_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MAX_COMPARED", 3)
    hashes = np.zeros(20, dtype=np.uint64)
    assert repeats(hashes, lambda row: "same").head(99) == [(row, 0) for row in range(1, 20)]
    assert not len(repeats(hashes, lambda row: row))


@pytest.mark.parametrize("kinds", [1, 2, 7, 100])
def test_beyond_the_compared_rows_none_is_lost(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(kinds).integers(0, kinds, 500).astype(np.uint64)
    whole = repeats(values, lambda row: int(values[row]))
    seen: list[int] = []
    monkeypatch.setattr(joins, "MAX_COMPARED", 20)
    bounded = repeats(values, lambda row: seen.append(row) or int(values[row]))
    assert len(seen) <= 40
    assert bounded.head(600) == whole.head(600)


@pytest.mark.skipif(not COLLISION.is_file(), reason=f"no {COLLISION}")
def test_two_ids_with_one_hash_are_no_duplicate_key() -> None:
    (report,) = imgcif_core.check(COLLISION).files
    assert "REL004" in report.outcomes.clean
    assert "REL012" not in {finding.rule for finding in report.findings}


def counted(form: str, first: int, step: int, rows: int, array: str) -> str:
    """A loop of ids that count, of one array."""
    lines = "".join(f"{form.format(first + step * row)} {array}\n" for row in range(rows))
    return "loop_\n_diffrn_data_frame.id\n_diffrn_data_frame.array_id\n" + lines


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize(
    "other", [(1, 1, 300, "A"), (5, 2, 100, "A"), (250, -3, 80, "A"), (1, 1, 100, "a"), (1, 1, 90, "B")]
)
@pytest.mark.parametrize("form", ["frame{}", "x_{:05d}.cbf"])
def test_ids_that_count_are_joined_as_by_their_hashes(
    form: str, other: tuple[int, int, int, str], fold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (
        tables_of(counted(form, first, step, rows, array)).table("diffrn_data_frame")
        for first, step, rows, array in ((3, 1, 200, "A"), other)
    )
    names = ("id", "array_id")
    by_number = joins.rows_spelt(one, names, two, names, ("1", "1"), fold=fold)
    assert joins._rows_counted(one, names, two, names, ("1", "1"), fold=fold) is not None
    monkeypatch.setattr(joins, "_rows_counted", lambda *_, **__: None)
    np.testing.assert_array_equal(by_number, joins.rows_spelt(one, names, two, names, ("1", "1"), fold=fold))
