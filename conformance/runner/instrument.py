"""The instrument that an imgCIF describes, worked out with the standard library alone.

Reads what a generator may write: CIF 1.1 and 2.0 without lists and tables, rotations and translations,
one translation for each pixel direction. Conventions: imgCIF dictionary, AXIS, DIFFRN_SCAN_AXIS,
DIFFRN_SCAN_FRAME_AXIS, ARRAY_STRUCTURE_LIST and ARRAY_STRUCTURE_LIST_AXIS.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from .turns import IDENTITY, Matrix, Vector, about

Rows = list[dict[str, str | None]]

_TOKEN = re.compile(
    r"""(?P<field>(?<![^\n]);(?P<text>.*?)\n;)|'''(?P<three>.*?)'''|\"\"\"(?P<six>.*?)\"\"\"
    |'(?P<single>[^\n]*?)'(?=\s|\Z)|"(?P<double>[^\n]*?)"(?=\s|\Z)|(?P<comment>\#[^\n]*)|(?P<bare>\S+)""",
    re.S | re.X,
)
_BINARY = re.compile(rb"--CIF-BINARY-FORMAT-SECTION--\r?\n.*?--CIF-BINARY-FORMAT-SECTION----", re.S)
# Names that the dictionary keeps as aliases.
_ALIASES = {"_diffrn_radiation_wavelength.wavelength": "_diffrn_radiation_wavelength.value"}


class GeometryError(Exception):
    """A file that cannot be read, or that describes no instrument."""


def read(path: Path) -> dict[str, Any]:
    """The instrument in the geometry schema, with the external data of each scan.

    Raises
    ------
    GeometryError
        If the text is no CIF, or an axis or number is missing.
    """
    data = _BINARY.sub(b"", Path(path).read_bytes())
    text = data.decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    blocks = [_Instrument(name, tables).describe() for name, tables in _parse(text).items()]
    return {"schema": "imgcif-geometry/1", "files": [{"path": str(path), "blocks": blocks}]}


def _parse(text: str) -> dict[str, dict[str, Rows]]:
    """The rows of each category of each block; null values are None."""
    blocks: dict[str, dict[str, Rows]] = {}
    tables: dict[str, Rows] = {}
    names: list[str] = []
    values: list[str | None] = []
    in_loop, single = False, ""

    def close() -> None:
        nonlocal names, values, in_loop
        if in_loop and names:
            if not values or len(values) % len(names):
                raise GeometryError(f"{len(values)} values for {len(names)} names from {names[0]} on")
            for start in range(0, len(values), len(names)):
                _add(tables, zip(names, values[start : start + len(names)]), looped=True)
        names, values, in_loop = [], [], False

    for match in _TOKEN.finditer(text):
        word = match["bare"]
        if match["comment"] is not None:
            continue
        low = (word or "").lower()
        if low.startswith("data_"):
            close()
            tables = blocks.setdefault(low[5:], {})
        elif low == "loop_":
            close()
            in_loop = True
        elif low.startswith("_"):
            name = _ALIASES.get(low, low)
            if in_loop and values:
                close()
            if in_loop:
                names.append(name)
            else:
                single = name
        else:
            value = None if word in (".", "?") else next(part for part in _parts(match) if part is not None)
            if in_loop:
                values.append(value)
            elif single:
                _add(tables, [(single, value)], looped=False)
                single = ""
            else:
                raise GeometryError(f"value {str(value)[:40]!r} without a name")
    close()
    return blocks


def _parts(match: re.Match) -> tuple[str | None, ...]:
    """What a token may hold."""
    return tuple(match[name] for name in ("text", "three", "six", "single", "double", "bare"))


def _add(tables: dict[str, Rows], pairs: Any, *, looped: bool) -> None:
    """Put the values of one row into their category."""
    fresh: dict[str, dict[str, str | None]] = {}
    for name, value in pairs:
        category, _, item = name[1:].partition(".")
        fresh.setdefault(category, {})[item] = value
    for category, row in fresh.items():
        rows = tables.setdefault(category, [])
        if looped or not rows:
            rows.append(row)
        else:
            rows[0].update(row)


def _number(row: dict[str, str | None], item: str) -> float | None:
    """A number without its uncertainty; None where there is none."""
    value = row.get(item)
    if value is None:
        return None
    try:
        return float(re.sub(r"\(\d+\)$", "", value))
    except ValueError:
        raise GeometryError(f"{item} is {value!r}, expected a number") from None


def _vector(row: dict[str, str | None], item: str) -> Vector:
    """Three numbers, zero where they are not given."""
    x, y, z = (_number(row, f"{item}[{part}]") or 0.0 for part in (1, 2, 3))
    return x, y, z


def _turn(matrix: Matrix, vector: Vector) -> Vector:
    """A matrix times a vector."""
    x, y, z = (sum(a * b for a, b in zip(line, vector)) for line in matrix)
    return x, y, z


