"""TIFF images: size and number of pages, and the headers that DECTRIS and Rayonix detectors put in.

The header of Rayonix (MarCCD) detectors lies 1024 bytes from the start, in integers of fixed places.
"""

import mmap
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import BY_WORD, HEAD_BYTES, format_suffix, image_format_of
from imgcif_core.images.limits import BytesError
from imgcif_core.images.tiff_pages import MARKS, directories, mapped
from imgcif_core.records import dataclass
from imgcif_core.sources.description import ImageFiles, Origin, Provenance
from imgcif_core.sources.draft import ORDER, Draft
from imgcif_core.sources.minicbf import as_draft, parse_header
from imgcif_core.sources.statements import NO_ITEM, Fate, Statement, renewed

KIND = "tiff"
_TYPES = {1: ("B", 1), 2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 16: ("Q", 8), 13: ("I", 4)}
_WIDTH, _HEIGHT, _BITS, _TEXT, _MODEL, _DATE, _FORMAT = 256, 257, 258, 270, 272, 306, 339
_MAR_START = 1024
# The front holds the header of Rayonix detectors; longer texts are cut there.
_FRONT, _MOST_VALUE = 4096, 1 << 16
Data = bytes | mmap.mmap
_MAR_CORNERS = ("top left", "bottom left", "top right", "bottom right")
_MAR_AXES = ("two_theta", "omega", "chi", "kappa", "phi", "delta", "gamma")
# Places of 32-bit integers in the header, under the names that the maker gives them.
_MAR_FIELDS = {"saturated_value": 104, "origin": 116, "orientation": 120, "view_direction": 124}
_MAR_FIELDS |= {name: 640 + 4 * i for i, name in enumerate(("xtal_to_detector", "beam_x", "beam_y"))}
_MAR_FIELDS |= {"integration_time": 652, "exposure_time": 656, "readout_time": 660, "nreads": 664}
_MAR_FIELDS |= {f"start_{name}": 668 + 4 * i for i, name in enumerate(_MAR_AXES)} | {"start_xtal_to_detector": 696}
_MAR_FIELDS |= {f"end_{name}": 700 + 4 * i for i, name in enumerate(_MAR_AXES)} | {"end_xtal_to_detector": 728}
_MAR_FIELDS |= {"rotation_axis": 732, "rotation_range": 736, "detector_rotx": 740, "detector_roty": 744}
_MAR_FIELDS |= {"detector_rotz": 748, "total_dose": 752, "detector_type": 768, "pixelsize_x": 772, "pixelsize_y": 776}
_MAR_FIELDS |= {"mean_bias": 780, "photons_per_100adu": 784, "source_type": 896, "source_dx": 900, "source_dy": 904}
_MAR_FIELDS |= {"source_wavelength": 908, "source_power": 912, "source_voltage": 916, "source_current": 920}
_MAR_FIELDS |= {"source_polarization_x": 928, "source_polarization_y": 932}


@dataclass(frozen=True, slots=True)
class Page:
    """What the directory of one image says; texts decoded."""

    tags: dict[int, Any]

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        width, height = self.tags.get(_WIDTH), self.tags.get(_HEIGHT)
        return (width, height) if isinstance(width, int) and isinstance(height, int) else (0, 0)


