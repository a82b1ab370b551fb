"""Chromium for tests: one browser a process, and our static files under a host that nobody has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).parents[2] / "imgcif_core" / "web" / "static"
CHROMIUM = Path("/usr/bin/chromium")
HOST = "http://view.invalid"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


def _absent() -> str:
    """Why no browser can be driven; empty where one can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "Playwright is not installed"
    return "" if CHROMIUM.exists() else f"there is no {CHROMIUM}"


needs_chromium = pytest.mark.skipif(bool(_absent()), reason=_absent() or "drives Chromium")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def served(page: Any, pages: dict[str, str | bytes]) -> list[str]:
    """Answer what a page asks of `HOST` from `pages`, by path, and from our static files; gives errors as they come."""
    faults: list[str] = []

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(HOST).partition("?")[0]
        kind = _TYPES.get(Path(path).suffix, "text/html")
        if path in pages:
            route.fulfill(body=pages[path], content_type=kind)
        elif path.startswith("/static/") and (STATIC / Path(path).name).is_file():
            route.fulfill(body=(STATIC / Path(path).name).read_bytes(), content_type=kind)
        else:
            route.fulfill(status=404, body="")

    page.route(f"{HOST}/**", answer)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    return faults
