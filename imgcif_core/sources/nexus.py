"""Chains of NeXus transformations, as axes in the frame with Z towards the source.

NeXus follows McStas: Z along the beam, Y up. A turn by 180 degrees about Y gives the frame of the
descriptions: (x, y, z) -> (-x, y, -z).
"""

from typing import Any

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.records import dataclass
from imgcif_core.sources.description import AxisFacts
from imgcif_core.sources.hdf5 import ANGLES, LENGTHS, MAX_STEPS, Master, attribute, vector

FLIP = np.array([-1.0, 1.0, -1.0])


@dataclass(frozen=True, slots=True)
class Step:
    """One transformation: values (n,) in degrees or mm, vector as given, offset (3,) mm, flipped."""

    name: str
    path: str
    kind: str
    vector: np.ndarray
    offset: np.ndarray
    values: np.ndarray

    def motion(self, frame: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Rotation (3, 3) and translation (3,) mm at one frame."""
        value = float(self.values[min(frame, len(self.values) - 1)]) if len(self.values) else 0.0
        if self.kind == "rotation":
            return rotation_matrices(self.vector, np.array(value)), self.offset
        return np.eye(3), self.offset + value * self.vector


def follow(master: Master, base: Any, path: str | None) -> list[Step]:
    """The transformations from one to the root of its chain, innermost first.

    Raises
    ------
    InputError
        If a transformation is missing or has no vector, or the chain does not end.
    """
    steps: list[Step] = []
    while path and path != ".":
        node = master.get(base, path)
        if node is None:
            raise InputError(f"{master.path}: {base.name} depends on {path}, which is not in the file")
        if not master.is_dataset(node):
            path = attribute(node, "depends_on") or master.text(node, "depends_on")
            base = node
        else:
            steps.append(_step(master, node))
            path, base = attribute(node, "depends_on"), node
        if len(steps) > MAX_STEPS or (steps and steps[-1].path in {step.path for step in steps[:-1]}):
            raise InputError(f"{master.path}: the chain of transformations through {steps[-1].path} does not end")
    return steps


def _step(master: Master, node: Any) -> Step:
    """One transformation of a chain."""
    kind = attribute(node, "transformation_type").lower()
    direction = vector(node, "vector")
    if kind not in ("rotation", "translation"):
        raise InputError(f"{master.path}: {node.name} is no rotation or translation")
    if direction is None or not direction.any():
        raise InputError(f"{master.path}: {node.name} has no vector of three numbers")
    units = ANGLES if kind == "rotation" else LENGTHS
    values = master.numbers(node, node.name, units, "deg" if kind == "rotation" else "m")
    offset = vector(node, "offset")
    if offset is None:
        offset = np.zeros(3)
    unit = attribute(node, "offset_units") or (attribute(node, "units") if kind == "translation" else "mm")
    scale = LENGTHS.get(unit.strip().lower(), 1.0) if offset.any() else 1.0
    return Step(node.name.rsplit("/", 1)[-1], node.name, kind, direction * FLIP, offset * FLIP * scale, values)


def place(steps: list[Step], frame: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and translation (3,) mm of what a chain carries."""
    rotation, translation = np.eye(3), np.zeros(3)
    for step in steps:
        turn, shift = step.motion(frame)
        rotation, translation = turn @ rotation, turn @ translation + shift
    return rotation, translation


def as_axes(steps: list[Step]) -> tuple[AxisFacts, ...]:
    """A chain as axes, base first; names that occur twice get a number."""
    axes: list[AxisFacts] = []
    names: set[str] = set()
    for step in reversed(steps):
        name, number = step.name, 2
        while name in names:
            name, number = f"{step.name}_{number}", number + 1
        names.add(name)
        length = np.linalg.norm(step.vector)
        axes.append(AxisFacts(name, step.kind, step.vector / length, axes[-1].id if axes else None, step.offset))
    return tuple(axes)


def settings_of(step: Step) -> Floats:
    """The settings of an axis with a unit vector: a translation's vector may carry a length."""
    if step.kind == "rotation":
        return step.values
    found: Floats = step.values * np.linalg.norm(step.vector)
    return found
