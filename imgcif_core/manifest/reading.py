"""A manifest from a file: what has another form than the schema is refused in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcif_core.errors import InputError
from imgcif_core.manifest.collect import SCHEMA
from imgcif_core.net.links import Link

MOST = 256 << 20
_VERDICTS = ("confirmed", "contradicted", "not checked")


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A manifest that was written earlier.

    Raises
    ------
    InputError
        If it cannot be read, or is none.
    """
    name = os.fspath(path)
    try:
        if not Path(name).is_file():
            raise InputError(f"{name}: no such file" if not Path(name).exists() else f"{name}: is no file")
        with open(name, "rb") as stream:
            data = stream.read(MOST + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MOST:
        raise InputError(f"{name}: has more than {MOST >> 20} MiB, too much for a manifest")
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{name}: is no JSON - give what `imgcif manifest` wrote") from None
    schema = told.get("schema") if isinstance(told, dict) else None
    if schema != SCHEMA:
        found = f"its schema is {schema[:60]!r}" if isinstance(schema, str) else "it names no schema"
        raise InputError(f"{name}: is no manifest of the form {SCHEMA} ({found})")
    fault = fault_of_manifest(told)
    if fault:
        raise InputError(f"{name}: is no whole manifest ({fault})")
    return dict(told)


def fault_of_manifest(told: Mapping[str, Any]) -> str:
    """What a manifest lacks; empty where it is whole."""
    if not isinstance(told.get("date"), str):
        return "no date"
    if not _is_file(told.get("file")) or not isinstance(told["file"].get("path"), str):
        return "no file"
    for name in ("dois", "records", "links"):
        entries = told.get(name)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            return f"no list of {name}"
    for name, key in (("dois", "doi"), ("records", "address")):
        if not all(isinstance(entry.get(key), str) for entry in told[name]):
            return f"no {key} in {name}"
    for number, link in enumerate(told["links"], 1):
        sources = [link[name] for name in ("server", "copy") if name in link]
        if not isinstance(link.get("uri"), str) or not all(map(_is_source, sources)) or not _is_listing(link):
            return f"link {number}"
    return ""


def _is_file(told: Any) -> bool:
    """True for an object whose size and digests, where given, are such."""
    if not isinstance(told, Mapping):
        return False
    size, digests = told.get("size", 0), told.get("digests", [])
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return is_size and isinstance(digests, list) and all(isinstance(digest, str) for digest in digests)


def _is_source(told: Any) -> bool:
    """True for what a server or a copy told of a link."""
    return _is_file(told) and told.get("verdict") in _VERDICTS and isinstance(told.get("etag", ""), str)


def _is_listing(link: Mapping[str, Any]) -> bool:
    """True if the members of a link, where it has some, are lists of names and files."""
    texts = [link.get("format", ""), link.get("archive_format", "")]
    if not all(isinstance(text, str) for text in texts):
        return False
    members = link.get("members", {"seen": [], "missing": [], "unseen": []})
    if not isinstance(members, Mapping):
        return False
    seen = members.get("seen")
    if not isinstance(seen, list) or not all(_is_file(entry) and isinstance(entry.get("name"), str) for entry in seen):
        return False
    names = [members.get("missing"), members.get("unseen")]
    return all(isinstance(found, list) and all(isinstance(name, str) for name in found) for found in names)


def links_in(manifest: Mapping[str, Any]) -> list[Link]:
    """The links of a manifest, to be looked at again without the file."""
    found = []
    for entry in manifest["links"]:
        members = entry.get("members", {})
        names = [member["name"] for member in members.get("seen", ())]
        names += [*members.get("missing", ()), *members.get("unseen", ())]
        rows = entry.get("rows", 1)
        link = Link(entry["uri"], entry.get("format", ""), entry.get("archive_format", ""), tuple(names), rows)
        found.append(link)
    return found


def dois_in(manifest: Mapping[str, Any]) -> list[str]:
    """The DOIs of a manifest."""
    return [entry["doi"] for entry in manifest["dois"] if isinstance(entry.get("doi"), str)]
