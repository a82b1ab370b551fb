"""miniCBF: the text header that Pilatus and Eiger detectors write, line by line.

The header names no axes. A detector is placed across the beam by distance and beam centre, which counts
from the outer corner of the first pixel; directions of axes have to come from elsewhere.
"""

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.cif.cbf import BOUNDARY
from imgcif_core.errors import InputError
from imgcif_core.inputs import open_regular
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.known_detectors import detector_named
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import Experiment, ImageFiles, Origin, Provenance
from imgcif_core.sources.draft import ORDER, Draft
from imgcif_core.sources.statements import NO_ITEM, NOT_KNOWN, Fate, Judge, judged

KIND = "minicbf"
HEAD_BYTES = 256 * 1024
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TWO_NUMBERS = re.compile(rf"\(?\s*({_NUMBER})\s*[,;]?\s*({_NUMBER})\s*\)?\s*([A-Za-z]*)")
_PIXEL_SIZE = re.compile(rf"({_NUMBER})\s*([A-Za-zµ]*)\s*x\s*({_NUMBER})\s*([A-Za-zµ]*)", re.I)
_ONE_NUMBER = re.compile(rf"({_NUMBER})\s*([A-Za-zµ]*)")
_DATE = re.compile(r"\d{4}[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?")
_SENSOR = re.compile(rf"([A-Za-z]+)\s+sensor,?\s+thickness\s+({_NUMBER})\s*([A-Za-zµ]*)", re.I)
_TO_MM = {"m": 1e3, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "cm": 10.0}
_MATERIALS = {"silicon": "Si", "cdte": "CdTe", "gaas": "GaAs"}
_MIME_SIZE = re.compile(rb"X-Binary-Size-(Fastest|Second)-Dimension:\s*(\d+)", re.I)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ANGLES = ("Omega", "Kappa", "Phi", "Chi")
# A line that names an axis of the laboratory and a sense, as PILATUS headers have it.
_HINT = re.compile(r"\s*([XY])\s*[.,]\s*(CW|CCW)\b")
_ADSC_DATE = re.compile(r"[A-Z][a-z]{2}[_ ]([A-Z][a-z]{2})[_ ]+(\d{1,2})[_ ](\d\d:\d\d:\d\d)[_ ](\d{4})")
_USED = {"detector", "date", "sensor", "pixel_size", "count_cutoff", "wavelength", "detector_distance", "beam_xy"}
_USED |= {"beam_x", "beam_y", "start_angle", "angle_increment", "oscillation_axis", "gain_setting"}
_USED |= {"photon_energy", "energy"}
_WITHOUT_ITEM = {"threshold_setting", "n_excluded_pixels", "excluded_pixels", "flat_field", "trim_file", "trim_files"}
_WITHOUT_ITEM |= {"image_path", "energy_range", "filter_transmission", "ratecorr_lut_directory", "retrigger_mode"}
_WITHOUT_ITEM |= {"n_oscillations", "shutter_time", "transmission", "threshold_energy", "auto_summation"}
_WITHOUT_ITEM |= {"countrate_correction", "images_per_file", "software", "compress", "file_comments"}


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """One fact of a header: its key as written, the rest of the line, and the line's number, from 0."""

    key: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class MiniHeader:
    """The lines of a header by lower-case key; lengths in mm, angles in degrees, times in seconds.

    `stated` holds every line by its key as written, date and sensor among them.
    """

    lines: Mapping[str, HeaderLine]
    detector: str | None
    date: str | None
    material: str | None
    thickness: float | None
    stated: Mapping[str, str] = field(default_factory=dict)

    def line(self, key: str) -> str:
        """The rest of a line, empty where there is none."""
        found = self.lines.get(key.lower())
        return found.text if found is not None else ""

    def number(self, *keys: str) -> float | None:
        """The number behind the first of some keys; None where none gives one."""
        for key in keys:
            line = self.lines.get(key.lower())
            match = _ONE_NUMBER.search(line.text) if line is not None else None
            if match is not None:
                return float(match[1])
        return None

    def length(self, key: str, default_unit: str = "m") -> float | None:
        """A length in mm, from whatever unit the line names."""
        line = self.lines.get(key.lower())
        match = _ONE_NUMBER.search(line.text) if line is not None else None
        if match is None:
            return None
        return _mm(match[1], match[2] or default_unit)

    @property
    def wavelength(self) -> float | None:
        """The wavelength in ångström, else that of a photon energy in eV or keV."""
        line = self.lines.get("wavelength")
        match = _ONE_NUMBER.search(line.text) if line is not None else None
        if match is not None and float(match[1]):
            scale = {"nm": 10.0, "m": 1e10, "pm": 0.01}.get(match[2].lower(), 1.0)
            return float(f"{float(match[1]) * scale:.12g}") if scale != 1.0 else float(match[1])
        for key in ("photon_energy", "energy"):
            line = self.lines.get(key)
            match = _ONE_NUMBER.search(line.text) if line is not None else None
            if match is not None and float(match[1]) > 0:
                kilo = 1.0 if match[2].lower() == "kev" else 1e-3
                return float(f"{HC_KEV_ANGSTROM / (float(match[1]) * kilo):.12g}")
        return None

    @property
    def distance(self) -> float | None:
        """The distance of the detector in mm."""
        return self.length("detector_distance")

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Pixel size along fast and slow in mm."""
        line = self.lines.get("pixel_size")
        match = _PIXEL_SIZE.search(line.text) if line is not None else None
        if match is None:
            return None
        fast, slow = _mm(match[1], match[2] or match[4] or "m"), _mm(match[3], match[4] or "m")
        return None if fast is None or slow is None else (fast, slow)

    @property
    def beam_xy(self) -> tuple[float, float] | None:
        """The beam centre along fast and slow, in pixels from the corner of the first one."""
        line = self.lines.get("beam_xy")
        match = _TWO_NUMBERS.search(line.text) if line is not None else None
        if match is not None:
            values = float(match[1]), float(match[2])
            pixel = self.pixel_size
            if match[3].lower() in ("mm", "m") and pixel is not None:
                scale = _TO_MM[match[3].lower()]
                return values[0] * scale / pixel[0], values[1] * scale / pixel[1]
            return values
        x, y = self.number("beam_x"), self.number("beam_y")
        return None if x is None or y is None else (x, y)

    @property
    def axis_name(self) -> str:
        """The axis that moves: the one that the header names, or the one with an increment; else omega.

        Where the angle of omega is not the start angle, and that of one other axis is, it is that one.
        """
        named = self.line("oscillation_axis").lower()
        for name in ANGLES:
            if re.search(rf"\b{name.lower()}\b", named):
                return name.lower()
        for name in ANGLES:
            if self.number(f"{name}_increment"):
                return name.lower()
        start, omega = self.number("start_angle"), self.number("omega")
        if start is not None and omega is not None and omega != start:
            same = [name for name in ANGLES if self.number(name) == start]
            if len(same) == 1:
                return same[0].lower()
        return "omega"


def _mm(number: str, unit: str) -> float | None:
    """A length in mm without the noise of the conversion; None for a unit that is not known."""
    scale = _TO_MM.get(unit.lower())
    return None if scale is None else float(f"{float(number) * scale:.12g}")


def parse_header(text: str) -> MiniHeader:
    """The facts in the text of `_array_data.header_contents`; unknown lines are kept by their key."""
    lines: dict[str, HeaderLine] = {}
    stated: dict[str, str] = {}
    detector = date = material = None
    thickness: float | None = None
    for number, line in enumerate(text.splitlines()):
        body = line.strip().lstrip("#").strip()
        if not body:
            continue
        if date is None and (found := _date(body)):
            date = found
            stated["date"] = body
            continue
        if sensor := _SENSOR.search(body):
            material = _MATERIALS.get(sensor[1].lower(), sensor[1])
            thickness = _mm(sensor[2], sensor[3] or "m")
            stated["sensor"] = body
            continue
        key, _, rest = body.partition(" ")
        key, rest = key.rstrip(":="), rest.strip().lstrip("=:").strip()
        if key.lower() == "detector":
            detector = rest
        lines.setdefault(key.lower(), HeaderLine(key, rest, number))
        stated[key if key not in stated else f"{key} (line {number + 1})"] = rest
    return MiniHeader(lines, detector, date, material, thickness, stated)


def _date(body: str) -> str | None:
    """The date at the beginning of a line, as RFC 3339 without zone."""
    if found := _DATE.match(body):
        return _iso(found[0])
    if found := _ADSC_DATE.match(body):
        return _iso(f"{found[4]}-{found[1]}-{int(found[2]):02d}T{found[3]}")
    return None


def _iso(stamp: str) -> str | None:
    """A date of a header as RFC 3339 without zone: month names and slashes undone."""
    months = {name: number for number, name in enumerate(_MONTHS, 1)}
    year, month, rest = re.split(r"[-/]", stamp, maxsplit=2)
    number = months.get(month) or (int(month) if month.isdigit() else None)
    return None if number is None else f"{year}-{number:02d}-{rest[:2]}T{rest[3:]}"


def read_head(path: str | Path) -> bytes:
    """The bytes of a CBF up to the first binary payload; `.gz` and `.bz2` are undone.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
    opener = openers.get(Path(path).suffix.lower())
    try:
        with open_regular(path) as file:
            if opener is None:
                return file.read(HEAD_BYTES)
            with opener(file, "rb") as stream:
                found: bytes = stream.read(HEAD_BYTES)
                return found
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def header_text(head: bytes) -> str | None:
    """The text header in the first bytes of a CBF; None where there is none."""
    start = head.find(b"_array_data.header_contents")
    if start < 0:
        return None
    opening = re.compile(rb"[\r\n];").search(head, start)
    if opening is None:
        return None
    closing = re.compile(rb"[\r\n];").search(head, opening.end())
    end = closing.start() if closing else head.find(BOUNDARY, opening.end())
    return head[opening.end() : end if end >= 0 else len(head)].decode("utf-8", "replace")


