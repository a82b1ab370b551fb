"""Edits applied to the bytes of a file: nothing changes outside of them, line ends and encoding stay."""

import re
from collections.abc import Iterable
from itertools import pairwise

from imgcif_core.cif.document import Source
from imgcif_core.errors import ImgcifError
from imgcif_core.findings import Edit
from imgcif_core.records import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EditError(ImgcifError):
    """Edits that do not fit the text: beyond its end, or over one another."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The bytes from `start` to `end` become `text`."""

    start: int
    end: int
    text: bytes


def apply_edits(source: Source | bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes of a file with edits made; equal edits are made once.

    Raises
    ------
    EditError
        If an edit lies beyond the text, in a binary section, or over another one.
    """
    held = source if isinstance(source, Source) else Source("<bytes>", source)
    return patched(held.data, patches_of(held, edits))


def patches_of(source: Source, edits: Iterable[Edit]) -> list[Patch]:
    """Edits as byte ranges in order; insertions at one place keep the order in which they are given."""
    end_of_line, encoding = line_end(source.data), encoding_of(source)
    patches = []
    for edit in dict.fromkeys(edits):
        if not 1 <= edit.line <= edit.end_line <= len(source.line_starts):
            raise EditError(f"edit of line {edit.line}: the text has {len(source.line_starts)} lines")
        start, end = source.offset(edit.line, edit.column), source.offset(edit.end_line, edit.end_column)
        text = edit.text.encode(encoding, "backslashreplace").replace(b"\n", end_of_line)
        patches.append(Patch(start, end, text))
    patches.sort(key=lambda patch: (patch.start, patch.end))
    for one, other in pairwise(patches):
        if other.start < one.end or one.end < one.start:
            raise EditError(f"two edits meet in line {source.line_of(other.start)}")
    for begin, stop in source.opaque:
        if any(patch.start < stop and patch.end > begin for patch in patches):
            raise EditError("an edit lies in the data of a binary section")
    return patches


def patched(data: bytes, patches: Iterable[Patch]) -> bytes:
    """The bytes with ordered patches made."""
    parts, at = [], 0
    for patch in patches:
        parts += [data[at : patch.start], patch.text]
        at = patch.end
    return b"".join([*parts, data[at:]])


def line_end(data: bytes) -> bytes:
    """The line end of a file: that of its first line."""
    match = _LINE_END.search(data)
    return match[0] if match else b"\n"


def encoding_of(source: Source) -> str:
    """UTF-8, unless the text outside binary sections is of an older kind."""
    at = 0
    try:
        for begin, stop in [*source.opaque, (len(source.data), 0)]:
            source.data[at:begin].decode("utf-8")
            at = stop
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
