"""Diffraction of known crystals on known instruments, made here: spots, and images with all that real ones have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from imgcif_core.model.pose import Pose
from imgcif_core.spots.finder import Spots
from imgcif_core.spots.geometry import Sample, Shot, Turn, face_of

BEAM = np.array([0.0, 0.0, -1.0])


def turned(vector: tuple[float, float, float], degrees: float) -> np.ndarray:
    """Right-handed rotation about a vector by quaternion, another road than the package's."""
    half = 0.5 * np.radians(degrees)
    x, y, z = np.sin(half) * np.array(vector, float) / np.linalg.norm(vector)
    w = np.cos(half)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@dataclass(frozen=True)
class Instrument:
    """A goniometer and a detector of panels (origin px offset along fast and slow, size)."""

    axes: tuple[tuple[str, tuple[float, float, float]], ...] = (("omega", (1.0, 0.0, 0.0)),)
    pixel: float = 0.172
    size: tuple[int, int] = (487, 407)
    centre: tuple[float, float] = (240.0, 205.0)
    distance: float = 80.0
    fast: tuple[float, float, float] = (1.0, 0.0, 0.0)
    slow: tuple[float, float, float] = (0.0, -1.0, 0.0)
    two_theta: float = 0.0
    two_theta_axis: tuple[float, float, float] = (1.0, 0.0, 0.0)
    panels: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def faces(self) -> tuple[tuple[int, int, int, int], ...]:
        """First pixel and size of each panel."""
        return self.panels or ((0, 0, *self.size),)

    def origin(self) -> np.ndarray:
        """First pixel with two-theta at zero."""
        fast, slow = self.pixel * np.array(self.fast), self.pixel * np.array(self.slow)
        return np.array([0.0, 0.0, -self.distance]) - self.centre[0] * fast - self.centre[1] * slow

    def pose(self, panel: tuple[int, int, int, int], two_theta: float) -> Pose:
        """A panel with the detector swung out."""
        fast, slow = self.pixel * np.array(self.fast), self.pixel * np.array(self.slow)
        turn = turned(self.two_theta_axis, two_theta)
        first = self.origin() + panel[0] * fast + panel[1] * slow
        return Pose((turn @ first)[None], (turn @ fast)[None], (turn @ slow)[None], panel[2:])


