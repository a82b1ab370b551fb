"""Rules about keys of rows: repeated, missing and understood ones."""

from collections.abc import Hashable, Iterator
from functools import partial

from imgcif_core.checks.dictionary.keys import implied_value, understood_text
from imgcif_core.checks.edits import new_item
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.relations.compound import is_distinct, typed_hashes, typed_value
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.model.joins import Repeats, combined, repeats
from imgcif_core.tables import Table, Tables

# Keys told one by one; the first of them counts for the rest.
MAX_REPEATS = 200


def key_items(table: Table, dictionary: Dictionary) -> list[Item]:
    """The key items of a table, those of the overlay included."""
    names = (*table.category.keys, *table.category.extra_keys)
    return [item for name in names if (item := dictionary.lookup(name))]


def has_stand_in(tables: Tables, dictionary: Dictionary, item: Item) -> bool:
    """True if an absent key column can be understood."""
    return item.object.lower() == "array_section_id" or implied_value(tables, dictionary, item) is not None


@rule(
    "REL004",
    "duplicate-key",
    severity="error",
    source="_category_key.name",
    message="{category} has the row {key} twice - first in line {line}",
)
def duplicate_key(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: Two rows of a table have the same key.
    Why: A reference to the key means two rows, and programs keep one of them.
    How to fix: Delete the repeated row, or correct the identifier that should differ.
    Source: Dictionary imgCIF, _category_key.name.
    """
    judged = False
    for table in tables.present:
        items = key_items(table, dictionary)
        given = [item for item in items if table.has(item.object.lower())]
        absent = [item for item in items if not table.has(item.object.lower())]
        if table.rows < 2 or not given:
            continue
        if any(not has_stand_in(tables, dictionary, item) for item in absent):
            continue
        judged = True
        if any(is_distinct(table, item) for item in given) or _are_few_distinct(table, given):
            continue
        columns = [typed_hashes(table, item, _stand_in(table, item)) for item in given]
        again = repeats(combined(columns), partial(_key_of, table, given))
        yield from _repeats(table, given, again)
    if not judged:
        raise NotApplicable("no table with keys and several rows")


def _are_few_distinct(table: Table, items: list[Item]) -> bool:
    """True if the keys of a few rows are seen to differ."""
    columns = [table.column(item.object.lower()) for item in items]
    if any(column is None or column.few_texts is None or len(column) != table.rows for column in columns):
        return False
    return len({_key_of(table, items, row) for row in range(table.rows)}) == table.rows


def _stand_in(table: Table, item: Item) -> str:
    """What a null key stands for."""
    return item.default or ""


def _key_of(table: Table, items: list[Item], row: int) -> tuple[Hashable, ...]:
    """The key of a row, as its types compare it."""
    return tuple(typed_value(table, item, row, _stand_in(table, item)) for item in items)


def _repeats(table: Table, items: list[Item], again: Repeats) -> Iterator[Problem]:
    """One problem for each repeated key, up to a limit."""
    for index, (row, earlier) in enumerate(again.head(MAX_REPEATS)):
        values = {item.object: table.text(item.object.lower(), row, item.default) or "." for item in items}
        first = table.at(earlier, items[0].object.lower())
        line = first.source.line_of(first.start) if first.source else 0
        yield Problem(
            table.at(row, items[0].object.lower()),
            count=1 + max(0, len(again) - MAX_REPEATS) * (index == 0),
            category=table.category.name.upper(),
            key=", ".join(f"{name} {value}" for name, value in values.items()),
            line=line,
        )


@rule(
    "REL005",
    "missing-key-column",
    severity="error",
    source="_category_key.name",
    message="{category} has {rows} rows, but no {name} to tell which belongs where",
    messages={"older": "{category} is given in names that are older than its key {name} - each row stands for itself"},
)
def missing_key_column(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A table with several rows lacks a key column, and nothing says what is understood.
    Why: The rows cannot be told apart or joined to the tables that they belong to.
    How to fix: Add the key column with a value in each row.
    Source: Dictionary imgCIF, _category_key.name and _enumeration.default.
    """
    for table, item in _missing(tables, dictionary):
        if table.rows < 2 or _core_key(table, item):
            continue
        if not has_stand_in(tables, dictionary, item) or _is_keyless(table, dictionary, item):
            is_older = _is_older_than(table, item, dictionary)
            yield Problem(
                table.at_top(),
                severity="info" if is_older else None,
                variant="older" if is_older else "",
                help="nothing is needed; the key came with the names that have a dot" if is_older else None,
                reference=item.id,
                category=table.category.name.upper(),
                rows=table.rows,
                name=item.id,
            )


def _is_older_than(table: Table, item: Item, dictionary: Dictionary) -> bool:
    """True for an identifier that the names without a dot, in which the table is given, never had."""
    names = [column.name for column in table.columns.values()]
    is_new = item.linked is None and not any("." not in alias for alias in item.aliases)
    return is_new and all("." not in name and dictionary.is_alias(name) for name in names)


def _is_keyless(table: Table, dictionary: Dictionary, item: Item) -> bool:
    """True for the first key item with a default if no key item is given: all rows then have the same key."""
    items = key_items(table, dictionary)
    return item is items[0] and item.default is not None and not any(table.has(key.object.lower()) for key in items)


def _core_key(table: Table, item: Item) -> bool:
    """True where another layer's key does the work: imgCIF and multi-block key some tables differently."""
    others = [name.partition(".")[2].lower() for name in table.category.alternative_keys]
    return any(table.has(name) for name in others) or (table.category.is_set and item.linked is None)


def _missing(tables: Tables, dictionary: Dictionary) -> Iterator[tuple[Table, Item]]:
    """Tables, each with a key item that it lacks and that no parent in the same loop gives."""
    for table in tables.present:
        if _is_in_parents_loop(tables, table, dictionary):
            continue
        for item in key_items(table, dictionary):
            if not table.has(item.object.lower()) and item.object.lower() != "array_section_id":
                yield table, item


def _is_in_parents_loop(tables: Tables, table: Table, dictionary: Dictionary) -> bool:
    """True if a parent category stands in the same loop with a key: its rows are then the rows of the child."""
    loops = {id(column.loop) for column in table.columns.values() if column.loop is not None}
    for name in dictionary.family(table.category.id) - {table.category.id}:
        parent = tables.table(name)
        columns = (parent.column(item.object.lower()) for item in key_items(parent, dictionary))
        if any(column is not None and id(column.loop) in loops for column in columns):
            return True
    return False


@rule(
    "REL006",
    "key-understood",
    severity="info",
    source="_category_key.name",
    message="{name} is left out - {understood} is understood",
)
def key_understood(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A key column is left out, and only one row exists that it can point to.
    Why: This is legal; it is told so that one sees how the tables were joined.
    How to fix: Nothing is needed; give the column to make the file plain to simple readers.
    Source: Dictionary imgCIF, _category_key.name; DDLm, keys of child tables of a single row.
    """
    for table, item in _missing(tables, dictionary):
        understood = implied_value(tables, dictionary, item)
        if understood and item.default is None and item.linked is not None and not table.category.is_set:
            text = understood_text(tables, dictionary, item)
            beside = next(iter(table.columns.values()))
            edits = new_item(beside, item.id, text, is_safe=True) if text else []
            yield Problem(table.at_top(), edits=edits, reference=item.id, name=item.id, understood=understood)
