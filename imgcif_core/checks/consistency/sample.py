"""Rules about the sample: names of its space group, and the cell that the space group allows."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Place
from imgcif_core.model.space_groups import (
    MAX_OPERATIONS,
    SpaceGroup,
    by_hall,
    by_name,
    by_number,
    by_operations,
    is_cell,
    settings,
)
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

# Tables of many structures are judged as far as this.
MAX_GROUPS = 200
_NAMES = ("name_h-m_alt", "name_h-m_full", "name_h-m_ref")
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


@dataclass(frozen=True, slots=True)
class Statement:
    """One item that says which space group it is, and the group that it says."""

    item: str
    text: str
    group: SpaceGroup
    place: Place


def _statements(table: Table, row: int) -> list[Statement]:
    """What the items of one row say, the most exact first; symbols that are not tabulated say nothing."""
    found = []
    for name in ("name_hall", *_NAMES, "it_number"):
        text = table.text(name, row)
        if not text:
            continue
        group = (
            by_hall(text)
            if name == "name_hall"
            else by_number(_integer(text))
            if name == "it_number"
            else by_name(text)
        )
        if group is not None:
            place = table.at(row, name)
            found.append(Statement(place.item or name, text, group, place))
    return found


def _integer(text: str) -> int:
    """The integer of a text, or 0."""
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _operations(tables: Tables) -> Statement | None:
    """What the list of operations says, where it holds one whole group."""
    table = tables.table("space_group_symop")
    if not 0 < table.rows <= MAX_OPERATIONS or not table.explicit("operation_xyz").all():
        return None
    if len(set(table.texts("sg_id"))) > 1:
        return None
    texts = [text or "" for text in table.texts("operation_xyz")]
    group = by_operations(texts) if all(len(text) < 60 for text in texts) else None
    place = table.at(0, "operation_xyz")
    return Statement(place.item or "operation_xyz", f"{len(texts)} operations", group, place) if group else None


@rule(
    "CON026",
    "space-group-names-disagree",
    severity="warning",
    source="_space_group.IT_number",
    message="{item} {text} is space group {number}, but {other} {value} is {expected}",
    messages={
        "setting": "{item} {text} is the setting {name}, but {other} {value} is {expected}",
        "system": "crystal system is {text}, but {other} {value} is {expected}",
    },
    helps={
        "setting": "write the symbols of the setting in which the cell is given",
        "system": "correct the system, or the space group; rhombohedral groups are trigonal",
    },
    question="describe",
)
def space_group_names_disagree(tables: Tables) -> Iterator[Problem]:
    """What: Number, Hermann-Mauguin name, Hall symbol, operations or crystal system name different space groups.
    Why: The images are then processed with a symmetry that the crystal has not.
    How to fix: Correct the item that names another group; the Hall symbol or the operations are the most exact.
    Source: Core dictionary, _space_group.IT_number, name_H-M_alt and name_Hall; tables of symmetry of gemmi.
    """
    table = tables.table("space_group")
    if not table:
        raise NotApplicable("no space group is named")
    listed = _operations(tables) if table.rows == 1 else None
    for row in range(min(table.rows, MAX_GROUPS)):
        said = [*([listed] if listed else []), *_statements(table, row)]
        system = (table.text("crystal_system", row) or "").lower()
        if said:
            yield from _disagreeing(said)
            yield from _other_system(table, row, system, said[0])
    say_beyond(table.rows, MAX_GROUPS, "space groups")


def _disagreeing(said: list[Statement]) -> Iterator[Problem]:
    """Statements that name another type than most, or a symbol of another setting than the first."""
    numbers = [entry.group.number for entry in said if entry.group.number]
    if not numbers:
        return
    # Of two that disagree the one that states more is believed.
    expected = max(dict.fromkeys(numbers), key=numbers.count)
    trusted = next(entry for entry in said if entry.group.number == expected)
    for entry in said:
        data: dict[str, Any] = {
            "item": entry.item,
            "text": entry.text,
            "other": trusted.item,
            "value": trusted.text,
        }
        if entry.group.number not in (0, expected):
            yield Problem(entry.place, number=entry.group.number, expected=expected, **data)
        elif _is_other_setting(entry, trusted):
            names: dict[str, Any] = {"name": entry.group.name, "expected": trusted.group.name}
            yield Problem(entry.place, severity="info", variant="setting", **names, **data)


def _is_other_setting(entry: Statement, trusted: Statement) -> bool:
    """True if a name in use is that of another setting; origins and rhombohedral axes are no part of names."""
    is_name = entry.item.lower().endswith("h-m_alt") and not trusted.item.lower().endswith("it_number")
    names = [group.name.partition(":")[0] for group in (entry.group, trusted.group)]
    return is_name and trusted.group.number != 0 and not trusted.item.lower().endswith("_ref") and names[0] != names[1]


def _other_system(table: Table, row: int, system: str, trusted: Statement) -> Iterator[Problem]:
    """A crystal system that is not that of the group."""
    expected = trusted.group.system
    if system and expected and system != expected:
        yield Problem(
            table.at(row, "crystal_system"),
            variant="system",
            reference="_space_group.crystal_system",
            text=system,
            other=trusted.item,
            value=trusted.text,
            expected=expected,
        )


@rule(
    "CON027",
    "cell-and-space-group-disagree",
    severity="warning",
    source="_cell.length_a",
    message="cell {cell} does not fit space group {name} - expected {demands}",
    messages={
        "setting": "cell {cell} does not fit the setting {name}, but {other}",
        "impossible": "angles {angles} close to no cell",
    },
    helps={
        "setting": "write the symbol of the setting in which the cell is given",
        "impossible": "correct the angles of the cell: each is less than the sum of the other two, "
        "and all three together less than 360 degrees",
    },
    question="describe",
)
def cell_and_space_group_disagree(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Lengths and angles of the cell are not such as the symmetry of the space group demands.
    Why: Indexing with this cell and this space group fails, or gives reflections that are not equivalent.
    How to fix: Correct the cell or the space group; a cell without this symmetry is given with a group of its own.
    Source: Core dictionary, CELL and SPACE_GROUP; International Tables for Crystallography A, 9.1.
    """
    table, groups = tables.table("cell"), tables.table("space_group")
    cell = [float(table.numbers(name)[0]) if table.rows == 1 and table.has(name) else np.nan for name in _CELL]
    if not np.isfinite(cell).all() or min(cell) <= 0:
        raise NotApplicable("no cell of three lengths and three angles")
    place = table.at(0, "length_a")
    if not is_cell(cell):
        angles = ", ".join(f"{angle:g}" for angle in cell[3:])
        yield Problem(table.at(0, "angle_alpha"), variant="impossible", angles=angles)
        return
    if groups.rows != 1:
        raise NotApplicable("no space group" if not groups else "more than one space group")
    said = _statements(groups, 0)
    if said:
        yield from _misfit(place, cell, said[0], tolerances)


def _misfit(place: Place, cell: list[float], said: Statement, tolerances: Tolerances) -> Iterator[Problem]:
    """What is wrong with a cell by the most exact statement of its space group."""
    limits = (tolerances.cell_share, tolerances.cell_deg)
    group = said.group
    if group.allows(cell, *limits):
        return
    # A short name such as P 2 does not tell which axis is unique; only a Hall symbol and a full name do.
    others = [entry for entry in settings(group.number) if entry.allows(cell, *limits)]
    if others and _names_setting(said):
        written, other = _written(cell), others[0].name
        yield Problem(place, severity="info", variant="setting", cell=written, name=said.text, other=other)
    elif not others:
        yield Problem(place, cell=_written(cell), name=said.text, demands=group.demands())


def _names_setting(said: Statement) -> bool:
    """True if a statement names one setting."""
    item = said.item.lower()
    if item.endswith("name_hall"):
        return True
    name = re.sub(r"\s+", "", said.group.name)
    return item.endswith("h-m_alt") and re.sub(r"[\s_]+", "", said.text).lower() == name.lower()


def _written(cell: list[float]) -> str:
    """A cell in one line: ångström and degrees."""
    return " ".join(f"{value:.6g}" for value in cell)
