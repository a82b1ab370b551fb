"""The same geometry in the terms of other programs: NeXus/McStas, DIALS and XDS.

DIALS takes the laboratory frame of imgCIF as it is; its panel origin is the outer corner of the first
pixel. McStas has z along the beam and y against gravity. XDS takes any right-handed frame, counts
pixels from 1 at the centre of the first one, and places the detector by the pixel nearest to the crystal.
"""

import numpy as np

from imgcif_core.model.axes import Axes
from imgcif_core.model.pose import Pose
from imgcif_core.model.scans import Scan
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass

UPWARDS = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class XdsTerms:
    """Detector records of XDS: origin in pixels from 1, signed distance in mm."""

    orgx: float
    orgy: float
    distance: float


def mcstas_matrix(along: np.ndarray, gravity: np.ndarray | None) -> np.ndarray:
    """Rotation from the laboratory frame of imgCIF to that of McStas: (3, 3).

    z runs along the beam, given as a unit vector (3,), and y against gravity, +Y of imgCIF where gravity
    is not given or along the beam. With the beam along -Z and gravity along -Y (x, y, z) becomes (-x, y, -z).
    """
    up = -gravity if gravity is not None else UPWARDS
    across = np.cross(up, along)
    if np.linalg.norm(across) < 0.1:
        across = np.cross(UPWARDS if abs(along[1]) < 0.9 else np.array([1.0, 0.0, 0.0]), along)
    first = unit(across)
    return np.stack([first, np.cross(along, first), along])


def xds_terms(pose: Pose) -> XdsTerms:
    """Where XDS places a panel, at the first frame of a pose.

    The distance is positive where fast x slow points away from the crystal.
    """
    normal = pose.normal[0]
    distance = float(pose.origin[0] @ normal)
    foot = pose.intersect((normal * np.sign(distance or 1.0))[None])[0]
    if not np.isfinite(foot).all():
        # The crystal lies in the plane of the panel; its own place is the foot.
        steps = np.stack([pose.fast_step[0], pose.slow_step[0]], axis=1)
        foot = np.linalg.lstsq(steps, -pose.origin[0], rcond=None)[0]
    return XdsTerms(float(foot[0]) + 1.0, float(foot[1]) + 1.0, distance)


def rotation_axis(axes: Axes, scan: Scan, index: int) -> tuple[int, np.ndarray, float, float] | None:
    """The goniometer axis that turns during a scan: row, laboratory direction, start and step in degrees.

    The step is positive: an axis that turns backwards is reversed with its start, as XDS wants it.
    None where no axis turns.
    """
    turning = [
        row
        for row, drive in scan.drives.items()
        if axes.kind[row] == "rotation" and axes.equipment[row] == "goniometer" and np.nan_to_num(drive.increment)
    ]
    if not turning:
        return None
    row = max(turning, key=lambda entry: abs(scan.drives[entry].increment))
    chain = axes.chain(row)
    carried = axes.placement(row, {axis: np.array([scan.setting(axis, index)]) for axis in chain[1:]})
    direction = carried.turn(axes.direction[row])[0]
    start, step = scan.setting(row, index), scan.drives[row].increment
    return (row, direction, start, step) if step > 0 else (row, -direction, -start, -step)
