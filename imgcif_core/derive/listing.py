"""What can be derived from the values of a file, with the path of derivation, as plain data."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.drel.budget import Limits
from imgcif_core.ddlm.drel.context import BY_METHOD, CREATED, DERIVED, STORED, UNKNOWN, Key, Value
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.values import NULL, is_nothing, plain
from imgcif_core.ddlm.drel.world import Trouble, World
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.derive.store import TableStore
from imgcif_core.errors import UsageError
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

SCHEMA = "imgcif-derive/1"
MAX_ROWS = 10_000
MAX_DEPTH = 12
# What a method, and not the file, has given.
MADE = frozenset({DERIVED, BY_METHOD, CREATED})


@dataclass(frozen=True, slots=True)
class _Listing:
    """One block with its values, and what is asked of it."""

    tables: Tables
    store: TableStore
    world: World
    program: Program
    dictionary: Dictionary


def derivations(
    document: Document, dictionary: Dictionary, wanted: Sequence[str] = (), *, limits: Limits | None = None
) -> list[dict[str, Any]]:
    """The derivable values of each block; of all items that the file leaves open, or of those wanted.

    Raises
    ------
    UsageError
        If the dictionary has no methods, or a wanted name is no item or category of it.
    """
    if not dictionary.methods:
        raise UsageError(
            f"the dictionary {dictionary.title} is known without its methods; give its file, "
            "such as --dictionary cif_core.dic, with --dictionary-path for what it imports"
        )
    items = _items(dictionary, wanted)
    program = Program(dictionary.methods)
    found = []
    every = tuple(Tables(block, dictionary) for block in document.blocks)
    for tables in every:
        tables.file = every
        store = TableStore(tables)
        listing = _Listing(tables, store, World(store, dictionary, program, limits), program, dictionary)
        found.append(_block(listing, items, is_asked=bool(wanted)))
    return found


def _items(dictionary: Dictionary, wanted: Sequence[str]) -> list[Item]:
    """The items with methods, or those that are asked for by name or by category."""
    if not wanted:
        found = []
        for identifier in dictionary.methods.by_id:
            item = dictionary.lookup(identifier)
            if item is not None:
                found.append(item)
            elif dictionary.category(identifier) is not None and identifier != "function":
                found.extend(dictionary.items_of(identifier))
        return list({item.id: item for item in found}.values())
    found = []
    for name in wanted:
        item = dictionary.lookup(name)
        if item is not None:
            found.append(item)
        elif dictionary.category(name) is not None:
            found.extend(dictionary.items_of(name))
        else:
            raise UsageError(f"{name} is neither an item nor a category of {dictionary.title}")
    return found


def _block(listing: _Listing, items: Sequence[Item], *, is_asked: bool) -> dict[str, Any]:
    """What one block gives: derived items, and for those that were asked for the reason where there is none."""
    derived, missing = [], []
    for item in items:
        if listing.store.block_of(item.category) is not None:
            # What stands in another block of the data set is derived there.
            continue
        entry, lacking = _entry(listing, item, is_asked=is_asked)
        if entry is not None:
            derived.append(entry)
        elif is_asked:
            missing.append({"item": item.id, "because": _reason(listing, item, lacking)})
    troubles = {(t.method.id, t.message, t.line): t for t in reversed(listing.world.troubles)}
    return {
        "block": listing.tables.block.name,
        "items": derived,
        "not_derived": missing,
        "troubles": [_trouble(trouble) for trouble in reversed(list(troubles.values()))],
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    """What went wrong in a method, with its place in the method and in the dictionary's file."""
    return {
        "item": trouble.method.id,
        "purpose": trouble.method.purpose,
        "kind": trouble.kind,
        "message": trouble.message,
        "line": trouble.line,
        "column": trouble.column,
        "file": Path(trouble.method.file).name,
        "file_line": trouble.file_line,
    }


