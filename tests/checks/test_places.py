"""A problem of many rows counts them all, and asks for no more places than a finding shows."""

from collections.abc import Iterator

import numpy as np
import pytest
from axis_tables import tables_of

from imgcif_core.checks.places import MAX_PLACES, problem_at, problem_of
from imgcif_core.cif.document import Place


def numbered(asked: list[int], total: int) -> Iterator[Place]:
    for number in range(total):
        asked.append(number)
        yield Place(None, number, number + 1, "block", "axis", None, {})


@pytest.mark.parametrize("total", [1, MAX_PLACES - 1, MAX_PLACES, 100_000])
def test_no_more_places_are_made_than_are_shown(total: int) -> None:
    asked: list[int] = []
    problem = problem_of(numbered(asked, total), total, variant="some", name="omega")
    assert asked == list(range(min(total, MAX_PLACES)))
    assert [problem.place.start, *(place.start for place in problem.more)] == asked
    assert (problem.count, problem.variant, problem.data) == (total, "some", {"name": "omega"})


def test_what_stands_nowhere_is_no_problem() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        problem_of([], 0)


def test_rows_of_one_table_are_one_problem() -> None:
    rows = "".join(f"a{number} rotation\n" for number in range(9))
    table = tables_of(f"loop_\n_axis.id\n_axis.type\n{rows}").table("axis")
    found = np.flatnonzero(np.arange(9) % 9)
    for named in (found, found.tolist()):
        problem = problem_at(table, named, "type", severity="info")
        assert (problem.count, problem.severity) == (8, "info")
        assert [place.key for place in (problem.place, *problem.more)] == [{"id": f"a{row}"} for row in range(1, 7)]
        assert problem.place.item == "_axis.type"
    row = problem_at(table, [3], None).place
    assert (row.item, row.key) == (None, {"id": "a3"})
