"""The cases of the suite as data, and which of them a pattern means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

SUITE = Path(__file__).resolve().parent.parent
DATASETS = SUITE / "datasets"
SCHEMA = 1


@dataclass(frozen=True)
class Case:
    """One case: a file with what a tool should say about it, or inputs with what should be made of them.

    `kind` is check, syntax or generate; `version` the CIF version in which the file is written;
    `scope` the part of the rules that is asked: all, dictionary or syntax.
    """

    id: str
    family: str
    kind: str
    folder: Path
    rule: str
    title: str
    level: str
    source: str
    input: str
    base: str | None
    version: str
    scope: str
    options: dict[str, Any] = field(default_factory=dict)
    expect: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file that is checked."""
        return self.folder / self.input

    @property
    def conforming(self) -> bool:
        """True if the file has no error."""
        return bool(self.expect.get("conforming"))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What should be found."""
        return list(self.expect.get("findings", []))

    def meant_by(self, pattern: str) -> bool:
        """True if a pattern means this case: a glob, or the beginning of the id or of one of its parts."""
        parts = (self.id, self.rule, *self.id.split("/"))
        return fnmatchcase(self.id, pattern) or any(part.startswith(pattern) for part in parts)


def load(datasets: Path = DATASETS) -> list[Case]:
    """All cases, by family, folder and place in the folder."""
    found = []
    for path in sorted(datasets.glob("*/*/case.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("schema") != SCHEMA:
            raise ValueError(f"{path}: schema {document.get('schema')} is not {SCHEMA}")
        found.extend(_of_document(path.parent, document))
    return found


def _of_document(folder: Path, document: dict[str, Any]) -> Iterator[Case]:
    family = folder.parent.name
    kind = document.get("kind") or {"syntax": "syntax", "generate": "generate"}.get(family, "check")
    entries = document.get("cases")
    if entries is None:
        # A generator case is its folder: the expectation stands in a file of its own.
        entries = [{"id": "", "title": document.get("title", folder.name), **document}]
    for entry in entries:
        yield _case(folder, family, kind, document, entry)


def _case(folder: Path, family: str, kind: str, document: dict[str, Any], entry: dict[str, Any]) -> Case:
    name = f"{family}/{folder.name}" + (f"/{entry['id']}" if entry["id"] else "")
    base = entry.get("base")
    return Case(
        id=name,
        family=family,
        kind=kind,
        folder=folder,
        rule=entry.get("rule", document.get("rule", "")),
        title=entry["title"],
        level=document.get("level", "required"),
        source=entry.get("source", document.get("source", "")),
        input=entry.get("input", ""),
        base=base,
        version=entry.get("version") or _version(folder / entry.get("input", "")),
        scope=entry.get("scope", document.get("scope", "syntax" if kind == "syntax" else "all")),
        options={**document.get("options", {}), **entry.get("options", {}), **_profile(entry)},
        expect=entry.get("expect", {}),
    )


def _version(path: Path) -> str:
    """The version of CIF that the first line of a file names; 1.1 where it names none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(16)
    return "2.0" if head.removeprefix(b"\xef\xbb\xbf").startswith(b"#\\#CIF_2.0") else "1.1"


def _profile(entry: dict[str, Any]) -> dict[str, Any]:
    return {"profile": entry["profile"]} if "profile" in entry else {}


def select(cases: Iterable[Case], patterns: Iterable[str]) -> list[Case]:
    """The cases that any pattern means; all where there is no pattern."""
    wanted = list(patterns)
    return [case for case in cases if not wanted or any(case.meant_by(pattern) for pattern in wanted)]


def base_file(base: str, datasets: Path = DATASETS) -> Path | None:
    """The file from which a case was made."""
    found = list((datasets / "bases").glob(f"{base}.*"))
    return found[0] if len(found) == 1 else None
