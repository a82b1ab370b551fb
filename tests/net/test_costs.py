"""What each kind of source costs, counted at the server and held against the table of docs/online.md."""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from net.servers import network, serving
from net.test_remote import NAMES, data_over, frames, tarred, zipped
from net.test_rsync import daemon

from imgcif_core.images.isolated import Helper
from imgcif_core.images.local import Address
from imgcif_core.images.pixels import open_images
from imgcif_core.net.evidence import gather
from imgcif_core.net.links import Link
from imgcif_core.net.settings import Loopback

PAGE = Path(__file__).parents[2] / "docs/online.md"
RANDOM = np.random.default_rng(7)
UNITS = {"bytes": 1, "kB": 1000, "MB": 1_000_000}


def table() -> dict[str, tuple[int, int]]:
    """Requests and bytes by kind of source, as the page shows them."""
    text = PAGE.read_text(encoding="utf-8").partition("## Measured")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!source)([^|]+) \| (\d+) \| ([\d.]+) (bytes|kB|MB) \|", text, re.M)
    return {name.strip(): (int(requests), round(float(size) * UNITS[unit])) for name, requests, size, unit in rows}


def held(name: str, requests: int, size: int) -> None:
    """The table tells what was counted: never less, and not much more."""
    shown = table()[name]
    assert requests <= shown[0] and 0.5 * shown[1] < size <= shown[1], (name, requests, size)


@pytest.fixture
def site():
    with serving() as found:
        yield found


def test_every_row_of_the_table_is_counted() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert len(table()) >= 11
    for name in table():
        assert f'held("{name}"' in text or f'"{name}",' in text, name


def test_a_record_and_a_doi(site) -> None:
    names = [f"quartz_{number:04d}.cbf" for number in range(100)]
    files = [
        {"key": name, "size": 6_000_000, "checksum": f"md5:{'0' * 32}", "links": {"self": "x" * 90}} for name in names
    ]
    told = json.dumps({"id": 1, "metadata": {"title": "q"}, "files": files}).encode()
    attributes = {"titles": [{"title": "quartz"}], "url": "https://zenodo.org/records/1", "description": "x" * 2500}
    for path, body in (
        ("/api/records/1", told),
        ("/api/handles/10.5281/zenodo.1", json.dumps({"responseCode": 1, "values": [{"data": "x" * 600}]}).encode()),
        ("/dois/10.5281/zenodo.1", json.dumps({"data": {"attributes": attributes}}).encode()),
    ):
        site.handlers[path] = lambda request, body=body: request.reply(200, body, {"Content-Type": "application/json"})
    loopback = Loopback(dict.fromkeys(("zenodo.org", "doi.org", "api.datacite.org"), site.port))
    links = [Link(f"https://zenodo.org/records/1/files/{name}", "CBF", "", (), 1) for name in names]
    found = gather(network(loopback=loopback), links)
    assert len(found.of("confirmed")) == 100
    held("record of 100 files", len(site.asked), site.sent)
    asked, sent = len(site.asked), site.sent
    gather(network(loopback=loopback), [], ["10.5281/zenodo.1"])
    held("DOI", len(site.asked) - asked, site.sent - sent)


def test_300_single_files(site) -> None:
    site.files |= {f"/{number}.cbf": b"###CBF: VERSION 1.5\n" + bytes(20_000) for number in range(300)}
    links = [Link(site.url(f"/{number}.cbf"), "CBF", "", (), 1) for number in range(300)]
    found = gather(network(), links)
    assert len(found.of("confirmed")) == 3 and len(found.of("not checked")) == 297
    held("300 single files without a record", len(site.asked), site.sent)


def test_a_zip_and_one_of_its_members(site) -> None:
    members = {f"quartz/frame_{number:05d}.cbf": b"x" * 10 for number in range(3599)} | {"y": RANDOM.bytes(100_000)}
    site.files["/a.zip"] = zipped(members, zipfile.ZIP_STORED)
    local = data_over(network())
    try:
        assert len(local.archive(site.url("/a.zip")).listing().members) == 3600
        held("zip of 3,600 members", len(site.asked), site.sent)
        asked, sent = len(site.asked), site.sent
        assert local.open(Address(site.url("/a.zip"), "ZIP", "y")).read(0, 200_000) == members["y"]
        held("one member of it, of 100 kB", len(site.asked) - asked, site.sent - sent)
    finally:
        local.close()


@pytest.mark.parametrize(
    ("row", "size", "mode", "expected"),
    [
        ("tar of 60 members of 100 kB", 100_000, "w", NAMES),
        ("tar of 12 members whose names nobody expects", 100_000, "w", ()),
        ("tar.gz of 4 MB", 66_000, "w:gz", NAMES),
    ],
)
def test_tars(site, row: str, size: int, mode: str, expected) -> None:
    site.files["/a.tar"] = tarred(frames(size, NAMES if expected else NAMES[:12]), mode)
    listing = data_over(network(expected=lambda uri: expected)).archive(site.url("/a.tar")).listing()
    assert len(listing.members) == (60 if expected else 12)
    held(row, len(site.asked), site.sent)


@pytest.mark.skipif(shutil.which("xz") is None, reason="the program xz is not installed")
def test_a_tar_packed_by_xz_in_blocks(site) -> None:
    command = ["xz", "-0", "-T1", "-c", "--block-size=500000"]
    packed = subprocess.run(command, input=tarred(frames(66_000)), capture_output=True, check=True).stdout
    site.files["/a.tar.xz"] = packed
    listing = data_over(network(expected=lambda uri: NAMES)).archive(site.url("/a.tar.xz")).listing()
    assert len(listing.members) == 60
    held("tar.xz of 4 MB in blocks of 500 kB", len(site.asked), site.sent)


def test_hdf5(site, tmp_path: Path) -> None:
    images = RANDOM.integers(0, 60_000, (30, 200, 250), dtype=np.uint16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(50):
            file[f"entry/instrument/value_{number}"] = float(number)
        file.create_dataset(
            "entry/data/data", data=images, chunks=(1, 200, 250), compression="gzip", compression_opts=1
        )
    site.files["/a.h5"] = (tmp_path / "a.h5").read_bytes()
    helper, local = Helper(), data_over(network())
    try:
        source = local.open(Address(site.url("/a.h5")))
        stack = open_images(source, helper, path="/entry/data/data", described=(250, 200), reach=local.reach)
        held("HDF5, headers", len(site.asked), site.sent)
        asked, sent = len(site.asked), site.sent
        for index in (0, 15, 29):
            assert (stack.read(index) == images[index]).all()
        held("HDF5, three frames of 90 kB", len(site.asked) - asked, site.sent - sent)
    finally:
        local.close()
        helper.close()


@pytest.mark.skipif(shutil.which("rsync") is None, reason="the program rsync is not installed")
def test_rsync(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(300):
        (tmp_path / f"data/frame_{number:05d}.cbf").write_bytes(b"1")
    own = network()
    with daemon(tmp_path) as place:
        found = gather(own, [Link(f"{place}/frame_{number:05d}.cbf", "CBF", "", (), 1) for number in range(300)])
        deep = network()
        members = tuple(f"frame_{number:05d}.cbf" for number in range(300))
        (verdict,) = gather(deep, [Link(f"{place}/", "CBF", "", members, 300)]).verdicts.values()
    assert len(found.of("confirmed")) == 300
    assert verdict.because == "the folder is listed, with 300 of 300 members"
    held("rsync, folder of 300 files", own.client.budget.requests, own.client.budget.bytes)
    held("rsync, 300 members below a folder", deep.client.budget.requests, deep.client.budget.bytes)
