"""Rules about the stated distance and height of the detector against the geometry."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.edits import scaled
from imgcif_core.checks.registry import NotApplicable, Problem, provider, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances, written_half
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Detector
from imgcif_core.model.pose import Poses
from imgcif_core.model.scans import Scans
from imgcif_core.tables import Tables

# Each scan costs the poses of all panels; of more, the rules say that they did not check.
MAX_SCANS = 1000
_SLIPS = (1e3, 1e-3, 1e6, 1e-6)
# Millimetres between which detectors for diffraction stand.
_INSTRUMENTS_MM = (5.0, 50_000.0)


@provider("panel_distances")
def panel_distances_of(any_scans: Scans, detector: Detector, beam: Beam) -> np.ndarray:
    """Distances of the panels in the first and last frames of scans, along the beam and normal: (n, 2) mm.

    The distance along the beam is nan where the beam does not meet the plane of a panel.
    """
    # Any scan can be the one at the stated distance.
    say_beyond(len(any_scans), MAX_SCANS, "scans")
    found = []
    for poses in _poses(any_scans, detector):
        normal = poses.normal
        across = normal @ beam.direction
        height = np.einsum("pfi,pfi->pf", poses.origin, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            along = np.where(np.abs(across) > 1e-9, np.abs(height / across), np.nan)
        found.append(np.stack([along, np.abs(height)], axis=-1).reshape(-1, 2))
    return np.concatenate(found)


def _poses(any_scans: Scans, detector: Detector) -> Iterator[Poses]:
    """The panels in the first and the last frame of each scan."""
    if not len(any_scans):
        yield detector.poses()
    for scan in any_scans:
        yield detector.poses(scan, np.array(sorted({0, scan.count - 1})))


def _stated(tables: Tables, name: str) -> tuple[float, float]:
    """A stated length in mm, and half a unit of its last digit.

    Raises
    ------
    NotApplicable
        If it is not given.
    """
    table = tables.table("diffrn_measurement")
    values = table.numbers(name)
    if not len(values) or not np.isfinite(values[0]):
        raise NotApplicable(f"no {name}")
    return float(values[0]), written_half(table, name, 0)


def _slip(stated: float, known: np.ndarray, tolerances: Tolerances) -> tuple[float, float] | None:
    """The factor by which a stated distance is off, and the distance meant; None where no unit explains it."""
    for factor in _SLIPS:
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(abs(stated) / (known * factor) - 1.0)
        if (off <= tolerances.distance_slip_share).any():
            return factor, float(known.flat[int(np.nanargmin(off))])
    return None


@rule(
    "CON003",
    "detector-distance",
    severity="warning",
    source="_diffrn_measurement.sample_detector_distance",
    message="sample_detector_distance is {stated:.7g} mm, but the axes put the detector at {nearest:.7g} mm",
)
def detector_distance(tables: Tables, panel_distances: np.ndarray, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The stated distance between sample and detector is not the one that the axes give, in any scan.
    Why: Programs take one or the other; indexing fails, or the cell is scaled by the ratio of the two.
    How to fix: Correct the distance, or the setting or offset of the axis that moves the detector along the beam.
    Source: Dictionary imgCIF, _diffrn_measurement.sample_detector_distance.
    """
    stated, half = _stated(tables, "sample_detector_distance")
    if _slip(stated, panel_distances, tolerances) is not None:
        return
    derived = (tables.table("diffrn_measurement").text("sample_detector_distance_derived") or "").lower()
    allowed = tolerances.distance_mm + half
    if derived in ("no", "n"):
        allowed = max(allowed, tolerances.measured_distance_share * abs(stated))
    differences = np.abs(panel_distances - abs(stated))
    if np.nanmin(differences) > allowed:
        nearest = float(panel_distances.flat[int(np.nanargmin(differences))])
        place = tables.table("diffrn_measurement").at(0, "sample_detector_distance")
        yield Problem(place, stated=stated, nearest=nearest)


@rule(
    "CON006",
    "distance-unit",
    severity="error",
    source="_diffrn_measurement.sample_detector_distance",
    message=(
        "sample_detector_distance {stated:.7g} mm is {factor:.0e} times the distance {nearest:.7g} mm that the axes "
        "give - one of the two is in another unit"
    ),
)
def distance_unit(tables: Tables, panel_distances: np.ndarray, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The stated distance is a thousand times, or a thousandth of, the distance that the axes give.
    Why: Metres or micrometres were written for millimetres.
    How to fix: Give the distance and the settings of the axes in millimetres.
    Source: Dictionary imgCIF, _diffrn_measurement.sample_detector_distance, in millimetres.
    """
    stated, _ = _stated(tables, "sample_detector_distance")
    slip = _slip(stated, panel_distances, tolerances)
    if slip is not None:
        place = tables.table("diffrn_measurement").at(0, "sample_detector_distance")
        # Where the axes give the distance of an instrument, it is the statement that is in another unit.
        is_real = _INSTRUMENTS_MM[0] <= slip[1] <= _INSTRUMENTS_MM[1]
        names = ["sample_detector_distance"]
        power = -round(float(np.log10(slip[0])))
        edits = scaled(tables.table("diffrn_measurement"), 0, names, f"1e{power}") if is_real else []
        yield Problem(place, edits=edits, stated=stated, factor=slip[0], nearest=slip[1])


@rule(
    "CON004",
    "detector-height",
    severity="warning",
    source="_diffrn_measurement.sample_detector_voffset",
    message=(
        "sample_detector_voffset is {stated:.6g} mm, but the axes put the centre of the detector at {found:.6g} mm - "
        "{pixels:.3g} pixels apart"
    ),
)
def detector_height(
    tables: Tables, any_scans: Scans, detector: Detector, beam: Beam, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The stated height of the detector centre over the beam is not the one that the axes give.
    Why: Programs take one or the other, and the beam centre moves by the difference.
    How to fix: Correct the height, which counts upwards, or the offset and setting of the vertical axis.
    Source: Dictionary imgCIF, _diffrn_measurement.sample_detector_voffset.
    """
    stated, half = _stated(tables, "sample_detector_voffset")
    if beam.gravity is None:
        raise NotApplicable("no gravity, so that up is not known")
    if len(detector.flat) != 1 or min(detector.flat[0].size) < 1:
        raise NotApplicable("not one flat panel of known size")
    up = -beam.gravity + np.dot(beam.gravity, beam.source) * beam.source
    heights, pixel = [], 0.0
    for poses in _poses(any_scans, detector):
        heights.extend((poses[0].centre @ up).tolist())
        pixel = float(poses[0].pixel_size.min())
    apart = np.abs(np.array(heights) - stated)
    if apart.min() > tolerances.beam_centre_px * pixel + half:
        found = heights[int(apart.argmin())]
        place = tables.table("diffrn_measurement").at(0, "sample_detector_voffset")
        yield Problem(place, stated=stated, found=found, pixels=float(apart.min()) / pixel)
