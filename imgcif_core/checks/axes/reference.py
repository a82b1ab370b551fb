"""Rules about the axes that only give directions: gravity and source."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from imgcif_core.checks.axes.roles import AxisRoles
from imgcif_core.checks.axes.vectors import LABORATORY, VECTOR
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances, decimal_halves
from imgcif_core.model.axes import NO_PARENT, Axes, build_axes
from imgcif_core.model.vectors import angle_between
from imgcif_core.tables import Tables

GRAVITY, SOURCE = "gravity", "source"
_FRAMES = frozenset({LABORATORY, "mcstas"})


@rule(
    "AXI009",
    "gravity-axis-form",
    severity="warning",
    source="_axis.equipment",
    messages={
        "null": "gravity axis {axis} gives no direction",
        "type": "gravity axis {axis} is of type {found} - expected general",
        "offset": "gravity axis {axis} has an offset of {distance:.6g} mm - a direction has none",
        "parent": "gravity axis {axis} depends on {parent} - gravity does not move",
        "beam": "gravity axis {axis} has a component of {component:.3g} along Z - about 0 where the beam is horizontal",
    },
    helps={
        "null": "give the downward direction as a unit vector",
        "type": "write general as its type",
        "offset": "write 0 for its offset: a direction has none",
        "parent": "write a dot for depends_on: gravity does not move with the instrument",
        "beam": "give the downward direction, across the beam where that is horizontal",
    },
)
def gravity_axis_form(tables: Tables, axes: Axes, axis_roles: AxisRoles, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The axis of gravity moves, has an offset or a type, or points along the beam.
    Why: Gravity is a direction fixed in the laboratory; it tells which way the image is up, and with the
    beam it links the laboratory frames of imgCIF and NeXus.
    How to fix: Give the downward direction alone, type general, depending on nothing; across the beam if that
    is horizontal.
    Source: Dictionary imgCIF, _axis.equipment gravity, _axis.type general; AXIS, differences in coordinate frames.
    """
    rows = axis_roles.of(GRAVITY)
    if not rows:
        raise NotApplicable("no gravity axis")
    table = tables.table("axis")
    for row in rows:
        names: dict[str, Any] = {"axis": axes.id[row]}
        if not np.isnan(axes.vector[row]).any() and not axes.direction[row].any():
            yield Problem(table.at(row, VECTOR[0]), variant="null", **names)
        stated = (table.text("type", row) or "general").lower()
        if stated in ("rotation", "translation"):
            yield Problem(table.at(row, "type"), variant="type", found=stated, **names)
        distance = float(np.linalg.norm(np.nan_to_num(axes.offset[row])))
        if distance > 0:
            yield Problem(table.at(row, "offset[1]"), variant="offset", distance=distance, **names)
        if int(axes.parent[row]) >= 0:
            parent = axes.id[int(axes.parent[row])]
            yield Problem(table.at(row, "depends_on"), variant="parent", parent=parent, **names)
        component = float(axes.direction[row][2])
        if axes.system[row] in _FRAMES and abs(component) >= tolerances.gravity_along_beam:
            yield Problem(table.at(row, VECTOR[2]), variant="beam", component=component, **names)


def gravity_of(tables: Tables) -> np.ndarray | None:
    """The direction of gravity that a block states, None where it states none or several."""
    axes = build_axes(tables)
    rows = [row for row, own in enumerate(axes.equipment) if own == GRAVITY and axes.direction[row].any()]
    return axes.direction[rows[0]] if len(rows) == 1 else None


@rule(
    "AXI010",
    "gravity-contradicted",
    severity="info",
    source="_axis.equipment",
    message="block {block} has gravity along ({own}), and block {other} along ({theirs}) for {instrument}",
)
def gravity_contradicted(all_tables: Sequence[Tables], tolerances: Tolerances) -> Iterator[Problem]:
    """What: Two blocks of the file describe one instrument, and gravity points differently in them.
    Why: The frame is fixed by the goniometer, so that gravity has one direction at an instrument; where two
    descriptions differ, one of them shows the images turned or mirrored.
    How to fix: Look up which way gravity points in the frame of this instrument, and correct the other block.
    Source: Dictionary imgCIF, _axis.equipment gravity.
    """
    seen: dict[tuple[str, str], tuple[Tables, np.ndarray]] = {}
    for tables in all_tables:
        source = tables.table("diffrn_source")
        facility, beamline = source.text("facility"), source.text("beamline")
        gravity = gravity_of(tables) if facility and beamline and tables.table("axis") else None
        if gravity is None or facility is None or beamline is None:
            continue
        first, known = seen.setdefault((facility.casefold(), beamline.casefold()), (tables, gravity))
        if float(angle_between(gravity, known)) > tolerances.gravity_deg:
            axes = build_axes(tables)
            yield Problem(
                tables.table("axis").at(axes.equipment.index(GRAVITY), VECTOR[0]),
                block=tables.block.name,
                other=first.block.name,
                own=", ".join(f"{value:g}" for value in gravity),
                theirs=", ".join(f"{value:g}" for value in known),
                instrument=f"{facility} {beamline}",
            )
    if not seen:
        raise NotApplicable("no block names an instrument and gravity")


