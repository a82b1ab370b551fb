"""The usual mistakes of a geometry, as readings; and which of them spot positions cannot tell apart."""

import numpy as np

from imgcif_core.spots.geometry import WRITTEN, Mapped, Reading, Sample

_ONE = ((1.0, 0.0), (0.0, 1.0))
# Elements of the symmetry of a square: what becomes of (fast, slow).
_PLANES = {
    "fast reversed": ((-1.0, 0.0), (0.0, 1.0)),
    "slow reversed": ((1.0, 0.0), (0.0, -1.0)),
    "fast and slow reversed": ((-1.0, 0.0), (0.0, -1.0)),
    "fast and slow swapped": ((0.0, 1.0), (1.0, 0.0)),
    "fast and slow swapped, both reversed": ((0.0, -1.0), (-1.0, 0.0)),
    "fast and slow swapped, then fast reversed": ((0.0, -1.0), (1.0, 0.0)),
    "fast and slow swapped, then slow reversed": ((0.0, 1.0), (-1.0, 0.0)),
}
_STORED = {
    "image flipped along fast": (False, True, False),
    "image flipped along slow": (False, False, True),
    "image turned by 180 degrees": (False, True, True),
}
_TRANSPOSED = {
    "image transposed": (True, False, False),
    "image turned by 90 degrees": (True, True, False),
    "image turned by 270 degrees": (True, False, True),
    "image transposed the other way": (True, True, True),
}
# Pixels between the beam and the middle of a panel from which flips about either differ.
APART = 1.0
# Positions nearer than this many pixels are the same to every finder of spots.
SAME = 0.35


def list_readings(sample: Sample) -> list[Reading]:
    """The geometry as written first, then each mistake that is possible with these frames."""
    found = [Reading(WRITTEN)]
    names = list(dict.fromkeys(turn.id for shot in sample.shots for turn in shot.turns))
    moved = [
        name for name in names if any(turn.id == name and turn.angle for shot in sample.shots for turn in shot.turns)
    ]
    found += [Reading(f"axis {name} reversed", axes=(name,)) for name in moved]
    if len(moved) > 1:
        found.append(Reading("all goniometer axes reversed", axes=tuple(moved)))
    if any(face.is_turned for shot in sample.shots for face in shot.faces):
        found.append(Reading("two-theta reversed", is_back=True))
        if moved:
            found.append(Reading("handedness: all axes reversed", axes=tuple(moved), is_back=True))
    found += [Reading(name, plane=plane) for name, plane in _PLANES.items()]
    return found + _stored(sample)


def _stored(sample: Sample) -> list[Reading]:
    """Flips of the stored image, where they differ from those about the beam."""
    face = sample.main_face
    beam = sample.shots[0].beam
    if len(sample.shots[0].faces) == 1:
        middle = face.origin + 0.5 * (face.size[0] - 1) * face.fast + 0.5 * (face.size[1] - 1) * face.slow
        off = np.linalg.norm(middle - (middle @ beam) / (beam @ beam) * beam) / np.linalg.norm(face.fast)
        if off < APART:
            return []
    kinds = {**_STORED, **(_TRANSPOSED if face.size[0] == face.size[1] else {})}
    return [Reading(name, stored=stored) for name, stored in kinds.items()]


def are_alike(one: Mapped, other: Mapped) -> bool:
    """True if the reciprocal positions under two readings differ by a linear map alone, within the error of spots.

    A lattice stays one under every linear map, so that without a cell no spot tells which is true. A shift of
    the detector by a few pixels, which the fit of a lattice leaves free, is free here too.
    """
    pixel = np.linalg.norm(other.by_shift, axis=(1, 2)).mean() / np.sqrt(2.0)
    if not pixel > 0:
        return True
    return bool(residual(one, other) < SAME * pixel)


def residual(one: Mapped, other: Mapped) -> float:
    """What is left of the positions under one reading after the best linear map of the other: per ångström."""
    matrix, *_ = np.linalg.lstsq(one.q, other.q, rcond=None)
    return float(np.sqrt(np.mean(np.sum((other.q - one.q @ matrix) ** 2, axis=1))))
