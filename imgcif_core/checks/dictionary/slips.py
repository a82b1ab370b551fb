"""What people write round a number: units, decimal commas, typographic signs; each known by name."""

import re

from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.model import Item
from imgcif_core.ddlm.types import check_contents
from imgcif_core.records import dataclass

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\(\d+\))?"
_WITH_UNIT = re.compile(rf"({_NUMBER})[ \t_]*([A-Za-zµμåÅÅ°%/^0-9*-]+)\Z")
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?(?:\(\d+\))?\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?\Z")
_SIGNS = {"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "⁄": "/", "\u00a0": " ", "\u2009": " ", "\u202f": " "}
_QUOTES = "‘’‚‛“”„‟«»‹›´`"
# Units by the name of the dictionary; what is written for them in files, in lower case.
_UNITS = {
    "millimetres": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "metres": ("m", "metre", "metres", "meter", "meters"),
    "angstroms": ("a", "å", "ang", "angstrom", "angstroms", "ångström"),
    "degrees": ("deg", "deg.", "degree", "degrees", "°"),
    "seconds": ("s", "sec", "second", "seconds"),
    "kelvins": ("k", "kelvin", "kelvins"),
    "kilovolts": ("kv", "kilovolt", "kilovolts"),
    "milliamperes": ("ma", "milliampere", "milliamperes"),
    "kilowatts": ("kw", "kilowatt", "kilowatts"),
    "kilopascals": ("kpa", "kilopascal", "kilopascals"),
}
_OTHER_UNITS = frozenset({"cm", "nm", "um", "µm", "μm", "kev", "ev", "ms"})


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong round a value, the value alone, and whether it can mean nothing else."""

    help: str
    text: str | None
    is_certain: bool


def slip_in(text: str, item: Item) -> Slip | None:
    """The known slip that keeps a text from being a value of its type, None where none is known."""
    bare = text.strip()
    for sign, plain in _SIGNS.items():
        bare = bare.replace(sign, plain)
    bare = bare.strip(_QUOTES + " \t'\"")
    if bare != text and _is_value(bare, item):
        return Slip(f"write {bare}, with signs of ASCII and without typographic quotes", bare, True)
    if not item.is_numeric:
        return _form_slip(bare, item)
    if _COMMA.match(bare):
        point = bare.replace(",", ".")
        if _is_value(point, item):
            return Slip(f"write {point}: CIF has a decimal point, no decimal comma", point, False)
    return _unit(bare, item)


def _form_slip(text: str, item: Item) -> Slip | None:
    """What is wrong with a date, an address or a data name whose form is nearly right."""
    if item.contents in ("Date", "DateTime") and _DATE.match(text):
        return Slip("correct the day or the time: no calendar or clock has it", None, False)
    if item.contents in ("Uri", "Iri"):
        plain = text.replace(" ", "%20")
        if _is_value(plain, item):
            return Slip(f"write {plain}: an address has %20 in place of a blank", plain, False)
    if item.contents == "Tag" and _is_value(f"_{text}", item):
        return Slip(f"write _{text}: a data name begins with an underscore", f"_{text}", False)
    return None


def _is_value(text: str, item: Item) -> bool:
    """True if a text is a value of the item's type."""
    return bool(text) and check_contents(item.contents, text)


def _unit(text: str, item: Item) -> Slip | None:
    """A number with its unit: the item's own, which is left away, or another one, to be converted."""
    match = _WITH_UNIT.match(text)
    if match is None or parse_number(match[1].encode()) is None or not _is_value(match[1], item):
        return None
    written = match[2].lower()
    if written in _UNITS.get(item.units, ()):
        return Slip(f"write {match[1]}: the dictionary gives the unit, {item.units}", match[1], True)
    if written in _OTHER_UNITS or any(written in names for names in _UNITS.values()):
        due = item.units if item.units and item.units != "none" else "a number without a unit"
        return Slip(f"convert {text} to {due}, and write the number alone", None, False)
    return None
