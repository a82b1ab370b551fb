"""Geometry of XDS: XDS.INP, XPARM.XDS or GXPARM.XDS, and the heads of XDS_ASCII.HKL and INTEGRATE.HKL.

The laboratory frame is any right-handed one. Pixels count from 1 at the centre of the first. Pixel (x, y) of
a segment lies at ORG + ED [(x - ORGXS) QX EDS1 + (y - ORGYS) QY EDS2 + FS EDS3], where ED holds the directions of
the detector as columns and ORG = -ORGX QX ED1 - ORGY QY ED2 + F ED3. Without segments EDS is the unit matrix, and
ORGXS, ORGYS and FS are zero.

Source: W. Kabsch, XDS documentation, coordinate systems, input parameters and files.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import image_of_name
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass
from imgcif_core.sources.description import AxisFacts, ImageFiles, Origin, PanelFacts, Provenance
from imgcif_core.sources.draft import Draft
from imgcif_core.sources.statements import Fate, Statement
from imgcif_core.sources.xdswords import PROCESSING, Words, words_of

KIND = "xds"
_MOST_BYTES = 64 * 1024 * 1024
_HEAD_CHARACTERS = 1_000_000
_MOST_FRAMES, _MOST_SEGMENTS = 5_000_000, 100_000
_MASTER = re.compile(r"_?\?+\.h5\Z")
_NEEDED: tuple[str, ...] = (
    "ORGX",
    "ORGY",
    "DETECTOR_DISTANCE",
    "NX",
    "NY",
    "QX",
    "QY",
    "ROTATION_AXIS",
    "INCIDENT_BEAM_DIRECTION",
)
_NEEDED += ("DIRECTION_OF_DETECTOR_X-AXIS", "DIRECTION_OF_DETECTOR_Y-AXIS")
_TABLE_HEADS = (b"!FORMAT=XDS_ASCII", b"!OUTPUT_FILE=")


def is_xds(head: bytes, name: str) -> bool:
    """True if the first bytes of a file are those of XDS.INP, of parameters, or of a list of reflections."""
    if b"\0" in head[:4096]:
        return False
    plain = head.lstrip()
    if plain.startswith(_TABLE_HEADS) or re.match(rb"G?XPARM\.XDS\b", plain):
        return True
    if name.upper().endswith("XPARM.XDS"):
        return True
    words = (b"ORGX=", b"DETECTOR_DISTANCE=", b"X-RAY_WAVELENGTH=", b"NAME_TEMPLATE_OF_DATA_FRAMES=", b"ROTATION_AXIS=")
    return sum(word in head for word in words) >= 2 and not plain.startswith((b"data_", b"#\\#CIF", b"###"))


@dataclass(frozen=True, slots=True)
class _Segment:
    """Part of an image: pixels from 1 (low x, high x, low y, high y), origin in pixels, distance, directions."""

    pixels: tuple[int, int, int, int]
    origin: tuple[float, float]
    distance: float
    fast: np.ndarray
    slow: np.ndarray


def read_xds(path: str | Path) -> Draft:
    """What a file of XDS tells: the place of the detector, the rotation, and of XDS.INP the images.

    Raises
    ------
    InputError
        If the file cannot be read, or does not place the detector.
    """
    name = str(path)
    try:
        with open(path, encoding="latin-1") as stream:
            text = stream.read(_HEAD_CHARACTERS)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from None
    start = text.lstrip()
    if start.startswith("!") and any(start.startswith(head.decode()) for head in _TABLE_HEADS):
        return _of_words(words_of(start, name, is_header=True))
    if re.match(r"G?XPARM\.XDS\b", start) or name.upper().endswith("XPARM.XDS"):
        return _of_parameters(text, name)
    return _of_words(words_of(text, name, is_header=False))


def _of_words(words: Words) -> Draft:
    """The draft of keywords."""
    lacking = [key for key in _NEEDED if not words.has(key)]
    if lacking:
        raise InputError(f"{words.path}: nothing tells {', '.join(lacking)}, without which XDS places no detector")
    size = int(words.number("NX")), int(words.number("NY"))
    pixel = words.number("QX"), words.number("QY")
    centre = words.number("ORGX"), words.number("ORGY")
    if centre == (0.0, 0.0):
        raise InputError(f"{words.path}: ORGX= 0 ORGY= 0 stand for an origin that nobody filled in")
    fast = _direction(words, "DIRECTION_OF_DETECTOR_X-AXIS")
    slow = _direction(words, "DIRECTION_OF_DETECTOR_Y-AXIS")
    count = len(words.values.get("SEGMENT", ()))
    if count > _MOST_SEGMENTS:
        raise InputError(f"{words.path}: has {count} segments, more than {_MOST_SEGMENTS}")
    segments = [_segment(words, index) for index in range(count)]
    distance = words.number("DETECTOR_DISTANCE")
    panels = _panels(words.path, size, pixel, centre, distance, fast, slow, segments)
    limits: dict[str, Any] = {
        "overload": words.number("OVERLOAD", 0.0) or None,
        "underload": words.number("MINIMUM_VALID_PIXEL_VALUE") if words.has("MINIMUM_VALID_PIXEL_VALUE") else None,
        "thickness": words.number("SENSOR_THICKNESS", 0.0) or None,
    }
    first, last = _range(words)
    step = words.number("OSCILLATION_RANGE") if words.has("OSCILLATION_RANGE") else None
    start = words.number("STARTING_ANGLE", 0.0)
    if step is not None and first is not None:
        start += step * (first - words.number("STARTING_FRAME", first))
    images, note = _images(words, first, last)
    fraction = words.number("FRACTION_OF_POLARIZATION") if words.has("FRACTION_OF_POLARIZATION") else None
    has_normal = fraction is not None and words.has("POLARIZATION_PLANE_NORMAL")
    draft = _draft(
        words.path,
        tuple(replace(panel, **limits) for panel in panels),
        np.array(words.numbers("ROTATION_AXIS", 3)),
        -np.array(words.numbers("INCIDENT_BEAM_DIRECTION", 3)),
        words.number("X-RAY_WAVELENGTH", 0.0) or None,
        (float(f"{start:.12g}"), step),
        words.statements(),
    )
    detector = words.text("DETECTOR").split()
    ground = f"XDS reads the images as those of {' '.join(detector)[:40]}"
    return replace(
        draft,
        images=images,
        frames=None if first is None or last is None else last - first + 1,
        first_number=first if first is not None else 1,
        polarization_fraction=fraction,
        polarization_normal=_direction(words, "POLARIZATION_PLANE_NORMAL") if has_normal else None,
        proposals={"detector": (f'"{detector[0]}"', ground)} if detector else {},
        notes=(note,) if note else (),
    )


def _draft(
    path: str,
    panels: tuple[PanelFacts, ...],
    axis: np.ndarray,
    to_source: np.ndarray,
    wavelength: float | None,
    rotation: tuple[float, float | None],
    statements: tuple[Statement, ...],
) -> Draft:
    """The draft of a geometry in the frame of XDS, which the creation turns into that of imgCIF."""
    for words, vector in (("rotation axis", axis), ("beam", to_source)):
        if not np.linalg.norm(vector) > 1e-9:
            raise InputError(f"{path}: the direction of the {words} is null")
    places = ("panels", "size", "pixel_size", "wavelength", "goniometer", "scans", "start", "increment")
    return Draft(
        path,
        KIND,
        None,
        wavelength=wavelength,
        start=rotation[0],
        increment=rotation[1],
        goniometer=(AxisFacts("omega", "rotation", unit(axis)),),
        panels=panels,
        to_source=unit(to_source),
        provenance=dict.fromkeys(places, Provenance(Origin.FILE, path)),
        statements=statements,
    ).sound()


def _direction(words: Words, key: str, index: int = 0) -> np.ndarray:
    """A unit vector behind a keyword; a null one is refused."""
    vector = np.array(words.numbers(key, 3, index))
    if not np.linalg.norm(vector) > 1e-9:
        raise InputError(f"{words.path}: {key}= {words.text(key, index)} is null")
    return unit(vector)


def _segment(words: Words, index: int) -> _Segment:
    """One segment of XDS.INP."""
    low_x, high_x, low_y, high_y = (int(value) for value in words.numbers("SEGMENT", 4, index))
    return _Segment(
        (low_x, high_x, low_y, high_y),
        (words.numbers("SEGMENT_ORGX", 1, index)[0], words.numbers("SEGMENT_ORGY", 1, index)[0]),
        words.numbers("SEGMENT_DISTANCE", 1, index)[0],
        _direction(words, "DIRECTION_OF_SEGMENT_X-AXIS", index),
        _direction(words, "DIRECTION_OF_SEGMENT_Y-AXIS", index),
    )


def _panels(
    path: str,
    size: tuple[int, int],
    pixel: tuple[float, float],
    centre: tuple[float, float],
    distance: float,
    fast: np.ndarray,
    slow: np.ndarray,
    segments: Sequence[_Segment],
) -> tuple[PanelFacts, ...]:
    """The panels in the frame of XDS: one, or one a segment."""
    if min(size) < 1 or not all(1e-4 <= step <= 5.0 for step in pixel):
        raise InputError(f"{path}: {size[0]} x {size[1]} pixels of {pixel[0]:g} x {pixel[1]:g} mm cannot be")
    normal = np.cross(fast, slow)
    if np.linalg.norm(normal) < 1e-3:
        raise InputError(f"{path}: the X and Y axes of the detector are parallel")
    axes = np.stack([fast, slow, unit(normal)], axis=1)
    origin = np.array([-centre[0] * pixel[0], -centre[1] * pixel[1], distance])
    whole = _Segment((1, size[0], 1, size[1]), (0.0, 0.0), 0.0, np.eye(3)[0], np.eye(3)[1])
    steps, panels = np.array(pixel), []
    for number, part in enumerate(segments or [whole], 1):
        low_x, high_x, low_y, high_y = part.pixels
        if not (1 <= low_x <= high_x <= size[0] and 1 <= low_y <= high_y <= size[1]):
            raise InputError(f"{path}: segment {number} of pixels {part.pixels} does not lie in {size[0]} x {size[1]}")
        across = np.cross(part.fast, part.slow)
        if np.linalg.norm(across) < 1e-3:
            raise InputError(f"{path}: the X and Y axes of segment {number} are parallel")
        # The outer corner of the first pixel lies half a pixel before its centre.
        place = (np.array([low_x, low_y]) - 0.5 - np.array(part.origin)) * steps
        inside = place[0] * part.fast + place[1] * part.slow + part.distance * unit(across)
        panels.append(
            PanelFacts(
                f"segment{number}" if len(segments) > 1 else "detector",
                (high_x - low_x + 1, high_y - low_y + 1),
                pixel,
                axes @ (origin + inside),
                unit(axes @ part.fast),
                unit(axes @ part.slow),
                (low_x - 1, low_y - 1),
            )
        )
    return tuple(panels)


def _range(words: Words) -> tuple[int | None, int | None]:
    """The first and the last number of the images."""
    if not words.has("DATA_RANGE"):
        return None, None
    first, last = (int(value) for value in words.numbers("DATA_RANGE", 2))
    if not 0 <= last - first < _MOST_FRAMES:
        raise InputError(f"{words.path}: DATA_RANGE= {first} {last} is no range of images")
    return first, last


def _images(words: Words, first: int | None, last: int | None) -> tuple[ImageFiles | None, str]:
    """The images that the template names, and a remark where it names none."""
    template = (words.text("NAME_TEMPLATE_OF_DATA_FRAMES").split() or [""])[0]
    if not template or first is None or last is None:
        return None, ""
    frames = last - first + 1
    numbers = first + np.arange(frames)
    if _MASTER.search(template):
        # XDS lets a template stand for the master, whose images count from 1.
        master = f"{_MASTER.sub('', template)}_master.h5"
        return ImageFiles((master,), np.zeros(frames, dtype=np.int64), numbers, None, "HDF5"), ""
    found = list(re.finditer(r"\?+", template))
    if not found:
        return None, f"the template {template} has no question marks, so that the names of the images are not known"
    width = len(found[-1][0])
    if first < 0 or last >= 10**width:
        raise InputError(f"{words.path}: the numbers {first} to {last} do not fit into {template}")
    head, tail = template[: found[-1].start()], template[found[-1].end() :]
    names = tuple(f"{head}{number:0{width}d}{tail}" for number in numbers.tolist())
    entry = image_of_name(Path(names[0]).name)
    word = entry.word if entry is not None else None
    return ImageFiles(names, np.arange(frames), np.ones(frames, dtype=np.int64), None, word), ""


def _of_parameters(text: str, path: str) -> Draft:
    """The draft of XPARM.XDS: rows of numbers in one of two orders, which the counts in a row tell apart."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and re.match(r"\s*G?XPARM\.XDS\b", lines[0]):
        lines = lines[1:]
    rows = []
    for line in lines[: 2 * _MOST_SEGMENTS + 20]:
        try:
            values = np.array([float(part) for part in line.split()])
        except ValueError:
            raise InputError(f"{path}: {line.strip()[:60]!r} is no row of numbers, as XPARM.XDS has them") from None
        if not (np.abs(values) < 1e12).all():
            raise InputError(f"{path}: {line.strip()[:60]!r} is beyond all measure")
        rows.append(values)
    counts = [len(row) for row in rows]
    if counts[:8] == [6, 4, 7, 3, 3, 3, 5, 3]:
        size_row, place, directions = rows[6][1:], rows[7], rows[8:11]
        segments, cell = _listed_segments(rows[11:], int(rows[6][0]), path), rows[2:6]
    elif counts[:11] == [6, 4, 4, 3, 3, 3, 3, 7, 3, 3, 3]:
        size_row, place, directions = rows[2], rows[3][[1, 2, 0]], rows[4:7]
        segments, cell = [], rows[7:11]
    else:
        raise InputError(f"{path}: rows of {', '.join(map(str, counts[:11]))} numbers are not those of XPARM.XDS")
    if [len(row) for row in directions] != [3, 3, 3]:
        raise InputError(f"{path}: ends before the directions of the detector")
    size = int(size_row[0]), int(size_row[1])
    fast, slow = directions[0], directions[1]
    if min(np.linalg.norm(fast), np.linalg.norm(slow)) < 1e-9:
        raise InputError(f"{path}: a direction of the detector is null")
    centre = float(place[0]), float(place[1])
    pixel = float(size_row[2]), float(size_row[3])
    panels = _panels(path, size, pixel, centre, float(place[2]), unit(fast), unit(slow), segments)
    first, start, step = (float(value) for value in rows[0][:3])
    draft = _draft(
        path, panels, rows[0][3:], -rows[1][1:], float(rows[1][0]) or None, (start, step), _row_statements(rows, cell)
    )
    note = "XPARM.XDS does not name the images; XDS.INP beside it does, and both may be given together"
    return replace(draft, first_number=int(first), notes=(*draft.notes, note))


