"""Archives are listed and unpacked where neither their memory nor their room can grow without end."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from imgcif_core.images.archives import open_archive
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.local import Address, LocalData
from imgcif_core.images.unpacking import IsolatedArchive

ROOT = Path(__file__).parent.parent.parent


def tar_of(path: Path, names: list[str], mode: str = "w:gz", size: int = 64) -> Path:
    with tarfile.open(path, mode) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(name.encode("utf-8", "surrogateescape")[:8].ljust(size, b".")))
    return path


def test_members_come_as_they_would_here(tmp_path: Path) -> None:
    """Names that are no UTF-8 and no text too; more members than one answer holds."""
    names = [f"d/{number:03d}.cbf" for number in range(30)] + ["ä.cbf", "\udcff.cbf"]
    path = tar_of(tmp_path / "a.tar.gz", names)
    own = open_archive(FileBytes(path), Limits())
    local = LocalData(maps={"x": str(path)})
    try:
        apart = local.archive("x")
        assert isinstance(apart, IsolatedArchive)
        assert apart.listing().members == own.listing().members
        assert apart.format == own.format == "TGZ"
        wanted = [*names[::-1], "absent"]
        found = dict(apart.fetch(wanted, local.workspace))
        assert set(found) == set(wanted)
        assert isinstance(found["absent"], BytesError)
        for name in names:
            assert found[name].read(0, 8) == name.encode("utf-8", "surrogateescape")[:8].ljust(8, b".")
        assert local.open(Address("x", "TGZ", "ä.cbf")).read(0, 2) == "ä".encode()
    finally:
        local.close()


def test_chain_of_headers_is_damage(tmp_path: Path) -> None:
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, 512
    block = head.tobuf() + b"x" * 512
    (tmp_path / "a.tar").write_bytes(block * 5000)
    with pytest.raises(BytesError, match="damaged"):
        found = open_archive(FileBytes(tmp_path / "a.tar"), Limits()).listing()
        raise found.fault or AssertionError


def test_long_names_stay_within_memory(tmp_path: Path) -> None:
    """Two megabytes of archive with gigabytes of names."""
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT, compresslevel=1) as archive:
        for number in range(300):
            archive.addfile(tarfile.TarInfo(f"{number}" + "n" * 1_000_000))
    helper = Helper(memory=256 << 20)
    try:
        found = IsolatedArchive(FileBytes(path), helper, Limits()).listing()
        assert not found.is_complete
    except BytesError as fault:
        assert fault.kind in ("limit", "damaged", "crashed")
    finally:
        helper.close()


def test_room_for_members_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.cbf", bytes(1 << 20))
    local = LocalData(maps={"x": str(path)}, limits=Limits(disk=3 << 20))
    try:
        found = dict(local.archive("x").fetch([f"{number}.cbf" for number in range(6)], local.workspace))
        refused = [entry for entry in found.values() if isinstance(entry, BytesError)]
        assert len(refused) == 3
        assert all(entry.kind == "limit" for entry in refused)
    finally:
        local.close()


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or os.name == "nt", reason="no such signal")
def test_temporary_files_go_when_the_process_is_asked_to_end(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom imgcif_core import cli\nfrom imgcif_core.images.workspace import Workspace\n"
        "cli._end_in_order()\nspace = Workspace()\nprint(space.folder, flush=True)\ntime.sleep(60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.is_dir()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM
    for _ in range(50):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not folder.exists()
