"""Stacks of images behind one interface: CBF sections, HDF5 datasets, and what fabio reads."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from imgcif_core.cif.document import BinarySection, Document, Source
from imgcif_core.formats import HEAD_BYTES, image_of_name, pixel_reader_of
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.decode import decode_section, image_shape
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import GIB, OWN_FOLDER, BytesError, Reach
from imgcif_core.images.mime import SectionHeader, read_header
from imgcif_core.records import dataclass, field

MAX_CBF_BYTES = 4 * GIB
MAX_STAND_INS = 10_000
Beside = Callable[[str], str | None]


class ImageStack(Protocol):
    """Images of one shape; the first one has the index 0."""

    @property
    def label(self) -> str:
        """What to call the file in messages."""

    @property
    def kind(self) -> str:
        """The format."""

    @property
    def frames(self) -> int:
        """The number of images."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image, (slow, fast); empty if only its pixels tell."""

    @property
    def dtype(self) -> np.dtype | None:
        """The type of the elements."""

    def read(self, index: int, helper: Helper | None = None) -> np.ndarray:
        """One image, (slow, fast) or with further slower dimensions, by the helper that opened the file or another.

        Raises
        ------
        BytesError
            With the reason why there is none.
        """


@dataclass
class CbfImages:
    """The binary sections of a CBF that is opened for its images."""

    label: str
    document: Document
    helper: Helper
    kind: str = "CBF"

    @property
    def _sections(self) -> list[tuple[BinarySection, SectionHeader]]:
        return [(section, read_header(section)) for section in self.document.sections]

    @property
    def frames(self) -> int:
        """The number of sections."""
        return len(self.document.sections)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first section as its header states it; empty if it does not."""
        return image_shape(self._sections[0][1].dimensions)

    @property
    def dtype(self) -> np.dtype | None:
        """The type of the elements of the first section."""
        kind = self._sections[0][1].element_type
        return kind.dtype() if kind is not None else None

    def read(self, index: int, helper: Helper | None = None) -> np.ndarray:
        """The pixels of one section."""
        if not 0 <= index < self.frames:
            raise BytesError("missing", f"{self.label} has {self.frames} binary sections, no number {index + 1}")
        section, header = self._sections[index]
        if not section.is_terminated:
            raise BytesError("damaged", f"{self.label} ends within its binary section")
        return decode_section(self.document.source.data, section, header, helper or self.helper)


@dataclass
class Hdf5Images:
    """The frames of one HDF5 dataset; `axis` runs over them, -1 if the dataset is one frame."""

    label: str
    request: dict[str, Any]
    dataset: str
    full_shape: tuple[int, ...]
    axis: int
    dtype: np.dtype | None
    helper: Helper
    chunks: tuple[int, ...] | None = None
    kind: str = "HDF5"

    @property
    def frames(self) -> int:
        """The number of frames."""
        return self.full_shape[self.axis] if self.axis >= 0 else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one frame."""
        return tuple(size for position, size in enumerate(self.full_shape) if position != self.axis)

    def read(self, index: int, helper: Helper | None = None) -> np.ndarray:
        """The pixels of one frame; only its chunks are read."""
        helper = helper or self.helper
        arguments = {"request": self.request, "dataset": self.dataset, "axis": self.axis, "index": index}
        return helper.array("hdf5_frame", {**arguments, "most": helper.image_bytes})


