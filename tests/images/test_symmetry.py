"""The centre of rings, on made images whose centre is known."""

import numpy as np
import pytest
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.images.decode import decode_section
from imgcif_core.images.isolated import Helper
from imgcif_core.images.measure import Levels, measure, thumbnail
from imgcif_core.images.mime import read_header
from imgcif_core.images.symmetry import find_centre
from imgcif_core.sources.minicbf import parse_header

NONE = Levels(np.nan, np.nan, np.nan)
BEAM = np.array([0.0, 0.0, -1.0])
SLOW, FAST = 300, 320


def rings(centre: tuple[float, float], seed: int = 1) -> np.ndarray:
    """Counts that fall off about a centre (fast, slow), with noise, a gap and strong reflections."""
    source = np.random.default_rng(seed)
    slow, fast = np.mgrid[:SLOW, :FAST]
    square = (fast - centre[0]) ** 2 + (slow - centre[1]) ** 2
    image = source.poisson(60.0 / (1.0 + square / 6000.0)).astype(np.int32)
    for _ in range(60):
        at, down = source.integers(0, FAST - 3), source.integers(0, SLOW - 3)
        image[down : down + 3, at : at + 3] += 500
    image[140:150] = -1
    return image


def evidence(image: np.ndarray, stated: tuple[float, float]):
    step_fast, step_slow = np.array([0.1, 0.0, 0.0]), np.array([0.0, -0.1, 0.0])
    origin = np.array([0.0, 0.0, -150.0]) - stated[0] * step_fast - stated[1] * step_slow
    return find_centre(thumbnail(image, NONE), origin, step_fast, step_slow, BEAM)


@pytest.mark.parametrize("true", [(160.0, 150.0), (130.0, 170.0)])
def test_the_shift_leads_from_the_stated_centre_to_the_true_one(true: tuple[float, float]) -> None:
    found = evidence(rings(true), (150.0, 150.0))
    assert found.fault == ""
    assert np.hypot(found.shift[0] - (true[0] - 150.0), found.shift[1] - (true[1] - 150.0)) < 4.0
    assert found.unexplained_found < 0.2
    assert found.unexplained_found <= found.unexplained_stated


def test_an_image_without_rings_explains_nothing() -> None:
    noise = np.random.default_rng(2).poisson(50.0, (SLOW, FAST)).astype(np.int32)
    assert evidence(noise, (150.0, 150.0)).unexplained_found > 0.8


def test_an_empty_image_gives_its_reason() -> None:
    assert evidence(np.zeros((SLOW, FAST), np.int32), (150.0, 150.0)).fault == "no background"
    assert evidence(np.full((SLOW, FAST), -1, np.int32), (150.0, 150.0)).fault == "too few pixels with counts"


def test_numbers_of_an_image_leave_codes_aside() -> None:
    # 4 x 4 pixels: one row of gaps, one defective pixel, one saturated one; 10 valid ones of 3, and 9.
    image = np.full((4, 4), 3, np.int32)
    image[1], image[0, 0], image[3, 3] = -1, -2, 9
    facts = measure(image, Levels(9.0, np.nan, -1.0))
    assert (facts.minimum, facts.maximum, facts.valid) == (-2.0, 9.0, 11)
    assert facts.mean == pytest.approx((10 * 3 + 9) / 11)
    assert facts.negative == ((-1.0, 4), (-2.0, 1))
    assert (facts.overloaded, facts.undefined) == (1, 4)
    assert (facts.gap_rows, facts.gap_columns) == (((1, 2),), ())


def test_the_largest_value_of_an_unsigned_type_is_a_code() -> None:
    image = np.array([[5, 65535], [7, 65535]], np.uint16)
    facts = measure(image, NONE)
    assert (facts.valid, facts.maximum_valid, facts.gap_columns, facts.at_largest) == (2, 7.0, ((1, 2),), 0)


def test_nan_is_a_code_of_real_images() -> None:
    facts = measure(np.array([[1.0, np.nan], [3.0, 5.0]], np.float32), NONE)
    assert (facts.valid, facts.mean, facts.minimum) == (3, 3.0, 1.0)


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize(("slip", "least", "most"), [(0.0, 0.0, 8.0), (60.0, 50.0, 66.0)])
def test_the_rings_of_a_real_image_lie_about_its_stated_centre(slip: float, least: float, most: float) -> None:
    # A Pilatus 6M; the header gives Beam_xy (1261.61, 1306.96), 0.351 m and 172 um.
    pytest.importorskip("fabio")
    source = imgcif_core.read(CORPUS / "cbf_mini" / "thau_3_2_0017.cbf.bz2")
    text = source.blocks[0].columns["_array_data.header_contents"].text(0)
    header = parse_header(text)
    assert header.beam_xy is not None and header.distance is not None
    section = source.sections[0]
    image = decode_section(source.source.data, section, read_header(section), Helper())
    fast, slow = np.array([0.172, 0.0, 0.0]), np.array([0.0, -0.172, 0.0])
    centre = np.array(header.beam_xy) - 0.5 - [0.0, slip]
    origin = np.array([0.0, 0.0, -header.distance]) - centre[0] * fast - centre[1] * slow
    found = find_centre(thumbnail(image, NONE), origin, fast, slow, BEAM)
    assert least <= np.hypot(*found.shift) <= most
    assert found.unexplained_found < 0.02
