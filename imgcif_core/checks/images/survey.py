"""The input of the IMG rules: the numbers of each image that is looked at, one image in memory at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.checks.binary.sections import Binary, product
from imgcif_core.checks.external.inputs import address_of
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, provider
from imgcif_core.cif.document import Document, Place, Quoting
from imgcif_core.images.bytes import ByteSource, FileBytes
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import Address, LocalData
from imgcif_core.images.measure import ImageFacts, Levels, Thumbnail, measure, thumbnail
from imgcif_core.images.mime import read_header
from imgcif_core.images.side_by_side import LEAST_IMAGES, LEAST_PIXELS, LEAST_TOTAL, has_cores, run_all
from imgcif_core.limits import Budget
from imgcif_core.model.external import ExternalData
from imgcif_core.model.frame_images import FrameImage, FrameImages
from imgcif_core.model.storage import StoredArray, StoredArrays
from imgcif_core.records import cached_property, dataclass, field
from imgcif_core.spots.finder import Spots, find_spots
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.images.isolated import Helper
    from imgcif_core.images.pixels import ImageStack

# Images of each array of which a thumbnail is kept; one array looks alike in all of them.
MAX_THUMBNAILS = 3
# Frames in which spots are looked for: the sample of each scan, at most so many images.
MAX_SPOT_IMAGES = 60
# Images by whose size is told whether all are worth to be read side by side.
FIRST = 64
NO_PIXELS = "pixels are read with --images sample or all"


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One image that was read; `binary` is set for embedded ones."""

    frame: FrameImage
    array: StoredArray
    place: Place
    label: str
    facts: ImageFacts
    binary: Binary | None
    thumbnail: Thumbnail | None
    spots: Spots | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """One image that was not read, and why."""

    frame: FrameImage
    place: Place
    label: str
    fault: BytesError
    binary: Binary | None


@dataclass
class Survey:
    """The images of a block that were looked at, and those that could not be read.

    `reason` says why none was looked at.
    """

    images: list[Surveyed] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    reason: str = ""

    @cached_property
    def by_array(self) -> dict[str, list[Surveyed]]:
        """The images of each array."""
        found: dict[str, list[Surveyed]] = {}
        for image in self.images:
            found.setdefault(image.array.array_id, []).append(image)
        return found

    @cached_property
    def series(self) -> list[list[Surveyed]]:
        """Images of one scan, array and section each, in the order of the frames."""
        found: dict[tuple[str, str, str | None], list[Surveyed]] = {}
        for image in sorted(self.images, key=lambda image: image.frame.position):
            key = (image.frame.scan_id, image.array.array_id, image.frame.section_id)
            found.setdefault(key, []).append(image)
        return list(found.values())


@provider("decoders")
def decoders(options: CheckOptions, budget: Budget) -> Helper:
    """The process in which decoders run; started by the first that needs it."""
    from imgcif_core.images.isolated import Helper

    return Helper(memory=max(options.limits.memory, 1), budget=budget)


@provider("stored_arrays")
def stored_arrays(tables: Tables) -> StoredArrays:
    """What the tables say of each array as stored."""
    return StoredArrays(tables)


@provider("survey")
def survey(survey_attempt: Survey) -> Survey:
    """The images that were read; `NotChecked` where there is none."""
    if not survey_attempt.images:
        raise NotChecked(reason_of(survey_attempt))
    return survey_attempt


@provider("survey_attempt")
def survey_attempt(any_survey: Survey) -> Survey:
    """What came of reading images; `NotApplicable` where there are none, `NotChecked` where none was asked for."""
    if any_survey.reason:
        raise NotChecked(any_survey.reason)
    if not any_survey.images and not any_survey.unread:
        raise NotApplicable("no frame has an image")
    return any_survey


@provider("any_survey")
def any_survey(
    stored_arrays: StoredArrays,
    document: Document,
    options: CheckOptions,
    any_external: ExternalData,
    local_data: LocalData,
    decoders: Helper,
    budget: Budget,
) -> Survey:
    """What came of reading the images that the options ask for, which may be none."""
    frames = FrameImages(stored_arrays)
    if not frames.data or not (frames.data.has("data") or len(any_external)):
        return Survey()
    if options.images in ("none", "header"):
        return Survey(reason=NO_PIXELS)
    # Looked up without a trace: no verdict about pixels rests on axes.
    has_places = any(table.category.name.lower() == "axis" for table in stored_arrays.tables.present)
    reader = ImageReader(stored_arrays, frames, document, any_external, local_data, decoders, has_places=has_places)
    chosen = (image for image in frames.chosen(sample=options.images == "sample") if image.data_row >= 0)
    found = Survey()
    for entry in reader.read_all(chosen, budget):
        if isinstance(entry, Surveyed):
            found.images.append(entry)
        else:
            found.unread.append(entry)
    return found


def reason_of(found: Survey) -> str:
    """Why images were not read, by the first one."""
    count = len(found.unread)
    noun = "the image was" if count == 1 else f"{count} images were"
    return f"{noun} not read: {found.unread[0].fault}" if count else "no image was read"


