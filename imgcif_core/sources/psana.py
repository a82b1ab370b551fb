"""Geometries of psana (LCLS): a tree of objects, each placed in the frame of its parent, with segments as leaves.

A row holds parent and index, object and index, X0 Y0 Z0 in micrometres, rotations about Z, Y, X and tilts about
the same in degrees. An object's points are turned about Z, then Y, then X by rotation plus tilt, then moved.
The frame of psana has x down the rows of an image, y along its columns and z against the beam, so that a positive
Z0 below IP stands for a negative one. Pixels of a segment stand as the table below has them; a segment of several
chips is a panel for each, placed by its regular pixels: those at inner edges are wider.

Source: PSCalib of LCLS, GeometryObject, GeometryAccess (frames), and SegGeometry of each type.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.errors import InputError
from imgcif_core.images.limits import MAX_PIXELS
from imgcif_core.inputs import read_text
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import (
    BeamFacts,
    Experiment,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.statements import NO_ITEM, Fate, Statement

KIND = "psana"
# Cameras have a few hundred segments.
MAX_ROWS = 6_000
_DEEPEST = 32
_LARGEST = 1e9
_FIELDS = 13
_NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ROW = re.compile(
    rb"^[ \t]*[A-Za-z][\w:.\-]*[ \t]+\d+[ \t]+[A-Za-z][\w:.\-]*[ \t]+\d+(?:[ \t]+" + _NUMBER + rb"){9}[ \t]*$", re.M
)
_COMMENT = re.compile(r"#\s*(?:\d+:)?\s*([A-Z][A-Z_]*)(?::\d+)?\s+(.*\S)")
# Files begin with comments about themselves, numbered or not.
_TITLE = re.compile(rb"#\s*(?:\d+:)?\s*TITLE\s[^\n]*\n#")
# Lines that explain the format itself.
_EXPLAINING = ("PARAM", "HDR")
# x' = y, y' = -x: from x down and y to the right to X to the right and Y up, Z towards the source.
_TO_OURS = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
_X, _Y = np.eye(3)[:2]


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of a segment with regular pixels: first row and column, size, and its first centre in um."""

    first: tuple[int, int]
    size: tuple[int, int]
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """A type of segments: pixel along fast and slow in um, directions of both, chips, and wide pixels in um."""

    pixel: tuple[float, float]
    fast: np.ndarray
    slow: np.ndarray
    chips: tuple[Chip, ...]
    wide: float = 0.0


def _grid(
    rows: int, columns: int, x: Sequence[float], y: Sequence[float], pixel: float, *, is_down: bool, wide: float = 0.0
) -> Segment:
    """A segment of chips of so many rows and columns, whose first centres lie at each x and y, in um."""
    chips = tuple(
        Chip((line * rows, place * columns), (columns, rows), (left, top))
        for line, top in enumerate(y)
        for place, left in enumerate(x)
    )
    return Segment((pixel, pixel), _X, -_Y if is_down else _Y, chips, wide)


def _matrix(rows: int, columns: int, row_step: float, column_step: float) -> Segment:
    """A segment of one piece, with its first centre at the origin, rows along x and columns along y."""
    return Segment((column_step, row_step), _Y, _X, (Chip((0, 0), (columns, rows), (0.0, 0.0)),))


_CSPAD, _EPIX100, _EPIX10KA, _JUNGFRAU = 109.92, 50.0, 100.0, 75.0
# The inner chips begin after a wide pixel less half a regular one.
SEGMENTS: dict[str, Segment] = {
    "SENS2X1:V1": _grid(185, 194, (-(193 * _CSPAD + 219.84), 219.84), (92 * _CSPAD,), _CSPAD, is_down=True, wide=274.8),
    "EPIX100:V1": _grid(
        352, 384, (-(383 * 50.0 + 150.0), 150.0), (-(351 * 50.0 + 150.0), 150.0), _EPIX100, is_down=False, wide=175.0
    ),
    "EPIX10KA:V1": _grid(
        176, 192, (-(191 * 100.0 + 200.0), 200.0), (175 * 100.0 + 200.0, -200.0), _EPIX10KA, is_down=True, wide=250.0
    ),
    "PNCCD:V1": _matrix(512, 512, 75.0, 75.0),
}
_COLUMNS = tuple(_JUNGFRAU * place for place in (-514.5, -256.5, 1.5, 259.5))
SEGMENTS["JUNGFRAU:V1"] = _grid(256, 256, _COLUMNS, (256.5 * 75.0, -1.5 * 75.0), _JUNGFRAU, is_down=True)
SEGMENTS["JUNGFRAU:V2"] = _grid(256, 256, _COLUMNS, (-256.5 * 75.0, 1.5 * 75.0), _JUNGFRAU, is_down=False)


@dataclass(frozen=True, slots=True)
class Placed:
    """An object in its parent: names with indices, translation in mm, and the rotation (3, 3)."""

    parent: tuple[str, int]
    name: tuple[str, int]
    place: tuple[float, float, float]
    angles: tuple[float, float, float]


