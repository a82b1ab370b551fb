"""How the tables describe an array as stored: dimensions, element type, compression and value limits."""

from collections.abc import Sequence

import numpy as np

from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table, Tables


@dataclass(frozen=True, slots=True)
class StoredArray:
    """What the tables say of one array; None or empty for what they do not say.

    dimensions : sizes of the whole array, fastest first; list_rows : their rows in
    ARRAY_STRUCTURE_LIST; structure_row, intensity_row : rows of ARRAY_STRUCTURE, ARRAY_INTENSITIES;
    the values of `overload`, `underload` and `undefined` are nan where they are not given.
    """

    array_id: str
    dimensions: tuple[int, ...]
    list_rows: tuple[int, ...]
    structure_row: int | None
    encoding_type: str | None
    byte_order: str | None
    compression: str | None
    compression_flag: str | None
    intensity_row: int | None
    overload: float
    underload: float
    undefined: float


class StoredArrays:
    """The arrays of a block by id, each read once."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._known: dict[str, StoredArray] = {}
        self._rows = {
            name: _rows_by_id(tables.table(name), item)
            for name, item in (
                ("array_structure_list", "array_id"),
                ("array_structure", "id"),
                ("array_intensities", "array_id"),
            )
        }

    def __getitem__(self, array_id: str) -> StoredArray:
        if array_id not in self._known:
            self._known[array_id] = self._read(array_id)
        return self._known[array_id]

    @cached_property
    def implied_id(self) -> str:
        """The array of data that name none: the only one that is described, else the default."""
        for category, item in (("array_structure_list", "array_id"), ("array_structure", "id")):
            column = self.tables.table(category).column(item)
            if column is not None:
                first = column.distinct()[0]
                is_single = len(first) == 1 and not column.is_null[first[0]]
                return column.text(int(first[0])) if is_single else DEFAULT_ARRAY
        return DEFAULT_ARRAY

    def id_of(self, row: int) -> str:
        """The array to which a row of ARRAY_DATA belongs."""
        return self.tables.table("array_data").text("array_id", row) or self.implied_id

    def _rows_of(self, category: str, array_id: str) -> Sequence[int]:
        """The rows of a category that speak of an array; ids are compared caselessly where only that finds one."""
        rows = self._rows[category]
        return rows.get(array_id) or rows.get(array_id.casefold(), [])

    def _read(self, array_id: str) -> StoredArray:
        """Gather the rows of one array."""
        listed, structure = self.tables.table("array_structure_list"), self.tables.table("array_structure")
        intensities = self.tables.table("array_intensities")
        dimensions, list_rows = _dimensions(listed, self._rows_of("array_structure_list", array_id))
        row = next(iter(self._rows_of("array_structure", array_id)), None)
        level = next(iter(self._rows_of("array_intensities", array_id)), None)
        stated = {
            name: structure.text(name, row) if row is not None else None
            for name in ("encoding_type", "byte_order", "compression_type", "compression_type_flag")
        }
        limits = [
            float(intensities.numbers(name)[level]) if level is not None else np.nan
            for name in ("overload", "underload", "undefined_value")
        ]
        return StoredArray(
            array_id,
            dimensions,
            list_rows,
            row,
            stated["encoding_type"],
            (stated["byte_order"] or "").lower() or None,
            compression_name(stated["compression_type"]),
            (stated["compression_type_flag"] or "").lower() or None,
            level,
            *limits,
        )


def compression_name(text: str | None) -> str | None:
    """A compression as the dictionary spells it; the prefixes of MIME tokens are taken off."""
    if text is None:
        return None
    return text.lower().replace("-", "_").removeprefix("x_").removeprefix("cbf_")


def _rows_by_id(table: Table, item: str) -> dict[str, list[int]]:
    """The rows of a table by array id, exact and case-folded."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(table.texts(item, DEFAULT_ARRAY)):
        text = name or DEFAULT_ARRAY
        found.setdefault(text, []).append(row)
        if (folded := text.casefold()) != text:
            found.setdefault(folded, []).append(row)
    return found


def _dimensions(table: Table, rows: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes by precedence and their rows; empty where they are not all told, or sections alone are listed."""
    whole = [row for row in rows if table.text("array_section_id", row) is None]
    sizes, ranks = table.numbers("dimension"), table.numbers("precedence")
    chosen = [row for row in whole if np.isfinite(sizes[row]) and 0 < sizes[row] < 2**40]
    ranked = {float(ranks[row]) for row in chosen if np.isfinite(ranks[row])}
    if not whole or len(chosen) != len(whole) or ranked != set(range(1, len(whole) + 1)):
        return (), tuple(whole)
    ordered = sorted(chosen, key=lambda row: ranks[row])
    return tuple(int(sizes[row]) for row in ordered), tuple(ordered)
