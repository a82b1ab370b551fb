"""What the spots say of the geometry: as written, or by which usual mistake they fit better."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from imgcif_core.records import dataclass
from imgcif_core.spots.clean import cleaned
from imgcif_core.spots.elsewhere import fit_elsewhere
from imgcif_core.spots.geometry import APART_DEG, WRITTEN, Mapped, Reading, Sample
from imgcif_core.spots.lattice import PLANS, QUICK, Fit, better, fit_lattice, judged, no_fit
from imgcif_core.spots.predict import refound
from imgcif_core.spots.readings import are_alike, list_readings

# Fewer reflections, all frames together, or fewer in one orientation fit many lattices by chance.
LEAST_SPOTS, LEAST_ON_FRAME = 24, 4
LEAST_WITH_CELL = 10
# Spots on one frame beyond which more tell no more.
MOST_ON_FRAME = 120
# Scores: of a lattice that holds (see `holds`), and by how much another reading must be better.
HOLDS, HOLDS_PER_SPOT, HOLDS_MOST, CLEARLY = 0.2, 9.0, 0.6, 0.2
HOLDS_WITH_CELL = 0.45
# Pixels by which a refined beam centre may differ from the stated one; how far one is looked for: mm, share of a panel.
CENTRE_OFF, REACH, REACH_SHARE = 5.0, 8.0, 0.2
# Share of the spots on a lattice that it must predict within a few pixels on their own frames: 0.92 to 1.0 of them
# were in 24 simulated sets, and twice as many as by chance.
REFOUND = 0.75
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


class Known(Protocol):
    """A cell that is known."""

    def starts(self, sample: Sample, reading: Reading) -> list[np.ndarray]:
        """Lattices with this cell that explain the spots under one reading: vectors in rows."""

    def vectors(self) -> np.ndarray:
        """Edges of the primitive cell in rows, ångström, in some orientation."""


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
    entries = _with_centre(used, _fitted(used, cell))
    entries.sort(key=lambda entry: (-entry.fit.score, not entry.is_written))
    return _decided(used, entries)


def _steady(sample: Sample) -> Sample:
    """The frames of orientations with some spots: those with hardly one say nothing, and weigh as much as others."""
    count = np.bincount(np.array(sample.stances, int), weights=[shot.count for shot in sample.shots])
    kept = [shot for shot, stance in zip(sample.shots, sample.stances, strict=True) if count[stance] >= LEAST_ON_FRAME]
    return Sample(tuple(kept), sample.notes)


def _fitted(sample: Sample, cell: Known | None) -> list[Entry]:
    """The best lattice under each group of readings; quick plans first, all of them where no lattice holds."""
    groups = grouped(sample)
    fits = [no_fit(group[0], sample.count) for group in groups]
    enough = holds(sample.count) + 0.5 * CLEARLY
    edges = cell.vectors() if cell is not None else None
    begin = [cell.starts(sample, group[0]) if cell is not None else () for group in groups]
    is_free = sample.count >= LEAST_SPOTS
    for plans in (QUICK, PLANS[len(QUICK) :]) if is_free else ((),):
        for index, group in enumerate(groups):
            best = fits[int(np.argmax([fit.score for fit in fits]))]
            if plans is not QUICK and best.score > enough:
                break
            # Once a lattice holds, the others are looked for as it was found.
            chosen = plans if best.score <= enough else [best.plan] if best.plan is not None else plans[:1]
            fits[index] = better(fits[index], fit_lattice(sample, group[0], begin[index], chosen, edges))
    return [Entry(tuple(reading.name for reading in group), fit) for group, fit in zip(groups, fits, strict=True)]


def grouped(sample: Sample) -> list[list[Reading]]:
    """The readings, those together that the spots cannot tell apart; the group as written first."""
    groups: list[tuple[list[Reading], list[Mapped]]] = []
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
    enough = holds(sample.count) + 0.5 * CLEARLY
    if max(entry.fit.score for entry in entries) < enough and sample.count >= LEAST_SPOTS:
        found = fit_elsewhere(sample, Reading(WRITTEN), _reach(sample))
        fit = found if found.score > fit.score + CLEARLY else fit
    if float(np.hypot(*fit.shift)) <= CENTRE_OFF:
        return entries
    stated = judged(sample, fit, np.zeros(2))
    stated = stated if stated.score >= written.fit.score or fit is written.fit else written.fit
    return [replace(written, fit=stated), Entry((BEAM_OFF,), fit), *entries[1:]]


def _reach(sample: Sample) -> float:
    """How far from the stated beam centre another is looked for, in pixels."""
    face = sample.main_face
    return min(REACH / float(np.linalg.norm(face.fast)), REACH_SHARE * min(face.size))


def holds(count: int) -> float:
    """The score from which a lattice of so many spots is no chance.

    For spots strewn at random the best score over all readings was 0.39 at most for 24 spots, 0.34 for 36,
    0.23 for 51, 0.15 for 99 and 0.08 for 300, in five trials each. Lattices of a known cell, which has only its
    orientation free, reached 0.18 at most with 12 to 36 spots.
    """
    if count < LEAST_SPOTS:
        return HOLDS_WITH_CELL
    return float(np.clip(HOLDS_PER_SPOT / max(count, 1) + HOLDS, 0.0, HOLDS_MOST))


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
    if best.fit.score < holds(sample.count):
        reason = f"no lattice holds under any reading; as written the best has {figures}{_closeness(sample)}"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    for entry in (best,) if best is written else (best, written):
        seen = refound(sample, entry.fit)
        if entry.fit.score >= holds(sample.count) and seen.again < max(REFOUND * entry.fit.indexed, 2 * seen.expected):
            reason = f"{entry.names[0]}: {entry.fit.indexed} of {sample.count} spots fit a lattice, but it predicts "
            reason += f"only {seen.again} of them on the frames on which they are"
            return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    if gain >= CLEARLY:
        reason = f"{best.names[0]}: {best.fit.indexed} of {sample.count} spots lie on one lattice, as written {figures}"
        return SpotTest(BETTER, reason, sample, tuple(entries), sample.notes)
    if written.fit.score < holds(sample.count) or gain >= 0.5 * CLEARLY:
        reason = f"{best.names[0]} fits a little better than the geometry as written, which has {figures}"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    alike = [name for entry in entries if best.fit.score - entry.fit.score < 0.5 * CLEARLY for name in entry.names]
    others = [name for name in alike if name != WRITTEN]
    if len(others) + 1 == sum(len(entry.names) for entry in entries):
        reason = f"{figures} lie on one lattice, but every other reading fits these frames as well"
        return SpotTest(UNDECIDED, reason, sample, tuple(entries), sample.notes)
    told = f"; these frames do not tell it from: {', '.join(others)}" if others else ""
    return SpotTest(CONSISTENT, f"{figures} lie on one lattice{told}", sample, tuple(entries), sample.notes)
