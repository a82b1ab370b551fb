"""Detectors that are not one flat rectangle: where their modules stand, from a few numbers of their makers."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from imgcif_core.records import dataclass
from imgcif_core.sources.description import PanelFacts


class Shape(Protocol):
    """The modules of a detector, from where a flat one in its place would stand."""

    def panels(self, flat: PanelFacts, beam_centre: tuple[float, float], distance: float) -> tuple[PanelFacts, ...]:
        """The modules; beam_centre in pixels from the corner of the image, distance in mm."""


@dataclass(frozen=True)
class FlatModules:
    """Modules in one plane: first pixel and size in the image, place of that pixel on the whole, in pixels."""

    modules: tuple[tuple[int, ...], ...]

    def panels(self, flat: PanelFacts, beam_centre: tuple[float, float], distance: float) -> tuple[PanelFacts, ...]:
        """The modules on the plane of the flat panel."""
        found = []
        for number, (fast, slow, width, height, place_fast, place_slow) in enumerate(self.modules, 1):
            corner = (
                flat.corner + place_fast * flat.pixel_size[0] * flat.fast + place_slow * flat.pixel_size[1] * flat.slow
            )
            entry = replace(flat, name=f"module{number}", size=(width, height), corner=corner, raw_offset=(fast, slow))
            found.append(entry)
        return tuple(found)


@dataclass(frozen=True)
class Arc:
    """Rows of modules on an arc about a horizontal axis through the sample; lengths in mm, angles in degrees.

    Row j begins at image line j * pitch, at the angle first + module / 2 + j * (module + gap). `half_width`
    and `half_height` reach from the middle of a row to its first pixel. `ideal_beam` is the beam centre for
    which the arc is centred; another one in a header, and a distance, shift the whole.
    """

    rows: int
    row_size: tuple[int, int]
    pitch: int
    pixel: float
    radius: float
    half_width: float
    half_height: float
    first_angle: float
    module_angle: float
    gap_angle: float
    ideal_beam: tuple[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of the whole image along fast and slow."""
        return self.row_size[0], (self.rows - 1) * self.pitch + self.row_size[1]

    def panels(self, flat: PanelFacts, beam_centre: tuple[float, float], distance: float) -> tuple[PanelFacts, ...]:
        """The rows in the frame of somebody at the source: fast runs to the left, slow up along the arc."""
        step = self.module_angle + self.gap_angle
        turns = np.radians(self.first_angle + 0.5 * self.module_angle + step * np.arange(self.rows))
        shift = np.array(
            [
                -self.pixel * (self.ideal_beam[0] - beam_centre[0]),
                self.pixel * (self.ideal_beam[1] - beam_centre[1]),
                -distance,
            ]
        )
        fast = np.array([-1.0, 0.0, 0.0])
        found = []
        for row, turn in enumerate(turns.tolist()):
            sine, cosine = float(np.sin(turn)), float(np.cos(turn))
            slow = np.array([0.0, sine, -cosine])
            outward = np.array([0.0, -cosine, -sine])
            corner = self.radius * outward - self.half_width * fast - self.half_height * slow + shift
            entry = replace(
                flat,
                name=f"row{row + 1}",
                size=self.row_size,
                corner=corner,
                fast=fast,
                slow=slow,
                raw_offset=(0, row * self.pitch),
            )
            found.append(entry)
        return tuple(found)
