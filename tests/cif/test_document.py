"""Lines and columns of byte offsets, and back."""

import random

import pytest

from imgcif_core.cif.document import Change, Source

TEXTS = [
    b"",
    b"a\nbc\r\nd\re",
    "\ufeffdata_x\n_a 1\n".encode(),
    "_a 'é漢𝛼' b\n_c d\n".encode(),
    "_a 'é' b\n".encode("latin-1"),
    b"\xe9\xa0 \xf0\x9f x\n\xff\xfe\xed\xa0\x80 y",
]


@pytest.mark.parametrize("data", TEXTS, ids=repr)
def test_offset_undoes_position(data: bytes) -> None:
    source = Source("a", data)
    begin = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    # Only where a character begins: within one, several offsets have the same column.
    for offset in range(begin, len(data) + 1):
        if offset == len(data) or source.position(offset + 1) != source.position(offset):
            assert source.offset(*source.position(offset)) == offset


def test_offset_undoes_position_of_any_words() -> None:
    chance = random.Random(3)
    for _ in range(300):
        words = [bytes(chance.choices(b"ab\xc3\xa9\xe9\xf0\x9f\x80", k=chance.randint(1, 4))) for _ in range(6)]
        data = b" ".join(words)
        source = Source("a", data)
        at = 0
        for word in words:
            assert source.offset(*source.position(at)) == at
            at += len(word) + 1


def test_a_change_is_told_by_lines_and_columns() -> None:
    source = Source("a", "x\n'é' bé\n".encode())
    edit = Change(source, 7, 10, "new", True).edit()
    assert (edit.line, edit.column, edit.end_line, edit.end_column, edit.text, edit.safe) == (2, 5, 2, 7, "new", True)
