"""Axes from a short text, for tests of the model."""

import imgcif_core
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.scans import Scans, build_scans
from imgcif_core.tables import Tables

NUMBERS = tuple(f"{name}[{part}]" for name in ("vector", "offset") for part in (1, 2, 3))
COLUMNS = ("id", "type", "equipment", "depends_on", *NUMBERS)


def tables_of(text: str) -> Tables:
    """The tables of a block with that text."""
    document = imgcif_core.read(f"#\\#CIF_2.0\ndata_x\n{text}\n".encode())
    return Tables(document.blocks[0], imgcif_core.load_dictionary())


def loop(category: str, names: tuple[str, ...], rows: str) -> str:
    """The text of a loop."""
    return "loop_\n" + "".join(f"_{category}.{name}\n" for name in names) + rows + "\n"


def axes_of(rows: str, *more: str) -> Axes:
    """Axes from rows of id, type, equipment, depends_on, vector, offset and further items."""
    return build_axes(tables_of(loop("axis", (*COLUMNS, *more), rows)))


def scans_of(rows: str, text: str) -> tuple[Axes, Scans]:
    """Axes from rows as in `axes_of`, and the scans of a text."""
    tables = tables_of(loop("axis", COLUMNS, rows) + text)
    axes = build_axes(tables)
    return axes, build_scans(tables, axes)
