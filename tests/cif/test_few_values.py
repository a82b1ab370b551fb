"""What is read of few values one by one is what is read of many at once."""

import numpy as np
import pytest

import imgcif_core
from imgcif_core.cif.columns import Column, hash_text
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


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("rows", [2, 24, 25, 70])
def test_values_are_the_same_in_few_rows_and_many_whatever_their_encoding(rows: int, encoding: str) -> None:
    head = "data_x\nloop_\n_diffrn_scan.id\nSCAN_ea\nSCAN_ö\n"
    head += "loop_\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.scan_id\n"
    text = head + "".join(f"f{row} {'SCAN_éa' if row % 2 else 'SCAN_ö'}\n" for row in range(rows))
    data = text.encode(encoding)
    column = imgcif_core.read(data).blocks[0].columns["_diffrn_scan_frame.scan_id"]
    assert column.hashes.tolist() == [hash_text(column.text(row)) for row in range(rows)]
    (entry,) = imgcif_core.check(data).files
    (lost,) = [finding for finding in entry.findings if finding.rule == "REL001"]
    assert (lost.count, len(lost.edits)) == (rows // 2, rows // 2)
    assert "DIC015" not in {finding.rule for finding in entry.findings}
