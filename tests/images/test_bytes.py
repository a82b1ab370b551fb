"""Bytes in ranges."""

import os
from pathlib import Path

import pytest

from imgcif_core.images.bytes import FileBytes, MemoryBytes, open_stream
from imgcif_core.images.limits import BytesError


def test_ranges_of_a_file_end_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(bytes(range(10)))
    source = FileBytes(path)
    assert (source.size, source.path) == (10, path)
    assert source.read(2, 3) == b"\x02\x03\x04"
    assert source.read(8, 100) == b"\x08\x09"
    assert source.read(50, 1) == b""


@pytest.mark.parametrize("make", [lambda path: FileBytes(path), lambda path: MemoryBytes(path.read_bytes())])
def test_a_stream_reads_and_seeks_as_a_file_does(tmp_path: Path, make) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(bytes(range(256)) * 20)
    stream, plain = open_stream(make(path)), path.open("rb")
    for offset, whence in ((0, 0), (5, 1), (-10, 2), (3, 0)):
        assert stream.seek(offset, whence) == plain.seek(offset, whence)
        assert stream.read(300) == plain.read(300)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"0123456789")
    source = FileBytes(path)
    source.read(0, 2)
    path.open("ab").write(b"more")
    with pytest.raises(BytesError, match="changed while it was read") as caught:
        source.read(2, 2)
    assert caught.value.kind == "changed"


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "pipe", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(BytesError) as caught:
            FileBytes(path)
        assert caught.value.kind == "missing"
