"""A rule about the beam centre: where the rings of the background say that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.images.survey import Survey, Surveyed
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Detector, Pose
from imgcif_core.model.scans import Scans

if TYPE_CHECKING:
    from imgcif_core.images.shadow import Shadow
    from imgcif_core.images.symmetry import CentreEvidence

# Above this share of unexplained variance the background has no rings to speak of.
MOST_UNEXPLAINED = 0.25
# By so much the true centre must explain the image better than the stated one.
LEAST_GAIN = 1.1
# Share of the panel around the centre without which rings are seen from one side only.
LEAST_MARGIN = 0.2
# Pixels beside a shadow at which the beam may lie: its edge is known to a block.
SLACK = 6.0


@rule(
    "IMG008",
    "beam-centre-and-rings",
    severity="warning",
    source="_array_structure_list_axis.displacement",
    message="background of image {label} is centred {distance:.0f} pixels from the beam centre: near "
    "({fast:.0f}, {slow:.0f}), by the axes at ({stated_fast:.0f}, {stated_slow:.0f}) - "
    "rings about them leave {found:.0%} and {stated:.0%} of the variance unexplained; {shadow}",
)
def beam_centre_and_rings(
    survey: Survey, detector: Detector, scans: Scans, beam: Beam, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The background of the image forms rings about another point than the beam centre that the axes give.
    The shadow of the beam stop is looked for too: the message says whether it agrees with the rings, and where it
    lies on the stated centre instead nothing is said.
    Why: Then all scattering angles are off, and indexing fails or finds a wrong lattice.
    How to fix: Check offsets and displacements of the detector axes, and the order of the two dimensions.
    Source: Dictionary imgCIF, _axis.offset[1] and _array_structure_list_axis.displacement, as a position.
    """
    from imgcif_core.images.shadow import find_shadow
    from imgcif_core.images.symmetry import find_centre

    unclear, judged = "", 0
    for image in survey.images:
        pose = _pose(image, detector, scans)
        if pose is None or image.thumbnail is None:
            continue
        centre = pose.beam_centre(beam.direction)[0]
        if not np.isfinite(centre).all():
            continue
        found = find_centre(
            image.thumbnail, pose.origin[0], pose.fast_step[0], pose.slow_step[0], unit_of(beam.direction)
        )
        reason = _doubt(found, tolerances.ring_centre_px) or _one_sided(centre, found, pose.size)
        shadow = find_shadow(image.thumbnail, centre)
        if reason:
            reason += _seen(shadow, centre)
            unclear = unclear or f"no clear evidence of the beam centre in image {image.label}: {reason}"
            continue
        distance = float(np.hypot(*found.shift))
        told = "no shadow of a beam stop is seen"
        if distance > tolerances.ring_centre_px and shadow is not None:
            by_rings, stated = shadow.covers(centre + np.array(found.shift), SLACK), shadow.covers(centre, SLACK)
            if stated and not by_rings:
                unclear = unclear or (
                    f"no clear evidence of the beam centre in image {image.label}: rings are centred {distance:.0f} "
                    f"pixels away{_seen(shadow, centre)}"
                )
                continue
            told = _agreement(shadow, by_rings, stated)
        judged += 1
        if distance > tolerances.ring_centre_px:
            yield Problem(
                image.place,
                label=image.label,
                distance=distance,
                fast=centre[0] + found.shift[0],
                slow=centre[1] + found.shift[1],
                stated_fast=centre[0],
                stated_slow=centre[1],
                found=found.unexplained_found,
                stated=found.unexplained_stated,
                shadow=told,
            )
    if not judged and unclear:
        raise NotChecked(unclear)
    if not judged:
        raise NotApplicable("no image of a flat panel that the beam can meet")


def _seen(shadow: Shadow | None, centre: np.ndarray) -> str:
    """What a shadow says of the stated centre, as the end of a sentence."""
    if shadow is None:
        return ""
    where = f"({shadow.centre[0]:.0f}, {shadow.centre[1]:.0f})"
    word = "speaks for" if shadow.covers(centre, SLACK) else "speaks against"
    return f", and the shadow of the beam stop at {where} {word} the stated centre"


def _agreement(shadow: Shadow, by_rings: bool, stated: bool) -> str:
    """Whether a shadow and the rings agree."""
    where = f"the shadow of the beam stop at ({shadow.centre[0]:.0f}, {shadow.centre[1]:.0f})"
    if by_rings and stated:
        return f"{where} covers both, so that the rings alone tell"
    return f"{where} agrees with the rings" if by_rings else f"{where} agrees with neither"


def unit_of(vector: Floats) -> Floats:
    """A unit vector of the same direction."""
    found: Floats = np.asarray(vector, dtype=float) / np.linalg.norm(vector)
    return found


def _doubt(found: CentreEvidence, tolerance: float) -> str:
    """Why nothing is said about a centre, empty if something can be."""
    if found.fault:
        return found.fault
    if found.unexplained_found > MOST_UNEXPLAINED:
        return f"{found.unexplained_found:.0%} of the variance is not due to the scattering angle"
    distance = float(np.hypot(*found.shift))
    if distance <= tolerance:
        return ""
    if distance - found.spread <= tolerance:
        return f"halves of the image differ by {found.spread:.0f} pixels"
    gain = found.unexplained_stated / found.unexplained_found
    if gain < LEAST_GAIN:
        return f"the stated centre explains it nearly as well as one {distance:.0f} pixels away"
    return ""


def _one_sided(centre: np.ndarray, found: CentreEvidence, size: tuple[int, int]) -> str:
    """Why rings that are seen from one side say nothing, empty if they go around."""
    for point in (centre, centre + np.array(found.shift)):
        share = point / np.array(size)
        if (share < LEAST_MARGIN).any() or (share > 1 - LEAST_MARGIN).any():
            return "the centre lies near an edge of the panel, so that rings are seen from one side only"
    return ""


def _pose(image: Surveyed, detector: Detector, scans: Scans) -> Pose | None:
    """Where the panel of an image lies at the start of its frame; None for sections and unplaced panels."""
    panels = [panel for panel in detector.flat if panel.array_id == image.array.array_id]
    if len(panels) != 1 or panels[0].section_id is not None:
        return None
    scan = next((scan for scan in scans if scan.id == image.frame.scan_id), None)
    if scan is None and len(scans) == 1:
        scan = next(iter(scans))
    if scan is None:
        return None
    return panels[0].pose(detector.posture(scan, np.array([image.frame.position])))
