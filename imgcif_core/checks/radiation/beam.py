"""Rules about the beam: probe, polarization, divergence and flux."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.edits import new_item, new_values
from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.radiation.texts import meant_by, probe_of, radiation_types, source_kind
from imgcif_core.checks.radiation.wavelength import experiment_place
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances, last_digit_half
from imgcif_core.cif.document import Change
from imgcif_core.model.beam import Beam
from imgcif_core.tables import Table, Tables

RADIATION = "diffrn_radiation"
_DIVERGENCES = ("div_x_source", "div_y_source")
_FLUXES = (
    "beam_flux",
    "beam_flux_density",
    "beam_flux_density_integrated",
    "beam_flux_integrated",
    "beam_incident_flux",
    "beam_incident_flux_integrated",
)
_STOKES = ("polarizn_stokes_q", "polarizn_stokes_u", "polarizn_stokes_v")


@rule(
    "SRC003",
    "probe-absent",
    severity="warning",
    source="_diffrn_radiation.probe",
    message="probe is not given - expected x-ray, neutron, electron or gamma",
    messages={"type": "radiation type is '{text}', and the probe is not given - expected probe {probe}"},
)
def probe_absent(tables: Tables) -> Iterator[Problem]:
    """What: The file does not say whether X-rays, neutrons or electrons were scattered.
    Why: Corrections, plausible wavelengths and programs differ between the probes; the dictionary strongly
    recommends the item.
    How to fix: Write _diffrn_radiation.probe with the one of x-ray, neutron, electron and gamma that was used.
    Source: Dictionary imgCIF, _diffrn_radiation.probe: strongly recommended.
    """
    table = tables.table(RADIATION)
    place = table.at(0, "probe") if table.has("probe") else experiment_place(tables)
    if place is None:
        raise NotApplicable("no experiment is described")
    columns = (entry.table(RADIATION).column("probe") for entry in (tables, *same_data_set(tables)))
    if any(column is not None and not column.is_all_null for column in columns):
        return
    text = next((text for text in radiation_types(tables) if meant_by(text)), None)
    meant = meant_by(text)
    if text is not None and meant is not None:
        holder = table if table.has("type") else tables.table("diffrn_radiation_wavelength")
        yield Problem(
            holder.at(0, "type"),
            variant="type",
            help=f"give the probe {meant}",
            edits=_with_probe(table, meant),
            text=text,
            probe=meant,
        )
    else:
        yield Problem(place)


def _with_probe(table: Table, probe: str) -> list[Change]:
    """The probe written into the table of the radiation, where there is one."""
    column = table.column("probe")
    if column is not None:
        return new_values(column, np.flatnonzero(column.is_null), probe, is_safe=True)
    beside = next(iter(table.columns.values()), None)
    return [] if beside is None else new_item(beside, "_diffrn_radiation.probe", probe, is_safe=True)


@rule(
    "SRC006",
    "polarization-ratio-unusual",
    severity="info",
    source="_diffrn_radiation.polarizn_source_ratio",
    message="polarization ratio is {value:g} for a {kind} source - usually {expected}",
)
def polarization_ratio_unusual(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The degree of polarization is not the one that such a source has as a rule.
    Why: Templates carry a value from one beamline to another; intensities are then corrected wrongly.
    How to fix: Nothing is needed where the value was measured; otherwise ask the beamline.
    Source: Dictionary imgCIF, _diffrn_radiation.polarizn_source_ratio: near 1 for a bending magnet, 0 unpolarized.
    """
    table = tables.table(RADIATION)
    value = float(table.numbers("polarizn_source_ratio")[0]) if table else np.nan
    kind = source_kind(tables)
    if not np.isfinite(value) or kind == "unknown":
        raise NotApplicable("no polarization ratio, or an unknown source")
    if kind in ("synchrotron", "laser") and abs(value) < tolerances.polarized:
        place = table.at(0, "polarizn_source_ratio")
        yield Problem(place, value=value, kind=kind, expected=f"{tolerances.polarized:g} or more")
    elif kind == "laboratory" and abs(value) > tolerances.unpolarized:
        place = table.at(0, "polarizn_source_ratio")
        yield Problem(place, value=value, kind=kind, expected=f"{tolerances.unpolarized:g} or less")


