"""The whole workflow in Chromium: a faulty file made clean, comparisons drawn, and the manners of the pages."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium import chromium, needs_chromium
from live import serving
from shared import EXAMPLE, ROOT

from imgcif_core import check
from imgcif_core.web.example import example_text

pytestmark = [pytest.mark.browser, needs_chromium]
GOOD = EXAMPLE.read_text(encoding="utf-8")
DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def with_arm(sense: int) -> str:
    """The example on an arm that is turned by 20 degrees about X, or about -X."""
    pairs = [
        ("_diffrn_detector.number_of_axes         1", "_diffrn_detector.number_of_axes         2"),
        (
            "_diffrn_detector_axis.detector_id       DETECTOR\n_diffrn_detector_axis.axis_id           distance\n",
            "loop_\n_diffrn_detector_axis.detector_id\n_diffrn_detector_axis.axis_id\n"
            "DETECTOR two_theta\nDETECTOR distance\n",
        ),
        (
            "  distance translation detector   . ",
            f"  two_theta rotation detector . {sense} 0 0 0.0 0.0 0.0\n  distance translation detector two_theta ",
        ),
        ("  SCAN1 distance .", "  SCAN1 two_theta 20.0 0.0 0.0 . . .\n  SCAN1 distance ."),
    ]
    text = GOOD
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("serve")) as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that reaches this computer alone; what fails on it fails the test."""
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.append(f"{request.url}: {request.failure}"))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    # What would go elsewhere is refused, and so counted as failed.
    opened.route("**/*", lambda route: route.continue_() if "//127.0.0.1:" in route.request.url else route.abort())
    yield opened
    # Leaving a page while its drawing is fetched is no fault.
    assert [fault for fault in faults if "ERR_ABORTED" not in fault] == []
    context.close()


def until(page: Any, statement: str) -> None:
    """Wait until something is true in a page; its policy forbids what Playwright has for that."""
    end = time.monotonic() + 30
    while not page.evaluate(f"Boolean({statement})"):
        assert time.monotonic() < end, statement
        page.wait_for_timeout(50)


def check_file(page: Any, address: str, text: str, name: str = "quartz.cif") -> None:
    page.goto(f"{address}/")
    page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": text.encode()})
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("#findings")


def test_a_faulty_file_is_made_clean_from_drop_to_download(page: Any, address: str) -> None:
    page.goto(f"{address}/")
    page.evaluate(DROP, ["quartz.cif", example_text()])
    page.wait_for_selector("#findings")
    assert "quartz.cif" in page.title()
    finding = page.locator(".finding", has=page.locator("a.line")).first
    finding.locator("a.line").click()
    marked = page.locator("#window li.here")
    marked.wait_for()
    line = int(re.search(r"\d+", finding.locator("a.line").inner_text())[0])  # type: ignore[index]
    assert marked.locator("code").inner_text().split() == example_text().splitlines()[line - 1].split()
    page.get_by_role("link", name=re.compile("Repair")).click()
    page.get_by_role("button", name=re.compile("Make the chosen repairs")).click()
    page.wait_for_selector("text=3 repairs made")
    assert page.locator(".verdict").inner_text().startswith("Conforming")
    with page.expect_download() as coming:
        page.get_by_role("link", name="download the mended file").click()
    (entry,) = check(Path(coming.value.path()).read_bytes()).files
    assert entry.conforming


def test_a_finding_marks_its_axis_in_the_drawing_beside_it(page: Any, address: str) -> None:
    text = GOOD.replace(
        "omega    rotation    goniometer .        1  0  0", "omega    rotation    goniometer .        2  0  0"
    )
    check_file(page, address, text)
    until(page, "document.querySelector('.instrument').view !== undefined")
    finding = page.locator(".finding[data-parts*=omega]").first
    finding.locator("h3").click()
    until(page, "document.querySelector('.instrument').view.litAxes.has('omega')")
    assert "Marked: omega" in page.locator(".instrument output").inner_text()
    finding.get_by_role("link", name="show omega").click()
    page.wait_for_url("**/instrument?*axis=omega*")
    until(page, "document.querySelector('.instrument')?.view?.litAxes.has('omega')")


def test_a_finding_marks_its_panel(page: Any, address: str) -> None:
    check_file(page, address, GOOD.replace("  1 1 0.0001\n  1 2 0.0001", "  1 1 0.0002\n  1 2 0.0002"))
    until(page, "document.querySelector('.instrument').view !== undefined")
    finding = page.locator(""".finding[data-parts*='"panels": ["1"]']""").first
    finding.locator("h3").click()
    until(page, "document.querySelector('.instrument').view.litPanels.has(0)")


def compare(page: Any, address: str, text: str, source: str, name: str = "source.cif") -> None:
    page.goto(f"{address}/compare")
    page.set_input_files("#file", {"name": "quartz.cif", "mimeType": "text/plain", "buffer": text.encode()})
    page.set_input_files("#against", {"name": name, "mimeType": "text/plain", "buffer": source.encode()})
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector(".verdict")
    until(page, "document.querySelector('.instrument')?.view?.others")


def colours(page: Any, name: str) -> int:
    """How many pixels of the drawing have the colour of a kind of thing."""
    return page.evaluate(
        """(name) => {
          const view = document.querySelector('.instrument').view;
          view.draw();
          const probe = document.createElement('canvas').getContext('2d');
          probe.fillStyle = view.ink(name);
          probe.fillRect(0, 0, 1, 1);
          const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
          const { data } = view.pen.getImageData(0, 0, view.canvas.width, view.canvas.height);
          let found = 0;
          for (let at = 0; at < data.length; at += 4) {
            if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 12) found += 1;
          }
          return found;
        }""",
        name,
    )