def _listed_segments(rows: Sequence[np.ndarray], count: int, path: str) -> list[_Segment]:
    """The segments of XPARM.XDS, two rows each; one that is the whole image tells nothing more."""
    if not 1 <= count <= _MOST_SEGMENTS or [len(row) for row in rows[: 2 * count]] != [5, 9] * count:
        raise InputError(f"{path}: tells of {count} segments, and does not list them")
    return [
        _Segment(
            (int(head[1]), int(head[2]), int(head[3]), int(head[4])),
            (float(body[0]), float(body[1])),
            float(body[2]),
            _unit_or_refused(body[3:6], path),
            _unit_or_refused(body[6:9], path),
        )
        for head, body in zip(rows[0 : 2 * count : 2], rows[1 : 2 * count : 2], strict=True)
    ]


def _unit_or_refused(vector: np.ndarray, path: str) -> np.ndarray:
    """The unit vector of a direction."""
    if not np.linalg.norm(vector) > 1e-9:
        raise InputError(f"{path}: the direction of a segment is null")
    return unit(vector)


def _row_statements(rows: Sequence[np.ndarray], cell: Sequence[np.ndarray]) -> tuple[Statement, ...]:
    """What becomes of each row: all but the crystal are used."""
    crystal = {id(row) for row in cell}
    found = []
    for number, row in enumerate(rows, 1):
        is_crystal = id(row) in crystal
        fate, reason = (Fate.LEFT_OUT, PROCESSING) if is_crystal else (Fate.USED, "")
        shown = " ".join(f"{value:.10g}" for value in row)
        found.append(Statement(f"row {number}" + (" (crystal)" if is_crystal else ""), shown, fate, reason))
    return tuple(found)


