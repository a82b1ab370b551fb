"""Rules that hold stored values against the methods of dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.profiles import Profile
from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import last_digit_half
from imgcif_core.cif.document import Place
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.tables import Table, Tables

if TYPE_CHECKING:
    from imgcif_core.ddlm.drel.context import Value
    from imgcif_core.ddlm.drel.world import Trouble, World
    from imgcif_core.ddlm.methods import Method
    from imgcif_core.derive.spread import Spread

OWN_LAYER = "IMGCIF_METHODS"
# A method is evaluated row by row, in an interpreter of its own; rows beyond are told as not checked.
MAX_ROWS = 5_000
# A method that fails in so many rows of an item says nothing new in the next.
MAX_DOUBTS = 40
# Methods give constants such as 1.4142 with five digits.
_CONSTANTS = 3e-5


def place_of(table: Table, item: Item, row: int) -> Place:
    """The place of a stored value, or of the first name of its category."""
    return table.at(row, item.object.lower()) if table and row < table.rows else table.at_top()


def _compared_items(tables: Tables, dictionary: Dictionary) -> Iterator[Item]:
    """Items in the block that a method of their dictionary evaluates; labels that people assign are left out."""
    for item, _ in tables.items.values():
        methods = dictionary.methods.of(item.id, "Evaluation")
        if item.is_numeric and item.source != "Assigned" and any(method.layer != OWN_LAYER for method in methods):
            yield item


def printed_tolerance(text: str) -> tuple[float, float]:
    """Half a unit of the last digit, and the standard uncertainty, of a number; whole numbers are exact."""
    number = parse_number(text.strip().encode("utf-8", "replace"))
    if number is None:
        return 0.0, 0.0
    uncertainty = float(np.nan_to_num(number[1]))
    is_exact = "." not in text and not uncertainty
    return (0.0 if is_exact else last_digit_half(text)), uncertainty


@rule(
    "DIC030",
    "derived-value-differs",
    severity="warning",
    source="_method.expression",
    message="{item} is {stored}, but its method gives {derived} from the other values (within {allowed:.2g})",
)
def derived_value_differs(tables: Tables, method_dictionary: Dictionary, world: World) -> Iterator[Problem]:
    """What: A value that the dictionary derives from others by a method is not what these others give.
    Why: One of the values is stale or mistyped, and programs that recompute get another result than those that read.
    The difference is more than the uncertainties and the printed digits of all of them explain. Only values whose
    inputs all stand in the file are judged.
    How to fix: Compute the value again, or correct what it is computed from; `imgcif derive` prints the way. Should
    the method be wrong, the maintainers of the dictionary want to know.
    Source: The dictionary in use, _method.expression with the purpose Evaluation.
    """
    from imgcif_core.derive.spread import Spread

    items = list(_compared_items(tables, method_dictionary))
    if not items:
        raise NotApplicable("no value that a method derives")
    spread = Spread(world, tables, printed_tolerance)
    for item in items:
        table, doubts = tables.table(item.category), 0
        for row in range(min(table.rows, MAX_ROWS)):
            problem = _difference(world, spread, table, item, row)
            if problem is not None:
                doubts += 1
                yield problem
            if doubts >= MAX_DOUBTS:
                break
    say_beyond(max(tables.table(item.category).rows for item in items), MAX_ROWS, "rows")


def _difference(world: World, spread: Spread, table: Table, item: Item, row: int) -> Problem | None:
    """What is to be said of one stored value."""
    from imgcif_core.ddlm.drel.context import STORED
    from imgcif_core.ddlm.drel.values import is_nothing, plain
    from imgcif_core.derive.listing import shown

    stored = world.value(item, row)
    if stored.how != STORED or is_nothing(stored.value):
        return None
    derived = world.evaluate(item, row)
    if is_nothing(derived.value) or not rests_on_stored(world, derived):
        return None
    try:
        difference = np.abs(np.asarray(plain(stored.value)) - np.asarray(plain(derived.value)))
    except (TypeError, ValueError):
        # Another shape than the method gives is judged by the dimension.
        return None
    if item.units == "degrees":
        difference = np.minimum(difference % 360.0, -difference % 360.0)
    own = max((half + 3 * su for half, su in _printed(table, item, row)), default=0.0)
    allowed: Any = own + _CONSTANTS * np.abs(np.asarray(plain(derived.value)))
    if not np.any(difference > allowed):
        return None
    allowed = allowed + spread.of(item, row, derived.value)
    if not np.any(difference > allowed):
        return None
    where = np.unravel_index(int(np.argmax(difference - allowed)), np.shape(difference))
    facts: dict[str, Any] = {"stored": shown(stored.value), "derived": shown(derived.value)}
    return Problem(place_of(table, item, row), item=item.id, allowed=float(np.asarray(allowed)[where]), **facts)


def _printed(table: Table, item: Item, row: int) -> Iterator[tuple[float, float]]:
    """Half digits and uncertainties of the numbers of a value."""
    column = table.column(item.object.lower())
    if column is None:
        return
    if item.container == "Single":
        yield printed_tolerance(column.text(row))
    else:
        yield from (printed_tolerance(cell.text) for cell in column.cells(row))


def rests_on_stored(world: World, value: Value) -> bool:
    """True if all ends of the way to a value are stored: no default, no table, nothing unknown."""
    from imgcif_core.ddlm.drel.context import BY_METHOD, DERIVED, STORED

    seen: set[tuple[str, int]] = set()
    stack = list(value.inputs)
    while stack:
        key = stack.pop()
        if key in seen:
            continue
        seen.add(key)
        item = world.dictionary.lookup(key[0])
        if item is None:
            return False
        found = world.value(item, key[1])
        if found.how in (DERIVED, BY_METHOD):
            stack.extend(found.inputs)
        elif found.how != STORED:
            return False
    return True


def _judging_methods(dictionary: Dictionary, profile: Profile, options: CheckOptions) -> list[Method]:
    """The Validation methods to run: those for imgCIF only where no rule of this run judges the relation."""
    from imgcif_core.derive.validation import heading

    chosen = []
    for method in dictionary.methods.all():
        if method.purpose != "Validation":
            continue
        codes = heading(method)[0] if method.layer == OWN_LAYER else ()
        if not any(_is_run(code, profile, options) for code in codes):
            chosen.append(method)
    return chosen


def _is_run(code: str, profile: Profile, options: CheckOptions) -> bool:
    """True if a rule takes part in this run."""
    if not profile.is_active(code) or (options.select and not any(code.startswith(c.upper()) for c in options.select)):
        return False
    return not any(code.startswith(c.upper()) for c in options.ignore)


@rule(
    "DIC031",
    "validation-method-fails",
    severity="warning",
    source="_method.expression",
    message="{item} does not hold by the method of {title}: {statement}",
    messages={"value": "{item} is {stored}, but the validation by {title} gives {value}: {statement}"},
)
def validation_method_fails(
    tables: Tables, method_dictionary: Dictionary, world: World, profile: Profile, options: CheckOptions
) -> Iterator[Problem]:
    """What: A Validation method of the dictionary finds that a value does not agree with others.
    Why: The dictionary itself says by a method how the values hang together.
    How to fix: Read the method (`imgcif dictionary show`), and correct the value or those that it names.
    Source: The dictionary in use, _method.expression with the purpose Validation.
    """
    from imgcif_core.ddlm.drel.values import is_number, plain
    from imgcif_core.derive.listing import shown
    from imgcif_core.derive.validation import MAX_ROWS as JUDGED_ROWS
    from imgcif_core.derive.validation import most_rows, verdicts

    methods = _judging_methods(method_dictionary, profile, options)
    if not methods:
        raise NotApplicable("no Validation method that no rule of this run stands for")
    for verdict in verdicts(world, tables, methods):
        table = tables.table(verdict.item.category)
        facts: dict[str, Any] = {
            "item": verdict.item.id,
            "title": verdict.method.layer or "the dictionary",
            "statement": verdict.statement or f"see line {verdict.method.line} of {Path(verdict.method.file).name}",
        }
        if verdict.value is not None:
            stored = plain(world.value(verdict.item, verdict.row).value)
            if stored == plain(verdict.value):
                continue
            if is_number(stored) and is_number(verdict.value) and np.isclose(stored, verdict.value, rtol=1e-6):
                continue
            facts.update(stored=shown(stored), value=shown(verdict.value))
        variant = "" if verdict.value is None else "value"
        yield Problem(place_of(table, verdict.item, verdict.row), variant=variant, **facts)
    say_beyond(most_rows(world, tables, methods), JUDGED_ROWS, "rows")


@rule(
    "DIC032",
    "attribute-by-method",
    severity="warning",
    source="_method.expression",
    message="{item} has the shape {found}, but for these data its dimension is {wanted}",
    messages={
        "range": "{item} is {value:g}, but for these data its range is {wanted}",
        "units": "the unit of {item} is {wanted} for these data, by its definition otherwise {units}",
    },
)
def attribute_by_method(tables: Tables, method_dictionary: Dictionary, world: World) -> Iterator[Problem]:
    """What: A Definition method sets the dimension, range or unit of an item from the data, and a value does not fit.
    Why: Such attributes cannot be written into the dictionary once for all: the number of elements of a vector
    follows the dimension of a modulation, the unit of a structure factor the probe.
    How to fix: Give the number of elements, or a value in the range, that the method states; where the unit is told,
    make sure that the values are in that unit.
    Source: The dictionary in use, _method.expression with the purpose Definition.
    """
    items = [item for item, _ in tables.items.values() if method_dictionary.methods.of(item.id, "Definition")]
    if not items:
        raise NotApplicable("no value whose definition depends on the data")
    for item in items:
        table = tables.table(item.category)
        seen: set[str] = set()
        for row in range(min(table.rows, MAX_ROWS)):
            found = world.attributes(item, row)
            yield from _misfits(table, item, row, found, seen)
    say_beyond(max(tables.table(item.category).rows for item in items), MAX_ROWS, "rows")


def _misfits(table: Table, item: Item, row: int, found: dict[str, Any], seen: set[str]) -> Iterator[Problem]:
    """What does not fit the attributes that a method gives for one row."""
    from imgcif_core.ddlm.types import fits_dimension, shape_of

    column = table.column(item.object.lower())
    if column is None or column.is_null[row]:
        return
    place = place_of(table, item, row)
    dimension, limits, units = (found.get(name) for name in ("_type.dimension", "_enumeration.range", "_units.code"))
    if isinstance(dimension, str) and item.container != "Single":
        value = column.value(row)
        if isinstance(value, list) and not fits_dimension(dimension, value):
            shape = "[" + ",".join(map(str, shape_of(value))) + "]"
            yield Problem(place, item=item.id, found=shape, wanted=dimension)
    number = float(column.numbers().values[row]) if item.container == "Single" else np.nan
    if isinstance(limits, str) and not _lies_in(limits, number):
        yield Problem(place, variant="range", item=item.id, value=number, wanted=limits)
    if isinstance(units, str) and units != item.units and units not in seen and item.units:
        seen.add(units)
        yield Problem(place, variant="units", severity="info", item=item.id, wanted=units, units=item.units)


def _lies_in(limits: str, value: float) -> bool:
    """True for a number in a range; what is no range says nothing."""
    ends = limits.split(":")
    try:
        low, high = (float(end) if end else None for end in ends)
    except ValueError:
        return True
    return not ((low is not None and value < low) or (high is not None and value > high))


@rule(
    "DIC033",
    "method-stopped",
    severity="warning",
    source="_method.expression",
    message=(
        "the {purpose} method of {item} stops at its line {line}, column {column} ({file}, line {file_line}): {reason}"
    ),
)
def method_stopped(tables: Tables, method_dictionary: Dictionary, world: World) -> Iterator[Problem]:
    """What: A method of the dictionary cannot be parsed, does what is not possible, or does not come to an end.
    Why: What the method would have judged is not judged. The fault is most often one of the dictionary.
    How to fix: Correct the method at the place that is named, or tell the maintainers of the dictionary.
    Source: The dictionary in use, _method.expression.
    """
    # The rules before this one have run the methods that concern the file.
    seen: set[tuple[object, ...]] = set()
    for trouble in world.troubles:
        key = (trouble.method.id, trouble.method.purpose, trouble.line, trouble.column, trouble.message)
        if key not in seen:
            seen.add(key)
            yield Problem(_place_of_trouble(tables, method_dictionary, trouble), **_told(trouble))


def _place_of_trouble(tables: Tables, dictionary: Dictionary, trouble: Trouble) -> Place:
    """The value that the method was asked for, or the top of the category."""
    item = dictionary.lookup(trouble.method.id)
    if item is None:
        return Place(None, 0, 0, tables.block.name)
    table = tables.table(item.category)
    return place_of(table, item, trouble.row)


def _told(trouble: Trouble) -> dict[str, Any]:
    return {
        "purpose": trouble.method.purpose,
        "item": trouble.method.id,
        "line": trouble.line,
        "column": trouble.column,
        "file": Path(trouble.method.file).name,
        "file_line": trouble.file_line,
        "reason": trouble.message,
        "kind": trouble.kind,
    }
