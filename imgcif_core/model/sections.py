"""Sections of arrays: which elements of the stored array each one holds."""

import re

import numpy as np

from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

_BY_ID = re.compile(r"(?P<array>[^()]+)\((?P<ranges>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Range:
    """The elements of a section along one index, from 1; None where not given."""

    start: int | None
    end: int | None
    stride: int
    row: int | None

    def bounds(self, dimension: int) -> tuple[int, int] | None:
        """The first and last element, within the dimension; None where the two cannot be told."""
        start = 1 if self.start is None else self.start
        end = dimension if self.end is None else self.end
        if self.stride == 0:
            return start, start
        if end != start and (end > start) != (self.stride > 0):
            return None
        return start, max(1, min(end, dimension)) if dimension else end


def list_sections(tables: Tables) -> dict[str, tuple[str, dict[int, Range]]]:
    """The array of each section and its ranges by index, also of those that their id defines."""
    table = tables.table("array_structure_list_section")
    found: dict[str, tuple[str, dict[int, Range]]] = {}
    numbers = {name: table.numbers(name) for name in ("index", "start", "end", "stride")}
    for row in range(table.rows):
        name = table.text("id", row)
        index = whole_number(numbers["index"][row])
        if name is None or index is None:
            continue
        _, ranges = found.setdefault(name, (table.text("array_id", row, DEFAULT_ARRAY) or DEFAULT_ARRAY, {}))
        stride = whole_number(numbers["stride"][row])
        values = whole_number(numbers["start"][row]), whole_number(numbers["end"][row])
        ranges.setdefault(index, Range(*values, 1 if stride is None else stride, row))
    for name in set(tables.table("array_structure_list").texts("array_section_id")) - {None, *found}:
        match = _BY_ID.fullmatch(name or "")
        if match:
            parts = enumerate(match["ranges"].split(","), 1)
            found[match[0]] = (match["array"], {index: _range(text) for index, text in parts})
    return found


def whole_number(value: float) -> int | None:
    """A whole number, None where it is not given."""
    return int(value) if np.isfinite(value) and abs(value) < 2**53 else None


def _range(text: str) -> Range:
    """The range that a part of a section id gives: start:end:stride."""
    parts = [int(part) if part.strip().lstrip("+-").isdigit() else None for part in text.split(":")]
    start, end, stride = (*parts, None, None, None)[:3]
    return Range(start, end if len(parts) > 1 else start, 1 if stride is None else stride, None)
