"""From definitions to the facts table: types, states, ranges, keys, links; no prose, no methods."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from imgcif_core.cif.values import parse_number
from imgcif_core.ddlm.collect import collect_methods
from imgcif_core.ddlm.frames import File, Frame, words_in
from imgcif_core.ddlm.load import GAPS, DictionaryProblem, Loader
from imgcif_core.ddlm.model import FACTS_SCHEMA, Dictionary
from imgcif_core.errors import InputError

_RANGE = re.compile(r"\s*([^:\s]*)\s*:\s*([^:\s]*)\s*\Z")
_REFERENCES = frozenset({"ByReference", "Implied"})
OVERLAY_TITLE = "CIF_IMG"


def load_dictionary(paths: Sequence[Path], search: Iterable[Path] = (), *, is_lenient: bool = False) -> Dictionary:
    """The dictionaries in some files, each with all that it imports, as one.

    A lenient reading uses the rest where an import cannot be had; what is missing stands in `Dictionary.gaps`.

    Raises
    ------
    InputError
        If a file cannot be read, is no DDLm dictionary that defines anything, or imports what cannot be had.
    """
    loader = Loader(search, is_lenient=is_lenient)
    files = [loader.file(Path(path)) for path in paths]
    for file in files:
        if file.is_template:
            raise InputError(f"{file.path}: is a template dictionary - it holds attributes to import, no definitions")
    definitions = merged_definitions(loader, files)
    facts = facts_of(loader, files, definitions)
    if not facts["items"]:
        raise InputError(f"{files[0].path}: is a dictionary that defines no item, so that it can judge nothing")
    gaps = [problem for problem in loader.problems if problem.code in GAPS]
    if gaps and not is_lenient:
        raise InputError(_refusal(gaps))
    if gaps:
        facts["gaps"] = list(dict.fromkeys(problem.message for problem in gaps))
    return Dictionary(facts, ", ".join(str(path) for path in paths), collect_methods(definitions))


def _refusal(gaps: Sequence[DictionaryProblem]) -> str:
    """The first import that cannot be had, and what can be done about it."""
    first = gaps[0]
    path = first.place.source.path if first.place.source else "?"
    others = f" (and {len(gaps) - 1} more imports cannot be had)" if len(gaps) > 1 else ""
    is_absent = first.code == "import-file" and "no folder" in first.message
    remedy = "give its folder with --dictionary-path, or use" if is_absent else "use"
    return f"{path}:{first.line}: {first.message}{others}; {remedy} the rest with --lenient-imports"


def compile_facts(paths: Sequence[Path], search: Sequence[Path] = ()) -> str:
    """The facts table of some dictionaries as compact JSON, one definition a line.

    Raises
    ------
    InputError
        If a file cannot be read or is no DDLm dictionary.
    """
    loader = Loader(search)
    facts = build_facts(loader, [loader.file(Path(path)) for path in paths])
    return dump(facts)


def dump(facts: dict[str, Any]) -> str:
    """Facts as JSON with one definition a line, so that changes can be read."""
    parts = []
    for name, value in facts.items():
        if name in ("items", "categories"):
            rows = ",\n".join(f"{json.dumps(key)}:{_compact(entry)}" for key, entry in value.items())
            parts.append(f'"{name}":{{\n{rows}\n}}')
        else:
            parts.append(f'"{name}":{_compact(value)}')
    return "{" + ",\n".join(parts) + "}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def build_facts(loader: Loader, files: Sequence[File], *, with_overlay: bool = True) -> dict[str, Any]:
    """The facts of dictionaries; the overlay is folded in where it belongs, unless it is not wanted."""
    return facts_of(loader, files, merged_definitions(loader, files), with_overlay=with_overlay)


def merged_definitions(loader: Loader, files: Sequence[File]) -> dict[str, list[Frame]]:
    """The frames of each definition id over some files, the innermost first."""
    definitions: dict[str, list[Frame]] = {}
    for file in files:
        for identifier, frames in loader.definitions(file).items():
            definitions.setdefault(identifier, []).extend(frames)
    return definitions


def facts_of(
    loader: Loader, files: Sequence[File], definitions: dict[str, list[Frame]], *, with_overlay: bool = True
) -> dict[str, Any]:
    """The facts of merged definitions."""
    items, categories = {}, {}
    for identifier, frames in definitions.items():
        if frames[0].first("_definition.scope", "Item").lower() == "category":
            categories[identifier] = _category(frames)
        elif frames[0].first("_definition.scope", "Item").lower() == "item":
            items[identifier] = _item(frames, definitions)
    for category in categories.values():
        for key in category.get("keys", ()):
            if key.lower() in items:
                items[key.lower()]["is_key"] = True
    facts: dict[str, Any] = {
        "schema": FACTS_SCHEMA,
        "sources": [_provenance(file) for file in loader.order],
        "categories": dict(sorted(categories.items())),
        "items": dict(sorted(items.items())),
    }
    valid = [rule for file in files for rule in _validity(file)]
    if valid:
        facts["valid"] = valid
    if with_overlay and any(file.title == OVERLAY_TITLE for file in files):
        apply_overlay(facts, load_overlay())
    return facts


def _validity(file: File) -> Iterator[dict[str, Any]]:
    """What a reference dictionary demands and forbids in definitions, by scope."""
    top = file.head_attributes
    names = words_in(top.get("_dictionary_valid.attributes", []))
    scopes, options = top.get("_dictionary_valid.scope"), top.get("_dictionary_valid.option")
    if scopes is None and options is None:
        # Up to version 3 of DDLm both stand in one list.
        pairs = [[*words, "", ""][:2] for words in words_in(top.get("_dictionary_valid.application", []))]
        scopes, options = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for scope, option, attributes in zip(scopes or (), options or (), names, strict=False):
        yield {"scope": scope, "option": option, "attributes": [name.lower() for name in attributes]}


def _provenance(file: File) -> dict[str, str]:
    return {
        "title": file.title,
        "version": file.version,
        "date": file.date,
        "sha256": file.source.sha256,
        "file": file.path.name,
    }


def _category(frames: list[Frame]) -> dict[str, Any]:
    """Facts of a category; keys that only an outer layer states are kept as alternatives."""
    first = frames[0]
    keys = first.all("_category_key.name")
    facts: dict[str, Any] = {
        "name": first.first("_name.object_id") or first.id,
        "cls": first.first("_definition.class", "Set"),
        "layer": first.layer,
        "parent": first.first("_name.category_id").lower(),
    }
    others = [key for frame in frames[1:] for key in frame.all("_category_key.name") if key not in keys]
    replaced = [by for frame in frames for by in frame.all("_definition_replaced.by")]
    for name, value in (("keys", keys), ("alternative_keys", others), ("replaced_by", replaced)):
        if value:
            facts[name] = list(dict.fromkeys(value))
    methods = _methods(frames).get("methods")
    return facts | ({"methods": methods} if methods else {})


def _methods(frames: list[Frame]) -> dict[str, Any]:
    """The purposes of the methods of all layers, and the attributes that Definition methods give."""
    purposes: list[str] = []
    given: list[str] = []
    for frame in frames:
        results = frame.all("_method.expression")
        own = frame.all("_method.purpose") or ["Evaluation"] * len(results)
        purposes += [purpose.capitalize() for purpose, _ in zip(own, results, strict=False)]
        for purpose, names in zip(own, results, strict=False):
            given += names.split() if purpose.lower() == "definition" else []
    facts = {"methods": purposes, "sets": given}
    return {name: list(dict.fromkeys(value)) for name, value in facts.items() if value}


def _item(frames: list[Frame], definitions: dict[str, list[Frame]]) -> dict[str, Any]:
    """Facts of an item; only what differs from DDLm's own defaults is kept."""
    first = frames[0]
    identifier = first.id
    facts: dict[str, Any] = {
        "id": identifier,
        "category": first.first("_name.category_id").lower(),
        "object": identifier.partition(".")[2] or first.first("_name.object_id"),
        "layer": first.layer,
    }
    simple = _form(first, definitions) | {
        "purpose": first.first("_type.purpose", "Describe"),
        "source": first.first("_type.source", "Assigned"),
        "units": first.first("_units.code"),
        "linked": first.first("_name.linked_item_id") or None,
        "default": first.first("_enumeration.default") or None,
    }
    defaults = {"contents": "Text", "container": "Single", "purpose": "Describe", "source": "Assigned"}
    facts.update({name: value for name, value in simple.items() if value and value != defaults.get(name)})
    return facts | _constraints(frames) | _methods(frames)


