"""The one door to HDF5: every file is opened, every link followed and every value read by this module.

Links, sources of virtual datasets and external storage name other files. One function says which of these
are opened: those in the folder of the file itself and below the folders that the caller allows. Links are
followed here and never by the library; what reading a dataset would open or allocate is judged before.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.images.limits import MIB, BytesError
from imgcif_core.images.sparse import HeldFile, is_sparse

MAX_LINKS = 64
MAX_SOURCES = 100_000
MAX_CHUNK_BYTES = 512 * MIB
MAX_RANK = 6
# Values of headers: settings of a million frames are 8 MB.
MAX_VALUE_BYTES = 64 * MIB
MAX_TEXTS = 4096
MAX_ATTRIBUTE_BYTES = 32 << 10
# Elements of variable length may all lead to one large text, so that few are read.
MAX_ATTRIBUTE_TEXTS = 16
_FAULTS = (OSError, RuntimeError, TypeError, ValueError, KeyError, OverflowError)
_NUMBERS = "iufcb"
# The files that links led to, with their sizes, and how much of it has been told.
_linked: dict[str, int] = {}


def take_linked_bytes() -> int:
    """The bytes of files that links led to since the last call, holes apart."""
    found = sum(_linked.values())
    _linked.update(dict.fromkeys(_linked, 0))
    return found


def h5py() -> Any:
    """The library.

    Raises
    ------
    BytesError
        `unsupported` if it is not installed.
    """
    try:
        import h5py as library
    except ImportError:
        raise BytesError("unsupported", "HDF5 is read by h5py, which is not installed") from None
    return library


class Door:
    """Open HDF5 files of one request; use it in a `with` or close it.

    Parameters
    ----------
    path :
        The file that is asked for.
    stand_ins :
        Paths for names that links give, for members of archives that have other names on disk.
    folders :
        Folders below which linked files may lie, beside the folder of the file itself.
    follow :
        True to follow links wherever they lead.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        stand_ins: Mapping[str, str] | None = None,
        folders: Iterable[str | os.PathLike[str]] = (),
        *,
        follow: bool = False,
    ) -> None:
        self.path = os.path.realpath(path)
        self.stand_ins = dict(stand_ins or {})
        self.folders = (os.path.dirname(self.path), *map(os.path.realpath, folders))
        self.is_following = follow
        self._open: dict[str, Any] = {}
        self._stacks: dict[str, Any] = {}

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root(self) -> Any:
        """The file that was asked for."""
        return self.file(self.path)

    def file(self, path: str) -> Any:
        """The open file of a path that has been judged: a regular file, never a pipe or a device."""
        if path not in self._open:
            try:
                if not stat.S_ISREG(os.stat(path).st_mode):
                    raise BytesError("damaged", f"{os.path.basename(path)} is no regular file")
                self._open[path] = h5py().File(HeldFile(path) if is_sparse(path) else path, "r")
            except FileNotFoundError:
                raise BytesError("damaged", f"{os.path.basename(path)}: no such file") from None
            except _FAULTS as error:
                raise BytesError("damaged", f"{os.path.basename(path)} is no readable HDF5: {_short(error)}") from None
        return self._open[path]

    def linked(self, name: str, holder: str) -> str:
        """The path of a file that another file names, in a link, a virtual dataset or external storage.

        Raises
        ------
        BytesError
            `unsafe` if it lies outside the folders, `needed` if it is not there: another path may stand in.
        """
        if name in self.stand_ins:
            return self.stand_ins[name]
        shown = name if name.isprintable() else ascii(name)
        if "\0" in name or not name:
            raise BytesError("unsafe", f"link to {shown!r}, which is no name of a file")
        path = os.path.realpath(os.path.join(os.path.dirname(holder), name))
        if not self.is_following and not any(_is_below(path, folder) for folder in self.folders):
            raise BytesError("unsafe", f"link to {shown}, which lies outside the folder of the file")
        if not os.path.isfile(path):
            if os.path.exists(path):
                raise BytesError("unsafe", f"link to {shown}, which is no regular file")
            raise BytesError("needed", name)
        if path not in _linked:
            found = os.stat(path)
            _linked[path] = min(found.st_size, 512 * getattr(found, "st_blocks", found.st_size))
        return path

    def close(self) -> None:
        """Close all files."""
        for handle in self._open.values():
            with suppress(*_FAULTS):
                handle.close()
        self._open.clear()

    def dataset(self, path: str) -> tuple[Any, str]:
        """The dataset or group of a path, and the file that holds it."""
        return self.follow(self.root, path)

    def follow(self, found: Any, path: str) -> tuple[Any, str]:
        """The dataset or group at the end of a path from a group, and the file that holds it.

        Raises
        ------
        BytesError
            `missing` if there is none, `unsafe` or `needed` for links to other files, `damaged` for
            links without end and for what cannot be read.
        """
        place = found.file.filename
        if path.startswith("/"):
            found = found.file
        parts = [part for part in path.split("/") if part not in ("", ".")][::-1]
        steps = 0
        while parts:
            steps += 1
            if steps > MAX_LINKS:
                raise BytesError("damaged", f"{path[:200]} leads through more than {MAX_LINKS} links")
            found, place = self._step(found, place, parts, path)
        return found, place

    def _step(self, found: Any, place: str, parts: list[str], path: str) -> tuple[Any, str]:
        """Follow one part of a path; the parts of a link's target come before the rest."""
        library = h5py()
        name = parts.pop()
        if not isinstance(found, library.Group):
            raise BytesError("missing", f"{path}: {found.name} is no group")
        try:
            link = found.get(name, getlink=True)
        except _FAULTS as error:
            raise BytesError("damaged", f"{name} in {found.name}: {_short(error)}") from None
        if link is None:
            raise BytesError("missing", f"no {name} in {found.name} of {os.path.basename(place)}")
        if isinstance(link, library.SoftLink):
            start = found.file if link.path.startswith("/") else found
            parts.extend([part for part in link.path.split("/") if part and part != "."][::-1])
            return start, place
        if isinstance(link, library.ExternalLink):
            target = self.linked(link.filename, place)
            parts.extend([part for part in link.path.split("/") if part and part != "."][::-1])
            return self.file(target), target
        try:
            return _member(found, name, place), place
        except _FAULTS as error:
            raise BytesError("damaged", f"{name} in {found.name}: {_short(error)}") from None

    def stack(self, path: str) -> Any:
        """The dataset of a path, safe to read by frames.

        Raises
        ------
        BytesError
            If it is none, if it leads to files that are not allowed or missing, if a filter is not there.
        """
        if path not in self._stacks:
            found, _ = self.dataset(path)
            if not is_dataset(found):
                raise BytesError("missing", f"{path} is no dataset")
            if found.dtype.kind not in _NUMBERS:
                raise BytesError("unsupported", f"{path} holds elements of type {found.dtype}, which are no pixels")
            self._stacks[path] = self._judged(found, path)
        return self._stacks[path]

    def value(self, found: Any, path: str = "") -> Any:
        """The whole value of a small dataset: numbers, or texts.

        Raises
        ------
        BytesError
            As `stack`, and `limit` for one that is not small.
        """
        count, kind = found.size, found.dtype.kind
        name = path or found.name
        if count is None:
            raise BytesError("missing", f"{name} is empty")
        if count * found.dtype.itemsize > MAX_VALUE_BYTES:
            raise BytesError("limit", f"{name} holds {count} values, too many for metadata")
        try:
            if kind in _NUMBERS or kind in "SU":
                return self._judged(found, name)[()]
            if h5py().check_string_dtype(found.dtype) is None:
                raise BytesError(
                    "unsupported", f"{name} holds elements of type {found.dtype}, neither numbers nor texts"
                )
            return _texts(self._judged(found, name), name)
        except _FAULTS as error:
            raise BytesError("damaged", f"{name} cannot be read: {_short(error)}") from None

    def part(self, found: Any, key: Any) -> Any:
        """A part of a dataset of numbers that is small itself."""
        try:
            return self._judged(found, found.name)[key]
        except _FAULTS as error:
            raise BytesError("damaged", f"{found.name} cannot be read: {_short(error)}") from None

    def _judged(self, found: Any, path: str) -> Any:
        """A dataset, with all that reading it would open or allocate judged."""
        with suppress(ImportError):
            import hdf5plugin  # noqa: F401
        place = found.file.filename
        _refuse_bombs(found, path)
        _refuse_filters(found, path)
        if found.is_virtual:
            return self._virtual(found, place)
        self._judge_storage(found, place)
        return found

    def _judge_storage(self, found: Any, place: str) -> None:
        """Raise where a dataset is stored in files that may not be entered or are not there."""
        for name, *_ in found.external or ():
            self._refuse_stand_in(name)
            self.linked(name, place)

    def _refuse_stand_in(self, name: str) -> None:
        """Refuse storage that only another path stands in for, which the library cannot be told."""
        if name in self.stand_ins:
            raise BytesError("unsupported", f"external storage in {name}, a member of an archive")

    def _virtual(self, found: Any, place: str) -> Any:
        """A virtual dataset whose sources have all been judged."""
        sources = {(source.file_name, source.dset_name) for source in found.virtual_sources()[:MAX_SOURCES]}
        for file_name, name in sorted(sources):
            if "%" in file_name or "%" in name:
                raise BytesError("unsupported", f"virtual dataset over a pattern of names, {file_name}")
            holder = place if file_name == "." else self.linked(file_name, place)
            source, _ = self.follow(self.file(holder), name)
            if not is_dataset(source):
                raise BytesError("missing", f"{name} of {file_name} is no dataset")
            if source.is_virtual or source.external:
                # The library would open further files unseen.
                raise BytesError("unsupported", f"virtual dataset over one that leads on, in {file_name}")
            _refuse_bombs(source, name)
            _refuse_filters(source, name)
        named = {name: self.stand_ins[name] for name, _ in sources if name in self.stand_ins}
        return _beside_links(found, named) if named else found


