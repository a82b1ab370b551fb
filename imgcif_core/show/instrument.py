"""What is shown of one block: axes, beam, detector, and each scan at one of its frames."""

from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.joined import JoinedTables, join
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError, UsageError
from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.model.axes import CYCLIC, DANGLING, Axes, build_axes
from imgcif_core.model.beam import Beam, build_beam
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.pose import Pose
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

MAX_SCANS = 1000
# Millimetres: a panel this close to the sample is one whose distance is not told.
AT_SAMPLE_MM = 1e-6
# Cosine: a panel within a degree of square to the beam.
SQUARE = 0.9998
_CATEGORIES = ("axis", "diffrn_radiation_wavelength", "array_structure_list", "diffrn_scan")


@dataclass(frozen=True, slots=True)
class ShownAxis:
    """One axis in a scan: settings in degrees or mm, nan where they cannot be read, infinite where nothing tells."""

    row: int
    start: float
    increment: float
    range: float


@dataclass(frozen=True, slots=True)
class ShownScan:
    """One scan at one frame; `index` is that of the frame, None where the scan has no such frame.

    `scan` is None for a block without scans: all axes then stand at zero. `poses` are those of the
    flat panels, in their order.
    """

    scan: Scan | None
    index: int | None
    axes: tuple[ShownAxis, ...]
    poses: Sequence[Pose]


@dataclass(frozen=True, slots=True)
class BlockInstrument:
    """The instrument of one block; the settings are those at the start of a frame."""

    tables: Tables
    axes: Axes
    beam: Beam
    detector: Detector
    scans: tuple[ShownScan, ...]
    omitted: int

    @property
    def name(self) -> str:
        """The name of the block."""
        return self.tables.block.name

    @property
    def borrowed(self) -> dict[str, list[str]]:
        """The tables that come from other blocks of the data set, by the names of these blocks."""
        found: dict[str, list[str]] = {}
        for name, table in self.tables.lent.items() if isinstance(self.tables, JoinedTables) else ():
            found.setdefault(table.block.name, []).append(name.upper())
        return found


def block_instruments(document: Document, dictionary: Dictionary, frame: int | None = None) -> list[BlockInstrument]:
    """The instruments of all blocks that describe any.

    Raises
    ------
    InputError
        If no block holds axes, a wavelength, an array layout or a scan.
    UsageError
        If no scan has the frame asked for.
    """
    every = [Tables(block, dictionary) for block in document.blocks]
    for tables in every:
        tables.file = every
    found = []
    for tables in every:
        if any(tables.table(name) for name in _CATEGORIES):
            found.append(_instrument(join(tables), frame))
    if not found:
        hint = "; its text header can be turned into tables by `imgcif create`" if _is_mini(document) else ""
        raise InputError(f"{document.source.path}: no axes, wavelength, array layout or scan to show{hint}")
    shown = [scan for entry in found for scan in entry.scans]
    if frame is not None and not any(scan.index is not None and scan.scan is not None for scan in shown):
        raise UsageError(f"no scan has a frame {frame}")
    return found


def _is_mini(document: Document) -> bool:
    """True if a block has a text header in place of tables."""
    return any("_array_data.header_contents" in block.columns for block in document.blocks)


def _instrument(tables: Tables, frame: int | None) -> BlockInstrument:
    """The instrument of one block at the start of the first frame, or of the frame of a number."""
    axes = build_axes(tables)
    scans = list(build_scans(tables, axes))
    detector = build_detector(tables, axes)
    shown = [_shown(scan, axes, detector, frame) for scan in scans[:MAX_SCANS]]
    if not scans:
        shown = [ShownScan(None, 0, (), detector.poses())]
    beam = build_beam(tables, axes if len(axes) else None)
    return BlockInstrument(tables, axes, beam, detector, tuple(shown), max(0, len(scans) - MAX_SCANS))


def _shown(scan: Scan, axes: Axes, detector: Detector, frame: int | None) -> ShownScan:
    """One scan at the start of a frame."""
    index = frame_index(scan, frame)
    rows = [row for row in range(len(axes)) if row in scan.drives or row in scan.frame_settings.axes]
    settings = tuple(_axis(scan, row) for row in rows)
    if index is None:
        return ShownScan(scan, None, settings, ())
    return ShownScan(scan, index, settings, detector.poses(scan, np.array([index])))


def frame_index(scan: Scan, frame: int | None) -> int | None:
    """The index of a frame of a number, counted from 1; of the first one if no number is asked for."""
    if frame is None:
        return 0
    if len(scan.numbers):
        found = np.flatnonzero(scan.numbers == frame)
        return int(found[0]) if len(found) else None
    return frame - 1 if 1 <= frame <= scan.count else None


