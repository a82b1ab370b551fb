"""Axes as a tree, and placement by composition along it.

Vector and offset of each axis are given with all axes at zero, the offset relative to the parent. For a
point x in the frame that an axis carries, a rotation gives R(v, s) x + o and a translation x + s v + o
in the frame of its parent; the walk ends at an axis without a parent, in the laboratory frame.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.tables import Table, Tables

NO_PARENT = -1
DANGLING = -2
_COMPONENTS = ("1", "2", "3")


@dataclass(frozen=True, slots=True)
class Placement:
    """A rigid motion for each frame: x' = rotation x + translation.

    rotation : (frames, 3, 3), translation : (frames, 3) mm.
    """

    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the carried frame in the outer frame: (frames, ..., 3)."""
        flat = np.asarray(points, dtype=float).reshape(-1, 3)
        moved = flat @ np.swapaxes(self.rotation, -1, -2) + self.translation[:, None, :]
        return moved.reshape(len(self.rotation), *np.shape(points))

    def turn(self, directions: np.ndarray) -> np.ndarray:
        """Directions (3,) of the carried frame in the outer frame: (frames, 3)."""
        return self.rotation @ np.asarray(directions, dtype=float)

    def inside(self, outer: "Placement") -> "Placement":
        """The motion that makes this one first, then the outer one."""
        translation = (outer.rotation @ self.translation[..., None])[..., 0] + outer.translation
        return Placement(outer.rotation @ self.rotation, translation)


def compose(steps: Iterable[Placement]) -> Placement:
    """One motion from several, the innermost first; nothing at all is the identity."""
    placed = Placement(np.eye(3)[None], np.zeros((1, 3)))
    for step in steps:
        placed = placed.inside(step)
    return placed


