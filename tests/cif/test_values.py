"""Values from their bytes: text fields with both protocols, numbers with uncertainties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcif_core.cif.values import decode_text, decode_text_field, parse_number, undo_protocols

# Rules of the two protocols: the first line tells, prefixes go first, the last line has no line end of its own.
FIELDS = {
    "plain": ("a\nb ", "a\nb "),
    "two backslashes without prefix": ("\\\\\na\\\nb", "\\\\\na\\\nb"),
    "folded": ("\\\none \\\ntwo\nthree", "one two\nthree"),
    "folded with blanks after the backslash": ("\\  \none\\ \t\ntwo", "onetwo"),
    "backslash in the last line stays": ("\\\none\\\ntwo\\", "onetwo\\"),
    "folded and empty": ("\\", ""),
    "prefixed": ("> \\\n> a\n> ;\n> b", "a\n;\nb"),
    "prefixed and empty": (">\\", ""),
    "prefixed and folded": ("> \\\\\n> one \\\n> two", "one two"),
    "prefixed and folded, empty": ("äö\\\\", ""),
    "prefix that a line lacks": (">\\\n>a\nb", ">\\\n>a\nb"),
    "prefix with a backslash": ("a\\b\\\na\\bc", "a\\b\\\na\\bc"),
    "prefix that begins with a semicolon": (";\\", ";\\"),
    "backslash of prose": ("about 5 \\%\nand more", "about 5 \\%\nand more"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_protocols_are_undone(name: str) -> None:
    written, value = FIELDS[name]
    assert undo_protocols(written) == value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_text_fields_become_one_kind(end: str) -> None:
    assert decode_text_field(f";one{end}two{end};".encode()) == "one\ntwo"


def test_a_text_field_without_its_end_is_read() -> None:
    assert decode_text_field(b";one\ntwo") == "one\ntwo"


def test_bytes_that_are_not_utf_8_are_kept_as_latin_1() -> None:
    assert decode_text(b"5 \xc5") == "5 Å"


@given(st.text("ab\\> \n", max_size=30))
def test_folding_comes_back(text: str) -> None:
    # Folded by hand: each line is cut after its first character by a backslash and a line end.
    folded = "\\\n" + "\n".join(f"{line[:1]}\\\n{line[1:]}" if line.strip("\\ ") else line for line in text.split("\n"))
    if not any(line.rstrip(" ").endswith("\\") for line in text.split("\n")):
        assert undo_protocols(folded) == text


NUMBERS = {
    b"12": (12.0, math.nan),
    b"-0.5": (-0.5, math.nan),
    b"+.5": (0.5, math.nan),
    b"5.": (5.0, math.nan),
    b"1.5e3": (1500.0, math.nan),
    b"1.23(4)": (1.23, 0.04),
    b"1.2(34)": (1.2, 3.4),
    b"120(3)": (120.0, 3.0),
    # The uncertainty counts in the last digit of the mantissa: 2 in 0.1e-2.
    b"1.5e-2(2)": (0.015, 0.002),
}


@pytest.mark.parametrize("raw", NUMBERS, ids=lambda raw: raw.decode())
def test_numbers_are_read_with_their_uncertainty(raw: bytes) -> None:
    assert parse_number(raw) == pytest.approx(NUMBERS[raw], nan_ok=True)


@pytest.mark.parametrize(
    "raw", [b"", b".", b"-", b"1e", b"nan", b"inf", b"1_0", b"0x10", b"1,5", b"1.2()", b"1.2(3", b" 1"]
)
def test_what_is_no_number_is_refused(raw: bytes) -> None:
    assert parse_number(raw) is None