@dataclass
class FabioImages:
    """The frames of a file that fabio reads."""

    label: str
    path: str
    kind: str
    frames: int
    shape: tuple[int, ...]
    dtype: np.dtype | None
    helper: Helper
    header: Mapping[str, str] = field(default_factory=dict)

    def read(self, index: int, helper: Helper | None = None) -> np.ndarray:
        """The pixels of one frame."""
        helper = helper or self.helper
        arguments = {"path": self.path, "reader": self.kind, "index": index, "most": helper.image_bytes}
        return helper.array("fabio_frame", arguments)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a file of images: see `open_images`; `told` is what the table of formats tells the reader."""

    path: str | None = None
    described: Sequence[int] = ()
    beside: Beside | None = None
    told: str = ""
    reach: Reach = OWN_FOLDER


def open_images(
    source: ByteSource,
    helper: Helper,
    *,
    path: str | None = None,
    described: Sequence[int] = (),
    beside: Beside | None = None,
    reach: Reach = OWN_FOLDER,
) -> ImageStack:
    """The images in a file, of a format told by its first bytes.

    Parameters
    ----------
    path :
        The dataset within an HDF5 file; the first stack of images if it is not given.
    described :
        Dimensions that the tables state, fastest first: they tell which axis of a dataset counts frames.
    beside :
        Finds the file that a link names relative to this one; None where there is none.
    reach :
        The folders that links within the file may lead to.

    Raises
    ------
    BytesError
        `unsupported`, `damaged`, `missing`, `limit`, `unsafe` or `crashed`.
    """
    head = source.read(0, HEAD_BYTES)
    reader, _, told = pixel_reader_of(head).partition(":")
    if not reader and (head.lstrip(b"\r\n \t").startswith(b"#\\#CIF") or b"--CIF-BINARY-FORMAT-SECTION--" in head):
        reader = "cbf"
    if reader not in READERS:
        # A name that promises a known format is not kept; other files may be of formats unknown here.
        kind = "damaged" if image_of_name(source.label) else "unsupported"
        raise BytesError(kind, f"{source.label} is no image of a known format by its first bytes")
    return READERS[reader](source, helper, Wanted(path, described, beside, told, reach))


def open_cbf(source: ByteSource, helper: Helper, _: Wanted | None = None) -> CbfImages:
    """The images of a CBF, with its text as a document."""
    from imgcif_core.cif.reader import read

    if source.size > MAX_CBF_BYTES:
        raise BytesError("limit", f"{source.label} has {source.size} bytes, more than a CBF may have ({MAX_CBF_BYTES})")
    document = read(Source(source.label, source.read(0, source.size)))
    if not document.sections:
        raise BytesError("damaged", f"{source.label} is a CBF without a binary section")
    return CbfImages(source.label, document, helper)


def _on_disk(source: ByteSource) -> str:
    """The path of a source; formats that are read by libraries need one."""
    if source.path is None:
        raise BytesError("unsupported", f"{source.label} does not lie on this machine")
    return str(source.path)


def _open_fabio(source: ByteSource, helper: Helper, wanted: Wanted) -> FabioImages:
    """A file of the other formats."""
    path = _on_disk(source)
    found = helper.facts("fabio_facts", {"path": path, "reader": wanted.told})
    return FabioImages(
        source.label,
        path,
        wanted.told,
        found["frames"],
        tuple(found["shape"]),
        np.dtype(found["dtype"]),
        helper,
        found["header"],
    )


def _open_hdf5(source: ByteSource, helper: Helper, wanted: Wanted) -> Hdf5Images:
    """A dataset of an HDF5 file; files that its links name are asked for one after the other."""
    request = wanted.reach.request(_on_disk(source))
    with named(source.label, request["path"]):
        found = with_stand_ins(
            lambda: helper.facts("hdf5_facts", {"request": request, "dataset": wanted.path}),
            request["stand_ins"],
            wanted.beside,
        )
    shape = tuple(found["shape"])
    if len(shape) < 2:
        raise BytesError("damaged", f"{found['path']} of {source.label} has {len(shape)} dimensions, no image")
    chunks = tuple(found["chunks"]) if found["chunks"] else None
    axis = frame_axis(shape, wanted.described)
    return Hdf5Images(source.label, request, found["path"], shape, axis, np.dtype(found["dtype"]), helper, chunks)


Opener = Callable[[ByteSource, Helper, Wanted], ImageStack]
# The readers of pixels by the word that the table of formats has for them.
READERS: dict[str, Opener] = {"cbf": open_cbf, "hdf5": _open_hdf5, "fabio": _open_fabio}


@contextmanager
def named(label: str, place: str) -> Iterator[None]:
    """Faults within name a file as its address does, not as the copy of it on this machine is called."""
    try:
        yield
    except BytesError as fault:
        own, other = os.path.basename(place), label.rstrip("/").rpartition("/")[2]
        text = re.sub(rf"(?<![\w.-]){re.escape(own)}(?!\w)", lambda _: other, str(fault))
        if text == str(fault):
            raise
        raise BytesError(fault.kind, text) from None


def with_stand_ins(ask: Callable[[], Any], stand_ins: dict[str, str], beside: Beside | None) -> Any:
    """The answer to a request about an HDF5 file, with the files that its links name found on the way."""
    while True:
        try:
            return ask()
        except BytesError as fault:
            if fault.kind != "needed":
                raise
            name = str(fault)
            found = beside(name) if beside is not None else None
            if found is None or name in stand_ins or len(stand_ins) >= MAX_STAND_INS:
                raise BytesError("missing", f"link to {name}, which is not there") from None
            stand_ins[name] = found


def frame_axis(shape: Sequence[int], described: Sequence[int]) -> int:
    """The axis of a dataset that counts frames, -1 if it is one frame.

    The axis that is left over when the described dimensions are taken out, in either order; the first
    one where that does not decide.
    """
    if len(shape) == 2 or (described and len(described) == len(shape) and sorted(described) == sorted(shape)):
        return -1
    wanted = sorted(described)
    for axis in range(len(shape)):
        left = [size for position, size in enumerate(shape) if position != axis]
        if wanted and sorted(size for size in left if size != 1) == [size for size in wanted if size != 1]:
            return axis
    return 0
