"""Content types of DDLm: what a value may look like, for one text and for whole columns."""

import math
import re
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np

from imgcif_core.arrays import Flags, Integers
from imgcif_core.cif.blanks import find_blanks
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Quoting
from imgcif_core.cif.values import fold, parse_number
from imgcif_core.ddlm.model import NUMERIC, Form, Item
from imgcif_core.ddlm.uris import iri, uri_reference

_REAL = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\(\d+\))?"
_UNSIGNED = _REAL.removeprefix("[+-]?")
_DAY = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
# The grammars of URIs are long, and made when the first odd one is met.
PATTERNS = {
    "Word": r"\S+",
    "Code": r"\S+",
    "Name": r"[A-Za-z0-9_]+",
    "Tag": r"_\S+",
    "Uri": "",
    "Iri": "",
    "Date": _DAY,
    "DateTime": (
        _DAY + r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?"
    ),
    "Version": (
        r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}"
        r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
        r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    ),
    "Dimension": r"\[(?:\d*(?:,\d*)*)?\]",
    "Range": r"[^\s:]*:[^\s:]*",
    "Integer": r"[+-]?\d+(?:\(\d+\))?",
    "Count": r"\+?\d+",
    "Index": r"\+?0*[1-9]\d*",
    "Real": _REAL,
    "Imag": _REAL + "[ij]",
    "Complex": f"{_REAL}[+-]{_UNSIGNED}[ij]|{_REAL}[ij]?",
    "Symop": r"0*[1-9]\d*(?:[_ ]\d{3,})?",
}
_SHORT = 64
_NO_ROWS = np.zeros(0, dtype=np.int64)
_NO_ROWS.setflags(write=False)
_COMPLEX = re.compile(f"(?:(?P<real>{_REAL})(?P<signed>[+-]{_UNSIGNED})|(?P<imaginary>{_REAL}))[ij]")


# Most URIs are as plain as this.
_PLAIN_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[A-Za-z0-9.\-]+(?:/[A-Za-z0-9._~\-]*)*")


@cache
def _pattern(contents: str) -> re.Pattern[str]:
    """The form of a content type, compiled once."""
    made = {"Uri": uri_reference, "Iri": iri}
    return made[contents]() if contents in made else re.compile(PATTERNS[contents])


def check_contents(contents: str, text: str) -> bool:
    """True if a text is a value of the content type; types without a form take any text."""
    if contents not in PATTERNS or (contents in ("Uri", "Iri") and _PLAIN_URI.fullmatch(text)):
        return True
    if _pattern(contents).fullmatch(text) is None:
        return False
    if contents in NUMERIC and (number := parse_number(text.encode())) is not None:
        return math.isfinite(number[0])
    if contents == "Range":
        return _is_range(text)
    return contents not in ("Date", "DateTime") or _is_real_date(text[:10])


@lru_cache(maxsize=4096)
def _kept_verdict(contents: str, text: str) -> bool:
    return check_contents(contents, text)


def fits(contents: str, text: str) -> bool:
    """As `check_contents`; small files are full of the same short texts."""
    return _kept_verdict(contents, text) if len(text) <= _SHORT else check_contents(contents, text)


def _is_range(text: str) -> bool:
    """True if the ends are numbers, at least one is given, and the smaller one stands first."""
    ends = []
    for part in filter(None, text.split(":")):
        number = parse_number(part.encode())
        if number is None:
            return False
        ends.append(number[0])
    return bool(ends) and ends == sorted(ends)


def _is_real_date(text: str) -> bool:
    """True if the day exists."""
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def complex_of(text: str) -> complex | None:
    """The number that a text of a number type stands for, uncertainties left out; None if it is none."""
    number = parse_number(text.encode())
    if number is not None:
        return complex(number[0])
    match = _COMPLEX.fullmatch(text)
    if match is None:
        return None
    parts = (match["real"] or "0", match["signed"] or match["imaginary"])
    real, imaginary = (parse_number(part.encode()) for part in parts)
    return complex(real[0], imaginary[0]) if real and imaginary else None


