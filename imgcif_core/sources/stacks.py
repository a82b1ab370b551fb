"""Image stacks of HDF5 masters: how many frames there are, and in which file and dataset each lies."""

from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import ImageFiles
from imgcif_core.sources.hdf5 import Master, attribute

MAX_FRAMES = 20_000_000


@dataclass(slots=True)
class Stack:
    """The images of a master: shape of the whole stack as far as known, frames, files, remarks."""

    shape: tuple[int, ...] = ()
    frames: int = 0
    images: ImageFiles | None = None
    notes: list[str] = field(default_factory=list)
    absent: tuple[str, ...] = ()
    absent_path: str = ""

    @property
    def unshared(self) -> ImageFiles | None:
        """The data files to which no frame could be given, with no frame in any."""
        if self.images is not None or not self.absent or not self.absent_path:
            return None
        none = np.zeros(0, dtype=np.int64)
        return ImageFiles(self.absent, none, none, self.absent_path, "HDF5")


def find_stack(master: Master, entry: Any, detector: Any, images_per_file: int | None = None) -> Stack:
    """The stack that the data groups or the detector of an entry hold.

    Where the data files are absent, the master's own count is taken, and shared among them by
    `images_per_file`.
    """
    groups = [group for _, group in master.groups(entry, "NXdata")]
    stack = Stack()
    for group in groups:
        _from_data_group(master, group, stack)
        if stack.images is not None:
            break
    if stack.images is None and stack.frames == 0:
        _from_dataset(master, master.get(detector, "data"), stack)
    if stack.frames == 0:
        counts = [master.number(detector, f"detectorSpecific/{name}") for name in ("nimages", "ntrigger")]
        stack.frames = int((counts[0] or 0) * (counts[1] or 1))
        _share(stack, images_per_file)
    if not 0 <= stack.frames <= MAX_FRAMES:
        stack.notes.append(f"the number of frames {stack.frames} is not plausible and was not used")
        stack.frames = 0
    return stack


def _from_data_group(master: Master, group: Any, stack: Stack) -> None:
    """Look at the signal of a data group, and at numbered links as Eiger masters have them."""
    names = [name for name in dict.fromkeys((attribute(group, "signal"), "data", "frames")) if name]
    numbered = sorted(name for name in group if name.startswith("data_") and name[5:].isdigit())
    for name in names:
        link = group.get(name, getlink=True) if name in group else None
        if link is not None and name not in numbered:
            _from_dataset(master, master.get(group, name), stack)
        if stack.images is not None:
            return
    if numbered:
        _from_links(master, group, numbered, stack)


def _from_dataset(master: Master, node: Any, stack: Stack) -> None:
    """A stack in one dataset, stored here or assembled from others."""
    if not master.is_dataset(node) or len(node.shape) < 2:
        return
    master.images.add(node.name)
    stack.shape = tuple(int(length) for length in node.shape)
    stack.frames = stack.shape[0] if len(stack.shape) > 2 else 1
    if stack.frames > MAX_FRAMES:
        return
    if node.is_virtual:
        _from_virtual(master, node, stack)
        return
    name = str(master.path.name if node.file.filename == master.root.filename else node.file.filename)
    own = np.zeros(stack.frames, dtype=np.int64)
    stack.images = ImageFiles((name,), own, own + 1 + np.arange(stack.frames), node.name, "HDF5")


def _from_virtual(master: Master, node: Any, stack: Stack) -> None:
    """The source file and frame of each frame of a virtual dataset."""
    files: dict[str, int] = {}
    paths: set[str] = set()
    file, frame = np.full(stack.frames, -1), np.zeros(stack.frames, dtype=np.int64)
    for source in node.virtual_sources():
        name, path = source.file_name, source.dset_name
        if name == ".":
            name, path = _linked(master, node, path)
        target = _slab(source.vspace)
        target = target[target < stack.frames]
        origin = _slab(source.src_space)
        count = min(len(target), len(origin)) if len(origin) else len(target)
        if not count:
            continue
        start = origin[:count] if len(origin) else np.arange(count)
        paths.add("/" + path.lstrip("/"))
        file[target[:count]] = files.setdefault(name, len(files))
        frame[target[:count]] = start + 1
    if len(paths) == 1 and (file >= 0).all():
        stack.images = ImageFiles(tuple(files), file.astype(np.int64), frame, paths.pop(), "HDF5")
    else:
        stack.notes.append(
            f"{node.name} maps {int((file >= 0).sum())} of {stack.frames} frames in {len(paths)} datasets"
        )
    for name in files:
        master.resolve(name)


