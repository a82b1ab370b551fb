"""Rules about numbers in free texts and text headers against the tables."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances, last_digit_half
from imgcif_core.cif.document import Place
from imgcif_core.model.beam import HC_KEV_ANGSTROM, Beam
from imgcif_core.model.detector import Detector
from imgcif_core.model.scans import Scans
from imgcif_core.tables import Table, Tables

if TYPE_CHECKING:
    from imgcif_core.sources.minicbf import MiniHeader

# Headers of one file are written by one program: what is wrong in the first of them is wrong in all.
MAX_HEADERS = 500
# Text headers have a few thousand characters; a longer text is no header, and patterns are not run over it.
MAX_TEXT = 50_000
# Each scan costs the poses of all panels; of more, the rules say that they did not check.
MAX_SCANS = 1000
_TEXTS = (
    ("diffrn", "details"),
    ("diffrn_source", "details"),
    ("diffrn_source", "description"),
    ("diffrn_radiation", "type"),
    ("diffrn_radiation", "monochromator"),
    ("diffrn_measurement", "details"),
    ("diffrn_data_frame", "details"),
    ("array_data", "header_contents"),
)
# Thresholds, ranges and cut-offs are energies of the detector, not of the beam.
_ENERGY = re.compile(
    r"\b(?:(?:photon|beam|x-?ray|incident|source)[ _]?)?energy\b(?![ _]*(?:range|threshold|cut|resol|spread|band))"
    r"[ \t]*(?:of|is|[:=])?[ \t]*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)[ \t]*(keV|eV)\b",
    re.IGNORECASE,
)
_OF_DETECTOR = re.compile(r"(?:threshold|trim|cut-?off|calibration|critical|discriminator)[ _]*\Z", re.IGNORECASE)
_TIMES = ("exposure_time", "exposure_period", "exposure")


@provider("headers")
def headers_of(tables: Tables) -> "list[tuple[int, MiniHeader]]":
    """The first text headers with their rows of ARRAY_DATA; `NotApplicable` where there is none."""
    table = tables.table("array_data")
    rows = np.flatnonzero(table.explicit("header_contents"))[:MAX_HEADERS].tolist()
    if not rows:
        raise NotApplicable("no text headers")
    from imgcif_core.sources.minicbf import parse_header

    return [(row, parse_header((table.text("header_contents", row) or "")[:MAX_TEXT])) for row in rows]


def _texts(tables: Tables) -> Iterator[tuple[Place, str]]:
    """Free texts that may name an energy, with their places."""
    for category, name in _TEXTS:
        table = tables.table(category)
        if table.has(name):
            for row in range(min(table.rows, MAX_HEADERS)):
                text = table.text(name, row)
                if text:
                    yield table.at(row, name), text[:MAX_TEXT]


@rule(
    "CON005",
    "wavelength-and-energy",
    severity="warning",
    source="_diffrn_radiation_wavelength.value",
    message="energy {text!r} corresponds to {expected:.6g} angstrom, but the wavelength is {wavelength:.6g} angstrom",
)
def wavelength_and_energy(tables: Tables, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A text gives the energy of the beam, and it is not that of the wavelength.
    Why: One of the two was changed and the other forgotten; the cell scales with the wavelength.
    How to fix: Correct the one that is wrong; wavelength in angstrom times energy in keV is 12.39842.
    Source: CODATA 2018, Planck constant times speed of light; Dictionary imgCIF, _diffrn_radiation_wavelength.value.
    """
    known = beam.wavelengths[np.isfinite(beam.wavelengths) & (beam.wavelengths > 0)]
    if not len(known):
        raise NotApplicable("no wavelength")
    is_judged = False
    for place, text in _texts(tables):
        for match in _ENERGY.finditer(text):
            energy = float(match[1]) * (1.0 if match[2].lower() == "kev" else 1e-3)
            if energy <= 0 or _OF_DETECTOR.search(text[: match.start()]):
                continue
            is_judged = True
            expected = HC_KEV_ANGSTROM / energy
            half = last_digit_half(match[1]) / float(match[1])
            off = np.abs(known / expected - 1.0)
            if off.min() > tolerances.energy_share + half:
                nearest = float(known[int(off.argmin())])
                yield Problem(place, text=" ".join(match[0].split()), expected=expected, wavelength=nearest)
    if not is_judged:
        raise NotApplicable("no text gives an energy")


