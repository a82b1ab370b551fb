"""Spots against a known cell: where its vectors may lie, and spacings for frames without an orientation."""

from collections.abc import Sequence

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.records import dataclass
from imgcif_core.spots.geometry import Reading, Sample
from imgcif_core.tables import Tables

_EDGES = ("length_a", "length_b", "length_c")
_ANGLES = ("angle_alpha", "angle_beta", "angle_gamma")
# Spots that decide on directions, and directions that are kept for each edge.
MOST, KEPT = 150, 24
# Cosines of angles between edges agree within this.
ANGLE = 0.035
# Lines of d-spacings closer than they can be told tell nothing: share of 1/d that may be covered.
COVERED = 0.5
# Pixels within which a spot lies on a line.
ON_LINE = 1.0


@dataclass(frozen=True, slots=True)
class KnownCell:
    """A cell in ångström and degrees with its space group, P 1 where none is given."""

    parameters: tuple[float, ...]
    group: str = "P 1"

    def starts(self, sample: Sample, reading: Reading) -> list[np.ndarray]:
        """Lattices with this cell that explain the spots under one reading: vectors in rows."""
        mapped = sample.mapped(reading)
        q = mapped.q[:: max(1, len(mapped.q) // MOST)]
        return orientations(self.vectors(), q)

    def vectors(self) -> np.ndarray:
        """Edges of the primitive cell in rows, ångström, in some orientation."""
        import gemmi

        group = gemmi.find_spacegroup_by_name(self.group)
        cell = gemmi.UnitCell(*self.parameters)
        whole = np.array(cell.orth.mat.tolist()).T
        symbol = group.centring_type() if group is not None else "P"
        return _primitive(whole, symbol)

    def inverse_spacings(self, smallest: float) -> np.ndarray:
        """Distinct 1/d of the reflections that the space group allows, down to a d in ångström: sorted."""
        import gemmi

        group = gemmi.find_spacegroup_by_name(self.group) or gemmi.SpaceGroup("P 1")
        cell = gemmi.UnitCell(*self.parameters)
        indices = gemmi.make_miller_array(cell, group, smallest, 0.0, True)
        return np.unique(np.round(np.sqrt(cell.calculate_1_d2_array(indices)), 7))


# Centred cells as primitive ones: rows in parts of the edges.
_CENTRED = {
    "A": ((1, 0, 0), (0, 1, 0), (0, 0.5, 0.5)),
    "B": ((1, 0, 0), (0, 1, 0), (0.5, 0, 0.5)),
    "C": ((1, 0, 0), (0.5, 0.5, 0), (0, 0, 1)),
    "I": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
    "F": ((0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    "R": ((2 / 3, 1 / 3, 1 / 3), (-1 / 3, 1 / 3, 1 / 3), (-1 / 3, -2 / 3, 1 / 3)),
}


def _primitive(whole: Floats, symbol: str) -> Floats:
    """The primitive cell of a centred one: edges in rows."""
    return np.array(_CENTRED.get(symbol, np.eye(3))) @ whole


def known_cell(tables: Tables) -> KnownCell | None:
    """The cell that a block gives, None where it gives none that is whole."""
    table = tables.table("cell")
    if not table:
        return None
    values = [float(table.numbers(name)[0]) if table.has(name) else np.nan for name in (*_EDGES, *_ANGLES)]
    if not np.isfinite(values).all() or min(values[:3]) <= 0 or min(values[3:]) <= 0:
        return None
    groups = tables.table("space_group")
    name = next(
        (groups.text(item) for item in ("name_h-m_full", "name_h-m_alt", "name_h-m_ref") if groups.text(item)), None
    )
    return KnownCell(tuple(values), name or "P 1")


def directions(spacing: float) -> np.ndarray:
    """Unit vectors over a half sphere, some spacing in radians apart: (n, 3)."""
    count = int(2.0 * np.pi / spacing**2)
    height = (np.arange(count) + 0.5) / count
    angle = np.pi * (1.0 + 5.0**0.5) * np.arange(count)
    flat = np.sqrt(1.0 - height**2)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), height], axis=1)


def orientations(vectors: np.ndarray, q: np.ndarray, most: int = 3) -> list[np.ndarray]:
    """How a cell (edges in rows) may lie so that positions q (n, 3) have whole indices, best first.

    For each edge the directions are tried over the sphere; three that enclose the angles of the cell are one
    orientation.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    top = float(np.linalg.norm(q, axis=1).max())
    # Large indices need directions closer together: lower resolution bears them.
    near = q[np.linalg.norm(q, axis=1) <= min(top, 14.0 / lengths.max())]
    near = near if len(near) >= 12 else q
    spread = float(np.linalg.norm(near, axis=1).max())
    edges = [_directions_of(length, near, max(0.25 / (length * spread), 0.012)) for length in lengths]
    cosines = (vectors @ vectors.T) / np.outer(lengths, lengths)
    found = []
    for first in np.concatenate([edges[0], -edges[0]]):
        seconds = np.concatenate([edges[1], -edges[1]])
        seconds = seconds[np.abs(seconds @ first - cosines[0, 1]) < 2 * ANGLE]
        thirds = np.concatenate([edges[2], -edges[2]])
        thirds = thirds[np.abs(thirds @ first - cosines[0, 2]) < 2 * ANGLE]
        close = np.abs(seconds @ thirds.T - cosines[1, 2]) < 2 * ANGLE
        for row, column in np.argwhere(close).tolist():
            found.append(np.stack([first, seconds[row], thirds[column]]) * lengths[:, None])
    if not found:
        return []
    cells = np.array(found)
    indices = cells @ near.T
    off = np.sum((indices - np.round(indices)) ** 2, axis=1)
    hits = np.count_nonzero(off < 0.09, axis=1)
    return [cells[index] for index in np.argsort(-hits, kind="stable")[:most]]


def _directions_of(length: float, q: np.ndarray, spacing: float) -> np.ndarray:
    """Directions of a vector of one length with which the most positions have whole products: (m, 3)."""
    grid = directions(spacing)
    heights = np.cos(2.0 * np.pi * length * (grid.astype(np.float32) @ q.T.astype(np.float32))).sum(axis=1)
    order = np.argsort(-heights, kind="stable")[: 12 * KEPT]
    kept: list[np.ndarray] = []
    for index in order.tolist():
        if len(kept) >= KEPT:
            break
        if all(abs(float(grid[index] @ other)) < np.cos(2.5 * spacing) for other in kept):
            kept.append(grid[index])
    return np.array(kept)


@dataclass(frozen=True, slots=True)
class Spacings:
    """How many spots of a frame lie on lines of the cell, and how many would by chance; why not, if not."""

    label: str
    spots: int
    on_line: int
    expected: float
    fault: str = ""


def spacings(sample: Sample, cell: KnownCell, reading: Reading) -> list[Spacings]:
    """Spots of each frame by their 1/d alone, for stills of crystals in any orientation."""
    mapped = sample.mapped(reading)
    length = np.linalg.norm(mapped.q, axis=1)
    lines = cell.inverse_spacings(1.0 / (float(length.max()) * 1.05))
    along = np.abs(np.einsum("ni,nik->nk", mapped.q / np.maximum(length, 1e-12)[:, None], mapped.by_shift)).max(axis=1)
    found = []
    for index, shot in enumerate(sample.shots):
        own = mapped.shot == index
        width = ON_LINE * float(np.median(along[own])) if own.any() else 0.0
        found.append(_on_lines(shot.label, length[own], lines, width))
    return found


def _on_lines(label: str, inverse: np.ndarray, lines: Sequence[float] | np.ndarray, width: float) -> Spacings:
    """The spots of one frame on lines of some width."""
    lines = np.asarray(lines)
    if not len(inverse) or not len(lines):
        return Spacings(label, len(inverse), 0, 0.0, "no spots or no lines")
    at = np.clip(np.searchsorted(lines, inverse), 1, len(lines) - 1) if len(lines) > 1 else np.zeros(len(inverse), int)
    off = np.minimum(np.abs(inverse - lines[at]), np.abs(inverse - lines[np.maximum(at - 1, 0)]))
    trial = np.linspace(float(inverse.min()), float(inverse.max()), 4000)
    place = np.clip(np.searchsorted(lines, trial), 1, len(lines) - 1) if len(lines) > 1 else np.zeros(4000, int)
    gap = np.minimum(np.abs(trial - lines[place]), np.abs(trial - lines[np.maximum(place - 1, 0)]))
    covered = float(np.mean(gap < width))
    hits = int(np.count_nonzero(off < width))
    fault = "lines of this cell lie too close to tell spots apart" if covered > COVERED else ""
    return Spacings(label, len(inverse), hits, covered * len(inverse), fault)
