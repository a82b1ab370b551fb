"""The numbers of a column, and those of few values one by one."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from imgcif_core.arrays import Flags, Floats
from imgcif_core.cif.document import Quoting
from imgcif_core.cif.values import parse_number
from imgcif_core.records import dataclass

WIDEST = 256
# Up to this many rows a step for each is faster than arrays are set up.
FEW = 24
NO_NULLS = tuple(np.zeros(rows, dtype=bool) for rows in range(FEW + 1))
_NO_UNCERTAINTIES = tuple(np.full(rows, np.nan) for rows in range(FEW + 1))
for _shared in (*NO_NULLS, *_NO_UNCERTAINTIES):
    _shared.setflags(write=False)
_SHORT = 32


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers: nan and not valid where a value is null or no number.

    values, su : (rows,) float64; is_valid, is_integer : (rows,) bool.
    """

    values: Floats
    su: Floats
    valid: Flags
    is_integer: Flags

    @property
    def has_su(self) -> bool:
        """True if any value has a standard uncertainty."""
        rows = len(self.su)
        is_none = rows <= FEW and self.su is _NO_UNCERTAINTIES[rows]
        return not is_none and not bool(np.isnan(self.su).all())


_NO_NUMBER = (math.nan, math.nan, False, False)


def read_number(raw: bytes) -> tuple[float, float, bool, bool] | None:
    """Value, standard uncertainty, True, and whether it is written as an integer; None for what is no number."""
    parsed = parse_number(raw)
    # What overflows a float is written as a number, but none that anything can be computed from.
    if parsed is None or not math.isfinite(parsed[0]):
        return None
    return *parsed, True, not (b"." in raw or b"e" in raw or b"E" in raw)


@lru_cache(maxsize=4096)
def _kept_number(raw: bytes) -> tuple[float, float, bool, bool] | None:
    return read_number(raw)


def _number_of(raw: bytes) -> tuple[float, float, bool, bool] | None:
    """As `read_number`, of values that are not too long; small files are full of the same short ones."""
    if len(raw) > _SHORT:
        return read_number(raw) if len(raw) <= WIDEST else None
    return _kept_number(raw)


def unquoted(raw: bytes, quoting: int) -> bytes:
    """What is read as a number of a value with delimiters."""
    return raw[1:-1].strip() if quoting in (Quoting.SINGLE, Quoting.DOUBLE) else raw


def few_numbers(raws: tuple[bytes, ...], kinds: Sequence[int] | None) -> Numbers:
    """The numbers of up to FEW values from their bytes, and how each is quoted, None where none is."""
    if kinds is not None:
        raws = tuple([unquoted(raw, kind) if kind else raw for raw, kind in zip(raws, kinds, strict=True)])
    found = [_number_of(raw) or _NO_NUMBER for raw in raws]
    values, su, valid, is_integer = zip(*found, strict=True) if found else ((), (), (), ())
    has_su = any(not math.isnan(doubt) for doubt in su)
    return Numbers(
        np.array(values, dtype=float),
        np.array(su, dtype=float) if has_su else _NO_UNCERTAINTIES[len(su)],
        np.array(valid, dtype=bool),
        np.array(is_integer, dtype=bool),
    )
