"""Rules about wavelengths: present, plausible, in ångström, and of the line that is named."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from imgcif_core.checks.edits import new_values
from imgcif_core.checks.facts import facts
from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.radiation.texts import is_broad, line_of, probe_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances, last_digit_halves
from imgcif_core.cif.document import Place
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.tables import Tables

WAVELENGTH = "diffrn_radiation_wavelength"
# Weights are printed with two or three digits.
_ROUNDING = 0.005
# Rest energy of the electron, CODATA 2018.
_ELECTRON_REST_KEV = 510.99895
_EXPERIMENT = ("diffrn_radiation", "diffrn_scan", "diffrn_scan_frame", "diffrn_data_frame", "array_data_external_data")


def wavelengths(tables: Tables) -> np.ndarray:
    """The wavelengths that a block lists in ångström: (rows,), nan where null or no number."""
    return tables.table(WAVELENGTH).numbers("value")


def experiment_place(tables: Tables) -> Place | None:
    """Where a block speaks of an experiment, None where it does not."""
    found = next((tables.table(name) for name in _EXPERIMENT if tables.table(name)), None)
    return found.at_top() if found is not None else None


@rule(
    "SRC001",
    "wavelength-implausible",
    severity="warning",
    source="_diffrn_radiation_wavelength.value",
    message="wavelength {value:g} ångström is outside {low:g} to {high:g}, the range of {probe}{hint}",
    messages={
        "zero": "wavelength is {value:g} - expected a positive number in ångström",
        "absent": "no wavelength is given",
        "unknown": "wavelength is {value} - expected a number in ångström",
    },
    helps={
        "": "check the wavelength, which is in ångström, and the probe",
        "zero": "give the wavelength in ångström",
        "absent": "give _diffrn_radiation_wavelength.value in ångström",
        "unknown": "give the wavelength in ångström",
    },
)
def wavelength_implausible(tables: Tables) -> Iterator[Problem]:
    """What: The wavelength is absent, not positive, or outside the range in which its probe is used.
    Why: Without the wavelength an image cannot be interpreted at all; a wrong one scales every spacing.
    How to fix: Give the wavelength in ångström, and the probe.
    Source: Core dictionary, _diffrn_radiation_wavelength.value; dictionary imgCIF, _diffrn_radiation.probe.
    """
    table, values = tables.table(WAVELENGTH), wavelengths(tables)
    probe, _ = probe_of(tables)
    low, high = facts("radiation")["probe"][probe]["plausible"]
    # What cannot be read at all is told by its type; null values are told only if no other is given.
    is_null = ~table.explicit("value")
    if is_null.all():
        yield from _absent(tables)
        return
    for row in np.flatnonzero((values <= 0) | (values < low) | (values > high)).tolist():
        value = float(values[row])
        if value == 0:
            yield Problem(table.at(row, "value"), severity="error", variant="zero", value=value)
        elif value < 0:
            # Outside the range of the dictionary, which DIC011 reports.
            continue
        elif slip_of(value, probe) is None and not is_broad(tables):
            named = "all probes" if probe == "unknown" else probe
            place = table.at(row, "value")
            yield Problem(place, value=value, low=low, high=high, probe=named, hint=_other_probe(value, probe))


def _absent(tables: Tables) -> Iterator[Problem]:
    """A block of an experiment without any wavelength, unless another block of the data set has it."""
    table = tables.table(WAVELENGTH)
    place = table.at(0, "value") if table.has("value") else experiment_place(tables)
    if place is None:
        raise NotApplicable("no experiment is described")
    if any(np.isfinite(wavelengths(other)).any() for other in same_data_set(tables)):
        raise NotApplicable("another block of the data set has the wavelength")
    severity = "info" if is_broad(tables) else None
    column = table.column("value")
    if column is not None:
        yield Problem(place, severity=severity, variant="unknown", value=column.text(0))
    else:
        yield Problem(place, severity=severity, variant="absent")


def _other_probe(value: float, probe: str) -> str:
    """A hint at the probe that has such wavelengths."""
    for name in ("x-ray", "electron", "neutron"):
        low, high = facts("radiation")["probe"][name]["typical"]
        if name != probe and low <= value <= high:
            return f" - typical of {name}s" if name != "x-ray" else " - typical of x-rays"
    return ""


def slip_of(value: float, probe: str) -> tuple[str, float] | None:
    """The unit in which a number would be a usual wavelength of a probe, and that wavelength in ångström."""
    known = facts("radiation")["probe"][probe]
    if known["plausible"][0] <= value <= known["plausible"][1] or value <= 0:
        return None
    for name in known["slips"]:
        slip = facts("radiation")["slip"][name]
        meant = _in_angstrom(value, slip)
        if known["typical"][0] <= meant <= known["typical"][1]:
            return slip["unit"], meant
    return None


def _in_angstrom(value: float, slip: Mapping[str, Any]) -> float:
    """A number read in another unit, as a wavelength in ångström."""
    if "factor" in slip:
        found: float = value * slip["factor"]
        return found
    if "energy_kev" in slip:
        energy = value * slip["energy_kev"]
        return HC_KEV_ANGSTROM / energy if energy else math.inf
    kinetic = value * slip["electron_kev"]
    momentum = math.sqrt(kinetic * (kinetic + 2.0 * _ELECTRON_REST_KEV))
    return HC_KEV_ANGSTROM / momentum if momentum else math.inf


@rule(
    "SRC002",
    "wavelength-unit",
    severity="warning",
    source="_diffrn_radiation_wavelength.value",
    message="wavelength {value:g} is far from any of {probe} - read as {unit} it is {meant:.5g} ångström",
)
def wavelength_unit(tables: Tables) -> Iterator[Problem]:
    """What: The wavelength makes sense only in another unit than ångström.
    Why: A wavelength in metres or picometres, or an energy in its place, is wrong by orders of magnitude.
    How to fix: Convert the number to ångström.
    Source: Core dictionary, _diffrn_radiation_wavelength.value, units angstroms.
    """
    table, values = tables.table(WAVELENGTH), wavelengths(tables)
    if not np.isfinite(values).any():
        raise NotApplicable("no wavelength")
    probe, _ = probe_of(tables)
    low, high = facts("radiation")["probe"][probe]["plausible"]
    for row in np.flatnonzero((values > 0) & ((values < low) | (values > high))).tolist():
        slip = slip_of(float(values[row]), probe)
        if slip is not None:
            yield Problem(
                table.at(row, "value"),
                value=float(values[row]),
                probe="all probes" if probe == "unknown" else probe,
                unit=slip[0],
                meant=slip[1],
                help=f"write {slip[1]:.5g} if the number is {slip[0]}",
                edits=new_values(table.columns["value"], [row], f"{slip[1]:.5g}", is_safe=False),
            )


@rule(
    "SRC004",
    "wavelength-not-of-line",
    severity="warning",
    source="_diffrn_radiation_wavelength.type",
    message="wavelength {value:g} ångström is not that of {line} - expected {expected}",
)
def wavelength_not_of_line(tables: Tables, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The radiation is named by a characteristic line, and the wavelength is not that of the line.
    Why: One of the two is wrong, often because a file was made from another one's header.
    How to fix: Correct the wavelength, or the name of the line.
    Source: Core dictionary, _diffrn_radiation_wavelength.type; International Tables for Crystallography C, 4.2.2.
    """
    table, values = tables.table(WAVELENGTH), wavelengths(tables)
    general = line_of(tables.table("diffrn_radiation").text("type"))
    own = [line_of(text) or general for text in table.texts("type")[:1000]]
    if not any(own) or not np.isfinite(values).any():
        raise NotApplicable("no characteristic line is named")
    column = table.column("value")
    printed = last_digit_halves(column) if column is not None else np.zeros(table.rows)
    for row, line in enumerate(own):
        if line is None or not np.isfinite(values[row]):
            continue
        limit = max(tolerances.line_angstrom, float(printed[row]))
        if not line.low - limit <= values[row] <= line.high + limit:
            both = f"{line.low:.5f} to {line.high:.5f}" if line.high > line.low else f"{line.low:.5f}"
            yield Problem(table.at(row, "value"), value=float(values[row]), line=line.text, expected=both)


