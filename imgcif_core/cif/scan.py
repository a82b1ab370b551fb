"""The fast road: the bodies of plain loops as arrays of byte ranges, without a step per value.

White space is marked in a chunk of bytes at once, the edges of the marks are the tokens. A token
that could be anything but a bare word ends the stretch, and the careful tokeniser takes over.
"""

import re

import numpy as np

from imgcif_core.cif.document import CACHED, Quoting

SMALLEST_CHUNK = 1 << 16
LARGEST_CHUNK = 1 << 22
# Lines alike from which on they are looked at as one matrix, and the longest of them.
FEWEST_LINES = 64
LONGEST_LINE = 4096
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
_BLANKS = re.compile(rb"[ \t\r\n]*+")
# What begins in one of these ways is marked, if it is whole.
_MARKS = frozenset(b"'\"#;")
_WHITE = np.zeros(256, dtype=bool)
_WHITE[list(b" \t\r\n")] = True


def plain_words(data: bytes, position: int, chunk: int, *, is_cif2: bool) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """The bare words from a position on, up to a special token or the end of the chunk.

    Returns starts and ends (n,) int64, the position behind the last word, and whether the chunk
    was used up (True) or a special token stopped the scan (False).
    """
    stop = min(len(data), position + chunk)
    array = np.frombuffer(data, np.uint8, stop - position, position)
    starts, ends = _words(_is_space(array), is_whole=stop == len(data))
    if not len(starts):
        return starts, ends, position, stop < len(data)
    bracket = _first_bracket(data, position, stop) if is_cif2 else stop
    limit = _first_special(array, starts, bracket - position)
    used_up = limit == len(starts) and stop < len(data)
    starts, ends = starts[:limit], ends[:limit]
    end = position + int(ends[-1]) if limit else position
    return starts + position, ends + position, end, used_up


def ruled_words(data: bytes, position: int, *, is_cif2: bool) -> tuple[np.ndarray, np.ndarray, int] | None:
    """The bare words of lines of one length whose white space stands alike in all of them, known from the first one.

    Returns starts and ends (n,) int64 and the position behind the last word; None where too few such lines follow.
    """
    position = _BLANKS.match(data, position).end()  # type: ignore[union-attr]
    first = data.find(b"\n", position, position + LONGEST_LINE)
    length = data.find(b"\n", first + 1, first + LONGEST_LINE) - first
    if first < 0 or length <= 1:
        return None
    array = np.frombuffer(data, np.uint8)
    lines = _lines_alike(array[first:], length)
    matrix = array[position : position + lines * length].reshape(lines, length)
    if lines < FEWEST_LINES or not _is_space(matrix[0, -1:])[0] or (is_cif2 and _is_bracket(matrix[0]).any()):
        return None
    starts, ends = _words(_is_space(matrix[0]), is_whole=False)
    if _first_special(matrix[0], starts, length) < len(starts):
        return None
    lines = _ruled_lines(matrix, starts, is_cif2=is_cif2)
    if lines < FEWEST_LINES:
        return None
    shift = position + length * np.arange(lines)[:, None]
    return (shift + starts).ravel(), (shift + ends).ravel(), int(shift[-1, 0]) + int(ends[-1])


def _lines_alike(array: np.ndarray, length: int) -> int:
    """How many lines of a length follow each other behind the line end with which an array begins."""
    lines, stretch = 0, FEWEST_LINES
    while True:
        ends = array[(lines + 1) * length :: length][:stretch]
        if (ends != 10).any():
            return lines + int((ends != 10).argmax())
        lines += len(ends)
        if len(ends) < stretch:
            return lines
        stretch *= 4


