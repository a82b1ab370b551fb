"""Vectors of d*TREK in the headers of SMV images: the goniometers of detector and crystal, and the beam.

A header names its detectors in DETECTOR_NAMES; the names are prefixes of their keys. With all axes at zero the
detector stands in the plane of the sample: its DETECTOR_VECTORS, mixed by SPATIAL_DISTORTION_VECTORS, are the
directions of the pixels, and the first two numbers of SPATIAL_DISTORTION_INFO the pixel on the origin, counted from
the outer corner of the first. The axes of a goniometer are listed from the base; translations are carried by the
rotations before them. SOURCE_VECTORS begins with the direction from the sample to the source.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import angle_between, rotation_matrices, unit
from imgcif_core.records import dataclass
from imgcif_core.sources.description import AxisFacts, Origin, PanelFacts, Provenance
from imgcif_core.sources.draft import Draft

_MOST_AXES = 20
# Directions are printed with few digits.
_SAME_DEGREES = 0.5
_FRAMES_KEYS = ("ROTATION", "ROTATION_AXIS_NAME", "ROTATION_VECTOR")
_CRYSTAL = tuple(f"CRYSTAL_GONIO_{part}" for part in ("NAMES", "UNITS", "VALUES", "VECTORS"))
_BEAM = ("SOURCE_VECTORS", "SOURCE_POLARZ")
_DETECTOR: tuple[str, ...] = ("DETECTOR_VECTORS", "SPATIAL_DISTORTION_INFO")
_DETECTOR += tuple(f"GONIO_{part}" for part in ("NAMES", "UNITS", "VALUES", "VECTORS"))
_OPTIONAL = ("SPATIAL_DISTORTION_VECTORS", "DETECTOR_DESCRIPTION")


def prefix_of(header: Mapping[str, str]) -> str | None:
    """The prefix of the keys of the first detector; None where the header does not place one."""
    prefix = (header.get("DETECTOR_NAMES", "").split() or [""])[0].upper()
    needed = [*(prefix + part for part in _DETECTOR), "ROTATION", "ROTATION_VECTOR"]
    return prefix if prefix and all(header.get(key) for key in needed) else None


def used_keys(header: Mapping[str, str]) -> set[str]:
    """The keys of a header whose values are used where it places its detector."""
    prefix = prefix_of(header)
    if prefix is None:
        return set()
    own = {prefix + part for part in (*_DETECTOR, *_OPTIONAL)}
    own |= {"DETECTOR_NAMES", *_FRAMES_KEYS, *_BEAM, "SATURATED_VALUE", "DTREK_DATE_TIME"}
    own.add("SCAN_WAVELENGTH" if header.get("SCAN_WAVELENGTH") else "SOURCE_WAVELENGTH")
    if all(header.get(key) for key in _CRYSTAL):
        own |= set(_CRYSTAL)
    return own & header.keys()


@dataclass(frozen=True, slots=True)
class _Chain:
    """Axes from the base with their settings in degrees and mm."""

    axes: tuple[AxisFacts, ...]
    values: Mapping[str, float]

    def carried(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation (3, 3) and place (3,) mm of what the chain carries."""
        turn, place = np.eye(3), np.zeros(3)
        for axis in self.axes:
            if axis.kind == "translation":
                place = place + turn @ (self.values[axis.id] * axis.vector)
            else:
                turn = turn @ rotation_matrices(axis.vector, np.array(self.values[axis.id]))
        return turn, place

    def direction(self, name: str) -> Floats:
        """The direction of an axis, turned by those that carry it: (3,)."""
        turn = np.eye(3)
        for axis in self.axes:
            if axis.id == name:
                found: Floats = turn @ axis.vector
                return found
            turn = turn @ rotation_matrices(axis.vector, np.array(self.values[axis.id]))
        raise KeyError(name)


