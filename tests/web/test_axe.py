"""Accessibility as axe-core measures it: every page, narrow and wide, light and dark, without a violation.

axe-core comes with the package axe-playwright-python, or from the file that AXE_CORE names.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "create"))

from chromium import chromium, needs_chromium
from live import serving
from shared import EXAMPLE, ROOT
from test_heads import HEADER

from imgcif_core.web.answers import templates
from imgcif_core.web.example import example_text

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PLAIN = ["/", "/create", "/compare", "/rules", "/rules/AXI002", "/profiles/raw-data-letters", "/api", "/about"]
PLAIN += ["/terms", "/privacy", "/accessibility", "/status", "/no-such-page"]
OF_REPORT = ["", "/source?line=40", "/instrument", "/fix"]


def _script() -> Path | None:
    """Where axe-core lies."""
    if os.environ.get("AXE_CORE"):
        return Path(os.environ["AXE_CORE"])
    spec = importlib.util.find_spec("axe_playwright_python")
    found = Path(spec.origin).with_name("axe.min.js") if spec and spec.origin else None
    return found if found and found.exists() else None


AXE = _script()
pytestmark = [
    pytest.mark.browser,
    needs_chromium,
    pytest.mark.skipif(AXE is None, reason="axe-core is not here: pip install axe-playwright-python"),
]


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("serve")) as url:
        yield url


def judged(page: Any) -> list[str]:
    """What axe-core finds on the page that is shown, at both widths, light and dark."""
    assert AXE is not None
    found = []
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(50)
            # Only colours differ between light and dark.
            chosen = LEVELS if scheme == "light" else {"type": "rule", "values": ["color-contrast"]}
            result = page.evaluate(
                "(chosen) => axe.run(document, { runOnly: chosen, resultTypes: ['violations'] })", chosen
            )
            for entry in result["violations"]:
                places = [" ".join(map(str, node["target"])) for node in entry["nodes"][:3]]
                found.append(f"{page.url} {width} {scheme}: {entry['id']} at {places}: {entry['help']}")
    return found


def check_file(page: Any, address: str, text: str, name: str = "quartz.cif") -> str:
    page.goto(f"{address}/")
    page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": text.encode()})
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("#findings")
    return page.url


def test_axe_itself_sees_faults(page: Any) -> None:
    page.set_content("<title>x</title><img src=x><p style='color:#eee;background:#fff'>pale</p>")
    found = " ".join(judged(page))
    assert "image-alt" in found
    assert "color-contrast" in found


@pytest.mark.parametrize("path", PLAIN)
def test_plain_pages(page: Any, address: str, path: str) -> None:
    page.goto(f"{address}{path}")
    assert judged(page) == []


@pytest.mark.parametrize("kind", ["faulty", "good", "broken"])
def test_reports_and_what_belongs_to_them(page: Any, address: str, kind: str) -> None:
    text = {"faulty": example_text(), "good": EXAMPLE.read_text(encoding="utf-8"), "broken": "loop_\n_a.b\ndata_\n;"}
    report = check_file(page, address, text[kind])
    found = []
    for rest in OF_REPORT:
        page.goto(f"{report}{rest}")
        if page.locator("[data-geometry]").count():
            page.wait_for_selector("canvas")
        found += judged(page)
    # Where it is shown, its policy lets no script run, that of axe-core neither.
    text = page.request.get(f"{report}/report.html").text()
    page.goto("about:blank")
    page.set_content(text)
    found += judged(page)
    assert found == []


def test_a_refused_upload(page: Any, address: str) -> None:
    page.goto(f"{address}/")
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_selector("[role=alert]")
    assert judged(page) == []


def test_a_page_that_waits(page: Any, address: str) -> None:
    words = {"done": 1, "total": 4, "unit": "steps", "text": "checking"}
    job, work = SimpleNamespace(id="x", kind="check", facts={"name": "quartz.cif"}), SimpleNamespace(progress=words)
    work.seconds = 30.0
    shell = {"link": lambda path: path, "operator": None, "is_local": False, "is_online": False, "keep_seconds": 3600}
    shell |= {"version": "1", "here": "/", "feedback": lambda code="": ""}
    text = templates().get_template("waiting.html").render(job=job, work=work, position=0, **shell)
    page.route("**/waiting", lambda route: route.fulfill(body=text, content_type="text/html"))
    told = {"id": "x", "state": "running", "position": 0, "progress": {**words, "done": 2}, "links": {}}
    page.route("**/api/v1/jobs/x", lambda route: route.fulfill(json=told))
    page.goto(f"{address}/waiting")
    page.wait_for_selector("text=Step 3 of 4: checking.")
    assert judged(page) == []
    page.goto("about:blank")
    page.unroute_all()


def test_comparisons(page: Any, address: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    found = []
    for source in (text, text.replace("200.0 0.0 0.0", "210.0 0.0 0.0")):
        page.goto(f"{address}/compare")
        for field, held in (("#file", text), ("#against", source)):
            page.set_input_files(field, {"name": "a.cif", "mimeType": "text/plain", "buffer": held.encode()})
        page.get_by_role("button", name="Compare").click()
        page.wait_for_selector("canvas")
        found += judged(page)
    assert found == []


def test_a_creation_from_question_to_result(page: Any, address: str) -> None:
    page.goto(f"{address}/create")
    image = HEADER.format(number=1, start=0.0).encode() + bytes(1000)
    page.set_input_files("#inputs", {"name": "a_0001.cbf", "mimeType": "text/plain", "buffer": image})
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("text=2 needed answers are open")
    found = judged(page)
    page.get_by_label("To which hour").fill("half past")
    page.get_by_label("To which hour").blur()
    page.wait_for_selector("text=Not taken: expected a time")
    found += judged(page)
    page.get_by_label("To which hour").fill("3:00")
    page.get_by_label("To which hour").blur()
    page.wait_for_selector("text=1 needed answer is open")
    page.get_by_label("clockwise", exact=True).check()
    page.wait_for_selector("text=the checker finds no error in it")
    found += judged(page)
    assert found == []


def test_a_creation_with_pictures(page: Any, address: str) -> None:
    page.goto(f"{address}/create")
    image = HEADER.format(number=1, start=0.0).replace("# Beam_xy (243.50, 97.50) pixels\n", "").encode() + bytes(1000)
    page.set_input_files("#inputs", {"name": "a_0001.cbf", "mimeType": "text/plain", "buffer": image})
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("#standing")
    assert judged(page) == []


def test_a_page_that_may_follow_links(page: Any, tmp_path: Path) -> None:
    from imgcif_core.web.config import Operator

    with serving(tmp_path, online=True, operator=Operator(contact="a@example.org")) as url:
        page.goto(url)
        found = judged(page)
        linked = ROOT / "conformance/datasets/ext/EXT018-uri-not-reachable/pass-published.cif"
        check_file(page, url, linked.read_text(encoding="utf-8"))
        page.wait_for_selector("text=Follow the links")
        found += judged(page)
    assert found == []