def _form(frame: Frame, definitions: dict[str, list[Frame]], depth: int = 8) -> dict[str, Any]:
    """The form of values, followed to the item that a reference names; what is itself a container becomes elements."""
    own: dict[str, Any] = {
        "contents": frame.first("_type.contents", "Text"),
        "container": frame.first("_type.container", "Single"),
        "dimension": frame.first("_type.dimension"),
        "indices": _indices(frame, definitions, depth),
    }
    if own["contents"] in _REFERENCES:
        target = definitions.get(frame.first("_type.contents_referenced_id").lower())
        inner = _form(target[0], definitions, depth - 1) if target and depth else {}
        if inner and own["container"] == "Single":
            return inner
        if inner:
            own["contents"] = inner["contents"]
        if inner.get("container", "Single") != "Single":
            own["elements"] = inner
    return {name: value for name, value in own.items() if value}


def _indices(frame: Frame, definitions: dict[str, list[Frame]], depth: int) -> str:
    """The type of the keys of a table, followed to the item that a reference names."""
    indices = frame.first("_type.indices")
    if indices not in _REFERENCES:
        return indices
    target = definitions.get(frame.first("_type.indices_referenced_id").lower())
    return _form(target[0], definitions, depth - 1)["contents"] if target and depth else ""


def _constraints(frames: list[Frame]) -> dict[str, Any]:
    """States, ranges of every layer, aliases and replacements."""
    first = frames[0]
    facts: dict[str, Any] = {}
    states = first.all("_enumeration_set.state")
    if states:
        facts["states"] = states
        if first.first("_enumeration.mandatory", "Yes").lower() in ("no", "n"):
            facts["states_mandatory"] = False
    ranges = [limits for frame in frames if (limits := _limits(frame.first("_enumeration.range")))]
    if ranges:
        facts["ranges"] = [list(limits) for limits in dict.fromkeys(ranges)]
    aliases: list[str] = []
    old: list[str] = []
    for frame in frames:
        names = frame.all("_alias.definition_id")
        dates = frame.all("_alias.deprecation_date") or ["."] * len(names)
        aliases += names
        old += [name for name, date in zip(names, dates, strict=False) if date not in (".", "?", "")]
    replaced = [by for frame in frames for by in frame.all("_definition_replaced.by")]
    deprecated = [frame.layer for frame in frames if "definition_replaced" in frame.groups]
    for name, value in (
        ("aliases", aliases),
        ("deprecated_aliases", old),
        ("replaced_by", replaced),
        ("deprecated", deprecated),
    ):
        if value:
            facts[name] = list(dict.fromkeys(value))
    return facts


