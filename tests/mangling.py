"""Files with some values of their geometry tables replaced by junk, for tests of robustness."""

import random
import re

from shared import ROOT

BASES = sorted((ROOT / "conformance" / "datasets" / "bases").glob("*.cif"))
JUNK = [
    *("0", "-1", "1e400", "-1e308", "nan", "inf", ".", "?", "abc", "1e-320", "99999999999999999999", "''", "0.0"),
    "omega",
]
GEOMETRY = re.compile(r"_(axis|array_structure_list\w*|array_element_size|diffrn_scan\w*)\.")
TABLES = re.compile(r"loop_\n((?:\s+_\S+\n)+)((?:  \S.*\n)+)")


def mangled(text: str, chance: random.Random, changes: int) -> str:
    """A file with some values of its geometry tables replaced."""
    spans = []
    for table in TABLES.finditer(text):
        if GEOMETRY.search(table[1]):
            spans += [(m.start() + table.start(2), m.end() + table.start(2)) for m in re.finditer(r"\S+", table[2])]
    for start, end in sorted(chance.sample(spans, min(changes, len(spans))), reverse=True):
        text = text[:start] + chance.choice(JUNK) + text[end:]
    return text
