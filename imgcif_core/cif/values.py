"""From the bytes of a value to its text: quotes, text fields, folding, prefixes, numbers."""

import re
import unicodedata

NUMBER = re.compile(rb"(?P<value>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\((?P<su>\d+)\))?\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")
_FOLD = re.compile(r"\\[ \t]*\Z")


def fold(text: str) -> str:
    """A text in the form in which CIF and DDLm compare without case: canonical caseless matching of Unicode."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def normal(text: str) -> str:
    """A text in the form in which CIF 2.0 compares the keys of tables: canonical equivalence, with case."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def decode_text(raw: bytes) -> str:
    """Bytes as text: UTF-8, with what is not UTF-8 read as Latin-1 so that nothing is lost."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def decode_text_field(raw: bytes) -> str:
    """The value of a text field from its bytes with both semicolons."""
    body = raw[1:]
    for closing in (b"\r\n;", b"\n;", b"\r;"):
        if body.endswith(closing):
            body = body[: -len(closing)]
            break
    return undo_protocols(_LINE_END.sub("\n", decode_text(body)))


def undo_protocols(text: str) -> str:
    """Undo the text-prefix protocol, then the line-folding protocol, where the first line asks."""
    first, *rest = text.split("\n")
    marks = first.rstrip(" \t")
    if not marks.endswith("\\"):
        return text
    prefix = marks.rstrip("\\")
    slashes = len(marks) - len(prefix)
    if slashes > 2 or (slashes == 2 and not prefix) or "\\" in prefix or prefix.startswith(";"):
        return text
    if not all(line.startswith(prefix) for line in rest):
        return text
    rest = [line[len(prefix) :] for line in rest]
    return "\n".join(rest) if prefix and slashes == 1 else unfold(rest)


def unfold(lines: list[str]) -> str:
    """Join lines that end with a backslash to the line after them; the last line has none after it."""
    parts = [_FOLD.sub("", line) if _FOLD.search(line) else line + "\n" for line in lines[:-1]]
    return "".join([*parts, *lines[-1:]])


def parse_number(raw: bytes) -> tuple[float, float] | None:
    """Value and standard uncertainty (nan where there is none) of a CIF number, else None."""
    match = NUMBER.match(raw)
    if match is None:
        return None
    value = match["value"]
    su = float("nan")
    if match["su"]:
        mantissa, _, exponent = value.lower().partition(b"e")
        decimals = len(mantissa.partition(b".")[2])
        # As text, so that no exponent and no number of digits is too large.
        su = float(b"%se%d" % (match["su"], _bounded(exponent) - decimals))
    return float(value), su


def _bounded(exponent: bytes) -> int:
    """An exponent as a number, large ones cut off beyond all floats."""
    digits = exponent.lstrip(b"+-").lstrip(b"0")
    size = int(digits) if 0 < len(digits) < 7 else 10**6 * bool(digits)
    return -size if exponent.startswith(b"-") else size
