"""What several tasks share: opening the upload, checking it, writing results."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document, Source
from imgcif_core.cif.reader import open_source
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.findings import FileReport, Report
from imgcif_core.render.json import plain
from imgcif_core.web.tasks import without_folder

if TYPE_CHECKING:
    from imgcif_core.net.settings import NetSettings

# One rule; those of a file in which something is out of all proportion take longest.
_RULE_SECONDS = 20.0
_LONGEST_PAUSE = 20.0
# The folder with what servers answered, and the mark that it is all there is.
TAPE, _WHOLE = "tape", "whole"


def opened(folder: Path, given: Mapping[str, Any]) -> Source:
    """The upload that is to be judged, named as its owner named it."""
    return open_source(folder / "inputs" / given["file"], given["name"])


def options_of(folder: Path, given: Mapping[str, Any]) -> CheckOptions:
    """The options of a check; sources to compare with lie in a folder of their own."""
    against: Any = None
    if given.get("against"):
        from imgcif_core.sources.reference import read_reference

        against = read_reference([str(folder / "inputs" / "against" / name) for name in given["against"]])
    local = folder / "inputs" / "local"
    return CheckOptions(
        online=_online(folder, given.get("network")),
        profile=given.get("profile", "auto"),
        images=given.get("images", "header"),
        local=(local,) if local.is_dir() else None,
        against=against,
        rule_seconds=_RULE_SECONDS,
    )


def _online(folder: Path, network: Mapping[str, Any] | None) -> "NetSettings | None":
    """The bounds of the network, None where no links are followed.

    Links are followed once, by the first check; later tasks on the job judge by what was answered then.
    """
    if not network or not network["follow"]:
        return None
    bounds = bounds_of(network)
    return replace(bounds, tape=folder / TAPE, is_replay=(folder / TAPE / _WHOLE).exists())


def bounds_of(network: Mapping[str, Any]) -> "NetSettings":
    """The bounds that the service sets; nobody waits for minutes for one server."""
    from imgcif_core.net.settings import NetSettings

    return NetSettings(
        max_download=network["bytes"],
        seconds=network["seconds"],
        longest_pause=_LONGEST_PAUSE,
        contact=network["contact"],
        uses_rsync=network["rsync"],
        shared=Path(network["shared"]),
    )


def links_are_followed(folder: Path) -> None:
    """Put down that the answers to all requests of a check are kept."""
    if (folder / TAPE).is_dir():
        (folder / TAPE / _WHOLE).touch()


def checked(document: Document, options: CheckOptions) -> tuple[FileReport, Report]:
    """The report on one document, alone and with what judged."""
    judge = load_bundled()
    entry = api.check_document(document, options=options, dictionary=judge)
    return entry, Report(__version__, api.identities(judge), (entry,))


def write_json(folder: Path, name: str, value: Any) -> None:
    """Write plain data as a result, without paths of the server."""
    write_text(folder, name, json.dumps(plain(value), allow_nan=False, separators=(",", ":")))


def write_text(folder: Path, name: str, text: str) -> None:
    """Write a text as a result, without paths of the server; it appears when it is whole."""
    write_bytes(folder, name, without_folder(text, folder).encode("utf-8", "backslashreplace"))


def write_bytes(folder: Path, name: str, data: bytes) -> None:
    """Write a result that appears when it is whole."""
    from imgcif_core.output import write_file

    write_file(folder / name, data)
