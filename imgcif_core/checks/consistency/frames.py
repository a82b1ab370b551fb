"""Rules about frames, wedges and elements of scans."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.joins import missing_rows
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import Blocked, NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import distinct_drives, drive_place, scan_name, scan_place
from imgcif_core.model.axes import Axes
from imgcif_core.model.joins import combined, filled_hashes
from imgcif_core.model.scans import Scan, Scans, or_zero
from imgcif_core.tables import Table, Tables


@rule(
    "CON013",
    "scan-without-frames",
    severity="info",
    source="_diffrn_scan_frame.scan_id",
    message="scan {scan} has no frames in DIFFRN_SCAN_FRAME, other scans have",
)
def scan_without_frames(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: Frames are listed for some scans, but not for all of them.
    Why: The images of such a scan cannot be found; most often its rows were cut off.
    How to fix: Add the frames of the scan, or leave out the scan.
    Source: Dictionary imgCIF, _diffrn_scan_frame.scan_id.
    """
    if not tables.table("diffrn_scan") or not tables.table("diffrn_scan_frame") or len(scans) < 2:
        raise NotApplicable("fewer than two scans, or no frames")
    for scan in scans:
        if not len(scan.frame_rows):
            yield Problem(scan_place(tables, scan), scan=scan_name(scan))


@rule(
    "CON018",
    "intensities-of-some-binaries",
    severity="info",
    source="_array_intensities.binary_id",
    message="array {array} has {rows} rows in ARRAY_INTENSITIES for its {binaries} binaries",
)
def intensities_of_some_binaries(tables: Tables) -> Iterator[Problem]:
    """What: Some binaries of an array have rows of their own about intensities, and others have none.
    Why: One row serves all binaries of an array in practice; several rows mean that they differ, and then the other
    binaries have no gain and no overload.
    How to fix: Give one row, or one for each binary.
    Source: Dictionary imgCIF, _array_intensities.binary_id.
    """
    table, data = tables.table("array_intensities"), tables.table("array_data")
    if not table.explicit("binary_id").any() or not data:
        raise NotApplicable("no intensities of single binaries")
    own, other = (filled_hashes(one, "array_id", "1") for one in (table, data))
    if len(own) < 2:
        return
    names, counts = np.unique(own, return_counts=True)
    for name, count in zip(names, counts, strict=True):
        binaries = int((other == name).sum())
        if 1 < count < binaries:
            row = int((own == name).argmax())
            array = table.text("array_id", row) or "1"
            yield Problem(table.at(row, "binary_id"), array=array, rows=int(count), binaries=binaries)


@rule(
    "CON019",
    "elements-differ",
    severity="warning",
    source="_diffrn_data_frame.detector_element_id",
    message="frame {frame} of scan {scan} has {own} detector elements, other frames have {usual}",
    messages={
        "other": "frame {frame} of scan {scan} has other detector elements than the other frames",
        "array": "frame {frame} of scan {scan} has other arrays for its detector elements than most other frames",
    },
)
def elements_differ(tables: Tables, scans: Scans) -> Iterator[Problem]:
    """What: The frames of one scan do not all have the same detector elements, or not the same array for each.
    Why: A module that fails during a scan is legal; more often rows are missing or name a wrong element.
    How to fix: Give DIFFRN_DATA_FRAME a row for each element in each frame.
    Source: Dictionary imgCIF, _diffrn_data_frame.detector_element_id.
    """
    data, frames = tables.table("diffrn_data_frame"), tables.table("diffrn_scan_frame")
    ids, listed = data.column("id"), frames.column("frame_id")
    if ids is None or listed is None or not data.has("detector_element_id"):
        raise NotApplicable("no frames with detector elements")
    own, known = data.columns["detector_element_id"], tables.table("diffrn_detector_element").column("id")
    if known is not None and len(missing_rows(own, [known], fold=True)):
        raise Blocked("REL001")
    array = data.column("array_id")
    if own.is_constant and (array is None or array.is_constant) and ids.is_all_distinct:
        # One row for each frame, and all of them alike.
        return
    elements = filled_hashes(data, "detector_element_id", "", fold=True)
    counts, sums = _element_sets(ids.hashes, elements, listed.hashes)
    # Mixed once more, since the sum of hashes of pairs does not tell who belongs to whom.
    pairs = combined([combined([elements, filled_hashes(data, "array_id", "1", fold=True)])])
    _, arrays = _element_sets(ids.hashes, pairs, listed.hashes)
    for scan in scans:
        rows = scan.frame_rows
        present = counts[rows] > 0
        if present.sum() < 2:
            continue
        keys = combined([counts[rows].astype(np.uint64), sums[rows]])
        usual, wrong = _odd_ones(keys, present)
        if not len(wrong):
            yield from _odd_arrays(frames, scan, arrays[rows], present)
        if len(wrong):
            first = int(rows[wrong[0]])
            count, most = int(counts[first]), int(counts[rows[usual]])
            yield problem_at(
                frames,
                rows[wrong],
                "frame_id",
                variant="" if count != most else "other",
                frame=listed.text(first),
                scan=scan_name(scan),
                own=count,
                usual=most,
            )


