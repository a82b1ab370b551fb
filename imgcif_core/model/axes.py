"""Axes as a tree, and placement by composition along it.

Vector and offset of each axis are given with all axes at zero, the offset relative to the parent. For a
point x in the frame that an axis carries, a rotation gives R(v, s) x + o and a translation x + s v + o
in the frame of its parent; the walk ends at an axis without a parent, in the laboratory frame.

Where an axis has a `rotation_axis`, that one is its next outer step, set to its own setting plus
`rotation`, and `depends_on` the step after it; where the two name the same axis, it is one step.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from imgcif_core.arrays import Flags, Floats, Integers
from imgcif_core.model.graph import cycles
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table, Tables, kept

NO_PARENT = -1
DANGLING = -2
CYCLIC = -3
_COMPONENTS = ("1", "2", "3")


@dataclass(frozen=True, slots=True)
class Placement:
    """A rigid motion for each frame: x' = rotation x + translation.

    rotation : (frames, 3, 3), translation : (frames, 3) mm.
    """

    rotation: Floats
    translation: Floats

    def apply(self, points: Floats) -> Floats:
        """Points (..., 3) of the carried frame in the outer frame: (frames, ..., 3)."""
        flat = np.asarray(points, dtype=float).reshape(-1, 3)
        moved = flat @ np.swapaxes(self.rotation, -1, -2) + self.translation[:, None, :]
        return moved.reshape(len(self.rotation), *np.shape(points))

    def turn(self, directions: Floats) -> Floats:
        """Directions (3,) of the carried frame in the outer frame: (frames, 3)."""
        found: Floats = self.rotation @ np.asarray(directions, dtype=float)
        return found

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
    vector: Floats
    offset: Floats
    rotation: np.ndarray
    parent: Integers
    rotation_parent: Integers
    has_vector: Flags

    def __len__(self) -> int:
        return len(self.id)

    @cached_property
    def is_read(self) -> Flags:
        """Where vector, offset and rotation of an axis can be read as far as they are stated: (n,) bool."""
        parts = np.column_stack([self.vector, self.offset, self.rotation])
        found: Flags = ~np.isnan(parts).any(axis=1)
        return found

    @cached_property
    def direction(self) -> Floats:
        """Unit vectors (n, 3); null where the vector is null."""
        return unit(np.nan_to_num(self.vector))

    def find(self, name: str | None, equipment: str | None = None) -> int:
        """The row of an axis id: exact before caseless, the given equipment before others; -2 if none.

        A null that was put in quotes is taken as it was meant.
        """
        rows = self.rows_named(name) if name is not None else []
        if name is None or (name in (".", "?") and not rows):
            return NO_PARENT
        if len(rows) > 1:
            return next((row for row in rows if self.equipment[row] == equipment), rows[0])
        return rows[0] if rows else DANGLING

    def rows_named(self, name: str) -> list[int]:
        """All rows of an axis id, exact before caseless: two pieces of equipment may share an axis."""
        return self._rows.get(name) or self._folded_rows.get(name.casefold()) or []

    @cached_property
    def known_offset(self) -> Floats:
        """Offsets (n, 3) mm, zero where they cannot be read."""
        return np.nan_to_num(self.offset)

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
    def cycles(self) -> list[list[int]]:
        """Groups of axes that depend on each other or on themselves, by either of the two links."""
        if (self.rotation_parent < 0).all():
            # Twice as far out at each step: where all arrive at an end, nothing goes round.
            ends = self.parent
            for _ in range(len(self).bit_length()):
                ends = np.where(ends >= 0, ends[ends], ends)
            if (ends < 0).all():
                return []
        return cycles([(int(one), int(two)) for one, two in zip(self.parent, self.rotation_parent, strict=True)])

    @cached_property
    def cyclic(self) -> np.ndarray:
        """Axes that depend on themselves, over any number of steps: (n,) bool."""
        cyclic = np.zeros(len(self), dtype=bool)
        cyclic[[row for rows in self.cycles for row in rows]] = True
        return cyclic

    @cached_property
    def _links(self) -> tuple[list[int], list[int]]:
        """The two links of each axis as lists, which walks step through faster than through arrays."""
        return self.parent.tolist(), self.rotation_parent.tolist()

    def walk(self, row: int) -> tuple[list[tuple[int, float]], int]:
        """The axis and those that carry it, outwards, and how the walk ends: -1, -2 or -3.

        Each step is a row and the degrees that a `rotation` adds to its setting; the end is -1 at a
        root, -2 at an undefined axis and -3 where a cycle closes.
        """
        parents, turners = self._links
        steps: list[tuple[int, float]] = []
        seen: set[int] = set()
        added = 0.0
        while row >= 0 and row not in seen:
            seen.add(row)
            steps.append((row, added))
            parent, turner, added = parents[row], turners[row], 0.0
            if turner == NO_PARENT:
                row = parent
                continue
            added = float(self.rotation[row])
            if turner in (DANGLING, parent) or turner in seen:
                row = turner
                continue
            seen.add(turner)
            steps.append((turner, added))
            row, added = parent if parent != NO_PARENT else parents[turner], 0.0
        return steps, row if row < 0 else CYCLIC

    def chain(self, row: int) -> list[int]:
        """The axis and those that carry it, to the root; a cycle is cut where it closes."""
        return [step for step, _ in self.walk(row)[0]]

    @cached_property
    def _is_known(self) -> list[bool]:
        """Whether vector and offset of each axis can be read."""
        found: list[bool] = (~np.isnan(np.concatenate([self.offset, self.vector], axis=1)).any(axis=1)).tolist()
        return found

    def is_whole(self, row: int) -> bool:
        """True if the chain of an axis ends in a root, and all its numbers are known."""
        steps, end = self.walk(row)
        is_known = self._is_known
        return end == NO_PARENT and bool(steps) and all(is_known[step] and turn == turn for step, turn in steps)

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
        """The axes that move what one axis carries, innermost first, each with an added rotation in degrees."""
        return self.walk(row)[0]

    def step(self, row: int, setting: np.ndarray | float, added: float = 0.0) -> Placement:
        """The motion of one axis alone; one frame where the setting is one number."""
        values = np.atleast_1d(np.asarray(setting, dtype=float)) + (added if added == added else 0.0)
        offset = self.known_offset[row][None]
        if self.kind[row] == "rotation":
            return Placement(rotation_matrices(self.direction[row], values), offset)
        if self.kind[row] == "translation":
            offset = offset + values[:, None] * self.direction[row]
        return Placement(np.eye(3)[None], offset)


@kept
def build_axes(tables: Tables) -> Axes:
    """The axes of a block; the kind of an untyped axis follows from its settings."""
    table = tables.table("axis")
    names = tuple(name or "" for name in table.texts("id"))
    equipment = tuple((text or "").lower() for text in table.texts("equipment"))
    kinds = _kinds(tables, table, names)
    given = np.stack([table.explicit(f"vector[{part}]") for part in _COMPONENTS]).any(axis=0)
    blank = Axes(
        names,
        kinds,
        equipment,
        tuple((text or "laboratory").lower() for text in table.texts("system")),
        np.stack([written_numbers(table, f"vector[{part}]") for part in _COMPONENTS], axis=1),
        np.stack([written_numbers(table, f"offset[{part}]") for part in _COMPONENTS], axis=1),
        written_numbers(table, "rotation"),
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


def written_numbers(table: Table, name: str) -> np.ndarray:
    """The numbers of an item: zero where it is null or absent, nan where it cannot be read."""
    return np.where(table.explicit(name), table.numbers(name), 0.0)


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
            named = first[np.flatnonzero(np.bincount(inverse[moved], minlength=1))]
            for axis_id in axis_ids.texts_at(named) if len(first) else ():
                acting.setdefault(axis_id.casefold(), kind)
    kinds = []
    for name, text in zip(names, table.texts("type"), strict=True):
        stated = (text or "general").lower()
        kinds.append(acting.get(name.casefold(), "general") if stated == "general" else stated)
    return tuple(kinds)
