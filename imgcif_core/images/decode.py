"""From the bytes of a binary section to pixels, with every count checked before memory is taken."""

from typing import Any

import numpy as np

from imgcif_core.cif.document import BinarySection
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import MAX_IMAGE_BYTES, BytesError, refuse_large
from imgcif_core.images.mime import ElementType, SectionHeader, element_type
from imgcif_core.images.payload import read_bytes
from imgcif_core.images.transfer import TransferError

KNOWN = frozenset({"none", "byte_offset", "packed", "packed_v2", "canonical", "nibble_offset"})
# The least number of bits that one element takes: packed data hold blocks of 128 equal steps in some 6 bits.
_LEAST_BITS = {"byte_offset": 8.0, "nibble_offset": 4.0, "canonical": 1.0, "packed": 0.04, "packed_v2": 0.0001}
_LONG_ESCAPE = b"\x80\x00\x80\x00\x00\x00\x80"
_PADS = bytes(range(1, 17))
_DEFAULT = element_type("unsigned 32-bit integer")


def decode_section(
    data: bytes,
    section: BinarySection,
    header: SectionHeader,
    helper: Helper,
    dimensions: tuple[int, ...] = (),
) -> np.ndarray:
    """The pixels of a section: (slow, fast), or (sections, slow, fast).

    Parameters
    ----------
    helper :
        The process in which the decoders run that may fall on damaged data.
    dimensions :
        Dimensions, fastest first, for a header that gives none.

    Raises
    ------
    BytesError
        `unsupported` if nothing installed decodes it, `damaged`, `limit` or `crashed`.
    """
    if not header.is_array:
        raise BytesError("unsupported", f"content of type {header.fields['content-type']} is no array")
    if header.compression not in KNOWN:
        raise BytesError("unsupported", f"nothing installed decodes {header.conversions}")
    shape = image_shape(header.dimensions if len(header.dimensions) > 1 else dimensions)
    kind = header.element_type or _DEFAULT
    try:
        body = read_bytes(data, section, header)
    except TransferError as fault:
        raise BytesError("damaged", str(fault)) from None
    elements = _elements(header, shape, kind, len(body), helper)
    if header.compression == "none":
        pixels = _plain(body, header, kind, elements)
    elif header.compression == "byte_offset" and kind is not None and kind.kind == "complex":
        raise BytesError("unsupported", "byte_offset data of complex elements are not decoded")
    elif header.compression == "byte_offset":
        pixels = decode_byte_offset(body, elements, kind)
    else:
        pixels = _by_cbflib(body, header, kind, elements, helper)
    return pixels.reshape(shape) if shape else pixels


def image_shape(dimensions: tuple[int, ...]) -> tuple[int, ...]:
    """Dimensions, fastest first, as the shape of an array: slowest first, without third ones of size 1."""
    while len(dimensions) > 2 and dimensions[-1] == 1:
        dimensions = dimensions[:-1]
    return dimensions[::-1]


def _elements(
    header: SectionHeader, shape: tuple[int, ...], kind: ElementType | None, size: int, helper: Helper
) -> int | None:
    """The number of elements to decode, None where nobody states it; refused where the data cannot hold them."""
    elements = int(np.prod(shape, dtype=object)) if shape else header.elements
    if elements is None:
        return None
    width = kind.bytes_per_element if kind else 4.0
    if elements * max(width, 4.0) > MAX_IMAGE_BYTES:
        raise BytesError("limit", f"{elements} elements are more than an image may have ({MAX_IMAGE_BYTES >> 20} MB)")
    least = _LEAST_BITS.get(header.compression or "none", width * 8)
    if elements * least > size * 8:
        raise BytesError("damaged", f"{size} bytes cannot hold {elements} elements of {header.compression} data")
    refuse_large(int(elements * max(width, 4.0)), helper.image_bytes, "the image")
    return elements


def _plain(body: memoryview, header: SectionHeader, kind: ElementType | None, elements: int | None) -> np.ndarray:
    """Elements that are not compressed."""
    dtype = kind.dtype(header.byte_order or "little_endian") if kind else np.dtype("<u4")
    if kind is not None and kind.bits == 1:
        bits = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")
        return bits[:elements]
    usable = len(body) // dtype.itemsize
    if elements is not None and usable < elements:
        raise BytesError("damaged", f"{len(body)} bytes hold {usable} elements, not {elements}")
    return np.frombuffer(body, dtype, count=usable if elements is None else elements)


def decode_byte_offset(body: bytes | memoryview, elements: int | None, kind: ElementType | None) -> np.ndarray:
    """The elements of byte_offset data, decoded by fabio.

    Raises
    ------
    BytesError
        `unsupported` without fabio, `damaged` if the data hold another number of elements.
    """
    values = _without_pads(body, elements, kind)
    if values is not None:
        return _as_kind(values, kind)
    values, pads = _with_pads(body, len(body) if elements is None else elements, kind)
    found = len(values) - pads
    if pads < len(_PADS):
        if elements is not None and len(values) == elements + len(_PADS):
            raise BytesError("damaged", f"byte_offset data hold more than {elements} elements")
        raise BytesError("damaged", f"byte_offset data end within an element, after {max(0, found - 1)}")
    if elements is not None and found != elements:
        raise BytesError("damaged", f"byte_offset data hold {found} elements, not {elements}")
    return _as_kind(values[:found], kind)


def _as_kind(values: np.ndarray, kind: ElementType | None) -> np.ndarray:
    """Integers as elements of a type; reals are packed by their bits, as CBFlib does."""
    if kind is None:
        return values
    if kind.kind == "integer":
        return values.astype(kind.dtype(), copy=False)
    return values.astype(f"<i{kind.bits // 8}", copy=False).view(kind.dtype())


