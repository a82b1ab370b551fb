"""Rules about the range of a scan against its frames and increments."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule
from imgcif_core.checks.scans.common import UNIT, distinct_drives, drive_place, scan_name, stated_frames
from imgcif_core.checks.tolerances import Tolerances, step_half, written_half
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Drive, Scan, Scans, or_zero
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables


@dataclass(frozen=True, slots=True)
class RangeFault:
    """A range that is not frames x increment: both readings, and what kind of difference it is.

    `expected` runs to the end of the last step, `older` to its start; degrees or mm. `kind` is one
    of older, sign, digits, wrong and still, the last for an axis without any increment.
    """

    scan: Scan
    drive: Drive
    frames: int
    is_stated: bool
    expected: float
    older: float
    kind: str


@provider("range_faults")
def range_faults_of(tables: Tables, scans: Scans, tolerances: Tolerances) -> list[RangeFault]:
    """Ranges of axes that differ from what frames and increments give."""
    found, judged = [], 0
    for scan in scans:
        frames = stated_frames(scan) or len(scan.frame_rows)
        for drive in distinct_drives(scan) if frames else ():
            if np.isnan(drive.range):
                continue
            if np.isnan(drive.increment):
                # The default is 0.0: judged like the same value written down, where nothing else moves the axis.
                is_moved = or_zero(drive.restart) != 0 or len(scan.frame_settings.rows_of(drive.axis)) > 0
                if is_moved or frames < 2 or drive.range == 0:
                    continue
            judged += 1
            drive = replace(drive, increment=or_zero(drive.increment))
            restart = or_zero(drive.restart)
            expected = frames * drive.increment + (frames - 1) * restart
            older = (frames - 1) * drive.step
            kind = _kind(tables, drive, frames, expected, older, tolerances)
            if kind and not _fits_frames_listed(tables, scan, drive, tolerances):
                is_stated = stated_frames(scan) is not None
                found.append(RangeFault(scan, drive, frames, is_stated, expected, older, kind))
    if not judged:
        raise NotApplicable("no range with an increment")
    return found


def _fits_frames_listed(tables: Tables, scan: Scan, drive: Drive, tolerances: Tolerances) -> bool:
    """True if the range is that of the frames that are listed, so that their stated number is what is wrong."""
    listed = len(scan.frame_rows)
    if stated_frames(scan) in (None, listed) or listed < 2:
        return False
    expected = listed * drive.increment + (listed - 1) * or_zero(drive.restart)
    return not _kind(tables, drive, listed, expected, (listed - 1) * drive.step, tolerances)


def _kind(tables: Tables, drive: Drive, frames: int, expected: float, older: float, tolerances: Tolerances) -> str:
    """How a range differs from both readings; an empty text where it agrees."""
    step = max(abs(drive.increment), abs(or_zero(drive.restart)))
    if abs(drive.range - expected) <= tolerances.range_share * step:
        return ""
    table = tables.table("diffrn_scan_axis")
    half = written_half(table, drive.item("range"), drive.row)
    allowed = tolerances.range_share * step + half
    if abs(drive.range - expected) <= allowed:
        return ""
    if step == 0:
        return "still"
    if abs(drive.range - older) <= allowed:
        return "older"
    if min(abs(drive.range + expected), abs(drive.range + older)) <= allowed:
        return "sign"
    digits = frames * step_half(table, drive.item("increment"), drive.row)
    digits += (frames - 1) * step_half(table, drive.item("rstrt_incr"), drive.row)
    return "digits" if abs(drive.range - expected) <= digits + half else "wrong"


def _facts(fault: RangeFault, axes: Axes) -> dict[str, Any]:
    """What the messages say of a range."""
    restart = or_zero(fault.drive.restart)
    return {
        "axis": axes.id[fault.drive.axis],
        "scan": scan_name(fault.scan),
        "range": fault.drive.range,
        "frames": fault.frames,
        "increment": fault.drive.increment,
        "between": f" and {fault.frames - 1} x {restart:.8g} between them" if restart else "",
        "expected": fault.expected,
        "older": fault.older,
        "unit": UNIT[fault.drive.is_angle],
    }


@rule(
    "SCN001",
    "range-and-increment",
    severity="warning",
    source="_diffrn_scan_axis.angle_range",
    message=(
        "range {range:.8g} {unit} of axis {axis} in scan {scan}, but {frames} frames of {increment:.8g} {unit}"
        "{between} give {expected:.8g} {unit}"
    ),
    messages={
        "older": (
            "range {range:.8g} {unit} of axis {axis} in scan {scan} ends at the start of the last frame - "
            "{frames} frames of {increment:.8g} {unit}{between} run to {expected:.8g} {unit} at the end of the last "
            "step, to {older:.8g} {unit} at its start (the older reading, N - 1 steps)"
        ),
        "sign": (
            "range {range:.8g} {unit} of axis {axis} in scan {scan} has the opposite sign of its increment "
            "{increment:.8g} {unit} - {frames} frames give {expected:.8g} {unit}"
        ),
    },
)
def range_and_increment(
    tables: Tables, axes: Axes, range_faults: list[RangeFault], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The range of an axis is not the number of frames times the increment, from the start of the first
    step to the end of the last one.
    Why: Programs that take the range get another number of frames, or other angles, than those that take the
    increment. Older files leave out the last step (N - 1 increments); that is named, with both figures.
    How to fix: Give the range from the start of the first frame to the end of the last one, or correct the
    increment or the number of frames. If the file holds only a part of the scan, describe that part.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_range and _diffrn_scan_axis.angle_increment.
    """
    for fault in range_faults:
        if fault.kind not in ("older", "sign", "wrong"):
            continue
        severity = None
        if fault.kind == "older" and not fault.drive.is_angle:
            # The dictionary does not say where a range in millimetres ends.
            severity = "info"
        if fault.kind == "wrong" and _is_contradiction(fault, tolerances):
            severity = "error"
        yield Problem(
            drive_place(tables, fault.drive, "range"),
            severity=severity,
            variant="" if fault.kind == "wrong" else fault.kind,
            **_facts(fault, axes),
        )


