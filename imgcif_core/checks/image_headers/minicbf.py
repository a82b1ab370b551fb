"""A rule about the text header of miniCBF images: line by line against the tables."""

import re
from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.image_headers.texts import Instrument, TextHeader, place_of
from imgcif_core.checks.registry import Problem, rule
from imgcif_core.checks.tolerances import Tolerances, last_digit_half, printed_half
from imgcif_core.cif.document import Document
from imgcif_core.images.mime import read_header
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.detector import Panel, Pose, Posture
from imgcif_core.model.frame_images import FrameImages
from imgcif_core.model.known_detectors import detector_named
from imgcif_core.model.scans import Scan
from imgcif_core.model.storage import StoredArrays
from imgcif_core.model.vectors import angle_difference
from imgcif_core.records import dataclass

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ESSENTIAL = ("Wavelength", "Detector_distance", "Pixel_size", "Beam_xy")
# Between these detectors for diffraction stand; a distance in another unit falls outside.
LEAST_MM, MOST_MM = 10.0, 20_000.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of a header that differs: its key, what it says, what the tables say, and where they do."""

    key: str
    header: str
    table: str
    remark: str = ""
    variant: str = ""


@rule(
    "CON010",
    "text-header-and-tables",
    severity="warning",
    source="_array_data.header_contents",
    message="{file} gives {key} {header}, but the tables give {table}{remark}",
    messages={
        "lacks": "{file} gives no {key}, which processing needs where no tables are",
        "comments": "{key} and other lines of the text header stand as comments before the text field that should "
        "hold them",
        "map": "{file} is of XDS and says nothing of a measurement - a map of corrections, no diffraction image",
        "exchanged": "{file} names {header}, which has {table} pixels{remark} - the two seem to be exchanged",
        "outside": "{file} gives {key} {header}, but {table}",
        "doubtful": "{file} gives {key} {header}, {table}",
    },
)
def text_header_and_tables(
    text_headers: list[TextHeader],
    instrument: Instrument,
    stored_arrays: StoredArrays,
    document: Document,
    tolerances: Tolerances,
) -> Iterator[Problem]:
    """What: The text header of an image and the tables disagree, or a header that stands alone is not sound.
    Why: Some programs read the text and others the tables, so that results depend on the program.
    How to fix: Find out which is right, most often the header that the detector wrote, and correct the other.
    Source: Dictionary imgCIF, _array_data.header_contents; for the tables the items that the message names.
    """
    frames = FrameImages(stored_arrays)
    for entry in text_headers:
        is_described = len(instrument.axes) > 0
        found = _against_tables(entry, instrument, tolerances) if is_described else _alone(entry, frames, document)
        for difference in found:
            yield Problem(
                place_of(entry, difference.key, frames),
                severity="info" if difference.variant == "map" else None,
                variant=difference.variant,
                help=_HELP.get(difference.variant),
                file=entry.file,
                key=difference.key,
                header=difference.header,
                table=difference.table,
                remark=difference.remark,
            )


_HELP = {
    "lacks": "give the lines in the header, or describe the instrument in tables",
    "comments": "put the semicolon of the text field before the first of these lines",
    "map": "leave it out of the images of the scan",
    "": "find out which holds - most often the header, which the detector wrote - and correct the other",
    "outside": "find out which holds - most often the header, which the detector wrote - and correct the other",
    "doubtful": "look up the value in the log of the beamline, and correct the line of the header",
    "exchanged": "write the longer number for the direction that the data sheet gives, if the image is not turned",
}


def _text(entry: TextHeader, *keys: str) -> str:
    """The text behind the first of some keys."""
    lines = (entry.header.lines.get(key.lower()) for key in keys)
    return next((line.text for line in lines if line is not None), "")


def _half(text: str, *, is_setting: bool = False) -> float:
    """Half a unit of the last digit of the first number in a text."""
    match = _NUMBER.search(text)
    half = printed_half if is_setting else last_digit_half
    return half(match[0]) if match else 0.0


def _against_tables(entry: TextHeader, instrument: Instrument, tolerances: Tolerances) -> Iterator[Difference]:
    """All lines that the tables contradict."""
    yield from _wavelength(entry, instrument)
    yield from _pixel_size(entry, instrument, tolerances)
    scan = instrument.scan_of(entry.frame)
    if scan is not None:
        yield from _detector(entry, instrument, scan, tolerances)
        yield from _angles(entry, instrument, scan, tolerances)
        yield from _standing(entry, instrument, scan, tolerances)
        yield from _exposure(entry, instrument, scan)
    yield from _polarization(entry, instrument)


def _wavelength(entry: TextHeader, instrument: Instrument) -> Iterator[Difference]:
    """The wavelength; with several in the tables, the nearest one counts."""
    stated, text = entry.header.wavelength, _text(entry, "wavelength")
    known = instrument.beam.wavelengths[np.isfinite(instrument.beam.wavelengths)]
    if stated is None or not len(known):
        return
    nearest = float(known[np.argmin(np.abs(known - stated))])
    if abs(nearest - stated) > 1e-4 * stated + _half(text):
        yield Difference("Wavelength", text, f"{nearest:.6g} angstrom")


def _panel_of(entry: TextHeader, instrument: Instrument) -> Panel | None:
    """The only flat panel of the array of a frame."""
    panels = [panel for panel in instrument.detector.flat if panel.array_id == entry.frame.array_id]
    return panels[0] if len(panels) == 1 else None


def _pixel_size(entry: TextHeader, instrument: Instrument, tolerances: Tolerances) -> Iterator[Difference]:
    """Pixel size along fast and slow."""
    stated, panel = entry.header.pixel_size, _panel_of(entry, instrument)
    if stated is None or panel is None:
        return
    own = [abs(part.surface[0].increment) for part in (panel.fast, panel.slow)]
    if any(abs(one - other) > tolerances.relative * other for one, other in zip(stated, own, strict=True)):
        yield Difference("Pixel_size", _text(entry, "pixel_size"), f"{own[0]:g} x {own[1]:g} mm")


def _detector(entry: TextHeader, instrument: Instrument, scan: Scan, tolerances: Tolerances) -> Iterator[Difference]:
    """Distance, beam centre and two-theta of the detector in the frame of the header."""
    panel = _panel_of(entry, instrument)
    if panel is None:
        return
    axes = instrument.axes
    settings = instrument.detector.settings(scan, np.array([entry.frame.position]))
    turned = {row: values for row, values in settings.items() if axes.kind[row] == "rotation"}
    straight = {row: np.zeros(1) if row in turned else values for row, values in settings.items()}
    poses = [panel.pose(Posture(axes, chosen)) for chosen in (settings, straight)]
    yield from _distance(entry, poses, instrument, tolerances)
    yield from _centre(entry, poses, instrument, tolerances)
    yield from _two_theta(entry, [float(values[0]) for values in turned.values()], tolerances)


def _distance(
    entry: TextHeader, poses: list[Pose], instrument: Instrument, tolerances: Tolerances
) -> Iterator[Difference]:
    """The distance, along the normal or along the beam, with or without the turn of the detector."""
    stated, text = entry.header.distance, _text(entry, "detector_distance")
    if stated is None:
        return
    own = [float(pose.normal_distance[0]) for pose in poses]
    for pose in poses:
        along = pose.beam_centre(instrument.beam.direction)[0]
        if np.isfinite(along).all():
            own.append(float(np.linalg.norm(pose.at(*along)[0])))
    if min(abs(value - stated) for value in own) > tolerances.distance_mm + 1e3 * _half(text):
        ratio = max(stated, own[0]) / min(stated, own[0]) if min(stated, own[0]) > 0 else np.nan
        slip = " - a slip of the unit" if abs(ratio - 1000) < 10 else ""
        yield Difference("Detector_distance", text, f"{own[0]:.6g} mm", slip)


def _centre(
    entry: TextHeader, poses: list[Pose], instrument: Instrument, tolerances: Tolerances
) -> Iterator[Difference]:
    """The beam centre, which headers count from the corner of the first pixel, or from its centre."""
    stated, text = entry.header.beam_xy, _text(entry, "beam_xy", "beam_x")
    centres = [pose.beam_centre(instrument.beam.direction)[0] for pose in poses]
    known = [centre + shift for centre in centres for shift in (0.5, 0.0) if np.isfinite(centre).all()]
    if stated is None or not known:
        return
    limit = tolerances.beam_centre_px + _half(text, is_setting=True)
    if min(np.abs(centre - stated).max() for centre in known) > limit:
        first = known[0]
        flipped = min(np.abs(centre[::-1] - stated).max() for centre in known) <= tolerances.beam_centre_px
        remark = " - the two directions exchanged" if flipped else ""
        yield Difference(
            "Beam_xy", text, f"({first[0]:.2f}, {first[1]:.2f}) from the corner of the first pixel", remark
        )


def _two_theta(entry: TextHeader, turns: list[float], tolerances: Tolerances) -> Iterator[Difference]:
    """The turn of a detector that has one axis of rotation; the header does not tell its sense."""
    stated, text = entry.header.number("detector_2theta"), _text(entry, "detector_2theta")
    if stated is None or len(turns) != 1:
        return
    limit = 10 * tolerances.setting + _half(text, is_setting=True)
    if min(angle_difference(turns[0], value) for value in (stated, -stated)) > limit:
        yield Difference("Detector_2theta", text, f"{turns[0]:g} degrees")


def _angles(entry: TextHeader, instrument: Instrument, scan: Scan, tolerances: Tolerances) -> Iterator[Difference]:
    """Start and increment of the axis that moves during the scan."""
    moving = [row for row, drive in scan.drives.items() if drive.moves and instrument.axes.kind[row] == "rotation"]
    indices = np.array([entry.frame.position])
    if not moving:
        kinds = instrument.axes.kind
        moving = [
            row
            for row in instrument.scans.frame_settings.axes
            if kinds[row] == "rotation" and float(scan.increments(row, indices)[0]) != 0
        ]
    if len(moving) != 1:
        return
    name, row = instrument.axes.id[moving[0]], moving[0]
    start, step = float(scan.settings(row, indices)[0]), float(scan.increments(row, indices)[0])
    axis = entry.header.axis_name
    for key, own, keys in (
        ("Start_angle", start, ("start_angle", axis)),
        ("Angle_increment", step, ("angle_increment", f"{axis}_increment")),
    ):
        stated, text = entry.header.number(*keys), _text(entry, *keys)
        limit = tolerances.setting + _half(text, is_setting=True)
        if stated is None or angle_difference(own, stated) <= limit:
            continue
        remark = " - with the opposite sign they agree" if angle_difference(own, -stated) <= limit else ""
        yield Difference(key, text, f"{own:g} degrees for axis {name}", remark)


def _standing(entry: TextHeader, instrument: Instrument, scan: Scan, tolerances: Tolerances) -> Iterator[Difference]:
    """Settings of axes of the goniometer that stand still, where an axis has the name that the header uses."""
    axes, indices = instrument.axes, np.array([entry.frame.position])
    for key in ("Omega", "Kappa", "Chi", "Phi"):
        stated, text = entry.header.number(key.lower()), _text(entry, key.lower())
        named = [row for row, name in enumerate(axes.id) if re.split(r"[^a-z0-9]+", name.lower())[-1] == key.lower()]
        if stated is None or len(named) != 1 or axes.kind[named[0]] != "rotation":
            continue
        row = named[0]
        own, step = float(scan.settings(row, indices)[0]), float(scan.increments(row, indices)[0])
        limit = 10 * tolerances.setting + _half(text, is_setting=True)
        # The axis that turns has its start judged; detectors write 0 for angles that nobody told them.
        if not stated or not np.isfinite(own) or abs(step) > 0 or angle_difference(own, stated) <= limit:
            continue
        remark = " - with the opposite sign they agree" if angle_difference(own, -stated) <= limit else ""
        yield Difference(key, text, f"{own:g} degrees for axis {axes.id[row]}", remark)


def _exposure(entry: TextHeader, instrument: Instrument, scan: Scan) -> Iterator[Difference]:
    """The exposure time."""
    stated, text = entry.header.number("exposure_time"), _text(entry, "exposure_time")
    frames = instrument.tables.table("diffrn_scan_frame")
    if stated is None or not len(scan.frame_rows) or entry.frame.position >= len(scan.frame_rows):
        return
    row = int(scan.frame_rows[entry.frame.position])
    own = frames.numbers("integration_time")[row]
    # Zero stands for a time that is not known in files of old programs.
    if np.isfinite(own) and own != 0 and abs(own - stated) > 1e-3 * stated + _half(text):
        yield Difference("Exposure_time", text, f"integration_time {own:g} s")


def _polarization(entry: TextHeader, instrument: Instrument) -> Iterator[Difference]:
    """The polarization, as a fraction p or as the ratio 2p - 1."""
    stated, text = entry.header.number("polarization"), _text(entry, "polarization")
    table = instrument.tables.table("diffrn_radiation")
    own = float(table.numbers("polarizn_source_ratio")[0]) if table else np.nan
    if stated is None or not np.isfinite(own):
        return
    if min(abs(own - value) for value in (stated, 2 * stated - 1, -stated, 1 - 2 * stated)) > 0.01 + 2 * _half(text):
        yield Difference("Polarization", text, f"polarizn_source_ratio {own:g}")


def _lacking(entry: TextHeader, lacking: list[str], frames: FrameImages) -> Difference:
    """One finding for all lines that a header lacks, with the reason where it is plain."""
    comments = _comments_before(entry, frames)
    if any(key.lower() in comments for key in lacking):
        return Difference(next(key for key in lacking if key.lower() in comments), "", "", variant="comments")
    convention = frames.data.text("header_convention", entry.row, "") if entry.row >= 0 else ""
    if len(lacking) == len(ESSENTIAL) and "xds" in (convention or "").lower():
        return Difference(lacking[0], "", "", variant="map")
    return Difference(", ".join(lacking), "", "", variant="lacks")


def _comments_before(entry: TextHeader, frames: FrameImages) -> str:
    """The comments between the name of an embedded header and its text field, in lower case."""
    column = frames.data.column("header_contents") if entry.row == 0 else None
    if column is None:
        return ""
    between = column.source.data[column.name_end : int(column.starts[0])].decode("latin-1")
    return "\n".join(line for line in between.splitlines() if line.lstrip().startswith("#")).lower()


def _exchanged(entry: TextHeader, frames: FrameImages, document: Document) -> Iterator[Difference]:
    """The size of the embedded image against that of the detector that the header names."""
    known, column = detector_named(entry.header.detector), frames.data.column("data")
    if known is None or known.turned or known.is_module or column is None or entry.row < 0:
        return
    start = int(column.starts[entry.row])
    section = next((section for section in document.sections if section.start == start), None)
    size = read_header(section).dimensions[:2] if section is not None else ()
    if len(size) == 2 and size not in known.sizes and (size[1], size[0]) in known.sizes:
        expected = " or ".join(f"{fast} x {slow}" for fast, slow in known.sizes)
        remark = f", but the image has {size[0]} x {size[1]}"
        yield Difference("Detector", known.name, expected, remark, variant="exchanged")


def _alone(entry: TextHeader, frames: FrameImages, document: Document) -> Iterator[Difference]:
    """What is not sound in a header that stands alone."""
    header = entry.header
    values = {
        "Wavelength": header.wavelength,
        "Detector_distance": header.distance,
        "Pixel_size": header.pixel_size,
        "Beam_xy": header.beam_xy,
    }
    lacking = [key for key, value in values.items() if value is None]
    if lacking:
        yield _lacking(entry, lacking, frames)
    yield from _exchanged(entry, frames, document)
    if header.distance is not None and not LEAST_MM <= header.distance <= MOST_MM:
        what = f"which is {header.distance:g} mm"
        yield Difference("Detector_distance", _text(entry, "detector_distance"), what, variant="doubtful")
    energy, wavelength = header.number("energy", "photon_energy"), header.wavelength
    if energy and wavelength:
        product = energy * (1e-3 if energy > 200 else 1.0) * wavelength
        if abs(product / HC_KEV_ANGSTROM - 1) > 1e-3:
            text = _text(entry, "energy", "photon_energy")
            expected = f"which does not belong to the wavelength {wavelength:g} angstrom"
            yield Difference("Energy", text, expected, variant="doubtful")