def count_byte_offset(body: bytes | memoryview) -> tuple[int, bool]:
    """The number of whole elements of byte_offset data, found by decoding, and whether they end within one.

    Raises
    ------
    BytesError
        `unsupported` without fabio.
    """
    values, pads = _with_pads(body, len(body), None)
    is_cut = pads < len(_PADS)
    return len(values) - pads - is_cut, is_cut


def _without_pads(body: bytes | memoryview, elements: int | None, kind: ElementType | None) -> np.ndarray | None:
    """The elements, where their number fits at once; None where a closer look is needed.

    Without an escape at the very end the decoder reads nothing behind it. One that it takes for 32 bits
    although it has 64 leaves elements over, so that the number does not fit.
    """
    is_narrow = kind is None or kind.bits <= 32
    if elements is None or not is_narrow or len(body) > MAX_IMAGE_BYTES or 0x80 in body[-len(_PADS) :]:
        return None
    values = _fabio_codec().dec_cbf32(bytes(body), elements + 1)
    return np.asarray(values) if len(values) == elements else None


def _with_pads(body: bytes | memoryview, most: int, kind: ElementType | None) -> tuple[np.ndarray, int]:
    """Up to `most` elements and 16 pads after them, and how many pads were decoded as elements of their own.

    The decoder reads up to 14 bytes behind the end, which must be ours. The pads count up, so that
    the last differences tell how many of them a cut-off escape has swallowed.
    """
    byte_offset = _fabio_codec()
    if len(body) > MAX_IMAGE_BYTES - len(_PADS):
        raise BytesError("limit", f"{len(body)} bytes of byte_offset data are more than an image may have")
    stream = bytes(body) + _PADS
    is_narrow = (kind is None or kind.bits <= 32) and _LONG_ESCAPE not in stream
    decoder = byte_offset.dec_cbf32 if is_narrow else byte_offset.dec_cbf
    values = np.asarray(decoder(stream, most + len(_PADS)))
    # Differences wrap around as the elements do.
    tail = np.concatenate([np.zeros(1, dtype=values.dtype), values[-len(_PADS) - 1 :]])
    steps = np.diff(tail)[-len(_PADS) :]
    wrong = np.flatnonzero(steps[::-1] != np.arange(16, 16 - len(steps), -1))
    return values, int(wrong[0]) if len(wrong) else len(steps)


def _fabio_codec() -> Any:
    """fabio's compiled codec."""
    try:
        from fabio.ext import byte_offset
    except ImportError:
        raise BytesError("unsupported", "byte_offset data are decoded by fabio, which is not installed") from None
    return byte_offset


def _by_cbflib(
    body: memoryview, header: SectionHeader, kind: ElementType | None, elements: int | None, helper: Helper
) -> np.ndarray:
    """Elements decoded by CBFlib, in the helper, from a file that holds this section alone."""
    if header.compression != "nibble_offset":
        front = int.from_bytes(body[:8], "little") if len(body) >= 8 else 0
        if elements is not None and front != elements:
            raise BytesError("damaged", f"{header.compression} data hold {front} elements, not {elements}")
        width = kind.bytes_per_element if kind else 4.0
        if front * max(width, 4.0) > MAX_IMAGE_BYTES or front * _LEAST_BITS[header.compression or ""] > len(body) * 8:
            raise BytesError("limit", f"{len(body)} bytes of {header.compression} data claim to hold {front} elements")
        refuse_large(int(front * max(width, 4.0)), helper.image_bytes, "the image")
    is_real = kind is not None and kind.kind == "real"
    if kind is not None and kind.kind == "complex":
        raise BytesError("unsupported", "CBFlib does not decode complex elements")
    if header.compression == "canonical" and kind is not None and kind.is_signed and kind.bits < 32:
        raise BytesError("unsupported", f"CBFlib gives wrong values for canonical data of type {kind.text}")
    arguments = {"is_real": is_real, "compression": header.compression}
    array = helper.array("cbflib", arguments, single_section_file(body, header))
    return array.view(kind.dtype()) if kind is not None and array.dtype.itemsize == kind.dtype().itemsize else array


def single_section_file(body: bytes | memoryview, header: SectionHeader) -> bytes:
    """A CBF with one binary section: the same data, raw, under the fields that decoding needs."""
    fields = ["Content-Transfer-Encoding: BINARY", f"X-Binary-Size: {len(body)}", "X-Binary-ID: 1"]
    flags = "".join(f" {flag}" for flag in sorted(header.flags))
    fields.insert(0, f'Content-Type: application/octet-stream;\n     conversions="x-CBF_{_token(header)}{flags}"')
    kind = header.element_type or _DEFAULT
    if kind is not None:
        fields.append(f'X-Binary-Element-Type: "{kind.text}"')
    fields.append(f"X-Binary-Element-Byte-Order: {(header.byte_order or 'little_endian').upper()}")
    names = ("Fastest", "Second", "Third")
    if header.elements is not None:
        fields.append(f"X-Binary-Number-of-Elements: {header.elements}")
    fields += [f"X-Binary-Size-{name}-Dimension: {size}" for name, size in zip(names, header.dimensions)]
    head = "###CBF: VERSION 1.5\n\ndata_image\n\n_array_data.data\n;\n--CIF-BINARY-FORMAT-SECTION--\n"
    text = head + "\n".join(fields) + "\n\n"
    return text.encode("ascii") + b"\x0c\x1a\x04\xd5" + bytes(body) + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n"


def _token(header: SectionHeader) -> str:
    """The compression as the parameter conversions spells it."""
    return (header.compression or "none").upper()
