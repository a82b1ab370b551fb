"""One failing and one passing example of each rule, made from the conformance suite by docs/make.py."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A file in words, and the lines that make it: those that went with `-`, those that came with `+`."""

    fails: bool
    title: str
    lines: tuple[str, ...]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, dict[str, object]]]:
    text = (Path(__file__).parent / "data" / "examples.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, object]]] = json.loads(text)
    return found


def examples_of(code: str) -> Iterator[Example]:
    """The examples of a rule: one in which it finds something, then one in which it does not."""
    entry = _table().get(code, {})
    for kind in ("fails", "passes"):
        if kind in entry:
            lines = entry[kind]["lines"]
            yield Example(kind == "fails", str(entry[kind]["title"]), tuple(lines) if isinstance(lines, list) else ())
