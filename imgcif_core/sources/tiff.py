"""TIFF images: size and number of pages, and the headers that DECTRIS and Rayonix detectors put in.

The header of Rayonix (MarCCD) detectors lies 1024 bytes from the start, in integers of fixed places.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import BY_WORD, HEAD_BYTES, format_suffix, image_format_of
from imgcif_core.sources.description import ImageFiles, Origin, Provenance
from imgcif_core.sources.draft import Draft
from imgcif_core.sources.minicbf import parse_header

KIND = "tiff"
MAX_PAGES = 1_000_000
_TYPES = {1: ("B", 1), 2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 16: ("Q", 8), 13: ("I", 4)}
_WIDTH, _HEIGHT, _BITS, _TEXT, _MODEL, _DATE, _FORMAT = 256, 257, 258, 270, 272, 306, 339
_MAR_START = 1024
_MAR_CORNERS = ("top left", "bottom left", "top right", "bottom right")
_MAR_AXES = ("two_theta", "omega", "chi", "kappa", "phi", "delta", "gamma")


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

    def __init__(self, data: bytes, path: str) -> None:
        self.data, self.path = data, path
        self.order = "<" if data[:2] == b"II" else ">"
        self.is_big = self.unpack("H", 2)[0] == 43

    def unpack(self, form: str, offset: int) -> tuple:
        """Values at an offset."""
        try:
            return struct.unpack_from(self.order + form, self.data, offset)
        except struct.error:
            raise InputError(f"{self.path}: the TIFF is cut off at {len(self.data)} bytes") from None

    def pages(self) -> Iterator[Page]:
        """All images in the order of the file."""
        offset = self.unpack("Q", 8)[0] if self.is_big else self.unpack("I", 4)[0]
        seen: set[int] = set()
        while offset and offset not in seen and len(seen) < MAX_PAGES:
            seen.add(offset)
            count = self.unpack("Q" if self.is_big else "H", offset)[0]
            start = offset + (8 if self.is_big else 2)
            step = 20 if self.is_big else 12
            tags = {}
            for index in range(min(count, 4096)):
                tag, value = self._entry(start + index * step)
                tags[tag] = value
            yield Page(tags)
            offset = self.unpack("Q" if self.is_big else "I", start + count * step)[0]

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
    name = str(path)
    from imgcif_core.cif.reader import open_source

    data = open_source(path).data
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
    )
    text = first.tags.get(_TEXT)
    if isinstance(text, str) and text.startswith("#"):
        return _with_text(draft, text, str(first.tags.get(_MODEL) or ""))
    if data[_MAR_START + 4 : _MAR_START + 7] == b"MMX" and len(data) > 4096:
        return _with_mar(draft, data[_MAR_START : _MAR_START + 3072])
    return draft


def _format(name: str, data: bytes) -> str:
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
    source = Provenance(Origin.FILE, draft.path, "ImageDescription")
    centre = header.beam_xy
    known = {
        "pixel_size": header.pixel_size,
        "wavelength": header.wavelength,
        "start": header.number("start_angle"),
        "increment": header.number("angle_increment"),
        "exposure_time": header.number("exposure_time"),
    }
    if centre and any(centre):
        known["beam_centre"] = centre
        known["distance"] = header.distance
    elif header.distance:
        known_notes = f"Detector_distance {header.distance:g} mm stands beside a Beam_xy of zero and was not believed"
        draft = _noted(draft, known_notes)
    for name, value in known.items():
        if value is not None:
            draft = draft.with_fact(name, value, source)
    cutoff = header.number("count_cutoff")
    if cutoff:
        draft = draft.with_fact("overload", cutoff + 1.0, source)
    detector = header.detector or model.strip(" ,\0")
    return draft.with_fact("facts", {"detector": detector}, source) if detector else draft


def _noted(draft: Draft, note: str) -> Draft:
    """The draft with one remark more."""
    from dataclasses import replace

    return replace(draft, notes=(*draft.notes, note))


def _with_mar(draft: Draft, header: bytes) -> Draft:
    """The facts in a Rayonix header: lengths in micrometres and nanometres, angles in thousandths."""

    def values(offset: int, count: int = 1) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}i", header, offset)

    source = Provenance(Origin.FILE, draft.path, "Rayonix header")
    distance = values(640)[0] or values(696)[0]
    beam, pixel, wavelength = values(644, 2), values(772, 2), values(908)[0]
    axis, steps = values(732)[0], values(736)[0]
    starts = values(668, 7)
    known: dict[str, Any] = {}
    origin, orientation, view = values(116, 3)
    if 0 <= origin < 4 and orientation in (0, 1) and view in (0, 1):
        # A picture seen towards the source is that from the source with left and right exchanged.
        known["first_pixel"] = _MAR_CORNERS[origin if view == 0 else (origin + 2) % 4]
        known["fast_direction"] = ("horizontal", "vertical")[orientation]
    if distance > 0:
        known["distance"] = distance * 1e-3
    if min(pixel) > 0:
        known["pixel_size"] = (pixel[0] / 1e6, pixel[1] / 1e6)
    if min(beam) > 0:
        known["beam_centre"] = (beam[0] / 1e3, beam[1] / 1e3)
    if wavelength > 0:
        known["wavelength"] = wavelength / 1e5
    if 0 < axis < len(_MAR_AXES):
        known |= {"axis_id": _MAR_AXES[axis], "start": starts[axis] / 1e3, "increment": steps / 1e3}
    known["two_theta"] = starts[0] / 1e3
    if values(652)[0] > 0:
        known["exposure_time"] = values(652)[0] / 1e3
    if values(104)[0] > 0:
        known["overload"] = float(values(104)[0])
    for name, value in known.items():
        draft = draft.with_fact(name, value, source)
    return draft.with_fact("facts", {"detector": "Rayonix"}, source)
