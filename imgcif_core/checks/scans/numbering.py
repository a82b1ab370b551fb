"""Rules about the numbers of frames, and how many frames there are."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.joined import is_part_of_another
from imgcif_core.checks.joins import missing_rows
from imgcif_core.checks.places import problem_at, problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import scan_name, scan_place, stated_frames
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Quoting
from imgcif_core.model.scans import Scan, Scans
from imgcif_core.tables import Table, Tables

# The decimal digits that any int64 holds.
MAX_DIGITS = 18


def _written_numbers(everything: np.ndarray, scan: Scan) -> np.ndarray:
    """The numbers of the frames of a scan as written, in ascending order; empty where any is missing."""
    numbers = everything[scan.frame_rows]
    return np.zeros(0) if np.isnan(numbers).any() else numbers


@rule(
    "SCN004",
    "frame-numbers",
    severity="error",
    source="_diffrn_scan_frame.frame_number",
    messages={
        "repeated": "frame number {number:.0f} stands {times} in scan {scan}",
        "beyond": "frame number {number:.0f} in scan {scan}, which has {frames} frames",
        "shifted": "the {frames} frames of scan {scan} are numbered from {number:.0f}, not from 1",
        "fewer": "scan {scan} has {frames} frames, but {rows} listed here{missing}",
        "more": "scan {scan} has {frames} frames, but {rows} listed here",
        "gap": "frame number {number:.0f} of scan {scan} is missing - {rows} listed up to number {last:.0f}",
    },
    helps={
        "repeated": "give each frame of the scan its own number",
        "beyond": "correct _diffrn_scan.frames, or the number of the frame",
        "shifted": "number the frames of each scan from 1",
        "fewer": "list the frames that are missing, or correct _diffrn_scan.frames",
        "more": "correct _diffrn_scan.frames, or the scan to which the frames belong",
        "gap": "list the frame that is missing, or number the others without a gap",
    },
)
def frame_numbers(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: Frame numbers of a scan repeat, lie beyond its number of frames, or leave some out.
    Why: The number of a frame is what its settings are computed from; two frames with one number stand at one
    angle, and a frame beyond the end stands outside the scan.
    How to fix: Number the frames of each scan from 1 to _diffrn_scan.frames, and list all of them. A file
    that holds one frame of a scan is legal.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_number and _diffrn_scan.frames.
    """
    frames = tables.table("diffrn_scan_frame")
    if not frames:
        raise NotApplicable("no frames")
    told, everything = False, frames.numbers("frame_number")
    for scan in scans:
        if not len(scan.frame_rows):
            continue
        numbers = _written_numbers(everything, scan)
        total = stated_frames(scan)
        found = [*_repeated(frames, scan, numbers), *_beyond(frames, scan, numbers, total)]
        if not found and not told:
            found = list(_incomplete(tables, scan, numbers, total))
            told = bool(found) and _are_data_outside_scans(tables)
            found = [] if told else found
        yield from found


def _are_data_outside_scans(tables: Tables) -> bool:
    """True if frames with data are missing among those of the scans, which REL013 reports."""
    ids, listed = tables.table("diffrn_data_frame").column("id"), tables.table("diffrn_scan_frame").column("frame_id")
    return ids is not None and listed is not None and len(missing_rows(ids, [listed], fold=True)) > 0


def _repeated(frames: Table, scan: Scan, numbers: np.ndarray) -> Iterator[Problem]:
    """The numbers that stand more than once, as one problem."""
    again = np.flatnonzero(numbers[1:] == numbers[:-1]) + 1
    ids = frames.column("frame_id")
    if ids is not None and len(again):
        # A frame that is listed twice is a repeated key, which REL004 reports.
        hashes = ids.hashes[scan.frame_rows]
        again = again[hashes[again] != hashes[again - 1]]
    if len(again):
        count = int((numbers == numbers[again[0]]).sum())
        times = "twice" if count == 2 else f"{count} times"
        yield problem_at(
            frames,
            scan.frame_rows[again],
            "frame_number",
            variant="repeated",
            number=numbers[again[0]],
            times=times,
            scan=scan_name(scan),
        )


