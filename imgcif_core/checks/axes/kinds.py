"""Rules about the kind of an axis against what is set on it, and about mounting rotations."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.axes.roles import DETECTOR, FRAME, GONIOMETER, SCAN, SURFACE, AxisRoles
from imgcif_core.checks.axes.vectors import LABORATORY
from imgcif_core.checks.edits import new_values
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Change
from imgcif_core.model.axes import NO_PARENT, Axes
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.tables import Table, Tables

_WORDS = {"rotation": "angle", "translation": "displacement"}


@rule(
    "AXI013",
    "moving-axis-without-type",
    severity="warning",
    source="_axis.type",
    message="{equipment} axis {axis} has no type, but {setting} is {value:g} - taken as a {kind}",
)
def moving_axis_without_type(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: An axis of the goniometer or detector is set or stepped, and its type is left out or general.
    Why: The kind of setting tells what is meant, but programs that go by the type leave the axis where it is.
    How to fix: Give the type rotation or translation.
    Source: Dictionary imgCIF, _axis.type: general is for axes whose type is not relevant, as for gravity.
    """
    table = tables.table("axis")
    stated = table.texts("type")
    rows = [
        row
        for row, equipment in enumerate(axes.equipment)
        if equipment in (GONIOMETER, DETECTOR) and (stated[row] or "general").lower() == "general"
    ]
    if len(rows) == 0:
        raise NotApplicable("all axes of goniometer and detector have a type")
    for row in rows:
        setting = axis_roles.setting(row, (SCAN, FRAME, SURFACE))
        if setting is not None and axes.system[row] == LABORATORY:
            yield Problem(
                table.at(row, "type"),
                equipment=axes.equipment[row],
                axis=axes.id[row],
                setting=setting.name,
                value=setting.value,
                kind=axes.kind[row],
                help=f"give the type {axes.kind[row]}",
                edits=_typed(table, row, axes.kind[row]),
            )


def _typed(table: Table, row: int, kind: str) -> list[Change]:
    """The type written where its column is there."""
    column = table.column("type")
    return [] if column is None else new_values(column, [row], kind, is_safe=bool(column.is_null[row]))


@rule(
    "AXI017",
    "mounting-rotation-doubtful",
    severity="warning",
    source="_axis.rotation_axis",
    messages={
        "alone": "axis {axis} has a rotation of {angle:g} degrees, but no rotation_axis",
        "unrelated": "axis {axis} is mounted by {turner}, which depends on {turner_parent}, not on {parent} as {axis}",
        "order": "mounting rotation of {axis} about {turner} carries its offset along - read as shift, then turn, "
        "the place differs by {shift:.4g} mm",
        "nested": "axis {axis} is mounted about {turner}, which is mounted itself - some programs leave that out",
        "skipped": "axis {axis} names the rotation_axis {turner} without a rotation - some programs then leave out "
        "what is set on {turner} and its offset",
    },
)
def mounting_rotation_doubtful(
    tables: Tables, axis_tree: Axes, axis_roles: AxisRoles, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: A mounting rotation lacks its axis, its angle, or is placed so that programs disagree on it.
    Why: By the dictionary the rotation_axis is the next outer step and depends_on the one after; CBFlib accepts
    only a rotation_axis that is the parent or hangs on the same parent, and leaves it out without a rotation.
    How to fix: Describe the mounting by an axis of its own in the chain, with the angle as its setting.
    Source: Dictionary imgCIF, _axis.rotation_axis, _axis.depends_on, AXIS examples 5 and 6.
    """
    table = tables.table("axis")
    if not (table.has("rotation") or table.has("rotation_axis")):
        raise NotApplicable("no mounting rotations")
    for row in range(len(axis_tree)):
        turner, parent = int(axis_tree.rotation_parent[row]), int(axis_tree.parent[row])
        angle = float(np.nan_to_num(axis_tree.rotation[row]))
        if turner == NO_PARENT:
            if angle != 0:
                yield Problem(table.at(row, "rotation"), variant="alone", axis=axis_tree.id[row], angle=angle)
            continue
        if turner == parent:
            if axis_tree.rotation_parent[turner] != NO_PARENT and axis_tree.rotation[turner] != 0:
                place = table.at(row, "rotation_axis")
                yield Problem(place, variant="nested", axis=axis_tree.id[row], turner=axis_tree.id[turner])
            continue
        names: dict[str, Any] = {"axis": axis_tree.id[row], "turner": axis_tree.id[turner]}
        place = table.at(row, "rotation_axis")
        other = int(axis_tree.parent[turner])
        if other != parent:
            yield Problem(
                place,
                variant="unrelated",
                turner_parent=_name(axis_tree, other),
                parent=_name(axis_tree, parent),
                **names,
            )
            continue
        offset = np.nan_to_num(axis_tree.offset[row])
        turned = rotation_matrices(axis_tree.direction[turner], np.array([angle]))[0] @ offset
        shift = float(np.linalg.norm(turned - offset))
        if shift > tolerances.setting:
            yield Problem(place, variant="order", shift=shift, **names)
        elif angle == 0 and (axis_roles.setting(turner) is not None or axis_tree.offset[turner].any()):
            yield Problem(place, variant="skipped", severity="info", **names)


def _name(axes: Axes, row: int) -> str:
    """The id of an axis, or what stands for none."""
    return axes.id[row] if row >= 0 else "nothing" if row == NO_PARENT else "an undefined axis"


@rule(
    "AXI018",
    "setting-of-wrong-kind",
    severity="error",
    source="_axis.type",
    message="{kind} axis {axis} has {setting} {value:g} - expected {expected}, as {kind}s are set by {word}",
)
def setting_of_wrong_kind(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: A rotation is given a displacement, or a translation an angle.
    Why: The value acts on nothing, so that the distance or the angle that it meant is lost.
    How to fix: Move the value to the item of the other kind, or correct the type of the axis.
    Source: Dictionary imgCIF, _axis.type, _diffrn_scan_axis.angle_start and _diffrn_scan_axis.displacement_start.
    """
    table = tables.table("axis")
    stated = [(text or "").lower() for text in table.texts("type")]
    moving = [row for row, kind in enumerate(stated) if kind in _WORDS]
    if not moving or not any(axis_roles.rows[name] for name in (SCAN, FRAME)):
        raise NotApplicable("no settings of typed axes")
    for row in moving:
        own = stated[row]
        if any(stated[other] != own for other in axes.rows_named(axes.id[row])):
            continue
        wrong = "translation" if own == "rotation" else "rotation"
        for name in (SCAN, FRAME):
            setting = axis_roles.settings.get((name, row, wrong))
            if setting is not None:
                yield Problem(
                    setting.place,
                    reference=f"_{name}.{setting.item}",
                    kind=own,
                    axis=axes.id[row],
                    setting=setting.name,
                    value=setting.value,
                    expected=f"_{name}.{setting.item.replace(_WORDS[wrong], _WORDS[own], 1)}",
                    word=_WORDS[own],
                )
