"""The image of one frame from the files at hand, cut into the panels."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.create.builder import Built
from imgcif_core.create.layout import are_stacked
from imgcif_core.errors import InputError
from imgcif_core.images.limits import BytesError
from imgcif_core.limits import DEFAULT_LIMITS, Budget
from imgcif_core.sources.description import ImageFiles


def panel_images(built: Built, scan: int, frame: int, folders: list[Path]) -> list[np.ndarray]:
    """The image of each panel (slow, fast), for a frame counted from 0 within its scan.

    Raises
    ------
    InputError
        If the file is not found in the folders, cannot be read, or does not hold the panels.
    """
    images = built.scans[scan].images
    if built.scans[scan].modules:
        raise InputError(
            f"{built.experiment.path}: the modules of a frame lie in files of their own, which no full CBF is made of"
        )
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
    """One frame of a file, (slow, fast) or with more dimensions before these, read in a process of its own."""
    from imgcif_core.images.isolated import Helper
    from imgcif_core.images.local import Address, LocalData
    from imgcif_core.images.pixels import open_images

    name = str(path)
    budget = Budget(DEFAULT_LIMITS)
    local = LocalData(maps={name: name}, budget=budget)
    helper = Helper(memory=DEFAULT_LIMITS.memory, budget=budget)
    try:
        stack = open_images(local.open(Address(name)), helper, path=images.path)
        return stack.read(index if stack.frames > 1 else 0)
    except BytesError as fault:
        place = f" of {images.path}" if images.path else ""
        raise InputError(f"{path}: frame {index + 1}{place} cannot be read ({fault})") from None
    finally:
        helper.close()
        local.close()


def _plain(image: np.ndarray) -> np.ndarray:
    """Elements of a type that imgCIF has: 64-bit integers become 32-bit ones where they fit."""
    native = image.astype(image.dtype.newbyteorder("="))
    if native.dtype.kind in "iu" and native.dtype.itemsize == 8:
        kind = np.int32 if native.min(initial=0) < 0 or native.max(initial=0) < 2**31 else np.uint32
        return native.astype(kind)
    return native
