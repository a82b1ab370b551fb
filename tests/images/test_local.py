"""From a URI to bytes on this machine."""

import gzip
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tar_entries import tar_entry

from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.local import Address, LocalData


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.cbf", "deep/files/a.cbf", "zenodo.org/records/1/files/a.cbf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def text(local: LocalData, uri: str) -> str:
    source = local.open(Address(uri))
    return source.read(0, source.size).decode()


def test_the_longest_tail_of_a_uri_is_taken(tree: Path) -> None:
    local = LocalData(local=tree)
    assert text(local, "https://zenodo.org/records/1/files/a.cbf?download=1") == "zenodo.org/records/1/files/a.cbf"
    assert text(local, "https://zenodo.org/deep/files/a.cbf/content") == "deep/files/a.cbf"
    assert text(local, "https://elsewhere.org/x/a.cbf") == "a.cbf"
    assert local.stand_in("https://elsewhere.org/x/b.cbf") is None


def test_a_map_names_one_uri_or_all_below_a_slash(tree: Path) -> None:
    maps = {"https://x.org/1": str(tree / "a.cbf"), "rsync://y.org/set/": str(tree / "deep")}
    local = LocalData(maps=maps)
    assert text(local, "https://x.org/1") == "a.cbf"
    assert text(local, "rsync://y.org/set/files/a.cbf") == "deep/files/a.cbf"
    assert local.stand_in("rsync://y.org/set/../a.cbf") is None


def test_relative_references_lead_below_the_folder_of_the_document(tree: Path) -> None:
    local = LocalData(base=tree / "deep")
    assert text(local, "files/a.cbf") == "deep/files/a.cbf"
    for uri in ("../a.cbf", str(tree / "a.cbf"), f"file://{tree}/a.cbf", "//files/a.cbf", "files/%2e%2e/%2e%2e/a.cbf"):
        assert local.stand_in(uri) is None, uri


def test_nothing_is_found_without_a_folder(tree: Path, monkeypatch) -> None:
    monkeypatch.chdir(tree)
    with pytest.raises(BytesError, match="no local copy"):
        LocalData().open(Address("a.cbf"))


def test_a_member_is_opened_and_its_folder_removed(make_tar, tmp_path: Path) -> None:
    make_tar("w:gz", tar_entry("s/a.cbf", b"image"), tar_entry("s/b.cbf.gz", gzip.compress(b"packed")))
    local = LocalData(local=tmp_path)
    plain = local.open(Address("https://x.org/archive.tar.gz", "TGZ", "s/a.cbf"))
    packed = local.open(Address("https://x.org/archive.tar.gz", "TGZ", "s/b.cbf.gz"))
    assert plain.read(0, 99) == b"image"
    assert packed.read(0, 99) == b"packed"
    folder = local.workspace.folder
    local.close()
    assert not folder.exists()


def test_several_members_cost_one_pass(make_tar, tmp_path: Path) -> None:
    names = [f"{number}.cbf" for number in range(100)]
    make_tar("w:gz", *(tar_entry(name, name.encode()) for name in names))
    local = LocalData(local=tmp_path)
    addresses = [Address("https://x.org/archive.tar.gz", "TGZ", name) for name in names]
    found = {address.archive_path: source.read(0, 99) for address, source in local.open_all(addresses)}
    assert found == {name: name.encode() for name in names}
    assert len(list(local.workspace.folder.iterdir())) <= 64
    local.close()


def test_a_file_beside_another_stays_in_its_folder() -> None:
    member = Address("https://x.org/a.zip", "ZIP", "run/x_master.h5")
    assert member.beside("x_data_1.h5") == Address("https://x.org/a.zip", "ZIP", "run/x_data_1.h5")
    assert Address("https://x.org/s/m.h5").beside("d.h5") == Address("https://x.org/s/d.h5")
    for name in ("../../x.h5", "/etc/passwd", "a/../../x"):
        assert member.beside(name) is None


def test_a_bomb_in_a_packed_file_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.cbf.gz").write_bytes(gzip.compress(bytes(30_000_000)))
    local = LocalData(local=tmp_path, limits=replace(Limits(), free_bytes=1 << 20, ratio=20))
    with pytest.raises(BytesError, match="expands to more than") as caught:
        local.open(Address("https://x.org/a.cbf.gz"))
    assert caught.value.kind == "limit"
    assert list(local.workspace.folder.iterdir()) == []
    local.close()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.cbf.gz").write_bytes(gzip.compress(bytes(3_000)))
    local = LocalData(local=tmp_path)

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imgcif_core.images.workspace.shutil.copyfileobj", refuse)
    with pytest.raises(BytesError, match="No space left"):
        local.open(Address("https://x.org/a.cbf.gz"))
    assert list(local.workspace.folder.iterdir()) == []
    local.close()


class Server:
    """A source of ranges that is no file, and counts what it is asked for."""

    path = None

    def __init__(self, data: bytes) -> None:
        self.label, self.size, self.sent, self._data = "https://x.org/a.zip", len(data), 0, data

    def read(self, start: int, length: int) -> bytes:
        found = self._data[start : start + length]
        self.sent += len(found)
        return found

    def close(self) -> None:
        pass


def test_a_source_of_ranges_serves_single_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(50):
            archive.writestr(f"{number}.cbf", bytes([number]) * 2_000_000)
    server = Server((tmp_path / "a.zip").read_bytes())
    local = LocalData(resolvers=[lambda uri: server if uri == server.label else None])
    assert len(local.archive(server.label).listing().members) == 50
    listed = server.sent
    source = local.open(Address(server.label, "ZIP", "7.cbf"))
    assert source.read(0, 3) == b"\x07\x07\x07"
    # The directory at the end, then the member, each with a buffer to spare: not the whole 100 MB.
    assert listed < 3_000_000
    assert server.sent < 8_000_000
    local.close()
