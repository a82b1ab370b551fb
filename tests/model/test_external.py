"""External rows joined to arrays and frames."""

import numpy as np
import pytest

import imgcif_core
from imgcif_core.api import load_dictionary
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.tables import Tables

HEAD = "data_x\n"
FRAMES = "loop_ _diffrn_data_frame.id _diffrn_data_frame.binary_id\n f1 1\n f2 2\n f3 3\n"
SCAN = "loop_ _diffrn_scan_frame.frame_id _diffrn_scan_frame.frame_number\n f3 3\n f1 1\n f2 2\n"
DATA = "loop_ _array_data.binary_id _array_data.external_data_id\n 1 b\n 2 a\n 3 c\n"
ROWS = (
    "loop_ _array_data_external_data.id _array_data_external_data.format _array_data_external_data.uri\n"
    " a cbf https://x.org/2.cbf\n b CBF https://x.org/1.cbf\n c HDF5 https://x.org/3.h5\n"
)


def external(*parts: str) -> ExternalData:
    (block,) = imgcif_core.read((HEAD + "".join(parts)).encode()).blocks
    return build_external(Tables(block, load_dictionary()))


def test_rows_are_joined_through_array_data() -> None:
    found = external(FRAMES, DATA, ROWS)
    # binary 1 -> b (row 1), 2 -> a (row 0), 3 -> c (row 2)
    assert found.of_data.tolist() == [1, 0, 2]
    assert found.of_frame.tolist() == [1, 0, 2]


def test_pointers_that_lead_nowhere_and_embedded_data_have_no_row() -> None:
    data = "loop_ _array_data.binary_id _array_data.data _array_data.external_data_id\n 1 . z\n 2 'x' .\n 3 . c\n"
    found = external(FRAMES, data, ROWS)
    assert found.of_data.tolist() == [-1, -1, 2]
    assert found.is_embedded.tolist() == [False, True, False]


def test_the_default_pointer_is_1_where_there_are_no_data() -> None:
    rows = "_array_data_external_data.uri https://x.org/1.cbf\n"
    assert external("_array_data.binary_id 1\n", rows).of_data.tolist() == [0]
    assert external("_array_data.data 'x'\n", rows).of_data.tolist() == [-1]


def test_the_sequence_follows_the_numbers_of_the_frames() -> None:
    found = external(FRAMES, SCAN, DATA, ROWS).sequence
    assert found.row.tolist() == [1, 0, 2]
    assert found.number.tolist() == [1, 2, 3]
    assert found.starts_run.tolist() == [True, False, False]


def test_a_row_is_read_as_one_image() -> None:
    found = external(ROWS).image(2)
    assert (found.uri, found.format, found.frame) == ("https://x.org/3.h5", "HDF5", "1")
    assert (found.archive_format, found.archive_path, found.path) == (None, None, None)


def test_formats_are_compared_in_any_case() -> None:
    found = external(ROWS)
    assert found.is_single_image.tolist() == [True, True, False]
    assert found.is_container.tolist() == [False, False, True]


@pytest.mark.parametrize("frames", [1, 100, 5000])
def test_joins_in_any_order_agree_with_a_dictionary(frames: int) -> None:
    rng = np.random.default_rng(frames)
    order, other = rng.permutation(frames), rng.permutation(frames)
    data = "loop_ _array_data.binary_id _array_data.external_data_id\n"
    data += "".join(f"{n + 1} E{order[n]}\n" for n in range(frames))
    rows = "loop_ _array_data_external_data.id _array_data_external_data.uri\n"
    rows += "".join(f"E{n} https://x.org/{n}.cbf\n" for n in other)
    where = {int(name): row for row, name in enumerate(other)}
    assert external(data, rows).of_data.tolist() == [where[int(name)] for name in order]


def test_images_are_told_apart_by_all_that_names_them() -> None:
    names = ("id", "uri", "archive_path", "path", "frame")
    rows = "loop_" + "".join(f" _array_data_external_data.{name}" for name in names)
    rows += "\n 1 u a /d 1\n 2 u a /d 2\n 3 u a /e 1\n 4 u b /d 1\n 5 v a /d 1\n 6 u a /d .\n"
    found = external(rows)
    keys = found.image_keys.tolist()
    assert len(set(keys)) == 5
    assert keys[5] == keys[0]
    assert len(set(found.dataset_keys.tolist())) == 4
    assert len(set(found.file_keys.tolist())) == 3