def _axis(scan: Scan, row: int) -> ShownAxis:
    """Start, increment and range of an axis; what the scan leaves out follows from its frames."""
    drive = scan.drives.get(row)
    start = scan.setting(row, 0)
    unread = drive.unread if drive else frozenset()
    stated = drive.increment if drive else float("nan")
    if np.isnan(stated) and "increment" not in unread:
        settings = scan.settings(row, np.arange(min(scan.count, 2)))
        stated = float(settings[1] - settings[0]) if len(settings) > 1 else 0.0
    total = drive.range if drive else float("nan")
    if np.isnan(total) and "range" not in unread:
        frames = frames_of(scan)
        total = 0.0 if stated == 0 else np.inf if frames is None else frames * stated
    return ShownAxis(row, start, stated, total)


def frames_of(scan: Scan) -> int | None:
    """The number of frames of a scan, as stated or as listed; None where it is neither."""
    return scan.frames if scan.is_counted or len(scan.frame_rows) else None


def frames_words(instrument: BlockInstrument, scan: Scan) -> str:
    """The number of frames of a scan in words."""
    if scan.is_counted:
        return str(scan.frames)
    if len(scan.frame_rows):
        return f"{scan.frames} listed"
    is_stated = scan.row >= 0 and instrument.tables.table("diffrn_scan").explicit("frames")[scan.row]
    return "not readable" if is_stated else "not given"


def goniometer_rows(tables: Tables, axes: Axes) -> list[int]:
    """The axes that position the sample, base first: by equipment, else by DIFFRN_MEASUREMENT_AXIS."""
    rows = [row for row, equipment in enumerate(axes.equipment) if equipment == "goniometer"]
    if not rows:
        named = tables.table("diffrn_measurement_axis").texts("axis_id")
        rows = list(dict.fromkeys(row for name in named if name for row in axes.rows_named(name)))
    return sorted(rows, key=lambda row: (len(axes.chain(row)), row))


def unplaced(instrument: BlockInstrument) -> Iterator[tuple[str, str, str | None, str]]:
    """Panels that cannot be placed, in no scan or not in all: id, array, section and the reason."""
    lost = _lost(instrument)
    for panel in instrument.detector.panels:
        reason = f"{panel.shape}: {panel.fault}" if panel.shape != "flat" else lost.get(panel.id, "")
        if reason:
            yield panel.id, panel.array_id or DEFAULT_ARRAY, panel.section_id, reason


def _lost(instrument: BlockInstrument) -> dict[str, str]:
    """Why flat panels have no place in a scan, by id: the setting of an axis that carries them cannot be read."""
    axes, detector = instrument.axes, instrument.detector
    found: dict[str, str] = {}
    for shown in instrument.scans:
        unread = shown.scan.unread_axes() if shown.scan is not None else []
        if not unread or not shown.poses:
            continue
        for panel, pose in zip(detector.flat, shown.poses, strict=True):
            row = next((row for row in panel.axis_rows(axes) if row in unread), None)
            if row is not None and not np.isfinite(pose.origin).all():
                name = f" in scan {shown.scan.id}" if shown.scan is not None and shown.scan.id else ""
                found.setdefault(panel.id, f"setting of axis {axes.id[row]} not readable{name}")
    return found


def direction_of(axes: Axes, row: int) -> np.ndarray:
    """The unit vector of an axis, (3,); nan where it cannot be read."""
    return np.full(3, np.nan) if np.isnan(axes.vector[row]).any() else axes.direction[row]


def is_unread(axes: Axes, equipment: str) -> bool:
    """True if an axis of some equipment has a vector that cannot be read."""
    return any(own == equipment and np.isnan(axes.vector[row]).any() for row, own in enumerate(axes.equipment))


def wavelength_words(instrument: BlockInstrument) -> str:
    """What is said where no wavelength is known: it is not given, or it cannot be read."""
    return (
        "not readable" if np.isnan(instrument.beam.wavelengths).any() and _has_wavelength(instrument) else "not given"
    )


def _has_wavelength(instrument: BlockInstrument) -> bool:
    return bool(instrument.tables.table("diffrn_radiation_wavelength").explicit("value").any())


def tree_fault(axes: Axes) -> str:
    """What is wrong with the axis tree as a whole, or an empty text."""
    for row, name in enumerate(axes.id):
        end = axes.walk(row)[1]
        if end in (CYCLIC, DANGLING):
            return f"axis {name} {'depends on itself' if end == CYCLIC else 'depends on an axis that is not defined'}"
    return ""


def beam_pixel(pose: Pose, beam: Beam) -> Floats:
    """Where the beam meets the plane of a panel: (2,) pixels from the first centre, nan where it does not.

    A panel square to the beam whose distance is not told lies at the sample; the beam meets it there.
    """
    pixel: Floats = pose.beam_centre(beam.direction)[0]
    if pose.normal_distance[0] < AT_SAMPLE_MM and abs(float(pose.normal[0] @ beam.direction)) > SQUARE:
        steps = np.stack([pose.fast_step[0], pose.slow_step[0]], axis=1)
        pixel = np.linalg.lstsq(steps, -pose.origin[0], rcond=None)[0]
    return pixel