def _entry(listing: _Listing, item: Item, *, is_asked: bool) -> tuple[dict[str, Any] | None, Value | None]:
    """The derived values of an item, or the first value that could not be had."""
    world, table = listing.world, listing.tables.table(item.category)
    rows, path, lacking = [], None, None
    for row in range(min(world.row_count(item.category), MAX_ROWS)):
        value = world.value(item, row)
        stored = None
        if value.how not in MADE and is_asked and listing.dictionary.methods.of(item.id, "Evaluation"):
            stored, value = value, world.evaluate(item, row)
        if value.how not in MADE or is_nothing(value.value):
            lacking = lacking or value
            continue
        found: dict[str, Any] = {"row": row, "key": _key(listing, item, row, table.rows)}
        found.update(value=shown(value.value), how=value.how)
        if stored is not None and not is_nothing(stored.value):
            found["stored"] = shown(stored.value)
        rows.append(found)
        path = path or list(_paths(listing, value.inputs, {item.id}, 0))
    if not rows:
        return None, lacking
    method = _method(listing, item)
    units = world.attributes(item, 0).get("_units.code", item.units) if item.units or method else item.units
    return {"item": item.id, "units": units, "rows": rows, "method": method, "from": path or []}, None


def _key(listing: _Listing, item: Item, row: int, stored: int) -> dict[str, str]:
    """The key values of a row, stored or derived."""
    if row < stored:
        written = listing.tables.table(item.category).key(row)
        if written:
            return written
    keys = listing.dictionary.key_items(item.category)
    values = {key.object: listing.world.value(key, row).value for key in keys}
    return {name: str(plain(value)) for name, value in values.items() if not is_nothing(value)}


def _method(listing: _Listing, item: Item) -> dict[str, Any] | None:
    """Where the method stands that gives the item."""
    found = listing.dictionary.methods
    for identifier, purpose in ((item.id, "Evaluation"), (item.category, "Evaluation"), (item.id, "Definition")):
        for method in found.of(identifier, purpose):
            return {"of": method.id, "purpose": purpose, "file": Path(method.file).name, "line": method.line}
    return None


def _paths(listing: _Listing, inputs: Sequence[Key], above: set[str], depth: int) -> Iterator[dict[str, Any]]:
    """The items that a value was made from, each once, with what they were made from themselves."""
    seen: set[str] = set()
    for identifier, row in inputs:
        if identifier in seen or identifier in above:
            continue
        seen.add(identifier)
        item = listing.dictionary.lookup(identifier)
        if item is None:
            continue
        value = listing.world.value(item, row)
        if value.how == UNKNOWN:
            continue
        entry: dict[str, Any] = {"item": item.id, "how": value.how}
        block = listing.store.block_of(item.category)
        if block is not None and value.how == STORED:
            entry["block"] = block
        if value.inputs and depth < MAX_DEPTH:
            above.add(identifier)
            entry["from"] = list(_paths(listing, value.inputs, above, depth + 1))
        yield entry


def _reason(listing: _Listing, item: Item, lacking: Value | None) -> str:
    """Why an item cannot be derived, in a few words."""
    for trouble in listing.world.troubles:
        if trouble.method.id.lower() in (item.id.lower(), item.category):
            return f"its method stops: {trouble.message} (line {trouble.line} of the method)"
    if _method(listing, item) is None:
        if listing.dictionary.origin != "bundled":
            return "it has no method"
        file = "multi_block_core.dic" if "MULTIBLOCK" in item.layer.upper() else "cif_core.dic"
        file = "cif_img.dic" if item.layer == "CIF_IMG" else file
        return f"it has no method here; give the dictionary that may have one, such as --dictionary {file}"
    if lacking is None:
        return f"the block has no row of {item.category}"
    names = sorted(_open_ends(listing, lacking.inputs, {item.id}))
    if not names:
        return "its method gives no value for what the file says"
    return "the file does not give " + ", ".join(names[:6]) + (" and more" if len(names) > 6 else "")


def _open_ends(listing: _Listing, inputs: Sequence[Key], above: set[str]) -> set[str]:
    """The items without a value at the ends of the ways to a missing value."""
    found: set[str] = set()
    stack = list(inputs)
    while stack:
        identifier, row = stack.pop()
        item = listing.dictionary.lookup(identifier)
        if item is None or identifier in above:
            continue
        above.add(identifier)
        value = listing.world.value(item, row)
        if value.how != UNKNOWN:
            continue
        if value.inputs and any(key[0] not in above for key in value.inputs):
            stack.extend(value.inputs)
        else:
            found.add(item.id)
    return found


def shown(value: Any) -> Any:
    """A value as JSON can hold it: rounded to twelve digits, complex numbers as texts."""
    value = plain(value)
    if isinstance(value, list):
        return [shown(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): shown(entry) for key, entry in value.items()}
    if isinstance(value, complex):
        return f"{value.real:.12g}{value.imag:+.12g}j"
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if is_nothing(value):
        return "." if value is NULL else "?"
    return value if isinstance(value, (bool, int)) else str(value)
