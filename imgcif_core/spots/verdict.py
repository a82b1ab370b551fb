"""What the spots say of the geometry: as written, or by which usual mistake they fit better."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from imgcif_core.spots.clean import cleaned
from imgcif_core.spots.geometry import WRITTEN, Reading, Sample
from imgcif_core.spots.lattice import PLANS, QUICK, Fit, fit_elsewhere, fit_lattice, judged
from imgcif_core.spots.readings import are_alike, list_readings

# Fewer spots, all frames together, or fewer on each of two frames fit many lattices by chance.
LEAST_SPOTS, LEAST_ON_FRAME = 24, 6
# Spots on one frame beyond which more tell no more.
MOST_ON_FRAME = 120
# Scores: of a lattice that holds, and by how much another reading must be better.
HOLDS, CLEARLY = 0.6, 0.2
# Pixels by which a refined beam centre may differ from the stated one; and how far one is looked for.
CENTRE_OFF, REACH, REACH_SHARE = 5.0, 80.0, 0.2
BEAM_OFF = "beam centre off"

CONSISTENT, BETTER, UNDECIDED, TOO_FEW = "consistent", "another reading fits better", "undecided", "not enough spots"


@dataclass(frozen=True, slots=True)
class Entry:
    """Readings that these spots cannot tell apart, with the lattice under them."""

    names: tuple[str, ...]
    fit: Fit

    @property
    def is_written(self) -> bool:
        """True if the geometry as written is among them."""
        return WRITTEN in self.names


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


Starts = Callable[[Sample, Reading], list[np.ndarray]]


def judge(sample: Sample, starts: Starts | None = None) -> SpotTest:
    """Hold the spots of some frames against the geometry as written and its usual mistakes.

    `starts` gives lattices to begin with for a reading, such as those of a known cell.
    """
    used = cleaned(sample, MOST_ON_FRAME)
    if used.count < LEAST_SPOTS or max((shot.count for shot in used.shots), default=0) < LEAST_ON_FRAME:
        reason = f"{used.count} spots on {len(used.shots)} frames; {LEAST_SPOTS} are needed"
        return SpotTest(TOO_FEW, reason, used, notes=used.notes)
    # Frames with hardly a spot say nothing of the lattice, and weigh as much as others.
    used = Sample(tuple(shot for shot in used.shots if shot.count >= LEAST_ON_FRAME), used.notes)
    entries: list[Entry] = []
    for group in grouped(used):
        holding = next((entry.fit.plan for entry in entries if entry.fit.score > HOLDS + CLEARLY), ())
        # Once a lattice holds, the others are looked for as it was found.
        plans = PLANS if holding == () else tuple(dict.fromkeys([*QUICK, *([holding] if holding else [])]))
        begin = starts(used, group[0]) if starts is not None else None
        entries.append(Entry(tuple(reading.name for reading in group), fit_lattice(used, group[0], begin, plans)))
    entries = _with_centre(used, entries)
    entries.sort(key=lambda entry: (-entry.fit.score, not entry.is_written))
    return _decided(used, entries)


def grouped(sample: Sample) -> list[list[Reading]]:
    """The readings, those together that the spots cannot tell apart; the group as written first."""
    groups: list[tuple[list[Reading], list]] = []
    for reading in list_readings(sample):
        mapped = sample.mapped(reading)
        home = next(
            (group for group, known in groups if are_alike(known[0], mapped) and are_alike(mapped, known[0])), None
        )
        if home is not None:
            home.append(reading)
        else:
            groups.append(([reading], [mapped]))
    return [group for group, _ in groups]


def _with_centre(sample: Sample, entries: list[Entry]) -> list[Entry]:
    """The entries with one more for a beam centre elsewhere, where the spots ask for it."""
    written = entries[0]
    fit = written.fit
    if max(entry.fit.score for entry in entries) < HOLDS + 0.5 * CLEARLY:
        found = fit_elsewhere(sample, Reading(WRITTEN), _reach(sample))
        fit = found if found.score > fit.score + CLEARLY else fit
    if float(np.hypot(*fit.shift)) <= CENTRE_OFF:
        return entries
    stated = judged(sample, fit, np.zeros(2))
    stated = stated if stated.score >= written.fit.score or fit is written.fit else written.fit
    return [replace(written, fit=stated), Entry((BEAM_OFF,), fit), *entries[1:]]


def _reach(sample: Sample) -> float:
    """How far from the stated beam centre another is looked for, in pixels."""
    return float(min(REACH, REACH_SHARE * min(sample.main_face.size)))


def _decided(sample: Sample, entries: list[Entry]) -> SpotTest:
    """The verdict by the scores."""
    best = entries[0]
    written = next(entry for entry in entries if entry.is_written)
    gain = best.fit.score - written.fit.score
    figures = f"{written.fit.indexed} of {sample.count} spots"
    if best.fit.score < HOLDS:
        reason = f"no lattice holds under any reading; as written the best has {figures}"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    if gain >= CLEARLY:
        reason = f"{best.names[0]}: {best.fit.indexed} of {sample.count} spots lie on one lattice, as written {figures}"
        return SpotTest(BETTER, reason, sample, tuple(entries), sample.notes)
    if written.fit.score < HOLDS or gain >= 0.5 * CLEARLY:
        reason = f"{best.names[0]} fits a little better than the geometry as written, which has {figures}"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    alike = [name for entry in entries if best.fit.score - entry.fit.score < 0.5 * CLEARLY for name in entry.names]
    others = [name for name in alike if name != WRITTEN]
    if len(others) + 1 == sum(len(entry.names) for entry in entries):
        reason = f"{figures} lie on one lattice, but every other reading fits these frames as well"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    told = f"; these frames do not tell it from: {', '.join(others)}" if others else ""
    return SpotTest(CONSISTENT, f"{figures} lie on one lattice{told}", sample, tuple(entries), sample.notes)
