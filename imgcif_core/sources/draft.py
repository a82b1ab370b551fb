"""What the header of a plain image tells: a flat detector across the beam and one rotation, with gaps.

The view of all words is that of somebody who stands at the source and looks along the beam, past the
crystal, at the detector: up is 12 o'clock, right is 3 o'clock. In numbers right is +X, up is +Y, and
the source lies towards +Z.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.sources.description import (
    AxisFacts,
    BeamFacts,
    Experiment,
    ImageFiles,
    PanelFacts,
    Provenance,
    ScanFacts,
)

CORNERS = {
    "top left": (1.0, -1.0),
    "top right": (-1.0, -1.0),
    "bottom left": (1.0, 1.0),
    "bottom right": (-1.0, 1.0),
}
_RIGHT, _UP, _TO_SOURCE = np.eye(3)


class Incomplete:
    """A description of which some facts may still be missing, under the keys of the questions."""

    path: str
    probe: str | None
    facts: Mapping[str, str]
    provenance: Mapping[str, Provenance]
    notes: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """The names of the facts without which no imgCIF can be written."""
        raise NotImplementedError

    def experiment(self) -> Experiment:
        """The whole description.

        Raises
        ------
        InputError
            If facts are missing.
        """
        raise NotImplementedError

    def with_fact(self, name: str, value: object, provenance: Provenance) -> Self:
        """The same with one fact more, or another one; a fact that has no place here is left out."""
        if not hasattr(self, name):
            return self
        known = dict(self.provenance) | {name: provenance}
        return replace(self, **{name: value, "provenance": known})  # type: ignore[type-var]

    def refuse_gaps(self) -> None:
        """Raise InputError where facts are missing."""
        missing = self.missing()
        if missing:
            raise InputError(f"{self.path}: nothing tells {', '.join(missing)}")


@dataclass(frozen=True)
class Draft(Incomplete):
    """An image whose header tells little; None where nobody has told.

    size : pixels along fast and slow; pixel_size : mm; distance : mm; beam_centre : pixels from the
    outer corner of the first pixel along fast and slow; start, increment, two_theta : degrees;
    axis : (3,) direction of the rotation; first_pixel : a corner of `CORNERS`; fast_direction :
    "horizontal" or "vertical"; gravity : (3,).
    """

    path: str
    kind: str
    images: ImageFiles
    size: tuple[int, int] | None = None
    pixel_size: tuple[float, float] | None = None
    distance: float | None = None
    beam_centre: tuple[float, float] | None = None
    wavelength: float | None = None
    probe: str | None = None
    start: float | None = None
    increment: float | None = None
    two_theta: float = 0.0
    axis: np.ndarray | None = None
    axis_id: str = "omega"
    first_pixel: str | None = None
    fast_direction: str | None = None
    gravity: np.ndarray | None = None
    exposure_time: float | None = None
    date: str | None = None
    underload: float | None = None
    overload: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_still(self) -> bool:
        """True if nothing turns."""
        return self.increment == 0

    def missing(self) -> tuple[str, ...]:
        """The names of the facts that are needed and not known."""
        needed = ["size", "pixel_size", "distance", "beam_centre", "wavelength", "first_pixel", "fast_direction"]
        needed.append("increment")
        if not self.is_still:
            needed += ["start", "axis"]
        return tuple(name for name in needed if getattr(self, name) is None)

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where facts are missing."""
        self.refuse_gaps()
        scan = ScanFacts(
            "SCAN1",
            len(self.images),
            self._settings(),
            (self._panel(),),
            self.images,
            exposure_time=self.exposure_time,
            start_date=self.date,
            wavelength=self.wavelength,
        )
        axes = () if self.axis is None else (AxisFacts(self.axis_id, "rotation", unit(self.axis)),)
        known = dict(self.provenance)
        aliases = {"wavelength": "beam.wavelength", "probe": "beam.probe", "axis": "goniometer", "start": "scans"}
        known |= {new: known[old] for old, new in aliases.items() if old in known}
        pose = [known[name] for name in ("first_pixel", "beam_centre", "distance") if name in known]
        known |= {"panels": pose[0]} if pose else {}
        return Experiment(
            self.path,
            self.kind,
            BeamFacts(_TO_SOURCE, self.wavelength, probe=self.probe),
            axes,
            (scan,),
            (),
            self.facts,
            known,
            self.notes,
            self.gravity,
        )

    def _settings(self) -> dict[str, tuple[float, float]]:
        """Start and increment of the rotation."""
        return {} if self.axis is None else {self.axis_id: (self.start or 0.0, self.increment or 0.0)}

    def _panel(self) -> PanelFacts:
        """The detector across the beam, turned about the rotation axis by two theta."""
        assert self.size and self.pixel_size and self.distance is not None and self.beam_centre
        right, up = CORNERS[self.first_pixel or "top left"]
        fast, slow = right * _RIGHT, up * _UP
        if self.fast_direction == "vertical":
            fast, slow = slow, fast
        centre = [pixels * step for pixels, step in zip(self.beam_centre, self.pixel_size, strict=True)]
        corner = -self.distance * _TO_SOURCE - centre[0] * fast - centre[1] * slow
        panel = PanelFacts(
            "detector",
            self.size,
            self.pixel_size,
            corner,
            fast,
            slow,
            underload=self.underload,
            overload=self.overload,
        )
        if self.two_theta and self.axis is not None:
            return panel.turned(rotation_matrices(self.axis, np.array(self.two_theta)))
        return panel


def clock_direction(hours: float) -> np.ndarray:
    """The direction in which the hand of a clock points at an hour, 12 up and 3 to the right: (3,)."""
    angle = np.radians(hours * 30.0)
    return np.round(np.sin(angle) * _RIGHT + np.cos(angle) * _UP, 12) + 0.0
