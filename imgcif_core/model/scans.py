"""Scans and the settings of axes: frame rows first, else start and increment, else zero."""

from dataclasses import dataclass, field

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.model.axes import Axes
from imgcif_core.tables import Table, Tables


@dataclass(frozen=True, slots=True)
class Drive:
    """What a scan states for one axis; angles in degrees or displacements in mm, nan where not given.

    `row` is the row of DIFFRN_SCAN_AXIS, `is_angle` tells which of the two kinds was stated.
    """

    axis: int
    row: int
    is_angle: bool
    start: float
    increment: float
    range: float
    restart: float

    def settings(self, numbers: np.ndarray) -> np.ndarray:
        """The settings at the start of frames, by their 1-based numbers."""
        step = np.nan_to_num(self.increment) + np.nan_to_num(self.restart)
        return np.nan_to_num(self.start) + (np.asarray(numbers) - 1) * step


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: frames as stated, frame ids in the order of their numbers, drives by row of the axis.

    `frame_rows` are rows of DIFFRN_SCAN_FRAME in the order of the frame numbers, `numbers` the numbers.
    """

    id: str
    row: int
    frames: int
    drives: dict[int, Drive]
    frame_rows: np.ndarray
    numbers: np.ndarray
    frame_settings: "FrameSettings" = field(repr=False)

    def setting(self, axis: int, index: int) -> float:
        """The setting of an axis at the start of the frame of an index in this scan."""
        return float(self.settings(axis, np.array([index]))[0])

    def settings(self, axis: int, indices: np.ndarray) -> np.ndarray:
        """The settings of an axis at the start of some frames, by index in this scan: like indices."""
        numbers = self.numbers[indices] if len(self.numbers) else np.asarray(indices) + 1
        drive = self.drives.get(axis)
        values = drive.settings(numbers) if drive else np.zeros(len(numbers))
        if len(self.frame_rows):
            found = self.frame_settings.of(axis, self.frame_rows[indices])
            values = np.where(np.isnan(found), values, found)
        return values

    def at(self, index: int, axes: list[int]) -> dict[int, np.ndarray]:
        """The settings of some axes for one frame, as `Axes.placement` takes them."""
        return {axis: self.settings(axis, np.array([index])) for axis in axes}


class FrameSettings:
    """The rows of DIFFRN_SCAN_FRAME_AXIS by axis, joined to the frames by hash."""

    def __init__(self, tables: Tables, axes: Axes) -> None:
        self.table: Table = tables.table("diffrn_scan_frame_axis")
        self._frames = tables.table("diffrn_scan_frame").column("frame_id")
        self._by_axis: dict[int, np.ndarray] = {}
        self._cache: dict[int, np.ndarray] = {}
        column = self.table.column("axis_id")
        if column is not None:
            first, inverse = column.distinct()
            for index, row in enumerate(first):
                axis = axes.find(None if column.is_null[row] else column.text(int(row)))
                if axis >= 0:
                    self._by_axis[axis] = np.flatnonzero(inverse == index)
        self._axes = axes

    @property
    def axes(self) -> list[int]:
        """The axes that have rows."""
        return list(self._by_axis)

    def rows_of(self, axis: int) -> np.ndarray:
        """The rows of an axis."""
        return self._by_axis.get(axis, np.zeros(0, dtype=np.int64))

    def values(self, axis: int) -> np.ndarray:
        """The setting in each row of an axis; nan where none is given."""
        rows = self.rows_of(axis)
        angle, displacement = self.table.numbers("angle"), self.table.numbers("displacement")
        first, second = (displacement, angle) if self._axes.kind[axis] == "translation" else (angle, displacement)
        return np.where(np.isnan(first[rows]), second[rows], first[rows])

    def of(self, axis: int, frame_rows: np.ndarray) -> np.ndarray:
        """The settings of an axis for rows of DIFFRN_SCAN_FRAME; nan where no row states one."""
        if axis not in self._by_axis or self._frames is None:
            return np.full(len(frame_rows), np.nan)
        if axis not in self._cache:
            self._cache[axis] = self._join(axis, self._frames)
        return self._cache[axis][frame_rows]

    def _join(self, axis: int, frames: Column) -> np.ndarray:
        """The setting of an axis for each row of DIFFRN_SCAN_FRAME."""
        result = np.full(len(frames), np.nan)
        ids = self.table.column("frame_id")
        if ids is None:
            return result
        keys, values = ids.hashes[self.rows_of(axis)], self.values(axis)
        if len(keys) == len(result) and np.array_equal(keys, frames.hashes):
            return values
        order = np.argsort(keys, kind="stable")
        position = np.searchsorted(keys[order], frames.hashes)
        position = np.minimum(position, len(keys) - 1)
        matched = keys[order][position] == frames.hashes
        result[matched] = values[order][position[matched]]
        return result


@dataclass(frozen=True, slots=True)
class Scans:
    """The scans of a block."""

    scans: tuple[Scan, ...]
    frame_settings: FrameSettings

    def __len__(self) -> int:
        return len(self.scans)

    def __iter__(self):
        return iter(self.scans)


def build_scans(tables: Tables, axes: Axes) -> Scans:
    """The scans of a block; a table of axes or frames alone makes one implied scan."""
    settings = FrameSettings(tables, axes)
    table, drives = tables.table("diffrn_scan"), tables.table("diffrn_scan_axis")
    frames = tables.table("diffrn_scan_frame")
    if not table and not drives and not frames:
        return Scans((), settings)
    ids = [name or "" for name in table.texts("id")] or [drives.text("scan_id") or frames.text("scan_id") or ""]
    counts = table.numbers("frames", 0.0) if table else np.array([float(frames.rows)])
    built = []
    for row, name in enumerate(ids):
        rows, numbers = _frames_of(frames, name, alone=len(ids) == 1)
        stated = int(counts[row]) if counts[row] > 0 else max(len(rows), 1)
        own = _drives_of(drives, axes, name, alone=len(ids) == 1)
        built.append(Scan(name, row, stated, own, rows, numbers, settings))
    return Scans(tuple(built), settings)


def _rows_named(table: Table, name: str, *, alone: bool) -> np.ndarray:
    """The rows of a table that belong to a scan."""
    column = table.column("scan_id")
    if column is None:
        return np.arange(table.rows if alone else 0)
    first, inverse = column.distinct()
    for index, row in enumerate(first):
        if column.text(int(row)).casefold() == name.casefold() or (alone and column.is_null[row]):
            return np.arange(table.rows) if len(first) == 1 else np.flatnonzero(inverse == index)
    return np.zeros(0, dtype=np.int64)


def _frames_of(frames: Table, name: str, *, alone: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the frames of a scan in the order of their numbers, and the numbers."""
    rows = _rows_named(frames, name, alone=alone)
    numbers = frames.numbers("frame_number")[rows]
    if np.isnan(numbers).any():
        return rows, np.arange(1, len(rows) + 1)
    if len(numbers) and numbers.min() == 0:
        numbers = numbers + 1
    if (np.diff(numbers) < 0).any():
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
    return rows, numbers.astype(np.int64)


def _drives_of(table: Table, axes: Axes, name: str, *, alone: bool) -> dict[int, Drive]:
    """What a scan states for its axes."""
    columns = {
        (word, part): table.numbers(f"{word}_{part}")
        for word in ("angle", "displacement")
        for part in ("start", "increment", "range", "rstrt_incr")
    }
    found: dict[int, Drive] = {}
    for row in _rows_named(table, name, alone=alone):
        axis = axes.find(table.text("axis_id", int(row)))
        if axis < 0:
            continue
        words = ("displacement", "angle") if axes.kind[axis] == "translation" else ("angle", "displacement")
        word = next((word for word in words if not np.isnan(columns[word, "start"][row])), words[0])
        values = [float(columns[word, part][row]) for part in ("start", "increment", "range", "rstrt_incr")]
        found[axis] = Drive(axis, int(row), word == "angle", *values)
    return found
