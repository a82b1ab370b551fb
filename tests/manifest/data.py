"""A small description of quartz, its archive, and a repository on loopback that holds it."""

import bz2
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

from net.servers import Site, settings

from imgcif_core import api
from imgcif_core.manifest.collect import manifest_of
from imgcif_core.manifest.looking import Looking
from imgcif_core.net.settings import Loopback

QUARTZ = Path(__file__).parents[2] / "conformance/datasets/ext/EXT018-uri-not-reachable/pass-published.cif"
ARCHIVE = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"
NAMES = [f"quartz_01/quartz_{number:05d}.cbf" for number in range(1, 7)]


def archive(other: dict[str, bytes] | None = None, *, without: str = "") -> bytes:
    """The archive of six small members; some may be others, or none."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in NAMES:
            data = (other or {}).get(name, b"###CBF: VERSION 1.5\n" + name.encode() * 40)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name != without and not (other and name not in other):
                tar.addfile(info, io.BytesIO(data))
    return bz2.compress(stream.getvalue())


def text_with(old: str, new: str) -> bytes:
    text = QUARTZ.read_text()
    assert old in text
    return text.replace(old, new, 1).encode()


def write_quartz(folder: Path, data: bytes | None = None) -> None:
    """The description, and a folder of downloads with its archive."""
    (folder / "quartz.cif").write_bytes(QUARTZ.read_bytes())
    (folder / "downloads").mkdir(exist_ok=True)
    (folder / "downloads" / "quartz_01.tar.bz2").write_bytes(archive() if data is None else data)


def record(site: Site, data: bytes, **more) -> None:
    """The record of the archive, as Zenodo answers."""
    told = {
        "id": 7654321,
        "doi": "10.5281/zenodo.7654321",
        "metadata": {"title": "quartz", "access_right": "open", "license": {"id": "cc-by-4.0"}} | more,
        "files": [{"key": "quartz_01.tar.bz2", "size": len(data), "checksum": f"md5:{hashlib.md5(data).hexdigest()}"}],
    }
    body = json.dumps(told).encode()
    site.handlers["/api/records/7654321"] = lambda request: request.reply(
        200, body, {"Content-Type": "application/json"}
    )


def looking_at(site: Site, looking: Looking | None = None) -> Looking:
    """The same look with the network of a loopback server in place of Zenodo."""
    ports = dict.fromkeys(("zenodo.org", "doi.org", "api.datacite.org"), site.port)
    return replace(looking or Looking(), online=settings(loopback=Loopback(ports)))


def look(data: bytes, looking: Looking, site: Site | None = None) -> dict:
    if site is not None:
        looking = looking_at(site, looking)
    return manifest_of(api.read(data, name="quartz.cif"), api.load_dictionary(), looking)
