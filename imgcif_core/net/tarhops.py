"""Tar archives on a server: headers by hops, members of equal size by prediction, packed ones from their start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from imgcif_core.images.archives import Fetched, TarArchive, tar_member
from imgcif_core.images.bytes import ByteSource, open_stream
from imgcif_core.images.limits import GIB, BytesError, Limits
from imgcif_core.images.members import Listing, Member, plain_name
from imgcif_core.images.sparse import Slice
from imgcif_core.images.workspace import Workspace
from imgcif_core.net.settings import shown_size
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.net.remote import RemoteFile

BLOCK = 512
# Headers that are read one after the other where nothing can be predicted.
MAX_HOPS = 20
# What a stream of a packed archive is read in.
PIECE = 1 << 21


@dataclass(frozen=True, slots=True)
class Entry:
    """A member whose header was read: where the header begins, where the bytes begin and where the next one does."""

    member: Member
    start: int
    data: int

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.data + -(-self.member.size // BLOCK) * BLOCK


class RemoteTar(TarArchive):
    """A plain tar archive on a server.

    `expected` are the names of the members that the tables give, in their order. Where the first members have
    one size, the headers in the middle and at the end are looked for where that size puts them; the others
    are then known by place, not by sight: `predicted` counts them.
    """

    def __init__(
        self, source: ByteSource, limits: Limits, expected: Sequence[str] = (), *, most_hops: int = MAX_HOPS
    ) -> None:
        super().__init__(source, None, limits)
        self._most_hops = most_hops
        self._remote, self._expected = source, [plain_name(name) for name in expected]
        self._entries_read: dict[str, Entry] = {}
        self._run: tuple[int, int, dict[str, int]] | None = None
        self.predicted = 0

    def listing(self) -> Listing:
        """The members that were seen, and those that the places of others tell; made once."""
        if self._listing is None:
            self._listing = self._listed()
        return self._listing

    def _listed(self) -> Listing:
        """Hop to the first headers, and from there to what is expected."""
        entries: list[Entry] = []
        fault = None
        try:
            for entry in self._hops(0):
                entries.append(entry)
                self._entries_read[plain_name(entry.member.name)] = entry
                if len(entries) >= 2 and self._run is None and self._predict(entries):
                    break
                if len(entries) >= self._most_hops:
                    total = shown_size(self._remote.size)
                    text = (
                        f"{self.label}: {self._most_hops} members were seen of {total}, and each other costs a request"
                    )
                    fault = BytesError("budget", text)
                    break
        except BytesError as error:
            fault = error
        members = [entry.member for entry in entries]
        if self._run is not None:
            size, seen = self._size_of_run(), {plain_name(member.name) for member in members}
            members += [Member(name, size, "file") for name in self._run[2] if name not in seen]
        return Listing.of(members, fault)

    def _size_of_run(self) -> int:
        """The size of the members of the run."""
        assert self._run is not None
        first = next(iter(self._run[2]))
        return self._entries_read[first].member.size

    def _hops(self, start: int) -> Iterator[Entry]:
        """The headers from a place on."""
        part = Slice(self._remote, start, self._remote.size - start, self.label)
        for info in self._entries(open_stream(part)):
            yield Entry(tar_member(info), start + info.offset, start + info.offset_data)

    def _predict(self, entries: list[Entry]) -> bool:
        """Find the run of equal members, and look at its middle and its end."""
        files = [entry for entry in entries if entry.member.kind == "file"]
        if len(files) != 2 or len(self._expected) < 5:
            return False
        first, second = files
        step = second.start - first.start
        if first.member.size != second.member.size or step != second.end - second.start:
            return False
        for names in (self._expected, sorted(self._expected)):
            names = list(dict.fromkeys(names))
            begin = plain_name(first.member.name)
            if names[:1] != [begin] or plain_name(second.member.name) != names[1]:
                continue
            wanted = sorted({len(names) // 2, len(names) - 1})
            if first.start + len(names) * step > self._remote.size:
                return False
            if all(self._is_at(first, step, index, names[index]) for index in wanted):
                self._run = first.start, step, {name: index for index, name in enumerate(names)}
                self.predicted = len(names) - len([name for name in names if name in self._entries_read])
                # Behind the last one there is nothing but the end, or members that nobody expects.
                return self._remote.size - (first.start + len(names) * step) <= 2 * 10_240
        return False

    def _is_at(self, first: Entry, step: int, index: int, name: str) -> bool:
        """True if the member of a name has its header where it is expected."""
        entry = next(self._hops(first.start + index * step), None)
        if entry is None or plain_name(entry.member.name) != name or entry.member.size != first.member.size:
            return False
        self._entries_read[name] = entry
        return True

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some members, each a part of the archive; those whose place is predicted are looked at first."""
        listing = self.listing()
        for name in names:
            plain = plain_name(name)
            entry = self._entries_read.get(plain)
            if entry is None and self._run is not None and plain in self._run[2]:
                start, step, places = self._run
                try:
                    entry = next(self._hops(start + places[plain] * step), None)
                except BytesError as fault:
                    yield name, fault
                    continue
                if entry is None or plain_name(entry.member.name) != plain:
                    yield name, BytesError("missing", f"{self.label} has no member {name} at the expected place")
                    continue
            if entry is not None and entry.member.kind == "file":
                yield name, Slice(self._remote, entry.data, entry.member.size, f"{self.label}/{plain}")
            elif entry is not None:
                yield name, BytesError("unsafe", f"{self.label}: {name} is a {entry.member.kind}, no file")
            else:
                yield name, listing.fault or BytesError("missing", f"{self.label} has no member {name}")


class RemotePackedTar(TarArchive):
    """A packed tar archive on a server: only what its first bytes hold."""

    def __init__(self, source: RemoteFile, packing: str, limits: Limits, most: int) -> None:
        from dataclasses import replace

        bounded = replace(limits, expanded_bytes=min(limits.expanded_bytes, 4 * GIB))
        super().__init__(FirstBytes(source, most), packing, bounded)
        self.predicted = 0


class FirstBytes:
    """A source that ends the reading where the bounds of a stream do."""

    path = None
    buffer = PIECE

    def __init__(self, source: RemoteFile, most: int) -> None:
        self.label, self.size = source.label, source.size
        self._source, self._most = source, most

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter where the bound is reached."""
        wanted = min(length, self.size - start, self._most - start)
        if wanted <= 0 and start < self.size and length > 0:
            text = f"{self.label} is packed as a whole: members beyond its first {shown_size(self._most)} not checked"
            raise BytesError("budget", text)
        return self._source.read(start, wanted) if wanted > 0 else b""

    def close(self) -> None:
        """Nothing to let go of: the file belongs to the run."""