def _is_below(path: str, folder: str) -> bool:
    """True for a real path in a folder or below it."""
    return path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def _texts(found: Any, name: str) -> Any:
    """Texts of variable length, one by one, as many as together are small."""
    if found.shape == ():
        return found[()]
    if found.size > MAX_TEXTS:
        raise BytesError("limit", f"{name} holds {found.size} texts, too many for metadata")
    values, length = np.empty(found.shape, dtype=object), 0
    for index in np.ndindex(found.shape):
        values[index] = found[index]
        length += len(values[index])
        if length > MAX_VALUE_BYTES:
            raise BytesError("limit", f"{name} holds more than {MAX_VALUE_BYTES} bytes of text")
    return values


def _member(group: Any, name: str, place: str) -> Any:
    """A member of a group that is stored in it.

    External storage is looked for in the folder of the file, where it is judged, and not in the working
    directory; the library wants all openings of such a dataset to say so alike.
    """
    try:
        found = group[name]
        if not is_dataset(found) or not found.external:
            return found
        # The prefix is heeded only where the dataset is not open already.
        h5py().h5i.dec_ref(found.id)
    except (KeyError, OSError):
        if not is_own(group, name):
            raise
    library = h5py()
    access = library.h5p.create(library.h5p.DATASET_ACCESS)
    access.set_efile_prefix(os.fsencode(os.path.dirname(place)))
    return library.Dataset(library.h5d.open(group.id, name.encode("utf-8", "surrogateescape"), access))


