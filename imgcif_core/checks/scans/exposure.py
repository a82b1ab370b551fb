"""Rules about exposure times and periods."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import scan_name, scan_place, stated_frames
from imgcif_core.checks.scans.dates import Moments, scan_window
from imgcif_core.checks.tolerances import Tolerances, last_digit_halves
from imgcif_core.model.scans import Scans
from imgcif_core.tables import Table, Tables


@rule(
    "SCN016",
    "exposure-not-positive",
    severity="warning",
    source="_diffrn_scan_frame.integration_time",
    message="{time} of {count_text} is {value:.6g} s",
)
def exposure_not_positive(tables: Tables) -> Iterator[Problem]:
    """What: The exposure of a frame is zero, or negative.
    Why: An image without exposure holds nothing; a zero most often stands for a time that is not known. A pulse of
    an X-ray laser is short, but not of no length. A negative time has no meaning.
    How to fix: Give the time in seconds for each frame, or leave the item out if it is not known.
    Source: Dictionary imgCIF, _diffrn_scan_frame.integration_time.
    """
    is_judged = False
    for category in ("diffrn_scan_frame", "diffrn_scan"):
        table = tables.table(category)
        if not table.has("integration_time") or (category == "diffrn_scan" and is_judged):
            continue
        is_judged = True
        times = table.numbers("integration_time")
        noun, time = ("frame", "exposure") if category == "diffrn_scan_frame" else ("scan", "average exposure")
        for where, severity in ((times == 0, None), (times < 0, "error")):
            rows = np.flatnonzero(where)
            if len(rows):
                text = f"1 {noun}" if len(rows) == 1 else f"{len(rows)} {noun}s"
                yield problem_at(
                    table,
                    rows,
                    "integration_time",
                    severity=severity,
                    count_text=text,
                    time=time,
                    value=times[rows[0]],
                )
    if not is_judged:
        raise NotApplicable("no exposure times")


@rule(
    "SCN017",
    "exposure-and-period",
    severity="warning",
    source="_diffrn_scan_frame.time_period",
    message="exposure {exposure:.6g} s is longer than the period {period:.6g} s in which the next frame starts",
    messages={"window": "{frames} frames of {period:.6g} s give {total:.6g} s, but scan {scan} lasts {window:.6g} s"},
)
def exposure_and_period(
    tables: Tables, scans: Scans, any_moments: Moments, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: A frame is exposed for longer than the time until the next one starts.
    Why: The two overlap, which no detector can do; one of the times, or its unit, is wrong.
    How to fix: Give both in seconds; the period is the time from start to start.
    Source: Dictionary imgCIF, _diffrn_scan_frame.integration_time and _diffrn_scan_frame.time_period.
    """
    is_judged = False
    for category in ("diffrn_scan_frame", "diffrn_scan"):
        table = tables.table(category)
        if not table.has("time_period") or not table.has("integration_time"):
            continue
        is_judged = True
        yield from _too_long(table)
    periods = mean_times(tables, scans, "time_period")
    for scan, period in zip(scans, periods.tolist(), strict=True):
        window = scan_window(any_moments, scan)
        frames = stated_frames(scan)
        if window is None or np.isnan(period) or frames is None:
            continue
        is_judged = True
        total, allowed = frames * period, tolerances.duration_share * window[0] + window[1] + tolerances.clock
        if window[0] > 0 and abs(total - window[0]) > allowed:
            place = scan_place(tables, scan, "date_end")
            facts: dict[str, Any] = {"frames": frames, "period": period, "total": total, "window": window[0]}
            # Dates may cover preparation; no clock lets the frames take twice the time in which they were made.
            is_long = total > 2.0 * window[0] + window[1] + tolerances.clock
            severity = "warning" if is_long else "info"
            yield Problem(place, severity=severity, variant="window", scan=scan_name(scan), **facts)
    if not is_judged:
        raise NotApplicable("no periods")


def _too_long(table: Table) -> Iterator[Problem]:
    """Rows whose exposure is longer than their period, as one problem."""
    exposure, period = table.numbers("integration_time"), table.numbers("time_period")
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(exposure > period)
    if not len(rows):
        return
    columns = [table.columns[name] for name in ("integration_time", "time_period")]
    halves = sum(last_digit_halves(column, rows) for column in columns)
    rows = rows[exposure[rows] - period[rows] > halves]
    if len(rows):
        first = int(rows[0])
        yield problem_at(table, rows, "time_period", exposure=exposure[first], period=period[first])


def mean_times(tables: Tables, scans: Scans, name: str) -> np.ndarray:
    """The mean of a time over the frames of each scan, else that of the scan itself: (scans,) s, nan if not given."""
    table, frames = tables.table("diffrn_scan"), tables.table("diffrn_scan_frame")
    stated, times = table.numbers(name), frames.numbers(name) if frames.has(name) else None
    means = np.full(len(scans), np.nan)
    for index, scan in enumerate(scans):
        own = np.zeros(0) if times is None else times[scan.frame_rows]
        own = own[~np.isnan(own)]
        if len(own):
            means[index] = own.mean()
        elif scan.row >= 0:
            means[index] = stated[scan.row]
    return means


@rule(
    "SCN018",
    "average-exposure",
    severity="warning",
    source="_diffrn_scan.integration_time",
    message="average exposure of scan {scan} is {stated:.6g} s, but its frames are exposed for {mean:.6g} s on average",
)
def average_exposure(tables: Tables, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The average exposure that a scan states is not that of its frames.
    Why: Programs that read only the scan scale the images by a wrong time; milliseconds and the total time of the
    scan are the usual slips.
    How to fix: Give the mean of _diffrn_scan_frame.integration_time in seconds, or leave the item out.
    Source: Dictionary imgCIF, _diffrn_scan.integration_time.
    """
    table, frames = tables.table("diffrn_scan"), tables.table("diffrn_scan_frame")
    if not table.has("integration_time") or not frames.has("integration_time"):
        raise NotApplicable("no exposure times of both scans and frames")
    stated, times = table.numbers("integration_time"), frames.numbers("integration_time")
    halves = last_digit_halves(table.columns["integration_time"])
    for scan in scans:
        own = times[scan.frame_rows]
        own = own[~np.isnan(own)]
        if scan.row < 0 or not len(own) or np.isnan(stated[scan.row]):
            continue
        mean = float(own.mean())
        allowed = tolerances.average_share * max(abs(mean), abs(stated[scan.row])) + halves[scan.row]
        if abs(mean - stated[scan.row]) > allowed:
            place = scan_place(tables, scan, "integration_time")
            yield Problem(place, scan=scan_name(scan), stated=stated[scan.row], mean=mean)