def _limits(text: str) -> tuple[float | None, float | None] | None:
    """The ends of a range such as `0.0:` or `-90.0:90.0`."""
    match = _RANGE.match(text)
    if not match:
        return None
    low, high = (parse_number(part.encode()) for part in match.groups())
    if (low is None and match[1]) or (high is None and match[2]):
        return None
    return (low[0] if low else None, high[0] if high else None)


def load_overlay() -> dict[str, Any]:
    """The hand-written corrections, each with its reason."""
    text = (Path(__file__).parent / "data/overlay.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def apply_overlay(facts: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Fold the corrections into the facts; what they name must exist."""
    for name, change in overlay.get("item", {}).items():
        entry = facts["items"][name.lower()]
        changes = dict(change)
        changes["note"] = changes.pop("reason")
        entry.update(changes)
    for name, change in overlay.get("category", {}).items():
        changes = {key: value for key, value in change.items() if key != "reason"}
        facts["categories"][name.lower()].update(changes)
    for mark in ("mandatory", "implicit"):
        for name in overlay.get("ddl2", {}).get(mark, ()):
            if name.lower() in facts["items"]:
                facts["items"][name.lower()]["mandatory"] = "yes" if mark == "mandatory" else "implicit"
    facts["undefined"] = {name.lower(): change["reason"] for name, change in overlay.get("undefined", {}).items()}
