"""What the header of a plain image tells: a detector across the beam and a goniometer, with gaps.

The view of all words is that of somebody who stands at the source and looks along the beam, past the
crystal, at the detector: up is 12 o'clock, right is 3 o'clock. In numbers right is +X, up is +Y, and
the source lies towards +Z.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import (
    AxisFacts,
    BeamFacts,
    Experiment,
    ImageFiles,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.sources.shapes import Shape
from imgcif_core.sources.statements import Fate, Statement, renewed

CORNERS = {
    "top left": (1.0, -1.0),
    "top right": (-1.0, -1.0),
    "bottom left": (1.0, 1.0),
    "bottom right": (-1.0, 1.0),
}
_RIGHT, _UP, _TO_SOURCE = np.eye(3)
# From the base to the sample, as kappa and Euler goniometers are built.
ORDER = ("omega", "kappa", "chi", "phi")
STANDING = ("omega", "kappa", "chi", "phi")
# What no detector of diffraction has: pixels in mm, lengths in mm, wavelengths in angstrom.
_PIXELS, _DISTANCES, _WAVELENGTHS = (1e-4, 5.0), (1e-3, 1e6), (1e-3, 100.0)


class Incomplete:
    """A description of which some facts may still be missing, under the keys of the questions."""

    path: str
    probe: str | None
    wavelength: float | None
    facts: Mapping[str, str]
    provenance: Mapping[str, Provenance]
    notes: tuple[str, ...]
    statements: tuple[Statement, ...] = ()
    proposals: Mapping[str, tuple[str, str]] = {}

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

    def guessed(self) -> Experiment:
        """The description with defaults for directions that nobody told, marked as such: only for comparisons."""
        return self.experiment()

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
    """An image or master whose header tells little; None where nobody has told.

    size : pixels along fast and slow; pixel_size : mm; distance : mm; beam_centre : pixels from the
    outer corner of the first pixel along fast and slow, with the detector arm at zero; wavelengths : (frames,)
    angstrom, where the shots of a source differ; start, increment,
    two_theta : degrees; axis : (3,) direction of the rotation; first_pixel : a corner of `CORNERS`;
    fast_direction : "horizontal" or "vertical"; gravity : (3,).

    `absent` are files that hold the images, of which nothing tells how many each holds.
    `standing` holds the settings of axes that do not move, in degrees by name; `directions` the
    direction of such an axis with all angles at zero, (3,), or None where a person left it out.
    `goniometer` is a whole one, base first. `panels` and `mounting` replace what distance and beam centre
    tell, where a source places its panels itself; `to_source` is the direction of its beam, (3,), in such a
    frame of its own, and +Z without it.
    """

    path: str
    kind: str
    images: ImageFiles | None
    size: tuple[int, int] | None = None
    pixel_size: tuple[float, float] | None = None
    distance: float | None = None
    beam_centre: tuple[float, float] | None = None
    wavelength: float | None = None
    probe: str | None = None
    start: float | None = None
    increment: float | None = None
    two_theta: float = 0.0
    two_theta_axis: np.ndarray | None = None
    axis: np.ndarray | None = None
    axis_id: str = "omega"
    standing: Mapping[str, float] = field(default_factory=dict)
    directions: Mapping[str, np.ndarray | None] = field(default_factory=dict)
    goniometer: tuple[AxisFacts, ...] = ()
    varying: Mapping[str, np.ndarray] = field(default_factory=dict)
    first_pixel: str | None = None
    fast_direction: str | None = None
    shape: Shape | None = None
    panels: tuple[PanelFacts, ...] = ()
    mounting: tuple[AxisFacts, ...] = ()
    detector_settings: Mapping[str, float] = field(default_factory=dict)
    gravity: np.ndarray | None = None
    frames: int | None = None
    first_number: int = 1
    exposure_time: float | None = None
    period: float | None = None
    date: str | None = None
    end_date: str | None = None
    underload: float | None = None
    overload: float | None = None
    sensor: Mapping[str, Any] = field(default_factory=dict)
    polarization_fraction: float | None = None
    polarization_normal: np.ndarray | None = None
    to_source: np.ndarray | None = None
    flux: float | None = None
    absent: ImageFiles | None = None
    wavelengths: np.ndarray | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str | float] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    proposals: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_still(self) -> bool:
        """True if nothing turns."""
        return self.increment == 0 and not self.varying

    @property
    def count(self) -> int | None:
        """The number of images, None where nothing tells it."""
        return len(self.images) if self.images is not None else self.frames

    @property
    def header(self) -> dict[str, str]:
        """What the header states, by lower-case key."""
        return {entry.place.lower(): entry.value for entry in self.statements}

    @property
    def unknown_axes(self) -> tuple[str, ...]:
        """Axes that stand at an angle and whose direction nobody has told."""
        if self.goniometer:
            return ()
        return tuple(
            name
            for name in STANDING
            if name != self._moving and self.standing.get(name) and name not in self.directions
        )

    @property
    def _moving(self) -> str | None:
        """The axis that turns, None in a still."""
        return None if self.is_still else self.axis_id

    def missing(self) -> tuple[str, ...]:
        """The names of the facts that are needed and not known."""
        needed = ["wavelength"]
        if not self.panels:
            needed += ["size", "pixel_size", "distance", "beam_centre"]
            needed += [] if self.shape is not None else ["first_pixel", "fast_direction"]
            needed += ["two_theta_axis"] if self.two_theta else []
        needed.append("increment")
        if not self.is_still:
            needed += ["start", "axis"] if not self.goniometer else ["start"]
        found = [name for name in needed if getattr(self, name) is None]
        found += ["frames"] if self.count is None else []
        return (*found, *(f"{name}_axis" for name in self.unknown_axes))

    def with_fact(self, name: str, value: object, provenance: Provenance) -> Self:
        """The same with one fact more; the direction of a standing axis goes by its name, such as kappa_axis."""
        axis = name.removesuffix("_axis")
        if name != axis and axis in STANDING:
            direction = None if isinstance(value, str) else unit(np.asarray(value, dtype=float))
            if direction is None:
                reason = "a person said so, as nobody knows the direction of the axis"
                statements = renewed(self.statements, (axis,), Fate.LEFT_OUT, reason)
            else:
                statements = renewed(self.statements, (axis,), Fate.USED)
            known = dict(self.provenance) | {name: provenance}
            chosen = {**self.directions, axis: direction}
            return replace(self, directions=chosen, provenance=known, statements=statements)
        return super().with_fact(name, value, provenance)

    def sound(self) -> Self:
        """The same without values that cannot be: these are asked about."""
        draft = self
        for name, (low, high), unit_name in (
            ("pixel_size", _PIXELS, "mm"),
            ("distance", _DISTANCES, "mm"),
            ("wavelength", _WAVELENGTHS, "angstrom"),
        ):
            value = getattr(draft, name)
            values = value if isinstance(value, tuple) else (value,)
            if value is not None and not all(low <= one <= high for one in values):
                shown = " x ".join(f"{one:.6g}" for one in values)
                words = name.replace("_", " ")
                draft = draft._doubted(name, f"a {words} of {shown} {unit_name} cannot be, so it is asked for")
        centre = draft.beam_centre
        if centre is not None and centre[0] == 0 and centre[1] == 0:
            draft = draft._doubted("beam_centre", "a beam centre of 0, 0 stands for one that nobody filled in")
        return draft

    def _doubted(self, name: str, note: str) -> Self:
        """The same without a value, with a remark about it."""
        known = {key: value for key, value in self.provenance.items() if key != name}
        return replace(self, **{name: None, "notes": (*self.notes, note), "provenance": known})  # type: ignore

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where facts are missing."""
        self.refuse_gaps()
        return self._built()

    def guessed(self) -> Experiment:
        """The description with the rotation along +X and the arm where it was: only for comparisons.

        The provenance says which of it is a default.

        Raises
        ------
        InputError
            If the place of the detector is not known.
        """
        draft: Draft = self
        for name in ("first_pixel", "fast_direction"):
            if getattr(draft, name) is None:
                draft = replace(draft, **{name: {"first_pixel": "top left"}.get(name, "horizontal")})  # type: ignore
        if draft.axis is None and not draft.goniometer:
            words = "axis taken along +X; the header gives no direction"
            draft = draft.with_fact("axis", _RIGHT, Provenance(Origin.DEFAULT, self.path, words))
        blank = dict.fromkeys(name for name in draft.unknown_axes)
        known: dict[str, Any] = {
            "start": draft.start or 0.0,
            "increment": draft.increment or 0.0,
            "frames": draft.count or 1,
        }
        if draft.two_theta_axis is None:
            known["two_theta"] = 0.0
        draft = replace(draft, directions={**draft.directions, **blank}, **known)
        lacking = [name for name in draft.missing() if name != "wavelength"]
        if lacking:
            raise InputError(f"{self.path}: the header does not give {', '.join(lacking).replace('_', ' ')}")
        return draft._built()

    def _built(self) -> Experiment:
        """The experiment of what is known."""
        axes = self._axes()
        panels, mounting, places = self._detector()
        scan = ScanFacts(
            "SCAN1",
            self.count or 0,
            self._settings(axes),
            panels,
            self.images,
            self.first_number,
            self.exposure_time,
            self.period,
            self.date,
            self.end_date,
            self.wavelength,
            {name: values for name, values in self.varying.items() if name in {axis.id for axis in axes}},
            places,
            absent=self.absent,
        )
        beam = BeamFacts(
            _TO_SOURCE if self.to_source is None else self.to_source,
            self.wavelength,
            self.wavelengths if self.wavelengths is not None and len(self.wavelengths) == self.count else None,
            self.probe,
            polarization_fraction=self.polarization_fraction,
            polarization_normal=self.polarization_normal,
            flux=self.flux,
        )
        return Experiment(
            self.path,
            self.kind,
            beam,
            axes,
            (scan,),
            mounting,
            self.facts,
            self._origins(),
            self.notes,
            self.gravity,
            self.items,
            self.statements,
        )

    def _origins(self) -> dict[str, Provenance]:
        """Where the parts come from, by the names of an experiment's fields."""
        known = dict(self.provenance)
        aliases = {
            "wavelength": "beam.wavelength",
            "probe": "beam.probe",
            "polarization_fraction": "beam.polarization_fraction",
            "axis": "goniometer",
            "start": "scans",
        }
        known |= {new: known[old] for old, new in aliases.items() if old in known and new not in known}
        pose = [known[name] for name in ("panels", "first_pixel", "beam_centre", "distance") if name in known]
        return known | ({"panels": pose[0]} if pose else {})

    def _axes(self) -> tuple[AxisFacts, ...]:
        """The goniometer from the base: a whole one, else the axes whose directions are known."""
        if self.goniometer:
            return self.goniometer
        vectors = {name: vector for name, vector in self.directions.items() if vector is not None}
        if self.axis is not None:
            vectors[self.axis_id] = self.axis
        names = sorted(vectors, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
        parents = [None, *names[:-1]][: len(names)]
        return tuple(
            AxisFacts(name, "rotation", unit(vectors[name]), parent)
            for name, parent in zip(names, parents, strict=True)
        )

    def _settings(self, axes: Iterable[AxisFacts]) -> dict[str, tuple[float, float]]:
        """Start and increment of all axes of the goniometer."""
        found = {axis.id: (float(self.standing.get(axis.id, 0.0)), 0.0) for axis in axes}
        if self.axis_id in found:
            found[self.axis_id] = (self.start or 0.0, self.increment or 0.0)
        return found

    def _detector(self) -> tuple[tuple[PanelFacts, ...], tuple[AxisFacts, ...], Mapping[str, float]]:
        """The panels where they stand, and the axes of the arm with their settings where it is turned."""
        if self.panels:
            return self.panels, self.mounting, self.detector_settings
        assert self.distance is not None and self.beam_centre
        flat = self._panel()
        panels = (flat,) if self.shape is None else self.shape.panels(flat, self.beam_centre, self.distance)
        if not self.two_theta or self.two_theta_axis is None:
            return panels, (), {}
        turn = rotation_matrices(self.two_theta_axis, np.array(self.two_theta))
        arm = AxisFacts("two_theta", "rotation", unit(self.two_theta_axis))
        carriage = AxisFacts("distance", "translation", -_TO_SOURCE, "two_theta")
        settings = {"two_theta": self.two_theta, "distance": self.distance}
        return tuple(panel.turned(turn) for panel in panels), (arm, carriage), settings

    def _panel(self) -> PanelFacts:
        """One flat detector across the beam, with the arm at zero."""
        assert self.size and self.pixel_size and self.distance is not None and self.beam_centre
        right, up = CORNERS[self.first_pixel or "top left"]
        fast, slow = right * _RIGHT, up * _UP
        if self.fast_direction == "vertical":
            fast, slow = slow, fast
        centre = [pixels * step for pixels, step in zip(self.beam_centre, self.pixel_size, strict=True)]
        corner = -self.distance * _TO_SOURCE - centre[0] * fast - centre[1] * slow
        limits: dict[str, Any] = {"underload": self.underload, "overload": self.overload, **self.sensor}
        return PanelFacts("detector", self.size, self.pixel_size, corner, fast, slow, **limits)


def clock_direction(hours: float) -> Floats:
    """The direction in which the hand of a clock points at an hour, 12 up and 3 to the right: (3,)."""
    angle = np.radians(hours * 30.0)
    found: Floats = np.round(np.sin(angle) * _RIGHT + np.cos(angle) * _UP, 12) + 0.0
    return found
