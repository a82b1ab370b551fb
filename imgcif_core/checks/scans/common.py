"""What rules about scans share: names, places, and which axes position what."""

import numpy as np

from imgcif_core.cif.document import Place
from imgcif_core.model.axes import Axes
from imgcif_core.model.scans import Drive, Scan
from imgcif_core.tables import Tables

# Names that fit into one line of a message; a diffractometer with a detector arm has as many axes.
MAX_NAMED = 8
UNIT = {True: "deg", False: "mm"}


def scan_name(scan: Scan) -> str:
    """The id of a scan as a message names it."""
    return scan.id or "(unnamed)"


def scan_place(tables: Tables, scan: Scan, name: str = "id") -> Place:
    """The place of an item of a scan; of an implied scan the first row that belongs to it."""
    if scan.row >= 0:
        return tables.table("diffrn_scan").at(scan.row, name)
    drive = next(iter(scan.drives.values()), None)
    if drive is not None:
        return tables.table("diffrn_scan_axis").at(drive.row, "scan_id")
    frames = tables.table("diffrn_scan_frame")
    return frames.at(int(scan.frame_rows[0]), "scan_id") if len(scan.frame_rows) else frames.at_top()


def distinct_drives(scan: Scan) -> list[Drive]:
    """What a scan states for its axes; a row for an axis that two pieces of equipment share is one."""
    return list({drive.row: drive for drive in reversed(scan.drives.values())}.values())[::-1]


def drive_place(tables: Tables, drive: Drive, part: str) -> Place:
    """The place of what a scan states for an axis."""
    return tables.table("diffrn_scan_axis").at(drive.row, drive.item(part))


def stated_frames(scan: Scan) -> int | None:
    """The number of frames that DIFFRN_SCAN states, None where it does not."""
    return scan.frames if scan.is_counted else None


def listed(names: list[str]) -> str:
    """Names in one line, many of them cut short."""
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown


def listed_axes(tables: Tables, axes: Axes, category: str) -> list[int]:
    """Rows of the axes that DIFFRN_MEASUREMENT_AXIS or DIFFRN_DETECTOR_AXIS lists."""
    column = tables.table(category).column("axis_id")
    if column is None:
        return []
    first = column.distinct()[0]
    found = [axes.find(name) for name in column.texts_at(first[~column.is_null[first]])]
    return list(dict.fromkeys(row for row in found if row >= 0))


def goniometer_axes(tables: Tables, axes: Axes) -> list[int]:
    """Axes that position the sample: those listed, else those of equipment goniometer."""
    found = listed_axes(tables, axes, "diffrn_measurement_axis")
    found = found or [row for row in range(len(axes)) if axes.equipment[row] == "goniometer"]
    return [row for row in found if axes.kind[row] in ("rotation", "translation")]


def detector_axes(tables: Tables, axes: Axes) -> list[int]:
    """Axes that position a detector: those listed, else those of equipment detector but the surface ones."""
    found = listed_axes(tables, axes, "diffrn_detector_axis")
    if not found:
        surface = set(listed_axes(tables, axes, "array_structure_list_axis"))
        found = [row for row in range(len(axes)) if axes.equipment[row] == "detector" and row not in surface]
    return [row for row in found if axes.kind[row] in ("rotation", "translation")]


def moving_axes(scan: Scan, tolerance: float) -> list[int]:
    """Axes that move in a scan, by what it states or by the settings of its frames."""
    found = [drive.axis for drive in distinct_drives(scan) if drive.moves]
    return found + [axis for axis in scan.frame_settings.axes if axis not in found and varies(scan, axis, tolerance)]


def varies(scan: Scan, axis: int, tolerance: float) -> bool:
    """True if the frames of a scan state different settings of an axis."""
    values = scan.frame_settings.of(axis, scan.frame_rows)
    values = values[~np.isnan(values)]
    return len(values) > 1 and float(values.max() - values.min()) > tolerance
