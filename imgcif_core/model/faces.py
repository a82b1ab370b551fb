"""Flat faces on the axes that carry them, placed all at once.

The axes on which faces hang form a tree. Each of its steps stands in it once, with the setting that a face gives to
its own pixel directions where it does, and is placed once for all that it carries.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.axes import Axes
from imgcif_core.model.pose import Poses
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.records import dataclass

# How the first pixel follows from the two directions of a face.
_BY_FAST, _BY_SLOW, _BY_BOTH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Posture:
    """Settings of axes for some frames, by row of an axis: (frames,) or (1,) each, degrees or mm; others at zero."""

    axes: Axes
    settings: Mapping[int, np.ndarray]
    frames: int = 1


class _Level:
    """The steps of the tree that are equally far from its root.

    node, outer : (steps,) the number of each and of the one that carries it, 0 the laboratory; setting : (steps, 1)
    what is set and added in any frame; free : the steps at which an axis stands where the frames set it.
    """

    def __init__(self, axes: Axes, steps: Sequence[tuple[int, int, int, float, float | None]]) -> None:
        node, outer, axis, added, own = zip(*steps, strict=True)
        rows = np.array(axis)
        self.node, self.outer = np.array(node), np.array(outer)
        self.free: dict[int, list[int]] = {}
        for step, (row, setting) in enumerate(zip(axis, own, strict=True)):
            if setting is None:
                self.free.setdefault(row, []).append(step)
        self.setting: Floats = (
            np.array([setting or 0.0 for setting in own])[:, None] + np.nan_to_num(np.array(added))[:, None]
        )
        kinds = [axes.kind[row] for row in axis]
        self.turning = np.array([step for step, kind in enumerate(kinds) if kind == "rotation"], dtype=np.int64)
        self.direction, self.offset = axes.direction[rows], axes.known_offset[rows]
        self.slide = self.direction * np.array([kind == "translation" for kind in kinds])[:, None]

    def settings(self, posture: Posture) -> Floats:
        """The setting of the axis at each step: (steps, frames or 1)."""
        given = [(steps, posture.settings[axis]) for axis, steps in self.free.items() if axis in posture.settings]
        if not given:
            return self.setting
        width = posture.frames if any(np.size(setting) > 1 for _, setting in given) else 1
        values = np.repeat(self.setting, width, axis=1)
        for steps, setting in given:
            values[steps] += setting
        return values


class _Tree:
    """The steps from the laboratory inwards, each once; those equally far from it as a level."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int, float, float | None], int] = {}
        self.levels: list[list[tuple[int, int, int, float, float | None]]] = []

    def leaf(self, route: Sequence[tuple[int, float]], own: Mapping[int, float]) -> int:
        """The number of the step at the inner end of a route; steps that are not there yet are added."""
        numbers, node = self.numbers, 0
        for depth, (axis, added) in enumerate(reversed(route)):
            setting = own.get(axis)
            key = (node, axis, added, setting)
            known = numbers.get(key)
            if known is None:
                known = numbers[key] = len(numbers) + 1
                if depth == len(self.levels):
                    self.levels.append([])
                self.levels[depth].append((known, node, axis, added, setting))
            node = known
        return node


