"""Archives: the list of members in one pass, and single members as files, within limits.

Nothing is unpacked under a name that an archive chose, no link is followed, no device is made.
"""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from imgcif_core.formats import ARCHIVES, is_zip, packing_of
from imgcif_core.images.bytes import ByteSource, FileBytes, open_stream
from imgcif_core.images.expand import Expanded
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.images.members import Listing, Member, plain_name
from imgcif_core.images.workspace import Workspace

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_TAR_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

Fetched = tuple[str, "ByteSource | BytesError"]
# Tells by the name and the first kilobytes of a member how many bytes of it are wanted.
Enough = Callable[[Member, bytes], int]
_FIRST = 4096


class Archive(Protocol):
    """What every kind of archive can do."""

    label: str
    format: str

    def listing(self) -> Listing:
        """All members, in one pass; made once."""

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some members as files in the workspace, in the order of the archive, in one pass.

        Each name comes exactly once, with its bytes or with the reason why it has none.
        """


def open_archive(source: ByteSource, limits: Limits) -> "TarArchive | ZipArchive":
    """The archive in a source; its kind is told by its first bytes.

    Raises
    ------
    BytesError
        `damaged` or `unsupported` if it is no archive that can be read.
    """
    head = source.read(0, 512)
    if is_zip(head):
        return ZipArchive(source, limits)
    packing = packing_of(head)
    if packing is None and not _is_tar(head):
        raise BytesError("damaged", f"{source.label}: neither a zip nor a tar archive by its first bytes")
    return TarArchive(source, packing, limits)


def _is_tar(head: bytes) -> bool:
    """True if the first block is a tar header, or the zeros that end an empty archive."""
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return not head.strip(b"\0")
    return True


class TarArchive:
    """A tar archive, plain or packed; a packed one is read forwards, once for each request."""

    def __init__(self, source: ByteSource, packing: str | None, limits: Limits) -> None:
        self.label = source.label
        self.format = next(entry.word for entry in ARCHIVES if entry.packing == packing)
        self._source = source
        self._packing = packing
        self._limits = limits
        self._listing: Listing | None = None

    def listing(self) -> Listing:
        """All members, in one pass; made once."""
        if self._listing is None:
            members: list[Member] = []
            fault = None
            try:
                for info in self._entries(self._stream()):
                    members.append(tar_member(info))
            except BytesError as error:
                fault = error
            self._listing = Listing.of(members, fault)
        return self._listing

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some members as files in the workspace, in one pass that ends with the last of them."""
        wanted = {plain_name(name): name for name in names}
        stream = self._stream()
        try:
            for info in self._entries(stream):
                name = wanted.get(plain_name(info.name))
                if name is None:
                    continue
                del wanted[plain_name(info.name)]
                yield name, self._unpacked(stream, info, workspace)
                if not wanted:
                    return
        except BytesError as error:
            for name in wanted.values():
                yield name, error
            return
        for name in wanted.values():
            yield name, BytesError("missing", f"{self.label} has no member {name}")

    def heads(self, enough: Enough) -> Iterator[tuple[Member, bytes]]:
        """Every file with its first bytes, in one pass."""
        stream = self._stream()
        for info in self._entries(stream):
            member = tar_member(info)
            if member.kind == "file":
                stream.seek(info.offset_data)
                yield member, _head(stream, member, enough, self._limits)

    def _unpacked(self, stream: Any, info: tarfile.TarInfo, workspace: Workspace) -> ByteSource | BytesError:
        """One member as a file, or why not."""
        member = tar_member(info)
        if member.kind != "file":
            return _no_file(self.label, member)
        try:
            stream.seek(info.offset_data)
            return _kept(stream, member, self._limits.member_bytes, self.label, workspace)
        except BytesError as error:
            return error

    def _stream(self) -> Any:
        """The expanded bytes from the start."""
        plain = open_stream(self._source)
        if self._packing is None:
            return plain
        most = self._limits.expanded_bytes
        packed = Expanded(plain, self._source.size, self._packing, self.label, self._limits, most)
        return io.BufferedReader(packed, 1 << 16)

    def _entries(self, stream: BinaryIO) -> Iterator[tarfile.TarInfo]:
        """The headers of all members; a broken or missing end is an error after the last good one."""
        headers = _careful_headers(self._limits)
        count = names = 0
        try:
            with tarfile.open(fileobj=stream, mode="r:", tarinfo=headers, errors="surrogateescape") as archive:
                while (info := archive.next()) is not None:
                    archive.members.clear()  # type: ignore[attr-defined]
                    count += 1
                    if count > self._limits.members:
                        raise BytesError("limit", f"{self.label} has more than {self._limits.members} members")
                    names += len(info.name) + len(info.linkname)
                    if names > self._limits.names_bytes:
                        raise BytesError("limit", f"{self.label}: names of {names} bytes, more than is read")
                    yield info
        except RecursionError:
            raise BytesError("damaged", f"{self.label}: damaged after {count} members (headers without end)") from None
        except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, MemoryError) as error:
            text = " ".join(str(error).split())
            raise BytesError("damaged", f"{self.label}: damaged after {count} members ({text})") from None
        if headers.fault:
            raise BytesError("damaged", f"{self.label}: damaged after {count} members ({headers.fault})")


