"""A manifest: for every link of a file what servers and copies on this machine confirm, with sizes, digests, dates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from imgcif_core._version import __version__
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import LinkVerdict
from imgcif_core.images.local import LocalData
from imgcif_core.manifest.copies import copy_of
from imgcif_core.manifest.looking import Looking, network_of
from imgcif_core.manifest.members import members_of
from imgcif_core.model.external import build_external
from imgcif_core.net.evidence import Evidence, gather
from imgcif_core.net.links import Link, dois_of, links_of_all
from imgcif_core.net.network import Network
from imgcif_core.net.records import ArchiveRecord, DoiRecord
from imgcif_core.net.tape import now
from imgcif_core.tables import Tables

SCHEMA = "imgcif-manifest/1"


def manifest_of(document: Document, dictionary: Dictionary, looking: Looking) -> dict[str, Any]:
    """What is confirmed of a file and of all that it links to, as plain data of the public schema."""
    all_tables = [Tables(block, dictionary) for block in document.blocks]
    links = list(links_of_all(all_tables).values())
    found = look(links, dois_of(all_tables), looking)
    rows = sum(build_external(tables).table.rows for tables in all_tables)
    left_out = rows - sum(link.rows for link in links)
    return header(file_of(document), left_out) | found


def file_of(document: Document) -> dict[str, Any]:
    """The file itself: path as given, size in bytes and SHA-256 of its text, as in the report."""
    source = document.source
    return {"path": str(source.path), "size": len(source.data), "digests": [f"sha256:{source.sha256}"]}


def header(file: dict[str, Any], left_out: int) -> dict[str, Any]:
    """What stands first in a manifest; `left_out` counts rows whose address is none."""
    told = {"schema": SCHEMA, "tool": {"name": "imgcif", "version": __version__}, "date": now(), "file": file}
    return told | {"rows_without_address": left_out}


def look(links: Sequence[Link], dois: Collection[str], looking: Looking) -> dict[str, Any]:
    """What links and DOIs lead to: `dois`, `records` and `links` of a manifest."""
    network, copies = network_of(looking, links), looking.copies()
    try:
        evidence = gather(network, links, dois) if network is not None else Evidence()
        return {
            "dois": [_doi(doi) for doi in evidence.dois],
            "records": [_record(record) for record in evidence.records.values()],
            "links": [_link(link, evidence, copies, network, looking) for link in links],
        }
    finally:
        copies.close()
        if network is not None:
            network.close()


def _doi(doi: DoiRecord) -> dict[str, Any]:
    """A DOI; what nobody tells is left out."""
    told = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(doi).items()}
    return {key: value for key, value in told.items() if value is not None and value != []}


def _record(record: ArchiveRecord) -> dict[str, Any]:
    """A record of a repository without its files, which stand at the links."""
    told = {key: value for key, value in asdict(record).items() if value is not None and key not in ("files", "seen")}
    return {"address": record.address, **told, "files": len(record.files)}


def _link(
    link: Link, evidence: Evidence, copies: LocalData, network: Network | None, looking: Looking
) -> dict[str, Any]:
    """One link: what its server says, what the copy on this machine is, and the members of an archive."""
    told: dict[str, Any] = {"uri": link.uri, "rows": link.rows}
    told |= {key: value for key, value in (("format", link.format), ("archive_format", link.archive)) if value}
    verdict = evidence.verdicts.get(link.uri)
    if verdict is not None:
        told["server"] = _server(verdict)
    copy = copy_of(link, copies, verdict, reads=looking.digests)
    if copy is not None:
        told["copy"] = copy
    if link.members:
        remote = network if verdict is not None and verdict.state == "confirmed" else None
        told["members"] = members_of(link, copies, remote, reads=looking.digests, is_here=copy is not None)
    return told


def _server(verdict: LinkVerdict) -> dict[str, Any]:
    """What a server or a record says of a link."""
    told = verdict.as_dict()
    digest = told.pop("digest", None)
    del told["uri"]
    return told | ({"digests": [digest]} if digest is not None else {})


def is_contradicted(manifest: dict[str, Any]) -> bool:
    """True if something that the file says is not so: a link, a copy, or a member."""
    entries = manifest["links"]
    sources = (entry.get(source, {}) for entry in entries for source in ("server", "copy"))
    is_missing = any(entry.get("members", {}).get("missing") for entry in entries)
    return is_missing or any(source.get("verdict") == "contradicted" for source in sources)


def confirms_nothing(manifest: dict[str, Any]) -> bool:
    """True if there are links, and not one was confirmed."""
    sources = (entry.get(source, {}) for entry in manifest["links"] for source in ("server", "copy"))
    return bool(manifest["links"]) and not any(source.get("verdict") == "confirmed" for source in sources)


def counted(manifest: dict[str, Any]) -> str:
    """A manifest in one line."""
    links = manifest["links"]
    parts = []
    for source, words in (("server", "by servers"), ("copy", "by copies")):
        states = [entry[source]["verdict"] for entry in links if source in entry]
        told = [
            f"{states.count(state)} {state}"
            for state in ("confirmed", "contradicted", "not checked")
            if states.count(state)
        ]
        if told:
            parts.append(f"{words} {', '.join(told)}")
    unseen = sum("server" not in entry and "copy" not in entry for entry in links)
    parts += [f"{unseen} not looked at"] if unseen else []
    missing = sum(len(entry.get("members", {}).get("missing", ())) for entry in links)
    parts += [f"{missing} members missing"] if missing else []
    left_out = manifest["rows_without_address"]
    parts += [f"{left_out} rows without an address that can be read"] if left_out else []
    count = "1 link" if len(links) == 1 else f"{len(links)} links"
    return f"{count}: {'; '.join(parts)}" if parts else count
