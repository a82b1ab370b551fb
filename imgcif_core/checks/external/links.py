"""Rules about the way from a row of array data to its bytes."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.external.inputs import counted
from imgcif_core.checks.joins import columns_named, missing_rows, same_data_set
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.suggest import did_you_mean
from imgcif_core.cif.columns import Column
from imgcif_core.cif.matrices import hash_text
from imgcif_core.model.external import ExternalData
from imgcif_core.tables import Tables

_PARENT = "_array_data_external_data.id"


@rule(
    "EXT001",
    "data-not-reachable",
    severity="error",
    source="_array_data.external_data_id",
    message="{name} is {value!r}, which _array_data_external_data.id does not hold",
    messages={
        "implied": "{count_text} of ARRAY_DATA with neither data nor link, so that link 1 is understood - "
        "{parent} holds no 1",
        "nothing": "{count_text} of ARRAY_DATA with neither data nor link, the first array {array}, binary {binary}",
        "no_table": "{name} is {value!r}, but ARRAY_DATA_EXTERNAL_DATA is not given",
    },
    helps={
        "nothing": "name the file of each image in a row of ARRAY_DATA_EXTERNAL_DATA and the id of that row in "
        "_array_data.external_data_id, or put the image into _array_data.data",
    },
)
def data_not_reachable(tables: Tables, any_external: ExternalData) -> Iterator[Problem]:
    """What: A row of array data holds no data, and no external row that it points to exists.
    Why: The image of the frame cannot be found by anybody.
    How to fix: Point to the id of a row of ARRAY_DATA_EXTERNAL_DATA, or add that row.
    Source: Dictionary imgCIF, _array_data.external_data_id and _array_data.data.
    """
    data = any_external.data
    if not data:
        raise NotApplicable("no array data")
    parents = [
        column
        for entry in (tables, *same_data_set(tables))
        for column in columns_named(entry, _PARENT)
        if not column.is_all_null
    ]
    has_rows = bool(parents) or bool(any_external.table)
    yield from _dangling(any_external, parents, has_rows=has_rows)
    left = np.flatnonzero(~any_external.is_embedded & ~data.explicit("external_data_id") & _is_used(any_external))
    if not len(left):
        return
    if has_rows:
        known = [column.hashes for column in parents]
        if not any((hashes == hash_text("1")).any() for hashes in known) and known:
            yield problem_at(
                data, left, "external_data_id", variant="implied", count_text=counted(left), parent=_PARENT
            )
        return
    array, binary = (data.text(name, int(left[0]), "1") for name in ("array_id", "binary_id"))
    column = data.column("data")
    # A question mark is a place to be filled in, as templates have it.
    is_blank = column is not None and bool(column.is_unknown[left].all())
    is_header = is_blank or data.has("header_contents") or not any_external.frames
    yield problem_at(
        data,
        left,
        "data",
        severity="info" if is_header else "warning",
        variant="nothing",
        count_text=counted(left),
        array=array,
        binary=binary,
    )


def _dangling(external: ExternalData, parents: list[Column], *, has_rows: bool) -> Iterator[Problem]:
    """Pointers that lead to no row."""
    column = external.data.column("external_data_id")
    if column is None:
        return
    rows = missing_rows(column, parents)
    if len(rows):
        # A pointer that differs in case alone is told by the rule about case.
        rows = np.intersect1d(rows, missing_rows(column, parents, fold=True))
    if not len(rows):
        return
    if not has_rows:
        used = rows[~external.is_embedded[rows]]
        if len(used):
            value = column.text(int(used[0]))
            data = external.data
            yield problem_at(
                data, used, "external_data_id", severity="warning", variant="no_table", name=column.name, value=value
            )
        return
    if not parents:
        rows = rows[column.hashes[rows] != hash_text("1")]
    known = [parent.text(int(row)) for parent in parents for row in parent.distinct()[0][:200]]
    for row in rows[:50]:
        value = column.text(int(row))
        place = external.data.at(int(row), "external_data_id")
        help_text = did_you_mean(value, known) or f"add a row {value} to ARRAY_DATA_EXTERNAL_DATA"
        count = 1 if row != rows[0] else 1 + max(0, len(rows) - 50)
        yield Problem(place, help=help_text, count=count, name=column.name, value=value[:60])


def _is_used(external: ExternalData) -> np.ndarray:
    """Where a frame uses a row of ARRAY_DATA; everywhere if there are no frames."""
    rows = external.data.rows
    if not external.frames:
        return np.ones(rows, dtype=bool)
    used = np.zeros(rows, dtype=bool)
    found = external.data_of_frame
    used[found[found >= 0]] = True
    return used


@rule(
    "EXT002",
    "data-embedded-and-external",
    severity="warning",
    source="_array_data.external_data_id",
    message="{count_text} of ARRAY_DATA with data and a pointer too, the first to {value!r} - the data win",
)
def data_embedded_and_external(any_external: ExternalData) -> Iterator[Problem]:
    """What: One row of array data holds data and points to external data as well.
    Why: The dictionary lets the embedded data win; if the two differ, programs that prefer the link see other images.
    How to fix: Write . for the data or for the pointer.
    Source: Dictionary imgCIF, _array_data.external_data_id, which asks for a warning.
    """
    data = any_external.data
    if not data:
        raise NotApplicable("no array data")
    rows = np.flatnonzero(any_external.is_embedded & data.explicit("external_data_id"))
    if len(rows):
        value = data.text("external_data_id", int(rows[0]))
        yield problem_at(data, rows, "external_data_id", count_text=counted(rows), value=value)


@rule(
    "EXT027",
    "all-rows-default-to-one-link",
    severity="warning",
    source="_array_data.external_data_id",
    message="{rows} rows of ARRAY_DATA without data and without external_data_id all mean external row 1",
)
def all_rows_default_to_one_link(any_external: ExternalData) -> Iterator[Problem]:
    """What: Several rows of array data neither hold data nor say which external row is theirs.
    Why: The default of the pointer is 1, so that all of them mean the same image.
    How to fix: Add _array_data.external_data_id with the id of the external row of each binary.
    Source: Dictionary imgCIF, _array_data.external_data_id, default 1.
    """
    data = any_external.data
    if data.rows < 2 or not any_external.table or data.explicit("external_data_id").any():
        raise NotApplicable("rows point to external data, or are one")
    rows = np.flatnonzero(~any_external.is_embedded)
    if len(rows) > 1 and (any_external.of_data[rows] >= 0).all():
        yield problem_at(data, rows, "external_data_id", rows=len(rows))
