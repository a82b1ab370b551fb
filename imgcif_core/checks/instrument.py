"""The instrument of a block as inputs of rules; a broken axis tree blocks what rests on it."""

import numpy as np

from imgcif_core.checks.axes.roles import FRAME, SCAN, AxisRoles
from imgcif_core.checks.axes.tree import undefined_links
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked, provider
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.model.axes import DANGLING, Axes, build_axes
from imgcif_core.model.beam import Beam, build_beam
from imgcif_core.model.detector import UNPLACED, Detector, Fault, build_detector
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


def has_undefined_links(tables: Tables, dictionary: Dictionary) -> bool:
    """True if the block names an axis that neither it nor a block that belongs to it defines."""
    return any(len(rows) for _, _, rows, _ in undefined_links(tables, dictionary))


@provider("axis_tree")
def axis_tree(tables: Tables, dictionary: Dictionary, axes: Axes) -> Axes:
    """The axes, known to form a tree and to be all that the block names; `Blocked` by what says otherwise."""
    codes = []
    if has_undefined_links(tables, dictionary):
        codes.append("AXI001")
    if axes.cycles:
        codes.append("AXI002")
    if codes:
        raise Blocked(*codes)
    if (axes.parent == DANGLING).any() or (axes.rotation_parent == DANGLING).any():
        raise NotChecked("an axis on which others depend stands in another block")
    return axes


@provider("any_scans")
def any_scans_of(tables: Tables, any_axes: Axes) -> Scans:
    """The scans of a block with the settings of its axes, none where there are none."""
    rows = tables.table("diffrn_scan").rows
    if rows > MAX_SCANS:
        raise NotChecked(f"{rows} scans, more than {MAX_SCANS}")
    return build_scans(tables, any_axes)


@provider("scans")
def scans_of(any_scans: Scans) -> Scans:
    """The scans of a block; `NotApplicable` where there is none."""
    if not len(any_scans):
        raise NotApplicable("no scans")
    return any_scans


@provider("beam")
def beam_of(tables: Tables, any_axes: Axes) -> Beam:
    """The beam of a block, along Z unless an axis says otherwise; `Blocked` where that axis is upside down."""
    beam = build_beam(tables, any_axes if len(any_axes) else None)
    row = beam.source_axis
    if row >= 0 and any_axes.system[row] == "laboratory" and beam.source[2] < 0:
        # Every detector would seem to stand before the sample, and every ray to miss it.
        raise Blocked("AXI011")
    return beam


@provider("any_panels")
def any_panels_of(tables: Tables, any_axes: Axes) -> Detector:
    """The detector as it is written, sound or not, without a panel where no pixel has an axis."""
    return build_detector(tables, any_axes)


@provider("panels")
def panels_of(axes: Axes, any_panels: Detector) -> Detector:
    """The detector as it is written, sound or not; `NotApplicable` where no pixel has an axis."""
    if not len(axes) or not len(any_panels):
        raise NotApplicable("no pixel directions")
    return any_panels


_WORDS = ("rotation", "translation")
# Which rule reports what keeps a panel from being placed; nobody reports what is merely left out.
REPORTED_BY = {
    Fault.PRECEDENCE: "DET001",
    Fault.NO_AXIS: "REL018",
    Fault.AXIS_UNDEFINED: "AXI001",
    Fault.PARENT_UNDEFINED: "AXI001",
    Fault.CYCLE: "AXI002",
    Fault.NULL_VECTOR: "AXI004",
    Fault.NUMBER: "DIC008",
    Fault.ZERO_STEP: "DET005",
    Fault.PARALLEL: "DET002",
}


def unknown_settings(tables: Tables, axes: Axes, roles: AxisRoles) -> list[str]:
    """The rules that report why some axis stands nobody knows where, none where all is known."""
    codes = set()
    for row in np.flatnonzero(~axes.direction.any(axis=1)).tolist():
        if axes.kind[row] in _WORDS and roles.setting(row, (SCAN, FRAME), axes.kind[row]) is not None:
            codes.add("DIC008" if np.isnan(axes.vector[row]).any() else "AXI004")
    for table in (tables.table(name) for name in (SCAN, FRAME)):
        items = [item for item in table.columns if item.startswith(("angle", "displacement"))]
        if any((table.explicit(item) & np.isnan(table.numbers(item))).any() for item in items):
            codes.add("DIC008")
    return sorted(codes)


@provider("detector")
def detector_of(tables: Tables, dictionary: Dictionary, panels: Detector, axis_roles: AxisRoles) -> Detector:
    """The detector with at least one flat panel; `Blocked` where a panel cannot be placed.

    A fault among axes that carry no panel, those of the goniometer for example, does not stop it.
    """
    unknown = unknown_settings(tables, panels.axes, axis_roles)
    if unknown:
        raise Blocked(*unknown)
    faults = set(panels.faults(UNPLACED))
    if not tables.table("array_structure_list_axis"):
        faults.discard(Fault.NO_AXIS)
    if faults & {Fault.AXIS_UNDEFINED, Fault.PARENT_UNDEFINED} and not has_undefined_links(tables, dictionary):
        raise NotChecked("an axis on which others depend stands in another block")
    known = sorted({REPORTED_BY[fault] for fault in faults if fault in REPORTED_BY})
    if known:
        raise Blocked(*known)
    if not len(panels.flat):
        raise NotApplicable("no flat panel")
    return panels
