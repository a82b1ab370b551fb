"""From a URI to bytes: stand-ins named by the caller, files beside the document, and what resolvers give.

No network is used here. A source that fetches ranges from a server is given by one more resolver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from imgcif_core.formats import image_format_of, packing_of
from imgcif_core.images.bytes import ByteSource, FileBytes, open_stream
from imgcif_core.images.expand import Expanded
from imgcif_core.images.limits import BytesError, Limits, Reach
from imgcif_core.images.workspace import Workspace
from imgcif_core.limits import Budget
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.images.archives import Archive
    from imgcif_core.images.isolated import Helper

Resolver = Callable[[str], "Path | ByteSource | None"]
_KEPT = 64
# A master and the files that it links are read together.
_IN_USE = 8
# Last parts of download addresses that are no file names.
_VERBS = ("content", "download")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an image file is: a URI, and a member if that is an archive."""

    uri: str
    archive_format: str | None = None
    archive_path: str | None = None

    @property
    def is_member(self) -> bool:
        """True if the URI leads to an archive."""
        return self.archive_path is not None or self.archive_format is not None

    def beside(self, name: str) -> Address | None:
        """The address of a file named relative to this one; None if the name leads elsewhere."""
        own = self.archive_path if self.archive_path is not None else _parts(self.uri).path
        path = _inside(PurePosixPath(own).parent, name)
        if path is None:
            return None
        if self.archive_path is not None:
            return Address(self.uri, self.archive_format, str(path))
        head, _, last = self.uri.rpartition("/")
        if last.partition("?")[0] in _VERBS:
            # The address of a download names the file one step before its end.
            return Address(f"{head.rpartition('/')[0]}/{name}/{last}")
        return Address(f"{head}/{name}" if head or self.uri.startswith("/") else name)


def _parts(uri: str) -> SplitResult:
    """The parts of a URI; none where it is no URI."""
    try:
        return urlsplit(uri)
    except ValueError:
        return SplitResult("malformed", "", "", "", "")


def _inside(folder: PurePosixPath, name: str) -> PurePosixPath | None:
    """A relative name below a folder, None if it is absolute or climbs."""
    parts = PurePosixPath(name.replace("\\", "/"))
    return None if parts.is_absolute() or ".." in parts.parts or not parts.parts else folder / parts


