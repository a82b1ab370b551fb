"""Rules about the links between axes: undefined ones, cycles, roots and branches."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.axes.roles import DETECTOR, GONIOMETER, AxisRoles, is_root, listed
from imgcif_core.checks.dictionary.values import by_value
from imgcif_core.checks.edits import all_like, literal
from imgcif_core.checks.joins import missing_rows, parent_columns
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.relations.links import has_parents, known_values, listed_values, remedy_for
from imgcif_core.checks.suggest import Candidates
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Change
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.model.axes import Axes
from imgcif_core.tables import Tables

# Axes of a cycle that a message names, and values for which the nearest name is looked for.
_SHOWN_CYCLE, _SUGGESTED = 6, 20
_AUXILIARY = ("gravity", "source")


def axis_links(tables: Tables, dictionary: Dictionary) -> Iterator[tuple[Item, Column, Item]]:
    """The items that name axes, their columns and the item that defines axes."""
    parent = dictionary.lookup("_axis.id")
    for item, column in list(tables.items.values()):
        if parent is not None and item.is_link and dictionary.canonical(item.linked or "") == parent.id.lower():
            yield item, column, parent


def undefined_links(tables: Tables, dictionary: Dictionary) -> Iterator[tuple[Item, Column, np.ndarray, list[Column]]]:
    """The items that name axes with the rows whose axis no block defines, and what is defined."""
    for item, column, parent in axis_links(tables, dictionary):
        own, others = parent_columns(tables, parent)
        if has_parents(tables, own, others):
            if not len(missing_rows(column, own + others, fold=True)):
                yield item, column, np.zeros(0, dtype=int), own + others
                continue
            # Of each text one row is enough to know whether anything is undefined at all.
            first, inverse = column.distinct()
            known = {name.casefold() for entry in own + others for name in entry.texts()}
            # A quoted dot or question mark is meant as null, which SYN014 reports.
            known |= {".", "?"}
            missing = [not column.is_null[row] and column.text(int(row)).casefold() not in known for row in first]
            rows = np.flatnonzero(np.array(missing, dtype=bool)[inverse]) if any(missing) else np.zeros(0, dtype=int)
            yield item, column, rows, own + others


@rule(
    "AXI001",
    "undefined-axis",
    severity="error",
    source="_axis.depends_on",
    message="{name} is {value!r}, which AXIS does not define - expected {known}",
)
def undefined_axis(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A dependency, a setting or a list names an axis that the AXIS table does not define.
    Why: What the axis carries cannot be placed, and a setting of an unknown axis is lost.
    How to fix: Use the id of a row of AXIS, or add the missing row.
    Source: Dictionary imgCIF, _axis.depends_on, _axis.rotation_axis and the other pointers to _axis.id.
    """
    judged = False
    for item, column, rows, parents in undefined_links(tables, dictionary):
        judged = True
        known = known_values(parents if len(rows) else [])
        for index, (text, places, count) in enumerate(by_value(tables, item, column, rows)):
            # Looking for the nearest name is slow, and only the first findings are shown one by one.
            help_text, edits = _remedy(item, column, text, known if index < _SUGGESTED else Candidates([]))
            yield problem_of(
                places,
                count,
                help=help_text,
                edits=edits,
                reference=item.id,
                name=column.name,
                value=text[:60],
                known=listed_values(known),
            )
    if not judged:
        raise NotApplicable("nothing names an axis")


_NOTHING = frozenset({"none", "null", "nil", "na", "n/a", "no", "-", "--", "base", "world", "floor", "laboratory"})


def _remedy(item: Item, column: Column, text: str, known: Candidates) -> tuple[str, list[Change]]:
    """What to do about an axis that is not defined: a dot where nothing is meant, an id, or a row."""
    if item.object.lower() in ("depends_on", "rotation_axis") and text.lower() in _NOTHING:
        help_text = "write a dot: an axis that depends on nothing has . there"
        return help_text, all_like(column, text, literal("."), is_safe=True)
    if not known.names:
        return f"write the id of a row of AXIS, or add a row {text[:60]} there", []
    return remedy_for(column, text, known, "axis")


