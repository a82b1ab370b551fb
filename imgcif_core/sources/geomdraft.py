"""What a CrystFEL geometry and its data files say, before a person has filled the gaps."""

from collections.abc import Mapping

import numpy as np

from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import (
    BeamFacts,
    Experiment,
    ImageFiles,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.statements import Statement

KIND = "crystfel"
_TO_OURS = np.array([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class FrameData:
    """Frames in data files; wavelengths : (frames,) ångström or None, distance : mm or None."""

    images: ImageFiles
    wavelengths: np.ndarray | None
    distance: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GeomPanel:
    """One panel as the file has it: pixels, and lengths in mm as far as they are numbers.

    clen is a number in mm or the path of one in the data; dims : entries of the dimensions, slowest
    first.
    """

    name: str
    first: tuple[int, int]
    size: tuple[int, int]
    corner: tuple[float, float]
    fast: np.ndarray
    slow: np.ndarray
    res: float
    clen: float | str | None
    coffset: float
    data: str | None
    dims: tuple[str, ...]
    saturation: float | None
    gain: float | None
    group: tuple[str, ...]


@dataclass(frozen=True)
class GeomDraft(Incomplete):
    """A geometry file, with the data files to which it was applied; wavelength in ångström.

    distance : mm from the sample to the first panel, where a person or the data give it.
    """

    path: str
    panels: tuple[GeomPanel, ...]
    data: FrameData | None = None
    distance: float | None = None
    wavelength: float | None = None
    wavelengths: np.ndarray | None = None
    probe: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: str = KIND
    statements: tuple[Statement, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """Distance and wavelength, where neither file nor data give them; a bare geometry needs no wavelength."""
        lengths = [panel.clen for panel in self.panels]
        found = [] if self.distance is not None or all(isinstance(one, float) for one in lengths) else ["distance"]
        if self.data is not None and self.wavelength is None:
            found.append("wavelength")
        return tuple(found)

    def experiment(self) -> Experiment:
        """The whole description; `InputError` where facts are missing."""
        self.refuse_gaps()
        frames = 0 if self.data is None else len(self.data.images)
        images = None if self.data is None else self.data.images
        panels = tuple(self._panel(panel) for panel in self.panels)
        scan = ScanFacts("SCAN1", frames, {}, panels, images, wavelength=self.wavelength)
        known = dict(self.provenance)
        known.setdefault("panels", Provenance(Origin.FILE, self.path))
        if "wavelength" in known:
            known["beam.wavelength"] = known["wavelength"]
        beam = BeamFacts(np.array([0.0, 0.0, 1.0]), self.wavelength, self.wavelengths, self.probe)
        gravity = np.array([0.0, -1.0, 0.0])
        return Experiment(
            self.path,
            KIND,
            beam,
            (),
            (scan,),
            (),
            self.facts,
            known,
            self.notes,
            gravity,
            statements=self.statements,
        )

    def _panel(self, panel: GeomPanel) -> PanelFacts:
        """One panel in a frame with z towards the source."""
        pixel = 1e3 / panel.res
        if self.distance is not None:
            along = self.distance + panel.coffset - self.panels[0].coffset
        else:
            along = panel.coffset + (panel.clen if isinstance(panel.clen, float) else 0.0)
        corner = np.array([panel.corner[0] * pixel, panel.corner[1] * pixel, along])
        index = tuple(int(entry) for entry in reversed(panel.dims) if entry.isdigit())
        # CrystFEL lets fs and ss have any length: it is part of the step from pixel to pixel.
        steps = float(np.linalg.norm(panel.fast)) * pixel, float(np.linalg.norm(panel.slow)) * pixel
        return PanelFacts(
            panel.name,
            panel.size,
            (_plain(steps[0], pixel), _plain(steps[1], pixel)),
            _TO_OURS * corner,
            unit(_TO_OURS * panel.fast),
            unit(_TO_OURS * panel.slow),
            panel.first,
            panel.group,
            overload=panel.saturation,
            gain=panel.gain,
            raw_index=index,
        )


def _plain(step: float, pixel: float) -> float:
    """The pixel size itself where the directions are unit vectors as printed."""
    return pixel if abs(step - pixel) < 2e-6 * pixel else step
