"""Rules about single values: types, standard uncertainties, states, ranges, empty and null values."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from imgcif_core.checks.dictionary.slips import slip_in
from imgcif_core.checks.dictionary.text_columns import is_another_column, text_column
from imgcif_core.checks.edits import all_like, literal, new_values
from imgcif_core.checks.joins import NO_ROWS
from imgcif_core.checks.places import MAX_PLACES, problem_of
from imgcif_core.checks.registry import Problem, rule, say_beyond
from imgcif_core.checks.renamings import known_state
from imgcif_core.checks.suggest import nearest, same_but_signs
from imgcif_core.cif.columns import Column
from imgcif_core.cif.containers import Cell, leaves
from imgcif_core.cif.document import Place, Quoting
from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.model import Dictionary, Form, Item
from imgcif_core.ddlm.types import (
    check_contents,
    elements_of,
    fits_dimension,
    in_ranges,
    in_states,
    shape_of,
    wrong_rows,
)
from imgcif_core.tables import Tables

# Characters of a value in a message, which has to fit into a line or two.
SHOWN = 60
# So many different wrong values are told one by one; of more, the first of them.
MAX_TEXTS, FIRST_TEXTS = 10_000, 100
# Where no value can be repaired, nobody needs so many.
MAX_UNREPAIRED = 2_000
# Lists are taken apart one by one; lists beyond are told as not checked.
MAX_LISTS = 10_000
# Looking for the nearest state is slow, and only the first findings are shown one by one.
MAX_SUGGESTED = 50


def value_place(tables: Tables, item: Item, column: Column, row: int) -> Place:
    """The place of one value with the key of its row."""
    table = tables.table(item.category)
    key = table.key(row) if row < table.rows and len(column) == table.rows else {}
    start, end = int(column.starts[row]), int(column.ends[row])
    return Place(column.source, start, end, tables.block.name, item.category, column.name, key)


def by_value(
    tables: Tables, item: Item, column: Column, rows: np.ndarray, *, most: int = MAX_TEXTS
) -> Iterator[tuple[str, list[Place], int]]:
    """Rows gathered by their text: text, the first places, and count.

    Of more texts than `most`, all but the first hundred are given as if they were one text.
    """
    rows = np.asarray(rows, dtype=np.int64)
    if not len(rows):
        return
    texts = column.distinct()[1][rows]
    counts = np.bincount(texts)
    # Of equal indices the last counts, which is the first row.
    first = np.zeros(len(counts), dtype=np.int64)
    first[texts[::-1]] = np.arange(len(texts))[::-1]
    in_order = np.flatnonzero(counts)
    in_order = in_order[np.argsort(first[in_order], kind="stable")]
    shown = in_order if len(in_order) <= most else in_order[:FIRST_TEXTS]
    is_shown = np.zeros(len(counts), dtype=bool)
    is_shown[shown] = True
    held = np.flatnonzero(is_shown[texts])
    held = held[np.argsort(texts[held], kind="stable")]
    begins = np.searchsorted(texts[held], shown).tolist()
    for begin, count in zip(begins, counts[shown].tolist(), strict=True):
        found = rows[held[begin : begin + min(MAX_PLACES, count)]].tolist()
        yield column.text(found[0]), [value_place(tables, item, column, row) for row in found], count
    rest = len(rows) - int(counts[shown].sum())
    if rest:
        row = int(rows[first[in_order[FIRST_TEXTS]]])
        yield column.text(row), [value_place(tables, item, column, row)], rest


@rule(
    "DIC006",
    "state-not-enumerated",
    severity="error",
    source="_enumeration_set.state",
    message="{name} is {value!r} - expected one of {states}",
    messages={
        "case": "{name} is {value!r} - the dictionary writes {expected}",
        "gap": "{name} is {value!r}, which is in use but not in the dictionary (dictionary gap)",
        "advisory": "{name} is {value!r} - the dictionary lists, without demanding it, {states}",
    },
    helps={
        "": "write the one of these words that holds, or ? where none does",
        "gap": "nothing is needed; readers of raw data know the word, and the dictionary may take it up",
        "advisory": "nothing is needed where the word says more than those of the dictionary",
    },
)
def state_not_enumerated(tables: Tables) -> Iterator[Problem]:
    """What: A value is none of the states that the dictionary enumerates for its item.
    Why: Programs branch on these words and do something else, or nothing, for a word that they do not know.
    How to fix: Use one of the states of the dictionary, in the case in which it writes them.
    Source: Dictionary imgCIF, _enumeration_set.state; DDLm, case rules of _type.contents.
    """
    for item, column in list(tables.items.values()):
        if item.states is None:
            continue
        few = column.few_values
        if few is not None and {*few} <= {None, *item.states}:
            # Containers are values of their own, and none of the states.
            continue
        first, inverse = column.distinct()
        suggested = 0
        for index, row in enumerate(first):
            if column.is_null[row] or column.quoting_of(row) in (Quoting.LIST, Quoting.TABLE):
                continue
            text = column.text(int(row))
            if in_states(item, text) or compression_meant(item, text):
                continue
            suggested += 1
            rows = np.flatnonzero(inverse == index) if suggested <= MAX_SUGGESTED else np.array([row])
            yield _state_problem(tables, item, column, text, rows, suggest=suggested <= MAX_SUGGESTED)
        if column.quoting is not None:
            yield from _states_in_containers(tables, item, column)
    say_beyond(_most_lists(tables), MAX_LISTS, "lists")


def _state_problem(
    tables: Tables, item: Item, column: Column, text: str, rows: np.ndarray, *, suggest: bool = True
) -> Problem:
    """The finding for one wrong text."""
    states = item.states or ()
    expected = next((state for state in states if state.casefold() == text.casefold()), None)
    tolerated = text.upper() in {state.upper() for state in item.tolerated}
    variant = "case" if expected else "gap" if tolerated else "" if item.states_mandatory else "advisory"
    meant = expected or known_state(item.id, text) or same_but_signs(text, states)
    near = meant or (nearest(text, states, 0.7) if suggest and variant != "gap" else None)
    help_text = f"write {meant}" if meant else f"did you mean {near}" if near else None
    is_whole = column.quoting is None or column.quoting_of(int(rows[0])) not in (Quoting.LIST, Quoting.TABLE)
    edits = new_values(column, rows, near, is_safe=meant is not None) if near and is_whole else []
    return problem_of(
        (value_place(tables, item, column, int(row)) for row in rows),
        len(rows),
        severity={"": None, "advisory": "info"}.get(variant, "warning"),
        mender="dictionary" if variant == "gap" else None,
        variant=variant,
        help=help_text,
        reference=item.id,
        edits=edits,
        name=column.name,
        value=text[:SHOWN],
        states=", ".join(states[:12]) + (", ..." if len(states) > 12 else ""),
        expected=expected,
    )


def _lists(column: Column) -> np.ndarray:
    """The rows that hold a list or a table: (n,) integers."""
    if column.quoting is None:
        return NO_ROWS
    return np.flatnonzero(np.isin(column.quoting, (Quoting.LIST, Quoting.TABLE)))


def _most_lists(tables: Tables) -> int:
    """How many lists a column of many rows holds at most."""
    return max((len(_lists(column)) for _, column in tables.items.values() if len(column) > MAX_LISTS), default=0)


def _states_in_containers(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """States within lists and tables."""
    for row in _lists(column)[:MAX_LISTS]:
        for cell in column.cells(int(row)):
            if not cell.is_null and not in_states(item, cell.text):
                yield _state_problem(tables, item, column, cell.text, np.array([row]))


_COMPRESSIONS = {
    "cbf_byte_offset": "byte_offset",
    "cbf_packed": "packed",
    "cbf_packed_v2": "packed_v2",
    "cbf_canonical": "canonical",
    "cbf_none": "none",
    "cbf_nibble_offset": "nibble_offset",
}


def compression_meant(item: Item, text: str) -> str | None:
    """The state of compression_type that a MIME token stands for."""
    if item.id.lower() != "_array_structure.compression_type":
        return None
    token = text.lower().strip('"').replace("-", "_").removeprefix("x_")
    return _COMPRESSIONS.get(token)


@rule(
    "DIC007",
    "mime-token-for-compression",
    severity="warning",
    source="_array_structure.compression_type",
    message="{name} is {value!r}, a token of MIME headers - the dictionary writes {expected}",
)
def mime_token_for_compression(tables: Tables) -> Iterator[Problem]:
    """What: The compression type is given by the token of a binary section's MIME header.
    Why: The table and the header have words of their own; a reader of the table does not know the token.
    How to fix: Write byte_offset, packed, packed_v2, canonical, nibble_offset or none.
    Source: Dictionary imgCIF, _array_structure.compression_type.
    """
    for item, column in tables.items.values():
        if item.id.lower() != "_array_structure.compression_type":
            continue
        for row in range(min(len(column), 1000)):
            text = column.text(row)
            expected = compression_meant(item, text)
            if expected and not column.is_null[row]:
                place = value_place(tables, item, column, row)
                help_text = f"write {expected}"
                edits = new_values(column, [row], expected, is_safe=True)
                yield Problem(place, help=help_text, edits=edits, name=column.name, value=text, expected=expected)


@rule(
    "DIC008",
    "wrong-type",
    severity="error",
    source="_type.contents",
    message="{name} is {value!r} - expected {contents}",
    messages={
        "quoted": "number {value} of {name} is quoted - the dictionary makes it {contents}",
        "column": "{name} holds {texts} different texts, the first {value!r} - expected {contents} in each row",
        "real": "{name} is {value} - expected an integer without a decimal point",
        "huge": "{name} is {value}, a number larger than programs can hold, which is about 1.8e308",
        "container": "{name} is {found} - expected {expected}",
        "key": "{name} has the key {value!r} - expected {contents}",
        "dimension": "{name} has the shape {shape} - expected {dimension}",
        "su-twice": "{name} gives its uncertainty in brackets as {su:g}, and {su_name} gives {other:g}",
    },
    helps={
        "": "write {contents} alone, or ? where it is not known",
        "key": "write a key that is {contents}",
        "huge": "check the exponent, and write ? where the number is not known",
        "dimension": "write a list of the shape {dimension}",
    },
)
def wrong_type(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A value does not have the form of its type: a number, a date, a word, a list of a certain shape.
    Why: A reader that needs a number cannot use the value, or silently takes another one.
    How to fix: Write the value as the dictionary types it, without units and without blanks.
    Source: Dictionary imgCIF, _type.contents, _type.container and _type.dimension.
    """
    for item, column in list(tables.items.values()):
        if item.id.lower() == "_array_data.data":
            continue
        if column.quoting is not None or item.container != "Single":
            yield from _container_problems(tables, item, column)
        if item.contents in ("Word", "Code", "Text"):
            continue
        rows = wrong_rows(item, column)
        if len(rows):
            yield from _of_wrong_type(tables, item, column, rows)
        if item.is_numeric and column.quoting is not None:
            yield from _quoted_numbers(tables, item, column)
    say_beyond(_most_lists(tables), MAX_LISTS, "lists")


