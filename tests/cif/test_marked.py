"""Quoted values and comments found by arrays, against the expression that finds them one by one."""

import random

import numpy as np
import pytest

from imgcif_core.cif import scan
from imgcif_core.cif.scan import marked_words

PIECES = ["'", '"', "#", " ", "\n", "a", "b c", "\t", "\r\n", "''"]


def test_arrays_find_what_the_expression_finds() -> None:
    source = random.Random(5)
    found = 0
    for _ in range(4000):
        data = "".join(source.choices(PIECES, k=source.randrange(1, 40))).encode()
        start = source.randrange(len(data))
        stop = source.randrange(start + 1, len(data) + 1)
        spans = scan._apart(data, np.frombuffer(data, np.uint8, stop - start, start), start)
        if spans is not None:
            found += len(spans)
            each = [match.span() for match in scan._MARKED.finditer(data, start, stop)]
            assert (spans + start).tolist() == [list(span) for span in each], data
    assert found > 1000


@pytest.mark.parametrize("text", ["1 \"it 's' so\" # it's\n2\n", "1\n;a 'b\n;\n2 \n"])
def test_a_mark_within_another_is_left_to_the_expression(text: str) -> None:
    data = text.encode()
    assert scan._apart(data, np.frombuffer(data, np.uint8), 0) is None
    starts, ends, *_ = marked_words(data, 0, len(data), is_cif2=True)
    assert len(starts) == 3
    assert data[starts[1] : ends[1]].strip(b"\n;\"'")[:1] in (b"i", b"a")


def test_quotes_that_their_line_does_not_close_are_values_up_to_its_end() -> None:
    data = b"1 'open one \n2 \"b\n3 'closed'\n"
    starts, ends, quoting, _, used_up = marked_words(data, 0, len(data), is_cif2=True)
    words = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert words == [b"1", b"'open one ", b"2", b'"b', b"3", b"'closed'"]
    assert not used_up
    assert quoting.astype(bool).tolist() == [False, True] * 3
