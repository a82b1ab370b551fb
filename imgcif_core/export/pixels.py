"""The images of a sweep one after the other, read by the isolated readers, also from archives."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.plan import Sweep
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError
from imgcif_core.images.pixels import ImageStack, open_images


def sweep_images(sweep: Sweep) -> Iterator[np.ndarray]:
    """Each image of a sweep, (slow, fast) or with slower dimensions before these.

    Raises
    ------
    InputError
        If one is not on this machine, cannot be read, or has not the size of the panels.
    """
    images = sweep.images
    name = f"scan {sweep.id or 1}"
    if images is None or not sweep.is_local:
        raise InputError(f"{name}: its images were not found on this machine as files of their own; give --local DIR")
    needed = tuple(max(panel.raw_offset[k] + panel.size[k] for panel in sweep.panels) for k in (1, 0))
    with closing(Helper()) as helper:
        for file, frames in _runs(images.file, images.frame):
            path = Path(images.files[file])
            try:
                yield from _checked(_stack(path, helper, images.path, needed), frames, needed, path)
            except BytesError as error:
                raise InputError(f"{path.name}: {error}") from None


def _runs(file: np.ndarray, frame: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of frames in the same file."""
    starts = np.flatnonzero(np.diff(file)) + 1
    for part in np.split(np.arange(len(file)), starts):
        yield int(file[part[0]]), frame[part]


def _stack(path: Path, helper: Helper, dataset: str | None, needed: tuple[int, ...]) -> ImageStack:
    """The images of one file; files that an HDF5 file links are looked for beside it."""

    def beside(name: str) -> str | None:
        found = path.parent / name
        inside = "/" not in name and name not in ("", ".", "..")
        return str(found) if inside and found.is_file() else None

    return open_images(FileBytes(path), helper, path=dataset, described=needed[::-1], beside=beside)


def _checked(stack: ImageStack, frames: np.ndarray, needed: tuple[int, ...], path: Path) -> Iterator[np.ndarray]:
    """Some images of a file, refused where the panels do not fit into them."""
    for frame in frames.tolist():
        image = stack.read(frame - 1)
        if image.ndim < 2 or image.shape[-2] < needed[0] or image.shape[-1] < needed[1]:
            described = " x ".join(map(str, needed[::-1]))
            found = " x ".join(map(str, image.shape[::-1]))
            raise InputError(f"{path.name}: image {frame} has {found} pixels, but {described} are described")
        yield image
