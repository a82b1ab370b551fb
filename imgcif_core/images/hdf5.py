"""HDF5 files through h5py: datasets found link by link, frames read one by one.

Every link is followed by this module and not by the library, so that no file outside the allowed folder
is opened; sources of virtual datasets and external storage are judged before anything is read.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.images.limits import GIB, BytesError

MAX_LINKS = 64
MAX_SOURCES = 100_000
MAX_FRAME_BYTES = 1 * GIB
MAX_CHUNK_BYTES = 2 * GIB
MAX_RANK = 6
MAX_TEXT = 400
MAX_NODES = 4000
SMALL = 4096


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
        _refuse_filters(found, path)
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
            _refuse_filters(source, name)
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


def _refuse_filters(found: Any, path: str) -> None:
    """Refuse data whose filters are not installed."""
    import h5py

    for code, label in _filters(found):
        if not h5py.h5z.filter_avail(code):
            text = f"{path} needs the HDF5 filter {label or 'number'} ({code}), which is not installed"
            raise BytesError("unsupported", text)


def _filters(found: Any) -> Iterator[tuple[int, str]]:
    """Number and name of the filters of a dataset."""
    properties = found.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(index)
        yield code, name.decode("ascii", "replace") if name else ""


@lru_cache(maxsize=2)
def _files(path: str, stand_ins: tuple[tuple[str, str], ...], state: tuple[int, int]) -> Files:
    """The files of one request, kept for the next one of the same file."""
    return Files(path, dict(stand_ins))


def _opened(path: str, stand_ins: Mapping[str, str]) -> Files:
    """The files of a request; a file that has changed is opened again."""
    found = os.stat(path)
    return _files(path, tuple(sorted(stand_ins.items())), (found.st_size, found.st_mtime_ns))


def facts(path: str, dataset: str | None, stand_ins: Mapping[str, str]) -> dict[str, Any]:
    """Shape, type, chunks and filters of a dataset; without a name, of the first stack of images."""
    files = _opened(path, stand_ins)
    name = dataset or next(_image_paths(files), None)
    if name is None:
        raise BytesError("missing", f"no dataset of images in {os.path.basename(path)}")
    found = files.stack(name)
    return {
        "path": name,
        "shape": list(found.shape or ()),
        "dtype": found.dtype.str,
        "chunks": list(found.chunks) if found.chunks else None,
        "is_virtual": bool(found.is_virtual),
    }


def layout(path: str, dataset: str | None, stand_ins: Mapping[str, str]) -> dict[str, Any]:
    """Shape, type and filters of a dataset, whether or not its elements can be decoded here.

    Of a virtual dataset the filters of its first source are told.
    """
    files = _opened(path, stand_ins)
    name = dataset or next(_image_paths(files), None)
    if name is None:
        raise BytesError("missing", f"no dataset of images in {os.path.basename(path)}")
    found, place = files.dataset(name)
    if not hasattr(found, "dtype"):
        raise BytesError("missing", f"{name} is no dataset")
    held = found
    if found.is_virtual:
        source = next(iter(found.virtual_sources()), None)
        if source is not None:
            other = files if source.file_name == "." else Files(files.linked(source.file_name, place), stand_ins)
            other.folder = files.folder
            held, _ = other.dataset(source.dset_name)
    return {
        "path": name,
        "shape": list(found.shape or ()),
        "dtype": found.dtype.str,
        "filters": [[code, label] for code, label in _filters(held)],
    }


def frame(path: str, dataset: str, stand_ins: Mapping[str, str], axis: int, index: int) -> np.ndarray:
    """One frame: the dataset itself for a negative axis, else the slice `index` along it."""
    found = _opened(path, stand_ins).stack(dataset)
    shape = found.shape or ()
    left = [size for position, size in enumerate(shape) if position != axis]
    size = int(np.prod(left, dtype=object)) * found.dtype.itemsize
    if size > MAX_FRAME_BYTES:
        raise BytesError("limit", f"a frame of {dataset} has {size} bytes, more than {MAX_FRAME_BYTES}")
    if axis < 0:
        return found[()]
    if not 0 <= index < shape[axis]:
        raise BytesError("missing", f"{dataset} has {shape[axis]} frames, no number {index + 1}")
    return found[(slice(None),) * axis + (index,)]


def _image_paths(files: Files) -> Iterator[str]:
    """Paths of datasets that may hold images: those of NXdata first, then any of two dimensions or more."""
    import h5py

    pending = ["/"]
    seen = 0
    while pending and seen < MAX_NODES:
        group_path = pending.pop(0)
        try:
            group, _ = files.dataset(group_path)
        except BytesError:
            continue
        if not isinstance(group, h5py.Group):
            continue
        for name in sorted(group.keys()):
            seen += 1
            path = f"{group_path.rstrip('/')}/{name}"
            try:
                found, _ = files.dataset(path)
            except BytesError as fault:
                if fault.kind in ("needed", "unsafe"):
                    raise
                continue
            if isinstance(found, h5py.Group):
                if len(pending) < MAX_NODES and path.count("/") < 8:
                    pending.append(path)
            elif found.ndim >= 2 and min(found.shape[-2:]) > 1 and found.dtype.kind in "iuf":
                yield path


def header(path: str, stand_ins: Mapping[str, str]) -> dict[str, Any]:
    """The small values of a file by path: scalars, short arrays and texts, with their units.

    Links to files that are missing are left out.
    """
    import h5py

    files = _opened(path, stand_ins)
    values: dict[str, Any] = {}
    pending = [""]
    seen = 0
    while pending and seen < MAX_NODES:
        base = pending.pop(0)
        group, _ = files.dataset(base)
        for name in list(group.keys())[:MAX_NODES]:
            seen += 1
            at = f"{base}/{name}"
            try:
                found, _ = files.dataset(at)
            except BytesError:
                continue
            if isinstance(found, h5py.Group):
                if at.count("/") < 9:
                    pending.append(at)
                values[at] = {"group": _text(found.attrs.get("NX_class", ""))}
            else:
                values[at] = _value(found)
    return values


def _value(found: Any) -> dict[str, Any]:
    """Shape, attributes and, where it is small, the value of a dataset."""
    entry: dict[str, Any] = {"shape": list(found.shape or ()), "dtype": str(found.dtype)}
    attributes = {name: _plain(found.attrs[name]) for name in list(found.attrs)[:32]}
    if attributes:
        entry["attributes"] = attributes
    if found.size is not None and found.size <= SMALL and not found.is_virtual and not found.external:
        entry["value"] = _plain(found[()])
    elif found.ndim == 1 and found.size is not None and found.dtype.kind in "iuf":
        entry["ends"] = [float(found[0]), float(found[-1])]
    return entry


def _plain(value: Any) -> Any:
    """A value for JSON."""
    if isinstance(value, np.ndarray):
        return [_plain(entry) for entry in value.ravel()[:SMALL].tolist()]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, bytes):
        return _text(value)
    return value if isinstance(value, (int, float, bool)) else _text(value)


def _text(value: Any) -> str:
    """A text, decoded and cut."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text[:MAX_TEXT]


def _short(error: Exception) -> str:
    """The message of the library without its line of numbers."""
    return " ".join(str(error).split())[:200]
