"""The axes that carry a detector, found from where its panels stand in each scan.

Panels that move together are carried by one chain: an arm that turns about the sample (two theta),
or three rotations where the axis of the arm is not the same for all scans, then translations. The
settings of these axes place the panels in each scan; in the frame that they carry the panels are fixed.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from imgcif_core.create.numbers import tidy, tidy_angle, tidy_number
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import axis_and_angle, rotation_matrices, unit
from imgcif_core.records import dataclass
from imgcif_core.sources.description import IDENTITY, AxisFacts, PanelFacts

Panels = Sequence[PanelFacts]

# A panel that deviates by less is in its place: a hundredth of what refinements resolve.
RIGID_MM = 1e-5
_SAME_MM = 1e-9
_SAME_DEGREES = 1e-7
_FACING_DEGREES = 0.5
_X, _Y, _Z = np.eye(3)
DOWNSTREAM = -_Z

Motion = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Mounting:
    """Axes from the base to the detector, their settings in each scan, and the panels they carry.

    `panels` stand as with all axes at zero; `deviation` is the largest distance in mm of any corner
    in any scan from where the source has it.
    """

    axes: tuple[AxisFacts, ...]
    settings: tuple[Mapping[str, float], ...]
    panels: tuple[PanelFacts, ...]
    deviation: float


def find_mounting(
    poses: Sequence[tuple[PanelFacts, ...]],
    axes: Sequence[AxisFacts] = (),
    settings: Sequence[Mapping[str, float]] = (),
) -> Mounting:
    """The mounting of panels that stand so in each scan.

    `axes` and `settings` are those that the source gives, if any; they are taken where they explain
    the poses.

    Raises
    ------
    InputError
        If the panels of two scans are not the same rigid detector.
    """
    stated = _stated_mounting(poses, axes, settings) if axes else None
    if stated is not None and stated.deviation <= RIGID_MM:
        return stated
    motions = [relative_motion(poses[0], panels) for panels in poses]
    for number, motion in enumerate(motions, 1):
        if motion is None:
            raise InputError(f"the panels in scan {number} do not stand to each other as in scan 1")
    rotations, angles = _rotations([motion[0] for motion in motions if motion is not None], _outward(poses[0][0]))
    found = _with_translations(poses, rotations, angles)
    if found.deviation > RIGID_MM:
        raise InputError(f"no mounting places the panels better than to {found.deviation:.3g} mm")
    return found


def is_same_detector(one: tuple[PanelFacts, ...], other: tuple[PanelFacts, ...]) -> bool:
    """True if two poses are those of one rigid detector."""
    return one is other or relative_motion(one, other) is not None


def relative_motion(start: tuple[PanelFacts, ...], end: tuple[PanelFacts, ...]) -> Motion | None:
    """Rotation and translation that move all panels from one pose to another; None if none does."""
    if len(start) != len(end) or any(
        one.size != other.size or not np.allclose(one.pixel_size, other.pixel_size, rtol=1e-6)
        for one, other in zip(start, end, strict=True)
    ):
        return None
    if start is end:
        return IDENTITY, np.zeros(3)
    rotation = _frame(end[0]) @ _frame(start[0]).T
    if np.abs(rotation - IDENTITY).max() < 1e-12:
        rotation = IDENTITY
    before, after = _corners(start), _corners(end)
    translation = (after - before @ rotation.T).mean(axis=0)
    deviation = np.abs(before @ rotation.T + translation - after).max()
    return (rotation, translation) if deviation <= RIGID_MM else None


def place(axes: Sequence[AxisFacts], settings: Mapping[str, float]) -> Motion:
    """The motion of what a chain of axes, listed from the base, carries: x' = rotation x + translation."""
    rotation, translation = IDENTITY, np.zeros(3)
    for axis in reversed(axes):
        setting = settings.get(axis.id, 0.0)
        if axis.kind == "rotation":
            step = rotation_matrices(axis.vector, np.array(setting))
            rotation, translation = step @ rotation, step @ translation
        elif axis.kind == "translation":
            translation = translation + setting * unit(axis.vector)
        translation = translation + axis.offset
    return rotation, translation


def moved(panel: PanelFacts, motion: Motion) -> PanelFacts:
    """A panel after a motion."""
    from dataclasses import replace

    turned = panel.turned(motion[0])
    return replace(turned, corner=turned.corner + motion[1])


def deviation_of(
    mounting_axes: Sequence[AxisFacts], settings: Mapping[str, float], panels: Panels, pose: Panels
) -> float:
    """The largest distance of a carried corner from where it should be: mm."""
    motion = place(mounting_axes, settings)
    carried = _corners(tuple(panels)) @ motion[0].T + motion[1]
    return float(np.linalg.norm(carried - _corners(tuple(pose)), axis=1).max())