@rule(
    "SRC005",
    "weights-unscaled",
    severity="info",
    source="_diffrn_radiation_wavelength.wt",
    message="weights of {number} wavelengths sum to {total:.4g}, the largest is {largest:.4g} - expected 1 for either",
)
def weights_unscaled(tables: Tables) -> Iterator[Problem]:
    """What: The weights of several wavelengths have neither the sum 1 nor the maximum 1, and are not equal.
    Why: Weights are relative intensities; on another scale they are legal, but often a row is missing.
    How to fix: Scale the weights so that they sum to 1, or that the strongest one is 1.
    Source: Core dictionary, _diffrn_radiation_wavelength.wt.
    """
    table = tables.table(WAVELENGTH)
    weights = table.numbers("wt")
    weights = weights[np.isfinite(weights)]
    if len(weights) < 2:
        raise NotApplicable("fewer than two weights")
    is_scaled = any(abs(value - 1.0) < _ROUNDING for value in (weights.sum(), weights.max()))
    if not is_scaled and np.ptp(weights) > 0:
        yield Problem(table.at(0, "wt"), number=len(weights), total=float(weights.sum()), largest=float(weights.max()))


@rule(
    "SRC013",
    "wavelength-not-selected",
    severity="info",
    source="_diffrn_radiation.wavelength_id",
    message="{number} wavelengths are listed, and neither a wavelength_id nor weights say which one was used",
)
def wavelength_not_selected(tables: Tables) -> Iterator[Problem]:
    """What: Several wavelengths are listed, and nothing tells which one belongs to the images.
    Why: A reader cannot choose; imgCIF has no link from a scan to a wavelength.
    How to fix: Name the wavelength in _diffrn_radiation.wavelength_id, give weights, or use one block for each.
    Source: Dictionary imgCIF, _diffrn_radiation.wavelength_id; core dictionary, _diffrn_radiation_wavelength.wt.
    """
    table = tables.table(WAVELENGTH)
    values = wavelengths(tables)
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        raise NotApplicable("one wavelength at most")
    selected = tables.table("diffrn_radiation").text("wavelength_id")
    if selected is None and not table.explicit("wt").any():
        yield Problem(table.at(1, "value"), number=table.rows)
