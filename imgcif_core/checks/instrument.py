"""The instrument of a block as inputs of rules; a broken axis tree blocks what rests on it."""

from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked, provider
from imgcif_core.model.axes import DANGLING, Axes, build_axes
from imgcif_core.model.beam import Beam, build_beam
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.scans import Scans, build_scans
from imgcif_core.tables import Tables

# Each scan costs some steps of Python; beyond this number one file would hold up the others.
MAX_SCANS = 20_000


@provider("any_axes")
def any_axes_of(tables: Tables) -> Axes:
    """All axes of a block as they are written, none where it defines none."""
    return build_axes(tables)


@provider("axes")
def axes_of(any_axes: Axes) -> Axes:
    """All axes of a block as they are written; `NotApplicable` where there is none."""
    if not len(any_axes):
        raise NotApplicable("no axes")
    return any_axes


@provider("axis_tree")
def axis_tree(axes: Axes) -> Axes:
    """The axes, known to form a tree; `Blocked` by the rule that reports what is broken."""
    codes = []
    if (axes.parent == DANGLING).any() or (axes.rotation_parent == DANGLING).any():
        codes.append("AXI001")
    if axes.cyclic.any():
        codes.append("AXI002")
    if codes:
        raise Blocked(*codes)
    return axes


@provider("scans")
def scans_of(tables: Tables, any_axes: Axes) -> Scans:
    """The scans of a block with the settings of its axes; `NotApplicable` where there is none."""
    rows = tables.table("diffrn_scan").rows
    if rows > MAX_SCANS:
        raise NotChecked(f"{rows} scans, more than {MAX_SCANS}")
    scans = build_scans(tables, any_axes)
    if not len(scans):
        raise NotApplicable("no scans")
    return scans


@provider("beam")
def beam_of(tables: Tables) -> Beam:
    """The beam of a block; a block that says nothing of it has the default direction."""
    return build_beam(tables, build_axes(tables) if tables.table("axis") else None)


@provider("panels")
def panels_of(tables: Tables, axes: Axes) -> Detector:
    """The detector as it is written, sound or not; `NotApplicable` where no pixel has an axis."""
    detector = build_detector(tables, axes)
    if not len(detector):
        raise NotApplicable("no pixel directions")
    return detector


# Which rule reports the fault of a panel, by the first word of the fault.
_REPORTED_BY = {"axis": "AXI001", "number": "DIC008", "precedence": "DET001", "set": "REL018"}


@provider("detector")
def detector_of(panels: Detector, axis_tree: Axes) -> Detector:
    """The detector with at least one flat panel; `Blocked` where a panel cannot be placed."""
    codes = {_REPORTED_BY.get(panel.fault.partition(" ")[0]) for panel in panels.panels if panel.shape == "unplaced"}
    known = sorted(code for code in codes if code)
    if known:
        raise Blocked(*known)
    if not panels.flat:
        raise NotApplicable("no flat panel")
    return panels
