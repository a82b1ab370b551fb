"""CBF and imgCIF files written by CBFlib, an independent program."""

from pathlib import Path

import numpy as np
import pytest


def write(
    path: Path, array: np.ndarray, *, compression: str = "CBF_BYTE_OFFSET", encoding: str = "ENC_NONE", padding: int = 0
) -> bytes:
    """A file with one array (slow, fast) or (sections, slow, fast) as CBFlib writes it."""
    pycbf = pytest.importorskip("pycbf")
    handle = pycbf.cbf_handle_struct()
    handle.new_datablock(b"image")
    handle.new_category(b"array_data")
    for name, value in ((b"array_id", b"1"), (b"binary_id", b"1")):
        handle.new_column(name)
        handle.set_value(value)
    handle.new_column(b"data")
    slow, middle, fast = (1,) * (3 - array.ndim) + array.shape
    code, data, width = getattr(pycbf, compression, 0), array.tobytes(), array.dtype.itemsize
    layout = (array.size, b"little_endian", fast, middle, slow, padding)
    if array.dtype.kind == "f":
        handle.set_realarray_wdims_fs(code, 1, data, width, *layout)
    else:
        handle.set_integerarray_wdims_fs(code, 1, data, width, int(array.dtype.kind == "i"), *layout)
    is_cbf = encoding == "ENC_NONE"
    code = pycbf.ENC_NONE if is_cbf else getattr(pycbf, encoding)
    headers = pycbf.MIME_HEADERS | pycbf.MSG_DIGEST
    handle.write_widefile(str(path).encode(), pycbf.CBF if is_cbf else pycbf.CIF, headers, code)
    return path.read_bytes()


def image(seed: int = 1, shape: tuple[int, ...] = (20, 30), dtype: str = "<i4") -> np.ndarray:
    """Counts with a few high and marked pixels."""
    source = np.random.default_rng(seed)
    array = source.poisson(20.0, shape)
    array.flat[:: 37 if array.size > 37 else 1] = 30_000
    if np.dtype(dtype).kind == "i":
        array.flat[5::41] = -1
    return np.ascontiguousarray(array.astype(dtype))
