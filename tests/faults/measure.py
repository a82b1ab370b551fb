"""What the checker says about each planted fault; `python tests/faults/measure.py` prints the table."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bases import BASES
from planting import FAULTS, VARIANTS, Planted, plant

import imgcif_core
from imgcif_core.findings import Finding, Severity


def findings_of(text: str) -> list[Finding]:
    """The errors and warnings of a text."""
    (entry,) = imgcif_core.check(text.encode("utf-8")).files
    return [found for found in entry.findings if found.severity is not Severity.INFO]


@lru_cache
def usual(base: str) -> Counter[str]:
    """The rules that find something in a sound base, with how often."""
    return Counter(found.rule for found in findings_of(BASES[base]))


def beyond(text: str, base: str) -> list[Finding]:
    """The errors and warnings of a text beyond those of its base."""
    left = usual(base).copy()
    kept = []
    for found in findings_of(text):
        if left[found.rule]:
            left[found.rule] -= 1
        else:
            kept.append(found)
    return kept


def is_named(found: Finding, pattern: str) -> bool:
    """True if a finding's message or remedy names the fault."""
    return re.search(pattern, f"{found.message} {found.help}", re.IGNORECASE) is not None


def said_of(planted: Planted) -> list[Finding]:
    """What is said about one fault or variant."""
    return beyond(planted.text(), planted.base)


def pairs() -> Iterator[tuple[Planted, Planted]]:
    """Thirty pairs of faults of one base whose edits do not meet."""
    found = []
    for step in (17, 23, 31):
        for index, first in enumerate(FAULTS):
            second = FAULTS[(index + step) % len(FAULTS)]
            if first.base == second.base and fits(first, second):
                found.append((first, second))
    yield from islice(found[::3], 30)


def fits(first: Planted, second: Planted) -> bool:
    """True if both faults can be planted in one file."""
    try:
        plant(first.text(), second.edits)
    except ValueError:
        return False
    return True


def of_pair(first: Planted, second: Planted) -> list[Finding]:
    """What is said about a file with two faults."""
    return beyond(plant(first.text(), second.edits), first.base)


def table() -> Iterator[str]:
    """One line a fault, a variant and a pair, and the sums."""
    total = found = named = 0
    for fault in FAULTS:
        said = said_of(fault)
        total += len(said)
        found += bool(said)
        hit = any(is_named(entry, fault.named) for entry in said)
        named += hit
        verdict = "" if hit else "NOT NAMED" if said else "NOT FOUND"
        yield f"{fault.name:32} {len(said)} {verdict:9} {' '.join(entry.rule for entry in said)}"
        if len(said) != 1:
            for entry in said:
                yield f"      {entry.rule} {entry.severity} {entry.message[:160]}"
    yield f"{len(FAULTS)} faults: {found} found, {named} named, {total / max(found, 1):.2f} findings per fault found"
    refused = 0
    warned = 0
    for variant in VARIANTS:
        said = said_of(variant)
        refused += any(entry.severity is Severity.ERROR for entry in said)
        warned += bool(said)
        for entry in said:
            yield f"legal {variant.name}: {entry.severity} {entry.rule} {entry.message[:160]}"
    yield f"{len(VARIANTS)} legal variants: {refused} refused, {warned} with warnings"
    both = number = 0
    for first, second in pairs():
        number += 1
        said = of_pair(first, second)
        hits = [any(is_named(entry, fault.named) for entry in said) for fault in (first, second)]
        both += all(hits)
        if not all(hits):
            yield f"pair {first.name} + {second.name}: {hits} {' '.join(entry.rule for entry in said)}"
    yield f"{number} pairs: {both} with both named"


if __name__ == "__main__":
    print("\n".join(table()))
