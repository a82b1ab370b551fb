"""Rules about pixel directions: their angle, their common origin, their direction of storage and shape."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.detector.faces import Setups, named, panel_problem, step_place
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.detector import PARALLEL, Detector, Fault, Panel, Posture
from imgcif_core.model.faces import Faces
from imgcif_core.tables import Tables


@rule(
    "DET002",
    "parallel-directions",
    severity="error",
    source="_array_structure_list_axis.axis_id",
    message="fast and slow of {panels} run along {fast} and {slow}, {angle:.3g} degrees apart, and span no face",
    messages={
        "same": "fast and slow of {panels} both run along axis {fast}, so all pixels of a column lie in one place"
    },
)
def parallel_directions(tables: Tables, panels: Detector) -> Iterator[Problem]:
    """What: The two directions of the pixels of a flat array are parallel, or run along one and the same axis.
    Why: Pixels then fall upon each other, and no face of the detector exists.
    How to fix: Give each dimension an axis of its own, at right angles to the other one.
    Source: Dictionary imgCIF, ARRAY_STRUCTURE_LIST_AXIS: the axes along which the indices of an array change.
    """
    parallel = panels.with_fault(Fault.PARALLEL)
    for panel in parallel:
        fast, slow = (part.surface[0] for part in panel.layout.directions)
        axes = panels.axes
        one, two = (axes.placement(entry.axis, {}).turn(axes.direction[entry.axis])[0] for entry in (fast, slow))
        yield panel_problem(
            tables,
            [panel],
            "axis_set_id",
            variant="same" if fast.axis == slow.axis else "",
            fast=panels.axes.id[fast.axis],
            slow=panels.axes.id[slow.axis],
            angle=float(np.degrees(np.arccos(np.clip(one @ two, -1, 1)))),
        )
    if not len(parallel) and not len(panels.flat):
        raise NotApplicable("no flat panel")


@rule(
    "DET003",
    "sheared-pixels",
    severity="warning",
    source="_axis.vector[1]",
    message="fast and slow of {panels} are {angle:.4f} degrees apart - expected 90",
)
def sheared_pixels(tables: Tables, setups: Setups, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The two directions of the pixels are not at right angles.
    Why: Pixels of detectors are rectangles; a sheared grid mostly comes from a mistyped or rounded vector.
    How to fix: Give the two axes perpendicular vectors, with five digits or more where they are tilted.
    Source: Dictionary imgCIF, AXIS and ARRAY_STRUCTURE_LIST_AXIS.
    """
    found: dict[str, list[Panel]] = {}
    angles: dict[str, float] = {}
    cosines = np.einsum("pi,pi->p", setups.poses.fast[:, 0], setups.poses.slow[:, 0])
    sheared = np.flatnonzero((np.abs(cosines) > tolerances.shear) & (np.abs(cosines) <= PARALLEL))
    for number, cosine in zip(sheared.tolist(), cosines[sheared].tolist(), strict=True):
        key = f"{cosine:.6f}"
        angles[key] = float(np.degrees(np.arccos(cosine)))
        found.setdefault(key, []).append(setups.panels[number])
    for key, group in found.items():
        yield panel_problem(tables, group, "axis_set_id", angle=angles[key])


