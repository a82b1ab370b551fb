"""White space in many quoted words at once, against the form of the type word by word."""

import random

import numpy as np

import imgcif_core
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.ddlm.types import check_contents, wrong_rows

PIECES = ["a", "b", " ", "\t", "7", "_", "\u00e9", "\u00a0", "\x1c", "\x7f", ""]


def test_columns_of_words_are_judged_as_word_by_word() -> None:
    source = random.Random(2)
    item = load_bundled().lookup("_diffrn_scan_frame.frame_id")
    assert item is not None
    for size in (5, len(PIECES), 4):
        words = ["".join(source.choices(PIECES[:size], k=source.randrange(6))) for _ in range(300)]
        text = "#\\#CIF_2.0\ndata_x\nloop_\n_diffrn_scan_frame.frame_id\n" + "".join(f"'{word}'\n" for word in words)
        column = imgcif_core.read(text.encode()).blocks[0].columns["_diffrn_scan_frame.frame_id"]
        expected = [row for row, word in enumerate(words) if not check_contents(item.contents, word)]
        assert len(column) == 300
        np.testing.assert_array_equal(wrong_rows(item, column), expected)