def _beyond(frames: Table, scan: Scan, numbers: np.ndarray, total: int | None) -> Iterator[Problem]:
    """The numbers that are greater than the number of frames, as one problem."""
    beyond = np.flatnonzero(numbers > (np.inf if total is None else total))
    if len(beyond):
        # Frames counted on from the scan before are all there, with one shift.
        is_shifted = len(numbers) == total and numbers[-1] - numbers[0] + 1 == total and numbers[0] > 2
        if is_shifted:
            beyond = np.arange(len(numbers))
        yield problem_at(
            frames,
            scan.frame_rows[beyond],
            "frame_number",
            variant="shifted" if is_shifted else "beyond",
            number=numbers[beyond[0]],
            scan=scan_name(scan),
            frames=total,
        )


def _incomplete(tables: Tables, scan: Scan, numbers: np.ndarray, total: int | None) -> Iterator[Problem]:
    """Frames that the scan has and the file does not list, or the other way round."""
    frames = tables.table("diffrn_scan_frame")
    rows = len(scan.frame_rows)
    counted = "1 is" if rows == 1 else f"{rows} are"
    facts: dict[str, Any] = {"scan": scan_name(scan), "rows": counted}
    first = frames.at(int(scan.frame_rows[0]), "frame_number")
    if total is not None and rows != total:
        severity = "info" if rows == 1 else "warning"
        variant = "fewer" if rows < total else "more"
        place = tables.table("diffrn_scan").at(scan.row, "frames")
        missing = _first_missing(numbers)
        text = f", number {missing} is the first one missing" if missing and rows > 1 else ""
        yield Problem(place, severity=severity, variant=variant, frames=total, missing=text, **facts)
    elif total is None and len(numbers) and numbers[-1] - min(numbers[0], 1) + 1 > rows:
        severity = "info" if rows == 1 else "warning"
        number = _first_missing(numbers)
        yield Problem(first, severity=severity, variant="gap", number=number, last=numbers[-1], **facts)


def _first_missing(numbers: np.ndarray) -> int:
    """The first number that is not there, 0 where numbers are not known."""
    if not len(numbers):
        return 0
    lowest = int(min(numbers[0], 1))
    gaps = np.flatnonzero(numbers != lowest + np.arange(len(numbers)))
    return lowest + (int(gaps[0]) if len(gaps) else len(numbers))


