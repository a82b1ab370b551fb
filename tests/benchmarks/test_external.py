"""External data: the member list of a large archive, and a million links judged.

The list is compared with the reading of all headers by `tarfile`; the links with a bare `gemmi.cif.read` of
the same file, both as processes, in the benchmark of the whole check.
"""

import io
import re
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.images.archives import open_archive
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.limits import Limits

HERE = Path(__file__).parent
MEMBERS = 20_000
MEMBER = re.compile(rb"CBF (\S+)/quartz_01\.tar\.bz2 TBZ quartz_01/(\S+)")


@pytest.fixture(scope="module")
def large_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "large.tar.gz"
    noise = np.random.default_rng(4).integers(0, 256, 4096, dtype=np.uint8).tobytes()
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(MEMBERS):
            info = tarfile.TarInfo(f"quartz_01/quartz_{number:05d}.cbf")
            info.size = len(noise)
            archive.addfile(info, io.BytesIO(noise))
    return path


@pytest.mark.parametrize("reader", ["tarfile", "listing"])
def test_member_list(benchmark, large_archive: Path, reader: str) -> None:
    def by_tarfile() -> int:
        with tarfile.open(large_archive) as archive:
            return len(archive.getnames())

    def by_listing() -> int:
        listing = open_archive(FileBytes(large_archive), Limits()).listing()
        assert listing.is_complete
        return len(listing.members)

    benchmark.group = f"member list of {MEMBERS} files in a tar.gz"
    assert benchmark.pedantic(by_tarfile if reader == "tarfile" else by_listing, rounds=5, warmup_rounds=1) == MEMBERS


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A hundred thousand links: to members of one archive, and to single files."""
    import subprocess

    path = tmp_path_factory.mktemp("links") / "links.cif"
    subprocess.run([sys.executable, HERE / "make_large.py", "100000", "-o", path], check=True)
    members = path.read_bytes()
    return {"members": members, "files": MEMBER.sub(rb"CBF \1/\2 . .", members)}


@pytest.mark.parametrize("kind", ["members", "files"])
@pytest.mark.parametrize("families", ["without EXT", "with EXT"])
def test_rules_about_links(benchmark, texts: dict[str, bytes], kind: str, families: str) -> None:
    options = CheckOptions(ignore=("EXT",) if families == "without EXT" else ())

    def fresh() -> tuple[tuple, dict]:
        return (imgcif_core.read(texts[kind], name="x.cif"),), {}

    def judge(document: object) -> None:
        imgcif_core.check_document(document, options=options)

    benchmark.group = f"100000 links to {kind}"
    benchmark.pedantic(judge, setup=fresh, rounds=7, warmup_rounds=1)