@dataclass(frozen=True)
class PsanaDraft(Incomplete):
    """A geometry file; distance in mm along the beam of the object below IP, where a person gives it."""

    path: str
    objects: tuple[Placed, ...]
    distance: float | None = None
    wavelength: float | None = None
    probe: str | None = "x-ray"
    facts: Mapping[str, str] = field(default_factory=lambda: {"facility": "LCLS"})
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    proposals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    kind: str = KIND

    def missing(self) -> tuple[str, ...]:
        """The distance where no row below IP gives one; a bare geometry needs no wavelength."""
        return () if self.distance is not None or _stated_distance(self.objects) else ("distance",)

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where the distance is missing."""
        self.refuse_gaps()
        panels = _panels(self.path, self.objects, self.distance)
        scan = ScanFacts("SCAN1", 0, {}, panels, wavelength=self.wavelength)
        known = {**self.provenance}
        known.setdefault("panels", Provenance(Origin.FILE, self.path))
        if "wavelength" in known:
            known["beam.wavelength"] = known["wavelength"]
        beam = BeamFacts(np.array([0.0, 0.0, 1.0]), self.wavelength, probe=self.probe)
        gravity = np.array([0.0, -1.0, 0.0])
        return Experiment(
            self.path, KIND, beam, (), (scan,), (), self.facts, known, self.notes, gravity, statements=self.statements
        )


def is_psana(head: bytes) -> bool:
    """True if the head of a file, or the first line that is no comment, is one of such a file."""
    if _TITLE.match(head):
        return True
    plain = next(
        (line for line in head[:262144].splitlines() if line.strip() and not line.lstrip().startswith(b"#")), b""
    )
    return b"\0" not in head[:4096] and _ROW.match(plain) is not None


def read_psana(path: str | Path) -> PsanaDraft:
    """The geometry in a file.

    Raises
    ------
    InputError
        If the file cannot be read, a row is none, the objects are no tree, or a segment is of an unknown type.
    """
    name = str(path)
    objects: list[Placed] = []
    comments: dict[str, str] = {}
    for number, line in enumerate(read_text(path, errors="replace").splitlines(), 1):
        if line.lstrip().startswith("#"):
            found = _COMMENT.match(line.strip())
            if found is not None and found[1] not in _EXPLAINING:
                comments.setdefault(found[1], found[2])
        elif line.strip():
            objects.append(_object(line, number, name))
        if len(objects) > MAX_ROWS:
            raise InputError(f"{name}: has more than {MAX_ROWS} rows")
    if not objects:
        raise InputError(f"{name}: places no object")
    _leaves(name, objects)
    stated = _stated_distance(objects)
    source = Provenance(Origin.FILE, name)
    draft = PsanaDraft(
        name, tuple(objects), provenance={"panels": source, "facts": source}, statements=_statements(objects, comments)
    )
    if "DETECTOR" in comments:
        words = comments["DETECTOR"].replace('"', "'")[:60]
        draft = replace(draft, proposals={"detector": (f'"{words}"', "the file names it")})
    if stated:
        note = (
            f"the distance of {stated:.6g} mm is that of the row below IP; where the detector was moved for a run, "
            "the answer distance gives that of the run"
        )
        draft = replace(draft, notes=(note,))
    return draft


def _object(line: str, number: int, path: str) -> Placed:
    """One row."""
    words = line.split()
    if len(words) != _FIELDS:
        raise InputError(f"{path}: line {number} has {len(words)} fields, a row of psana has {_FIELDS}")
    try:
        indices = int(words[1]), int(words[3])
        values = np.array([float(word) for word in words[4:]])
    except ValueError:
        raise InputError(
            f"{path}: line {number} holds {' '.join(words)[:60]!r}, which are no names and numbers"
        ) from None
    if not (np.abs(values) < _LARGEST).all():
        raise InputError(f"{path}: line {number} is beyond all measure")
    place, turns = values[:3] * 1e-3, values[3:6] + values[6:9]
    # The frame of psana has z against the beam, whatever the sign of an old file says.
    if words[0].startswith("IP") and place[2] > 0:
        place[2] = -place[2]
    x, y, z = (float(f"{value:.12g}") for value in place)
    return Placed((words[0], indices[0]), (words[2], indices[1]), (x, y, z), (turns[0], turns[1], turns[2]))


def _rotation(angles: tuple[float, float, float]) -> Floats:
    """The rotation about Z, then Y, then X, by degrees: (3, 3)."""
    (cz, cy, cx), (sz, sy, sx) = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    about_z = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    found: Floats = about_x @ about_y @ about_z
    return found


def _leaves(path: str, objects: Sequence[Placed]) -> list[tuple[Placed, list[Placed]]]:
    """The segments in the order in which psana stores them, each with its chain from itself to the outermost.

    Children are taken by their indices.
    """
    places = [(entry.parent, entry.name) for entry in objects]
    if len(set(places)) < len(places):
        (_, twice) = next(place for place in places if places.count(place) > 1)
        raise InputError(f"{path}: {twice[0]} {twice[1]} is placed twice")
    children: dict[tuple[str, int], list[Placed]] = {}
    for entry in objects:
        children.setdefault(entry.parent, []).append(entry)
    return _walked(path, objects, children)


def _walked(
    path: str, objects: Sequence[Placed], children: Mapping[tuple[str, int], list[Placed]]
) -> list[tuple[Placed, list[Placed]]]:
    """The leaves below all roots, by the indices of children."""
    named = {entry.name for entry in objects}
    roots = [parent for parent in children if parent not in named]
    if len(roots) != 1:
        raise InputError(f"{path}: has {len(roots)} outermost objects, expected one such as IP")
    found: list[tuple[Placed, list[Placed]]] = []
    pending: list[tuple[Placed, list[Placed]]] = [
        (entry, [entry]) for entry in sorted(children[roots[0]], key=lambda one: -one.name[1])
    ]
    steps = 0
    while pending:
        entry, chain = pending.pop()
        steps += 1
        if len(chain) > _DEEPEST or steps > MAX_ROWS:
            raise InputError(f"{path}: its objects are nested more than {_DEEPEST} deep, or in a circle")
        below = children.get(entry.name, [])
        if not below:
            _segment(path, entry.name[0])
            found.append((entry, chain))
        for child in sorted(below, key=lambda one: -one.name[1]):
            pending.append((child, [child, *chain]))
    return found


def _segment(path: str, kind: str) -> Segment:
    """The pixels of a type of segments."""
    if kind in SEGMENTS:
        return SEGMENTS[kind]
    matrix = re.fullmatch(r"MTRX:(\d{1,5}):(\d{1,5}):(\d+\.?\d*):(\d+\.?\d*)", kind)
    if matrix is not None and 1 < int(matrix[1]) * int(matrix[2]) <= MAX_PIXELS and all(map(float, matrix.group(3, 4))):
        return _matrix(int(matrix[1]), int(matrix[2]), float(matrix[3]), float(matrix[4]))
    known = ", ".join([*SEGMENTS, "MTRX:rows:columns:row step:column step"])
    raise InputError(f"{path}: segments of type {kind} are not known here ({known} are)")


def _stated_distance(objects: Sequence[Placed]) -> float:
    """How far along the beam the only object below IP stands, in mm; 0 where nothing tells."""
    below = [entry for entry in objects if entry.parent[0].startswith("IP")]
    return -below[0].place[2] if len(below) == 1 else 0.0


def _panels(path: str, objects: Sequence[Placed], distance: float | None) -> tuple[PanelFacts, ...]:
    """The panels, a stack of segments, in a frame with X to the right, Y up and Z towards the source: mm."""
    found = []
    leaves = _leaves(path, objects)
    for number, (leaf, chain) in enumerate(leaves):
        rotation, place = np.eye(3), np.zeros(3)
        for entry in chain:
            own = _rotation(entry.angles)
            offset = np.array(entry.place)
            if distance is not None and entry is chain[-1]:
                offset = np.array([*entry.place[:2], -distance])
            rotation, place = own @ rotation, own @ place + offset
        kind = _segment(path, leaf.name[0])
        for index, chip in enumerate(kind.chips):
            centre = np.array([*chip.centre, 0.0]) * 1e-3
            steps = kind.pixel[0] * 1e-3, kind.pixel[1] * 1e-3
            corner = centre - 0.5 * (steps[0] * kind.fast + steps[1] * kind.slow)
            found.append(
                PanelFacts(
                    f"p{number}a{index}" if len(kind.chips) > 1 else f"p{number}",
                    chip.size,
                    (float(f"{steps[0]:.12g}"), float(f"{steps[1]:.12g}")),
                    _TO_OURS @ (rotation @ corner + place),
                    unit(_TO_OURS @ rotation @ kind.fast),
                    unit(_TO_OURS @ rotation @ kind.slow),
                    (chip.first[1], chip.first[0]),
                    (f"p{number}",) if len(kind.chips) > 1 else (),
                    raw_index=(number,) if len(leaves) > 1 else (),
                )
            )
    return tuple(found)


def _statements(objects: Sequence[Placed], comments: Mapping[str, str]) -> tuple[Statement, ...]:
    """What becomes of every row and of the comments at the head."""
    reasons = {
        "DATE_TIME": "it is the date of the geometry, not of the measurement",
        "CALIB_TYPE": "it names the kind of the file",
    }
    found = [
        Statement(name, value, Fate.ASKED if name == "DETECTOR" else Fate.LEFT_OUT, reasons.get(name, NO_ITEM))
        for name, value in comments.items()
    ]
    for kind in dict.fromkeys(entry.name[0] for entry in objects):
        wide = SEGMENTS[kind].wide if kind in SEGMENTS else 0.0
        if wide:
            reason = "pixels of a panel have one size; the wide ones at inner edges are placed by the regular ones"
            found.append(Statement(f"{kind} wide pixels", f"{wide:g} um", Fate.LEFT_OUT, reason))
    found += [
        Statement(f"{entry.name[0]} {entry.name[1]} in {entry.parent[0]} {entry.parent[1]}", "") for entry in objects
    ]
    return tuple(found)
