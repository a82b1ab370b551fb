"""Joins of columns: which values are found where, without a step per row."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from imgcif_core.arrays import Integers
from imgcif_core.cif.columns import Column
from imgcif_core.ddlm.model import Item
from imgcif_core.model.joins import hashes_of
from imgcif_core.tables import Tables

NO_ROWS: Integers = np.zeros(0, dtype=np.int64)
NO_ROWS.setflags(write=False)


def missing_rows(child: Column, parents: Sequence[Column], *, fold: bool = False) -> Integers:
    """The rows of a column whose value, null ones apart, no parent column holds."""
    if len(parents) > 1 and not len(missing_rows(child, parents[:1], fold=fold)):
        return NO_ROWS
    few = _few_missing(child, parents, fold=fold)
    if few is not None:
        return few
    counting = child.counting
    if counting is not None:
        counted = [parent.counting for parent in parents]
        alike = [other for other in counted if other is not None and other.is_spelt_like(counting)]
        if len(parents) == 1 and alike:
            return counting.missing_from(alike[0])
        if any(not len(counting.missing_from(other)) for other in alike):
            return np.zeros(0, dtype=np.int64)
    for parent in parents:
        if len(parent) == len(child) and np.array_equal(hashes_of(child, fold=fold), hashes_of(parent, fold=fold)):
            return np.zeros(0, dtype=np.int64)
    known = [hashes_of(parent, fold=fold)[~parent.is_null] for parent in parents]
    pool = np.concatenate(known) if known else np.zeros(0, dtype=np.uint64)
    if child.is_constant and len(child):
        inside = np.full(len(child), bool((pool == hashes_of(child, fold=fold)[0]).any()))
    else:
        inside = np.isin(hashes_of(child, fold=fold), pool)
    return np.flatnonzero(~inside & ~child.is_null)


def _few_missing(child: Column, parents: Sequence[Column], *, fold: bool) -> Integers | None:
    """As `missing_rows`, of columns of few values; None of others."""
    wanted = _few(child, fold=fold)
    if wanted is None:
        return None
    if child.is_all_null:
        return NO_ROWS
    left = set(_given(child, wanted))
    for parent in parents:
        texts = _few(parent, fold=fold)
        if texts is None:
            return None
        left.difference_update(_given(parent, texts))
        if not left or texts == wanted:
            return NO_ROWS
    nulls = child.is_null.tolist()
    return np.array([row for row, text in enumerate(wanted) if text in left and not nulls[row]], dtype=np.int64)


def _few(column: Column, *, fold: bool) -> tuple[str, ...] | None:
    """The texts of a column of few values, as links compare them."""
    return column.few_folded if fold else column.few_texts


def _given(column: Column, texts: tuple[str, ...]) -> Iterable[str]:
    """Those of the texts of a column that are no null values."""
    if not column.has_nulls:
        return texts
    return [text for text, is_null in zip(texts, column.is_null.tolist(), strict=True) if not is_null]


def same_data_set(tables: Tables) -> list[Tables]:
    """The other blocks of the file that may hold parents: no data set id, or the same one."""
    own = tables.table("audit_dataset").text("id")
    if len(tables.file) == 1:
        return []
    if tables.peers is None:
        others = (other for other in tables.others if own in (None, other.data_set) or other.data_set is None)
        tables.peers = list(islice(others, MAX_OTHERS))
    return tables.peers


# Other blocks that are looked at for each link; with more, a row that is not found may stand in one of them.
MAX_OTHERS = 200


def columns_named(tables: Tables, identifier: str) -> list[Column]:
    """The columns of an item in a block, under any of its names."""
    item = tables.dictionary.lookup(identifier)
    return list(tables.by_item.get(item.id, ())) if item is not None else []


def parent_columns(tables: Tables, parent: Item) -> tuple[list[Column], list[Column]]:
    """The columns of a parent item in the block, and in the other blocks of the data set."""
    found = tables.parents.get(parent.id)
    if found is None:
        others = [column for other in same_data_set(tables) for column in other.by_item.get(parent.id, ())]
        found = tables.parents[parent.id] = (columns_named(tables, parent.id), others)
    return found
