"""Xz archives of several blocks, made by the real program: members at their ends cost their blocks and no more."""

import lzma
import shutil
import subprocess

import pytest
from net.servers import network, serving
from net.test_remote import NAMES, data_over, frames, tarred

from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.local import Address
from imgcif_core.net.xzblocks import XzBlocks, blocks_of

needs_xz = pytest.mark.skipif(shutil.which("xz") is None, reason="the program xz is not installed")
SIZE = 30_000


@pytest.fixture
def site():
    with serving() as found:
        yield found


def packed(data: bytes, *options: str) -> bytes:
    return subprocess.run(["xz", "-0", "-T1", "-c", *options], input=data, capture_output=True, check=True).stdout


def listed(own, url: str):
    local = data_over(own)
    try:
        return local.archive(url).listing(), local.archive(url)
    finally:
        local.close()


@needs_xz
def test_members_are_predicted_over_blocks(site) -> None:
    members = frames(SIZE)
    site.files["/a.tar.xz"] = packed(tarred(members), "--block-size=200000")
    own = network(expected=lambda uri: NAMES)
    listing, archive = listed(own, site.url("/a.tar.xz"))
    assert {member.name for member in listing.members} == set(NAMES)
    assert archive.predicted == 56 and archive.format == "TXZ" and listing.is_complete
    # The end, the first block, one in the middle and the last one, each as far as its header.
    assert len(site.asked) <= 8 and site.sent < 800_000 < len(site.files["/a.tar.xz"]) / 2
    local = data_over(own)
    try:
        found = local.open(Address(site.url("/a.tar.xz"), "TXZ", NAMES[40])).read(0, SIZE + 1)
        assert found == members[NAMES[40]]
    finally:
        local.close()


@needs_xz
def test_without_expected_names_all_headers_are_found_within_the_budget(site) -> None:
    members = frames(SIZE, NAMES[:12])
    site.files["/a.tar.xz"] = packed(tarred(members), "--block-size=50000")
    listing, _ = listed(network(), site.url("/a.tar.xz"))
    assert [member.name for member in listing.members] == NAMES[:12] and listing.is_complete
    listing, _ = listed(network(stream=150_000), site.url("/a.tar.xz"))
    assert listing.fault is not None and listing.fault.kind == "budget" and 2 <= len(listing.members) < 12


@needs_xz
@pytest.mark.parametrize("check", ["none", "crc32", "crc64", "sha256"])
def test_each_kind_of_check_is_read(site, check: str) -> None:
    data = b"".join(frames(SIZE, NAMES[:5]).values())
    site.files["/a.xz"] = packed(data, "--block-size=40000", f"--check={check}")
    remote = network().resolve(site.url("/a.xz"))
    blocks = blocks_of(remote)
    assert len(blocks) == 4
    source = XzBlocks(remote, blocks, Limits(), 10_000_000)
    assert source.size == len(data)
    for start, length in ((0, 10), (39_990, 20), (149_990, 100), (120_000, 30_000), (5, 150_000), (150_000, 5)):
        assert source.read(start, length) == data[start : start + length]


@needs_xz
def test_a_stream_of_one_block_is_read_from_its_start(site) -> None:
    site.files["/a.tar.xz"] = packed(tarred(frames(SIZE, NAMES[:10])))
    listing, _ = listed(network(), site.url("/a.tar.xz"))
    assert len(listing.members) == 10 and listing.is_complete


@needs_xz
@pytest.mark.parametrize("damage", ["footer", "index", "magic", "block", "sizes", "two streams"])
def test_damaged_archives_end_in_a_fault_or_are_read_from_their_start(site, damage: str) -> None:
    data = bytearray(packed(tarred(frames(SIZE, NAMES[:8])), "--block-size=60000"))
    if damage == "two streams":
        data = data + data
    else:
        data[{"footer": -4, "index": -20, "magic": 2, "block": 100, "sizes": -30}[damage]] ^= 0x55
    site.files["/a.tar.xz"] = bytes(data)
    try:
        listing, _ = listed(network(), site.url("/a.tar.xz"))
    except BytesError as fault:
        assert damage == "magic" and fault.kind == "damaged"
        return
    assert damage == "two streams" or listing.fault is None or listing.fault.kind == "damaged"
    assert len(listing.members) <= 8


@needs_xz
def test_an_index_that_lies_about_sizes_ends_in_a_fault(site) -> None:
    """Index and footer are made anew, with sums that are right: the blocks hold other sizes than they say."""
    from zlib import crc32

    data = packed(b"x" * 100_000, "--block-size=50000")
    length = (int.from_bytes(data[-8:-4], "little") + 1) * 4
    index = bytearray(data[-12 - length : -12])
    at = index.index(bytes([0xD0, 0x86, 0x03]))
    assert index[at : at + 3] == bytes([0x50 | 0x80, 0x86, 0x03])  # 50,000 in groups of seven bits
    index[at + 2] = 0x0F
    index[-4:] = crc32(index[:-4]).to_bytes(4, "little")
    site.files["/a.xz"] = data[: -12 - length] + bytes(index) + data[-12:]
    remote = network().resolve(site.url("/a.xz"))
    source = XzBlocks(remote, blocks_of(remote), Limits(), 10_000_000)
    assert source.size > 200_000
    with pytest.raises(BytesError) as fault:
        source.read(0, source.size)
    assert fault.value.kind == "damaged"


def test_a_decoder_that_wants_much_memory_is_refused(site) -> None:
    data = lzma.compress(bytes(1000), preset=9)
    site.files["/a.xz"] = data
    remote = network().resolve(site.url("/a.xz"))
    (block,) = blocks_of(remote)
    with pytest.raises(BytesError, match="damaged"):
        XzBlocks(remote, [block], Limits(decoder_bytes=1000), 10_000_000).read(0, 10)
