"""A rule about HDF5 files that describe the instrument, as NXmx masters do: against the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.external.inputs import address_of, may_lie_here, no_copy
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.errors import InputError
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.limits import BytesError, Reach
from imgcif_core.images.local import Address, LocalData
from imgcif_core.model.external import ExternalData
from imgcif_core.model.frame_images import FrameImage, FrameImages
from imgcif_core.model.storage import StoredArrays
from imgcif_core.model.vectors import angle_difference
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.compare import Comparison, PanelPair, ScanPair
    from imgcif_core.images.isolated import Helper
    from imgcif_core.sources.description import Experiment

# What differs, differs in all files of a series.
MAX_FILES = 5
_DATA_FILE = re.compile(r"(?:_data)?_\d{6}\.h5\Z")


@dataclass(frozen=True, slots=True)
class MasterFile:
    """One HDF5 file that describes the instrument, beside the description of a scan of the block.

    `holds_scan` says that all frames of the scan are in this file, or in those that it links to.
    """

    frame: FrameImage
    file: str
    comparison: Comparison
    holds_scan: bool

    @property
    def pair(self) -> ScanPair | None:
        """The scan in both."""
        return next(iter(self.comparison.scans), None)


@provider("master_files")
def master_files(
    stored_arrays: StoredArrays,
    external: ExternalData,
    local_data: LocalData,
    decoders: Helper,
    options: CheckOptions,
) -> list[MasterFile]:
    """The local HDF5 files of the first frames of scans that describe the instrument."""
    if options.images == "none":
        raise NotChecked("images and archives were not opened, as asked")
    is_hdf5 = external.where("format", frozenset({"HDF5"}))
    if not is_hdf5.any():
        raise NotApplicable("no HDF5 files")
    if not may_lie_here(external, local_data):
        raise no_copy(local_data)
    wanted = _first_files(FrameImages(stored_arrays), external, is_hdf5, local_data)
    if not wanted:
        raise no_copy(local_data)
    from imgcif_core.compare import Comparison
    from imgcif_core.sources.imgcif import describe

    tables = stored_arrays.tables
    try:
        own = describe(tables, tables.block.name)
    except InputError as error:
        raise NotApplicable(str(error)) from None
    found, faults = [], []
    for address, source in local_data.open_all(wanted):
        master, name, beside = _read(source, decoders, local_data.reach), _name(address), None
        if isinstance(master, str):
            beside = _master_beside(address)
            if beside is not None:
                master, name = _read(_opened(local_data, beside), decoders, local_data.reach), _name(beside)
        if isinstance(master, str):
            faults.append(master)
            continue
        frame = wanted[address]
        scan = next((scan for scan in own.scans if scan.id == frame.scan_id), None)
        if scan is not None or len(own.scans) == 1:
            alone = replace(own, scans=(scan or own.scans[0],))
            keys = external.file_keys
            rows = int((keys == keys[int(external.of_data[frame.data_row])]).sum())
            holds_scan = beside is not None or rows >= alone.scans[0].frames
            found.append(MasterFile(frame, name, Comparison(alone, master), holds_scan))
    if not found:
        raise NotChecked(f"no HDF5 file describes the instrument: {faults[0]}" if faults else "no scan to compare")
    return found


def _name(address: Address) -> str:
    """The name of a file for messages."""
    return (address.archive_path or address.uri).rsplit("/", 1)[-1]


def _master_beside(address: Address) -> Address | None:
    """Where the master of a data file should be, by the names that detectors give: x_data_000001.h5, x_master.h5."""
    stem = _DATA_FILE.sub("_master.h5", _name(address))
    return address.beside(stem) if stem != _name(address) else None


def _opened(local: LocalData, address: Address) -> ByteSource | BytesError:
    """The bytes of a file on this machine, or why there are none."""
    try:
        return local.open(address)
    except BytesError as fault:
        return fault


def _first_files(
    frames: FrameImages, external: ExternalData, is_hdf5: np.ndarray, local: LocalData
) -> Mapping[Address, FrameImage]:
    """The files on this machine of the first frames of scans."""
    wanted: dict[Address, FrameImage] = {}
    for image in frames.chosen(sample=True):
        row = int(external.of_data[image.data_row]) if image.data_row >= 0 else -1
        if image.position > 0 or row < 0 or not is_hdf5[row] or len(wanted) >= MAX_FILES:
            continue
        address = address_of(external, row)
        if address is not None and local.stand_in(address.uri) is not None:
            wanted.setdefault(address, image)
    return wanted


def _read(source: ByteSource | BytesError, helper: Helper, reach: Reach) -> Experiment | str:
    """What a file says of the instrument, or why it says nothing; read first where a crash does no harm."""
    from imgcif_core.sources.isolated import read_master

    if isinstance(source, BytesError):
        return str(source)
    if source.path is None:
        return f"{source.label} does not lie on this machine"
    try:
        helper.facts("hdf5_header", {"request": reach.request(str(source.path))})
        found: Experiment | str = read_master(source.path, reach.folders, follow=reach.is_following)
        return found
    except BytesError as fault:
        return str(fault)
    except InputError as error:
        return str(error).replace(f"{source.path}: ", f"{source.label.rsplit('/', 1)[-1]}: ")


@rule(
    "CON017",
    "hdf5-header-and-tables",
    severity="warning",
    source="_array_data_external_data.uri",
    messages={
        "wavelength": "{file}: wavelength is {other:.6g} angstrom, in the tables {own:.6g}",
        "pixel": "{file}: pixels are {other} mm, in the tables {own}",
        "size": "{file}: panel has {other} pixels, in the tables {own}",
        "panel": "{file}: panel stands {pixels:.1f} pixels ({millimetres:.3g} mm) elsewhere than the tables say",
        "distance": "{file}: detector distance is {other:.6g} mm, in the tables {own:.6g}",
        "centre": "{file}: beam centre is {other}, in the tables {own}, in pixels from the corner of the first one",
        "axis": "{file}: the axis of the scan points {angle:.3g} degrees away from that of scan {scan}",
        "start": "{file}: the scan starts at {other:.6g} degrees, scan {scan} at {own:.6g}",
        "increment": "{file}: frames are {other:.6g} degrees wide, in scan {scan} {own:.6g}",
        "frames": "{file}: {other} frames are there, scan {scan} has {own}",
        "time": "{file}: exposure time is {other:.6g} s, in scan {scan} {own:.6g}",
    },
    helps={
        "wavelength": "give {other:.6g} as _diffrn_radiation_wavelength.value, unless the file was corrected later",
        "pixel": "give the pixel size of the file in _array_structure_list_axis.displacement_increment, in mm",
        "size": "give the numbers of the file in _array_structure_list.dimension, the first with precedence 1",
        "panel": "copy the offsets of the panel from the file, turned from (x, y, z) to (-x, y, -z), in mm",
        "distance": "give {other:.6g}, in millimetres, as the setting of the axis that moves the detector",
        "centre": "correct the offsets of the pixel axes: pixel numbers times pixel size, in mm",
        "axis": "take the direction of the axis from the file, turned from (x, y, z) to (-x, y, -z)",
        "start": "give {other:.6g} as _diffrn_scan_axis.angle_start, unless the file was corrected later",
        "increment": "give {other:.6g} as _diffrn_scan_axis.angle_increment, unless the file was corrected later",
        "frames": "link the other files of the scan too, or correct _diffrn_scan.frames",
        "time": "give {other:.6g}, in seconds, as _diffrn_scan_frame.integration_time or _diffrn_scan.integration_time",
    },
)
def hdf5_header_and_tables(
    stored_arrays: StoredArrays, master_files: list[MasterFile], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The instrument that an HDF5 file describes, in the frame of NeXus, is not that of the tables.
    Why: One of the two is wrong, and programs that read the HDF5 file use other numbers than those that read this one.
    How to fix: Take the numbers from the HDF5 file, after the change of frame (x, y, z) to (-x, y, -z).
    Source: Dictionary imgCIF, AXIS and DIFFRN_SCAN_AXIS; NeXus application definition NXmx.
    """
    frames = FrameImages(stored_arrays)
    for master in master_files:
        table, row = frames.table_of(master.frame)
        place = table.at(row, "id" if master.frame.frame_row >= 0 else "external_data_id")
        for variant, data in _differences(master, tolerances):
            yield Problem(place, variant=variant, file=master.file, scan=master.frame.scan_id, **data)