@dataclass(frozen=True)
class Crystal:
    """A cell in ångström and degrees, and a turn of the crystal."""

    cell: tuple[float, float, float, float, float, float] = (38.0, 52.0, 61.0, 90.0, 90.0, 90.0)
    seed: int = 1

    def reciprocal(self) -> np.ndarray:
        """Columns a*, b*, c* with the goniometer at zero, per ångström."""
        a, b, c = self.cell[:3]
        alpha, beta, gamma = np.radians(self.cell[3:])
        x = (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
        real = np.array(
            [
                [a, 0, 0],
                [b * np.cos(gamma), b * np.sin(gamma), 0],
                [c * np.cos(beta), c * x, c * np.sqrt(1 - np.cos(beta) ** 2 - x * x)],
            ]
        )
        quaternion = np.random.default_rng(self.seed).normal(size=4)
        angle = 2 * np.arccos(quaternion[0] / np.linalg.norm(quaternion))
        return turned(tuple(quaternion[1:]), np.degrees(angle)) @ np.linalg.inv(real)


@dataclass(frozen=True)
class Frame:
    """Settings at the middle of a frame, the axis that turns, and by how much."""

    settings: dict[str, float]
    turning: str
    width: float
    scan: str = "1"
    two_theta: float | None = None


def sweep(angles: tuple[float, ...], width: float = 0.5, axis: str = "omega", scan: str = "1", **others: float):
    """Frames of one scan at some angles."""
    return [Frame({**others, axis: angle}, axis, width, scan) for angle in angles]


@dataclass(frozen=True)
class Noise:
    """What makes spots imperfect: pixels, and foreign spots for each true one."""

    pixels: float = 0.3
    foreign: float = 0.1
    per_frame: int = 17
    seed: int = 0


def reflections(
    crystal: Crystal, instrument: Instrument, frame: Frame, wavelength: float, smallest: float
) -> list[np.ndarray]:
    """Pixels (n, 2) of the reflections in one frame, for each panel."""
    star = crystal.reciprocal()
    most = np.ceil(np.array(crystal.cell[:3]) / smallest).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij"), -1).reshape(-1, 3)
    q = grid @ star.T
    length = np.linalg.norm(q, axis=1)
    q = q[(length > 0.02) & (length < 1 / smallest)]

    def lab(step: float) -> np.ndarray:
        total = np.eye(3)
        for name, vector in instrument.axes:
            angle = frame.settings.get(name, 0.0) + (step if name == frame.turning else 0.0)
            total = total @ turned(vector, angle)
        return q @ total.T

    # What lies far from the Ewald sphere in the middle of the frame does not reach it.
    far = np.abs(np.linalg.norm(lab(0.0) + BEAM / wavelength, axis=1) - 1 / wavelength)
    q = q[far <= 1.1 * np.radians(0.5 * frame.width) * np.linalg.norm(q, axis=1)]
    first, last = lab(-0.5 * frame.width), lab(0.5 * frame.width)
    ends = [np.linalg.norm(part + BEAM / wavelength, axis=1) - 1 / wavelength for part in (first, last)]
    share = np.clip(ends[0] / np.where(ends[0] == ends[1], 1.0, ends[0] - ends[1]), 0, 1)[:, None]
    crossing = np.sign(ends[0]) != np.sign(ends[1])
    rays = (first * (1 - share) + last * share)[crossing] + BEAM / wavelength
    two_theta = instrument.two_theta if frame.two_theta is None else frame.two_theta
    found = []
    for panel in instrument.faces:
        pose = instrument.pose(panel, two_theta)
        # Where the rays meet the plane of the panel, by its normal.
        normal = np.cross(pose.fast_step[0], pose.slow_step[0])
        ahead = (normal @ pose.origin[0]) / (rays @ normal)
        local = ahead[:, None] * rays - pose.origin[0]
        inside = np.stack([local @ pose.fast_step[0], local @ pose.slow_step[0]], axis=1) / instrument.pixel**2
        inside = np.column_stack([inside, ahead])
        good = (inside[:, 2] > 0) & (inside[:, 0] > 2) & (inside[:, 1] > 2)
        good &= (inside[:, 0] < panel[2] - 3) & (inside[:, 1] < panel[3] - 3)
        found.append(inside[good, :2])
    return found


def spots_of(
    crystal: Crystal,
    instrument: Instrument,
    frames: list[Frame],
    noise: Noise,
    wavelength: float = 1.0,
    smallest: float = 1.8,
) -> list[list[np.ndarray]]:
    """Pixels of spots for each frame and panel, with noise and foreign ones."""
    source = np.random.default_rng(noise.seed)
    made = []
    for frame in frames:
        true = reflections(crystal, instrument, frame, wavelength, smallest)
        owner = np.concatenate([np.full(len(part), index) for index, part in enumerate(true)])
        pixels = np.concatenate(true)
        # Intensities of Wilson's statistics, falling off with resolution.
        off = np.hypot(*((pixels + [instrument.faces[int(o)][:2] for o in owner]) - instrument.centre).T)
        bright = source.exponential(size=len(pixels)) * np.exp(-2.0 * (off / 200.0) ** 2)
        chosen = np.argsort(-bright)[: noise.per_frame]
        pixels = pixels[chosen] + source.normal(0, noise.pixels, (len(chosen), 2))
        owner = owner[chosen]
        count = source.binomial(noise.per_frame, noise.foreign) if noise.foreign else 0
        strangers = source.integers(0, len(instrument.faces), count)
        sizes = np.array([instrument.faces[index][2:] for index in strangers]).reshape(-1, 2)
        pixels = np.concatenate([pixels, source.uniform(0, 1, (count, 2)) * sizes])
        owner = np.concatenate([owner, strangers])
        made.append([pixels[owner == index] for index in range(len(instrument.faces))])
    return made


def stated(
    instrument: Instrument, frames: list[Frame], spots: list[list[np.ndarray]], wavelength: float = 1.0
) -> Sample:
    """The same spots under the geometry that somebody states."""
    shots = []
    for number, (frame, found) in enumerate(zip(frames, spots, strict=True)):
        two_theta = instrument.two_theta if frame.two_theta is None else frame.two_theta
        faces = tuple(
            face_of(*(instrument.pose(panel, angle) for angle in (0.0, two_theta, -two_theta)))
            for panel in instrument.faces
        )
        turns = tuple(
            Turn(name, np.array(vector), frame.settings.get(name, 0.0), frame.width if name == frame.turning else 0.0)
            for name, vector in instrument.axes
        )
        parts = tuple(Spots(part[:, 0], part[:, 1], np.ones(len(part)), np.full(len(part), 5)) for part in found)
        shots.append(Shot(f"{frame.scan}/{number + 1}", frame.scan, turns, faces, parts, wavelength, BEAM))
    return Sample(tuple(shots))


def mistaken(instrument: Instrument, name: str) -> Instrument:
    """The statement of somebody who made one mistake."""
    fast, slow = np.array(instrument.fast), np.array(instrument.slow)
    changes = {
        "fast reversed": {"fast": tuple(-fast)},
        "slow reversed": {"slow": tuple(-slow)},
        "fast and slow reversed": {"fast": tuple(-fast), "slow": tuple(-slow)},
        "fast and slow swapped": {"fast": tuple(slow), "slow": tuple(fast)},
        "two-theta reversed": {"two_theta": -instrument.two_theta},
        "image flipped along slow": {
            "slow": tuple(-slow),
            "centre": (instrument.centre[0], instrument.size[1] - 1 - instrument.centre[1]),
        },
        "image flipped along fast": {
            "fast": tuple(-fast),
            "centre": (instrument.size[0] - 1 - instrument.centre[0], instrument.centre[1]),
        },
        "beam centre off": {"centre": (instrument.centre[0] + 22.0, instrument.centre[1] - 17.0)},
    }
    if name.startswith("axis "):
        which = name.split()[1]
        axes = tuple((axis, tuple(-np.array(vector)) if axis == which else vector) for axis, vector in instrument.axes)
        return replace(instrument, axes=axes)
    return replace(instrument, **changes[name])


@dataclass(frozen=True)
class Content:
    """What an image holds beside its spots."""

    background: float = 12.0
    stop: float = 12.0
    hot: tuple[tuple[int, int], ...] = ()
    rings: tuple[float, ...] = ()
    height: float = 900.0
    overload: int | None = None
    gaps: tuple[tuple[int, int], ...] = field(default=())


def image_of(
    pixels: np.ndarray, size: tuple[int, int], centre: tuple[float, float], content: Content, seed: int
) -> np.ndarray:
    """An image (slow, fast) int32: a falling background, spots, beam stop, rings, hot pixels, gaps of -1."""
    source = np.random.default_rng(seed)
    slow, fast = np.mgrid[: size[1], : size[0]].astype(float)
    radius = np.hypot(fast - centre[0], slow - centre[1])
    mean = content.background * 3.0 / (1.0 + (radius / 120.0) ** 2) + 0.2 * content.background
    for ring in content.rings:
        mean += content.background * np.exp(-0.5 * ((radius - ring) / 1.2) ** 2)
    mean[radius < content.stop] *= 0.05
    for along, down in pixels:
        height = content.height * source.exponential() + 150.0
        low, left = max(int(down) - 4, 0), max(int(along) - 4, 0)
        part = np.s_[low : int(down) + 6, left : int(along) + 6]
        spread = (fast[part] - along) ** 2 + (slow[part] - down) ** 2
        mean[part] += height * np.exp(-0.5 * spread / 0.9**2) / 5.0
    image = source.poisson(mean).astype(np.int32)
    for along, down in content.hot:
        image[down, along] = 5000
    if content.overload is not None:
        image = np.minimum(image, content.overload)
    for first, end in content.gaps:
        image[first:end] = -1
    return image
