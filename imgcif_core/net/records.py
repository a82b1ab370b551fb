"""What repositories tell of their records: InvenioRDM (Zenodo and others), DataCite and the handle system.

Answers come from outside: a field of another kind than expected is a field that is not told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from imgcif_core.images.limits import BytesError
from imgcif_core.model.repositories import Record, repository_of_host

if TYPE_CHECKING:
    from imgcif_core.net.documents import Documents

MAX_RECORD = 4_000_000
MAX_DOI = 500_000
# Days for which an answer is taken again: DOIs hardly change, licences and embargoes of records may.
RECORD_DAYS, DOI_DAYS = 1.0, 7.0
_FILE = re.compile(r"(?:/api)?/records?/([A-Za-z0-9][A-Za-z0-9-]{0,30})/files/(.+?)(?:/content)?")
_CHECKSUM = re.compile(r"(?:md5|sha1|sha256|sha512):[0-9a-f]{32,128}")


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record of an InvenioRDM repository is asked for, and one of its files."""

    host: str
    number: str
    name: str

    @property
    def api(self) -> str:
        """The address of the record for programs."""
        return f"https://{self.host}/api/records/{self.number}"


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file as its record has it: size in bytes, digest as algorithm and hex; None where it is not told."""

    name: str
    size: int | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class ArchiveRecord:
    """A record as its repository has it; texts as it gives them, None for what is not told.

    `access` is one of open, embargoed, restricted and closed; `seen` is the time of an answer that was kept.
    """

    host: str
    number: str
    title: str
    doi: str | None
    concept_doi: str | None
    licence: str | None
    access: str | None
    embargo: str | None
    version: str | None
    files: Mapping[str, RecordFile] = field(default_factory=dict)
    seen: float | None = None

    @property
    def address(self) -> str:
        """The address of the record for people."""
        return f"https://{self.host}/records/{self.number}"

    def told(self) -> Record:
        """What the rules about records ask for."""
        known = repository_of_host(self.host)
        # A record with open files that names no licence gives none: an empty text.
        licence = self.licence if self.licence is not None else ""
        return Record(known.title if known else self.host, self.address, licence, self.access, self.embargo)


@dataclass(frozen=True, slots=True)
class DoiRecord:
    """What the handle system and DataCite say of a DOI; None where they say nothing."""

    doi: str
    is_registered: bool | None
    title: str | None = None
    url: str | None = None
    creators: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()


def place_of(uri: str) -> RecordPlace | None:
    """The record that an address of a file belongs to, by the way in which InvenioRDM spells addresses."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    match = _FILE.fullmatch(parts.path)
    if match is None or parts.scheme not in ("https", "http") or not parts.hostname:
        return None
    host = parts.hostname.casefold().removeprefix("www.") if parts.hostname.endswith("zenodo.org") else parts.hostname
    return RecordPlace(host, match[1], unquote(match[2]))


def fetch_record(documents: Documents, place: RecordPlace) -> ArchiveRecord:
    """The record behind the address of a file.

    Raises
    ------
    BytesError
        `unreached` if the answer is no record, or what the server does.
    """
    told = documents.get(place.api, MAX_RECORD, RECORD_DAYS)
    if not isinstance(told.values.get("metadata"), Mapping):
        raise BytesError("unreached", f"{place.host} gives no record for {place.number}")
    return replace(parse_record(told.values, place), seen=told.seen)


def parse_record(told: Mapping[str, Any], place: RecordPlace) -> ArchiveRecord:
    """A record from what the interface of a repository answers, in Zenodo's older or in InvenioRDM's own form."""
    metadata, access = _part(told, "metadata"), _part(told, "access")
    rights = metadata.get("rights")
    first = rights[0] if isinstance(rights, list) and rights else None
    licence = _text(_part(metadata, "license").get("id")) or _text(metadata.get("license"))
    if licence is None and isinstance(first, Mapping):
        licence = _text(first.get("id")) or _text(_part(first, "title").get("en"))
    pids, parents = _part(told, "pids"), _part(_part(told, "parent"), "pids")
    doi = _text(told.get("doi")) or _text(metadata.get("doi")) or _text(_part(pids, "doi").get("identifier"))
    concept = _text(told.get("conceptdoi")) or _text(_part(parents, "doi").get("identifier"))
    right, embargo = _access(metadata, access)
    title = _text(metadata.get("title")) or ""
    version = _text(metadata.get("version"))
    return ArchiveRecord(
        place.host, place.number, title, doi, concept, licence, right, embargo, version, _files(told.get("files"))
    )


