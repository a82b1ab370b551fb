"""Cases about tables: keys, links, sets and loops."""

from collections.abc import Iterator
from typing import Any

from .facts import OWNED, Builder, Facts, Text, finding, legal, slug

AXIS = "_axis.id"
# What imgCIF says of a file beyond the constraint of DDLm that the file is about: rule, severity, item.
BEYOND = {
    "key/diffrn_scan_frame-1": ("REL012", "warning", "_diffrn_scan_frame.frame_id"),
    "link/_diffrn_scan_frame.frame_id": ("REL013", "warning", None),
}


def builders(facts: Facts) -> Iterator[Builder]:
    """The folders about tables."""
    yield keys(facts)
    yield missing_keys(facts)
    yield null_keys(facts)
    yield links(facts)
    yield sets(facts)
    yield loops(facts)
    yield parts(facts)


def loop_categories(facts: Facts) -> list[str]:
    """Loop categories of imgCIF whose keys are all defined under their own names."""
    return [
        name
        for name, category in sorted(facts.categories.items())
        if category.get("layer") == "CIF_IMG"
        and category.get("cls") == "Loop"
        and len(facts.keys(name)) == len(category.get("keys", [])) > 0
        and name not in ("array_data", "diffrn_refln", "map", "map_segment")
    ]


def table_of(items: list[dict[str, Any]], rows: list[list[str]]) -> Text:
    """Rows of one category."""
    return Text().add([item["id"] for item in items], *rows)


def beyond(name: str) -> list[dict[str, Any]]:
    """The finding of a rule of imgCIF that goes beyond DDLm."""
    return [finding(*BEYOND[name])] if name in BEYOND else []


def keys(facts: Facts) -> Builder:
    """Rows with the same key, and rows that differ in one part of it."""
    made = Builder(facts, "key", "required", "_category_key.name: the key of each row is unique")
    for category in loop_categories(facts):
        items = facts.keys(category)
        first = [legal(item) for item in items]
        same = table_of(items, [first, first])
        line = same.line(items[0]["id"], 1)
        title = f"two rows of {category.upper()} with the same key"
        made.failing(slug(category), title, same, finding("REL004", "error", items[0]["id"], line))
        for column, item in enumerate(items):
            second = [legal(entry, int(column == index)) for index, entry in enumerate(items)]
            if second == first:
                continue
            text = table_of(items, [first, second])
            title = f"rows of {category.upper()} that differ in {item['id']}"
            made.passing(f"{slug(category)}-{column + 1}", title, text, *beyond(f"key/{category}-{column + 1}"))
    return made


def missing_keys(facts: Facts) -> Builder:
    """Key columns that are left out: with and without a default, with one row and with two."""
    made = Builder(facts, "missing-key", "required", "_category_key.name and _enumeration.default")
    for category in loop_categories(facts):
        items = facts.keys(category)
        for item in items:
            others = [entry for entry in items if entry is not item]
            plain = [
                entry
                for name, entry in sorted(facts.items.items())
                if entry["category"] == category
                and not entry.get("is_key")
                and not entry.get("linked")
                and not entry.get("deprecated")
                and name.startswith(f"_{category}.")
                and entry.get("contents", "Text") == "Text"
                and not entry.get("states")
            ]
            filler = others or plain[:1]
            if not filler:
                continue
            if item.get("default") is not None and others:
                rows = [[legal(entry, index) for entry in others] for index in (0, 1)]
                text = table_of(others, rows)
                made.passing(f"{slug(item['id'])}-default", f"{item['id']} is left out and has a default", text)
            elif not item.get("implied") and not item.get("linked"):
                # Without any key column a default makes all rows the same row.
                rows = [[legal(entry, index) for entry in filler] for index in (0, 1)]
                text = table_of(filler, rows)
                title = f"{item['id']} is left out of two rows"
                made.failing(slug(item["id"]), title, text, finding("REL005", "error"))
                one = Text().add([entry["id"] for entry in filler], rows[0])
                made.passing(slug(item["id"]), f"{item['id']} is left out of a single row", one)
    return made


def null_keys(facts: Facts) -> Builder:
    """Nulls in key columns."""
    made = Builder(facts, "null-key", "required", "_category_key.name: a key is known")
    for category in loop_categories(facts):
        items = facts.keys(category)
        column = next(
            (
                index
                for index, item in enumerate(items)
                if item.get("default") is None and not item.get("implied") and not item.get("linked")
            ),
            None,
        )
        if column is None:
            continue
        rows = [[legal(item, index) for item in items] for index in (0, 1)]
        for sign, what in ((".", "dot"), ("?", "question")):
            changed = [rows[0], [sign if index == column else value for index, value in enumerate(rows[1])]]
            text = table_of(items, changed)
            identifier = items[column]["id"]
            found = finding("DIC013", "error", identifier, text.line(identifier, 1))
            made.failing(
                f"{slug(identifier)}-{what}", f"the key {identifier} is {sign} in one of two rows", text, found
            )
        break_after = len(made.document["cases"]) >= 12
        if break_after:
            break
    for item in facts.where("CIF_IMG", is_key=True):
        others = [key for key in facts.keys(item["category"]) if key["id"] != item["id"]]
        if item.get("default") is None or not others or item["category"] not in loop_categories(facts):
            continue
        rows = [[".", *(legal(entry, index) for entry in others)] for index in (0, 1)]
        text = table_of([item, *others], rows)
        made.passing(f"{slug(item['id'])}-default", f"the key {item['id']} is null and has a default", text)
    return made


