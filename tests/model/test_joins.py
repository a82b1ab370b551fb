"""Rows that repeat others: hashes point to them, the values decide."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import SHARED

import imgcif_core
from imgcif_core.model import joins
from imgcif_core.model.joins import repeats

COLLISION = SHARED / "cases" / "engine" / "hash-collision.cif"


def test_equal_hashes_of_different_values_are_no_repetition() -> None:
    values = ["a", "b", "a", "c"]
    assert repeats(np.array([7, 7, 7, 9], dtype=np.uint64), values.__getitem__) == {2: 0}


def test_the_first_of_several_equal_rows_is_named() -> None:
    values = ["b", "a", "a", "b", "a"]
    hashes = np.array([7, 7, 7, 7, 7], dtype=np.uint64)
    assert repeats(hashes, values.__getitem__) == {2: 1, 3: 0, 4: 1}


def test_one_value_with_two_hashes_is_two() -> None:
    assert repeats(np.array([1, 1, 2, 2], dtype=np.uint64), lambda row: "same") == {1: 0, 3: 2}


def test_beyond_the_limit_hashes_are_believed_where_values_were_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MAX_COMPARED", 3)
    hashes = np.zeros(20, dtype=np.uint64)
    assert repeats(hashes, lambda row: "same") == dict.fromkeys(range(1, 20), 0)
    assert repeats(hashes, lambda row: row) == {}


@pytest.mark.skipif(not COLLISION.is_file(), reason=f"no {COLLISION}")
def test_two_ids_with_one_hash_are_no_duplicate_key() -> None:
    (report,) = imgcif_core.check(COLLISION).files
    assert "REL004" in report.outcomes.clean
    assert "REL012" not in {finding.rule for finding in report.findings}
