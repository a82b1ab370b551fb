"""Spots of frames and the ways to read their geometry: from pixels to reciprocal space of the crystal."""

from collections.abc import Sequence

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.pose import Pose
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.records import cached_property, dataclass, field
from imgcif_core.spots.finder import Spots

WRITTEN = "as written"
# Frames less than so many degrees apart show the same reflections.
APART_DEG = 1.5


@dataclass(frozen=True, slots=True)
class Face:
    """A flat panel in one frame, laboratory frame, mm.

    origin, fast, slow : (3,) first pixel centre and steps, with rotations of the detector at zero; turn
    (3, 3) and move (3,) carry it to where the rotations put it, `back` is the same with them reversed.
    """

    origin: Floats
    fast: Floats
    slow: Floats
    size: tuple[int, int]
    there: tuple[Floats, np.ndarray]
    back: tuple[Floats, np.ndarray]

    @property
    def is_turned(self) -> bool:
        """True if a rotation of the detector matters."""
        return not np.allclose(self.there[0], self.back[0], atol=1e-6)


def face_of(zero: Pose, there: Pose, back: Pose) -> Face:
    """A panel from its poses with the rotations of the detector at zero, as set, and reversed; one frame each."""
    return Face(
        zero.origin[0], zero.fast_step[0], zero.slow_step[0], zero.size, _motion(zero, there), _motion(zero, back)
    )


def _motion(first: Pose, second: Pose) -> tuple[Floats, np.ndarray]:
    """The rigid motion from one pose to another."""
    bases = [np.stack([pose.fast_step[0], pose.slow_step[0], pose.normal[0]], axis=1) for pose in (first, second)]
    turn = bases[1] @ np.linalg.inv(bases[0])
    return turn, second.origin[0] - turn @ first.origin[0]


@dataclass(frozen=True, slots=True)
class Turn:
    """One rotation of the goniometer at a frame: unit vector with all axes at zero, degrees at the middle."""

    id: str
    vector: Floats
    angle: float
    width: float


@dataclass(frozen=True)
class Shot:
    """One frame: its circles from the base to the sample, its panels, and the spots on each panel."""

    label: str
    scan: str
    turns: tuple[Turn, ...]
    faces: tuple[Face, ...]
    spots: tuple[Spots, ...]
    wavelength: float
    beam: Floats

    @property
    def count(self) -> int:
        """The number of spots."""
        return sum(len(spots) for spots in self.spots)

    @property
    def turned(self) -> Turn | None:
        """The circle that turns during the frame."""
        return next((turn for turn in self.turns if turn.width), None)

    def rotation(self, reversed_axes: Sequence[str] = ()) -> Floats:
        """The rotation of the sample at the middle of the frame: (3, 3)."""
        total = np.eye(3)
        for turn in self.turns:
            sign = -1.0 if turn.id in reversed_axes else 1.0
            total = total @ rotation_matrices(turn.vector, np.array([sign * turn.angle]))[0]
        return total

    def rate(self, reversed_axes: Sequence[str] = ()) -> tuple[Floats, float]:
        """Axis (3,) in the laboratory about which the sample turns in the frame, and half the turn in radians."""
        outer = np.eye(3)
        for turn in self.turns:
            sign = -1.0 if turn.id in reversed_axes else 1.0
            if turn.width:
                return outer @ unit(turn.vector) * sign, 0.5 * float(np.radians(abs(turn.width)))
            outer = outer @ rotation_matrices(turn.vector, np.array([sign * turn.angle]))[0]
        return np.zeros(3), 0.0


