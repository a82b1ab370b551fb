"""Archives that somebody else made, friendly ones and hostile ones."""

import bz2
import gzip
import lzma
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from tar_entries import tar_entry

from imgcif_core.images.archives import Archive, FolderArchive, open_archive
from imgcif_core.images.bytes import FileBytes, MemoryBytes
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.members import danger_of
from imgcif_core.images.workspace import Workspace

TARS = {"w": "TAR", "w:gz": "TGZ", "w:bz2": "TBZ", "w:xz": "TXZ"}
IMAGES = {f"s/{name}.cbf": name.encode() * 3000 for name in ("one", "two", "three")}
SMALL = replace(Limits(), free_bytes=1 << 20, ratio=20)


def opened(path: Path, limits: Limits = SMALL) -> Archive:
    return open_archive(FileBytes(path), limits)


def fetched(archive: Archive, *names: str) -> dict[str, bytes | BytesError]:
    """The bytes of members, read before the workspace goes."""
    workspace = Workspace()
    found = {}
    for name, source in archive.fetch(names, workspace):
        found[name] = source if isinstance(source, BytesError) else source.read(0, source.size)
    workspace.close()
    return found


@pytest.fixture(params=[*TARS, "zip", "folder"])
def friendly(request, make_tar, make_zip, tmp_path: Path) -> Archive:
    if request.param == "zip":
        return opened(make_zip(*IMAGES.items()))
    if request.param == "folder":
        (tmp_path / "s").mkdir()
        for name, data in IMAGES.items():
            (tmp_path / name).write_bytes(data)
        return FolderArchive(tmp_path, SMALL)
    return opened(make_tar(request.param, *(tar_entry(name, data) for name, data in IMAGES.items())))


def test_members_are_listed_with_their_sizes(friendly: Archive) -> None:
    listing = friendly.listing()
    assert listing.is_complete
    files = {member.name: member.size for member in listing.members if member.kind == "file"}
    assert files == {name: len(data) for name, data in IMAGES.items()}
    assert listing.find("./s/two.cbf") == listing.find("s/two.cbf") is not None


def test_members_come_as_they_are_and_absent_ones_are_named(friendly: Archive) -> None:
    found = fetched(friendly, "s/three.cbf", "s/one.cbf", "s/four.cbf")
    assert found["s/three.cbf"] == IMAGES["s/three.cbf"]
    assert found["s/one.cbf"] == IMAGES["s/one.cbf"]
    assert isinstance(found["s/four.cbf"], BytesError)
    assert found["s/four.cbf"].kind == "missing"


@pytest.mark.parametrize(("mode", "format"), TARS.items())
def test_the_kind_of_an_archive_is_told_by_its_bytes(make_tar, mode: str, format: str) -> None:
    assert opened(make_tar(mode, tar_entry("a", b"a"))).format == format


def test_the_workspace_is_made_late_and_removed_with_all_files(make_tar) -> None:
    archive = opened(make_tar("w:gz", tar_entry("../../evil.cbf", b"x" * 10)))
    workspace = Workspace()
    archive.listing()
    assert workspace._folder is None
    ((_, source),) = archive.fetch(["../../evil.cbf"], workspace)
    folder = workspace.folder
    assert source.path.parent == folder
    assert [path.name for path in folder.iterdir()] == ["000001.cbf"]
    workspace.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["../up.cbf", "a/../../up.cbf", "/etc/passwd", "\\\\host\\x", "C:\\x.cbf", "a\\..\\b", "a\0b"]
)
def test_names_that_lead_outside_are_told(name: str) -> None:
    assert danger_of(name)


@pytest.mark.parametrize("name", ["a/b.cbf", "./a.cbf", "a..b/c.cbf", "...cbf", "C_1.cbf"])
def test_other_names_are_harmless(name: str) -> None:
    assert danger_of(name) is None


