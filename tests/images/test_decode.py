"""Pixels of binary sections, against what CBFlib wrote; damaged data end in a clear refusal."""

import sys
from pathlib import Path

import cbflib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.images.decode import count_byte_offset, decode_byte_offset, decode_section
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError
from imgcif_core.images.mime import SectionHeader, element_type, read_header
from imgcif_core.images.payload import count_elements

INT32 = element_type("signed 32-bit integer")


@pytest.fixture(scope="module")
def helper():
    found = Helper(20.0)
    yield found
    found.close()


def decoded(data: bytes, helper: Helper, dimensions: tuple[int, ...] = ()) -> np.ndarray:
    document = imgcif_core.read(data)
    section = document.sections[0]
    return decode_section(data, section, read_header(section), helper, dimensions)


@pytest.mark.parametrize(
    "compression", ["CBF_BYTE_OFFSET", "CBF_PACKED", "CBF_PACKED_V2", "CBF_CANONICAL", "CBF_NIBBLE_OFFSET", "CBF_NONE"]
)
@pytest.mark.parametrize("dtype", ["<i4", "<u4", "<i2", "<u2"])
def test_pixels_are_those_that_cbflib_was_given(tmp_path: Path, helper: Helper, compression: str, dtype: str) -> None:
    pytest.importorskip("fabio")
    pycbf = pytest.importorskip("pycbf")
    if not hasattr(pycbf, compression) and compression != "CBF_NONE":
        pytest.skip(f"CBFlib has no {compression}")
    if (compression, dtype) == ("CBF_CANONICAL", "<i2"):
        pytest.skip("CBFlib does not give back its own negative values here")
    array = cbflib.image(dtype=dtype)
    found = decoded(cbflib.write(tmp_path / "a.cbf", array, compression=compression, padding=64), helper)
    assert found.dtype == np.dtype(dtype)
    assert_array_equal(found, array)


@pytest.mark.parametrize("compression", ["CBF_BYTE_OFFSET", "CBF_PACKED", "CBF_CANONICAL", "CBF_NONE"])
@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_reals_are_those_that_cbflib_was_given(tmp_path: Path, helper: Helper, compression: str, dtype: str) -> None:
    pytest.importorskip("fabio")
    array = np.random.default_rng(4).normal(0.0, 100.0, (20, 30)).astype(dtype)
    assert_array_equal(decoded(cbflib.write(tmp_path / "a.cbf", array, compression=compression), helper), array)


def test_what_cbflib_does_not_know_is_no_damage(tmp_path: Path, helper: Helper) -> None:
    pycbf = pytest.importorskip("pycbf")
    if hasattr(pycbf, "CBF_NIBBLE_OFFSET"):
        pytest.skip("this CBFlib knows nibble_offset")
    data = cbflib.write(tmp_path / "a.cbf", cbflib.image()).replace(b"x-CBF_BYTE_OFFSET", b"x-CBF_NIBBLE_OFFSET")
    with pytest.raises(BytesError) as refusal:
        decoded(data, helper)
    assert refusal.value.kind == "unsupported"


def test_sections_of_three_dimensions_keep_their_order(tmp_path: Path, helper: Helper) -> None:
    array = cbflib.image(shape=(4, 20, 30))
    found = decoded(cbflib.write(tmp_path / "a.cbf", array, compression="CBF_PACKED"), helper)
    assert_array_equal(found, array)


def test_dimensions_of_the_table_stand_in_for_those_of_the_header(tmp_path: Path, helper: Helper) -> None:
    pytest.importorskip("fabio")
    array = cbflib.image()
    data = cbflib.write(tmp_path / "a.cbf", array)
    plain = b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"X-Binary-Size-"))
    assert_array_equal(decoded(plain, helper, (30, 20)), array)


def packed(values: list[int]) -> bytes:
    compression = pytest.importorskip("fabio.compression")
    return bytes(compression.compByteOffset(np.array(values, dtype=np.int64)))


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(-200, 200), st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=100))
def test_byte_offset_gives_back_the_values(values: list[int]) -> None:
    data = packed(values)
    assert_array_equal(decode_byte_offset(data, len(values), INT32), values)
    assert_array_equal(decode_byte_offset(data, None, INT32), values)


@settings(deadline=None)
@given(st.lists(st.integers(-40_000, 40_000), min_size=2, max_size=60), st.data())
def test_byte_offset_data_that_are_cut_are_refused(values: list[int], data: st.DataObject) -> None:
    whole = packed(values)
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BytesError) as refusal:
        decode_byte_offset(whole[:end], len(values), INT32)
    assert refusal.value.kind == "damaged"


@settings(deadline=None)
@given(st.lists(st.integers(-40_000, 40_000), max_size=60), st.data())
def test_decoding_counts_as_escapes_do(values: list[int], data: st.DataObject) -> None:
    header = SectionHeader({"content-type": "application/octet-stream; conversions=x-CBF_BYTE_OFFSET"})
    whole = packed(values) if values else b""
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert count_byte_offset(cut) == count_elements(cut, header)


