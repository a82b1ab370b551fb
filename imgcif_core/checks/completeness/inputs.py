"""The experiment of a data set, wherever in its blocks the facts stand."""

from dataclasses import dataclass

from imgcif_core.checks.joins import same_data_set
from imgcif_core.checks.registry import NotApplicable, provider
from imgcif_core.cif.document import Place, Source
from imgcif_core.tables import Table, Tables

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
            for tables in (self.tables, *self.others):
                if tables.table(category).explicit(name).any():
                    return True
        return False

    def lacking(self, *items: str) -> list[str]:
        """Those of some items that have no value, as data names."""
        return [f"_{item}" for item in items if not self.has(item)]

    def place(self, item: str | None = None) -> Place:
        """The heading of the block, for what is not there."""
        start = self.tables.block.start
        end = start + len(self.source.data[start : start + 200].split(None, 1)[0])
        category = item.partition(".")[0].lstrip("_") if item else None
        return Place(self.source, start, end, self.tables.block.name, category, item, {})


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
