"""Image files of the formats that fabio reads: SMV, TIFF, MAR, Bruker and others.

The class that reads a file is the one that the table of formats names. fabio's own choice would take
formats that hold Python objects, unpack with programs of the system, and follow names with `::`.
"""

import os
from functools import lru_cache
from typing import Any

import numpy as np

from imgcif_core.formats import fabio_readers
from imgcif_core.images.limits import GIB, BytesError, refuse_large
from imgcif_core.images.tiff_pages import refuse_circles

MAX_FRAME_BYTES = 1 * GIB
MAX_HEADER = 200


@lru_cache(maxsize=1)
def _open(path: str, reader: str, state: tuple[int, int]) -> Any:
    """The open file, kept for the next request."""
    if reader not in fabio_readers():
        raise BytesError("unsupported", "no reader is known for this format")
    try:
        from fabio import fabioformats
    except ImportError:
        raise BytesError("unsupported", "this format is read by fabio, which is not installed") from None
    refuse_circles(path)
    return fabioformats.factory(reader).read(path)


def _opened(path: str, reader: str) -> Any:
    """The open file; one that has changed is opened again."""
    found = os.stat(path)
    return _open(path, reader, (found.st_size, found.st_mtime_ns))


def facts(path: str, reader: str) -> dict[str, Any]:
    """Number of frames, shape (slow, fast), type and header of a file."""
    image = _opened(path, reader)
    shape = image.shape
    header = {str(name): str(value)[:400] for name, value in list(image.header.items())[:MAX_HEADER]}
    return {
        "frames": int(image.nframes),
        "shape": [int(size) for size in shape],
        "dtype": np.dtype(image.dtype).str,
        "header": header,
    }


def frame(path: str, reader: str, index: int, most: int = MAX_FRAME_BYTES) -> np.ndarray:
    """The pixels of one frame of at most so many bytes: (slow, fast)."""
    image = _opened(path, reader)
    refuse_large(int(np.prod(image.shape, dtype=object)) * np.dtype(image.dtype).itemsize, most, "a frame")
    if not 0 <= index < image.nframes:
        raise BytesError("missing", f"the file has {image.nframes} frames, no number {index + 1}")
    try:
        found: np.ndarray | None = image.get_frame(index).data if image.nframes > 1 else image.data
    except NotImplementedError:
        found = _by_pillow(path, index)
    if found is None:
        raise BytesError("damaged", "no pixels could be decoded")
    if found.nbytes > MAX_FRAME_BYTES:
        raise BytesError("limit", f"a frame of {found.nbytes} bytes, more than {MAX_FRAME_BYTES}")
    return found


def _by_pillow(path: str, index: int) -> np.ndarray:
    """A page of a compressed TIFF, of which fabio itself gives the first alone."""
    from PIL import Image

    with Image.open(path) as image:
        image.seek(index)
        return np.array(image)
