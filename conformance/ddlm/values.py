"""Cases about single values: type, container, dimension, states, range, uncertainty, nulls."""

from collections.abc import Iterator
from typing import Any

from .facts import OWNED, Builder, Facts, Text, finding, legal, nested, one_row, quoted, shape, slug

# For each type: values that are none, and values that look as if they were none but are.
TYPES: dict[str, tuple[list[str], list[str]]] = {
    "Real": (
        ["abc", "1,5", "nan", "inf", "1_000", "0x1F", "1.2.3", "1.0deg", "--1", "1.5e", "1d5", "1.5(2", "1e2.5"],
        ["+1.", "-.5", "1E3", "1e-05", "0", "-0.0", "00.5", "?", "."],
    ),
    "Integer": (["1.5", "two", "0x10", "1,000", "1_000", "+-1", "1-2", "1e"], ["+3", "007", "1", "?", "."]),
    "Date": (
        ["2026-13-01", "2026-02-30", "26-01-01", "2026/01/31", "2026-1-5", "today", "20260131"],
        ["2024-02-29", "1999-12-31", "?"],
    ),
    "DateTime": (
        ["2026-01-01T25:00:00Z", "2026-01-01T10:61:00Z", "2026-02-29", "01.02.2026", "2026-01-01T10:00:00+25:00"],
        ["2026-01-01", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00+01:00", "2026-01-01T10:00:00.123Z"],
    ),
    "Uri": (
        ["'https://example.org/a b'", "'https://example.org/<a>'", "https://example.org/\u00e4"],
        ["a/b.cbf", "urn:isbn:0", "https://example.org/%41?b=c#d"],
    ),
    "Iri": (["'https://example.org/a b'", "'https://example.org/<a>'"], ["https://example.org/\u00e4", "urn:isbn:0"]),
    "Symop": (["'x,y,z'", "0", "1_5", "-1_555", "1-555"], ["4", "1_555", "12_655", "'2 555'"]),
    "Tag": (["name", "'_two names'"], ["'_axis.id'"]),
}
BLANKS = {"Word": "'two words'", "Code": "'two words'"}
WORDS = ["'w[1]'", "w/1:2", '"w\'1"', "\u03c6"]


def builders(facts: Facts) -> Iterator[Builder]:
    """The folders about values."""
    yield types(facts)
    yield words(facts)
    yield containers(facts)
    yield states(facts)
    yield ranges(facts)
    yield uncertainties(facts)
    yield quoted_nulls(facts)


def simple(facts: Facts, contents: str, count: int) -> list[dict[str, Any]]:
    """Items of a type that carry no other constraint."""
    found = []
    for layer in ("CIF_IMG", "CIF_CORE"):
        for item in facts.where(layer, contents=contents, container="Single", ranges=(None,), states=(None,)):
            free = item.get("purpose") not in ("SU", "Link", "Measurand") and not item.get("linked")
            if free and not item.get("is_key") and not item.get("tolerated"):
                found.append(item)
    step = max(1, len(found) // count)
    return found[::step][:count]


def types(facts: Facts) -> Builder:
    """Values that are not of the type of their item, and values that only look so."""
    made = Builder(facts, "type", "required", "_type.contents")
    for contents, (wrong, right) in TYPES.items():
        items = simple(facts, contents, 4) or facts.where(None, contents=contents)
        for index, value in enumerate(wrong):
            item = items[index % len(items)]
            text = one_row(facts, item, value)
            found = finding("DIC008", "error", item["id"], text.line(item["id"]))
            made.failing(f"{contents.lower()}-{index + 1}", f"{value} is no {contents} ({item['id']})", text, found)
        for index, value in enumerate(right):
            item = items[index % len(items)]
            title = f"{value} is a legal {contents} ({item['id']})"
            made.passing(f"{contents.lower()}-{index + 1}", title, one_row(facts, item, value))
    return made


def words(facts: Facts) -> Builder:
    """Blanks in words and codes."""
    made = Builder(facts, "word", "recommended", "_type.contents Word and Code: no white space")
    for contents, value in BLANKS.items():
        for item in simple(facts, contents, 4):
            text = one_row(facts, item, value)
            found = finding("DIC010", "warning", item["id"], text.line(item["id"]))
            made.failing(slug(item["id"]), f"a blank in the {contents} {item['id']}", text, found)
            for index, word in enumerate(WORDS[:2] if contents == "Code" else WORDS):
                title = f"{word} has no blank and is a {contents} ({item['id']})"
                made.passing(f"{slug(item['id'])}-{index + 1}", title, one_row(facts, item, word))
            break
    for item in simple(facts, "Text", 2):
        made.passing(slug(item["id"]), f"blanks in the Text {item['id']}", one_row(facts, item, "'two  words'"))
    return made


def containers(facts: Facts) -> Builder:
    """Lists, matrices and tables: their kind, their shape, what is in them."""
    made = Builder(facts, "container", "required", "_type.container and _type.dimension")
    for container, count in (("Matrix", 4), ("List", 3)):
        found = [
            item for item in facts.where(None, container=container, contents="Real") if item.get("purpose") != "SU"
        ]
        bound = [item for item in found if all(number.isdigit() for number in _numbers(item))]
        for item in bound[:: max(1, len(bound) // count)][:count]:
            _container_cases(made, facts, item, container)
    for item in simple(facts, "Real", 2):
        for value, what in (("[1.5 2.5]", "a list"), ("{'a':1.5}", "a table")):
            text = one_row(facts, item, value)
            found_one = finding("DIC008", "error", item["id"], text.line(item["id"]))
            name = f"{slug(item['id'])}-{what.removeprefix('a ')}"
            made.failing(name, f"{what} for the single value {item['id']}", text, found_one)
    for item in facts.where(None, container="Table"):
        for value, what in (("1.5", "a single value"), ("[1.5 2.5]", "a list")):
            text = one_row(facts, item, value)
            found_one = finding("DIC008", "error", item["id"], text.line(item["id"]))
            made.failing(f"{slug(item['id'])}-{slug(what)}", f"{what} for the table {item['id']}", text, found_one)
        made.passing(slug(item["id"]), f"a table for {item['id']}", one_row(facts, item, "{'a':1.5 \"b\":2.5}"))
    return made


def _numbers(item: dict[str, Any]) -> list[str]:
    return item.get("dimension", "").strip("[]").split(",")


def _container_cases(made: Builder, facts: Facts, item: dict[str, Any], container: str) -> None:
    """Right and wrong shapes of one list or matrix."""
    lengths, name = shape(item), slug(item["id"])
    longer = [lengths[0] + 1, *lengths[1:]]
    wrong = {
        "single": ("1.5", "a single value"),
        "longer": (nested(longer, "1.5"), f"the shape {longer}"),
        "word": (nested(lengths, "1.5").replace("1.5", "abc", 1), "a word in one place"),
        "deeper": (nested([*lengths, 1], "1.5"), "one level of brackets too many"),
    }
    if len(lengths) == 2:
        wrong["ragged"] = ("[[1.5 1.5 1.5] [1.5 1.5] [1.5 1.5 1.5]]", "rows of different lengths")
        wrong["flat"] = (nested([lengths[0] * lengths[1]], "1.5"), "one flat list")
    for kind, (value, what) in wrong.items():
        text = one_row(facts, item, value)
        found = finding("DIC008", "error", None if kind == "word" else item["id"], text.line(item["id"]))
        made.failing(f"{name}-{kind}", f"{what} for the {container} {item['id']}", text, found)
    right = {
        "whole": (nested(lengths, "1.5"), "the right shape"),
        "integers": (nested(lengths, "-1"), "whole numbers in the right shape"),
        "null-inside": (nested(lengths, "1.5").replace("1.5", "?", 1), "an unknown value in one place"),
        "null": ("?", "an unknown value"),
    }
    for kind, (value, what) in right.items():
        made.passing(f"{name}-{kind}", f"{what} for the {container} {item['id']}", one_row(facts, item, value))


def states(facts: Facts) -> Builder:
    """Words that the dictionary does not enumerate, and the case rules of the types."""
    made = Builder(facts, "state", "required", "_enumeration_set.state; case rules of _type.contents")
    core = [item for item in facts.where("CIF_CORE", states=_Any()) if item.get("states_mandatory", True)]
    chosen = facts.where("CIF_IMG", states=_Any()) + core[:: max(1, len(core) // 8)][:8]
    for item in chosen:
        _state_cases(made, facts, item)
    return made


class _Any(tuple):
    """Contains everything but nothing."""

    def __contains__(self, value: object) -> bool:
        return bool(value)


def _state_cases(made: Builder, facts: Facts, item: dict[str, Any]) -> None:
    name, identifier = slug(item["id"]), item["id"]
    usable = [state for state in item["states"] if state not in (".", "?")]
    text = one_row(facts, item, "no_such_state")
    line = text.line(identifier)
    wrong = f"a word that is not enumerated for {identifier}"
    made.failing(f"{name}-unknown", wrong, text, finding("DIC006", "error", identifier, line))
    made.passing(f"{name}-last", f"the last state of {identifier}", one_row(facts, item, quoted(usable[-1])))
    swapped = next((state.swapcase() for state in usable if state.swapcase() not in usable), None)
    if swapped is None or swapped.casefold() != swapped.swapcase().casefold() or swapped.swapcase() == swapped:
        return
    contents = item.get("contents", "Text")
    other = one_row(facts, item, quoted(swapped))
    if contents == "Code":
        made.passing(f"{name}-case", f"a state of the Code {identifier} in other case", other)
    else:
        found = finding("DIC006", "warning", identifier, line)
        made.failing(f"{name}-case", f"a state of the {contents} {identifier} in other case", other, found)


def ranges(facts: Facts) -> Builder:
    """Values at and beyond the ends of ranges, which are inclusive and widened by the uncertainty."""
    made = Builder(facts, "range", "required", "_enumeration.range: inclusive, and widened by the uncertainty")
    items = [
        item
        for item in facts.where("CIF_IMG", ranges=_Any(), container="Single")
        if len(item["ranges"]) == 1 and not item.get("tolerated") and not item.get("linked") and not item.get("is_key")
    ]
    for item in items:
        _range_cases(made, facts, item)
    measured = [
        item
        for item in facts.where("CIF_CORE", purpose="Measurand", container="Single", contents="Real", ranges=_Any())
        if item["ranges"] == [[0.0, None]] and not item.get("linked")
    ]
    for item in measured[:: max(1, len(measured) // 6)][:6]:
        name, identifier = slug(item["id"]), item["id"]
        text = one_row(facts, item, "-0.5(1)")
        found = finding("DIC011", "error", identifier, text.line(identifier))
        made.failing(f"{name}-beyond-su", f"{identifier} five times its uncertainty below 0", text, found)
        near = one_row(facts, item, "-0.1(2)")
        made.passing(f"{name}-within-su", f"{identifier} below 0, but by half its uncertainty", near)
    return made


def _range_cases(made: Builder, facts: Facts, item: dict[str, Any]) -> None:
    name, identifier = slug(item["id"]), item["id"]
    is_integer = item.get("contents") == "Integer"
    ends = item["ranges"][0]
    for end, way, what in ((ends[0], -1, "low"), (ends[1], 1, "high")):
        if end is None:
            continue
        at = f"{end:.0f}" if is_integer else f"{end:.1f}"
        beyond = f"{end + way:.0f}" if is_integer else f"{end + way * 0.01:.2f}"
        text = one_row(facts, item, beyond)
        found = finding("DIC011", "error", identifier, text.line(identifier))
        made.failing(f"{name}-{what}", f"{identifier} is {beyond}, beyond its {what} end", text, found)
        made.passing(f"{name}-{what}", f"{identifier} is {at}, its {what} end", one_row(facts, item, at))


def uncertainties(facts: Facts) -> Builder:
    """Standard uncertainties: where they belong, and what they may be."""
    made = Builder(facts, "uncertainty", "recommended", "_type.purpose Number, Measurand and SU")
    for item in simple(facts, "Real", 8):
        if item.get("purpose") != "Number":
            continue
        text = one_row(facts, item, "1.5(2)")
        found = finding("DIC009", "warning", item["id"], text.line(item["id"]))
        made.failing(f"{slug(item['id'])}-number", f"an uncertainty on the Number {item['id']}", text, found)
    pairs = [
        (facts.items[su["linked"].lower()], su)
        for su in facts.where("CIF_CORE", purpose="SU", container="Single", contents="Real")
        if su.get("linked") and facts.items.get(su["linked"].lower(), {}).get("purpose") == "Measurand"
    ]
    pairs = [(item, su) for item, su in pairs if not item.get("deprecated")]
    for item, su in pairs[:: max(1, len(pairs) // 6)][:6]:
        _uncertainty_cases(made, facts, item, su)
    return made


def _uncertainty_cases(made: Builder, facts: Facts, item: dict[str, Any], su: dict[str, Any]) -> None:
    """Measured values with their uncertainty in brackets, in an item of its own, or in both."""
    name = slug(item["id"])

    def both(value: str, other: str) -> Text:
        text = one_row(facts, item, value)
        text.tables[0].names.append(su["id"])
        text.tables[0].rows[0].append(other)
        return text

    bracket = one_row(facts, item, "1.5(2)")
    made.passing(f"{name}-bracket", f"{item['id']} with its uncertainty in brackets", bracket)
    made.passing(f"{name}-item", f"{item['id']} with its uncertainty in {su['id']}", both("1.5", "0.2"))
    made.passing(f"{name}-both", f"{item['id']} with its uncertainty twice and equal", both("1.5(2)", "0.2"))
    zero = one_row(facts, item, "1.5(0)")
    found = finding("DIC009", "warning", item["id"], zero.line(item["id"]))
    made.failing(f"{name}-zero", f"{item['id']} with an uncertainty of nothing", zero, found)
    below = both("1.5", "-0.2")
    found = finding("DIC009", "warning", su["id"], below.line(su["id"]))
    made.failing(f"{name}-negative", f"{su['id']} is negative", below, found)


def quoted_nulls(facts: Facts) -> Builder:
    """The signs of the nulls in quotes, where that cannot have been meant, and where it can."""
    made = Builder(facts, "quoted-null", "recommended", "CIF special values; null values of DDLm")
    links = facts.where("CIF_IMG", purpose="Link", contents="Word")
    for item in [link for link in links if not link.get("is_key") and link["id"].lower() not in OWNED][::3][:5]:
        parent = facts.parent_of(item["id"])
        if parent is None or parent["category"] in (item["category"], "axis"):
            continue
        for sign, what in ((".", "dot"), ("?", "question")):
            text = one_row(facts, item, f"'{sign}'")
            keys = [key for key in facts.keys(parent["category"]) if key is not parent and key.get("default") is None]
            text.add([parent["id"], *(key["id"] for key in keys)], [legal(parent), *map(legal, keys)])
            line = text.line(item["id"])
            found = finding("SYN014", "warning", item["id"], line), finding("REL001", "error", item["id"], line)
            made.failing(f"{slug(item['id'])}-{what}", f"{item['id']} is a quoted {sign}", text, *found)
            # An unknown value is no fault by DDLm, but a mandatory item of the DDL2 edition should say more.
            if sign == "." or item.get("mandatory") != "yes":
                title = f"{item['id']} is an unquoted {sign}"
                made.passing(f"{slug(item['id'])}-{what}", title, one_row(facts, item, sign))
    for item in simple(facts, "Text", 3):
        made.passing(slug(item["id"]), f"{item['id']} is the text ?", one_row(facts, item, "'?'"))
    return made
