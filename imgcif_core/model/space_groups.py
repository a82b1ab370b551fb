"""Space groups by name, number, Hall symbol and operations, and the cells that they allow.

gemmi knows the symmetry; it is imported when first asked, as most files name no space group.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.records import dataclass

if TYPE_CHECKING:
    import gemmi

# Symbols of settings are at most half as long; no space group has more operations.
MAX_SYMBOL = 80
MAX_OPERATIONS = 192
# A cell in which nothing is equal by chance.
_GENERIC = (5.1, 6.3, 7.7, 81.0, 86.0, 97.0)


@dataclass(frozen=True, slots=True)
class SpaceGroup:
    """A space group in one setting; `number` is 0 where the type of the operations is not tabulated.

    `rotations` are the parts of the operations without translation, (n, 3, 3) integers on fractional coordinates.
    """

    number: int
    name: str
    system: str
    rotations: np.ndarray

    def fitting_cell(self, cell: Sequence[float]) -> np.ndarray:
        """The cell of the symmetry that is nearest to a cell: (6,) lengths as given, angles in degrees.

        The metric tensor is averaged over the rotations, by which it stays the same (International Tables A, 9.1).
        """
        turned = np.swapaxes(self.rotations, 1, 2) @ metric_of(cell) @ self.rotations
        return cell_of(turned.mean(axis=0))

    def demands(self) -> str:
        """What the symmetry demands of a cell, in words such as `a = b, alpha = 90`; empty where it is nothing."""
        fitting = self.fitting_cell(_GENERIC)
        found = []
        for names, values in (("abc", fitting[:3]), (("alpha", "beta", "gamma"), fitting[3:])):
            said: dict[float, list[str]] = {}
            for name, value in zip(names, values.round(6).tolist(), strict=True):
                said.setdefault(value, []).append(name)
            for value, alike in said.items():
                fixed = [f"{value:g}"] if value in (90.0, 120.0) else []
                found += [" = ".join([*alike, *fixed])] if len(alike) + len(fixed) > 1 else []
        return ", ".join(found)

    def allows(self, cell: Sequence[float], length_share: float, angle_deg: float) -> bool:
        """True if a cell is as near to one of the symmetry as two tolerances say."""
        given, fitting = np.asarray(cell, dtype=float), self.fitting_cell(cell)
        lengths = np.abs(given[:3] - fitting[:3]) <= length_share * given[:3]
        return bool(lengths.all() and (np.abs(given[3:] - fitting[3:]) <= angle_deg).all())


def metric_of(cell: Sequence[float]) -> np.ndarray:
    """The metric tensor of a cell of lengths and angles in degrees: (3, 3)."""
    a, b, c = cell[:3]
    alpha, beta, gamma = np.cos(np.radians(np.asarray(cell[3:], dtype=float)))
    return np.array(
        [
            [a * a, a * b * gamma, a * c * beta],
            [a * b * gamma, b * b, b * c * alpha],
            [a * c * beta, b * c * alpha, c * c],
        ]
    )


def cell_of(metric: np.ndarray) -> np.ndarray:
    """Lengths and angles in degrees of a metric tensor: (6,)."""
    lengths = np.sqrt(np.diag(metric))
    pairs = ((1, 2), (0, 2), (0, 1))
    cosines = np.array([metric[i, j] / (lengths[i] * lengths[j]) for i, j in pairs])
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))])


def is_cell(cell: Sequence[float]) -> bool:
    """True if lengths and angles close to a body: finite, and of a volume that is not nothing."""
    values = np.asarray(cell, dtype=float)
    if not np.isfinite(values).all() or (values[:3] <= 0).any() or (values[:3] > 1e6).any():
        return False
    return bool(np.linalg.det(metric_of([1, 1, 1, *values[3:]])) > 1e-9)


def by_name(symbol: str) -> SpaceGroup | None:
    """The space group of a Hermann-Mauguin symbol in its setting; None for a symbol that is not tabulated."""
    import gemmi

    text = _plain(symbol)
    found = gemmi.find_spacegroup_by_name(text) if _is_symbol(text) and not text.isdecimal() else None
    return _of(found) if found else None


def by_number(number: int) -> SpaceGroup | None:
    """The space group of a number of International Tables in its reference setting."""
    import gemmi

    found = gemmi.find_spacegroup_by_number(number) if 1 <= number <= 230 else None
    return _of(found) if found else None


def by_hall(symbol: str) -> SpaceGroup | None:
    """The space group of a Hall symbol; None for a symbol that cannot be read."""
    import gemmi

    text = _plain(symbol)
    if not _is_symbol(text):
        return None
    try:
        operations = gemmi.symops_from_hall(text)
    except (RuntimeError, ValueError):
        return None
    return _of_operations(operations, symbol)


def by_operations(triplets: Iterable[str]) -> SpaceGroup | None:
    """The space group of all its operations as triplets; None where they form no tabulated group."""
    import gemmi

    try:
        operations = gemmi.GroupOps([gemmi.Op(text) for text in triplets])
    except (RuntimeError, ValueError):
        return None
    found = gemmi.find_spacegroup_by_ops(operations)
    return _of(found) if found else None


def settings(number: int) -> list[SpaceGroup]:
    """All tabulated settings of the type of a number."""
    import gemmi

    return [_of(entry) for entry in gemmi.spacegroup_table() if entry.number == number]


def _of(found: "gemmi.SpaceGroup") -> SpaceGroup:
    """A tabulated space group."""
    return SpaceGroup(found.number, found.xhm(), found.crystal_system_str(), _rotations(found.operations()))


def _of_operations(operations: "gemmi.GroupOps", name: str) -> SpaceGroup:
    """The space group of operations, which need not stand in the table of settings."""
    import gemmi

    found = gemmi.find_spacegroup_by_ops(operations)
    return _of(found) if found else SpaceGroup(0, name, "", _rotations(operations))


def _rotations(operations: "gemmi.GroupOps") -> np.ndarray:
    """The rotations of operations: (n, 3, 3) integers."""
    import gemmi

    return np.array([operation.rot for operation in operations.sym_ops]) // gemmi.Op.DEN


def _plain(symbol: str) -> str:
    """A symbol with blanks between its parts, as the older underscores stood for them."""
    # An underscore also marks a subscript (2_1), and is no part of a symbol in either use.
    joined = re.sub(r"(?<=\d)_(?=\d)", "", symbol)
    return re.sub(r"[_\s]+", " ", joined).strip()


def _is_symbol(text: str) -> bool:
    """True for a short text of printable ASCII."""
    return 0 < len(text) <= MAX_SYMBOL and text.isascii() and text.isprintable()