def _beside_links(found: Any, stand_ins: Mapping[str, str]) -> Any:
    """The same virtual dataset, opened with a folder in which its sources have the names it knows."""
    import tempfile
    import weakref

    folder = tempfile.TemporaryDirectory(prefix="imgcif-")
    base = Path(folder.name)
    for name, path in stand_ins.items():
        link = base / name
        if not os.path.normpath(link).startswith(str(base) + os.sep):
            raise BytesError("unsafe", f"link to {name}, which lies outside the folder of the file")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.realpath(path))
    library = h5py()
    access = library.h5p.create(library.h5p.DATASET_ACCESS)
    access.set_virtual_prefix(os.fsencode(folder.name))
    file, name = found.file, found.name.encode()
    # The library heeds the prefix only where the dataset is not open already.
    library.h5i.dec_ref(found.id)
    opened = library.Dataset(library.h5d.open(file.id, name, access))
    weakref.finalize(opened, folder.cleanup)
    return opened


def _refuse_bombs(found: Any, path: str) -> None:
    """Refuse frames and chunks that would take all memory."""
    shape, width = found.shape or (), found.dtype.itemsize
    if len(shape) > MAX_RANK:
        raise BytesError("limit", f"{path} has {len(shape)} dimensions, more than {MAX_RANK}")
    if found.chunks and int(np.prod(found.chunks, dtype=object)) * width > MAX_CHUNK_BYTES:
        size = int(np.prod(found.chunks, dtype=object)) * width
        raise BytesError("limit", f"chunks of {path} expand to {size} bytes, more than {MAX_CHUNK_BYTES}")


