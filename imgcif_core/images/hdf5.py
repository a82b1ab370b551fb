"""HDF5 files through h5py: datasets found link by link, frames read one by one.

Every link is followed by this module and not by the library, so that no file outside the allowed folder
is opened; sources of virtual datasets and external storage are judged before anything is read.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.images.limits import GIB, BytesError

MAX_LINKS = 64
MAX_SOURCES = 100_000
MAX_CHUNK_BYTES = 2 * GIB
MAX_RANK = 6


class Files:
    """Open HDF5 files below one folder; names are those that links give.

    `stand_ins` maps such names to paths, for members of archives that have other names on disk.
    """

    def __init__(self, path: str, stand_ins: Mapping[str, str]) -> None:
        self.path = os.path.realpath(path)
        self.folder = os.path.dirname(self.path)
        self.stand_ins = dict(stand_ins)
        self._open: dict[str, Any] = {}
        self._stacks: dict[str, Any] = {}

    def file(self, path: str) -> Any:
        """The open file of a path."""
        import h5py

        if path not in self._open:
            try:
                self._open[path] = h5py.File(path, "r")
            except OSError as error:
                raise BytesError("damaged", f"{os.path.basename(path)}: {_short(error)}") from None
        return self._open[path]

    def linked(self, name: str, holder: str) -> str:
        """The path of a file that a link in another file names.

        Raises
        ------
        BytesError
            `unsafe` if it lies outside the folder, `needed` if it is not there: another path may stand in.
        """
        if name in self.stand_ins:
            return self.stand_ins[name]
        path = os.path.realpath(os.path.join(os.path.dirname(holder), name))
        if os.path.commonpath([path, self.folder]) != self.folder:
            raise BytesError("unsafe", f"link to {name}, which lies outside the folder of the file")
        if not os.path.isfile(path):
            raise BytesError("needed", name)
        return path

    def close(self) -> None:
        """Close all files."""
        for handle in self._open.values():
            handle.close()

    def dataset(self, path: str) -> tuple[Any, str]:
        """The dataset or group of a path, and the file that holds it."""
        return self.follow(self.file(self.path), self.path, path)

    def follow(self, found: Any, place: str, path: str) -> tuple[Any, str]:
        """The dataset or group at the end of a path from a group, and the file that holds it.

        Raises
        ------
        BytesError
            `missing` if there is none, `unsafe` or `needed` for links to other files, `damaged` for
            links without end and for what cannot be read.
        """
        if path.startswith("/"):
            found = found.file
        parts = [part for part in path.split("/") if part][::-1]
        steps = 0
        while parts:
            steps += 1
            if steps > MAX_LINKS:
                raise BytesError("damaged", f"{path} leads through more than {MAX_LINKS} links")
            found, place = self._step(found, place, parts, path)
        return found, place

    def _step(self, found: Any, place: str, parts: list[str], path: str) -> tuple[Any, str]:
        """Follow one part of a path; the parts of a link's target come before the rest."""
        import h5py

        name = parts.pop()
        if not isinstance(found, h5py.Group):
            raise BytesError("missing", f"{path}: {found.name} is no group")
        link = found.get(name, getlink=True)
        if link is None:
            raise BytesError("missing", f"no {name} in {found.name} of {os.path.basename(place)}")
        if isinstance(link, h5py.SoftLink):
            start = found.file if link.path.startswith("/") else found
            parts.extend([part for part in link.path.split("/") if part and part != "."][::-1])
            return start, place
        if isinstance(link, h5py.ExternalLink):
            target = self.linked(link.filename, place)
            parts.extend([part for part in link.path.split("/") if part][::-1])
            return self.file(target), target
        try:
            return found[name], place
        except (KeyError, OSError, RuntimeError) as error:
            raise BytesError("damaged", f"{name} in {found.name}: {_short(error)}") from None

    def stack(self, path: str) -> Any:
        """The dataset of a path, safe to read by frames.

        Raises
        ------
        BytesError
            If it is none, if a source lies outside the folder or is missing, if a filter is not there.
        """
        if path not in self._stacks:
            with suppress(ImportError):
                import hdf5plugin  # noqa: F401
            self._stacks[path] = self._judged(path)
        return self._stacks[path]

    def _judged(self, path: str) -> Any:
        """The dataset of a path, with all that reading it would open or allocate judged."""
        import h5py

        found, place = self.dataset(path)
        if not isinstance(found, h5py.Dataset):
            raise BytesError("missing", f"{path} is no dataset")
        if found.dtype.kind not in "iufcb":
            raise BytesError("unsupported", f"{path} holds elements of type {found.dtype}, which are no pixels")
        if found.is_virtual:
            found = self._virtual(found, place)
        for name, *_ in found.external or ():
            self.linked(name, place)
        _refuse_bombs(found, path)
        _refusefilters_of(found, path)
        return found

    def _virtual(self, found: Any, place: str) -> Any:
        """A virtual dataset whose sources have all been judged."""
        sources = {(source.file_name, source.dset_name) for source in found.virtual_sources()[:MAX_SOURCES]}
        for file_name, name in sorted(sources):
            holder = place if file_name == "." else self.linked(file_name, place)
            own = self if holder == self.path else Files(holder, self.stand_ins)
            own.folder = self.folder
            source, held_in = own.dataset(name)
            if held_in != holder or source.is_virtual:
                _refuse_nested(source, file_name)
            _refuse_bombs(source, name)
            _refusefilters_of(source, name)
        named = {name for name, _ in sources if name in self.stand_ins}
        return _beside_links(found, {name: self.stand_ins[name] for name in named}) if named else found


def _refuse_nested(source: Any, file_name: str) -> None:
    """Refuse a source whose own sources the library would open unseen."""
    if source.is_virtual:
        raise BytesError("unsupported", f"virtual dataset over another virtual dataset in {file_name}")


def _beside_links(found: Any, stand_ins: Mapping[str, str]) -> Any:
    """The same virtual dataset, opened with a folder in which its sources have the names it knows."""
    import tempfile
    import weakref

    import h5py

    folder = tempfile.TemporaryDirectory(prefix="imgcif-")
    for name, path in stand_ins.items():
        link = Path(folder.name) / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_virtual_prefix(folder.name.encode())
    file, name = found.file, found.name.encode()
    # The library heeds the prefix only where the dataset is not open already.
    h5py.h5i.dec_ref(found.id)
    opened = h5py.Dataset(h5py.h5d.open(file.id, name, access))
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


def _refusefilters_of(found: Any, path: str) -> None:
    """Refuse data whose filters are not installed."""
    import h5py

    for code, label in filters_of(found):
        if not h5py.h5z.filter_avail(code):
            text = f"{path} needs the HDF5 filter {label or 'number'} ({code}), which is not installed"
            raise BytesError("unsupported", text)


def filters_of(found: Any) -> Iterator[tuple[int, str]]:
    """Number and name of the filters of a dataset."""
    properties = found.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(index)
        yield code, name.decode("ascii", "replace") if name else ""


def _short(error: Exception) -> str:
    """The message of the library without its line of numbers."""
    return " ".join(str(error).split())[:200]
