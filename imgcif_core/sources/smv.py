"""SMV images: `NAME=value;` lines between braces before the pixels, as ADSC and others write them."""

import re
from collections.abc import Mapping, Set
from datetime import datetime
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.sources.description import ImageFiles, Origin, Provenance
from imgcif_core.sources.draft import ORDER, Draft
from imgcif_core.sources.dtrek import used_keys, with_vectors
from imgcif_core.sources.minicbf import angle_fate, read_head
from imgcif_core.sources.statements import NO_ITEM, NOT_KNOWN, Fate, Judge, judged

KIND = "smv"
_LINE = re.compile(r"\s*([A-Za-z0-9_]+)\s*=\s*([^;]*);?")
_DATES = ("%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d-%b-%Y %H:%M:%S")
_LARGEST = {"unsigned_short": 65535.0, "unsigned_long": 4294967295.0}


def read_header(path: str | Path) -> dict[str, str]:
    """The values of the header by upper-case name.

    Raises
    ------
    InputError
        If the file cannot be read, or its header does not end where it says.
    """
    head = read_head(path)
    found = re.match(rb"\{\s*HEADER_BYTES\s*=\s*(\d+)\s*;", head)
    if found is None:
        raise InputError(f"{path}: no SMV header")
    size = int(found[1])
    text = head[:size].decode("latin-1")
    end = text.find("}")
    if len(head) < size or end < 0:
        raise InputError(f"{path}: the SMV header of {size} bytes is cut off")
    values: dict[str, str] = {}
    for line in text[1:end].splitlines():
        match = _LINE.match(line)
        if match:
            values.setdefault(match[1].upper(), match[2].strip())
    return values


def read_smv(path: str | Path) -> Draft:
    """What the header of an SMV image tells.

    The place of the beam is left out: makers count it in mm or pixels, from different corners and
    with X and Y exchanged. So are the direction of the axis and the order of the pixels in space.

    Raises
    ------
    InputError
        If the file is no whole SMV image.
    """
    header = read_header(path)
    name = str(path)
    fast, slow = _number(header, "SIZE1", name), _number(header, "SIZE2", name)
    if fast is None or slow is None or fast < 1 or slow < 1:
        raise InputError(f"{name}: the SMV header gives no SIZE1 and SIZE2")
    pixel = _number(header, "PIXEL_SIZE", name)
    facts = {"beamline": header["BEAMLINE"]} if header.get("BEAMLINE") else {}
    if header.get("DETECTOR_SN"):
        facts["detector_serial"] = header["DETECTOR_SN"]
    for key in ("DETECTOR_NAME", "DETECTOR_MODEL"):
        if header.get(key):
            facts.setdefault("detector", header[key])
    notes = []
    is_placed = bool(used_keys(header))
    beam = {key: header[key] for key in ("BEAM_CENTER_X", "BEAM_CENTER_Y") if key in header and not is_placed}
    if beam:
        facts["beam_header"] = " ".join(beam.values())
        notes.append(f"{' and '.join(f'{key}={value}' for key, value in beam.items())} mean different things to makers")
    source = Provenance(Origin.FILE, name, "SMV header")
    start, axis = _number(header, "OSC_START", name), plain_axis(header.get("AXIS", "omega"))
    phi = _number(header, "PHI", name)
    start = start if start is not None else phi
    standing = {other: _number(header, other.upper(), name) for other in ORDER if other != axis}
    if phi is not None and phi == start:
        # Many headers give the start of the rotation as PHI, whatever the axis is called.
        standing.pop("phi", None)
    kept = {other: angle for other, angle in standing.items() if angle is not None}
    gain = _number(header, "GAIN", name)
    draft = Draft(
        name,
        KIND,
        ImageFiles((name,), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), None, "SMV"),
        (int(fast), int(slow)),
        (pixel, pixel) if pixel else None,
        _number(header, "DISTANCE", name) or None,
        wavelength=_number(header, "WAVELENGTH", name) or None,
        start=start,
        increment=_number(header, "OSC_RANGE", name),
        two_theta=_number(header, "TWOTHETA", name) or 0.0,
        axis_id=axis,
        standing=kept,
        exposure_time=_number(header, "TIME", name) or None,
        date=_date(header.get("DATE", "") or header.get("DTREK_DATE_TIME", "")),
        overload=_number(header, "CCD_IMAGE_SATURATION", name) or _LARGEST.get(header.get("TYPE", "")),
        sensor={"gain": gain} if gain and gain > 0 else {},
        facts=facts,
        items=_storage(header),
        provenance=dict.fromkeys(
            ("wavelength", "distance", "pixel_size", "size", "start", "scans", "facts", "items"), source
        ),
        notes=tuple(notes),
        statements=judged(header, _judge(axis, kept, used_keys(header))),
    )
    return with_vectors(draft, header).sound()