def with_vectors(draft: Draft, header: Mapping[str, str]) -> Draft:
    """The draft of an SMV image with what the vectors of its header tell; as it is without them.

    Raises
    ------
    InputError
        If there are not as many numbers as axes, or directions are null.
    """
    prefix = prefix_of(header)
    if prefix is None:
        return draft
    reader = _Reader(header, draft.path)
    crystal, moving, note = _goniometer(reader)
    taken = {axis.id for axis in crystal.axes}
    mounting = _chain(reader, f"{prefix}GONIO_", taken)
    panel = _panel(reader, prefix, mounting, draft.size or (0, 0))
    rotation = reader.numbers("ROTATION", 3)
    exposure = reader.numbers("ROTATION")[3:4]
    saturation = reader.numbers("SATURATED_VALUE")[:1] if header.get("SATURATED_VALUE") else np.zeros(0)
    fraction, normal = _polarization(reader)
    source = reader.numbers("SOURCE_VECTORS", 3)[:3] if header.get("SOURCE_VECTORS") else np.array([0.0, 0.0, 1.0])
    described = header.get(f"{prefix}DETECTOR_DESCRIPTION", "")
    facts = {"detector": described, **draft.facts} if described else draft.facts
    places = ("panels", "pixel_size", "distance", "beam_centre", "goniometer", "scans", "start", "wavelength")
    found = Provenance(Origin.FILE, draft.path, "SMV header, vectors of d*TREK")
    return replace(
        draft,
        pixel_size=panel.pixel_size,
        panels=(replace(panel, overload=float(saturation[0]) if len(saturation) else draft.overload),),
        mounting=mounting.axes,
        detector_settings=mounting.values,
        goniometer=crystal.axes,
        axis_id=moving,
        standing={name: value for name, value in crystal.values.items() if name != moving},
        start=float(rotation[0]),
        increment=float(rotation[2]),
        two_theta=0.0,
        exposure_time=float(exposure[0]) if len(exposure) and exposure[0] > 0 else draft.exposure_time,
        wavelength=_wavelength(reader) or draft.wavelength,
        to_source=reader.direction(source, "SOURCE_VECTORS"),
        polarization_fraction=fraction,
        polarization_normal=normal,
        facts=facts,
        provenance={**draft.provenance, **dict.fromkeys(places, found)},
        notes=(*draft.notes, *([note] if note else [])),
    )


class _Reader:
    """Numbers of a header, refused where they do not fit."""

    def __init__(self, header: Mapping[str, str], path: str) -> None:
        self.header, self.path = header, path

    def numbers(self, key: str, least: int = 0) -> np.ndarray:
        """The numbers behind a key, at least so many."""
        text = self.header.get(key, "")
        try:
            found = np.array([float(part) for part in text.split()])
        except ValueError:
            found = np.zeros(0)
        if len(found) < max(least, 1) or not (np.abs(found) < 1e9).all():
            raise InputError(f"{self.path}: {key}={text[:60]} are not {least or 'any'} numbers")
        return found

    def direction(self, vector: np.ndarray, key: str) -> np.ndarray:
        """A unit vector."""
        if not np.linalg.norm(vector) > 1e-6:
            raise InputError(f"{self.path}: {key} holds a direction that is null")
        return unit(vector)


def _chain(reader: _Reader, start: str, taken: set[str]) -> _Chain:
    """The axes of the keys that begin alike; words after a slash name an axis better, as in RotX/Swing."""
    names, units = (reader.header[f"{start}{part}"].split() for part in ("NAMES", "UNITS"))
    values, vectors = reader.numbers(f"{start}VALUES"), reader.numbers(f"{start}VECTORS")
    if not len(names) == len(units) == len(values) == len(vectors) / 3 or len(names) > _MOST_AXES:
        raise InputError(
            f"{reader.path}: {start}NAMES has {len(names)} names for {len(units)} units, {len(values)} values and "
            f"{len(vectors)} numbers of vectors"
        )
    axes: list[AxisFacts] = []
    settings: dict[str, float] = {}
    for index, (name, unit_name) in enumerate(zip(names, units, strict=True)):
        if unit_name.lower() not in ("deg", "mm"):
            raise InputError(f"{reader.path}: {start}UNITS has {unit_name}, expected deg or mm")
        own = plain_name(name, {*taken, *settings})
        vector = reader.direction(vectors[3 * index : 3 * index + 3], f"{start}VECTORS")
        kind = "rotation" if unit_name.lower() == "deg" else "translation"
        axes.append(AxisFacts(own, kind, vector, axes[-1].id if axes else None))
        settings[own] = float(values[index])
    return _Chain(tuple(axes), settings)


