"""Rules about links: references that lead nowhere, absent parents, other blocks."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.dictionary.keys import is_section_id
from imgcif_core.checks.dictionary.values import by_value
from imgcif_core.checks.edits import all_like
from imgcif_core.checks.joins import MAX_OTHERS, columns_named, missing_rows, parent_columns, same_data_set
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.relations.compound import equal_as_numbers
from imgcif_core.checks.suggest import Candidates
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Change, Place
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables, kept

# Links that a rule of their own judges, with more knowledge than this family has.
OWNED = frozenset(
    {
        "_array_data.external_data_id",
        "_diffrn_scan.frame_id_start",
        "_diffrn_scan.frame_id_end",
        "_diffrn_radiation.wavelength_id",
        "_diffrn.crystal_id",
        "_array_structure_list.axis_set_id",
        "_array_structure_list_axis.axis_set_id",
        "_diffrn_measurement_axis.measurement_device",
    }
)


@kept
def generic_links(tables: Tables, dictionary: Dictionary) -> list[tuple[Item, Column, Item]]:
    """Child item, its column and the parent item, of all links that no other rule owns."""
    found = []
    for item, column in tables.items.values():
        if not item.is_link or item.id.lower() in OWNED:
            continue
        parent = dictionary.lookup(item.linked or "")
        if parent is not None and parent.id != item.id:
            found.append((item, column, parent))
    return found


def has_parents(tables: Tables, own: list[Column], others: list[Column]) -> bool:
    """True if the parent table is there, so that a value which it lacks leads nowhere.

    Blocks that do not say to which data set they belong may hold parents of each other, but a table of
    another such block, say of the next instrument in a library, does not stand for one that is left out.
    """
    is_declared = tables.table("audit_dataset").text("id") is not None
    return any(not entry.is_all_null for entry in (own + others if is_declared else own))


def dangling(item: Item, column: Column, parents: list[Column]) -> np.ndarray:
    """Rows whose value no parent holds, sections that define themselves left out, case set aside."""
    rows = missing_rows(column, parents, fold=item.is_caseless)
    if len(rows) and not item.is_caseless:
        rows = np.intersect1d(rows, missing_rows(column, parents, fold=True))
    if len(rows):
        rows = np.setdiff1d(rows, equal_as_numbers(item, column, rows, parents))
    if len(rows) and "section_id" in item.object.lower():
        rows = np.array([row for row in rows if not is_section_id(column.text(int(row)))], dtype=np.int64)
    return rows


@rule(
    "REL001",
    "dangling-link",
    severity="error",
    source="_name.linked_item_id",
    message="{name} {verb} {value!r}, which {parent} does not hold - expected {known}",
)
def dangling_link(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A value points to a row of another table, and that table has no such row.
    Why: What the row belongs to cannot be found, so that the frame, detector or scan is lost to programs.
    How to fix: Use an identifier that the other table holds, or add the missing row there.
    Source: Dictionary imgCIF, _name.linked_item_id and the pointers that its texts state.
    """
    judged = False
    lost: dict[tuple[str, str], list[_Lost]] = {}
    for item, column, parent in generic_links(tables, dictionary):
        if parent.id.lower() == "_axis.id":
            # Links to axes that lead nowhere are for AXI001 to report.
            continue
        own, others = parent_columns(tables, parent)
        parents = own + others
        if len(tables.file) > MAX_OTHERS and len(missing_rows(column, parents)):
            # The row may stand in a block beyond those that are looked at.
            continue
        if not has_parents(tables, own, others):
            continue
        judged = True
        rows = dangling(item, column, parents)
        if not len(rows):
            continue
        known = known_values(own, others)
        for text, places, count in by_value(tables, item, column, rows):
            entry = _Lost(item, column, parent, known, places, count)
            lost.setdefault((parent.id, text), []).append(entry)
    for (_, text), entries in lost.items():
        yield _lost_problem(text, entries)
    if not judged:
        raise NotApplicable("no links with parents")


@dataclass(frozen=True, slots=True)
class _Lost:
    """One value of one item that leads nowhere: where it stands, and what the parent holds."""

    item: Item
    column: Column
    parent: Item
    known: Candidates
    places: list[Place]
    count: int


def _lost_problem(text: str, entries: list[_Lost]) -> Problem:
    """One finding for a value that leads nowhere, in however many tables it stands."""
    first = entries[0]
    remedies = [remedy_for(entry.column, text, entry.known, entry.parent.category) for entry in entries]
    edits = [edit for _, changes in remedies for edit in changes] if all(changes for _, changes in remedies) else []
    return problem_of(
        (place for entry in entries for place in entry.places),
        sum(entry.count for entry in entries),
        help=remedies[0][0],
        edits=edits,
        reference=first.item.id,
        name=" and ".join(entry.column.name for entry in entries),
        verb="is" if len(entries) == 1 else "are",
        value=text[:60],
        parent=first.parent.id,
        known=listed_values(first.known),
    )


