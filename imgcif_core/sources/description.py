"""What any source tells of an experiment: beam, goniometer, detector, scans and files, in one form.

Frame of every vector: right-handed, origin at the sample, Z from the sample towards the source as far
as the source's own convention says so (dxtbx as it is, NeXus after (x, y, z) -> (-x, y, -z)). The frame
is *not* yet turned so that the principal axis lies along X: `principal_rotation` gives that turn.
Millimetres, degrees, ångström, seconds.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np

from imgcif_core.model.vectors import unit
from imgcif_core.records import cached_property, dataclass, field
from imgcif_core.sources.statements import Statement

IDENTITY = np.eye(3)
_SIN_22_5 = np.sin(np.radians(22.5))


class Origin(StrEnum):
    """Who says a value."""

    FILE = "file"
    KNOWLEDGE = "knowledge"
    PERSON = "person"
    DERIVED = "derived"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from: who says it, the file, data base or person, and the place in it."""

    origin: Origin
    source: str
    place: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.origin}:", self.source, self.place) if part)


@dataclass(frozen=True, slots=True)
class BeamFacts:
    """The beam; None where the source does not say.

    source : (3,) unit vector from the sample to the source; wavelength in ångström, the mean where
    `wavelengths` (frames,) gives one per frame; polarization_normal : (3,) unit vector; band : of a beam of
    many wavelengths, its ends in ångström, empty where these are not told.
    """

    source: np.ndarray
    wavelength: float | None = None
    wavelengths: np.ndarray | None = None
    probe: str | None = None
    polarization_fraction: float | None = None
    polarization_normal: np.ndarray | None = None
    flux: float | None = None
    band: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class AxisFacts:
    """One axis of the goniometer or of the detector's mounting, with all axes at zero.

    vector : (3,) unit vector; offset : (3,) mm, relative to the axis `depends_on`, None for a base.
    """

    id: str
    kind: str
    vector: np.ndarray
    depends_on: str | None = None
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True, slots=True)
class PanelFacts:
    """One flat panel as it stands at the start of a scan.

    corner : (3,) mm, the outer corner of the first stored pixel; fast, slow : (3,) unit vectors;
    size, pixel_size (mm), raw_offset (pixels from the first datum of the stored array) : fast, slow;
    raw_index : counted from 0, along the slower dimensions of that array, fastest of them first;
    array, array_shape : the stored array that holds the panel, with its dimensions from the fastest, where
    the parts of a detector are stored apart; group : names of the parts of the detector that hold the panel,
    outermost first. Pixels at or above `overload` and below `underload` are not valid; thickness in mm.
    """

    name: str
    size: tuple[int, int]
    pixel_size: tuple[float, float]
    corner: np.ndarray
    fast: np.ndarray
    slow: np.ndarray
    raw_offset: tuple[int, int] = (0, 0)
    group: tuple[str, ...] = ()
    underload: float | None = None
    overload: float | None = None
    undefined_value: float | None = None
    gain: float | None = None
    material: str | None = None
    thickness: float | None = None
    raw_index: tuple[int, ...] = ()
    array: str = ""
    array_shape: tuple[int, ...] = ()

    @property
    def origin(self) -> np.ndarray:
        """Centre of the first stored pixel: (3,) mm."""
        return self.corner + 0.5 * self.pixel_size[0] * self.fast + 0.5 * self.pixel_size[1] * self.slow

    def corners(self) -> np.ndarray:
        """The four outer corners, in the order first, fast end, far, slow end: (4, 3) mm."""
        fast = self.size[0] * self.pixel_size[0] * self.fast
        slow = self.size[1] * self.pixel_size[1] * self.slow
        return np.stack([self.corner, self.corner + fast, self.corner + fast + slow, self.corner + slow])

    def turned(self, rotation: np.ndarray) -> "PanelFacts":
        """The same panel in a frame that is turned: x' = rotation x."""
        values = {name: getattr(self, name) for name in PanelFacts.__slots__}
        values.update({name: rotation @ values[name] for name in ("corner", "fast", "slow")})
        return PanelFacts(**values)


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Where the images of a scan lie, one row a frame: columns.

    files : distinct paths as the source names them; file : (frames,) index into them;
    path : the dataset within an HDF5 file, or None; frame : (frames,) 1-based number within the file;
    paths : the dataset of each frame where these differ; archive : the local archive whose members
    the files are. Of images of one of several arrays: array, its name, and rows, (n,) the frames of the
    scan, from 0, that have an image there.
    """

    files: tuple[str, ...]
    file: np.ndarray
    frame: np.ndarray
    path: str | None = None
    format: str | None = None
    paths: tuple[str, ...] = ()
    archive: str | None = None
    array: str = ""
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.file)


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """One sweep, or one still.

    settings : axis id -> (start, increment) in degrees or mm; varying : axis id -> (frames,) settings
    where they are not evenly spaced; numbers : 1-based number of the first frame in its series;
    panels stand as at the start of the scan; `detector_settings` are those of `Experiment.mounting`.
    modules : in place of `images` the images of each of several arrays; absent : files that hold the images,
    of which nothing tells how many each holds; texts : what is said of each frame
    for which no item is made.
    """

    id: str
    frames: int
    settings: Mapping[str, tuple[float, float]]
    panels: tuple[PanelFacts, ...]
    images: ImageFiles | None = None
    first_number: int = 1
    exposure_time: float | None = None
    period: float | None = None
    start_date: str | None = None
    end_date: str | None = None
    wavelength: float | None = None
    varying: Mapping[str, np.ndarray] = field(default_factory=dict)
    detector_settings: Mapping[str, float] = field(default_factory=dict)
    modules: tuple[ImageFiles, ...] = ()
    absent: ImageFiles | None = None
    texts: tuple[str, ...] = ()

    @property
    def image_sets(self) -> tuple[ImageFiles, ...]:
        """The images of the scan, one entry for each array; none where they are not known for every frame."""
        if self.modules:
            return self.modules
        is_whole = self.images is not None and self.frames > 0 and len(self.images) == self.frames
        return (self.images,) if self.images is not None and is_whole else ()

    @property
    def scanned_axis(self) -> str | None:
        """The axis that moves during the scan; None for a still."""
        moving = [name for name, (_, increment) in self.settings.items() if increment != 0]
        return moving[0] if moving else next(iter(self.varying), None)


@dataclass(frozen=True)
class Experiment:
    """All that one source tells; immutable.

    goniometer : axes from the base to the sample; mounting : axes that carry the detector, outermost
    first, empty where only the positions of the panels are known; gravity : (3,) unit vector down.
    `facts` holds texts such as detector, facility, beamline, by name; `provenance` says of any field,
    by dotted name such as `beam.wavelength`, where it comes from; `notes` are remarks for a person.
    `items` are further values by CIF data name; `statements` say of each value of the source what
    became of it.
    """

    path: str
    kind: str
    beam: BeamFacts
    goniometer: tuple[AxisFacts, ...]
    scans: tuple[ScanFacts, ...]
    mounting: tuple[AxisFacts, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    gravity: np.ndarray | None = None
    items: Mapping[str, str | float] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()

    @cached_property
    def principal_axis(self) -> np.ndarray | None:
        """Unit vector of the goniometer's base rotation: (3,); None without a goniometer."""
        base = next((axis for axis in self.goniometer if axis.kind == "rotation"), None)
        return None if base is None else unit(base.vector)

    @cached_property
    def principal_rotation(self) -> np.ndarray:
        """The turn of the whole frame into that of imgCIF: (3, 3), x' = rotation x.

        X lies along the principal axis; without one, or with one within 22.5 degrees of the beam,
        along the fast direction of the first panel, else across gravity. Z is the part of the
        direction to the source that is perpendicular to X. The identity where nothing tells X, and
        where the frame is right to 1e-6.

        Source: AXIS of the imgCIF dictionary, "the imgCIF standard laboratory coordinate system".
        """
        source = unit(self.beam.source)
        for direction in self._x_directions():
            # Small deviations of a measured axis from a right angle stay in the source's direction.
            if np.linalg.norm(np.cross(direction, source)) > _SIN_22_5:
                z = unit(source - (direction @ source) * direction)
                rotation = np.stack([direction, np.cross(z, direction), z]) + 0.0
                return IDENTITY if np.abs(rotation - IDENTITY).max() < 1e-6 else rotation
        return IDENTITY

    def _x_directions(self) -> Iterator[np.ndarray]:
        """What X may be parallel to, best first: unit vectors."""
        if self.principal_axis is not None:
            yield self.principal_axis
        if self.scans and self.scans[0].panels:
            yield unit(self.scans[0].panels[0].fast)
        if self.gravity is not None:
            yield unit(np.cross(self.gravity, self.beam.source))
