"""One input read by the fast and by the careful road, and held together."""

import numpy as np

from imgcif_core.cif.document import Block, Document
from imgcif_core.cif.reader import open_source, read


def holders(document: Document) -> list[Block]:
    return [holder for block in document.blocks for holder in (block, *block.frames)]


def assert_same(one: Document, other: Document) -> None:
    """Blocks, loops, byte ranges, quoting and problems agree."""
    assert one.version == other.version
    key = [(p.code, p.variant, p.start, p.end, p.severity) for p in one.problems]
    assert key == [(p.code, p.variant, p.start, p.end, p.severity) for p in other.problems]
    assert [block.name for block in holders(one)] == [block.name for block in holders(other)]
    for left, right in zip(holders(one), holders(other), strict=True):
        assert list(left.columns) == list(right.columns)
        assert [loop.rows for loop in left.loops] == [loop.rows for loop in right.loops]
        for name, column in left.columns.items():
            twin = right.columns[name]
            np.testing.assert_array_equal(column.starts, twin.starts)
            np.testing.assert_array_equal(column.ends, twin.ends)
            kinds = [np.zeros(len(c), np.uint8) if c.quoting is None else c.quoting for c in (column, twin)]
            np.testing.assert_array_equal(*kinds)


def both(data: bytes) -> tuple[Document, Document]:
    return read(open_source(data)), read(open_source(data), road="careful")
