"""Two descriptions of one experiment held against each other in numbers.

The first is that of the file in question, the second that of a source; the frame of the second is
turned about the beam where that brings the two together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.model.vectors import angle_between, angle_difference, rotation_matrices, unit
from imgcif_core.records import cached_property, dataclass
from imgcif_core.sources.description import AxisFacts, Experiment, Origin, PanelFacts, ScanFacts
from imgcif_core.sources.stills import merge_stills, with_mean_wavelength

_Z = np.array([0.0, 0.0, 1.0])
# Share of a pixel by which a shift may miss one half and still be the half pixel of two readings.
_HALF_PIXEL = 0.02
# Headers print steps with few digits, and angles with fewer than their sum would need.
_SAME_STEP, _OFF_STEP = 1e-3, 0.02


@dataclass(frozen=True, slots=True)
class PanelPair:
    """One panel in both descriptions, in the frame of the first.

    deviation : (4,) mm, of the outer corners; shift : (2,) pixels along fast and slow, of the first.
    """

    name: str
    source_name: str
    deviation: np.ndarray
    shift: np.ndarray
    size: tuple[int, int]
    source_size: tuple[int, int]
    pixel_size: tuple[float, float]
    source_pixel_size: tuple[float, float]

    @property
    def worst(self) -> float:
        """Largest deviation of a corner in mm."""
        return float(self.deviation.max())

    @property
    def worst_pixels(self) -> float:
        """Largest deviation of a corner in pixels."""
        return self.worst / min(self.source_pixel_size)

    @property
    def is_half_pixel(self) -> bool:
        """True if one reading takes the centre of the first pixel for what the other calls its corner."""
        return bool(
            (np.abs(np.abs(self.shift) - 0.5) < _HALF_PIXEL).all()
            and abs(self.worst_pixels - np.linalg.norm(self.shift)) < _HALF_PIXEL
        )


@dataclass(frozen=True, slots=True)
class AxisPair:
    """One goniometer axis in both: angle between the directions, and whether the senses are opposite."""

    name: str
    source_name: str
    angle: float
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class ScanPair:
    """One scan in both; indices into the two descriptions.

    axis_angle : degrees between the rotations in the laboratory, nan for stills; the differences of
    start and increment, in degrees, are those of the scanned axis, nan where nothing can be compared.
    """

    index: int
    source_index: int
    frames: tuple[int, int]
    panels: tuple[PanelPair, ...]
    axis_angle: float
    start: tuple[float, float]
    increment: tuple[float, float]
    settings: tuple[tuple[str, float, float], ...]
    wavelength: tuple[float, float]

    @property
    def worst(self) -> PanelPair | None:
        """The panel that is furthest off."""
        return max(self.panels, key=lambda pair: pair.worst, default=None)


def share_of(name: str, descriptions: Mapping[str, Experiment], source: Experiment) -> Experiment:
    """The scans of a source that belong to one of several blocks: by wavelength, else by place of the detector.

    The whole source where there is one block, or where no scan belongs to this one.
    """
    if len(descriptions) < 2 or len(source.scans) < 2:
        return source
    places = {key: _place_of(described, described.scans) for key, described in descriptions.items()}
    tied: dict[tuple[str, ...], list[ScanFacts]] = {}
    for scan in source.scans:
        own = _place_of(source, [scan])
        away = {key: _away(place, own) for key, place in places.items()}
        tied.setdefault(tuple(key for key in places if away[key] == min(away.values())), []).append(scan)
    chosen = []
    for keys, scans in tied.items():
        # Blocks that differ in nothing else, as those of memory cells, share the scans in their order.
        chosen += [scan for rank, scan in enumerate(scans) if keys[rank * len(keys) // len(scans)] == name]
    return replace(source, scans=tuple(chosen)) if chosen else source


def _place_of(experiment: Experiment, scans: Sequence[ScanFacts]) -> tuple[float, np.ndarray]:
    """Wavelength in angstrom, and how far first corners lie from the sample: (n,) mm, in any frame the same."""
    wavelength = scans[0].wavelength or experiment.beam.wavelength or 0.0
    panels = {id(scan.panels): scan.panels for scan in scans if scan.panels}
    return wavelength, np.array([float(np.linalg.norm(found[0].corner)) for found in panels.values()] or [0.0])


def _away(one: tuple[float, np.ndarray], other: tuple[float, np.ndarray]) -> tuple[float, float]:
    """How far apart two places are: wavelength first, to 1e-5, then mm."""
    return round(abs(one[0] - other[0]), 5), round(float(np.abs(one[1] - other[1][0]).min()), 2)


def _as_many(described: Experiment, source: Experiment) -> Experiment:
    """The source with its stills gathered as far as the file has fewer scans."""
    if len(described.scans) >= len(source.scans):
        return source
    source = with_mean_wavelength(source)
    merged = tuple(merge_stills(source.scans))
    return replace(source, scans=merged) if len(merged) < len(source.scans) else source


class Comparison:
    """How a description differs from a source; everything is worked out once.

    `is_sample` says that one of the two holds only some images of a series, so that frames may be any of it.
    """

    def __init__(self, described: Experiment, source: Experiment, *, is_sample: bool = False) -> None:
        self.described, self.source, self.is_sample = described, _as_many(described, source), is_sample
        self._panels: dict[tuple[int, int], tuple[PanelPair, ...]] = {}

    @property
    def panels_are_derived(self) -> bool:
        """True if the source gives only distance and beam centre, not the pose of the detector."""
        known = self.source.provenance.get("panels")
        return known is not None and known.origin == Origin.DERIVED

    def is_told(self, name: str) -> bool:
        """True if the source gives a fact, False if a stand-in fills its place."""
        known = self.source.provenance.get(name)
        return known is None or known.origin != Origin.DEFAULT

    @cached_property
    def rotation(self) -> np.ndarray:
        """The turn about the beam from the frame of the source to that of the file: (3, 3)."""
        return min(self._candidates(), key=self._misfit)

    @cached_property
    def turn(self) -> float:
        """The angle of that turn in degrees, -180 to 180; for a general rotation its size."""
        rotation = self.rotation
        if abs(rotation[2, 2] - 1.0) < 1e-9:
            return float(np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0])))
        return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1.0) / 2.0, -1.0, 1.0))))

    def _candidates(self) -> Iterator[np.ndarray]:
        """Turns that may bring the frames together; the identity is the first."""
        yield np.eye(3)
        if np.abs(self.source.principal_rotation - np.eye(3)).max() > 1e-9:
            yield self.source.principal_rotation
        one, other = self.described.principal_axis, self.source.principal_axis
        if one is not None and other is not None:
            angle = np.arctan2(one[1], one[0]) - np.arctan2(other[1], other[0])
            yield rotation_matrices(_Z, np.degrees(angle))
            return
        first, second = self._first_corners()
        if len(first) == len(second):
            flat_first, flat_second = first[:, :2], second[:, :2]
            sine = (flat_second[:, 0] * flat_first[:, 1] - flat_second[:, 1] * flat_first[:, 0]).sum()
            yield rotation_matrices(_Z, np.degrees(np.arctan2(sine, (flat_first * flat_second).sum())))

    def _first_corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the panels of the first scan of both: (n, 3) each."""
        first, second = (
            np.concatenate([panel.corners() for panel in experiment.scans[0].panels])
            for experiment in (self.described, self.source)
        )
        return first, second

    def _misfit(self, rotation: np.ndarray) -> tuple[float, float]:
        """How badly a turn fits: the axes first, in whole degrees, then the best panels, in mm."""
        one, other = self.described.principal_axis, self.source.principal_axis
        axis = 0.0
        if one is not None and other is not None:
            angle = float(angle_between(one, rotation @ other))
            axis = float(round(min(angle, 180.0 - angle)))
        first, second = self._first_corners()
        if len(first) != len(second) or self.panels_are_derived:
            return axis, 0.0
        distances = np.linalg.norm(first - second @ rotation.T, axis=1)
        return axis, float(round(distances.min(), 3))

    @cached_property
    def axes(self) -> tuple[AxisPair, ...] | None:
        """The rotations of the goniometer from the base inwards; None where their numbers differ."""
        first, second = (
            [axis for axis in experiment.goniometer if axis.kind == "rotation"]
            for experiment in (self.described, self.source)
        )
        if len(first) != len(second):
            return None
        return tuple(self._axis_pair(one, other) for one, other in zip(first, second, strict=True))

    def _axis_pair(self, one: AxisFacts, other: AxisFacts) -> AxisPair:
        angle = float(angle_between(one.vector, self.rotation @ other.vector))
        return AxisPair(one.id, other.id, min(angle, 180.0 - angle), angle > 90.0)

    @cached_property
    def scans(self) -> tuple[ScanPair, ...]:
        """The scans that are the same in both, as far as can be told."""
        return tuple(self._scan_pair(one, other) for one, other in self._matches())

    def _matches(self) -> list[tuple[int, int]]:
        """Pairs of scans: in order where the numbers agree, else those that are most alike."""
        first, second = self.described.scans, self.source.scans
        if len(first) == len(second) or min(len(first), len(second)) > 500:
            return [(index, index) for index in range(min(len(first), len(second)))]
        unused = set(range(len(second)))
        found = []
        for index, scan in enumerate(first):
            if not unused:
                break
            best = min(sorted(unused), key=lambda other: self._unlikeness(scan, second[other]))
            unused.discard(best)
            found.append((index, best))
        return found

    def _unlikeness(self, one: ScanFacts, other: ScanFacts) -> float:
        """How little two scans have in common."""
        score = 10.0 * (one.frames != other.frames)
        for (start, step), (other_start, other_step) in zip(one.settings.values(), other.settings.values()):
            score += float(angle_difference(abs(start), abs(other_start))) / 10.0 + abs(abs(step) - abs(other_step))
        return score

    def _scan_pair(self, index: int, source_index: int) -> ScanPair:
        """One scan in both."""
        one, other = self.described.scans[index], self.source.scans[source_index]
        key = (id(one.panels), id(other.panels))
        if key not in self._panels:
            self._panels[key] = tuple(pair_panels(one.panels, other.panels, self.rotation))
        axis_angle, start, increment = self._sweep(one, other)
        return ScanPair(
            index,
            source_index,
            (one.frames, other.frames),
            self._panels[key],
            axis_angle,
            start,
            increment,
            tuple(self._settings(one, other)),
            (one.wavelength or np.nan, other.wavelength or np.nan),
        )

    def _sweep(self, one: ScanFacts, other: ScanFacts) -> tuple[float, tuple[float, float], tuple[float, float]]:
        """Angle between the rotations, and start and increment of both, the second in the first's sense."""
        first, second = moving_axis(self.described, one), moving_axis(self.source, other)
        if first is None or second is None:
            steps = [0.0 if moving is None else moving[2] for moving in (first, second)]
            return np.nan, (np.nan, np.nan), (steps[0], steps[1])
        (direction, start, step), (other_direction, other_start, other_step) = first, second
        angle = float(angle_between(direction, self.rotation @ other_direction))
        sense = -1.0 if angle > 90.0 else 1.0
        starts = (start, sense * other_start)
        if self.is_sample and _is_of_one_sweep(*starts, step, sense * other_step, one.frames, other.frames):
            starts = (start, start)
        return min(angle, 180.0 - angle), starts, (step, sense * other_step)

    def _settings(self, one: ScanFacts, other: ScanFacts) -> Iterator[tuple[str, float, float]]:
        """Name and both settings, in the sense of the first, of the rotations that stand still."""
        for pair in self.axes or ():
            start, step = one.settings.get(pair.name, (0.0, 0.0))
            other_start, other_step = other.settings.get(pair.source_name, (0.0, 0.0))
            if step == 0 and other_step == 0 and pair.name not in one.varying and pair.angle < 45.0:
                yield pair.name, start, -other_start if pair.is_reversed else other_start


