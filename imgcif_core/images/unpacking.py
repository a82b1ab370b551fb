"""Archives listed and unpacked in a process of their own, whose memory is bounded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imgcif_core.images.archives import Fetched, open_archive
from imgcif_core.images.bytes import ByteSource, FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.members import Listing, Member
from imgcif_core.images.workspace import Workspace

BATCH = 8
MAX_LISTED = 48 << 20
_running: dict[str, Iterator[Fetched]] = {}


def listing(request: Mapping[str, Any]) -> dict[str, Any]:
    """In the process: the members of an archive, and what stopped the listing."""
    archive = open_archive(FileBytes(request["path"], request["label"]), Limits(**request["limits"]))
    found = archive.listing()
    fault = found.fault
    members, length = [], 0
    for member in found.members:
        length += len(member.name) + len(member.target) + 40
        if length > MAX_LISTED:
            fault = BytesError("limit", f"{request['label']}: the names of its members are more than is read")
            break
        members.append([_shown(member.name), member.size, member.kind, _shown(member.target)])
    return {"format": archive.format, "members": members, "fault": [fault.kind, str(fault)] if fault else None}


def fetch(request: Mapping[str, Any], token: str, names: list[str] | None) -> dict[str, Any]:
    """In the process: the next members as files in a folder; the first request of a token names them all."""
    if names is not None:
        limits = Limits(**request["limits"])
        source = FileBytes(request["path"], request["label"])
        workspace = Workspace(Path(request["folder"]), token, limits.disk_for(source.size))
        _running[token] = open_archive(source, limits).fetch([_meant(name) for name in names], workspace)
    found: list[list[Any]] = []
    for name, entry in _running[token]:
        if isinstance(entry, BytesError):
            found.append([_shown(name), None, entry.kind, str(entry)])
        else:
            found.append([_shown(name), str(entry.path), "", entry.label])
            entry.close()
        if len(found) >= BATCH:
            return {"found": found, "is_last": False}
    del _running[token]
    return {"found": found, "is_last": True}


def _shown(name: str) -> str:
    """A name that JSON can carry: bytes that are no text stand as single characters."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1") if not name.isascii() else name


def _meant(name: str) -> str:
    """The name that was carried."""
    return name.encode("latin-1").decode("utf-8", "surrogateescape") if not name.isascii() else name


class IsolatedArchive:
    """An archive that a process of its own reads; what it unpacks lies in the workspace of the caller."""

    def __init__(self, source: ByteSource, helper: Helper, limits: Limits) -> None:
        self.label = source.label
        self._helper = helper
        self._request: dict[str, Any] = {"path": str(source.path), "label": source.label, "limits": asdict(limits)}
        self._count = 0
        self._listing: Listing | None = None
        self.format = ""

    def listing(self) -> Listing:
        """All members, in one pass; made once."""
        if self._listing is None:
            found = self._helper.facts("archive_listing", {"request": self._request})
            self.format = found["format"]
            members = [Member(_meant(name), size, kind, _meant(to)) for name, size, kind, to in found["members"]]
            fault = BytesError(*found["fault"]) if found["fault"] else None
            self._listing = Listing.of(members, fault)
        return self._listing

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some members as files in the workspace, in the order of the archive, in one pass."""
        self._count += 1
        token = f"{id(self):x}-{self._count}"
        wanted = {_shown(name): name for name in names}
        asked: list[str] | None = list(wanted)
        request = {**self._request, "folder": str(workspace.folder)}
        try:
            is_last = False
            while not is_last:
                answer = self._helper.facts("archive_fetch", {"request": request, "token": token, "names": asked})
                asked, is_last = None, bool(answer["is_last"])
                for shown, path, kind, text in answer["found"]:
                    name = wanted.pop(shown)
                    yield name, BytesError(kind, text) if path is None else FileBytes(path, text)
        except BytesError as fault:
            yield from ((name, fault) for name in wanted.values())