@rule(
    "AXI002",
    "axis-dependency-cycle",
    severity="error",
    source="_axis.depends_on",
    message="axis {axis} depends on itself: {cycle}",
)
def axis_dependency_cycle(tables: Tables, axes: Axes) -> Iterator[Problem]:
    """What: An axis depends on itself, directly or through others.
    Why: The walk from an axis to the laboratory never ends, so that nothing on the cycle can be placed.
    How to fix: Give the outermost axis of the cycle a dot for depends_on, or the axis that really carries it.
    Source: Dictionary imgCIF, _axis.depends_on and _axis.rotation_axis.
    """
    table = tables.table("axis")
    for rows in axes.cycles:
        inside = set(rows)
        path = [rows[0]]
        links = (axes.parent, axes.rotation_parent)
        while len(path) <= _SHOWN_CYCLE:
            following = next(int(link[path[-1]]) for link in links if int(link[path[-1]]) in inside)
            path.append(following)
            if following in path[:-1]:
                break
        cut = "" if path[-1] in path[:-1] else f" -> ... ({len(rows)} axes)"
        item = "depends_on" if int(axes.parent[rows[0]]) in inside else "rotation_axis"
        yield Problem(
            table.at(rows[0], item),
            axis=axes.id[rows[0]],
            cycle=" -> ".join(axes.id[row] for row in path) + cut,
            axes=[axes.id[row] for row in rows],
        )


