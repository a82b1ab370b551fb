"""Files and archives on loopback servers: what is read, what it costs in requests and bytes."""

import io
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from net.servers import network, serving

from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.local import Address, LocalData
from imgcif_core.images.pixels import open_images
from imgcif_core.net.remote import RemoteFile

RANDOM = np.random.default_rng(15)
NAMES = [f"quartz/frame_{number:05d}.cbf" for number in range(1, 61)]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w", form: int = tarfile.USTAR_FORMAT) -> bytes:
    stream = io.BytesIO()
    # Random bytes do not pack; the least effort is enough.
    least = {"w:xz": {"preset": 0}, "w:bz2": {"compresslevel": 1}, "w:gz": {"compresslevel": 1}}.get(mode, {})
    with tarfile.open(fileobj=stream, mode=mode, format=form, **least) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def frames(size: int, names: list[str] = NAMES) -> dict[str, bytes]:
    return {name: RANDOM.bytes(size) for name in names}


@pytest.fixture
def site():
    with serving() as found:
        yield found


def data_over(own) -> LocalData:
    return LocalData(resolvers=(own.resolve,))


def test_nothing_is_asked_before_it_is_wanted(site) -> None:
    site.files["/a.cbf"] = b"###CBF: VERSION 1.5\n" * 1000
    local = data_over(network())
    assert local.is_remote(site.url("/a.cbf")) and site.asked == []
    with _closing(local) as held:
        assert held.open(Address(site.url("/a.cbf"))).read(0, 10) == b"###CBF: VE"
    assert len(site.asked) == 2 and site.sent == 20_000


class _closing:
    def __init__(self, local: LocalData) -> None:
        self._local = local

    def __enter__(self) -> LocalData:
        return self._local

    def __exit__(self, *_: object) -> None:
        self._local.close()


@pytest.mark.parametrize("count", [10, 3000, 65_536])
def test_a_zip_member_costs_three_requests_whatever_the_size(site, count: int) -> None:
    members = {f"f/{number:06d}.cbf": b"x" * 10 for number in range(count - 1)} | {"f/last.cbf": b"y" * 20_000}
    site.files["/a.zip"] = zipped(members, zipfile.ZIP_STORED)
    local = data_over(network())
    archive = local.archive(site.url("/a.zip"))
    listing = archive.listing()
    assert len(listing.members) == count and listing.is_complete
    assert len(site.asked) <= 2
    with _closing(local):
        member = local.open(Address(site.url("/a.zip"), "ZIP", "f/last.cbf"))
        assert member.read(0, 30_000) == b"y" * 20_000
    assert len(site.asked) <= 3
    assert site.sent <= len(site.files["/a.zip"]) and site.sent < 65_557 + 100 * count + 2000


