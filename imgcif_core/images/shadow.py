"""The shadow of the beam stop: a small dark patch in the scattering about the beam."""

import numpy as np

from imgcif_core.arrays import Flags, Integers
from imgcif_core.images.groups import touching
from imgcif_core.images.measure import Thumbnail
from imgcif_core.records import dataclass

# Share of the shorter side within which a shadow is looked for, and that it may cover.
REACH, LARGEST = 0.25, 0.12
# Blocks in a shadow have at most this share of the counts about it.
DARK = 0.4
# Counts about a shadow without which it is none: noise leaves blocks dark.
LEAST_COUNTS = 2.0
# Blocks, each with most of its neighbours dark too, so that arms and gaps between modules do not count.
LEAST_BLOCKS, LEAST_NEIGHBOURS, LEAST_AROUND_GAP = 3, 6, 8
# Share of valid pixels from which a block counts.
WHOLE = 0.6


@dataclass(frozen=True, slots=True)
class Shadow:
    """A dark patch: its centre (fast, slow) and radius in pixels, and its counts as a share of those about it."""

    centre: tuple[float, float]
    radius: float
    depth: float

    def covers(self, point: np.ndarray, slack: float) -> bool:
        """True if a pixel position (2,) lies in the shadow, or as many pixels beside it."""
        return bool(np.hypot(*(np.asarray(point) - self.centre)) <= self.radius + slack)


def find_shadow(small: Thumbnail, centre: np.ndarray) -> Shadow | None:
    """The shadow of a beam stop near a pixel position (fast, slow), None where there is none that is clear."""
    slow, fast = np.mgrid[: small.mean.shape[0], : small.mean.shape[1]]
    half = 0.5 * (small.block - 1)
    off = np.hypot(fast * small.block + half - centre[0], slow * small.block + half - centre[1])
    reach = REACH * min(small.mean.shape) * small.block
    is_valid = (small.share >= WHOLE) & np.isfinite(small.mean)
    near = is_valid & (off <= reach)
    if np.count_nonzero(near) < 8 * LEAST_BLOCKS:
        return None
    level = float(np.median(small.mean[near]))
    # Counts of a block are the noise of its sum: a dim background leaves no block dark by chance.
    if level * small.block**2 < LEAST_COUNTS * 10:
        return None
    dark = near & (small.mean < DARK * level)
    # A gap between modules may run through a shadow.
    dark |= ~is_valid & (off <= reach) & (_neighbours(dark, 2) >= LEAST_AROUND_GAP)
    core = dark & (_neighbours(dark, 1) >= LEAST_NEIGHBOURS)
    places = np.nonzero(core)
    if len(places[0]) < LEAST_BLOCKS:
        return None
    return _nearest(small, centre, places, off > reach - 2 * small.block, level)


def _neighbours(dark: Flags, reach: int) -> Integers:
    """How many blocks about each are dark, as far as so many away: int like dark."""
    wide = np.pad(dark, reach).astype(int)
    rows, columns = dark.shape
    steps = range(2 * reach + 1)
    total = np.zeros(dark.shape, dtype=int)
    for down in steps:
        for along in steps:
            total += wide[down : down + rows, along : along + columns]
    return total - dark


def _nearest(
    small: Thumbnail, centre: np.ndarray, places: tuple[np.ndarray, ...], is_border: np.ndarray, level: float
) -> Shadow | None:
    """The patch whose middle lies nearest to the stated centre."""
    groups = touching(*places)
    half = 0.5 * (small.block - 1)
    found: list[tuple[float, Shadow]] = []
    for group in range(int(groups.max()) + 1):
        own = groups == group
        slow, fast = places[0][own], places[1][own]
        # One block around the core is dark too.
        radius = (np.sqrt(np.count_nonzero(own) / np.pi) + 1.0) * small.block
        is_small = radius <= LARGEST * min(small.mean.shape) * small.block
        if np.count_nonzero(own) < LEAST_BLOCKS or is_border[slow, fast].any() or not is_small:
            continue
        # An arm is long: a disc fills its own square.
        sides = np.ptp(slow) + 1, np.ptp(fast) + 1
        if max(sides) > 2.0 * min(sides):
            continue
        middle = (float(fast.mean() * small.block + half), float(slow.mean() * small.block + half))
        depth = float(np.nanmean(small.mean[slow, fast])) / level
        found.append((float(np.hypot(*(np.array(middle) - centre))), Shadow(middle, float(radius), depth)))
    return min(found, key=lambda entry: entry[0])[1] if found else None
