"""Rows of tables matched by the hashes of their values, all rows at once."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from imgcif_core.arrays import Hashes, Integers
from imgcif_core.cif.columns import Column
from imgcif_core.cif.matrices import hash_text
from imgcif_core.cif.numbers import FEW
from imgcif_core.cif.values import fold as fold_text
from imgcif_core.records import dataclass
from imgcif_core.tables import Table

NONE = -1
MAX_COMPARED = 10_000
# Rows looked up at a time, so that a search of very many takes little memory.
_PIECE = 1_000_000
_FACTORS = tuple(np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def hashes_of(column: Column, *, fold: bool = False) -> np.ndarray:
    """The hashes of a column, of case-folded texts where the type is caseless."""
    return column.folded_hashes() if fold else column.hashes


def combined(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One hash a row for several columns of hashes; the order of the columns counts."""
    rows = len(columns[0])
    result = np.zeros(min(rows, 1), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for index, whole in enumerate(columns):
            # One value for all rows is mixed once.
            column = whole[:1] if rows and (whole == whole[0]).all() else whole
            mixed = (column ^ (column >> np.uint64(31))) * _FACTORS[index % len(_FACTORS)]
            result = result * np.uint64(0x100000001B3) + (mixed ^ (mixed >> np.uint64(28)))
    return result if len(result) == rows else np.full(rows, result[0])


def filled_hashes(table: Table, name: str, default: str | None, *, fold: bool = False) -> np.ndarray:
    """The hashes of an item of a table, with a default where it is absent or null."""
    column = table.column(name)
    if column is None:
        default = table.understood.get(name, default)
    stand_in = hash_text(default if default is not None else "", fold=fold)
    if column is None:
        return np.full(table.rows, stand_in, dtype=np.uint64)
    hashes = hashes_of(column, fold=fold)
    return np.where(column.is_null, stand_in, hashes) if column.has_nulls else hashes


def repeated_rows(hashes: np.ndarray) -> np.ndarray:
    """The rows whose hash has stood in an earlier row."""
    if len(hashes) < 2:
        return np.zeros(0, dtype=np.int64)
    if (hashes == hashes[0]).all():
        return np.arange(1, len(hashes), dtype=_index_type(len(hashes)))
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    return np.sort(order[1:][ordered[1:] == ordered[:-1]].astype(_index_type(len(hashes))))


def _index_type(rows: int) -> type[np.signedinteger]:
    """The smaller type of index that counts the rows; that of many repeats takes half the memory."""
    return np.int32 if rows <= np.iinfo(np.int32).max else np.int64


@dataclass(frozen=True)
class Repeats:
    """Rows whose value has stood in an earlier row: `rows` (n,) rising, and in `firsts` (n,) the first such row."""

    rows: np.ndarray
    firsts: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, most: int) -> list[tuple[int, int]]:
        """The first of these rows, each with the row that it repeats."""
        return list(zip(self.rows[:most].tolist(), self.firsts[:most].tolist(), strict=True))


def repeats(hashes: np.ndarray, value_of: Callable[[int], Hashable]) -> Repeats:
    """The rows whose value has stood in an earlier row, each with the first row that holds it.

    Equal hashes only point to rows worth a look: what is said of them rests on the values themselves. Of more
    than MAX_COMPARED such rows the rest is taken for equal, if any of those compared was.
    """
    alike = repeated_rows(hashes)
    if not len(alike):
        return Repeats(alike, alike)
    first: dict[Hashable, int] = {}
    found = {}
    rows = _rows_among(hashes, np.unique(hashes[alike[:MAX_COMPARED]]), 2 * MAX_COMPARED)
    for row in rows.tolist():
        value = (int(hashes[row]), value_of(row))
        if value in first:
            found[row] = first[value]
        else:
            first[value] = row
    same, firsts = (np.array(list(part), dtype=alike.dtype) for part in (found.keys(), found.values()))
    if not found or len(alike) <= MAX_COMPARED:
        return Repeats(same, firsts)
    # Rows that were compared count only where their values are equal.
    other = np.intersect1d(np.setdiff1d(rows, same), alike[: 2 * MAX_COMPARED])
    if len(other):
        alike = np.delete(alike, np.searchsorted(alike, other))
    of_all = _first_rows(hashes, alike)
    of_all[np.searchsorted(alike, same)] = firsts
    return Repeats(alike, of_all)


def _rows_among(hashes: np.ndarray, wanted: np.ndarray, most: int) -> np.ndarray:
    """The first rows, `most` of them, whose hash is one of the wanted, which rise: (n,) integers."""
    found: list[np.ndarray] = []
    for start in range(0, len(hashes), _PIECE):
        piece = hashes[start : start + _PIECE]
        nearest = np.minimum(np.searchsorted(wanted, piece), len(wanted) - 1)
        found.append(start + np.flatnonzero(wanted[nearest] == piece))
        if sum(map(len, found)) >= most:
            break
    return np.concatenate(found)[:most]


def _first_rows(hashes: Hashes, rows: Integers) -> Integers:
    """For each of some rows the first one with its hash: like rows."""
    if (hashes == hashes[0]).all():
        return np.zeros_like(rows)
    values, firsts = np.unique(hashes, return_index=True)
    return firsts[np.searchsorted(values, hashes[rows])].astype(rows.dtype)