def _access(metadata: Mapping[str, Any], access: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Who may fetch the files, and the end of an embargo."""
    embargo = _part(access, "embargo")
    until = _text(embargo.get("until")) or _text(metadata.get("embargo_date"))
    if access.get("files") in ("public", "restricted"):
        if embargo.get("active") is True:
            return "embargoed", until
        return ("open" if access["files"] == "public" else "restricted"), None
    right = _text(metadata.get("access_right"))
    known = right if right in ("open", "embargoed", "restricted", "closed") else None
    return known, until if known == "embargoed" else None


def _files(told: Any) -> dict[str, RecordFile]:
    """The files of a record by name."""
    if isinstance(told, Mapping):
        entries = told.get("entries", {})
        told = list(entries.values()) if isinstance(entries, Mapping) else entries
    found = {}
    for entry in told if isinstance(told, list) else ():
        name = _text(entry.get("key")) or _text(entry.get("filename")) if isinstance(entry, Mapping) else None
        if name is None:
            continue
        size, digest = entry.get("size", entry.get("filesize")), _text(entry.get("checksum"))
        size = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
        if digest is not None and ":" not in digest:
            digest = f"md5:{digest}"
        found[name] = RecordFile(name, size, digest if digest and _CHECKSUM.fullmatch(digest) else None)
    return found


def fetch_doi(documents: Documents, doi: str) -> DoiRecord:
    """What the handle system and DataCite say of a DOI; what does not answer says nothing."""
    name = quote(doi, safe="/.-_")
    is_registered, place = _handle(documents, name)
    if is_registered is False:
        return DoiRecord(doi, False)
    try:
        answer = documents.get(f"https://api.datacite.org/dois/{name}", MAX_DOI, DOI_DAYS)
    except BytesError:
        # DOIs of other agencies are not DataCite's.
        return DoiRecord(doi, is_registered, url=place)
    told = _part(_part(answer.values, "data"), "attributes")
    titles = [_text(entry.get("title")) for entry in _list(told, "titles")]
    creators = [_text(entry.get("name")) for entry in _list(told, "creators")]
    rights = [_text(entry.get("rightsIdentifier")) or _text(entry.get("rights")) for entry in _list(told, "rightsList")]
    # DataCite tells of findable and registered DOIs, and to nobody but their owners of drafts.
    is_known = _text(told.get("state")) in ("findable", "registered")
    return DoiRecord(
        doi,
        True if is_known else is_registered,
        next(filter(None, titles), None),
        _text(told.get("url")) or place,
        tuple(filter(None, creators)),
        tuple(filter(None, rights)),
    )


def _handle(documents: Documents, name: str) -> tuple[bool | None, str | None]:
    """Whether the handle system knows a DOI, and where it leads; None where nothing is told."""
    try:
        told = documents.get(f"https://doi.org/api/handles/{name}", MAX_DOI, DOI_DAYS).values
    except BytesError as fault:
        return (False if fault.kind == "gone" else None), None
    code = told.get("responseCode")
    known = {1: True, 100: False, 200: True}.get(code) if isinstance(code, int) else None
    places = [_part(entry, "data").get("value") for entry in _list(told, "values") if entry.get("type") == "URL"]
    return known, next(filter(None, map(_text, places)), None)


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within another one, empty where it is none."""
    found = told.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    found = told.get(name)
    return [entry for entry in found[:200] if isinstance(entry, Mapping)] if isinstance(found, list) else []


def _text(value: Any) -> str | None:
    """A text of one line, None for what is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value[:1000]).split())
