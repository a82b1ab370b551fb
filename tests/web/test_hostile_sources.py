"""What comes from outside as a source: bombs, links and names that lead out, markup in all that is shown of it."""

import gzip
import io
import json
import re
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from shared import EXAMPLE

from .conftest import make_client

LONG = "x" * 3000
MARKUP = "<script>alert(1)</script>"
WAIT = {"Prefer": "wait=60"}
GOOD = EXAMPLE.read_bytes()
HEADER = b"""###CBF: VERSION 1.5
data_a
_array_data.header_convention "PILATUS_1.2"
_array_data.header_contents
;
# Detector: <script>alert(1)</script>, S/N 1-0001
# Pixel_size 172e-6 m x 172e-6 m
# Wavelength 1.0000 A
# Detector_distance 0.20000 m
# Beam_xy (243.50, 97.50) pixels
# Start_angle 0.0000 deg.
# Angle_increment 0.5000 deg.
;
_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
X-Binary-Size-Fastest-Dimension: 487
X-Binary-Size-Second-Dimension: 195

"""


def create(client: Any, name: str, data: bytes) -> Any:
    return client.post("/api/v1/create", files=[("inputs", (name, data))], headers=WAIT)


def outside(client: Any) -> set[Path]:
    """What lies beside the folders of jobs."""
    root = client.app.state.service.store.root
    return {path for path in root.parent.rglob("*") if root not in path.parents}


def bomb(start: bytes) -> bytes:
    """A file that begins as it should and has 300 MB of nothing behind it, packed to a thousandth."""
    return gzip.compress(start, 1) + gzip.compress(bytes(30_000_000), 1) * 10


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.expt.gz", b'{"__id__": "ExperimentList", "experiment": '),
        ("a.tif.gz", b"II*\0\x08\0\0\0"),
    ],
)
def test_a_packed_bomb_is_refused_as_a_source(client: Any, name: str, start: bytes) -> None:
    answer = create(client, name, bomb(start))
    assert answer.status_code == 422
    assert re.search("expands|memory|cut off|directory|cannot be read", answer.json()["detail"]), answer.text
    assert client.get("/healthz").status_code == 200


def test_of_a_packed_image_only_the_head_is_read(client: Any) -> None:
    answer = create(client, "a.cbf.gz", bomb(HEADER))
    assert answer.status_code == 200, answer.text
    assert answer.json()["needed"] >= 1


