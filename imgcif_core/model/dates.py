"""Dates and times of columns, read by byte position for all rows at once."""

import re

import numpy as np

from imgcif_core.arrays import Bytes, Flags, Integers
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Quoting
from imgcif_core.records import dataclass

GOOD, MALFORMED, NO_SUCH_DAY = 0, 1, 2
_WIDEST = 40
_CHUNK = 200_000
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9)
_FORM = re.compile(
    rb"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    rb"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    rb"(?P<zone>Z|(?P<sign>[+-])(?P<zone_hour>\d\d):(?P<zone_minute>[0-5]\d))?)?\Z"
)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(frozen=True, slots=True)
class Dates:
    """A column of dates; nothing is known of rows that are null or malformed.

    seconds : (rows,) float64 since 1970-01-01 in UTC where a zone is given, else in the local time of
    the file; nan where not known. resolution : (rows,) seconds, one unit of the last digit.
    has_zone, has_time : (rows,) bool. fault : (rows,) GOOD, MALFORMED or NO_SUCH_DAY.
    """

    seconds: np.ndarray
    resolution: np.ndarray
    has_zone: np.ndarray
    has_time: np.ndarray
    fault: np.ndarray


def read_dates(column: Column) -> Dates:
    """The dates of a column in the form yyyy-mm-ddThh:mm:ss.fff with Z or +hh:mm, as far as given.

    Source: ISO 8601 in the profile of RFC 3339, zone and parts of the time left away or not.
    """
    rows = len(column)
    if column.few_raws is not None:
        return _read_few(column.few_raws, column)
    if rows > 1 and column.is_constant:
        one = _read(column, np.zeros(1, dtype=np.int64))
        return Dates(*(np.repeat(getattr(one, name), rows) for name in Dates.__slots__))
    parts = [_read(column, np.arange(begin, min(begin + _CHUNK, rows))) for begin in range(0, max(rows, 1), _CHUNK)]
    return Dates(*(np.concatenate([getattr(part, name) for part in parts]) for name in Dates.__slots__))


def _read_few(raws: tuple[bytes, ...], column: Column) -> Dates:
    """The dates of few values, one by one."""
    kinds = [Quoting.BARE] * len(raws) if column.quoting is None else column.quoting.tolist()
    nulls = column.is_null.tolist()
    found = [_one(raw, kind, is_null=null) for raw, kind, null in zip(raws, kinds, nulls, strict=True)]
    seconds, resolution, has_zone, has_time, fault = zip(*found, strict=True) if found else ((),) * 5
    return Dates(
        np.array(seconds, dtype=float),
        np.array(resolution, dtype=float),
        np.array(has_zone, dtype=bool),
        np.array(has_time, dtype=bool),
        np.array(fault, dtype=np.int64),
    )


def _one(raw: bytes, kind: int, *, is_null: bool) -> tuple[float, float, bool, bool, int]:
    """Seconds, resolution, whether there are zone and time, and the fault of one value: as `_parse` has them."""
    if is_null:
        return np.nan, np.nan, False, False, GOOD
    text = raw[1:-1] if kind in (Quoting.SINGLE, Quoting.DOUBLE) else raw
    match = _FORM.match(text) if kind <= Quoting.DOUBLE and len(text) <= _WIDEST else None
    if match is None:
        return np.nan, np.nan, False, False, MALFORMED
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction, unit = 0.0, 1.0
    for digit in match["fraction"] or b"":
        unit /= 10.0
        fraction += (digit - 48.0) * unit
    east = 0
    if match["sign"]:
        east = int(match["zone_hour"]) * 60 + int(match["zone_minute"])
        if east > 24 * 60:
            return np.nan, np.nan, False, False, MALFORMED
        east = -east if match["sign"] == b"-" else east
    if not (_day_exists(year, month, day) and hour < 24 and minute < 60 and second <= 60):
        return np.nan, np.nan, False, False, NO_SUCH_DAY
    seconds = _day(year, month, day) * 86400.0 + hour * 3600.0 + (minute - east) * 60.0 + second + fraction
    has_time = match["hour"] is not None
    resolution = 86400.0 if not has_time else 60.0 if match["second"] is None else unit
    return seconds, resolution, match["zone"] is not None, has_time, GOOD


