"""Rotations and angles of vectors; arrays of shape (..., 3), angles in degrees."""

import numpy as np

from imgcif_core.arrays import Floats


def unit(vectors: Floats) -> Floats:
    """Vectors of length 1 in the same directions; null vectors stay null."""
    vectors = np.asarray(vectors, dtype=float)
    # Scaled first: the squares of very small or very large components leave the range of floats.
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
    scaled = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
    length = np.linalg.norm(scaled, axis=-1, keepdims=True)
    found: Floats = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
    return found


def rotation_matrices(axis: Floats, angles: Floats) -> Floats:
    """Right-handed rotations by angles in degrees: angles (...) about an axis (3,), or axes (..., 3): (..., 3, 3).

    Rodrigues' formula with the axis normalised; a null axis gives the identity.
    """
    x, y, z = np.moveaxis(unit(axis), -1, 0)
    angles_rad = np.radians(np.asarray(angles, dtype=float))
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    sine, cosine = np.sin(angles_rad)[..., None, None], np.cos(angles_rad)[..., None, None]
    found: Floats = np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross)
    return found


def angle_between(first: Floats, second: Floats) -> Floats:
    """The angle between vectors in degrees, accurate for small angles too; nan for null vectors."""
    one, two = unit(first), unit(second)
    angle = 2.0 * np.arctan2(np.linalg.norm(one - two, axis=-1), np.linalg.norm(one + two, axis=-1))
    is_null = (np.linalg.norm(one, axis=-1) == 0) | (np.linalg.norm(two, axis=-1) == 0)
    return np.where(is_null, np.nan, np.degrees(angle))


def angle_difference(first: Floats | float, second: Floats | float) -> Floats:
    """How far two angles in degrees are apart modulo 360: 0 to 180."""
    difference = np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float)) % 360.0
    found: Floats = np.minimum(difference, 360.0 - difference)
    return found


def axis_and_angle(rotation: Floats) -> tuple[Floats, float]:
    """Direction (3,) and angle in degrees, 0 to 180, of a rotation matrix (3, 3); +X where nothing turns."""
    skew = 0.5 * np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine, cosine = float(np.linalg.norm(skew)), 0.5 * (float(np.trace(rotation)) - 1.0)
    angle = float(np.degrees(np.arctan2(sine, cosine)))
    if sine > 1e-9:
        return skew / sine, angle
    if cosine > 0:
        return np.array([1.0, 0.0, 0.0]), 0.0
    column = int(np.argmax(np.diag(rotation)))
    return unit((rotation + np.eye(3))[:, column]), 180.0
