"""The beam: direction to the source, gravity, wavelengths and probe."""

import numpy as np

from imgcif_core.model.axes import NO_PARENT, Axes
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

HC_KEV_ANGSTROM = 12.398419843320026


@dataclass(frozen=True, slots=True)
class Beam:
    """What a block says of its beam; immutable.

    source : (3,) unit vector from the sample to the source, (0, 0, 1) unless an axis says otherwise;
    gravity : (3,) unit vector down, None where not given; wavelengths : (n,) ångström as listed,
    nan where one cannot be read; `source_axis` and `gravity_axis` are rows of AXIS, -1 for none.
    """

    source: np.ndarray
    gravity: np.ndarray | None
    source_axis: int
    gravity_axis: int
    wavelengths: np.ndarray
    wavelength_ids: tuple[str | None, ...]
    probe: str | None

    @property
    def direction(self) -> np.ndarray:
        """Unit vector along which the beam travels: (3,)."""
        return -self.source

    @property
    def wavelength(self) -> float:
        """The first wavelength in ångström; nan where there is none."""
        return float(self.wavelengths[0]) if len(self.wavelengths) else float("nan")


def build_beam(tables: Tables, axes: Axes | None) -> Beam:
    """The beam of a block; the selected wavelength comes first."""
    source_axis, source = _auxiliary(axes, "source")
    gravity_axis, gravity = _auxiliary(axes, "gravity")
    table = tables.table("diffrn_radiation_wavelength")
    values = table.numbers("value") if table.has("value") else np.zeros(0)
    ids = tuple(table.texts("id"))
    chosen = tables.table("diffrn_radiation").text("wavelength_id")
    order = sorted(range(len(values)), key=lambda row: ids[row] != chosen) if chosen else list(range(len(values)))
    return Beam(
        source if source is not None else np.array([0.0, 0.0, 1.0]),
        gravity,
        source_axis,
        gravity_axis,
        values[order],
        tuple(ids[row] for row in order),
        tables.table("diffrn_radiation").text("probe"),
    )


def _auxiliary(axes: Axes | None, equipment: str) -> tuple[int, np.ndarray | None]:
    """Row and unit vector of the axis of an equipment without parent, -1 and None if there is none."""
    if axes is None:
        return -1, None
    for row, own in enumerate(axes.equipment):
        if own != equipment or axes.parent[row] != NO_PARENT:
            continue
        if not np.isnan(axes.vector[row]).any() and axes.direction[row].any():
            return row, unit(axes.direction[row])
    return -1, None
