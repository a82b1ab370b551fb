"""Symmetry as far as the sample needs it: the numbers are those of International Tables A."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from imgcif_core.model.space_groups import by_hall, by_name, by_number, by_operations, cell_of, is_cell, metric_of


@pytest.mark.parametrize(
    ("symbol", "number"),
    [("P 21/c", 14), ("P_21_21_21", 19), ("P 2_1 2_1 2_1", 19), ("R -3 c", 167), ("F m -3 m", 225)],
)
def test_a_name_gives_its_number(symbol: str, number: int) -> None:
    found = by_name(symbol)
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize("symbol", ["", "19", "thaumatin", "\x00", "x" * 10_000, "Ｐ 1"])
def test_what_is_no_name_gives_none(symbol: str) -> None:
    assert by_name(symbol) is None


@pytest.mark.parametrize("symbol", ["", "nonsense", "P 2 (2x,y,z)", "A" * 500, "P 3 4 5 6"])
def test_what_is_no_hall_symbol_gives_none(symbol: str) -> None:
    assert by_hall(symbol) is None


def test_a_hall_symbol_with_a_change_of_basis_is_a_group_without_number() -> None:
    found = by_hall("-P 2ybc (0 0 1)")
    assert found is not None
    assert found.number == 0
    assert len(found.rotations) == 4


def test_operations_give_the_group_they_form() -> None:
    found = by_operations(["x,y,z", "-x,y+1/2,-z"])
    assert found is not None
    assert found.number == 4
    assert by_operations(["x,y,z", "nonsense"]) is None


@pytest.mark.parametrize(
    ("number", "demands"),
    [
        (1, ""),
        (14, "alpha = gamma = 90"),
        (96, "a = b, alpha = beta = gamma = 90"),
        (169, "a = b, alpha = beta = 90, gamma = 120"),
        (225, "a = b = c, alpha = beta = gamma = 90"),
    ],
)
def test_a_group_demands_what_the_tables_say(number: int, demands: str) -> None:
    found = by_number(number)
    assert found is not None
    assert found.demands() == demands


def test_the_rhombohedral_setting_demands_equal_angles() -> None:
    found = by_hall("P 3*")
    assert found is not None
    assert found.demands() == "a = b = c, alpha = beta = gamma"


def test_cells_go_through_their_metric_unchanged() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        cell = np.concatenate([rng.uniform(3, 200, 3), rng.uniform(70, 110, 3)])
        assert is_cell(cell)
        assert_allclose(cell_of(metric_of(cell)), cell, rtol=1e-9)


@pytest.mark.parametrize("angles", [(60, 60, 130), (120, 120, 120), (0, 90, 90), (170, 100, 100)])
def test_angles_that_close_to_no_body_are_no_cell(angles: tuple[float, float, float]) -> None:
    assert not is_cell([10, 10, 10, *angles])
