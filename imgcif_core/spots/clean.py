"""Spots that are none of the crystal: repeated on every frame, or crowded on rings of ice and salt."""

from dataclasses import replace

import numpy as np

from imgcif_core.model.scattering import resolution
from imgcif_core.spots.geometry import APART_DEG, WRITTEN, Reading, Sample, Shot, between

# A spot at one place, within so many pixels, on frames of different orientations is of the detector.
SAME_PLACE = 1.0
# On frames of one orientation it is one reflection; it moves a little while the crystal turns.
SAME_REFLECTION = 2.5
# Ångström: powder rings of hexagonal ice, and half the width in 1/d within which they are crowded.
ICE = (3.895, 3.661, 3.435, 2.667, 2.247, 2.068, 1.948, 1.916, 1.882, 1.719)
RING = 0.0025
# A ring is crowded with this many spots, and this many times as many as beside it.
CROWD, FACTOR = 6, 4.0


def cleaned(sample: Sample, most: int) -> Sample:
    """The strongest spots that may be reflections, at most so many on each frame."""
    notes = []
    shots, repeated = _without_repeated(sample.shots)
    if repeated:
        notes.append(f"{repeated} spots stand at one place on frames of different angles and were left out")
    shots, again = _merged(tuple(shots))
    if again:
        notes.append(f"{again} spots repeat a reflection of a neighbouring frame and were not counted again")
    sample = Sample(tuple(shots))
    shots, crowded = _without_rings(sample)
    if crowded:
        notes.append(f"{crowded} spots on rings of powder, such as ice, were left out")
    return Sample(tuple(_strongest(shot, most) for shot in shots), (*sample.notes, *notes))


def _kept(shot: Shot, masks: list[np.ndarray]) -> Shot:
    """A frame with some of its spots."""
    return replace(shot, spots=tuple(spots.part(mask) for spots, mask in zip(shot.spots, masks, strict=True)))


def _without_repeated(shots: tuple[Shot, ...]) -> tuple[list[Shot], int]:
    """Frames without spots that another frame of another angle has at the same pixel."""
    kept, count = [], 0
    for shot in shots:
        masks = []
        for index, spots in enumerate(shot.spots):
            is_new = np.ones(len(spots), dtype=bool)
            for other in shots:
                if (
                    other is shot
                    or index >= len(other.spots)
                    or not len(other.spots[index])
                    or between(shot, other) < APART_DEG
                ):
                    continue
                there = other.spots[index]
                off = np.hypot(spots.fast[:, None] - there.fast, spots.slow[:, None] - there.slow)
                is_new &= off.min(axis=1) > SAME_PLACE
            masks.append(is_new)
            count += int(np.count_nonzero(~is_new))
        kept.append(_kept(shot, masks))
    return kept, count


def _merged(shots: tuple[Shot, ...]) -> tuple[list[Shot], int]:
    """Frames with each reflection on the one where it is strongest, and how many spots repeated it.

    A reflection lasts over several fine slices: its spots are one observation.
    """
    kept, count = [], 0
    for place, shot in enumerate(shots):
        masks = [np.ones(len(spots), dtype=bool) for spots in shot.spots]
        for number, other in enumerate(shots):
            if number == place or between(shot, other) >= APART_DEG:
                continue
            for index, (mine, theirs) in enumerate(zip(shot.spots, other.spots, strict=False)):
                if not len(mine) or not len(theirs):
                    continue
                off = np.hypot(mine.fast[:, None] - theirs.fast, mine.slow[:, None] - theirs.slow)
                ahead = mine.counts[:, None] < theirs.counts
                ahead |= (mine.counts[:, None] == theirs.counts) & (number < place)
                masks[index] &= ~((off <= SAME_REFLECTION) & ahead).any(axis=1)
        count += int(sum(np.count_nonzero(~mask) for mask in masks))
        kept.append(_kept(shot, masks))
    return kept, count


def _without_rings(sample: Sample) -> tuple[list[Shot], int]:
    """Frames without spots on crowded rings."""
    reading = Reading(WRITTEN)
    inverse = []
    for shot in sample.shots:
        for face, spots in zip(shot.faces, shot.spots, strict=True):
            points = sample.place(face, spots.fast, spots.slow, reading, np.zeros(2))
            inverse.append(1.0 / resolution(points, shot.wavelength, shot.beam))
    pooled = np.concatenate(inverse) if inverse else np.zeros(0)
    crowded = [centre for centre in _centres(pooled) if _is_crowded(pooled, centre)]
    kept, count, place = [], 0, 0
    for shot in sample.shots:
        masks = []
        for _ in shot.spots:
            own = inverse[place]
            place += 1
            is_ring = np.zeros(len(own), dtype=bool)
            for centre in crowded:
                is_ring |= np.abs(own - centre) < RING
            masks.append(~is_ring)
            count += int(np.count_nonzero(is_ring))
        kept.append(_kept(shot, masks))
    return kept, count


def _centres(inverse: np.ndarray) -> list[float]:
    """Where rings may be: those of ice, and where spots crowd of themselves."""
    found = [1.0 / spacing for spacing in ICE]
    if len(inverse) >= 8 * CROWD:
        ordered = np.sort(inverse)
        width = ordered[5 * CROWD :] - ordered[: -5 * CROWD]
        found += [float(ordered[index + 5 * CROWD // 2]) for index in np.flatnonzero(width < RING)[:: 2 * CROWD]]
    return found


def _is_crowded(inverse: np.ndarray, centre: float) -> bool:
    """True if many more spots lie on a ring than beside it."""
    off = np.abs(inverse - centre)
    inside = np.count_nonzero(off < RING)
    beside = np.count_nonzero((off >= 1.5 * RING) & (off < 5.5 * RING)) / 4.0
    return bool(inside >= CROWD and inside > FACTOR * max(beside, 0.5))


def _strongest(shot: Shot, most: int) -> Shot:
    """A frame with its strongest spots over all panels."""
    counts = np.concatenate([spots.counts for spots in shot.spots]) if shot.spots else np.zeros(0)
    if len(counts) <= most:
        return shot
    least = np.sort(counts)[-most]
    return _kept(shot, [spots.counts >= least for spots in shot.spots])
