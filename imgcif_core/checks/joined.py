"""The tables of a block together with those that it lacks and that another block of its data set holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from imgcif_core.checks.joins import MAX_OTHERS, same_data_set
from imgcif_core.checks.registry import provider
from imgcif_core.cif.document import Block
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.scans import Scans, build_scans
from imgcif_core.tables import Table, Tables

_IMAGES = ("diffrn_scan", "diffrn_scan_frame", "diffrn_data_frame", "array_data")
OF_INSTRUMENT = (
    "axis",
    "diffrn_radiation",
    "diffrn_radiation_wavelength",
    "diffrn_measurement",
    "diffrn_measurement_axis",
    "diffrn_detector",
    "diffrn_detector_axis",
    "diffrn_detector_element",
    "array_structure",
    "array_structure_list",
    "array_structure_list_axis",
    "array_structure_list_section",
    "array_element_size",
)
# Tables that belong to a scan, and those that hold its images; a block that has scans of its own keeps them.
_OF_SCANS = ("diffrn_scan_axis", "diffrn_scan_frame", "diffrn_scan_frame_axis", "diffrn_scan_collection")
_OF_FRAMES = ("diffrn_data_frame",)
_OF_DATA = ("array_data", "array_data_external_data")
# What blocks repeat word for word is the instrument, in short tables; longer ones count as different.
_COMPARED_ROWS = 2000


class JoinedTables(Tables):
    """A block with tables of other blocks in place of those that it lacks.

    `lent` holds the tables of others by category, `undecided` the categories that several other blocks hold with
    different content, so that nothing says which one is meant.
    """

    def __init__(self, own: Tables, lent: dict[str, Table], undecided: dict[str, int]) -> None:
        self.__dict__.update(own.__dict__)
        self.derived = {}
        self.own = own
        self.lent = lent
        self.undecided = undecided

    @property
    def others(self) -> Iterator[Tables]:
        """The tables of the other blocks of the file."""
        return (tables for tables in self.file if tables is not self.own)

    def table(self, category: str) -> Table:
        """The own table of a category, else the one that is lent, else an empty one."""
        own = super().table(category)
        return own or self.lent.get(category.lower(), own)


def has_images(tables: Tables) -> bool:
    """True if a block has scans, frames or data of its own."""
    return any(tables.table(name) for name in _IMAGES)


def join(tables: Tables) -> Tables:
    """A block with what it lacks for the place and the images of its frames; itself where it lacks or gets nothing.

    The instrument is lent by any block of the data set. Frames and data are lent only by a block that does not
    use them itself: images of another scan are not those of this one.
    """
    others = same_data_set(tables)
    if not others or not has_images(tables):
        return tables
    lent: dict[str, Table] = {}
    undecided: dict[str, int] = {}
    for names, keepers in ((OF_INSTRUMENT, ()), *_measured(tables)):
        for name in names:
            found = [] if tables.table(name) else list(_lenders(others, name, keepers))
            if found and all(_are_alike(found[0], other) for other in found[1:]):
                lent[name] = found[0]
            elif found:
                undecided[name] = len(found)
    return JoinedTables(tables, lent, undecided) if lent or undecided else tables


def _lenders(others: list[Tables], category: str, keepers: tuple[str, ...]) -> Iterator[Table]:
    """The tables of a category in other blocks that can be meant."""
    holders = (other for other in others if other.holds(category))
    free = (other for other in holders if not any(other.holds(name) for name in keepers))
    return islice((other.table(category) for other in free), MAX_OTHERS)


def _are_alike(first: Table, second: Table) -> bool:
    """True if two tables say the same, in the same order."""
    return (
        first.rows == second.rows <= _COMPARED_ROWS
        and first.columns.keys() == second.columns.keys()
        and all(
            np.array_equal(column.is_null, second.columns[name].is_null)
            and list(column.texts()) == list(second.columns[name].texts())
            for name, column in first.columns.items()
        )
    )


def _measured(tables: Tables) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What a block with scans or frames can be lent of them, and the tables whose owner keeps them to itself."""
    if tables.table("diffrn_scan") or tables.table("diffrn_data_frame"):
        users = ("diffrn_scan_frame", "diffrn_data_frame") if tables.table("diffrn_data_frame") else ()
        yield (*_OF_SCANS, *_OF_FRAMES), ("diffrn_scan",)
        yield _OF_DATA, ("diffrn_scan", *users)


def is_part_of_another(tables: Tables) -> bool:
    """True if a block holds frames or data alone, which a block with scans of the data set lacks and so takes."""
    if tables.table("diffrn_scan"):
        return False
    takers = [other for other in same_data_set(tables) if other.holds("diffrn_scan")]
    return any(
        tables.table(name) and not taker.table(name) and not any(tables.table(keeper) for keeper in keepers)
        for taker in takers
        for names, keepers in _measured(taker)
        for name in names
    )


def is_told_before(joined: Tables, category: str) -> bool:
    """True if an earlier block with images takes the same table of another block, and so tells what is wrong in it."""
    if not isinstance(joined, JoinedTables) or category not in joined.lent:
        return False
    lender = joined.lent[category].block
    before = (tables for tables in joined.others if tables.block.start < joined.block.start)
    return any((tables.block is lender and has_images(tables)) or _takes(tables, category, lender) for tables in before)


def _takes(tables: Tables, category: str, lender: Block) -> bool:
    """True if a block takes a table of a category from another one."""
    joined = join(tables)
    return isinstance(joined, JoinedTables) and category in joined.lent and joined.lent[category].block is lender


def which_of_several(undecided: dict[str, int], names: Iterable[str]) -> str:
    """That tables stand in several other blocks, in words."""
    found = list(names)
    listed = " and ".join(name.upper() for name in found)
    return f"{listed} in {undecided[found[0]]} other data blocks, and nothing says which one is meant"


@provider("joined")
def joined_of(tables: Tables) -> Tables:
    """A block with the tables of other blocks in place of those that it lacks."""
    return join(tables)


@provider("joined_axes")
def joined_axes_of(joined: Tables, tables: Tables, any_axes: Axes) -> Axes:
    """The axes of a block, or those that another block of the data set holds for it."""
    return any_axes if joined is tables else build_axes(joined)


@provider("joined_scans")
def joined_scans_of(joined: Tables, tables: Tables, joined_axes: Axes, any_scans: Scans) -> Scans:
    """The scans of a block, with the settings that another block of the data set holds for it."""
    return any_scans if joined is tables else build_scans(joined, joined_axes)


@provider("joined_panels")
def joined_panels_of(joined: Tables, tables: Tables, joined_axes: Axes, any_panels: Detector) -> Detector:
    """The detector of a block, with the arrays and axes that another block of the data set holds for it."""
    return any_panels if joined is tables else build_detector(joined, joined_axes)
