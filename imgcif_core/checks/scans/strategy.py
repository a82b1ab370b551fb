"""Rules that say what a scan does: which axes move, what repeats, and how it is called."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import (
    UNIT,
    detector_axes,
    distinct_drives,
    drive_place,
    goniometer_axes,
    listed,
    moving_axes,
    scan_name,
    scan_place,
    stated_frames,
)
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Scan, Scans, or_zero
from imgcif_core.tables import Table, Tables

_RASTERS = ("raster", "grid", "mesh")
_LINES = ("vector", "helical", "helix")


@rule(
    "SCN003",
    "several-moving-axes",
    severity="info",
    source="_diffrn_scan_axis.axis_id",
    message="{count_text} move together in scan {scan}: {names}",
)
def several_moving_axes(tables: Tables, axes: Axes, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: More than one axis moves during a scan.
    Why: Vector, helical and raster scans and theta / two-theta scans do so; programs for rotation data expect one
    moving axis, and take the first one or refuse the scan.
    How to fix: Nothing is needed if the axes really move together.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    for scan in scans:
        moving = moving_axes(scan, tolerances.setting)
        if len(moving) > 1:
            names = listed([axes.id[axis] for axis in moving])
            yield Problem(scan_place(tables, scan), scan=scan_name(scan), count_text=f"{len(moving)} axes", names=names)


@rule(
    "SCN012",
    "counts-differ",
    severity="info",
    source="_diffrn_scan.frames",
    message="the tables count the images differently: {counts}",
)
def counts_differ(tables: Tables) -> Iterator[Problem]:
    """What: The tables of frames, data and external files do not hold the same number of images.
    Why: Sections, shared files and images outside the scans make legal differences; a table that was cut short
    does too.
    How to fix: Nothing is needed if the difference is meant.
    Source: Dictionary imgCIF, DIFFRN_SCAN_FRAME, DIFFRN_DATA_FRAME and ARRAY_DATA.
    """
    listed_frames, data_frames = tables.table("diffrn_scan_frame"), tables.table("diffrn_data_frame")
    data, external = tables.table("array_data"), tables.table("array_data_external_data")
    if not listed_frames or not (data_frames or data):
        raise NotApplicable("no frames with data")
    ids = data_frames.column("id")
    distinct = 0
    if ids is not None:
        distinct = len(ids) if ids.is_all_distinct else len(np.unique(ids.hashes))
    elements = max(1, round(data_frames.rows / distinct)) if distinct else 1
    counts = {"scan frames": listed_frames.rows}
    if distinct:
        counts["data frames"] = distinct
    if data:
        counts["array data rows" + (f" per {elements} elements" if elements > 1 else "")] = data.rows // elements
    if external and _one_image_a_row(external):
        counts["external files"] = external.rows // elements
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{count} {name}" for name, count in counts.items())
        yield Problem(listed_frames.at_top(), counts=text, numbers=list(counts.values()))


def _one_image_a_row(external: Table) -> bool:
    """True unless rows hold stacks of frames, of which an external row names one or all."""
    return external.has("frame") or external.has("archive_path") or external.rows > 1


@rule(
    "SCN019",
    "sweep-repeated",
    severity="info",
    source="_diffrn_scan_axis.angle_start",
    message="scans {first} and {second} turn axis {axis} over the same {overlap:.6g} deg with all other settings alike",
)
def sweep_repeated(tables: Tables, axes: Axes, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Two scans cover the same angles with the same settings of all other axes.
    Why: Repeats are taken on purpose, for several wavelengths or crystals, or a setting of one of them was forgotten.
    How to fix: Nothing is needed if the sweep was repeated; otherwise correct the setting that differs.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    if len(scans) < 2:
        raise NotApplicable("fewer than two scans")
    groups: dict[_Still, list[tuple[float, float, Scan]]] = {}
    for scan in scans:
        sweep = _sweep(scan, tolerances)
        if sweep is not None:
            key, begin, end = sweep
            groups.setdefault(key, []).append((begin, end, scan))
    for (axis, *_), sweeps in groups.items():
        sweeps.sort(key=lambda entry: entry[:2])
        for one, two in pairwise(sweeps):
            overlap = min(one[1], two[1]) - two[0]
            step = abs(two[2].drives[axis].step)
            if overlap > step:
                first, second = sorted((one[2], two[2]), key=lambda scan: scan.row)
                yield Problem(
                    scan_place(tables, second),
                    first=scan_name(first),
                    second=scan_name(second),
                    axis=axes.id[axis],
                    overlap=overlap,
                )


# The moving axis, and the settings of all others in steps of the tolerance.
_Still = tuple[Any, ...]


def _sweep(scan: Scan, tolerances: Tolerances) -> tuple[_Still, float, float] | None:
    """What stands still in a scan, and the angles that its one moving axis covers."""
    moving = moving_axes(scan, tolerances.setting)
    drive = scan.drives.get(moving[0]) if len(moving) == 1 else None
    if drive is None or not drive.is_angle or np.isnan(drive.start) or not drive.step:
        return None
    span = (stated_frames(scan) or scan.count) * drive.step
    if not np.isfinite(drive.start + span):
        return None
    begin, end = sorted((drive.start, drive.start + span))
    turns = np.floor(begin / 360.0) * 360.0
    still = []
    in_frames = set(scan.frame_settings.axes)
    for axis in {*scan.drives, *in_frames} - {drive.axis}:
        setting = scan.setting(axis, 0) if axis in in_frames else or_zero(scan.drives[axis].start)
        if not np.isfinite(setting / tolerances.setting):
            return None
        is_angle = axis not in scan.drives or scan.drives[axis].is_angle
        still.append((axis, round((setting % 360.0 if is_angle else setting) / tolerances.setting)))
    key = (drive.axis, *sorted(entry for entry in still if entry[1]))
    return key, begin - turns, end - turns


@rule(
    "SCN020",
    "detector-moves",
    severity="info",
    source="_diffrn_scan_axis.axis_id",
    message="axis {axis} moves the detector during scan {scan}",
)
def detector_moves(tables: Tables, axes: Axes, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The detector moves during a scan.
    Why: It is legal, for theta / two-theta scans among others; programs for rotation data take one detector position
    for the whole scan.
    How to fix: Nothing is needed if the detector moves. Otherwise make one scan of each detector position.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS and DIFFRN_DETECTOR_AXIS.
    """
    rows = set(detector_axes(tables, axes))
    if not rows:
        raise NotApplicable("no axes that position a detector")
    for scan in scans:
        for axis in moving_axes(scan, tolerances.setting):
            if axis in rows:
                yield Problem(scan_place(tables, scan), axis=axes.id[axis], scan=scan_name(scan))


