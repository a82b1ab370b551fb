"""The experiment of a data set, wherever in its blocks the facts stand."""

import re

import numpy as np

from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.registry import NotApplicable, provider
from imgcif_core.cif.document import Place, Source
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

# A longer run of values without any word in it is data that this look cannot tell from text.
MAX_BLANKS = 1000
_BLANK = re.compile(r"\?{1,}|[-.]+|@[^@]*@|TODO|XXXX+|N/?A|unknown|none|not given|TBD", re.IGNORECASE)
_DATA = ("diffrn_scan", "diffrn_scan_frame", "diffrn_data_frame", "array_data")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A block with data, and the other blocks of its data set, which may hold facts about it."""

    tables: Tables
    others: tuple[Tables, ...]
    source: Source

    def table(self, category: str) -> Table:
        """The table of a category: that of the block, else the first of the other blocks."""
        own = self.tables.table(category)
        if own:
            return own
        return next((found for other in self.others if (found := other.table(category))), own)

    def has(self, *items: str) -> bool:
        """True if any of some items, as `category.object`, has a value."""
        for item in items:
            category, _, name = item.partition(".")
            if any(is_told(tables.table(category), name) for tables in (self.tables, *self.others)):
                return True
        return False

    def is_blank(self, item: str) -> bool:
        """True if an item is written, but says nothing: an empty text or a placeholder."""
        category, _, name = item.lower().lstrip("_").partition(".")
        return bool(self.tables.table(category).explicit(name).any()) and not self.has(item.lower().lstrip("_"))

    def lacking(self, *items: str) -> list[str]:
        """Those of some items that have no value, as data names."""
        return [f"_{item}" for item in items if not self.has(item)]

    def place(self, item: str | None = None) -> Place:
        """The heading of the block, for what is not there; where a blank value stands, that value."""
        if item is not None and self.is_blank(item):
            held, _, name = item.lower().lstrip("_").partition(".")
            table = self.tables.table(held)
            return table.at(int(table.explicit(name).argmax()), name)
        start = self.tables.block.start
        end = start + len(self.source.data[start : start + 200].split(None, 1)[0])
        category = item.partition(".")[0].lstrip("_") if item else None
        return Place(self.source, start, end, self.tables.block.name, category, item, {})


def is_told(table: Table, name: str) -> bool:
    """True if an item has a value that says anything: an empty text and a placeholder do not."""
    given = table.explicit(name)
    column = table.column(name)
    if column is None or not given.any():
        return False
    rows = np.flatnonzero(given)[:MAX_BLANKS]
    return any(not is_blank_text(column.text(int(row))) for row in rows) or len(rows) == MAX_BLANKS


def is_blank_text(text: str) -> bool:
    """True for an empty text, and for the marks that templates leave to be filled in."""
    return not text.strip() or _BLANK.fullmatch(text.strip()) is not None


@provider("experiment")
def experiment(tables: Tables, source: Source) -> Experiment:
    """The experiment of a block; of several blocks of one data set the first with data is judged."""
    if not any(tables.table(name) for name in _DATA):
        raise NotApplicable("no data")
    others = same_data_set(tables)
    for other in others:
        if other.block.start < tables.block.start and any(other.table(name) for name in _DATA):
            raise NotApplicable("another block of the data set is judged")
    return Experiment(tables, tuple(others), source)
