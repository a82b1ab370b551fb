"""The worst small inputs there are: each below 10 MB, each expanding to far more than a check may take.

Each function makes one in a folder, and gives the words of the command that reads it.
"""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from image_tables import text_of_images

MIB = 1 << 20
# Less than the default, which takes as much of a lane.
SECONDS = 15


def tables(
    folder: Path,
    uri: str,
    *,
    word: str,
    count: int = 1,
    side: int = 100,
    path: str = ".",
    archive: tuple[str, str] = (".", "."),
    numbered: bool = False,
) -> list[str]:
    """An imgCIF whose frames are images of a file, and the check of all of them."""
    place, within = archive
    names = (within.format(n) if numbered else within for n in range(1, count + 1))
    places = [f"{word} {uri} {place} {name} {path} {n}" for n, name in enumerate(names, 1)]
    target = folder / "x.cif"
    target.write_text(text_of_images(places, side, side), encoding="ascii")
    return ["check", "--images", "all", "--limit", f"cpu={SECONDS}", str(target)]


def hdf5_large_frames(folder: Path) -> list[str]:
    """Frames of 60 Mpixel that are all zero, as many as one likes."""
    import h5py

    with h5py.File(folder / "d.h5", "w") as file:
        data = file.create_dataset("/d", (400, 7700, 7700), np.uint32, chunks=(1, 7700, 7700), compression=9)
        packed = zlib.compress(bytes(7700 * 7700 * 4), 9)
        for index in range(12):
            data.id.write_direct_chunk((index, 0, 0), packed)
    return tables(folder, "d.h5", word="HDF5", count=400, side=7700, path="/d")


def hdf5_many_frames(folder: Path) -> list[str]:
    """Frames of 4 Mpixel, a thousand in some MB, which take minutes to decode and measure."""
    import h5py

    with h5py.File(folder / "d.h5", "w") as file:
        data = file.create_dataset("/d", (1000, 2000, 2000), np.uint16, chunks=(1, 2000, 2000), compression=9)
        packed = zlib.compress(bytes(2000 * 2000 * 2), 9)
        for index in range(1000):
            data.id.write_direct_chunk((index, 0, 0), packed)
    return tables(folder, "d.h5", word="HDF5", count=1000, side=2000, path="/d")


def hdf5_large_chunk(folder: Path) -> list[str]:
    """Small frames that share a chunk of half a gigabyte."""
    import h5py

    with h5py.File(folder / "d.h5", "w") as file:
        data = file.create_dataset("/d", (512, 1000, 500), np.uint16, chunks=(512, 1000, 500), compression=9)
        data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(512 * 1000 * 500 * 2), 9))
    return tables(folder, "d.h5", word="HDF5", count=512, side=1000, path="/d")


def zip_of_images(folder: Path) -> list[str]:
    """A hundred members of 60 MB each in 6 MB."""
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(1, 101):
            archive.writestr(f"i{number}.img", smv_head(5500) + bytes(5500 * 5500 * 2))
    return tables(folder, "a.zip", word="SMV", count=100, side=5500, archive=("ZIP", "i{}.img"), numbered=True)


def smv_head(side: int) -> bytes:
    """The header of an SMV image."""
    words = ["HEADER_BYTES=512", "DIM=2", "BYTE_ORDER=little_endian", "TYPE=unsigned_short"]
    text = ";\n".join([*words, f"SIZE1={side}", f"SIZE2={side}"])
    return f"{{\n{text};\n}}\n".encode().ljust(512)


