"""Rules that hold a file against its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.checks.comparison.inputs import descriptions_of, reference_of
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Document, Place
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.detector import Detector
from imgcif_core.model.scans import build_scans
from imgcif_core.model.vectors import angle_difference
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.compare import Comparison, ScanPair
    from imgcif_core.sources.description import AxisFacts

# Names of scans that fit into one line of a message.
_SHOWN = 6


def _scan_place(tables: Tables, pair: ScanPair, name: str) -> Place:
    """The place of an item of a scan, or of the instrument where no scan is listed."""
    table = tables.table("diffrn_scan")
    return table.at(pair.index, name) if pair.index < table.rows else tables.table("axis").at_top()


def _scan_names(comparison: Comparison, pairs: Sequence[ScanPair]) -> str:
    """The scans of some pairs in words."""
    names = [comparison.described.scans[pair.index].id for pair in pairs]
    if not any(names):
        return "at zero settings"
    if len(names) == len(comparison.described.scans):
        return f"in scan {names[0]}" if len(names) == 1 else f"in all {len(names)} scans"
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"in {'scan' if len(names) == 1 else 'scans'} {shown} of {len(comparison.described.scans)}"


@rule(
    "CMP001",
    "scans-unlike-source",
    severity="error",
    source="_diffrn_scan.frames",
    message="scan {scan} has {frames} frames - the source has {source_frames}",
    messages={"number": "{scans} scans are described - the source {source} has {source_scans}"},
)
def scans_unlike_source(tables: Tables, comparison: Comparison) -> Iterator[Problem]:
    """What: The source has another number of scans, or of frames in a scan.
    Why: Frames that are described but do not exist, or exist and are not described, cannot be processed.
    How to fix: Describe each scan of the source with all of its frames.
    Source: Dictionary imgCIF, _diffrn_scan.frames; the source given with --against.
    """
    described, source = comparison.described, comparison.source
    own = [scan for scan in described.scans if scan.frames]
    if not own:
        raise NotApplicable("no scan is described")
    if len(own) != len(source.scans) and not comparison.is_sample:
        yield Problem(
            tables.table("diffrn_scan").at_top(),
            severity="warning",
            variant="number",
            scans=len(own),
            source=source.path,
            source_scans=len(source.scans),
        )
    for pair in () if comparison.is_sample else comparison.scans:
        if pair.frames[0] != pair.frames[1] and pair.frames[1] > 0:
            yield Problem(
                _scan_place(tables, pair, "frames"),
                scan=described.scans[pair.index].id,
                frames=pair.frames[0],
                source_frames=pair.frames[1],
            )


@rule(
    "CMP002",
    "detector-unlike-source",
    severity="error",
    source="_axis.vector[1]",
    message="detector stands up to {deviation:.4g} mm ({pixels:.4g} pixels) from where {source} has it {scans}{cause}",
    messages={
        "half": "first pixel lies half a pixel ({deviation:.4g} mm at the corners) from where {source} has it {scans}"
        "{cause}"
    },
)
def detector_unlike_source(
    tables: Tables, detector: Detector, comparison: Comparison, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The corners of the detector's panels lie elsewhere than the source has them.
    Why: Every position on the detector, and so every resolution and cell, comes out wrong.
    How to fix: Correct the axis that the message names, or the offsets and settings that carry the detector.
    Source: Dictionary imgCIF, AXIS, DIFFRN_SCAN_AXIS and ARRAY_STRUCTURE_LIST_AXIS; the source given with --against.
    """
    if comparison.panels_are_derived:
        raise NotApplicable("the source gives no pose of the detector")
    from imgcif_core.checks.comparison.causes import find_cause

    axes = detector.axes
    scans = tuple(build_scans(tables, axes))
    off = [pair for pair in comparison.scans if pair.worst is not None and _is_off(pair, tolerances)]
    if not off:
        return
    worst = max(off, key=lambda pair: pair.worst.worst if pair.worst else 0.0)
    panel = worst.worst
    if panel is None:
        return
    cause = find_cause(comparison, detector, scans, off, tolerances.source_mm)
    is_half = panel.is_half_pixel
    table = tables.table("axis")
    row = cause.axis if cause is not None and cause.axis is not None else detector.flat[0].slow.surface[0].axis
    yield Problem(
        table.at(row, "vector[1]"),
        severity="warning" if is_half else None,
        variant="half" if is_half else "",
        deviation=panel.worst,
        pixels=panel.worst_pixels,
        source=comparison.source.path,
        scans=_scan_names(comparison, off),
        cause=f"; {cause.text}" if cause is not None else "",
        panel=panel.name,
        axis=axes.id[row] if cause is not None and cause.axis is not None else None,
    )