def read_minicbf(path: str | Path) -> Experiment:
    """The experiment that the text header of one CBF describes, with its rotation along +X: to compare with.

    Raises
    ------
    InputError
        If the file cannot be read, has no text header, or the header does not place the detector.
    """
    return read_minicbf_draft(path).guessed()


def read_minicbf_draft(path: str | Path) -> Draft:
    """What the text header of one CBF tells: one frame.

    Raises
    ------
    InputError
        If the file cannot be read, or has no text header.
    """
    head = read_head(path)
    text = header_text(head)
    if text is None:
        raise InputError(f"{path}: no _array_data.header_contents, so this is no miniCBF")
    return as_draft(parse_header(text), mime_sizes(head), str(path))


def mime_sizes(head: bytes) -> tuple[int, int] | None:
    """Pixels along fast and slow of the first image of a CBF; None where its MIME header does not tell."""
    sizes = {name.decode().lower(): int(value) for name, value in _MIME_SIZE.findall(head)}
    fast, slow = sizes.get("fastest", 0), sizes.get("second", 0)
    return (fast, slow) if fast and slow else None


def as_draft(header: MiniHeader, size: tuple[int, int] | None, path: str) -> Draft:
    """What a header tells, with the size of the image along fast and slow from elsewhere.

    DECTRIS detectors store the corner at the top left first and count to the right, seen from the source.
    """
    axis = header.axis_name
    from_file = Provenance(Origin.FILE, path, "header_contents")
    stored = Provenance(Origin.DERIVED, path, "Detector_distance and Beam_xy, across the beam")
    cutoff = header.number("count_cutoff")
    standing = {name.lower(): header.number(name) for name in ANGLES}
    start = header.number("start_angle", axis)
    two_theta = header.number("detector_2theta") or 0.0
    sensor = {"undefined_value": -1.0, "material": header.material, "thickness": header.thickness}
    is_turned = _is_turned(header.detector, size)
    polarization = header.number("polarization")
    draft = Draft(
        path,
        KIND,
        ImageFiles((path,), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), None, "CBF"),
        size,
        header.pixel_size,
        header.distance,
        header.beam_xy,
        header.wavelength,
        start=start if start is not None else 0.0,
        increment=header.number("angle_increment", f"{axis}_increment"),
        two_theta=two_theta,
        axis_id=axis,
        standing={name: value for name, value in standing.items() if name != axis and value is not None},
        first_pixel=None if is_turned else "top left",
        fast_direction=None if is_turned else "horizontal",
        exposure_time=header.number("exposure_time") or None,
        period=header.number("exposure_period") or None,
        date=header.date,
        underload=0.0,
        overload=None if cutoff is None else cutoff + 1.0,
        sensor={name: value for name, value in sensor.items() if value is not None},
        polarization_fraction=polarization if polarization and 0 < polarization <= 1 else None,
        flux=header.number("flux") or None,
        facts={"detector": header.detector} if header.detector else {},
        items=_items(header),
        provenance=dict.fromkeys(("wavelength", "start", "scans", "facts.detector", "items"), from_file)
        | dict.fromkeys(("first_pixel", "beam_centre", "distance"), stored),
        statements=judged(header.stated, _judge(header, axis)),
        proposals=_axis_hint(header.line("oscillation_axis")),
    )
    return draft.sound()