@dataclass(frozen=True)
class Axes:
    """All axes of a block, in the order of the file; immutable.

    vector : (n, 3) as printed, offset : (n, 3) mm, rotation : (n,) degrees; parent and rotation_parent
    hold row numbers, -1 where there is none and -2 where the one named is not defined.
    """

    id: tuple[str, ...]
    kind: tuple[str, ...]
    equipment: tuple[str, ...]
    system: tuple[str, ...]
    vector: np.ndarray
    offset: np.ndarray
    rotation: np.ndarray
    parent: np.ndarray
    rotation_parent: np.ndarray
    has_vector: np.ndarray

    def __len__(self) -> int:
        return len(self.id)

    @cached_property
    def direction(self) -> np.ndarray:
        """Unit vectors (n, 3); null where the vector is null."""
        return unit(np.nan_to_num(self.vector))

    def find(self, name: str | None, equipment: str | None = None) -> int:
        """The row of an axis id: exact before caseless, the given equipment before others; -2 if none."""
        if name is None:
            return NO_PARENT
        rows = self._rows.get(name) or self._folded_rows.get(name.casefold()) or []
        same = [row for row in rows if self.equipment[row] == equipment]
        return (same or rows or [DANGLING])[0]

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, name in enumerate(self.id):
            found.setdefault(name, []).append(row)
        return found

    @cached_property
    def _folded_rows(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, name in enumerate(self.id):
            found.setdefault(name.casefold(), []).append(row)
        return found

    @cached_property
    def cyclic(self) -> np.ndarray:
        """Axes that depend on themselves, over any number of steps: (n,) bool."""
        state = np.zeros(len(self), dtype=np.int8)
        cyclic = np.zeros(len(self), dtype=bool)
        for start in range(len(self)):
            path: list[int] = []
            row = start
            while row >= 0 and state[row] == 0:
                state[row] = 1
                path.append(row)
                row = int(self.parent[row])
            if row >= 0 and state[row] == 1:
                cyclic[path[path.index(row) :]] = True
            state[path] = 2
        return cyclic

    def chain(self, row: int) -> list[int]:
        """The axis and those that carry it, to the root; a cycle is cut where it closes."""
        found: list[int] = []
        seen: set[int] = set()
        while row >= 0 and row not in seen:
            seen.add(row)
            found.append(row)
            row = int(self.parent[row])
        return found

    def is_whole(self, row: int) -> bool:
        """True if the chain of an axis ends in a root, and all its numbers are known."""
        rows = self.chain(row)
        ends = int(self.parent[rows[-1]]) == NO_PARENT if rows else False
        return ends and not np.isnan(self.offset[rows]).any() and not np.isnan(self.vector[rows]).any()

    def placement(self, row: int, settings: Mapping[int, np.ndarray], frames: int = 1) -> Placement:
        """Where the frame that an axis carries lies in the laboratory.

        Parameters
        ----------
        row :
            The innermost axis.
        settings :
            Angles in degrees or displacements in mm by row of an axis, each (frames,) or a single
            number; axes that are not named stand at zero.
        """
        placed = compose(self.step(axis, settings.get(axis, 0.0), added) for axis, added in self.route(row))
        return Placement(
            np.broadcast_to(placed.rotation, (frames, 3, 3)), np.broadcast_to(placed.translation, (frames, 3))
        )

    def route(self, row: int) -> list[tuple[int, float]]:
        """The axes that move what one axis carries, innermost first, each with an added rotation in degrees.

        An axis with a rotation of its own about a second one is followed by that one, and then by the
        parent of the second; a cycle is cut where it closes.
        """
        found: list[tuple[int, float]] = []
        seen: set[int] = set()
        while row >= 0 and row not in seen:
            seen.add(row)
            found.append((row, 0.0))
            added, turned_by = float(self.rotation[row]), int(self.rotation_parent[row])
            if turned_by >= 0 and added != 0 and turned_by not in seen:
                seen.add(turned_by)
                found.append((turned_by, added))
                row = turned_by
            row = int(self.parent[row])
        return found

    def step(self, row: int, setting: np.ndarray | float, added: float = 0.0) -> Placement:
        """The motion of one axis alone; one frame where the setting is one number."""
        values = np.atleast_1d(np.asarray(setting, dtype=float)) + added
        offset = np.nan_to_num(self.offset[row])[None]
        if self.kind[row] == "rotation":
            return Placement(rotation_matrices(self.direction[row], values), offset)
        if self.kind[row] == "translation":
            offset = offset + values[:, None] * self.direction[row]
        return Placement(np.eye(3)[None], offset)


def build_axes(tables: Tables) -> Axes:
    """The axes of a block; the kind of an untyped axis follows from its settings."""
    table = tables.table("axis")
    names = tuple(name or "" for name in table.texts("id"))
    equipment = tuple((text or "").lower() for text in table.texts("equipment"))
    kinds = _kinds(tables, table, names)
    vector = np.stack([table.numbers(f"vector[{part}]", 0.0) for part in _COMPONENTS], axis=1)
    given = np.stack([table.explicit(f"vector[{part}]") for part in _COMPONENTS]).any(axis=0, keepdims=False)
    offset = np.stack([table.numbers(f"offset[{part}]", 0.0) for part in _COMPONENTS], axis=1)
    for index, part in enumerate(_COMPONENTS):
        for numbers, name in ((vector, f"vector[{part}]"), (offset, f"offset[{part}]")):
            unreadable = table.explicit(name) & np.isnan(table.numbers(name))
            numbers[unreadable, index] = np.nan
    blank = Axes(
        names,
        kinds,
        equipment,
        tuple((text or "laboratory").lower() for text in table.texts("system")),
        vector,
        offset,
        table.numbers("rotation", 0.0),
        np.full(table.rows, NO_PARENT),
        np.full(table.rows, NO_PARENT),
        np.asarray(given),
    )
    parents = [blank.find(name, own) for name, own in zip(table.texts("depends_on"), equipment, strict=True)]
    turned = [blank.find(name, own) for name, own in zip(table.texts("rotation_axis"), equipment, strict=True)]
    values = {name: getattr(blank, name) for name in blank.__dataclass_fields__}
    values["parent"] = np.array(parents, dtype=np.int64)
    values["rotation_parent"] = np.array(turned, dtype=np.int64)
    return Axes(**values)


def _kinds(tables: Tables, table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """Type of each axis; of untyped ones the kind of setting that acts on them."""
    acting: dict[str, str] = {}
    for category in ("diffrn_scan_axis", "diffrn_scan_frame_axis", "array_structure_list_axis"):
        settings = tables.table(category)
        axis_ids = settings.column("axis_id")
        if axis_ids is None:
            continue
        first, inverse = axis_ids.distinct()
        for word, kind in (("angle", "rotation"), ("displacement", "translation")):
            moved = np.zeros(settings.rows, dtype=bool)
            for name in settings.columns:
                if name.startswith(word):
                    moved |= settings.numbers(name, 0.0) != 0
            for index in np.unique(inverse[moved]):
                acting.setdefault(axis_ids.text(int(first[index])).casefold(), kind)
    kinds = []
    for name, text in zip(names, table.texts("type"), strict=True):
        stated = (text or "general").lower()
        kinds.append(acting.get(name.casefold(), "general") if stated == "general" else stated)
    return tuple(kinds)