def with_inputs(parameters: Draft, inputs: Draft) -> Draft:
    """The refined geometry of XPARM.XDS with the images and limits of XDS.INP.

    Raises
    ------
    InputError
        If they have different detectors.
    """
    own, given = parameters.panels, inputs.panels
    if [(panel.size, panel.raw_offset) for panel in own] != [(panel.size, panel.raw_offset) for panel in given]:
        raise InputError(f"{parameters.path}: has other segments than {inputs.path}")
    panels = tuple(
        replace(one, overload=two.overload, underload=two.underload, thickness=two.thickness)
        for one, two in zip(own, given, strict=True)
    )
    step = parameters.increment or 0.0
    start = (parameters.start or 0.0) + step * (inputs.first_number - parameters.first_number)
    reason = f"{Path(parameters.path).name} has it refined"
    statements = tuple(
        replace(entry, fate=Fate.LEFT_OUT, reason=reason) if entry.place.partition(" ")[0] in _REFINED else entry
        for entry in inputs.statements
    )
    return replace(
        inputs,
        panels=panels,
        goniometer=parameters.goniometer,
        to_source=parameters.to_source,
        wavelength=parameters.wavelength,
        start=float(f"{start:.12g}"),
        increment=step,
        provenance={**inputs.provenance, **parameters.provenance},
        statements=(*parameters.statements, *statements),
    )


_REFINED: tuple[str, ...] = (
    "ORGX",
    "ORGY",
    "DETECTOR_DISTANCE",
    "QX",
    "QY",
    "ROTATION_AXIS",
    "INCIDENT_BEAM_DIRECTION",
)
_REFINED += ("X-RAY_WAVELENGTH", "OSCILLATION_RANGE", "STARTING_ANGLE", "STARTING_FRAME")
_REFINED += ("DIRECTION_OF_DETECTOR_X-AXIS", "DIRECTION_OF_DETECTOR_Y-AXIS", "SEGMENT_ORGX", "SEGMENT_ORGY")
_REFINED += ("SEGMENT_DISTANCE", "DIRECTION_OF_SEGMENT_X-AXIS", "DIRECTION_OF_SEGMENT_Y-AXIS")
