"""What is read of few values one by one is what is read of many at once."""

import numpy as np
import pytest

import imgcif_core
from imgcif_core.cif.columns import Column
from imgcif_core.cif.numbers import FEW
from imgcif_core.model.dates import read_dates

VALUES = (
    "1 1.0 -2 3.25(5) 1e3 . ? '.' '?' a A Straße 'two words' 12 012 \"4\" 1.2.3 1e999 +5 ' 7 ' 2026-03-01"
    " 2026-03-01T10:00:04.5+01:30 2026-02-30 '2026-03-01' 2026-03-01Z 2026-03-01T10:00Z 12(3)"
)


def column(values: list[str], times: int) -> Column:
    """The values some times over, as one column; words in quotes are kept whole."""
    rows = "\n".join([" ".join(values)] * times)
    text = f"#\\#CIF_2.0\ndata_x\nloop_\n_a.b\n{rows}\n"
    return imgcif_core.read(text.encode()).blocks[0].columns["_a.b"]


@pytest.mark.parametrize("start", range(0, 20, 4))
def test_few_are_read_as_many(start: int) -> None:
    kept_whole = VALUES.replace("two words", "two~words").replace("' 7 '", "'~7~'")
    words = [word.replace("~", " ") for word in kept_whole.split()]
    few, many = column(words[start : start + 8], 1), column(words[start : start + 8], 5)
    rows = len(few)
    assert rows <= FEW < len(many) == 5 * rows
    assert few.few_texts is not None and many.few_texts is None
    for name in ("is_null", "is_unknown", "is_inapplicable", "hashes"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:rows])
    np.testing.assert_array_equal(few.folded_hashes(), many.folded_hashes()[:rows])
    np.testing.assert_array_equal(few.distinct()[0], many.distinct()[0])
    np.testing.assert_array_equal(few.distinct()[1], many.distinct()[1][:rows])
    assert few.texts() == many.texts()[:rows]
    assert few.is_all_distinct is (len(few.distinct()[0]) == rows)
    assert few.has_nulls is bool(many.is_null.any())
    for name in ("values", "su", "valid", "is_integer"):
        np.testing.assert_array_equal(getattr(few.numbers(), name), getattr(many.numbers(), name)[:rows])
    for name in ("seconds", "resolution", "has_zone", "has_time", "fault"):
        np.testing.assert_array_equal(getattr(read_dates(few), name), getattr(read_dates(many), name)[:rows])


def test_long_texts_are_not_kept() -> None:
    few = column(["x" * 3000, "y" * 3000], 1)
    assert few.few_texts is None
    assert [len(text) for text in few.texts()] == [3000, 3000]
    assert few.is_all_distinct
    assert not few.has_nulls
