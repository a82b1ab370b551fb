"""Values that stand at equal distances, as in lines of one length: reached by steps instead of one by one."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.cif.document import CACHED

# More runs than this, and than one in so many rows, are not worth the steps.
_MOST, _SHORTEST = 16, 256


class Runs:
    """Offsets (rows,) in an array of bytes, by runs of rows that stand equally far apart where they mostly do."""

    def __init__(self, array: np.ndarray, offsets: np.ndarray) -> None:
        self.array = array
        self._offsets = offsets
        self._runs = _even_runs(offsets)

    def bytes_at(self, shift: int, rows: slice) -> np.ndarray:
        """The bytes at some distance from the offsets of some rows: like rows, uint8; within the file."""
        begin, end, _ = rows.indices(len(self._offsets))
        if self._runs is None:
            found: np.ndarray = self.array[self._offsets[begin:end] + shift]
            return found
        found = np.empty(end - begin, dtype=np.uint8)
        for first, last, step in self._runs:
            low, high = max(first, begin), min(last, end)
            if low < high:
                at = int(self._offsets[low]) + shift
                found[low - begin : high - begin] = self.array[at : at + (high - low - 1) * step + 1 : step]
        return found

    def holds(self, shift: int, text: bytes) -> bool:
        """True if the same bytes stand at that distance from all offsets; within the file."""
        wanted = np.frombuffer(text, np.uint8)
        if not text:
            return True
        return all((matrix == wanted).all() for _, matrix in self.matrices(shift, len(text), CACHED))

    def matrices(self, shift: int, width: int, chunk: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The `width` bytes from that distance on, a chunk of bytes at a time: (rows, width) uint8, perhaps a view.

        What lies behind the end of the file is filled with its last byte.
        """
        step = max(1, chunk // max(width, 1))
        last = len(self.array) - width
        rows = len(self._offsets)
        for first, end, stride in self._runs or [(0, rows, 0)]:
            for begin in range(first, end, step):
                part = slice(begin, min(begin + step, end))
                starts = self._offsets[part]
                if last < 0 or int(starts[-1]) + shift > last or int(starts.max()) + shift > last:
                    offsets = starts.astype(np.int64)[:, None] + (shift + np.arange(width))
                    yield part, self.array[np.minimum(offsets, len(self.array) - 1)]
                    continue
                windows = np.lib.stride_tricks.sliding_window_view(self.array, width)
                if stride:
                    at = int(starts[0]) + shift
                    yield part, windows[at : at + (len(starts) - 1) * stride + 1 : stride]
                else:
                    yield part, windows[starts + shift if shift else starts]


def _even_runs(offsets: np.ndarray) -> list[tuple[int, int, int]] | None:
    """First row, row behind the last, and distance of each run; None where there are too many."""
    rows = len(offsets)
    if rows < 2 * _SHORTEST:
        return None
    steps = np.diff(offsets)
    breaks = np.flatnonzero(steps[1:] != steps[:-1]) + 1
    if len(breaks) > _MOST + rows // _SHORTEST or (steps <= 0).any():
        return None
    runs, begin = [], 0
    for row in (*breaks.tolist(), rows - 1):
        if row >= begin:
            runs.append((begin, row + 1, int(steps[begin]) if row > begin else 1))
            begin = row + 1
    return runs
