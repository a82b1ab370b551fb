"""Heads of images: unpacked as the index says, and refused where it says what cannot be."""

import gzip
import io
import resource
import struct
from pathlib import Path
from typing import Any

import pytest

from imgcif_core.create import Session, Wishes
from imgcif_core.create.heads import SCHEMA, HeadLimits, sources_of, unpack_heads
from imgcif_core.errors import InputError
from imgcif_core.sources.tiff import read_tiff

HEADER = """###CBF: VERSION 1.5
data_image_{number:04d}
_array_data.header_convention "PILATUS_1.2"
_array_data.header_contents
;
# Detector: PILATUS 100K, S/N 1-0001
# 2020-01-02T03:04:0{number}.000
# Pixel_size 172e-6 m x 172e-6 m
# Wavelength 1.0000 A
# Detector_distance 0.20000 m
# Beam_xy (243.50, 97.50) pixels
# Start_angle {start:.4f} deg.
# Angle_increment 0.5000 deg.
;
_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
X-Binary-Size-Fastest-Dimension: 487
X-Binary-Size-Second-Dimension: 195

"""


def index(files: list[dict[str, Any]], packing: str | None = None) -> dict[str, Any]:
    return {"schema": SCHEMA, "packing": packing, "files": files}


def series(count: int) -> tuple[dict[str, Any], bytes]:
    """The heads of a series of miniCBF images of 100 kB each."""
    texts = [HEADER.format(number=n, start=0.5 * (n - 1)).encode() for n in range(1, count + 1)]
    files = [
        {"name": f"run/image_{n:04d}.cbf", "size": 100_000, "pieces": [[0, len(text)]]}
        for n, text in enumerate(texts, 1)
    ]
    return index(files), b"".join(texts)


def test_a_session_reads_heads_as_it_reads_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heads, pieces = series(3)
    written, absent = unpack_heads({**heads, "packing": "gzip"}, io.BytesIO(gzip.compress(pieces)), tmp_path)
    assert written == ["run/image_0001.cbf", "run/image_0002.cbf", "run/image_0003.cbf"]
    assert absent == []
    monkeypatch.chdir(tmp_path)
    session = Session.open(written, Wishes())
    for key, text in {"principal_axis": "3:00", "rotation_sense": "clockwise"}.items():
        session = session.answered(key, text)
    assert not session.needed
    assert session.experiment is not None
    (scan,) = session.experiment.scans
    assert (scan.frames, scan.settings["omega"]) == (3, (0.0, 0.5))
    assert session.links[0].first == "image_0001.cbf"


def test_pieces_lie_at_their_places_with_holes_between(tmp_path: Path) -> None:
    data = tiff(40_000)
    pieces = [[0, 4096], [40_008, len(data) - 40_008]]
    files = [
        {"name": "a.tif", "size": len(data), "pieces": pieces},
        {"name": "b.h5", "size": 9, "pieces": []},
    ]
    came = b"".join(data[start : start + length] for start, length in pieces)
    assert unpack_heads(index(files), io.BytesIO(came), tmp_path) == (["a.tif"], ["b.h5"])
    assert (tmp_path / "a.tif").read_bytes() == data
    assert read_tiff(tmp_path / "a.tif").date == "2020-01-02T03:04:05"


def tiff(pixels: int) -> bytes:
    """A TIFF of zeros whose directory stands behind its pixels, and a date behind that."""
    return b"II" + struct.pack("<HI", 42, 8 + pixels) + bytes(pixels) + directory(8 + pixels)


