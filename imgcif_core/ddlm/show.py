"""What a dictionary says of an item or a category, as text for a person."""

from collections.abc import Iterator

from imgcif_core.ddlm.model import Category, Dictionary, Item
from imgcif_core.errors import UsageError

WIDTH = 12
_MANY = 12


def show(dictionary: Dictionary, name: str) -> str:
    """The facts of an item under any of its names, or of a category.

    Raises
    ------
    UsageError
        If the dictionary has no such item or category.
    """
    item = dictionary.lookup(name)
    if item is None and not name.startswith("_") and "." in name:
        item = dictionary.lookup(f"_{name}")
    if item is not None:
        return "\n".join(_item_lines(dictionary, item, name))
    category = dictionary.category(name.lstrip("_"))
    if category is not None:
        return "\n".join(_category_lines(dictionary, category))
    reason = dictionary.undefined.get(name.lower())
    raise UsageError(f"{name} is not defined: {reason}" if reason else _not_there(dictionary, name))


def _not_there(dictionary: Dictionary, name: str) -> str:
    """The refusal, with the nearest name if one is near."""
    from difflib import get_close_matches

    pool = [*dictionary.names(), *dictionary.categories()]
    close = get_close_matches(name.lower(), pool, 1, 0.7)
    hint = f"; did you mean {close[0]}" if close else ""
    return f"{name} is neither an item nor a category of {dictionary.title} {dictionary.version}{hint}"


def _item_lines(dictionary: Dictionary, item: Item, asked: str) -> Iterator[str]:
    """One line for each fact of an item."""
    yield f"{item.id}  (item of {item.category.upper()}, from {item.layer})"
    if dictionary.is_alias(asked):
        yield _line("asked as", f"{asked}, an alias")
    dimension = f" {item.dimension}" if item.dimension else ""
    yield _line("type", f"{item.contents}, {item.container}{dimension}, purpose {item.purpose}, source {item.source}")
    links = [other.id for other in dictionary.children_links(item.id)]
    facts = {
        "unit": item.units,
        "range": ", ".join(_range(*limits) for limits in item.ranges),
        "states": _listed(item.states or ()) + ("" if item.states_mandatory else " (others are allowed)"),
        "in use": _listed(item.tolerated),
        "default": item.default or "",
        "implied": f"the value of {item.implied}" if item.implied else "",
        "key": f"of {item.category.upper()}" if item.is_key else "",
        "links to": item.linked or "",
        "linked from": _listed(links),
        "aliases": _listed(item.aliases),
        "deprecated": ", ".join(item.deprecated),
        "replaced by": _listed([name for name in item.replaced_by if name not in (".", "?")]),
        "DDL2": f"mandatory code {item.mandatory}" if item.mandatory else "",
        "note": item.note,
    }
    for label, text in facts.items():
        if text.strip() and (label != "states" or item.states):
            yield _line(label, text)


def _category_lines(dictionary: Dictionary, category: Category) -> Iterator[str]:
    """Facts of a category, and its items."""
    yield f"{category.name.upper()}  ({category.cls} category, from {category.layer})"
    if category.parent:
        yield _line("below", category.parent.upper())
    for label, names in (
        ("keys", category.keys),
        ("more keys", category.extra_keys),
        ("other keys", category.alternative_keys),
        ("replaced by", category.replaced_by),
    ):
        if names:
            yield _line(label, ", ".join(names))
    for item in dictionary.items_of(category.id):
        unit = f" {item.units}" if item.units and item.units != "none" else ""
        yield f"  {item.id}  {item.contents}{unit}"


def _line(label: str, text: str) -> str:
    return f"  {label:<{WIDTH}}{text}"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    """Names, cut where they are many."""
    rest = f", and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + rest


def _range(low: float | None, high: float | None) -> str:
    """A range in words."""
    if low is None:
        return f"{high:g} or less"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"
