"""The comparison of a manifest with what is found now: as JSON and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imgcif_core._version import __version__
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.manifest.collect import header, look, manifest_of
from imgcif_core.manifest.comparing import Kept, compare, counts
from imgcif_core.manifest.looking import Looking
from imgcif_core.manifest.reading import dois_in, links_in
from imgcif_core.net.tape import now

SCHEMA = "imgcif-verification/1"


def file_named_in(manifest: Mapping[str, Any], place: str) -> str | None:
    """Where the file of a manifest is: at its path, or beside the manifest; None where it is not."""
    path = Path(manifest["file"]["path"])
    for candidate in (path, Path(place).parent / path.name):
        try:
            if candidate.is_file():
                return str(candidate)
        except (OSError, ValueError):
            continue
    return None


def verify(
    manifest: Mapping[str, Any], document: Document | None, dictionary: Dictionary, looking: Looking
) -> list[Kept]:
    """What became of all that a manifest holds; without the file its links are those of the manifest."""
    if document is not None:
        return compare(manifest, manifest_of(document, dictionary, looking))
    missing = {"verdict": "not checked", "because": "the file was not found, its links are those of the manifest"}
    after = header(missing, 0) | look(links_in(manifest), dois_in(manifest), looking)
    return compare(manifest, after)


def as_json(manifest: Mapping[str, Any], place: str, kept: Sequence[Kept]) -> dict[str, Any]:
    """The comparison as plain data of the public schema."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "imgcif", "version": __version__},
        "date": now(),
        "manifest": {"path": place, "date": manifest["date"]},
        "counts": {state.replace(" ", "_"): count for state, count in counts(kept).items()},
        "entries": [
            {"what": entry.what, "name": entry.name, "state": entry.state, "because": entry.because}
            | ({"count": entry.count} if entry.count != 1 else {})
            for entry in kept
        ],
    }


def as_text(manifest: Mapping[str, Any], kept: Sequence[Kept], *, is_verbose: bool = False) -> str:
    """The comparison for people: what is not as it was first, the rest in numbers."""
    lines = [f"as confirmed on {_plain(str(manifest['date']))}, looked at again on {now()}"]
    for state in ("changed", "vanished", "not checked", "appeared", "as it was"):
        if state == "as it was" and not is_verbose:
            continue
        lines += [
            f"  {state}: {_plain(entry.name)} ({entry.what}): {_plain(entry.because)}"
            for entry in kept
            if entry.state == state
        ]
    told = counts(kept)
    lines.append(", ".join(f"{count} {state}" for state, count in told.items()))
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """An untrusted text for one line of a terminal."""
    return text if text.isprintable() else ascii(text)[1:-1]
