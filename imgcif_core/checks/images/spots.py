"""A rule about the whole geometry: whether the spots of sampled frames lie on one lattice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.images.survey import Survey, Surveyed
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.cif.document import Place
from imgcif_core.model.axes import Axes
from imgcif_core.model.beam import Beam
from imgcif_core.model.detector import Detector, Panel, Poses, Posture
from imgcif_core.model.scans import Scan, Scans
from imgcif_core.model.sections import list_sections
from imgcif_core.records import dataclass
from imgcif_core.spots.cell import KnownCell, known_cell
from imgcif_core.spots.finder import NO_SPOTS, Spots
from imgcif_core.spots.geometry import Face, Sample, Shot, Turn, face_of
from imgcif_core.spots.verdict import BETTER, TOO_FEW, UNDECIDED, judge
from imgcif_core.tables import Tables


@dataclass(frozen=True, slots=True)
class SpotFrames:
    """The frames of a block with their spots, the row of the first, and the cell that the block gives."""

    sample: Sample
    place: Place
    cell: KnownCell | None


@provider("spot_frames")
def spot_frames(survey: Survey, detector: Detector, scans: Scans, beam: Beam, axes: Axes, tables: Tables) -> SpotFrames:
    """The frames of the sample with their spots; why there are none otherwise."""
    if not beam.wavelength > 0:
        raise NotChecked("the wavelength is not given")
    frames: dict[tuple[str, int], list[Surveyed]] = {}
    for image in survey.images:
        if image.spots is not None:
            frames.setdefault((image.frame.scan_id, image.frame.position), []).append(image)
    builder = _Shots(detector, axes, beam, tables)
    shots, place = [], None
    for (scan_id, position), images in frames.items():
        scan = next((scan for scan in scans if scan.id == scan_id), None)
        scan = next(iter(scans)) if scan is None and len(scans) == 1 else scan
        if scan is None or position >= scan.count:
            continue
        shot = builder.shot(scan, position, images)
        if shot is not None:
            shots.append(shot)
            place = place or images[0].place
    if not shots or place is None:
        raise NotApplicable("no frame of flat panels as large as described")
    return SpotFrames(Sample(tuple(shots)), place, known_cell(tables))


class _Shots:
    """Builds frames with the instrument of one block."""

    def __init__(self, detector: Detector, axes: Axes, beam: Beam, tables: Tables) -> None:
        self._detector, self._axes, self._beam = detector, axes, beam
        self._sections = list_sections(tables)
        from imgcif_core.sources.imgcif import goniometer_rows

        rows = goniometer_rows(tables, axes)
        leaf = max(rows, key=lambda row: len(axes.chain(row))) if rows else -1
        self._route = list(reversed(axes.route(leaf))) if rows else []

    def shot(self, scan: Scan, position: int, images: list[Surveyed]) -> Shot | None:
        """One frame; None if no image of it is as large as its panels."""
        spots = [self._of_panel(panel, images) for panel in self._detector.flat]
        pairs = [
            (face, own)
            for face, own in zip(self._faces(scan, position), spots, strict=True)
            if own is not None and np.isfinite([*face.origin, *face.fast, *face.slow]).all()
        ]
        if not pairs:
            return None
        return Shot(
            images[0].label,
            scan.id,
            self._turns(scan, position),
            tuple(face for face, _ in pairs),
            tuple(own for _, own in pairs),
            self._beam.wavelength,
            self._beam.direction,
        )

    def _turns(self, scan: Scan, position: int) -> tuple[Turn, ...]:
        """The circles of the goniometer in the middle of a frame."""
        index, found = np.array([position]), []
        for row, added in self._route:
            if self._axes.kind[row] != "rotation" or not self._axes.direction[row].any():
                continue
            width = float(scan.increments(row, index)[0])
            angle = float(scan.settings(row, index)[0]) + 0.5 * width + (added if added == added else 0.0)
            found.append(Turn(self._axes.id[row], self._axes.direction[row], angle, width))
        return tuple(found)

    def _faces(self, scan: Scan, position: int) -> list[Face]:
        """Where the panels lie, with the rotations of the detector as set, at zero, and reversed."""
        settings = self._detector.settings(scan, np.array([position]))
        poses: list[Poses] = []
        for sign in (0.0, 1.0, -1.0):
            own = {
                row: value * (sign if self._axes.kind[row] == "rotation" else 1.0) for row, value in settings.items()
            }
            poses.append(self._detector.faces.place(Posture(self._axes, own, 1)))
        return [face_of(*three) for three in zip(*poses, strict=True)]

    def _of_panel(self, panel: Panel, images: list[Surveyed]) -> Spots | None:
        """The spots of one panel, in its own pixels; None if its image was not read or has another size."""
        image = next((image for image in images if image.array.array_id.casefold() == panel.array_id.casefold()), None)
        if image is None or image.spots is None or len(image.facts.shape) != 2:
            return None
        slow, fast = image.facts.shape
        if panel.section_id is None or image.frame.section_id is not None:
            return image.spots if (fast, slow) == panel.size else None
        ranges = self._sections.get(panel.section_id, ("", {}))[1]
        if any(entry.stride != 1 for entry in ranges.values()):
            return None
        begin = [
            (ranges[part.index].start or 1) - 1 if part.index in ranges else 0 for part in (panel.fast, panel.slow)
        ]
        along, down = image.spots.fast - begin[0], image.spots.slow - begin[1]
        inside = (along > -0.5) & (down > -0.5) & (along < panel.size[0] - 0.5) & (down < panel.size[1] - 0.5)
        if begin[0] + panel.size[0] > fast or begin[1] + panel.size[1] > slow:
            return None
        own = image.spots.part(inside)
        return Spots(along[inside], down[inside], own.counts, own.pixels) if len(own) else NO_SPOTS


@rule(
    "IMG009",
    "spots-and-geometry",
    severity="warning",
    source="_axis.vector[1]",
    message="spots of {frames} frames fit better to another reading of the geometry: {readings} - {found} of {spots} "
    "spots lie on one lattice then, {stated} as written",
)
def spots_and_geometry(spot_frames: SpotFrames) -> Iterator[Problem]:
    """What: The strong spots of several frames lie on one lattice under a usual mistake, but not as the axes say.
    Why: Programs that take the axes as they are written will not index these data.
    How to fix: Look at `imgcif spots FILE`, correct the axis, direction or position that it names, and run it again.
    Source: Dictionary imgCIF, _axis.vector[1], as one component of the vectors that place each pixel.
    """
    if len(spot_frames.sample.shots) < 2:
        raise NotApplicable("one frame alone: spots tell of the geometry by appearing on several")
    test = judge(spot_frames.sample, spot_frames.cell)
    if test.verdict in (TOO_FEW, UNDECIDED):
        raise NotChecked(f"{test.verdict}: {test.reason}")
    best, written = test.best, test.written
    if test.verdict == BETTER and best is not None and written is not None:
        yield Problem(
            spot_frames.place,
            frames=len(test.sample.shots),
            readings=test.named(),
            found=best.fit.indexed,
            spots=test.sample.count,
            stated=written.fit.indexed,
        )
