"""Rules about scans, frames, detectors and shared axes."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from imgcif_core.checks.joins import missing_rows
from imgcif_core.checks.obstacles import Kind, Obstacle
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.relations.arrays import explicit_values
from imgcif_core.cif.columns import Column
from imgcif_core.model.joins import Repeats, combined, filled_hashes, folded_key, identities, repeated_rows, repeats
from imgcif_core.model.scans import Scan
from imgcif_core.tables import Table, Tables

_AXIS_NUMBERS = tuple(f"{name}[{index}]" for name in ("vector", "offset") for index in (1, 2, 3))


@rule(
    "REL009",
    "axis-on-two-equipments",
    severity="warning",
    source="_axis.equipment",
    message="axis {axis} is defined for {equipments} with different {what}, so a reference by id is ambiguous",
    messages={"shared": "axis {axis} is shared by {equipments}"},
)
def axis_on_two_equipments(tables: Tables) -> Iterator[Problem]:
    """What: One axis id is defined for two pieces of equipment.
    Why: References name the axis by id alone; where the definitions differ, they mean two things.
    How to fix: Give the two axes different ids, or the same vector, offset, type and parent.
    Source: Dictionary imgCIF, AXIS key of id and equipment.
    """
    table = tables.table("axis")
    if table.rows < 2 or not table.has("id"):
        raise NotApplicable("fewer than two axes")
    ids = filled_hashes(table, "id", "")
    numbers = np.stack([table.numbers(name, 0.0) for name in _AXIS_NUMBERS], axis=1)
    again = repeats(ids, lambda row: table.text("id", row, ""))
    for row, first in again.head(len(again)):
        equipments = [(table.text("equipment", index, "general") or "").lower() for index in (first, row)]
        if equipments[0] == equipments[1]:
            continue
        what = [] if np.allclose(numbers[first], numbers[row], atol=1e-9) else ["vector or offset"]
        for name in ("type", "depends_on"):
            if (table.text(name, first, "") or "").lower() != (table.text(name, row, "") or "").lower():
                what.append(name)
        yield Problem(
            table.at(row, "id"),
            severity="warning" if what else "info",
            variant="" if what else "shared",
            axis=table.text("id", row),
            equipments=" and ".join(equipments),
            what=", ".join(what),
        )


def frames_by_scan(tables: Tables) -> Iterator[tuple[int, str, np.ndarray]]:
    """Row of DIFFRN_SCAN, id of the scan, and the rows of its frames in DIFFRN_SCAN_FRAME."""
    scans, frames = tables.table("diffrn_scan"), tables.table("diffrn_scan_frame")
    scan_ids = filled_hashes(scans, "id", "")
    owners = filled_hashes(frames, "scan_id", None) if frames.has("scan_id") else None
    for row in range(min(scans.rows, 10_000)):
        if owners is None:
            rows = np.arange(frames.rows if scans.rows == 1 else 0)
        elif len(owners) and (owners[0] == scan_ids[row]) and (owners == owners[0]).all():
            rows = np.arange(frames.rows)
        else:
            rows = np.flatnonzero(owners == scan_ids[row])
        yield row, scans.text("id", row, "") or "", rows


@rule(
    "REL011",
    "scan-ends",
    severity="warning",
    source="_diffrn_scan.frame_id_start",
    message="{name} of scan {scan} is {value!r}, but its {which} frame is {expected!r}",
    messages={
        "foreign": "{name} of scan {scan} is {value!r}, which is no frame of that scan",
        "absent": "{name} of scan {scan} is {value!r}, which _diffrn_data_frame.id does not hold",
        "part": "{name} of scan {scan} is {value!r}, which is not among the {rows} of {frames} frames given here",
    },
    helps={
        "": "write {expected}, or correct the numbers of the frames",
        "foreign": "write the id of one of the frames that DIFFRN_SCAN_FRAME lists for the scan",
        "absent": "write the id of a row of DIFFRN_DATA_FRAME, or add the row of this frame",
        "part": "nothing is needed where the other frames are left out on purpose; otherwise add their rows",
    },
)
def scan_ends(tables: Tables) -> Iterator[Problem]:
    """What: The first or last frame that a scan names is not the first or last of its frames.
    Why: Programs take the frames between the two, and miss some or find none.
    How to fix: Name the first and the last frame of the scan as DIFFRN_SCAN_FRAME lists them.
    Source: Dictionary imgCIF, _diffrn_scan.frame_id_start and _diffrn_scan.frame_id_end.
    """
    scans, frames = tables.table("diffrn_scan"), tables.table("diffrn_scan_frame")
    ids = frames.column("frame_id")
    if scans and ids is None:
        yield from _ends_without_frames(scans, tables.table("diffrn_data_frame"))
        return
    if not scans or ids is None:
        raise NotApplicable("no scans with frames")
    numbers = frames.numbers("frame_number")
    totals = scans.numbers("frames")
    for row, scan, rows in frames_by_scan(tables):
        if not len(rows):
            continue
        order = rows[np.argsort(numbers[rows], kind="stable")] if not np.isnan(numbers[rows]).any() else rows
        for name, index, which in (("frame_id_start", 0, "first"), ("frame_id_end", -1, "last")):
            value = scans.text(name, row)
            expected = ids.text(int(order[index]))
            if value is None or value.casefold() == expected.casefold():
                continue
            is_part = len(rows) < totals[row]
            known = _holds(ids, rows, value)
            variant = "part" if is_part and not known else "" if known else "foreign"
            if is_part and known:
                continue
            yield Problem(
                scans.at(row, name),
                severity="info" if is_part else None,
                variant=variant,
                name=f"_diffrn_scan.{name}",
                scan=scan,
                value=value,
                which=which,
                expected=expected,
                rows=len(rows),
                frames=totals[row],
            )


def _ends_without_frames(scans: Table, images: Table) -> Iterator[Problem]:
    """Ends of scans whose frames are listed only by their images: they must be among those."""
    ids = images.column("id")
    if ids is None:
        raise NotApplicable("no frames")
    totals = scans.numbers("frames")
    for row in range(min(scans.rows, 10_000)):
        for name in ("frame_id_start", "frame_id_end"):
            value = scans.text(name, row)
            if value is None or _holds(ids, np.arange(len(ids)), value):
                continue
            yield Problem(
                scans.at(row, name),
                severity="info" if images.rows < totals[row] else None,
                variant="absent",
                name=f"_diffrn_scan.{name}",
                scan=scans.text("id", row, ""),
                value=value,
            )


def _holds(ids: Column, rows: np.ndarray, value: str) -> bool:
    """True if a value is among some rows of a column."""
    from imgcif_core.cif.matrices import hash_text

    return bool((ids.hashes[rows] == hash_text(value)).any())


@rule(
    "REL012",
    "frame-in-two-scans",
    severity="warning",
    source="_diffrn_scan_frame.frame_id",
    message="frame {frame} belongs to scan {second} and to scan {first}",
)
def frame_in_two_scans(tables: Tables) -> Iterator[Problem]:
    """What: One frame is listed in two scans.
    Why: An image is taken once; its settings in the two scans contradict each other.
    How to fix: Give the frames of each scan ids of their own.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_id.
    """
    frames = tables.table("diffrn_scan_frame")
    column = frames.column("frame_id")
    if column is None or not frames.has("scan_id"):
        raise NotApplicable("no frames with scans")
    if column.is_all_distinct and (column.counting or not len(repeated_rows(column.folded_hashes()))):
        return
    # Ids that differ in case alone name one row, where none is spelt alike.
    ids = identities(tables.table("diffrn_data_frame"), ["id"], frames, ["frame_id"], "")
    scans = identities(tables.table("diffrn_scan"), ["id"], frames, ["scan_id"], "")
    again = repeats(combined([ids, scans]), partial(folded_key, frames, ("frame_id", "scan_id")))
    shared = repeats(ids, partial(folded_key, frames, ("frame_id",)))
    is_other = ~np.isin(shared.rows, again.rows) & (scans[shared.rows] != scans[shared.firsts])
    found = Repeats(shared.rows[is_other], shared.firsts[is_other])
    for index, (row, first) in enumerate(found.head(50)):
        yield Problem(
            frames.at(row, "frame_id"),
            count=1 if index else 1 + max(0, len(found) - 50),
            frame=column.text(row),
            first=frames.text("scan_id", first),
            second=frames.text("scan_id", row),
        )


@rule(
    "REL013",
    "frame-outside-scans",
    severity="warning",
    source="_diffrn_data_frame.id",
    message="{count_text} of DIFFRN_DATA_FRAME without a row in DIFFRN_SCAN_FRAME, the first {frame}",
)
def frame_outside_scans(tables: Tables) -> Iterator[Problem]:
    """What: Frames have data, but belong to no scan.
    Why: Without a scan the settings of the axes for these images are unknown.
    How to fix: Add the frames to DIFFRN_SCAN_FRAME, or leave out those that are no part of the experiment.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_id and _diffrn_data_frame.id.
    """
    frames, listed = tables.table("diffrn_data_frame"), tables.table("diffrn_scan_frame")
    column, parent = frames.column("id"), listed.column("frame_id")
    if column is None:
        raise NotApplicable("no frames")
    rows = missing_rows(column, [parent] if parent is not None else [], fold=True)
    if len(rows):
        noun = "1 frame" if len(rows) == 1 else f"{len(rows)} frames"
        severity = None if listed else "info"
        frame = column.text(int(rows[0]))
        yield problem_at(frames, rows, "id", severity=severity, count_text=noun, frame=frame)


@rule(
    "REL014",
    "unused-detector-part",
    severity="info",
    source="_diffrn_detector_axis.detector_id",
    messages={
        "axes": "detector {value} has no rows in DIFFRN_DETECTOR_AXIS - it is taken as fixed",
        "element": "detector element {value} has no frames",
    },
)
def unused_detector_part(tables: Tables) -> Iterator[Problem]:
    """What: A detector has no positioning axes, or one of its elements has no frames.
    Why: Both are legal; a fixed detector and a switched-off module look the same as a forgotten table.
    How to fix: Nothing is needed for a fixed detector; otherwise add the rows.
    Source: Dictionary imgCIF, DIFFRN_DETECTOR_AXIS and DIFFRN_DETECTOR_ELEMENT.
    """
    detectors, elements = tables.table("diffrn_detector"), tables.table("diffrn_detector_element")
    if not detectors and not elements:
        raise NotApplicable("no detector")
    axes, frames = tables.table("diffrn_detector_axis"), tables.table("diffrn_data_frame")
    if detectors and not axes:
        yield Problem(detectors.at(0, "id"), variant="axes", value=detectors.text("id", 0, "") or "1")
    used = {value.casefold() for value in explicit_values(frames, "detector_element_id")}
    for row in range(elements.rows if used else 0):
        value = elements.text("id", row)
        if value and value.casefold() not in used and elements.rows > 1:
            yield Problem(elements.at(row, "id"), variant="element", value=value)


@rule(
    "REL015",
    "scan-without-axes",
    severity="info",
    source="_diffrn_scan_axis.scan_id",
    message="scan {scan} has no rows in DIFFRN_SCAN_AXIS - all axes are taken to be at zero",
)
def scan_without_axes(tables: Tables, obstacles: list[Obstacle]) -> Iterator[Problem]:
    """What: A scan has no axis settings.
    Why: By the dictionary unlisted axes stand at zero, which is right for stills and wrong for a forgotten table.
    How to fix: Add a row for each axis that is not at zero or that moves.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    scans, axes = tables.table("diffrn_scan"), tables.table("diffrn_scan_axis")
    if not scans:
        raise NotApplicable("no scans")
    if axes and not axes.has("scan_id"):
        return
    known = {value.casefold() for value in explicit_values(axes, "scan_id")}
    # Scans of several frames without any setting are told as such, unless they are of stills.
    lost = [entry for entry in obstacles if entry.kind is Kind.SETTINGS]
    known |= {scan.id.casefold() for entry in lost for scan in entry.subjects if isinstance(scan, Scan)}
    for row in range(min(scans.rows, 10_000)):
        scan = scans.text("id", row)
        if (scan or "").casefold() not in known:
            yield Problem(scans.at(row, "id"), scan=scan or "(unnamed)")
