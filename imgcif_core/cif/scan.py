"""The fast road: the bodies of plain loops as arrays of byte ranges, without a step per value.

White space is marked in a chunk of bytes at once, the edges of the marks are the tokens. A token
that could be anything but a bare word ends the stretch, and the careful tokeniser takes over.
"""

import re

import numpy as np

from imgcif_core.cif.document import Quoting

SMALLEST_CHUNK = 1 << 16
LARGEST_CHUNK = 1 << 22
_SPECIAL = np.zeros(256, dtype=bool)
_SPECIAL[list(b"\"'#;_$[]{}")] = True
_KEYWORD = np.zeros(256, dtype=bool)
_KEYWORD[list(b"dDsSlLgG")] = True
_HEADS = np.array([int.from_bytes(word, "little") for word in (b"data", b"save", b"loop", b"stop")])
_GLOBAL = int.from_bytes(b"glob", "little")
# Quoted values without a quote in them, closed or open up to the end of their line, text fields and comments, each
# whole and set apart by white space.
_MARKED = re.compile(
    rb"'(?<=[ \t\r\n]')(?!'')[^'\r\n]*+(?:'(?=[ \t\r\n])|(?=[\r\n]))"
    rb"|\"(?<=[ \t\r\n]\")(?!\"\")[^\"\r\n]*+(?:\"(?=[ \t\r\n])|(?=[\r\n]))"
    rb"|\#(?<=[ \t\r\n]\#)[^\r\n]*+(?=[\r\n])"
    rb"|;(?<=[\r\n];)(?>.*?[\r\n];)(?=[ \t\r\n])",
    re.S,
)
_QUOTING = np.zeros(256, dtype=np.uint8)
_QUOTING[[39, 34, 59]] = Quoting.SINGLE, Quoting.DOUBLE, Quoting.TEXT
_COMMENT = 35


def plain_words(data: bytes, position: int, chunk: int, *, is_cif2: bool) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """The bare words from a position on, up to a special token or the end of the chunk.

    Returns starts and ends (n,) int64, the position behind the last word, and whether the chunk
    was used up (True) or a special token stopped the scan (False).
    """
    stop = min(len(data), position + chunk)
    array = np.frombuffer(data, np.uint8, stop - position, position)
    # Four comparisons of whole chunks are faster than one look-up per byte.
    is_space = (array == 32) | (array == 10) | (array == 9) | (array == 13)
    starts, ends = _words(is_space, is_whole=stop == len(data))
    if not len(starts):
        return starts, ends, position, stop < len(data)
    bracket = _first_bracket(data, position, stop) if is_cif2 else stop
    limit = _first_special(array, starts, bracket - position)
    used_up = limit == len(starts) and stop < len(data)
    starts, ends = starts[:limit], ends[:limit]
    end = position + int(ends[-1]) if limit else position
    return starts + position, ends + position, end, used_up


def marked_words(
    data: bytes, position: int, stop: int, *, is_cif2: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, bool]:
    """As `plain_words` up to an offset, with quoted values, text fields and comments among the words.

    Only they are looked at one by one. Returns starts, ends, quoting (n,) uint8, the position behind the last
    word, and whether all was used up.
    """
    array = np.frombuffer(data, np.uint8, stop - position, position)
    spans = np.array([found.span() for found in _MARKED.finditer(data, position, stop)], dtype=np.int64)
    spans = spans.reshape(-1, 2) - position
    steps = np.zeros(len(array) + 1, dtype=np.int8)
    steps[spans[:, 0]] = 1
    is_first = steps[:-1] == 1
    steps[spans[:, 1]] = -1
    inside = np.cumsum(steps[:-1], dtype=np.int8).view(bool)
    is_space = ((array == 32) | (array == 10) | (array == 9) | (array == 13)) & ~inside
    starts, ends = _words(is_space, is_whole=stop == len(data))
    is_marked = is_first[starts]
    is_word = ~(is_marked & (array[starts] == _COMMENT))
    starts, ends, is_marked = starts[is_word], ends[is_word], is_marked[is_word]
    bracket = _bare_bracket(array, inside) if is_cif2 else len(array)
    limit = _first_special(array, starts, bracket, is_marked)
    used_up = limit == len(starts) and stop < len(data)
    starts, ends = starts[:limit], ends[:limit]
    quoting = np.where(is_marked[:limit], _QUOTING[array[starts]], np.uint8(0))
    end = position + int(ends[-1]) if limit else position
    return starts + position, ends + position, quoting, end, used_up


def _words(is_space: np.ndarray, *, is_whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of what stands between white space; a last word that touches the end counts if that is whole."""
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    if len(is_space) and not is_space[0]:
        edges = np.concatenate([np.zeros(1, dtype=edges.dtype), edges])
    if len(edges) % 2:
        edges = np.append(edges, len(is_space)) if is_whole else edges[:-1]
    return edges[0::2], edges[1::2]


def _bare_bracket(array: np.ndarray, inside: np.ndarray) -> int:
    """The offset of the first bracket that stands in no quoted value; else the length."""
    found = ((array == 91) | (array == 93) | (array == 123) | (array == 125)) & ~inside
    return int(found.argmax()) if found.any() else len(array)


def _first_bracket(data: bytes, position: int, stop: int) -> int:
    """The offset of the first bracket, which CIF 2.0 allows in no bare word; else the end."""
    for mark in (b"[", b"]", b"{", b"}"):
        found = data.find(mark, position, stop)
        stop = found if found >= 0 else stop
    return stop


def _first_special(array: np.ndarray, starts: np.ndarray, bracket: int, is_marked: np.ndarray | None = None) -> int:
    """The index of the first word that is neither certainly bare nor marked, or the number of words."""
    first = array[starts]
    special = _SPECIAL[first]
    if is_marked is not None:
        special &= ~is_marked
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
