"""Where flat panels lie, and what follows from it: corners, distance, where rays meet them."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass

DOWNSTREAM = np.array([0.0, 0.0, -1.0])
# Sine of the angle between a ray and a plane below which the sines and cosines of the placement decide.
EDGE_ON = 1e-12


class Placed:
    """What follows from the place of flat faces; laboratory frame, mm.

    origin : (..., frames, 3) centre of the first stored pixel; fast_step, slow_step : (..., frames, 3) to the next
    pixel centre; the leading dimension is that of the panels, where there are several.
    """

    __slots__ = ()

    origin: Floats
    fast_step: Floats
    slow_step: Floats

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """Pixels along fast and slow, to be broadcast with the steps."""
        raise NotImplementedError

    @property
    def fast(self) -> Floats:
        """Unit vectors along fast: (..., frames, 3)."""
        return unit(self.fast_step)

    @property
    def slow(self) -> Floats:
        """Unit vectors along slow: (..., frames, 3)."""
        return unit(self.slow_step)

    @property
    def pixel_size(self) -> Floats:
        """Length of the steps along fast and slow: (..., 2) mm."""
        steps = np.stack([self.fast_step[..., 0, :], self.slow_step[..., 0, :]], axis=-2)
        return np.asarray(np.linalg.norm(steps, axis=-1))

    @property
    def normal(self) -> Floats:
        """Unit vectors along fast x slow: (..., frames, 3); null where the two are parallel."""
        return unit(np.cross(self.fast_step, self.slow_step))

    @property
    def corner(self) -> Floats:
        """Outer corner of the first pixel, half a pixel back along both steps: (..., frames, 3) mm."""
        return self.origin - 0.5 * self.fast_step - 0.5 * self.slow_step

    @property
    def centre(self) -> Floats:
        """Centre of the panel: (..., frames, 3) mm."""
        fast, slow = self.counts
        return self.at(0.5 * (fast - 1), 0.5 * (slow - 1))

    @property
    def normal_distance(self) -> Floats:
        """Distance of the sample from the plane of the panel, positive: (..., frames) mm."""
        found: Floats = np.abs(np.einsum("...i,...i->...", self.origin, self.normal))
        return found

    @property
    def nearest(self) -> Floats:
        """Distance of the sample from the nearest point of a panel with right angles: (..., frames) mm."""
        nearest = self.origin
        for step, count in zip((self.fast_step, self.slow_step), self.counts, strict=True):
            along = -np.einsum("...i,...i->...", self.origin, step) / np.einsum("...i,...i->...", step, step)
            nearest = nearest + np.clip(along[..., None], -0.5, count - 0.5) * step
        return np.asarray(np.linalg.norm(nearest, axis=-1))

    def at(self, fast: float | Floats, slow: float | Floats) -> Floats:
        """Laboratory position of a pixel index counted from the first centre: (..., frames, 3) mm."""
        return self.origin + np.asarray(fast) * self.fast_step + np.asarray(slow) * self.slow_step

    def corners(self) -> Floats:
        """The four outer corners, in the order first, fast end, far, slow end: (..., frames, 4, 3) mm."""
        counts = self.counts
        fast, slow = counts[0] * self.fast_step, counts[1] * self.slow_step
        first = self.corner
        return np.stack([first, first + fast, first + fast + slow, first + slow], axis=-2)

    def beam_centre(self, beam: Floats = DOWNSTREAM) -> Floats:
        """Where a ray from the sample meets the plane: (..., frames, 2) pixels from the first centre.

        nan where the ray is parallel to the plane or meets it behind the sample.
        """
        return self.intersect(np.broadcast_to(np.asarray(beam, dtype=float), self.origin.shape))

    def intersect(self, rays: Floats) -> Floats:
        """Pixel indices (..., frames, 2) in which rays (..., frames, 3) from the sample meet the plane."""
        normal = np.cross(self.fast_step, self.slow_step)
        across = np.einsum("...i,...i->...", rays, normal)
        height = np.einsum("...i,...i->...", self.origin, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = height / across
            inside = reach[..., None] * rays - self.origin
            area = np.einsum("...i,...i->...", normal, normal)
            fast = np.einsum("...i,...i->...", np.cross(inside, self.slow_step), normal) / area
            slow = np.einsum("...i,...i->...", np.cross(self.fast_step, inside), normal) / area
        found = np.stack([fast, slow], axis=-1)
        scale = np.linalg.norm(rays, axis=-1) * np.sqrt(area)
        found[~(reach > 0) | (np.abs(across) <= EDGE_ON * scale)] = np.nan
        return found


@dataclass(frozen=True, slots=True)
class Pose(Placed):
    """Where one flat panel lies, for each frame; laboratory frame, mm; immutable.

    origin : (frames, 3) centre of the first stored pixel; fast_step, slow_step : (frames, 3) to the
    next pixel centre; size : pixels along fast and slow, 0 where not given.
    """

    origin: Floats
    fast_step: Floats
    slow_step: Floats
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """Pixels along fast and slow."""
        return np.asarray(self.size[0]), np.asarray(self.size[1])

    def pixel_coordinates(self, frame: int = 0) -> Floats:
        """Laboratory positions of all pixel centres for one frame: (slow, fast, 3) mm."""
        along = np.arange(self.size[0])[:, None] * self.fast_step[frame] + self.origin[frame]
        down = np.arange(self.size[1])[:, None] * self.slow_step[frame]
        found: Floats = along[None, :, :] + down[:, None, :]
        return found

    def holds(self, pixels: Floats) -> Floats:
        """Whether pixel indices (frames, 2) lie on the panel: (frames,) bool."""
        limit = np.array(self.size) - 0.5
        with np.errstate(invalid="ignore"):
            return np.asarray(((pixels >= -0.5) & (pixels <= limit)).all(axis=1))


@dataclass(frozen=True, slots=True)
class Poses(Placed, Sequence[Pose]):
    """Where several flat panels lie, for each frame, as columns; laboratory frame, mm; immutable.

    origin, fast_step, slow_step : (panels, frames, 3); size : (panels, 2) pixels along fast and slow, 0 where not
    given.
    """

    origin: Floats
    fast_step: Floats
    slow_step: Floats
    size: Floats

    def __len__(self) -> int:
        return len(self.origin)

    @overload
    def __getitem__(self, index: int) -> Pose: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pose]: ...
    def __getitem__(self, index: int | slice) -> Pose | list[Pose]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        fast, slow = self.size[index].tolist()
        return Pose(self.origin[index], self.fast_step[index], self.slow_step[index], (fast, slow))

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """Pixels along fast and slow: (panels, 1, 1) each."""
        return self.size[:, 0, None, None], self.size[:, 1, None, None]

    def only(self, panels: Floats) -> "Poses":
        """Some of them."""
        return Poses(self.origin[panels], self.fast_step[panels], self.slow_step[panels], self.size[panels])
