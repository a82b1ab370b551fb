"""How surely a lattice through spots is more than chance; no threshold on its score is set by hand.

The lattices that spots could tell apart are counted, and it is asked how likely spots strewn at random lie as near
to one of them; the product is how many lattices as good strewn spots are expected to have.
Source: Desolneux, Moisan and Morel (2000), Int. J. Comput. Vision 40, 7-23; Moisan and Stival (2004), ibid. 57,
201-218, for the method.
"""

from math import lgamma

import numpy as np

from imgcif_core.spots.geometry import Mapped

# Lattices as good that strewn spots may be expected to have, over all readings, where a lattice holds.
EXPECTED = 1e-3
# Pixels: spots are hardly measured better, and farther ones are of no lattice.
FINEST, COARSEST, RADII = 0.3, 4.0, 16
_LN10 = float(np.log(10.0))


def volumes(mapped: Mapped, radius: np.ndarray) -> np.ndarray:
    """Reciprocal volume (n,) in which a lattice point is as near to a spot as some radius (n,): per cubic ångström.

    A ball about the spot, drawn out along the path that the spot takes while the crystal turns.
    """
    path = 2.0 * mapped.half * np.linalg.norm(mapped.by_turn, axis=1)
    return np.asarray(np.pi * radius**2 * (4.0 / 3.0 * radius + path))


def expected_by_chance(
    mapped: Mapped, apart: np.ndarray, volume: float, reach: float, is_known: bool = False
) -> tuple[float, int]:
    """Decimal logarithm of how many lattices as good strewn spots are expected to have; and by how many spots.

    apart : (n,) distances of the spots from lattice points per ångström, at the best angle within their frames;
    volume : of the cell, cubic ångström; reach : pixels within which the beam centre was free; is_known : the
    edges are given, and the orientation alone was free. Of several radii within which spots may count the one
    that says most is taken, and paid for.
    """
    count = len(apart)
    if not count:
        return 0.0, 0
    pixel = np.maximum(np.linalg.norm(mapped.by_shift, axis=(1, 2)) / np.sqrt(2.0), 1e-12)
    radii = np.geomspace(FINEST, COARSEST, RADII)
    inside = np.searchsorted(np.sort(apart / pixel), radii, side="right")
    chance = np.array([float(np.minimum(volume * volumes(mapped, radius * pixel), 1.0).mean()) for radius in radii])
    # Vectors are told apart by a step that moves the furthest spot by a radius: three of three components each.
    furthest = float(np.linalg.norm(mapped.q, axis=1).max())
    steps = np.log(np.maximum(furthest / (radii * float(np.median(pixel))), 2.0))
    places = 2.0 * np.log(np.maximum(2.0 * reach / radii, 2.0))
    tried = (3.0 if is_known else 9.0) * steps + places + np.log(RADII)
    found = tried + _log_choices(count, inside) + inside * np.log(np.maximum(chance, 1e-300))
    best = int(np.argmin(np.minimum(found, tried)))
    return float(min(found[best], tried[best])) / _LN10, int(inside[best])


def _log_choices(count: int, some: np.ndarray) -> np.ndarray:
    """Natural logarithm of how many ways there are to choose some of so many."""
    return np.array([lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) for k in some.tolist()])


def outweighs(ours: np.ndarray, theirs: np.ndarray, trials: int) -> bool:
    """True if the spots lie so much better on one lattice than on another that it is no chance.

    ours, theirs : (n,) how well each spot lies on either, 0 to 1; trials : how many lattices are compared so. Were
    both as good, each difference would have either sign as often.
    Source: Hoeffding (1963), J. Am. Stat. Assoc. 58, 13-30, theorem 2, for sums of differences of random sign.
    """
    more = ours - theirs
    gain, squares = float(more.sum()), float((more**2).sum())
    if gain <= 0 or squares <= 0:
        return False
    return trials * float(np.exp(-0.5 * gain**2 / squares)) < EXPECTED
