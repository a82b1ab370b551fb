"""Rules about exposures, periods and dates that must add up."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.arrays import Floats, Integers
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import scan_name, scan_place, stated_frames
from imgcif_core.checks.scans.dates import Moments, scan_window
from imgcif_core.checks.scans.exposure import mean_times
from imgcif_core.checks.tolerances import Tolerances, last_digit_halves
from imgcif_core.model.scans import Scans
from imgcif_core.tables import Table, Tables


@rule(
    "CON007",
    "exposures-and-dates",
    severity="info",
    source="_diffrn_scan.date_end",
    message=(
        "{frames} frames of {exposure:.6g} s take {total:.6g} s at least, "
        "but scan {scan} lasts {window:.6g} s by its dates"
    ),
)
def exposures_and_dates(tables: Tables, scans: Scans, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """What: All exposures of a scan together take longer than the scan by its dates. Scans that state the period of
    their frames are left to SCN017.
    Why: The exposure, the number of frames or one of the dates is wrong.
    How to fix: Check the exposure, which is in seconds and of one frame, and the dates.
    Source: Dictionary imgCIF, _diffrn_scan.date_start, _diffrn_scan.date_end and _diffrn_scan_frame.integration_time.
    """
    is_judged = False
    exposures = mean_times(tables, scans, "integration_time").tolist()
    periods = mean_times(tables, scans, "time_period").tolist()
    for scan, exposure, period in zip(scans, exposures, periods, strict=True):
        window, frames = scan_window(moments, scan), stated_frames(scan)
        if window is None or frames is None or np.isnan(exposure) or not np.isnan(period):
            continue
        is_judged = True
        total = frames * exposure
        length, resolution = window
        if length >= 0 and total > length * (1.0 + tolerances.duration_share) + resolution + tolerances.clock:
            is_long = total > 2.0 * length + resolution + tolerances.clock
            yield Problem(
                scan_place(tables, scan, "date_end"),
                severity="warning" if is_long else None,
                scan=scan_name(scan),
                frames=frames,
                exposure=exposure,
                total=total,
                window=length,
            )
    if not is_judged:
        raise NotApplicable("no scan with dates and exposures but without periods")


@rule(
    "CON015",
    "exposure-pause-period",
    severity="warning",
    source="_diffrn_scan_frame.time_rstrt_incr",
    message=("exposure {exposure:.6g} s and pause {pause:.6g} s make {total:.6g} s, but the period is {period:.6g} s"),
)
def exposure_pause_period(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Exposure and pause do not add up to the period of the frames.
    Why: One of the three is wrong; they are by definition parts and sum.
    How to fix: Correct the one that is wrong, or leave one of them out.
    Source: Dictionary imgCIF, _diffrn_scan_frame.time_rstrt_incr.
    """
    is_judged = False
    for category in ("diffrn_scan_frame", "diffrn_scan"):
        table = tables.table(category)
        names = ("integration_time", "time_rstrt_incr", "time_period")
        if not all(table.has(name) for name in names):
            continue
        is_judged = True
        exposure, pause, period = (table.numbers(name) for name in names)
        if len(_beyond(exposure, period)):
            # An exposure beyond the period is told by SCN017.
            exposure = np.where(exposure > period, np.nan, exposure)
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(np.abs(exposure + pause - period) > tolerances.exposure)
        rows = _beyond_digits(table, names, rows, exposure + pause - period, tolerances)
        if len(rows):
            first = int(rows[0])
            yield problem_at(
                table,
                rows,
                "time_period",
                exposure=exposure[first],
                pause=pause[first],
                total=exposure[first] + pause[first],
                period=period[first],
            )
    if not is_judged:
        raise NotApplicable("exposure, pause and period are not all given")


def _beyond(exposure: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Rows whose exposure is longer than the period."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(exposure > period)


def _beyond_digits(
    table: Table, names: tuple[str, ...], rows: Integers, off: Floats, tolerances: Tolerances
) -> Integers:
    """The rows among some whose difference is larger than the rounding of the three numbers."""
    if not len(rows):
        return rows
    halves = sum(last_digit_halves(table.columns[name], rows) for name in names)
    return rows[np.abs(off[rows]) > tolerances.exposure + halves]


@rule(
    "CON021",
    "dates-and-period",
    severity="info",
    source="_diffrn_scan_frame.date",
    message=("frames of scan {scan} are dated {found:.6g} s apart on average, but their period is {period:.6g} s"),
)
def dates_and_period(tables: Tables, scans: Scans, moments: Moments, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The dates of the frames follow each other in other steps than the period says.
    Why: The dates are often those of writing the file; where they are those of the exposure, the period is wrong.
    How to fix: Nothing is needed if the dates are not those of the exposure.
    Source: Dictionary imgCIF, _diffrn_scan_frame.date and _diffrn_scan_frame.time_period.
    """
    dates = moments.of("diffrn_scan_frame", "date")
    if dates is None:
        raise NotApplicable("no dates of frames")
    is_judged = False
    for scan, period in zip(scans, mean_times(tables, scans, "time_period").tolist(), strict=True):
        rows = scan.frame_rows
        seconds, units = dates.seconds[rows], dates.resolution[rows]
        if len(rows) < 2 or np.isnan(period) or np.isnan(seconds[[0, -1]]).any():
            continue
        steps = int(scan.numbers[-1] - scan.numbers[0])
        if steps < 1 or dates.has_zone[rows[0]] != dates.has_zone[rows[-1]]:
            continue
        is_judged = True
        found = float(seconds[-1] - seconds[0]) / steps
        resolution = float(units[0] + units[-1]) / steps
        if abs(found - period) > tolerances.period_share * period + resolution:
            place = tables.table("diffrn_scan_frame").at(int(rows[0]), "date")
            yield Problem(place, scan=scan_name(scan), found=found, period=period)
    if not is_judged:
        raise NotApplicable("no scan with dates of frames and a period")
