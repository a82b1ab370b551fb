"""Places of panels read a second time from an imgCIF or full CBF: its tables by gemmi, axes by 4 x 4 matrices.

Nothing of the reader of the builder is used here. Axes that are themselves turned by a setting of their row are
not followed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.records import dataclass

_BINARY = re.compile(rb"--CIF-BINARY-FORMAT-SECTION--\r?\n.*?--CIF-BINARY-FORMAT-SECTION----", re.S)
_LONGEST = 64
Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The categories of the first block with axes, as rows of texts without nulls."""

    block: Any

    def rows(self, category: str) -> Rows:
        """The rows of a category; items that are null are left out of a row."""
        found = self.block.get_mmcif_category(f"_{category}.", raw=False)
        columns = {name.lower(): values for name, values in found.items()}
        count = max(map(len, columns.values()), default=0)
        return [
            {name: str(values[row]) for name, values in columns.items() if values[row] not in (None, False)}
            for row in range(count)
        ]


def tables_of(path: Path) -> Tables | None:
    """The tables of the first block with axes; None where there is none, or the other program takes no such file."""
    from gemmi import cif

    from imgcif_core.cif.reader import open_source

    text = _BINARY.sub(b"", open_source(path).data).decode("latin-1")
    try:
        blocks = cif.read_string(text)
    except RuntimeError:
        # It takes no file in which a name stands twice.
        return None
    chosen = [block for block in blocks if block.get_mmcif_category("_axis.")]
    return Tables(chosen[0]) if chosen else None


def _number(row: Mapping[str, str], name: str) -> float:
    """A number without its uncertainty; zero where it is not given."""
    return float(re.sub(r"\(\d+\)\Z", "", row.get(name, "0")))


def _three(row: Mapping[str, str], name: str) -> np.ndarray:
    """Three components."""
    return np.array([_number(row, f"{name}[{part}]") for part in (1, 2, 3)])


def _settings(tables: Tables) -> dict[str, float]:
    """The setting of each axis at the first frame: of the frame, else of the scan."""
    scans = tables.rows("diffrn_scan")
    first = scans[0].get("id", "") if scans else ""
    found = {
        row["axis_id"]: _number(row, "angle_start") + _number(row, "displacement_start")
        for row in tables.rows("diffrn_scan_axis")
        if row.get("scan_id", first) == first and "axis_id" in row
    }
    frames = [row for row in tables.rows("diffrn_scan_frame") if row.get("scan_id", first) == first]
    own = min(frames, key=lambda row: _number(row, "frame_number"), default={}).get("frame_id", "")
    for row in tables.rows("diffrn_scan_frame_axis"):
        if row.get("frame_id", own) == own and {"angle", "displacement"} & row.keys():
            found[row["axis_id"]] = _number(row, "angle") + _number(row, "displacement")
    return found


def _matrix(axes: Mapping[str, dict[str, str]], name: str, settings: Mapping[str, float]) -> np.ndarray:
    """The 4 x 4 matrix that carries what hangs on an axis."""
    whole, seen = np.eye(4), 0
    while name in axes and seen < _LONGEST:
        row, seen = axes[name], seen + 1
        if _number(row, "rotation"):
            raise ValueError("an axis that is turned itself")
        own, setting = np.eye(4), settings.get(name, 0.0)
        vector = _three(row, "vector")
        length = np.linalg.norm(vector)
        direction = vector / length if length else vector
        if row.get("type") == "rotation":
            x, y, z = direction
            cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            angle = np.radians(setting)
            own[:3, :3] += np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
        elif row.get("type") == "translation":
            own[:3, 3] = setting * direction
        own[:3, 3] += _three(row, "offset")
        whole = own @ whole
        name = row.get("depends_on", "")
    return whole


@dataclass(frozen=True, slots=True)
class Stated:
    """Corners (3 n, 3) mm, direction of the source, of the base of the goniometer or None, wavelengths in angstrom."""

    corners: np.ndarray
    source: np.ndarray
    axis: np.ndarray | None
    wavelengths: tuple[float, ...]


def imgcif_numbers(path: Path) -> Stated | None:
    """What the tables of an imgCIF state; None without axes.

    Raises
    ------
    ValueError, KeyError
        If a number or a row is not there.
    """
    tables = tables_of(path)
    if tables is None:
        return None
    axes = {row["id"]: row for row in tables.rows("axis") if "id" in row}
    settings = _settings(tables)
    steps = {row.get("axis_set_id", row.get("axis_id", "")): row for row in tables.rows("array_structure_list_axis")}
    panels: dict[tuple[str, str], Rows] = {}
    for row in tables.rows("array_structure_list"):
        if "axis_set_id" in row:
            panels.setdefault((row.get("array_id", ""), row.get("array_section_id", "")), []).append(row)
    corners = [point for rows in panels.values() for point in _ends(rows, steps, axes, settings)]
    sources = [row for row in axes.values() if row.get("equipment") == "source"]
    source = _three(sources[0], "vector") if sources else np.array([0.0, 0.0, 1.0])
    mounted = {row.get("axis_id") for row in tables.rows("diffrn_measurement_axis")}
    bases = [
        row
        for name, row in axes.items()
        if name in mounted and row.get("type") == "rotation" and row.get("depends_on", "") not in mounted
    ]
    waves = [_number(row, "value") for row in tables.rows("diffrn_radiation_wavelength") if "value" in row]
    waves += [_number(row, "wavelength") for row in tables.rows("diffrn_radiation_wavelength") if "wavelength" in row]
    axis = _three(bases[0], "vector") if len(bases) == 1 else None
    return Stated(np.array(corners), source, axis, tuple(waves))


def _ends(
    rows: Rows, steps: Mapping[str, dict[str, str]], axes: Mapping[str, dict[str, str]], settings: Mapping[str, float]
) -> list[np.ndarray]:
    """First corner, fast end and slow end of one panel."""
    fast, slow = sorted(rows, key=lambda row: _number(row, "precedence"))[:2]
    surfaces = [steps[row["axis_set_id"]] for row in (fast, slow)]
    names = [surface["axis_id"] for surface in surfaces]
    placed = {name: _number(surface, "displacement") for name, surface in zip(names, surfaces, strict=True)}
    at_first = {**settings, **placed}
    # Of two surface axes one hangs on the other.
    inner = names[0] if axes[names[0]].get("depends_on") == names[1] else names[1]
    centre = _matrix(axes, inner, at_first)[:3, 3]
    ways = []
    for name, surface in zip(names, surfaces, strict=True):
        vector = _three(axes[name], "vector")
        way = _matrix(axes, name, at_first)[:3, :3] @ (vector / np.linalg.norm(vector))
        ways.append(way * _number(surface, "displacement_increment"))
    corner = centre - (ways[0] + ways[1]) / 2.0
    sizes = _number(fast, "dimension"), _number(slow, "dimension")
    return [corner, corner + sizes[0] * ways[0], corner + sizes[1] * ways[1]]
