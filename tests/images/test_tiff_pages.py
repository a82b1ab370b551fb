"""TIFF files whose directories lead in a circle are refused before any reader follows them."""

import struct
from pathlib import Path

import numpy as np
import pytest

from imgcif_core.errors import InputError
from imgcif_core.images import tiff_pages
from imgcif_core.images.fabio_files import facts
from imgcif_core.images.limits import BytesError
from imgcif_core.images.tiff_pages import directories
from imgcif_core.sources.tiff import read_tiff


def tiff(*following: int, order: str = "<") -> bytes:
    """Directories of one entry, 18 bytes each, from byte 8 on, that name these places as the next."""
    found = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for place in following:
        found += struct.pack(order + "HHHIII", 1, 256, 4, 1, 10, place)
    return found


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_are_walked_in_order(order: str) -> None:
    assert list(directories(tiff(26, 0, order=order), "x")) == [(10, 1), (28, 1)]


@pytest.mark.parametrize("following", [(8,), (26, 8), (26, 26)])
def test_a_circle_is_refused(following: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(tiff(*following))
    with pytest.raises(BytesError, match="in a circle"):
        facts(str(path), "tifimage")
    with pytest.raises(InputError, match="in a circle"):
        read_tiff(path)


def test_a_directory_outside_the_file_is_damaged() -> None:
    with pytest.raises(BytesError, match="cut off"):
        list(directories(tiff(4000), "x"))
    with pytest.raises(BytesError, match=r"cut off|outside"):
        list(directories(b"II+\0\x08\0\0\0" + b"\xff" * 8, "x"))


def test_too_many_directories_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_pages, "MAX_PAGES", 2)
    with pytest.raises(BytesError, match="more than 2 images"):
        list(directories(tiff(26, 44, 0), "x"))


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    from fabio.tifimage import tifimage

    tifimage(data=np.arange(12, dtype=np.uint16).reshape(3, 4)).write(str(tmp_path / "x.tif"))
    assert facts(str(tmp_path / "x.tif"), "tifimage")["shape"] == [3, 4]
