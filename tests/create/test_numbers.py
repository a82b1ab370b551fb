"""Numbers lose the noise of arithmetic, and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from imgcif_core.create.numbers import short_direction, tidy, tidy_angle, tidy_number
from imgcif_core.model.vectors import unit


def test_noise_of_binary_fractions_goes() -> None:
    # 0.1 + 0.2 is 0.30000000000000004 in binary; 1.2e-17 is a cosine of 90 degrees.
    assert list(tidy(np.array([0.1 + 0.2, 1.2e-17, -0.0]))) == [0.3, 0.0, 0.0]
    assert tidy_angle(29.99999999999905) == 30.0


def test_digits_that_are_meant_stay() -> None:
    assert tidy_number(0.86602540378444) == 0.86602540378444
    assert tidy_number(159.99999998125) == 159.99999998125
    assert tidy_angle(0.100000001) == 0.100000001


@given(st.floats(-1e4, 1e4))
def test_no_number_moves_by_more_than_a_picometre(value: float) -> None:
    assert abs(tidy_number(value) - value) <= 1e-9


def test_printed_directions_come_back_as_printed() -> None:
    for printed in ([0.642788, -0.766044, 0.0], [0.914, 0.279, -0.297], [-0.0046, 0.0372, -0.9993]):
        found = short_direction(unit(np.array(printed)))
        assert_allclose(unit(found), unit(np.array(printed)), rtol=0, atol=3e-16)
        if abs(np.linalg.norm(printed) - 1.0) < 1e-5:
            assert found.tolist() == printed


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1))
def test_directions_stay(vector) -> None:
    direction = unit(np.array(vector))
    assert_allclose(unit(short_direction(direction)), direction, rtol=0, atol=1e-12)