_USED = {"SIZE1", "SIZE2", "PIXEL_SIZE", "DISTANCE", "WAVELENGTH", "OSC_START", "OSC_RANGE", "AXIS", "TIME", "DATE"}
_USED |= {"CCD_IMAGE_SATURATION", "DETECTOR_SN", "BEAMLINE", "DETECTOR_NAME", "DETECTOR_MODEL", "TYPE", "BYTE_ORDER"}
_ASKED = ("BEAM_CENTER_X", "BEAM_CENTER_Y", "DENZO_X_BEAM", "DENZO_Y_BEAM", "DENZO_XBEAM", "DENZO_YBEAM")
_WITHOUT_ITEM = {"CREV", "BIN", "ADC", "UNIF_PED", "IMAGE_PEDESTAL", "ACC_TIME", "CCD", "BIN_TYPE", "CTYPE"}
_WITHOUT_ITEM |= {"COMMENT", "PHIST_BEAM_X", "PHIST_BEAM_Y"}


def _judge(axis: str, standing: Mapping[str, float], vectors: Set[str]) -> Judge:
    """What becomes of the values of a header."""

    def judge(key: str, text: str) -> tuple[Fate, str]:
        if not text:
            return Fate.LEFT_OUT, "it is empty"
        if key in _USED or key in vectors or key == axis.upper():
            return Fate.USED, ""
        if key in ("HEADER_BYTES", "DIM"):
            return Fate.LEFT_OUT, "it tells how the file is stored"
        if vectors and (key in _ASKED or key in ("TWOTHETA", "PHI")):
            return Fate.LEFT_OUT, "the vectors of d*TREK tell it"
        if vectors and key.startswith("CRYSTAL_") and "GONIO" not in key:
            return Fate.LEFT_OUT, "it is a result or a choice of the processing, not of the measurement"
        if key in _ASKED:
            return Fate.ASKED, ""
        if key == "TWOTHETA" or key.lower() in standing:
            return angle_fate(float(text))
        if key == "PHI" or (key == "GAIN" and float(text) > 0):
            return Fate.USED, ""
        return Fate.LEFT_OUT, NO_ITEM if key in _WITHOUT_ITEM else NOT_KNOWN

    return judge


def _storage(header: Mapping[str, str]) -> dict[str, str | float]:
    """How the pixels are stored, as far as the header tells it in words that imgCIF has."""
    found: dict[str, str | float] = {}
    order = header.get("BYTE_ORDER", "").lower()
    if order in ("little_endian", "big_endian"):
        found["_array_structure.byte_order"] = order
    kinds = {"unsigned_short": "unsigned 16-bit integer", "unsigned_long": "unsigned 32-bit integer"}
    kinds |= {"signed_short": "signed 16-bit integer", "signed_long": "signed 32-bit integer"}
    kinds |= {"float": "signed 32-bit real IEEE"}
    kind = kinds.get(header.get("TYPE", "").lower())
    return found | ({"_array_structure.encoding_type": kind} if kind else {})


def plain_axis(name: str) -> str:
    """An axis id from a header's word."""
    return name.strip().lower() or "omega"


def _number(header: Mapping[str, str], key: str, path: str) -> float | None:
    """A finite number of the header, None where it is not given."""
    text = header.get(key)
    if text is None or not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{path}: {key}={text} is no number") from None
    if not np.isfinite(value):
        raise InputError(f"{path}: {key}={text} is not finite")
    return value


def _date(text: str) -> str | None:
    """A date as RFC 3339 without zone; None where it cannot be read."""
    for form in _DATES:
        try:
            return datetime.strptime(text.strip(), form).isoformat()
        except ValueError:
            continue
    return None
