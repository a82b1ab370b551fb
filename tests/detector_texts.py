"""Detectors from short texts, for tests of the model."""

from collections.abc import Iterable

import imgcif_core
from imgcif_core.model.axes import build_axes
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.tables import Tables

DICTIONARY = imgcif_core.load_dictionary()
AXIS = ("id", "type", "depends_on", *(f"{name}[{part}]" for name in ("vector", "offset") for part in (1, 2, 3)))
LIST = ("array_id", "index", "dimension", "precedence", "axis_set_id")
STEPS = ("axis_id", "displacement", "displacement_increment")


def loop(category: str, names: Iterable[str], rows: str) -> str:
    """The text of a loop."""
    return "loop_\n" + "".join(f"_{category}.{name}\n" for name in names) + rows + "\n"


def tables_of(*parts: str) -> Tables:
    """The tables of a block with these parts."""
    document = imgcif_core.read(("data_x\n" + "\n".join(parts)).encode())
    return Tables(document.blocks[0], DICTIONARY)


def detector_of(axes: str, listed: str, steps: str, *more: str) -> Detector:
    """A detector from rows of AXIS, ARRAY_STRUCTURE_LIST and ARRAY_STRUCTURE_LIST_AXIS."""
    tables = tables_of(
        loop("axis", AXIS, axes),
        loop("array_structure_list", LIST, listed),
        loop("array_structure_list_axis", STEPS, steps),
        *more,
    )
    return build_detector(tables, build_axes(tables))


def first_scan(tables: Tables) -> tuple[Detector, Scan | None]:
    """The detector of a block and its first scan."""
    axes = build_axes(tables)
    scans = build_scans(tables, axes)
    return build_detector(tables, axes), next(iter(scans), None)
