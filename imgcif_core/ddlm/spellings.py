"""Attributes as older editions of DDLm and their dictionaries spell them, in the names of the present one."""

from collections.abc import Iterator

from imgcif_core.cif.containers import Cell, decode_container

Attributes = dict[str, list[str]]
_NULLS = (".", "?", "")
# An import request: the key of a table of `_import.get`, and the item of the loop that says the same.
_DETAILS = {
    "file": "_import_details.file_id",
    "version": "_import_details.file_version",
    "save": "_import_details.frame_id",
    "mode": "_import_details.mode",
    "dupl": "_import_details.if_dupl",
    "miss": "_import_details.if_miss",
}
_REQUESTS = frozenset({"_import.get", "_import_details.single", *_DETAILS.values()})
# Names that stand in for another one where that is not given; the first that is there counts.
_STAND_INS = {
    "_category_key.name": ("_category.key_id", "_category.key_list", "_category_key.generic"),
    "_name.category_id": ("_category.parent_id",),
}


def with_present_names(values: Attributes) -> Attributes:
    """The attributes of a frame, with those that stand there under an old name alone under the present one too."""
    found = values
    for name, olds in _STAND_INS.items():
        old = next((old for old in olds if old in values), None) if name not in values else None
        if old is not None:
            found = dict(values) if found is values else found
            found[name] = [part for text in values[old] for part in _elements(text)]
    return found


def _elements(text: str) -> list[str]:
    """The names in a value: those of a list, or the value itself."""
    found = _decoded(text)
    names = [entry.text for entry in found if isinstance(entry, Cell)] if isinstance(found, list) else [text]
    return [name for name in names if name not in _NULLS]


def import_requests(values: Attributes) -> list[dict[str, str]]:
    """The import requests of a frame in their order, from the list of tables or from the loop of their details."""
    if values.keys().isdisjoint(_REQUESTS):
        return []
    requests = [request for text in values.get("_import.get", ()) for request in _tables(_decoded(text))]
    return requests or _of_details(values)


def _of_details(values: Attributes) -> list[dict[str, str]]:
    """The requests in a loop, by its column of order where it has one: as tables, or item by item."""
    rows: list[dict[str, str]] = [
        request for text in values.get("_import_details.single", ()) for request in _tables(_decoded(text))
    ]
    if not rows:
        columns = {key: values[name] for key, name in _DETAILS.items() if name in values}
        for row in range(max(map(len, columns.values()), default=0)):
            given = {key: texts[row] for key, texts in columns.items() if row < len(texts)}
            rows.append({key: text for key, text in given.items() if text not in _NULLS})
    order = values.get("_import_details.order", ())
    if len(order) == len(rows) and all(text.strip().lstrip("+-").isdigit() for text in order):
        rows = [row for _, row in sorted(zip(map(int, order), rows, strict=True), key=lambda pair: pair[0])]
    return rows


def _decoded(text: str) -> object:
    """A list or table, or the text itself."""
    if text[:1] not in ("[", "{"):
        return text
    raw = text.encode("utf-8")
    return decode_container(raw, 0, len(raw))


def _tables(value: object) -> Iterator[dict[str, str]]:
    """The tables in a list, or the one table that stands there."""
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield {key: cell.text for key, cell in entry.items() if isinstance(cell, Cell)}
