"""Folders of rsync servers: which list answers for which links, and a list as an archive of the members below it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.members import Listing, Member, plain_name
from imgcif_core.model.uris import parse_uri
from imgcif_core.net.links import Link
from imgcif_core.net.rsync import Listed
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.images.bytes import ByteSource
    from imgcif_core.images.workspace import Workspace

# A path of more folders than this is looked at as it is.
_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """One list: its address, whether all below it is listed, and the links it answers for with their names in it."""

    address: str
    is_deep: bool
    links: tuple[tuple[Link, str], ...]

    @property
    def host(self) -> str:
        """The server."""
        return parse_uri(self.address).host


def is_folder(link: Link) -> bool:
    """True if members are named below an address of rsync that is no archive."""
    return link.scheme == "rsync" and bool(link.members) and not link.archive


def lists_for(links: Iterable[Link]) -> list[Asked]:
    """The lists that answer for links of rsync, in the order of the links.

    A folder with members is listed with all below it, and that list answers for every link below the folder; of other
    links each folder is listed by itself.
    """
    links = list(links)
    roots: dict[str, str] = {}
    for link in links:
        if is_folder(link):
            place = _place(link.uri)
            # With a slash at its end the address can be nothing but a folder, or a link to one.
            roots[place] = link.uri if link.uri.endswith("/") or place not in roots else roots[place]
    found: dict[tuple[str, bool], list[tuple[Link, str]]] = {}
    for link in links:
        place = _place(link.uri)
        root = _root(place, roots)
        if root is not None:
            found.setdefault((roots[root], True), []).append((link, place[len(root) + 1 :]))
        else:
            folder, _, name = link.uri.rpartition("/")
            found.setdefault((f"{folder}/", False), []).append((link, unquote(re.split("[?#]", name)[0])))
    return [Asked(address, is_deep, tuple(group)) for (address, is_deep), group in found.items()]


def _place(uri: str) -> str:
    """Host and path of an address, without escapes and without a slash at the end."""
    parts = urlsplit(uri)
    return f"{parts.netloc.lower().removesuffix(':873')}{unquote(parts.path)}".rstrip("/")


def _root(place: str, roots: Collection[str]) -> str | None:
    """The outermost of some folders that a place is, or lies below."""
    found = None
    for _ in range(_DEPTH if roots else 0):
        if place in roots:
            found = place
        place, slash, _ = place.rpartition("/")
        if not slash:
            break
    return found


class Below:
    """The entries of a list by their names below its address.

    `own` is the address itself: a folder, or a file or link where it is none; None where the server lists nothing.
    """

    def __init__(self, asked: Asked, entries: Collection[Listed]) -> None:
        path = unquote(parse_uri(asked.address).path)
        is_inside = not asked.is_deep or asked.address.endswith("/") or "/" not in path.strip("/")
        self.by_name = {entry.name: entry for entry in entries}
        self.own: Listed | None = Listed("", 0, "folder", "")
        if not is_inside:
            # The program lists a folder without a slash under its own name.
            name = path.rpartition("/")[2]
            self.own = self.by_name.pop(name, None)
            self.by_name = {entry.removeprefix(f"{name}/"): found for entry, found in self.by_name.items()}
        self._sorted: list[str] | None = None

    def members(self, folder: str) -> list[Member]:
        """What lies below a folder of the list, by names below that folder; `` is the list itself."""
        if self._sorted is None:
            self._sorted = sorted(self.by_name)
        start, end = 0, len(self._sorted)
        if folder:
            # The sign that follows the slash bounds the names that begin with the folder.
            start, end = bisect_left(self._sorted, f"{folder}/"), bisect_left(self._sorted, f"{folder}0")
        skipped = len(folder) + 1 if folder else 0
        names = self._sorted[start:end]
        found = (self.by_name[name] for name in names)
        return [Member(name[skipped:], entry.size, entry.kind) for name, entry in zip(names, found, strict=True)]

    def count(self, folder: str, names: Iterable[str]) -> int:
        """How many of some members below a folder are files that hold anything."""
        prefix = f"{folder}/" if folder else ""
        found = (self.by_name.get(prefix + plain_name(name)) for name in names)
        return sum(entry is not None and entry.kind == "file" and entry.size > 0 for entry in found)


class RemoteFolder:
    """A folder of an rsync server in place of an archive: its members are listed, and their bytes are not fetched."""

    path: Path | None = None
    is_remote = True
    format = ""

    def __init__(self, uri: str, members: list[Member], fault: BytesError | None = None) -> None:
        self.label = uri
        self._members, self._fault = members, fault
        self._listing: Listing | None = None

    @property
    def size(self) -> int:
        """Of a folder no size is told."""
        raise self._refused()

    def read(self, start: int, length: int) -> bytes:
        """Images are not fetched by rsync."""
        raise self._refused()

    def close(self) -> None:
        """Nothing is open."""

    def open_archive(self, limits: Limits) -> RemoteFolder:
        """The folder itself.

        Raises
        ------
        BytesError
            What the server said in place of a list.
        """
        if self._fault is not None:
            raise self._fault
        return self

    def listing(self) -> Listing:
        """All that the server lists below the folder."""
        if self._listing is None:
            self._listing = Listing.of(self._members)
        return self._listing

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[tuple[str, ByteSource | BytesError]]:
        """Each name with the reason why it has no bytes."""
        for name in names:
            yield name, self._refused()

    def _refused(self) -> BytesError:
        return BytesError("refused", f"{self.label}: images are listed by rsync, and not fetched")