def _plus(one: Vector, other: Vector, factor: float = 1.0) -> Vector:
    """The sum of two vectors, the second times a factor."""
    return one[0] + factor * other[0], one[1] + factor * other[1], one[2] + factor * other[2]


class _Instrument:
    """One data block on its way to a description."""

    def __init__(self, name: str, tables: dict[str, Rows]) -> None:
        self.name, self.tables = name, tables
        self.axes = {row.get("id") or "": row for row in tables.get("axis", [])}

    def describe(self) -> dict[str, Any]:
        """The block in the geometry schema."""
        named = {row.get("axis_id") for row in self.tables.get("diffrn_measurement_axis", [])}
        goniometer = [
            {
                "id": key,
                "type": row.get("type"),
                "vector": list(_vector(row, "vector")),
                "depends_on": row.get("depends_on"),
            }
            for key, row in self.axes.items()
            if key in named or (not named and row.get("equipment") == "goniometer")
        ]
        source = next((_vector(row, "vector") for row in self.axes.values() if row.get("equipment") == "source"), None)
        names = {axis["id"] for axis in goniometer}
        wavelengths = [_number(row, "value") for row in self.tables.get("diffrn_radiation_wavelength", [])]
        scans = [self._scan(row, names) for row in self.tables.get("diffrn_scan", [])]
        found = {
            "block": self.name,
            "wavelengths": [value for value in wavelengths if value is not None],
            "source": list(source or (0.0, 0.0, 1.0)),
            "goniometer": goniometer,
            "scans": scans,
        }
        # Without a scan no axis has a setting, and the panels stand as they are.
        return found if scans else {**found, "panels": self._panels({})}

    def _scan(self, row: dict[str, str | None], goniometer: set[str]) -> dict[str, Any]:
        """One scan at the start of its first frame."""
        scan, frames = row.get("id"), int(_number(row, "frames") or 0)
        alone = len(self.tables["diffrn_scan"]) == 1
        drives = [one for one in self.tables.get("diffrn_scan_axis", []) if one.get("scan_id") == scan or alone]
        settings, axes = {}, []
        for drive in drives:
            axis = drive.get("axis_id") or ""
            kind = "displacement" if (self.axes.get(axis) or {}).get("type") == "translation" else "angle"
            start, step = (_number(drive, f"{kind}_{part}") or 0.0 for part in ("start", "increment"))
            settings[axis] = start
            if axis in goniometer:
                whole = _number(drive, f"{kind}_range")
                axes.append(
                    {"id": axis, "start": start, "increment": step, "range": step * frames if whole is None else whole}
                )
        rows = self._frames(scan, alone)
        if rows:
            first = rows[0].get("frame_id")
            for setting in self.tables.get("diffrn_scan_frame_axis", []):
                if setting.get("frame_id") == first:
                    values = [_number(setting, part) for part in ("angle", "displacement")]
                    axis = setting.get("axis_id") or ""
                    is_shift = (self.axes.get(axis) or {}).get("type") == "translation"
                    settings[axis] = (values[1] if is_shift else values[0]) or 0.0
        panels = self._panels(settings)
        images = self._images()
        for panel in panels:
            panel["external"] = self._external_of(panel, rows, images)
        return {
            "id": scan,
            "frames": frames,
            "axes": axes,
            "panels": panels,
            "external": self._external(rows),
        }

    def _frames(self, scan: str | None, alone: bool) -> Rows:
        """The frames of a scan in the order of their numbers."""
        rows = [row for row in self.tables.get("diffrn_scan_frame", []) if row.get("scan_id") == scan or alone]
        return sorted(rows, key=lambda row: _number(row, "frame_number") or 0.0)

    def _placed(self, axis: str, settings: dict[str, float]) -> tuple[Matrix, Vector]:
        """How the frame that an axis carries lies in the laboratory."""
        rotation, shift, seen = IDENTITY, (0.0, 0.0, 0.0), set()
        name: str | None = axis
        while name:
            row = self.axes.get(name)
            if row is None or name in seen:
                raise GeometryError(f"axis {name} is {'not defined' if row is None else 'in a cycle'}")
            seen.add(name)
            vector, setting = _vector(row, "vector"), settings.get(name, 0.0)
            if row.get("type") == "rotation":
                turn = about(vector, setting)
                columns = [_turn(turn, column) for column in zip(*rotation)]
                rotation = tuple(zip(*columns))  # type: ignore[assignment]
                shift = _turn(turn, shift)
            elif row.get("type") == "translation":
                length = math.sqrt(sum(part * part for part in vector)) or 1.0
                shift = _plus(shift, vector, setting / length)
            shift = _plus(shift, _vector(row, "offset"))
            name = row.get("depends_on")
        return rotation, shift

    def _panels(self, settings: dict[str, float]) -> list[dict[str, Any]]:
        """All panels, each from the rows of its array or section."""
        groups: dict[tuple[str, str | None], Rows] = {}
        for row in self.tables.get("array_structure_list", []):
            if row.get("axis_set_id"):
                groups.setdefault((row.get("array_id") or "1", row.get("array_section_id")), []).append(row)
        sets = {
            row.get("axis_set_id") or row.get("axis_id") or "": row
            for row in self.tables.get("array_structure_list_axis", [])
        }
        return [self._panel(key, rows, sets, settings) for key, rows in groups.items()]

    def _panel(
        self, key: tuple[str, str | None], rows: Rows, sets: dict[str, dict], settings: dict[str, float]
    ) -> dict[str, Any]:
        """One panel from its two directions."""
        ordered = sorted(rows, key=lambda row: _number(row, "precedence") or 0.0)[:2]
        if len(ordered) < 2:
            raise GeometryError(f"array {key[0]} has no two directions with axes")
        surfaces = [sets.get(row.get("axis_set_id") or "", {}) for row in ordered]
        names = [surface.get("axis_id") or "" for surface in surfaces]
        steps = [_number(surface, "displacement_increment") or 0.0 for surface in surfaces]
        own = {name: _number(surface, "displacement") or 0.0 for name, surface in zip(names, surfaces)}
        at_first = {**settings, **own}
        inner = names[0] if names[1] in self._chain(names[0]) else names[1]
        _, origin = self._placed(inner, at_first)
        units = []
        for name, step in zip(names, steps):
            rotation, _ = self._placed(name, at_first)
            vector = _vector(self.axes[name], "vector")
            length = math.sqrt(sum(part * part for part in vector)) or 1.0
            sign = math.copysign(1.0 / length, step)
            x, y, z = _turn(rotation, vector)
            units.append((sign * x, sign * y, sign * z))
        corner = origin
        for direction, step in zip(units, steps):
            corner = _plus(corner, direction, -0.5 * abs(step))
        return {
            "id": key[1] or key[0],
            "array_id": key[0],
            "section_id": key[1],
            "size": [int(_number(row, "dimension") or 0) for row in ordered],
            "pixel_size": [abs(step) for step in steps],
            "origin": list(origin),
            "corner": list(corner),
            "fast": list(units[0]),
            "slow": list(units[1]),
        }

    def _chain(self, axis: str) -> list[str]:
        """An axis and all on which it depends."""
        chain: list[str] = []
        name: str | None = axis
        while name and name not in chain and name in self.axes:
            chain.append(name)
            name = self.axes[name].get("depends_on")
        return chain

    def _images(self) -> dict[tuple[str | None, str, str | None], str]:
        """The id of the external data of each frame, array and section; the section is None where none is named."""
        data = {
            (row.get("array_id") or "1", row.get("binary_id") or "1"): row.get("external_data_id") or "1"
            for row in self.tables.get("array_data", [])
        }
        found = {}
        for row in self.tables.get("diffrn_data_frame", []):
            array = row.get("array_id") or "1"
            key = data.get((array, row.get("binary_id") or "1"))
            if key is not None:
                found[row.get("id"), array, row.get("array_section_id")] = key
        return found

    def _external_of(
        self, panel: dict[str, Any], frames: Rows, images: dict[tuple[str | None, str, str | None], str]
    ) -> list[dict[str, Any] | None]:
        """Where the image of each frame lies that holds a panel; None for frames that have none of it."""
        files = {row.get("id") or "1": row for row in self.tables.get("array_data_external_data", [])}
        found: list[dict[str, Any] | None] = []
        for row in frames:
            frame, array = row.get("frame_id"), panel["array_id"]
            key = images.get((frame, array, panel["section_id"])) or images.get((frame, array, None))
            entry = files.get(key or "")
            found.append(
                None if entry is None else {name: value for name, value in entry.items() if value and name != "id"}
            )
        return found

    def _external(self, frames: Rows) -> list[dict[str, Any]]:
        """Where the image of each frame lies, one row a frame; the first where several elements share it."""
        data = {
            (row.get("array_id") or "1", row.get("binary_id") or "1"): row.get("external_data_id") or "1"
            for row in self.tables.get("array_data", [])
        }
        files = {row.get("id") or "1": row for row in self.tables.get("array_data_external_data", [])}
        of_frame: dict[str | None, str | None] = {}
        for row in self.tables.get("diffrn_data_frame", []):
            of_frame.setdefault(row.get("id"), data.get((row.get("array_id") or "1", row.get("binary_id") or "1")))
        found = []
        for row in frames:
            entry = files.get(of_frame.get(row.get("frame_id")) or "", {})
            found.append({name: value for name, value in entry.items() if value is not None and name != "id"})
        return found
