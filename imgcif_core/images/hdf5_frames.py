"""What is asked of HDF5 files: shapes and types, single frames, and the small values of their headers."""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from imgcif_core.images.hdf5_door import (
    Door,
    attribute,
    attribute_names,
    filters_of,
    is_dataset,
    is_group,
    names_in,
)
from imgcif_core.images.limits import MAX_IMAGE_BYTES, MAX_PIXELS, BytesError, refuse_large

MAX_TEXT = 400
MAX_NODES = 4000
SMALL = 4096


@lru_cache(maxsize=2)
def _door(
    path: str, stand_ins: tuple[tuple[str, str], ...], folders: tuple[str, ...], follow: bool, state: tuple[int, int]
) -> Door:
    """The door of one request, kept for the next one of the same file."""
    return Door(path, dict(stand_ins), folders, follow=follow)


def forget() -> None:
    """Close what is kept open between requests."""
    _door.cache_clear()


def _opened(request: Mapping[str, Any]) -> Door:
    """The door of a request; a file that has changed is opened again."""
    path = request["path"]
    found = os.stat(path)
    stand_ins = tuple(sorted(request.get("stand_ins", {}).items()))
    folders = tuple(request.get("folders", ()))
    return _door(path, stand_ins, folders, bool(request.get("follow")), (found.st_size, found.st_mtime_ns))


def _named(door: Door, dataset: str | None) -> str:
    """The dataset that is asked for, or the first stack of images."""
    name = dataset or next(_image_paths(door), None)
    if name is None:
        raise BytesError("missing", f"no dataset of images in {os.path.basename(door.path)}")
    return name


def facts(request: Mapping[str, Any], dataset: str | None) -> dict[str, Any]:
    """Shape, type, chunks and filters of a dataset; without a name, of the first stack of images.

    `request` holds the path, its stand-ins and the folders that may be entered, as `Door` has them.
    """
    door = _opened(request)
    name = _named(door, dataset)
    found = door.stack(name)
    return {
        "path": name,
        "shape": list(found.shape or ()),
        "dtype": found.dtype.str,
        "chunks": list(found.chunks) if found.chunks else None,
        "is_virtual": bool(found.is_virtual),
    }


def layout(request: Mapping[str, Any], dataset: str | None) -> dict[str, Any]:
    """Shape, type and filters of a dataset, whether or not its elements can be decoded here.

    Of a virtual dataset the filters of its first source are told. Files that it names are judged.
    """
    door = _opened(request)
    name = _named(door, dataset)
    found, place = door.dataset(name)
    if not is_dataset(found):
        raise BytesError("missing", f"{name} is no dataset")
    held = found
    if found.is_virtual:
        source = next(iter(found.virtual_sources()), None)
        if source is not None:
            holder = place if source.file_name == "." else door.linked(source.file_name, place)
            held, _ = door.follow(door.file(holder), source.dset_name)
    for storage, *_ in getattr(held, "external", None) or ():
        door.linked(storage, held.file.filename)
    return {
        "path": name,
        "shape": list(found.shape or ()),
        "dtype": found.dtype.str,
        "filters": [[code, label] for code, label in filters_of(held)] if is_dataset(held) else [],
    }


def frame(request: Mapping[str, Any], dataset: str, axis: int, index: int, most: int = MAX_IMAGE_BYTES) -> np.ndarray:
    """One frame of at most so many bytes: the dataset itself for a negative axis, else the slice `index` along it."""
    found = _opened(request).stack(dataset)
    shape = found.shape or ()
    left = [size for position, size in enumerate(shape) if position != axis]
    count = int(np.prod(left, dtype=object))
    if count > MAX_PIXELS:
        raise BytesError("limit", f"a frame of {dataset} has {count} pixels, more than {MAX_PIXELS}")
    refuse_large(count * found.dtype.itemsize, most, f"a frame of {dataset}")
    if axis >= 0 and not 0 <= index < shape[axis]:
        raise BytesError("missing", f"{dataset} has {shape[axis]} frames, no number {index + 1}")
    pixels: np.ndarray = found[()] if axis < 0 else found[(slice(None),) * axis + (index,)]
    return pixels


def _image_paths(door: Door) -> Iterator[str]:
    """Paths of datasets that may hold images: any of two dimensions or more, nearest to the root first."""
    pending = ["/"]
    seen = 0
    while pending and seen < MAX_NODES:
        group_path = pending.pop(0)
        try:
            group, _ = door.dataset(group_path)
        except BytesError:
            continue
        if not is_group(group):
            continue
        for name in names_in(group, MAX_NODES):
            seen += 1
            path = f"{group_path.rstrip('/')}/{name}"
            try:
                found, _ = door.dataset(path)
            except BytesError as fault:
                if fault.kind in ("needed", "unsafe"):
                    raise
                continue
            if is_group(found):
                if len(pending) < MAX_NODES and path.count("/") < 8:
                    pending.append(path)
            elif is_dataset(found) and found.ndim >= 2 and min(found.shape[-2:]) > 1 and found.dtype.kind in "iuf":
                yield path


def header(request: Mapping[str, Any]) -> dict[str, Any]:
    """The small values of a file by path: scalars, short arrays and texts, with their units.

    Links to files that are missing or may not be entered are left out.
    """
    door = _opened(request)
    values: dict[str, Any] = {}
    pending = [""]
    seen = 0
    while pending and seen < MAX_NODES:
        base = pending.pop(0)
        group, _ = door.dataset(base)
        for name in names_in(group, MAX_NODES):
            seen += 1
            at = f"{base}/{name}"
            try:
                found, _ = door.dataset(at)
                if is_dataset(found):
                    values[at] = _value(door, found)
            except BytesError:
                continue
            if is_group(found):
                if at.count("/") < 9:
                    pending.append(at)
                values[at] = {"group": _text(attribute(found, "NX_class") or "")}
    return values


def _value(door: Door, found: Any) -> dict[str, Any]:
    """Shape, attributes and, where it is small, the value of a dataset."""
    entry: dict[str, Any] = {"shape": list(found.shape or ()), "dtype": str(found.dtype)}
    attributes = {name: _plain(attribute(found, name)) for name in attribute_names(found, 32)}
    if attributes:
        entry["attributes"] = attributes
    if found.size is not None and found.size <= SMALL:
        entry["value"] = _plain(door.value(found))
    elif found.ndim == 1 and found.size is not None and found.dtype.kind in "iuf":
        entry["ends"] = [float(door.part(found, 0)), float(door.part(found, -1))]
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