def _ruled_lines(matrix: np.ndarray, starts: np.ndarray, *, is_cif2: bool) -> int:
    """How many lines (lines, length) have their white space where the first one has it, and bare words alone."""
    lines, length = len(matrix), matrix.shape[1]
    model, space = matrix[0], _is_space(matrix[0])
    many = np.tile(model, FEWEST_LINES)
    begin, step = 0, FEWEST_LINES
    while begin < lines:
        part = matrix[begin : begin + step]
        varies = ~_is_same(part, many)
        values = part[:, varies & ~space]
        odd = (_is_space(values) | (_is_bracket(values) if is_cif2 else False)).any(axis=1)
        odd |= (part[:, varies & space] != model[varies & space]).any(axis=1)
        for start in starts[np.flatnonzero(np.add.reduceat(varies, starts))].tolist():
            if varies[start]:
                odd |= _SPECIAL[part[:, start]]
            if varies[start : start + 5].any() and start + 4 < length and _KEYWORD[part[:, start]].any():
                odd |= _is_reserved(part[:, start : start + 5])
        if odd.any():
            return begin + int(odd.argmax())
        begin += step
        step = min(4 * step, max(FEWEST_LINES, CACHED // length))
    return lines


def _is_same(part: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Where all lines (lines, length) hold the bytes of the first one, given many times over: (length,) bool."""
    lines, length = part.shape
    whole = lines - lines % FEWEST_LINES
    # Long rows are compared faster than short ones.
    same = (part[:whole].reshape(-1, len(many)) == many).all(axis=0).reshape(FEWEST_LINES, length).all(axis=0)
    return np.asarray(same & (part[whole:] == many[:length]).all(axis=0))


def _is_bracket(array: np.ndarray) -> np.ndarray:
    """Where bytes are brackets, which CIF 2.0 allows in no bare word."""
    return np.asarray((array == 91) | (array == 93) | (array == 123) | (array == 125))


def _is_reserved(heads: np.ndarray) -> np.ndarray:
    """Where five bytes begin a reserved word: heads (words, 5)."""
    words = np.zeros(len(heads), dtype=np.int64)
    for index in range(4):
        words |= (heads[:, index].astype(np.int64) | 32) << (8 * index)
    return np.asarray((np.isin(words, _HEADS) & (heads[:, 4] == ord("_"))) | (words == _GLOBAL))


def _is_space(array: np.ndarray) -> np.ndarray:
    """Where bytes are white space: four comparisons of whole chunks are faster than one look-up per byte."""
    return np.asarray((array == 32) | (array == 10) | (array == 9) | (array == 13))


def marked_words(
    data: bytes, position: int, stop: int, *, is_cif2: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, bool]:
    """As `plain_words` up to an offset, with quoted values, text fields and comments among the words.

    Only they are looked at one by one, and only where one may stand within another. Returns starts, ends, quoting
    (n,) uint8, the position behind the last word, and whether all was used up.
    """
    array = np.frombuffer(data, np.uint8, stop - position, position)
    spans = _apart(data, array, position)
    if spans is None:
        spans = np.array([found.span() for found in _MARKED.finditer(data, position, stop)], dtype=np.int64)
        spans = spans.reshape(-1, 2) - position
    steps = np.zeros(len(array) + 1, dtype=np.int8)
    steps[spans[:, 0]] = 1
    is_first = steps[:-1] == 1
    steps[spans[:, 1]] = -1
    inside = np.cumsum(steps[:-1], dtype=np.int8).view(bool)
    is_space = _is_space(array) & ~inside
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


def _apart(data: bytes, array: np.ndarray, position: int) -> np.ndarray | None:
    """What `_MARKED` finds, (n, 2) int64, by arrays; None where one stands within another, or text fields are there."""
    first, size = max(0, position - 1), len(array)
    if max(data.find(b"\n;", first, position + size), data.find(b"\r;", first, position + size)) >= 0:
        return None
    marks = np.flatnonzero((array == 39) | (array == 34) | (array == _COMMENT))
    is_apart = _WHITE[array[marks - 1]]
    if len(marks) and marks[0] == 0:
        is_apart[0] = position > 0 and bool(_WHITE[data[position - 1]])
    starts = marks[is_apart]
    lines = np.append(np.flatnonzero((array == 10) | (array == 13)), size)
    ends = lines[np.searchsorted(lines, starts)]
    is_whole, kinds = ends < size, array[starts]
    for quote in (39, 34):
        own = np.flatnonzero(kinds == quote)
        places = np.append(marks[array[marks] == quote], (size, size))
        following = np.searchsorted(places, starts[own], side="right")
        closing, after = places[following], places[following + 1]
        is_on_line = closing < ends[own]
        is_closed = is_on_line & _WHITE[array[np.minimum(closing + 1, size - 1)]] & (closing + 1 < size)
        is_triple = (closing == starts[own] + 1) & (after == closing + 1)
        is_whole[own] &= ~is_triple & (is_closed | ~is_on_line)
        is_whole[own] |= is_closed & ~is_triple
        ends[own] = np.where(is_closed, closing + 1, ends[own])
    starts, ends = starts[is_whole], ends[is_whole]
    return None if (starts[1:] < ends[:-1]).any() else np.stack([starts, ends], axis=1)


def _words(is_space: np.ndarray, *, is_whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of what stands between white space; a last word that touches the end counts if that is whole."""
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    if len(is_space) and not is_space[0]:
        edges = np.concatenate([np.zeros(1, dtype=edges.dtype), edges])
    if len(edges) % 2:
        edges = np.append(edges, len(is_space)) if is_whole else edges[:-1]
    return edges[0::2], edges[1::2]


def may_be_marked(data: bytes, position: int) -> bool:
    """True if a quoted value, a text field or a comment may follow behind the white space at an offset."""
    at = _BLANKS.match(data, position).end()  # type: ignore[union-attr]
    return at < len(data) and data[at] in _MARKS


def _bare_bracket(array: np.ndarray, inside: np.ndarray) -> int:
    """The offset of the first bracket that stands in no quoted value; else the length."""
    found = _is_bracket(array) & ~inside
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
        reserved = _is_reserved(array[starts[candidates][:, None] + np.arange(5)])
        if reserved.any():
            limit = int(candidates[reserved.argmax()])
    return limit
