"""The facts of a dictionary, legal values for its items, and small files made of tables."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEAD = "#\\#CIF_2.0\ndata_x\n"
FACTS = Path(__file__).resolve().parent.parent.parent / "imgcif_core" / "ddlm" / "data" / "facts.json"
# Links that imgCIF rules of their own judge with more knowledge than the dictionary has.
OWNED = {
    "_array_data.external_data_id",
    "_diffrn_scan.frame_id_start",
    "_diffrn_scan.frame_id_end",
    "_diffrn_radiation.wavelength_id",
    "_diffrn.crystal_id",
    "_array_structure_list.axis_set_id",
    "_array_structure_list_axis.axis_set_id",
    "_diffrn_measurement_axis.measurement_device",
}
NUMBERS = {"Real", "Integer"}


class Facts:
    """Items and categories of the dictionary, by lower-case name."""

    def __init__(self, path: Path = FACTS) -> None:
        data = json.loads(path.read_text(encoding="utf-8"))
        self.items: dict[str, dict[str, Any]] = data["items"]
        self.categories: dict[str, dict[str, Any]] = data["categories"]
        self.title: str = data["sources"][0]["title"]
        self.version: str = data["sources"][0]["version"]

    def where(self, layer: str | None = "CIF_IMG", **wanted: Any) -> list[dict[str, Any]]:
        """Items of a layer, sorted by name, whose facts are as wanted; a set means one of its members."""
        defaults = {"contents": "Text", "container": "Single", "purpose": "Describe"}
        found = []
        for name in sorted(self.items):
            facts = self.items[name]
            if layer is not None and facts.get("layer") != layer:
                continue
            is_function = self.categories.get(facts["category"], {}).get("cls") == "Functions"
            if is_function or (facts.get("deprecated") and "deprecated" not in wanted):
                continue
            values = {key: facts.get(key, defaults.get(key)) for key in wanted}
            if all(
                value in wanted[key] if isinstance(wanted[key], (set, tuple)) else value == wanted[key]
                for key, value in values.items()
            ):
                found.append(facts)
        return found

    def item(self, name: str) -> dict[str, Any]:
        """The facts of a data name; none for a name that is not defined under it."""
        return self.items.get(name.lower(), {})

    def parent_of(self, name: str) -> dict[str, Any] | None:
        """The item to which values of a data name point."""
        facts = self.item(name)
        parent = self.item(str(facts.get("linked"))) if facts.get("purpose") != "SU" else {}
        return parent or None

    def keys(self, category: str) -> list[dict[str, Any]]:
        """The key items of a category that are defined under their own name, extra ones left out."""
        names = self.categories.get(category, {}).get("keys", [])
        return [self.items[name.lower()] for name in names if name.lower() in self.items]


def legal(item: dict[str, Any], index: int = 0) -> str:
    """A legal value of an item; a different one for each index where the type allows it."""
    container = item.get("container", "Single")
    if container in ("List", "Matrix", "Array"):
        return nested(shape(item), _single(item, index))
    if container == "Table":
        return "{'a':" + _single(item, index) + "}"
    return _single(item, index)


def shape(item: dict[str, Any]) -> list[int]:
    """The lengths that a dimension demands, 2 where it leaves them open."""
    numbers = item.get("dimension", "").strip("[]").split(",")
    return [int(number) if number.strip() else 2 for number in numbers]


def nested(lengths: Sequence[int], leaf: str) -> str:
    """A list of the given shape with the same leaf everywhere."""
    if not lengths:
        return leaf
    return "[" + " ".join([nested(lengths[1:], leaf)] * lengths[0]) + "]"


def _single(item: dict[str, Any], index: int) -> str:
    states = [state for state in item.get("states") or () if state != "."]
    if states:
        return quoted(states[index % len(states)])
    low = next((low for low, _ in item.get("ranges", ()) if low is not None), None)
    contents = item.get("contents", "Text")
    samples = {
        "Integer": str(int(low or 0) + 1 + index),
        "Real": f"{(low or 0) + 0.5 + index * 0.25:g}",
        "Word": f"w{index + 1}",
        "Code": f"c{index + 1}",
        "Date": f"2026-01-{index + 11}",
        "DateTime": f"2026-01-{index + 11}T10:00:00Z",
        "Uri": f"https://example.org/{index + 1}",
        "Iri": f"https://example.org/{index + 1}",
        "Symop": f"{index + 1}_555",
        "Tag": f"'_local.name_{index + 1}'",
        "Complex": "1.5",
    }
    return samples.get(contents, f"'some text {index + 1}'")


def quoted(text: str) -> str:
    """A value in quotes where it needs them."""
    plain = text and text not in (".", "?") and not set(text) & set(" []{}'\"#") and text[0] not in "_$;"
    return text if plain else f"'{text}'"


@dataclass
class Table:
    """The rows of one category in a small file."""

    names: list[str]
    rows: list[list[str]]
    is_looped: bool = False


@dataclass
class Text:
    """A small file that knows the line of each of its values."""

    tables: list[Table] = field(default_factory=list)

    def add(self, names: Iterable[str], *rows: Sequence[str], loop: bool = False) -> "Text":
        """Add a category; several rows, or `loop`, make it a loop."""
        table = Table(list(names), [list(row) for row in rows])
        table.is_looped = loop or len(table.rows) > 1
        self.tables.append(table)
        return self

    def lines(self) -> list[tuple[str, str, int]]:
        """Lines of text, each with the data name and row of which it holds the value."""
        found: list[tuple[str, str, int]] = []
        for table in self.tables:
            if not table.is_looped:
                found += [(f"{name} {value}", name, 0) for name, value in zip(table.names, table.rows[0], strict=True)]
                continue
            found += [("loop_", "", -1), *((name, name, -1) for name in table.names)]
            found += [(" ".join(row), "", index) for index, row in enumerate(table.rows)]
        return found

    def text(self) -> str:
        """The whole file."""
        return HEAD + "".join(f"{line}\n" for line, _, _ in self.lines())

    def line(self, name: str, row: int = 0) -> int:
        """The line on which the value of a data name in a row stands."""
        before = HEAD.count("\n")
        table = next(table for table in self.tables if name in table.names)
        names = set(table.names)
        for number, (_, held, index) in enumerate(self.lines(), before + 1):
            if table.is_looped:
                if held == table.names[-1] and index == -1:
                    return number + 1 + row
            elif held == name and held in names:
                return number
        raise KeyError(name)

    def name_line(self, name: str) -> int:
        """The line on which a data name stands."""
        return next(
            number
            for number, (text, held, _) in enumerate(self.lines(), HEAD.count("\n") + 1)
            if held == name and text.startswith(name)
        )


class Builder:
    """Collects the cases of one folder."""

    def __init__(self, facts: Facts, folder: str, level: str, source: str) -> None:
        self.facts = facts
        self.folder = folder
        self.document: dict[str, Any] = {
            "schema": 1,
            "kind": "check",
            "level": level,
            "source": source,
            "dictionary": {"title": facts.title, "version": facts.version},
            "scope": "dictionary",
            "cases": [],
        }

    def passing(self, name: str, title: str, text: Text, *findings: dict[str, Any]) -> None:
        """A file without errors; warnings may be expected."""
        self._add(f"pass-{name}", title, text, list(findings), None)

    def failing(self, name: str, title: str, text: Text, *findings: dict[str, Any]) -> None:
        """A file in which something is found, the first finding by the rule of the case."""
        self._add(f"fail-{name}", title, text, list(findings), findings[0]["rule"])

    def _add(self, name: str, title: str, text: Text, findings: list[dict[str, Any]], rule: str | None) -> None:
        whole = complete(self.facts, text)
        case = {
            "id": name,
            "title": title,
            "input": f"{name}.cif",
            "base": None,
            "edit": [{"text": whole.text()}],
            "version": "2.0",
            "expect": {
                "conforming": not any(finding["severity"] == "error" for finding in findings),
                "findings": findings,
            },
        }
        if rule is not None:
            case["rule"] = rule
        self.document["cases"].append(case)


def finding(rule: str, severity: str, item: str | None = None, line: int | None = None) -> dict[str, Any]:
    """An expected finding."""
    found: dict[str, Any] = {"rule": rule, "severity": severity}
    if item is not None:
        found["item"] = item
    if line is not None:
        found["line"] = line
    return found


def complete(facts: Facts, text: Text) -> Text:
    """The file with the rows to which its values point behind it, so that nothing else is wrong with it."""
    whole = Text(list(text.tables))
    for table in whole.tables:
        # The list grows while it is read: rows that are added may point to others.
        for column, name in enumerate(table.names):
            parent = facts.parent_of(name)
            held = {item.get("category") for entry in whole.tables for item in map(facts.item, entry.names)}
            if parent is None or parent["category"] in held:
                continue
            values = list(dict.fromkeys(row[column] for row in table.rows if row[column].strip("'") not in (".", "?")))
            others = [key for key in facts.keys(parent["category"]) if key is not parent and key.get("default") is None]
            if values:
                whole.add(
                    [parent["id"], *(key["id"] for key in others)],
                    *([value, *(legal(key) for key in others)] for value in values),
                )
    return whole


def slug(name: str) -> str:
    """A data name as part of a file name."""
    return "".join(char if char.isalnum() else "-" for char in name.lower()).strip("-").replace("--", "-")


def one_row(facts: Facts, item: dict[str, Any], value: str) -> Text:
    """A file with one row of a category: its keys, and the item with a value."""
    names, values = [], []
    for key in facts.keys(item["category"]):
        if key["id"] != item["id"] and key.get("default") is None:
            names.append(key["id"])
            values.append(legal(key))
    return Text().add([*names, item["id"]], [*values, value])
