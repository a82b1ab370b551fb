"""How the goniometer turns the crystal: what two descriptions must share, whatever they call their axes.

Rotations are 3 x 3 nested tuples in the laboratory frame; angles are degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def about(axis: Sequence[float], angle: float) -> Matrix:
    """The rotation about an axis through the origin, right-handed."""
    length = math.sqrt(sum(part * part for part in axis)) or 1.0
    x, y, z = (part / length for part in axis)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    rest = 1.0 - cosine
    return (
        (cosine + x * x * rest, x * y * rest - z * sine, x * z * rest + y * sine),
        (y * x * rest + z * sine, cosine + y * y * rest, y * z * rest - x * sine),
        (z * x * rest - y * sine, z * y * rest + x * sine, cosine + z * z * rest),
    )


def times(one: Matrix, two: Matrix) -> Matrix:
    """The product of two matrices."""
    columns = tuple(zip(*two, strict=True))
    rows = tuple(tuple(sum(a * b for a, b in zip(row, column, strict=True)) for column in columns) for row in one)
    return rows  # type: ignore[return-value]


def transposed(matrix: Matrix) -> Matrix:
    """The inverse of a rotation."""
    return tuple(zip(*matrix, strict=True))  # type: ignore[return-value]


def chain(goniometer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The axes from the base to the crystal; as they are given where nothing says what they depend on."""
    axes = {axis["id"]: axis for axis in goniometer}
    if not any(axis.get("depends_on") in axes for axis in goniometer):
        return goniometer

    def depth(axis: dict[str, Any]) -> int:
        steps, name = 0, axis.get("depends_on")
        while name in axes and steps <= len(axes):
            steps, name = steps + 1, axes[name].get("depends_on")
        return steps

    return sorted(goniometer, key=depth)


def turn(block: dict[str, Any], scan: dict[str, Any], *, at_end: bool = False) -> Matrix:
    """The rotation of the crystal from all axes at zero to the start, or the end, of a scan."""
    settings = {axis["id"]: axis for axis in scan.get("axes", [])}
    whole = IDENTITY
    for axis in chain(block.get("goniometer", [])):
        setting = settings.get(axis["id"], {})
        if axis.get("type", "rotation") != "rotation" or not axis.get("vector"):
            continue
        angle = (setting.get("start") or 0.0) + ((setting.get("range") or 0.0) if at_end else 0.0)
        whole = times(whole, about(axis["vector"], angle))
    return whole


def between(one: Matrix, two: Matrix) -> Matrix:
    """The rotation that leads from one orientation to another."""
    return times(two, transposed(one))


def apart(one: Matrix, two: Matrix) -> float:
    """The angle between two rotations."""
    # The skew part tells small angles, where the cosine has no digits left.
    rest = between(one, two)
    sine = math.sqrt(sum((rest[i][j] - rest[j][i]) ** 2 for i, j in ((2, 1), (0, 2), (1, 0)))) / 2.0
    cosine = (rest[0][0] + rest[1][1] + rest[2][2] - 1.0) / 2.0
    return math.degrees(math.atan2(sine, cosine))