def _is_off(pair: ScanPair, tolerances: Tolerances) -> bool:
    """True if a panel is further off than numbers printed in full can be."""
    worst = pair.worst
    if worst is None:
        return False
    return worst.worst > tolerances.source_mm and worst.worst_pixels > tolerances.source_px


@rule(
    "CMP003",
    "axis-unlike-source",
    severity="error",
    source="_axis.vector[1]",
    message="axis {axis} points {angle:.4g} degrees away from axis {source_axis} of the source",
    messages={
        "number": "goniometer has {axes} rotations - the source has {source_axes}",
        "sweep": "rotation of scan {scan} runs {angle:.4g} degrees away from that of the source",
    },
)
def axis_unlike_source(tables: Tables, axes: Axes, comparison: Comparison, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A goniometer axis has another direction than in the source.
    Why: The crystal is turned about an axis that it did not turn about, and reflections are not where predicted.
    How to fix: Take the direction of the axis from the source, in the frame with X along the principal axis.
    Source: Dictionary imgCIF, _axis.vector; the source given with --against.
    """
    if not comparison.source.goniometer or _is_assumed(comparison):
        raise NotApplicable("the source gives no directions of axes")
    table = tables.table("axis")
    if comparison.axes is None:
        yield Problem(
            table.at_top(),
            severity="info",
            variant="number",
            axes=_rotations(comparison.described.goniometer),
            source_axes=_rotations(comparison.source.goniometer),
        )
        yield from _sweeps(tables, comparison, tolerances)
        return
    for pair in comparison.axes:
        if pair.angle > tolerances.source_axis_deg:
            yield Problem(
                table.at(axes.find(pair.name), "vector[1]"),
                axis=pair.name,
                angle=pair.angle,
                source_axis=pair.source_name,
            )


def _is_assumed(comparison: Comparison) -> bool:
    """True if the directions of the source's axes are only a default."""
    known = comparison.source.provenance.get("goniometer")
    return known is not None and known.origin == "default"


def _rotations(goniometer: Sequence[AxisFacts]) -> int:
    """The number of rotation axes."""
    return sum(axis.kind == "rotation" for axis in goniometer)


def _sweeps(tables: Tables, comparison: Comparison, tolerances: Tolerances) -> Iterator[Problem]:
    """Scans that turn about another direction, whatever the axes are called."""
    for pair in comparison.scans:
        if pair.axis_angle > tolerances.source_axis_deg:
            yield Problem(
                _scan_place(tables, pair, "id"),
                variant="sweep",
                scan=comparison.described.scans[pair.index].id,
                angle=pair.axis_angle,
            )


@rule(
    "CMP004",
    "settings-unlike-source",
    severity="error",
    source="_diffrn_scan_axis.angle_start",
    message="scan {scan}, {what} is {value:.6g} degrees - the source has {expected:.6g}",
    messages={
        "setting": "scan {scan}, axis {axis} stands at {value:.6g} degrees - the source has {expected:.6g}",
        "frame": "the source starts {steps} increments from the start of scan {scan}, at {expected:.6g} degrees - "
        "it is another frame of the same rotation",
    },
)
def settings_unlike_source(tables: Tables, comparison: Comparison, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Start, increment or setting of a rotation differs from that in the source.
    Why: Orientations between frames are wrong, in sign or in size, and integration fails or drifts.
    How to fix: Copy the settings from the source, with the sign that belongs to the direction of the axis.
    Source: Dictionary imgCIF, DIFFRN_SCAN_AXIS; the source given with --against.
    """
    assumed = _is_assumed(comparison)
    for pair in comparison.scans:
        scan = comparison.described.scans[pair.index]
        place = _scan_place(tables, pair, "id")
        values = {"start": pair.start, "increment": pair.increment}
        limits = {"start": tolerances.source_setting_deg, "increment": tolerances.source_increment_deg}
        for what, (value, expected) in values.items():
            if not np.isfinite([value, expected]).all():
                continue
            is_angle = what == "start"
            difference = angle_difference(value, expected) if is_angle else abs(value - expected)
            steps = _steps_apart(pair, limits["start"]) if is_angle else 0
            if difference > limits[what] and steps:
                remedy = "nothing is needed if the source is meant to be another frame of the scan"
                facts: dict[str, Any] = {"scan": scan.id, "steps": steps, "expected": expected}
                yield Problem(place, severity="info", variant="frame", help=remedy, **facts)
            elif difference > limits[what]:
                # The sense of an axis whose direction the source does not give is open.
                severity = "warning" if assumed else None
                yield Problem(place, severity=severity, scan=scan.id, what=what, value=value, expected=expected)
        if assumed:
            continue
        for axis, value, expected in pair.settings:
            if angle_difference(value, expected) > tolerances.source_setting_deg:
                yield Problem(place, variant="setting", scan=scan.id, axis=axis, value=value, expected=expected)


def _steps_apart(pair: ScanPair, limit: float) -> int:
    """How many increments two single frames of one rotation are apart, 0 unless that is a whole number."""
    if pair.frames != (1, 1) or not np.isfinite([*pair.start, *pair.increment]).all() or not pair.increment[0]:
        return 0
    if abs(pair.increment[0] - pair.increment[1]) > limit:
        return 0
    steps = (pair.start[1] - pair.start[0]) / pair.increment[0]
    return round(steps) if abs(steps - round(steps)) * abs(pair.increment[0]) <= limit else 0


@rule(
    "CMP005",
    "wavelength-unlike-source",
    severity="error",
    source="_diffrn_radiation_wavelength.value",
    message="wavelength is {value:.6g} angstrom - the source has {expected:.6g}{scan}",
)
def wavelength_unlike_source(tables: Tables, comparison: Comparison, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The wavelength differs from that in the source.
    Why: All distances in the crystal scale with it.
    How to fix: Copy the wavelength from the source, in angstrom.
    Source: Dictionary imgCIF, _diffrn_radiation_wavelength.value; the source given with --against.
    """
    table = tables.table("diffrn_radiation_wavelength")
    several = table.rows > 1
    stated = table.numbers("value")
    for pair in comparison.scans:
        value, expected = pair.wavelength
        if not np.isfinite([value, expected]).all():
            continue
        candidates = stated[np.isfinite(stated)] if several else np.array([value])
        if np.abs(candidates - expected).min() > tolerances.source_relative * expected:
            name = comparison.source.scans[pair.source_index].id
            in_scan = f" in scan {name}" if len(comparison.scans) > 1 else ""
            yield Problem(table.at(0, "value"), value=value, expected=expected, scan=in_scan)
            return


@rule(
    "CMP006",
    "pixels-unlike-source",
    severity="error",
    source="_array_structure_list.dimension",
    message="panel {panel} has {size} pixels - the source has {source_size}",
    messages={
        "pitch": "panel {panel} has pixels of {size} mm - the source has {source_size} mm",
        "panels": "detector has {size} panels - the source has {source_size}",
    },
)
def pixels_unlike_source(
    tables: Tables, detector: Detector, comparison: Comparison, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: Number or size of the pixels, or the number of panels, differs from the source.
    Why: Images cannot be read into such an array, or their scale is wrong.
    How to fix: Copy the numbers of pixels along fast and slow, and the pixel size, from the source.
    Source: Dictionary imgCIF, _array_structure_list.dimension; the source given with --against.
    """
    table = tables.table("array_structure_list")
    if not comparison.scans:
        raise NotApplicable("no scan in both")
    first = comparison.scans[0]
    own = comparison.described.scans[first.index].panels
    other = comparison.source.scans[first.source_index].panels
    if len(own) != len(other):
        if comparison.panels_are_derived and len(other) == 1:
            raise NotApplicable("the header of the source speaks of one image, not of its panels")
        yield Problem(table.at_top(), variant="panels", panel="", size=len(own), source_size=len(other))
        return
    rows = {panel.id: panel.fast.row for panel in detector.flat}
    for pair in first.panels:
        place = table.at(rows.get(pair.name, 0), "dimension")
        if 0 not in pair.size and 0 not in pair.source_size and pair.size != pair.source_size:
            yield Problem(place, panel=pair.name, size=_by(pair.size), source_size=_by(pair.source_size))
        pitch, expected = np.array(pair.pixel_size), np.array(pair.source_pixel_size)
        if comparison.is_told("pixel_size") and (np.abs(pitch - expected) > tolerances.relative * expected).any():
            yield Problem(
                place,
                variant="pitch",
                panel=pair.name,
                size=_by(pair.pixel_size),
                source_size=_by(pair.source_pixel_size),
            )


def _by(pair: Sequence[float]) -> str:
    """Two numbers as a size."""
    return f"{pair[0]:.6g} x {pair[1]:.6g}"


@rule(
    "CMP007",
    "frame-unlike-source",
    severity="info",
    source="_axis.system",
    message="frame of the source was turned by {angle:.6g} degrees {about} to compare; X lies along the principal axis",
)
def frame_unlike_source(tables: Tables, comparison: Comparison) -> Iterator[Problem]:
    """What: The source uses another laboratory frame, turned against that of the file.
    Why: imgCIF lays X along the principal goniometer axis, other programs lay their axes elsewhere.
    How to fix: Nothing is needed; the comparison takes the turn into account.
    Source: Dictionary imgCIF, AXIS, laboratory frame; the source given with --against.
    """
    if np.abs(comparison.rotation - np.eye(3)).max() > 1e-9:
        about = "about the beam" if abs(comparison.rotation[2, 2] - 1.0) < 1e-9 else "in space"
        yield Problem(tables.table("axis").at_top(), angle=comparison.turn, about=about)


@rule(
    "CMP008",
    "distance-or-centre-unlike-source",
    severity="warning",
    source="_diffrn_scan_axis.displacement_start",
    message="{what} is {value:.6g} {unit} {scan} - the source has {expected:.6g} {unit}",
)
def distance_or_centre_unlike_source(
    tables: Tables, detector: Detector, comparison: Comparison, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: Distance or beam centre differs from what a source without detector axes states.
    Why: One of the two is wrong, or the source means the detector at another setting.
    How to fix: Find out which one holds for the images, and correct the offsets and settings if it is the source.
    Source: Dictionary imgCIF, AXIS and DIFFRN_SCAN_AXIS; the source given with --against.
    """
    if not comparison.panels_are_derived:
        raise NotApplicable("the source gives the pose of the detector")
    if len(detector.flat) > 1:
        raise NotApplicable("one distance does not settle several panels")
    scans = tuple(build_scans(tables, detector.axes))
    pose = detector.poses(scans[0] if scans else None)[0]
    source = comparison.source.scans[0].panels[0]
    rotates = any(
        detector.axes.kind[row] == "rotation" and scans and scans[0].setting(row, 0) != 0
        for row in detector.moving_axes
    )
    place = tables.table("axis").at(detector.flat[0].slow.surface[0].axis, "offset[1]")
    scan = f"in scan {scans[0].id}" if scans and scans[0].id else "at zero settings"
    distance, expected = float(pose.normal_distance[0]), -float(source.corner[2])
    if comparison.is_told("distance") and abs(distance - expected) > tolerances.distance_mm:
        yield Problem(place, what="normal distance", value=distance, unit="mm", scan=scan, expected=expected)
    if rotates or not comparison.is_told("beam_centre") or not comparison.is_told("pixel_size"):
        return
    centre = pose.beam_centre()[0] + 0.5
    stated = (-source.corner[0] / source.pixel_size[0], source.corner[1] / source.pixel_size[1])
    for direction, value, expected in zip(("fast", "slow"), centre, stated, strict=True):
        if not abs(value - expected) <= tolerances.beam_centre_px:
            yield Problem(
                place,
                what=f"beam centre along {direction}",
                value=float(value),
                unit="pixels from the corner",
                scan=scan,
                expected=float(expected),
            )


@rule(
    "CMP009",
    "nothing-compared",
    severity="warning",
    source="_axis.vector[1]",
    message="nothing was compared with the source given - {reason}",
)
def nothing_compared(options: CheckOptions, document: Document, all_tables: Sequence[Tables]) -> Iterator[Problem]:
    """What: A source to compare with was given, and no number of the file was held against it.
    Why: A report without a word about deviations looks as if there were none.
    How to fix: Give the source from which this file was made, or the whole file where this one has no axes.
    Source: The source given with --against.
    """
    if options.against is None:
        raise NotApplicable("no source to compare with (--against)")
    reason = _hindrance(options, document, all_tables)
    if reason and all_tables:
        yield Problem(all_tables[0].table("axis").at_top(), reason=reason)


def _hindrance(options: CheckOptions, document: Document, all_tables: Sequence[Tables]) -> str:
    """Why nothing can be compared; empty where something can, `Blocked` where its numbers cannot be read."""
    try:
        reference = reference_of(options, document)
    except NotChecked as unread:
        return str(unread)
    if not reference.scans:
        return f"{reference.path} tells of no scan"
    if descriptions_of(all_tables, reference):
        return ""
    described = [tables for tables in all_tables if tables.table("axis")]
    if not described:
        return "the file places no detector, only its text header tells of the instrument"
    for tables in described:
        axes = build_axes(tables)
        if not axes.is_read.all() or any(scan.unread_axes() for scan in build_scans(tables, axes)):
            raise Blocked("DIC008")
    return "the file places no detector"
