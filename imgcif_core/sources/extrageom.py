"""Geometries of EXtra-geom, for the detectors of the European XFEL; the package reads its own files.

Its frame is that of CrystFEL. The stored array has one more dimension than an image: the module.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.geomdraft import GeomDraft, GeomPanel

KIND = "extra-geom"
# Read from a file with the positions of the quadrants apart: only LPD has rectangular pixels among these.
_DETECTOR = "LPD_1M"


@dataclass(frozen=True)
class QuadrantDraft(Incomplete):
    """A file with the places of modules in their quadrants, which a person has to place.

    quadrants : x and y of each, in mm; distance in mm, wavelength in ångström.
    """

    path: str
    quadrants: tuple[tuple[float, float], ...] | None = None
    distance: float | None = None
    wavelength: float | None = None
    probe: str | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: {"detector": "LPD 1M", "facility": "European XFEL"})
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: str = KIND

    def missing(self) -> tuple[str, ...]:
        """Quadrants and distance, where nobody has told them."""
        return tuple(name for name in ("quadrants", "distance") if getattr(self, name) is None)

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where facts are missing or EXtra-geom refuses the file."""
        self.refuse_gaps()
        geometry = _load(self.path, self.quadrants or ())
        return from_extra_geom(geometry, self.distance or 0.0, self.wavelength, self.path, self.facts).experiment()


def _load(path: str, quadrants: tuple[tuple[float, float], ...]) -> Any:
    """The geometry object of the package."""
    try:
        import extra_geom
    except ImportError:
        raise InputError(f"{path}: reading this geometry needs EXtra-geom: pip install EXtra-geom") from None
    if len(quadrants) != 4:
        raise InputError(f"{path}: {len(quadrants)} quadrants given, the detector has 4")
    try:
        return extra_geom.LPD_1MGeometry.from_h5_file_and_quad_positions(path, list(quadrants))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: EXtra-geom cannot read it ({error})") from None


def from_extra_geom(
    geometry: Any,
    distance: float,
    wavelength: float | None = None,
    name: str = "extra-geom",
    facts: Mapping[str, str] | None = None,
) -> GeomDraft:
    """What a geometry object of EXtra-geom describes.

    Parameters
    ----------
    geometry :
        An object such as `extra_geom.AGIPD_1MGeometry`.
    distance :
        From the sample to where the object has z = 0, in mm.

    Raises
    ------
    InputError
        If the pixels of the detector are no rectangles.
    """
    if str(geometry.detector_type_name).startswith("DSSC"):
        raise InputError(
            f"{name}: the pixels of {geometry.detector_type_name} are hexagons, which imgCIF does not place"
        )
    panels: list[GeomPanel] = []
    for module, tiles in enumerate(geometry.modules):
        places = _tile_places(geometry, tuple(geometry.expected_data_shape[-2:]))
        for number, (tile, (fast, slow)) in enumerate(zip(tiles, places, strict=True)):
            panels.append(_panel(geometry, tile, module, number, (fast, slow), distance))
    source = Provenance(Origin.FILE, name, str(geometry.detector_type_name))
    known = facts if facts is not None else {"detector": str(geometry.detector_type_name)}
    provenance = {"panels": source, "facts": source}
    return GeomDraft(name, tuple(panels), wavelength=wavelength, facts=known, provenance=provenance)


def _tile_places(geometry: Any, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """The first pixel of each tile in the array of a module, along fast and slow."""
    counted = np.arange(shape[0] * shape[1]).reshape(shape)
    firsts = [int(np.asarray(tile).ravel()[0]) for tile in geometry.split_tiles(counted)]
    return [(first % shape[1], first // shape[1]) for first in firsts]


def _panel(geometry: Any, tile: Any, module: int, number: int, place: tuple[int, int], distance: float) -> GeomPanel:
    """One tile; the package counts in metres, and its vectors reach from pixel to pixel."""
    pixel = float(geometry.pixel_size)
    corner = np.asarray(tile.corner_pos, dtype=float)
    return GeomPanel(
        f"m{module}t{number}",
        place,
        (int(tile.fs_pixels), int(tile.ss_pixels)),
        (float(corner[0] / pixel), float(corner[1] / pixel)),
        np.asarray(tile.fs_vec, dtype=float) / pixel,
        np.asarray(tile.ss_vec, dtype=float) / pixel,
        1.0 / pixel,
        distance,
        1e3 * float(corner[2]),
        None,
        ("%", str(module), "ss", "fs"),
        None,
        None,
        (f"m{module}",),
    )