@rule(
    "SCN005",
    "numbering-from-zero",
    severity="warning",
    source="_diffrn_scan_frame.frame_number",
    message="frames of scan {scan} are numbered from 0, not from 1",
)
def numbering_from_zero(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: The frames of a scan are numbered from 0.
    Why: The dictionary lets the numbers start with 1; a program that takes that literally computes settings
    that are one step off. Its permitted range includes 0, so that such files are read.
    How to fix: Add 1 to all frame numbers of the scan.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_number.
    """
    frames = tables.table("diffrn_scan_frame")
    if not frames.has("frame_number"):
        raise NotApplicable("no frame numbers")
    everything = frames.numbers("frame_number")
    for scan in scans:
        numbers = _written_numbers(everything, scan)
        if len(numbers) and numbers[0] == 0:
            yield Problem(frames.at(int(scan.frame_rows[0]), "frame_number"), scan=scan_name(scan))


@rule(
    "SCN022",
    "frame-ids-out-of-order",
    severity="warning",
    source="_diffrn_scan_frame.frame_id",
    message="frame {later} has a lower number than frame {earlier} in scan {scan} - their ids say the opposite",
)
def frame_ids_out_of_order(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: The numbers at the ends of frame ids run in another order than the frame numbers.
    Why: Ids are free, but where they count they are read as the order of the images; one of the two is wrong.
    How to fix: Check which frame number belongs to which image.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_id and _diffrn_scan_frame.frame_number.
    """
    frames = tables.table("diffrn_scan_frame")
    ids = frames.column("frame_id")
    if ids is None or not frames.has("frame_number"):
        raise NotApplicable("no numbered frames")
    is_judged, everything = False, frames.numbers("frame_number")
    for scan in scans:
        rows = scan.frame_rows
        numbers = _written_numbers(everything, scan)
        if len(rows) < 2 or len(numbers) < 2:
            continue
        counts = _counts_in(ids, rows)
        if counts is None:
            continue
        is_judged = True
        wrong = np.flatnonzero((np.diff(counts) < 0) & (np.diff(numbers) > 0))
        if len(wrong):
            earlier, later = int(rows[wrong[0] + 1]), int(rows[wrong[0]])
            yield Problem(
                frames.at(earlier, "frame_id"),
                count=len(wrong),
                earlier=ids.text(earlier),
                later=ids.text(later),
                scan=scan_name(scan),
            )
    if not is_judged:
        raise NotApplicable("no frame ids that count")


def _counts_in(ids: Column, rows: np.ndarray) -> np.ndarray | None:
    """The numbers at the ends of ids, None unless all have one after the same beginning."""
    counting = ids.counting
    if counting is not None and not counting.suffix:
        return np.asarray(counting.numbers[rows], dtype=float)
    starts, ends = ids.starts[rows].astype(np.int64), ids.ends[rows].astype(np.int64)
    if ids.quoting is not None:
        kinds = ids.quoting[rows]
        if not np.isin(kinds, (Quoting.BARE, Quoting.SINGLE, Quoting.DOUBLE)).all():
            return None
        quotes = (kinds != Quoting.BARE).astype(np.int64)
        starts, ends = starts + quotes, ends - quotes
    data = ids.bytes_array
    counts, digits = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    is_open = ends > starts
    for place in range(MAX_DIGITS):
        byte = data[np.maximum(ends - 1 - place, 0)]
        is_open &= (ends - place > starts) & (byte >= 48) & (byte <= 57)
        if not is_open.any():
            break
        counts += np.where(is_open, (byte - 48.0) * 10.0**place, 0.0)
        digits += is_open
    if not digits.all() or digits.max() == MAX_DIGITS:
        return None
    return counts if _begin_alike(data, starts, ends - starts - digits) else None


def _begin_alike(data: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> bool:
    """True if the first bytes at all starts, as many as the lengths say, are the same."""
    width = int(lengths[0])
    if (lengths != width).any():
        return False
    return all((data[starts + place] == data[starts[0] + place]).all() for place in range(width))


@rule(
    "SCN024",
    "frames-not-counted",
    severity="info",
    source="_diffrn_scan.frames",
    message="the number of frames of scan {scan} is not given - {listed} listed",
)
def frames_not_counted(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: The file does not say of how many frames a scan consists.
    Why: Nobody can tell whether frames are missing; the number is also what ties range and increment together.
    How to fix: Give the number of frames in _diffrn_scan.frames.
    Source: Dictionary imgCIF, _diffrn_scan.frames.
    """
    if is_part_of_another(tables):
        raise NotApplicable("the scan stands in another block of the data set")
    table = tables.table("diffrn_scan")
    uncounted = [scan for scan in scans if stated_frames(scan) is None]
    # Numbers that cannot be read, or are not positive, have rules of their own.
    uncounted = [scan for scan in uncounted if scan.row < 0 or not table.explicit("frames")[scan.row]]
    for scan in uncounted[:1]:
        rows = len(scan.frame_rows)
        yield problem_of(
            (scan_place(tables, other, "frames") for other in uncounted),
            len(uncounted),
            severity=None if rows else "warning",
            scan=scan_name(scan),
            listed=f"{rows} are" if rows != 1 else "1 is",
        )