class _Reader:
    """Numbers of a TIFF in its own byte order, with a clear message where it ends too soon."""

    def __init__(self, data: Data, path: str) -> None:
        self.data, self.path = data, path
        self.order = "<" if data[:2] == b"II" else ">"
        self.is_big = self.unpack("H", 2)[0] == 43

    def unpack(self, form: str, offset: int) -> tuple[Any, ...]:
        """Values at an offset."""
        try:
            return struct.unpack_from(self.order + form, self.data, offset)
        except struct.error:
            raise InputError(f"{self.path}: the TIFF is cut off at {len(self.data)} bytes") from None

    def pages(self) -> Iterator[Page]:
        """All images in the order of the file."""
        step = 20 if self.is_big else 12
        try:
            for start, count in directories(self.data, f"{self.path}: the TIFF"):
                yield Page(dict(self._entry(start + index * step) for index in range(min(count, 4096))))
        except BytesError as error:
            raise InputError(str(error)) from None

    def _entry(self, offset: int) -> tuple[int, Any]:
        """One tag with its first value, or its text."""
        tag, kind = self.unpack("HH", offset)
        count = self.unpack("Q" if self.is_big else "I", offset + 4)[0]
        field, room = offset + (12 if self.is_big else 8), 8 if self.is_big else 4
        if kind not in _TYPES:
            return tag, None
        letter, width = _TYPES[kind]
        place = field if count * width <= room else self.unpack("Q" if self.is_big else "I", field)[0]
        if kind == 2:
            return tag, self.data[place : place + min(count, 1 << 20)].rstrip(b"\0").decode("latin-1").strip()
        return tag, self.unpack(letter, place)[0] if count else None


def read_tiff(path: str | Path) -> Draft:
    """What a TIFF tells of the experiment.

    Raises
    ------
    InputError
        If the file cannot be read, or its pages differ in size.
    """
    with _bytes_of(path) as data:
        return _read(str(path), data)


@contextmanager
def _bytes_of(path: str | Path) -> Iterator[Data]:
    """The bytes of a file, of which only what is looked at is read; those of a packed one unpacked."""
    try:
        with open(path, "rb") as file:
            is_plain = os.path.isfile(path) and file.read(4) in MARKS
    except OSError:
        is_plain = False
    if is_plain:
        with mapped(str(path)) as found:
            yield found
        return
    from imgcif_core.cif.reader import open_source

    yield open_source(path).data


def needed(data: Data) -> Iterator[tuple[int, int]]:
    """Start and length of what `read_tiff` looks at: the front, the directories, the values of the tags that it reads.

    Raises
    ------
    InputError
        If the directories cannot be followed.
    """
    reader = _Reader(data, "the TIFF")
    yield 0, min(len(data), _FRONT)
    front, step = (8, 20) if reader.is_big else (2, 12)
    form, room = ("Q", 8) if reader.is_big else ("I", 4)
    try:
        for start, count in directories(data, "the TIFF"):
            yield start - front, front + count * step + room
            for place in range(start, start + min(count, 4096) * step, step):
                tag, kind = reader.unpack("HH", place)
                if tag in _READ and kind in _TYPES:
                    size = reader.unpack(form, place + 4)[0] * _TYPES[kind][1]
                    if size > room:
                        yield reader.unpack(form, place + 4 + room)[0], min(size, _MOST_VALUE)
    except BytesError as error:
        raise InputError(str(error)) from None


def _read(name: str, data: Data) -> Draft:
    """What the bytes of a TIFF tell of the experiment."""
    reader = _Reader(data, name)
    pages = list(reader.pages())
    sizes = {page.size for page in pages}
    if not pages or min(min(size) for size in sizes) < 1:
        raise InputError(f"{name}: the TIFF holds no image")
    if len(sizes) > 1:
        raise InputError(f"{name}: the TIFF holds images of different sizes, {sorted(sizes)}")
    first = pages[0]
    count = len(pages)
    images = ImageFiles((name,), np.zeros(count, dtype=np.int64), np.arange(1, count + 1), None, _format(name, data))
    source = Provenance(Origin.FILE, name, "TIFF")
    draft = Draft(
        name,
        KIND,
        images,
        first.size,
        date=_date(first.tags.get(_DATE)),
        overload=_overload(first),
        provenance={"size": source},
        statements=_tag_statements(first),
    )
    text = first.tags.get(_TEXT)
    if isinstance(text, str) and text.startswith("#"):
        return _with_text(draft, text, str(first.tags.get(_MODEL) or ""))
    if data[_MAR_START + 4 : _MAR_START + 7] == b"MMX" and len(data) > 4096:
        return _with_mar(draft, data[_MAR_START : _MAR_START + 3072])
    return draft


