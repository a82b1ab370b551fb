"""The shadow of a beam stop, on made images whose beam is known."""

import numpy as np
import pytest

from imgcif_core.images.measure import Levels, thumbnail
from imgcif_core.images.shadow import find_shadow

NONE = Levels(np.nan, np.nan, np.nan)
SLOW, FAST = 600, 640


def stopped(centre: tuple[float, float], radius: float, arm: bool = False, seed: int = 1) -> np.ndarray:
    """Counts that fall off about a centre (fast, slow), with the shadow of a disc, and of an arm that holds it."""
    slow, fast = np.mgrid[:SLOW, :FAST]
    square = (fast - centre[0]) ** 2 + (slow - centre[1]) ** 2
    mean = 60.0 / (1.0 + square / 40000.0)
    mean[square < radius**2] *= 0.05
    if arm:
        mean[(np.abs(fast - centre[0]) < 4) & (slow > centre[1])] *= 0.05
    image = np.random.default_rng(seed).poisson(mean).astype(np.int32)
    image[290:297] = -1
    return image


@pytest.mark.parametrize("arm", [False, True])
@pytest.mark.parametrize("true", [(320.0, 300.0), (350.0, 270.0)])
def test_a_shadow_is_found_where_it_was_put(true: tuple[float, float], arm: bool) -> None:
    shadow = find_shadow(thumbnail(stopped(true, 24.0, arm), NONE), np.array([310.0, 305.0]))
    assert shadow is not None
    assert np.hypot(shadow.centre[0] - true[0], shadow.centre[1] - true[1]) < 8.0
    assert 15.0 < shadow.radius < 33.0
    assert shadow.depth < 0.3
    assert shadow.covers(np.array(true), 6.0)
    assert not shadow.covers(np.array(true) + 60.0, 6.0)


def test_an_image_without_a_stop_has_no_shadow() -> None:
    assert find_shadow(thumbnail(stopped((320.0, 300.0), 0.0), NONE), np.array([320.0, 300.0])) is None
    flat = np.random.default_rng(3).poisson(5.0, (SLOW, FAST)).astype(np.int32)
    assert find_shadow(thumbnail(flat, NONE), np.array([320.0, 300.0])) is None


def test_hardly_any_counts_make_no_shadow() -> None:
    dim = np.random.default_rng(4).poisson(0.05, (SLOW, FAST)).astype(np.int32)
    assert find_shadow(thumbnail(dim, NONE), np.array([320.0, 300.0])) is None
