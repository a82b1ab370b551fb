"""Joins of columns: which values are found where, without a step per row."""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from imgcif_core.cif.columns import Column, hash_text
from imgcif_core.tables import Table, Tables

_FACTORS = tuple(np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def hashes_of(column: Column, *, fold: bool = False) -> np.ndarray:
    """The hashes of a column, of case-folded texts where the type is caseless."""
    return column.folded_hashes() if fold else column.hashes


def missing_rows(child: Column, parents: Sequence[Column], *, fold: bool = False) -> np.ndarray:
    """The rows of a column whose value, null ones apart, no parent column holds."""
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


def combined(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One hash a row for several columns of hashes; the order of the columns counts."""
    result = np.zeros(len(columns[0]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for index, column in enumerate(columns):
            mixed = (column ^ (column >> np.uint64(31))) * _FACTORS[index % len(_FACTORS)]
            result = result * np.uint64(0x100000001B3) + (mixed ^ (mixed >> np.uint64(28)))
    return result


def filled_hashes(table: Table, name: str, default: str | None, *, fold: bool = False) -> np.ndarray:
    """The hashes of an item of a table, with a default where it is absent or null."""
    stand_in = hash_text(default if default is not None else "", fold=fold)
    column = table.column(name)
    if column is None:
        return np.full(table.rows, stand_in, dtype=np.uint64)
    hashes = hashes_of(column, fold=fold)
    return np.where(column.is_null, stand_in, hashes) if column.is_null.any() else hashes


def repeated_rows(hashes: np.ndarray) -> np.ndarray:
    """The rows whose hash has stood in an earlier row."""
    if len(hashes) < 2:
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    return np.sort(order[1:][ordered[1:] == ordered[:-1]])


def first_row_of(hashes: np.ndarray, row: int) -> int:
    """The first row that has the hash of a row."""
    return int((hashes == hashes[row]).argmax())


def same_data_set(tables: Tables) -> list[Tables]:
    """The other blocks of the file that may hold parents: no data set id, or the same one."""
    own = tables.table("audit_dataset").text("id")
    if len(tables.file) == 1:
        return []
    others = (other for other in tables.others if own in (None, _data_set(other)) or _data_set(other) is None)
    return list(islice(others, MAX_OTHERS))


def _data_set(tables: Tables) -> str | None:
    """The id of the data set to which a block says that it belongs."""
    return tables.table("audit_dataset").text("id")


MAX_OTHERS = 200


def columns_named(tables: Tables, identifier: str) -> list[Column]:
    """The columns of an item in a block, under any of its names."""
    item = tables.dictionary.lookup(identifier)
    if item is None:
        return []
    return [column for other, column in tables.items.values() if other.id == item.id]