_TEXT_TAGS = {271: "Make", 272: "Model", 305: "Software", 306: "DateTime", 315: "Artist", 316: "HostComputer"}
_READ = frozenset({_WIDTH, _HEIGHT, _BITS, _TEXT, _MODEL, _DATE, _FORMAT, *_TEXT_TAGS})


def _tag_statements(page: Page) -> tuple[Statement, ...]:
    """What becomes of the texts that the tags hold, the description apart."""
    found = []
    text = page.tags.get(_TEXT)
    if isinstance(text, str) and text and not text.startswith("#"):
        reason = "it is free text, in which nothing is looked for"
        found.append(Statement("ImageDescription", text, Fate.LEFT_OUT, reason))
    for tag, name in _TEXT_TAGS.items():
        value = page.tags.get(tag)
        if not isinstance(value, str) or not value.strip(" ,\0"):
            continue
        is_used = tag == _DATE and _date(value) is not None
        found.append(Statement(name, value, Fate.USED if is_used else Fate.LEFT_OUT, "" if is_used else NO_ITEM))
    return tuple(found)


def _format(name: str, data: Data) -> str:
    """The word for a TIFF, by its first bytes; a name that tells another format counts as well."""
    found = image_format_of(data[:HEAD_BYTES])
    by_name = format_suffix(name)
    return by_name if by_name and BY_WORD[by_name].kind == KIND else found.word if found else "TIFF"


def _overload(page: Page) -> float | None:
    """The largest value of unsigned integers."""
    bits, kind = page.tags.get(_BITS), page.tags.get(_FORMAT, 1)
    return float(2**bits - 1) if kind == 1 and bits in (8, 16) else None


def _date(text: Any) -> str | None:
    """The date of a TIFF as RFC 3339 without zone."""
    if not isinstance(text, str) or len(text) < 19 or text[:4] == "0000":
        return None
    stamp = f"{text[:10].replace(':', '-')}T{text[11:19]}"
    try:
        return str(np.datetime64(stamp)) if "\0" not in stamp else None
    except ValueError:
        return None


def _with_text(draft: Draft, text: str, model: str) -> Draft:
    """The facts in the comment lines of a DECTRIS detector; zeros that nobody filled in are none."""
    header = parse_header(text)
    written = as_draft(header, draft.size, draft.path)
    source = Provenance(Origin.FILE, draft.path, "ImageDescription")
    is_centred = written.beam_centre is not None
    chosen = ["pixel_size", "wavelength", "increment", "exposure_time", "period", "two_theta", "axis_id", "standing"]
    chosen += ["sensor", "items", "proposals", "overload", "underload", "date"]
    chosen += ["beam_centre", "distance"] if is_centred else []
    if header.number("start_angle", header.axis_name) is not None:
        chosen.append("start")
    for name in chosen:
        value = getattr(written, name)
        if value is not None:
            draft = draft.with_fact(name, value, source)
    if not is_centred and header.distance:
        note = f"Detector_distance {header.distance:g} mm stands beside a Beam_xy of zero and was not believed"
        draft = replace(draft, notes=(*draft.notes, note))
    doubted = [name for name in ("beam_xy", "detector_distance") if not is_centred]
    statements = renewed(written.statements, doubted, Fate.ASKED)
    detector = header.detector or model.strip(" ,\0")
    draft = replace(draft, statements=(*draft.statements, *statements))
    return draft.with_fact("facts", {"detector": detector}, source) if detector else draft