@rule(
    "SRC007",
    "polarization-not-horizontal",
    severity="info",
    source="_diffrn_radiation.polarizn_source_norm",
    message="normal to the polarization is {value:g} degrees from Y, gravity {gravity:.3g} - expected parallel",
)
def polarization_not_horizontal(tables: Tables, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: By gravity and the polarization, the polarization plane of a storage ring is not horizontal.
    Why: Rings polarize in their own plane, so that the normal is along gravity; either the angle belongs to
    another frame, or gravity points elsewhere.
    How to fix: Nothing is needed behind a phase plate; otherwise correct the normal or the direction of gravity.
    Source: Dictionary imgCIF, _diffrn_radiation.polarizn_source_norm and polarizn_source_ratio.
    """
    table = tables.table(RADIATION)
    norm = float(table.numbers("polarizn_source_norm")[0]) if table else np.nan
    ratio = float(table.numbers("polarizn_source_ratio")[0]) if table else np.nan
    if not np.isfinite([norm, ratio]).all() or abs(ratio) < _POLARIZED or beam.gravity is None:
        raise NotApplicable("no polarization in one plane, or no gravity")
    if source_kind(tables) != "synchrotron" or np.hypot(*beam.gravity[:2]) < _ACROSS:
        raise NotApplicable("no storage ring, or gravity along the beam")
    down = float(np.degrees(np.arctan2(beam.gravity[0], beam.gravity[1])))
    # A negative ratio exchanges the plane and its normal; the sense of the angle is left open.
    turned = norm + (90.0 if ratio < 0 else 0.0)
    apart = min(abs((turned - sign * down + 90.0) % 180.0 - 90.0) for sign in (1.0, -1.0))
    if apart > tolerances.polarization_deg:
        place = table.at(0, "polarizn_source_norm")
        yield Problem(place, value=norm, gravity=(down + 90.0) % 180.0 - 90.0)


# Below this ratio no plane of polarization stands out.
_POLARIZED = 0.5
# Gravity must have this component across the beam to give a direction.
_ACROSS = 0.5


@rule(
    "SRC008",
    "divergence-too-large",
    severity="warning",
    source="_diffrn_radiation.div_x_source",
    message="{name} is {value:g} degrees - expected less than 1; {degrees:.3g} if milliradians were meant",
    helps={"": "write {degrees:.3g} if the value was in milliradians; the item is in degrees"},
)
def divergence_too_large(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The crossfire of the beam is a degree or more.
    Why: Beams for diffraction are far more parallel; some synchrotrons state it in milliradians.
    How to fix: Convert milliradians to degrees: multiply by 0.180 and divide by pi.
    Source: Dictionary imgCIF, _diffrn_radiation.div_x_source and _diffrn_radiation.div_y_source.
    """
    table = tables.table(RADIATION)
    if not any(table.explicit(name).any() for name in _DIVERGENCES):
        raise NotApplicable("no divergence")
    for name, row, value in _numbers(table, _DIVERGENCES):
        if value >= tolerances.divergence_deg:
            place = table.at(row, name)
            yield Problem(place, name=place.item, value=value, degrees=float(np.degrees(value / 1000.0)))


def _numbers(table: Table, names: tuple[str, ...]) -> Iterator[tuple[str, int, float]]:
    """The numbers of some items: item, row and value."""
    for name in names:
        for row, value in enumerate(table.numbers(name).tolist()[:100]):
            if np.isfinite(value):
                yield name, row, value


@rule(
    "SRC009",
    "stokes-parameters-impossible",
    severity="warning",
    source="_diffrn_radiation.polarizn_Stokes_I",
    message="Stokes parameters Q, U, V have the length {length:.5g}, more than I = {intensity:g}",
    messages={"default": "Stokes parameters Q, U, V have the length {length:.5g}, and I is left out - 1 is understood"},
)
def stokes_parameters_impossible(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The polarized part of the beam is more intense than the whole.
    Why: The square of I is never less than the sum of the squares of Q, U and V; one of them is wrong.
    How to fix: Correct the parameters, or give I in the same units.
    Source: Dictionary imgCIF, _diffrn_radiation.polarizn_Stokes_I: (Ip+In)^2 is the sum of Q^2, U^2 and V^2.
    """
    table = tables.table(RADIATION)
    polarized = np.array([table.numbers(name, 0.0)[0] if table else 0.0 for name in _STOKES])
    if not table or not any(table.explicit(name)[0] for name in _STOKES):
        raise NotApplicable("no Stokes parameters")
    is_given = bool(table.explicit("polarizn_stokes_i")[0])
    intensity = float(table.numbers("polarizn_stokes_i", 1.0)[0])
    halves = sum(
        last_digit_half(table.text(name) or "0.") for name in (*_STOKES, "polarizn_stokes_i") if table.has(name)
    )
    length = float(np.linalg.norm(polarized))
    if length > abs(intensity) * (1.0 + tolerances.relative) + halves:
        place = table.at(0, next(name for name in _STOKES if table.explicit(name)[0]))
        variant = "" if is_given else "default"
        severity = "error" if is_given else "warning"
        yield Problem(place, severity=severity, variant=variant, length=length, intensity=intensity)


@rule(
    "SRC011",
    "flux-inconsistent",
    severity="warning",
    source="_diffrn_radiation.beam_flux_integrated",
    message="{name} is {value:g}, but {rate_name} of {rate:g} over {time:g} s gives {expected:.4g}",
    messages={"negative": "{name} is {value:g} - expected no negative number"},
)
def flux_inconsistent(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A flux or divergence is negative, or an integrated flux is not the flux times the time.
    Why: One of the numbers is wrong, and with it the dose that is worked out from them.
    How to fix: Correct the number; the integration time is in seconds.
    Source: Dictionary imgCIF, _diffrn_radiation.beam_flux_integrated and beam_flux_integration_time.
    """
    table = tables.table(RADIATION)
    if not any(table.explicit(name).any() for name in (*_FLUXES, *_DIVERGENCES)):
        raise NotApplicable("no flux and no divergence")
    for name, row, value in _numbers(table, (*_FLUXES, *_DIVERGENCES)):
        if value < 0:
            place = table.at(row, name)
            yield Problem(place, variant="negative", name=place.item, value=value)
    times = table.numbers("beam_flux_integration_time")
    for rate_name in ("beam_flux", "beam_incident_flux", "beam_flux_density"):
        rates, totals = table.numbers(rate_name), table.numbers(f"{rate_name}_integrated")
        expected = rates * times
        with np.errstate(invalid="ignore"):
            apart = np.abs(totals - expected) > tolerances.flux * np.abs(expected)
        for row in np.flatnonzero(apart & (rates >= 0) & (totals >= 0)).tolist():
            place = table.at(row, f"{rate_name}_integrated")
            yield Problem(
                place,
                name=place.item,
                value=float(totals[row]),
                rate_name=rate_name,
                rate=float(rates[row]),
                time=float(times[row]),
                expected=float(expected[row]),
            )


@rule(
    "SRC012",
    "photon-flux-of-other-probe",
    severity="info",
    source="_diffrn_radiation.beam_flux",
    message="{name} counts photons, but the probe is {probe}",
)
def photon_flux_of_other_probe(tables: Tables) -> Iterator[Problem]:
    """What: A flux whose unit is photons is given for neutrons or electrons.
    Why: The dictionary has no other item; a reader must know that particles were counted.
    How to fix: Nothing is needed; say in _diffrn_source.details that particles of the probe were counted.
    Source: Dictionary imgCIF, _diffrn_radiation.beam_flux, units photons_per_second.
    """
    table = tables.table(RADIATION)
    probe, how = probe_of(tables)
    if how != "stated" or probe not in ("neutron", "electron"):
        raise NotApplicable("photons, or an unknown probe")
    for name, row, _ in _numbers(table, _FLUXES):
        place = table.at(row, name)
        yield Problem(place, name=place.item, probe=probe)
        return