def _stated_mounting(
    poses: Sequence[Panels], axes: Sequence[AxisFacts], settings: Sequence[Mapping[str, float]]
) -> Mounting:
    """The panels in the frame that the source's own axes carry."""
    rotation, translation = place(axes, settings[0])
    inverse = rotation.T, -rotation.T @ translation
    panels = tuple(tidied(moved(panel, inverse)) for panel in poses[0])
    chosen = tuple(dict(entry) for entry in settings)
    off = max(deviation_of(axes, entry, panels, pose) for entry, pose in zip(chosen, poses, strict=True))
    return Mounting(tuple(axes), chosen, panels, off)


def _frame(panel: PanelFacts) -> np.ndarray:
    """Fast, normal x fast and normal as columns: (3, 3), a rotation."""
    fast = unit(panel.fast)
    normal = unit(np.cross(fast, panel.slow))
    return np.stack([fast, np.cross(normal, fast), normal], axis=1)


def _corners(panels: tuple[PanelFacts, ...]) -> np.ndarray:
    """All corners of all panels: (4 n, 3) mm."""
    return np.concatenate([panel.corners() for panel in panels])


def _outward(panel: PanelFacts) -> np.ndarray:
    """The normal of a panel that points away from the sample: (3,)."""
    normal = unit(np.cross(panel.fast, panel.slow))
    return normal if normal @ panel.corners().mean(axis=0) >= 0 else -normal


def _rotations(rotations: list[np.ndarray], normal: np.ndarray) -> tuple[list[AxisFacts], list[dict[str, float]]]:
    """Rotation axes from the base, and their angles for each pose; none where nothing turns."""
    vectors = [_rotation_vector(rotation) for rotation in rotations]
    turning = [vector for vector in vectors if np.linalg.norm(vector) > _SAME_DEGREES]
    if not turning:
        axis = _arm_of_one_pose(normal)
        if axis is None:
            return [], [{} for _ in rotations]
        angle = tidy_angle(_angle_from_facing(axis, normal))
        return [AxisFacts("two_theta", "rotation", axis)], [{"two_theta": angle} for _ in rotations]
    direction = unit(max(turning, key=np.linalg.norm))
    direction = direction if direction[int(np.argmax(np.abs(direction)))] > 0 else -direction
    direction = _snapped(direction)
    if all(np.linalg.norm(vector - (vector @ direction) * direction) < 1e-6 for vector in vectors):
        relative = np.array([vector @ direction for vector in vectors])
        angles = relative + _zero_angle(direction, normal, relative)
        return [AxisFacts("two_theta", "rotation", direction)], [{"two_theta": tidy_angle(float(a))} for a in angles]
    return _three_rotations(rotations)


def _snapped(direction: np.ndarray) -> np.ndarray:
    """A direction, taken as a coordinate axis if it is one to 1e-9."""
    for axis in (_X, _Y, _Z):
        if np.abs(direction - axis).max() < 1e-9:
            return axis
    return direction


def _rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """Axis times angle in degrees: (3,)."""
    direction, angle = axis_and_angle(rotation)
    return direction * angle


def _arm_of_one_pose(normal: np.ndarray) -> np.ndarray | None:
    """X or Y where a turn about it makes a clearly tilted detector face the beam."""
    for axis in (_X, _Y):
        in_plane = abs(normal @ axis) < 1e-9
        if in_plane and abs(_angle_from_facing(axis, normal)) > _FACING_DEGREES:
            return axis
    return None


def _angle_from_facing(axis: np.ndarray, normal: np.ndarray) -> float:
    """By how many degrees about an axis a detector is turned away from facing the beam."""
    if np.linalg.norm(np.cross(axis, _Z)) < 1e-6:
        return 0.0
    forward = unit(DOWNSTREAM - (DOWNSTREAM @ axis) * axis)
    across = normal - (normal @ axis) * axis
    if np.linalg.norm(across) < 1e-6:
        return 0.0
    across = unit(across)
    return float(np.degrees(np.arctan2(np.cross(forward, across) @ axis, forward @ across)))


def _zero_angle(axis: np.ndarray, normal: np.ndarray, relative: np.ndarray) -> float:
    """The angle of the first pose: such that a pose that faces the beam is at zero."""
    first = _angle_from_facing(axis, normal)
    absolute = first + relative
    nearest = int(np.argmin(np.abs(absolute)))
    return float(-relative[nearest]) if abs(absolute[nearest]) < _FACING_DEGREES else first