def _of_wrong_type(tables: Tables, item: Item, column: Column, rows: np.ndarray) -> Iterator[Problem]:
    """Values of some rows that are not of the type of their item."""
    if is_another_column(column, rows):
        own = (value_place(tables, item, column, int(row)) for row in rows)
        yield text_column(item, column, rows, own, _in_words(item.contents))
        rows = rows[:0]
    for text, places, count in by_value(tables, item, column, rows):
        number = parse_number(text.encode())
        is_real = item.contents == "Integer" and number is not None and float(number[0]).is_integer()
        is_huge = number is not None and math.isinf(number[0])
        slip = slip_in(text, item) if number is None else None
        plain = f"{number[0]:.0f}" if is_real and number is not None else slip.text if slip else None
        is_safe = is_real or (slip is not None and slip.is_certain)
        yield problem_of(
            places,
            count,
            severity="warning" if is_real or is_huge else None,
            variant="real" if is_real else "huge" if is_huge else "",
            help=f"write {plain}" if is_real else slip.help if slip else None,
            edits=all_like(column, text, plain, is_safe=is_safe) if plain else [],
            reference=item.id,
            name=column.name,
            value=text[:SHOWN],
            contents=_in_words(item.contents),
        )


def _in_words(contents: str) -> str:
    """A content type as a message calls it."""
    return {
        "Real": "a number",
        "Integer": "an integer",
        "Date": "a date yyyy-mm-dd",
        "DateTime": "a date and time yyyy-mm-ddThh:mm:ss with zone",
        "Symop": "a symmetry operation such as 2_555",
        "Uri": "a URI such as https://example.org/data",
        "Iri": "an IRI such as https://example.org/data",
        "Version": "a version such as 1.2.0",
        "Imag": "an imaginary number such as 2.5j",
        "Complex": "a complex number such as 1.0+2.5j",
        "Tag": "a data name such as _axis.id",
        "Code": "a word without blanks",
        "Word": "a word without blanks",
        "Name": "a name of letters, digits and underscores",
    }.get(contents, f"a value of type {contents}")