def _careful_headers(limits: Limits) -> Any:
    """A class of tar headers that keeps the fault which ended the reading, and bounds names."""

    class Header(tarfile.TarInfo):
        fault = ""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
            try:
                info = super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                if type(error).__name__ != "EOFHeaderError":
                    Header.fault = str(error)
                raise
            if info.size < 0 or (info.type in _TAR_HEADERS and info.size > limits.header_bytes):
                raise tarfile.ReadError(f"a header of {info.size} bytes")
            return info

    return Header


def tar_member(info: tarfile.TarInfo) -> Member:
    """The entry of a tar header."""
    if info.isdir():
        return Member(info.name, 0, "folder")
    if info.issym() or info.islnk():
        return Member(info.name, 0, "link", info.linkname)
    return Member(info.name, info.size, "file" if info.isreg() and not info.issparse() else "device")


class ZipArchive:
    """A zip archive: its directory is read first, members are reached directly."""

    format = "ZIP"

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        self.label = source.label
        self._source = source
        self._limits = limits
        self._listing: Listing | None = None
        self._archive: zipfile.ZipFile | None = None

    def listing(self) -> Listing:
        """All members, from the directory of the archive; made once."""
        if self._listing is None:
            members: list[Member] = []
            fault = None
            try:
                for info in self._open().infolist():
                    members.append(_zip_member(info))
                    if len(members) > self._limits.members:
                        raise BytesError("limit", f"{self.label} has more than {self._limits.members} members")
            except BytesError as error:
                fault = error
            self._listing = Listing.of(members, fault)
        return self._listing

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some members as files in the workspace, in the order of the archive."""
        wanted = {plain_name(name): name for name in names}
        try:
            infos = {plain_name(info.filename): info for info in self._open().infolist()}
        except BytesError as error:
            yield from ((name, error) for name in wanted.values())
            return
        for key, info in infos.items():
            if key in wanted:
                name = wanted.pop(key)
                yield name, self._unpacked(info, workspace)
        for name in wanted.values():
            yield name, BytesError("missing", f"{self.label} has no member {name}")

    def heads(self, enough: Enough) -> Iterator[tuple[Member, bytes]]:
        """Every file with its first bytes, in the order of the archive."""
        listing = self.listing()
        if listing.fault is not None:
            raise listing.fault
        for info in self._open().infolist():
            member = _zip_member(info)
            if member.kind != "file" or info.compress_type not in _ZIP_METHODS:
                continue
            try:
                with self._open().open(info) as stream:
                    yield member, _head(stream, member, enough, self._limits)
            except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
                words = " ".join(str(error).split())
                raise BytesError("damaged", f"{self.label}: {member.name} is damaged ({words})") from None

    def _unpacked(self, info: zipfile.ZipInfo, workspace: Workspace) -> ByteSource | BytesError:
        """One member as a file, or why not."""
        member = _zip_member(info)
        if member.kind != "file":
            return _no_file(self.label, member)
        if info.compress_type not in _ZIP_METHODS:
            return BytesError("unsupported", f"{self.label}: {member.name} is packed by method {info.compress_type}")
        most = self._limits.allowed(info.compress_size, self._limits.member_bytes)
        try:
            with self._open().open(info) as stream:
                return _kept(stream, member, most, self.label, workspace)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as e:
            return BytesError("damaged", f"{self.label}: {member.name} is damaged ({' '.join(str(e).split())})")
        except BytesError as error:
            return error

    def _open(self) -> zipfile.ZipFile:
        """The archive with its directory read, once."""
        if self._archive is None:
            self._refuse_large_directory()
            try:
                self._archive = zipfile.ZipFile(open_stream(self._source))
            except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
                raise BytesError("damaged", f"{self.label}: damaged ({' '.join(str(error).split())})") from None
        return self._archive

    def _refuse_large_directory(self) -> None:
        """Refuse a directory that would not fit into memory, before it is read."""
        start = max(0, self._source.size - 65_557)
        tail = self._source.read(start, 65_557)
        at = tail.rfind(b"PK\x05\x06")
        size = struct.unpack_from("<I", tail, at + 12)[0] if 0 <= at <= len(tail) - 22 else 0
        large = tail.rfind(b"PK\x06\x06", 0, at)
        if size == 0xFFFFFFFF and 0 <= large <= len(tail) - 56:
            size = struct.unpack_from("<Q", tail, large + 40)[0]
        if size > self._limits.directory_bytes:
            raise BytesError("limit", f"{self.label}: directory of {size} bytes, more than is read")


def _zip_member(info: zipfile.ZipInfo) -> Member:
    """The entry of a zip header."""
    mode = info.external_attr >> 16
    if info.filename.endswith("/"):
        return Member(info.filename, 0, "folder")
    if stat.S_ISLNK(mode):
        return Member(info.filename, 0, "link")
    if info.flag_bits & 1:
        return Member(info.filename, info.file_size, "encrypted")
    is_device = mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    return Member(info.filename, info.file_size, "device" if is_device else "file")


class FolderArchive:
    """A folder that stands in for an archive: unpacked already."""

    format = ""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.label = str(folder)
        self._folder = folder.resolve()
        self._limits = limits
        self._listing: Listing | None = None

    def listing(self) -> Listing:
        """All files below the folder; links are not followed."""
        if self._listing is None:
            members: list[Member] = []
            fault = None
            for path in sorted(islice(self._folder.rglob("*"), self._limits.members + 1)):
                members.append(_folder_member(path, path.relative_to(self._folder).as_posix()))
            if len(members) > self._limits.members:
                fault = BytesError("limit", f"{self.label} has more than {self._limits.members} files")
            self._listing = Listing.of(members, fault)
        return self._listing

    def fetch(self, names: Iterable[str], workspace: Workspace) -> Iterator[Fetched]:
        """Some files below the folder, where they lie."""
        for name in names:
            path = self._folder / plain_name(name)
            if not path.resolve().is_relative_to(self._folder):
                yield name, BytesError("unsafe", f"{name} leads out of {self.label}")
                continue
            try:
                yield name, FileBytes(path)
            except BytesError as error:
                yield name, error

    def heads(self, enough: Enough) -> Iterator[tuple[Member, bytes]]:
        """Every file with its first bytes, in the order of their names."""
        for member in self.listing().members:
            if member.kind == "file":
                with (self._folder / plain_name(member.name)).open("rb") as stream:
                    yield member, _head(stream, member, enough, self._limits)


def _head(stream: Any, member: Member, enough: Enough, limits: Limits) -> bytes:
    """The first bytes of a member, as many as are wanted and stated."""
    first = stream.read(min(_FIRST, member.size))
    wanted = min(enough(member, first), member.size, limits.member_bytes)
    found: bytes = first[:wanted] if wanted <= len(first) else first + stream.read(wanted - len(first))
    return found


def _folder_member(path: Path, name: str) -> Member:
    """The entry of a file below a folder."""
    if path.is_symlink():
        return Member(name, 0, "link")
    if path.is_dir():
        return Member(name, 0, "folder")
    return Member(name, path.stat().st_size, "file") if path.is_file() else Member(name, 0, "device")


def _no_file(label: str, member: Member) -> BytesError:
    """Why a member has no bytes of its own."""
    kind = "unsupported" if member.kind == "encrypted" else "unsafe"
    verb = "is encrypted" if member.kind == "encrypted" else f"is a {member.kind}"
    target = f" to {member.target}" if member.target else ""
    return BytesError(kind, f"{label}: {member.name} {verb}{target}, no file")


def _kept(stream: Any, member: Member, most: int, label: str, workspace: Workspace) -> ByteSource:
    """A member written to the workspace; its size is that of its header, or an error."""
    return workspace.keep(stream, member.name, member.size, most, f"{label}/{plain_name(member.name)}")