def _is_turned(detector: str | None, size: tuple[int, int] | None) -> bool:
    """True for an image of a known detector with fast and slow exchanged: somebody turned it."""
    known = detector_named(detector)
    if known is None or size is None or known.turned or size in known.sizes:
        return False
    return (size[1], size[0]) in known.sizes


def _items(header: MiniHeader) -> dict[str, str | float]:
    """What the dictionary has items for besides: dead time in microseconds, gain, height of the detector."""
    found: dict[str, str | float] = {}
    dead_time, height = header.number("tau"), header.length("detector_voffset")
    if dead_time:
        found["_diffrn_detector.dtime"] = float(f"{dead_time * 1e6:.12g}")
    if header.line("gain_setting"):
        found["_diffrn_detector.gain_setting"] = header.line("gain_setting")
    if height:
        found["_diffrn_measurement.sample_detector_voffset"] = height
    return found


def _judge(header: MiniHeader, axis: str) -> Judge:
    """What becomes of the lines of a header."""

    def judge(key: str, text: str) -> tuple[Fate, str]:
        name = key.lower()
        if name in ("tau", "detector_voffset", "flux", "polarization", "exposure_time", "exposure_period"):
            number = header.number(name)
            return (Fate.USED, "") if number else (Fate.LEFT_OUT, "it is zero or no number")
        if name in _USED or name in (axis, f"{axis}_increment"):
            return Fate.USED, ""
        if name in ORDER or name == "detector_2theta":
            return angle_fate(header.number(name))
        if name == "alpha":
            return Fate.LEFT_OUT, "it is the angle between two axes whose directions are not known"
        if name.endswith("_increment") and not header.number(name):
            return Fate.LEFT_OUT, "it is zero"
        return Fate.LEFT_OUT, NO_ITEM if name in _WITHOUT_ITEM else NOT_KNOWN

    return judge


def angle_fate(angle: float | None) -> tuple[Fate, str]:
    """What becomes of the angle of an axis of unknown direction: asked about, unless it is zero."""
    if angle is None:
        return Fate.LEFT_OUT, "it is no number"
    if angle == 0:
        return Fate.LEFT_OUT, "the axis stands at zero and its direction is not known"
    return Fate.ASKED, ""


def _axis_hint(text: str) -> dict[str, tuple[str, str]]:
    """What a line such as `X.CW +SLOW` lets expect of the axis: proposals, for such lines are not always true."""
    found = _HINT.match(text.upper())
    if found is None:
        return {}
    ground = f"the header says Oscillation_axis {' '.join(text.split())}"
    is_vertical = found[1] == "Y" or "SLOW" in text.upper()
    sense = "anticlockwise" if found[2] == "CCW" else "clockwise"
    return {
        "principal_axis": ('"12:00"' if is_vertical else '"3:00"', ground),
        "rotation_sense": (f'"{sense}"', ground),
    }
