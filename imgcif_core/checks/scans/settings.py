"""Rules that compare the settings of frames with the scan and with each other."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule
from imgcif_core.checks.scans.common import UNIT, distinct_drives, listed, scan_name
from imgcif_core.checks.tolerances import Tolerances, printed_halves, step_half, written_half
from imgcif_core.cif.document import Place
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Drive, Scan, Scans, or_zero
from imgcif_core.model.vectors import angle_difference
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables


@dataclass(frozen=True, slots=True)
class Deviation:
    """Frames of a scan whose settings of one axis are not those that the scan gives.

    `indices` are those of the frames in the scan; `found` and `expected` are settings of all its
    frames in degrees or mm. `kind` is plain, zero (frames counted from 0) or digits.
    """

    scan: Scan
    drive: Drive
    indices: np.ndarray
    found: np.ndarray
    expected: np.ndarray
    kind: str


@provider("setting_deviations")
def setting_deviations_of(tables: Tables, scans: Scans, tolerances: Tolerances) -> list[Deviation]:
    """Where settings of frames differ from start + (n - 1) x step; both must be stated."""
    settings = scans.frame_settings
    if not settings.table:
        raise NotApplicable("no settings of single frames")
    found = []
    for scan in scans:
        for drive in distinct_drives(scan):
            axis = drive.axis
            is_stated = len(settings.rows_of(axis)) and not np.isnan(drive.start)
            if not is_stated or settings.is_angle(axis) != drive.is_angle:
                continue
            deviation = _deviation(tables, scan, drive, tolerances)
            if deviation is not None:
                found.append(deviation)
    return found


def _difference(first: Floats, second: Floats, *, is_angle: bool) -> Floats:
    """How far settings are apart, angles modulo 360; 0 where one is not known."""
    difference = angle_difference(first, second) if is_angle else np.abs(first - second)
    return np.nan_to_num(difference)


def _deviation(tables: Tables, scan: Scan, drive: Drive, tolerances: Tolerances) -> Deviation | None:
    """The frames of one axis that differ, None if all agree."""
    found = scan.frame_settings.of(drive.axis, scan.frame_rows)
    expected = drive.settings(scan.numbers)
    if np.isnan(drive.increment) and np.isnan(drive.restart):
        found = np.where(scan.numbers == 1, found, np.nan)
    difference = _difference(found, expected, is_angle=drive.is_angle)
    allowed = max(tolerances.setting, tolerances.range_share * abs(or_zero(drive.increment)))
    if not (difference > allowed).any():
        return None
    table = tables.table("diffrn_scan_axis")
    limit: float | np.ndarray = allowed + written_half(table, drive.item("start"), drive.row, is_setting=True)
    limit = limit + _halves(scan, drive.axis)
    indices = np.flatnonzero(difference > limit)
    if not len(indices):
        return None
    rounding = step_half(table, drive.item("increment"), drive.row) * (scan.numbers - 1)
    kind = "plain"
    if (difference <= limit + rounding).all():
        kind = "digits"
    elif (_difference(found, expected + drive.step, is_angle=drive.is_angle) <= limit).all():
        kind = "zero"
    return Deviation(scan, drive, indices, found, expected, kind)


def _halves(scan: Scan, axis: int) -> np.ndarray:
    """Half a unit of the last digit of the setting of an axis in each frame of a scan."""
    settings = scan.frame_settings
    column = settings.table.column("angle" if settings.is_angle(axis) else "displacement")
    positions = settings.positions(axis, scan.frame_rows)
    if column is None:
        return np.zeros(len(positions))
    rows = settings.rows_of(axis)[np.maximum(positions, 0)]
    return np.where(positions < 0, 0.0, printed_halves(column, rows))


def _setting_place(scan: Scan, axis: int, index: int) -> Place:
    """The place of the setting of an axis in one frame."""
    settings = scan.frame_settings
    position = int(settings.positions(axis, scan.frame_rows[[index]])[0])
    name = "angle" if settings.is_angle(axis) else "displacement"
    return settings.table.at(int(settings.rows_of(axis)[position]), name)


@rule(
    "SCN009",
    "frame-setting-off-scan",
    severity="warning",
    source="_diffrn_scan_frame_axis.angle",
    message=(
        "axis {axis} stands at {found:.8g} {unit} in frame {number} of scan {scan}, "
        "but by the scan at {expected:.8g} {unit}{others}"
    ),
    messages={
        "zero": (
            "axis {axis} stands at {found:.8g} {unit} in frame {number} of scan {scan}, by the scan at "
            "{expected:.8g} {unit}, one step before - as if the frames were numbered from 0{others}"
        ),
        "digits": (
            "axis {axis} drifts to {found:.8g} {unit} in frame {number} of scan {scan}, by the scan it is at "
            "{expected:.8g} {unit} - the increment has too few digits{others}"
        ),
        "fixed": "{axes} axes stand elsewhere in the frames of scan {scan} than the scan says: {names}",
    },
)
def frame_setting_off_scan(tables: Tables, axes: Axes, setting_deviations: list[Deviation]) -> Iterator[Problem]:
    """What: The setting of an axis in a frame is not the one that follows from the start and the increment of
    its scan.
    Why: Programs that read the frames and programs that read the scan place the sample or the detector
    differently. Where the two differ, the settings of the frames hold.
    How to fix: Correct the start and the increment of the scan, or the settings of the frames.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_start and _diffrn_scan_frame_axis.angle.
    """
    fixed: dict[int, list[Deviation]] = {}
    for deviation in setting_deviations:
        if deviation.drive.moves:
            yield _moving_problem(tables, axes, deviation)
        else:
            fixed.setdefault(deviation.scan.row, []).append(deviation)
    for deviations in fixed.values():
        if len(deviations) == 1:
            yield _moving_problem(tables, axes, deviations[0])
            continue
        first = deviations[0]
        yield problem_of(
            (_setting_place(one.scan, one.drive.axis, int(one.indices[0])) for one in deviations),
            len(deviations),
            variant="fixed",
            axes=len(deviations),
            scan=scan_name(first.scan),
            names=listed([_in_words(axes, one) for one in deviations]),
        )


def _in_words(axes: Axes, deviation: Deviation) -> str:
    """An axis with its two settings."""
    index = int(deviation.indices[0])
    unit = UNIT[deviation.drive.is_angle]
    found, expected = deviation.found[index], deviation.expected[index]
    return f"{axes.id[deviation.drive.axis]} at {found:.6g} {unit} for {expected:.6g} {unit}"


def _moving_problem(tables: Tables, axes: Axes, deviation: Deviation) -> Problem:
    """All frames of one axis as one problem; an error where the first frame denies the stated start."""
    scan, drive = deviation.scan, deviation.drive
    frames = tables.table("diffrn_scan_frame")
    is_numbered = not np.isnan(frames.numbers("frame_number")[scan.frame_rows]).any()
    is_start = int(scan.numbers[deviation.indices[0]]) == 1 and is_numbered
    # A drift is told at the frame where it is largest, anything else at the first frame.
    index = int(deviation.indices[-1 if deviation.kind == "digits" else 0])
    others = len(deviation.indices) - 1
    return problem_of(
        (_setting_place(scan, drive.axis, int(row)) for row in chain([index], deviation.indices[1:])),
        len(deviation.indices),
        severity="error" if is_start and drive.moves and deviation.kind == "plain" else None,
        variant="" if deviation.kind == "plain" else deviation.kind,
        axis=axes.id[drive.axis],
        found=deviation.found[index],
        expected=deviation.expected[index],
        unit=UNIT[drive.is_angle],
        number=int(scan.numbers[index]),
        scan=scan_name(scan),
        others=f" ({others} more frames differ)" if others else "",
    )


@rule(
    "SCN010",
    "wedges-do-not-join",
    severity="warning",
    source="_diffrn_scan_frame_axis.angle_increment",
    message=(
        "axis {axis} ends frame {number} of scan {scan} at {end:.8g} {unit}, "
        "but begins frame {following} at {begin:.8g} {unit}{others}"
    ),
)
def wedges_do_not_join(
    tables: Tables, axes: Axes, scans: Scans, setting_deviations: list[Deviation], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: Setting, increment and restart increment of a frame do not add up to the setting of the next frame.
    Why: A gap or an overlap of the wedges is either real, and then the restart increment tells it, or the angles
    are wrong and reflections are predicted on the wrong frame.
    How to fix: Correct the settings or the increments of the frames, or give the restart increment.
    Source: Dictionary imgCIF, _diffrn_scan_frame_axis.angle_rstrt_incr.
    """
    settings = scans.frame_settings
    names = [f"{word}_increment" for word in ("angle", "displacement") if settings.table.has(f"{word}_increment")]
    if not names:
        raise NotApplicable("no increments of single frames")
    told = {(deviation.scan.row, deviation.drive.axis) for deviation in setting_deviations}
    rasters = _rasters(tables.table("diffrn_scan_collection"))
    for scan in scans:
        if scan.count < 2 or scan.id.casefold() in rasters or not len(scan.frame_rows):
            continue
        for axis in settings.axes:
            if (scan.row, axis) not in told and axes.find(axes.id[axis]) == axis:
                yield from _open_joins(axes, scan, axis, tolerances)


