"""Numbers as people type them: with a unit, with a comma where a point belongs, or in a unit that was not asked for."""

import re
from collections.abc import Mapping
from typing import Any

LENGTHS = {"mm": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3}
ANGLES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "mdeg": 1e-3, "rad": 57.29577951308232}
ANGLES["mrad"] = ANGLES["rad"] / 1000.0
WAVELENGTHS = {"a": 1.0, "å": 1.0, "ang": 1.0, "angstrom": 1.0, "angstroms": 1.0, "nm": 10.0, "pm": 0.01}
PIXELS = {"px": 1.0, "pixel": 1.0, "pixels": 1.0}
NONE: Mapping[str, float] = {}
_LARGEST = 1e12
_ONE = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s*((?![x×])(?:[^\W\d_]+|°)))?")
_BETWEEN = re.compile(r"\s*[,;x×]\s*|\s+")
_BRACKETS = str.maketrans("()[]", "    ")
_MOST_PHOTON_KEV = 150.0


class Millimetres(tuple[float, float]):
    """Two lengths in mm, where pixels are counted otherwise."""


def pixels_or_mm(text: Any) -> tuple[float, float]:
    """A place in pixels, or as `Millimetres` where both numbers have a unit of length."""
    words = " ".join(map(str, text)) if isinstance(text, (list, tuple)) else str(text)
    if not re.search(r"\d\s*(?:mm|cm|m|[uµμ]m|microns?)(?![^\W\d_])", words.lower()):
        first, second = numbers(text, PIXELS, 2)
        return first, second
    if not re.search(r"[^\W\d_]\W*\Z", words):
        raise ValueError("expected a unit after the second number too")
    first, second = numbers(text, LENGTHS, 2)
    return Millimetres((first, second))


def number(text: Any, units: Mapping[str, float] = NONE) -> float:
    """A finite number in the first of some units; `ValueError` says what was expected."""
    return numbers(text, units, 1)[0]


def numbers(text: Any, units: Mapping[str, float] = NONE, count: int | None = None) -> list[float]:
    """Finite numbers between blanks, commas or `x`, or in a list; a unit after the last one holds for all.

    Raises
    ------
    ValueError
        If there are not as many as expected, or something else stands between them.
    """
    if isinstance(text, bool):
        raise ValueError("expected a number")
    if isinstance(text, (int, float)):
        values = [_finite(text)]
    elif isinstance(text, (list, tuple)):
        values = [number(entry, units) for entry in text]
    elif isinstance(text, str):
        values = _typed(text, units, count)
    else:
        raise ValueError("expected a number")
    if count is not None and len(values) != count:
        raise ValueError(f"expected {_words(count)}, found {len(values)}")
    return values


def _typed(text: str, units: Mapping[str, float], count: int | None) -> list[float]:
    """The numbers of a typed text."""
    body = re.sub(r"[,;]?\s*\Z", "", text.translate(_BRACKETS)).strip()
    if count == 1 and re.fullmatch(r"[-+]?\d+,\d+\s*\D*", body):
        raise ValueError(f"expected a number with a point, such as {body.replace(',', '.')}")
    found: list[tuple[float, str]] = []
    position = 0
    while position < len(body):
        match = _ONE.match(body, position)
        if match is None or match.end() == position:
            raise ValueError("expected a number" if count == 1 else "expected numbers")
        found.append((_finite(match[1]), (match[2] or "").lower()))
        position = match.end()
        gap = _BETWEEN.match(body, position)
        if gap is None and position < len(body):
            raise ValueError(f"expected a number, found {body[position : position + 20]!r} after it")
        position = gap.end() if gap else position
    if not found:
        raise ValueError("expected a number" if count == 1 else "expected numbers")
    last = found[-1][1]
    return [_scaled(value, unit or last, units) for value, unit in found]


def _scaled(value: float, unit: str, units: Mapping[str, float]) -> float:
    """A number in the unit that is asked for, without the noise of the conversion."""
    if not unit:
        return value
    if unit not in units:
        known = ", ".join(sorted(units, key=lambda name: (len(name), name))[:6])
        raise ValueError(f"does not know the unit {unit!r} here" + (f"; there are {known}" if known else ""))
    factor = units[unit]
    return value if factor == 1.0 else float(f"{value * factor:.12g}")


def _finite(text: Any) -> float:
    """A number of moderate size."""
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("expected a number that is finite") from None
    if not abs(value) < _LARGEST:
        raise ValueError("expected a number that is finite and not beyond all measure")
    return value


def _words(count: int) -> str:
    """How many numbers, in words."""
    return {1: "one number", 2: "two numbers", 3: "three numbers"}.get(count, f"{count} numbers")


def has_unit(text: Any) -> bool:
    """True for a typed number with a unit after it: what a person meant is beyond doubt."""
    return isinstance(text, str) and bool(re.search(r"\d\s*[^\W\d_]+\W*$", text))


def plausible(value: float, text: Any, low: float, high: float, unit: str, hint: str) -> float:
    """A number that lies in a range, or has a unit; `ValueError` with a hint otherwise."""
    if value <= 0:
        raise ValueError("expected a number above zero")
    if not low <= value <= high and not has_unit(text):
        raise ValueError(f"{value:g} {unit} would be unusual: {hint}, or write the unit after the number to insist")
    return value


def wavelength(text: Any) -> float:
    """A wavelength in ångström, from a length, from the energy of photons or the voltage of electrons."""
    from imgcif_core.sources.geom import electron_wavelength, wavelength_of

    found = re.fullmatch(r"\s*([\d.eE+\-]+?)\s*(k|M)?(eV|V)\s*", text) if isinstance(text, str) else None
    if found is None:
        value = number(text, WAVELENGTHS)
        return plausible(value, text, 0.001, 100.0, "angstrom", "an energy needs its unit, such as 12.66 keV")
    volts = _finite(found[1]) * {"k": 1e3, "M": 1e6}.get(found[2] or "", 1.0)
    if volts <= 0:
        raise ValueError("expected an energy above zero")
    if found[3] == "V":
        return electron_wavelength(volts)
    if volts > _MOST_PHOTON_KEV * 1e3:
        raise ValueError("expected the energy of photons; for electrons give the voltage, such as 200 kV")
    return wavelength_of(volts / 1e3)
