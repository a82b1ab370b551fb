"""What is exported of a file: circles, sweeps and the plan that holds them, as plain frozen data."""

import numpy as np

from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import ImageFiles, PanelFacts


@dataclass(frozen=True, slots=True)
class Circle:
    """One rotation of the goniometer in a sweep; vector (3,) with all axes at zero, degrees."""

    id: str
    vector: np.ndarray
    start: float
    step: float

    @property
    def forwards(self) -> "Circle":
        """The same motion by positive steps: one that turns backwards is reversed with its angles."""
        return self if self.step >= 0 else Circle(self.id, -self.vector, -self.start, -self.step)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Frames that follow each other evenly, or a still; immutable.

    `circles` run from the base to the sample; `number` is the frame number of the first frame in its
    scan. `panels` carry their place in the stored array; `arrays` names the array of each panel.
    source : (3,) unit vector to the source; gravity : (3,) or None. `dates` are those of the first and
    the last frame, as written.
    """

    id: str
    block: str
    number: int
    frames: int
    circles: tuple[Circle, ...]
    panels: tuple[PanelFacts, ...]
    arrays: tuple[str, ...]
    images: ImageFiles | None
    is_local: bool
    wavelength: float
    source: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    gravity: np.ndarray | None = None
    exposure_time: float | None = None
    dates: tuple[str | None, str | None] = (None, None)

    @property
    def forwards(self) -> tuple[Circle, ...]:
        """The circles, each with a step that is not negative."""
        return tuple(circle.forwards for circle in self.circles)

    @property
    def turning(self) -> Circle | None:
        """The circle that turns during the sweep; None for a still."""
        return next((circle for circle in self.circles if circle.step != 0), None)


@dataclass(frozen=True)
class Plan:
    """All sweeps of a file, what is common to them, and in words what no sweep carries; immutable.

    polarization : fraction in 0 to 1 and the normal (3,) of its plane, None where not given.
    """

    path: str
    probe: str | None
    polarization: tuple[float, np.ndarray] | None
    sweeps: tuple[Sweep, ...]
    facts: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
