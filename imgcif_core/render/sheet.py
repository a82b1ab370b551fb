"""What a page shows of a file beside its findings: title, drawings, scans and links, as plain frozen data.

Drawings are numbers in the units of what is drawn; the page only scales them.
"""

from imgcif_core.records import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from one point to another, in the units of its drawing.

    `kind` is beam, axis, gravity, fast or slow.
    """

    label: str
    kind: str
    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class Sketch:
    """The instrument seen along an axis of the laboratory frame, in mm; the sample is at (0, 0), v points up.

    panels : the four outer corners of each panel, in the order first, fast end, far, slow end.
    """

    title: str
    across: str
    up: str
    panels: tuple[tuple[Point, ...], ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Ring:
    """Where rays of one resolution meet the plane of a drawing: `spacing` in angstrom, one point list."""

    spacing: float
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image to be laid behind a drawing.

    png : the bytes of a PNG file of size (width, height); transform : (a, b, c, d, e, f) takes its pixel corners to
    the units of the drawing, as in SVG.
    """

    png: bytes
    size: tuple[int, int]
    transform: tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """The detector drawn flat: as stored, in pixels with v down, or as seen from the sample, in mm with v up.

    `panels` as in `Sketch`; `beam` is where the beam meets the plane, None where it does not.
    """

    title: str
    unit: str
    is_downward: bool
    panels: tuple[tuple[Point, ...], ...]
    beam: Point | None
    arrows: tuple[Arrow, ...]
    rings: tuple[Ring, ...]
    picture: Picture | None
    caption: str


@dataclass(frozen=True, slots=True)
class SpotFrame:
    """One panel of a frame, in pixels with v down: where spots are predicted, found there, and found elsewhere.

    `predictions` counts all that are predicted; of each kind the first are given.
    """

    label: str
    size: tuple[int, int]
    predictions: int
    predicted: tuple[Point, ...]
    again: tuple[Point, ...]
    elsewhere: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class SpotPlot:
    """The spots of some frames against a lattice under one reading of the geometry."""

    title: str
    caption: str
    frames: tuple[SpotFrame, ...]


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One scan, or several alike: what moves over which range, and what stands where."""

    id: str
    frames: str
    moving: str
    still: str
    exposure: str


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Links to one archive or folder: how many, what they say, and what is known of the place itself."""

    address: str
    links: str
    kind: str
    span: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a page shows of one file beside the report on it.

    `facts` are the lines of the title block, `figures` those of the instrument under the drawings, `notes` say in
    words what is not drawn or not read; `passport` is the instrument in numbers, as text; `spots` are those found
    against those predicted, where images were judged by them.
    """

    facts: tuple[tuple[str, str], ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    sketches: tuple[Sketch, ...] = ()
    faces: tuple[Face, ...] = ()
    notes: tuple[str, ...] = ()
    passport: str = ""
    scans: tuple[ScanRow, ...] = ()
    scans_in_all: int = 0
    links: tuple[LinkRow, ...] = ()
    links_in_all: int = 0
    why_profile: str = ""
    command: str = ""
    spots: tuple[SpotPlot, ...] = ()
