"""The spot test on diffraction that was made with a known geometry, stated rightly and with one mistake each."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from simulate import Content, Crystal, Instrument, Noise, image_of, mistaken, reflections, spots_of, stated, sweep

from imgcif_core.images.measure import Levels
from imgcif_core.spots.cell import KnownCell
from imgcif_core.spots.finder import box_sum, find_spots
from imgcif_core.spots.predict import predict
from imgcif_core.spots.search import grouped
from imgcif_core.spots.verdict import BETTER, CONSISTENT, TOO_FEW, judge

NONE = Levels(np.nan, np.nan, np.nan)
SWUNG = Instrument(two_theta=12.0, two_theta_axis=(0.0, 1.0, 0.0))
FRAMES = sweep((0.0, 45.0, 90.0))
CRYSTAL = Crystal((31.0, 44.0, 35.0, 90.0, 104.0, 90.0), 2)
MISTAKES = (
    "axis omega reversed",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("fast reversed", "fast and slow swapped", "two-theta reversed")
    ),
)


@pytest.fixture(scope="module")
def spots() -> list:
    return spots_of(CRYSTAL, SWUNG, FRAMES, Noise())


def test_a_right_geometry_is_consistent_and_predicts_its_spots(spots: list) -> None:
    test = judge(stated(SWUNG, FRAMES, spots))
    assert test.verdict == CONSISTENT
    frames = predict(test.sample, test.written.fit)
    assert sum(frame.again for frame in frames) >= 0.8 * test.sample.count


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(name: str, spots: list) -> None:
    test = judge(stated(mistaken(SWUNG, name), FRAMES, spots))
    assert test.verdict == BETTER
    assert name in test.named()


def test_readings_that_spots_cannot_tell_apart_are_named_together() -> None:
    # With two-theta at zero, a mirror normal to the axis leaves all positions as they are; a mirror along it
    # and half a turn of the image are the axis reversed.
    flat = Instrument()
    sample = stated(flat, FRAMES, spots_of(Crystal(), flat, FRAMES, Noise()))
    groups = [{reading.name for reading in group} for group in grouped(sample)]
    assert {"as written", "fast reversed"} <= groups[0]
    reversed_axis = next(group for group in groups if "axis omega reversed" in group)
    assert {"slow reversed", "fast and slow reversed"} <= reversed_axis
    # Half a turn about the axis: swapping is another geometry.
    assert not groups[0] & {"fast and slow swapped", "slow reversed"}


def test_few_spots_say_nothing() -> None:
    few = spots_of(Crystal(), SWUNG, FRAMES, Noise(per_frame=5, foreign=0.0))
    assert judge(stated(SWUNG, FRAMES, few)).verdict == TOO_FEW


def test_a_beam_centre_that_is_off_is_named_with_its_shift(spots: list) -> None:
    test = judge(stated(mistaken(SWUNG, "beam centre off"), FRAMES, spots))
    assert test.verdict == BETTER
    assert test.best.names == ("beam centre off",)
    # The statement was moved by (22, -17) pixels, so that the detector has to be moved by as much.
    np.testing.assert_allclose(test.best.fit.shift, (22.0, -17.0), atol=1.0)


def test_a_reflection_on_neighbouring_slices_counts_once() -> None:
    slices = sweep((0.0, 0.1, 0.2), width=0.1)
    one = spots_of(Crystal(), SWUNG, slices[:1], Noise(per_frame=20, foreign=0.0, pixels=0.0), smallest=1.2)[0]
    test = judge(stated(SWUNG, slices, [one, one, one]))
    assert test.verdict == TOO_FEW
    assert f"{len(one[0])} reflections" in test.reason


def test_fewer_spots_are_enough_with_a_cell() -> None:
    crystal = Crystal((5.4, 8.1, 12.0, 90.0, 90.0, 90.0), 4)
    wide = sweep((0.0, 40.0, 80.0), width=2.0)
    few = spots_of(crystal, SWUNG, wide, Noise(per_frame=6, foreign=0.0), 0.7, 0.9)
    assert judge(stated(SWUNG, wide, few, 0.7)).verdict == TOO_FEW
    cell = KnownCell(crystal.cell)
    assert judge(stated(SWUNG, wide, few, 0.7), cell).verdict == CONSISTENT
    wrong = judge(stated(mistaken(SWUNG, "axis omega reversed"), wide, few, 0.7), cell)
    assert wrong.verdict == BETTER
    assert "axis omega reversed" in wrong.named()


def test_hot_pixels_on_every_frame_are_left_out(spots: list) -> None:
    hot = np.array([[50.0, 60.0], [300.0, 100.0]])
    test = judge(stated(SWUNG, FRAMES, [[np.concatenate([part, hot]) for part in frame] for frame in spots]))
    assert test.verdict == CONSISTENT
    assert "6 spots stand at one place" in test.notes[0]


def test_box_sums_are_those_of_the_square_about_each_pixel() -> None:
    values = np.random.default_rng(1).random((20, 23)).astype(np.float32)
    wide = np.pad(values, 3)
    expected = sum(wide[row : row + 20, column : column + 23] for row in range(7) for column in range(7))
    np.testing.assert_allclose(box_sum(values), expected, rtol=1e-4)


def test_spots_of_an_image_are_found_where_they_were_put() -> None:
    flat = Instrument()
    pixels = reflections(Crystal(), flat, FRAMES[0], 1.0, 2.2)[0]
    image = image_of(pixels, flat.size, flat.centre, Content(hot=((30, 40),), gaps=((195, 212),)), 3)
    found = find_spots(image, NONE)
    off = np.hypot(found.fast[:, None] - pixels[:, 0], found.slow[:, None] - pixels[:, 1])
    assert np.mean(off.min(axis=1) < 1.0) > 0.9
    clear = ~((pixels[:, 1] > 190) & (pixels[:, 1] < 217))
    assert np.mean(off.min(axis=0)[clear] < 1.0) > 0.75
    assert not (np.hypot(found.fast - 30, found.slow - 40) < 2).any()


@pytest.mark.parametrize("fill", [0, 50])
def test_a_blank_image_has_no_spots(fill: int) -> None:
    assert len(find_spots(np.full((100, 120), fill, np.int32), NONE)) == 0
    noise = np.random.default_rng(2).poisson(fill, (100, 120)).astype(np.int32)
    assert len(find_spots(noise, NONE)) == 0
