"""Angles and resolution of pixels, with the worked numbers of a 16M detector at 287.22 mm."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.model.pose import DOWNSTREAM, Pose
from imgcif_core.model.scattering import resolution, scattering_vectors, two_theta
from imgcif_core.model.vectors import rotation_matrices

WAVELENGTH = 0.979491392863
PANEL = Pose(
    np.array([[-166.7625, 172.4595, -287.22]]), np.array([[0.075, 0, 0]]), np.array([[0, -0.075, 0]]), (4148, 4362)
)
POINTS = st.tuples(*[st.floats(-300, 300)] * 3).filter(lambda point: sum(map(abs, point)) > 1)


def test_worked_pixels_of_a_16m_panel() -> None:
    points = np.concatenate([PANEL.at(1000, 500), PANEL.at(0, 0), PANEL.at(9, 5), PANEL.corner])
    assert_allclose(two_theta(points[:3], DOWNSTREAM), [29.60556, 39.87026, 39.78335], atol=5e-6)
    assert_allclose(resolution(points, WAVELENGTH, DOWNSTREAM), [1.916868, 1.43639, 1.43940, 1.43617], atol=5e-6)
    vector = scattering_vectors(points[0], WAVELENGTH, DOWNSTREAM)
    assert_allclose(vector, [-0.2835914, 0.4170914, 0.1332866], atol=5e-8)
    assert_allclose(np.linalg.norm(vector), 0.5216844, atol=5e-8)


def test_a_scattering_vector_turned_back_into_the_sample() -> None:
    # omega stands at 0.15 degrees about +X in the middle of the second frame.
    vector = scattering_vectors(PANEL.at(1000, 500)[0], WAVELENGTH, DOWNSTREAM)
    turned = rotation_matrices(np.array([1.0, 0, 0]), np.array([0.15]))[0].T @ vector
    assert_allclose(turned, [-0.2835914, 0.4174389, 0.1321942], atol=5e-8)


@given(POINTS, st.floats(0.02, 5))
def test_the_length_of_a_scattering_vector_is_the_inverse_resolution(point, wavelength: float) -> None:
    length = np.linalg.norm(scattering_vectors(np.array(point), wavelength, DOWNSTREAM))
    spacing = float(resolution(np.array(point), wavelength, DOWNSTREAM))
    assert_allclose(length * spacing if np.isfinite(spacing) else 1.0, 1.0, rtol=1e-6)


@given(POINTS, st.floats(0.01, 100))
def test_distance_does_not_change_the_angle(point, factor: float) -> None:
    one, two = two_theta(np.array([point, np.array(point) * factor]), DOWNSTREAM)
    assert_allclose(one, two, atol=1e-9)


def test_the_beam_itself_and_the_sample_are_told() -> None:
    assert two_theta(np.array([0, 0, -10.0]), DOWNSTREAM) == 0
    assert np.isinf(resolution(np.array([0, 0, -10.0]), 1.0, DOWNSTREAM))
    assert_allclose(two_theta(np.array([0, 0, 10.0]), DOWNSTREAM), 180)
    assert np.isnan(two_theta(np.zeros(3), DOWNSTREAM))
