"""Repositories of raw data, as data: their servers, their addresses and their DOIs."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from imgcif_core.records import dataclass

_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository; patterns are None where addresses and DOIs are not tied."""

    key: str
    title: str
    hosts: frozenset[str]
    uri: re.Pattern[str] | None
    doi: str | None
    own_doi: re.Pattern[str]
    draft: re.Pattern[str] | None
    page: re.Pattern[str] | None
    has_concept_doi: bool

    def doi_of(self, record: int) -> str:
        """The DOI of a record."""
        return (self.doi or "").format(record)


@dataclass(frozen=True, slots=True)
class Record:
    """What a repository says of the record that holds the images; texts as it gives them, None for unknown.

    `access` is one of open, embargoed, restricted and closed; `embargo` is the date on which it ends.
    """

    title: str
    address: str
    licence: str | None = None
    access: str | None = None
    embargo: str | None = None


@lru_cache(maxsize=1)
def repositories() -> tuple[Repository, ...]:
    """All repositories known."""
    text = (Path(__file__).parent / "data/repositories.toml").read_text(encoding="utf-8")
    return tuple(
        Repository(
            key,
            entry["title"],
            frozenset(entry["hosts"]),
            re.compile(entry["uri"]) if "uri" in entry else None,
            entry.get("doi"),
            re.compile(entry["own_doi"], re.IGNORECASE),
            re.compile(entry["draft"]) if "draft" in entry else None,
            re.compile(entry["page"]) if "page" in entry else None,
            entry.get("has_concept_doi", False),
        )
        for key, entry in tomllib.loads(text).items()
    )


def plain_doi(text: str) -> str | None:
    """The DOI in a text that may carry `doi:` or a resolver before it, None if there is none."""
    found = _DOI.search(text)
    return found[0].rstrip(".,;") if found else None


def repository_of_doi(doi: str) -> Repository | None:
    """The repository whose DOI it is."""
    return next((entry for entry in repositories() if entry.own_doi.fullmatch(doi)), None)


def repository_of_host(host: str) -> Repository | None:
    """The repository that a server belongs to."""
    return next((entry for entry in repositories() if host.casefold() in entry.hosts), None)


def guess_doi(uri: str) -> str | None:
    """The DOI of the record that an address leads to, where the two are tied or the address holds it."""
    for entry in repositories():
        found = entry.uri.match(uri) if entry.uri else None
        if found and entry.doi:
            return entry.doi_of(int(found[1]))
    return None
