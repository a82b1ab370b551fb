"""Where one flat panel lies, and what follows from it: corners, distance, where rays meet it."""

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass

DOWNSTREAM = np.array([0.0, 0.0, -1.0])
# Sine of the angle between a ray and a plane below which the sines and cosines of the placement decide.
EDGE_ON = 1e-12


@dataclass(frozen=True, slots=True)
class Pose:
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
    def fast(self) -> Floats:
        """Unit vectors along fast: (frames, 3)."""
        return unit(self.fast_step)

    @property
    def slow(self) -> Floats:
        """Unit vectors along slow: (frames, 3)."""
        return unit(self.slow_step)

    @property
    def pixel_size(self) -> Floats:
        """Length of the steps along fast and slow: (2,) mm."""
        return np.array([np.linalg.norm(self.fast_step[0]), np.linalg.norm(self.slow_step[0])])

    @property
    def normal(self) -> Floats:
        """Unit vectors along fast x slow: (frames, 3); null where the two are parallel."""
        return unit(np.cross(self.fast_step, self.slow_step))

    @property
    def corner(self) -> Floats:
        """Outer corner of the first pixel, half a pixel back along both steps: (frames, 3) mm."""
        return self.origin - 0.5 * self.fast_step - 0.5 * self.slow_step

    @property
    def centre(self) -> Floats:
        """Centre of the panel: (frames, 3) mm."""
        return self.at(0.5 * (self.size[0] - 1), 0.5 * (self.size[1] - 1))

    @property
    def normal_distance(self) -> Floats:
        """Distance of the sample from the plane of the panel, positive: (frames,) mm."""
        found: Floats = np.abs(np.einsum("fi,fi->f", self.origin, self.normal))
        return found

    def at(self, fast: float | Floats, slow: float | Floats) -> Floats:
        """Laboratory position of a pixel index counted from the first centre: (frames, 3) mm."""
        return self.origin + np.asarray(fast) * self.fast_step + np.asarray(slow) * self.slow_step

    def corners(self) -> Floats:
        """The four outer corners, in the order first, fast end, far, slow end: (frames, 4, 3) mm."""
        fast, slow = self.size[0] * self.fast_step, self.size[1] * self.slow_step
        first = self.corner
        return np.stack([first, first + fast, first + fast + slow, first + slow], axis=1)

    def pixel_coordinates(self, frame: int = 0) -> Floats:
        """Laboratory positions of all pixel centres for one frame: (slow, fast, 3) mm."""
        along = np.arange(self.size[0])[:, None] * self.fast_step[frame] + self.origin[frame]
        down = np.arange(self.size[1])[:, None] * self.slow_step[frame]
        found: Floats = along[None, :, :] + down[:, None, :]
        return found

    def beam_centre(self, beam: Floats = DOWNSTREAM) -> Floats:
        """Where a ray from the sample meets the plane: (frames, 2) pixels from the first centre.

        nan where the ray is parallel to the plane or meets it behind the sample.
        """
        return self.intersect(np.broadcast_to(np.asarray(beam, dtype=float), self.origin.shape))

    def intersect(self, rays: Floats) -> Floats:
        """Pixel indices (frames, 2) in which rays (frames, 3) from the sample meet the plane."""
        normal = np.cross(self.fast_step, self.slow_step)
        across = np.einsum("fi,fi->f", rays, normal)
        height = np.einsum("fi,fi->f", self.origin, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = height / across
            inside = reach[:, None] * rays - self.origin
            area = np.einsum("fi,fi->f", normal, normal)
            fast = np.einsum("fi,fi->f", np.cross(inside, self.slow_step), normal) / area
            slow = np.einsum("fi,fi->f", np.cross(self.fast_step, inside), normal) / area
        found = np.stack([fast, slow], axis=1)
        scale = np.linalg.norm(rays, axis=1) * np.sqrt(area)
        found[~(reach > 0) | (np.abs(across) <= EDGE_ON * scale)] = np.nan
        return found

    def holds(self, pixels: Floats) -> Floats:
        """Whether pixel indices (frames, 2) lie on the panel: (frames,) bool."""
        limit = np.array(self.size) - 0.5
        with np.errstate(invalid="ignore"):
            return np.asarray(((pixels >= -0.5) & (pixels <= limit)).all(axis=1))
