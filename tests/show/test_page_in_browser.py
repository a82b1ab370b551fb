"""The page in a browser: it fits narrow screens, keeps its own policy, has a dark side, and prints short."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shared import EXAMPLE, ROOT

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.show.page import page
from imgcif_core.show.sheet import sheet_of

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from chromium import chromium, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]
DICTIONARY = imgcif_core.load_dictionary()
FILES = (EXAMPLE, EXAMPLE.with_name("faulty.cif"), ROOT / "conformance/datasets/bases/multi-panel-sections.cif")


def written(path: Path, folder: Path) -> str:
    """The address of a page on a file, with a long name that cannot be broken."""
    options = CheckOptions(profile="raw-data-letters")
    document = imgcif_core.read(path.read_bytes(), name="w" * 120 + path.name)
    entry = imgcif_core.check_document(document, options=options)
    report = imgcif_core.Report("0", (), (entry,))
    out = folder / "page.html"
    out.write_text(page(report, [sheet_of(document, DICTIONARY, entry, options, "imgcif-check x")]), encoding="ascii")
    return out.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_the_page_fits_and_asks_for_nothing(browser: Any, tmp_path: Path, path: Path, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("request", lambda request: asked.append(request.url))
    address = written(path, tmp_path)
    tab.goto(address)
    sizes = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert sizes[0] <= sizes[1]
    assert said == [] and [url for url in asked if not url.startswith("data:")] == [address]
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    drawn = tab.evaluate("[...document.querySelectorAll('figure>svg')].map(x => x.getBoundingClientRect().width)")
    assert len(drawn) == 5 and all(100 < each <= width for each in drawn)
    context.close()


@pytest.mark.parametrize(("path", "most"), [(FILES[0], 4), (FILES[1], 6)], ids=["good", "faulty"])
def test_the_page_prints_on_few_sheets(browser: Any, tmp_path: Path, path: Path, most: int) -> None:
    tab = browser.new_page()
    tab.goto(written(path, tmp_path))
    data = tab.pdf(format="A4")
    assert data.startswith(b"%PDF") and 1 <= data.count(b"/Type /Page\n") <= most
    tab.close()
