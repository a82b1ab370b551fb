"""Rotations and angles of vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.model.vectors import angle_between, angle_difference, rotation_matrices, unit

COMPONENTS = st.tuples(*[st.floats(-10, 10).filter(lambda number: abs(number) > 1e-3 or number == 0)] * 3)
VECTORS = COMPONENTS.filter(any)
ANGLES = st.floats(-720, 720)


def test_rotation_about_x_moves_y_to_z() -> None:
    (matrix,) = rotation_matrices(np.array([1, 0, 0]), np.array([90.0]))
    assert_allclose(matrix @ [0, 1, 0], [0, 0, 1], atol=1e-15)


def test_rotation_is_clockwise_seen_from_the_tail_of_the_axis() -> None:
    # Looking along +Z with Y up, X points to the left; clockwise is from up to the right: Y to -X.
    (matrix,) = rotation_matrices(np.array([0, 0, 1]), np.array([90.0]))
    assert_allclose(matrix @ [0, 1, 0], [-1, 0, 0], atol=1e-15)


def test_rotation_about_a_diagonal_permutes_the_axes() -> None:
    # A third of a turn about (1,1,1) carries X to Y, Y to Z and Z to X.
    (matrix,) = rotation_matrices(np.array([1, 1, 1]), np.array([120.0]))
    assert_allclose(matrix, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-15)


def test_a_null_axis_does_not_rotate() -> None:
    assert_allclose(rotation_matrices(np.zeros(3), np.array([30.0]))[0], np.eye(3))


@given(VECTORS, VECTORS, ANGLES)
def test_rotation_keeps_length_and_its_inverse_undoes_it(axis, vector, angle) -> None:
    forth, back = rotation_matrices(np.array(axis), np.array([angle, -angle]))
    moved = forth @ np.array(vector)
    assert_allclose(np.linalg.norm(moved), np.linalg.norm(vector), rtol=1e-12)
    assert_allclose(back @ moved, vector, atol=1e-11)
    assert_allclose(np.linalg.det(forth), 1.0, rtol=1e-12)


@given(VECTORS, st.floats(1e-150, 1e150))
def test_unit_vectors_do_not_depend_on_scale(vector, scale) -> None:
    assert_allclose(unit(np.array(vector) * scale), unit(np.array(vector)), atol=1e-12)


@pytest.mark.parametrize("vector", [(3e200, 4e200, 0), (3e-200, 4e-200, 0)])
def test_unit_vectors_survive_extreme_components(vector) -> None:
    assert_allclose(unit(np.array(vector)), [0.6, 0.8, 0], atol=1e-15)


def test_null_vectors_stay_null_and_have_no_angle() -> None:
    assert_allclose(unit(np.zeros((2, 3))), np.zeros((2, 3)))
    assert np.isnan(angle_between(np.zeros(3), np.array([1.0, 0, 0])))


def test_small_angles_are_exact() -> None:
    # tan(1e-9 rad) = 1e-9; the arc cosine of a product would give 0.
    small = angle_between(np.array([1.0, 0, 0]), np.array([1.0, 1e-9, 0]))
    assert_allclose(small, np.degrees(1e-9), rtol=1e-9)


@given(VECTORS, ANGLES)
def test_a_vector_across_the_axis_turns_by_the_angle(axis, angle) -> None:
    direction = unit(np.array(axis))
    across = unit(np.cross(direction, np.eye(3)[np.abs(direction).argmin()]))
    (matrix,) = rotation_matrices(direction, np.array([angle]))
    assert_allclose(angle_between(across, matrix @ across), angle_difference(angle, 0.0), atol=1e-6)


@pytest.mark.parametrize(("first", "second", "apart"), [(359.5, -0.5, 0), (10, 350, 20), (-180, 180, 0), (0, 181, 179)])
def test_angles_are_compared_modulo_a_turn(first, second, apart) -> None:
    assert_allclose(angle_difference(first, second), apart, atol=1e-9)