def test_zip64_is_read(site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    site.files["/a.zip"] = zipped(frames(2000), zipfile.ZIP_STORED)
    monkeypatch.undo()
    assert b"PK\x06\x06" in site.files["/a.zip"]
    assert len(data_over(network()).archive(site.url("/a.zip")).listing().members) == 60


def test_a_directory_of_300_megabytes_is_refused(site) -> None:
    # The end record alone says how large the directory is; the bytes before it are never asked for.
    end = b"PK\x05\x06" + bytes(4) + (65535).to_bytes(2, "little") * 2 + (300_000_000).to_bytes(4, "little") + bytes(6)
    data = b"PK\x03\x04" + bytes(100_000) + end

    def answer(request) -> None:
        total = 400_000_000
        first, last = request.headers["Range"][6:].split("-")
        size = int(last) if not first else int(last) - int(first) + 1
        start = total - size if not first else int(first)
        request.reply(206, data[-size:], {"Content-Range": f"bytes {start}-{start + size - 1}/{total}", "ETag": '"1"'})

    site.handlers["/a.zip"] = answer
    fault = data_over(network()).archive(site.url("/a.zip")).listing().fault
    assert fault is not None and fault.kind == "limit" and site.sent < 200_000


def test_a_zip_bomb_is_not_unpacked(site) -> None:
    site.files["/a.zip"] = zipped({"a.cbf": bytes(60_000_000)})
    local = LocalData(resolvers=(network().resolve,), limits=Limits(free_bytes=1000, ratio=100))
    with _closing(local), pytest.raises(BytesError) as fault:
        local.open(Address(site.url("/a.zip"), "ZIP", "a.cbf"))
    assert fault.value.kind in ("limit", "damaged")


def test_tar_members_of_equal_size_are_predicted_by_four_requests(site) -> None:
    members = frames(100_000)
    site.files["/a.tar"] = tarred(members)
    local = data_over(network(expected=lambda uri: NAMES))
    archive = local.archive(site.url("/a.tar"))
    listing = archive.listing()
    assert {member.name for member in listing.members} == set(NAMES) and archive.predicted == 56
    assert len(site.asked) <= 4 and site.sent <= 12_000
    with _closing(local):
        assert local.open(Address(site.url("/a.tar"), "TAR", NAMES[40])).read(0, 200_000) == members[NAMES[40]]
    assert len(site.asked) <= 7


def test_a_tar_with_other_names_in_the_middle_is_not_predicted(site) -> None:
    names = [*NAMES[:30], "quartz/frame_99999.cbf", *NAMES[31:]]
    site.files["/a.tar"] = tarred(frames(100_000, names))
    archive = data_over(network(expected=lambda uri: NAMES)).archive(site.url("/a.tar"))
    listing = archive.listing()
    assert archive.predicted == 0
    assert listing.fault is not None and listing.fault.is_unasked and listing.find(NAMES[45]) is None


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_short_tar_is_hopped_through(site, form: int) -> None:
    members = {f"{'long' * 30}/{name}": data for name, data in frames(200_000, NAMES[:6]).items()}
    if form == tarfile.USTAR_FORMAT:
        members = frames(200_000, NAMES[:6])
    site.files["/a.tar"] = tarred(members, form=form)
    listing = data_over(network()).archive(site.url("/a.tar")).listing()
    assert [member.name for member in listing.members] == list(members) and listing.is_complete
    assert len(site.asked) <= 8 and site.sent < 25_000


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_a_packed_tar_shows_its_first_members(site, packing: str) -> None:
    members = frames(60_000)
    site.files[f"/a.tar.{packing}"] = tarred(members, f"w:{packing}")
    local = data_over(network(stream=2_500_000))
    listing = local.archive(site.url(f"/a.tar.{packing}")).listing()
    assert 3 < len(listing.members) < 60
    assert listing.fault is not None and listing.fault.kind == "budget"
    # Whether it is packed in blocks is told by the end of an xz archive.
    end = 4096 if packing == "xz" else 0
    assert len(site.asked) <= 4 and site.sent <= 2_500_000 + end
    with _closing(local):
        assert local.open(Address(site.url(f"/a.tar.{packing}"), None, NAMES[1])).read(0, 400_000) == members[NAMES[1]]


def hdf5(path: Path) -> np.ndarray:
    images = RANDOM.integers(0, 60_000, (30, 200, 250), dtype=np.uint16)
    with h5py.File(path, "w") as file:
        for number in range(50):
            file[f"entry/instrument/value_{number}"] = float(number)
        file.create_dataset(
            "entry/data/data", data=images, chunks=(1, 200, 250), compression="gzip", compression_opts=1
        )
    return images


def test_hdf5_is_read_in_parts(site, tmp_path: Path) -> None:
    images = hdf5(tmp_path / "a.h5")
    site.files["/a.h5"] = (tmp_path / "a.h5").read_bytes()
    helper = Helper()
    local = data_over(network())
    with _closing(local):
        source = local.open(Address(site.url("/a.h5")))
        stack = open_images(source, helper, path="/entry/data/data", described=(250, 200), reach=local.reach)
        assert (stack.frames, stack.shape) == (30, (200, 250))
        assert len(site.asked) <= 4 and site.sent <= 300_000
        for index in (0, 15, 29):
            assert (stack.read(index) == images[index]).all()
        assert len(site.asked) <= 9 and site.sent < len(site.files["/a.h5"]) / 2
    helper.close()


def test_hdf5_links_lead_to_neighbours_on_the_server(site, tmp_path: Path) -> None:
    images = hdf5(tmp_path / "a_data.h5")
    with h5py.File(tmp_path / "a_master.h5", "w") as file:
        file["entry/data/data_000001"] = h5py.ExternalLink("a_data.h5", "/entry/data/data")
    for name in ("a_data.h5", "a_master.h5"):
        site.files[f"/records/1/files/{name}/content"] = (tmp_path / name).read_bytes()
    helper = Helper()
    local = data_over(network())
    with _closing(local):
        address = Address(site.url("/records/1/files/a_master.h5/content"))
        source = local.open(address)

        def beside(name: str) -> str | None:
            neighbour = address.beside(name)
            return str(local.open(neighbour).path) if neighbour is not None else None

        path = "/entry/data/data_000001"
        stack = open_images(source, helper, path=path, described=(250, 200), beside=beside, reach=local.reach)
        assert (stack.read(7) == images[7]).all()
    helper.close()


def test_an_hdf5_member_that_is_not_packed_is_read_in_parts(site, tmp_path: Path) -> None:
    images = hdf5(tmp_path / "a.h5")
    data = (tmp_path / "a.h5").read_bytes()
    site.files["/a.zip"] = zipped({"x/a.h5": data, "b": RANDOM.bytes(3_000_000)}, zipfile.ZIP_STORED)
    helper = Helper()
    local = data_over(network())
    with _closing(local):
        source = local.open(Address(site.url("/a.zip"), "ZIP", "x/a.h5"))
        stack = open_images(source, helper, path="/entry/data/data", described=(250, 200), reach=local.reach)
        assert (stack.read(3) == images[3]).all()
    assert site.sent < len(data) / 3
    helper.close()


def test_a_file_that_changes_ends_the_reading(site) -> None:
    data = RANDOM.bytes(50_000)
    site.handlers["/a"] = lambda request: request.serve(data, etag=f'"{len(site.asked)}"')
    remote = network().resolve(site.url("/a"))
    remote.read(0, 100)
    with pytest.raises(BytesError) as fault:
        remote.read(20_000, 100)
    assert fault.value.kind == "changed"


def test_a_login_page_is_no_file(site) -> None:
    page = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
    site.handlers["/a.cbf"] = lambda request: request.reply(200, page, {"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(BytesError) as fault:
        network().resolve(site.url("/a.cbf")).read(0, 10)
    assert fault.value.kind == "page"


def test_a_file_named_as_a_page_is_a_file(site) -> None:
    site.kind = "text/html"
    site.files["/a.cbf"] = b"###CBF: VERSION 1.5\n"
    assert network().resolve(site.url("/a.cbf")).read(0, 6) == b"###CBF"


def test_a_size_that_the_record_denies_is_a_contradiction(site) -> None:
    site.files["/a"] = RANDOM.bytes(5000)
    own = network()
    own.sizes[site.url("/a")] = 6000
    with pytest.raises(BytesError) as fault:
        own.resolve(site.url("/a")).read(0, 100)
    assert fault.value.kind == "contradiction"


def test_a_server_without_ranges_gives_the_beginning(site) -> None:
    site.has_ranges = False
    data = RANDOM.bytes(100_000)
    site.files["/a"] = data
    remote = network().resolve(site.url("/a"))
    assert remote.read(500, 100) == data[500:600] and remote.size == 100_000
    with pytest.raises(BytesError) as fault:
        network(stream=50_000).resolve(site.url("/a")).read(90_000, 100)
    assert fault.value.is_unasked


def test_the_cache_answers_without_a_request(site, tmp_path: Path) -> None:
    site.files["/a"] = RANDOM.bytes(100_000)
    first = network(cache=tmp_path)
    assert first.resolve(site.url("/a")).read(70_000, 500) == site.files["/a"][70_000:70_500]
    first.close()
    asked = len(site.asked)
    assert network(cache=tmp_path).resolve(site.url("/a")).read(70_000, 500) == site.files["/a"][70_000:70_500]
    assert len(site.asked) == asked


def test_a_cache_that_is_broken_read_only_or_from_the_future_does_no_harm(site, tmp_path: Path) -> None:
    data = RANDOM.bytes(10_000)
    site.files["/a"] = data
    network(cache=tmp_path).resolve(site.url("/a")).read(0, 10_000)
    for path in tmp_path.rglob("*-*"):
        path.write_bytes(b"short")
    assert network(cache=tmp_path).resolve(site.url("/a")).read(0, 10_000) == data
    for path in tmp_path.rglob("facts.json"):
        path.write_text(path.read_text().replace('"time": 1', '"time": 9'))
    assert network(cache=tmp_path).resolve(site.url("/a")).read(0, 10_000) == data
    (tmp_path / "file").write_text("")
    assert network(cache=tmp_path / "file").resolve(site.url("/a")).read(0, 10_000) == data


def test_the_cache_keeps_within_its_size(site, tmp_path: Path) -> None:
    for name in "abcd":
        site.files[f"/{name}"] = RANDOM.bytes(40_000)
    own = network(cache=tmp_path, cache_bytes=100_000)
    for name in "abcd":
        own.resolve(site.url(f"/{name}")).read(0, 40_000)
    own.close()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*-*")) <= 100_000


def test_a_file_of_another_state_is_read_anew(site, tmp_path: Path) -> None:
    site.files["/a"] = RANDOM.bytes(10_000)
    network(cache=tmp_path).resolve(site.url("/a")).read(0, 1000)
    new = RANDOM.bytes(20_000)
    site.handlers["/a"] = lambda request: request.serve(new, etag='"2"')
    remote: RemoteFile = network(cache=tmp_path).resolve(site.url("/a"))
    assert remote.read(5000, 100) == new[5000:5100] and remote.size == 20_000
