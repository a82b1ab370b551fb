"""Rules about several panels: overlap, and a common plane."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.detector.faces import Setups, panel_place, panel_problem
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Panel, Panels
from imgcif_core.model.overlap import IN_PLANE, overlap_depth, touching_boxes
from imgcif_core.model.vectors import unit
from imgcif_core.tables import Tables

# Panels that overlap are found in pairs, whose number grows with the square of the panels.
MAX_PAIRS = 200


@rule(
    "DET014",
    "overlapping-panels",
    severity="warning",
    source="_axis.offset[1]",
    message="panels {first} and {second} overlap by {depth:.4g} mm = {pixels:.3g} px",
    messages={"hidden": "panel {first} hides {share:.0%} of panel {second} from the sample, {apart:.4g} mm behind it"},
)
def overlapping_panels(tables: Tables, setups: Setups, beam: Beam, tolerances: Tolerances) -> Iterator[Problem]:
    """What: Two panels of different elements lie in one plane and cover each other in part, or one stands in the
    light of the other as seen from the sample.
    Why: Modules cannot stand in one place; one of them has the offset or the direction of another.
    How to fix: Check the offsets of the axes of the two panels; layers of one face share their axes and are no
    overlap.
    Source: Dictionary imgCIF, _axis.offset and DIFFRN_DETECTOR_ELEMENT.
    """
    if len(setups.sized) < 2:
        raise NotApplicable("fewer than two panels of known size")
    panels = Panels(setups.detector, setups.panels.numbers[setups.sized])
    corners = setups.corners[:, 0]
    pixels = setups.sized_poses.pixel_size.min(axis=1)
    margin = tolerances.coplanar_mm
    yield from _hidden_panels(tables, panels, corners, beam, tolerances)
    found = 0
    for first, second in touching_boxes(corners.min(axis=1) - margin / 2, corners.max(axis=1) + margin / 2):
        depths = overlap_depth(corners, first, second, margin)
        deep = np.flatnonzero(depths > tolerances.overlap_px * np.minimum(pixels[first], pixels[second]))
        for pair in deep:
            one, two = sorted((int(first[pair]), int(second[pair])))
            if _is_one_face(panels[one], panels[two]):
                continue
            found += 1
            if found > MAX_PAIRS:
                return
            yield Problem(
                panel_place(tables, panels[two]),
                more=[panel_place(tables, panels[one])],
                first=panels[one].id,
                second=panels[two].id,
                depth=float(depths[pair]),
                pixels=float(depths[pair] / min(pixels[one], pixels[two])),
            )


def _hidden_panels(
    tables: Tables, panels: Panels, corners: np.ndarray, beam: Beam, tolerances: Tolerances
) -> Iterator[Problem]:
    """Panels out of one plane of which one covers much of the other, as seen from the sample."""
    depth = corners @ beam.direction
    ahead = np.flatnonzero((depth > 0).all(axis=1))
    seen = corners[ahead] / depth[ahead][:, :, None]
    sides = np.linalg.norm(np.stack([seen[:, 1] - seen[:, 0], seen[:, 3] - seen[:, 0]], axis=1), axis=2).min(axis=1)
    across = seen @ np.stack(_plane_of(beam.direction), axis=1)
    found = 0
    for first, second in touching_boxes(across.min(axis=1), across.max(axis=1)):
        shares = overlap_depth(seen, first, second, 1e-6) / np.minimum(sides[first], sides[second])
        for pair in np.flatnonzero(shares > tolerances.hidden_share):
            one, two = int(ahead[first[pair]]), int(ahead[second[pair]])
            apart = float(depth[two].mean() - depth[one].mean())
            if apart < 0:
                one, two, apart = two, one, -apart
            if apart <= tolerances.coplanar_mm or _is_one_face(panels[one], panels[two]):
                continue
            found += 1
            if found > MAX_PAIRS:
                return
            yield Problem(
                panel_place(tables, panels[two]),
                variant="hidden",
                more=[panel_place(tables, panels[one])],
                first=panels[one].id,
                second=panels[two].id,
                share=min(1.0, float(shares[pair])),
                apart=apart,
            )


def _plane_of(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors across a direction."""
    one = unit(np.cross(direction, [1.0, 0, 0] if abs(direction[0]) < 0.9 else [0, 1.0, 0]))
    return one, np.cross(direction, one)


def _is_one_face(one: Panel, two: Panel) -> bool:
    """True for layers, gains or thresholds of one face: one element, or the same pixel directions."""
    if one.element_id is not None and one.element_id == two.element_id:
        return True
    return [part.surface[0].axis for part in one.layout.directions] == [
        part.surface[0].axis for part in two.layout.directions
    ]


@rule(
    "DET015",
    "panels-out-of-plane",
    severity="info",
    source="_axis.offset[3]",
    message="{panels} of {total} parallel panels lie up to {spread:.4g} mm from the plane of the others",
)
def panels_out_of_plane(tables: Tables, setups: Setups, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The panels of a flat detector do not lie in one plane.
    Why: Modules are mounted in a plane to a fraction of a millimetre; a panel far from it may have a wrong offset.
    How to fix: Nothing is needed for detectors built in steps; otherwise correct the offset along the normal.
    Source: Dictionary imgCIF, _axis.offset.
    """
    if len(setups.sized) < 2:
        raise NotApplicable("fewer than two panels of known size")
    normals = setups.sized_poses.normal[:, 0]
    common = unit(normals * np.sign(normals @ normals[0])[:, None]).mean(axis=0)
    if (np.abs(normals @ unit(common)) < IN_PLANE).any():
        raise NotApplicable("the panels are turned against each other")
    heights = setups.centres[:, 0] @ unit(common)
    away = np.abs(heights - np.median(heights))
    far = np.flatnonzero(away >= tolerances.spread_mm)
    if len(far):
        group = [setups.panels[setups.sized[index]] for index in far]
        yield panel_problem(tables, group, total=len(setups.sized), spread=float(away.max()))
