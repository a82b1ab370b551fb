"""Rules about axes that a scan, or its frames, say nothing of."""

from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import (
    detector_axes,
    goniometer_axes,
    listed,
    scan_name,
    scan_place,
)
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Scan, Scans, or_zero
from imgcif_core.tables import Tables


def _missing(tables: Tables, axes: Axes, scans: Scans, rows: Sequence[int], *, or_frames: bool) -> Iterator[Problem]:
    """Axes without settings, one problem for all scans that lack the same ones.

    Scans without any row of settings are left to REL015.
    """
    lacking: dict[tuple[int, ...], list[Scan]] = {}
    in_rows = set(scans.frame_settings.axes)
    in_frames = in_rows if or_frames else set()
    for scan in scans:
        if scan.drives:
            found = tuple(row for row in rows if row not in scan.drives and row not in in_frames)
            if found:
                lacking.setdefault(found, []).append(scan)
    elsewhere = {row for scan in scans for row, drive in scan.drives.items() if or_zero(drive.start)}
    for found, affected in lacking.items():
        names = [axes.id[row] for row in found]
        reading = "only the frames state it" if set(found) <= in_rows else "taken to be at zero"
        # Whoever sets an axis in one scan sets it in all; a row that is missing then was forgotten.
        forgotten = [axes.id[row] for row in found if row in elsewhere and row not in in_rows]
        if forgotten:
            reading = f"taken to be at zero, but other scans set {listed(forgotten)} to other values"
        yield problem_of(
            (scan_place(tables, scan) for scan in affected),
            len(affected),
            severity="warning" if forgotten else None,
            axes=("axis " if len(names) == 1 else "axes ") + listed(names),
            verb="has" if len(names) == 1 else "have",
            reading=reading,
            scan=scan_name(affected[0]),
            others=f" and in {len(affected) - 1} more" if len(affected) > 1 else "",
        )


@rule(
    "SCN006",
    "detector-axis-at-zero",
    severity="info",
    source="_diffrn_scan_axis.axis_id",
    message="{axes} of the detector {verb} no setting in scan {scan}{others} - {reading}",
)
def detector_axis_at_zero(tables: Tables, axes: Axes, scans: Scans) -> Iterator[Problem]:
    """What: An axis that positions the detector has no setting, neither for the scan nor for its frames.
    Why: By the dictionary it stands at zero, which is right for a fixed axis and wrong for a forgotten row.
    How to fix: Add a row with the setting to DIFFRN_SCAN_AXIS for each axis that does not stand at zero.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    rows = detector_axes(tables, axes)
    if not rows:
        raise NotApplicable("no axes that position a detector")
    yield from _missing(tables, axes, scans, rows, or_frames=True)


@rule(
    "SCN007",
    "goniometer-axis-without-row",
    severity="info",
    source="_diffrn_scan_axis.axis_id",
    message="{axes} of the goniometer {verb} no row in DIFFRN_SCAN_AXIS for scan {scan}{others} - {reading}",
)
def goniometer_axis_without_row(tables: Tables, axes: Axes, scans: Scans) -> Iterator[Problem]:
    """What: A goniometer axis has no row among the axes of a scan.
    Why: By the dictionary it stands at zero; dxtbx, and with it DIALS, refuses a full CBF in which it is missing.
    How to fix: Add a row for each goniometer axis, with a range and an increment of zero if it does not move.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    rows = goniometer_axes(tables, axes)
    if not rows:
        raise NotApplicable("no goniometer axes")
    yield from _missing(tables, axes, scans, rows, or_frames=False)


@rule(
    "SCN008",
    "frame-axis-without-row",
    severity="info",
    source="_diffrn_scan_frame_axis.axis_id",
    message="{axes} {verb} no rows in DIFFRN_SCAN_FRAME_AXIS, where other axes have them",
    messages={"frames": "axis {axes} has rows in DIFFRN_SCAN_FRAME_AXIS for {rows} of {frames} frames"},
)
def frame_axis_without_row(tables: Tables, axes: Axes, scans: Scans) -> Iterator[Problem]:
    """What: Settings are given per frame, but not for all axes that position sample and detector, or all frames.
    Why: cbflib looks for a row for each axis and frame and gives up where there is none; by the dictionary such
    an axis stands at zero in that frame, although the scan may say otherwise.
    How to fix: Give a row for each frame and each axis in DIFFRN_MEASUREMENT_AXIS and DIFFRN_DETECTOR_AXIS.
    Source: Dictionary imgCIF, DIFFRN_SCAN_FRAME_AXIS.
    """
    settings = scans.frame_settings
    frames = tables.table("diffrn_scan_frame")
    if not settings.table or not frames.has("frame_id"):
        raise NotApplicable("no settings of single frames")
    everything = np.arange(frames.rows)
    absent = []
    for row in dict.fromkeys([*goniometer_axes(tables, axes), *detector_axes(tables, axes)]):
        positions = settings.positions(row, everything)
        count = int((positions >= 0).sum())
        if not count:
            absent.append(axes.id[row])
        elif count < frames.rows:
            place = frames.at(int((positions < 0).argmax()), "frame_id")
            yield Problem(place, variant="frames", axes=axes.id[row], rows=count, frames=frames.rows)
    if absent:
        noun, verb = ("axis ", "has") if len(absent) == 1 else ("axes ", "have")
        yield Problem(settings.table.at_top(), axes=noun + listed(absent), verb=verb)