def plain_name(name: str, taken: set[str]) -> str:
    """An axis id from a word of a header that no other axis has."""
    base = name.rpartition("/")[2].strip().lower() or "axis"
    own, number = base, 2
    while own in taken:
        own, number = f"{base}{number}", number + 1
    return own


def _goniometer(reader: _Reader) -> tuple[_Chain, str, str]:
    """The axes of the crystal, the one that moves, and a remark where only that one can be taken."""
    axis = reader.direction(reader.numbers("ROTATION_VECTOR", 3)[:3], "ROTATION_VECTOR")
    name = plain_name(reader.header.get("ROTATION_AXIS_NAME", "omega"), set())
    single = _Chain((AxisFacts(name, "rotation", axis),), {name: 0.0})
    if not all(reader.header.get(key) for key in _CRYSTAL):
        return single, name, ""
    chain = _chain(reader, "CRYSTAL_GONIO_", set())
    if any(entry.kind != "rotation" for entry in chain.axes) or name not in chain.values:
        return single, name, "the goniometer of the crystal is left out: its axes do not name the one that moves"
    if float(angle_between(chain.direction(name), axis)) > _SAME_DEGREES:
        words = "turned by its settings it has another axis than ROTATION_VECTOR, which is taken"
        return single, name, f"the goniometer of CRYSTAL_GONIO_VECTORS is left out: {words}"
    return chain, name, ""


def _panel(reader: _Reader, prefix: str, mounting: _Chain, size: tuple[int, int]) -> PanelFacts:
    """The detector where its axes put it."""
    key = f"{prefix}SPATIAL_DISTORTION_INFO"
    centre_x, centre_y, fast_step, slow_step = reader.numbers(key, 4)[:4]
    if not (1e-4 < fast_step < 5.0 and 1e-4 < slow_step < 5.0):
        raise InputError(f"{reader.path}: {key} tells of pixels of {fast_step:g} x {slow_step:g} mm, which cannot be")
    directions = reader.numbers(f"{prefix}DETECTOR_VECTORS", 6)[:6].reshape(2, 3)
    mixed = f"{prefix}SPATIAL_DISTORTION_VECTORS"
    if reader.header.get(mixed):
        directions = reader.numbers(mixed, 4)[:4].reshape(2, 2) @ directions
    fast, slow = (reader.direction(vector, f"{prefix}DETECTOR_VECTORS") for vector in directions)
    if np.linalg.norm(np.cross(fast, slow)) < 1e-3:
        raise InputError(f"{reader.path}: the two directions of {prefix}DETECTOR_VECTORS are parallel")
    turn, place = mounting.carried()
    corner = turn @ (-centre_x * fast_step * fast - centre_y * slow_step * slow) + place
    return PanelFacts("detector", size, (float(fast_step), float(slow_step)), corner, turn @ fast, turn @ slow)


def _wavelength(reader: _Reader) -> float | None:
    """The wavelength of the scan, or the only one of the source, whose number stands before it."""
    if reader.header.get("SCAN_WAVELENGTH"):
        return float(reader.numbers("SCAN_WAVELENGTH")[0])
    if not reader.header.get("SOURCE_WAVELENGTH"):
        return None
    found = reader.numbers("SOURCE_WAVELENGTH")
    return float(found[1]) if len(found) == 2 and found[0] == 1 else None


def _polarization(reader: _Reader) -> tuple[float | None, np.ndarray | None]:
    """Fraction and normal of the polarization; a fraction of a half has no direction."""
    if not reader.header.get("SOURCE_POLARZ"):
        return None, None
    values = reader.numbers("SOURCE_POLARZ")
    has_normal = len(values) >= 4 and np.linalg.norm(values[1:4]) > 1e-6 and values[0] != 0.5
    return float(values[0]), unit(values[1:4]) if has_normal else None
