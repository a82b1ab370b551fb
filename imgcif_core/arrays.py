"""Arrays by what they hold, for annotations; shapes and units stand in the docstrings.

The same as `numpy.typing.NDArray[...]`, which would cost every start the import of that module.
"""

from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
Integers: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]
Flags: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]
Hashes: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.uint64]]
Bytes: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.uint8]]