def test_a_wrong_sense_of_two_theta_is_told_and_drawn(page: Any, address: str) -> None:
    compare(page, address, with_arm(1), with_arm(-1))
    words = page.locator("main").inner_text()
    assert re.search(r"two.theta", words)
    assert "opposite" in words or "reversed" in words or "other sense" in words, words[:2000]
    drawn = page.evaluate(
        "document.querySelector('.instrument').view.others.of(document.querySelector('.instrument').view)"
    )
    own = np.array(page.evaluate("document.querySelector('.instrument').view.corners[0]"))
    other = np.array(drawn["panels"][0]["corners"])
    # The arms are turned by 20 degrees to either side about X: what is up on one is down on the other.
    np.testing.assert_allclose(other[:, 0], own[:, 0], atol=1e-6)
    middle, away = own.mean(axis=0), other.mean(axis=0)
    np.testing.assert_allclose(away[1:], [-middle[1], middle[2]], atol=20)
    assert np.linalg.norm(away - middle) > 100
    assert colours(page, "other") > 100
    page.get_by_label("Draw the source, too").uncheck()
    assert colours(page, "other") == 0


def test_a_file_lies_on_itself_in_a_comparison(page: Any, address: str) -> None:
    compare(page, address, GOOD, GOOD)
    assert "As in the source" in page.locator(".verdict").inner_text()
    drawn = page.evaluate(
        "document.querySelector('.instrument').view.others.of(document.querySelector('.instrument').view)"
    )
    own = page.evaluate("document.querySelector('.instrument').view.corners[0]")
    np.testing.assert_allclose(drawn["panels"][0]["corners"], own, atol=1e-6)
    assert [axis["id"] for axis in drawn["axes"]] == ["omega"]


def test_a_source_of_another_kind_is_drawn(page: Any, address: str) -> None:
    compare(page, address, GOOD, (ROOT / "examples" / "quartz.expt").read_text(), "quartz.expt")
    assert colours(page, "other") > 100


def test_pasted_text_is_checked(page: Any, address: str) -> None:
    page.goto(f"{address}/")
    page.get_by_text("Paste the text instead").click()
    page.get_by_label("Text of the file").fill(GOOD)
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("#findings")
    assert "pasted.cif" in page.locator("h1").inner_text()


def test_a_large_upload_tells_how_far_it_is_and_can_be_stopped(page: Any, address: str) -> None:
    speed = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    page.goto(f"{address}/")
    large = example_text().encode() + b"# a comment\n" * 700_000
    page.set_input_files("#file", {"name": "large.cif", "mimeType": "text/plain", "buffer": large})
    speed.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("text=/[0-9.]+ MB of 8.4 MB sent/")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("text=Stopped; nothing was kept.")
    speed.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("#findings")


def test_a_phone_shows_one_part_of_a_report_at_a_time(browser: Any, address: str) -> None:
    narrow = browser.new_page(viewport={"width": 390, "height": 800})
    check_file(narrow, address, example_text())
    assert narrow.locator("#findings").is_visible() and not narrow.locator("#keep").is_visible()
    narrow.get_by_role("link", name="Downloads", exact=True).click()
    narrow.locator("#keep").wait_for()
    assert not narrow.locator("#findings").is_visible()
    narrow.close()


def test_two_drops_in_turn_back_and_reload(page: Any, address: str) -> None:
    page.goto(f"{address}/")
    page.evaluate(DROP, ["first.cif", GOOD])
    page.wait_for_selector("h1:has-text('first.cif')")
    page.go_back()
    page.wait_for_selector("#check")
    page.evaluate(DROP, ["second.cif", example_text()])
    page.wait_for_selector("h1:has-text('second.cif')")
    second = page.url
    page.reload()
    page.wait_for_selector("h1:has-text('second.cif')")
    assert page.url == second
    page.go_back()
    page.go_forward()
    page.wait_for_selector("h1:has-text('second.cif')")


def test_all_of_a_check_works_without_script(browser: Any, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    check_file(page, address, example_text())
    page.locator(".finding a.line").first.click()
    page.wait_for_selector(".source li.here")
    page.get_by_role("link", name="Back to the report").click()
    page.get_by_role("link", name=re.compile("Repair")).click()
    page.get_by_role("button", name=re.compile("Make the chosen repairs")).click()
    page.wait_for_selector("text=3 repairs made")
    page.get_by_role("link", name="Instrument", exact=True).click()
    page.wait_for_selector("text=The same in numbers")


def test_a_check_is_made_by_keys_alone(page: Any, address: str) -> None:
    page.goto(f"{address}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")

    def tab_to(words: str, most: int = 60) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            text = page.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim()")
            if words in text:
                return
        raise AssertionError(f"no way to {words!r} by keys")

    tab_to("Try an example")
    page.keyboard.press("Enter")
    page.wait_for_selector("#findings")
    tab_to("Repair (")
    page.keyboard.press("Enter")
    page.wait_for_selector(".repair")
    tab_to("Make the chosen repairs")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=3 repairs made")
    tab_to("line", 200)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(browser: Any, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    check_file(page, address, example_text())
    report = page.url
    paths = ["/", "/create", "/compare", "/rules", "/rules/AXI002", "/profiles/raw-data-letters", "/api", "/about"]
    paths += ["/terms", "/privacy", "/accessibility", "/status"]
    addresses = [f"{address}{path}" for path in paths]
    addresses += [report, *(f"{report}/{rest}" for rest in ("source", "instrument", "fix", "report.html?show=1"))]
    for place in addresses:
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def test_the_report_prints_on_few_pages(page: Any, address: str, tmp_path: Path) -> None:
    check_file(page, address, GOOD)
    page.goto(f"{page.url}/report.html?show=1")
    data = page.pdf(format="A4")
    assert data.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert 1 <= pages <= 6