def _differences(master: MasterFile, tolerances: Tolerances) -> Iterator[tuple[str, dict[str, Any]]]:
    """What differs, each with the data of its message."""
    pair = master.pair
    if pair is None:
        return
    own, other = pair.wavelength
    if np.isfinite([own, other]).all() and abs(own - other) > tolerances.source_relative * own:
        yield "wavelength", {"own": own, "other": other}
    if pair.worst is not None:
        yield from _panels(pair.worst, master.comparison, tolerances)
    if np.isfinite(pair.axis_angle) and pair.axis_angle > tolerances.principal_axis_deg:
        yield "axis", {"angle": pair.axis_angle}
    own, other = pair.start
    if np.isfinite([own, other]).all() and angle_difference(own, other) > tolerances.source_setting_deg:
        yield "start", {"own": own, "other": other}
    own, other = pair.increment
    if np.isfinite([own, other]).all() and abs(own - other) > tolerances.source_increment_deg:
        yield "increment", {"own": own, "other": other}
    frames, stored = pair.frames
    if master.holds_scan and 0 < stored < frames:
        yield "frames", {"own": frames, "other": stored}
    own_time, other_time = (
        side.scans[index].exposure_time
        for side, index in (
            (master.comparison.described, pair.index),
            (master.comparison.source, pair.source_index),
        )
    )
    # Zero stands for a time that is not known.
    if own_time and other_time and abs(own_time - other_time) > 1e-3 * other_time:
        yield "time", {"own": own_time, "other": other_time}


