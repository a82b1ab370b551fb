"""Binary sections that we write are decoded by other code as the images that they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgcif_core.cif.reader import open_source, read
from imgcif_core.cif.sections import byte_offset, element_type, section


def decoded(data: bytes) -> list[int]:
    """The values of byte-offset data, byte by byte as the format is told."""
    values, last, at = [], 0, 0
    while at < len(data):
        for width, escape in ((1, 0x80), (2, 0x8000), (4, 0x80000000), (8, None)):
            raw = data[at : at + width]
            at += width
            if escape is None or int.from_bytes(raw, "little") != escape:
                last += int.from_bytes(raw, "little", signed=True)
                break
        values.append(last)
    return values


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=50))
def test_any_integers_come_back(values: list[int]) -> None:
    assert decoded(byte_offset(np.array(values, dtype=np.int32))) == values


@pytest.mark.parametrize("step", [127, 128, -127, -128, 32767, 32768, -32768, 2147483647])
def test_steps_at_the_borders_come_back(step: int) -> None:
    assert decoded(byte_offset(np.array([0, step, 0], dtype=np.int64))) == [0, step, 0]


def test_fabio_reads_the_section(tmp_path) -> None:
    fabio = pytest.importorskip("fabio")
    image = np.random.default_rng(3).integers(-5, 70000, (30, 20), dtype=np.int32)
    head = b"###CBF: VERSION 1.5\r\ndata_x\r\n_array_data.data\r\n"
    path = tmp_path / "x.cbf"
    path.write_bytes(head + section(image, 1))
    assert np.array_equal(fabio.open(str(path)).data, image)


def test_our_reader_finds_the_section_whole() -> None:
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    document = read(open_source(b"###CBF: VERSION 1.5\r\ndata_x\r\n_array_data.data\r\n" + section(image, 7, False)))
    (found,) = document.sections
    assert found.is_terminated and found.headers["x-binary-id"] == "7"
    assert not document.problems


def test_types_that_imgcif_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="no elements of type int64"):
        element_type(np.zeros(3, dtype=np.int64))