@rule(
    "DET004",
    "two-origins",
    severity="warning",
    source="_axis.depends_on",
    message="axes {fast} and {slow} of {panels} do not depend on one another and start {distance:.4g} mm apart, "
    "so the first pixel can be read in two ways",
)
def two_origins(tables: Tables, detector: Detector, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Neither of the two pixel directions carries the other, and they start from different places.
    Why: Readers take the origin of one or of the other, or add the offsets, and place the pixels differently.
    How to fix: Let one direction depend on the other, and give the offset to the one that is carried last.
    Source: Dictionary imgCIF, _axis.depends_on and _axis.offset, relative to the axis on which it depends.
    """
    axes, faces = detector.axes, detector.faces
    numbers = np.flatnonzero(faces.is_apart)
    if not len(numbers):
        raise NotApplicable("one pixel direction carries the other")
    apart = faces.only(numbers)
    # With all axes at zero, those of the pixels too.
    apart = Faces(axes, apart.axis, np.zeros_like(apart.displacement), apart.increment, apart.size)
    origins = apart.origins(Posture(axes, {}))
    distances = np.linalg.norm(origins[:, 0, 0] - origins[:, 1, 0], axis=1)
    others = axes.parent[apart.axis[:, 0]] != axes.parent[apart.axis[:, 1]]
    offset = axes.offset[apart.axis].any(axis=(1, 2))
    for row in np.flatnonzero((distances > tolerances.origin_mm) | (others & offset)).tolist():
        panel = detector.flat[int(numbers[row])]
        fast, slow = (axes.id[axis] for axis in apart.axis[row].tolist())
        yield panel_problem(tables, [panel], "axis_set_id", fast=fast, slow=slow, distance=float(distances[row]))


@rule(
    "DET008",
    "half-pixel-sign",
    severity="warning",
    source="_array_structure_list_axis.displacement",
    message="displacement {value:g} mm is half a pixel against the direction of displacement_increment {step:g} mm "
    "along {axis} - expected {expected:g} mm if the offset is that of the corner",
)
def half_pixel_sign(tables: Tables, detector: Detector, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The first pixel stands half a step from where its axis is, but on the far side.
    Why: From the corner the first centre lies half a step inwards; with the sign reversed the image is a pixel off.
    How to fix: Give displacement the sign of displacement_increment.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement: the centre of the first pixel.
    """
    faces = detector.faces
    for number, side in np.argwhere(np.abs(faces.displacement / faces.increment + 0.5) < tolerances.half_pixel_share):
        entry = detector.flat[int(number)].layout.directions[side].surface[0]
        yield Problem(
            step_place(tables, entry, "displacement"),
            value=entry.displacement,
            step=entry.increment,
            axis=detector.axes.id[entry.axis],
            expected=-entry.displacement,
        )


@rule(
    "DET009",
    "decreasing-index",
    severity="warning",
    source="_array_structure_list.direction",
    message="index {index} of {panels} is decreasing: readers step {step:g} mm for each stored pixel and end at "
    "{stored:.6g} mm along {axis}; counted by the index it would end at {counted:.6g} mm",
)
def decreasing_index(tables: Tables, detector: Detector) -> Iterator[Problem]:
    """What: An index is declared to decrease, and the dictionary leaves open which way the pixels then step.
    Why: displacement is that of the last index, but the step may count stored pixels or indices; the two mirror
    the image.
    How to fix: Write increasing, with displacement and displacement_increment for the pixels as they are stored.
    Source: Dictionary imgCIF, _array_structure_list.direction and _array_structure_list_axis.displacement.
    """
    seen: set[int] = set()
    is_decreasing = detector.layouts.is_decreasing[detector.directions] & (detector.faces.size != 1)
    for number, side in np.argwhere(is_decreasing):
        panel = detector.flat[int(number)]
        part = panel.layout.directions[side]
        if part.row in seen:
            continue
        seen.add(part.row)
        entry = part.surface[0]
        length = max(part.size - 1, 1) * entry.increment
        yield Problem(
            tables.table("array_structure_list").at(part.row, "direction"),
            index=part.index,
            panels=f"panel {panel.id}",
            step=entry.increment,
            axis=detector.axes.id[entry.axis],
            stored=entry.displacement + length,
            counted=entry.displacement - length,
        )


@rule(
    "DET018",
    "pixels-not-square",
    severity="info",
    source="_array_structure_list_axis.displacement_increment",
    message="pixels of {panels} are {fast:g} mm along fast and {slow:g} mm along slow",
)
def pixels_not_square(tables: Tables, setups: Setups, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The pixels are not square.
    Why: This is right for strip detectors and for unequal binning; otherwise one of the two steps is mistyped.
    How to fix: Nothing is needed where the pixels are oblong; otherwise correct the step.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement_increment.
    """
    found: dict[tuple[float, float], list[Panel]] = {}
    steps = np.abs(setups.detector.faces.increment)
    for number in np.flatnonzero(np.ptp(steps, axis=1) > tolerances.relative * steps.max(axis=1)).tolist():
        fast, slow = steps[number].tolist()
        found.setdefault((fast, slow), []).append(setups.panels[number])
    for (fast, slow), group in found.items():
        place = step_place(tables, group[0].fast.surface[0], "displacement_increment")
        yield Problem(place, count=len(group), panels=named(group), fast=fast, slow=slow)
