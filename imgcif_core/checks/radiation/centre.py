"""The rule about stated beam centres against the centre that the geometry gives."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.axes.roles import SCAN
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances, last_digit_halves
from imgcif_core.model.detector import Detector, Panel, Posture
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.records import dataclass
from imgcif_core.tables import Table, Tables

FRAMES, ELEMENTS = "diffrn_data_frame", "diffrn_detector_element"
# Each scan costs the poses of the panels, in Python.
_MAX_SCANS = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """How a stated coordinate relates to the pixel index: stated = (index x bin + (bin - 1) / 2) x unit.

    Centres count from the centre of the first physical pixel, also where pixels are binned; `unit` is
    the signed pixel pitch in mm, 1 for pixels, and one over the bin size for bins.
    """

    unit: float
    bin_size: float

    def index(self, stated: np.ndarray) -> np.ndarray:
        """Pixel indices of the array from stated coordinates."""
        return (stated / self.unit - 0.5 * (self.bin_size - 1.0)) / self.bin_size

    def stated(self, index: np.ndarray) -> np.ndarray:
        """Coordinates as they should be stated from pixel indices of the array."""
        return (index * self.bin_size + 0.5 * (self.bin_size - 1.0)) * self.unit


def scales(tables: Tables, panel: Panel, units: str) -> tuple[Scale, Scale]:
    """The scales along fast and slow."""
    intensities = tables.table("array_intensities")
    arrays = [(array or "1").casefold() for array in intensities.texts("array_id", "1")[:1000]]
    row = arrays.index(panel.array_id.casefold()) if panel.array_id.casefold() in arrays else -1
    found = []
    for dimension, name in ((panel.fast, "pixel_fast_bin_size"), (panel.slow, "pixel_slow_bin_size")):
        size = float(intensities.numbers(name, 1.0)[row]) if row >= 0 else 1.0
        size = size if size >= 1.0 else 1.0
        pitch = dimension.surface[0].increment / size
        found.append(Scale({"pixels": 1.0, "bins": 1.0 / size}.get(units, pitch), size))
    return found[0], found[1]


@rule(
    "SRC010",
    "beam-centre-disagrees",
    severity="warning",
    source="_diffrn_data_frame.center_fast",
    message="beam centre is given as ({fast:g}, {slow:g}) {units}, and the geometry puts it at ({own_fast:.6g}, "
    "{own_slow:.6g}) {units} - {apart:.3g} pixels apart",
)
def beam_centre_disagrees(tables: Tables, detector: Detector, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The beam centre that the file states is not where the axes put it.
    Why: Programs use one or the other; where they differ, indexing fails or refines to a wrong lattice.
    How to fix: Correct the stated centre, counted from the centre of the first pixel, or the offsets of the axes.
    Source: Dictionary imgCIF, _diffrn_data_frame.center_fast, _diffrn_detector_element.reference_center_fast.
    """
    stated = [(FRAMES, "center"), (ELEMENTS, "reference_center")]
    given = [
        (tables.table(name), prefix)
        for name, prefix in stated
        if any(tables.table(name).explicit(f"{prefix}_{part}").any() for part in ("fast", "slow"))
    ]
    if not given:
        raise NotApplicable("no beam centre is stated")
    scans = build_scans(tables, detector.axes).scans[:_MAX_SCANS]
    for table, prefix in given:
        for panel in detector.flat:
            rows = _rows_of(table, panel, alone=len(detector.flat) == 1)
            if not len(rows):
                continue
            if prefix == "center":
                centres = _frame_centres(tables, detector, panel, scans, rows)
            else:
                centres = _reference_centres(tables, detector, panel, scans, len(rows))
            yield from _compare(tables, table, prefix, panel, rows, centres, tolerances)
    say_beyond(tables.table("diffrn_scan").rows, _MAX_SCANS, "scans")


def _rows_of(table: Table, panel: Panel, *, alone: bool) -> np.ndarray:
    """The rows of a table that speak of the element, array and section of a panel."""
    is_frames = table.category.name.lower() == FRAMES
    wanted = {"detector_element_id" if is_frames else "id": panel.element_id}
    if is_frames and not alone:
        wanted |= {"array_id": panel.array_id, "array_section_id": panel.section_id}
    matches = np.ones(table.rows, dtype=bool)
    for name, value in wanted.items():
        column = table.column(name)
        if column is None or value is None:
            continue
        first, inverse = column.distinct()
        same = np.array([column.text(int(row)).casefold() == value.casefold() for row in first], dtype=bool)
        matches &= same[inverse]
    return np.flatnonzero(matches)


