"""What was written, held against the raw values of its source by a reading that is not the builder's own.

The file is read back strictly by the dictionary. The source is read anew in the simplest way: lines of a
header by a pattern, JSON and HDF5 by their numbers, positions by products of 4 x 4 matrices. Frames of
reference differ, so that only what no turn of the frame changes is compared: lengths, and places along the
beam and along the axis. What has no such reading is said to be not compared.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.create.witness_imgcif import imgcif_numbers
from imgcif_core.create.witness_panels import psana_corners, xds_numbers
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.errors import ImgcifError
from imgcif_core.inputs import read_path, read_text
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass
from imgcif_core.sources.description import Experiment, PanelFacts, ScanFacts
from imgcif_core.sources.minicbf import header_text, read_head
from imgcif_core.tables import Tables

# Digits of headers: a micrometre, a ten-thousandth of a degree, a share of a wavelength.
_SAME_MM, _SAME_DEGREES, _SAME_SHARE = 1e-3, 1e-4, 1e-6
_NUMBER = r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True, slots=True)
class Witness:
    """What was compared and is the same, and what differs: each a few words."""

    same: tuple[str, ...]
    different: tuple[str, ...]

    def __str__(self) -> str:
        if self.different:
            return "differs from the raw values of the source: " + "; ".join(self.different)
        if not self.same:
            return "not compared with the source: nothing here reads it a second time"
        return "as in the source, read a second time: " + ", ".join(self.same)


Pair = tuple[str, float, float, float]


def witness(document: Document, source: Experiment) -> Witness:
    """What the first block of a created file has in common with the raw values of its source."""
    reader = _READERS.get(source.kind)
    if reader is None or not document.blocks:
        return Witness((), ())
    from imgcif_core.sources.imgcif import describe

    try:
        block = document.blocks[0]
        made = describe(Tables(block, load_bundled()), block.name)
        known = source.provenance.get("panels")
        place = known.source if source.kind in _BESIDE and known is not None else source.path
        pairs = list(reader(made, Path(place)))
    except (ImgcifError, OSError, ValueError, KeyError, IndexError, TypeError, ImportError):
        return Witness((), ())
    same, different = [], []
    for words, written, stated, tolerance in pairs:
        if abs(written - stated) <= tolerance:
            same.append(words)
        else:
            different.append(f"{words} is {written:.8g}, the source says {stated:.8g}")
    return Witness(tuple(dict.fromkeys(same)), tuple(dict.fromkeys(different)))


def _corners_of(panels: int) -> str:
    """What is held against the source of so many panels."""
    return f"corners of {panels} {'panel' if panels == 1 else 'panels'}"


def _moving(made: Experiment, scan: ScanFacts) -> tuple[float, float] | None:
    """Start and step of the rotation that moves, or of the only one."""
    settings = [scan.settings.get(axis.id, (0.0, 0.0)) for axis in made.goniometer]
    moving = [entry for entry in settings if entry[1]]
    chosen = moving or (settings if len(settings) == 1 else [])
    return chosen[0] if chosen else None


def _flat(made: Experiment, distance: float | None, centre: tuple[float, float] | None) -> Iterator[Pair]:
    """Distance and foot of the perpendicular of one flat panel, which its arm does not change."""
    panels = made.scans[0].panels
    if len(panels) != 1:
        return
    panel = panels[0]
    normal = unit(np.cross(panel.fast, panel.slow))
    if distance is not None:
        yield "distance", abs(float(panel.corner @ normal)), distance, _SAME_MM
    if centre is not None:
        for direction, size, stated in zip((panel.fast, panel.slow), panel.pixel_size, centre, strict=True):
            yield "beam centre", -float(panel.corner @ direction), stated * size, _SAME_MM


def _values(text: str, names: dict[str, tuple[str, float]]) -> dict[str, float]:
    """Numbers behind names in a text, each times a factor."""
    found = {}
    for key, (pattern, factor) in names.items():
        if match := re.search(pattern + r"[^\d\n+-]*?" + _NUMBER, text):
            found[key] = float(match[1]) * factor
    return found


def _plain(made: Experiment, values: dict[str, float], centre: tuple[float, float] | None) -> Iterator[Pair]:
    """What headers of single images give."""
    scan, panel = made.scans[0], made.scans[0].panels[0]
    if "wavelength" in values and made.beam.wavelength is not None:
        yield "wavelength", made.beam.wavelength, values["wavelength"], _SAME_SHARE * values["wavelength"]
    if "pixel" in values:
        yield "pixel size", panel.pixel_size[0], values["pixel"], 1e-6
    yield from _flat(made, values.get("distance"), centre)
    moving = _moving(made, scan)
    if moving is not None:
        for name, place in (("start", 0), ("increment", 1)):
            if name in values:
                yield f"{name} of the rotation", moving[place], values[name], _SAME_DEGREES
    if values.get("two_theta") and len(scan.panels) == 1:
        normal = unit(np.cross(panel.fast, panel.slow))
        tilt = float(np.degrees(np.arccos(min(1.0, abs(float(normal @ made.beam.source))))))
        yield "two theta", tilt, abs(values["two_theta"]), 1e-3
    if values.get("exposure") and scan.exposure_time is not None:
        yield "exposure time", scan.exposure_time, values["exposure"], 1e-9


def _minicbf(made: Experiment, path: Path) -> Iterator[Pair]:
    """Lines of a text header, in metres and degrees as DECTRIS writes them."""
    text = header_text(read_head(path)) or ""
    if re.search(r"(Pixel_size|Detector_distance)[^\n]*\b(mm|cm|um)\b", text):
        return
    names = {
        "wavelength": (r"# Wavelength", 1.0),
        "pixel": (r"# Pixel_size", 1e3),
        "distance": (r"# Detector_distance", 1e3),
        "start": (r"# Start_angle", 1.0),
        "increment": (r"# Angle_increment", 1.0),
        "two_theta": (r"# Detector_2theta", 1.0),
        "exposure": (r"# Exposure_time", 1.0),
    }
    found = re.search(rf"# Beam_xy\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)\s*pixels", text)
    yield from _plain(made, _values(text, names), (float(found[1]), float(found[2])) if found else None)


def _smv(made: Experiment, path: Path) -> Iterator[Pair]:
    """Values of an SMV header; its beam centre means different things to makers."""
    text = read_head(path)[:65536].decode("latin-1")
    names = {
        "wavelength": (r"\nWAVELENGTH=", 1.0),
        "pixel": (r"\nPIXEL_SIZE=", 1.0),
        "distance": (r"\nDISTANCE=", 1.0),
        "start": (r"\nOSC_START=", 1.0),
        "increment": (r"\nOSC_RANGE=", 1.0),
        "two_theta": (r"\nTWOTHETA=", 1.0),
        "exposure": (r"\nTIME=", 1.0),
    }
    yield from _plain(made, _values(text, names), None)


def _invariants(points: np.ndarray, source: np.ndarray, axis: np.ndarray | None) -> np.ndarray:
    """What no turn of the frame changes of points (n, 3): length, place along the beam and the axis, and
    on which side of the plane of the two a point lies: (n, 3 or 2) mm."""
    columns = [np.linalg.norm(points, axis=1), points @ unit(source)]
    if axis is not None:
        columns += [points @ unit(axis), points @ np.cross(unit(source), unit(axis))]
    return np.stack(columns, axis=1)


def _corners(panels: tuple[PanelFacts, ...]) -> np.ndarray:
    """First corner, fast end and slow end of panels, in their order: (3 n, 3)."""
    return np.concatenate([panel.corners()[[0, 1, 3]] for panel in panels])


def _matrix(node: dict[str, Any]) -> np.ndarray:
    """The 4 x 4 matrix that carries what hangs on a node of a DIALS hierarchy."""
    found = np.eye(4)
    fast, slow = np.array(node["fast_axis"], float), np.array(node["slow_axis"], float)
    found[:3, 0], found[:3, 1] = fast, slow
    found[:3, 2], found[:3, 3] = np.cross(fast, slow), node["origin"]
    return found


def _dials_corners(detector: dict[str, Any]) -> np.ndarray:
    """First corner, fast end and slow end of all panels by the numbers of the JSON: (3 n, 3) mm."""
    carried: dict[int, np.ndarray] = {}

    def walk(node: dict[str, Any], outer: np.ndarray) -> None:
        own = outer @ _matrix(node)
        for child in node.get("children", []):
            if "panel" in child:
                carried[child["panel"]] = own
            else:
                walk(child, own)

    if detector.get("hierarchy"):
        walk(detector["hierarchy"], np.eye(4))
    found = []
    for index, panel in enumerate(detector["panels"]):
        whole = carried.get(index, np.eye(4)) @ _matrix(panel)
        width, height = np.array(panel["image_size"]) * np.array(panel["pixel_size"])
        for place in ((0, 0), (width, 0), (0, height)):
            found.append((whole @ [*place, 0.0, 1.0])[:3])
    return np.array(found)


def _dials(made: Experiment, path: Path) -> Iterator[Pair]:
    """Wavelength, corners of all panels and the oscillation of the first experiment of a list."""
    data = json.loads(read_path(path))
    first = data["experiment"][0]
    beam, detector = data["beam"][first["beam"]], data["detector"][first["detector"]]
    if made.beam.wavelength is not None and len({entry.get("wavelength") for entry in data["beam"]}) == 1:
        yield "wavelength", made.beam.wavelength, beam["wavelength"], _SAME_SHARE * beam["wavelength"]
    stated_axis = axis = None
    if made.goniometer and first.get("goniometer") is not None:
        model = data["goniometer"][first["goniometer"]]
        setting = np.array(model.get("setting_rotation", np.eye(3).ravel()), float).reshape(3, 3)
        stated_axis = np.array(model["axes"][-1], float) if "axes" in model else setting @ model["rotation_axis"]
        axis = made.goniometer[0].vector
    stated, own = _dials_corners(detector), _corners(made.scans[0].panels)
    if stated.shape == own.shape:
        one = _invariants(own, made.beam.source, axis)
        other = _invariants(stated, np.array(beam["direction"], float), stated_axis)
        yield _corners_of(len(own) // 3), float(np.abs(one - other).max()), 0.0, _SAME_MM
    scan = data["scan"][first["scan"]] if first.get("scan") is not None and data.get("scan") else {}
    moving = _moving(made, made.scans[0])
    oscillation = scan.get("oscillation")
    if oscillation and moving is not None:
        yield "start of the rotation", moving[0], oscillation[0], _SAME_DEGREES
        yield "increment of the rotation", moving[1], oscillation[1], _SAME_DEGREES
    if "image_range" in scan and len(made.scans) == len(data["experiment"]):
        low, high = scan["image_range"]
        yield "number of frames", made.scans[0].frames, high - low + 1, 0.0


def _nxmx(made: Experiment, path: Path) -> Iterator[Pair]:
    """Numbers of an HDF5 master that are given in the units of its makers."""
    from imgcif_core.sources.isolated import call

    place = "/entry/instrument/detector"
    beam = "/entry/instrument/beam/incident_wavelength"
    names = ("x_pixel_size", "detector_distance", "beam_center_x", "beam_center_y", "count_time")
    values, members = call("values", path, [beam, *(f"{place}/{name}" for name in names)], place)

    def number(name: str, unit: str) -> float | None:
        numbers, stated_unit = values[f"{place}/{name}"]
        return float(numbers[0]) if stated_unit == unit and len(numbers) and np.isfinite(numbers[0]) else None

    waves, wave_unit = values[beam]
    if made.beam.wavelength is not None and len(waves) == 1 and wave_unit == "angstrom":
        stated = float(waves[0])
        yield "wavelength", made.beam.wavelength, stated, _SAME_SHARE * stated
    pixel = number("x_pixel_size", "m")
    if pixel is not None:
        yield "pixel size", made.scans[0].panels[0].pixel_size[0], pixel * 1e3, 1e-6
    distance = number("detector_distance", "m")
    centre = [number(f"beam_center_{name}", "pixel") for name in ("x", "y")]
    known = None if None in centre else (float(centre[0] or 0), float(centre[1] or 0))
    is_chained = any("module" in name for name in members)
    yield from _flat(made, None if distance is None else distance * 1e3, None if is_chained else known)
    exposure = number("count_time", "s")
    if exposure and made.scans[0].exposure_time is not None:
        yield "exposure time", made.scans[0].exposure_time, exposure, 1e-6 * exposure


def _crystfel(made: Experiment, path: Path) -> Iterator[Pair]:
    """First corners of panels by their lines: distance from the beam and along it."""
    text = re.sub(r";[^\n]*", "", read_text(path, errors="replace"))
    shared = re.findall(r"^\s*res\s*=\s*" + _NUMBER, text, re.M)
    names = [panel.name for panel in made.scans[0].panels]
    places: dict[str, dict[str, float]] = {}
    for name, item, value in re.findall(rf"^\s*([^/\s=]+)/(corner_x|corner_y|res)\s*=\s*{_NUMBER}", text, re.M):
        places.setdefault(name, {})[item] = float(value)
    kept = {name: entry for name, entry in places.items() if {"corner_x", "corner_y"} <= set(entry)}
    if len(kept) != len(names):
        return
    own = np.array([panel.corner for panel in made.scans[0].panels])
    across = np.sort(np.linalg.norm(own - np.outer(own @ made.beam.source, made.beam.source), axis=1))
    stated = []
    for entry in kept.values():
        res = entry.get("res") or (float(shared[-1]) if len(set(shared)) == 1 else np.nan)
        stated.append(1e3 * np.hypot(entry["corner_x"], entry["corner_y"]) / res)
    if np.isfinite(stated).all():
        off = float(np.abs(across - np.sort(stated)).max())
        yield f"first corners of {len(names)} panels across the beam", off, 0.0, _SAME_MM


def _detector(made: Experiment, path: Path) -> Iterator[Pair]:
    """Corners of all panels of a detector alone; without a goniometer only what no turn about the beam changes."""
    data = json.loads(path.read_bytes())
    found = data.get("detector", data) if isinstance(data, dict) else data
    stated, own = _dials_corners(found[0] if isinstance(found, list) else found), _corners(made.scans[0].panels)
    if stated.shape == own.shape:
        one = _invariants(own, made.beam.source, None)
        off = np.abs(one - _invariants(stated, np.array([0.0, 0.0, 1.0]), None)).max()
        yield _corners_of(len(own) // 3), float(off), 0.0, _SAME_MM


def _xds(made: Experiment, path: Path) -> Iterator[Pair]:
    """Numbers of XDS: wavelength, rotation, and the outer corners of the detector or of its segments."""
    stated = xds_numbers(path.read_text(encoding="latin-1")[:1_000_000], path.name)
    if made.beam.wavelength is not None:
        yield "wavelength", made.beam.wavelength, stated.wavelength, _SAME_SHARE * stated.wavelength
    moving = _moving(made, made.scans[0])
    if moving is not None:
        yield "increment of the rotation", moving[1], stated.step, _SAME_DEGREES
    own = _corners(made.scans[0].panels)
    if stated.corners.shape == own.shape:
        one = _invariants(own, made.beam.source, made.goniometer[0].vector if made.goniometer else None)
        other = _invariants(stated.corners, -stated.beam, stated.axis)
        yield _corners_of(len(own) // 3), float(np.abs(one - other).max()), 0.0, _SAME_MM


def _psana(made: Experiment, path: Path) -> Iterator[Pair]:
    """First corners and ends of all chips by the rows of psana; what no turn about the beam changes."""
    stated, own = psana_corners(read_text(path, errors="replace")), _corners(made.scans[0].panels)
    if stated.shape == own.shape:
        one = _invariants(own, made.beam.source, None)
        off = np.abs(one - _invariants(stated, np.array([0.0, 0.0, 1.0]), None)).max()
        yield _corners_of(len(own) // 3), float(off), 0.0, _SAME_MM


def _imgcif(made: Experiment, path: Path) -> Iterator[Pair]:
    """Wavelength and corners of all panels by the tables of an imgCIF, read by another program."""
    stated = imgcif_numbers(path)
    if stated is None:
        return
    if made.beam.wavelength is not None and len(stated.wavelengths) == 1:
        yield "wavelength", made.beam.wavelength, stated.wavelengths[0], _SAME_SHARE * stated.wavelengths[0]
    own = _corners(made.scans[0].panels)
    if stated.corners.shape == own.shape:
        axis = made.goniometer[0].vector if made.goniometer and stated.axis is not None else None
        one = _invariants(own, made.beam.source, axis)
        other = _invariants(stated.corners, stated.source, stated.axis if axis is not None else None)
        yield _corners_of(len(own) // 3), float(np.abs(one - other).max()), 0.0, _SAME_MM


def _euxfel(made: Experiment, path: Path) -> Iterator[Pair]:
    """The geometry beside a run, where it is one of CrystFEL."""
    if path.suffix == ".geom":
        yield from _crystfel(made, path)


_READERS: dict[str, Callable[[Experiment, Path], Iterator[Pair]]] = {
    "minicbf": _minicbf,
    "smv": _smv,
    "dials": _dials,
    "nxmx": _nxmx,
    "crystfel": _crystfel,
    "xds": _xds,
    "detector": _detector,
    "psana": _psana,
    "imgcif": _imgcif,
    "euxfel": _euxfel,
}
# Descriptions in two files: the place of the panels stands in the second.
_BESIDE = ("euxfel",)
