"""Counting the elements of byte_offset data without decoding them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgcif_core.images.mime import SectionHeader
from imgcif_core.images.payload import count_elements

BYTE_OFFSET = SectionHeader({"content-type": 'application/octet-stream; conversions="x-CBF_BYTE_OFFSET"'})
VALUES = st.one_of(st.integers(-130, 130), st.integers(-33_000, 33_000), st.integers(-(2**40), 2**40))


def test_escapes_count_as_one_element_each() -> None:
    # One byte, 16 bits, 32 bits, 64 bits, and a 16-bit difference whose bytes are marks themselves.
    data = bytes.fromhex("0580c80080008000000100800080000000800000000001000000808080")
    assert count_elements(data, BYTE_OFFSET) == (5, False)


@pytest.mark.parametrize("cut", [1, 2])
def test_an_escape_that_ends_early_is_told(cut: int) -> None:
    assert count_elements(bytes.fromhex("0580c800")[:-cut], BYTE_OFFSET) == (1, True)


def test_a_long_escape_without_its_value_is_told() -> None:
    assert count_elements(bytes.fromhex("0580008000000080"), BYTE_OFFSET) == (1, True)
    assert count_elements(bytes.fromhex("05800080"), BYTE_OFFSET) == (1, True)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=200))
def test_the_count_is_that_of_the_values(values: list[int]) -> None:
    compression = pytest.importorskip("fabio.compression")
    packed = bytes(compression.compByteOffset(np.array(values, dtype=np.int64))) if values else b""
    assert count_elements(packed, BYTE_OFFSET) == (len(values), False)


def test_plain_data_are_counted_by_the_width_of_their_type() -> None:
    header = SectionHeader({"x-binary-element-type": '"signed 16-bit integer"'})
    assert count_elements(b"\0" * 7, header) == (3, True)


def test_packed_data_state_their_count_in_front() -> None:
    header = SectionHeader({"content-type": 'application/octet-stream;conversions="x-CBF_PACKED"'})
    assert count_elements((600).to_bytes(8, "little") + b"\0" * 30, header) == (600, False)
