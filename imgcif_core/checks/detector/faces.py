"""What the rules about panels share: poses for the settings of the scans, and places."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.checks.consistency.sizes import SizeFault
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import Blocked, NotChecked, Problem, provider
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Place
from imgcif_core.model.arrays import SurfaceAxis
from imgcif_core.model.detector import Detector, Panel, Panels, Poses, Posture
from imgcif_core.model.scans import Scans
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Tables

# Distinct settings of the axes of the detector; a grid of positions has some tens.
MAX_SETUPS = 50_000
# Places of panels that are kept, panels times setups.
MAX_POSES = 2_000_000
# A thousand kilometres: further out the rules would compute with noise.
MAX_REACH_MM = 1e9
STEP_TABLE = "array_structure_list_axis"


@dataclass(frozen=True)
class Setups:
    """The detector in the first and last frames of the scans, each distinct set of settings once.

    scan_ids : the first scan of each setup, None without scans; settings : (setups, moving axes) of the
    axes of `rows`; poses : of the flat panels, with the setups in place of frames; sized : the numbers of the panels
    whose size is known, and `sized_poses` where they lie.
    """

    detector: Detector
    scan_ids: tuple[str | None, ...]
    rows: tuple[int, ...]
    settings: np.ndarray
    poses: Poses

    @cached_property
    def sized(self) -> list[int]:
        """The numbers of the panels whose size is known."""
        found: list[int] = np.flatnonzero(self.poses.size.min(axis=1) > 0).tolist()
        return found

    @cached_property
    def sized_poses(self) -> Poses:
        """Where the panels of known size lie."""
        return self.poses if len(self.sized) == len(self.poses) else self.poses.only(np.array(self.sized, dtype=int))

    @property
    def panels(self) -> Panels:
        """The flat panels, in the order of the poses."""
        return self.detector.flat

    @cached_property
    def centres(self) -> np.ndarray:
        """Centres of the panels of known size: (panels, setups, 3) mm."""
        return self.sized_poses.centre

    @cached_property
    def corners(self) -> np.ndarray:
        """Outer corners of the panels of known size: (panels, setups, 4, 3) mm."""
        return self.sized_poses.corners()

    @cached_property
    def turned(self) -> Flags:
        """Whether an axis of rotation that carries panels is off zero: (setups,) bool."""
        turning = [self.detector.axes.kind[row] == "rotation" for row in self.rows]
        found: Flags = (np.abs(self.settings[:, turning]) > 0).any(axis=1)
        return found

    @cached_property
    def is_in_laboratory(self) -> bool:
        """True if all axes that carry panels are given in the laboratory system."""
        return all(self.detector.axes.system[row] == "laboratory" for row in self.detector.faces.carriers)


@provider("setups")
def setups_of(detector: Detector, any_scans: Scans, size_faults: list[SizeFault], tolerances: Tolerances) -> Setups:
    """The poses of all panels for each distinct set of settings in the first and last frame of a scan.

    `Blocked` where the steps of the pixels are of no detector's scale: nothing then stands where it should.
    """
    steps = np.abs(detector.faces.increment)
    is_absurd = ~((steps >= tolerances.pixel_min_mm) & (steps <= tolerances.pixel_max_mm))
    if is_absurd.any():
        absurd = set(detector.step_rows[is_absurd].tolist())
        slips = {fault.step_row for fault in size_faults if fault.is_slip}
        raise Blocked(*(["CON001"] if absurd & slips else []), *(["DET005"] if absurd - slips else []))
    rows = detector.moving_axes
    limit = max(1, min(MAX_SETUPS, MAX_POSES // len(detector.flat)))
    known: dict[tuple[float, ...], str | None] = {}
    for scan in any_scans:
        if len(known) >= limit:
            break
        ends = np.array([0, max(scan.count - 1, 0)])
        for values in np.array([scan.settings(row, ends) for row in rows]).reshape(len(rows), 2).T:
            known.setdefault(tuple(values.tolist()), scan.id)
    if not known:
        known[(0.0,) * len(rows)] = None
    settings = np.array(list(known)).reshape(len(known), len(rows))
    posture = Posture(detector.axes, {row: settings[:, index] for index, row in enumerate(rows)}, len(known))
    with np.errstate(over="ignore", invalid="ignore"):
        poses = detector.faces.place(posture)
        reach = float(np.abs(poses.corners()).max())
    if not reach < MAX_REACH_MM:
        raise NotChecked("panels lie beyond all bounds")
    return Setups(detector, tuple(known.values()), rows, settings, poses)


def panel_place(tables: Tables, panel: Panel, name: str = "array_id") -> Place:
    """The first row of a panel in ARRAY_STRUCTURE_LIST."""
    item = name if name != "array_id" or panel.section_id is None else "array_section_id"
    return tables.table("array_structure_list").at(panel.fast.row, item)


def step_place(tables: Tables, entry: SurfaceAxis, name: str) -> Place:
    """The row of a pixel direction in ARRAY_STRUCTURE_LIST_AXIS."""
    return tables.table(STEP_TABLE).at(entry.row, name)


def named(panels: Sequence[Panel]) -> str:
    """One panel by its id, or how many there are and the first."""
    return f"panel {panels[0].id}" if len(panels) == 1 else f"{len(panels)} panels (first {panels[0].id})"


def panel_problem(tables: Tables, panels: Sequence[Panel], item: str = "array_id", **data: Any) -> Problem:
    """One problem for all panels of which the same is said."""
    places = (panel_place(tables, panel, item) for panel in panels)
    return problem_of(places, len(panels), panels=named(panels), **data)