def _is_contradiction(fault: RangeFault, tolerances: Tolerances) -> bool:
    """True if no reading saves a range: one moving angle, its steps all alike, everything stated."""
    drive = fault.drive
    moving = [other for other in distinct_drives(fault.scan) if other.moves]
    # A range of zero is the default of the dictionary, so that it is no evidence.
    if not fault.is_stated or not drive.is_angle or len(moving) != 1 or drive.range == 0:
        return False
    if abs(drive.range - fault.expected) <= abs(drive.step):
        return False
    return not _steps_differ(fault.scan, drive, tolerances)


def _steps_differ(scan: Scan, drive: Drive, tolerances: Tolerances) -> bool:
    """True if frames state other steps than the scan, whose increment is representative only."""
    settings = scan.frame_settings.of(drive.axis, scan.frame_rows)
    increments = scan.frame_settings.of(drive.axis, scan.frame_rows, "increment")
    expected = drive.settings(scan.numbers)
    with np.errstate(invalid="ignore"):
        is_off = (np.abs(settings - expected) > tolerances.setting) | (
            np.abs(increments - drive.increment) > tolerances.setting
        )
    return bool(is_off.any())


@rule(
    "SCN002",
    "increment-digits",
    severity="warning",
    source="_diffrn_scan_axis.angle_increment",
    message=(
        "increment {increment:.8g} {unit} of axis {axis} in scan {scan} has too few digits - {frames} frames of it "
        "give {expected:.8g} {unit}, the range is {range:.8g} {unit}, which needs {needed:.8g} {unit}"
    ),
)
def increment_digits(tables: Tables, axes: Axes, range_faults: list[RangeFault]) -> Iterator[Problem]:
    """What: The increment is rounded so far that, times the number of frames, it misses the range.
    Why: The rounding grows from frame to frame; at the end of the scan the angle is wrong by whole frames.
    How to fix: Write the increment with the digits that the instrument uses, such as range / frames.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_increment.
    """
    for fault in range_faults:
        if fault.kind == "digits":
            restart = or_zero(fault.drive.restart)
            needed = (fault.drive.range - (fault.frames - 1) * restart) / fault.frames
            yield Problem(drive_place(tables, fault.drive, "increment"), needed=needed, **_facts(fault, axes))


@rule(
    "SCN011",
    "range-without-increment",
    severity="warning",
    source="_diffrn_scan_axis.angle_increment",
    message=(
        "axis {axis} covers {range:.8g} {unit} in the {frames} frames of scan {scan}, "
        "but neither its increment nor its restart increment moves it"
    ),
)
def range_without_increment(
    tables: Tables, axes: Axes, range_faults: list[RangeFault], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: An axis has a range, but its increment is zero, and no restart increment moves it either.
    Why: Either the axis stands still and the range is wrong, or the settings of all frames but the first are unknown.
    How to fix: Give the increment for a rotation during the exposure, the restart increment for steps between
    exposures, or a range of zero.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_increment and _diffrn_scan_axis.angle_rstrt_incr, defaults 0.0.
    """
    for fault in range_faults:
        if fault.kind != "still":
            continue
        drive = fault.drive
        # Only an explicit restart increment of zero contradicts the range; a default is no evidence.
        is_error = fault.frames > 1 and not np.isnan(drive.restart) and not _steps_differ(fault.scan, drive, tolerances)
        yield Problem(
            drive_place(tables, drive, "increment"), severity="error" if is_error else None, **_facts(fault, axes)
        )


@rule(
    "SCN013",
    "unusual-step",
    severity="info",
    source="_diffrn_scan_axis.angle_increment",
    message="axis {axis} turns by {increment:.6g} deg per frame in scan {scan} - 0.0001 to 15 deg are usual",
    messages={"range": "axis {axis} turns by {range:.6g} deg in scan {scan}, which is more than {limit:.6g} deg"},
)
def unusual_step(tables: Tables, axes: Axes, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A rotation per frame, or over a scan, is unusually small or large.
    Why: It is legal, for powders and screening among others; more often radians, steps of a motor or the range of
    the scan stand in the place of the increment.
    How to fix: Check the unit, which is degrees, and that the increment belongs to one frame.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_increment; the limits are conventional.
    """
    low, high = tolerances.usual_step_deg
    is_judged = False
    for scan in scans:
        for drive in distinct_drives(scan):
            if not drive.is_angle or not drive.moves:
                continue
            is_judged = True
            step = abs(or_zero(drive.increment))
            facts: dict[str, Any] = {"axis": axes.id[drive.axis], "scan": scan_name(scan)}
            if step and not low <= step <= high:
                yield Problem(drive_place(tables, drive, "increment"), increment=drive.increment, **facts)
            elif abs(or_zero(drive.range)) > tolerances.usual_range_deg:
                place = drive_place(tables, drive, "range")
                yield Problem(place, variant="range", range=drive.range, limit=tolerances.usual_range_deg, **facts)
    if not is_judged:
        raise NotApplicable("no rotation")
