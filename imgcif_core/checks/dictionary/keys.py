"""Rules about keys, sets, sections and the version of the dictionary."""

import re
from collections.abc import Iterator

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.checks.dictionary.values import by_value, value_place
from imgcif_core.checks.edits import all_like, new_item, new_values
from imgcif_core.checks.joins import missing_rows, parent_columns
from imgcif_core.checks.places import problem_at, problem_of
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Change, Place
from imgcif_core.ddlm.model import Dictionary, Item
from imgcif_core.tables import Table, Tables

BASE_SCHEMA = "Base"
SECTION = re.compile(r"(?P<array>[^()\s]+)\((?P<body>[^()]*)\)")
_STRIDE = re.compile(r"[+-]?\d*(?::[+-]?\d*){0,2}")
_GEOMETRY = re.compile(
    r"_(axis|array_structure_list|array_structure_list_\w+|array_element_size|diffrn_scan\w*_axis)\."
)
_SETTINGS = re.compile(r"_(array_structure_list_axis|diffrn_scan_axis|diffrn_scan_frame_axis)\.(angle|displacement)")


def is_section_id(text: str) -> bool:
    """True for an id such as `A1(1:10,5:)`, which defines a section by itself."""
    match = SECTION.fullmatch(text)
    return match is not None and all(_STRIDE.fullmatch(part.strip()) for part in match["body"].split(","))


@rule(
    "DIC012",
    "set-with-several-rows",
    severity="error",
    source="_definition.class",
    message="{category} is a set, but has {rows} rows without a key that tells them apart",
)
def set_with_several_rows(tables: Tables) -> Iterator[Problem]:
    """What: A category that describes one thing has several rows, and no key column distinguishes them.
    Why: It cannot be known which row describes the experiment, and most programs take the first.
    How to fix: Keep the row that holds, or put each row into a data block of its own.
    Source: Dictionary imgCIF, _definition.class Set and _category_key.name.
    """
    schema = tables.table("audit").text("schema") or BASE_SCHEMA
    for table in tables.present:
        keyed = _may_be_looped(schema, table.category.id) or any(name in table.columns for name in table.key_names)
        keyed = keyed or any(_is_key_elsewhere(table, name) for name in table.columns)
        if table.category.is_set and table.rows > 1 and not keyed:
            place = table.at(1)
            keys = " and ".join(f"_{table.category.name}.{name}" for name in table.key_names)
            remedy = f"keep one row, or give each row its own {keys}" if keys else None
            yield Problem(place, help=remedy, category=table.category.name.upper(), rows=table.rows, count=1)


def _may_be_looped(schema: str, category: str) -> bool:
    """True if the schema that the block declares lets a Set have several rows."""
    if schema.lower() == "space group tables":
        return category == "space_group"
    return schema.lower() != BASE_SCHEMA.lower()


def _is_key_elsewhere(table: Table, name: str) -> bool:
    """True if a dictionary that is imported makes the item a key."""
    return any(key.partition(".")[2].lower() == name for key in table.category.alternative_keys)


