"""The numbers of an image, counted strip by strip, against the same numbers of the whole."""

import numpy as np
import pytest

from imgcif_core.images.measure import Levels, measure, thumbnail
from imgcif_core.images.tally import STRIP

NONE = Levels(np.nan, np.nan, np.nan)


def image(dtype: str, seed: int = 1) -> np.ndarray:
    """Several strips of counts, with gaps and single codes in signed and unsigned types."""
    source = np.random.default_rng(seed)
    found = source.poisson(9.0, (3 * STRIP // 300, 300)).astype(dtype)
    code = -1 if found.dtype.kind in "if" else np.iinfo(found.dtype).max
    found[40:52], found[:, 100:107] = code, code
    found[source.random(found.shape) < 0.01] = code
    found[7, 3], found[600, 250] = 77, 77
    return found


@pytest.mark.parametrize("dtype", ["int16", "int32", ">i4", "uint8", "uint32", "uint64", "float32"])
def test_strips_tell_what_the_whole_does(dtype: str) -> None:
    pixels = image(dtype)
    is_code = pixels < 0 if pixels.dtype.kind in "if" else pixels == np.iinfo(pixels.dtype).max
    # Negative reals are values, and only what is not finite is a code.
    good = pixels[~is_code] if pixels.dtype.kind != "f" else pixels.ravel()
    facts = measure(pixels, Levels(60.0, np.nan, np.nan))
    assert (facts.minimum, facts.maximum) == (pixels.min(), pixels.max())
    assert (facts.valid, facts.mean) == (good.size, pytest.approx(good.mean(dtype=np.float64), rel=1e-12))
    assert facts.maximum_valid == 77
    if pixels.dtype.kind in "if":
        assert facts.negative == ((-1.0, int(is_code.sum())),)
        assert facts.overloaded == 2
    if pixels.dtype.kind in "iu":
        assert (facts.gap_rows, facts.gap_columns) == (((40, 52),), ((100, 107),))
        assert (facts.at_maximum, facts.below_maximum) == (2, 0)
    if pixels.dtype.kind == "u":
        inside = np.delete(np.delete(is_code, np.s_[40:52], axis=0), np.s_[100:107], axis=1)
        assert facts.at_largest == inside.sum()


def test_marks_of_an_unsigned_type_and_undefined_pixels_are_not_overloaded() -> None:
    pixels = image("uint16")
    pixels[3, :20] = 1000
    assert measure(pixels, Levels(1000.0, np.nan, np.nan)).overloaded == 20
    facts = measure(pixels, Levels(1000.0, np.nan, 1000.0))
    assert (facts.overloaded, facts.undefined, facts.maximum_valid) == (0, 20, 77)


def test_negative_values_count_beside_those_that_are_not_finite() -> None:
    facts = measure(np.array([[np.nan, -2.0], [-np.inf, 4.0]], np.float32), NONE)
    assert (facts.negative, facts.minimum, facts.maximum, facts.valid) == (((-2.0, 1),), -2.0, 4.0, 2)
    # One that is larger than all is at or above each overload.
    assert measure(np.array([np.inf, 4.0]), Levels(9.0, np.nan, np.nan)).overloaded == 1


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64"])
def test_equal_images_alone_share_a_digest(dtype: str) -> None:
    first = np.random.default_rng(3).integers(0, 100, (301, 333)).astype(dtype)
    assert measure(first, NONE).digest == measure(first.copy(), NONE).digest
    seen = {measure(first, NONE).digest}
    for slow, fast in ((0, 0), (0, 1), (150, 200), (300, 331), (300, 332)):
        other = first.copy()
        other[slow, fast] += 1
        seen.add(measure(other, NONE).digest)
    exchanged = first.copy()
    exchanged[[0, 1]] = exchanged[[1, 0]]
    seen.add(measure(exchanged, NONE).digest)
    assert len(seen) == 7


def test_blocks_at_the_edge_hold_fewer_pixels() -> None:
    # Blocks of two pixels of a 3 x 5 image: those at the far edges are cut.
    pixels = np.arange(15, dtype=np.int32).reshape(3, 5)
    pixels[0, 0] = -1
    small = thumbnail(pixels, NONE, blocks=3)
    np.testing.assert_allclose(small.mean, [[(1 + 5 + 6) / 3, 5.0, 6.5], [10.5, 12.5, 14.0]])
    np.testing.assert_allclose(small.share, [[0.75, 1.0, 0.5], [0.5, 0.5, 0.25]])
