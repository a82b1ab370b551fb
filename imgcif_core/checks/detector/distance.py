"""The rule about distances that no instrument has."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.detector.faces import Setups, panel_place
from imgcif_core.checks.edits import MAX_CHANGES, scaled
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Change
from imgcif_core.tables import Tables


@rule(
    "DET026",
    "distance-out-of-scale",
    severity="warning",
    source="_diffrn_scan_axis.displacement_start",
    message="panel {panel}, {size:.4g} mm across, comes as near as {near:.4g} mm to the sample{where} - "
    "is the distance in metres",
    messages={"far": "panel {panel} stands {near:.6g} mm from the sample{where} - is the distance in micrometres"},
)
def distance_out_of_scale(tables: Tables, setups: Setups, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The detector stands so near to the sample, or so far from it, that the distance is in another unit.
    Why: A distance in metres puts the detector into the sample, and every angle and resolution is wrong.
    How to fix: Give the displacement or the offset that sets the distance in millimetres.
    Source: Dictionary imgCIF, _diffrn_scan_axis.displacement_start and _axis.offset[1]: both in millimetres.
    """
    if not setups.is_in_laboratory or not setups.sized:
        raise NotApplicable("no panel of known size in the laboratory system")
    poses = setups.sized_poses
    across = (poses.pixel_size * poses.size).min(axis=1)[:, None]
    near = poses.nearest
    low, high = tolerances.distance_in_metres
    # A panel beside the beam is further away than its plane, in which no sample lies.
    planes = poses.normal_distance
    too_near = (planes > low * across) & (planes < high * across)
    # An offset of that length has its own rule.
    is_offset = bool((np.abs(np.nan_to_num(setups.detector.axes.offset)) > tolerances.offset_mm).any())
    too_far = (near > tolerances.offset_mm) & (not is_offset)
    for variant, found in (("", too_near), ("far", too_far)):
        if found.any():
            index, setup = (int(value) for value in np.argwhere(found)[0])
            scan = setups.scan_ids[setup]
            panel = setups.panels[setups.sized[index]]
            row, at_panel = _setting_row(tables, setups, setup), panel_place(tables, panel)
            yield Problem(
                tables.table("diffrn_scan_axis").at(row, "displacement_start") if row is not None else at_panel,
                variant=variant,
                edits=_in_millimetres(tables, row, "0.001" if variant else "1000"),
                panel=panel.id,
                size=float(across[index, 0]),
                near=float((near if variant else planes)[index, setup]),
                where=f" in scan {scan}" if scan and len(setups.scan_ids) > 1 else "",
            )


def _setting_row(tables: Tables, setups: Setups, setup: int) -> int | None:
    """Where a scan sets the translation that carries the panels farthest, None where none does."""
    axes, table = setups.detector.axes, tables.table("diffrn_scan_axis")
    moved = [
        (abs(float(value)), axes.id[row])
        for row, value in zip(setups.rows, setups.settings[setup], strict=True)
        if axes.kind[row] == "translation" and value
    ]
    if not moved or not table.has("displacement_start"):
        return None
    name = max(moved)[1]
    for row in range(table.rows):
        if table.text("axis_id", row) == name and table.text("scan_id", row) in (None, setups.scan_ids[setup]):
            return row
    return None


def _in_millimetres(tables: Tables, row: int | None, factor: str) -> list[Change]:
    """The settings of the axis of a row in all scans, times a factor; nothing where no scan sets the distance."""
    table = tables.table("diffrn_scan_axis")
    if row is None or table.rows > MAX_CHANGES:
        return []
    names = [f"displacement_{part}" for part in ("start", "increment", "range", "rstrt_incr")]
    rows = [other for other in range(table.rows) if table.text("axis_id", other) == table.text("axis_id", row)]
    return [change for other in rows for change in scaled(table, other, names, factor)]