def _day_exists(year: int, month: int, day: int) -> bool:
    """As `_exists`, of one day."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= int(_DAYS[month]) + (is_leap and month == 2)


def _day(year: int, month: int, day: int) -> int:
    """As `_days`, of one day."""
    year, month = (year - 1, month + 9) if month <= 2 else (year, month - 3)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - 719468


def _read(column: Column, rows: np.ndarray) -> Dates:
    """The dates of some rows."""
    starts, lengths = column.starts[rows].astype(np.int64), column.lengths[rows].astype(np.int64)
    is_plain = np.ones(len(rows), dtype=bool)
    if column.quoting is not None:
        kinds = column.quoting[rows]
        quotes = np.isin(kinds, (Quoting.SINGLE, Quoting.DOUBLE)).astype(np.int64)
        is_plain = (quotes == 1) | (kinds == Quoting.BARE)
        starts, lengths = starts + quotes, lengths - 2 * quotes
    is_null = column.is_null[rows]
    is_plain &= (lengths >= 10) & (lengths <= _WIDEST)
    lengths = np.where(is_plain, lengths, 0)
    width = max(int(lengths.max(initial=0)), 10)
    positions = starts[:, None] + np.arange(width)
    texts = column.bytes_array[np.minimum(positions, len(column.bytes_array) - 1)]
    texts = np.where(np.arange(width) < lengths[:, None], texts, 0).astype(np.uint8)
    return _parse(texts, lengths, is_plain, is_null)


def _parse(texts: np.ndarray, lengths: np.ndarray, is_plain: np.ndarray, is_null: np.ndarray) -> Dates:
    """Dates from rows of bytes that zeros end."""
    padded = np.pad(texts, ((0, 0), (0, max(0, _WIDEST - texts.shape[1]))))
    digit = (padded >= 48) & (padded <= 57)
    good = is_plain & digit[:, _DIGITS].all(axis=1) & (padded[:, 4] == ord("-")) & (padded[:, 7] == ord("-"))
    zone_length, zone_minutes, zone_good = _zones(padded, digit, lengths)
    body = lengths - zone_length
    has_time = body > 10
    has_seconds = body > 16
    good &= np.where(has_time, (padded[:, 10] == ord("T")) & _is_clock(padded, digit, body), zone_length == 0)
    good &= zone_good
    year, month, day = _number(padded, 0, 4), _number(padded, 5, 7), _number(padded, 8, 10)
    hour = np.where(has_time, _number(padded, 11, 13), 0)
    minute = np.where(has_time, _number(padded, 14, 16), 0)
    second = np.where(has_seconds, _number(padded, 17, 19), 0)
    fraction, unit = _fractions(padded, digit, body)
    exists = _exists(year, month, day) & (hour < 24) & (minute < 60) & (second <= 60)
    seconds = _days(year, month, day) * 86400.0 + hour * 3600.0 + (minute - zone_minutes) * 60.0 + second + fraction
    fault = np.where(good, np.where(exists, GOOD, NO_SUCH_DAY), MALFORMED)
    fault[is_null] = GOOD
    is_known = good & exists & ~is_null
    resolution = np.where(has_time, np.where(has_seconds, unit, 60.0), 86400.0)
    return Dates(
        np.where(is_known, seconds, np.nan),
        np.where(is_known, resolution, np.nan),
        is_known & (zone_length > 0),
        is_known & has_time,
        fault,
    )


def _number(padded: np.ndarray, begin: int, end: int) -> np.ndarray:
    """The digits of some positions as numbers."""
    value = np.zeros(len(padded), dtype=np.int64)
    for place in range(begin, end):
        value = value * 10 + padded[:, place] - 48
    return value


def _zones(padded: np.ndarray, digit: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length of the zone at the end of each text, its minutes east of UTC, and whether it is one."""
    rows = np.arange(len(padded))
    last = padded[rows, np.maximum(lengths - 1, 0)]
    sign_at = np.maximum(lengths - 6, 0)
    sign = padded[rows, sign_at]
    has_offset = (lengths > 16) & ((sign == ord("+")) | (sign == ord("-")))
    places = sign_at[:, None] + np.array([1, 2, 4, 5])
    values = padded[rows[:, None], np.minimum(places, _WIDEST - 1)].astype(np.int64) - 48
    is_clock = digit[rows[:, None], np.minimum(places, _WIDEST - 1)].all(axis=1)
    is_clock &= padded[rows, np.minimum(sign_at + 3, _WIDEST - 1)] == ord(":")
    minutes = (values[:, 0] * 10 + values[:, 1]) * 60 + values[:, 2] * 10 + values[:, 3]
    good = ~has_offset | (is_clock & (minutes <= 24 * 60) & (values[:, 2] < 6))
    length = np.where(last == ord("Z"), 1, np.where(has_offset, 6, 0))
    return length, np.where(has_offset, np.where(sign == ord("-"), -minutes, minutes), 0), good


def _is_clock(padded: Bytes, digit: Flags, body: Integers) -> Flags:
    """Where hh:mm, hh:mm:ss or hh:mm:ss.f stands after the T."""
    good = digit[:, [11, 12, 14, 15]].all(axis=1) & (padded[:, 13] == ord(":"))
    with_seconds = (padded[:, 16] == ord(":")) & digit[:, [17, 18]].all(axis=1)
    places = np.arange(_WIDEST)
    in_fraction = (places >= 20) & (places < body[:, None])
    with_fraction = with_seconds & (padded[:, 19] == ord(".")) & (digit | ~in_fraction).all(axis=1)
    found: Flags = good & np.where(body == 16, True, np.where(body == 19, with_seconds, (body > 20) & with_fraction))
    return found


def _fractions(padded: np.ndarray, digit: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of seconds, and one unit of their last digit."""
    value, unit = np.zeros(len(padded)), np.ones(len(padded))
    for place in range(20, _WIDEST):
        inside = (place < body) & digit[:, place]
        if not inside.any():
            break
        unit = np.where(inside, unit / 10.0, unit)
        value = np.where(inside, value + (padded[:, place] - 48.0) * unit, value)
    return value, unit


def _exists(year: Integers, month: Integers, day: Integers) -> Flags:
    """Where the calendar has such a day."""
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    in_year = (month >= 1) & (month <= 12)
    last = _DAYS[np.where(in_year, month, 0)] + (is_leap & (month == 2))
    found: Flags = in_year & (day >= 1) & (day <= last)
    return found


def _days(year: Integers, month: Integers, day: Integers) -> Integers:
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    before_march = month <= 2
    shifted_year = year - before_march
    shifted_month = np.where(before_march, month + 9, month - 3)
    of_year = (153 * shifted_month + 2) // 5 + day - 1
    days = 365 * shifted_year + shifted_year // 4 - shifted_year // 100 + shifted_year // 400 + of_year
    return days - 719468
