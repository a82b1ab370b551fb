"""Spots against a known cell: orientations, stills by their spacings, and rings of powder."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rates import SETUPS, Setup
from simulate import Crystal, Frame, Instrument, Noise, spots_of, stated

from imgcif_core.spots.cell import KnownCell, spacings
from imgcif_core.spots.clean import cleaned
from imgcif_core.spots.geometry import WRITTEN, Reading, Sample
from imgcif_core.spots.lattice import fit_lattice

AS_WRITTEN = Reading(WRITTEN)


@pytest.mark.parametrize("setup", SETUPS[1:], ids=lambda setup: setup.name)
def test_a_known_cell_finds_its_orientation(setup: Setup) -> None:
    crystal = Crystal((21.0, 26.0, 33.0, 90.0, 101.0, 90.0), 6)
    sample = stated(setup.instrument, setup.frames, spots_of(crystal, setup.instrument, setup.frames, Noise()))
    cell = KnownCell(crystal.cell)
    fit = fit_lattice(sample, AS_WRITTEN, cell.starts(sample, AS_WRITTEN), (), cell.vectors())
    assert fit.score > 0.7
    # The columns of the true reciprocal cell have whole products with the edges that were found.
    products = fit.vectors @ crystal.reciprocal()
    np.testing.assert_allclose(products, np.round(products), atol=0.03)
    assert abs(np.linalg.det(np.round(products))) == 1.0


def stills(cell: tuple[float, ...], seeds: tuple[int, ...]) -> Sample:
    """Frames of crystals that lie as they like, which do not turn."""
    flat = Instrument()
    frames = [Frame({"omega": 0.0}, "omega", 1.5, "1") for _ in seeds]
    found = [
        spots_of(Crystal(cell, seed), flat, [frame], Noise(per_frame=40, foreign=0.0, seed=seed), 0.7, 0.75)[0]
        for seed, frame in zip(seeds, frames, strict=True)
    ]
    still = [Frame({"omega": 0.0}, "omega", 0.0, "1") for _ in seeds]
    return stated(flat, still, found, 0.7)


def test_stills_lie_on_the_spacings_of_their_cell_and_not_of_another() -> None:
    sample = stills((9.0, 9.0, 9.0, 90.0, 90.0, 90.0), (1, 2, 3))
    own = spacings(sample, KnownCell((9.0, 9.0, 9.0, 90.0, 90.0, 90.0), "P m -3 m"), AS_WRITTEN)
    assert {frame.fault for frame in own} == {""}
    assert sum(frame.on_line for frame in own) >= 0.85 * sample.count
    assert sum(frame.on_line for frame in own) > 1.8 * sum(frame.expected for frame in own)
    other = spacings(sample, KnownCell((10.1, 10.1, 10.1, 90.0, 90.0, 90.0), "P m -3 m"), AS_WRITTEN)
    assert sum(frame.on_line for frame in other) < 0.6 * sample.count


def test_lines_that_lie_too_close_are_said_to_tell_nothing() -> None:
    sample = stills((9.0, 9.0, 9.0, 90.0, 90.0, 90.0), (1,))
    (frame,) = spacings(sample, KnownCell((60.0, 70.0, 80.0, 90.0, 100.0, 90.0)), AS_WRITTEN)
    assert "too close" in frame.fault


def test_spots_on_a_ring_of_ice_are_left_out_and_others_stay() -> None:
    flat = Instrument()
    frames = [Frame({"omega": angle}, "omega", 0.5) for angle in (0.0, 45.0)]
    spots = spots_of(Crystal(), flat, frames, Noise(foreign=0.0))
    # Hexagonal ice diffracts at 3.661 angstrom: with 1 angstrom and 80 mm, 22.2 mm from the beam.
    radius = 80.0 * np.tan(2.0 * np.arcsin(0.5 / 3.661)) / flat.pixel
    angle = np.random.default_rng(5).uniform(0.0, 2.0 * np.pi, (2, 12))
    ring = np.stack([flat.centre[0] + radius * np.cos(angle), flat.centre[1] + radius * np.sin(angle)], axis=-1)
    sample = cleaned(
        stated(flat, frames, [[np.concatenate([own[0], ice])] for own, ice in zip(spots, ring, strict=True)]), 120
    )
    assert any("rings of powder" in note for note in sample.notes)
    for shot in sample.shots:
        off = np.hypot(shot.spots[0].fast - flat.centre[0], shot.spots[0].slow - flat.centre[1]) - radius
        assert np.count_nonzero(np.abs(off) < 0.5) == 0
        assert shot.count >= 12
