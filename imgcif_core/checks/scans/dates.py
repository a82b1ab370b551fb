"""Rules about the dates of scans and frames."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule
from imgcif_core.checks.scans.common import scan_name, scan_place
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.dates import GOOD, MALFORMED, NO_SUCH_DAY, Dates, read_dates
from imgcif_core.model.scans import Scan, Scans
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

_ITEMS = (
    ("diffrn_scan", "date_start"),
    ("diffrn_scan", "date_end"),
    ("diffrn_scan", "date_end_estimated"),
    ("diffrn_scan_frame", "date"),
)


@dataclass(frozen=True, slots=True)
class Moments:
    """The dates of a block by item, each column read once."""

    columns: dict[tuple[str, str], Dates]

    def of(self, category: str, name: str) -> Dates | None:
        """The dates of an item, None where it is not given."""
        return self.columns.get((category, name))

    def at(self, name: str, row: int) -> tuple[float, float, bool]:
        """Seconds, resolution and whether there is a zone, for an item of DIFFRN_SCAN; nan if not known."""
        dates = self.of("diffrn_scan", name)
        if dates is None or not 0 <= row < len(dates.seconds):
            return np.nan, np.nan, False
        return float(dates.seconds[row]), float(dates.resolution[row]), bool(dates.has_zone[row])


@provider("any_moments")
def any_moments_of(tables: Tables) -> Moments:
    """The dates of scans and frames, none where none is given."""
    found = {}
    for category, name in _ITEMS:
        column = tables.table(category).column(name)
        if column is not None and not column.is_all_null:
            found[category, name] = read_dates(column)
    return Moments(found)


@provider("moments")
def moments_of(any_moments: Moments) -> Moments:
    """The dates of scans and frames; `NotApplicable` where there is none."""
    if not any_moments.columns:
        raise NotApplicable("no dates")
    return any_moments


def scan_window(moments: Moments, scan: Scan) -> tuple[float, float] | None:
    """Length of a scan in seconds and the resolution of its dates, None unless start and end are known."""
    start, start_unit, start_zone = moments.at("date_start", scan.row)
    end, end_unit, end_zone = moments.at("date_end", scan.row)
    if np.isnan(start) or np.isnan(end) or start_zone != end_zone or max(start_unit, end_unit) > 60:
        return None
    return end - start, start_unit + end_unit


@rule(
    "SCN014",
    "date-format",
    severity="warning",
    source="_diffrn_scan.date_start",
    message="date {value!r} is not in the form yyyy-mm-ddThh:mm:ss with a zone",
    messages={
        "day": "date {value!r} does not exist in the calendar, or its time not on a clock",
        "future": "date {value!r} lies in the future",
        "zone": "date {value!r} has no time zone",
        "time": "date {value!r} has no time of day",
    },
    helps={
        "": "write yyyy-mm-ddThh:mm:ss with a zone, such as 2026-03-01T10:00:00Z",
        "day": "correct the day or the time: no calendar or clock has it",
        "future": "correct the date, most often the year",
        "zone": "add Z for UTC, or the distance from UTC such as +01:00",
        "time": "add the time and its zone, such as T10:00:00Z",
    },
)
def date_format(tables: Tables, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A date is not written in the standard form, does not exist, or lies in the future.
    Why: Programs that order scans by time cannot read it, or read another moment. A date without a zone is legal,
    but its moment is known to within a day only.
    How to fix: Write yyyy-mm-ddThh:mm:ss.fff with Z for UTC, or the distance from UTC such as +01:00.
    Source: ISO 8601 in the profile of RFC 3339; Dictionary imgCIF, _diffrn_scan.date_start.
    """
    latest = time.time() + tolerances.day
    for (category, name), dates in moments.columns.items():
        table = tables.table(category)
        yield from _kind_of_date(table, name, dates.fault == MALFORMED, "")
        yield from _kind_of_date(table, name, dates.fault == NO_SUCH_DAY, "day")
        with np.errstate(invalid="ignore"):
            yield from _kind_of_date(table, name, dates.seconds > latest, "future")
        is_known = (dates.fault == GOOD) & ~np.isnan(dates.seconds)
        yield from _kind_of_date(table, name, is_known & ~dates.has_time, "time", severity="info")
        yield from _kind_of_date(table, name, is_known & dates.has_time & ~dates.has_zone, "zone", severity="info")


def _kind_of_date(
    table: Table, name: str, where: np.ndarray, variant: str, *, severity: str | None = None
) -> Iterator[Problem]:
    """The rows of a column that have the same fault, as one problem."""
    rows = np.flatnonzero(where)
    if len(rows):
        value = (table.text(name, int(rows[0])) or "")[:60]
        yield problem_at(table, rows, name, severity=severity, variant=variant, value=value)


