"""What the Validation methods of dictionaries say of the values in a block."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from imgcif_core.ddlm.drel.values import is_nothing
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.methods import Method
from imgcif_core.ddlm.model import Item
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

MAX_ROWS = 20_000
_HEADING = re.compile(r"\s*#\s*((?:[A-Z]{3}\d{3}\s+)*)([^\n]*)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a Validation method says of one row: false, another value than the stored one, or a message."""

    method: Method
    item: Item
    row: int
    statement: str
    value: Any = None


def heading(method: Method) -> tuple[tuple[str, ...], str]:
    """The rules that judge the same relation, and the relation in words, from the first comment of a method."""
    match = _HEADING.match(method.text)
    if match is None:
        return (), ""
    return tuple(match[1].split()), match[2].strip()


def most_rows(world: World, tables: Tables, methods: Iterable[Method]) -> int:
    """The rows of the longest table that methods judge."""
    items = [world.dictionary.lookup(method.id) for method in methods]
    return max((tables.table(item.category).rows for item in items if item is not None), default=0)


def verdicts(world: World, tables: Tables, methods: Iterable[Method]) -> Iterator[Verdict]:
    """The rows with which methods find fault, in the order of methods; what is not decided is passed over."""
    for method in methods:
        item = world.dictionary.lookup(method.id)
        if item is None:
            continue
        table = tables.table(item.category)
        if not table.has(item.object.lower()):
            continue
        statement = heading(method)[1]
        for row in range(min(table.rows, MAX_ROWS)):
            frame = world.validate(method, item, row)
            if frame is None:
                continue
            for text, _ in frame.messages:
                yield Verdict(method, item, row, text or statement)
            if frame.has_result and not is_nothing(frame.result):
                if frame.result is False:
                    yield Verdict(method, item, row, statement)
                elif frame.result is not True:
                    yield Verdict(method, item, row, statement, frame.result)
