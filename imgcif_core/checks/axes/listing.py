"""Rules about the tables that list axes: positioners, pixel axes, settings, axes without use."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.axes.roles import (
    DETECTOR,
    FRAME,
    GONIOMETER,
    MEASUREMENT,
    POSITIONER,
    SCAN,
    SURFACE,
    USING,
    AxisRoles,
    listed,
)
from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Detector
from imgcif_core.tables import Tables


def pixel_axes(panels: Detector) -> list[int]:
    """The axes along which the pixels of flat two-dimensional arrays run."""
    kind, surfaces, parts = panels.axes.kind, panels.layouts.surfaces, panels.layouts.dimensions
    face = panels.layouts.face
    face = face[(face >= 0).all(axis=1)]
    face = face[(parts.count[face].sum(axis=1) == 2) & (parts.size[face].min(axis=1) > 1)]
    is_there = np.arange(2) < parts.count[face][:, :, None]
    axis = surfaces.axis[
        np.where(is_there, parts.first[face][:, :, None] + np.arange(2), parts.first[face][:, :, None])
    ]
    is_shift = np.array([row >= 0 and kind[row] == "translation" for row in axis.ravel().tolist()], dtype=bool)
    is_flat = (is_shift.reshape(axis.shape) | ~is_there).all(axis=(1, 2))
    return list(dict.fromkeys(axis[is_flat][is_there[is_flat]].tolist()))


@rule(
    "AXI014",
    "pixel-axis-set",
    severity="warning",
    source="_array_structure_list_axis.axis_id",
    message="pixel axis {axis} is set in {category}: {setting} is {value:g}",
    messages={"zero": "pixel axes {axes} are listed in {category}, at zero"},
    helps={"zero": "nothing is needed; rows of pixel axes at zero in {category} can also be left out"},
)
def pixel_axis_set(tables: Tables, axes: Axes, any_panels: Detector, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: An axis along which pixels run also has a setting in a scan.
    Why: Pixel axes give the place of a pixel on the face of the detector; a setting would move the pixels on it.
    How to fix: Move the detector by an axis of its own, on which the pixel axes depend.
    Source: Dictionary imgCIF, ARRAY_STRUCTURE_LIST_AXIS; DIFFRN_SCAN_AXIS lists the settings of axes in a scan.
    """
    surface = pixel_axes(any_panels)
    if not surface:
        raise NotApplicable("no pixel axes of flat arrays")
    for name in (SCAN, FRAME):
        resting = []
        for row in surface:
            setting = axis_roles.setting(row, (name,))
            if setting is not None:
                names: dict[str, Any] = {"axis": axes.id[row], "category": name.upper(), "setting": setting.name}
                yield Problem(setting.place, **names, value=setting.value)
            elif axis_roles.uses(row, name):
                resting.append(row)
        if resting:
            yield problem_at(
                tables.table(name),
                [axis_roles.rows[name][row] for row in resting],
                "axis_id",
                severity="info",
                variant="zero",
                axes=listed(axes, resting),
                category=name.upper(),
            )


@rule(
    "AXI015",
    "pixel-axis-as-positioner",
    severity="warning",
    source="_diffrn_detector_axis.axis_id",
    message="pixel axes {axes} are listed as axes that position the detector",
)
def pixel_axis_as_positioner(
    tables: Tables, axes: Axes, any_panels: Detector, axis_roles: AxisRoles
) -> Iterator[Problem]:
    """What: Axes along which pixels run are listed in DIFFRN_DETECTOR_AXIS.
    Why: That table is for the axes of the positioner; programs look for their settings and count them.
    How to fix: Take the pixel axes out of the table, and do not count them in _diffrn_detector.number_of_axes.
    Source: Dictionary imgCIF, _diffrn_detector.number_of_axes.
    """
    surface = pixel_axes(any_panels)
    if not surface or not axis_roles.rows[POSITIONER]:
        raise NotApplicable("no pixel axes or no axes of a detector")
    rows = [row for row in surface if axis_roles.uses(row, POSITIONER)]
    if rows:
        table = tables.table(POSITIONER)
        listed_rows = [axis_roles.rows[POSITIONER][row] for row in rows]
        yield problem_at(table, listed_rows, "axis_id", axes=listed(axes, rows))