def _frame_centres(
    tables: Tables, detector: Detector, panel: Panel, scans: tuple[Scan, ...], rows: np.ndarray
) -> np.ndarray:
    """The centres that the geometry gives for rows of DIFFRN_DATA_FRAME: (rows, 1, 2) pixels, nan if unknown."""
    listed, column = tables.table("diffrn_scan_frame").column("frame_id"), tables.table(FRAMES).column("id")
    centres = np.full((len(rows), 1, 2), np.nan)
    if not scans:
        centres[:, 0] = panel.pose(detector.posture()).beam_centre()[0]
    for scan in scans:
        if listed is None or column is None or not len(scan.frame_rows):
            if len(scans) == 1:
                centres[:, 0] = panel.pose(detector.posture(scan)).beam_centre()[0]
            continue
        keys = listed.folded_hashes()[scan.frame_rows]
        wanted = column.folded_hashes()[rows]
        order = np.argsort(keys, kind="stable")
        found = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        own = np.flatnonzero(keys[found] == wanted)
        indices, inverse = np.unique(found[own], return_inverse=True)
        if len(indices):
            centres[own, 0] = panel.pose(detector.posture(scan, indices)).beam_centre()[inverse]
    return centres


def _reference_centres(
    tables: Tables, detector: Detector, panel: Panel, scans: tuple[Scan, ...], rows: int
) -> np.ndarray:
    """The centres at the reference settings of each scan: (rows, scans, 2) pixels; one without scans."""
    table = tables.table(SCAN)
    angles, displacements = table.numbers("reference_angle"), table.numbers("reference_displacement")
    found: dict[tuple[float, ...], np.ndarray] = {}
    for scan in scans or (None,):
        settings = {}
        for axis in detector.moving_axes:
            drive = scan.drives.get(axis) if scan is not None else None
            is_rotation = detector.axes.kind[axis] == "rotation"
            stated = (angles if is_rotation else displacements)[drive.row] if drive is not None else np.nan
            usual = 0.0 if is_rotation or scan is None else scan.setting(axis, 0)
            settings[axis] = np.array([usual if np.isnan(stated) else stated])
        key = tuple(float(setting[0]) for setting in settings.values())
        if key not in found:
            found[key] = panel.pose(Posture(detector.axes, settings)).beam_centre()[0]
    return np.broadcast_to(np.array(list(found.values())), (rows, len(found), 2))


def _compare(
    tables: Tables,
    table: Table,
    prefix: str,
    panel: Panel,
    rows: np.ndarray,
    centres: np.ndarray,
    tolerances: Tolerances,
) -> Iterator[Problem]:
    """One problem for the stated centres of a panel that no computed one matches."""
    names = [f"{prefix}_fast", f"{prefix}_slow"]
    stated = np.stack([table.numbers(name)[rows] for name in names], axis=1)
    units = table.text(f"{prefix}_units", int(rows[0])) or "mm"
    own = scales(tables, panel, units)
    printed = np.zeros_like(stated)
    indices = np.empty_like(stated)
    for part, name in enumerate(names):
        column = table.column(name)
        indices[:, part] = own[part].index(stated[:, part])
        if column is not None:
            printed[:, part] = last_digit_halves(column)[rows] / abs(own[part].unit * own[part].bin_size)
    with np.errstate(invalid="ignore"):
        apart = np.abs(indices[:, None, :] - centres)
        excess = np.nan_to_num(apart - printed[:, None, :], nan=0.0).max(axis=2)
    is_known = np.isfinite(centres).all(axis=2).any(axis=1) & np.isfinite(stated).any(axis=1)
    off = np.flatnonzero(is_known & (excess > tolerances.beam_centre_px).all(axis=1))
    if not len(off):
        return
    at = int(off[0])
    nearest = int(np.nan_to_num(apart[at], nan=0.0).max(axis=1).argmin())
    worse = int(np.nan_to_num(apart[at, nearest], nan=-1.0).argmax())
    is_measured = (table.text("center_derived", int(rows[at])) or "yes").lower() in ("no", "n")
    yield problem_at(
        table,
        rows[off],
        names[worse],
        severity="info" if is_measured else None,
        reference=f"_{table.category.name}.{names[worse]}",
        fast=float(stated[at, 0]),
        slow=float(stated[at, 1]),
        units=units,
        own_fast=float(own[0].stated(centres[at, nearest, 0])),
        own_slow=float(own[1].stated(centres[at, nearest, 1])),
        apart=float(np.nanmax(apart[at, nearest])),
    )
