"""The instrument of a block as inputs of rules; a broken axis tree blocks what rests on it."""

from imgcif_core.checks.registry import Blocked, NotApplicable, provider
from imgcif_core.model.axes import DANGLING, Axes, build_axes
from imgcif_core.model.scans import Scans, build_scans
from imgcif_core.tables import Tables


@provider("axes")
def axes_of(tables: Tables) -> Axes:
    """All axes of a block as they are written; `NotApplicable` where there is none."""
    if not tables.table("axis"):
        raise NotApplicable("no axes")
    return build_axes(tables)


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
def scans_of(tables: Tables, axes: Axes) -> Scans:
    """The scans of a block with the settings of its axes; `NotApplicable` where there is none."""
    scans = build_scans(tables, axes)
    if not len(scans):
        raise NotApplicable("no scans")
    return scans
