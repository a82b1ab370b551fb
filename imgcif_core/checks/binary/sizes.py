"""Rules about the number of elements: header against header, tables and data."""

from collections.abc import Iterator

from imgcif_core.checks.binary.sections import Binary, product
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.images.limits import BytesError
from imgcif_core.images.payload import read_bytes

_ELEMENTS = "x-binary-number-of-elements"
_FASTEST = "x-binary-size-fastest-dimension"


def times(dimensions: tuple[int, ...]) -> str:
    """Dimensions for a message: 2463 x 2527."""
    return " x ".join(str(size) for size in dimensions)


def without_ones(dimensions: tuple[int, ...]) -> tuple[int, ...]:
    """Dimensions without the slowest ones of size 1."""
    end = len(dimensions)
    while end > 1 and dimensions[end - 1] == 1:
        end -= 1
    return dimensions[:end]


@rule(
    "BIN004",
    "element-count-mismatch",
    severity="error",
    source="_array_data.data",
    message="X-Binary-Number-of-Elements is {elements}, but the dimensions {dimensions} give {expected}",
)
def element_count_mismatch(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The number of elements in the header is not the product of the dimensions in the header.
    Why: Readers reserve memory by the one and form rows by the other, and one of them is wrong.
    How to fix: Write the true dimensions; the number of elements is their product.
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Number-of-Elements and X-Binary-Size-Fastest-Dimension.
    """
    judged = [binary for binary in array_binaries if binary.header.elements is not None and binary.header.dimensions]
    if not judged:
        raise NotApplicable("no header gives number and dimensions")
    for binary in judged:
        dimensions = binary.header.dimensions
        expected = product(dimensions)
        elements = binary.header.elements or 0
        # One dimension alone is a row of an image whose other dimensions are not stated.
        is_whole = len(dimensions) > 1 or "x-binary-size-second-dimension" in binary.header.fields
        if elements != expected and (is_whole or expected == 0 or elements % expected):
            yield Problem(binary.at(_ELEMENTS), elements=elements, dimensions=times(dimensions), expected=expected)


@rule(
    "BIN005",
    "dimensions-and-tables",
    severity="error",
    source="_array_structure_list.dimension",
    message="header of the section gives {found} elements ({header}), but ARRAY_STRUCTURE_LIST {listed} = {total}",
    messages={
        "order": "header of the section gives {header}, fastest first, but ARRAY_STRUCTURE_LIST gives {listed}",
    },
)
def dimensions_and_tables(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The dimensions of the embedded image differ from those of its array in ARRAY_STRUCTURE_LIST.
    Why: With another number of pixels the geometry does not fit the image; in another order it is transposed.
    How to fix: Give the dimension with precedence 1 the value of X-Binary-Size-Fastest-Dimension, and so on.
    Source: Dictionary imgCIF, _array_structure_list.dimension and .precedence; _array_data.data.
    """
    judged = 0
    for binary in array_binaries:
        listed = binary.array.dimensions if binary.array is not None else ()
        header, elements = binary.header.dimensions, binary.header.elements
        if not listed or not (len(header) > 1 or elements is not None):
            continue
        judged += 1
        total = product(listed)
        # A slower dimension that the header leaves out is only known through the number of elements.
        is_open = len(header) < len(listed) and elements is None
        found = elements if len(header) < 2 else product(header)
        if len(header) > 1 and elements is not None and len(header) < len(listed):
            found = max(product(header), elements)
        if found != total and not (is_open and header == listed[: len(header)]):
            shown = times(header) if len(header) > 1 else "X-Binary-Number-of-Elements"
            place = binary.at(_FASTEST, _ELEMENTS)
            yield Problem(place, found=found, header=shown, listed=times(listed), total=total)
        elif found == total and len(header) > 1:
            short = without_ones(listed)
            if without_ones(header) != short[: len(without_ones(header))]:
                yield Problem(
                    binary.at(_FASTEST),
                    variant="order",
                    severity="warning",
                    header=times(header),
                    listed=times(listed),
                )
    if not judged:
        raise NotApplicable("no section has dimensions in header and tables")


@rule(
    "BIN008",
    "decoded-count-mismatch",
    severity="error",
    source="_array_data.data",
    message="the {compression} data hold {found} elements, but {stated} are stated",
    messages={"cut": "the {compression} data end within an element, after {found} of {stated} stated elements"},
)
def decoded_count_mismatch(array_binaries: list[Binary], options: CheckOptions) -> Iterator[Problem]:
    """What: The compressed data hold another number of elements than header or tables state.
    Why: The image cannot be formed from them: rows are missing, or the data belong to another image.
    How to fix: Write the section again from its source.
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Number-of-Elements; CBFlib manual on the compressions.
    """
    judged, unknown = 0, ""
    for binary in array_binaries:
        compression, stated = binary.header.compression, binary.stated_elements()
        if compression in (None, "none") or stated is None or not binary.is_whole:
            continue
        found, is_cut = binary.payload.elements, binary.payload.is_cut
        if found is None and options.images in ("sample", "all"):
            found, is_cut = _decoded_count(binary)
        if found is None:
            unknown = f"only decoding tells how many elements {compression} data hold"
            continue
        judged += 1
        if found != stated or is_cut:
            yield Problem(
                binary.at(_ELEMENTS, _FASTEST),
                variant="cut" if is_cut else "",
                compression=compression,
                found=found,
                stated=stated,
            )
    if unknown and not judged:
        raise NotChecked(unknown)
    if not judged:
        raise NotApplicable("no compressed section with a number of elements")


def _decoded_count(binary: Binary) -> tuple[int | None, bool]:
    """The number of elements that decoding gives, and whether the data end within one."""
    if binary.header.compression != "byte_offset":
        return None, False
    body = read_bytes(binary.source.data, binary.section, binary.header)
    try:
        from imgcif_core.images.decode import count_byte_offset

        return count_byte_offset(body)
    except BytesError:
        return None, False


@rule(
    "BIN011",
    "uncompressed-size-mismatch",
    severity="error",
    source="_array_data.data",
    message="X-Binary-Size is {size}, but {elements} elements of type {type} need {expected} bytes",
)
def uncompressed_size_mismatch(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The data are not compressed, and their size is not that of their elements.
    Why: Number, type or size is wrong, and the pixels are read at the wrong places.
    How to fix: State the compression in the parameter conversions, or correct number, type or size.
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Size and X-Binary-Element-Type.
    """
    judged = 0
    for binary in array_binaries:
        header = binary.header
        elements = binary.stated_elements()
        if header.compression != "none" or header.size is None or header.element_type is None or elements is None:
            continue
        judged += 1
        expected = -(-elements * int(header.element_type.bytes_per_element * 8) // 8)
        if header.size != expected:
            yield Problem(
                binary.at("x-binary-size"),
                size=header.size,
                elements=elements,
                type=header.element_type.text,
                expected=expected,
            )
    if not judged:
        raise NotApplicable("no uncompressed section with size, type and number")


@rule(
    "BIN014",
    "implausible-data",
    severity="info",
    source="_array_data.data",
    message="all {size} bytes of the data are null",
    messages={"ratio": "{compression} data take {size} bytes, {ratio:.2g} times the {plain} bytes of the plain image"},
)
def implausible_data(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The data are all null, or compression made them larger.
    Why: An image without a single count, or noise of full width, is rarely what was measured.
    How to fix: Look at the image; a dark frame or a mask may be right.
    Source: Dictionary imgCIF, _array_data.data.
    """
    for binary in array_binaries:
        header = binary.header
        if not binary.is_whole:
            continue
        size = header.size if header.size is not None else binary.payload.available
        elements = binary.stated_elements()
        if binary.payload.is_zero:
            yield Problem(binary.at("x-binary-size"), size=size)
        elif header.compression not in (None, "none") and header.element_type is not None and elements:
            plain = elements * header.element_type.bytes_per_element
            if size > 1.05 * plain + 64:
                yield Problem(
                    binary.at("x-binary-size"),
                    variant="ratio",
                    compression=header.compression,
                    size=size,
                    ratio=size / plain,
                    plain=int(plain),
                )