class LocalData:
    """Bytes of external data that lie on this machine.

    Parameters
    ----------
    base :
        The folder of the document: where relative references lead.
    local :
        Folders that stand in for servers; a URI is looked for by the longest tail of its path.
    maps :
        Stand-ins for single URIs, or for all below a URI that ends with a slash.
    follow :
        True to follow symbolic links, and links within HDF5 files, out of these folders.
    budget :
        The time for all work on one check; files that are opened here add to it.
    """

    def __init__(
        self,
        *,
        base: Path | None = None,
        local: Path | Sequence[Path] | None = None,
        maps: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        resolvers: Sequence[Resolver] = (),
        follow: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.workspace = Workspace()
        self._budget, self._admitted = budget or Budget(self.limits), set[Path]()
        self._helper: Helper | None = None
        self._base, self._maps = base, dict(maps or {})
        self._locals = () if local is None else (local,) if isinstance(local, Path) else tuple(local)
        self.reach = Reach(tuple(str(folder) for folder in self._locals), follow)
        self._resolvers = (self._mapped, self._below_local, self._beside, *resolvers)
        self._found: dict[str, Path | ByteSource | BytesError | None] = {}
        self._archives: dict[str, Archive] = {}
        self._sources: dict[Address, ByteSource] = {}

    @property
    def has_stand_ins(self) -> bool:
        """True if more than relative references can be found."""
        return bool(self._locals) or bool(self._maps) or len(self._resolvers) > 3

    @property
    def is_offline(self) -> bool:
        """True if nothing is looked for but on this machine."""
        return len(self._resolvers) == 3

    def stand_in(self, uri: str) -> Path | ByteSource | None:
        """What stands in for a URI, None if nothing does."""
        found = self._looked_up(uri)
        return None if isinstance(found, BytesError) else found

    def found(self, uri: str) -> Path | ByteSource | None:
        """What stands in for a URI, None if nothing does.

        Raises
        ------
        BytesError
            If what is there is not taken.
        """
        found = self._looked_up(uri)
        if isinstance(found, BytesError):
            raise found
        return found

    def _looked_up(self, uri: str) -> Path | ByteSource | BytesError | None:
        """What stands in for a URI, or why what is there is not taken."""
        if uri not in self._found:
            try:
                found = (resolver(uri) for resolver in self._resolvers)
                self._found[uri] = next((entry for entry in found if entry is not None), None)
            except BytesError as fault:
                self._found[uri] = fault
        return self._found[uri]

    def is_remote(self, uri: str) -> bool:
        """True if the bytes behind a URI come from a server."""
        return bool(getattr(self._looked_up(uri), "is_remote", False))

    def archive(self, uri: str) -> Archive:
        """The archive behind a URI.

        Raises
        ------
        BytesError
            `missing` if nothing stands in for it, `damaged` if it is no archive.
        """
        from imgcif_core.images.archives import FolderArchive

        if uri not in self._archives:
            place = self._place(uri)
            if isinstance(place, Path) and place.is_dir():
                self._archives[uri] = FolderArchive(place, self.limits)
            else:
                self._archives[uri] = self._opened_archive(self._admit(place))
        return self._archives[uri]

    def _opened_archive(self, source: ByteSource) -> Archive:
        """An archive on disk, read in a process of its own; others here."""
        from imgcif_core.images.archives import open_archive

        opener = getattr(source, "open_archive", None)
        if opener is not None:
            found: Archive = opener(self.limits)
            return found
        archive = open_archive(source, self.limits)
        if source.path is None:
            return archive
        from imgcif_core.images.isolated import Helper
        from imgcif_core.images.unpacking import IsolatedArchive

        if self._helper is None:
            self._helper = Helper(memory=self.limits.memory, budget=self._budget)
        return IsolatedArchive(source, self._helper, self.limits)

    def open(self, address: Address) -> ByteSource:
        """The bytes of an image file; packing of the file itself (.gz, .bz2) is undone.

        Raises
        ------
        BytesError
            If it cannot be had, with the reason.
        """
        (_, found) = next(self.open_all([address]))
        if isinstance(found, BytesError):
            raise found
        return found

    def open_all(self, addresses: Iterable[Address]) -> Iterator[tuple[Address, ByteSource | BytesError]]:
        """The bytes of several image files, each packed archive read once; a source lasts until the next.

        The order is that of the archives. Sources stay open while they are among the last few.
        """
        by_archive: dict[str, list[Address]] = {}
        for address in dict.fromkeys(addresses):
            if address in self._sources:
                yield address, self._sources[address]
            elif address.is_member:
                by_archive.setdefault(address.uri, []).append(address)
            else:
                yield address, self._kept(address, self._plain(address))
        for uri, group in by_archive.items():
            yield from self._members(uri, group)

    def close(self) -> None:
        """Close all files and remove the temporary folder."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        self._archives.clear()
        if self._helper is not None:
            self._helper.close()
        self.workspace.close()

    def _members(self, uri: str, group: list[Address]) -> Iterator[tuple[Address, ByteSource | BytesError]]:
        """Members of one archive."""
        by_path = {address.archive_path or "": address for address in group}
        try:
            fetched = self.archive(uri).fetch(by_path, self.workspace)
            for name, found in fetched:
                source = found if isinstance(found, BytesError) else self._expanded(found)
                yield by_path[name], self._kept(by_path[name], source)
        except BytesError as error:
            yield from ((address, error) for address in group)

    def _plain(self, address: Address) -> ByteSource | BytesError:
        """A file that is no member of an archive."""
        try:
            place = self._place(address.uri)
            return self._expanded(self._admit(place))
        except BytesError as error:
            return error

    def _admit(self, place: Path | ByteSource) -> ByteSource:
        """A source; the size of a file on this machine, holes apart, adds to the time that a check may take."""
        if not isinstance(place, Path):
            return place
        source = FileBytes(place)
        if place not in self._admitted:
            self._admitted.add(place)
            self._budget.admit(min(source.size, 512 * getattr(place.stat(), "st_blocks", source.size)))
        return source

    def _expanded(self, source: ByteSource) -> ByteSource | BytesError:
        """The source itself, or what a packed single file expands to."""
        try:
            packing = packing_of(source.read(0, 8))
            if packing is None:
                return source if source.path is not None else self._at_hand(source)
            most = min(self.limits.member_bytes, self._room(self.limits.disk_for(source.size)))
            stream: Any = Expanded(open_stream(source), source.size, packing, source.label, self.limits, most)
            name = PurePosixPath(_parts(source.label).path).stem
            whole = self.workspace.keep_whole(stream, name, source.label)
            self.workspace.drop(source)
            return whole
        except BytesError as error:
            return error

    def _room(self, most: int) -> int:
        """The bytes that may be unpacked beside what lies there; sources of before are let go to make room."""
        while self.workspace.used() > most // 4 and len(self._sources) > _IN_USE:
            self.workspace.drop(self._sources.pop(next(iter(self._sources))))
        return max(0, most - self.workspace.used())

    def _at_hand(self, source: ByteSource) -> ByteSource:
        """A source as a file: HDF5 with holes that reading fills, others whole."""
        from imgcif_core.images.sparse import SparseFile

        name = PurePosixPath(_parts(source.label).path).name
        found = image_format_of(source.read(0, 8))
        if found is not None and found.word == "HDF5":
            return SparseFile(source, self.workspace.new(name))
        most = min(self.limits.member_bytes, self.limits.disk_for(source.size))
        source.read(0, min(source.size, most))
        return self.workspace.keep(open_stream(source), name, source.size, most, source.label)

    def _kept(self, address: Address, source: ByteSource | BytesError) -> ByteSource | BytesError:
        """Remember a source; the oldest one beyond the last few is closed."""
        if not isinstance(source, BytesError):
            self._sources[address] = source
            if len(self._sources) > _KEPT:
                self.workspace.drop(self._sources.pop(next(iter(self._sources))))
        return source

    def _place(self, uri: str) -> Path | ByteSource:
        """The stand-in for a URI, or the error that there is none."""
        place = self.found(uri)
        if place is None:
            raise BytesError("missing", f"{'offline, and ' if self.is_offline else ''}no local copy of {uri}")
        return place

    def _mapped(self, uri: str) -> Path | None:
        """A stand-in named for this URI, or for a folder above it."""
        if uri in self._maps:
            return Path(self._maps[uri])
        for prefix in sorted(self._maps, key=len, reverse=True):
            if prefix.endswith("/") and uri.startswith(prefix):
                rest = _inside(PurePosixPath(), unquote(_parts(uri[len(prefix) :]).path))
                folder = Path(self._maps[prefix])
                return self._within(folder, folder / rest) if rest is not None else None
        return None

    def _below_local(self, uri: str) -> Path | None:
        """A file below a local folder: the longest tail of host and path that is there."""
        if not self._locals:
            return None
        parts = _parts(uri)
        names = [name for name in (parts.netloc, *unquote(parts.path).split("/")) if name not in ("", ".")]
        while names and names[-1] in _VERBS:
            names.pop()
        if ".." in names or any("\0" in name for name in names):
            return None
        starts = range(max(0, len(names) - 32), len(names))
        tails = ((folder, folder.joinpath(*names[start:])) for start in starts for folder in self._locals)
        return next((self._within(folder, path) for folder, path in tails if _exists(path)), None)

    def _beside(self, uri: str) -> Path | None:
        """A file that a relative reference leads to, in the folder of the document or below it."""
        parts = _parts(uri)
        if self._base is None or parts.scheme or parts.netloc:
            return None
        path = _inside(PurePosixPath(), unquote(parts.path))
        if path is None or "\0" in str(path):
            return None
        found = self._base / path
        return self._within(self._base, found) if _exists(found) else None

    def _within(self, folder: Path, path: Path) -> Path:
        """A path below a folder, refused if symbolic links lead out of all folders that are allowed."""
        if self.reach.is_following:
            return path
        try:
            real = path.resolve()
            if any(real.is_relative_to(allowed.resolve()) for allowed in (folder, *self._locals)):
                return path
        except (OSError, RuntimeError):
            pass
        raise BytesError("unsafe", f"{path.name} is a link that leads out of {folder}, which is not followed")


def _exists(path: Path) -> bool:
    """True if there is such a file or folder; names that no system takes do not exist."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
