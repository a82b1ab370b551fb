"""Layouts of arrays: order in storage, axis sets, sections, elements."""

import numpy as np
from detector_texts import AXIS, LIST, STEPS, loop, tables_of

from imgcif_core.model.arrays import ArrayLayout, element_ids, list_layouts
from imgcif_core.model.axes import build_axes
from imgcif_core.tables import Tables

AXES = loop("axis", AXIS, "x translation . 1 0 0 0 0 0\ny translation x 0 1 0 0 0 0")
DATA_FRAME = ("id", "detector_element_id", "array_id")


def layouts_of(*parts: str) -> tuple[Tables, list[ArrayLayout]]:
    tables = tables_of(AXES, *parts)
    return tables, list_layouts(tables, build_axes(tables))


def test_dimensions_stand_in_the_order_of_storage() -> None:
    rows = "A 1 11 3 .\nA 2 22 1 x\nA 3 33 2 y"
    _, (layout,) = layouts_of(
        loop("array_structure_list", LIST, rows), loop("array_structure_list_axis", STEPS, "x 0 0.1\ny 0 0.1")
    )
    assert [part.index for part in layout.dimensions] == [2, 3, 1]
    assert [part.size for part in layout.directions] == [22, 33]


def test_an_axis_set_without_id_is_named_by_its_axis() -> None:
    _, (layout,) = layouts_of(
        loop("array_structure_list", LIST, "A 1 11 1 X\nA 2 22 2 y"),
        loop("array_structure_list_axis", STEPS, "x 0.5 1\ny -0.25 -0.5"),
    )
    fast, slow = (part.surface[0] for part in layout.directions)
    assert (fast.row, fast.axis, fast.displacement, fast.increment) == (0, 0, 0.5, 1.0)
    assert (slow.row, slow.axis, slow.displacement, slow.increment) == (1, 1, -0.25, -0.5)


def test_what_is_left_out_is_zero_and_what_cannot_be_read_is_not() -> None:
    _, (layout,) = layouts_of(
        loop("array_structure_list", LIST, "A 1 11 1 x\nA 2 22 2 y"),
        loop("array_structure_list_axis", STEPS, "x . oops\ny ? 0.5"),
    )
    fast, slow = (part.surface[0] for part in layout.directions)
    assert fast.displacement == 0 and np.isnan(fast.increment)
    assert slow.displacement == 0 and slow.increment == 0.5


def test_an_array_without_id_is_array_1() -> None:
    _, (layout,) = layouts_of(
        loop("array_structure_list", LIST[1:], "1 11 1 x\n2 22 2 y"),
        loop("array_structure_list_axis", STEPS, "x 0 1\ny 0 1"),
    )
    assert layout.array_id == "1"


def test_rows_without_section_only_frame_the_sections() -> None:
    rows = "A 1 10 1 x .\nA 2 20 2 y .\nA 1 5 1 x S\nA 2 20 2 y S"
    _, layouts = layouts_of(
        loop("array_structure_list", (*LIST, "array_section_id"), rows),
        loop("array_structure_list_axis", STEPS, "x 0 1\ny 0 1"),
    )
    assert [(layout.section_id, layout.directions[0].size) for layout in layouts] == [("S", 5)]


def test_an_array_without_axes_has_no_layout() -> None:
    assert len(layouts_of(loop("array_structure_list", LIST, "mask 1 11 1 .\nmask 2 22 2 ."))[1]) == 0


def test_frames_tell_which_element_holds_an_array() -> None:
    rows = "A 1 11 1 x\nA 2 22 2 y\nB 1 11 1 x\nB 2 22 2 y"
    tables, layouts = layouts_of(
        loop("array_structure_list", LIST, rows),
        loop("array_structure_list_axis", STEPS, "x 0 1\ny 0 1"),
        loop("diffrn_data_frame", DATA_FRAME, "f1 left A\nf1 right B\nf2 left A\nf2 right B"),
    )
    assert element_ids(tables, layouts) == ["left", "right"]


def test_the_only_element_holds_every_array() -> None:
    tables, layouts = layouts_of(
        loop("array_structure_list", LIST, "A 1 11 1 x\nA 2 22 2 y"),
        loop("array_structure_list_axis", STEPS, "x 0 1\ny 0 1"),
        "_diffrn_detector_element.id PANEL",
    )
    assert element_ids(tables, layouts) == ["PANEL"]


def test_thousands_of_sections_are_read_in_one_pass() -> None:
    rows = "\n".join(f"A 1 10 1 x S{index}\nA 2 20 2 y S{index}" for index in range(5000))
    _, layouts = layouts_of(
        loop("array_structure_list", (*LIST, "array_section_id"), rows),
        loop("array_structure_list_axis", STEPS, "x 0 1\ny 0 1"),
    )
    assert len(layouts) == 5000


def test_a_frame_axis_without_vector_is_no_direction_of_pixels() -> None:
    axes = "x translation . 1 0 0 0 0 0\ny translation x 0 1 0 0 0 0\nFRAME_NO general . . . . . . ."
    tables = tables_of(
        loop("axis", AXIS, axes),
        loop("array_structure_list", LIST, "A 1 700 1 FRAME_NO\nA 2 22 2 x\nA 3 33 3 y"),
        loop("array_structure_list_axis", STEPS, "x 0 0.1\ny 0 0.1\nFRAME_NO 1 1"),
    )
    (layout,) = list_layouts(tables, build_axes(tables))
    assert [part.size for part in layout.directions] == [22, 33]