def _share(stack: Stack, images_per_file: int | None) -> None:
    """Give the frames to data files that are not here: all to the only one, else as many to each as is said."""
    count, files = stack.frames, stack.absent
    if not files or not stack.absent_path or not 0 < count <= MAX_FRAMES:
        return
    if len(files) == 1:
        images_per_file = count
    elif len(files) == count:
        images_per_file = 1
    absent = ImageFiles(files, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), stack.absent_path, "HDF5")
    if images_per_file is None or not fills(absent, count, images_per_file):
        said = "" if images_per_file is None else f", which {images_per_file} images per file do not fill"
        stack.notes.append(
            f"{count} frames lie in {len(files)} data files that are not here{said}, so no frame is assigned to a "
            f"file; {SETTLED}"
        )
        return
    stack.images = shared(absent, count, images_per_file)


# How remarks end that an answer makes void.
SETTLED = "the answer images_per_file settles it"


def fills(absent: ImageFiles, frames: int, images_per_file: int) -> bool:
    """True if so many images a file fill as many files as there are."""
    return -(-frames // images_per_file) == len(absent.files)


def shared(absent: ImageFiles, frames: int, images_per_file: int) -> ImageFiles:
    """Frames in files that are not here, so many in each."""
    numbers = np.arange(frames)
    return replace(absent, file=numbers // images_per_file, frame=numbers % images_per_file + 1)


def _linked(master: Master, node: Any, path: str) -> tuple[str, str]:
    """File and dataset to which a link of this file leads."""
    parent, _, name = path.rpartition("/")
    holder = master.get(node, parent or "/")
    link = holder.get(name, getlink=True) if holder is not None else None
    filename = getattr(link, "filename", None)
    if filename is None:
        return master.path.name, path
    return str(filename), str(getattr(link, "path", path))


def _slab(space: Any) -> np.ndarray:
    """The indices along the first dimension that a selection covers; empty where it has no bounds."""
    try:
        low, high = space.get_select_bounds()
    except (RuntimeError, ValueError):
        return np.zeros(0, dtype=np.int64)
    first = int(low[0])
    return np.arange(first, min(int(high[0]), first + MAX_FRAMES) + 1)


def _from_links(master: Master, group: Any, names: list[str], stack: Stack) -> None:
    """Numbered data files: their frames follow each other; a missing one leaves them uncounted."""
    counts, files, paths = [], [], set()
    for name in names:
        link = group.get(name, getlink=True)
        node = master.get(group, name)
        files.append(str(getattr(link, "filename", master.path.name)))
        paths.add("/" + str(getattr(link, "path", f"{group.name}/{name}")).lstrip("/"))
        if master.is_dataset(node) and len(node.shape) >= 2:
            counts.append(int(node.shape[0]) if len(node.shape) > 2 else 1)
            stack.shape = (0, *node.shape[-2:])
            master.images.add(node.name)
    if len(counts) < len(files):
        stack.absent, stack.absent_path = tuple(files), paths.pop() if len(paths) == 1 else ""
        return
    stack.frames = sum(counts)
    stack.shape = (stack.frames, *stack.shape[1:])
    if stack.frames > MAX_FRAMES or len(paths) != 1:
        return
    file = np.repeat(np.arange(len(files)), counts)
    frame = np.concatenate([np.arange(1, count + 1) for count in counts])
    stack.images = ImageFiles(tuple(files), file, frame, paths.pop(), "HDF5")
