"""Dates: read for whole columns, and nothing read into what is none."""

import datetime

import numpy as np
import pytest
from numpy.testing import assert_allclose

import imgcif_core
from imgcif_core.model.dates import GOOD, MALFORMED, NO_SUCH_DAY, Dates, read_dates
from imgcif_core.tables import Tables

DICTIONARY = imgcif_core.load_dictionary()


def read(*texts: str) -> Dates:
    text = "data_x\nloop_\n_diffrn_scan_frame.date\n" + "\n".join(texts) + "\n"
    tables = Tables(imgcif_core.read(text.encode(), name="test.cif").blocks[0], DICTIONARY)
    column = tables.table("diffrn_scan_frame").column("date")
    assert column is not None
    return read_dates(column)


def test_parts_of_the_time_may_be_left_away() -> None:
    dates = read("1970-01-02", "1970-01-01T01:00", "'1970-01-01T00:00:01'", '"1970-01-01T00:00:00.25"')
    # one day, one hour, one second, a quarter of one
    assert_allclose(dates.seconds, [86400, 3600, 1, 0.25], atol=1e-9)
    assert_allclose(dates.resolution, [86400, 60, 1, 0.01], rtol=1e-9)
    assert dates.has_time.tolist() == [False, True, True, True]
    assert not dates.has_zone.any()
    assert (dates.fault == GOOD).all()


def test_zones_are_taken_off() -> None:
    dates = read("1970-01-01T01:00:00Z", "1970-01-01T01:00:00+01:00", "1970-01-01T00:30-00:30", "1970-01-01T00:00")
    assert_allclose(dates.seconds, [3600, 0, 3600, 0], atol=0)
    assert dates.has_zone.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "2013-03-01T06:08Z58.401",
        "2013-3-1",
        "01-03-2013",
        "2013-03-01T06",
        "2013-03-01T06:08:",
        "2013-03-01T06:08:58.",
        "2013-03-01T06:08:58,4",
        "2013-03-01t06:08",
        "'2013-03-01 06:08:58'",
        "2013-03-01T06:08:58+1",
        "2013-03-01T06:08:58+01:7x",
        "2013-03-01Z",
        "2013/03/01",
        "yesterday",
        "x",
        "20130301",
        "2013-03-01T06:08:58" + "0" * 60,
    ],
)
def test_other_forms_are_malformed(text: str) -> None:
    dates = read(text)
    assert dates.fault.tolist() == [MALFORMED]
    assert np.isnan(dates.seconds).all()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2024-02-29", GOOD),
        ("2023-02-29", NO_SUCH_DAY),
        ("1900-02-29", NO_SUCH_DAY),
        ("2000-02-29", GOOD),
        ("2023-00-10", NO_SUCH_DAY),
        ("2023-13-10", NO_SUCH_DAY),
        ("2023-04-31", NO_SUCH_DAY),
        ("2023-04-10T24:00", NO_SUCH_DAY),
        ("2023-04-10T23:60", NO_SUCH_DAY),
        ("2016-12-31T23:59:60Z", GOOD),
    ],
)
def test_days_must_exist(text: str, fault: int) -> None:
    assert read(text).fault.tolist() == [fault]


def test_nulls_are_neither_dates_nor_faults() -> None:
    dates = read("?", "2024-01-01", ".")
    assert np.isnan(dates.seconds).tolist() == [True, False, True]
    assert (dates.fault == GOOD).all()


def test_seconds_agree_with_the_standard_library() -> None:
    random = np.random.default_rng(3)
    moments = [
        datetime.datetime(1980, 1, 1) + datetime.timedelta(seconds=int(s)) for s in random.integers(0, 2**31, 300)
    ]
    dates = read(*(moment.isoformat() for moment in moments))
    epoch = datetime.datetime(1970, 1, 1)
    assert_allclose(dates.seconds, [(moment - epoch).total_seconds() for moment in moments], atol=0)