def _odd_arrays(frames: Table, scan: Scan, arrays: np.ndarray, present: np.ndarray) -> Iterator[Problem]:
    """Frames whose elements have other arrays than most frames; one array a frame is legal, and has no majority."""
    usual, wrong = _odd_ones(arrays, present)
    if len(wrong) and (arrays[present] == arrays[usual]).mean() > 0.5:
        rows = scan.frame_rows[wrong]
        frame = frames.text("frame_id", int(rows[0]))
        yield problem_at(frames, rows, "frame_id", variant="array", frame=frame, scan=scan_name(scan))


def _element_sets(frame_ids: np.ndarray, elements: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each wanted frame the number of its elements and a sum of their hashes."""
    if len(frame_ids) == len(wanted) and np.array_equal(frame_ids, wanted):
        return np.ones(len(wanted), dtype=np.int64), elements
    order = np.argsort(frame_ids, kind="stable")
    ordered = frame_ids[order]
    with np.errstate(over="ignore"):
        totals = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(elements[order], dtype=np.uint64)])
        begin, end = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, side="right")
        return end - begin, totals[end] - totals[begin]


def _odd_ones(keys: np.ndarray, present: np.ndarray) -> tuple[int, np.ndarray]:
    """The index of a usual key, and the indices of the others; frames without data are left out."""
    known = np.flatnonzero(present)
    if (keys[known] == keys[known[0]]).all():
        return int(known[0]), np.zeros(0, dtype=np.int64)
    names, first, counts = np.unique(keys[known], return_index=True, return_counts=True)
    # Of two that are equally frequent the larger frame is the usual one, here the first in the file.
    best = max(range(len(names)), key=lambda index: (counts[index], -first[index]))
    return int(known[first[best]]), known[keys[known] != names[best]]


@rule(
    "CON020",
    "wedges-apart",
    severity="info",
    source="_diffrn_scan_axis.angle_rstrt_incr",
    message="wedges of axis {axis} in scan {scan} {relation} by {size:.6g} deg, by the restart increment",
)
def wedges_apart(tables: Tables, axes: Axes, scans: Scans) -> Iterator[Problem]:
    """What: The wedges of successive frames overlap, or leave gaps between them, as the restart increment says.
    Why: It is legal; programs that assume contiguous wedges integrate reflections wrongly at the edges of frames.
    How to fix: Nothing is needed if the frames were taken so.
    Source: Dictionary imgCIF, _diffrn_scan_axis.angle_rstrt_incr.
    """
    is_judged = False
    for scan in scans:
        for drive in distinct_drives(scan):
            if not drive.is_angle or np.isnan(drive.restart) or not or_zero(drive.increment):
                continue
            is_judged = True
            if drive.restart and _frames(scan) > 1:
                is_overlap = drive.restart * drive.increment < 0
                yield Problem(
                    drive_place(tables, drive, "rstrt_incr"),
                    axis=axes.id[drive.axis],
                    scan=scan_name(scan),
                    relation="overlap" if is_overlap else "leave gaps",
                    size=abs(drive.restart),
                )
    if not is_judged:
        raise NotApplicable("no restart increments of a turning axis")


def _frames(scan: Scan) -> int:
    """The number of frames of a scan, listed or only stated."""
    return max(scan.frames, scan.count)
