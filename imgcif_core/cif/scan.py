"""The fast road: the bodies of plain loops as arrays of byte ranges, without a step per value.

White space is marked in a chunk of bytes at once, the edges of the marks are the tokens. A token
that could be anything but a bare word ends the stretch, and the careful tokeniser takes over.
"""

import numpy as np

SMALLEST_CHUNK = 1 << 16
LARGEST_CHUNK = 1 << 22
_SPECIAL = np.zeros(256, dtype=bool)
_SPECIAL[list(b"\"'#;_$[]{}")] = True
_KEYWORD = np.zeros(256, dtype=bool)
_KEYWORD[list(b"dDsSlLgG")] = True
_HEADS = np.array([int.from_bytes(word, "little") for word in (b"data", b"save", b"loop", b"stop")])
_GLOBAL = int.from_bytes(b"glob", "little")


def plain_words(data: bytes, position: int, chunk: int, *, is_cif2: bool) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """The bare words from a position on, up to a special token or the end of the chunk.

    Returns starts and ends (n,) int64, the position behind the last word, and whether the chunk
    was used up (True) or a special token stopped the scan (False).
    """
    stop = min(len(data), position + chunk)
    array = np.frombuffer(data, np.uint8, stop - position, position)
    # Four comparisons of whole chunks are faster than one look-up per byte.
    is_space = (array == 32) | (array == 10) | (array == 9) | (array == 13)
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    if len(array) and not is_space[0]:
        edges = np.concatenate([np.zeros(1, dtype=edges.dtype), edges])
    if len(edges) % 2:
        # The last word touches the end of the chunk: it is whole only at the end of the file.
        edges = np.append(edges, len(array)) if stop == len(data) else edges[:-1]
    starts, ends = edges[0::2], edges[1::2]
    if not len(starts):
        return starts, ends, position, stop < len(data)
    bracket = _first_bracket(data, position, stop) if is_cif2 else stop
    limit = _first_special(array, starts, bracket - position)
    used_up = limit == len(starts) and stop < len(data)
    starts, ends = starts[:limit], ends[:limit]
    end = position + int(ends[-1]) if limit else position
    return starts + position, ends + position, end, used_up


def _first_bracket(data: bytes, position: int, stop: int) -> int:
    """The offset of the first bracket, which CIF 2.0 allows in no bare word; else the end."""
    for mark in (b"[", b"]", b"{", b"}"):
        found = data.find(mark, position, stop)
        stop = found if found >= 0 else stop
    return stop


def _first_special(array: np.ndarray, starts: np.ndarray, bracket: int) -> int:
    """The index of the first word that is not certainly a bare word, or the number of words."""
    first = array[starts]
    special = _SPECIAL[first]
    limit = int(special.argmax()) if special.any() else len(starts)
    if bracket < len(array):
        limit = min(limit, int(np.searchsorted(starts, bracket, side="right")) - 1)
    candidates = np.flatnonzero(_KEYWORD[first[:limit]])
    candidates = candidates[starts[candidates] + 4 < len(array)]
    if len(candidates):
        at = starts[candidates]
        heads = np.zeros(len(at), dtype=np.int64)
        for index in range(4):
            heads |= (array[at + index].astype(np.int64) | 32) << (8 * index)
        reserved = (np.isin(heads, _HEADS) & (array[at + 4] == ord("_"))) | (heads == _GLOBAL)
        if reserved.any():
            limit = int(candidates[reserved.argmax()])
    return limit
