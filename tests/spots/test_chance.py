"""How surely a lattice is more than chance: the chance level against drawn points, and strewn spots."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from simulate import Crystal, Instrument, Noise, spots_of, stated, sweep

from imgcif_core.spots.chance import expected_by_chance, outweighs, volumes
from imgcif_core.spots.geometry import WRITTEN, Mapped, Reading
from imgcif_core.spots.lattice import chance_of, fit_lattice, misfit, refine

AS_WRITTEN = Reading(WRITTEN)
FLAT = Instrument()
FRAMES = sweep((0.0, 45.0, 90.0))


@pytest.mark.parametrize("half", [0.0, 0.02])
def test_the_volume_about_a_spot_is_the_share_of_random_points_so_near_to_a_lattice(half: float) -> None:
    source = np.random.default_rng(7)
    count, edge, radius = 400_000, 30.0, 0.005
    q = source.uniform(-0.4, 0.4, (count, 3))
    by_turn = np.cross([1.0, 0.0, 0.0], q)
    mapped = Mapped(q, np.zeros((count, 3, 2)), by_turn, np.full(count, half), np.zeros(count, int))
    vectors = edge * np.eye(3)
    _, off = misfit(mapped, vectors, np.zeros(2))
    # Points of a primitive cubic lattice lie 1/30 per angstrom apart: regions of 0.005 about them hardly meet.
    near = np.linalg.norm(off, axis=1) / edge < radius
    expected = float((edge**3 * volumes(mapped, np.full(count, radius))).mean())
    np.testing.assert_allclose(np.mean(near), expected, rtol=0.04)


def test_a_lattice_of_known_chance() -> None:
    # 30 spots of 0.001 per angstrom a pixel on frames without a turn, all within 0.3 pixels: in a cell of 1e5 cubic
    # angstrom the chance of one is 4/3 pi 0.0003**3 1e5 = 1.131e-5. Vectors are told apart by steps of 0.0003 out of
    # 0.3, centres by 0.3 out of 80 pixels: 1e27 * (80/0.3)**2 * 16 lattices.
    count = 30
    by_shift = np.zeros((count, 3, 2))
    by_shift[:, 0, 0] = by_shift[:, 1, 1] = 0.001
    q = np.tile([0.3, 0.0, 0.0], (count, 1))
    mapped = Mapped(q, by_shift, np.zeros((count, 3)), np.zeros(count), np.zeros(count, int))
    found, inside = expected_by_chance(mapped, np.zeros(count), 1e5, 40.0)
    assert inside == count
    np.testing.assert_allclose(
        found, 27 + 2 * np.log10(80 / 0.3) + np.log10(16) + count * np.log10(1.131e-5), atol=0.05
    )
    # A cell that is given leaves three angles.
    known, _ = expected_by_chance(mapped, np.zeros(count), 1e5, 40.0, is_known=True)
    np.testing.assert_allclose(found - known, 18.0, atol=0.05)


@pytest.mark.parametrize("count", [8, 17, 100])
def test_spots_strewn_at_random_have_no_lattice_and_those_of_a_crystal_do(count: int) -> None:
    source = np.random.default_rng(count)
    strewn = stated(FLAT, FRAMES, [[source.uniform(0, 1, (count, 2)) * FLAT.size] for _ in FRAMES])
    # Far from the border on both sides: -3 and less is no chance.
    assert chance_of(strewn, fit_lattice(strewn, AS_WRITTEN)) > 3.0
    crystal = Crystal((31.0, 44.0, 35.0, 90.0, 104.0, 90.0), 2)
    true = stated(FLAT, FRAMES, spots_of(crystal, FLAT, FRAMES, Noise(per_frame=count)))
    assert chance_of(true, fit_lattice(true, AS_WRITTEN)) < -15.0


def test_a_lattice_outweighs_another_by_more_than_a_few_spots() -> None:
    ours, theirs = np.ones(100), np.ones(100)
    assert not outweighs(ours, theirs, 10)
    theirs[:4] = 0.0
    assert not outweighs(ours, theirs, 10)
    theirs[:40] = 0.0
    assert outweighs(ours, theirs, 10)
    assert not outweighs(theirs, ours, 10)
    # As many the other way are chance.
    ours[60:] = 0.0
    assert not outweighs(ours, theirs, 10)


@pytest.mark.parametrize("edge", [0.0, 1e-9, 40.0])
def test_edges_that_span_no_cell_fit_nothing(edge: float) -> None:
    crystal = Crystal((31.0, 44.0, 35.0, 90.0, 104.0, 90.0), 2)
    sample = stated(FLAT, FRAMES, spots_of(crystal, FLAT, FRAMES, Noise(per_frame=17)))
    # A level beyond all cuts but the last ones leaves the edges as they are.
    flat = refine(sample, AS_WRITTEN, np.outer([1.0, 2.0, 3.0], [edge, 0.0, 0.0]), 1.0)
    assert flat.score == 0.0 and not flat.by_frame
