"""MIME headers of binary sections as typed values."""

import numpy as np
import pytest

from imgcif_core.images.mime import SectionHeader, element_type


def header(**fields: str) -> SectionHeader:
    return SectionHeader({name.replace("_", "-"): value for name, value in fields.items()})


@pytest.mark.parametrize(
    ("text", "dtype", "width", "largest"),
    [
        ("signed 32-bit integer", "<i4", 4.0, 2**31 - 1),
        ('"unsigned 16-bit integer"', "<u2", 2.0, 65535),
        ("Signed  8-Bit Integer", "<i1", 1.0, 127),
        ("signed 32-bit real IEEE", "<f4", 4.0, float(np.finfo(np.float32).max)),
        ("signed 64-bit real IEEE", "<f8", 8.0, float(np.finfo(np.float64).max)),
        # A complex element of 32 bits has two numbers of 32 bits.
        ("signed 32-bit complex IEEE", "<c8", 8.0, float(np.finfo(np.complex64).max)),
        ("unsigned 1-bit integer", "<u1", 0.125, 1),
    ],
)
def test_a_phrase_names_a_type(text: str, dtype: str, width: float, largest: float) -> None:
    kind = element_type(text)
    assert kind is not None
    assert (kind.dtype(), kind.bytes_per_element, kind.largest) == (np.dtype(dtype), width, largest)


@pytest.mark.parametrize("text", [None, "", "BINARY", "signed 24-bit integer", "32-bit number", "signed 16-bit real"])
def test_other_phrases_name_none(text: str | None) -> None:
    assert element_type(text) is None


def test_big_endian_elements_have_a_type_of_their_own() -> None:
    kind = element_type("signed 32-bit integer")
    assert kind is not None and kind.dtype("big_endian") == np.dtype(">i4")


@pytest.mark.parametrize(
    ("content_type", "compression", "flags"),
    [
        ('application/octet-stream; conversions="x-CBF_PACKED"', "packed", set()),
        ('application/octet-stream;conversions="X-CBF-BYTE-OFFSET"', "byte_offset", set()),
        ("application/octet-stream; conversions=x-CBF_CANONICAL", "canonical", set()),
        ('application/octet-stream; conversions="x-CBF_PACKED_V2 flat"', "packed_v2", {"flat"}),
        (
            'application/octet-stream; conversions="CBF_PACKED uncorrelated_sections"',
            "packed",
            {"uncorrelated_sections"},
        ),
        ("application/octet-stream", "none", set()),
        ('application/octet-stream; conversions="gzip"', None, set()),
    ],
)
def test_conversions_name_compression_and_flags(content_type: str, compression: str | None, flags: set[str]) -> None:
    found = header(content_type=content_type)
    assert (found.compression, found.flags) == (compression, flags)


def test_numbers_are_whole_and_bounded() -> None:
    found = header(x_binary_size="12", x_binary_number_of_elements="12.5", x_binary_size_padding="9" * 30)
    assert (found.size, found.elements, found.padding) == (12, None, 0)
    assert found.unreadable_numbers() == ["x-binary-number-of-elements", "x-binary-size-padding"]


def test_dimensions_end_where_one_is_missing() -> None:
    found = header(x_binary_size_fastest_dimension="5", x_binary_size_third_dimension="7")
    assert found.dimensions == (5,)
