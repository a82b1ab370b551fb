"""The rule about formulae: what is written as one can be read as one."""

import re
from collections.abc import Iterator

from imgcif_core.checks.completeness.inputs import is_blank_text
from imgcif_core.checks.edits import new_values
from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.tables import Table, Tables

# Characters of a formula; patterns are not run over more.
MAX_FORMULA = 5000
# Structures of one block; raw data have one.
MAX_ROWS = 200
_CLUSTER = re.compile(r"([A-Z][a-z]?)(\d+(?:\.\d*)?|\.\d+)?(?:\(\d+\))?")
_JOINED = re.compile(r"(?:[A-Z][a-z]?\d*(?:\.\d+)?){2,}")
_CHARGE = re.compile(r"\d*[+-]|[+-]\d*")
# Multipliers: a number, or the letters by which a polymer or a variable content is written.
_MULTIPLIER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+|\d+/\d+)?[nmxyz]?")


@rule(
    "MTA025",
    "formula-not-readable",
    severity="warning",
    source="_chemical_formula.sum",
    message="formula {text!r} cannot be read at {part!r}",
    messages={
        "element": "formula {text!r} has no element for {part!r}",
        "joined": "elements of formula {text!r} are not separated by blanks",
    },
    helps={
        "": "write the symbol and the number of each element, separated by blanks, as in C18 H19 N7 O8 S; "
        "the name of a substance belongs to _chemical.name_common",
        "element": "write symbols of elements with one capital, as in Cl and Na",
    },
    question="describe",
)
def formula_not_readable(tables: Tables) -> Iterator[Problem]:
    """What: A sum or moiety formula is not made of symbols of elements and their numbers.
    Why: Programs compute absorption and density from it, and databases are searched by it.
    How to fix: Separate each symbol with its number from the next one by a blank, as in C18 H19 N7 O8 S.
    Source: Core dictionary, CHEMICAL_FORMULA, rules 1 to 3, _chemical_formula.sum and _chemical_formula.moiety.
    """
    table = tables.table("chemical_formula")
    if not table.has("sum") and not table.has("moiety"):
        raise NotApplicable("no formula")
    for name in ("sum", "moiety"):
        for row in range(min(table.rows, MAX_ROWS)):
            text = table.text(name, row)
            if text and not is_blank_text(text) and len(text) <= MAX_FORMULA:
                yield from _judged(table, row, name, text)
    say_beyond(table.rows, MAX_ROWS, "rows")


def _judged(table: Table, row: int, name: str, text: str) -> Iterator[Problem]:
    """The first thing that cannot be read in a formula."""
    reference = f"_chemical_formula.{name}"
    joined = []
    for part in re.sub(r"[()\[\]{},]", " ", text).split():
        if _CHARGE.fullmatch(part) or _MULTIPLIER.fullmatch(part):
            continue
        clusters = list(_CLUSTER.finditer(part))
        is_whole = "".join(found[0] for found in clusters) == part
        # In CL both letters may be elements or none; the whole run is what has to be written anew.
        wrong = [part for found in clusters if not is_element(found[1])]
        if not is_whole or wrong:
            variant = "element" if is_whole else ""
            told = wrong[0] if is_whole else part
            yield Problem(table.at(row, name), variant=variant, reference=reference, text=text[:80], part=told[:40])
            return
        if len(clusters) > 1 and _JOINED.fullmatch(part):
            joined.append(part)
    if joined:
        mended = _apart(text)
        column = table.columns[name]
        yield Problem(
            table.at(row, name),
            severity="info",
            variant="joined",
            help=f"write {mended[:200]}",
            reference=reference,
            edits=new_values(column, [row], mended, is_safe=True),
            text=text[:80],
        )


def _apart(text: str) -> str:
    """A formula with a blank before each symbol that follows another directly."""
    return re.sub(r"(?<=[A-Za-z0-9.])(?=[A-Z])", " ", text)


def is_element(symbol: str) -> bool:
    """True for a symbol of an element, deuterium and tritium included."""
    import gemmi

    if symbol in ("D", "T"):
        return True
    found = gemmi.Element(symbol)
    return found.atomic_number > 0 and found.name == symbol
