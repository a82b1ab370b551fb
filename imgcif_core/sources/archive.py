"""Archives as inputs: their members read once, within the limits of archives, and named as in the archive.

Of images only the beginning is unpacked, in which their headers lie; descriptions and masters whole. The
copies lie in a folder of their own that disappears with the reading.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgcif_core.errors import InputError
from imgcif_core.formats import (
    BY_WORD,
    TEXT_SUFFIXES,
    archive_suffix,
    compression_suffix,
    image_format_of,
    image_of_name,
    plain_ending,
)
from imgcif_core.images.archives import open_archive
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.limits import MIB, BytesError, Limits
from imgcif_core.images.members import Member, danger_of, plain_name
from imgcif_core.sources.description import Experiment, ImageFiles
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.isolated import call_once
from imgcif_core.sources.merging import Drafts

_WHOLE = (".expt", ".json", ".geom", ".lst", ".inp", ".xds", ".toml")
# Kinds whose readers need the whole file.
_WHOLE_KINDS = ("nxmx", "tiff")
# The tables of a full CBF before its image, and the largest stacks that are unpacked for their headers: from
# small archives so much as no bomb fills a disk with.
_HEADER_BYTES, _STACK_BYTES, _TEXT_BYTES = 256 * 1024, 2048 * MIB, 256 * MIB
_SMALL_ARCHIVE, _SMALL_STACK_BYTES = 10_000_000, 512 * MIB
_SMV = re.compile(rb"\{\s*HEADER_BYTES\s*=\s*(\d{1,7})")
_BINARY = b"--CIF-BINARY-FORMAT-SECTION--"
# The lines of MIME that follow the boundary.
_MIME_BYTES = 2048


def is_archive(path: str) -> bool:
    """True for a file that is named as an archive."""
    return archive_suffix(path) is not None and Path(path).is_file()


class Opened:
    """The copies of members of archives, with the names that they have there; use it in a `with`."""

    def __init__(self) -> None:
        self._folder: Any = None
        self._members: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def files(self, path: str) -> list[str]:
        """The copies of all members of an archive that may describe something, in the order of their names.

        Raises
        ------
        InputError
            If the archive is damaged, too large, or holds nothing of that kind.
        """
        import tempfile

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="imgcif-")
        root = Path(self._folder.name) / str(len(self._members))
        found = []
        for target, member in call_once("heads", path, str(root)):
            self._members[target] = (path, member)
            found.append(target)
        if not found:
            raise InputError(f"{path}: holds no image and no description that is read here")
        return sorted(found)

    def member(self, copy: str) -> str:
        """The name of a copy in its archive; that of any other file as it is."""
        return self._members[copy][1] if copy in self._members else copy

    def told(self, text: str) -> str:
        """A message with the names of the archive instead of those of the copies."""
        if self._folder is None or self._folder.name not in text:
            return text
        for copy, (archive, member) in self._members.items():
            text = text.replace(copy, f"{archive}/{member}")
        return text

    def renamed(self, described: Experiment | Incomplete) -> Experiment | Incomplete:
        """A description whose images are members of the archives."""
        if not self._members:
            return described
        if isinstance(described, Drafts):
            return Drafts(tuple(self._draft(part) for part in described.parts))
        if isinstance(described, Draft):
            return self._draft(described)
        if not isinstance(described, Experiment):
            return described
        scans = tuple(
            replace(
                scan,
                images=self._images(scan.images),
                modules=tuple(entry for entry in map(self._images, scan.modules) if entry is not None),
            )
            for scan in described.scans
        )
        notes, known = self._texts(described.notes, described.provenance)
        return replace(described, path=self.told(described.path), scans=scans, notes=notes, provenance=known)

    def _draft(self, draft: Draft) -> Draft:
        """A draft under the names of the archive."""
        notes, known = self._texts(draft.notes, draft.provenance)
        images = self._images(draft.images)
        return replace(draft, path=self.told(draft.path), images=images, notes=notes, provenance=known)

    def _texts(self, notes: tuple[str, ...], provenance: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Remarks and provenance under the names of the archive."""
        known = {name: replace(entry, source=self.told(entry.source)) for name, entry in provenance.items()}
        return tuple(map(self.told, notes)), known

    def _images(self, images: ImageFiles | None) -> ImageFiles | None:
        """Images as members of the archive in which all of them lie."""
        if images is None or not images.files:
            return images
        places = [self._members.get(name) for name in images.files]
        if any(place is None for place in places):
            # A master names its data files relative to itself.
            near = {(archive, member.rpartition("/")[0]) for archive, member in self._members.values()}
            if len({archive for archive, _ in near}) != 1 or len(near) != 1:
                return images
            (archive, folder) = near.pop()
            names = tuple(f"{folder}/{name}".lstrip("/") for name in images.files)
            return replace(images, files=names, archive=archive)
        archives = {place[0] for place in places if place is not None}
        if len(archives) != 1:
            return images
        members = tuple(place[1] for place in places if place is not None)
        return replace(images, files=members, archive=archives.pop())


def unpack_heads(path: str, folder: str) -> list[tuple[str, str]]:
    """Copies, below a folder, of the beginnings of members that may describe something, each with its member.

    Raises
    ------
    InputError
        If the archive is damaged, or more would have to be unpacked than there is room for.
    """
    found = []
    unpacked = 0
    try:
        room = _SMALL_STACK_BYTES if Path(path).stat().st_size < _SMALL_ARCHIVE else _STACK_BYTES
        for member, head in open_archive(FileBytes(Path(path)), Limits()).heads(_enough):
            if not head or danger_of(member.name):
                continue
            unpacked += len(head)
            if unpacked > room:
                raise InputError(f"{path}: more than {room // MIB} MB would have to be unpacked")
            target = Path(folder) / plain_name(member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(head)
            found.append((str(target), plain_name(member.name)))
    except BytesError as error:
        raise InputError(str(error)) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be unpacked ({getattr(error, 'strerror', None) or error})") from None
    return found


def _enough(member: Member, head: bytes) -> int:
    """How many bytes of a member tell what it describes: none of what is neither image nor description."""
    name = member.name.lower()
    if name.endswith(_WHOLE):
        return min(member.size, _TEXT_BYTES)
    image = image_of_name(name)
    if compression_suffix(name) or (image is not None and image.kind in _WHOLE_KINDS):
        return member.size
    if found := _SMV.match(head):
        return int(found[1])
    if plain_ending(name) in TEXT_SUFFIXES or image_format_of(head) is BY_WORD["CBF"] or head.startswith(b"#\\#CIF"):
        at = head.find(_BINARY)
        return at + _MIME_BYTES if at >= 0 else _HEADER_BYTES
    return 0
