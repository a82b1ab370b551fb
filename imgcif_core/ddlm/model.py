"""Dictionaries as facts: categories and items, looked up by any of their names.

The facts are plain data (see `compile`), and an item is built when somebody asks for it, so that
loading the whole import tree costs milliseconds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imgcif_core.ddlm.methods import Methods
from imgcif_core.records import cached_property, dataclass

_WORDLESS = re.compile(r"\W+")
CASELESS = frozenset({"Code", "Name", "Tag"})
NUMERIC = frozenset({"Integer", "Real", "Count", "Index", "Imag", "Complex"})
FACTS_SCHEMA = "imgcif-facts/1"


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a value: its container and shape, the types of contents and keys, and its elements' form."""

    contents: str = "Text"
    container: str = "Single"
    dimension: str = ""
    indices: str = ""
    elements: "Form | None" = None

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Form":
        """The form that facts describe."""
        values = dict(facts)
        if "elements" in values:
            values["elements"] = cls.of(values["elements"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Item:
    """One data item, as the innermost dictionary defines it.

    `ranges` holds (low, high) for each layer that gives one, the innermost first; None is an open
    end. `deprecated` names the layers in which the item is replaced, `replaced_by` what they say.
    `methods` holds the purposes of its dREL methods, `sets` the attributes that a Definition method
    gives. `elements` is the form of the elements of a list or table that are containers themselves.
    """

    id: str
    category: str
    object: str
    contents: str = "Text"
    container: str = "Single"
    dimension: str = ""
    indices: str = ""
    purpose: str = "Describe"
    source: str = "Assigned"
    units: str = ""
    ranges: tuple[tuple[float | None, float | None], ...] = ()
    states: tuple[str, ...] | None = None
    states_mandatory: bool = True
    tolerated: tuple[str, ...] = ()
    default: str | None = None
    implied: str | None = None
    linked: str | None = None
    aliases: tuple[str, ...] = ()
    deprecated_aliases: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    layer: str = ""
    is_key: bool = False
    mandatory: str = ""
    note: str = ""
    methods: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    elements: "Form | None" = None

    @property
    def is_made_by_method(self) -> bool:
        """True if the dictionary itself can give a value that a file leaves out."""
        return "Evaluation" in self.methods or "_enumeration.default" in self.sets

    @property
    def is_link(self) -> bool:
        """True if values must be found in another item."""
        return self.linked is not None and self.purpose != "SU"

    @property
    def is_caseless(self) -> bool:
        """True if values that differ only in case are the same."""
        return self.contents in CASELESS

    @property
    def is_numeric(self) -> bool:
        """True if values are numbers."""
        return self.contents in NUMERIC


@dataclass(frozen=True, slots=True)
class Category:
    """One category: `cls` is Set, Loop or Head; `keys` are definition ids of items."""

    id: str
    name: str
    cls: str = "Loop"
    keys: tuple[str, ...] = ()
    parent: str = ""
    layer: str = ""
    replaced_by: tuple[str, ...] = ()
    alternative_keys: tuple[str, ...] = ()
    extra_keys: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, name: str) -> "Category":
        """A stand-in for a category that the dictionary does not know."""
        return cls(name, name)

    @property
    def is_set(self) -> bool:
        """True for a Set, which has one row unless it has keys."""
        return self.cls == "Set"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where facts come from."""

    title: str
    version: str
    date: str
    sha256: str
    file: str


class Dictionary:
    """A DDLm dictionary with all that it imports.

    `methods` are the texts of its methods, none where only facts are known.
    """

    def __init__(self, facts: Mapping[str, Any], origin: str, methods: Methods | None = None) -> None:
        self.facts = facts
        self.methods = methods if methods is not None else Methods()
        self.origin = origin
        first = facts["sources"][0] if facts["sources"] else {}
        self.title: str = first.get("title", "")
        self.version: str = first.get("version", "")
        self.date: str = first.get("date", "")
        self.sha256: str = first.get("sha256", "")
        self._items: dict[str, Item | None] = {}
        self._categories: dict[str, Category | None] = {}
        self._items_of: dict[str, tuple[Item, ...]] = {}
        self._keys_of: dict[str, tuple[Item, ...]] = {}
        self._key_names: dict[str, tuple[str, ...]] = {}

    @property
    def sources(self) -> tuple[Provenance, ...]:
        """All dictionaries of the import tree, the importing one first."""
        return tuple(Provenance(**entry) for entry in self.facts["sources"])

    @property
    def gaps(self) -> tuple[str, ...]:
        """What could not be imported, in sentences; empty where the dictionary is whole."""
        return tuple(self.facts.get("gaps", ()))

    @property
    def is_imgcif(self) -> bool:
        """True if it defines the instrument of imgCIF, by itself or by what it imports."""
        return "axis" in self.facts["categories"] and "_axis.depends_on" in self.facts["items"]

    @property
    def is_of_attributes(self) -> bool:
        """True if it defines the attributes of DDLm, so that what it judges is a dictionary."""
        return "_definition.id" in self.facts["items"]

    @property
    def undefined(self) -> Mapping[str, str]:
        """Names that are spoken of but not defined, with the reason to let them pass."""
        found: Mapping[str, str] = self.facts.get("undefined", {})
        return found

    def lookup(self, name: str) -> Item | None:
        """The item of a data name in any case, canonical or alias."""
        if name in self._items:
            return self._items[name]
        key = name.lower()
        if key not in self._items:
            canonical = self.canonical(key)
            if canonical is None:
                self._items[key] = None
            elif canonical == key:
                self._items[key] = self._build(key)
            else:
                self._items[key] = self.lookup(canonical)
        return self._items[key]

    def named_in_methods(self, category: str, name: str) -> Item | None:
        """The item of a category by the name that methods have for it: `vector_1_` for `vector[1]`."""
        item = self.lookup(f"_{category}.{name}")
        if item is not None or not name.endswith("_"):
            return item
        wanted = name.lower()
        items = (item for item in self.items_of(category) if "[" in item.object)
        return next((item for item in items if _WORDLESS.sub("_", item.object.lower()) == wanted), None)

    def canonical(self, name: str) -> str | None:
        """The lower-case definition id of a name or alias."""
        key = name.lower()
        if key in self.facts["items"]:
            return key
        return self._aliases.get(key)

    def is_alias(self, name: str) -> bool:
        """True if the name is known only as an alias."""
        key = name.lower()
        return key not in self.facts["items"] and key in self._aliases

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Aliases by lower-case name; the first definition that claims one has it."""
        found: dict[str, str] = {}
        for key, facts in self.facts["items"].items():
            for alias in facts.get("aliases", ()):
                found.setdefault(alias.lower(), key)
        return found

    def _build(self, key: str) -> Item:
        facts = self.facts["items"][key]
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
        }
        if "ranges" in values:
            values["ranges"] = tuple((low, high) for low, high in values["ranges"])
        if "elements" in values:
            values["elements"] = Form.of(values["elements"])
        return Item(**values)

    def category(self, name: str) -> Category | None:
        """The category of that name in any case."""
        if name in self._categories:
            return self._categories[name]
        key = name.lower()
        if key not in self._categories:
            facts = self.facts["categories"].get(key)
            if facts is None:
                self._categories[key] = None
            else:
                values: dict[str, Any] = {
                    name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
                }
                self._categories[key] = Category(id=key, **values)
        return self._categories[key]

    def names(self) -> Iterator[str]:
        """The lower-case definition ids of all items."""
        return iter(self.facts["items"])

    def categories(self) -> Iterator[str]:
        """The lower-case names of all categories."""
        return iter(self.facts["categories"])

    def items_of(self, category: str) -> Sequence[Item]:
        """The items of one category."""
        name = category.lower()
        found = self._items_of.get(name)
        if found is None:
            keys = self._by_category.get(name, ())
            found = self._items_of[name] = tuple(item for key in keys if (item := self.lookup(key)))
        return found

    @cached_property
    def _by_category(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, facts in self.facts["items"].items():
            found.setdefault(facts["category"], []).append(key)
        return found

    def key_names(self, category: Category) -> tuple[str, ...]:
        """The object names of the keys of a category: a key may be known only as the alias of another item."""
        names = self._key_names.get(category.id)
        if names is None:
            found = [(key, self.lookup(key)) for key in (*category.keys, *category.extra_keys)]
            names = tuple([(item.object if item else key.partition(".")[2]).lower() for key, item in found])
            if category.id in self._categories:
                self._key_names[category.id] = names
        return names

    def key_items(self, category: str) -> Sequence[Item]:
        """The key items of a category that the dictionary defines, through aliases."""
        found = self._keys_of.get(category)
        if found is None:
            facts = self.category(category)
            keys = facts.keys if facts else ()
            found = self._keys_of[category] = tuple(item for key in keys if (item := self.lookup(key)))
        return found

    def family(self, category: str) -> frozenset[str]:
        """The categories whose items may stand in one loop: loops joined as parent and child."""
        key = category.lower()
        members = {key}
        facts = self.category(key)
        while facts and facts.parent and (parent := self.category(facts.parent)) and parent.cls == "Loop":
            members.add(parent.id)
            facts = parent
        return frozenset(members)

    def may_share_loop(self, one: str, other: str) -> bool:
        """True if the rows of two categories may stand in one loop: one above the other, or below one loop."""
        return not self.family(one).isdisjoint(self.family(other))

    def children_links(self, identifier: str) -> Sequence[Item]:
        """The items that link to an item."""
        key = self.canonical(identifier)
        return [item for name in self._links.get(key or "", ()) if (item := self.lookup(name))]

    @cached_property
    def _links(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, facts in self.facts["items"].items():
            target = facts.get("linked")
            if target and facts.get("purpose") != "SU":
                found.setdefault(self.canonical(target) or target.lower(), []).append(key)
        return found
