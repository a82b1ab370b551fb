"""White space in the texts of a column, looked for in all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.cif.numbers import WIDEST

if TYPE_CHECKING:
    from imgcif_core.cif.columns import Column


def find_blanks(column: Column) -> tuple[Flags, Flags]:
    """Which texts are empty or hold white space, and of which bytes alone do not tell: (rows,) bool each."""
    lengths, is_plain = column._plain(WIDEST)
    found, is_unclear = lengths == 0, ~is_plain
    for part, matrix in column._padded(max(1, int(lengths[is_plain].max(initial=0)))):
        is_text = np.arange(matrix.shape[1]) < lengths[part, None]
        is_odd = (matrix > 126) | ((matrix < 32) & (matrix != 9))
        found[part] |= np.any((matrix <= 32) & is_text, axis=1)
        is_unclear[part] |= np.any(is_odd & is_text, axis=1)
    return found, is_unclear
