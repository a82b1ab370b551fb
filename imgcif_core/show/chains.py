"""The instrument as a view needs it, in the schema imgcif-geometry/2: what version 1 says, and the chains of axes.

A view multiplies the chains itself. Axes and panels are named by their places in the lists of their block. For a
point x in the frame that an axis carries, with its setting s: a rotation gives R(direction, s) x + offset, a
translation x + offset + s direction, any other axis x + offset. `route` lists the axes that move what an axis
carries, innermost first, each with the degrees that are added to its setting.
"""

from typing import Any

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Panel
from imgcif_core.model.scans import Scan
from imgcif_core.show.instrument import BlockInstrument, block_instruments, direction_of, goniometer_rows
from imgcif_core.show.numbers import block_numbers, number, numbers

SCHEMA_2 = "imgcif-geometry/2"
# Places of panels over all scans, steps of routes and settings of single frames: what a page can hold.
MAX_PLACES = 20_000
MAX_STEPS = 100_000
MAX_VALUES = 200_000
# Degrees or mm: settings that differ by less from an even motion are that motion.
EVEN = 1e-9


def geometry2(document: Document, dictionary: Dictionary, frame: int | None = None) -> dict[str, Any]:
    """The instruments of a document with their axes and chains, as plain data for JSON.

    Holds all that `geometry` gives, and for each block `axes`, `panels` and `carriers`, for each scan `settings`.
    Lengths in mm, angles in degrees, vectors in the laboratory frame of the file; what is not known is None.

    Raises
    ------
    InputError
        If the document describes no instrument.
    UsageError
        If no scan has the frame asked for.
    """
    with np.errstate(all="ignore"):
        blocks = [_block(entry) for entry in block_instruments(document, dictionary, frame)]
    return {"schema": SCHEMA_2, "files": [{"path": document.source.path, "blocks": blocks}]}


def _block(entry: BlockInstrument) -> dict[str, Any]:
    """One block: its numbers as in version 1, and what moves what."""
    data = block_numbers(entry, places=MAX_PLACES)
    axes, detector = entry.axes, entry.detector
    surface = {part.axis for panel in detector.panels for side in panel.layout.dimensions for part in side.surface}
    data["probe"] = entry.beam.probe
    data["axes"] = list(_axes(axes))
    data["carriers"] = {
        "goniometer": goniometer_rows(entry.tables, axes),
        "detector": list(detector.moving_axes),
        "surface": sorted(row for row in surface if row >= 0),
    }
    data["panels"] = [_panel(panel, axes) for panel in detector.flat]
    room = MAX_VALUES
    for shown, scan in zip(entry.scans, data["scans"], strict=True):
        scan["settings"] = []
        if shown.scan is None:
            continue
        frames = _frames(shown.scan, room)
        scan |= {"count": shown.scan.count, **frames}
        for axis in shown.axes:
            if axis.row not in surface:
                setting = _setting(shown.scan, axis.row, frames["every"])
                room = max(0, room - len(setting.get("values", ())))
                scan["settings"].append(setting)
    return data


def _axes(axes: Axes) -> Any:
    """All axes of a block; routes as long as there is room."""
    room = MAX_STEPS
    for row, name in enumerate(axes.id):
        route = axes.route(row) if room > 0 else []
        room -= len(route)
        yield {
            "id": name,
            "type": axes.kind[row],
            "equipment": axes.equipment[row],
            "system": axes.system[row],
            "vector": numbers(axes.vector[row]),
            "direction": numbers(direction_of(axes, row)),
            "offset": numbers(axes.offset[row]),
            "depends_on": axes.id[axes.parent[row]] if axes.parent[row] >= 0 else None,
            "rotation": number(axes.rotation[row]),
            "rotation_axis": axes.id[axes.rotation_parent[row]] if axes.rotation_parent[row] >= 0 else None,
            "route": [[step, number(added)] for step, added in route] if room >= 0 else None,
            "is_whole": axes.is_whole(row) if room >= 0 else False,
        }


def _panel(panel: Panel, axes: Axes) -> dict[str, Any]:
    """How the pixels of a panel hang on its axes.

    `first` is the surface axis whose frame holds the first pixel: fast or slow; "both" where neither depends on
    the other, and the offset and displacement of slow are then taken in the frame that fast carries.
    """
    fast, slow = panel.fast.surface[0], panel.slow.surface[0]
    on_slow = slow.axis in (axis for axis, _ in axes.route(fast.axis))
    on_fast = fast.axis in (axis for axis, _ in axes.route(slow.axis))
    sides = {
        name: {"axis": part.axis, "displacement": number(part.displacement), "increment": number(part.increment)}
        for name, part in (("fast", fast), ("slow", slow))
    }
    return {
        "id": panel.id,
        "array_id": panel.array_id,
        "section_id": panel.section_id,
        "element_id": panel.element_id,
        "size": [size or None for size in panel.size],
        "first": "fast" if on_slow else "slow" if on_fast else "both",
        **sides,
    }


def _frames(scan: Scan, room: int) -> dict[str, Any]:
    """The numbers of the frames: the first one, or all where they do not follow one another.

    `every` is the step of the frames for which single settings are listed: 1, or more where a scan has more frames
    than there is room for.
    """
    every = max(1, -(-scan.count // max(1, room // max(1, len(scan.drives) + len(scan.frame_settings.axes)))))
    told: dict[str, Any] = {"first_number": int(scan.numbers[0]) if len(scan.numbers) else 1, "every": every}
    if len(scan.numbers) and (np.diff(scan.numbers) != 1).any():
        told["numbers"] = scan.numbers[::every].tolist()
    return told


def _setting(scan: Scan, row: int, every: int) -> dict[str, Any]:
    """The setting of an axis: start and step from frame to frame, or one value for each `every`-th frame."""
    indices = np.arange(len(scan.frame_rows)) if len(scan.frame_rows) else np.arange(min(scan.count, 2))
    values = scan.settings(row, indices)
    start = float(values[0]) if len(values) else 0.0
    step = float(values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 0.0
    told: dict[str, Any] = {"axis": row, "start": number(start), "step": number(step)}
    # Written to be true for a value that is not finite too.
    if not (np.abs(values - (start + indices * step)) <= EVEN * max(1.0, abs(start))).all():
        told["values"] = [number(value) for value in values[::every].tolist()]
    return told