def rows_of(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each wanted hash the first row of that key, -1 where there is none: like wanted."""
    if len(keys) == len(wanted) and np.array_equal(keys, wanted):
        return np.arange(len(wanted))
    if not len(keys) or not len(wanted):
        return np.full(len(wanted), NONE)
    if (wanted == wanted[0]).all():
        hits = np.flatnonzero(keys == wanted[0])
        return np.full(len(wanted), hits[0] if len(hits) else NONE)
    order = np.argsort(keys, kind="stable")
    position = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    found = order[position]
    return np.where(keys[found] == wanted, found, NONE)


def rows_named(
    parent: Table, names: Sequence[str], child: Table, child_names: Sequence[str], defaults: Sequence[str]
) -> np.ndarray:
    """For each row of a table the first row of another with the same ids, -1 where there is none.

    Ids that differ in case alone are one id where none is spelt alike, as the rules about links have it.
    """
    found = rows_spelt(parent, names, child, child_names, defaults)
    if (found == NONE).any():
        caseless = rows_spelt(parent, names, child, child_names, defaults, fold=True)
        found = np.where(found == NONE, caseless, found)
    return found


def folded_key(table: Table, names: Sequence[str], row: int) -> tuple[str, ...]:
    """Some values of a row without regard to case, absent ones as empty texts."""
    return tuple((table.text(name, row) or "").casefold() for name in names)


def identities(parent: Table, names: Sequence[str], child: Table, own: Sequence[str], default: str) -> np.ndarray:
    """For each row of a table a number by which its ids are known: equal for rows that name one row of the parent.

    Ids that lead nowhere stand for themselves: (rows,) uint64.
    """
    hashes = combined([filled_hashes(child, name, default) for name in own])
    found = rows_named(parent, names, child, own, [default] * len(own))
    return np.where(found == NONE, hashes, found.astype(np.uint64))


def rows_spelt(
    parent: Table,
    names: Sequence[str],
    child: Table,
    child_names: Sequence[str],
    defaults: Sequence[str],
    *,
    fold: bool = False,
) -> np.ndarray:
    """As `rows_named`, with regard to case or without."""
    few = few_rows(parent, names, child, child_names, defaults, fold=fold)
    if few is not None:
        return few
    counted = _rows_counted(parent, names, child, child_names, defaults, fold=fold)
    if counted is not None:
        return counted
    keys, wanted = (
        [filled_hashes(table, name, default, fold=fold) for name, default in zip(own, defaults, strict=True)]
        for table, own in ((parent, names), (child, child_names))
    )
    return rows_of(combined(keys), combined(wanted))


def few_rows(
    parent: Table,
    names: Sequence[str],
    child: Table,
    child_names: Sequence[str],
    defaults: Sequence[str],
    *,
    fold: bool = False,
) -> Integers | None:
    """As `rows_of`, of the values of small tables; None where the tables are not small."""
    held = _few_keys(parent, names, defaults, fold=fold)
    sought = _few_keys(child, child_names, defaults, fold=fold) if held is not None else None
    if held is None or sought is None:
        return None
    if held == sought:
        return np.arange(len(sought))
    first: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(held):
        first.setdefault(key, row)
    return np.array([first.get(key, NONE) for key in sought], dtype=np.int64)


def _few_keys(
    table: Table, names: Sequence[str], defaults: Sequence[str], *, fold: bool
) -> list[tuple[str, ...]] | None:
    """The values of some items of each row of a small table, None of others."""
    if table.rows > FEW:
        return None
    columns = []
    for name, default in zip(names, defaults, strict=True):
        column = table.column(name)
        if column is not None and (column.few_values is None or len(column) != table.rows):
            return None
        texts = table.texts(name, default)
        columns.append([fold_text(text or "") for text in texts] if fold else [text or "" for text in texts])
    return list(zip(*columns, strict=True))


def _rows_counted(
    parent: Table,
    names: Sequence[str],
    child: Table,
    child_names: Sequence[str],
    defaults: Sequence[str],
    *,
    fold: bool,
) -> np.ndarray | None:
    """As `rows_spelt`, by arithmetic; None unless ids count alike in both tables, or are the same in all rows."""
    found: np.ndarray | None = None
    for name, own, default in zip(names, child_names, defaults, strict=True):
        columns = parent.column(name), child.column(own)
        one, other = (None if column is None else column.counting for column in columns)
        if one is not None and other is not None and one.is_spelt_like(other):
            place = other.places_in(one)
            found = place if found is None else np.where(found == place, found, NONE)
            continue
        texts = _only_text(parent, name, default), _only_text(child, own, default)
        if None in texts:
            return None
        if texts[0] != texts[1] and not (fold and str(texts[0]).casefold() == str(texts[1]).casefold()):
            return np.full(child.rows, NONE)
    return found


def _only_text(table: Table, name: str, default: str) -> str | None:
    """The text that an item has in all rows, None where it has several or there is no row."""
    column = table.column(name)
    if not table.rows or (column is not None and not column.is_constant):
        return None
    return table.text(name, 0, default)


def leaders(keys: np.ndarray) -> np.ndarray:
    """For each row the first row of the same key: (n,)."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first[inverse]