def tar_of_images(folder: Path) -> list[str]:
    """The same as tar, packed as a whole."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=9) as archive:
        for number in range(1, 31):
            info = tarfile.TarInfo(f"i{number}.img")
            data = smv_head(5500) + bytes(5500 * 5500 * 2)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    (folder / "a.tgz").write_bytes(buffer.getvalue())
    return tables(folder, "a.tgz", word="SMV", count=30, side=5500, archive=("TGZ", "i{}.img"), numbered=True)


def packed_images(folder: Path) -> list[str]:
    """Single images packed by gzip, 300 MB each."""
    data = gzip.compress(smv_head(12_000) + bytes(12_000 * 12_000 * 2), 6)
    rows = tables(folder, "i{n}.img.gz", word="SMV", count=12, side=12_000)
    text = (folder / "x.cif").read_text()
    for number in range(1, 13):
        (folder / f"i{number}.img.gz").write_bytes(data)
        text = text.replace("i{n}.img.gz", f"i{number}.img.gz", 1)
    (folder / "x.cif").write_text(text)
    return rows


def text_packed(folder: Path) -> list[str]:
    """A text that expands as far as texts may, all rows of one loop."""
    (folder / "x.cif.gz").write_bytes(gzip.compress(b"data_x\nloop_\n_axis.id\n" + b"a\n" * (30 * MIB), 9))
    return ["check", str(folder / "x.cif.gz")]


def text_packed_larger(folder: Path) -> list[str]:
    """A text of 250 MB in 3 MB."""
    import random

    words = "".join(random.Random(1).choices("abcdefgh", k=9_000_000)).encode()
    packed = gzip.compress(b"data_x\n_a.b\n;\n" + words + b"\n" + b"0123456789 \n" * (20 * MIB) + b"\n;\n", 9)
    (folder / "x.cif.gz").write_bytes(packed)
    return ["check", str(folder / "x.cif.gz")]


def text_of_values(folder: Path) -> list[str]:
    """The most values that 10 MB can hold."""
    (folder / "x.cif").write_bytes(b"data_x\nloop_\n_a.b\n" + b"a\n" * 4_900_000)
    return ["check", str(folder / "x.cif")]


def text_of_quotes(folder: Path) -> list[str]:
    """The most quoted values, which take the careful road."""
    (folder / "x.cif").write_bytes(b"data_x\nloop_\n_a.b _a.c\n" + b"'' a\n" * 1_900_000)
    return ["check", str(folder / "x.cif")]


def tiff(folder: Path) -> list[str]:
    """A TIFF of 400 Mpixel in 1 MB."""
    side = 20_000
    strip = zlib.compress(bytes(side * side), 9)
    entries = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, side),
        (279, 4, 1, len(strip)),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + directory
    (folder / "i.tif").write_bytes(data)
    return tables(folder, "i.tif", word="TIFF", side=side)


def png(folder: Path) -> list[str]:
    """A PNG of 400 Mpixel behind the name of a TIFF."""
    side = 20_000
    rows = zlib.compress(bytes((side + 1) * side), 9)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    data = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    (folder / "i.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return tables(folder, "i.tif", word="TIFF", side=side)


def cbf(folder: Path, compression: str, body: bytes, side: int) -> list[str]:
    """A CBF of one section."""
    lines = [
        "###CBF: VERSION 1.5",
        "data_x",
        "loop_",
        "_array_structure_list.array_id",
        "_array_structure_list.index",
        "_array_structure_list.dimension",
        "_array_structure_list.precedence",
        f"1 1 {side} 1",
        f"1 2 {side} 2",
        "_array_data.array_id 1",
        "_array_data.binary_id 1",
        "_array_data.data",
        ";",
        "--CIF-BINARY-FORMAT-SECTION--",
        f'Content-Type: application/octet-stream; conversions="x-CBF_{compression}"',
        "Content-Transfer-Encoding: BINARY",
        f"X-Binary-Size: {len(body)}",
        "X-Binary-ID: 1",
        'X-Binary-Element-Type: "signed 32-bit integer"',
        f"X-Binary-Size-Fastest-Dimension: {side}",
        f"X-Binary-Size-Second-Dimension: {side}",
    ]
    head = "\n".join(lines).encode() + b"\n\n\x0c\x1a\x04\xd5"
    path = folder / "x.cbf"
    path.write_bytes(head + body + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n")
    return ["check", "--images", "all", str(path)]


def cbf_packed(folder: Path) -> list[str]:
    """Packed data of 225 Mpixel in 1.4 MB: runs of 128 equal elements in some bits."""
    side = 15_000
    return cbf(folder, "PACKED", (side * side).to_bytes(8, "little") + bytes(16) + b"\x07" * 1_400_000, side)


def cbf_packed_v2(folder: Path) -> list[str]:
    """The same in the second edition, still denser."""
    side = 16_000
    return cbf(folder, "PACKED_V2", (side * side).to_bytes(8, "little") + bytes(16) + b"\x3f" * 2_000_000, side)


def cbf_byte_offset(folder: Path) -> list[str]:
    """As many elements as fit into 10 MB: one a byte."""
    return cbf(folder, "BYTE_OFFSET", bytes(3000 * 3000), 3000)


def created_from_hdf5(folder: Path) -> list[str]:
    """A master with header values that expand to gigabytes, read by `create`."""
    import h5py

    with h5py.File(folder / "m.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        group = entry.create_group("data")
        group.attrs["NX_class"] = "NXdata"
        for number in range(40):
            data = group.create_dataset(f"omega{number}", (8_000_000,), np.float64, chunks=(8_000_000,), compression=9)
            data.id.write_direct_chunk((0,), zlib.compress(bytes(64_000_000), 9))
    return ["create", str(folder / "m.h5"), "-o", str(folder / "o.cif")]


def created_from_zip(folder: Path) -> list[str]:
    """An archive of images, read by `create`."""
    zip_of_images(folder)
    return ["create", str(folder / "a.zip"), "-o", str(folder / "o.cif")]


WORST: dict[str, Callable[[Path], list[str]]] = {
    function.__name__: function
    for function in (
        hdf5_large_frames,
        hdf5_many_frames,
        hdf5_large_chunk,
        zip_of_images,
        tar_of_images,
        packed_images,
        text_packed,
        text_packed_larger,
        text_of_values,
        text_of_quotes,
        tiff,
        png,
        cbf_packed,
        cbf_packed_v2,
        cbf_byte_offset,
        created_from_hdf5,
        created_from_zip,
    )
}
