"""Rules about where the panels stand: before or behind the sample, facing it, met by the beam."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.detector.faces import Setups, panel_place, panel_problem
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.axes import NO_PARENT
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Panel, Posture
from imgcif_core.model.scattering import resolution, two_theta
from imgcif_core.model.vectors import unit
from imgcif_core.tables import Tables


def heights(setups: Setups, beam: Beam) -> Floats:
    """How far the centres of the panels of known size lie down the beam: (panels, setups) mm."""
    found: Floats = setups.centres @ beam.direction
    return found


def is_upstream(setups: Setups, beam: Beam, tolerances: Tolerances) -> bool:
    """True if one flat panel that no rotation has turned stands between source and sample in every scan."""
    if len(setups.detector.panels) != 1 or not setups.sized or setups.turned.any():
        return False
    return bool((heights(setups, beam) < -tolerances.distance_mm).all())


@rule(
    "DET010",
    "panel-upstream",
    severity="warning",
    source="_axis.offset[3]",
    message="the centre of panel {panel} lies at z = {height:.6g} mm, on the side of the source - "
    "expected a negative z for a detector behind the sample",
)
def panel_upstream(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The detector stands between the source and the sample.
    Why: In the laboratory frame Z points to the source, so that a detector behind the sample has a negative z;
    a positive one mostly means a distance with the wrong sign.
    How to fix: Reverse the sign of the distance, or the vector of the axis along which it is set; a detector
    for back-reflection is right as it is.
    Source: Dictionary imgCIF, AXIS: the Z axis runs from the sample towards the source.
    """
    if not setups.is_in_laboratory or not setups.sized:
        raise NotApplicable("no panel of known size in the laboratory system")
    if (np.abs(heights(setups, beam)) <= tolerances.distance_mm).all():
        raise NotChecked("the distance of the detector is not stated")
    if is_upstream(setups, beam, tolerances):
        height = float(setups.centres[0, 0, 2])
        panel = setups.panels[setups.sized[0]]
        yield Problem(panel_place(tables, panel), panel=panel.id, height=height)


