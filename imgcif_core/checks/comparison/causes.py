"""Why a detector stands elsewhere than the source says: likely causes, tried one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Detector, Posture
from imgcif_core.model.scans import Scan
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.compare import Comparison, ScanPair


@dataclass(frozen=True, slots=True)
class Cause:
    """A change after which the panels agree: what it is, in words, and the axis that it concerns."""

    text: str
    axis: int | None


def find_cause(
    comparison: Comparison, detector: Detector, scans: Sequence[Scan], pairs: Sequence[ScanPair], limit: float
) -> Cause | None:
    """The first change of one thing after which all deviating scans agree within a limit in mm."""
    if all(pair.worst is not None and pair.worst.is_half_pixel for pair in pairs):
        return Cause("the file places the centre of the first pixel where the source has its outer corner", None)
    for cause, change in _changes(detector.axes, detector.moving_axes):
        if all(_agrees(comparison, detector, scans, pair, change, limit) for pair in pairs):
            return cause
    for pair in pairs:
        if not _is_mirrored(comparison, pair):
            return None
    return Cause("the directions of the pixels form a mirror image of those of the source", None)


def _changes(axes: Axes, moving: Sequence[int]) -> Iterator[tuple[Cause, dict[int, float]]]:
    """Causes with the factors by which the settings of axes are multiplied."""
    for axis in moving:
        kind = "angle" if axes.kind[axis] == "rotation" else "displacement"
        yield Cause(f"the {kind} of axis {axes.id[axis]} with the opposite sign agrees", axis), {axis: -1.0}
    for axis in moving:
        if axes.kind[axis] == "translation":
            for factor in (1000.0, 0.001):
                text = f"the displacement of axis {axes.id[axis]} times {factor:g} agrees, a slip of the unit"
                yield Cause(text, axis), {axis: factor}
    for axis in moving:
        yield Cause(f"axis {axes.id[axis]} at zero agrees", axis), {axis: 0.0}


def _agrees(
    comparison: Comparison,
    detector: Detector,
    scans: Sequence[Scan],
    pair: ScanPair,
    change: dict[int, float],
    limit: float,
) -> bool:
    """True if the panels of one scan agree once some settings are changed."""
    scan = scans[pair.index] if pair.index < len(scans) else None
    settings = detector.settings(scan, np.zeros(1, dtype=np.int64))
    changed = {row: values * change.get(row, 1.0) for row, values in settings.items()}
    if all(np.allclose(changed[row], values, atol=1e-12) for row, values in settings.items()):
        return False
    poses = detector.faces.place(Posture(detector.axes, changed))
    source = comparison.source.scans[pair.source_index].panels
    for corner, other in zip(poses.corner[:, 0], source):
        if np.linalg.norm(corner - comparison.rotation @ other.corner) > limit + 0.8 * max(other.pixel_size):
            return False
    return True


def _is_mirrored(comparison: Comparison, pair: ScanPair) -> bool:
    """True if fast x slow has opposite senses in the two descriptions."""
    one = comparison.described.scans[pair.index].panels[0]
    other = comparison.source.scans[pair.source_index].panels[0].turned(comparison.rotation)
    return bool(np.cross(one.fast, one.slow) @ np.cross(other.fast, other.slow) < 0)
