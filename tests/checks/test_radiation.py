"""What texts say about the radiation, slips of units, and scales of beam centres."""

import numpy as np
import pytest
from axis_tables import tables_of
from numpy.testing import assert_allclose

from imgcif_core.checks.facts import facts
from imgcif_core.checks.radiation.centre import Scale
from imgcif_core.checks.radiation.texts import is_broad, line_of, probe_of, source_kind
from imgcif_core.checks.radiation.wavelength import slip_of

HC = 12.39842
ALPHA_1, ALPHA_2, BETA = facts("radiation")["line"]["Cu"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("Cu K\\a", ALPHA_1, ALPHA_2),
        ("CuK\\a", ALPHA_1, ALPHA_2),
        ("Cu Kα", ALPHA_1, ALPHA_2),
        ("Cu K-alpha", ALPHA_1, ALPHA_2),
        ("cu ka", ALPHA_1, ALPHA_2),
        ("Cu K-L~2,3~", ALPHA_1, ALPHA_2),
        ("Cu K\\a~1~", ALPHA_1, ALPHA_1),
        ("Cu Ka2", ALPHA_2, ALPHA_2),
        ("Cu K-L~3~", ALPHA_1, ALPHA_1),
        ("Cu K-L2", ALPHA_2, ALPHA_2),
        ("Cu K\\b", BETA, BETA),
        ("Cu K-M~3~", BETA, BETA),
    ],
)
def test_a_characteristic_line_is_read_in_all_spellings(text: str, low: float, high: float) -> None:
    line = line_of(text)
    assert line is not None
    assert (line.low, line.high) == (low, high)


@pytest.mark.parametrize(
    "text", [None, "", "synchrotron", "Cu K edge", "Co K absorption edge", "In-house source", "white-beam", "Mo foil"]
)
def test_other_texts_name_no_line(text: str | None) -> None:
    assert line_of(text) is None


def test_lines_are_in_order_and_agree_with_their_energies() -> None:
    # K-alpha 1 energies in keV of the X-ray Data Booklet, section 1.2, to four digits.
    energies = {"Cr": 5.4147, "Fe": 6.4038, "Cu": 8.0478, "Mo": 17.4793, "Ag": 22.1629, "W": 59.3182}
    for element, (first, second, beta) in facts("radiation")["line"].items():
        assert beta < first < second
        if element in energies:
            assert_allclose(first, HC / energies[element], atol=1e-4)


@pytest.mark.parametrize(
    ("value", "probe", "unit", "meant"),
    [
        (979.5, "x-ray", "milliångström", 0.9795),
        (71.073, "x-ray", "picometres", 0.71073),
        (12.658, "x-ray", "a photon energy in keV", HC / 12.658),
        (12658.0, "x-ray", "a photon energy in eV", HC / 12.658),
        (9.8e-11, "x-ray", "metres", 0.98),
        (2.5079, "electron", "picometres", 0.025079),
        # 200 kV: 12.2643 / sqrt(V + 0.97845e-6 V^2) = 0.025079 ångström.
        (200.0, "electron", "an electron energy in keV", 0.025079),
        (0.154, "neutron", "nanometres", 1.54),
    ],
)
def test_a_slip_of_units_is_named(value: float, probe: str, unit: str, meant: float) -> None:
    found = slip_of(value, probe)
    assert found is not None
    assert found[0] == unit
    assert_allclose(found[1], meant, rtol=1e-4)


@pytest.mark.parametrize(
    ("value", "probe"), [(0.9795, "x-ray"), (0.025079, "x-ray"), (0.0251, "electron"), (0, "x-ray")]
)
def test_what_is_plausible_or_of_another_probe_is_no_slip(value: float, probe: str) -> None:
    assert slip_of(value, probe) is None


def test_a_binned_centre_counts_from_the_first_physical_pixel() -> None:
    # 2 x 2 bins of 0.05 mm pixels: the centre of bin 10 lies between pixels 20 and 21.
    pixels, bins, millimetres = Scale(1.0, 2.0), Scale(0.5, 2.0), Scale(0.05, 2.0)
    for scale, stated in ((pixels, 20.5), (bins, 10.25), (millimetres, 1.025)):
        assert_allclose(scale.stated(np.array(10.0)), stated)
        assert_allclose(scale.index(np.array(stated)), 10.0)


def test_the_probe_is_taken_from_the_type_only_where_it_is_not_stated() -> None:
    assert probe_of(tables_of("_diffrn_radiation.probe neutron\n_diffrn_radiation.type 'X-ray'")) == (
        "neutron",
        "stated",
    )
    assert probe_of(tables_of("_diffrn_radiation.type xray")) == ("x-ray", "type")
    assert probe_of(tables_of("_diffrn_radiation.type 'Mo K\\a'")) == ("x-ray", "type")
    assert probe_of(tables_of("_diffrn_radiation.type 'Synchrotron X-ray Source'")) == ("x-ray", "type")
    assert probe_of(tables_of("_diffrn_radiation.type 'free-electron laser'")) == ("unknown", "unknown")
    assert probe_of(tables_of("_diffrn_radiation.type 'cold source'")) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("_diffrn_source.device synch", "synchrotron"),
        ("_diffrn_source.source 'rotating anode'", "laboratory"),
        ("_diffrn_source.device rot-anode", "laboratory"),
        ("_diffrn_source.source xfel", "laser"),
        ("_diffrn_radiation.type 'Ag K\\a'", "laboratory"),
        ("_diffrn_source.facility 'Light Source'\n_diffrn_source.beamline I04", "synchrotron"),
        ("_diffrn_source.device nuclear", "unknown"),
        ("_diffrn.id x", "unknown"),
    ],
)
def test_the_kind_of_source_follows_from_its_description(text: str, kind: str) -> None:
    assert source_kind(tables_of(text)) == kind


def test_a_white_beam_is_recognised() -> None:
    assert is_broad(tables_of("_diffrn_radiation.type white-beam"))
    assert not is_broad(tables_of("_diffrn_radiation.type 'Cu K\\a'"))
