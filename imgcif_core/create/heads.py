"""Heads of images instead of images: what their headers say, without the 10 to 200 GB of pixels behind it.

An index, `imgcif-heads/1`, names each file with its size and the pieces of it that came; the pieces follow
each other in one stream, in the order of the index, as they are or packed by gzip:

    {"schema": "imgcif-heads/1", "packing": "gzip", "files": [
      {"name": "run1/image_0001.cbf", "size": 6224896, "pieces": [[0, 3120]]},
      {"name": "run1/run_master.h5", "size": 90112, "pieces": [[0, 90112]]},
      {"name": "run1/run_data_000001.h5", "size": 1573741824, "pieces": []}]}

A piece is an offset and a length. A file of one piece from its start is written as far as it came; a TIFF may come
in several, with holes where nothing is read; one without pieces is not written: that it exists is all that is told.
"""

import gzip
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from imgcif_core.errors import InputError
from imgcif_core.formats import BY_WORD
from imgcif_core.limits import GIB, MIB
from imgcif_core.records import dataclass

SCHEMA = "imgcif-heads/1"
_LONGEST_PART, _MOST_FOLDERS, _MOST_PIECES = 255, 32, 10_000
# Headers of images that are packed one by one: as much as readers look at.
_UNPACKED = MIB


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How many files there may be, of how many bytes in all, and how large one with holes in it."""

    files: int = 10_000
    bytes: int = 4 * GIB
    file_bytes: int = 2 * GIB


@dataclass(frozen=True, slots=True)
class Head:
    """One file of an index: its name with folders, its whole size, offset and length of its pieces."""

    name: str
    size: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        """How many bytes of it came."""
        return sum(length for _, length in self.pieces)

    @property
    def is_whole(self) -> bool:
        """True if all of it came in one piece."""
        return self.pieces == ((0, self.size),)


def read_index(index: Any, limits: HeadLimits | None = None) -> list[Head]:
    """The files of an index, as JSON gave it.

    Raises
    ------
    InputError
        If it is no index, names files that cannot be, or more than the limits allow.
    """
    allowed = limits or HeadLimits()
    if not isinstance(index, Mapping) or index.get("schema") != SCHEMA or not isinstance(index.get("files"), list):
        raise InputError(f"the index of heads: expected {SCHEMA} with a list of files")
    if index.get("packing") not in (None, "", "gzip"):
        raise InputError("the index of heads: packing is gzip or nothing")
    entries = index["files"]
    if len(entries) > allowed.files:
        raise InputError(f"{len(entries)} files; at most {allowed.files} are taken")
    heads = [_head(number, entry) for number, entry in enumerate(entries, 1)]
    if sum(head.length for head in heads) > allowed.bytes:
        raise InputError(f"the heads have more than {allowed.bytes / 1e6:,.4g} MB in all")
    for head in heads:
        if len(head.pieces) > 1 and head.size > allowed.file_bytes:
            raise InputError(f"{head.name}: larger than {allowed.file_bytes / 1e6:,.4g} MB")
    names = {head.name for head in heads}
    if len(names) < len(heads):
        raise InputError("the index of heads: two files have the same name")
    return heads


def _head(number: int, entry: Any) -> Head:
    """One entry of an index."""
    if not isinstance(entry, Mapping):
        raise InputError(f"file {number} of the index of heads: expected name, size and pieces")
    name, size, pieces = _name(number, entry.get("name")), entry.get("size"), entry.get("pieces")
    if not isinstance(size, int) or not _is_count(size) or not isinstance(pieces, list) or len(pieces) > _MOST_PIECES:
        raise InputError(f"{name}: expected a size in bytes and a list of pieces")
    end, found = 0, []
    for piece in pieces:
        if not isinstance(piece, list) or len(piece) != 2 or not all(map(_is_count, piece)):
            raise InputError(f"{name}: a piece is an offset and a length")
        offset, length = piece
        if offset < end or offset + length > size:
            raise InputError(f"{name}: pieces overlap, or reach beyond the size of {size} bytes")
        end = offset + length
        found.append((offset, length))
    if found and found[0][0] != 0:
        raise InputError(f"{name}: the first piece begins at {found[0][0]}, not at the start of the file")
    return Head(name, size, tuple(found))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 50


def _name(number: int, name: Any) -> str:
    """A name below the folder that was chosen; what would have to be changed is refused, as links are made of it."""
    parts = name.split("/") if isinstance(name, str) else []
    is_taken = (
        0 < len(parts) <= _MOST_FOLDERS
        and all(part not in ("", ".", "..") for part in parts)
        and all(len(part.encode("utf-8", "replace")) <= _LONGEST_PART for part in parts)
        and str(name).isprintable()
        and "\\" not in str(name)
    )
    if not is_taken:
        shown = str(name)[:60].encode("unicode_escape").decode()
        raise InputError(f"file {number} of the index of heads: the name {shown!r} is not taken")
    return str(name)


def unpack_heads(
    index: Any, pieces: BinaryIO, folder: Path, limits: HeadLimits | None = None
) -> tuple[list[str], list[str]]:
    """Write the heads of an index below a folder that is empty.

    Returns
    -------
    The names of the files that were written, and of those of which nothing came; both in the order of the index.

    Raises
    ------
    InputError
        If the index is refused, or does not fit the pieces.
    """
    heads = read_index(index, limits)
    stream = gzip.GzipFile(fileobj=pieces) if index.get("packing") == "gzip" else pieces
    written = []
    try:
        for head in heads:
            if head.pieces:
                _write(head, stream, folder)
                written.append(head.name)
        if stream.read(1):
            raise InputError("more pieces came than the index of heads names")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError("the pieces of heads are damaged") from None
    except OSError as error:
        raise InputError(f"the heads cannot be written: {error.strerror or 'names contradict each other'}") from None
    return written, [head.name for head in heads if not head.pieces]


def _write(head: Head, stream: Any, folder: Path) -> None:
    """Write one file from its pieces."""
    path = folder / head.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if head.name.lower().endswith(".gz") and not head.is_whole:
        path.write_bytes(_repacked(head, b"".join(_piece(head, stream, length) for _, length in head.pieces)))
        return
    with path.open("xb") as file:
        for offset, length in head.pieces:
            file.seek(offset)
            while length:
                part = _piece(head, stream, min(length, MIB))
                file.write(part)
                length -= len(part)
        if len(head.pieces) > 1:
            file.truncate(head.size)
    if len(head.pieces) > 1:
        _refuse_holes(head, path)


def _refuse_holes(head: Head, path: Path) -> None:
    """Refuse a file with holes where its reader looks: it would take the zeros there for what the file says.

    Only of TIFF is it known where that is.
    """
    from imgcif_core.images.tiff_pages import MARKS, mapped
    from imgcif_core.sources.tiff import needed

    with mapped(str(path)) as data:
        if data[:4] not in MARKS:
            raise InputError(f"{head.name}: only a TIFF is taken in several pieces")
        starts, ends = _joined(head.pieces)
        for start, length in needed(data):
            index = bisect_right(starts, start) - 1
            if index < 0 or start + length > ends[index]:
                raise InputError(f"{head.name}: {length} bytes from {start} on, which tell of the image, did not come")


def _joined(pieces: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Starts and ends of the parts of a file without holes, in order."""
    starts: list[int] = []
    ends: list[int] = []
    for offset, length in pieces:
        if ends and offset == ends[-1]:
            ends[-1] += length
        else:
            starts.append(offset)
            ends.append(offset + length)
    return starts, ends


def _piece(head: Head, stream: Any, length: int) -> bytes:
    part: bytes = stream.read(length)
    if len(part) < length:
        raise InputError(f"{head.name}: fewer bytes came than the index of heads tells")
    return part


def _repacked(head: Head, begin: bytes) -> bytes:
    """A file that was packed by itself, cut off, as one that ends where its unpacked head does."""
    try:
        return gzip.compress(zlib.decompressobj(31).decompress(begin, _UNPACKED), 1)
    except zlib.error:
        raise InputError(f"{head.name}: is not packed by gzip") from None


def sources_of(written: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Which files describe the experiment, and which are the masters behind an experiment list."""
    lists = [name for name in written if name.lower().endswith((".expt", ".json"))]
    masters = [name for name in written if name.lower().endswith(BY_WORD["HDF5"].suffixes)]
    if lists and masters:
        return [name for name in written if name not in set(masters)], tuple(masters)
    return list(written), ()
