"""Images made to do harm end in a finding that names the limit, and the check goes on."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import imgcif_core
from imgcif_core import CheckOptions
from imgcif_core.images import isolated

FRAME = """data_x
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
1 1 {fast} 1
1 2 {slow} 2
"""
LINK = """_array_data.array_id 1
_array_data.binary_id 1
_array_data.external_data_id 1
_array_data_external_data.id 1
_array_data_external_data.format {format}
_array_data_external_data.uri https://example.org/{name}
_array_data_external_data.path {path}
_array_data_external_data.frame 1
"""


def embedded(compression: str, data: bytes, *fields: str, fast: int = 30, slow: int = 20) -> bytes:
    """A CBF of one section."""
    lines = [
        "###CBF: VERSION 1.5",
        FRAME.format(fast=fast, slow=slow) + "_array_data.array_id 1",
        "_array_data.binary_id 1",
        "_array_data.data",
        ";",
        "--CIF-BINARY-FORMAT-SECTION--",
        f'Content-Type: application/octet-stream; conversions="x-CBF_{compression}"',
        "Content-Transfer-Encoding: BINARY",
        f"X-Binary-Size: {len(data)}",
        "X-Binary-ID: 1",
        'X-Binary-Element-Type: "signed 32-bit integer"',
        *fields,
    ]
    head = "\n".join(lines).encode()
    return head + b"\n\n\x0c\x1a\x04\xd5" + data + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n"


def told(source: bytes | Path, **options) -> dict[str, str]:
    """The messages of errors by rule."""
    (report,) = imgcif_core.check(source, options=CheckOptions(images="all", **options)).files
    assert report.outcomes.crashed == ()
    return {finding.rule: finding.message for finding in report.findings if finding.severity == "error"}


def linked(folder: Path, name: str, *, format: str, path: str = ".", fast: int = 30, slow: int = 20) -> Path:
    """A file that leads to one image."""
    (folder / "links").mkdir()
    target = folder / "links" / "links.cif"
    text = FRAME.format(fast=fast, slow=slow) + LINK.format(format=format, name=name, path=path)
    target.write_text("#\\#CIF_1.1\n" + text)
    return target


@pytest.mark.parametrize("compression", ["PACKED", "PACKED_V2", "CANONICAL"])
def test_a_bomb_of_elements_is_told_and_not_unpacked(compression: str) -> None:
    data = (10**12).to_bytes(8, "little") + b"\0" * 4000
    assert "hold 1000000000000 elements" in told(embedded(compression, data))["BIN008"]


def test_a_header_that_asks_for_all_memory_is_told() -> None:
    fields = ("X-Binary-Size-Fastest-Dimension: 99999999", "X-Binary-Size-Second-Dimension: 99999999")
    found = told(embedded("BYTE_OFFSET", b"\1" * 600, *fields))
    assert {"BIN005", "BIN008"} <= set(found)


def test_packed_data_of_the_right_count_that_are_nonsense_are_told() -> None:
    pytest.importorskip("pycbf")
    data = (600).to_bytes(8, "little") + b"\0" * 24 + b"\xff" * 60
    fields = ("X-Binary-Size-Fastest-Dimension: 30", "X-Binary-Size-Second-Dimension: 20")
    assert "cannot be read: CBFlib Error" in told(embedded("PACKED", data, *fields))["IMG001"]


def test_a_bomb_of_chunks_is_told(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("/data", (9, 60_000, 60_000), np.uint16, chunks=(1, 30_000, 60_000), compression=9)
    path = linked(tmp_path, "bomb.h5", format="HDF5", path="/data", fast=60_000, slow=60_000)
    assert "chunks of /data expand to 3600000000 bytes, more than" in told(path, local=tmp_path)["IMG001"]


CRASH = "import os, signal, sys; sys.stdin.buffer.readline(); os.kill(os.getpid(), signal.SIGSEGV)"


def test_a_crash_of_a_decoder_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image.img").write_bytes(b"{\nHEADER_BYTES=512;\n}\n" + b"\0" * 2000)
    monkeypatch.setattr(isolated, "COMMAND", (sys.executable, "-c", CRASH))
    found = told(linked(tmp_path, "image.img", format="SMV"), local=tmp_path)
    assert found["IMG001"].endswith("the decoder crashed (signal 11)")


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["/data"] = np.arange(1200).reshape(2, 20, 30)
    read = isolated.Helper.array

    def meddle(self: isolated.Helper, *arguments: object, **more: object) -> np.ndarray:
        found = read(self, *arguments, **more)
        os.utime(tmp_path / "stack.h5", (1, 1))
        return found

    monkeypatch.setattr(isolated.Helper, "array", meddle)
    source = linked(tmp_path, "stack.h5", format="HDF5", path="/data")
    (report,) = imgcif_core.check(source, options=CheckOptions(images="all", local=tmp_path)).files
    reasons = {entry.rule: entry.reason for entry in report.outcomes.not_checked}
    assert "changed while it was read" in reasons["IMG001"]
