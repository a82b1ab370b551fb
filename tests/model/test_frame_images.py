"""Which images belong to which frames, and what the tables say of arrays as stored."""

import numpy as np

import imgcif_core
from imgcif_core.model.frame_images import FrameImages
from imgcif_core.model.storage import StoredArrays
from imgcif_core.tables import Tables


def arrays(text: str) -> StoredArrays:
    (block,) = imgcif_core.read(b"data_x\n" + text.encode()).blocks
    return StoredArrays(Tables(block, imgcif_core.load_dictionary()))


def chosen(text: str, *, sample: bool = False) -> list[tuple[str, int, str | None, int]]:
    images = FrameImages(arrays(text)).chosen(sample=sample)
    return [(image.scan_id, image.position, image.frame_id, image.data_row) for image in images]


def loop(category: str, names: str, rows: str) -> str:
    return "\n".join(["loop_", *(f"_{category}.{name}" for name in names.split()), rows, ""])


SCANS = loop(
    "diffrn_scan_frame", "scan_id frame_id frame_number", "A a3 3\nA a1 1\nA a2 2\nB b1 1\nB b2 2\nA a4 4\nA a5 5"
)
FRAMES = loop("diffrn_data_frame", "id array_id binary_id", "a1 1 1\na2 1 2\na3 1 3\na4 1 4\na5 1 5\nb1 1 6\nb2 1 7")
DATA = loop("array_data", "array_id binary_id external_data_id", "\n".join(f"1 {number} e" for number in range(1, 8)))


def test_frames_come_in_the_order_of_their_numbers() -> None:
    found = chosen(SCANS + FRAMES + DATA)
    assert [entry[2] for entry in found] == ["a1", "a2", "a3", "a4", "a5", "b1", "b2"]
    assert [entry[3] for entry in found] == [0, 1, 2, 3, 4, 5, 6]


def test_a_sample_is_first_middle_and_last_of_each_scan() -> None:
    found = chosen(SCANS + FRAMES + DATA, sample=True)
    assert found == [("A", 0, "a1", 0), ("A", 2, "a3", 2), ("A", 4, "a5", 4), ("B", 0, "b1", 5), ("B", 1, "b2", 6)]


def test_a_frame_has_an_image_of_each_element() -> None:
    frames = loop("diffrn_data_frame", "id detector_element_id array_id binary_id", "a1 L 1 1\na1 R 2 1\na2 L 1 2")
    data = loop("array_data", "array_id binary_id external_data_id", "1 2 e\n2 1 e\n1 1 e")
    assert chosen(frames + data) == [("", 0, "a1", 2), ("", 0, "a1", 1), ("", 1, "a2", 0)]


def test_a_single_row_of_data_needs_no_names() -> None:
    frames = loop("diffrn_data_frame", "id array_id binary_id", "f IMAGE 1")
    assert chosen(frames + "_array_data.external_data_id e\n") == [("", 0, "f", 0)]


def test_a_frame_without_data_has_no_row() -> None:
    frames = loop("diffrn_data_frame", "id array_id binary_id", "f 1 9")
    data = loop("array_data", "array_id binary_id external_data_id", "1 1 e")
    assert chosen(frames + data) == [("", 0, "f", -1)]


def test_without_frames_the_rows_of_data_stand_for_them() -> None:
    assert chosen(DATA, sample=True) == [("", 0, None, 0), ("", 3, None, 3), ("", 6, None, 6)]


def test_without_frames_and_data_there_is_nothing_to_look_at() -> None:
    assert chosen("", sample=True) == chosen("") == []


LIST = loop("array_structure_list", "array_id index dimension precedence", "IMAGE 1 100 2\nIMAGE 2 120 1")


def test_dimensions_come_by_precedence() -> None:
    found = arrays(LIST)["IMAGE"]
    assert (found.dimensions, found.list_rows) == ((120, 100), (1, 0))


def test_dimensions_that_are_not_all_told_are_none() -> None:
    rows = loop("array_structure_list", "array_id index dimension precedence", "1 1 100 1\n1 2 120 3")
    assert arrays(rows)["1"].dimensions == ()


def test_sections_do_not_count_as_dimensions_of_the_array() -> None:
    names = "array_id array_section_id index dimension precedence"
    rows = loop("array_structure_list", names, "1 . 1 30 1\n1 . 2 40 2\n1 S 1 10 1\n1 S 2 20 2")
    assert arrays(rows)["1"].dimensions == (30, 40)


def test_data_without_an_array_belong_to_the_only_one() -> None:
    assert arrays(LIST + "_array_data.binary_id 1\n").id_of(0) == "IMAGE"
    assert arrays("_array_data.binary_id 1\n").id_of(0) == "1"


def test_levels_and_types_are_those_of_the_array() -> None:
    text = LIST + loop(
        "array_structure", "id encoding_type compression_type", "IMAGE 'signed 32-bit integer' X-CBF_PACKED"
    )
    found = arrays(text + loop("array_intensities", "array_id binary_id overload", "IMAGE 1 500"))["IMAGE"]
    assert (found.encoding_type, found.compression, found.overload) == ("signed 32-bit integer", "packed", 500.0)
    assert np.isnan(found.underload)
