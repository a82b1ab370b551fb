"""Binary sections of a CBF from arrays: byte-offset compression, MIME header, digest."""

import base64
import hashlib

import numpy as np

MAGIC = b"\x0c\x1a\x04\xd5"
BOUNDARY = "--CIF-BINARY-FORMAT-SECTION--"
_TYPES = {
    "int8": "signed 8-bit integer",
    "uint8": "unsigned 8-bit integer",
    "int16": "signed 16-bit integer",
    "uint16": "unsigned 16-bit integer",
    "int32": "signed 32-bit integer",
    "uint32": "unsigned 32-bit integer",
    "float32": "signed 32-bit real IEEE",
    "float64": "signed 64-bit real IEEE",
}
# Differences that fit are written in 1, 2, 4 or 8 bytes, the longer ones after escapes.
_LIMITS = (127, 32767, 2147483647)


def element_type(array: np.ndarray) -> str:
    """The name of the type of an array's elements in imgCIF.

    Raises
    ------
    ValueError
        If imgCIF has no such type.
    """
    name = array.dtype.name
    if name not in _TYPES:
        raise ValueError(f"imgCIF has no elements of type {name}")
    return _TYPES[name]


def byte_offset(values: np.ndarray) -> bytes:
    """Integers as differences from the one before: all at once, by the width that each needs."""
    steps = np.diff(values.astype(np.int64).ravel(), prepend=np.int64(0))
    size = np.abs(steps)
    width = np.where(size <= _LIMITS[0], 1, np.where(size <= _LIMITS[1], 3, np.where(size <= _LIMITS[2], 7, 15)))
    starts = np.concatenate([[0], np.cumsum(width)])
    packed = np.zeros(int(starts[-1]), dtype=np.uint8)
    places = starts[:-1]
    packed[places[width == 1]] = steps[width == 1].astype(np.int8).view(np.uint8)
    for total, escape, kind in (
        (3, b"\x80", "<i2"),
        (7, b"\x80\x00\x80", "<i4"),
        (15, b"\x80\x00\x80\x00\x00\x00\x80", "<i8"),
    ):
        chosen = width == total
        if not chosen.any():
            continue
        numbers = steps[chosen].astype(kind).view(np.uint8).reshape(-1, np.dtype(kind).itemsize)
        head = np.broadcast_to(np.frombuffer(escape, np.uint8), (len(numbers), len(escape)))
        packed[places[chosen][:, None] + np.arange(total)] = np.concatenate([head, numbers], axis=1)
    return packed.tobytes()


def section(array: np.ndarray, binary_id: int, compress: bool = True) -> bytes:
    """A text field with an image (slow, fast), by byte offset if it shall be compressed; integers only."""
    data = byte_offset(array) if compress else np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    conversions = ';\r\n     conversions="x-CBF_BYTE_OFFSET"' if compress else ""
    lines = [
        BOUNDARY,
        f"Content-Type: application/octet-stream{conversions}",
        "Content-Transfer-Encoding: BINARY",
        f"X-Binary-Size: {len(data)}",
        f"X-Binary-ID: {binary_id}",
        f'X-Binary-Element-Type: "{element_type(array)}"',
        "X-Binary-Element-Byte-Order: LITTLE_ENDIAN",
        f"Content-MD5: {digest}",
        f"X-Binary-Number-of-Elements: {array.size}",
        f"X-Binary-Size-Fastest-Dimension: {array.shape[1]}",
        f"X-Binary-Size-Second-Dimension: {array.shape[0]}",
        "X-Binary-Size-Third-Dimension: 1",
        "X-Binary-Size-Padding: 4095",
        "",
        "",
    ]
    head = "\r\n".join(lines).encode("ascii")
    return b";\r\n" + head + MAGIC + data + bytes(4095) + f"\r\n{BOUNDARY}--\r\n;\r\n".encode("ascii")
