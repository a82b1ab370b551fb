"""Rules about what the elements are: type, byte order and compression, header against tables."""

import re
from collections.abc import Iterator

from imgcif_core.checks.binary.sections import Binary
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.images.mime import DEFAULT_ELEMENT_TYPE, element_type

BYTE_ORDERS = ("little_endian", "big_endian")
_TYPE_FIELD = "x-binary-element-type"
_ORDER_FIELD = "x-binary-element-byte-order"


@rule(
    "BIN006",
    "element-type-and-tables",
    severity="error",
    source="_array_structure.encoding_type",
    message="header of the section gives elements of type {header}, but encoding_type is {listed}",
    messages={
        "order": "header of the section gives the byte order {header}, but byte_order is {listed}",
        "unknown": "X-Binary-Element-Type is {header!r}, which is no type of elements",
    },
)
def element_type_and_tables(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: Type or byte order of the embedded elements differs from what ARRAY_STRUCTURE says of the array.
    Why: Elements read with the wrong width or kind are nonsense; a wrong sign turns marked pixels into high counts.
    How to fix: Correct encoding_type and byte_order; the header is what the writing program used.
    Source: Dictionary imgCIF, _array_structure.encoding_type and .byte_order; _array_data.data.
    """
    for binary in array_binaries:
        header = binary.header
        if _TYPE_FIELD in header.fields and header.element_type is None:
            yield Problem(binary.at(_TYPE_FIELD), variant="unknown", header=header.fields[_TYPE_FIELD].strip('"'))
        array = binary.array
        if array is None:
            continue
        own, listed = header.element_type, element_type(array.encoding_type)
        if own is not None and listed is not None and own != listed:
            same = (own.kind, own.bits) == (listed.kind, listed.bits)
            if not same or own.is_signed != listed.is_signed:
                yield Problem(
                    binary.at(_TYPE_FIELD),
                    severity="warning" if same else None,
                    header=own.text,
                    listed=listed.text,
                )
        if header.byte_order in BYTE_ORDERS and array.byte_order and header.byte_order != array.byte_order:
            yield Problem(
                binary.at(_ORDER_FIELD),
                severity="warning",
                variant="order",
                header=header.byte_order.upper(),
                listed=array.byte_order,
            )


@rule(
    "BIN007",
    "compression-and-tables",
    severity="warning",
    source="_array_structure.compression_type",
    message="header of the section says {header}, but compression_type is {listed}",
    messages={"unknown": "conversions is {header!r}, which names no compression that CBF knows"},
    helps={"unknown": "name in conversions how the bytes are packed, for example x-CBF_BYTE_OFFSET"},
)
def compression_and_tables(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The header names an unknown compression, or another one than ARRAY_STRUCTURE.
    Why: A program that follows the table decodes the data wrongly, or not at all.
    How to fix: Write in compression_type what the header says, without its prefix x-CBF_.
    Source: Dictionary imgCIF, _array_structure.compression_type; _array_data.data, parameter conversions.
    """
    for binary in array_binaries:
        header, array = binary.header, binary.array
        if header.compression is None:
            yield Problem(binary.at("content-type"), variant="unknown", header=header.conversions)
        elif array is not None and array.compression is not None and array.compression != header.compression:
            shown = header.conversions or "nothing of a compression"
            remedy = f"write {header.compression} as _array_structure.compression_type, if the header is right"
            yield Problem(binary.at("content-type"), help=remedy, header=shown, listed=array.compression)


@rule(
    "BIN009",
    "element-type-missing",
    severity="warning",
    source="_array_data.data",
    message="header gives no X-Binary-Element-Type, so the elements are of type {default}{remark}",
)
def element_type_missing(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The header of a section does not state the type of its elements.
    Why: The default is unsigned 32-bit integer, which few detectors write; marked pixels then read as high counts.
    How to fix: State X-Binary-Element-Type, for example "signed 32-bit integer".
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Element-Type.
    """
    for binary in array_binaries:
        if _TYPE_FIELD not in binary.header.fields and binary.section.headers:
            listed = binary.array.encoding_type if binary.array is not None else None
            remark = f", while encoding_type is {listed}" if listed and listed != DEFAULT_ELEMENT_TYPE else ""
            yield Problem(binary.at(), default=DEFAULT_ELEMENT_TYPE, remark=remark)


@rule(
    "BIN012",
    "big-endian-elements",
    severity="warning",
    source="_array_data.data",
    message="elements are stored with the byte order BIG_ENDIAN, which special software alone can read",
    messages={"unknown": "byte order is {order}, expected LITTLE_ENDIAN or BIG_ENDIAN"},
)
def big_endian_elements(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The elements of a section are stored with the most significant byte first.
    Why: The dictionary recommends LITTLE_ENDIAN alone, and most readers take it for granted.
    How to fix: Write the data with LITTLE_ENDIAN.
    Source: Dictionary imgCIF, _array_data.data, X-Binary-Element-Byte-Order.
    """
    for binary in array_binaries:
        order = binary.header.byte_order
        if order == "big_endian":
            yield Problem(binary.at(_ORDER_FIELD))
        elif order is not None and order not in BYTE_ORDERS:
            yield Problem(binary.at(_ORDER_FIELD), variant="unknown", order=order.upper())


@rule(
    "BIN016",
    "packed-flags-and-tables",
    severity="warning",
    source="_array_structure.compression_type_flag",
    message="header of the section gives the flag {header}, but compression_type_flag is {listed}",
)
def packed_flags_and_tables(array_binaries: list[Binary]) -> Iterator[Problem]:
    """What: The flags of packed compression in the header are not those in ARRAY_STRUCTURE.
    Why: The flags change how values are averaged, and the dictionary asks for them in both places.
    How to fix: Write the flag of the header, flat or uncorrelated_sections, as compression_type_flag.
    Source: Dictionary imgCIF, _array_data.data, parameter conversions; _array_structure.compression_type_flag.
    """
    judged = 0
    for binary in array_binaries:
        array = binary.array
        if binary.header.compression not in ("packed", "packed_v2") or array is None or array.structure_row is None:
            continue
        judged += 1
        listed = frozenset(re.split(r"[\s,]+", array.compression_flag)) if array.compression_flag else frozenset()
        if listed != binary.header.flags:
            shown = " ".join(sorted(binary.header.flags)) or "none"
            yield Problem(binary.at("content-type"), header=shown, listed=array.compression_flag or "not given")
    if not judged:
        raise NotApplicable("no packed section of a described array")