def _with_mar(draft: Draft, header: bytes) -> Draft:
    """The facts in a Rayonix header: lengths in micrometres and nanometres, angles in thousandths."""
    fields = mar_fields(header)

    def value(name: str) -> int:
        return fields.get(name, 0)

    source = Provenance(Origin.FILE, draft.path, "Rayonix header")
    distance = value("xtal_to_detector") or value("start_xtal_to_detector")
    axis = value("rotation_axis")
    known: dict[str, Any] = {}
    origin, orientation, view = (value(name) for name in ("origin", "orientation", "view_direction"))
    if 0 <= origin < 4 and orientation in (0, 1) and view in (0, 1):
        # A picture seen towards the source is that from the source with left and right exchanged.
        known["first_pixel"] = _MAR_CORNERS[origin if view == 0 else (origin + 2) % 4]
        known["fast_direction"] = ("horizontal", "vertical")[orientation]
    if distance > 0:
        known["distance"] = distance * 1e-3
    if min(value("pixelsize_x"), value("pixelsize_y")) > 0:
        known["pixel_size"] = (value("pixelsize_x") / 1e6, value("pixelsize_y") / 1e6)
    centre = _mar_centre(draft.size, known.get("pixel_size"), (value("beam_x") / 1e3, value("beam_y") / 1e3))
    if centre is not None:
        known["beam_centre"] = centre
    if value("source_wavelength") > 0:
        known["wavelength"] = value("source_wavelength") / 1e5
    moving = _MAR_AXES[axis] if 0 < axis < len(_MAR_AXES) else ""
    if moving:
        known |= {"axis_id": moving, "start": value(f"start_{moving}") / 1e3}
        known["increment"] = value("rotation_range") / 1e3
    known["two_theta"] = value("start_two_theta") / 1e3
    known["standing"] = {name: value(f"start_{name}") / 1e3 for name in ORDER if name != moving}
    if value("integration_time") > 0:
        known["exposure_time"] = value("integration_time") / 1e3
    if value("saturated_value") > 0:
        known["overload"] = float(value("saturated_value"))
    for name, entry in known.items():
        draft = draft.with_fact(name, entry, source)
    statements = [*draft.statements, *_mar_statements(fields, moving, centre is not None)]
    serial = re.search(rb"Detector Serial Number\s*=?\s*(\d+)", header)
    facts = {"detector": "Rayonix"} | ({"detector_serial": serial[1].decode()} if serial else {})
    draft = replace(draft, statements=tuple(statements))
    return draft.with_fact("facts", facts, source).sound()


def mar_fields(header: bytes) -> dict[str, int]:
    """The numbers of a Rayonix header that are not zero, by the names of its maker."""
    found = {name: struct.unpack_from("<i", header, offset)[0] for name, offset in _MAR_FIELDS.items()}
    return {name: value for name, value in found.items() if value}


def _mar_centre(
    size: tuple[int, int] | None, pixel: tuple[float, float] | None, stated: tuple[float, float]
) -> tuple[float, float] | None:
    """The beam centre in pixels: the maker counts in pixels, many beamlines in mm; None where neither fits."""
    if size is None or not all(stated):
        return None
    half = (0.5 * size[0], 0.5 * size[1])
    candidates = [stated]
    if pixel is not None:
        candidates.append((stated[0] / pixel[0], stated[1] / pixel[1]))
    for centre in candidates:
        if all(abs(place / middle - 1.0) < 0.5 for place, middle in zip(centre, half, strict=True)):
            return float(f"{centre[0]:.12g}"), float(f"{centre[1]:.12g}")
    return None


def _mar_statements(fields: dict[str, int], moving: str, is_centred: bool) -> list[Statement]:
    """What becomes of the numbers of a Rayonix header that are not zero."""
    used = {"origin", "orientation", "view_direction", "xtal_to_detector", "start_xtal_to_detector", "pixelsize_x"}
    used |= {"pixelsize_y", "source_wavelength", "rotation_axis", "rotation_range", "integration_time"}
    used |= {"saturated_value", f"start_{moving}", f"end_{moving}"}
    found = []
    for name, value in fields.items():
        fate, reason = Fate.LEFT_OUT, NO_ITEM
        if name in used:
            fate, reason = Fate.USED, ""
        elif name in ("beam_x", "beam_y"):
            fate, reason = (Fate.USED if is_centred else Fate.ASKED), ""
        elif name.startswith("start_") and name.removeprefix("start_") in (*ORDER, "two_theta"):
            fate, reason = Fate.ASKED, ""
        elif name.startswith("end_") and value == fields.get(name.replace("end_", "start_")):
            fate, reason = Fate.USED, ""
        found.append(Statement(name, str(value), fate, reason))
    return found
