"""Keywords of XDS: where they stand in its files, and what becomes of each value."""

import re

from imgcif_core.errors import InputError
from imgcif_core.sources.statements import Fate, Statement

_KEY = r"[A-Z][A-Z0-9_./*-]*(?:\([A-Z,]+\))?"
_PAIR = re.compile(rf"({_KEY})=\s*(.*?)(?=\s+{_KEY}=|\s*$)")
_MOST_LINES = 100_000
_END = "END_OF_HEADER"
USED = {
    "X-RAY_WAVELENGTH",
    "INCIDENT_BEAM_DIRECTION",
    "FRACTION_OF_POLARIZATION",
    "POLARIZATION_PLANE_NORMAL",
    "ROTATION_AXIS",
    "OSCILLATION_RANGE",
    "STARTING_ANGLE",
    "STARTING_FRAME",
    "DATA_RANGE",
    "NAME_TEMPLATE_OF_DATA_FRAMES",
    "OVERLOAD",
    "MINIMUM_VALID_PIXEL_VALUE",
    "SENSOR_THICKNESS",
    "NX",
    "NY",
    "QX",
    "QY",
    "ORGX",
    "ORGY",
    "DETECTOR_DISTANCE",
    "DIRECTION_OF_DETECTOR_X-AXIS",
    "DIRECTION_OF_DETECTOR_Y-AXIS",
    "SEGMENT",
    "DIRECTION_OF_SEGMENT_X-AXIS",
    "DIRECTION_OF_SEGMENT_Y-AXIS",
    "SEGMENT_ORGX",
    "SEGMENT_ORGY",
    "SEGMENT_DISTANCE",
}
PROCESSING = "it is a result or a choice of the processing, not of the measurement"
_REGIONS = "imgCIF has no regions of bad pixels"
_MAPS = "imgCIF has no maps of corrections of places"
_REASONS = {
    "SILICON": "it follows from material, thickness and wavelength",
    "AIR": "it follows from the wavelength",
    "X-GEO_CORR": _MAPS,
    "Y-GEO_CORR": _MAPS,
    "GAIN": "XDS estimates it from the images",
}


class Words:
    """The values of an XDS file by keyword, in the order in which they stand."""

    def __init__(self, values: dict[str, list[str]], path: str) -> None:
        self.values, self.path = values, path

    def has(self, key: str) -> bool:
        """True if a keyword has a value."""
        return any(self.values.get(key, ()))

    def text(self, key: str, index: int = 0) -> str:
        """The text behind a keyword, empty where there is none."""
        given = self.values.get(key, [])
        return given[index] if index < len(given) else ""

    def numbers(self, key: str, count: int, index: int = 0) -> list[float]:
        """The first numbers behind a keyword.

        Raises
        ------
        InputError
            If there are fewer, or something else stands there.
        """
        text = self.text(key, index)
        try:
            found = [float(part) for part in text.replace(",", " ").split()[:count]]
        except ValueError:
            found = []
        if len(found) < count or not all(abs(value) < 1e12 for value in found):
            expected = "a number" if count == 1 else f"{count} numbers"
            raise InputError(f"{self.path}: {key}= {text[:60]!r}, expected {expected}")
        return found

    def number(self, key: str, default: float | None = None) -> float:
        """One number; the default where the keyword is absent."""
        if not self.has(key) and default is not None:
            return default
        return self.numbers(key, 1)[0]

    def statements(self) -> tuple[Statement, ...]:
        """What becomes of each value; those of a keyword that is left out in one statement."""
        found = []
        for key, texts in self.values.items():
            given = [text for text in texts if text]
            fate, reason = _fate(key)
            if fate is Fate.LEFT_OUT:
                found += [Statement(key, "; ".join(given), fate, reason)] if given else []
            else:
                names = [key] if len(given) == 1 else [f"{key} {number}" for number in range(1, len(given) + 1)]
                found += [Statement(name, text, fate, reason) for name, text in zip(names, given, strict=True)]
        return tuple(found)


def _fate(key: str) -> tuple[Fate, str]:
    """What becomes of the values of a keyword."""
    if key in USED:
        return Fate.USED, ""
    if key == "DETECTOR":
        return Fate.ASKED, ""
    if key.startswith("UNTRUSTED_"):
        return Fate.LEFT_OUT, _REGIONS
    return Fate.LEFT_OUT, _REASONS.get(key, PROCESSING)


def words_of(text: str, path: str, is_header: bool) -> Words:
    """The values of XDS.INP, or of the lines that begin with `!` at the head of a list of reflections.

    A keyword that may stand once counts as it stands last, as XDS has it.
    """
    values: dict[str, list[str]] = {}
    for line in text.splitlines()[:_MOST_LINES]:
        if is_header:
            if not line.startswith("!") or line.startswith(f"!{_END}"):
                break
            body = line[1:]
        else:
            body = line.partition("!")[0]
        for key, value in _PAIR.findall(body):
            values.setdefault(key, []).append(value.strip())
    if not values:
        raise InputError(f"{path}: holds no KEYWORD= value of XDS")
    return Words(values, path)