def _rasters(collection: Table) -> set[str]:
    """The scans whose collection strategy is said to be a raster or a grid."""
    kinds = collection.texts("type", "")
    return {
        (collection.text("scan_id", row) or "").casefold()
        for row, kind in enumerate(kinds)
        if any(word in (kind or "").lower() for word in ("raster", "grid", "mesh"))
    }


def _open_joins(axes: Axes, scan: Scan, axis: int, tolerances: Tolerances) -> Iterator[Problem]:
    """Frames of one axis that do not end where the next one begins, as one problem."""
    settings, indices = scan.frame_settings, np.arange(scan.count)
    starts = settings.of(axis, scan.frame_rows)
    increments = settings.of(axis, scan.frame_rows, "increment")
    ends = starts + increments + scan.restarts(axis, indices)
    is_angle = settings.is_angle(axis)
    gaps = _difference(ends[:-1], starts[1:], is_angle=is_angle)
    gaps[np.diff(scan.numbers) != 1] = 0.0
    allowed = np.maximum(tolerances.setting, tolerances.range_share * np.abs(np.nan_to_num(increments[:-1])))
    if not (gaps > allowed).any():
        return
    halves = _halves(scan, axis)
    wrong = np.flatnonzero(gaps > allowed + halves[:-1] + halves[1:])
    if not len(wrong):
        return
    index = int(wrong[0])
    yield problem_of(
        (_setting_place(scan, axis, int(row) + 1) for row in wrong),
        len(wrong),
        axis=axes.id[axis],
        number=int(scan.numbers[index]),
        following=int(scan.numbers[index + 1]),
        scan=scan_name(scan),
        end=ends[index],
        begin=starts[index + 1],
        unit=UNIT[is_angle],
        others=f" ({len(wrong) - 1} more such frames)" if len(wrong) > 1 else "",
    )