@pytest.mark.parametrize(
    ("kind", "target"),
    [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../x"), (tarfile.CHRTYPE, ""), (tarfile.FIFOTYPE, "")],
)
def test_links_and_devices_of_tar_are_no_files(make_tar, kind: bytes, target: str) -> None:
    archive = opened(make_tar("w", tar_entry("x.cbf", kind=kind, target=target)))
    found = fetched(archive, "x.cbf")["x.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "unsafe"
    assert archive.listing().members[0].kind in ("link", "device")


def test_links_in_zip_are_no_files(make_zip) -> None:
    info = zipfile.ZipInfo("x.cbf")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    found = fetched(opened(make_zip((info, b"/etc/passwd"))), "x.cbf")["x.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "unsafe"


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "x.cbf").symlink_to(tmp_path / "secret")
    archive = FolderArchive(folder, SMALL)
    assert archive.listing().members[0].kind == "link"
    for name in ("x.cbf", "../secret", str(tmp_path / "secret")):
        found = fetched(archive, name)[name]
        assert isinstance(found, BytesError)
        assert found.kind == "unsafe"


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_bomb_in_a_tar_stops_at_the_ratio(make_tar, mode: str) -> None:
    # 40 MB of zeros: far below 1/20 of it when packed, and above the free 1 MiB.
    archive = opened(make_tar(mode, tar_entry("zeros.cbf", bytes(40_000_000)), tar_entry("last.cbf", b"x")))
    listing = archive.listing()
    assert listing.fault is not None
    assert listing.fault.kind == "limit"
    assert "expands to more than" in str(listing.fault)
    assert [member.name for member in listing.members] == ["zeros.cbf"]
    found = fetched(archive, "last.cbf")["last.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "limit"


def test_a_bomb_in_a_zip_stops_before_it_is_unpacked(make_zip) -> None:
    archive = opened(make_zip(("zeros.cbf", bytes(40_000_000))))
    assert archive.listing().is_complete
    found = fetched(archive, "zeros.cbf")["zeros.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "limit"


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_states(make_zip) -> None:
    path = make_zip(("x.cbf", b"x" * 5000))
    data = path.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 100))
    path.write_bytes(data)
    found = fetched(opened(path), "x.cbf")["x.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "damaged"


def test_the_number_of_members_is_bounded(make_tar, make_zip) -> None:
    few = replace(SMALL, members=5)
    names = [f"{number}.cbf" for number in range(7)]
    for path in (make_tar("w:gz", *(tar_entry(name) for name in names)), make_zip(*((name, b"") for name in names))):
        listing = opened(path, few).listing()
        assert listing.fault is not None
        assert "more than 5 members" in str(listing.fault)


def test_a_long_name_of_tar_is_bounded(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    path = tmp_path / "long.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    fault = opened(path).listing().fault
    assert fault is not None
    assert "a header of 8589934592 bytes" in str(fault)


def test_a_zip_directory_of_hostile_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(3000) + struct.pack("<4s4HIIH", b"PK\x05\x06", 0, 0, 1, 1, 2000, 1000, 0))
    fault = opened(path, replace(SMALL, directory_bytes=1000)).listing().fault
    assert fault is not None
    assert fault.kind == "limit"


@pytest.mark.parametrize("mode", list(TARS))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_tar_tells_how_far_it_is_good(make_tar, mode: str, share: float) -> None:
    noise = random.Random(4).randbytes(60_000)
    path = make_tar(mode, *(tar_entry(f"{number}.cbf", noise) for number in range(20)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    listing = opened(path).listing()
    assert listing.fault is not None
    assert listing.fault.kind == "damaged"
    assert 0 <= len(listing.members) < 20


def test_a_broken_header_inside_a_tar_is_no_quiet_end(make_tar) -> None:
    path = make_tar("w", *(tar_entry(f"{number}.cbf", b"x" * 512) for number in range(5)))
    data = bytearray(path.read_bytes())
    data[2 * 1024 + 148 : 2 * 1024 + 156] = b"00000000"
    path.write_bytes(data)
    listing = opened(path).listing()
    assert listing.fault is not None
    assert "damaged after 2 members" in str(listing.fault)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_zip_is_damaged(make_zip, share: float) -> None:
    path = make_zip(("a.cbf", b"abc" * 5000), ("b.cbf", b"xyz"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    fault = opened(path).listing().fault
    assert fault is not None
    assert fault.kind == "damaged"


def test_a_flipped_bit_in_a_member_is_found(make_zip, make_tar) -> None:
    for path in (make_zip(("a.cbf", b"abc" * 5000)), make_tar("w:gz", tar_entry("a.cbf", b"abc" * 5000))):
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 0x10
        path.write_bytes(data)
        archive = opened(path)
        listing, found = archive.listing(), fetched(archive, "a.cbf")["a.cbf"]
        assert listing.fault or isinstance(found, BytesError)


def test_a_file_that_changes_while_it_is_listed_is_told(make_tar, monkeypatch) -> None:
    path = make_tar("w:gz", *(tar_entry(f"{number}.cbf", bytes([number]) * 700) for number in range(9)))
    source = FileBytes(path)
    archive = open_archive(source, SMALL)
    path.write_bytes(path.read_bytes() + b"\0" * 10)
    fault = archive.listing().fault
    assert fault is not None
    assert fault.kind == "changed"


@pytest.mark.parametrize("data", [b"", b"x" * 2000, b"<html>not found</html>" * 50, b"\x1f\x8b" + b"x" * 600])
def test_what_is_no_archive_is_damaged(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    try:
        fault = opened(path).listing().fault
    except BytesError as error:
        fault = error
    assert fault is not None
    assert fault.kind == "damaged"


def test_an_xz_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(bytes(10240), filters=filters))
    assert opened(path).listing().fault is not None


def test_several_packed_streams_in_a_row_are_one(make_tar, tmp_path: Path) -> None:
    plain = make_tar("w", *(tar_entry(name, data) for name, data in IMAGES.items())).read_bytes()
    for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
        path = tmp_path / f"parts.{name}"
        path.write_bytes(pack(plain[:2000]) + pack(plain[2000:]) + bytes(100))
        listing = opened(path).listing()
        assert listing.fault is None
        assert len(listing.members) == 3


def test_an_encrypted_member_is_told(make_zip) -> None:
    path = make_zip(("a.cbf", b"abc"), method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    path.write_bytes(data)
    found = fetched(opened(path), "a.cbf")["a.cbf"]
    assert isinstance(found, BytesError)
    assert found.kind == "unsupported"


def test_the_listing_agrees_with_zlib_on_a_large_stream(make_tar) -> None:
    noise = zlib.compress(bytes(range(256)) * 400)
    path = make_tar("w:gz", *(tar_entry(f"{number}.cbf", noise * (number % 7)) for number in range(300)))
    with tarfile.open(path) as peer:
        expected = [(info.name, info.size) for info in peer]
    assert [(member.name, member.size) for member in opened(path).listing().members] == expected


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A copy with some bytes changed, cut, put in or taken out."""
    copy = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place = rng.randrange(max(len(copy), 1))
        kind = rng.random()
        if kind < 0.6 and copy:
            copy[place] = rng.randrange(256)
        elif kind < 0.75:
            del copy[place:]
        else:
            copy[place : place + rng.randrange(30)] = rng.randbytes(rng.randrange(30))
    return bytes(copy)


@pytest.mark.parametrize("mode", [*TARS, "zip"])
def test_damage_of_any_kind_ends_in_a_reason(make_tar, make_zip, mode: str) -> None:
    rng = random.Random(mode)
    long = {"d" * 120 + f"/{name}": data for name, data in IMAGES.items()}
    members = {**IMAGES, **long}
    path = (
        make_zip(*members.items())
        if mode == "zip"
        else make_tar(mode, *(tar_entry(name, data) for name, data in members.items()))
    )
    whole = path.read_bytes()
    for _ in range(300):
        try:
            archive = open_archive(MemoryBytes(damaged(whole, rng)), SMALL)
        except BytesError:
            continue
        listing = archive.listing()
        assert listing.fault is None or str(listing.fault)
        assert set(fetched(archive, *members)) == set(members)