def _three_rotations(rotations: list[np.ndarray]) -> tuple[list[AxisFacts], list[dict[str, float]]]:
    """Rotations about X, Y and Z, the first outermost: they express any orientation."""
    angles = []
    for matrix in rotations:
        y = np.arcsin(np.clip(matrix[0, 2], -1.0, 1.0))
        x, z = np.arctan2(-matrix[1, 2], matrix[2, 2]), np.arctan2(-matrix[0, 1], matrix[0, 0])
        values = np.degrees([x, y, z])
        angles.append(
            dict(zip(("detector_rx", "detector_ry", "detector_rz"), map(tidy_angle, map(float, values)), strict=True))
        )
    axes = [AxisFacts(name, "rotation", axis) for name, axis in zip(angles[0], (_X, _Y, _Z), strict=True)]
    return axes, angles


def _with_translations(poses: Sequence[Panels], rotations: list[AxisFacts], angles: list[dict[str, float]]) -> Mounting:
    """Complete the rotations by translations in the frame that they carry."""
    pivot = _pivot(poses, rotations, angles)
    outer = [AxisFacts(a.id, a.kind, a.vector, a.depends_on, pivot) if i == 0 else a for i, a in enumerate(rotations)]
    unturned = []
    for pose, own in zip(poses, angles, strict=True):
        rotation, translation = place(outer, own)
        unturned.append([moved(panel, (rotation.T, -rotation.T @ translation)) for panel in pose])
    reference = unturned[0]
    shifts = np.array([_corners(tuple(panels)).mean(axis=0) for panels in unturned])
    shifts -= shifts[0]
    shifts[np.abs(shifts) < _SAME_MM] = 0.0
    axes, settings = list(outer), [dict(own) for own in angles]
    distance = _distance(reference)
    carried = np.zeros(3)
    for name, vector, values in (
        ("distance", DOWNSTREAM, distance - shifts[:, 2]),
        ("detector_x", _X, shifts[:, 0]),
        ("detector_y", _Y, shifts[:, 1]),
    ):
        if name == "distance" or values.any():
            axes.append(AxisFacts(name, "translation", vector))
            for own, value in zip(settings, values, strict=True):
                own[name] = tidy_number(value)
    carried = distance * DOWNSTREAM
    panels = tuple(tidied(moved(panel, (IDENTITY, -carried))) for panel in reference)
    chain = _chained(axes)
    off = max(deviation_of(chain, own, panels, pose) for own, pose in zip(settings, poses, strict=True))
    return Mounting(chain, tuple(settings), panels, off)


def _pivot(poses: Sequence[Panels], rotations: list[AxisFacts], angles: list[dict[str, float]]) -> np.ndarray:
    """The point about which the arm turns: the sample, unless another one explains all poses better."""
    if len(poses) < 2 or not rotations:
        return np.zeros(3)
    turns = [place(rotations, own)[0] for own in angles]
    middles = np.array([_corners(tuple(pose)).mean(axis=0) for pose in poses])
    unturned = np.array([turn.T @ middle for turn, middle in zip(turns, middles, strict=True)])
    if np.abs(unturned - unturned[0])[:, :2].max() < 1e-6:
        return np.zeros(3)
    # R_k^T m_k = m + (R_k^T - 1) c for all poses, in the unknowns m and c.
    matrix = np.concatenate([np.concatenate([IDENTITY, turn.T - IDENTITY], axis=1) for turn in turns])
    solution = np.linalg.lstsq(matrix, unturned.ravel(), rcond=1e-9)[0]
    found = tidy(np.round(solution[3:], 9))
    is_exact = np.abs(matrix @ solution - unturned.ravel()).max() < 1e-6
    return found if is_exact and len(poses) > 2 and np.linalg.norm(found) < 1e3 else np.zeros(3)


def _distance(panels: Sequence[PanelFacts]) -> float:
    """How far along the beam the plane of the first panel lies, with few decimals: mm."""
    panel = panels[0]
    normal = unit(np.cross(panel.fast, panel.slow))
    along = float(DOWNSTREAM @ normal)
    if len(panels) == 1 and abs(along) > 1e-3:
        reach = float(panel.corner @ normal) / along
    else:
        reach = float(DOWNSTREAM @ _corners(tuple(panels)).mean(axis=0))
    exact = tidy_number(reach)
    return exact if abs(exact - round(exact, 6)) < 1e-12 else round(exact, 6)


def tidied(panel: PanelFacts) -> PanelFacts:
    """A panel without rounding noise in its position and directions."""
    from dataclasses import replace

    return replace(panel, corner=tidy(panel.corner), fast=tidy(panel.fast), slow=tidy(panel.slow))


def _chained(axes: Sequence[AxisFacts]) -> tuple[AxisFacts, ...]:
    """Axes that each depend on the one before."""
    parents = [None, *(axis.id for axis in axes[:-1])]
    return tuple(
        AxisFacts(axis.id, axis.kind, axis.vector, parent, axis.offset)
        for axis, parent in zip(axes, parents, strict=True)
    )
