"""The beginnings of a new rule: its module, its case folder, and the table of what rules can ask for."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

from imgcif_core.checks.families import FAMILY_OF
from imgcif_core.checks.menders import MENDERS
from imgcif_core.checks.registry import FILE_INPUTS, load_rules, providers
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.errors import UsageError
from imgcif_core.output import write_file
from imgcif_core.records import dataclass

_CODE = re.compile(r"[A-Z]{3}\d{3}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# What the engine gives without a provider.
_GIVEN = {
    "document": ("Document", "The file as it was read: blocks, loops, values with their places."),
    "source": ("Source", "The bytes of the file and its name."),
    "dictionary": ("Dictionary", "The dictionary that judges."),
    "options": ("CheckOptions", "What was asked for: profile, local folders, images, limits."),
    "profile": ("Profile", "The profile in use."),
    "tolerances": ("Tolerances", "The allowed deviations, each with its unit and its reason."),
    "all_tables": ("list[Tables]", "The tables of every block of the file."),
    "tables": ("Tables", "The tables of one block, columns typed by the dictionary."),
    "block": ("Block", "One block as it was read."),
}

_MODULE = '''"""{title}."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.tables import Tables


@rule(
    "{code}",
    "{name}",
    severity="warning",
    source="{item}",
    message="...",
    who="{who}",
)
def {function}(tables: Tables) -> Iterator[Problem]:
    """What: ...
    Why: ...
    How to fix: ...
    Source: Dictionary imgCIF, {item}.
    """
    table = tables.table("{category}")
    if not table.has("{object}"):
        raise NotApplicable("no {item}")
    is_wrong = np.zeros(table.rows, dtype=bool)
    for row in np.flatnonzero(is_wrong).tolist():
        yield Problem(table.at(row, "{object}"), value=table.text("{object}", row))
'''


@dataclass(frozen=True, slots=True)
class NewRule:
    """The files of a new rule: where they belong below the root of a clone, and what they hold."""

    module: tuple[Path, str]
    case: tuple[Path, str]

    def write(self, root: Path) -> list[Path]:
        """Write both below `root`; the paths.

        Raises
        ------
        UsageError
            If one is there already, or `root` is no clone of the project.
        """
        if not (root / "imgcif_core" / "checks").is_dir() or not (root / "conformance" / "datasets").is_dir():
            raise UsageError(
                f"{root} is no clone of the project: imgcif_core/checks or conformance/datasets is missing"
            )
        targets = [root / path for path, _ in (self.module, self.case)]
        for target in targets:
            if target.exists():
                raise UsageError(f"{target} is there already")
        for target, (_, text) in zip(targets, (self.module, self.case), strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_file(target, text, overwrite=False)
        return targets


def new_rule(code: str, name: str, item: str, *, who: str = "author", base: str = "single-panel") -> NewRule:
    """The module text, case folder and edit of a base for a rule that judges `item`.

    Until the dots are filled in the tests of the catalogue are red, and so is the failing case, as it expects a
    finding that does not come.

    Raises
    ------
    UsageError
        If the code or name is taken or not formed as they are, or the dictionary does not know the item.
    """
    rules = load_rules()
    family = FAMILY_OF.get(code.rstrip("0123456789"))
    if not _CODE.fullmatch(code) or family is None:
        raise UsageError(f"{code} is no code: three letters of a family ({', '.join(FAMILY_OF)}) and three digits")
    if not family.package:
        raise UsageError(f"what {code} would say is found by the reader: imgcif_core/cif, told by checks/syntax.py")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name} is no name of a rule: words in small letters, joined by hyphens")
    taken = [rule.code for rule in rules.values() if code == rule.code or name == rule.name]
    if taken:
        raise UsageError(f"{taken[0]} has this code or name already; codes are never used again")
    if who not in MENDERS:
        raise UsageError(f"{who} is none of {', '.join(sorted(MENDERS))}")
    definition = load_bundled().lookup(item)
    if definition is None:
        raise UsageError(f"the dictionary has no item {item}")
    words = {
        "code": code,
        "name": name,
        "item": definition.id,
        "category": definition.category.lower(),
        "object": definition.object.lower(),
        "who": who,
        "function": name.replace("-", "_"),
        "title": f"What is judged of {definition.id}",
    }
    module = Path("imgcif_core", "checks", family.package, f"{words['function']}.py")
    folder = Path("conformance", "datasets", code[:3].lower(), f"{code}-{name}")
    case = json.dumps(_case(words, base), indent=1, ensure_ascii=False) + "\n"
    return NewRule((module, _MODULE.format(**words)), (folder / "case.json", case))


def _case(words: dict[str, str], base: str) -> dict[str, Any]:
    """A case folder of two files: the base as it is, and the base with an edit that is to be filled in."""
    dictionary = load_bundled()
    finding = {"rule": words["code"], "item": words["item"], "severity": "warning"}
    cases: list[dict[str, Any]] = [
        {"id": "pass-base", "title": "...", "base": base, "edit": [], "expect": {"conforming": True, "findings": []}},
        {
            "id": "fail-first",
            "title": "...",
            "base": base,
            "edit": [{"replace": ["the text of the base that stands once", "what is wrong"]}],
            "expect": {"conforming": True, "findings": [finding]},
        },
    ]
    for case in cases:
        case["input"] = f"{case['id']}.cif"
    return {
        "schema": 1,
        "rule": words["code"],
        "level": "recommended",
        "source": words["item"],
        "dictionary": {"title": dictionary.title, "version": dictionary.version},
        "cases": cases,
    }


def input_table() -> list[tuple[str, str, str, str]]:
    """All that a rule can ask for by name: name, type, what it is made from, what it is."""
    load_rules()
    rows = [(name, kind, "", text) for name, (kind, text) in _GIVEN.items() if name in FILE_INPUTS or kind]
    for name, (function, parameters) in sorted(providers().items()):
        returned = inspect.signature(function).return_annotation
        kind = returned if isinstance(returned, str) else inspect.formatannotation(returned)
        text = (function.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        rows.append((name, re.sub(r"[\w.]+\.(?=\w)", "", kind), ", ".join(parameters), re.sub(r"\s+", " ", text)))
    return rows