@rule(
    "SCN015",
    "dates-out-of-order",
    severity="warning",
    source="_diffrn_scan.date_end",
    message="scan {scan} ends at {end}, {seconds:.6g} s before it starts at {start}",
    messages={
        "estimate": "scan {scan} ended at {end}, {hours:.3g} h from the estimate {estimate}",
        "before": "frame {frame} of scan {scan} is dated {date}, {seconds:.6g} s before the scan starts at {start}",
        "after": "frame {frame} of scan {scan} is dated {date}, {seconds:.6g} s after the scan ends at {end}",
        "order": "frame {frame} of scan {scan} is dated {seconds:.6g} s before the frame of the number before it",
    },
)
def dates_out_of_order(tables: Tables, scans: Scans, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A scan ends before it starts, or a frame is dated outside its scan or before the frame before it.
    Why: One of the dates, or the order of the frames, is wrong; decay and dose are computed from them.
    How to fix: Correct the dates, and give all of them with the same zone.
    Source: Dictionary imgCIF, _diffrn_scan.date_start, _diffrn_scan.date_end and _diffrn_scan_frame.date.
    """
    for scan in scans:
        found = list(_ends(tables, scan, moments, tolerances))
        yield from found
        if not found:
            yield from _frame_dates(tables, scan, moments, tolerances)


def _ends(tables: Tables, scan: Scan, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """Start, end and estimated end of one scan against each other."""
    table = tables.table("diffrn_scan")
    start, unit, has_zone = moments.at("date_start", scan.row)
    for name in ("date_end", "date_end_estimated"):
        end, end_unit, end_zone = moments.at(name, scan.row)
        if end_zone == has_zone and start - end > max(unit, end_unit):
            facts: dict[str, Any] = {"end": table.text(name, scan.row), "start": table.text("date_start", scan.row)}
            yield Problem(scan_place(tables, scan, name), scan=scan_name(scan), seconds=start - end, **facts)
            return
    end, _, end_zone = moments.at("date_end", scan.row)
    estimate, _, estimate_zone = moments.at("date_end_estimated", scan.row)
    if end_zone == estimate_zone and abs(end - estimate) > tolerances.day:
        yield Problem(
            scan_place(tables, scan, "date_end_estimated"),
            variant="estimate",
            scan=scan_name(scan),
            end=table.text("date_end", scan.row),
            estimate=table.text("date_end_estimated", scan.row),
            hours=abs(end - estimate) / 3600.0,
        )


def _frame_dates(tables: Tables, scan: Scan, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """The dates of frames against the scan, and against each other in the order of the frame numbers."""
    dates = moments.of("diffrn_scan_frame", "date")
    rows = scan.frame_rows
    if dates is None or not len(rows):
        return
    seconds, units = dates.seconds[rows], dates.resolution[rows]
    start, start_unit, start_zone = moments.at("date_start", scan.row)
    end, end_unit, end_zone = moments.at("date_end", scan.row)
    same_start, same_end = dates.has_zone[rows] == start_zone, dates.has_zone[rows] == end_zone
    with np.errstate(invalid="ignore"):
        early = (start - seconds > np.maximum(units, start_unit) + tolerances.clock) & same_start
        late = (seconds - end > np.maximum(units, end_unit) + tolerances.clock) & same_end
        steps = np.diff(seconds)
        back = (steps < -units[1:]) & (dates.has_zone[rows][1:] == dates.has_zone[rows][:-1])
    yield from _frames(tables, scan, early, "before", np.abs(start - seconds))
    yield from _frames(tables, scan, late, "after", np.abs(seconds - end))
    if not early.any() and not late.any():
        padded = np.concatenate([[False], back])
        yield from _frames(tables, scan, padded, "order", np.concatenate([[0.0], np.abs(steps)]))


def _frames(tables: Tables, scan: Scan, where: np.ndarray, variant: str, by: np.ndarray) -> Iterator[Problem]:
    """Frames of a scan with the same fault of their dates, as one problem."""
    indices = np.flatnonzero(where)
    if not len(indices):
        return
    frames, table = tables.table("diffrn_scan_frame"), tables.table("diffrn_scan")
    rows = scan.frame_rows[indices]
    yield problem_at(
        frames,
        rows,
        "date",
        variant=variant,
        frame=frames.text("frame_id", int(rows[0])) or "(unnamed)",
        scan=scan_name(scan),
        date=frames.text("date", int(rows[0])),
        seconds=by[indices[0]],
        start=table.text("date_start", max(scan.row, 0)),
        end=table.text("date_end", max(scan.row, 0)),
    )
