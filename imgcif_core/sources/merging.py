"""Several scans of one instrument as one description, with or without gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from imgcif_core.errors import InputError
from imgcif_core.model.vectors import angle_between
from imgcif_core.records import dataclass
from imgcif_core.sources.description import Experiment, Provenance, ScanFacts
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.statements import Statement


@dataclass(frozen=True)
class Drafts(Incomplete):
    """Several scans of one instrument, of which some facts are missing; what a person tells holds for all.

    Raises
    ------
    InputError
        If facts of single scans are missing, which an answer for all could not give.
    """

    parts: tuple[Draft, ...]

    @property
    def path(self) -> str:  # type: ignore[override]
        """The first image."""
        return self.parts[0].path

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return self.parts[0].kind

    @property
    def probe(self) -> str | None:  # type: ignore[override]
        """The kind of radiation."""
        return self.parts[0].probe

    @property
    def wavelength(self) -> float | None:  # type: ignore[override]
        """The wavelength of the first scan."""
        return self.parts[0].wavelength

    @property
    def facts(self) -> Mapping[str, str]:  # type: ignore[override]
        """Names of the instrument's parts."""
        return self.parts[0].facts

    @property
    def provenance(self) -> Mapping[str, Provenance]:  # type: ignore[override]
        """Where facts come from."""
        return self.parts[0].provenance

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Remarks about all scans."""
        return tuple(dict.fromkeys(note for part in self.parts for note in part.notes))

    @property
    def statements(self) -> tuple[Statement, ...]:  # type: ignore[override]
        """What becomes of the values of all headers."""
        return tuple(dict.fromkeys(entry for part in self.parts for entry in part.statements))

    @property
    def proposals(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """Proposals for the first scan."""
        return self.parts[0].proposals

    def missing(self) -> tuple[str, ...]:
        """What is missing of any scan."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.missing()))

    def with_fact(self, name: str, value: object, provenance: Provenance) -> "Drafts":
        """The same with one fact more in every scan that lacks it, or in all where it is one of the instrument."""
        parts = [
            part
            if name in _OF_A_SCAN and getattr(part, name, None) is not None
            else part.with_fact(name, value, provenance)
            for part in self.parts
        ]
        return Drafts(tuple(parts))

    def with_facts(self, facts: Mapping[str, str], provenance: Mapping[str, Provenance]) -> "Drafts":
        """The same with other names of the instrument's parts."""
        return Drafts(tuple(replace(part, facts=facts, provenance=provenance) for part in self.parts))

    def experiment(self) -> Experiment:
        """All scans; `InputError` where facts are missing."""
        return merged([part.experiment() for part in self.parts])


_OF_A_SCAN = ("start", "increment", "wavelength", "distance", "beam_centre", "frames")


def compare_axes(first: Experiment, other: Experiment) -> None:
    """Raise where two descriptions have different goniometers."""
    one, two = first.goniometer, other.goniometer
    same = len(one) == len(two) and all(
        a.id == b.id and float(angle_between(a.vector, b.vector)) < 1e-3 for a, b in zip(one, two, strict=True)
    )
    if not same:
        names = ["/".join(axis.id for axis in axes) or "none" for axes in (one, two)]
        raise InputError(f"{other.path}: has other goniometer axes ({names[1]}) than {first.path} ({names[0]})")


def merged(experiments: Sequence[Experiment]) -> Experiment:
    """One experiment with the scans of several of the same instrument.

    Raises
    ------
    InputError
        If they have different goniometers.
    """
    first = experiments[0]
    if len(experiments) == 1:
        return first
    scans: list[ScanFacts] = []
    notes: list[str] = []
    provenance: dict[str, Provenance] = {}
    for experiment in experiments:
        compare_axes(first, experiment)
        for scan in experiment.scans:
            wavelength = scan.wavelength or experiment.beam.wavelength
            scans.append(replace(scan, id=f"SCAN{len(scans) + 1}", wavelength=wavelength))
        notes += [f"{Path(experiment.path).name}: {note}" for note in experiment.notes]
        for name, source in experiment.provenance.items():
            provenance.setdefault(name, source)
    return replace(first, scans=tuple(scans), notes=tuple(notes), provenance=provenance)
