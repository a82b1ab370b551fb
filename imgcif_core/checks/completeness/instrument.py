"""Rules about the instrument and the sample: what a reader of the images has to know of them."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.completeness.inputs import Experiment
from imgcif_core.checks.completeness.needs import DATE, DETECTOR, EXPOSURE, FORMULAE, NAMES, lacking_of_source
from imgcif_core.checks.edits import new_values
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.model.facilities import facility_named
from imgcif_core.tables import Tables

_SAMPLE = (
    ("name or formula", (*NAMES, *FORMULAE)),
    ("cell", ("cell.length_a",)),
    ("space group", ("space_group.name_h-m_alt", "space_group.it_number", "space_group.name_hall")),
    ("crystal", ("diffrn.crystal_id", "exptl_crystal.id")),
)
_BEAM = (
    ("size", ("diffrn_source.beam_height", "diffrn_source.beam_width", "diffrn_radiation.beam_width")),
    ("flux", ("diffrn_radiation.beam_flux", "diffrn_radiation.beam_incident_flux", "diffrn.flux_density")),
    ("polarization", ("diffrn_radiation.polarizn_source_ratio", "diffrn_radiation.polarizn_stokes_q")),
    ("monochromator", ("diffrn_radiation.monochromator", "diffrn_radiation.filter_edge")),
)
# Kelvin: furnaces beyond are rare, and the rule only warns.
MAX_TEMPERATURE = 1000.0


@rule(
    "MTA002",
    "source-not-named",
    severity="info",
    source="_diffrn_source.facility",
    message="{missing} of the source not given - expected facility and beamline, or the make of a laboratory source",
)
def source_not_named(experiment: Experiment) -> Iterator[Problem]:
    """What: The file does not say where the data were measured.
    Why: Knowledge about a beamline, such as the direction of gravity or faults of its files, cannot be used.
    How to fix: Give _diffrn_source.facility and _diffrn_source.beamline, or _diffrn_source.make for a laboratory.
    Source: Core dictionary, _diffrn_source.facility, _diffrn_source.beamline and _diffrn_source.make.
    """
    lacking = lacking_of_source(experiment)
    if lacking:
        missing = " and ".join(name.partition(".")[2] for name in lacking)
        # An empty text looks like an answer, and is none.
        severity = "warning" if any(map(experiment.is_blank, lacking)) else None
        yield Problem(experiment.place(lacking[0]), severity=severity, missing=missing)


@rule(
    "MTA003",
    "facility-name",
    severity="info",
    source="_diffrn_source.facility",
    message="facility is {value!r} - its name in full is {expected!r}",
)
def facility_name(tables: Tables) -> Iterator[Problem]:
    """What: The facility is given by a short or another name.
    Why: Searches by facility miss data sets that use other names.
    How to fix: Use the full name, as the listing of light sources spells it.
    Source: Core dictionary, _diffrn_source.facility, which refers to the listing of lightsources.org.
    """
    table = tables.table("diffrn_source")
    value = table.text("facility")
    if value is None:
        raise NotApplicable("no facility")
    expected = facility_named(value)
    if expected is not None and expected != value:
        edits = new_values(table.columns["facility"], [0], expected, is_safe=False)
        yield Problem(table.at(0, "facility"), help=f"write {expected}", edits=edits, value=value, expected=expected)


@rule(
    "MTA004",
    "detector-not-named",
    severity="info",
    source="_diffrn_detector.make",
    message="neither make nor description of the detector is given",
)
def detector_not_named(experiment: Experiment) -> Iterator[Problem]:
    """What: The detector is not named.
    Why: Pixel size, gaps and faults of known detectors cannot be compared with what the file says.
    How to fix: Give make and model in _diffrn_detector.make.
    Source: Core dictionary, _diffrn_detector.make and _diffrn_detector.description.
    """
    if not experiment.has(*DETECTOR):
        yield Problem(experiment.place("_diffrn_detector.make"))


@rule(
    "MTA006",
    "temperature-implausible",
    severity="warning",
    source="_diffrn.ambient_temperature",
    message="ambient temperature is {value} K - expected more than 1 K and less than 1000 K",
)
def temperature_implausible(tables: Tables) -> Iterator[Problem]:
    """What: The temperature of the sample is outside of what such experiments reach.
    Why: Most often a temperature in degrees Celsius, or a zero for unknown, was written.
    How to fix: Give the temperature in kelvin, or ? where it is not known.
    Source: Core dictionary, _diffrn.ambient_temperature in kelvin.
    """
    table = tables.table("diffrn")
    numbers = table.numbers("ambient_temperature")
    if np.isnan(numbers).all():
        raise NotApplicable("no temperature")
    for row in np.flatnonzero((numbers < 1.0) | (numbers > MAX_TEMPERATURE))[:50]:
        value = table.text("ambient_temperature", int(row))
        yield Problem(table.at(int(row), "ambient_temperature"), value=value)


@rule(
    "MTA008",
    "response-not-given",
    severity="info",
    source="_array_intensities.overload",
    message="response of the detector not given: {names}",
)
def response_not_given(experiment: Experiment) -> Iterator[Problem]:
    """What: Gain, linearity or overload of the pixels is not given.
    Why: Without the overload saturated reflections are integrated; without the gain errors are wrong.
    How to fix: Add the items to ARRAY_INTENSITIES; one row serves all frames of an array.
    Source: Dictionary imgCIF, _array_intensities.gain, linearity and overload.
    """
    lacking = experiment.lacking(*(f"array_intensities.{name}" for name in ("gain", "linearity", "overload")))
    if lacking:
        table = experiment.table("array_intensities")
        place = table.at_top() if table else experiment.place(lacking[0])
        yield Problem(place, names=", ".join(lacking))


@rule(
    "MTA010",
    "time-not-given",
    severity="info",
    source="_diffrn_scan_frame.integration_time",
    message="exposure time of the frames not given",
    messages={"date": "date of the measurement not given"},
    helps={
        "": "add _diffrn_scan_frame.integration_time for each frame, or _diffrn_scan.integration_time, in seconds",
        "date": "add _diffrn_scan.date_start, such as 2026-03-01T10:00:00Z",
    },
)
def time_not_given(experiment: Experiment) -> Iterator[Problem]:
    """What: The file does not say how long the frames were exposed, or when they were measured.
    Why: Dose and background per second are unknown; the date tells the state of the instrument.
    How to fix: Add _diffrn_scan_frame.integration_time or _diffrn_scan.integration_time, and _diffrn_scan.date_start.
    Source: Dictionary imgCIF, _diffrn_scan_frame.integration_time and _diffrn_scan.date_start.
    """
    if not experiment.has(*EXPOSURE):
        remedy = "add _diffrn_scan_frame.integration_time, or _diffrn_scan.integration_time, in seconds"
        yield Problem(experiment.place("_diffrn_scan_frame.integration_time"), severity="warning", help=remedy)
    if not experiment.has(*DATE):
        remedy = "add _diffrn_scan.date_start"
        yield Problem(experiment.place("_diffrn_scan.date_start"), variant="date", help=remedy)


@rule(
    "MTA011",
    "sample-not-described",
    severity="info",
    source="_chemical.name_systematic",
    message="the sample is not fully described: {what} not given",
)
def sample_not_described(experiment: Experiment) -> Iterator[Problem]:
    """What: The file does not say what was measured.
    Why: A reader who wants to process the images needs the composition and, where it is known, the cell.
    How to fix: Add a name or formula, cell and space group, and an id for the crystal.
    Source: Core dictionary, CHEMICAL, CHEMICAL_FORMULA, CELL, SPACE_GROUP and EXPTL_CRYSTAL.
    """
    lacking = [what for what, items in _SAMPLE if not experiment.has(*items)]
    if lacking:
        yield Problem(experiment.place("_chemical.name_systematic"), what=", ".join(lacking))


@rule(
    "MTA013",
    "beam-not-described",
    severity="info",
    source="_diffrn_radiation.beam_flux",
    message="the beam is not fully described: {what} not given",
)
def beam_not_described(experiment: Experiment) -> Iterator[Problem]:
    """What: Size, flux, polarization or monochromator of the beam are not given.
    Why: Corrections for polarization and estimates of the dose need them.
    How to fix: Add what is known of the beam to DIFFRN_SOURCE and DIFFRN_RADIATION.
    Source: Dictionary imgCIF, DIFFRN_RADIATION; core dictionary, _diffrn_radiation.monochromator.
    """
    lacking = [what for what, items in _BEAM if not experiment.has(*items)]
    if lacking:
        yield Problem(experiment.place("_diffrn_radiation.beam_flux"), what=", ".join(lacking))


@rule(
    "MTA014",
    "goniometer-not-described",
    severity="info",
    source="_diffrn_measurement_axis.axis_id",
    message="goniometer not described: {what} not given",
)
def goniometer_not_described(experiment: Experiment) -> Iterator[Problem]:
    """What: The goniometer or the list of its axes is missing.
    Why: Programs that follow the tables do not find which axes turn the sample.
    How to fix: Add DIFFRN_MEASUREMENT with an id, and a row of DIFFRN_MEASUREMENT_AXIS for each axis.
    Source: Dictionary imgCIF, DIFFRN_MEASUREMENT and DIFFRN_MEASUREMENT_AXIS.
    """
    axes = experiment.table("axis")
    equipment = [(value or "").lower() for value in axes.texts("equipment")]
    if "goniometer" not in equipment:
        raise NotApplicable("no goniometer axes")
    names = ("diffrn_measurement", "diffrn_measurement_axis")
    lacking = [name.upper() for name in names if not experiment.table(name)]
    if lacking:
        place = axes.at(equipment.index("goniometer"), "id")
        yield Problem(place, what=" and ".join(lacking))
