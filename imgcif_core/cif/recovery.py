"""Slips in the headings of loops, and what was meant: asked only where the text is wrong as it stands.

Without this, one lost underscore makes an error of every name and value behind it.
"""

import re
from collections.abc import Sequence

_LOOP = re.compile(rb"_?l+o+p?o?p+[_:\-;.]*\Z|loop__+\Z", re.I)
_GAP = rb"(?:[ \t\r\n]+|#[^\r\n]*)+"
_WORD = rb"(?!_|loop_|data_|save_)[^ \t\r\n]+"
_HEADING = re.compile(rb"_[^ \t\r\n]+" + _GAP + rb"(?:_[^ \t\r\n]|" + _WORD + _GAP + _WORD + rb")", re.I)
_STUCK = re.compile(rb"(_[^ \t\r\n'\"]*[A-Za-z0-9\])])((['\"]).*)\Z", re.S)
_NAMELIKE = re.compile(rb"[A-Za-z][A-Za-z0-9_\-]*\.[A-Za-z][^ \t\r\n'\"/\\]*\Z")


def is_nearly_loop(word: bytes) -> bool:
    """True for `loop`, `lop_`, `loop:` and the like."""
    return _LOOP.match(word) is not None and word.lower() != b"loop_"


def is_heading(data: bytes, position: int) -> bool:
    """True if a name stands at a position that no single value follows: another name, or several values."""
    return _HEADING.match(data, position, position + 4096) is not None


def category_of(name: bytes) -> bytes:
    """The part of a name before its dot, in lower case; the whole of a name without one."""
    return name.partition(b".")[0].lower()


def is_name_without_underscore(word: bytes, names: Sequence[bytes]) -> bool:
    """True for a word that only lacks the underscore to be a name of the same category."""
    if not _NAMELIKE.match(word):
        return False
    return not names or category_of(b"_" + word) == category_of(names[0])


def stuck_value(name: bytes) -> int:
    """Where in a name a quoted value begins that sticks to it, 0 where none does."""
    match = _STUCK.match(name)
    return match.start(2) if match else 0