_SETTINGS = (
    ("diffrn_scan_axis", "angle_start", "displacement_start"),
    ("diffrn_scan_frame_axis", "angle", "displacement"),
    ("array_structure_list_axis", "angle", "displacement"),
)


@rule(
    "SCN021",
    "reference-setting-differs",
    severity="info",
    source="_diffrn_scan_axis.reference_angle",
    message="reference setting {stated:.6g} {unit} of axis {axis} is not its setting {setting:.6g} {unit}{others}",
)
def reference_setting_differs(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The setting to which a stated beam centre and distance refer is not the setting in the data.
    Why: It is legal where the centre was measured elsewhere; programs that read the centre alone are then off.
    How to fix: Nothing is needed if the centre was measured at the reference setting.
    Source: Dictionary imgCIF, _diffrn_scan_axis.reference_angle and _diffrn_scan_axis.reference_displacement.
    """
    is_judged = False
    for category, *settings in _SETTINGS:
        table = tables.table(category)
        for name, is_angle in zip(settings, (True, False), strict=True):
            reference = "reference_angle" if is_angle else "reference_displacement"
            if not table.has(reference) or not table.has(name):
                continue
            is_judged = True
            stated, used = table.numbers(reference), table.numbers(name)
            with np.errstate(invalid="ignore"):
                rows = np.flatnonzero(np.abs(stated - used) > tolerances.setting)
            if len(rows):
                first = int(rows[0])
                yield problem_at(
                    table,
                    rows,
                    reference,
                    axis=table.text("axis_id", first) or "(unnamed)",
                    stated=stated[first],
                    setting=used[first],
                    unit=UNIT[is_angle],
                    others=f" ({len(rows) - 1} more rows differ)" if len(rows) > 1 else "",
                )
    if not is_judged:
        raise NotApplicable("no reference settings")


@rule(
    "SCN023",
    "strategy-and-axes",
    severity="info",
    source="_diffrn_scan_collection.type",
    message="scan {scan} is called {type!r}, but {axis} moves by {increment:.6g} {unit} in each frame",
    messages={
        "translation": "scan {scan} is called {type!r}, but no translation of the sample moves in it",
        "rotation": "scan {scan} is called {type!r}, but no axis turns in its {frames} frames",
    },
)
def strategy_and_axes(tables: Tables, axes: Axes, scans: Scans, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The name of the collection strategy does not fit what the axes do.
    Why: The name is free text, so that nothing is decided by it; but a still that turns, or a raster that stands,
    is a sign of forgotten axes.
    How to fix: Correct the name, or add the settings of the axes that move.
    Source: Dictionary imgCIF, _diffrn_scan_collection.type.
    """
    table = tables.table("diffrn_scan_collection")
    if not table.explicit("type").any():
        raise NotApplicable("no collection strategy")
    kinds = {}
    for row in np.flatnonzero(table.explicit("type")).tolist():
        kinds[(table.text("scan_id", row) or "").casefold()] = row
    sample = set(goniometer_axes(tables, axes))
    for scan in scans:
        named = kinds.get(scan.id.casefold(), kinds.get("") if len(scans) == 1 else None)
        if named is None:
            continue
        kind = (table.text("type", named) or "").strip()
        moving = moving_axes(scan, tolerances.setting)
        facts: dict[str, Any] = {"scan": scan_name(scan), "type": kind}
        turning = [drive for drive in distinct_drives(scan) if drive.is_angle and or_zero(drive.increment)]
        if kind.lower().startswith("still") and turning:
            yield Problem(
                drive_place(tables, turning[0], "increment"),
                axis=axes.id[turning[0].axis],
                increment=turning[0].increment,
                unit="deg",
                **facts,
            )
        elif any(word in kind.lower() for word in (*_RASTERS, *_LINES)) and not any(
            axes.kind[axis] == "translation" and axis in sample for axis in moving
        ):
            yield Problem(table.at(named, "type"), variant="translation", **facts)
        elif kind.lower() == "rotation" and not any(axes.kind[axis] == "rotation" for axis in moving):
            frames = stated_frames(scan) or scan.count
            if frames > 1:
                yield Problem(table.at(named, "type"), variant="rotation", frames=frames, **facts)
