"""The rule about standard uncertainties: where they belong, and what they can be."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.dictionary.values import MAX_UNREPAIRED, SHOWN, by_value, value_place
from imgcif_core.checks.joins import columns_named
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import Problem, rule
from imgcif_core.cif.columns import Column
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.tables import Tables


@rule(
    "DIC009",
    "uncertainty-misplaced",
    severity="warning",
    source="_type.purpose",
    message="{name} is {value} with a standard uncertainty - the dictionary does not make it a measurand",
    messages={
        "zero": "{name} is {value} with a standard uncertainty of 0",
        "negative": "standard uncertainty {name} is {value} - expected 0 or more",
        "large": "{name} is {value} - its standard uncertainty is larger than the value",
        "twice": "{name} gives {su:g} in brackets, but {other} gives {value} as its standard uncertainty",
        "lone": "{name} gives a standard uncertainty, but {other} is not given",
        "missing": "{name} is a measured value, given without its standard uncertainty",
    },
    helps={
        "": "write the value without the brackets: the dictionary takes it as exact",
        "zero": "give the true uncertainty, or leave the brackets out where none is known",
        "negative": "give the uncertainty without its sign",
        "large": "check value and uncertainty; the digits in brackets count in the last digits of the value",
        "twice": "find out which uncertainty holds, and give it in one of the two places",
        "lone": "give {other} too, or leave the uncertainty out",
    },
)
def uncertainty_misplaced(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A standard uncertainty stands where none belongs, or has a value that cannot be.
    Why: Settings and counts are exact by definition; some readers refuse a number with brackets.
    How to fix: Remove the brackets, or give a true uncertainty for a measured value.
    Source: Dictionary imgCIF, _type.purpose Measurand and SU.
    """
    for item, column in list(tables.items.values()):
        if not item.is_numeric:
            continue
        numbers = column.numbers()
        if item.purpose == "SU":
            rows = np.flatnonzero(numbers.valid & (numbers.values < 0))
            yield from _su_problems(tables, item, column, rows, "negative", None)
            if len(column) and item.linked and not columns_named(tables, item.linked):
                place = value_place(tables, item, column, 0)
                yield Problem(place, severity="info", variant="lone", name=column.name, other=item.linked)
            continue
        if item.purpose == "Measurand" and not numbers.has_su and numbers.valid.any():
            if not any(other.purpose == "SU" and other.linked == item.id for other, _ in tables.items.values()):
                place = value_place(tables, item, column, int(numbers.valid.argmax()))
                remedy = "give the uncertainty in brackets behind the value, as in 0.9795(2), where it is known"
                yield Problem(place, severity="info", variant="missing", help=remedy, name=column.name)
            continue
        if not numbers.has_su:
            continue
        has_su = ~np.isnan(numbers.su)
        if item.purpose != "Measurand":
            yield from _su_problems(tables, item, column, np.flatnonzero(has_su), "", None)
            continue
        zero = np.flatnonzero(has_su & (numbers.su == 0))
        yield from _su_problems(tables, item, column, zero, "zero", None)
        large = np.flatnonzero(has_su & (numbers.su > np.abs(numbers.values)) & (numbers.values != 0))
        yield from _su_problems(tables, item, column, large, "large", "info")
        yield from _su_twice(tables, dictionary, item, column)


def _su_problems(
    tables: Tables, item: Item, column: Column, rows: np.ndarray, variant: str, severity: str | None
) -> Iterator[Problem]:
    for text, places, count in by_value(tables, item, column, rows, most=MAX_UNREPAIRED):
        yield problem_of(
            places,
            count,
            severity=severity,
            variant=variant,
            name=column.name,
            value=text[:SHOWN],
        )


def _su_twice(tables: Tables, dictionary: Dictionary, item: Item, column: Column) -> Iterator[Problem]:
    """An uncertainty in brackets that differs from the one in an item of its own."""
    found = tables.items.get(f"{item.id.lower()}_su") or tables.items.get(f"{item.id.lower()}_esd")
    if found is None or len(found[1]) != len(column):
        return
    own, other = column.numbers(), found[1].numbers()
    differ = ~np.isnan(own.su) & other.valid & ~np.isclose(own.su, other.values, rtol=1e-6)
    for row in np.flatnonzero(differ)[:100]:
        place = value_place(tables, item, column, int(row))
        value = found[1].text(int(row))
        yield Problem(place, variant="twice", name=column.name, su=own.su[row], other=found[1].name, value=value)
