"""What is asked of HDF5 files: shapes and types, single frames, and the small values of their headers."""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from imgcif_core.images.hdf5 import Files, filters_of
from imgcif_core.images.limits import GIB, BytesError

MAX_FRAME_BYTES = 1 * GIB
MAX_TEXT = 400
MAX_NODES = 4000
SMALL = 4096


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
        "filters": [[code, label] for code, label in filters_of(held)],
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