_LIST = "add {} to DIFFRN_DETECTOR_AXIS, and count it in _diffrn_detector.number_of_axes"
_LET_CARRY = "let the first axis of the detector below it depend on it, or leave it out of DIFFRN_DETECTOR_AXIS"


@rule(
    "AXI016",
    "positioner-not-listed",
    severity="warning",
    source="_diffrn_detector_axis.axis_id",
    message="detector is carried by {axes}, which DIFFRN_DETECTOR_AXIS does not list",
    messages={
        "unused": "DIFFRN_DETECTOR_AXIS lists {axes}, on which no pixel depends",
        "without-effect": "detector axis {axes} is set to {value:g} degrees, but no pixel depends on it",
    },
    helps={
        "unused": "leave {axes} where it moves something else, such as a beam stop; otherwise let the axis that it "
        "carries depend on it",
    },
)
def positioner_not_listed(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: An axis that carries the pixels is not among the axes of the detector, or the other way round.
    Why: Programs take the axes to set from that table, and do not move the detector by one that it lacks.
    How to fix: List every axis between the pixel axes and the floor, and count them in number_of_axes.
    Source: Dictionary imgCIF, _diffrn_detector.number_of_axes and DIFFRN_DETECTOR_AXIS.
    """
    surface = axis_roles.rows[SURFACE]
    if not surface or not axis_roles.rows[POSITIONER]:
        raise NotApplicable("no pixel axes or no axes of a detector")
    table = tables.table(POSITIONER)
    carrying = [row for row in axis_roles.inherited(surface) if row not in surface]
    missing = [
        row
        for row in carrying
        if not axis_roles.uses(row, POSITIONER)
        and axis_tree.kind[row] in ("rotation", "translation")
        and axis_tree.equipment[row] in (DETECTOR, "general", "")
        and not _is_mount(axis_tree, axis_roles, row)
    ]
    if missing:
        yield Problem(table.at_top(), axes=listed(axis_tree, missing), help=_LIST.format(listed(axis_tree, missing)))
    inside = {*carrying, *surface}
    unused = [row for row in sorted(axis_roles.rows[POSITIONER]) if row not in inside]
    # A beam stop is moved along its axis; a circle that is turned without the pixels is one forgotten below them.
    carriers = {axis_tree.id[row] for row in inside}
    for row in [row for row in unused if axis_tree.kind[row] == "rotation"]:
        setting = axis_roles.setting(row)
        # A circle that goniometer and detector share has a row for each.
        if setting is not None and axis_tree.id[row] not in carriers:
            unused.remove(row)
            axes = axis_tree.id[row]
            yield Problem(setting.place, variant="without-effect", help=_LET_CARRY, axes=axes, value=setting.value)
    if unused:
        place = table.at(axis_roles.rows[POSITIONER][unused[0]], "axis_id")
        yield Problem(place, severity="info", variant="unused", axes=listed(axis_tree, unused))


def _is_mount(axes: Axes, roles: AxisRoles, row: int) -> bool:
    """True for an axis that only carries others at a fixed place: it has an offset, and no scan names it.

    An axis without both would do nothing at all, and so is one to be set.
    """
    return bool(axes.offset[row].any()) and bool(roles.rows[SCAN]) and not roles.uses(row, SCAN, FRAME)


@rule(
    "AXI019",
    "sample-translation-not-set",
    severity="info",
    source="_diffrn_scan_axis.axis_id",
    message="goniometer translations {axes} have no setting in any scan - taken to be at zero",
)
def sample_translation_not_set(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: Translations of the goniometer are defined, and no scan says where they stand.
    Why: By the dictionary they then stand at zero, which for a centred crystal is as good as any value;
    programs that look for every goniometer axis in each scan stop at the missing row.
    How to fix: Give each goniometer axis a row in DIFFRN_SCAN_AXIS, at zero if nothing better is known.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS.
    """
    rows = [row for row in axis_roles.goniometer() if axes.kind[row] == "translation"]
    if not rows or not any(axis_roles.rows[name] for name in (SCAN, FRAME)):
        raise NotApplicable("no goniometer translations or no settings")
    absent = [row for row in rows if not axis_roles.uses(row, SCAN, FRAME)]
    if absent:
        yield Problem(tables.table("axis").at(absent[0], "id"), axes=listed(axes, absent))


@rule(
    "AXI025",
    "axis-without-use",
    severity="info",
    source="_axis.id",
    message="nothing uses the axes {axes}",
)
def axis_without_use(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: Axes are defined that no table names, on which nothing depends, and that give no direction.
    Why: They have no effect; often the table that should name them was forgotten, or an id is spelt differently.
    How to fix: Nothing is needed for a spare axis; otherwise name it where it is used.
    Source: Dictionary imgCIF, _axis.id: each axis relevant to the experiment.
    """
    unnamed = [
        row for row in range(len(axis_tree.id)) if not axis_roles.children[row] and not axis_roles.uses(row, *USING)
    ]
    idle = [row for row in unnamed if axis_tree.equipment[row] not in ("gravity", "source", GONIOMETER)]
    # The innermost goniometer axis carries the sample; others at the end of a branch carry nothing.
    ends = [row for row in axis_roles.of(GONIOMETER) if not axis_roles.children[row]]
    idle += [row for row in ends if len(ends) > 1 and row in unnamed]
    elsewhere = _named_elsewhere(tables) if idle else set()
    idle = [row for row in idle if axis_tree.id[row].casefold() not in elsewhere]
    if idle:
        yield problem_at(tables.table("axis"), sorted(idle), "id", axes=listed(axis_tree, sorted(idle)))


def _named_elsewhere(tables: Tables) -> set[str]:
    """The case-folded axis ids that other blocks of the data set name."""
    columns = (other.table(name).column("axis_id") for other in same_data_set(tables) for name in USING)
    given = [column for column in columns if column is not None]
    return {column.text(int(row)).casefold() for column in given for row in column.distinct()[0]}


@rule(
    "AXI028",
    "axis-listed-for-other-equipment",
    severity="warning",
    source="_axis.equipment",
    message="{category} lists axis {axis}, which AXIS gives to the {equipment}",
    helps={"": "list the axis that was meant in {category}, or correct _axis.equipment of {axis}"},
)
def axis_listed_for_other_equipment(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: A table of goniometer axes lists a detector axis, or a table of detector axes a goniometer axis.
    Why: Programs that sort axes by their equipment find another goniometer or detector than those that go by
    the tables.
    How to fix: List the axis that was meant, or correct the equipment of this one. An axis that goniometer and
    detector share has a row in AXIS for each, with the same vector, offset and parent.
    Source: Dictionary imgCIF, _axis.equipment, DIFFRN_DETECTOR_AXIS and DIFFRN_MEASUREMENT_AXIS.
    """
    if not axis_roles.rows[POSITIONER] and not axis_roles.rows[MEASUREMENT]:
        raise NotApplicable("no table lists the axes of the goniometer or detector")
    for name, other in ((MEASUREMENT, DETECTOR), (POSITIONER, GONIOMETER)):
        seen: set[int] = set()
        for row, at in axis_roles.rows[name].items():
            shared = axes.rows_named(axes.id[row])
            if at not in seen and all(axes.equipment[same] == other for same in shared):
                seen.add(at)
                place = tables.table(name).at(at, "axis_id")
                yield Problem(place, category=name.upper(), axis=axes.id[row], equipment=other)