@rule(
    "AXI005",
    "several-goniometer-roots",
    severity="warning",
    source="_axis.depends_on",
    message="goniometer has {number} rotations that depend on nothing: {roots} - expected one that carries the others",
    messages={"none": "goniometer axis {axis} is scanned, but hangs on {root} of the detector"},
)
def several_goniometer_roots(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: The goniometer has several outermost rotations, or none of its own.
    Why: A sample hangs on one chain of axes; with two, programs use one and leave out the other's rotation.
    How to fix: Let each goniometer axis depend on the next outer one, and only the outermost on nothing.
    Source: Dictionary imgCIF, AXIS, laboratory coordinate system and _axis.depends_on.
    """
    rows = axis_roles.goniometer()
    if not rows:
        raise NotApplicable("no goniometer")
    table = tables.table("axis")
    roots = [row for row in rows if is_root(axis_tree, row) and axis_tree.kind[row] == "rotation"]
    roots = list({axis_tree.id[row]: row for row in reversed(roots)}.values())[::-1]
    if len(roots) > 1:
        yield Problem(table.at(roots[1], "depends_on"), number=len(roots), roots=listed(axis_tree, roots))
    ends = axis_roles.roots()
    for row in rows:
        root = int(ends[row])
        if axis_tree.equipment[root] == DETECTOR and axis_roles.setting(row) is not None:
            names: dict[str, Any] = {"axis": axis_tree.id[row], "root": axis_tree.id[root]}
            yield Problem(table.at(row, "depends_on"), variant="none", **names)
            break


@rule(
    "AXI007",
    "branched-goniometer",
    severity="warning",
    source="_axis.depends_on",
    message="goniometer axis {axis} carries {number} goniometer axes: {children} - expected one, in a chain",
)
def branched_goniometer(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: Two goniometer axes depend on the same one, so that the goniometer is no chain.
    Why: The sample sits at the end of one chain; programs follow one branch and lose the other.
    How to fix: Let the inner one of the two depend on the other.
    Source: Dictionary imgCIF, AXIS example 1 and _axis.depends_on.
    """
    rows = axis_roles.goniometer()
    if not rows:
        raise NotApplicable("no goniometer")
    inside = set(rows)
    for row in rows:
        children = [child for child in axis_roles.children[row] if child in inside]
        if len(children) > 1:
            yield Problem(
                tables.table("axis").at(children[1], "depends_on"),
                axis=axis_tree.id[row],
                number=len(children),
                children=listed(axis_tree, children),
            )


@rule(
    "AXI008",
    "equipment-mixed",
    severity="warning",
    source="_axis.equipment",
    message="{equipment} axis {axis} depends on {parent}, the axis of {parent_equipment}, which never moves",
    messages={"shared": "{equipment} axis {axis} depends on {parent} of the {parent_equipment}"},
)
def equipment_mixed(tables: Tables, axes: Axes) -> Iterator[Problem]:
    """What: An axis depends on one of other equipment: on gravity or source, or goniometer and detector mixed.
    Why: Gravity and source only give directions, so the entry usually slipped in by mistake; a goniometer
    and a detector are rarely mounted on each other, apart from a shared two-theta circle.
    How to fix: Name the axis that carries this one in _axis.depends_on, or write a dot where it stands on the floor.
    Source: Dictionary imgCIF, _axis.equipment and _axis.depends_on.
    """
    carried = np.flatnonzero(axes.parent >= 0)
    if not len(carried):
        raise NotApplicable("no axis depends on another")
    for row in carried.tolist():
        own, other = axes.equipment[row], axes.equipment[int(axes.parent[row])]
        if own == other or own not in (GONIOMETER, DETECTOR) or other not in (GONIOMETER, DETECTOR, *_AUXILIARY):
            continue
        yield Problem(
            tables.table("axis").at(row, "depends_on"),
            severity="warning" if other in _AUXILIARY else "info",
            variant="" if other in _AUXILIARY else "shared",
            equipment=own,
            axis=axes.id[row],
            parent=axes.id[int(axes.parent[row])],
            parent_equipment=other,
        )


@rule(
    "AXI024",
    "systems-mixed",
    severity="warning",
    source="_axis.system",
    message="axis {axis} is given in the {system} system, and {parent}, on which it depends, in the {other} system",
)
def systems_mixed(tables: Tables, axes: Axes) -> Iterator[Problem]:
    """What: Two axes of one chain are given in different coordinate systems.
    Why: Vectors and offsets of a chain are composed, which has a meaning in one system only.
    How to fix: Give all axes of the chain in one system, best the laboratory system.
    Source: Dictionary imgCIF, _axis.system.
    """
    table = tables.table("axis")
    is_given = table.explicit("system")
    if not is_given.any():
        raise NotApplicable("all axes are in the laboratory system")
    for row in np.flatnonzero((axes.parent >= 0) & is_given).tolist():
        parent = int(axes.parent[row])
        if is_given[parent] and axes.system[row] != axes.system[parent]:
            names: dict[str, Any] = {"axis": axes.id[row], "system": axes.system[row]}
            place = table.at(row, "system")
            yield Problem(place, **names, parent=axes.id[parent], other=axes.system[parent])


@rule(
    "AXI026",
    "surface-root-foreign",
    severity="info",
    source="_axis.equipment",
    message="pixel axes {surface} hang on {root}, which is labelled {equipment}",
)
def surface_root_foreign(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: The chain of the pixel axes ends in an axis that does not belong to the detector.
    Why: This is legal, for example for a two-theta circle that the goniometer shares, but rarely meant.
    How to fix: Nothing is needed where the label is right; otherwise give the root the equipment detector.
    Source: Dictionary imgCIF, _axis.equipment.
    """
    surface = sorted(axis_roles.rows["array_structure_list_axis"])
    if not surface:
        raise NotApplicable("no pixel axes")
    ends = axis_roles.roots()
    by_root: dict[int, list[int]] = {}
    for row in surface:
        by_root.setdefault(int(ends[row]), []).append(row)
    for root, rows in by_root.items():
        own = axis_tree.equipment[root]
        carried = {axis_tree.equipment[child] for child in axis_roles.children[root]}
        # What hangs on gravity or source directly has its warning by AXI008.
        is_told = own in _AUXILIARY and carried & {GONIOMETER, DETECTOR}
        if own in (GONIOMETER, *_AUXILIARY) and axis_tree.equipment[rows[0]] == DETECTOR and not is_told:
            yield Problem(
                tables.table("axis").at(root, "equipment"),
                surface=listed(axis_tree, rows),
                root=axis_tree.id[root],
                equipment=axis_tree.equipment[root],
            )
