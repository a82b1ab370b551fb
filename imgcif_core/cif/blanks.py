"""White space in texts, looked for in many at once."""

import numpy as np

from imgcif_core.arrays import Flags


def find_blanks(matrix: np.ndarray, lengths: np.ndarray) -> tuple[Flags, Flags]:
    """Rows that hold white space within their lengths, and those with bytes that may be some: (rows,) bool each."""
    is_text = np.arange(matrix.shape[1]) < lengths[:, None]
    is_control = (matrix < 32) & (matrix != 9)
    is_odd = (matrix > 126) | is_control
    return np.any((matrix <= 32) & is_text, axis=1), np.any(is_odd & is_text, axis=1)
