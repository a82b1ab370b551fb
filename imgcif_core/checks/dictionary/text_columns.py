"""Columns of texts where numbers or dates belong: one finding for all rows."""

from collections.abc import Iterable

import numpy as np

from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import Problem
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Place
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.model import Item

# Characters of a value in a message, and values that stand for a column.
SHOWN = 60
_SAMPLE = 50
# Below these a few wrong values in a column of right ones are told one by one.
_MIN_TEXTS = 3
# Share of wrong values from which on the column holds something else; below it the values themselves are wrong.
_SHARE = 0.8


def is_another_column(column: Column, rows: np.ndarray) -> bool:
    """True if nearly all values of a column, not all alike, are of another type: the column holds something else."""
    if len(rows) < _MIN_TEXTS or len(rows) < _SHARE * int((~column.is_null).sum()):
        return False
    texts = {column.text(int(row)) for row in rows[:_SAMPLE]}
    return len(texts) >= _MIN_TEXTS and not any(parse_number(text.encode()) for text in texts)


def text_column(item: Item, column: Column, rows: np.ndarray, places: Iterable[Place], contents: str) -> Problem:
    """The finding for such a column; `contents` says what belongs there."""
    return problem_of(
        places,
        len(rows),
        variant="column",
        help=f"give {contents} in each row, or put the texts under the item that they belong to",
        reference=item.id,
        name=column.name,
        value=column.text(int(rows[0]))[:SHOWN],
        texts=len(np.unique(column.hashes[rows])),
        contents=contents,
    )
