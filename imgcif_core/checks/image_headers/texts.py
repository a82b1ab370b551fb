"""The text headers of miniCBF images, embedded and in local files, with the frames to which they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.checks.external.inputs import address_of, may_lie_here
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, provider
from imgcif_core.cif.document import Place
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import Address, LocalData
from imgcif_core.model.axes import Axes
from imgcif_core.model.beam import Beam, build_beam
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.external import ExternalData
from imgcif_core.model.frame_images import FrameImage, FrameImages
from imgcif_core.model.scans import Scan, Scans, build_scans
from imgcif_core.model.storage import StoredArrays
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.sources.minicbf import MiniHeader

# Headers of one series are written by one program: what differs, differs in most.
MAX_HEADERS = 200
# Files of a series that are opened; what differs, differs in most.
MAX_FILES = 15
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class TextHeader:
    """One text header: `file` names it for messages, `row` is that of ARRAY_DATA if it is embedded, else -1."""

    header: MiniHeader
    frame: FrameImage
    file: str
    row: int


@dataclass(frozen=True)
class Instrument:
    """The instrument of a block as far as it is described."""

    tables: Tables
    axes: Axes

    @cached_property
    def detector(self) -> Detector:
        """The panels."""
        return build_detector(self.tables, self.axes)

    @cached_property
    def scans(self) -> Scans:
        """The scans."""
        return build_scans(self.tables, self.axes)

    @cached_property
    def beam(self) -> Beam:
        """The beam."""
        return build_beam(self.tables, self.axes if len(self.axes) else None)

    def scan_of(self, frame: FrameImage) -> Scan | None:
        """The scan of a frame."""
        found = [scan for scan in self.scans if scan.id == frame.scan_id]
        found = found or (list(self.scans) if len(self.scans) == 1 else [])
        return found[0] if found and frame.frame_row >= 0 and frame.position < found[0].count else None


def only_header(tables: Tables) -> MiniHeader | None:
    """The first text header of a block that describes its instrument by no table, None where there is none."""
    data = tables.table("array_data")
    rows = np.flatnonzero(data.explicit("header_contents"))
    if tables.table("axis") or not len(rows):
        return None
    from imgcif_core.sources.minicbf import parse_header

    return parse_header(data.text("header_contents", int(rows[0])) or "")


@provider("instrument")
def instrument_of(tables: Tables, any_axes: Axes) -> Instrument:
    """The instrument of a block, described or not."""
    return Instrument(tables, any_axes)


@provider("text_headers")
def text_headers(
    stored_arrays: StoredArrays, any_external: ExternalData, local_data: LocalData, options: CheckOptions
) -> list[TextHeader]:
    """The text headers of embedded images, and of local files of the first frames of scans."""
    frames = FrameImages(stored_arrays)
    found = list(_embedded(frames))
    if len(any_external) and options.images != "none" and may_lie_here(any_external, local_data):
        found.extend(_in_files(frames, any_external, local_data, options))
    if not found:
        raise NotApplicable("no text header of an image")
    return found


def _embedded(frames: FrameImages) -> Iterator[TextHeader]:
    """The headers in `_array_data.header_contents`."""
    data = frames.data
    rows = np.flatnonzero(data.explicit("header_contents"))[:MAX_HEADERS]
    if not len(rows):
        return
    from imgcif_core.sources.minicbf import parse_header

    by_row = {image.data_row: image for image in frames.chosen(sample=False)}
    for row in rows.tolist():
        frame = by_row.get(row) or FrameImage("", 0, None, -1, row, frames.arrays.id_of(row), None)
        yield TextHeader(parse_header(data.text("header_contents", row) or ""), frame, "header_contents", row)


def _in_files(
    frames: FrameImages, external: ExternalData, local: LocalData, options: CheckOptions
) -> Iterator[TextHeader]:
    """The headers of local CBF files: of the first frames of scans, of the sample if pixels are read."""
    from imgcif_core.sources.minicbf import HEAD_BYTES, header_text, parse_header

    is_cbf = external.where("format", frozenset({"CBF"}))
    wanted: dict[Address, FrameImage] = {}
    for image in frames.chosen(sample=True):
        row = int(external.of_data[image.data_row]) if image.data_row >= 0 else -1
        if row < 0 or not is_cbf[row] or (options.images == "header" and image.position > 0):
            continue
        address = address_of(external, row)
        if address is not None and local.stand_in(address.uri) is not None and len(wanted) < MAX_FILES:
            wanted.setdefault(address, image)
    for address, source in local.open_all(wanted):
        if isinstance(source, BytesError):
            continue
        try:
            text = header_text(source.read(0, HEAD_BYTES))
        except BytesError:
            continue
        if text is not None:
            name = (address.archive_path or address.uri).rsplit("/", 1)[-1]
            yield TextHeader(parse_header(text), wanted[address], name, -1)


def place_of(header: TextHeader, key: str, frames: FrameImages) -> Place:
    """The line of a key in an embedded header, else the row of the frame."""
    if header.row < 0:
        table, row = frames.table_of(header.frame)
        return table.at(row, "id" if header.frame.frame_row >= 0 else "external_data_id")
    place = frames.data.at(header.row, "header_contents")
    line = header.header.lines.get(key.lower())
    if line is None or place.source is None:
        return place
    raw = place.source.data[place.start : place.end]
    ends = [match.end() for match in _LINE_END.finditer(raw)]
    edges = [0, *ends, len(raw)]
    if line.line + 1 >= len(edges):
        return place
    begin, end = edges[line.line], edges[line.line + 1]
    stop = begin + len(raw[begin:end].rstrip(b"\r\n"))
    return Place(
        place.source, place.start + begin, place.start + stop, place.block, place.category, place.item, place.key
    )
