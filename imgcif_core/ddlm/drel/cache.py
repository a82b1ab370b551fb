"""Parsed methods kept between runs as data, by the digest of the dictionary that they come from.

The parser takes half a second to build itself; what is kept is read in milliseconds. The file is JSON that is
turned into nodes and nothing else, so that a spoilt one costs time only.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.errors import MethodError
from imgcif_core.ddlm.drel.parse import parse
from imgcif_core.ddlm.methods import Methods
from imgcif_core.errors import OutputError
from imgcif_core.output import write_file

VERSION = 1
KEPT = 16
LEAST = 20
_TUPLE, _COMPLEX = -1, -2
_NUMBER_OF = {cls: index for index, cls in enumerate(nodes.CLASSES)}


def folder() -> Path:
    """Where parsed methods are kept: below XDG_CACHE_HOME, or the cache folder of the home directory."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "imgcif_core" / "drel"


def to_data(tree: Any) -> Any:
    """Nodes as lists that JSON can hold; nesting is bounded by the parser."""
    number = _NUMBER_OF.get(type(tree))
    if number is not None:
        return [number, *(to_data(getattr(tree, name)) for name in nodes.FIELDS[type(tree)])]
    if isinstance(tree, tuple):
        return [_TUPLE, *map(to_data, tree)]
    return [_COMPLEX, tree.real, tree.imag] if isinstance(tree, complex) else tree


def from_data(data: Any) -> Any:
    """Nodes from such lists.

    Raises
    ------
    ValueError, TypeError, IndexError
        If the data are no nodes.
    """
    if not isinstance(data, list):
        return data
    number, *parts = data
    if number == _TUPLE:
        return tuple(map(from_data, parts))
    if number == _COMPLEX:
        return complex(*parts)
    if not isinstance(number, int) or number < 0:
        raise ValueError("no node")
    return nodes.CLASSES[number](*map(from_data, parts))


class NodeCache:
    """The nodes of the methods of a dictionary, read from the cache or parsed all at once and written to it."""

    def __init__(self, methods: Methods) -> None:
        self._methods = methods
        self._entries: dict[str, Any] | None = None

    def get(self, text: str) -> tuple[nodes.Statement, ...] | None:
        """The statements of a text, None where they have to be parsed."""
        if len(self._methods) < LEAST:
            return None
        if self._entries is None:
            self._entries = self._read()
            if self._entries is None:
                self._entries = self._fill()
        data = self._entries.get(_digest(text))
        if not isinstance(data, list):
            return None
        try:
            found = from_data(data)
        except (ValueError, TypeError, IndexError, RecursionError):
            return None
        return found if isinstance(found, tuple) else None

    @property
    def path(self) -> Path:
        """The file of this dictionary."""
        grammar = hashlib.sha256((Path(__file__).parent.parent / "data/drel.lark").read_bytes()).hexdigest()
        return folder() / f"{self._methods.digest[:32]}-{grammar[:8]}-{VERSION}.json"

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def _fill(self) -> dict[str, Any]:
        """Parse all methods and write them; a folder that cannot be written to is passed over."""
        entries: dict[str, Any] = {}
        for method in self._methods.all():
            try:
                entries[_digest(method.text)] = to_data(parse(method.text))
            except MethodError:
                continue
        with suppress(OSError, OutputError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, json.dumps(entries, separators=(",", ":")))
            _prune(self.path.parent)
        return entries


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _prune(place: Path) -> None:
    """Keep the files of the dictionaries that were read last."""
    files = sorted(place.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[KEPT:]:
        path.unlink(missing_ok=True)
