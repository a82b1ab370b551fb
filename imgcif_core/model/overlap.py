"""Which of many boxes and quadrilaterals overlap: a sweep for candidates, separating axes for the rest."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.model.vectors import unit

CHUNK = 256
# Cosine of the largest angle between two faces that lie in one plane: one degree.
IN_PLANE = 0.99985


def touching_boxes(low: np.ndarray, high: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of boxes that share a point, in portions.

    Boxes are swept along the direction in which their centres spread most, so that of n modules on a
    face some n times the square root of n pairs are compared, not all.

    Parameters
    ----------
    low, high :
        (boxes, d) lower and upper corners.
    """
    if len(low) < 2:
        return
    along = int(np.ptp(low + high, axis=0).argmax())
    order = np.argsort(low[:, along], kind="stable")
    low, high = low[order], high[order]
    last = np.searchsorted(low[:, along], high[:, along], side="right")
    for start in range(0, len(low), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(low)))
        counts = np.maximum(last[rows] - rows - 1, 0)
        first = np.repeat(rows, counts)
        ends = np.cumsum(counts)
        second = first + 1 + np.arange(len(first)) - np.repeat(ends - counts, counts)
        touches = ((low[first] <= high[second]) & (low[second] <= high[first])).all(axis=1)
        if touches.any():
            yield order[first[touches]], order[second[touches]]


def overlap_depth(corners: np.ndarray, first: np.ndarray, second: np.ndarray, plane_mm: float) -> np.ndarray:
    """How deep pairs of parallelograms in one plane overlap, in mm; zero or less where they do not.

    The depth is the smallest overlap along the normals of their sides (separating axes); minus infinity
    for pairs that do not lie in one plane.

    Parameters
    ----------
    corners :
        (faces, 4, 3) mm, in the order around each face.
    first, second :
        (pairs,) numbers of faces.
    plane_mm :
        How far the planes may be apart at the centres.
    """
    sides = np.stack([corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]], axis=1)
    normals = unit(np.cross(sides[:, 0], sides[:, 1]))
    centres = corners.mean(axis=1)
    across = np.abs(np.einsum("pi,pi->p", normals[first], normals[second])) > IN_PLANE
    apart = np.abs(np.einsum("pi,pi->p", centres[second] - centres[first], normals[first])) <= plane_mm
    depth = np.full(len(first), np.inf)
    for face in (first, second):
        for side in range(2):
            axis = unit(np.cross(normals[face], sides[face, side]))
            one = np.einsum("pci,pi->pc", corners[first], axis)
            two = np.einsum("pci,pi->pc", corners[second], axis)
            shared = np.minimum(one.max(axis=1), two.max(axis=1)) - np.maximum(one.min(axis=1), two.min(axis=1))
            depth = np.minimum(depth, shared)
    return np.where(across & apart, depth, -np.inf)
