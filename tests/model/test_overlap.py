"""Overlap of boxes and of panels."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.model.overlap import overlap_depth, touching_boxes
from imgcif_core.model.vectors import rotation_matrices


def pairs_of(low: np.ndarray, high: np.ndarray) -> set[tuple[int, int]]:
    found = [sorted(pair) for first, second in touching_boxes(low, high) for pair in zip(first, second, strict=True)]
    assert len(found) == len({tuple(pair) for pair in found})
    return {(int(one), int(two)) for one, two in found}


def square(x: float, y: float, z: float = 0.0, size: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """A square about a centre, turned about z: (4, 3)."""
    half = size / 2
    corners = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    return corners @ rotation_matrices(np.array([0, 0, 1.0]), np.array([turn]))[0].T + [x, y, z]


def depth(one: np.ndarray, two: np.ndarray, plane_mm: float = 0.1) -> float:
    return float(overlap_depth(np.array([one, two]), np.array([0]), np.array([1]), plane_mm)[0])


def test_squares_side_by_side_do_not_overlap() -> None:
    assert_allclose(depth(square(0, 0), square(1.5, 0)), -0.5)
    assert_allclose(depth(square(0, 0), square(1, 0)), 0, atol=1e-12)


def test_depth_is_the_smaller_of_the_two_overlaps() -> None:
    assert_allclose(depth(square(0, 0), square(0.75, 0.5)), 0.25)


def test_corners_that_pass_each_other_are_told_from_boxes_that_touch() -> None:
    # Turned by 45 degrees both, 1.1 apart along (1, 1): the bounding boxes touch, the squares do not.
    away = 1.1 / np.sqrt(2)
    assert depth(square(0, 0, turn=45), square(away, away, turn=45)) < 0
    # 0.9 apart along the normal of a side: they overlap by 0.1.
    away = 0.9 / np.sqrt(2)
    assert_allclose(depth(square(0, 0, turn=45), square(away, away, turn=45)), 0.1)


def test_faces_in_other_planes_do_not_overlap() -> None:
    assert depth(square(0, 0), square(0.2, 0.2, z=0.2)) == -np.inf
    tilted = square(0, 0) @ rotation_matrices(np.array([1.0, 0, 0]), np.array([10.0]))[0].T
    assert depth(square(0, 0), tilted) == -np.inf


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 90), st.floats(-180, 180), st.floats(-180, 180))
def test_depth_stays_when_both_are_moved(x: float, y: float, turn: float, tilt: float, roll: float) -> None:
    one, two = square(0, 0), square(x, y, turn=turn)
    matrix = (
        rotation_matrices(np.array([1.0, 2, 3]), np.array([tilt]))[0]
        @ (rotation_matrices(np.array([0, 1.0, 0]), np.array([roll]))[0])
    )
    assert_allclose(depth(one @ matrix.T + 7, two @ matrix.T + 7), depth(one, two), atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_the_sweep_finds_what_all_pairs_find(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    low = chance.integers(0, 20, (count, 3)).astype(float)
    high = low + chance.integers(0, 6, (count, 3))
    expected = {
        (one, two)
        for one in range(count)
        for two in range(one + 1, count)
        if (low[one] <= high[two]).all() and (low[two] <= high[one]).all()
    }
    assert pairs_of(low, high) == expected


def test_ten_thousand_modules_are_swept_in_a_moment() -> None:
    # All pairs would be 50 million; the limit leaves room for a busy machine.
    x, y = np.meshgrid(np.arange(100.0), np.arange(100.0))
    low = np.stack([x.ravel(), y.ravel(), np.zeros(10_000)], axis=1)
    start = time.process_time()
    assert pairs_of(low, low + np.array([0.9, 0.9, 0.0])) == set()
    assert time.process_time() - start < 5


def test_thousands_in_one_place_are_given_in_portions() -> None:
    low = np.zeros((5000, 3))
    first, _ = next(touching_boxes(low, low + 1))
    assert 0 < len(first) <= 256 * 5000
