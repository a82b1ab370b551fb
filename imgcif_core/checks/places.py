"""The places of a problem: the first few of all that it stands for."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from imgcif_core.checks.registry import Problem
from imgcif_core.cif.document import Place
from imgcif_core.tables import Table

# A finding shows where it stands first, and five places more; nobody reads on, and a scan has 100 000 frames.
MAX_PLACES = 6


def problem_of(places: Iterable[Place], count: int, /, **data: Any) -> Problem:
    """One problem for `count` occurrences, of which no more places are asked for than a finding shows.

    `data` is whatever else `Problem` takes.

    Raises
    ------
    ValueError
        If there is no place at all.
    """
    first, *more = islice(places, MAX_PLACES)
    return Problem(first, more=more, count=count, **data)


def problem_at(table: Table, rows: Sequence[int] | np.ndarray, item: str | None, /, **data: Any) -> Problem:
    """One problem for all of some rows, (rows,) integers or a list of them, at one item or at the rows themselves."""
    return problem_of((table.at(int(row), item) for row in rows), len(rows), **data)
