"""Rules about external CBF files that describe the instrument themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.external.inputs import address_of, no_copy
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Source
from imgcif_core.cif.matrices import hash_text
from imgcif_core.cif.reader import read
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.model.external import ExternalData
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.compare import Comparison, ScanPair
    from imgcif_core.sources.description import Experiment

# One file for each of the first scans: what differs, differs in all of them.
MAX_SCANS = 5
# A CBF is read as a whole; one of more bytes would fill the memory of small machines.
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """The CBF of the first frame of a scan, described, beside the description of that scan."""

    row: int
    file: str
    scan: str
    comparison: Comparison

    @property
    def pair(self) -> ScanPair | None:
        """The scan in both."""
        return next(iter(self.comparison.scans), None)


@provider("first_frames")
def first_frames(
    tables: Tables, external: ExternalData, local_data: LocalData, options: CheckOptions, dictionary: Dictionary
) -> list[FirstFrame]:
    """The external CBF files of the first frames of scans that describe the instrument."""
    rows = _rows_of_first_frames(tables, external)
    if not rows:
        raise NotApplicable("no external CBF of a first frame")
    if options.images == "none":
        raise NotChecked("images and archives were not opened, as asked")
    wanted = {address: entry for entry in rows if (address := address_of(external, entry[0])) is not None}
    here = [address for address in wanted if local_data.stand_in(address.uri) is not None]
    if not here:
        raise no_copy(local_data)
    from imgcif_core.compare import Comparison
    from imgcif_core.sources.imgcif import describe

    try:
        own = describe(tables, tables.block.name)
    except InputError as error:
        raise NotApplicable(str(error)) from None
    found, faults = [], []
    for address, source in local_data.open_all(here):
        row, index, scan = wanted[address]
        member = _described(source, dictionary)
        if isinstance(member, str):
            faults.append(member)
        elif index < len(own.scans):
            comparison = Comparison(replace(own, scans=(own.scans[index],)), member)
            found.append(FirstFrame(row, address.archive_path or address.uri, scan, comparison))
    if not found:
        raise NotChecked(f"no external CBF describes the instrument: {faults[0]}" if faults else "no scan to compare")
    return found


def _rows_of_first_frames(tables: Tables, external: ExternalData) -> list[tuple[int, int, str]]:
    """External row, index and id of the scan for the frames numbered first in their scans."""
    sequence = external.sequence
    is_cbf = external.where("format", frozenset({"CBF"}))
    starts = np.flatnonzero(sequence.starts_run & is_cbf[sequence.row] & (sequence.number == 1))
    scans = tables.table("diffrn_scan")
    ids = {hash_text(name or ""): index for index, name in enumerate(scans.texts("id")[:1000])}
    frames, keys = external.frames, external.of_frame
    found: dict[int, tuple[int, int, str]] = {}
    for start in starts[:1000]:
        row = int(sequence.row[start])
        frame = frames.text("id", int(np.flatnonzero(keys == row)[0]))
        index = ids.get(_scan_of(external, frame), 0 if len(ids) < 2 else -1)
        if index >= 0 and index not in found and len(found) < MAX_SCANS:
            found[index] = (row, index, scans.text("id", index, "") or "")
    return list(found.values())


def _scan_of(external: ExternalData, frame: str | None) -> np.uint64:
    """The hash of the scan of a frame."""
    column, owner = external.scan_frames.column("frame_id"), external.scan_frames.column("scan_id")
    if column is None or owner is None or frame is None:
        return hash_text("")
    rows = np.flatnonzero(column.hashes == hash_text(frame))
    return owner.hashes[rows[0]] if len(rows) else hash_text("")


def _described(source: ByteSource | BytesError, dictionary: Dictionary) -> Experiment | str:
    """What a CBF says of the instrument, or why it says nothing."""
    from imgcif_core.sources.imgcif import describe

    if isinstance(source, BytesError):
        return str(source)
    if source.size > MAX_BYTES:
        return f"{source.label} has {source.size} bytes"
    try:
        document = read(Source(source.label, source.read(0, source.size)))
        block = next((entry for entry in document.blocks if any("_axis." in name for name in entry.columns)), None)
        if block is None:
            return f"{source.label.rsplit('/', 1)[-1]} has no axes"
        return describe(Tables(block, dictionary), source.label)
    except (BytesError, InputError) as error:
        return str(error)


@rule(
    "EXT026",
    "external-cbf-disagrees",
    severity="warning",
    source="_array_data_external_data.format",
    messages={
        "panel": "{file}: panel {name} stands {shift:.1f} pixels ({millimetres:.2f} mm) elsewhere than here",
        "wavelength": "{file}: wavelength is {other:.6g}, here {own:.6g}",
        "angle": "{file}: the scan starts at {other:.6g} deg, here scan {scan} at {own:.6g} deg",
        "axis": "{file}: the axis of the scan is {angle:.2f} deg from that of scan {scan} here",
    },
)
def external_cbf_disagrees(
    external: ExternalData, first_frames: list[FirstFrame], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The tables within an external CBF describe the instrument otherwise than this file does.
    Why: One of the two is wrong, and programs that read the images alone use the other one.
    How to fix: Find out which description is right, for example from the rings of a powder, and correct the other.
    Source: Dictionary imgCIF, _array_data_external_data.format: other items of an external CBF are ignored.
    """
    for frame in first_frames:
        for variant, data in _differences(frame, tolerances):
            place = external.table.at(frame.row, "archive_path" if external.table.has("archive_path") else "uri")
            yield Problem(place, variant=variant, file=frame.file.rsplit("/", 1)[-1], scan=frame.scan, **data)


def _differences(frame: FirstFrame, tolerances: Tolerances) -> Iterator[tuple[str, dict[str, Any]]]:
    """What differs in one file."""
    pair = frame.pair
    if pair is None:
        return
    worst = pair.worst
    if worst is not None and worst.worst_pixels > tolerances.beam_centre_px:
        yield "panel", {"name": worst.name, "shift": worst.worst_pixels, "millimetres": worst.worst}
    own, other = pair.wavelength
    if abs(own - other) > tolerances.source_relative * own:
        yield "wavelength", {"own": own, "other": other}
    if pair.axis_angle > tolerances.principal_axis_deg:
        yield "axis", {"angle": pair.axis_angle}
    first, second = pair.start
    if abs((first - second + 180.0) % 360.0 - 180.0) > max(tolerances.setting, 0.1 * abs(pair.increment[0])):
        yield "angle", {"own": first, "other": second}