def _refuse_filters(found: Any, path: str) -> None:
    """Refuse data whose filters are not installed."""
    for code, label in filters_of(found):
        if not h5py().h5z.filter_avail(code):
            text = f"{path} needs the HDF5 filter {label or 'number'} ({code}), which is not installed"
            raise BytesError("unsupported", text)


def filters_of(found: Any) -> Iterator[tuple[int, str]]:
    """Number and name of the filters of a dataset."""
    properties = found.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(index)
        yield code, name.decode("ascii", "replace") if name else ""


def is_group(node: Any) -> bool:
    """True for a group."""
    return isinstance(node, h5py().Group)


def is_dataset(node: Any) -> bool:
    """True for a dataset."""
    return isinstance(node, h5py().Dataset)


def is_own(group: Any, name: str) -> bool:
    """True for a member that is stored in its group, not linked to."""
    try:
        return isinstance(group.get(name, getlink=True), h5py().HardLink)
    except _FAULTS:
        return False


def names_in(group: Any, most: int) -> list[str]:
    """The names of the members of a group, sorted, the first of them."""
    try:
        return sorted(group.keys())[:most]
    except _FAULTS:
        return []


def attribute(node: Any, name: str) -> Any:
    """A small attribute: a number, a text, or an array of them; None where there is none."""
    if node is None:
        return None
    try:
        if name not in node.attrs:
            return None
        handle = node.attrs.get_id(name)
        count = int(np.prod(handle.shape or (), dtype=object))
        if handle.dtype.kind == "O":
            is_small = h5py().check_string_dtype(handle.dtype) is not None and count <= MAX_ATTRIBUTE_TEXTS
        else:
            is_small = handle.dtype.kind in _NUMBERS + "SU" and count * handle.dtype.itemsize <= MAX_ATTRIBUTE_BYTES
        return node.attrs[name] if is_small else None
    except _FAULTS:
        return None


def attribute_names(node: Any, most: int) -> list[str]:
    """The names of the attributes of a node, the first of them."""
    try:
        return list(node.attrs)[:most]
    except _FAULTS:
        return []


def _short(error: Exception) -> str:
    """What a fault of the library comes to, without paths and numbers of the machine."""
    text = " ".join(str(error).split())
    known = (
        ("file signature not found", "the signature of the format is not there"),
        ("truncated file", "the file is cut off"),
        ("bad object header", "an object header is damaged"),
        ("wrong B-tree signature", "an index is damaged"),
        ("filter returned failure", "a filter cannot undo the packing"),
        ("can't open file", "a file that it names cannot be opened"),
        ("unable to open external", "a file that it names cannot be opened"),
    )
    return next((plain for mark, plain in known if mark.lower() in text.lower()), "its structure is damaged")
