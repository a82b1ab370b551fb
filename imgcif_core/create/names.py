"""Ids that every reader takes: plain characters, none twice, not even in another case."""

import re
from collections.abc import Iterable

_UNFIT = re.compile(r"[^A-Za-z0-9_.+\-]+")
_LONGEST = 60


def plain(name: str, default: str) -> str:
    """A name of letters, digits and `_.+-`, beginning with a letter or digit."""
    fit = _UNFIT.sub("_", name).strip("_.")[:_LONGEST]
    return fit if fit and fit[0].isalnum() else default


def distinct(names: Iterable[str], default: str, taken: Iterable[str] = ()) -> list[str]:
    """Plain names, numbered where two would differ in case alone or not at all."""
    fit = [plain(name, default) for name in names]
    seen = {name.casefold() for name in taken}
    folded = [name.casefold() for name in fit]
    found = []
    for name in fit:
        is_alone = folded.count(name.casefold()) == 1 and name.casefold() not in seen
        number, chosen = 1, name
        while not is_alone and (chosen == name or chosen.casefold() in seen):
            chosen = f"{name}{number}"
            number += 1
        seen.add(chosen.casefold())
        found.append(chosen)
    return found