def remedy_for(column: Column, text: str, known: Candidates, category: str) -> tuple[str, list[Change]]:
    """What to do about a reference that leads nowhere: the id that was meant, or a row that is missing."""
    same = known.same_but_signs(text)
    if same is not None and same != text:
        return f"write {same}", all_like(column, text, same, is_safe=True)
    near = known.nearest(text, 0.6)
    if near is not None and near != text:
        return f"did you mean {near}", all_like(column, text, near, is_safe=False)
    table = category.upper()
    if not known.names:
        return f"add a row {text[:60]} to {table}", []
    if len(known.names) == 1:
        return f"write {known.names[0]}, the only one there, or add a row {text[:60]} to {table}", []
    return f"write an id that {table} lists, or add a row {text[:60]} there", []


def known_values(*parents: list[Column]) -> Candidates:
    """The distinct values of the first of some groups of columns that has any, as what a reference may have meant."""
    for columns in parents:
        rows = ((column, int(row)) for column in columns for row in column.distinct()[0] if not column.is_null[row])
        found = Candidates(column.text(row) for column, row in rows)
        if found.names:
            return found
    return Candidates([])


def listed_values(known: Candidates) -> str:
    """Some values, for a message."""
    shown = ", ".join(known.names[:4])
    number = len(known.names)
    return f"one of {shown}{', ...' if number > 4 else ''}" if number > 1 else shown or "a value there"