@rule(
    "DET011",
    "beam-beside-detector",
    severity="warning",
    source="_axis.offset[1]",
    message="the beam meets the plane of panel {panel} at pixel ({fast:.1f}, {slow:.1f}), "
    "outside its {size} pixels{where} - {distance:.4g} mm from the edge",
)
def beam_beside_detector(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The direct beam meets neither a panel nor a gap between panels in any scan.
    Why: Most detectors are placed around the beam; a centre far outside mostly comes from pixels given as
    millimetres or from swapped directions.
    How to fix: Check the offsets and vectors of the pixel directions; an offset detector or one on a two-theta
    arm is right as it is.
    Source: Dictionary imgCIF, _axis.offset and ARRAY_STRUCTURE_LIST_AXIS; the beam travels against the source
    direction.
    """
    if not setups.is_in_laboratory or not setups.sized:
        raise NotApplicable("no panel of known size in the laboratory system")
    corners = setups.corners
    facing = [setup for setup in range(len(setups.scan_ids)) if (corners[:, setup] @ beam.direction > 0).any()]
    if not facing:
        raise NotChecked("no panel stands behind the sample")
    if any(_is_surrounded(corners[:, setup], beam.direction) for setup in facing):
        return
    pixels, misses = _misses(setups, beam)
    misses = np.where(np.isfinite(misses), misses, np.inf)[:, facing]
    index, place = (int(number) for number in np.unravel_index(misses.argmin(), misses.shape))
    setup, distance = facing[place], float(misses[index, place])
    if not np.isfinite(distance):
        return
    pixel = pixels[index, setup]
    pose, panel = setups.sized_poses[index], setups.panels[setups.sized[index]]
    is_legal = bool(setups.turned.any()) or _is_shifted(setups, beam, setup)
    yield Problem(
        panel_place(tables, panel),
        severity="info" if is_legal else None,
        panel=panel.id,
        fast=float(pixel[0]),
        slow=float(pixel[1]),
        size=f"{pose.size[0]} x {pose.size[1]}",
        where=f" in any of {len(setups.scan_ids)} settings" if len(setups.scan_ids) > 1 else "",
        distance=distance,
    )


def _misses(setups: Setups, beam: Beam) -> tuple[np.ndarray, np.ndarray]:
    """Where the beam meets the planes of the panels of known size, and how far from their edges.

    (panels, setups, 2) pixels and (panels, setups) mm.
    """
    poses = setups.sized_poses
    pixels = poses.beam_centre(beam.direction)
    limits = poses.size[:, None] - 0.5
    outside = np.maximum(np.maximum(-0.5 - pixels, pixels - limits), 0.0) * poses.pixel_size[:, None]
    return pixels, np.linalg.norm(outside, axis=-1)


def _is_surrounded(corners: np.ndarray, direction: np.ndarray) -> bool:
    """True if the beam passes through the outline of all panels: corners (panels, 4, 3)."""
    ahead = corners.reshape(-1, 3)
    depth = ahead @ direction
    if not (depth > 0).any():
        return False
    across = (ahead - depth[:, None] * direction)[depth > 0] / depth[depth > 0, None]
    one = unit(np.cross(direction, [1.0, 0, 0] if abs(direction[0]) < 0.9 else [0, 1.0, 0]))
    plane = np.stack([across @ one, across @ np.cross(direction, one)], axis=1)
    angles = np.sort(np.arctan2(plane[:, 1], plane[:, 0]))
    gaps = np.diff(np.concatenate([angles, angles[:1] + 2 * np.pi]))
    return bool(gaps.max() <= np.pi + 1e-9)


def _is_shifted(setups: Setups, beam: Beam, setup: int) -> bool:
    """True if a translation across the beam is set."""
    axes = setups.detector.axes
    across = [abs(float(axes.direction[row] @ beam.direction)) < 0.9 for row in setups.rows]
    moved = [axes.kind[row] == "translation" for row in setups.rows]
    return any(np.array(across) & np.array(moved) & (np.abs(setups.settings[setup]) > 0))


@rule(
    "DET012",
    "mirrored-panel",
    severity="warning",
    source="_array_structure_list.precedence",
    message="fast x slow points to the sample, cosine {cosine:.3f}, on {panels} - expected away from it, "
    "as the image is seen from the sample",
    messages={
        "sign": "fast x slow points to the sample on {panels}, which lies beside the beam - as if "
        "displacement_increment of axis {axis} had the wrong sign",
        "behind": "{panels} at z = {height:.6g} mm with all rotations at zero, on the side of the source, "
        "with the back to the sample - as if the distance had the wrong sign",
    },
)
def mirrored_panel(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Seen from the sample, the fast and the slow direction of a panel turn the wrong way round.
    Why: Nearly all readers deliver images as seen from the sample; the other sense mostly means that the two
    directions are exchanged or one is reversed, so that the image is mirrored.
    How to fix: Check which dimension has precedence 1, and the signs of the vectors and increments; keep them
    if the images are stored mirrored.
    Source: Dictionary imgCIF, _array_structure_list.precedence and ARRAY_STRUCTURE_LIST_AXIS.
    """
    if not setups.sized:
        raise NotApplicable("no panel of known size")
    if is_upstream(setups, beam, tolerances):
        # One cause, one finding: from the other side every panel is mirrored.
        return
    normals = setups.sized_poses.normal
    facing = np.einsum("psi,psi->ps", normals, unit(setups.centres))
    if (np.abs(facing) <= tolerances.facing).all():
        raise NotChecked("the distance of the detector is not stated")
    wrong = np.flatnonzero((facing < -tolerances.facing).all(axis=1))
    if len(wrong):
        group = [setups.panels[setups.sized[index]] for index in wrong]
        yield _mirrored(tables, setups, beam, group, float(facing[wrong].max()), tolerances)


def _mirrored(
    tables: Tables, setups: Setups, beam: Beam, group: list[Panel], cosine: float, tolerances: Tolerances
) -> Problem:
    """The finding for mirrored panels, with the slip that explains it where one does."""
    total = len(setups.sized)
    height = _height_at_zero(setups, beam)
    if len(group) == total and setups.is_in_laboratory and height > tolerances.distance_mm:
        axis = _distance_axis(setups, beam)
        remedy = f"reverse the sign of the displacement of {axis}, or its vector" if axis else None
        facts = {"height": height, "total": total, "cosine": cosine}
        return panel_problem(tables, group, "array_id", variant="behind", help=remedy, **facts)
    axis = _reversed_step(setups, beam, group)
    if axis:
        remedy = f"reverse the signs of displacement and displacement_increment of {axis}"
        return panel_problem(tables, group, "precedence", variant="sign", help=remedy, total=total, axis=axis)
    return panel_problem(tables, group, "precedence", total=total, cosine=cosine)


def _height_at_zero(setups: Setups, beam: Beam) -> float:
    """The lowest centre of a panel up the beam with all rotations at zero, mm."""
    poses = setups.detector.faces.place(_arms_at_zero(setups)).only(np.array(setups.sized, dtype=int))
    return float(-(poses.centre[:, 0] @ beam.direction).max())


def _arms_at_zero(setups: Setups) -> Posture:
    """The detector in its first setting with all axes of rotation at zero."""
    axes = setups.detector.axes
    held = {row: setups.settings[:1, index] for index, row in enumerate(setups.rows) if axes.kind[row] != "rotation"}
    return Posture(axes, held)


def _distance_axis(setups: Setups, beam: Beam) -> str:
    """The axis that is moved furthest along the beam, an empty text where none is."""
    axes = setups.detector.axes
    moved = [
        (abs(float(value * (axes.direction[row] @ beam.direction))), axes.id[row])
        for row, value in zip(setups.rows, setups.settings[0], strict=True)
        if axes.kind[row] == "translation"
    ]
    return max(moved)[1] if moved and max(moved)[0] > 0 else ""


def _reversed_step(setups: Setups, beam: Beam, group: list[Panel]) -> str:
    """The axis whose step, if reversed, brings a single panel round the beam; an empty text where none does."""
    if len(group) != 1 or len(setups.sized) != 1:
        return ""
    shape = group[0].pose(_arms_at_zero(setups))
    centre, size = shape.beam_centre(beam.direction)[0], np.array(shape.size)
    found = []
    for index, part in enumerate(group[0].layout.directions):
        turned = centre * np.where(np.arange(2) == index, -1.0, 1.0)
        inside = ((turned > -1) & (turned < size)).all()
        if inside and not ((centre > -1) & (centre < size)).all():
            found.append(setups.detector.axes.id[part.surface[0].axis])
    return found[0] if len(found) == 1 else ""


@rule(
    "DET013",
    "tilted-detector",
    severity="info",
    source="_axis.vector[1]",
    message="the detector is tilted by {angle:.2f} degrees against the beam with its arms at zero",
)
def tilted_detector(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: With the arms of the detector at zero, no panel stands square to the beam.
    Why: Most mounts are square to a fraction of a degree; a tilt is legal and worth a look.
    How to fix: Nothing is needed where the detector is tilted on purpose.
    Source: Dictionary imgCIF, _axis.vector.
    """
    normals = setups.detector.faces.place(_arms_at_zero(setups)).normal[:, 0]
    cosines = np.abs(normals @ beam.direction)
    angle = float(np.degrees(np.arccos(np.clip(cosines.max(), -1, 1))))
    if angle > tolerances.tilt_deg:
        yield panel_problem(tables, [setups.panels[int(cosines.argmax())]], "axis_set_id", angle=angle)


@rule(
    "DET023",
    "detector-arm",
    severity="info",
    source="_axis.vector[1]",
    message="{axis} at {angle:g} degrees takes the detector to {where}, against the sense in which {principal} turns",
    messages={"aside": "{axis} passes {distance:.4g} mm beside the sample, so that turning it changes the distance"},
)
def detector_arm(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: A two-theta arm turns against the goniometer, or about a line that misses the sample.
    Why: Both are legal; a sign of two-theta that is wrong puts the detector on the wrong side of the beam.
    How to fix: Nothing is needed where the arm is built so; otherwise reverse its vector, or correct its offset.
    Source: Dictionary imgCIF, _axis.vector and _axis.offset; rotations are right-handed.
    """
    axes = setups.detector.axes
    arms = [row for row in setups.rows if axes.parent[row] == NO_PARENT and axes.kind[row] == "rotation"]
    if not arms:
        raise NotApplicable("no two-theta arm")
    base = [
        row
        for row in range(len(axes))
        if axes.equipment[row] == "goniometer" and axes.parent[row] == NO_PARENT and axes.kind[row] == "rotation"
    ]
    table = tables.table("axis")
    for row in arms:
        direction, offset = axes.direction[row], axes.offset[row]
        aside = float(np.linalg.norm(offset - (offset @ direction) * direction))
        if aside > tolerances.distance_mm and (setups.settings[:, setups.rows.index(row)] != 0).any():
            yield Problem(table.at(row, "id"), variant="aside", axis=axes.id[row], distance=aside)
        angles = setups.settings[:, setups.rows.index(row)]
        moved = np.flatnonzero(angles != 0)
        against = [other for other in base if float(axes.direction[other] @ direction) < -0.9]
        if against and len(moved) and setups.sized:
            where = setups.centres[:, moved[0]].mean(axis=0)
            yield Problem(
                table.at(row, "id"),
                axis=axes.id[row],
                angle=float(angles[moved[0]]),
                where="({:.1f}, {:.1f}, {:.1f}) mm".format(*where),
                principal=axes.id[against[0]],
            )


@rule(
    "DET024",
    "corner-resolution",
    severity="info",
    source="_diffrn_radiation_wavelength.value",
    message="the corner of panel {panel} sees a resolution of {resolution:.4g} ångström at {angle:.2f} degrees - "
    "usual are {low:g} to {high:g}",
)
def corner_resolution(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The highest resolution that the detector reaches is unusual.
    Why: Wavelength, distance and pixel size together decide it; a wrong unit in any of them shows here.
    How to fix: Check wavelength, distance and pixel size; small-angle data and gamma rays are right as they are.
    Source: Bragg's law, with _diffrn_radiation_wavelength.value and the positions of the pixels.
    """
    if not setups.sized or not setups.is_in_laboratory:
        raise NotApplicable("no panel of known size in the laboratory system")
    if not beam.wavelength > 0:
        raise NotChecked("no wavelength")
    if (np.abs(heights(setups, beam)) <= tolerances.distance_mm).all():
        raise NotChecked("the distance of the detector is not stated")
    corners = setups.corners
    angles = two_theta(corners, beam.direction)
    panel, setup, corner = np.unravel_index(int(np.nan_to_num(angles).argmax()), angles.shape)
    spacing = float(resolution(corners[panel, setup, corner], beam.wavelength, beam.direction))
    if not np.isfinite(spacing):
        return
    if not tolerances.resolution_min <= spacing <= tolerances.resolution_max:
        yield Problem(
            tables.table("diffrn_radiation_wavelength").at(0, "value"),
            panel=setups.panels[setups.sized[int(panel)]].id,
            resolution=spacing,
            angle=float(angles[panel, setup, corner]),
            low=tolerances.resolution_min,
            high=tolerances.resolution_max,
        )
