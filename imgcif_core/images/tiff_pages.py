"""The directories of a TIFF: one for each image, each naming the place of the next.

Readers of images follow these places without looking back, so that a file whose directories lead in a
circle would be read for ever. They are walked here before any other reader sees the file.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from imgcif_core.formats import BY_WORD
from imgcif_core.images.limits import BytesError

# More images than the longest stacks hold; a directory takes some hundred bytes.
MAX_PAGES = 1_000_000
# The order of bytes and the version of a TIFF are its first four bytes.
MARKS = tuple({magic.mark[:4] for magic in BY_WORD["TIFF"].magic})


def refuse_circles(path: str, label: str = "the TIFF") -> None:
    """Raise where a file begins as a TIFF whose directories cannot be walked to an end.

    Raises
    ------
    BytesError
        `damaged`, or `limit` for more directories than are read.
    """
    with mapped(path) as data:
        if data[:4] in MARKS:
            for _ in directories(data, label):
                pass


@contextmanager
def mapped(path: str) -> Iterator[bytes | mmap.mmap]:
    """The bytes of a file, of which only what is looked at is read; none for an empty one."""
    with open(path, "rb") as file:
        try:
            found = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):
            yield file.read(16)
            return
        with found:
            yield found


def directories(data: bytes | mmap.mmap, label: str) -> Iterator[tuple[int, int]]:
    """Offset of the first entry and number of entries of each directory, in the order of the images.

    Raises
    ------
    BytesError
        `damaged` where they lead in a circle or out of the file, `limit` where they are too many.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    count_form, place_form = ("Q", "Q") if is_big else ("H", "I")
    front, width = (8, 20) if is_big else (2, 12)
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(order + place_form, data, 8 if is_big else 4)
        while place:
            if place in seen:
                raise BytesError("damaged", f"{label} names directory {place} again: its images lead in a circle")
            if len(seen) >= MAX_PAGES:
                raise BytesError("limit", f"{label} holds more than {MAX_PAGES} images")
            seen.add(place)
            (count,) = struct.unpack_from(order + count_form, data, place)
            yield place + front, count
            (place,) = struct.unpack_from(order + place_form, data, place + front + count * width)
    except struct.error:
        raise BytesError("damaged", f"{label} is cut off at {len(data)} bytes") from None
    except (OverflowError, ValueError):
        raise BytesError("damaged", f"{label} has a directory outside its {len(data)} bytes") from None