def test_byte_offset_data_with_more_elements_are_refused() -> None:
    with pytest.raises(BytesError, match="more than 3"):
        decode_byte_offset(packed([1, 2, 3, 4, 5]), 3, INT32)


BOMB = {
    "content-type": 'application/octet-stream; conversions="x-CBF_PACKED"',
    "content-transfer-encoding": "BINARY",
    "x-binary-element-type": '"signed 32-bit integer"',
}


@pytest.mark.parametrize(
    ("fields", "front", "kind"),
    [
        ({"x-binary-number-of-elements": str(10**12)}, 10**12, "limit"),
        ({"x-binary-number-of-elements": str(10**8)}, 10**8, "damaged"),
        ({}, 10**12, "limit"),
        ({"x-binary-size-fastest-dimension": "999999999999", "x-binary-size-second-dimension": "9"}, 12, "limit"),
        ({"x-binary-number-of-elements": "12"}, 13, "damaged"),
    ],
)
def test_a_bomb_of_elements_is_refused_before_memory_is_taken(
    helper: Helper, fields: dict[str, str], front: int, kind: str
) -> None:
    from imgcif_core.cif.document import BinarySection

    payload = front.to_bytes(8, "little") + b"\0" * 200
    section = BinarySection(0, 0, 0, 0, len(payload), len(payload), {}, {}, True, True)
    with pytest.raises(BytesError) as refusal:
        decode_section(payload, section, SectionHeader({**BOMB, **fields}), helper)
    assert refusal.value.kind == kind


def test_canonical_data_that_cbflib_decodes_wrongly_are_left_alone(helper: Helper, tmp_path: Path) -> None:
    data = cbflib.write(tmp_path / "a.cbf", cbflib.image(dtype="<i2"), compression="CBF_CANONICAL")
    with pytest.raises(BytesError, match="wrong values"):
        decoded(data, helper)


def test_an_unknown_compression_is_told(helper: Helper, tmp_path: Path) -> None:
    data = cbflib.write(tmp_path / "a.cbf", cbflib.image()).replace(b"x-CBF_BYTE_OFFSET", b"x-CBF_BYTE_OFFSEX")
    with pytest.raises(BytesError, match="nothing installed decodes x-CBF_BYTE_OFFSEX"):
        decoded(data, helper)


CRASH = "import os, signal, sys; sys.stdin.buffer.readline(); os.kill(os.getpid(), signal.SIGSEGV)"
SLEEP = "import sys, time; sys.stdin.buffer.readline(); time.sleep(60)"
BABBLE = "import sys; sys.stdin.buffer.readline(); sys.stdout.write('x' * 80_000_000); sys.stdout.flush()"


@pytest.mark.parametrize(
    ("program", "said"),
    [(CRASH, "crashed \\(signal 11\\)"), (SLEEP, "no answer within"), (BABBLE, "makes no sense|no answer")],
)
def test_a_decoder_that_crashes_hangs_or_babbles_is_told(program: str, said: str) -> None:
    helper = Helper(2.0, [sys.executable, "-c", program])
    for _ in range(2):
        with pytest.raises(BytesError, match=said) as refusal:
            helper.facts("fabio_facts", {"path": "x"})
        assert refusal.value.kind == "crashed"
    helper.close()


def test_a_helper_answers_again_after_an_exception(helper: Helper, tmp_path: Path) -> None:
    pytest.importorskip("pycbf")
    good = cbflib.write(tmp_path / "a.cbf", cbflib.image(), compression="CBF_CANONICAL")
    start = good.find(b"\x0c\x1a\x04\xd5") + 40
    bad = good[:start] + b"\xff" * 60 + good[start + 60 :]
    for _ in range(3):
        with pytest.raises(BytesError, match="CBFlib Error"):
            decoded(bad, helper)
        assert decoded(good, helper).shape == (20, 30)


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("name", ["l-cyst_01_00001.cbf", "phi_scan_001.cbf", "idx-20130301060858401.cbf"])
def test_real_images_are_those_that_cbflib_decodes(helper: Helper, name: str) -> None:
    pytest.importorskip("fabio")
    pycbf = pytest.importorskip("pycbf")
    data = (CORPUS / "cbf_full" / name).read_bytes()
    section = imgcif_core.read(data).sections[0]
    found = decode_section(data, section, read_header(section), helper)
    handle = pycbf.cbf_handle_struct()
    handle.read_widefile(str(CORPUS / "cbf_full" / name).encode(), pycbf.MSG_DIGEST)
    handle.find_category(b"array_data")
    handle.find_column(b"data")
    handle.select_row(0)
    assert_array_equal(found.ravel(), np.frombuffer(handle.get_integerarray_as_string(), "<i4"))