def _quoted_numbers(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """Numbers in quotes are text by DDLm, though nobody misreads them."""
    rows = np.flatnonzero(~column.is_bare & column.numbers().valid)
    for text, places, count in by_value(tables, item, column, rows):
        yield problem_of(
            places,
            count,
            severity="info",
            variant="quoted",
            help="remove the quotes",
            edits=all_like(column, text, literal(text.strip()), is_safe=True),
            name=column.name,
            value=text[:SHOWN],
            contents=_in_words(item.contents),
        )


def _container_problems(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """Lists and tables where single values are due, the other way round, and wrong shapes."""
    rows = np.arange(len(column))
    if item.container == "Single":
        rows = _lists(column)
    for row in rows[:MAX_LISTS].tolist():
        if not column.is_null[row]:
            place = value_place(tables, item, column, row)
            yield from _form_problems(item, column, place, column.value(row))


def _form_problems(form: Form | Item, column: Column, place: Place, value: object) -> Iterator[Problem]:
    """What is wrong with one value of a form, and with the elements in it."""
    found, expected = _kind_of(value), _KINDS.get(form.container, "single")
    if found != expected:
        words = {"single": "a single value", "list": f"a list ({form.container})", "table": "a table"}
        found = "a list" if found == "list" else words[found]
        remedy = _WRITTEN[expected]
        yield Problem(place, variant="container", help=remedy, name=column.name, found=found, expected=words[expected])
        return
    if found == "list" and not fits_dimension(form.dimension, value, has_inner=form.elements is not None):
        shape = [("ragged" if number < 0 else number) for number in shape_of(value)]
        text = "[" + ",".join(map(str, shape)) + "]"
        yield Problem(place, variant="dimension", name=column.name, shape=text, dimension=form.dimension)
    for key in value if isinstance(value, dict) and form.indices else ():
        if not check_contents(form.indices, key):
            contents = _in_words(form.indices)
            yield Problem(place, variant="key", name=column.name, value=key[:SHOWN], contents=contents)
    if found != "single" and form.elements is not None:
        for element in elements_of(form, value):
            if not (isinstance(element, Cell) and element.is_null):
                yield from _form_problems(form.elements, column, _narrowed(place, element), element)
    elif found != "single":
        yield from _cells_of_wrong_type(form, column, place, value)


_WRITTEN = {
    "single": "write one value, without brackets round it",
    "list": "write the values in square brackets with blanks between them, as in [1 2 3]",
    "table": "write a table in braces, as in {'first':1 'second':2}",
}


def _kind_of(value: object) -> str:
    """How a decoded value is built."""
    return "list" if isinstance(value, list) else "table" if isinstance(value, dict) else "single"


_KINDS = {"List": "list", "Array": "list", "Matrix": "list", "Table": "table"}


def _narrowed(place: Place, element: object) -> Place:
    """The place of an element where it is a leaf, else that of the whole value."""
    return replace(place, start=element.start, end=element.end) if isinstance(element, Cell) else place


def _cells_of_wrong_type(form: Form | Item, column: Column, place: Place, value: object) -> Iterator[Problem]:
    """Leaves of a container that are not of the type of contents."""
    for cell in leaves(value):
        if not cell.is_null and not check_contents(form.contents, cell.text):
            here = replace(place, start=cell.start, end=cell.end, key={})
            yield Problem(here, name=column.name, value=cell.text[:SHOWN], contents=_in_words(form.contents))


@rule(
    "DIC011",
    "out-of-range",
    severity="error",
    source="_enumeration.range",
    message="{name} is {value} - expected {range}",
    messages={"tolerated": "{name} is {value}, outside {range} of the dictionary, as is usual for stills"},
    helps={
        "": "check the unit and the sign of the value",
        "tolerated": "nothing is needed: stills are described so",
    },
)
def out_of_range(tables: Tables) -> Iterator[Problem]:
    """What: A number lies outside the range that the dictionary gives, also when its uncertainty is allowed for.
    Why: The value is physically impossible or in another unit.
    How to fix: Check the unit and the sign of the value.
    Source: Dictionary imgCIF and the dictionaries that it imports, _enumeration.range.
    """
    for item, column in list(tables.items.values()):
        if not item.ranges or not item.is_numeric:
            continue
        rows = _out_of_ranges(item, column)
        for text, places, count in by_value(tables, item, column, rows) if len(rows) else ():
            is_tolerated = text in item.tolerated
            yield problem_of(
                places,
                count,
                severity="info" if is_tolerated else None,
                variant="tolerated" if is_tolerated else "",
                reference=item.id,
                name=column.name,
                value=text[:SHOWN],
                range=_range_in_words(item),
            )
        if column.quoting is not None:
            yield from _cells_out_of_range(tables, item, column)
    say_beyond(_most_lists(tables), MAX_LISTS, "lists")


def _out_of_ranges(item: Item, column: Column) -> np.ndarray:
    """The rows whose number lies outside the ranges of an item: (n,) int64."""
    numbers = column.numbers()
    if column.few_values is not None and _are_within(item, numbers.values[numbers.valid].tolist()):
        return NO_ROWS
    return np.flatnonzero(numbers.valid & ~in_ranges(item, np.nan_to_num(numbers.values), numbers.su))


def _are_within(item: Item, values: list[float]) -> bool:
    """True if numbers lie within a range of some layer, uncertainties set aside."""
    for value in values:
        for low, high in item.ranges:
            if (low is None or value >= low) and (high is None or value <= high):
                break
        else:
            return False
    return True


def _cells_out_of_range(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """Numbers within lists."""
    for row in _lists(column)[:MAX_LISTS]:
        for cell in column.cells(int(row)):
            number = parse_number(cell.text.encode())
            if number and not in_ranges(item, np.array([number[0]]), np.array([number[1]]))[0]:
                place = Place(column.source, cell.start, cell.end, tables.block.name, item.category, column.name)
                yield Problem(place, name=column.name, value=cell.text, range=_range_in_words(item))


def _range_in_words(item: Item) -> str:
    """The widest range of all layers, as a message says it."""
    lows = [low for low, _ in item.ranges]
    highs = [high for _, high in item.ranges]
    low = None if None in lows else min(value for value in lows if value is not None)
    high = None if None in highs else max(value for value in highs if value is not None)
    unit = f" {item.units}" if item.units and item.units != "none" else ""
    if low is None:
        return f"{high:g}{unit} or less"
    return f"{low:g}{unit} or more" if high is None else f"{low:g} to {high:g}{unit}"