@rule(
    "AXI011",
    "source-axis-off-z",
    severity="warning",
    source="_axis.equipment",
    messages={
        "upstream": "source axis {axis} points along ({vector}), away from the source - expected from the sample to it",
        "off": "source axis {axis} is {angle:.3g} degrees off the laboratory Z axis in {direction} - expected 0",
        "null": "source axis {axis} gives no direction",
        "parent": "source axis {axis} depends on {parent} - the direction to the source does not move",
    },
)
def source_axis_off_z(tables: Tables, axes: Axes, axis_roles: AxisRoles, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The axis of the source does not point from the sample towards the source, along Z.
    Why: Z is defined by this direction; with the opposite sign the detector comes to lie before the sample.
    How to fix: Give the vector (0, 0, 1); a component along X is right where the beam is not quite
    perpendicular to the principal goniometer axis, one along Y never.
    Source: Dictionary imgCIF, _axis.equipment source; AXIS, standard laboratory coordinate system, axis 3 (Z).
    """
    rows = [row for row in axis_roles.of(SOURCE) if axes.system[row] == LABORATORY]
    if not rows:
        raise NotApplicable("no source axis in the laboratory system")
    table = tables.table("axis")
    halves = np.stack([decimal_halves(table, name) for name in VECTOR], axis=1)
    for row in rows:
        names: dict[str, Any] = {"axis": axes.id[row]}
        x, y, z = axes.direction[row].tolist()
        if int(axes.parent[row]) != NO_PARENT:
            parent = axes.id[int(axes.parent[row])] if int(axes.parent[row]) >= 0 else table.text("depends_on", row)
            yield Problem(table.at(row, "depends_on"), variant="parent", parent=parent, **names)
        elif np.isnan(axes.vector[row]).any():
            continue
        elif not axes.direction[row].any():
            yield Problem(table.at(row, VECTOR[0]), variant="null", **names)
        elif z < -np.sin(np.radians(tolerances.beam_axis_deg)):
            vector = ", ".join(f"{value:g}" for value in axes.vector[row])
            yield Problem(table.at(row, VECTOR[2]), severity="error", variant="upstream", vector=vector, **names)
        else:
            for index, component in enumerate((x, y)):
                angle = abs(float(np.degrees(np.arctan2(component, z))))
                if angle > max(tolerances.beam_axis_deg, float(np.degrees(halves[row, index]))):
                    # Along X the beam may be oblique to the goniometer; along Y it contradicts the frame.
                    severity = "info" if index == 0 and angle <= tolerances.beam_oblique_deg else None
                    place = table.at(row, VECTOR[index])
                    yield Problem(place, severity=severity, variant="off", angle=angle, direction="XY"[index], **names)


@rule(
    "AXI012",
    "reference-axes-absent",
    severity="info",
    source="_axis.equipment",
    message="no axis gives the direction of {what}",
)
def reference_axes_absent(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: The file has no axis for gravity, for the source, or for both.
    Why: Without gravity the image cannot be shown the way it hung, and the frame cannot be turned into that of
    NeXus; without a source axis the beam is taken to be along Z.
    How to fix: Add rows with the equipment gravity and source, of type general, depending on nothing.
    Source: Dictionary imgCIF, _axis.equipment; AXIS example 2.
    """
    if not any(axis_roles.of(equipment) for equipment in ("goniometer", "detector")):
        raise NotApplicable("no instrument is described")
    absent = [name for name in (GRAVITY, SOURCE) if not axis_roles.of(name)]
    if absent:
        yield Problem(tables.table("axis").at_top(), what=" and of ".join(absent), absent=absent)
