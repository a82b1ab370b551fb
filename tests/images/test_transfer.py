"""Transfer encodings, against the worked examples of the dictionary and against CBFlib."""

import base64
import hashlib
from pathlib import Path

import cbflib
import pytest

import imgcif_core
from imgcif_core.images.mime import SectionHeader, read_header
from imgcif_core.images.payload import examine, read_bytes
from imgcif_core.images.transfer import TransferError, decode_transfer


def decoded(text: bytes, encoding: str, md5: str = "") -> bytes:
    return decode_transfer(text, SectionHeader({"content-transfer-encoding": encoding, "content-md5": md5}))


def digest(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def test_words_follow_the_examples_of_the_dictionary_where_the_digest_says_so() -> None:
    # H3>: octets in the order in which they stand, the last two of the second word are missing.
    assert decoded(b"H3> FF0700 00====\n", "X-BASE16", digest(b"\xff\x07\0\0")) == b"\xff\x07\0\0"
    # H4<: the last octet first, so that the missing ones stand in front.
    whole = b"\xff" * 7 + b"\x07\0\0"
    assert decoded(b"# comment\nH4< FFFFFFFF 07FFFFFF ====0000", "x-base16", digest(whole)) == whole


def test_words_are_read_as_cbflib_does_without_a_digest() -> None:
    # CBFlib 0.9.6 reads these three lines as 01 02 03 04 05, 04 03 02 01 05 and 01 02.
    assert decoded(b"H4< 01020304 05======", "X-BASE16") == b"\x01\x02\x03\x04\x05"
    assert decoded(b"H4> 1020304 ======5", "X-BASE16") == b"\x04\x03\x02\x01\x05"
    assert decoded(b"O2< 000402", "X-BASE8") == decoded(b"D2< 258", "X-BASE10") == b"\x01\x02"


def test_base32k_drops_as_many_bytes_as_equals_signs() -> None:
    # Two octets 0x0102: 15 bits 000000010000001, then 0 and 14 zero bits: U+0181, U+0100; 14 bits of padding.
    assert decoded("\u0181\u0100=".encode(), "X-BASE32K") == b"\x01\x02"


def test_base64_in_utf16_is_read_by_its_mark() -> None:
    assert decoded("AQID".encode("utf-16"), "BASE64") == b"\x01\x02\x03"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (b"AQI%", "BASE64"),
        (b"AQ=", "BASE64"),
        (b"AQ==AQ==", "BASE64"),
        (b"a=ZZb", "Quoted-Printable"),
        (b"H4< 00", "X-BASE8"),
        (b"00000000", "X-BASE16"),
        (b"H9< 00", "X-BASE16"),
        (b"H4< GG", "X-BASE16"),
        (b"H2< 1FFFF", "X-BASE16"),
        (b"H4< ==000000 00000000", "X-BASE16"),
        (b"H4< ===00000", "X-BASE16"),
        ("\u9000".encode(), "X-BASE32K"),
        (b"\xff\xfe\x00", "X-BASE32K"),
        (b"abc", "X-BASE99"),
    ],
)
def test_malformed_text_is_told(text: bytes, encoding: str) -> None:
    with pytest.raises(TransferError):
        decoded(text, encoding)


@pytest.mark.parametrize(
    "encoding", ["ENC_BASE64", "ENC_BASE32K", "ENC_QP", "ENC_BASE8", "ENC_BASE10", "ENC_BASE16", "ENC_NONE"]
)
@pytest.mark.parametrize("compression", ["CBF_BYTE_OFFSET", "CBF_PACKED", "CBF_CANONICAL", "CBF_NONE"])
def test_what_cbflib_writes_has_its_digest_and_size(tmp_path: Path, encoding: str, compression: str) -> None:
    data = cbflib.write(tmp_path / "a.cif", cbflib.image(), compression=compression, encoding=encoding)
    document = imgcif_core.read(data)
    (section,) = document.sections
    header = read_header(section)
    payload = examine(data, section, header)
    assert payload.transfer_fault == ""
    assert payload.elements == 600 and not payload.is_cut
    assert len(read_bytes(data, section, header)) == header.size
    assert hashlib.md5(read_bytes(data, section, header)).digest() == payload.digest
    (report,) = imgcif_core.check(data, options=imgcif_core.CheckOptions(select=("BIN",))).files
    assert [finding.message for finding in report.findings if finding.rule != "BIN013"] == []
