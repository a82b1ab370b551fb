"""What each axis is used for: which tables name it, what is set on it, what hangs on it."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from imgcif_core.checks.registry import provider
from imgcif_core.cif.document import Place
from imgcif_core.model.axes import NO_PARENT, Axes
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table, Tables, kept

GONIOMETER, DETECTOR = "goniometer", "detector"
USING = (
    "array_structure_list_axis",
    "diffrn_detector_axis",
    "diffrn_measurement_axis",
    "diffrn_scan_axis",
    "diffrn_scan_frame_axis",
)
SURFACE, POSITIONER, MEASUREMENT, SCAN, FRAME = USING
# How the items of settings and steps begin, and the kind of axis on which they act.
_WORDS = {
    "angle": "rotation",
    "angular": "rotation",
    "displacement": "translation",
    "radial": "translation",
    "fract_displacement": "translation",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The first value that is not zero among those that one table gives for one axis and one kind."""

    table: Table
    item: str
    row: int
    value: float

    @property
    def name(self) -> str:
        """The data name as the file writes it."""
        column = self.table.column(self.item)
        return column.name if column is not None else self.item

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.table.at(self.row, self.item)


@dataclass(frozen=True)
class AxisRoles:
    """How the axes of a block are used; rows are those of AXIS.

    `rows` gives for each table that uses axes the first of its rows that names an axis; `settings`
    the acting values by table, row of the axis and kind; `children` what depends on each axis.
    """

    axes: Axes
    rows: dict[str, dict[int, int]]
    settings: dict[tuple[str, int, str], Setting]
    children: tuple[tuple[int, ...], ...]

    def setting(self, axis: int, tables: Iterable[str] = (SCAN, FRAME), kind: str | None = None) -> Setting | None:
        """The first acting value of an axis in some tables, of one kind or of any."""
        kinds = (kind,) if kind else ("rotation", "translation")
        found = (self.settings.get((name, axis, kind)) for name in tables for kind in kinds)
        return next((setting for setting in found if setting is not None), None)

    def uses(self, axis: int, *tables: str) -> bool:
        """True if any of the tables names the axis."""
        return any(axis in self.rows[name] for name in tables)

    def of(self, equipment: str) -> list[int]:
        """The axes of an equipment, in the order of the file."""
        return [row for row, own in enumerate(self.axes.equipment) if own == equipment]

    def goniometer(self) -> list[int]:
        """The axes that position the sample: not the detector arms that are labelled goniometer."""
        return list(self._goniometer)

    @cached_property
    def _goniometer(self) -> tuple[int, ...]:
        return tuple(row for row in self.of(GONIOMETER) if not self.is_arm(row))

    @cached_property
    def _of_detector(self) -> frozenset[str]:
        """The ids that the detector has an axis of."""
        return frozenset(self.axes.id[row] for row in self.of(DETECTOR))

    def is_arm(self, row: int) -> bool:
        """True for an axis labelled goniometer that carries or positions the detector and no goniometer axis.

        A circle that both share has a row for each.
        """
        if self.axes.equipment[row] != GONIOMETER:
            return False
        equipments = {self.axes.equipment[child] for child in self.children[row]}
        is_shared = self.axes.id[row] in self._of_detector
        is_listed = self.uses(row, POSITIONER) and not self.uses(row, MEASUREMENT)
        return GONIOMETER not in equipments and (DETECTOR in equipments or is_shared or is_listed)

    def inherited(self, rows: Iterable[int]) -> list[int]:
        """The axes on which some axes depend, themselves left out unless others depend on them."""
        marked: set[int] = set()
        links = (self.axes.parent, self.axes.rotation_parent)
        waiting = list(rows)
        while waiting:
            row = waiting.pop()
            for target in (int(link[row]) for link in links):
                if target >= 0 and target not in marked:
                    marked.add(target)
                    waiting.append(target)
        return sorted(marked)

    def roots(self) -> np.ndarray:
        """For each axis of a tree the root on which it depends in the end: (n,) rows."""
        parent = self.axes.parent
        root = np.where(parent >= 0, parent, np.arange(len(parent)))
        while (root[root] != root).any():
            root = root[root]
        return root


@provider("axis_roles")
def axis_roles(tables: Tables, axes: Axes) -> AxisRoles:
    """What each axis is used for, as far as ids are resolved; `NotApplicable` where there is no axis."""
    return roles_of(tables, axes)


@kept
def roles_of(tables: Tables, axes: Axes) -> AxisRoles:
    """What each axis of a block is used for."""
    rows: dict[str, dict[int, int]] = {}
    settings: dict[tuple[str, int, str], Setting] = {}
    for name in USING:
        table = tables.table(name)
        rows[name] = {}
        column = table.column("axis_id")
        if column is None:
            continue
        first, inverse = column.distinct()
        is_null = column.is_null[first].tolist()
        texts = zip(column.texts_at(first), is_null, strict=True)
        named = [[] if null else axes.rows_named(text) for text, null in texts]
        for row, found in zip(first.tolist(), named, strict=True):
            for axis in found:
                rows[name].setdefault(axis, row)
        for kind, setting in _acting(table, len(first), inverse):
            for axis in named[int(inverse[setting.row])]:
                settings.setdefault((name, axis, kind), setting)
    children: list[dict[int, None]] = [{} for _ in range(len(axes))]
    for link in (axes.parent.tolist(), axes.rotation_parent.tolist()):
        for row, target in enumerate(link):
            if target >= 0:
                children[target][row] = None
    return AxisRoles(axes, rows, settings, tuple(tuple(entry) for entry in children))


def _acting(table: Table, count: int, inverse: np.ndarray) -> Iterator[tuple[str, Setting]]:
    """The first value that is not zero of each item and axis id of a table, with its kind."""
    for item in table.columns:
        kind = next((kind for word, kind in _WORDS.items() if item.startswith(word)), None)
        if kind is None:
            continue
        values = table.numbers(item, 0.0)
        acting = np.flatnonzero(values != 0)
        lead = np.full(count, -1)
        # Of several assignments to one place the last one holds, so that the rows run backwards.
        lead[inverse[acting[::-1]]] = acting[::-1]
        for row in np.sort(lead[lead >= 0]).tolist():
            yield kind, Setting(table, item, row, float(values[row]))


def listed(axes: Axes, rows: Sequence[int], limit: int = 4) -> str:
    """Ids of axes for a message."""
    shown = ", ".join(axes.id[row] for row in rows[:limit])
    return f"{shown} and {len(rows) - limit} more" if len(rows) > limit else shown


def is_root(axes: Axes, row: int) -> bool:
    """True if an axis depends on no other."""
    return int(axes.parent[row]) == NO_PARENT