def _is_of_one_sweep(start: float, other: float, step: float, other_step: float, frames: int, others: int) -> bool:
    """True if both begin at frames of one sweep, with steps that are the same and whole steps between them."""
    if step == 0 or abs(step - other_step) > _SAME_STEP * abs(step):
        return False
    away = np.array([other - start + turn for turn in (-360.0, 0.0, 360.0)]) / step
    is_whole = np.abs(away - np.round(away)) < _OFF_STEP
    # Of two single images either may be any one of the sweep; a longer one must hold the other.
    low, high = (-np.inf, np.inf) if max(frames, others) < 2 else (-(others - 0.5), frames - 0.5)
    return bool((is_whole & (away > low) & (away < high)).any())


def moving_axis(experiment: Experiment, scan: ScanFacts) -> tuple[np.ndarray, float, float] | None:
    """Direction in the laboratory at the start, setting and step of the rotation that a scan moves."""
    turned = np.eye(3)
    for axis in experiment.goniometer:
        start, step = scan.settings.get(axis.id, (0.0, 0.0))
        if axis.kind != "rotation":
            continue
        if step != 0:
            return turned @ unit(axis.vector), start, step
        turned = turned @ rotation_matrices(axis.vector, np.array(start))
    return None


def pair_panels(
    panels: Sequence[PanelFacts], source: Sequence[PanelFacts], rotation: np.ndarray
) -> Iterator[PanelPair]:
    """The panels of both in pairs: in order, or each with the nearest where the orders differ."""
    turned = [panel.turned(rotation) for panel in source]
    order = list(range(min(len(panels), len(turned))))
    if len(panels) > 1 and len(turned) > 1:
        centres, others = (np.array([panel.corners().mean(axis=0) for panel in group]) for group in (panels, turned))
        in_order = np.linalg.norm(centres[: len(order)] - others[: len(order)], axis=1)
        nearest = _nearest(centres, others)
        close = np.linalg.norm(centres - others[nearest], axis=1)
        if len(set(nearest.tolist())) == len(panels) and close.max() < 0.5 * in_order.max():
            order = nearest.tolist()
    for panel, index in zip(panels, order):
        yield _panel_pair(panel, turned[index])


def _nearest(centres: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each centre the index of the nearest other: (n,) int64; row by row, to bound the memory."""
    return np.array([np.argmin(((others - centre) ** 2).sum(axis=1)) for centre in centres])


def _panel_pair(panel: PanelFacts, source: PanelFacts) -> PanelPair:
    """One panel in both; of panels of different sizes only the first corners are compared."""
    first, second = panel.corners(), source.corners()
    if panel.size != source.size:
        first, second = first[:1], second[:1]
    offset = panel.corner - source.corner
    shift = np.array([offset @ source.fast / source.pixel_size[0], offset @ source.slow / source.pixel_size[1]])
    return PanelPair(
        panel.name,
        source.name,
        np.linalg.norm(first - second, axis=1),
        shift,
        panel.size,
        source.size,
        panel.pixel_size,
        source.pixel_size,
    )
