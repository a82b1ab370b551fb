"""The images of a sweep one after the other, read by the isolated readers, also from archives."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.sweeps import Sweep
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError
from imgcif_core.images.pixels import ImageStack, open_images
from imgcif_core.sources.description import PanelFacts


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
                stack = open_stack(path, helper, images.path, needed)
                for frame in frames.tolist():
                    yield whole(stack.read(frame - 1), needed, f"{path.name}: image {frame}")
            except BytesError as error:
                raise InputError(f"{path.name}: {error}") from None


def _runs(file: np.ndarray, frame: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of frames in the same file."""
    starts = np.flatnonzero(np.diff(file)) + 1
    for part in np.split(np.arange(len(file)), starts):
        yield int(file[part[0]]), frame[part]


def open_stack(path: Path, helper: Helper, dataset: str | None, needed: tuple[int, ...]) -> ImageStack:
    """The images of one file; files that an HDF5 file links are looked for beside it."""

    def beside(name: str) -> str | None:
        found = path.parent / name
        inside = "/" not in name and name not in ("", ".", "..")
        return str(found) if inside and found.is_file() else None

    return open_images(FileBytes(path), helper, path=dataset, described=needed[::-1], beside=beside)


def whole(image: np.ndarray, needed: tuple[int, ...], name: str) -> np.ndarray:
    """An image, refused where panels up to (slow, fast) do not fit into it."""
    if image.ndim < 2 or image.shape[-2] < needed[0] or image.shape[-1] < needed[1]:
        described, found = (" x ".join(map(str, size[::-1])) for size in (needed, image.shape))
        raise InputError(f"{name} has {found} pixels, but {described} are described")
    return image


def cut(image: np.ndarray, panels: Sequence[PanelFacts], name: str) -> list[np.ndarray]:
    """The part of an image that each panel holds: (slow, fast)."""
    found = []
    for panel in panels:
        fast, slow = panel.raw_offset
        end = slow + panel.size[1], fast + panel.size[0]
        part = whole(image, end, name)
        if panel.raw_index:
            part = part[tuple(reversed(panel.raw_index))]
        found.append(np.ascontiguousarray(part[..., slow : end[0], fast : end[1]]))
    return found
