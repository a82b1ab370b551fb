"""The scans of a block in ranges: what moves, what stands still, and how long each frame was exposed."""

from dataclasses import replace

import numpy as np

from imgcif_core.model.scans import Scan
from imgcif_core.render.sheet import ScanRow
from imgcif_core.show.instrument import BlockInstrument, ShownAxis, frames_words
from imgcif_core.show.text import plain

MAX_ROWS = 60
MAX_AXES = 12
_MAX_TEXT = 400


def scan_rows(entry: BlockInstrument) -> tuple[tuple[ScanRow, ...], int]:
    """One line for each scan, for several alike that follow one another one line; and how many lines in all."""
    times = entry.tables.table("diffrn_scan_frame").numbers("integration_time")
    rows: list[tuple[ScanRow, list[str]]] = []
    for shown in entry.scans:
        if shown.scan is None:
            continue
        moving = [axis for axis in shown.axes if _moves(axis)]
        still = [axis for axis in shown.axes if not _moves(axis)]
        row = ScanRow(
            "",
            frames_words(entry, shown.scan),
            _listed([_moving(entry, axis) for axis in moving]) or "nothing",
            _listed([f"{entry.axes.id[axis.row]} {_told(axis.start, _unit(entry, axis))}" for axis in still]),
            _exposure(shown.scan, times),
        )
        name = shown.scan.id or "(unnamed)"
        if rows and rows[-1][0] == row:
            rows[-1][1].append(name)
        else:
            rows.append((row, [name]))
    found = [replace(row, id=names[0] if len(names) == 1 else _joined(names)) for row, names in rows[:MAX_ROWS]]
    return tuple(found), len(rows) + entry.omitted


def _joined(names: list[str]) -> str:
    return f"{names[0]} to {names[-1]}, {len(names)} scans"


def _moves(axis: ShownAxis) -> bool:
    # What cannot be read is told with what moves: that it is zero, nobody knows.
    return bool(axis.increment or axis.range)


def _told(value: float, unit: str) -> str:
    return "not readable" if np.isnan(value) else f"{plain(value)}{unit}"


def _unit(entry: BlockInstrument, axis: ShownAxis) -> str:
    return {"rotation": "\N{DEGREE SIGN}", "translation": " mm"}.get(entry.axes.kind[axis.row], "")


def _moving(entry: BlockInstrument, axis: ShownAxis) -> str:
    """The range and the step of one axis."""
    unit, name = _unit(entry, axis), entry.axes.id[axis.row]
    end = axis.start + axis.range
    if np.isnan([axis.start, end, axis.increment]).any():
        parts = ("start", axis.start), ("range", axis.range), ("step", axis.increment)
        return f"{name} " + "; ".join(f"{word} {_told(value, unit)}" for word, value in parts)
    return f"{name} {plain(axis.start)} to {plain(end)}{unit} by {plain(axis.increment)}{unit}"


def _listed(texts: list[str]) -> str:
    more = f", and {len(texts) - MAX_AXES} more axes" if len(texts) > MAX_AXES else ""
    return ", ".join(texts[:MAX_AXES])[:_MAX_TEXT] + more


def _exposure(scan: Scan, times: np.ndarray) -> str:
    """The shortest and the longest exposure of the frames, in seconds."""
    own = times[scan.frame_rows] if len(scan.frame_rows) else np.zeros(0)
    own = own[np.isfinite(own)]
    if not len(own):
        return "not given"
    low, high = float(own.min()), float(own.max())
    return f"{plain(low)} s" if low == high else f"{plain(low)} to {plain(high)} s"
