"""From values to the text of a CIF: quoting, text fields, aligned loops; columns, never cells.

What is written reads the same under CIF 1.1 and CIF 2.0, save for characters beyond ASCII, which only
CIF 2.0 allows: `version_for` tells which magic fits.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TypeGuard

import numpy as np

from imgcif_core.errors import UsageError
from imgcif_core.records import dataclass, field

Value = str | float | int | None
Values = Value | Sequence[Value] | np.ndarray

MAX_LINE = 2048
ALIGNED_ROWS = 2000
_PIECE_ROWS = 50_000
_BARE = re.compile(r"[A-Za-z0-9+\-.(%/\\][A-Za-z0-9+\-.()%/\\:;,=&?@~*!|<>^_#$]*\Z")
_ALL_BARE = re.compile(
    r"[A-Za-z0-9+\-(%/][A-Za-z0-9+\-.()%/:,=&@~_]*(?:\n[A-Za-z0-9+\-(%/][A-Za-z0-9+\-.()%/:,=&@~_]*)*\Z"
)
_RESERVED = re.compile(r"(?:data_|save_|loop_\Z|stop_\Z|global_\Z)", re.IGNORECASE)
# Beginnings of lines in which reserved words may stand; those that only begin so are looked at one by one.
_ANY_RESERVED = ("\ndata_", "\nsave_", "\nloop_", "\nstop_", "\nglobal_")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")


class Token(str):
    """Text that is CIF already and needs no quotes."""

    __slots__ = ()


class Plain(list[str]):
    """A column of texts that are known to be ASCII and to need no quotes, such as counted ids."""


NOT_APPLICABLE = Token(".")
UNKNOWN = Token("?")


@dataclass(frozen=True, slots=True)
class Category:
    """One category to write: values by object name, in the order in which they are written.

    Each value is a list or array of one length, or a single value for all rows; a category of single
    values is written without a loop. None stands for `.`; `comment` goes above it, `sources` says for
    an object name, or for "" as all others, where the values come from; `row_sources` says it for each row
    of the items that `sources` does not name.
    """

    name: str
    items: Mapping[str, Values]
    comment: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    row_sources: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """The number of rows, 1 without a loop."""
        lengths = [len(values) for values in self.items.values() if not _is_single(values)]  # type: ignore[arg-type]
        return max(lengths, default=1)

    @property
    def is_looped(self) -> bool:
        """True if any item is a list."""
        return any(not _is_single(values) for values in self.items.values())


@dataclass(frozen=True, slots=True)
class DataBlock:
    """A named data block to write."""

    name: str
    categories: Sequence[Category]
    comment: str = ""


def _is_single(values: Values) -> TypeGuard[Value]:
    """True for one value, False for a column."""
    return isinstance(values, (str, int, float, type(None), np.generic))


def version_for(blocks: Sequence[DataBlock]) -> str:
    """The lowest version of CIF that can hold the values: "1.1", or "2.0" for more than ASCII."""
    return "1.1" if all(_is_ascii(block) for block in blocks) else "2.0"


def _is_ascii(block: DataBlock) -> bool:
    """True if all texts of a block are ASCII."""
    if not (block.name + block.comment).isascii():
        return False
    for category in block.categories:
        for values in category.items.values():
            if isinstance(values, (np.ndarray, Plain)):
                continue
            texts = _cells(values)
            joined = _joined(texts)
            if joined is not None:
                is_ascii = joined.isascii()
            else:
                is_ascii = all(text.isascii() for text in texts if isinstance(text, str))
            if not is_ascii:
                return False
    return True


def _cells(values: Values) -> Sequence[Value]:
    """The values of a column, or the one value."""
    if _is_single(values):
        return [values]
    cells: Sequence[Value] = values  # type: ignore[assignment]
    return cells


def _joined(cells: Sequence[Value]) -> str | None:
    """Texts as lines of one text; None where not all are texts."""
    try:
        return "\n".join(cells)  # type: ignore[arg-type]
    except TypeError:
        return None


def write_blocks(blocks: Sequence[DataBlock], magic: str | None = None) -> Iterator[str]:
    """The text of a file in large pieces.

    Parameters
    ----------
    magic :
        The first line; that of the lowest fitting version of CIF unless given.

    Raises
    ------
    UsageError
        If columns of one category differ in length.
    """
    yield (magic if magic is not None else f"#\\#CIF_{version_for(blocks)}") + "\n"
    for block in blocks:
        yield from _comment(block.comment)
        yield f"data_{block.name}\n"
        previous_looped = True
        for category in block.categories:
            if category.is_looped and category.rows == 0:
                continue
            if previous_looped or category.is_looped or category.comment:
                yield "\n"
            previous_looped = category.is_looped
            yield from _comment(category.comment)
            yield from _loop(category) if category.is_looped else _pairs(category)


def _comment(text: str) -> Iterator[str]:
    """Lines of comment."""
    for line in text.splitlines():
        yield f"# {line}".rstrip() + "\n"


def _pairs(category: Category) -> Iterator[str]:
    """Items one by one, their values below each other."""
    names = [f"_{category.name}.{name}" for name in category.items]
    width = max(map(len, names), default=0)
    for name, value in zip(names, category.items.values(), strict=True):
        encoded = encode(value)  # type: ignore[arg-type]
        gap = "" if encoded.startswith("\n") else " "
        fits = len(encoded) + width + 1 <= MAX_LINE
        yield f"{name:<{width}}{gap}{encoded}\n" if fits or not gap else f"{name}\n{encoded}\n"


def _loop(category: Category) -> Iterator[str]:
    """A loop, its columns aligned where it is not too long for that."""
    rows = category.rows
    # What is the same in all rows is part of the form.
    columns: list[Sequence[str]] = []
    forms: list[str] = []
    for name, values in category.items.items():
        column = encode_column(values, rows)
        shown: Sequence[str] = [next(column)] if isinstance(column, repeat) else column
        if not isinstance(column, repeat):
            columns.append(shown)
            if len(shown) != rows:
                raise UsageError(f"{category.name}.{name} has {len(shown)} values in a loop of {rows} rows")
        is_padded = rows <= ALIGNED_ROWS and len(forms) < len(category.items) - 1
        width = max((len(text) for text in shown if text[0] != "\n"), default=0) if is_padded else 0
        if isinstance(column, repeat):
            forms.append(shown[0].ljust(width).replace("%", "%%"))
        else:
            forms.append(f"%-{width}s" if is_padded else "%s")
    form = "  " + " ".join(forms) + "\n"
    yield "loop_\n" + "".join(f"  _{category.name}.{name}\n" for name in category.items)
    for start in range(0, rows, _PIECE_ROWS):
        piece = _formatted(form, [column[start : start + _PIECE_ROWS] for column in columns])
        yield piece if len(piece) < MAX_LINE or "\n;" in piece else _within_width(piece)


def _formatted(form: str, columns: Sequence[Sequence[str]]) -> str:
    """Rows of a plain form of `%s` in one go: what stands between the columns, and these, taken in turns."""
    between = form.split("%s")
    if len(between) != len(columns) + 1:
        return "".join(map(form.__mod__, zip(*columns, strict=True)))
    between = [part.replace("%%", "%") for part in between]
    count, step = len(columns[0]), 2 * len(columns)
    parts = [""] * (count * step)
    parts[0::step] = [between[-1] + between[0]] * count
    parts[0] = between[0]
    for place, column in enumerate(columns):
        parts[2 * place + 1 :: step] = column
        if place:
            parts[2 * place :: step] = [between[place]] * count
    return "".join(parts) + between[-1]


def _within_width(piece: str) -> str:
    """Rows that are longer than a line may be, broken between values."""
    lines = piece.split("\n")
    if max(map(len, lines)) <= MAX_LINE:
        return piece
    return "\n".join(line if len(line) <= MAX_LINE else "\n".join(line.split(" ")) for line in lines)


def encode_column(values: Values, rows: int) -> "Sequence[str] | repeat[str]":
    """The values of a column as CIF text; a single value is repeated without end."""
    if _is_single(values):
        return repeat(encode(values))
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "iu":
            return list(map(str, values.tolist()))
        if values.dtype.kind == "f":
            numbers = values + 0.0
            if np.isfinite(numbers).all():
                return list(map(repr, numbers.tolist()))
        values = values.tolist()
    if isinstance(values, Plain):
        return values
    cells: Sequence[Value] = values  # type: ignore[assignment]
    joined = _joined(cells) if rows > 64 and cells and isinstance(cells[0], str) else None
    if joined and joined.count("\n") == len(cells) - 1 and _ALL_BARE.match(joined):
        folded = f"\n{joined.lower()}"
        if not any(word in folded for word in _ANY_RESERVED):
            return cells  # type: ignore[return-value]
    known: dict[Value, str] = {}
    return [known[cell] if cell in known else known.setdefault(cell, encode(cell)) for cell in cells]


def encode(value: Value) -> str:
    """One value as CIF text, with what quotes it needs.

    Floats are written with the fewest digits that give the same number back.
    """
    if isinstance(value, Token):
        return value
    if value is None:
        return NOT_APPLICABLE
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (bool, np.bool_)):
        raise UsageError("CIF has no truth values")
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    number = float(value) + 0.0
    return repr(number) if np.isfinite(number) else UNKNOWN


def _quoted(text: str) -> str:
    """Text bare, in quotes, or as a text field."""
    text = clean(text)
    if _BARE.match(text) and text not in (".", "?") and not _RESERVED.match(text):
        return text
    if "\n" not in text and len(text) <= MAX_LINE - 80:
        for quote in "'\"":
            if quote not in text:
                return f"{quote}{text}{quote}"
    return _text_field(text)


def clean(text: str) -> str:
    """Text without characters that no CIF may hold; line ends become line feeds."""
    return _FORBIDDEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def _text_field(text: str) -> str:
    """A text field between semicolons, with the prefix protocol where a line would end it."""
    lines = text.split("\n")
    is_ambiguous = any(line.startswith(";") for line in lines[1:]) or lines[0].rstrip().endswith("\\")
    if max(map(len, lines)) > MAX_LINE - 8:
        prefix = "> " if is_ambiguous else ""
        first = f"{prefix}\\\\" if prefix else "\\"
        return "\n;" + "\n".join([first, *(prefix + part for line in lines for part in _folded(line))]) + "\n;"
    if is_ambiguous:
        return "\n;> \\\n" + "\n".join(f"> {line}" for line in lines) + "\n;"
    return f"\n;{text}\n;"


def _folded(line: str) -> Iterable[str]:
    """A line in parts, each but the last ended by a backslash."""
    width = MAX_LINE - 16
    last = max(0, len(line) - 1) // width * width
    for start in range(0, last, width):
        yield line[start : start + width] + "\\"
    line = line[last:]
    # A backslash that ends the line itself needs a line of its own after it.
    yield line + "\\" if line.rstrip().endswith("\\") else line
    if line.rstrip().endswith("\\"):
        yield ""