@rule(
    "CON008",
    "overload-and-cutoff",
    severity="warning",
    source="_array_intensities.overload",
    message="overload of array {array} is {overload:g}, but the text header says Count_cutoff {cutoff:g}",
)
def overload_and_cutoff(tables: Tables, headers: "list[tuple[int, MiniHeader]]") -> Iterator[Problem]:
    """What: The overload is not the cutoff that the detector wrote into the text header.
    Why: Pixels between the two values pass for measured in one program, and are rejected in another.
    How to fix: Give the cutoff of the header, or the cutoff plus one, as _array_intensities.overload.
    Source: Dictionary imgCIF, _array_intensities.overload; the header of the detector.
    """
    table, data = tables.table("array_intensities"), tables.table("array_data")
    overloads = table.numbers("overload")
    if np.isnan(overloads).all():
        raise NotApplicable("no overload")
    arrays = [(name or "1").casefold() for name in table.texts("array_id", "1")]
    for row, header in headers:
        cutoff = header.number("count_cutoff")
        array = data.text("array_id", row)
        own = 0 if table.rows == 1 else _index(arrays, (array or "1").casefold())
        if cutoff is None or own < 0 or np.isnan(overloads[own]) or cutoff <= 0:
            continue
        # Values at the overload are invalid, those at the cutoff are valid in some detectors.
        if abs(overloads[own] - cutoff) > 1.0:
            place = table.at(own, "overload")
            yield Problem(place, array=array or "1", overload=float(overloads[own]), cutoff=cutoff)
    say_beyond(int(data.explicit("header_contents").sum()), MAX_HEADERS, "text headers")


def _index(names: list[str], name: str) -> int:
    """The index of a name, -1 where it is not there."""
    return names.index(name) if name in names else -1


@rule(
    "CON011",
    "text-header-beside-tables",
    severity="info",
    source="_array_data.header_contents",
    message="a text header stands beside the tables that describe the instrument",
)
def text_header_beside_tables(tables: Tables) -> Iterator[Problem]:
    """What: An image has a text header, and the tables of imgCIF as well.
    Why: The text is meant for images without tables; beside them it says everything twice, and programs may read
    either.
    How to fix: Nothing is needed while both agree.
    Source: Dictionary imgCIF, _array_data.header_contents.
    """
    table = tables.table("array_data")
    rows = np.flatnonzero(table.explicit("header_contents"))
    if not len(rows):
        raise NotApplicable("no text headers")
    if tables.table("axis") and tables.table("array_structure_list_axis"):
        yield problem_at(table, rows, "header_contents")