@rule(
    "REL002",
    "parent-table-absent",
    severity="info",
    source="_name.linked_item_id",
    message="{parent} is not given, but meant by {values} in {children}",
    messages={"table": "the table {table} is not given, but meant by {values} in {children}"},
)
def parent_table_absent(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: Rows point to a table that the file does not hold.
    Why: With one value the missing row can be understood; with several, nothing says what tells them apart.
    How to fix: Add the table with one row for each identifier.
    Source: Dictionary imgCIF, _name.linked_item_id; DDLm makes no table mandatory.
    """
    absent: dict[str, list[tuple[Item, Column]]] = {}
    for item, column, parent in links_with_tables(tables, dictionary):
        own, others = parent_columns(tables, parent)
        if has_parents(tables, own, others) or column.is_all_null:
            continue
        if not others or len(dangling(item, column, own + others)):
            absent.setdefault(parent.id, []).append((item, column))
    for parent_id, children in absent.items():
        values: dict[str, None] = {}
        for item, column in children:
            for row in column.distinct()[0][:20]:
                text = column.text(int(row))
                if not column.is_null[row] and not ("section" in item.object and is_section_id(text)):
                    values[text] = None
        if not values:
            continue
        above = dictionary.lookup(parent_id)
        # Rows of sub-categories make up the rows of the category above them, which may hold nothing of its own.
        is_needed = any(above is None or not _is_below(dictionary, child, above) for child, _ in children)
        item, column = children[0]
        row = int((~column.is_null).argmax())
        text, (place, *_), _ = next(by_value(tables, item, column, np.array([row])))
        yield Problem(
            place,
            severity="warning" if is_needed and _is_missed(tables, dictionary, parent_id, values) else "info",
            variant="table" if _is_wholly_absent(tables, dictionary, parent_id) else "",
            reference=parent_id,
            table=_table_of(dictionary, parent_id).upper(),
            children=", ".join(child[1].name for child in children[:3]) + (", ..." if len(children) > 3 else ""),
            values=", ".join(list(values)[:4]) + (", ..." if len(values) > 4 else ""),
            parent=parent_id,
        )


def _is_below(dictionary: Dictionary, item: Item, parent: Item) -> bool:
    """True for a key by which a sub-category hangs on the looped category above it."""
    return item.is_key and parent.is_key and parent.category in dictionary.family(item.category)


# Tables that say more than that an id exists: without them no pixel has a place, or no frame an image.
_TELLING_TABLES = frozenset({"axis", "array_structure_list_axis", "array_data"})


def links_with_tables(tables: Tables, dictionary: Dictionary) -> Iterator[tuple[Item, Column, Item]]:
    """All generic links, and those to the axes of axis sets, which another rule owns where the table is there."""
    yield from generic_links(tables, dictionary)
    found = tables.items.get("_array_structure_list.axis_set_id")
    parent = dictionary.lookup("_array_structure_list_axis.axis_set_id")
    if found is not None and parent is not None and not tables.table("array_structure_list_axis"):
        yield found[0], found[1], parent


def _table_of(dictionary: Dictionary, parent_id: str) -> str:
    """The table to which an item belongs."""
    parent = dictionary.lookup(parent_id)
    return parent.category if parent is not None else parent_id.partition(".")[0].lstrip("_")


def _is_wholly_absent(tables: Tables, dictionary: Dictionary, parent_id: str) -> bool:
    """True if the block holds nothing of the table."""
    return not tables.table(_table_of(dictionary, parent_id))


def _is_missed(tables: Tables, dictionary: Dictionary, parent_id: str, values: dict[str, None]) -> bool:
    """True unless all ids have one value and the table would hold only that id.

    Indices of arrays count by themselves, and a file of frames may leave out ids of its binaries.
    """
    table = _table_of(dictionary, parent_id).lower()
    if table in _TELLING_TABLES and _is_wholly_absent(tables, dictionary, parent_id):
        return True
    return len(values) > 1 and parent_id.lower() not in ("_array_data.binary_id", "_array_structure_list.index")


@rule(
    "REL016",
    "wavelength-id",
    severity="error",
    source="_diffrn_radiation.wavelength_id",
    message="{name} is {value!r}, which _diffrn_radiation_wavelength.id does not hold",
)
def wavelength_id(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: The radiation points to a wavelength that the table of wavelengths does not list.
    Why: The wavelength of the experiment is then unknown to programs that follow the pointer.
    How to fix: Use the id of a row of DIFFRN_RADIATION_WAVELENGTH.
    Source: Dictionary imgCIF, _diffrn_radiation.wavelength_id.
    """
    yield from owned_link(tables, dictionary, "_diffrn_radiation.wavelength_id")


@rule(
    "REL021",
    "crystal-id",
    severity="info",
    source="_diffrn.crystal_id",
    message="{name} is {value!r}, which EXPTL_CRYSTAL does not list",
)
def crystal_id(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: The crystal that the experiment names is not described in the file.
    Why: This is usual for raw data; a reader only learns nothing more about the crystal.
    How to fix: Add a row to EXPTL_CRYSTAL, or leave the crystal id out.
    Source: Multi-block dictionary, _diffrn.crystal_id.
    """
    found = tables.items.get("_diffrn.crystal_id")
    if found is None:
        raise NotApplicable("no crystal is named")
    parents = [column for entry in parent_columns(tables, _parent(dictionary, found[0])) for column in entry]
    rows = dangling(found[0], found[1], parents)
    for text, places, count in by_value(tables, found[0], found[1], rows):
        yield problem_of(places, count, name=found[1].name, value=text[:60])


def _parent(dictionary: Dictionary, item: Item) -> Item:
    """The item that a link points to, the item itself where it points nowhere."""
    return dictionary.lookup(item.linked or "") or item


def owned_link(tables: Tables, dictionary: Dictionary, identifier: str) -> Iterator[Problem]:
    """Problems of one link, only where the parent column is there."""
    columns = columns_named(tables, identifier)
    item = dictionary.lookup(identifier)
    if not columns or item is None:
        raise NotApplicable(f"{identifier} is not given")
    own, others = parent_columns(tables, _parent(dictionary, item))
    if not own and not others:
        raise NotApplicable("the table pointed to is not given")
    for column in columns:
        rows = dangling(item, column, own + others)
        known, parent = known_values(own + others if len(rows) else []), _parent(dictionary, item)
        for text, places, count in by_value(tables, item, column, rows):
            help_text, edits = remedy_for(column, text, known, parent.category)
            yield problem_of(places, count, help=help_text, edits=edits, name=column.name, value=text[:60])


@rule(
    "REL017",
    "link-to-other-block",
    severity="info",
    source="_audit_dataset.id",
    message="{name} is {value!r}, found in another block of the data set",
)
def link_to_other_block(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A reference is not resolved in its own block, but in another block of the same data set.
    Why: This is legal for blocks of one data set; programs that read one block alone do not find the row.
    How to fix: Nothing is needed where both blocks carry the same _audit_dataset.id; otherwise add it to both.
    Source: Multi-block dictionary, _audit_dataset.id.
    """
    if not same_data_set(tables):
        raise NotApplicable("one block")
    for item, column, parent in generic_links(tables, dictionary):
        own, others = parent_columns(tables, parent)
        away = missing_rows(column, own, fold=item.is_caseless)
        if len(away) and others:
            gone = missing_rows(column, own + others, fold=item.is_caseless)
            for text, places, count in by_value(tables, item, column, np.setdiff1d(away, gone)):
                yield problem_of(places, count, name=column.name, value=text[:60])
