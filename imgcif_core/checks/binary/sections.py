"""The input of the BIN rules: each binary section with its header and the row that holds it."""

from collections.abc import Iterable, Sequence

import numpy as np

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, provider
from imgcif_core.cif.document import BinarySection, Document, Place, Quoting, Source
from imgcif_core.images.mime import BINARY, SectionHeader, read_header
from imgcif_core.images.payload import Payload, examine
from imgcif_core.model.storage import StoredArray, StoredArrays
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Tables

ITEM = "_array_data.data"


@dataclass(frozen=True)
class Binary:
    """One binary section; `tables` and `row` are those of ARRAY_DATA, None and -1 outside it."""

    source: Source
    section: BinarySection
    header: SectionHeader
    arrays: StoredArrays | None
    row: int

    @property
    def tables(self) -> Tables | None:
        """The tables of the block that holds the section as a value of ARRAY_DATA."""
        return self.arrays.tables if self.arrays is not None else None

    @cached_property
    def array(self) -> StoredArray | None:
        """The array to which the row assigns the data."""
        if self.arrays is None:
            return None
        return self.arrays[self.arrays.id_of(self.row)]

    @cached_property
    def payload(self) -> Payload:
        """What the data are; read once, not kept."""
        return examine(self.source.data, self.section, self.header)

    @property
    def is_readable(self) -> bool:
        """True if the data can be found: the section is closed, and raw data have their mark."""
        lacks_mark = self.header.transfer_encoding == BINARY and not self.section.has_magic
        return self.section.is_terminated and not lacks_mark and bool(self.section.headers)

    @property
    def is_whole(self) -> bool:
        """True if all bytes of the data are there and restored from their transfer encoding."""
        if not self.is_readable or self.payload.transfer_fault:
            return False
        return self.header.size is None or self.payload.available >= self.header.size

    def at(self, *fields: str) -> Place:
        """The place of the first of some header fields that is given, else of the opening boundary."""
        start, end = self.section.boundary_start, self.section.header_start
        for field in fields:
            if field in self.section.header_spans:
                start, end = self.section.header_spans[field]
                break
        if self.arrays is None:
            return Place(self.source, start, end, None, "array_data", ITEM)
        tables = self.arrays.tables
        key = tables.table("array_data").key(self.row)
        return Place(self.source, start, end, tables.block.name, "array_data", ITEM, key)

    def at_end(self) -> Place:
        """The place of the closing boundary, or of the end of the data."""
        place = self.at()
        end = max(self.section.payload_end, min(self.section.end, self.section.payload_end + 33))
        return Place(self.source, self.section.payload_end, end, place.block, place.category, place.item, place.key)

    def stated_dimensions(self) -> tuple[int, ...]:
        """The dimensions, fastest first: those of the header, else those of the array."""
        return self.header.dimensions or (self.array.dimensions if self.array is not None else ())

    def stated_elements(self) -> int | None:
        """The number of elements that header or tables state."""
        if self.header.elements is not None:
            return self.header.elements
        dimensions = self.stated_dimensions()
        return product(dimensions) if len(dimensions) > 1 else None


def product(numbers: Iterable[int]) -> int:
    """The product of whole numbers, without overflow."""
    result = 1
    for number in numbers:
        result *= number
    return result


@provider("binaries")
def find_binaries(document: Document, all_tables: Sequence[Tables], options: CheckOptions) -> list[Binary]:
    """All binary sections of the blocks that are checked, in the order of the file."""
    if not document.sections:
        raise NotApplicable("no binary section")
    holders: dict[int, tuple[StoredArrays | None, int]] = {}
    for tables in all_tables:
        column = tables.table("array_data").column("data")
        if column is None or column.quoting is None:
            continue
        described = StoredArrays(tables)
        for position in np.flatnonzero(column.quoting == Quoting.BINARY).tolist():
            holders[int(column.starts[position])] = (described, position)
    found = []
    for section in document.sections:
        arrays, row = holders.get(section.start, (None, -1))
        if arrays is not None or options.block is None:
            found.append(Binary(document.source, section, read_header(section), arrays, row))
    if not found:
        raise NotApplicable("no binary section in this block")
    return found


@provider("array_binaries")
def array_binaries(binaries: list[Binary]) -> list[Binary]:
    """The binary sections that hold arrays, not photographs or other documents."""
    found = [binary for binary in binaries if binary.header.is_array]
    if not found:
        raise NotApplicable("no binary section holds an array")
    return found
