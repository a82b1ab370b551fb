"""The view of an instrument in Chromium: what it says of a pixel, by pointer and by keys, and in odd files."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium import HOST, STATIC, chromium, needs_chromium, served
from shared import EXAMPLE

from imgcif_core import load_dictionary
from imgcif_core.api import read
from imgcif_core.show import block_instruments, geometry2

PAGE = """<!doctype html><html lang="en"><title>view</title><link rel="stylesheet" href="/static/instrument.css">
<body><div class="instrument" data-address data-geometry="/geometry.json"></div>
<script type="module" src="/static/instrument.js"></script></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def opened(browser: Any, text: bytes, query: str = "", **settings: Any) -> tuple[Any, list[str]]:
    """A page with the view of a text, and the errors that it shows."""
    data = json.dumps(geometry2(read(text, name="shown.cif"), load_dictionary()))
    page = browser.new_page(**settings)
    faults = served(page, {"/": PAGE, "/geometry.json": data, "/favicon.ico": b""})
    page.goto(f"{HOST}/{query}")
    page.wait_for_selector("canvas")
    return page, faults


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+\.?\d*", text)]


@pytest.mark.browser
@needs_chromium
def test_a_chosen_pixel_is_told_as_the_model_has_it(browser: Any) -> None:
    page, faults = opened(browser, EXAMPLE.read_bytes())
    (entry,) = block_instruments(read(EXAMPLE), load_dictionary())
    panel = entry.detector.flat[0]
    page.get_by_role("combobox", name="Panel").select_option(panel.id)
    page.get_by_label("Pixel, fast").fill("10")
    page.get_by_label("Pixel, slow").fill("20")
    place = entry.scans[0].poses[0].at(10, 20)[0]
    two_theta = np.degrees(np.arccos(place @ entry.beam.direction / np.linalg.norm(place)))
    resolution = entry.beam.wavelengths[0] / (2 * np.sin(np.radians(two_theta / 2)))
    told = page.locator("output").inner_text()
    fast, slow, x, y, z, angle, d = numbers(told.partition("pixel ")[2].replace("2θ", ""))
    assert (fast, slow) == (10, 20)
    np.testing.assert_allclose([x, y, z], place, atol=6e-4)
    assert angle == pytest.approx(two_theta, abs=6e-3)
    assert d == pytest.approx(resolution, abs=6e-3)
    assert faults == []


@pytest.mark.browser
@needs_chromium
def test_the_pointer_finds_the_direct_beam_in_the_middle_of_the_view(browser: Any) -> None:
    page, faults = opened(browser, EXAMPLE.read_bytes(), "?view=beam")
    (entry,) = block_instruments(read(EXAMPLE), load_dictionary())
    fast, slow = entry.scans[0].poses[0].beam_centre(entry.beam.direction)[0]
    at = page.evaluate("document.querySelector('.instrument').view.project([0, 0, 0])")
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    told = numbers(page.locator("output").inner_text().partition("pixel ")[2].replace("2θ", ""))
    # A pixel of the screen is several of the detector.
    assert abs(told[0] - fast) < 20 and abs(told[1] - slow) < 20
    assert told[5] < 0.5
    assert faults == []


@pytest.mark.browser
@needs_chromium
def test_slider_number_and_address_go_together(browser: Any) -> None:
    page, faults = opened(browser, EXAMPLE.read_bytes())
    number, slider = page.get_by_label("Frame number"), page.get_by_label("Frame", exact=True)
    number.fill("5")
    number.press("Enter")
    assert slider.input_value() == "4"
    assert "frame=5" in page.url
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert number.input_value() == "6"
    settings = page.locator(".instrument-settings td.number").first.inner_text()
    (entry,) = block_instruments(read(EXAMPLE), load_dictionary())
    axis = entry.scans[0].axes[0]
    assert numbers(settings)[0] == pytest.approx(axis.start + 5 * axis.increment, abs=1e-4)
    again, _ = opened(browser, EXAMPLE.read_bytes(), "?" + page.url.partition("?")[2])
    assert again.get_by_label("Frame number").input_value() == "6"
    assert faults == []


@pytest.mark.browser
@needs_chromium
def test_keys_turn_the_drawing_and_buttons_bring_standard_views(browser: Any) -> None:
    page, faults = opened(browser, EXAMPLE.read_bytes(), "?view=beam")
    beam = page.get_by_role("button", name="Along the beam")
    assert beam.get_attribute("aria-pressed") == "true"
    before = page.evaluate("document.querySelector('.instrument').view.eye")
    page.locator("canvas").focus()
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("document.querySelector('.instrument').view.eye")
    assert not np.allclose(before, after)
    np.testing.assert_allclose(np.array(after) @ np.array(after).T, np.eye(3), atol=1e-12)
    assert beam.get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="From above").click()
    top = page.evaluate("document.querySelector('.instrument').view.eye")
    np.testing.assert_allclose(top[2], [0, 1, 0], atol=1e-9)
    assert faults == []


@pytest.mark.browser
@needs_chromium
def test_names_are_text_and_odd_numbers_do_no_harm(browser: Any) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("omega", '"<img/src=x/onerror=alert(1)>"')
    page, faults = opened(browser, text.encode(), "?view=nonsense&frame=nonsense&scan=nonsense&panel=%3Cb%3E")
    assert page.locator("img").count() == 0
    assert "<img/src=x/onerror=alert(1)>" in page.locator(".instrument-settings").inner_text()
    page.evaluate("document.dispatchEvent(new CustomEvent('imgcif-show', { detail: { axis: 'distance' } }))")
    page.wait_for_timeout(100)
    assert faults == []


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"200.0 0.0 0.0", b"200.0mm 0.0 0.0", "1 panel, 1 of them cannot be drawn"),
        (b"1 1 1600 1", b"1 1 1600px 1", "1 panel, 1 of them cannot be drawn"),
        (b"10.0 3.0 0.5", b"10.0deg 3.0 0.5", "not readable"),
    ],
)
def test_what_cannot_be_read_is_not_drawn_as_zero(browser: Any, old: bytes, new: bytes, words: str) -> None:
    page, faults = opened(browser, EXAMPLE.read_bytes().replace(old, new))
    assert words in page.locator(".instrument").inner_text()
    assert faults == []
    page.close()


@pytest.mark.browser
@needs_chromium
def test_a_narrow_page_does_not_scroll_sideways(browser: Any) -> None:
    page, _ = opened(browser, EXAMPLE.read_bytes(), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_make_no_markup_and_no_code_of_texts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for banned in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "http:"):
        assert banned not in text
    assert not re.search(r"\bon[a-z]+\s*=\s*[\"'{(]", text)
    assert len(text.splitlines()) <= 600