@rule(
    "CON012",
    "exposure-under-other-name",
    severity="info",
    source="_diffrn_scan_frame.time_period",
    message="{name} {value} is no name of the dictionary - it is probably {meant}{reason}",
)
def exposure_under_other_name(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: An exposure is given under a name that the dictionary does not have.
    Why: No program reads it. In files from Pilatus detectors it is the exposure period.
    How to fix: Write _diffrn_scan_frame.time_period for the time from start to start, and
    _diffrn_scan_frame.integration_time for the exposure.
    Source: Dictionary imgCIF, _diffrn_scan_frame.time_period and _diffrn_scan_frame.integration_time.
    """
    frames = tables.table("diffrn_scan_frame")
    header = _first_header(tables)
    for column in tables.unknown:
        category, _, name = column.name.lower().partition(".")
        if category not in ("_diffrn_scan_frame", "_diffrn_scan") or name not in _TIMES or not len(column):
            continue
        value = float(column.numbers().values[0])
        meant, reason = "time_period", ""
        for key, item in (("exposure_period", "time_period"), ("exposure_time", "integration_time")):
            stated = header.number(key) if header is not None else None
            if stated is not None and abs(stated - value) <= tolerances.exposure:
                meant, reason = item, f", as the text header gives {key.capitalize()} {stated:g}"
                break
        if not reason and abs(float(frames.numbers("integration_time")[:1].sum()) - value) <= tolerances.exposure:
            meant, reason = "integration_time", ", which has the same value"
        place = Place(
            column.source, int(column.starts[0]), int(column.ends[0]), tables.block.name, category[1:], column.name, {}
        )
        yield Problem(place, name=column.name, value=column.text(0), meant=f"{category}.{meant}", reason=reason)


def _first_header(tables: Tables) -> "MiniHeader | None":
    """The first text header of a block."""
    try:
        found: MiniHeader | None = headers_of(tables)[0][1]
        return found
    except NotApplicable:
        return None


_LIMITS = (("reflns", "d_resolution_high", "angstrom"), ("diffrn_reflns", "theta_max", "deg"))


@rule(
    "CON024",
    "resolution-and-geometry",
    severity="info",
    source="_reflns.d_resolution_high",
    message="{name} is {stated:.5g} angstrom, but the corners of the detector reach {reach:.4g} angstrom at best",
    messages={
        "angle": "{name} is {stated:.5g} degrees, which is {limit:.4g} angstrom, but the corners of the detector reach "
        "{reach:.4g} angstrom at best",
    },
    helps={
        "": "check the wavelength, the distance of the detector and its two-theta, or correct {name}",
        "angle": "check the wavelength, the distance of the detector and its two-theta, or correct {name}",
    },
)
def resolution_and_geometry(
    tables: Tables, any_scans: Scans, detector: Detector, beam: Beam, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The stated resolution lies beyond the corners of the detector, at all its positions in the file.
    Why: The distance or the wavelength is wrong, or the limit is that of another data set.
    How to fix: Check wavelength, distance and two-theta, or the stated limit.
    Source: Core dictionary, _reflns.d_resolution_high and _diffrn_reflns.theta_max.
    """
    limits = list(_stated_limits(tables, beam))
    if not limits or not np.isfinite(beam.wavelength):
        raise NotApplicable("no resolution limit, or no wavelength")
    reach = _reach(any_scans, detector, beam)
    if not np.isfinite(reach):
        raise NotApplicable("no panel of known size")
    for table, item, stated, unit, limit in limits:
        if limit < reach * (1.0 - tolerances.resolution_share):
            place = table.at(0, item)
            variant = "" if unit == "angstrom" else "angle"
            facts: dict[str, Any] = {"name": place.item, "stated": stated, "limit": limit, "reach": reach}
            yield Problem(place, variant=variant, **facts)


def _stated_limits(tables: Tables, beam: Beam) -> Iterator[tuple[Table, str, float, str, float]]:
    """Limits of resolution as stated, and in angstrom."""
    for category, name, unit in _LIMITS:
        table = tables.table(category)
        values = table.numbers(name)
        if not len(values) or not values[0] > 0:
            continue
        stated = float(values[0])
        limit = stated if unit == "angstrom" else beam.wavelength / (2.0 * np.sin(np.radians(min(stated, 90.0))))
        yield table, name, stated, unit, float(limit)


def _reach(any_scans: Scans, detector: Detector, beam: Beam) -> float:
    """The smallest spacing in angstrom that any corner of any panel reaches in any scan."""
    # Any scan can be the one that reaches furthest.
    say_beyond(len(any_scans), MAX_SCANS, "scans")
    best = np.inf
    for poses in [detector.poses(scan, np.unique([0, scan.count - 1])) for scan in any_scans] or [detector.poses()]:
        corners = poses.corners()[poses.size.min(axis=1) > 0].reshape(-1, 3)
        lengths = np.linalg.norm(corners, axis=1)
        cosines = corners[lengths > 0] @ beam.direction / lengths[lengths > 0]
        sines = np.sqrt(np.maximum(0.0, (1.0 - cosines) / 2.0))
        if len(sines) and sines.max() > 0:
            best = min(best, float(beam.wavelength / (2.0 * sines.max())))
    return best