def directory(start: int) -> bytes:
    """The directory of an image of 200 x 100 pixels that stands at a place."""
    date = b"2020:01:02 03:04:05\0"
    tags = [(256, 3, 1, 200), (257, 3, 1, 100), (258, 3, 1, 16), (306, 2, len(date), start + 54)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + date


@pytest.mark.parametrize("lost", [(4000, 4096), (40_008, 40_010), (40_020, 40_030), (-20, -1)])
def test_a_head_with_a_hole_where_something_is_said_is_refused(lost: tuple[int, int], tmp_path: Path) -> None:
    data = tiff(40_000)
    first, last = (place % len(data) for place in lost)
    pieces = [[0, first], [last, len(data) - last]]
    files = [{"name": "a.tif", "size": len(data), "pieces": pieces}]
    with pytest.raises(InputError, match=r"did not come|directory"):
        unpack_heads(index(files), io.BytesIO(data[:first] + data[last:]), tmp_path)


def test_only_of_tiff_are_pieces_with_holes_taken(tmp_path: Path) -> None:
    files = [{"name": "a_master.h5", "size": 100, "pieces": [[0, 8], [90, 3]]}]
    with pytest.raises(InputError, match="only a TIFF"):
        unpack_heads(index(files), io.BytesIO(b"\x89HDF\r\n\x1a\nend"), tmp_path)


def test_of_a_large_tiff_only_the_directories_are_read(tmp_path: Path) -> None:
    path, start = tmp_path / "a.tif", 4_000_000_008
    with path.open("wb") as file:
        # Pixels that take no room on the disk.
        file.write(b"II" + struct.pack("<HI", 42, start))
        file.seek(start)
        file.write(directory(start))
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_tiff(path).size == (200, 100)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 500_000


def test_a_packed_image_that_is_cut_off_can_be_read(tmp_path: Path) -> None:
    whole = gzip.compress(b"header" + bytes(range(256)) * 4000, 0)
    files = [{"name": "a.cbf.gz", "size": len(whole), "pieces": [[0, 2000]]}]
    unpack_heads(index(files), io.BytesIO(whole[:2000]), tmp_path)
    assert gzip.decompress((tmp_path / "a.cbf.gz").read_bytes()).startswith(b"header")


@pytest.mark.parametrize(
    "name", ["../a", "/etc/a", "a/../../b", "a\\b", "", "a//b", "a\x00b", "a\u202eb", "x" * 300, "./a", None, 7]
)
def test_names_that_lead_elsewhere_are_refused(name: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not taken"):
        unpack_heads(index([{"name": name, "size": 1, "pieces": [[0, 1]]}]), io.BytesIO(b"a"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "pieces", "message"),
    [
        ([{"name": "a", "size": 2, "pieces": [[0, 3]]}], b"abc", "beyond the size"),
        ([{"name": "a", "size": 9, "pieces": [[0, 3], [2, 3]]}], b"abcdef", "overlap"),
        ([{"name": "a", "size": 9, "pieces": [[4, 3]]}], b"abc", "not at the start"),
        ([{"name": "a", "size": 9, "pieces": [[0, 9]]}], b"abc", "fewer bytes came"),
        ([{"name": "a", "size": 1, "pieces": [[0, 1]]}], b"abc", "more pieces came"),
        ([{"name": "a", "size": 1, "pieces": []}] * 2, b"", "same name"),
        ([{"name": "a", "size": -1, "pieces": []}], b"", "expected a size"),
        ([{"name": "a", "size": True, "pieces": []}], b"", "expected a size"),
        ([{"name": "a", "size": 9, "pieces": [[0, 9.5]]}], b"", "an offset and a length"),
        ([{"name": "a", "size": 1 << 40, "pieces": [[0, 1], [5, 1]]}], b"ab", "larger than"),
        ([{"name": "a", "size": 2000, "pieces": [[0, 2000]]}], bytes(2000), "in all"),
        ([{"name": str(n), "size": 0, "pieces": []} for n in range(9)], b"", "at most 5"),
        ([{"name": n, "size": 1, "pieces": [[0, 1]]} for n in ("a", "a/b")], b"ab", "cannot be written"),
        ([3], b"", "expected name, size and pieces"),
    ],
)
def test_an_index_that_cannot_be_is_refused(files: Any, pieces: bytes, message: str, tmp_path: Path) -> None:
    limits = HeadLimits(files=5, bytes=1000, file_bytes=10**6)
    with pytest.raises(InputError, match=message):
        unpack_heads(index(files), io.BytesIO(pieces), tmp_path, limits)


def test_pieces_that_are_not_packed_as_said_are_refused(tmp_path: Path) -> None:
    heads = index([{"name": "a", "size": 1, "pieces": [[0, 1]]}], "gzip")
    with pytest.raises(InputError, match="damaged"):
        unpack_heads(heads, io.BytesIO(b"plain"), tmp_path)


def test_masters_stand_behind_an_experiment_list() -> None:
    assert sources_of(["a.expt", "b_master.h5"]) == (["a.expt"], ("b_master.h5",))
    assert sources_of(["b_master.h5"]) == (["b_master.h5"], ())
