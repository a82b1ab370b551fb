"""What the spots say of the geometry: as written, or by which usual mistake they fit better."""

from functools import partial

import numpy as np

from imgcif_core.records import dataclass
from imgcif_core.spots.chance import outweighs
from imgcif_core.spots.clean import cleaned
from imgcif_core.spots.geometry import APART_DEG, WRITTEN, Sample
from imgcif_core.spots.lattice import Fit
from imgcif_core.spots.predict import refound
from imgcif_core.spots.search import BEAM_OFF, CLEARLY, LEAST_SPOTS, LOG_EXPECTED, Entry, Known, Search

# Fewer reflections in one orientation, or with a cell all frames together, fit many lattices by chance.
LEAST_ON_FRAME, LEAST_WITH_CELL = 4, 10
# Spots on one frame beyond which more tell no more.
MOST_ON_FRAME = 120
# Share of the spots on a lattice that it must predict within a few pixels on their own frames: 0.92 to 1.0 of them
# were in 24 simulated sets, and twice as many as by chance.
REFOUND = 0.75

CONSISTENT, BETTER, UNDECIDED, TOO_FEW = "consistent", "another reading fits better", "undecided", "not enough spots"


@dataclass(frozen=True)
class SpotTest:
    """The outcome; entries: best first."""

    verdict: str
    reason: str
    sample: Sample
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def written(self) -> Entry | None:
        """The geometry as written."""
        return next((entry for entry in self.entries if entry.is_written), None)

    @property
    def best(self) -> Entry | None:
        """The reading that fits best."""
        return self.entries[0] if self.entries else None

    @property
    def rivals(self) -> tuple[Entry, ...]:
        """The entries that fit as well as the best one, itself included."""
        best = self.best
        return tuple(
            entry for entry in self.entries if best is not None and best.fit.score - entry.fit.score < 0.5 * CLEARLY
        )

    def named(self) -> str:
        """The readings that fit best, with those that cannot be told apart from them."""
        return " or ".join(_with_shift(name, entry.fit) for entry in self.rivals for name in entry.names)


def _with_shift(name: str, fit: Fit) -> str:
    """A reading with the shift that it means."""
    if name != BEAM_OFF:
        return name
    return f"{name} (detector moved by {fit.shift[0]:.1f}, {fit.shift[1]:.1f} pixels along fast and slow)"


def judge(sample: Sample, cell: Known | None = None) -> SpotTest:
    """Hold the spots of some frames against the geometry as written and its usual mistakes.

    With a cell, lattices of its own are tried too, and fewer spots are enough.
    """
    used = _steady(cleaned(sample, MOST_ON_FRAME))
    least = LEAST_SPOTS if cell is None else LEAST_WITH_CELL
    if used.count < least:
        reason = f"{used.count} reflections on {len(used.shots)} frames; {least} are needed"
        reason += "" if cell is not None else f", or {LEAST_WITH_CELL} with a cell"
        reason += _closeness(used)
        return SpotTest(TOO_FEW, reason, used, notes=used.notes)
    entries = Search(used, cell).entries()
    entries.sort(key=lambda entry: (-entry.fit.score, not entry.is_written))
    return _decided(used, entries)


def _steady(sample: Sample) -> Sample:
    """The frames of orientations with some spots: those with hardly one say nothing, and weigh as much as others."""
    count = np.bincount(np.array(sample.stances, int), weights=[shot.count for shot in sample.shots])
    kept = [shot for shot, stance in zip(sample.shots, sample.stances, strict=True) if count[stance] >= LEAST_ON_FRAME]
    return Sample(tuple(kept), sample.notes)


def _closeness(sample: Sample) -> str:
    """What would help where all frames show one orientation, as the end of a sentence."""
    if len(sample.shots) < 2 or max(sample.stances) > 0:
        return ""
    return f"; all frames lie within {APART_DEG:g} degrees of the first, and frames further apart would tell more"


def _decided(sample: Sample, entries: list[Entry]) -> SpotTest:
    """The verdict by the scores."""
    best = entries[0]
    written = next(entry for entry in entries if entry.is_written)
    gain = best.fit.score - written.fit.score
    figures = f"{written.fit.indexed} of {sample.count} spots"
    outcome = partial(SpotTest, sample=sample, entries=tuple(entries), notes=sample.notes)
    if not best.holds:
        return outcome(
            UNDECIDED,
            f"no lattice is more than chance under any reading; as written the best has {figures}{_closeness(sample)}",
        )
    if not _predicts(sample, best):
        return outcome(UNDECIDED, _unpredicted(sample, best))
    if gain >= CLEARLY and _is_clear(best, written, len(entries)):
        if _orientations(sample, best) < 2:
            reason = f"{best.names[0]} fits better, but its lattice has spots in one orientation of the crystal alone"
            return outcome(UNDECIDED, reason + _closeness(sample))
        reason = f"{best.names[0]}: {best.fit.indexed} of {sample.count} spots lie on one lattice, as written {figures}"
        return outcome(BETTER, reason)
    if not written.holds or gain >= 0.5 * CLEARLY:
        reason = f"{best.names[0]} fits a little better than the geometry as written, which has {figures}"
        return outcome(UNDECIDED, reason)
    if not _predicts(sample, written):
        return outcome(UNDECIDED, _unpredicted(sample, written))
    alike = [name for entry in entries if best.fit.score - entry.fit.score < 0.5 * CLEARLY for name in entry.names]
    others = [name for name in alike if name != WRITTEN]
    if len(others) + 1 == sum(len(entry.names) for entry in entries):
        return outcome(UNDECIDED, f"{figures} lie on one lattice, but every other reading fits these frames as well")
    told = f"; these frames do not tell it from: {', '.join(others)}" if others else ""
    return outcome(CONSISTENT, f"{figures} lie on one lattice{told}")


def _is_clear(best: Entry, written: Entry, trials: int) -> bool:
    """True if a better score is no matter of a few spots in an orientation that has hardly more.

    Either the spots tell so by themselves, or the score is better over all spots alike and the lattice much less
    likely to be chance.
    """
    pooled = float(np.mean(best.fit.worth - written.fit.worth))
    is_likelier = best.chance - written.chance < LOG_EXPECTED
    return (pooled >= CLEARLY and is_likelier) or outweighs(best.fit.worth, written.fit.worth, trials)


def _orientations(sample: Sample, entry: Entry) -> int:
    """In how many orientations of the crystal a lattice has some spots: in one alone it fits under most readings."""
    stance = np.repeat(sample.stances, [shot.count for shot in sample.shots])
    return int(np.count_nonzero(np.bincount(stance[entry.fit.inside]) >= LEAST_ON_FRAME))


def _predicts(sample: Sample, entry: Entry) -> bool:
    """True if a lattice predicts its spots on the frames on which they are, and not by chance."""
    seen = refound(sample, entry.fit)
    return seen.again >= max(REFOUND * entry.fit.indexed, 2 * seen.expected)


def _unpredicted(sample: Sample, entry: Entry) -> str:
    """What is said where a lattice does not predict its spots."""
    return (
        f"{entry.names[0]}: {entry.fit.indexed} of {sample.count} spots fit a lattice, but it predicts "
        f"only {refound(sample, entry.fit).again} of them on the frames on which they are{_closeness(sample)}"
    )
