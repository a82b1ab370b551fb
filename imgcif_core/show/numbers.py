"""The geometry passport as data, in the schema imgcif-geometry/1."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Panel
from imgcif_core.model.pose import Pose
from imgcif_core.show.instrument import (
    BlockInstrument,
    ShownScan,
    beam_pixel,
    block_instruments,
    frames_of,
    goniometer_rows,
    unplaced,
)

SCHEMA = "imgcif-geometry/1"
_DIGITS = 12


def geometry(document: Document, dictionary: Dictionary, frame: int | None = None) -> dict[str, Any]:
    """The instruments of a document as plain data for JSON.

    Lengths in mm, angles in degrees, wavelengths in ångström, vectors in the laboratory frame of the
    file, at the start of the first frame of each scan or of the frame of a number. What is not known
    or not finite is None.

    Raises
    ------
    InputError
        If the document describes no instrument.
    UsageError
        If no scan has the frame asked for.
    """
    # Absurd numbers of a file overflow to infinity and are shown as not known, without a word from numpy.
    with np.errstate(all="ignore"):
        blocks = [block_numbers(entry) for entry in block_instruments(document, dictionary, frame)]
    return {"schema": SCHEMA, "files": [{"path": document.source.path, "blocks": blocks}]}


def number(value: float) -> float | int | None:
    """A number without the noise of its last digits; None where it is not finite."""
    if not np.isfinite(value):
        return None
    rounded = float(f"{float(value):.{_DIGITS}g}")
    return 0.0 if rounded == 0 or abs(rounded) < 1e-12 else rounded


def numbers(values: Any) -> list[float | int | None]:
    """Several numbers."""
    return [number(float(value)) for value in values]


def block_numbers(entry: BlockInstrument, places: int | None = None) -> dict[str, Any]:
    """One block; `places` limits how many panels are listed over all scans, later scans then have none.

    A scan whose panels are left out says so by `omitted_panels`.
    """
    axes, beam = entry.axes, entry.beam
    goniometer = [
        {
            "id": axes.id[row],
            "type": axes.kind[row],
            "vector": numbers(axes.vector[row]),
            "depends_on": axes.id[axes.parent[row]] if axes.parent[row] >= 0 else None,
        }
        for row in goniometer_rows(entry.tables, axes)
    ]
    data: dict[str, Any] = {
        "block": entry.name,
        "wavelengths": numbers(beam.wavelengths),
        "source": numbers(beam.source),
        "gravity": numbers(beam.gravity) if beam.gravity is not None else None,
        "goniometer": goniometer,
        "scans": list(_scans(entry, places)),
    }
    faults = [
        {"id": name, "array_id": array, "section_id": section, "reason": reason}
        for name, array, section, reason in unplaced(entry)
    ]
    if faults:
        data["not_placed"] = faults
    if entry.omitted:
        data["omitted_scans"] = entry.omitted
    return data


def _scans(entry: BlockInstrument, places: int | None) -> Iterator[dict[str, Any]]:
    """The scans with their panels, as long as there is room for these."""
    for shown in entry.scans:
        scan = _scan(entry, shown, is_whole=places is None or len(shown.poses) <= places)
        places = None if places is None else places - len(scan["panels"])
        yield scan


def _scan(entry: BlockInstrument, shown: ShownScan, *, is_whole: bool = True) -> dict[str, Any]:
    """One scan; a block without scans gives one without id and frames, all axes at zero."""
    settings = [
        {
            "id": entry.axes.id[axis.row],
            "start": number(axis.start),
            "increment": number(axis.increment),
            "range": number(axis.range),
        }
        for axis in shown.axes
    ]
    scan = shown.scan
    poses = shown.poses if is_whole else ()
    left_out = {} if is_whole else {"omitted_panels": len(shown.poses)}
    return {
        "id": scan.id or None if scan is not None else None,
        "frames": frames_of(scan) if scan is not None else None,
        "frame": frame_number(shown),
        "axes": settings,
        "panels": [_panel(panel, pose, entry.beam) for panel, pose in zip(entry.detector.flat, poses, strict=False)],
        **left_out,
    }


def frame_number(shown: ShownScan) -> int | None:
    """The number of the frame that is shown; None where the scan has none of that number."""
    if shown.scan is None or shown.index is None:
        return None
    return int(shown.scan.numbers[shown.index]) if len(shown.scan.numbers) else shown.index + 1


def _panel(panel: Panel, pose: Pose, beam: Beam) -> dict[str, Any]:
    """One panel."""
    pixel = beam_pixel(pose, beam)
    # The corner lies half a pixel back along both unit vectors, whatever the angle between them.
    half = 0.5 * pose.pixel_size
    corner = pose.origin[0] - half[0] * pose.fast[0] - half[1] * pose.slow[0]
    centre = None
    if np.isfinite(pixel).all():
        on_panel = bool(pose.holds(pixel[None])[0]) if min(pose.size) > 0 else None
        centre = {"pixel": numbers(pixel), "mm": numbers(pixel * pose.pixel_size), "on_panel": on_panel}
    return {
        "id": panel.id,
        "array_id": panel.array_id,
        "section_id": panel.section_id,
        "element_id": panel.element_id,
        "size": [size or None for size in pose.size],
        "pixel_size": numbers(pose.pixel_size),
        "origin": numbers(pose.origin[0]),
        "corner": numbers(corner),
        "fast": numbers(pose.fast[0]),
        "slow": numbers(pose.slow[0]),
        "normal_distance": number(float(pose.normal_distance[0])),
        "beam_centre": centre,
    }
