"""Time from the drop of a file on the page to its first finding on the screen: `page.py`, in Chromium.

Prints seconds of the clock for a small file and for one of 100,000 frames, each as the best and the median of some
runs; run it on a computer that does nothing else. With `--parts` it tells where the time goes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "web"), str(Path(__file__).parent)]

from chromium import chromium  # noqa: E402
from make_large import lines  # noqa: E402

SMALL = ROOT / "examples" / "faulty.cif"
# Seconds that the two files may take.
PROMISED = {"small": 0.5, "large": 3.0}
# Puts the chosen file where a drop would, and lets the page take it from there.
DROP = """() => {
  const data = new DataTransfer();
  data.items.add(document.getElementById("file").files[0]);
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
PARTS = """() => {
  const told = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    "redirect of the upload": told.redirectEnd - told.redirectStart, "answer begins": told.responseStart,
    "answer ends": told.responseEnd, "page is built": told.domInteractive,
    "first paint": paint ? paint.startTime : null,
    "page is loaded": told.loadEventEnd,
  };
}"""


@contextmanager
def serving() -> Iterator[str]:
    """The address of a page for one user, its workers ready."""
    command = [str(Path(sys.executable).parent / "imgcif"), "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def seconds_of(page: Any, address: str, path: Path) -> tuple[float, dict[str, float]]:
    """From the drop of a file to its first finding, and what the browser tells of the way."""
    page.goto(address)
    page.set_input_files("#file", path)
    page.wait_for_timeout(300)
    began = time.perf_counter()
    page.evaluate(DROP)
    page.wait_for_selector(".finding h3", state="visible", timeout=120_000)
    passed = time.perf_counter() - began
    page.wait_for_load_state("load")
    return passed, page.evaluate(PARTS)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--parts", action="store_true", help="tell where the time of the last run went")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving() as address, chromium() as browser:
        large = Path(folder) / "large.cif"
        with large.open("w", encoding="utf-8") as stream:
            # Its first finding is one that a reader has to see.
            stream.writelines(line.replace("0.95", "9.5e-11") for line in lines(options.frames))
        page = browser.new_page()
        page.goto(address)
        for name, path in {"small": SMALL, "large": large}.items():
            runs = [seconds_of(page, address.partition("?")[0], path) for _ in range(options.runs + 1)]
            first, times = runs[0][0], [seconds for seconds, _ in runs[1:]]
            size = path.stat().st_size / 1e6
            print(
                f"{name}, {size:.3g} MB: best {min(times):.2f} s, median {statistics.median(times):.2f} s, "
                f"the very first {first:.2f} s; promised {PROMISED[name]:g} s"
            )
            if options.parts:
                print(json.dumps({key: value and round(value) for key, value in runs[-1][1].items()}, indent=1))


if __name__ == "__main__":
    main()
