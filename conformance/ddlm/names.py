"""Cases about data names: aliases, replaced and unknown ones."""

from collections.abc import Iterator

from .facts import Builder, Facts, Text, finding, legal, slug
from .relations import loop_categories


def builders(facts: Facts) -> Iterator[Builder]:
    """The folders about names."""
    yield aliases(facts)
    yield deprecated(facts)
    yield unknown(facts)


def aliases(facts: Facts) -> Builder:
    """Items under another name, and under two names at once."""
    made = Builder(facts, "alias", "recommended", "_alias.definition_id")
    for item in facts.where("CIF_IMG"):
        gone = {alias.lower() for alias in item.get("deprecated_aliases", ())}
        alias = next((name for name in item.get("aliases", ()) if name.lower() not in gone and "." not in name), None)
        if alias is None or item.get("is_key") or item.get("linked"):
            continue
        name = slug(item["id"])
        made.passing(name, f"{alias} is an alias of {item['id']}", Text().add([alias], [legal(item)]))
        equal = Text().add([item["id"], alias], [legal(item), legal(item)])
        found = finding("DIC005", "warning", alias, equal.name_line(alias))
        made.failing(f"{name}-equal", f"{alias} and {item['id']} with one value", equal, found)
        differ = Text().add([item["id"], alias], [legal(item), legal(item, 1)])
        found = finding("DIC005", "error", alias, differ.name_line(alias))
        made.failing(f"{name}-differ", f"{alias} and {item['id']} with two values", differ, found)
    return made


def deprecated(facts: Facts) -> Builder:
    """Items that the dictionary has replaced, and what took their place."""
    made = Builder(facts, "deprecated", "recommended", "_definition_replaced.by")
    for item in facts.where("CIF_CORE", deprecated=(["CIF_CORE"],)):
        if item.get("linked"):
            continue
        text = Text().add([item["id"]], [legal(item)])
        found = finding("DIC004", "warning", item["id"], text.name_line(item["id"]))
        made.failing(slug(item["id"]), f"{item['id']} has been replaced", text, found)
        other = facts.items.get(item["replaced_by"][0].lower())
        if other and not other.get("linked") and not other.get("is_key"):
            title = f"{other['id']} took the place of {item['id']}"
            made.passing(slug(item["id"]), title, Text().add([other["id"]], [legal(other)]))
    return made


def unknown(facts: Facts) -> Builder:
    """Names that are not in the dictionary, and names that need not be."""
    made = Builder(facts, "unknown-name", "recommended", "_definition.id")
    for category in loop_categories(facts)[:8]:
        key = facts.keys(category)[0]
        wrong = f"_{category}.{key['object']}{key['object'][-1]}s"
        text = Text().add([key["id"], wrong], [legal(key), "1"])
        found = finding("DIC001", "warning", wrong, text.name_line(wrong))
        made.failing(slug(category), f"{wrong} is not in the dictionary", text, found)
    for name, title in (
        ("_axis.[local]_colour", "a local name with its mark"),
        ("_pdbx_local.value", "a name with a registered prefix"),
        ("_AXIS.TYPE", "a name in capitals"),
    ):
        value = "rotation" if name == "_AXIS.TYPE" else "1"
        made.passing(slug(name), title, Text().add(["_axis.id", name], ["w1", value]))
    return made
