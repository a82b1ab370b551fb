"""Which rows belong together: families of categories, keys, links, and rows that nobody has written."""

from collections.abc import Iterator, Sequence
from typing import Any

from imgcif_core.cif.values import fold
from imgcif_core.ddlm.drel.context import Context, Packet
from imgcif_core.ddlm.drel.values import MISSING, is_nothing, plain
from imgcif_core.ddlm.model import Item


def key_form(item: Item, value: Any) -> Any:
    """A key value in the form in which keys are compared: by the type of the key item."""
    value = plain(value)
    if item.is_numeric:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return value
        return float(value) if isinstance(value, (int, float)) else value
    text = str(value) if not isinstance(value, float) or not value.is_integer() else str(int(value))
    return fold(text) if item.is_caseless else text


class Relations:
    """The rows of the categories of a block, and the ways between them."""

    def __init__(self, world: Context) -> None:
        self._world = world
        self._dictionary = world.dictionary
        self._items: dict[tuple[str, str], Item | None] = {}
        self._children: dict[str, list[str]] | None = None
        self._indexes: dict[str, dict[tuple[Any, ...], int]] = {}
        self._virtual: dict[str, list[dict[str, Any]]] = {}
        self._counting: set[str] = set()

    # Items.

    def item(self, category: str, name: str) -> Item | None:
        """The item of a name in the category itself, in one that it belongs to, or in one that belongs to it."""
        key = (category, name.lower())
        if key not in self._items:
            self._items[key] = next(self._candidates(category, name), None)
        return self._items[key]

    def _candidates(self, category: str, name: str) -> Iterator[Item]:
        for relative in (category, *self._parents(category), *self._descendants(category)):
            item = self._dictionary.named_in_methods(relative, name)
            if item is not None:
                yield item

    def _parents(self, category: str) -> list[str]:
        """The looped categories that a category belongs to, the nearest first."""
        found: list[str] = []
        facts = self._dictionary.category(category)
        while facts is not None and facts.parent and facts.parent not in (*found, category):
            facts = self._dictionary.category(facts.parent)
            if facts is None or facts.cls != "Loop":
                break
            found.append(facts.id)
        return found

    def _descendants(self, category: str) -> list[str]:
        """The looped categories that belong to a category, the nearest first."""
        if self._children is None:
            self._children = {}
            for name in self._dictionary.categories():
                facts = self._dictionary.category(name)
                if facts is not None and facts.cls == "Loop":
                    self._children.setdefault(facts.parent, []).append(name)
        found = list(self._children.get(category, ()))
        for child in found:
            found.extend(name for name in self._children.get(child, ()) if name not in found and name != category)
        return found

    # Rows.

    def rows(self, category: str) -> int:
        """The rows of a category: stored ones, else created ones, else those of its parent, else one of a Set."""
        stored = self._world.store.rows(category)
        if stored or category in self._counting:
            return stored
        self._counting.add(category)
        try:
            created = self._world.created_rows(category)
            if created:
                return len(created)
            if self._is_keyless(category):
                return 1
            return self._rows_of_parent(category)
        finally:
            self._counting.discard(category)

    def _is_keyless(self, category: str) -> bool:
        """True for a Set of which the block holds nothing: it has the one row that needs no saying."""
        facts = self._dictionary.category(category)
        return facts is not None and facts.is_set

    def _rows_of_parent(self, category: str) -> int:
        """As many rows as the parent has: a sub-category may say something of each of them."""
        for parent in self._parents(category)[:1]:
            rows = self.rows(parent)
            if rows and category not in self._virtual:
                self._virtual[category] = [self._key_values(category, parent, row) for row in range(rows)]
            return rows
        return 0

    def _key_values(self, category: str, parent: str, row: int) -> dict[str, Any]:
        """The keys of a row of a sub-category that says the same row as one of its parent."""
        pairs = self._pairs(category, parent)
        return {own.object.lower(): self._world.value(other, row).value for own, other in pairs}

    def _pairs(self, category: str, parent: str) -> list[tuple[Item, Item]]:
        """The key items of a sub-category with those of its parent: by their links, else in their order."""
        own, other = self._dictionary.key_items(category), self._dictionary.key_items(parent)
        linked = [(key, target) for key in own for target in other if key.linked and self._is_target(key, target)]
        return linked or list(zip(own, other, strict=False))

    def _is_target(self, key: Item, target: Item) -> bool:
        return self._dictionary.canonical(key.linked or "") == target.id.lower()

    def extra(self, item: Item, index: int) -> Any:
        """The value that a row holds which is not stored: created by a method, or the key of a parent's row."""
        if item.category not in self._virtual:
            self.rows(item.category)
        created = self._world.created_rows(item.category) if not self._world.store.rows(item.category) else []
        rows = created or self._virtual.get(item.category, [])
        return rows[index].get(item.object.lower(), MISSING) if 0 <= index < len(rows) else MISSING

    def row_for(self, category: str, packet: Packet | None) -> "Packet | int | Any":
        """The row that a bare category means beside a row; the number of rows where it is not certain."""
        if packet is not None:
            if packet.category == category:
                return packet
            row = self.same_row(category, packet)
            if row is not None:
                return Packet(category, row)
        rows = self.rows(category)
        if rows == 1:
            return Packet(category, 0)
        if rows == 0:
            return MISSING
        linked = self._linked_row(category, packet) if packet is not None else None
        return rows if linked is None else linked

    def same_row(self, category: str, packet: Packet) -> int | None:
        """The row of a parent or child category that has the keys of a row."""
        if category in self._parents(packet.category):
            pairs = [(own, other) for own, other in self._pairs(packet.category, category)]
        elif packet.category in self._parents(category):
            pairs = [(own, other) for other, own in self._pairs(category, packet.category)]
        else:
            return None
        values = [(other, self._world.value(own, packet.row).value) for own, other in pairs]
        if any(is_nothing(value) for _, value in values):
            return None
        found = self.find(category, [value for _, value in values])
        return found.row if isinstance(found, Packet) else None

    def _linked_row(self, category: str, packet: Packet) -> Any:
        """The row that the links of a row lead to, if all keys of the category are linked."""
        keys = self._dictionary.key_items(category)
        values = []
        for key in keys:
            links = [link for link in self._dictionary.children_links(key.id) if link.category == packet.category]
            if len(links) != 1:
                return None
            values.append(self._world.value(links[0], packet.row).value)
        if not keys or any(is_nothing(value) for value in values):
            return None
        return self.find(category, values)

    def find(self, category: str, values: Sequence[Any]) -> Any:
        """The row with these key values; a row of a sub-category may rest on one of its parent alone."""
        keys = self._dictionary.key_items(category)
        if any(is_nothing(value) for value in values) or len(values) > max(len(keys), 1):
            return MISSING
        if not keys:
            return Packet(category, 0) if self.rows(category) == 1 else MISSING
        index = self._index(category, keys[: len(values)])
        wanted = tuple(key_form(key, value) for key, value in zip(keys, values, strict=False))
        row = index.get(wanted)
        if row is not None:
            return Packet(category, row)
        return self._find_by_parent(category, values, keys, wanted)

    def _find_by_parent(
        self, category: str, values: Sequence[Any], keys: Sequence[Item], wanted: tuple[Any, ...]
    ) -> Any:
        """A row that nobody has written, where the parent has a row with these keys."""
        parents = self._parents(category)
        stored = self._world.store.rows(category)
        if not parents or not stored or self.find(parents[0], values) is MISSING:
            return MISSING
        rows = self._virtual.setdefault(category, [])
        rows.append({key.object.lower(): value for key, value in zip(keys, values, strict=False)})
        row = stored + len(rows) - 1
        self._indexes[category][wanted] = row
        return Packet(category, row)

    def find_with(self, category: str, wanted: Sequence[tuple[Item, Any]]) -> Any:
        """The first row with these values of items of the category; an index is made once for their names."""
        if any(is_nothing(value) for _, value in wanted):
            return MISSING
        items = [item for item, _ in wanted]
        name = "/".join([category, *(item.id for item in items)])
        if name not in self._indexes:
            self._indexes[name] = self._indexed(category, items)
        row = self._indexes[name].get(tuple(key_form(item, value) for item, value in wanted))
        return MISSING if row is None else Packet(category, row)

    def _indexed(self, category: str, items: Sequence[Item]) -> dict[tuple[Any, ...], int]:
        """The first row of each combination of the values of some items."""
        found: dict[tuple[Any, ...], int] = {}
        for row in range(self.rows(category)):
            base = Packet(category, row)
            places = [row if item.category == category else self.same_row(item.category, base) for item in items]
            values = [
                MISSING if place is None else self._world.value(item, place).value
                for item, place in zip(items, places, strict=True)
            ]
            if not any(is_nothing(value) for value in values):
                form = tuple(key_form(item, value) for item, value in zip(items, values, strict=True))
                found.setdefault(form, row)
        return found

    def _index(self, category: str, keys: Sequence[Item]) -> dict[tuple[Any, ...], int]:
        """The first row of each combination of key values."""
        name = category if len(keys) == len(self._dictionary.key_items(category)) else f"{category}/{len(keys)}"
        if name not in self._indexes:
            found = self._indexed(category, keys)
            self._indexes[name] = found
            self._indexes.setdefault(category, found)
        return self._indexes[name]