def _panels(worst: PanelPair, comparison: Comparison, tolerances: Tolerances) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sizes and places of the panel that is furthest off."""
    if worst.source_size != worst.size and all(worst.size) and all(worst.source_size):
        yield "size", {"own": _shown(worst.size), "other": _shown(worst.source_size)}
    ratios = [abs(one / other - 1.0) for one, other in zip(worst.pixel_size, worst.source_pixel_size, strict=True)]
    if max(ratios) > tolerances.relative:
        yield "pixel", {"own": _shown(worst.pixel_size), "other": _shown(worst.source_pixel_size)}
    elif worst.source_size == worst.size and not comparison.panels_are_derived:
        if worst.worst_pixels > tolerances.beam_centre_px:
            yield "panel", {"pixels": worst.worst_pixels, "millimetres": worst.worst}
    elif comparison.panels_are_derived:
        yield from _centre_and_distance(comparison, tolerances)


def _centre_and_distance(comparison: Comparison, tolerances: Tolerances) -> Iterator[tuple[str, dict[str, Any]]]:
    """Distance and beam centre, where the file gives these alone."""
    own, other = (side.scans[0].panels[0] for side in (comparison.described, comparison.source))
    distances = [float(abs(panel.corner @ np.cross(panel.fast, panel.slow))) for panel in (own, other)]
    if abs(distances[0] - distances[1]) > tolerances.distance_mm:
        yield "distance", {"own": distances[0], "other": distances[1]}
    centres = []
    for panel in (own, other):
        normal = np.cross(panel.fast, panel.slow)
        if abs(normal[2]) < 1e-6:
            return
        on_panel = np.array([0.0, 0.0, 1.0]) * (panel.corner @ normal / normal[2]) - panel.corner
        centres.append(np.array([on_panel @ panel.fast, on_panel @ panel.slow]) / np.array(panel.pixel_size))
    if np.abs(centres[0] - centres[1]).max() > tolerances.beam_centre_px:
        yield "centre", {"own": _shown(centres[0].round(2)), "other": _shown(centres[1].round(2))}


def _shown(pair: np.ndarray | tuple[float, ...]) -> str:
    """Two numbers for a message."""
    return " x ".join(f"{value:g}" for value in pair)