@rule(
    "DIC013",
    "null-key",
    severity="error",
    source="_category_key.name",
    message="key {name} is {value} in a table of {rows} rows",
    messages={
        "implied": "key {name} is {value} - {understood} is understood",
        "empty": "{count_text} of {category} hold nothing but dots or question marks",
    },
)
def null_key(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A key item has no value in one of several rows.
    Why: A row without its key cannot be pointed to or told from the others.
    How to fix: Give each row its identifier.
    Source: Dictionary imgCIF, _category_key.name and _enumeration.default.
    """
    for table in tables.present:
        empty = _empty_rows(table)
        if empty is not None and empty.any():
            yield _empty_row_problem(table, np.flatnonzero(empty))
        for item in dictionary.key_items(table.category.id):
            column = table.column(item.object.lower())
            # Values of the type Implied are states and examples, among which a dot stands for itself.
            if column is None or item.contents == "Implied" or not column.has_nulls:
                continue
            is_null = column.is_null if empty is None else column.is_null & ~empty[: len(column)]
            rows = np.flatnonzero(is_null)
            if not len(rows):
                continue
            understood = implied_value(tables, dictionary, item)
            has_value = table.rows == 1 or understood is not None
            text = understood_text(tables, dictionary, item)
            help_text = f"nothing is needed; {text} may be written out" if text and has_value else None
            yield problem_at(
                table,
                rows,
                item.object.lower(),
                help=help_text or ("nothing is needed while the table has one row" if has_value else None),
                edits=new_values(column, rows, text, is_safe=True) if text and has_value else [],
                severity="info" if has_value else None,
                variant="implied" if has_value else "",
                name=column.name,
                value=column.text(int(rows[0])),
                rows=table.rows,
                understood=understood or "the only row",
            )


def _empty_rows(table: Table) -> Flags | None:
    """Where a row of several holds no value at all: (rows,) bool; None where a column has a value in each row."""
    if table.rows < 2:
        return None
    columns = [column for column in table.columns.values() if len(column) == table.rows]
    if len(columns) < 2 or not all(column.has_nulls for column in columns):
        return None
    found: Flags = np.logical_and.reduce([column.is_null for column in columns])
    return found


def _empty_row_problem(table: Table, rows: np.ndarray) -> Problem:
    """Rows without any value, as one problem; several of them have the same key by any default."""
    return problem_at(
        table,
        rows,
        None,
        severity=None if len(rows) > 1 else "warning",
        variant="empty",
        help="delete the rows, or fill them in",
        count_text="1 row" if len(rows) == 1 else f"{len(rows)} rows",
        category=table.category.name.upper(),
    )


def implied_value(tables: Tables, dictionary: Dictionary, item: Item) -> str | None:
    """What is understood where an item is left out: a default, another item, or the only parent."""
    if item.default is not None:
        return item.default
    if item.implied is not None:
        return f"the value of {item.implied}"
    if item.id.lower() in ("_diffrn_measurement_axis.measurement_device", "_diffrn_measurement.device_class"):
        return "the id of the measurement"
    if item.is_made_by_method:
        return "what the method of the dictionary gives"
    if item.linked is None:
        return None
    parent = dictionary.lookup(item.linked)
    if parent is None:
        return None
    if parent.is_link and parent.linked != item.id and not tables.table(parent.category):
        # The key of an absent table points further: to the table at the end of the chain.
        parent = dictionary.lookup(parent.linked or "") or parent
    rows = tables.table(parent.category).rows
    if not rows:
        return f"one {parent.category.upper()}, which the block does not describe,"
    return f"the only row of {parent.category.upper()}" if rows == 1 else None


def understood_text(tables: Tables, dictionary: Dictionary, item: Item) -> str | None:
    """The value that is understood where an item is left out, if it can be written down."""
    if item.default is not None:
        return item.default
    parent = dictionary.lookup(item.linked or "")
    if item.implied is not None or parent is None or tables.table(parent.category).rows != 1:
        return None
    return tables.table(parent.category).text(parent.object.lower())


@rule(
    "DIC014",
    "unknown-mandatory-value",
    severity="warning",
    source="_item.mandatory_code of the DDL2 edition",
    message="{name} is ? (unknown), but {what} rests on it",
    messages={"inapplicable": "{name} is . (not applicable), but the DDL2 edition of the dictionary demands a value"},
    helps={
        "": "give the value, or write a dot where the item does not apply",
        "inapplicable": "nothing is needed for most programs; those written for DDL2 look for a value",
    },
)
def unknown_mandatory_value(tables: Tables) -> Iterator[Problem]:
    """What: An item on which the interpretation rests is given as unknown.
    Why: A setting or size that is unknown makes the geometry unknown; where it does not apply, a dot says so.
    How to fix: Give the value, or write a dot where the item does not apply.
    Source: DDL2 edition of the imgCIF dictionary, mandatory codes; dictionary imgCIF, axis settings.
    """
    for item, column in list(tables.items.values()):
        if item.id.lower() == "_array_data.data":
            # Where the data are is for EXT001 to say.
            continue
        is_mandatory = item.mandatory == "yes" and not item.is_key
        if not column.has_nulls or (not is_mandatory and not _SETTINGS.match(item.id.lower())):
            continue
        for variant, mask in (("", column.is_unknown), ("inapplicable", column.is_inapplicable)):
            rows = np.flatnonzero(mask)
            if not len(rows) or (variant and not is_mandatory):
                continue
            severity = "info" if variant else None
            yield problem_of(
                (value_place(tables, item, column, int(row)) for row in rows),
                len(rows),
                severity=severity,
                variant=variant,
                name=column.name,
                what="the geometry" if _GEOMETRY.match(item.id.lower()) else "the use of the images",
            )


@rule(
    "DIC015",
    "ids-differ-in-case",
    severity="warning",
    source="_type.contents",
    message="{name} holds {first!r} and {second!r}, which differ only in case",
    messages={"link": "{name} is {first!r}, but {parent} writes {second!r}"},
)
def ids_differ_in_case(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: Two identifiers differ only in case, or a reference matches its target only without regard to case.
    Why: DDLm compares these identifiers exactly and CBFlib without case, so that programs disagree.
    How to fix: Write an identifier in the same way everywhere.
    Source: Dictionary imgCIF, _type.contents Word; DDLm, comparison of words.
    """
    for item, column in list(tables.items.values()):
        if item.is_caseless or item.is_numeric:
            continue
        if item.is_key and item.linked is None and _mixes_case(column):
            yield from _pairs_in_column(tables, item, column)
        if item.is_link:
            yield from _case_links(tables, item, column)


def _mixes_case(column: Column) -> bool:
    """True if a column holds both upper-case and lower-case letters, so that folding can merge values."""
    if column.counting is not None:
        return False
    if column.few_texts is not None:
        return any(text != text.lower() for text in column.few_texts) and any(
            text != text.upper() for text in column.few_texts
        )
    upper = lower = False
    for row in column.distinct()[0][:1] if column.is_constant else range(min(len(column), 2000)):
        text = column.text(int(row))
        upper |= text != text.lower()
        lower |= text != text.upper()
    return (upper and lower) or len(column) > 2000


def _pairs_in_column(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """Ids of one column that fold to the same text."""
    if column.is_constant:
        return
    if column.few_texts is not None and len(set(column.few_folded or ())) == len(set(column.few_texts)):
        return
    folded = column.folded_hashes()
    order = np.argsort(folded, kind="stable")
    same = folded[order][1:] == folded[order][:-1]
    differ = column.hashes[order][1:] != column.hashes[order][:-1]
    for index in np.flatnonzero(same & differ)[:100]:
        one, other = sorted((int(order[index]), int(order[index + 1])))
        place = value_place(tables, item, column, other)
        yield Problem(place, name=column.name, first=column.text(one), second=column.text(other))


def _case_links(tables: Tables, item: Item, column: Column) -> Iterator[Problem]:
    """References that resolve only without case."""
    target = tables.dictionary.lookup(item.linked or "")
    own, others = parent_columns(tables, target) if target is not None else ([], [])
    parents = own or others
    rows = missing_rows(column, parents) if parents else np.zeros(0, dtype=np.int64)
    if not len(rows):
        return
    rows = np.setdiff1d(rows, missing_rows(column, parents, fold=True))
    known: dict[str, tuple[str, str]] = {}
    for parent in parents if len(rows) else ():
        for name in parent.texts():
            known.setdefault(name.casefold(), (parent.name, name))
    for text, (place, *_), count in by_value(tables, item, column, rows):
        name, second = known[text.casefold()]
        edits = all_like(column, text, second, is_safe=True)
        yield _case_problem(
            place, f"write {second}", count, {"name": column.name, "parent": name}, (text, second), edits
        )


def _case_problem(
    place: Place, help_text: str, count: int, names: dict[str, str], texts: tuple[str, str], edits: list[Change]
) -> Problem:
    """A reference that another case would resolve."""
    first, second = texts
    return Problem(
        place,
        edits=edits,
        variant="link",
        help=help_text,
        count=count,
        name=names["name"],
        parent=names["parent"],
        first=first,
        second=second,
    )


@rule(
    "DIC016",
    "section-id-form",
    severity="warning",
    source="_array_structure_list_section.id",
    message="section id {value!r} is not of the form ARRAY(start:end:stride,...)",
)
def section_id_form(tables: Tables) -> Iterator[Problem]:
    """What: A section identifier with brackets does not follow the form that defines a section by itself.
    Why: Readers parse such identifiers to find the part of the array; what they cannot parse they cannot use.
    How to fix: Write the array id and, in brackets, start:end:stride for each index, separated by commas.
    Source: Dictionary imgCIF, _array_structure_list_section.id.
    """
    section_items = (
        "_array_structure_list_section.id",
        "_array_structure_list.array_section_id",
        "_diffrn_data_frame.array_section_id",
    )
    seen = False
    for item, column in list(tables.items.values()):
        if item.id.lower() not in section_items:
            continue
        seen = True
        for row in column.distinct()[0]:
            text = column.text(int(row))
            if ("(" in text or ")" in text) and not is_section_id(text) and not column.is_null[row]:
                yield Problem(value_place(tables, item, column, int(row)), value=text[:60])
    if not seen:
        raise NotApplicable("no sections")


@rule(
    "DIC017",
    "declared-dictionary",
    severity="info",
    source="_audit_conform.dict_version",
    messages={
        "unknown": "file declares the dictionary {name}, which is not among those that judge it",
        "newer": "file declares {name} {version}, newer than the {known} that judges it",
        "older": "file declares {name} {version}, older than the {known} that judges it",
    },
)
def declared_dictionary(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: The file declares another dictionary, or another version of it, than the one that judges it.
    Why: Names and rules change between versions, so that findings may not hold for the declared one.
    How to fix: Check against the declared version, or bring the declaration up to date.
    Source: Core dictionary, _audit_conform.dict_name and _audit_conform.dict_version.
    """
    table = tables.table("audit_conform")
    if not table:
        raise NotApplicable("no dictionary is declared")
    known = {_plain_name(source.title): source.version for source in dictionary.sources}
    for row in range(min(table.rows, 50)):
        name, version = table.text("dict_name", row), table.text("dict_version", row)
        if name is None:
            continue
        held = known.get(_plain_name(name))
        if held is None:
            yield Problem(table.at(row, "dict_name"), variant="unknown", name=name)
        elif version and _numbers(version) != _numbers(held) and _numbers(version):
            variant = "newer" if _numbers(version) > _numbers(held) else "older"
            place = table.at(row, "dict_version")
            yield Problem(place, variant=variant, name=name, version=version, known=held)


def _plain_name(name: str) -> str:
    """A dictionary's title or file name in a comparable form."""
    plain = name.lower().rpartition("/")[2].removesuffix(".dic").replace("_", "").replace("-", "")
    return {"multiblockcore": "multiblockdic", "imgcif": "cifimg", "cifimgcif": "cifimg"}.get(plain, plain)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


@rule(
    "DIC018",
    "mandatory-item-missing",
    severity="info",
    source="_item.mandatory_code of the DDL2 edition",
    message="{category} lacks {names}, mandatory in the DDL2 edition of the dictionary",
)
def mandatory_item_missing(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A category is given without an item that the DDL2 edition of the dictionary makes mandatory.
    Why: DDLm knows no mandatory items, but programs written for CBF expect these.
    How to fix: Add the items with their values; those that are not known can stay out.
    Source: DDL2 edition of the imgCIF dictionary, mandatory codes.
    """
    has_links = tables.table("array_data").has("external_data_id")
    for table in tables.present:
        missing = [
            item
            for item in dictionary.items_of(table.category.id)
            if item.mandatory == "yes"
            and not table.has(item.object.lower())
            and not (item.is_key and (item.default or item.implied or table.rows == 1))
            and not (has_links and item.id.lower() == "_array_data.data")
        ]
        if missing:
            names = ", ".join(item.id for item in missing)
            yield Problem(table.at_top(), category=table.category.name.upper(), names=names)


@rule(
    "DIC020",
    "default-understood",
    severity="info",
    source="_enumeration.default",
    message="{name} is left out - {default} is understood",
)
def default_understood(tables: Tables, dictionary: Dictionary) -> Iterator[Problem]:
    """What: A key item is left out, and the dictionary's default stands for it.
    Why: This is legal; it is told so that one sees how the rows were joined.
    How to fix: Nothing is needed; give the item to make the file plain to readers that do not know the default.
    Source: Dictionary imgCIF, _enumeration.default of key items.
    """
    for table in tables.present:
        for item in dictionary.key_items(table.category.id):
            name = item.object.lower()
            # Where another value is understood, as that of the only array, REL003 says so.
            if item.default is not None and not table.has(name) and name not in table.understood:
                beside = next(iter(table.columns.values()))
                edits = new_item(beside, item.id, item.default, is_safe=True)
                yield Problem(table.at_top(), edits=edits, name=item.id, default=item.default)