class ImageReader:
    """Reads images one by one, and keeps their numbers; blocks and spots of few, where pixels have a place."""

    def __init__(
        self,
        arrays: StoredArrays,
        frames: FrameImages,
        document: Document,
        external: ExternalData,
        local: LocalData,
        helper: Helper,
        *,
        has_places: bool = False,
    ) -> None:
        self._arrays, self._frames, self._document = arrays, frames, document
        self._external, self._local, self._helper = external, local, helper
        self._sections = {section.start: section for section in document.sections}
        # Images of each array, and of None those in which spots are looked for.
        self._looks: Counter[str | None] = Counter()
        # Blocks and spots are held against places in the laboratory; without axes there are none.
        self._has_places = has_places
        self._with_spots = {(image.scan_id, image.position) for image in frames.chosen(sample=True) if has_places}
        self._last: tuple[tuple[object, ...], ImageStack] | None = None

    def read_all(self, chosen: Iterable[FrameImage], budget: Budget) -> Iterator[Surveyed | Unread]:
        """All of the chosen images, as far as the time goes: embedded ones first, then file by file."""
        images = iter(chosen)
        first = list(islice(images, FIRST))
        is_shared = has_cores() and self._local.is_offline and _is_much([self._size_of(image) for image in first])
        for found in run_all(self._prepared(chain(first, images), budget), self._helper, is_shared=is_shared):
            yield self._looked_at(found) if isinstance(found, Surveyed) else found

    def _prepared(self, images: Iterable[FrameImage], budget: Budget) -> Iterator[Callable[[Helper], _Reading]]:
        """What makes the reading of each image, just before its turn."""
        by_address: dict[Address, list[FrameImage]] = {}
        for image in images:
            binary = self._binary(image)
            if binary is not None:
                yield partial(self._embedded, image, binary, budget)
                continue
            row = int(self._external.of_data[image.data_row]) if len(self._external) else -1
            address = address_of(self._external, row) if row >= 0 else None
            if address is not None:
                by_address.setdefault(address, []).append(image)
        for address, source in self._local.open_all(by_address):
            for image in by_address[address]:
                yield partial(self._from_file, image, address, source, budget)

    def _size_of(self, image: FrameImage) -> int:
        """The number of pixels that are stated, 0 where none are."""
        binary = self._binary(image)
        stated = binary.header.dimensions if binary is not None else ()
        return product(stated if len(stated) > 1 else self._arrays[image.array_id].dimensions or (0,))

    def pixels(self, image: FrameImage) -> np.ndarray:
        """The pixels of one image.

        Raises
        ------
        BytesError
            If they are not at hand, or cannot be read.
        """
        binary = self._binary(image)
        if binary is not None:
            return self._section_pixels(image, binary, self._helper)
        row = int(self._external.of_data[image.data_row]) if len(self._external) else -1
        address = address_of(self._external, row) if row >= 0 else None
        if address is None:
            raise BytesError("missing", "no link leads to it")
        source = self._local.open(address)
        return _read(*self._opened(image, address, source, self._helper), source, self._helper)

    def _binary(self, image: FrameImage) -> Binary | None:
        """The section that is the value of a row of ARRAY_DATA."""
        column = self._frames.data.column("data")
        if column is None or column.quoting_of(image.data_row) is not Quoting.BINARY:
            return None
        section = self._sections.get(int(column.starts[image.data_row]))
        if section is None:
            return None
        return Binary(self._document.source, section, read_header(section), self._arrays, image.data_row)

    def _embedded(self, image: FrameImage, binary: Binary, budget: Budget, _: Helper) -> _Reading:
        """The reading of an embedded image."""
        spent = _used_up(budget)
        pixels = partial(self._section_pixels, image, binary) if spent is None else _refusing(spent)
        return self._reading(image, self._label_of(image), pixels, binary if spent is None else None)

    def _label_of(self, image: FrameImage) -> str:
        """An embedded image for messages."""
        return f"binary {self._frames.data.text('binary_id', image.data_row, '1')}"

    def _section_pixels(self, image: FrameImage, binary: Binary, helper: Helper) -> np.ndarray:
        """The pixels of an embedded image."""
        from imgcif_core.images.decode import decode_section

        if not binary.is_readable:
            raise BytesError("damaged", "the binary section is not whole")
        dimensions = self._arrays[image.array_id].dimensions
        described = dimensions if len(dimensions) > 1 else ()
        return decode_section(binary.source.data, binary.section, binary.header, helper, described)

    def _from_file(
        self, image: FrameImage, address: Address, source: ByteSource | BytesError, budget: Budget, helper: Helper
    ) -> _Reading:
        """The reading of an image in a file, which is opened."""
        label = _label(address)
        found = source if isinstance(source, BytesError) else _used_up(budget) or source
        if isinstance(found, BytesError):
            return self._reading(image, label, _refusing(found))
        try:
            stack, index = self._opened(image, address, found, helper)
        except BytesError as fault:
            return self._reading(image, label, _refusing(fault))
        label = f"{label}, frame {index + 1}" if stack.frames > 1 else label
        return self._reading(image, label, partial(_read, stack, index, found))

    def _opened(
        self, image: FrameImage, address: Address, source: ByteSource, helper: Helper
    ) -> tuple[ImageStack, int]:
        """The images of a file, and the index of the one that is meant."""
        told = self._external.image(int(self._external.of_data[image.data_row]))
        stack = self._stack(address, source, told.path, self._arrays[image.array_id], helper)
        return stack, _index(told.frame, stack)

    def _stack(
        self, address: Address, source: ByteSource, path: str | None, array: StoredArray, helper: Helper
    ) -> ImageStack:
        """The images of a file; links of HDF5 files lead to its neighbours."""
        from imgcif_core.images.pixels import open_images

        def beside(name: str) -> str | None:
            neighbour = address.beside(name)
            if neighbour is None:
                return None
            found = self._local.open(neighbour)
            return str(found.path) if found.path is not None else None

        key = (address, path, array.dimensions)
        if self._last is None or self._last[0] != key:
            found = open_images(
                source,
                helper,
                path=path,
                described=array.dimensions,
                beside=beside,
                reach=self._local.reach,
            )
            self._last = key, found
        return self._last[1]

    def _reading(
        self,
        image: FrameImage,
        label: str,
        pixels: Callable[[Helper], np.ndarray],
        binary: Binary | None = None,
    ) -> _Reading:
        """The reading of an image, with the looks at it that are still to be taken."""
        is_sampled = (image.scan_id, image.position) in self._with_spots
        # Of images under way nobody knows whether they can be read: what is too much is left out in the end.
        has_blocks = self._has_places and self._looks[image.array_id] < MAX_THUMBNAILS
        has_spots = is_sampled and self._looks[None] < MAX_SPOT_IMAGES
        array = self._arrays[image.array_id]
        return _Reading(image, array, self._place(image), label, pixels, binary, has_blocks, has_spots)

    def _looked_at(self, found: Surveyed) -> Surveyed:
        """An image that was read, with the looks at it that were still to be taken when its turn came."""
        array_id = found.frame.array_id
        small = found.thumbnail if self._looks[array_id] < MAX_THUMBNAILS else None
        spots = found.spots if self._looks[None] < MAX_SPOT_IMAGES else None
        self._looks[array_id] += 1
        self._looks[None] += spots is not None
        return replace(found, thumbnail=small, spots=spots)

    def _place(self, image: FrameImage) -> Place:
        """The row that stands for an image: its frame, else its data."""
        table, row = self._frames.table_of(image)
        return table.at(row, "id" if image.frame_row >= 0 else "data")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one image; `pixels` may be called in any thread."""

    image: FrameImage
    array: StoredArray
    place: Place
    label: str
    pixels: Callable[[Helper], np.ndarray]
    binary: Binary | None
    has_blocks: bool
    has_spots: bool

    def run(self, helper: Helper) -> Surveyed | Unread:
        """The numbers of the pixels, which are not kept."""
        pixels = self.pixels(helper)
        levels = Levels(self.array.overload, self.array.underload, self.array.undefined)
        small = thumbnail(pixels, levels) if self.has_blocks and pixels.ndim == 2 else None
        spots = find_spots(pixels, levels) if self.has_spots else None
        facts = measure(pixels, levels)
        return Surveyed(self.image, self.array, self.place, self.label, facts, self.binary, small, spots)

    def refused(self, fault: BytesError) -> Surveyed | Unread:
        """What stands in the place of an image that could not be read."""
        return Unread(self.image, self.place, self.label, fault, self.binary)


def _refusing(fault: BytesError) -> Callable[[Helper], np.ndarray]:
    """Pixels that are not to be had."""

    def refuse(_: Helper) -> np.ndarray:
        raise fault

    return refuse


def _is_much(sizes: Sequence[int]) -> bool:
    """True if images of such numbers of pixels are worth to be read side by side."""
    return len(sizes) >= LEAST_IMAGES and min(sizes) >= LEAST_PIXELS and sum(sizes) >= LEAST_TOTAL


def _read(stack: ImageStack, index: int, source: ByteSource, helper: Helper) -> np.ndarray:
    """One image of a file that did not change meanwhile."""
    pixels = stack.read(index, helper)
    if isinstance(source, FileBytes):
        source.refuse_change()
    return pixels


def _used_up(budget: Budget) -> BytesError | None:
    """Why no further image is read; None while there is time."""
    reason = budget.is_up()
    return BytesError("budget", reason) if reason else None


def _label(address: Address) -> str:
    """A file for messages."""
    return address.archive_path or address.uri


def _index(frame: str, stack: ImageStack) -> int:
    """The 0-based index that the text of a frame means."""
    from imgcif_core.images.pixels import CbfImages

    if not (frame.isascii() and frame.isdigit()):
        raise BytesError("unsupported", f"frame {frame} is a section, which is not cut out of its stack")
    index = int(frame) - 1
    if isinstance(stack, CbfImages) and stack.frames == 1:
        return 0
    return index
