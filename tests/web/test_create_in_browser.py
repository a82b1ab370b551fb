"""From raw data to a file in Chromium: only heads are sent, questions are answered, the file is taken home."""

import gzip
import io
import json
import struct
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "create"))

from chromium import HOST, chromium, needs_chromium, served
from live import serving
from shared import ROOT
from test_heads import series

from imgcif_core import check
from imgcif_core.create.heads import unpack_heads
from imgcif_core.sources.tiff import read_tiff

pytestmark = [pytest.mark.browser, needs_chromium]
_IMAGE = 100_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("serve")) as url:
        yield url


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 40 miniCBF images with pixels behind their headers, and a note beside them."""
    folder = tmp_path_factory.mktemp("raw") / "visit"
    index, pieces = series(40)
    start = 0
    for entry in index["files"]:
        length = entry["pieces"][0][1]
        path = folder / entry["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        head = pieces[start : start + length] + b"\x0c\x1a\x04\xd5"
        path.write_bytes(head + bytes(_IMAGE - len(head)))
        start += length
    (folder / "notes.txt").write_text("not an image")
    return folder


def test_a_folder_becomes_a_file_with_two_answers(browser: Any, address: str, images: Path) -> None:
    page = browser.new_page(accept_downloads=True)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/api/v1/create") else None)
    page.goto(f"{address}/create")
    page.set_input_files("#folder", images)
    page.wait_for_selector("text=40 files")
    assert "1 that are no images were passed over" in page.locator("#chosen").inner_text()
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("text=2 needed answers are open")
    size = int(sent[0].all_headers()["content-length"])
    assert 0 < size < 40 * 1000 < 40 * _IMAGE
    page.get_by_label("To which hour").fill("half past")
    page.get_by_label("To which hour").blur()
    page.wait_for_selector("text=Not taken: expected a time")
    page.get_by_label("To which hour").fill("3:00")
    page.get_by_label("To which hour").blur()
    page.wait_for_selector("text=1 needed answer is open")
    page.get_by_label("clockwise", exact=True).check()
    page.wait_for_selector("text=the checker finds no error in it")
    page.get_by_label("Address of the first scan").fill("https://example.org/run.zip")
    page.get_by_label("Address of the first scan").blur()
    page.wait_for_selector("td:has-text('https://example.org/run.zip')")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the imgCIF").click()
    text = Path(coming.value.path()).read_bytes()
    assert check(text).files[0].conforming
    assert b"image_0040.cbf" in text
    page.get_by_role("button", name="Open it in the checker").click()
    page.wait_for_url("**/r/*")
    assert faults == []


def test_without_script_whole_files_do(browser: Any, address: str, images: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/create")
    page.set_input_files("#inputs", sorted(images.rglob("*.cbf"))[:3])
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("text=2 needed answers are open", timeout=30_000)
    page.get_by_label("To which hour").fill("3:00")
    page.get_by_label("clockwise", exact=True).check()
    page.get_by_role("button", name="Take the answers").click()
    page.wait_for_selector("text=the checker finds no error in it")


def test_a_file_that_nobody_knows_is_refused_where_others_are_chosen(
    browser: Any, address: str, tmp_path: Path
) -> None:
    (tmp_path / "letter.docx").write_bytes(b"PK\x05\x06 no image")
    page = browser.new_page()
    page.goto(f"{address}/create")
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("text=Choose files first")
    page.set_input_files("#inputs", tmp_path / "letter.docx")
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("#problem:has-text('none of the readers knows')")
    assert page.url == f"{address}/create"


def tiff(*, at_end: bool, order: str = "<") -> bytes:
    """A TIFF of 200 x 100 pixels with a date, its directory behind the header or behind the pixels."""
    pixels, date = bytes(2 * 200 * 100), b"2020:01:02 03:04:05\0"
    start = 8 + len(pixels) if at_end else 8
    tags = [(256, 3, 1, 200), (257, 3, 1, 100), (258, 3, 1, 16), (306, 2, len(date), start + 2 + 4 * 12 + 4)]
    body = struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        packed = struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
        body += struct.pack(f"{order}HHI", tag, kind, count) + packed
    body += struct.pack(f"{order}I", 0) + date
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start)
    return head + pixels + body if at_end else head + body + pixels


_HEADS = """async ({files}) => {
  const { headsOf } = await import('/static/create.js');
  const made = files.map(([name, bytes]) => ({ name, file: new File([new Uint8Array(bytes)], name) }));
  const { index, pieces } = await headsOf(made);
  return [await index.text(), [...new Uint8Array(await pieces.arrayBuffer())]];
}"""


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_heads_of_a_tiff_say_what_the_whole_does(browser: Any, tmp_path: Path, at_end: bool, order: str) -> None:
    page = browser.new_page()
    served(page, {"/": "<!doctype html><title>heads</title>"})
    page.goto(f"{HOST}/")
    data = tiff(at_end=at_end, order=order)
    index, pieces = page.evaluate(_HEADS, {"files": [["a.tif", list(data)]]})
    assert json.loads(index)["packing"] == "gzip"
    assert sum(length for _, length in json.loads(index)["files"][0]["pieces"]) < 5000
    (tmp_path / "heads").mkdir()
    (tmp_path / "whole").mkdir()
    unpack_heads(json.loads(index), io.BytesIO(bytes(pieces)), tmp_path / "heads")
    (tmp_path / "whole" / "a.tif").write_bytes(data)
    one, other = (read_tiff(tmp_path / folder / "a.tif") for folder in ("heads", "whole"))
    assert (one.size, one.date) == (other.size, other.date) == ((200, 100), "2020-01-02T03:04:05")


def test_masters_go_whole_and_their_data_by_name(browser: Any) -> None:
    page = browser.new_page()
    served(page, {"/": "<!doctype html><title>heads</title>"})
    page.goto(f"{HOST}/")
    magic = list(b"\x89HDF\r\n\x1a\n" + bytes(500))
    packed = list(gzip.compress(b"a"))
    smv = list(b"{\nHEADER_BYTES=  512;\nDIM=2;\n}" + bytes(9000))
    files = [
        ["x_master.h5", magic],
        ["x_data_000001.h5", magic],
        ["a.img", smv],
        ["b.cbf.gz", list(gzip.compress(b"a"))],
    ]
    index, _ = page.evaluate(_HEADS, {"files": files})
    found = {entry["name"]: entry["pieces"] for entry in json.loads(index)["files"]}
    assert found["x_master.h5"] == [[0, 508]]
    assert found["x_data_000001.h5"] == []
    assert found["a.img"] == [[0, 512]]
    assert found["b.cbf.gz"] == [[0, len(packed)]]


GEOM = """photon_energy = 9000
adu_per_photon = 1
data = /entry/data
res = 10000
p0/min_fs = 0
p0/max_fs = 99
p0/min_ss = 0
p0/max_ss = 49
p0/corner_x = -50.0
p0/corner_y = -25.0
p0/fs = +1.0x +0.0y
p0/ss = +0.0x +1.0y
"""


def made(page: Any, address: str, path: Path, answers: dict[str, str]) -> bytes:
    """The file that comes of a source and some answers, by the label of the question; nothing else is asked."""
    page.goto(f"{address}/")
    page.get_by_role("link", name="Create an imgCIF").click()
    page.set_input_files("#inputs", path)
    page.get_by_role("button", name="Read them").click()
    page.wait_for_selector("#standing")
    for label, answer in answers.items():
        assert "open" in page.locator("#standing").inner_text()
        if answer:
            page.get_by_label(label).fill(answer)
            page.get_by_label(label).blur()
        else:
            page.get_by_label(label, exact=True).check()
        page.wait_for_selector(f"text={answer or label} >> visible=true")
    page.wait_for_selector("text=the checker finds no error in it")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the imgCIF").click()
    data = Path(coming.value.path()).read_bytes()
    assert check(data).files[0].conforming
    return data


def test_an_experiment_list_becomes_a_file(browser: Any, address: str) -> None:
    data = made(browser.new_page(accept_downloads=True), address, ROOT / "examples" / "quartz.expt", {})
    assert b"_diffrn_scan_axis" in data


def test_images_in_an_archive_become_a_file_with_two_answers(
    browser: Any, address: str, images: Path, tmp_path: Path
) -> None:
    path = tmp_path / "visit.tar"
    with tarfile.open(path, "w") as archive:
        for image in sorted(images.rglob("*.cbf"))[:10]:
            archive.add(image, image.name)
    answers = {"To which hour": "3:00", "clockwise": ""}
    data = made(browser.new_page(accept_downloads=True), address, path, answers)
    assert b"image_0010.cbf" in data


def test_a_geometry_becomes_a_file(browser: Any, address: str, tmp_path: Path) -> None:
    path = tmp_path / "detector.geom"
    path.write_text(GEOM)
    data = made(browser.new_page(accept_downloads=True), address, path, {"How far was the detector": "250"})
    assert b"250" in data