class Faces:
    """Pairs of pixel directions as columns; mm.

    axis : (faces, 2) rows of the axes along fast and slow; displacement, increment : (faces, 2) the setting of each
    at the first pixel and the step to the next; size : (faces, 2) pixels, 0 where not given.
    """

    def __init__(
        self, axes: Axes, axis: np.ndarray, displacement: np.ndarray, increment: np.ndarray, size: np.ndarray
    ) -> None:
        self.axes = axes
        self.axis = axis
        self.displacement = displacement
        self.increment = increment
        self.size = size
        self._grow()

    def __len__(self) -> int:
        return len(self.axis)

    def only(self, rows: np.ndarray) -> "Faces":
        """Some of them."""
        return Faces(self.axes, self.axis[rows], self.displacement[rows], self.increment[rows], self.size[rows])

    @property
    def is_apart(self) -> np.ndarray:
        """Where neither of the two directions carries the other: (faces,) bool."""
        return np.asarray(self._orders == _BY_BOTH)

    def _grow(self) -> None:
        """Make the tree of the steps, and note where each direction hangs on it.

        `carriers` are the axes on which any face depends, those of the first faces first, innermost first.
        """
        routes: dict[int, list[tuple[int, float]]] = {}
        carriers: dict[int, None] = {}
        tree = _Tree()
        leaves, orders = [], []
        for (fast, slow), (at_fast, at_slow) in zip(self.axis.tolist(), self.displacement.tolist(), strict=True):
            for row in (fast, slow):
                if row not in routes:
                    routes[row] = self.axes.route(row)
                    carriers.update(dict.fromkeys([axis for axis, _ in routes[row]]))
            own = {fast: at_fast, slow: at_slow}
            leaves.append((tree.leaf(routes[fast], own), tree.leaf(routes[slow], own)))
            if any(axis == slow for axis, _ in routes[fast]):
                orders.append(_BY_FAST)
            else:
                orders.append(_BY_SLOW if any(axis == fast for axis, _ in routes[slow]) else _BY_BOTH)
        self.carriers = tuple(carriers)
        self._leaves = np.array(leaves, dtype=np.int64).reshape(-1, 2)
        self._orders = np.array(orders, dtype=np.int64)
        self._levels = [_Level(self.axes, steps) for steps in tree.levels]
        self._count = len(tree.numbers) + 1

    def _carried(self, posture: Posture) -> tuple[np.ndarray, np.ndarray]:
        """Where each step of the tree puts what it carries: (steps, frames or 1, 3, 3) and (steps, frames or 1, 3)."""
        settings = [level.settings(posture) for level in self._levels]
        frames = max((values.shape[1] for values in settings), default=1)
        pairs = zip(settings, self._levels, strict=True)
        turns = max((values.shape[1] for values, level in pairs if len(level.turning)), default=1)
        rotation, translation = np.empty((self._count, turns, 3, 3)), np.empty((self._count, frames, 3))
        rotation[0], translation[0] = np.eye(3), 0.0
        for values, level in zip(settings, self._levels, strict=True):
            outer = rotation[level.outer]
            shift = level.offset[:, None] + values[..., None] * level.slide[:, None]
            translation[level.node] = (outer @ shift[..., None])[..., 0] + translation[level.outer]
            if len(level.turning):
                own = rotation_matrices(level.direction[level.turning, None], values[level.turning])
                outer[level.turning] = outer[level.turning] @ own
            rotation[level.node] = outer
        return rotation, translation

    def place(self, posture: Posture) -> Poses:
        """Where the faces lie; the settings of the pixel directions are their own.

        Of two directions that do not depend on one another each is taken as carried by the same parent.
        """
        rotation, translation = self._carried(posture)
        origin = translation[self._leaves[np.arange(len(self)), np.where(self._orders == _BY_SLOW, 1, 0)]]
        rows = np.flatnonzero(self.is_apart)
        if len(rows):
            axis = self.axis[rows, 1]
            local = self.axes.offset[axis] + self.displacement[rows, 1, None] * self.axes.direction[axis]
            turned = rotation[self._leaves[rows, 0]] @ local[:, None, :, None]
            origin = np.repeat(origin, max(1, rotation.shape[1] // origin.shape[1]), axis=1)
            origin[rows] += turned[..., 0]
        fast, slow = self._turned(rotation)
        fast_step, slow_step = fast * self.increment[:, :1, None], slow * self.increment[:, 1:, None]
        shape = (len(self), posture.frames, 3)
        origin, fast_step, slow_step = (np.broadcast_to(part, shape) for part in (origin, fast_step, slow_step))
        return Poses(origin, fast_step, slow_step, self.size)

    def directions(self, posture: Posture) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors of the axes along fast and slow, whatever the sign of the steps: (faces, frames or 1, 3)."""
        return self._turned(self._carried(posture)[0])

    def origins(self, posture: Posture) -> np.ndarray:
        """Where the first pixel lies by each of the two directions alone: (faces, 2, frames or 1, 3) mm."""
        return self._carried(posture)[1][self._leaves]

    def _turned(self, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The directions of the axes along fast and slow, as the steps of the tree turn them."""
        vectors = self.axes.direction[self.axis]
        fast, slow = ((rotation[self._leaves[:, side]] @ vectors[:, side, None, :, None])[..., 0] for side in (0, 1))
        return fast, slow
