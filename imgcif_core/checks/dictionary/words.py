"""Rules about single texts: blanks in words, and texts of nothing."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.dictionary.values import MAX_UNREPAIRED, SHOWN, by_value, value_place
from imgcif_core.checks.edits import literal, new_values
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import Problem, rule
from imgcif_core.cif.document import Quoting
from imgcif_core.ddlm.types import wrong_rows
from imgcif_core.tables import Tables


@rule(
    "DIC010",
    "blank-in-word",
    severity="warning",
    source="_type.contents",
    message="{name} is {value!r} - a {contents} holds no blanks",
)
def blank_in_word(tables: Tables) -> Iterator[Problem]:
    """What: A value that the dictionary types as a word or code holds white space, or nothing.
    Why: Programs split at blanks, and identifiers with blanks are cut.
    How to fix: Replace the blanks, for example with underscores, wherever the value is used.
    Source: Dictionary imgCIF, _type.contents Word and Code.
    """
    for item, column in list(tables.items.values()):
        if item.contents not in ("Word", "Code") or item.states is not None or column.quoting is None:
            continue
        if item.object.lower() == "uri":
            continue
        rows = wrong_rows(item, column)
        for text, places, count in by_value(tables, item, column, rows, most=MAX_UNREPAIRED):
            if text.strip():
                yield problem_of(
                    places,
                    count,
                    name=column.name,
                    value=text[:SHOWN],
                    contents=item.contents.lower(),
                )


@rule(
    "DIC019",
    "empty-value",
    severity="warning",
    source="CIF 1.1 syntax specification, special values",
    message="{name} is an empty text - expected . where none applies or ? where it is unknown",
)
def empty_value(tables: Tables) -> Iterator[Problem]:
    """What: A value is an empty quoted text.
    Why: An empty text is a value like any other, so that programs take it for an identifier or an address.
    How to fix: Write an unquoted dot where no value applies, or a question mark where it is unknown.
    Source: CIF 1.1 syntax specification, special values; dictionary imgCIF, _type.contents.
    """
    for item, column in list(tables.items.values()):
        if column.quoting is None:
            continue
        if item.contents == "Text" and not item.is_link and item.states is None and "doi" not in item.object.lower():
            continue
        short = ~column.is_bare & (column.lengths <= 8) & (column.quoting < Quoting.LIST)
        rows = np.array([row for row in np.flatnonzero(short)[:10_000] if not column.text(row).strip()], dtype=np.int64)
        if len(rows) and item.states is None:
            blank = (value_place(tables, item, column, int(row)) for row in rows)
            edits = new_values(column, rows, literal("?"), is_safe=False)
            yield problem_of(blank, len(rows), edits=edits, name=column.name)
