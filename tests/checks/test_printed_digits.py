"""Half a unit of the last digit, for single texts and for whole columns alike."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import imgcif_core
from imgcif_core.checks.tolerances import last_digit_half, last_digit_halves, printed_half, step_half, written_half
from imgcif_core.cif.columns import Column
from imgcif_core.tables import Table, Tables

DICTIONARY = imgcif_core.load_dictionary()
TEXTS = ("10.1", "-3", "0.44", "1e-3", "'2.50'", "1.5(2)", "0.000", "12.", "1.25E2", "7")


def table(*texts: str) -> Table:
    text = "data_x\nloop_\n_diffrn_scan_frame_axis.angle\n" + "\n".join(texts) + "\n"
    tables = Tables(imgcif_core.read(text.encode(), name="test.cif").blocks[0], DICTIONARY)
    return tables.table("diffrn_scan_frame_axis")


def angles(*texts: str) -> Column:
    column = table(*texts).column("angle")
    assert column is not None
    return column


@pytest.mark.parametrize(
    ("text", "half"), [("0.44", 0.005), ("13", 0.5), ("12.", 0.5), ("1.1e-3", 5e-5), ("1.25E2", 0.5), ("10.10", 0.005)]
)
def test_the_half_follows_the_digits_as_printed(text: str, half: float) -> None:
    assert last_digit_half(text) == pytest.approx(half, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "half"), [("3", 0.15), ("0.5", 0.025), ("0.0001", 5e-6), ("-0.4", 0.02), ("0.0", 0.05)]
)
def test_few_digits_are_no_licence_for_half_of_the_value(text: str, half: float) -> None:
    assert last_digit_half(text) == pytest.approx(half, rel=1e-12)


@pytest.mark.parametrize(("text", "half"), [("0.1", 0.05), ("3", 0.5)])
def test_settings_keep_what_their_digits_leave_open(text: str, half: float) -> None:
    assert printed_half(text) == half
    assert written_half(table(text), "angle", 0, is_setting=True) == half


def test_columns_give_what_single_texts_give() -> None:
    column = angles(*TEXTS)
    assert_allclose(last_digit_halves(column), [last_digit_half(text) for text in column.texts()], rtol=1e-12)


def test_some_rows_give_what_they_give_in_the_column() -> None:
    column = angles(*TEXTS)
    rows = np.array([8, 2, 2, 5])
    assert_allclose(last_digit_halves(column, rows), last_digit_halves(column)[rows], rtol=0)
    assert len(last_digit_halves(column, rows[:0])) == 0


def test_random_decimals_agree_with_their_texts() -> None:
    random = np.random.default_rng(11)
    texts = [
        f"{value:.{digits}f}"
        for value, digits in zip(random.normal(0, 100, 300), random.integers(0, 9, 300), strict=True)
    ]
    assert_allclose(last_digit_halves(angles(*texts)), [last_digit_half(text) for text in texts], rtol=1e-12)


def test_whole_numbers_are_exact_as_steps_only() -> None:
    settings = table("1", "1.0", "?")
    assert (written_half(settings, "angle", 0), step_half(settings, "angle", 0)) == (0.05, 0.0)
    assert (written_half(settings, "angle", 1), step_half(settings, "angle", 1)) == (0.05, 0.05)
    assert (written_half(settings, "angle", 2), step_half(settings, "angle", 2)) == (0.0, 0.0)
