"""Rules about the offsets of axes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.axes.roles import GONIOMETER, AxisRoles, listed
from imgcif_core.checks.edits import scaled
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Detector
from imgcif_core.tables import Tables

OFFSET = ("offset[1]", "offset[2]", "offset[3]")
# A finer pitch or a smaller panel is itself in another unit, and says nothing of the unit of its offset.
_SMALLEST_PITCH_MM, _SMALLEST_PANEL_MM = 0.01, 10.0


@rule(
    "AXI022",
    "offset-out-of-scale",
    severity="warning",
    source="_axis.offset[1]",
    message="axis {axis} has an offset of {offset:.6g} mm - no instrument is that large",
    messages={
        "metres": "pixel axis {axis} has an offset of {offset:.6g} mm on a panel of {panel:.4g} mm - is it in metres",
        "pixels": "pixel axis {axis} has an offset of {offset:.6g} mm on a panel of {panel:.4g} mm with {pixels} "
        "pixels - is it in pixels",
    },
    helps={
        "metres": "give the offset in millimetres: a thousand times the number",
        "pixels": "give the offset in millimetres: the number times the size of a pixel",
    },
)
def offset_out_of_scale(tables: Tables, axes: Axes, any_panels: Detector, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The offset of an axis is too large for any instrument, or of another unit than the panel it places.
    Why: Offsets are in millimetres; in metres or pixels they put the detector beside the beam.
    How to fix: Give the offset in millimetres.
    Source: Dictionary imgCIF, _axis.offset[1]: the vector is specified in millimetres.
    """
    table = tables.table("axis")
    size = np.abs(np.nan_to_num(axes.offset)).max(axis=1, initial=0.0)
    if not (size > 0).any():
        raise NotApplicable("no offsets")
    for row in np.flatnonzero(size > tolerances.offset_mm).tolist():
        item = OFFSET[int(np.abs(np.nan_to_num(axes.offset[row])).argmax())]
        yield Problem(table.at(row, item), axis=axes.id[row], offset=float(size[row]))
    yield from _other_units(tables, any_panels, size)


def _other_units(tables: Tables, panels: Detector, size: np.ndarray) -> Iterator[Problem]:
    """Offsets of pixel axes that fit the panel only in metres or in pixels.

    Modules of a larger detector may lie many panels away, or be shifted by fractions of a millimetre.
    """
    layouts, axes = panels.layouts, panels.axes
    if len(layouts) != 1:
        return
    table = tables.table("axis")
    fixed = np.array([own != GONIOMETER for own in axes.equipment])
    all_small = bool((size[fixed] < 1.0).all())
    for dimension in layouts[0].directions:
        for entry in dimension.surface:
            row, pitch = entry.axis, abs(entry.increment)
            panel = pitch * dimension.size
            if row < 0 or not pitch > _SMALLEST_PITCH_MM or panel < _SMALLEST_PANEL_MM:
                continue
            offset = float(size[row])
            along = abs(float(np.nan_to_num(axes.offset[row]) @ axes.direction[row]))
            variant = ""
            if all_small and 0.05 * panel < 1000.0 * offset < 2.0 * panel:
                variant = "metres"
            elif 2.0 * panel < along < dimension.size:
                variant = "pixels"
            if variant:
                item = OFFSET[int(np.abs(np.nan_to_num(axes.offset[row])).argmax())]
                names: dict[str, Any] = {"axis": axes.id[row], "pixels": dimension.size}
                factor = "1000" if variant == "metres" else f"{pitch:.12g}"
                edits = scaled(table, row, OFFSET, factor)
                yield Problem(table.at(row, item), variant=variant, edits=edits, offset=offset, panel=panel, **names)


@rule(
    "AXI023",
    "goniometer-offset",
    severity="info",
    source="_axis.offset[1]",
    message="goniometer rotations {axes} have offsets, the largest {offset:.4g} mm",
)
def goniometer_offset(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: Rotations of the goniometer do not pass through the sample.
    Why: This is legal and tells how well the circles meet; the sample then moves when they turn, and most
    programs leave it out of account.
    How to fix: Nothing is needed where the offsets were measured; otherwise leave them at zero.
    Source: Dictionary imgCIF, _axis.offset[1] and the origin of the laboratory coordinate system.
    """
    rows = [row for row in axis_roles.goniometer() if axes.kind[row] == "rotation"]
    if not rows:
        raise NotApplicable("no goniometer rotations")
    size = np.linalg.norm(np.nan_to_num(axes.offset), axis=1)
    found = [row for row in rows if size[row] > 0]
    if found:
        place = tables.table("axis").at(found[0], OFFSET[0])
        yield Problem(place, axes=listed(axes, found), offset=float(size[found].max()))
