"""The lattices under the geometry as written and its usual mistakes, a beam centre elsewhere among them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from imgcif_core.records import cached_property, dataclass
from imgcif_core.spots.chance import EXPECTED
from imgcif_core.spots.elsewhere import fit_elsewhere
from imgcif_core.spots.geometry import WRITTEN, Mapped, Reading, Sample
from imgcif_core.spots.lattice import (
    CLEAR,
    MOST_SHIFT,
    PLANS,
    QUICK,
    Fit,
    better,
    carried,
    chance_of,
    fit_lattice,
    no_fit,
)
from imgcif_core.spots.readings import are_alike, list_readings

# Fewer reflections fit many lattices by chance.
LEAST_SPOTS = 24
# By how much the score of another reading must be higher; and the score from which a lattice explains most spots.
CLEARLY, MOSTLY = 0.2, 0.5
# Pixels by which a refined beam centre may differ from the stated one; how far one is looked for: mm, share of a panel.
CENTRE_OFF, REACH, REACH_SHARE = 5.0, 8.0, 0.2
BEAM_OFF = "beam centre off"
LOG_EXPECTED = float(np.log10(EXPECTED))


@dataclass(frozen=True, slots=True)
class Entry:
    """Readings that these spots cannot tell apart, with the lattice under them.

    chance : decimal logarithm of how many lattices as good strewn spots are expected to have, all readings together.
    """

    names: tuple[str, ...]
    fit: Fit
    chance: float = 0.0

    @property
    def is_written(self) -> bool:
        """True if the geometry as written is among them."""
        return WRITTEN in self.names

    @property
    def holds(self) -> bool:
        """True if the lattice is more than chance."""
        return self.chance < LOG_EXPECTED


class Known(Protocol):
    """A cell that is known."""

    def starts(self, sample: Sample, reading: Reading) -> list[np.ndarray]:
        """Lattices with this cell that explain the spots under one reading: vectors in rows."""

    def vectors(self) -> np.ndarray:
        """Edges of the primitive cell in rows, ångström, in some orientation."""


class Search:
    """The search for lattices under every reading of some frames."""

    def __init__(self, sample: Sample, cell: Known | None) -> None:
        self._sample, self._cell = sample, cell
        self._edges = cell.vectors() if cell is not None else None
        self._groups = grouped(sample)
        self._fits = [no_fit(group[0], sample.count) for group in self._groups]
        # Lattices of any cell are looked for among enough spots only.
        self._is_free = sample.count >= LEAST_SPOTS

    def entries(self) -> list[Entry]:
        """Each group of readings with its best lattice, that as written first."""
        begin = [self._cell.starts(self._sample, group[0]) if self._cell is not None else () for group in self._groups]
        self._try(QUICK if self._is_free else (), begin)
        elsewhere = None
        # A centre that is off by a step of the reciprocal lattice leaves a part of the spots on it.
        if self._is_free and self._best.score < CLEAR:
            elsewhere = fit_elsewhere(self._sample, Reading(WRITTEN), self.reach)
            if not _is_off(elsewhere):
                self._fits[0] = better(self._fits[0], elsewhere)
            if elsewhere.score < CLEAR or not _is_off(elsewhere):
                self._try(PLANS[len(QUICK) :], begin)
        self._carry(self._best)
        return self._sure(self._with_centre(elsewhere))

    def _carry(self, best: Fit) -> None:
        """Look under each group of readings for the lattice that is best under one."""
        if best.by_frame:
            fits = [carried(self._sample, best, group[0]) for group in self._groups]
            self._fits = [max(pair, key=lambda fit: fit.score) for pair in zip(self._fits, fits, strict=True)]

    @cached_property
    def reach(self) -> float:
        """How far from the stated beam centre another is looked for, in pixels."""
        face = self._sample.main_face
        return min(REACH / float(np.linalg.norm(face.fast)), REACH_SHARE * min(face.size))

    @property
    def _best(self) -> Fit:
        """The best lattice so far."""
        return max(self._fits, key=lambda fit: fit.score)

    def _settles(self, fit: Fit) -> bool:
        """True if a lattice explains most spots, and not by chance."""
        return fit.score > MOSTLY and chance_of(self._sample, fit) < LOG_EXPECTED

    def _try(self, plans: Sequence[tuple[int, float]], begin: Sequence[Sequence[np.ndarray]]) -> None:
        """Look for a better lattice under each group of readings."""
        for index, group in enumerate(self._groups):
            best = self._best
            # Once a lattice holds, the others are looked for as it was found.
            chosen = plans if not self._settles(best) else [best.plan] if best.plan is not None else plans[:1]
            fit = fit_lattice(self._sample, group[0], begin[index], chosen, self._edges)
            self._fits[index] = better(self._fits[index], fit)

    def _with_centre(self, elsewhere: Fit | None) -> list[Entry]:
        """The entries, with one more for a beam centre elsewhere where the spots ask for it."""
        entries = [
            Entry(tuple(one.name for one in group), fit) for group, fit in zip(self._groups, self._fits, strict=True)
        ]
        written = entries[0].fit
        fit = elsewhere if elsewhere is not None and elsewhere.score > written.score + CLEARLY else written
        if not _is_off(fit):
            return entries
        stated = carried(self._sample, fit, Reading(WRITTEN), is_held=True)
        stated = stated if stated.score >= written.score or fit is written else written
        return [replace(entries[0], fit=stated), Entry((BEAM_OFF,), fit), *entries[1:]]

    def _sure(self, entries: list[Entry]) -> list[Entry]:
        """The entries with their chance, the geometry as written searched by every plan before it is doubted."""
        best, written = max(entries, key=lambda entry: entry.fit.score), entries[0]
        if best.fit.score - written.fit.score >= CLEARLY and best.fit.by_frame:
            plans = PLANS if self._is_free else ()
            fit = fit_lattice(self._sample, Reading(WRITTEN), (), plans, self._edges)
            if _is_off(fit):
                fit = carried(self._sample, fit, Reading(WRITTEN), is_held=True)
            entries = [replace(written, fit=better(written.fit, fit)), *entries[1:]]
        trials = float(np.log10(len(entries)))
        return [replace(entry, chance=trials + self._chance(entry)) for entry in entries]

    def _chance(self, entry: Entry) -> float:
        """Decimal logarithm of how many lattices as good strewn spots are expected to have under one reading."""
        reach = max(self.reach, MOST_SHIFT) if BEAM_OFF in entry.names else MOST_SHIFT
        return chance_of(self._sample, entry.fit, reach)


def _is_off(fit: Fit) -> bool:
    """True if a lattice needs the beam centre elsewhere."""
    return float(np.hypot(*fit.shift)) > CENTRE_OFF


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