def wrong_rows(item: Item, column: Column) -> np.ndarray:
    """The rows whose value is not of the item's content type; nulls and containers are left out."""
    if item.contents in ("Text",) or item.contents not in PATTERNS:
        return _NO_ROWS
    few = column.few_values
    if few is not None:
        for text in few:
            if text is not None and not fits(item.contents, text):
                break
        else:
            return _NO_ROWS
    candidates = ~column.is_null
    if column.quoting is not None:
        candidates &= ~np.isin(column.quoting, (Quoting.LIST, Quoting.TABLE, Quoting.BINARY))
    if item.contents in NUMERIC:
        if item.contents in ("Real", "Integer"):
            numbers = column.numbers()
            candidates &= ~(numbers.valid & (numbers.is_integer | (item.contents == "Real")))
    elif item.contents in ("Word", "Code") and column.quoting is None:
        return _NO_ROWS
    elif item.contents in ("Word", "Code"):
        candidates &= ~column.is_bare
    return _misfits(item.contents, column, candidates)


def _misfits(contents: str, column: Column, candidates: Flags) -> Integers:
    """Of the candidate rows, those whose text does not fit; each distinct text is tested once."""
    rows = np.flatnonzero(candidates)
    if not len(rows):
        return rows
    if len(rows) <= 64:
        return np.array([row for row in rows if not check_contents(contents, column.text(int(row)))], dtype=np.int64)
    if contents in ("Word", "Code"):
        holds_blanks, is_unclear = find_blanks(column)
        if not (candidates & is_unclear).any():
            return np.flatnonzero(candidates & holds_blanks)
    hashes = column.hashes[rows]
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    texts = column.texts()
    verdicts = np.array([check_contents(contents, texts[row]) for row in rows[first].tolist()])
    found: Integers = rows[~verdicts[inverse]]
    return found


def in_ranges(item: Item, values: np.ndarray, su: np.ndarray) -> np.ndarray:
    """Where values lie within a range of some layer, ends included, widened by 3 su: bool like values."""
    if not item.ranges:
        return np.ones(values.shape, dtype=bool)
    slack = 3.0 * np.nan_to_num(su)
    inside = np.zeros(values.shape, dtype=bool)
    for low, high in item.ranges:
        fits = np.ones(values.shape, dtype=bool)
        if low is not None:
            fits &= values + slack >= low
        if high is not None:
            fits &= values - slack <= high
        inside |= fits
    return inside


def in_states(item: Item, text: str) -> bool:
    """True if a text is one of the item's enumerated states, by the case rule of its contents."""
    states = item.states or ()
    if text in states:
        return True
    if item.is_caseless and fold(text) in {fold(state) for state in states}:
        return True
    return is_series(item, text)


def is_series(item: Item, text: str) -> bool:
    """True for a series such as PR of the one-letter codes of an item that old files join and newer ones replace."""
    states = item.states or ()
    is_of_letters = bool(item.deprecated) and max(map(len, states), default=0) == 1
    return is_of_letters and len(text) > 1 and len(set(text)) == len(text) and set(text) <= set(states) - {".", "?"}


def shape_of(value: object) -> Iterator[int]:
    """The lengths of nested lists along their first elements; ragged lists give -1 at that depth."""
    while isinstance(value, list):
        yield len(value)
        if not value or not isinstance(value[0], list):
            return
        if any(not isinstance(entry, list) or len(entry) != len(value[0]) for entry in value):
            yield -1
            return
        value = value[0]


def fits_dimension(dimension: str, value: object, *, has_inner: bool = False) -> bool:
    """True if a list has the shape that `_type.dimension`, for example `[3,3]`, gives.

    Elements that are lists of their own (`has_inner`) may go deeper than the dimension.
    """
    wanted = dimension.strip("[]").split(",") if dimension.strip("[]") else []
    if not wanted:
        return True
    shape = list(shape_of(value))
    if has_inner:
        shape = shape[: len(wanted)]
    if len(shape) != len(wanted) or -1 in shape:
        return False
    return all(not number.strip() or int(number) == length for number, length in zip(wanted, shape, strict=True))


def elements_of(form: Form | Item, value: object) -> Iterator[object]:
    """The elements of a container: the values of a table, the entries of a list at the depth of its dimension."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        level: list[object] = [value]
        for _ in range(form.dimension.count(",") + 1):
            level = [entry for part in level for entry in (part if isinstance(part, list) else [part])]
        yield from level
