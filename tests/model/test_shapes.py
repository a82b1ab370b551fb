"""Texts that differ in counting digits are one shape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import imgcif_core
from imgcif_core.model.shapes import MANY, Shapes, _mask_text, _mask_words, _mask_words_text, shapes_of


def shapes(*texts: str) -> Shapes:
    rows = "".join(f" {text}\n" for text in texts)
    (block,) = imgcif_core.read(f"#\\#CIF_2.0\ndata_x\nloop_ _x.a\n{rows}".encode()).blocks
    return shapes_of(block.columns["_x.a"])


def test_counting_digits_do_not_count() -> None:
    found = shapes("run_0001.cbf", "run_0002.cbf", "run_12.cbf", "?", "run_0003.cbf")
    assert found.inverse.tolist() == [0, 0, 1, 2, 0]
    assert found.texts == ["run_0001.cbf", "run_12.cbf", None]
    assert found.rows(0).tolist() == [0, 1, 4]


def test_digits_that_tell_something_stay() -> None:
    for one, other in (("a.h5", "a.h4"), ("a%20b", "a%30b"), ("http://10.0.0.1/a", "http://99.0.0.1/a")):
        assert len(shapes(one, other).first) == 2, one
    assert len(shapes("https://x.org/7/a_1", "https://x.org/8/a_2").first) == 1


def test_quoted_and_long_and_foreign_texts_are_judged_alike() -> None:
    long = "x" * 300
    found = shapes("'a 1'", "'a 2'", f"{long}/1", f"{long}/2", "å_1", "å_2")
    assert found.inverse.tolist() == [0, 0, 1, 1, 2, 2]


@given(st.lists(st.text("/:ab%.019_", min_size=1, max_size=12).filter(lambda text: text not in (".", "?")), max_size=9))
def test_whole_columns_are_masked_as_single_texts_are(texts: list[str]) -> None:
    if not texts or any(text.startswith("_") for text in texts):
        return
    found = shapes(*texts)
    masked = [_mask_text(text) for text in texts]
    groups = {mask: index for index, mask in enumerate(dict.fromkeys(masked))}
    assert found.inverse.tolist() == [groups[mask] for mask in masked]


def test_the_last_number_of_a_file_name_is_read() -> None:
    names = ("s01f0020.cbf", "'s01f1810.cbf'", "a/run2/x_7.cbf.bz2", "f.0042", "nothing.h5", "?", "q.mar2300")
    numbers, offsets = shapes(*names).last_numbers
    expected = [20, 1810, 7, 42, np.nan, np.nan, np.nan]
    assert np.array_equal(numbers, expected, equal_nan=True)
    assert offsets[0] == 4


def test_numbers_in_a_range_are_told_with_their_rows() -> None:
    found = shapes("https://z.org/7/a", "https://z.org/9/a", "https://z.org/7/a")
    assert found.numbers_in(0, (14, 15)) == {7: 0, 9: 1}


@given(st.lists(st.text("/:ab%.019?", min_size=1, max_size=12).filter(lambda text: text not in (".", "?")), max_size=9))
def test_words_of_whole_columns_are_masked_as_those_of_single_texts_are(texts: list[str]) -> None:
    if not texts or any("//" in text for text in texts):
        return
    hashes = shapes(*texts).column.hashes_after(_mask_words, _mask_words_text).tolist()
    masked = [_mask_words_text(text) for text in texts]
    assert [[one == other for other in hashes] for one in hashes] == [
        [one == other for other in masked] for one in masked
    ]


def test_names_made_by_chance_are_few_coarse_shapes() -> None:
    rng = np.random.default_rng(5)
    names = [f"https://x.org/{rng.bytes(8).hex()}.{suffix}" for suffix in ("cbf", "h5") for _ in range(MANY)]
    found = shapes(*names)
    assert not found.is_series
    assert len(found.coarse.first) == 2
    assert np.isnan(found.last_numbers[0]).all()
    assert shapes(*names[:10]).is_series
