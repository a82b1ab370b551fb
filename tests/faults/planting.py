"""Planted faults and legal variants: a base, and what is changed in it.

`single.json` holds the faults, each with a pattern of the message or remedy that names it, and
the rule that finds it where that is one of those about what is missing; `variants.json` holds
unusual but legal ways to write a base, each with the reason. A change is a pair of texts, the first of which stands
exactly once in the base; a word in angle brackets stands for a loop to leave out, or for another change.
"""

import json
from pathlib import Path
from typing import NamedTuple

from bases import BASES

LOOPS = {
    "<external>": "_array_data_external_data.",
    "<list-axis>": "_array_structure_list_axis.",
    "<data-frame>": "_diffrn_data_frame.",
    "<element>": "_diffrn_detector_element.",
    "<size>": "_array_element_size.",
}
_FOLDER = Path(__file__).parent


class Planted(NamedTuple):
    """One change of a base: a fault with the pattern that names it, or a legal variant with its reason."""

    name: str
    base: str
    edits: tuple[tuple[str, str], ...]
    named: str = ""
    why: str = ""
    rule: str = ""

    def text(self) -> str:
        """The file."""
        return plant(BASES[self.base], self.edits)


def _load(name: str) -> tuple[Planted, ...]:
    """The entries of one of the lists."""
    entries = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return tuple(Planted(**{**entry, "edits": tuple(map(tuple, entry["edits"]))}) for entry in entries)


FAULTS = _load("single.json")
VARIANTS = _load("variants.json")


def without_loop(text: str, prefix: str) -> str:
    """The text without the loop whose first name begins with `prefix`."""
    start = text.index(f"loop_\n  {prefix}")
    lines = text[start:].splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines[1:], 1) if not line.startswith("  ")), len(lines))
    return text[:start] + "".join(lines[end:])


def plant(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    """A base with its edits; each old text stands once."""
    for old, new in edits:
        if old in LOOPS:
            text = without_loop(text, LOOPS[old])
        elif old == "<crlf>":
            text = text.replace("\n", "\r\n")
        elif old == "<periods>":
            kept = [line for line in text.splitlines(keepends=True) if "time_period" not in line]
            text = "".join(kept).replace(" 0.20 0.25\n", " 0.20\n")
        elif text.count(old) == 1:
            text = text.replace(old, new)
        else:
            raise ValueError(f"{old!r} stands {text.count(old)} times")
    return text
