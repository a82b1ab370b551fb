"""Embedded images and stacks against the bare libraries: run with `python -m pytest tests/benchmarks/test_images.py`.

The best of several rounds counts on both sides, for other work on the machine only ever makes things slower.
"""

import base64
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import imgcif_core
from imgcif_core import CheckOptions

ROUNDS = 7
SHAPE = (2527, 2463)


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest time of some rounds in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.fixture(scope="module")
def packed() -> bytes:
    """An image of 6 Mpixel with a background, reflections and gaps, packed by fabio."""
    compression = pytest.importorskip("fabio.compression")
    image = np.random.default_rng(1).poisson(3.0, SHAPE).astype(np.int32)
    image[::97, ::89] = 20_000
    image[195:212] = -1
    return bytes(compression.compByteOffset(image.ravel()))


def section(data: bytes, number: int) -> bytes:
    """A row of the data table."""
    digest = base64.b64encode(hashlib.md5(data).digest()).decode()
    head = (
        f" 1 {number}\n;\n--CIF-BINARY-FORMAT-SECTION--\n"
        'Content-Type: application/octet-stream; conversions="x-CBF_BYTE_OFFSET"\n'
        f"Content-Transfer-Encoding: BINARY\nX-Binary-Size: {len(data)}\nX-Binary-ID: {number}\n"
        'X-Binary-Element-Type: "signed 32-bit integer"\nX-Binary-Element-Byte-Order: LITTLE_ENDIAN\n'
        f"Content-MD5: {digest}\nX-Binary-Number-of-Elements: {SHAPE[0] * SHAPE[1]}\n"
        f"X-Binary-Size-Fastest-Dimension: {SHAPE[1]}\nX-Binary-Size-Second-Dimension: {SHAPE[0]}\n\n"
    )
    return head.encode() + b"\x0c\x1a\x04\xd5" + data + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n"


def test_digests_and_sizes_keep_half_of_the_speed_of_hashlib(packed: bytes) -> None:
    start = b"###CBF: VERSION 1.5\ndata_x\nloop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\n"
    data = start + b"".join(section(packed, number) for number in range(1, 9))
    document = imgcif_core.read(data)
    options = CheckOptions(select=("BIN002", "BIN003"))

    def check() -> None:
        report = imgcif_core.check_document(document, options=options)
        assert not [finding for finding in report.findings if finding.rule in ("BIN002", "BIN003")]

    check()
    bare = best(lambda: [hashlib.md5(packed).digest() for _ in range(8)])
    ours = best(check)
    print(f"\ndigests of {8 * len(packed) / 1e6:.0f} MB: {ours * 1e3:.1f} ms, hashlib {bare * 1e3:.1f} ms")
    assert bare / ours >= 0.5


def test_byte_offset_keeps_nine_tenths_of_the_speed_of_fabio(packed: bytes) -> None:
    from fabio.compression import decByteOffset

    from imgcif_core.images.decode import decode_byte_offset
    from imgcif_core.images.mime import element_type

    kind, elements = element_type("signed 32-bit integer"), SHAPE[0] * SHAPE[1]
    for _ in range(2):
        bare = best(lambda: decByteOffset(packed, size=elements, dtype="int32"), 15)
        ours = best(lambda: decode_byte_offset(packed, elements, kind), 15)
    print(f"\nbyte_offset, 6 Mpixel: {ours * 1e3:.1f} ms, fabio {bare * 1e3:.1f} ms")
    assert bare / ours >= 0.9


def test_three_frames_of_a_stack_read_three_chunks(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    counter = Path("/proc/self/io")
    if not counter.exists():
        pytest.skip("the bytes read by a process are counted on Linux alone")
    from imgcif_core.images import hdf5_frames

    shape = (3600, 256, 512)
    path = tmp_path / "stack.h5"
    with h5py.File(path, "w") as file:
        stack = file.create_dataset("/entry/data/data", shape, np.uint16, chunks=(1, *shape[1:]))
        for index in (0, 1799, 3599):
            stack[index] = index
        stack[1000] = 5

    def bytes_read() -> int:
        return int(counter.read_text().split("rchar:")[1].split()[0])

    hdf5_frames.facts(str(path), "/entry/data/data", {})
    before = bytes_read()
    for index in (0, 1799, 3599):
        frame = hdf5_frames.frame(str(path), "/entry/data/data", {}, 0, index)
        assert (frame == index).all()
    chunk = shape[1] * shape[2] * 2
    taken = bytes_read() - before
    print(f"\nthree frames of {shape[0]}: {taken} bytes, three chunks are {3 * chunk}")
    assert 3 * chunk <= taken < 3.5 * chunk