def links(facts: Facts) -> Builder:
    """Values that point to no row, to a row, and to nothing."""
    made = Builder(facts, "link", "required", "_name.linked_item_id: the row pointed to exists")
    for item in facts.where("CIF_IMG", purpose="Link", container="Single"):
        parent = facts.items.get(str(item.get("linked")).lower())
        if parent is None or item["id"].lower() in OWNED or parent["id"].lower() == AXIS:
            continue
        if parent["category"] == item["category"] or item.get("deprecated"):
            continue
        _link_cases(made, facts, item, parent)
    return made


def _link_cases(made: Builder, facts: Facts, item: dict[str, Any], parent: dict[str, Any]) -> None:
    name, identifier = slug(item["id"]), item["id"]
    others = [key for key in facts.keys(parent["category"]) if key["id"] != parent["id"] and key.get("default") is None]
    own = [key for key in facts.keys(item["category"]) if key["id"] != identifier and key.get("default") is None]

    def text(value: str) -> Text:
        first = Text().add([parent["id"], *(key["id"] for key in others)], [legal(parent), *map(legal, others)])
        # A key of the child that points to the same table as its neighbour has to meet it.
        return first.add([*(key["id"] for key in own), identifier], [*map(legal, own), value])

    other = legal(parent, 7)
    wrong = text(other)
    found = finding("REL001", "error", identifier, wrong.line(identifier))
    title = f"{identifier} points to a row that {parent['category'].upper()} does not have"
    made.failing(name, title, wrong, found, *beyond(f"link/{identifier}"))
    made.passing(name, f"{identifier} points to a row of {parent['category'].upper()}", text(legal(parent)))
    if not item.get("is_key"):
        made.passing(f"{name}-null", f"{identifier} points to nothing", text("."))


def sets(facts: Facts) -> Builder:
    """Categories of class Set: one row, looped or not; several rows only with a key."""
    made = Builder(facts, "set", "required", "_definition.class Set")
    keyless = [
        name
        for name, category in sorted(facts.categories.items())
        if category.get("cls") == "Set" and not category.get("keys") and not category.get("alternative_keys")
    ]
    count = 0
    for category in keyless:
        items = [
            item
            for item in facts.where("CIF_CORE", category=category, contents=("Text", "Real"), container="Single")
            if not item.get("states") and not item.get("linked") and item.get("purpose") not in ("SU", "Measurand")
        ]
        if not items or count >= 10:
            continue
        count += 1
        item = items[0]
        two = Text().add([item["id"]], [legal(item)], [legal(item, 1)])
        made.failing(slug(category), f"the Set {category.upper()} has two rows", two, finding("DIC012", "error"))
        looped = Text().add([item["id"]], [legal(item)], loop=True)
        made.passing(slug(category), f"the Set {category.upper()} has one row, in a loop", looped)
    for category, items in (
        ("diffrn_detector", ["_diffrn_detector.id", "_diffrn_detector.make"]),
        ("diffrn_measurement", ["_diffrn_measurement.id", "_diffrn_measurement.method"]),
    ):
        names = [f"_{category}.diffrn_id", *items]
        text = Text().add(names, ["w1", "d1", "'first'"], ["w1", "d2", "'second'"])
        made.passing(slug(category), f"the Set {category.upper()} has two rows told apart by its key", text)
    return made


def loops(facts: Facts) -> Builder:
    """Loops that hold items of one category, of a parent and its child, of strangers."""
    made = Builder(facts, "mixed-loop", "required", "_name.category_id: a row of a loop is a row of one category")
    names = loop_categories(facts)
    for first, second in zip(names, names[3:] + names[:3], strict=True):
        one, two = facts.keys(first)[0], facts.keys(second)[0]
        text = Text().add([one["id"], two["id"]], [legal(one), legal(two)], loop=True)
        found = finding("DIC021", "error", two["id"], text.name_line(two["id"]))
        made.failing(f"{slug(first)}", f"{first.upper()} and {second.upper()} in one loop", text, found)
        if len(made.document["cases"]) >= 8:
            break
    child = Text().add(
        ["_atom_site.label", "_atom_site.fract_x", "_atom_site_aniso.U_11"],
        ["C1", "0.5", "0.02"],
        ["C2", "0.25", "0.03"],
    )
    made.passing("parent-and-child", "a child category shares the loop of its parent", child)
    local = Text().add(["_axis.id", "_axis.[local]_colour"], ["w1", "red"], ["w2", "blue"])
    made.passing("local-name", "a local name shares the loop of a category", local)
    return made


def parts(facts: Facts) -> Builder:
    """One category in several places."""
    made = Builder(facts, "several-parts", "required", "DDLm: a category is one table")
    for category in loop_categories(facts):
        items = [
            item
            for item in facts.where("CIF_IMG", category=category, container="Single")
            if not item.get("linked") and not item.get("is_key") and item.get("default") is None
        ]
        key = facts.keys(category)[0]
        if not items or key.get("linked"):
            continue
        item = items[0]
        text = Text().add([key["id"]], [legal(key)], [legal(key, 1)]).add([item["id"]], [legal(item)], [legal(item, 1)])
        found = finding("SYN015", "error", item["id"], text.name_line(item["id"]))
        made.failing(slug(category), f"two loops of {category.upper()} without a common key", text, found)
        joined = Text().add([key["id"], item["id"]], [legal(key), legal(item)], [legal(key, 1), legal(item, 1)])
        made.passing(slug(category), f"one loop of {category.upper()}", joined)
    return made
