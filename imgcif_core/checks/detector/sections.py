"""Rules about sections of arrays: their bounds, their lengths, and how they share the array."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.document import Place
from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.model.detector import Detector
from imgcif_core.model.overlap import touching_boxes
from imgcif_core.model.sections import Range, list_sections, whole_number
from imgcif_core.tables import Tables

# Sections that overlap are found in pairs, whose number grows with the square of the sections.
MAX_PAIRS = 200


def _dimensions(tables: Tables) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """Sizes of arrays by id and index, and rows of section panels by section id and index."""
    table = tables.table("array_structure_list")
    sizes: dict[tuple[str, int], int] = {}
    rows: dict[tuple[str, int], int] = {}
    index, dimension = table.numbers("index"), table.numbers("dimension")
    arrays, sections = table.texts("array_id", DEFAULT_ARRAY), table.texts("array_section_id")
    for row, values in enumerate(zip(index.tolist(), dimension.tolist(), strict=True)):
        number, size = (whole_number(value) for value in values)
        if number is None or size is None:
            continue
        if sections[row] is None:
            sizes[arrays[row] or DEFAULT_ARRAY, number] = size
        else:
            rows[sections[row] or "", number] = row
    return sizes, rows


@rule(
    "DET016",
    "section-bounds",
    severity="error",
    source="_array_structure_list_section.start",
    message="section {section} starts at {start} of index {index}, but array {array} has {size} elements there",
    messages={
        "end": "section {section} ends at {end} of index {index}, beyond {size} of array {array} - it is cut off there",
        "length": "section {section} takes {length} elements of index {index}, but its panel has dimension {dimension}",
    },
)
def section_bounds(tables: Tables) -> Iterator[Problem]:
    """What: A section of an array begins or ends outside of the array, or has another length than its panel.
    Why: The pixels of the panel are cut from the wrong place of the array, or do not exist.
    How to fix: Count start and end from 1, both included, and give the panel the dimension end - start + 1.
    Source: Dictionary imgCIF, _array_structure_list_section.start, end and stride.
    """
    sections = list_sections(tables)
    if not sections:
        raise NotApplicable("no sections")
    sizes, rows = _dimensions(tables)
    for name, (array, ranges) in sections.items():
        for index, part in ranges.items():
            row, size = rows.get((name, index)), sizes.get((array, index), 0)
            data: dict[str, Any] = {"section": name, "index": index, "array": array, "size": size}
            if size and part.start is not None and part.start > size:
                yield Problem(_place(tables, part, row, "start"), start=part.start, **data)
                continue
            if size and part.end is not None and part.end > size:
                place = _place(tables, part, row, "end")
                yield Problem(place, severity="warning", variant="end", end=part.end, **data)
            bounds = part.bounds(size) if size or part.end is not None else None
            if row is None or bounds is None:
                continue
            length = abs(bounds[1] - bounds[0]) // max(abs(part.stride), 1) + 1
            dimension = int(tables.table("array_structure_list").numbers("dimension")[row])
            if length != dimension:
                place = tables.table("array_structure_list").at(row, "dimension")
                yield Problem(place, severity="warning", variant="length", length=length, dimension=dimension, **data)


def _place(tables: Tables, part: Range, row: int | None, item: str) -> Place:
    """Where a bound is written: in the table of sections, or in the id of the section."""
    if part.row is not None:
        return tables.table("array_structure_list_section").at(part.row, item)
    return tables.table("array_structure_list").at(row or 0, "array_section_id")


@rule(
    "DET017",
    "sections-overlap",
    severity="warning",
    source="_array_structure_list_section.id",
    message="sections {first} and {second} of array {array} share {count_text}",
    messages={"gap": "{count_text} of array {array} belong to no section"},
)
def sections_overlap(tables: Tables, panels: Detector) -> Iterator[Problem]:
    """What: Two panels take the same elements of an array, or elements of it belong to no panel.
    Why: A pixel has one place; elements without a panel are legal, between modules for example, and have none.
    How to fix: Correct start and end of the sections, so that each pixel belongs to one panel.
    Source: Dictionary imgCIF, ARRAY_STRUCTURE_LIST_SECTION.
    """
    sections = list_sections(tables)
    by_array: dict[str, list[str]] = {}
    for section in panels.layouts.section_ids:
        if section in sections:
            by_array.setdefault(sections[section][0], []).append(section)
    if not by_array:
        raise NotApplicable("no panels on sections")
    sizes, _ = _dimensions(tables)
    for array, names in by_array.items():
        names = list(dict.fromkeys(names))
        indices = sorted(
            {index for name in names for index in sections[name][1]} & {key[1] for key in sizes if key[0] == array}
        )
        boxes = [_box(sections[name][1], [(index, sizes[array, index]) for index in indices]) for name in names]
        if not indices or any(box is None for box in boxes):
            continue
        yield from _shared(tables, array, names, np.array(boxes), [sizes[array, index] for index in indices])


def _box(ranges: dict[int, Range], dimensions: list[tuple[int, int]]) -> list[tuple[int, int]] | None:
    """Lowest and highest element of a section along each index; None for strided or unclear ones."""
    box = []
    for index, size in dimensions:
        part = ranges.get(index, Range(None, None, 1, None))
        bounds = part.bounds(size) if abs(part.stride) <= 1 else None
        if bounds is None:
            return None
        box.append((min(bounds), max(bounds)))
    return box


def _shared(tables: Tables, array: str, names: list[str], boxes: np.ndarray, sizes: list[int]) -> Iterator[Problem]:
    """What sections of one array share, and what they leave: boxes (sections, indices, 2)."""
    listed = tables.table("array_structure_list")
    where = {name: row for row, name in reversed(list(enumerate(listed.texts("array_section_id"))))}
    pairs = 0
    for first, second in touching_boxes(boxes[:, :, 0], boxes[:, :, 1]):
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            pairs += 1
            if pairs > MAX_PAIRS:
                return
            one, two = sorted((one, two))
            low = np.maximum(boxes[one, :, 0], boxes[two, :, 0])
            shared = int(np.prod(np.minimum(boxes[one, :, 1], boxes[two, :, 1]) - low + 1))
            place = listed.at(where[names[two]], "array_section_id")
            yield Problem(place, first=names[one], second=names[two], array=array, count_text=f"{shared} elements")
    covered = int((boxes[:, :, 1] - boxes[:, :, 0] + 1).prod(axis=1).sum())
    total = int(np.prod([float(size) for size in sizes]))
    if not pairs and covered < total:
        place = listed.at(where[names[0]], "array_section_id")
        count_text = f"{total - covered} of {total} elements"
        yield Problem(place, severity="info", variant="gap", array=array, count_text=count_text)