def between(one: Shot, other: Shot) -> float:
    """Degrees by which the sample turns from one frame to another."""
    cosine = 0.5 * (float(np.trace(one.rotation().T @ other.rotation())) - 1.0)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the geometry; immutable.

    `axes` are goniometer axes taken as turning the other way; `plane` (2, 2) acts on the detector about the
    beam, in the directions of fast and slow; `stored` tells which of (swapped, fast flipped, slow flipped)
    apply to the stored image; `is_back` reverses the rotations of the detector.
    """

    name: str
    axes: tuple[str, ...] = ()
    plane: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    stored: tuple[bool, bool, bool] = (False, False, False)
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class Mapped:
    """Spots under one reading: all rows alike.

    q : (n, 3) per ångström, in the frame of the crystal; by_shift : (n, 3, 2) its change per pixel that the
    detector moves along fast and slow; by_turn : (n, 3) its change per radian of the frame's rotation;
    half : (n,) half the rotation of the frame in radians; shot : (n,).
    """

    q: Floats
    by_shift: Floats
    by_turn: Floats
    half: Floats
    shot: Floats

    def part(self, which: Floats) -> "Mapped":
        """Some of the spots."""
        return Mapped(*(getattr(self, name)[which] for name in ("q", "by_shift", "by_turn", "half", "shot")))


@dataclass(frozen=True)
class Sample:
    """The frames that are looked at, with the spots that count."""

    shots: tuple[Shot, ...]
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def count(self) -> int:
        """The number of spots on all frames."""
        return sum(shot.count for shot in self.shots)

    @cached_property
    def stances(self) -> tuple[int, ...]:
        """For each frame the number of its orientation: that of the first frame it is hardly apart from."""
        found: list[int] = []
        for index, shot in enumerate(self.shots):
            near = (found[one] for one in range(index) if between(self.shots[one], shot) < APART_DEG)
            found.append(next(near, max(found, default=-1) + 1))
        return tuple(found)

    @cached_property
    def basis(self) -> Floats:
        """Directions of the detector: u along fast, v along slow, normal to the beam, and the beam: rows (3, 3)."""
        face, beam = self.main_face, unit(self.shots[0].beam)
        first = unit(face.fast - (face.fast @ beam) * beam)
        second = np.cross(beam, first)
        if second @ face.slow < 0:
            second = -second
        return np.stack([first, second, beam])

    @cached_property
    def main_face(self) -> Face:
        """The panel nearest to the beam."""
        beam = unit(self.shots[0].beam)
        faces = self.shots[0].faces
        middles = [
            face.origin + 0.5 * (face.size[0] - 1) * face.fast + 0.5 * (face.size[1] - 1) * face.slow for face in faces
        ]
        return faces[int(np.argmin([np.linalg.norm(middle - (middle @ beam) * beam) for middle in middles]))]

    def mapped(self, reading: Reading, shift: Floats | None = None) -> Mapped:
        """All spots under one reading, the detector moved by pixels along (fast, slow): (2,)."""
        parts = [
            self._of_shot(index, reading, np.zeros(2) if shift is None else shift) for index in range(len(self.shots))
        ]
        return Mapped(*(np.concatenate([part[place] for part in parts]) for place in range(5)))

    def _of_shot(self, index: int, reading: Reading, shift: Floats) -> tuple[Floats, ...]:
        """The rows of `Mapped` for one frame."""
        shot = self.shots[index]
        pairs = [pair for pair in zip(shot.faces, shot.spots, strict=True) if len(pair[1])]
        moves = [np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0])]
        rays = [
            np.concatenate([self.place(face, spots.fast, spots.slow, reading, shift + move) for face, spots in pairs])
            if pairs
            else np.zeros((0, 3))
            for move in moves
        ]
        rotation = shot.rotation(reading.axes)
        beam = unit(shot.beam)
        lab = [(unit(ray) - beam) / shot.wavelength for ray in rays]
        q = [vectors @ rotation for vectors in lab]
        axis, half = shot.rate(reading.axes)
        by_turn = -np.cross(axis, lab[0]) @ rotation
        count = len(q[0])
        by_shift = np.stack([q[1] - q[0], q[2] - q[0]], axis=2)
        return q[0], by_shift, by_turn, np.full(count, half), np.full(count, index)

    def place(self, face: Face, fast: Floats, slow: Floats, reading: Reading, shift: Floats) -> Floats:
        """Laboratory positions of stored pixels under a reading: (n, 3) mm."""
        is_swapped, is_fast, is_slow = reading.stored
        along = face.size[0] - 1 - fast if is_fast else fast
        down = face.size[1] - 1 - slow if is_slow else slow
        if is_swapped:
            along, down = down, along
        points = face.origin + along[:, None] * face.fast + down[:, None] * face.slow
        operation = np.eye(3)
        operation[:2, :2] = reading.plane
        basis = self.basis
        moved = points @ basis.T @ operation.T
        moved[:, :2] += shift * np.array([np.linalg.norm(face.fast), np.linalg.norm(face.slow)])
        turn, move = face.back if reading.is_back else face.there
        found: Floats = moved @ basis @ turn.T + move
        return found