def test_of_members_that_expand_only_heads_are_read(client: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            head = HEADER.replace(b"Start_angle 0.0", b"Start_angle %.1f" % (number / 2))
            archive.writestr(f"a_{number:04d}.cbf", head + bytes(60_000_000))
    began = time.monotonic()
    answer = create(client, "a.zip", packed.getvalue())
    assert answer.status_code == 200, answer.text
    assert ["Frames", "3"] in answer.json()["known"]
    assert time.monotonic() - began < 30


def test_members_that_lead_out_are_written_nowhere(client: Any, tmp_path: Path) -> None:
    before, beside = outside(client), tmp_path / "evil_0002.cbf"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("../../../evil_0001.cbf", str(beside), "in/../../evil_0003.cbf"):
            entry = tarfile.TarInfo(name)
            entry.size = len(HEADER)
            archive.addfile(entry, io.BytesIO(HEADER))
        link = tarfile.TarInfo("passwd.cbf")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    answer = create(client, "a.tar", packed.getvalue())
    assert answer.status_code == 422
    assert "root:" not in answer.text
    assert outside(client) == before
    assert not beside.exists()


def test_an_external_link_of_a_master_leads_nowhere(client: Any, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = list(range(10))
    with h5py.File(tmp_path / "a_master.h5", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        file["entry/data"] = h5py.ExternalLink(str(secret), "/data")
    answer = create(client, "a_master.h5", (tmp_path / "a_master.h5").read_bytes())
    assert answer.status_code == 422
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize(
    "name", ["dxtbx:/etc/passwd", "dxtbx:a.py", "/etc/passwd", "../../../../etc/passwd", "a" * 256, ".", "-o"]
)
def test_a_name_of_a_source_is_a_label(client: Any, name: str) -> None:
    before = outside(client)
    answer = create(client, name, b"import os\n")
    assert answer.status_code in (400, 422)
    assert "root:" not in answer.text
    assert outside(client) == before


def test_an_experiment_list_reaches_no_other_file(client: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret_0001.cbf"
    secret.write_bytes(HEADER)
    text = {
        "__id__": "ExperimentList",
        "experiment": [{"__id__": "Experiment", "imageset": 0}],
        "imageset": [{"__id__": "ImageSequence", "template": str(tmp_path / "secret_####.cbf"), "mask": "/etc/passwd"}],
        "beam": [],
        "detector": [],
        "goniometer": [],
        "scan": [],
    }
    answer = create(client, "a.expt", json.dumps(text).encode())
    assert answer.status_code in (200, 422)
    assert "alert(1)" not in answer.text


def test_markup_of_sources_is_text_on_the_pages_of_a_creation(client: Any) -> None:
    answer = client.post("/create", files=[("inputs", (f"{MARKUP}.cbf", HEADER))])
    place = answer.headers["location"]
    client.get(f"/api/v1{place}")
    form = {"answer.principal_axis": MARKUP, "first_url": f"https://example.org/{MARKUP}", "answer.doi": MARKUP}
    client.post(place, data=form)
    while "http-equiv" in (text := client.get(place).text):
        pass
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


def test_markup_is_text_in_comparisons_and_instruments(client: Any) -> None:
    data = GOOD.replace(b"omega", b'"<script>alert(1)</script>"')
    files = [("file", (f"{MARKUP}.cif", data)), ("against", (f"{MARKUP}.cif", GOOD))]
    place = client.post("/compare", files=files).headers["location"]
    while "http-equiv" in (text := client.get(place).text):
        pass
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    job = place.rpartition("/")[2]
    assert "<script>alert" not in client.get(f"/r/{job}").text
    report = client.post("/", files={"file": ("a.cif", data)}).headers["location"]
    while "http-equiv" in client.get(report).text:
        pass
    text = client.get(f"{report}/instrument").text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


def test_names_of_thousands_of_characters_are_cut(client: Any) -> None:
    data = GOOD.replace(b"omega", LONG.encode()).replace(b"data_quartz", f"data_{LONG}".encode())
    answer = client.post(
        "/api/v1/check",
        content=data + f"_{LONG}.{LONG} 1\n".encode(),
        headers={**WAIT, "Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200
    job = answer.headers["location"].rpartition("/")[2]
    for rest in ("", "/source", "/instrument", "/fix", "/report.html?show=1"):
        page = client.get(f"/r/{job}{rest}")
        assert page.status_code == 200, rest
        assert len(page.content) < 1_500_000, rest
    assert client.post("/", files={"file": (LONG, b"data_x\n")}).status_code == 400
    files = [("file", ("a.cif", data)), ("against", ("b.cif", GOOD))]
    assert client.post("/api/v1/compare", files=files, headers=WAIT).status_code == 200


def test_a_source_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    with make_client(tmp_path, {"sources_bytes": 1000, "sources_files": 3}) as made:
        assert create(made, "a.cbf", b"x" * 1001).status_code == 413
        files = [("inputs", (f"{number}.cbf", b"x")) for number in range(4)]
        assert made.post("/api/v1/create", files=files, headers=WAIT).status_code == 413
        index = {
            "schema": "imgcif-heads/1",
            "packing": "gzip",
            "files": [{"name": "a.cbf", "size": 5000, "pieces": [[0, 5000]]}],
        }
        files = [("heads", ("h.json", json.dumps(index).encode())), ("pieces", ("p", gzip.compress(bytes(5000))))]
        answer = made.post("/api/v1/create", files=files, headers=WAIT)
        assert answer.status_code == 422
        assert "heads have more than" in answer.json()["detail"]
        folders = [path for path in made.app.state.service.store.root.iterdir() if path.is_dir()]
        assert len(folders) <= 1
