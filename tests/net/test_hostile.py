"""Servers, caches and clocks that do not behave, beside those of the other modules; the page tells all outcomes."""

import errno
import os
import re
import time
from pathlib import Path

import pytest
from net.servers import FakeTime, client, network, serving
from net.test_remote import NAMES, RANDOM, data_over, frames, tarred, zipped

from imgcif_core.images.limits import BytesError
from imgcif_core.net import cache as cache_module
from imgcif_core.net.evidence import gather
from imgcif_core.net.http import Asked, _retry_after
from imgcif_core.net.links import Link

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/online.md"
DATA = RANDOM.bytes(100_000)


@pytest.fixture
def site():
    with serving() as found:
        yield found


def rows() -> list[tuple[str, str, str]]:
    """Server, outcome and tests, as the page tells them."""
    text = PAGE.read_text(encoding="utf-8").partition("## Servers that do not behave")[2].partition("\n## ")[0]
    return re.findall(r"^\| (?!server|-)([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.M)


def test_the_tests_that_the_page_names_are_there() -> None:
    assert len(rows()) >= 25
    for server, _, names in rows():
        for name in re.findall(r"`(test_\w+)`", names):
            assert any(f"def {name}(" in path.read_text("utf-8") for path in HERE.glob("test_*.py")), (server, name)
        assert "`test_" in names, server


def dying(site, path: str, data: bytes, after: int) -> None:
    """A file whose server ends every connection after some answers."""

    def answer(request) -> None:
        if len(site.asked) <= after:
            request.serve(data)
        else:
            request.close_connection = True

    site.handlers[path] = answer


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_server_that_dies_in_the_middle_blames_nobody(site, after: int) -> None:
    dying(site, "/a.tar", tarred(frames(50_000)), after)
    own = network(expected=lambda uri: NAMES)
    listing = data_over(own).archive(site.url("/a.tar")).listing if after else None
    if listing is None:
        (verdict,) = gather(own, [Link(site.url("/a.tar"), "CBF", "TAR", (), 1)]).verdicts.values()
        assert verdict.state == "not checked"
        return
    found = listing()
    assert found.fault is not None and found.fault.is_unasked
    assert len(found.members) < len(NAMES), "what was not seen is not there, and nobody says that it is missing"


def test_a_server_that_dies_within_a_body_blames_nobody(site) -> None:
    def answer(request) -> None:
        request.send_response(206)
        request.send_header("Content-Range", f"bytes 0-4095/{len(DATA)}")
        request.send_header("Content-Length", "4096")
        request.end_headers()
        request.wfile.write(DATA[:1000])
        request.close_connection = True

    site.handlers["/a"] = answer
    (verdict,) = gather(network(), [Link(site.url("/a"), "CBF", "", (), 1)]).verdicts.values()
    assert verdict.state == "not checked" and len(site.asked) == 3


def read_twice(site, folder: Path) -> int:
    """How many requests a file costs that is read in two runs."""
    site.files["/a"] = DATA
    for _ in range(2):
        own = network(cache=folder)
        assert own.resolve(site.url("/a")).read(0, len(DATA)) == DATA
        own.close()
    return len(site.asked)


def test_a_cache_that_is_full_does_no_harm(site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        path.with_name(f".{path.name}.1").write_bytes(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache_module, "_write", full)
    assert read_twice(site, tmp_path) == 4
    assert list(tmp_path.rglob("*")) == [], "what was begun is removed"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system at hand that nobody can write to")
def test_a_cache_that_is_read_only_does_no_harm(site) -> None:
    assert read_twice(site, Path("/proc/self/imgcif")) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"url": 1}', '{"time": "x"}', "[" * 50_000])
def test_a_cache_whose_facts_are_broken_does_no_harm(site, tmp_path: Path, text: str) -> None:
    assert read_twice(site, tmp_path) == 2
    for path in tmp_path.rglob("facts.json"):
        path.write_text(text)
    assert read_twice(site, tmp_path) == 4


def test_parts_of_another_length_are_asked_for_again(site, tmp_path: Path) -> None:
    read_twice(site, tmp_path)
    for path in tmp_path.rglob("*-*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert read_twice(site, tmp_path) > 2


@pytest.mark.parametrize("now", [0.0, 4_102_444_800.0])
def test_a_clock_that_is_wrong_does_no_harm(site, tmp_path: Path, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses go by a clock that never goes back; what is kept under a wrong date is not taken later."""
    assert read_twice(site, tmp_path) == 2
    monkeypatch.setattr(time, "time", lambda: now)
    assert read_twice(site, tmp_path) == 4
    monkeypatch.undo()
    read_twice(site, tmp_path)
    assert len(site.asked) in (4, 6)


@pytest.mark.parametrize(
    "text", ["Fri, 31 Dec 2100 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "never", "-5", "1e9"]
)
def test_a_date_to_come_back_at_never_holds_the_run(site, text: str) -> None:
    assert _retry_after(text, 2.0) >= 0.0
    times = FakeTime()
    site.handlers["/a"] = lambda request: request.reply(503, b"", {"Retry-After": text})
    with pytest.raises(BytesError, match="503"):
        client(times).ask(Asked(site.url("/a"), 10, 0))
    assert sum(times.slept) < 10.0


def test_a_whole_file_in_place_of_a_part_is_not_read_to_its_end(site) -> None:
    site.has_ranges = False
    site.files["/a.zip"] = zipped({"a": RANDOM.bytes(2_000_000)})
    own = network(stream=100_000)
    with pytest.raises(BytesError) as fault:
        data_over(own).archive(site.url("/a.zip"))
    assert fault.value.is_unasked and own.client.budget.bytes <= 200_000


def test_a_login_page_in_place_of_an_archive_is_a_contradiction(site) -> None:
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    site.handlers["/a.zip"] = lambda request: request.reply(200, page, {"Content-Type": "text/html"})
    (verdict,) = gather(network(), [Link(site.url("/a.zip"), "CBF", "ZIP", (), 1)]).verdicts.values()
    assert verdict.state == "contradicted" and "page for people" in verdict.because


def test_texts_of_servers_stay_on_one_line(site) -> None:
    site.handlers["/a"] = lambda request: request.reply(206, b"x" * 10, {"Content-Range": "bytes \x1b[2J" + "y" * 500})
    (verdict,) = gather(network(), [Link(site.url("/a"), "CBF", "", (), 1)]).verdicts.values()
    assert verdict.because.isprintable() and len(verdict.because) < 300


@pytest.mark.parametrize(
    ("stated", "data", "state"),
    [
        ("HDF5", b"###CBF: VERSION 1.5\n" * 9, "contradicted"),
        ("CBF", b"\x89HDF\r\n\x1a\n" + bytes(600), "contradicted"),
        ("CBF", b"II*\0" + bytes(600), "contradicted"),
        ("CBF", b"###CBF: VERSION 1.5\n" * 9, "confirmed"),
        ("CBF", b"\x1f\x8b\x08" + bytes(600), "confirmed"),
        ("SMV", b"II*\0" + bytes(600), "confirmed"),
    ],
)
def test_a_file_of_another_kind_than_stated_is_told(site, stated: str, data: bytes, state: str) -> None:
    site.files["/a"] = data
    (verdict,) = gather(network(), [Link(site.url("/a"), stated, "", (), 1)]).verdicts.values()
    assert verdict.state == state, verdict
