"""The fast road: the bodies of plain loops as arrays of byte ranges, without a step per value.

White space is marked in a chunk of bytes at once, the edges of the marks are the tokens. A token
that could be anything but a bare word ends the stretch, and the careful tokeniser takes over.
"""

import numpy as np

SMALLEST_CHUNK = 1 << 16
LARGEST_CHUNK = 1 << 22
_SPACE = np.zeros(256, dtype=bool)
_SPACE[list(b" \t\r\n")] = True
_SPECIAL = np.zeros(256, dtype=bool)
_SPECIAL[list(b"\"'#;_$[]{}")] = True
_BRACKET = np.zeros(256, dtype=bool)
_BRACKET[list(b"[]{}")] = True
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
    is_space = _SPACE[array]
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    if len(array) and not is_space[0]:
        edges = np.concatenate([np.zeros(1, dtype=edges.dtype), edges])
    if len(edges) % 2:
        # The last word touches the end of the chunk: it is whole only at the end of the file.
        edges = np.append(edges, len(array)) if stop == len(data) else edges[:-1]
    starts, ends = edges[0::2], edges[1::2]
    if not len(starts):
        return starts, ends, position, stop < len(data)
    limit = _first_special(array, starts, is_cif2=is_cif2)
    used_up = limit == len(starts) and stop < len(data)
    starts, ends = starts[:limit], ends[:limit]
    end = position + int(ends[-1]) if limit else position
    return starts + position, ends + position, end, used_up


def _first_special(array: np.ndarray, starts: np.ndarray, *, is_cif2: bool) -> int:
    """The index of the first word that is not certainly a bare word, or the number of words."""
    first = array[starts]
    special = _SPECIAL[first]
    limit = int(special.argmax()) if special.any() else len(starts)
    if is_cif2:
        brackets = _BRACKET[array[: int(starts[limit]) if limit < len(starts) else len(array)]]
        if brackets.any():
            limit = min(limit, int(np.searchsorted(starts, brackets.argmax(), side="right")) - 1)
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
