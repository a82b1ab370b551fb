"""The image of one frame from the files at hand, cut into the panels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.create.builder import Built
from imgcif_core.create.layout import are_stacked
from imgcif_core.errors import InputError
from imgcif_core.sources.description import ImageFiles
from imgcif_core.sources.hdf5 import Master


def panel_images(built: Built, scan: int, frame: int, folders: list[Path]) -> list[np.ndarray]:
    """The image of each panel (slow, fast), for a frame counted from 0 within its scan.

    Raises
    ------
    InputError
        If the file is not found in the folders, cannot be read, or does not hold the panels.
    """
    images = built.scans[scan].images
    if images is None or len(images) <= frame:
        raise InputError(f"{built.experiment.path}: names no image for frame {frame + 1} of {built.scan_ids[scan]}")
    path = _found(images.files[int(images.file[frame])], folders)
    if images.paths:
        images = replace(images, path=images.paths[frame])
    whole = _read(path, images, int(images.frame[frame]) - 1)
    panels = built.layout.panels
    if len(panels) > 1 and not are_stacked(panels):
        raise InputError(f"{built.experiment.path}: does not say which part of an image belongs to which panel")
    found = []
    for panel in panels:
        fast, slow = panel.raw_offset
        part = whole[tuple(reversed(panel.raw_index))] if panel.raw_index else whole
        cut = part[..., slow : slow + panel.size[1], fast : fast + panel.size[0]]
        if cut.shape != (panel.size[1], panel.size[0]):
            raise InputError(f"{path}: an image of {whole.shape} does not hold panel {panel.name} of {panel.size}")
        found.append(np.ascontiguousarray(_plain(cut)))
    return found


def _found(name: str, folders: list[Path]) -> Path:
    """A file where it is named, or in one of the folders."""
    for candidate in (Path(name), *(folder / Path(name).name for folder in folders)):
        if candidate.is_file():
            return candidate
    raise InputError(f"{name}: the image is not here, nor in {', '.join(map(str, folders)) or 'any folder given'}")


def _read(path: Path, images: ImageFiles, index: int) -> np.ndarray:
    """One frame of a file: (slow, fast), or with more dimensions before these."""
    if images.format == "HDF5" or images.path is not None:
        with Master(path) as master:
            node = master.get(master.root, images.path or "")
            if not master.is_dataset(node):
                raise InputError(f"{path}: has no dataset {images.path}")
            try:
                return np.asarray(node[index] if len(node.shape) > 2 else node[()])
            except (OSError, IndexError, ValueError) as error:
                raise InputError(f"{path}: frame {index + 1} of {images.path} cannot be read ({error})") from None
    return _read_plain(path, index)


def _read_plain(path: Path, index: int) -> np.ndarray:
    """One frame of a CBF, SMV, TIFF or the like, through fabio."""
    try:
        import fabio
    except ImportError:
        raise InputError(f"{path}: reading images needs the extra 'images' (fabio)") from None
    try:
        with fabio.open(str(path)) as image:
            frame: Any = image.get_frame(index) if index else image
            return np.asarray(frame.data)
    except (OSError, ValueError, KeyError, IndexError, RuntimeError, TypeError) as error:
        raise InputError(f"{path}: frame {index + 1} cannot be read ({error})") from None


def _plain(image: np.ndarray) -> np.ndarray:
    """Elements of a type that imgCIF has: 64-bit integers become 32-bit ones where they fit."""
    native = image.astype(image.dtype.newbyteorder("="))
    if native.dtype.kind in "iu" and native.dtype.itemsize == 8:
        kind = np.int32 if native.min(initial=0) < 0 or native.max(initial=0) < 2**31 else np.uint32
        return native.astype(kind)
    return native
