"""miniCBF: the text header that Pilatus and Eiger detectors write, line by line.

The header names no axes. A detector is placed across the beam by distance and beam centre, which counts
from the outer corner of the first pixel; the rotation axis is taken along +X until somebody knows better.
"""

import bz2
import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgcif_core.cif.cbf import BOUNDARY
from imgcif_core.errors import InputError
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
ANGLES = ("Omega", "Kappa", "Phi", "Chi", "Alpha")


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """One fact of a header: its key as written, the rest of the line, and the line's number, from 0."""

    key: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class MiniHeader:
    """The lines of a header by lower-case key; lengths in mm, angles in degrees, times in seconds."""

    lines: Mapping[str, HeaderLine]
    detector: str | None
    date: str | None
    material: str | None
    thickness: float | None

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
        """The wavelength in ångström."""
        value = self.number("wavelength")
        return value if value else None

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
        return _mm(match[1], match[2] or "m"), _mm(match[3], match[4] or "m")

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
        """The axis that moves: the one whose increment is not zero, else omega."""
        for name in ANGLES:
            if self.number(f"{name}_increment"):
                return name.lower()
        return "omega"


def _mm(number: str, unit: str) -> float:
    """A length in mm without the noise of the conversion."""
    return float(f"{float(number) * _TO_MM.get(unit.lower(), 1.0):.12g}")


def parse_header(text: str) -> MiniHeader:
    """The facts in the text of `_array_data.header_contents`; unknown lines are kept by their key."""
    lines: dict[str, HeaderLine] = {}
    detector = date = material = None
    thickness: float | None = None
    for number, line in enumerate(text.splitlines()):
        body = line.strip().lstrip("#").strip()
        if not body:
            continue
        if date is None and (found := _DATE.match(body)):
            date = _iso(found[0])
            continue
        if sensor := _SENSOR.search(body):
            material = _MATERIALS.get(sensor[1].lower(), sensor[1])
            thickness = _mm(sensor[2], sensor[3] or "m")
            continue
        key, _, rest = body.partition(" ")
        key, rest = key.rstrip(":="), rest.strip().lstrip("=:").strip()
        if key.lower() == "detector":
            detector = rest
        lines.setdefault(key.lower(), HeaderLine(key, rest, number))
    return MiniHeader(lines, detector, date, material, thickness)


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
    openers: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open}
    try:
        with openers.get(Path(path).suffix.lower(), open)(path, "rb") as stream:
            head = stream.read(HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    return head


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
    """The experiment that the text header of one CBF describes: one frame.

    Raises
    ------
    InputError
        If the file cannot be read, has no text header, or the header does not place the detector.
    """
    head = read_head(path)
    text = header_text(head)
    if text is None:
        raise InputError(f"{path}: no _array_data.header_contents, so this is no miniCBF")
    header = parse_header(text)
    sizes = {name.decode().lower(): int(value) for name, value in _MIME_SIZE.findall(head)}
    return describe(header, (sizes.get("fastest", 0), sizes.get("second", 0)), str(path))


def describe(header: MiniHeader, size: tuple[int, int], path: str) -> Experiment:
    """The experiment in a header, with the size of the image along fast and slow from elsewhere.

    Raises
    ------
    InputError
        If the header does not place the detector.
    """
    pixel, centre, distance = header.pixel_size, header.beam_xy, header.distance
    stated = {"Pixel_size": pixel, "Beam_xy": centre, "Detector_distance": distance}
    missing = [name for name, value in stated.items() if value is None]
    if pixel is None or centre is None or distance is None:
        raise InputError(f"{path}: the text header does not give {', '.join(missing)}")
    axis = header.axis_name
    corner = np.array([-centre[0] * pixel[0], centre[1] * pixel[1], -distance])
    cutoff = header.number("count_cutoff")
    panel = PanelFacts(
        "detector",
        size,
        pixel,
        corner,
        np.array([1.0, 0.0, 0.0]),
        np.array([0.0, -1.0, 0.0]),
        underload=0.0,
        overload=None if cutoff is None else cutoff + 1.0,
        undefined_value=-1.0,
        material=header.material,
        thickness=header.thickness,
    )
    start = header.number("start_angle", axis) or 0.0
    increment = header.number("angle_increment", f"{axis}_increment") or 0.0
    scan = ScanFacts(
        "SCAN1",
        1,
        {axis: (start, increment)},
        (panel,),
        ImageFiles((path,), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), None, "CBF"),
        exposure_time=header.number("exposure_time"),
        period=header.number("exposure_period"),
        start_date=header.date,
        wavelength=header.wavelength,
    )
    from_file = Provenance(Origin.FILE, path, "header_contents")
    provenance = dict.fromkeys(("beam.wavelength", "scans", "facts.detector"), from_file)
    provenance["panels"] = Provenance(Origin.DERIVED, path, "Detector_distance and Beam_xy, across the beam")
    provenance["goniometer"] = Provenance(Origin.DEFAULT, path, "axis taken along +X; the header gives no direction")
    beam = BeamFacts(np.array([0.0, 0.0, 1.0]), header.wavelength, polarization_fraction=header.number("polarization"))
    notes = []
    if header.number("detector_2theta"):
        notes.append("the header gives Detector_2theta but not the axis about which it turns; it was not applied")
    facts = {"detector": header.detector} if header.detector else {}
    goniometer = (AxisFacts(axis, "rotation", np.array([1.0, 0.0, 0.0])),)
    return Experiment(path, KIND, beam, goniometer, (scan,), (), facts, provenance, tuple(notes))
