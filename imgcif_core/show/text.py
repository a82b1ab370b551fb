"""The geometry passport as text, for people."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.detector import Panel
from imgcif_core.model.pose import Pose
from imgcif_core.model.scattering import resolution, two_theta
from imgcif_core.model.terms import mcstas_matrix, rotation_axis, xds_terms
from imgcif_core.model.vectors import angle_between
from imgcif_core.show.instrument import (
    AT_SAMPLE_MM,
    BlockInstrument,
    ShownScan,
    beam_pixel,
    block_instruments,
    direction_of,
    frames_words,
    goniometer_rows,
    is_unread,
    tree_fault,
    unplaced,
    wavelength_words,
)
from imgcif_core.show.numbers import frame_number

MAX_LISTED = 100
MAX_SCANS = 50
MAX_AXES = 12


def passport_text(document: Document, dictionary: Dictionary, frame: int | None = None) -> str:
    """The instruments of a document as text: beam, goniometer, scans and panels.

    Raises
    ------
    InputError
        If the document describes no instrument.
    UsageError
        If no scan has the frame asked for.
    """
    lines: list[str] = []
    # Absurd numbers of a file overflow to infinity and are shown as not known, without a word from numpy.
    with np.errstate(all="ignore"):
        for entry in block_instruments(document, dictionary, frame):
            lines += [f"{document.source.path}, block {entry.name}", ""]
            lines += [line.rstrip() for line in _block(entry)]
            lines.append("")
    lines.append(
        "Lengths in mm, angles in degrees; imgCIF laboratory frame: X along the principal axis, Z to the source."
    )
    return "\n".join(lines)


def _block(entry: BlockInstrument) -> Iterator[str]:
    """The lines of one block."""
    for name, tables in entry.borrowed.items():
        yield f"with {', '.join(tables)} of block {name}"
        yield ""
    yield from _beam(entry)
    yield ""
    yield from _goniometer(entry)
    fault = tree_fault(entry.axes)
    if fault:
        yield f"  axis tree broken: {fault}"
    yield ""
    yield from _scans(entry)
    yield from _detector(entry)


def _beam(entry: BlockInstrument) -> Iterator[str]:
    """Wavelengths, probe, source and gravity."""
    beam = entry.beam
    yield "Beam"
    known = [value for value in beam.wavelengths[:MAX_LISTED] if value > 0]
    is_photon = (beam.probe or "x-ray").lower() in ("x-ray", "gamma")
    waves = ", ".join(
        f"{value:g} Å" + (f" ({HC_KEV_ANGSTROM / value:.4f} keV)" if is_photon else "") for value in known
    )
    yield f"  wavelength      {waves or wavelength_words(entry)}"
    if beam.probe:
        yield f"  probe           {beam.probe}"
    words = "not readable" if is_unread(entry.axes, "source") else "not given"
    given = "" if beam.source_axis >= 0 else f"   {words}, taken by definition"
    yield f"  to the source   {vector(beam.source)}{given}"
    none = "not readable" if is_unread(entry.axes, "gravity") else "not given"
    yield f"  gravity         {vector(beam.gravity) if beam.gravity is not None else none}"


def _goniometer(entry: BlockInstrument) -> Iterator[str]:
    """The axes that position the sample, in both frames."""
    axes = entry.axes
    rows = goniometer_rows(entry.tables, axes)
    yield "Goniometer, base first" if rows else "Goniometer: none"
    if not rows:
        return
    matrix = mcstas_matrix(entry.beam.direction, entry.beam.gravity)
    table = [("axis", "type", "vector, imgCIF", "vector, NeXus/McStas", "depends on")]
    for row in rows[:MAX_LISTED]:
        parent = int(axes.parent[row])
        on = axes.id[parent] if parent >= 0 else "-"
        direction = direction_of(axes, row)
        table.append((axes.id[row], axes.kind[row], vector(direction), vector(matrix @ direction), on))
    yield from columns(table)
    turning = [row for row in rows if axes.kind[row] == "rotation"]
    pairs = [(one, two) for one, two in pairwise(turning) if axes.parent[two] == one]
    for one, two in pairs[:MAX_LISTED]:
        angle = float(angle_between(axes.direction[one], axes.direction[two]))
        if not np.isfinite([direction_of(axes, one), direction_of(axes, two)]).all():
            continue
        yield f"  {axes.id[two]} stands at {angle:.3f}° to {axes.id[one]}"


def _scans(entry: BlockInstrument) -> Iterator[str]:
    """The table of scans: one line for each axis that is set."""
    shown = [scan for scan in entry.scans if scan.scan is not None]
    if not shown:
        yield "Scans: none - all axes at zero"
        return
    yield "Scans" if len(shown) > 1 else "Scan"
    table: list[tuple[str, ...]] = [("scan", "frames", "axis", "start", "increment", "range", "end")]
    for entry_scan in shown[:MAX_SCANS]:
        scan = entry_scan.scan
        assert scan is not None
        head = (scan.id or "(unnamed)", frames_words(entry, scan))
        listed = entry_scan.axes
        if len(listed) > MAX_AXES:
            # What cannot be read is no zero, and stays.
            listed = tuple(axis for axis in listed if axis.start or axis.increment or axis.range)
        for axis in listed[:MAX_LISTED]:
            values = axis.start, axis.increment, axis.range
            end = axis.start + axis.range
            table.append((*head, entry.axes.id[axis.row], *(told(value) for value in (*values, end))))
            head = ("", "")
        if len(listed) < len(entry_scan.axes) or not listed:
            others = f"{len(entry_scan.axes) - len(listed)} others" if listed else "all axes"
            table.append((*head, others, "0", "0", "0", "0"))
    yield from columns(table)
    hidden = len(shown) - MAX_SCANS + entry.omitted
    if len(shown) > MAX_SCANS:
        yield f"  and {hidden} more scans"


def _detector(entry: BlockInstrument) -> Iterator[str]:
    """The panels, once for each distinct position."""
    for name, array, _, reason in list(unplaced(entry))[:MAX_LISTED]:
        yield ""
        yield f"Panel {name} of array {array} has no position - {reason}"
    if not entry.detector.panels:
        yield ""
        yield "Detector: no pixel directions"
    known: dict[bytes, list[ShownScan]] = {}
    for shown in entry.scans:
        if shown.index is None:
            yield ""
            yield f"Scan {shown.scan.id if shown.scan else ''}: no such frame"
        elif any(np.isfinite(pose.origin).all() for pose in shown.poses):
            key = np.round([(pose.origin[0], pose.fast_step[0], pose.slow_step[0]) for pose in shown.poses], 9)
            known.setdefault((key + 0.0).tobytes(), []).append(shown)
    for group in list(known.values())[:MAX_SCANS]:
        yield ""
        yield from _position(entry, group)


def _position(entry: BlockInstrument, group: Sequence[ShownScan]) -> Iterator[str]:
    """All panels in one position of the detector."""
    names = [shown.scan.id or "(unnamed)" for shown in group[:10] if shown.scan is not None]
    frame = frame_number(group[0])
    title = f"Detector in scan {', '.join(names)}{', ...' if len(group) > 10 else ''}" if names else "Detector"
    yield f"{title}, at the start of frame {frame}" if frame is not None else title
    pairs = zip(entry.detector.flat, group[0].poses, strict=True)
    panels = [(panel, pose) for panel, pose in pairs if not np.isnan(pose.origin).any()]
    if len(panels) == 1:
        yield from _panel(entry, *panels[0])
    else:
        yield from _panel_table(entry, panels)
        met = [
            pair for pair in panels if min(pair[1].size) > 0 and pair[1].holds(beam_pixel(pair[1], entry.beam)[None])[0]
        ]
        if met:
            yield f"  the beam meets panel {met[0][0].id}:"
            yield from _panel(entry, *met[0])
        else:
            yield "  the beam meets none of the panels"
    yield from _rotation(entry, group)


def _panel(entry: BlockInstrument, panel: Panel, pose: Pose) -> Iterator[str]:
    """One panel in the terms of all programs."""
    beam = entry.beam
    pixel, size = beam_pixel(pose, entry.beam), pose.pixel_size
    normal = pose.normal[0]
    facing = float(np.dot(normal, pose.centre[0])) if min(pose.size) > 0 else float(np.dot(normal, pose.origin[0]))
    tilt = float(angle_between(normal * (np.sign(normal @ beam.direction) or 1.0), beam.direction))
    where = [f"panel {panel.id}", f"array {panel.array_id}"]
    where += [f"{word} {name}" for word, name in (("section", panel.section_id), ("element", panel.element_id)) if name]
    yield f"  {', '.join(where)}"
    counts = " x ".join(str(length or "?") for length in pose.size)
    yield f"  size            {counts} pixels of {size[0]:g} x {size[1]:g}"
    yield f"  distance        {plain(pose.normal_distance[0])} along the normal, normal {tilt:.3f}° off the beam"
    side = "as seen from the sample" if facing > 0 else "mirrored"
    if pose.normal_distance[0] < AT_SAMPLE_MM:
        yield "  handedness      not known, as the distance is not told"
    else:
        yield f"  handedness      {side}: fast x slow points {'away from' if facing > 0 else 'to'} the sample"
    if np.isfinite(pixel).all():
        on_panel = "" if min(pose.size) > 0 and pose.holds(pixel[None])[0] else ", beside the panel"
        millimetres = pixel * size
        reach = float(np.linalg.norm(pose.at(*pixel)[0]))
        yield f"  beam centre     pixel {pair(pixel)} from the first centre, {pair(millimetres)} mm{on_panel}"
        yield f"                  {plain(reach)} along the beam"
    else:
        yield "  beam centre     the beam does not meet the plane of the panel"
    if beam.wavelength > 0 and min(pose.size) > 0 and pose.normal_distance[0] > AT_SAMPLE_MM:
        corners = pose.corners()[0]
        angle = float(two_theta(corners, beam.direction).max())
        spacing = float(np.min(resolution(corners, beam.wavelength, beam.direction)))
        yield f"  resolution      {spacing:.4g} Å in the far corner, at two-theta {angle:.3f}°"
    yield from _terms(entry, pose, pixel)


def _terms(entry: BlockInstrument, pose: Pose, pixel: np.ndarray) -> Iterator[str]:
    """One panel as imgCIF, NeXus, DIALS and XDS write it."""
    matrix = mcstas_matrix(entry.beam.direction, entry.beam.gravity)
    size = pose.pixel_size
    has_centre = bool(np.isfinite(pixel).all())
    yield f"  imgCIF          first centre {vector(pose.origin[0])}"
    yield f"                  fast {vector(pose.fast[0])}  slow {vector(pose.slow[0])}"
    yield f"  NeXus/McStas    first centre {vector(matrix @ pose.origin[0])}"
    yield f"                  fast {vector(matrix @ pose.fast[0])}  slow {vector(matrix @ pose.slow[0])}"
    if has_centre:
        yield f"                  beam_center_x, _y {pair(pixel + 0.5)} pixels from the corner"
    yield f"  DIALS           origin {vector(pose.corner[0])}, the corner"
    if has_centre:
        yield f"                  beam centre {pair(pixel + 0.5)} px, {pair((pixel + 0.5) * size)} mm from the corner"
    xds = xds_terms(pose)
    yield f"  XDS             ORGX= {xds.orgx:.3f} ORGY= {xds.orgy:.3f} DETECTOR_DISTANCE= {plain(xds.distance)}"
    yield f"                  DIRECTION_OF_DETECTOR_X-AXIS= {bare(pose.fast[0])}"
    yield f"                  DIRECTION_OF_DETECTOR_Y-AXIS= {bare(pose.slow[0])}"
    yield f"                  INCIDENT_BEAM_DIRECTION= {bare(entry.beam.direction)}"


def _rotation(entry: BlockInstrument, group: Sequence[ShownScan]) -> Iterator[str]:
    """How XDS and DIALS see the rotation of the scans in one position."""
    axes = entry.axes
    for shown in group[:MAX_SCANS]:
        turning = rotation_axis(axes, shown.scan, shown.index or 0) if shown.scan is not None else None
        if turning is None:
            continue
        row, direction, start, step = turning
        if np.isnan([axes.vector[axis] for axis in axes.chain(row)]).any():
            continue
        name = f"scan {shown.scan.id}" if shown.scan is not None and len(group) > 1 else "rotation"
        yield f"  {name:<15} {axes.id[row]}: ROTATION_AXIS= {bare(direction)}"
        yield f"                  STARTING_ANGLE= {told(start)} OSCILLATION_RANGE= {told(step)}"


def _panel_table(entry: BlockInstrument, panels: Sequence[tuple[Panel, Pose]]) -> Iterator[str]:
    """Many panels, one line each."""
    table: list[tuple[str, ...]] = [("panel", "pixels", "first centre", "fast", "slow", "distance")]
    for panel, pose in panels[:MAX_LISTED]:
        counts = f"{pose.size[0] or '?'} x {pose.size[1] or '?'}"
        vectors = (vector(value[0]) for value in (pose.origin, pose.fast, pose.slow))
        table.append((panel.id, counts, *vectors, plain(pose.normal_distance[0])))
    yield from columns(table)
    if len(panels) > MAX_LISTED:
        yield f"  and {len(panels) - MAX_LISTED} more panels"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table with aligned columns."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))


def plain(value: float) -> str:
    """A number with up to seven digits, without a negative zero."""
    return "not known" if not np.isfinite(value) else f"{float(value) + 0.0:.7g}" if abs(value) > 1e-9 else "0"


def told(value: float) -> str:
    """A number that the file states, in words where it cannot be read."""
    return "not readable" if np.isnan(value) else plain(value)


def vector(values: Iterable[float]) -> str:
    """A vector in brackets."""
    values = list(values)
    if np.isnan(values).any():
        return "not readable"
    return f"({', '.join(plain(round(float(value), 6)) for value in values)})"


def bare(values: Iterable[float]) -> str:
    """A vector as XDS writes it."""
    return " ".join(plain(round(float(value), 6)) for value in values)


def pair(values: Iterable[float]) -> str:
    """Two numbers in brackets."""
    return f"({', '.join(f'{float(value) + 0.0:.3f}' for value in values)})"
