"""PyCIFRW as a reader of CIF 1.1 and 2.0: verdict and values."""

import re
import warnings
from importlib.metadata import version

from CifFile import CifError, ReadCif, StarError
from serve import refused, serve

warnings.simplefilter("ignore")


def value(raw: object) -> object:
    """A value in the form of the suite; the package does not tell nulls from quoted signs."""
    if isinstance(raw, dict):
        return {"table": {str(key): value(entry) for key, entry in raw.items()}}
    if isinstance(raw, (list, tuple)):
        return [value(entry) for entry in raw]
    return str(raw)


def block_values(code: str, block: object) -> dict:
    """All items of a block."""
    items = {}
    for name in list(block.keys()):
        looped = block.FindLoop(name) >= 0
        items[name] = [value(raw) for raw in block[name]] if looped else [value(block[name])]
    return {"code": code, "items": items}


def check(request: dict) -> dict:
    """Read one file by the grammar that its first line names."""
    with open(request["file"], "rb") as file:
        grammar = "2.0" if file.read(16).lstrip(b"\xef\xbb\xbf").startswith(b"#\\#CIF_2.0") else "1.1"
    try:
        document = ReadCif(request["file"], grammar=grammar)
    except (StarError, CifError, ValueError, KeyError, UnicodeDecodeError, TypeError, AttributeError) as error:
        place = re.search(r"line\D{0,3}(\d+)", str(error))
        return refused(f"{type(error).__name__}: {error}", int(place[1]) if place else None)
    blocks = [block_values(code, document[code]) for code in list(document.keys())]
    return {"conforming": True, "findings": [], "document": {"blocks": blocks}}


serve("PyCIFRW", version("PyCifRW"), check)
