"""Scans and the settings of axes: frame rows first, else start and increment, else zero.

A setting that is stated and cannot be read is nan: what it is, nobody knows. Zero is the one that is not stated.
"""

import math
from collections.abc import Iterator

import numpy as np

from imgcif_core.arrays import Flags, Integers
from imgcif_core.cif.columns import Column
from imgcif_core.cif.matrices import hash_text
from imgcif_core.model.axes import Axes
from imgcif_core.records import cached_property, dataclass, field
from imgcif_core.tables import Table, Tables

_PARTS = ("start", "increment", "range", "rstrt_incr")
_FRAME_ITEMS = {"setting": "", "increment": "_increment", "restart": "_rstrt_incr"}
# Beyond this a float64 no longer counts in steps of one.
_LARGEST_COUNT = 2.0**53
# Numbers and where they are stated, by word and part of the items of DIFFRN_SCAN_AXIS.
_Columns = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def or_zero(value: float) -> float:
    """A number, 0 for one that is not given."""
    return 0.0 if math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Drive:
    """What a scan states for one axis; angles in degrees or displacements in mm, nan where not given.

    `row` is the row of DIFFRN_SCAN_AXIS, `is_angle` tells which of the two kinds was stated. `unread` holds those of
    start, increment, range and rstrt_incr that are stated and cannot be read, which are nan, too.
    """

    axis: int
    row: int
    is_angle: bool
    start: float
    increment: float
    range: float
    restart: float
    unread: frozenset[str] = frozenset()

    def known(self, part: str, value: float) -> float:
        """The value of a part: zero where it is not stated, nan where it cannot be read."""
        return value if part in self.unread else or_zero(value)

    @property
    def step(self) -> float:
        """From the start of one frame to the start of the next: increment and restart increment."""
        return self.known("increment", self.increment) + self.known("rstrt_incr", self.restart)

    @property
    def moves(self) -> bool:
        """True if the scan states any motion of the axis, if only by a number that cannot be read."""
        is_stated = any(or_zero(value) != 0 for value in (self.increment, self.range, self.restart))
        return is_stated or not self.unread <= {"start"}

    def item(self, part: str) -> str:
        """The item of DIFFRN_SCAN_AXIS that holds a part: start, increment, range or rstrt_incr."""
        return f"{'angle' if self.is_angle else 'displacement'}_{part}"

    def settings(self, numbers: np.ndarray) -> np.ndarray:
        """The settings at the start of frames, by their 1-based numbers; nan where they cannot be read."""
        start, steps = self.known("start", self.start), np.asarray(numbers) - 1
        return np.where(steps == 0, start, start + steps * self.step)


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: frames as stated, frame ids in the order of their numbers, drives by row of the axis.

    `row` is the row of DIFFRN_SCAN, -1 where the scan is only implied. `frame_rows` are rows of
    DIFFRN_SCAN_FRAME in the order of the frame numbers, `numbers` the numbers counted from 1 whatever
    the file counts from. The file may hold fewer frames than stated: indices run over `count`.
    `is_counted` tells that the file states the number of frames.
    """

    id: str
    row: int
    frames: int
    drives: dict[int, Drive]
    frame_rows: np.ndarray
    numbers: np.ndarray
    frame_settings: "FrameSettings" = field(repr=False)
    is_counted: bool = True

    @property
    def count(self) -> int:
        """The number of frames whose settings can be asked for by index."""
        return len(self.frame_rows) or self.frames

    def setting(self, axis: int, index: int) -> float:
        """The setting of an axis at the start of the frame of an index in this scan."""
        return float(self.settings(axis, np.array([index]))[0])

    def settings(self, axis: int, indices: np.ndarray) -> np.ndarray:
        """The settings of an axis at the start of some frames, by index in this scan: like indices."""
        numbers = self.numbers[indices] if len(self.numbers) else np.asarray(indices) + 1
        drive = self.drives.get(axis)
        values = drive.settings(numbers) if drive else np.zeros(len(numbers))
        return self._over(values, axis, indices, "setting")

    def increments(self, axis: int, indices: np.ndarray) -> np.ndarray:
        """How far an axis moves during some frames, by index in this scan; zero where nothing is said."""
        drive = self.drives.get(axis)
        stated = drive.known("increment", drive.increment) if drive else 0.0
        return self._over(np.full(len(indices), stated), axis, indices, "increment")

    def restarts(self, axis: int, indices: np.ndarray) -> np.ndarray:
        """How far an axis moves after some frames before the next; zero where nothing is said."""
        drive = self.drives.get(axis)
        stated = drive.known("rstrt_incr", drive.restart) if drive else 0.0
        return self._over(np.full(len(indices), stated), axis, indices, "restart")

    def _over(self, values: np.ndarray, axis: int, indices: np.ndarray, part: str) -> np.ndarray:
        """Values of the scan, replaced by those of frame rows where these say something."""
        if not len(self.frame_rows) or not len(self.frame_settings.rows_of(axis)):
            return values
        found = self.frame_settings.of(axis, self.frame_rows[indices], part)
        is_told = ~np.isnan(found) | self.frame_settings.is_unread(axis, self.frame_rows[indices], part)
        return np.where(is_told, found, values)

    def unread_axes(self) -> list[int]:
        """Rows of the axes of which the scan or its frames state a setting or a motion that cannot be read."""
        found = [axis for axis, drive in self.drives.items() if not drive.unread <= {"range"}]
        rows, told = self.frame_rows, self.frame_settings
        by_frame = (axis for axis in told.axes if any(told.is_unread(axis, rows, part).any() for part in _FRAME_ITEMS))
        return list(dict.fromkeys([*found, *by_frame]))

    def at(self, index: int, axes: list[int]) -> dict[int, np.ndarray]:
        """The settings of some axes for one frame, as `Axes.placement` takes them."""
        return {axis: self.settings(axis, np.array([index])) for axis in axes}


class FrameSettings:
    """The rows of DIFFRN_SCAN_FRAME_AXIS by axis, joined to the frames by hash."""

    def __init__(self, tables: Tables, axes: Axes) -> None:
        self.table: Table = tables.table("diffrn_scan_frame_axis")
        self._frames = tables.table("diffrn_scan_frame").column("frame_id")
        self._by_axis: dict[int, np.ndarray] = {}
        self._positions: dict[int, np.ndarray] = {}
        self._cache: dict[str, np.ndarray] = {}
        self._unread: dict[str, np.ndarray] = {}
        self._kinds: dict[int, bool] = {}
        self._values: dict[tuple[int, str], np.ndarray] = {}
        self._axes = axes
        column = self.table.column("axis_id")
        if column is not None:
            first, inverse = column.distinct()
            for index, row in enumerate(first):
                for axis in [] if column.is_null[row] else axes.rows_named(column.text(int(row))):
                    self._add(axis, np.flatnonzero(inverse == index))

    def _add(self, axis: int, rows: np.ndarray) -> None:
        """Keep the rows of an axis, which may be named in two spellings."""
        known = self._by_axis.get(axis)
        self._by_axis[axis] = rows if known is None else np.sort(np.concatenate([known, rows]))

    @property
    def axes(self) -> list[int]:
        """The axes that have rows."""
        return list(self._by_axis)

    def rows_of(self, axis: int) -> np.ndarray:
        """The rows of an axis."""
        return self._by_axis.get(axis, np.zeros(0, dtype=np.int64))

    def is_angle(self, axis: int) -> bool:
        """True if the rows of an axis state angles: its own kind, unless they hold only the other."""
        if axis not in self._kinds:
            own = self._axes.kind[axis] != "translation"
            rows = self.rows_of(axis)
            is_other = np.isnan(self._numbers(own, "setting")[rows]).all()
            is_other = is_other and not np.isnan(self._numbers(not own, "setting")[rows]).all()
            self._kinds[axis] = own != bool(is_other)
        return self._kinds[axis]

    def values(self, axis: int, part: str = "setting") -> np.ndarray:
        """The setting, increment or restart increment in each row of an axis; nan where none is given."""
        key = (axis, part)
        if key not in self._values:
            self._values[key] = self._numbers(self.is_angle(axis), part)[self.rows_of(axis)]
        return self._values[key]

    @staticmethod
    def _item(is_angle: bool, part: str) -> str:
        """The item that holds a part."""
        return ("angle" if is_angle else "displacement") + _FRAME_ITEMS[part]

    def _numbers(self, is_angle: bool, part: str) -> np.ndarray:
        """A column of numbers, read once."""
        name = self._item(is_angle, part)
        if name not in self._cache:
            self._cache[name] = self.table.numbers(name)
        return self._cache[name]

    def of(self, axis: int, frame_rows: np.ndarray, part: str = "setting") -> np.ndarray:
        """What rows of an axis state for rows of DIFFRN_SCAN_FRAME; nan where no row states it."""
        if axis not in self._by_axis:
            return np.full(len(frame_rows), np.nan)
        positions = self.positions(axis, frame_rows)
        values = self.values(axis, part)
        return np.where(positions < 0, np.nan, values[positions])

    def is_unread(self, axis: int, frame_rows: np.ndarray, part: str = "setting") -> Flags:
        """Where a row of an axis states something that cannot be read, for rows of DIFFRN_SCAN_FRAME: bool."""
        name = self._item(self.is_angle(axis), part)
        column = self.table.column(name)
        if axis not in self._by_axis or column is None:
            return np.zeros(len(frame_rows), dtype=bool)
        if name not in self._unread:
            self._unread[name] = ~column.is_null & np.isnan(self._numbers(self.is_angle(axis), part))
        if not self._unread[name].any():
            return np.zeros(len(frame_rows), dtype=bool)
        positions = self.positions(axis, frame_rows)
        found: Flags = (positions >= 0) & self._unread[name][self.rows_of(axis)][positions]
        return found

    def positions(self, axis: int, frame_rows: Integers) -> Integers:
        """Which of the rows of an axis belongs to rows of DIFFRN_SCAN_FRAME; -1 where none does."""
        if axis not in self._by_axis or self._frames is None:
            return np.full(len(frame_rows), -1)
        if axis not in self._positions:
            self._positions[axis] = self._join(axis, self._frames)
        return self._positions[axis][frame_rows]

    def _join(self, axis: int, frames: Column) -> np.ndarray:
        """For each row of DIFFRN_SCAN_FRAME the row of an axis, counted among the rows of that axis."""
        ids = self.table.column("frame_id")
        if ids is None:
            return np.full(len(frames), -1)
        rows = self.rows_of(axis)
        if len(rows) == len(frames) and np.array_equal(ids.hashes[rows], frames.hashes):
            return np.arange(len(rows))
        found = _lookup(ids.hashes[rows], frames.hashes)
        if (found < 0).all():
            found = _lookup(ids.folded_hashes()[rows], frames.folded_hashes())
        return found


def _lookup(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The first position of each wanted hash among the keys, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1)
    order = np.argsort(keys, kind="stable")
    position = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = order[position]
    return np.where(keys[found] == wanted, found, -1)


@dataclass(frozen=True, slots=True)
class Scans:
    """The scans of a block."""

    scans: tuple[Scan, ...]
    frame_settings: FrameSettings

    def __len__(self) -> int:
        return len(self.scans)

    def __iter__(self) -> Iterator[Scan]:
        return iter(self.scans)


def build_scans(tables: Tables, axes: Axes) -> Scans:
    """The scans of a block; without DIFFRN_SCAN those that its axes and frames name, or one."""
    settings = FrameSettings(tables, axes)
    table, drives = tables.table("diffrn_scan"), tables.table("diffrn_scan_axis")
    frames = tables.table("diffrn_scan_frame")
    if not table and not drives and not frames:
        return Scans((), settings)
    ids = [name or "" for name in table.texts("id")] or _implied_ids(drives, frames)
    counts = table.numbers("frames", 0.0) if table else np.zeros(len(ids))
    alone = len(ids) == 1
    frames_by_scan, drives_by_scan = _RowsByScan(frames, alone=alone), _RowsByScan(drives, alone=alone)
    columns = {
        (word, part): (drives.numbers(f"{word}_{part}"), drives.explicit(f"{word}_{part}"))
        for word in ("angle", "displacement")
        for part in _PARTS
    }
    built, written = [], frames.numbers("frame_number")
    for row, name in enumerate(ids):
        rows, numbers = _in_order(written, frames_by_scan.of(name), counts[row])
        is_counted = bool(counts[row] >= 1)
        stated = int(min(counts[row], _LARGEST_COUNT)) if is_counted else max(len(rows), 1)
        own = _drives_of(drives, columns, axes, drives_by_scan.of(name))
        built.append(Scan(name, row if table else -1, stated, own, rows, numbers, settings, is_counted))
    return Scans(tuple(built), settings)


def _implied_ids(drives: Table, frames: Table) -> list[str]:
    """The scans that other tables name, or one without a name."""
    found: dict[str, str] = {}
    for table in (drives, frames):
        column = table.column("scan_id")
        if column is None:
            continue
        for row in column.distinct()[0]:
            if not column.is_null[row]:
                name = column.text(int(row))
                found.setdefault(name.casefold(), name)
    return list(found.values()) or [""]


class _RowsByScan:
    """The rows of a table that belong to each scan; ids are compared exactly, then without case."""

    def __init__(self, table: Table, *, alone: bool) -> None:
        self._rows = table.rows
        self._alone = alone
        self._column = table.column("scan_id")

    def of(self, name: str) -> np.ndarray:
        """The rows of a scan, in the order of the file."""
        if self._column is None:
            return np.arange(self._rows if self._alone else 0)
        runs = self._exact.get(int(hash_text(name))) or self._caseless.get(int(hash_text(name, fold=True)))
        if self._alone and self._column.has_nulls:
            return np.flatnonzero(self._column.is_null | self._is_in(runs or []))
        if not runs:
            return np.zeros(0, dtype=np.int64)
        return np.concatenate([np.arange(start, end) for start, end in runs])

    def _is_in(self, runs: list[tuple[int, int]]) -> np.ndarray:
        """Runs of rows as a mask."""
        inside = np.zeros(self._rows, dtype=bool)
        for start, end in runs:
            inside[start:end] = True
        return inside

    @cached_property
    def _exact(self) -> dict[int, list[tuple[int, int]]]:
        return _runs(self._column.hashes) if self._column is not None else {}

    @cached_property
    def _caseless(self) -> dict[int, list[tuple[int, int]]]:
        return _runs(self._column.folded_hashes()) if self._column is not None else {}


def _runs(hashes: np.ndarray) -> dict[int, list[tuple[int, int]]]:
    """The stretches of rows that hold each hash."""
    if not len(hashes):
        return {}
    starts = np.concatenate([[0], np.flatnonzero(hashes[1:] != hashes[:-1]) + 1])
    ends = np.append(starts[1:], len(hashes))
    found: dict[int, list[tuple[int, int]]] = {}
    for name, start, end in zip(hashes[starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
        found.setdefault(name, []).append((start, end))
    return found


def _in_order(written: np.ndarray, rows: np.ndarray, count: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of frames in the order of their numbers, and the numbers counted from 1.

    All frames of a scan that are numbered in one run, from 0 or on from the scan before, begin with 1.
    """
    numbers = written[rows]
    if not (np.abs(numbers) < _LARGEST_COUNT).all():
        return rows, np.arange(1, len(rows) + 1)
    if (np.diff(numbers) < 0).any():
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
    if len(numbers):
        is_whole = len(numbers) == count and numbers[-1] - numbers[0] + 1 == count
        first = numbers[0] if is_whole or numbers[0] == 0 else 1
        numbers = numbers - (first - 1)
    return rows, numbers.astype(np.int64)


def _drives_of(table: Table, columns: _Columns, axes: Axes, rows: np.ndarray) -> dict[int, Drive]:
    """What a scan states for its axes; of two rows of one axis the first."""
    found: dict[int, Drive] = {}
    for row in rows.tolist():
        for axis in axes.rows_named(table.text("axis_id", row) or ""):
            if axis not in found:
                found[axis] = _drive(columns, axes, axis, row)
    return found


def _drive(columns: _Columns, axes: Axes, axis: int, row: int) -> Drive:
    """What one row of DIFFRN_SCAN_AXIS states, by the kind of the axis first."""
    words = ("displacement", "angle") if axes.kind[axis] == "translation" else ("angle", "displacement")
    word = next((word for word in words if any(columns[word, part][1][row] for part in _PARTS)), words[0])
    values = {part: float(columns[word, part][0][row]) for part in _PARTS}
    unread = frozenset(part for part in _PARTS if columns[word, part][1][row] and math.isnan(values[part]))
    start, increment, total, restart = values.values()
    return Drive(axis, row, word == "angle", start, increment, total, restart, unread)
