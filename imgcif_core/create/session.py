"""A creation on its way: sources as read, answers so far, questions still open, and the links they lead to.

Each step gives a new session, so that a step back is the session before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from imgcif_core.create.addresses import Address
from imgcif_core.create.answers import Described, apply_answers, open_questions
from imgcif_core.create.builder import Built, prepare
from imgcif_core.create.links import names_of, possible_roots
from imgcif_core.create.parts import split
from imgcif_core.create.questions import Question, question, read_answer
from imgcif_core.create.second import Second, asked
from imgcif_core.create.wishes import Wishes
from imgcif_core.errors import UsageError
from imgcif_core.images.limits import Reach
from imgcif_core.records import cached_property, dataclass
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.draft import Incomplete

PERSON = Provenance(Origin.PERSON, "answer")
Inputs = str | PathLike[str] | Experiment | Sequence[str | PathLike[str]]


@dataclass(frozen=True, slots=True)
class LinkedScan:
    """Where the images of one scan are said to lie.

    url : of the archive or folder, empty where none is given; first, last : names of the first and last
    image within it; `is_extrapolated` says that the address was worked out from the first two.
    """

    scan: str
    number: int
    frames: int
    url: str
    first: str
    last: str
    is_extrapolated: bool = False


@dataclass(frozen=True)
class Session:
    """Sources as they were read, with what a person wishes and has answered; immutable."""

    source: Described
    paths: tuple[str, ...]
    wishes: Wishes
    second: Second | None = None

    @classmethod
    def open(cls, inputs: Inputs, wishes: Wishes | None = None) -> "Session":
        """Read the sources, once for all steps.

        Raises
        ------
        InputError
            If a source cannot be read, or its parts contradict each other.
        """
        chosen = wishes or Wishes()
        if isinstance(inputs, Experiment):
            return cls(inputs, (), chosen)
        from imgcif_core.sources.series import read_inputs

        paths = paths_of(inputs)
        if not paths:
            raise UsageError("no input given")
        gaps = chosen.answers.get("missing_frames")
        source = read_inputs(
            paths,
            gaps=gaps,
            dxtbx=chosen.dxtbx,
            progress=chosen.progress,
            masters=chosen.masters,
            exclude=chosen.exclude,
            images_per_file=chosen.answers.get("images_per_file"),
            reach=Reach(tuple(chosen.local), chosen.follow),
        )
        return cls(source, tuple(paths), chosen, asked(source, chosen.dxtbx))

    @property
    def answers(self) -> Mapping[str, Any]:
        """The answers so far, by the keys of the questions."""
        return self.wishes.answers

    @cached_property
    def described(self) -> Described:
        """The source with what is known of instruments, then with answers, then with what these let be known."""
        described = self._known(self.source)
        return self._known(apply_answers(described, self.answers, PERSON))

    def _known(self, described: Described) -> Described:
        from imgcif_core.create.knowledge import complete

        return complete(described) if self.wishes.knowledge else described

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The questions still open, needed ones first, those about the place of the images last."""
        found = open_questions(self.described, self.answers)
        if not self.wishes.all_links.are_given and not {"archive_url", "url_base"} & self.answers.keys():
            found.append(question("archive_url"))
        elif root := self._root_question():
            found.append(root)
        if "doi" not in self.answers and self.wishes.all_doi is None:
            found.append(question("doi"))
        if self.second is not None:
            found = [self.second.proposed(entry, self.answers) for entry in found]
        return tuple(sorted(found, key=lambda entry: not entry.is_needed))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What dxtbx says to it, where it was asked."""
        return () if self.second is None else tuple(self.second.remarks(self.described, self.experiment))

    def _root_question(self) -> Question | None:
        """Where names begin within the archive, asked where neither options nor a local folder tell it."""
        links = self.wishes.all_links
        if not links.archive_url or links.root or links.directory is not None or "root" in self.answers:
            return None
        images = self.described.images if hasattr(self.described, "images") else None
        scans = getattr(self.described, "scans", ())
        sets = [entry for scan in scans for entry in scan.modules or (scan.images,)]
        entries = [entry for entry in (images, *sets) if entry and not entry.archive]
        names = [name for entry in entries for name in entry.files]
        roots = [root or "." for root in possible_roots(names)]
        return replace(question("root"), choices=tuple(roots)) if names and len(roots) > 1 else None

    @property
    def needed(self) -> tuple[Question, ...]:
        """The open questions without whose answers nothing is written."""
        return tuple(entry for entry in self.questions if entry.is_needed)

    def answered(self, key: str, text: Any) -> "Session":
        """The session with one answer more, as typed or as a value.

        Raises
        ------
        UsageError
            If the answer does not fit the question, or contradicts what is known.
        """
        value = read_answer(key, text)
        later = replace(self, wishes=self.wishes.with_answers({**self.answers, key: value}))
        if key in ("archive_url", "url_base", "root"):
            # Addresses that do not go with the scans are refused here and not at the end.
            _ = later.links
        if key in ("beam_centre", "images_per_file"):
            # One in mm needs the size of a pixel, the other must fill the files.
            _ = later.described
        return later

    def without(self, key: str) -> "Session":
        """The session without an answer."""
        return replace(self, wishes=self.wishes.with_answers({k: v for k, v in self.answers.items() if k != key}))

    @cached_property
    def experiment(self) -> Experiment | None:
        """The whole experiment, None while needed facts of it are missing."""
        described = self.described
        if not isinstance(described, Incomplete):
            return described
        return None if described.missing() else described.experiment()

    @cached_property
    def parts(self) -> tuple[Experiment, ...]:
        """The experiment in parts, one for each data block; none while facts are missing."""
        return () if self.experiment is None else tuple(split(self.experiment))

    @cached_property
    def built(self) -> tuple[Built, ...]:
        """The parts turned, mounted and named; `InputError` where they cannot be."""
        return tuple(map(prepare, self.parts))

    @cached_property
    def numbers(self) -> tuple[tuple[int, ...], ...]:
        """For each part the numbers of its scans among all scans, from 1, in the order of the source."""
        scans = () if self.experiment is None else self.experiment.scans
        order = {scan.id: index for index, scan in enumerate(scans)}
        ids = [scan.id for part in self.parts for scan in part.scans]
        is_ordered = len(order) == len(scans) and set(ids) <= order.keys()
        ranked = sorted(range(len(ids)), key=lambda place: order[ids[place]] if is_ordered else place)
        number = {place: rank for rank, place in enumerate(ranked, 1)}
        found, place = [], 0
        for part in self.parts:
            found.append(tuple(number[place + index] for index in range(len(part.scans))))
            place += len(part.scans)
        return tuple(found)

    @cached_property
    def addresses(self) -> dict[int, Address]:
        """The address of each scan by its number; `UsageError` where those given do not fit."""
        ids = {
            number: scan_id
            for built, numbers in zip(self.built, self.numbers, strict=True)
            for scan_id, number in zip(built.scan_ids, numbers, strict=True)
        }
        ordered = [ids[number] for number in sorted(ids)]
        return dict(zip(sorted(ids), self.wishes.all_links.addresses(ordered), strict=True)) if ids else {}

    @cached_property
    def members(self) -> dict[int, list[list[str]]]:
        """For each scan that has any, by its number, the names of the images of each of its arrays."""
        rows = [
            (number, scan_id, images)
            for built, numbers in zip(self.built, self.numbers, strict=True)
            for scan, scan_id, number in zip(built.scans, built.scan_ids, numbers, strict=True)
            for images in scan.image_sets
        ]
        numbers = [number for number, _, _ in rows]
        names = names_of([images for _, _, images in rows], self.wishes.all_links, [row[1] for row in rows], numbers)
        found: dict[int, list[list[str]]] = {}
        for number, own in zip(numbers, names, strict=True):
            found.setdefault(number, []).append(own)
        return found

    @cached_property
    def links(self) -> tuple[LinkedScan, ...]:
        """Where the images of each scan are said to lie, in the order of the source."""
        scans = {
            number: (scan_id, scan.frames)
            for built, numbers in zip(self.built, self.numbers, strict=True)
            for scan, scan_id, number in zip(built.scans, built.scan_ids, numbers, strict=True)
        }
        found = []
        for number, names in sorted(self.members.items()):
            address = self.addresses[number]
            row = LinkedScan(scans[number][0], number, scans[number][1], address.url, names[0][0], names[-1][-1])
            found.append(replace(row, is_extrapolated=address.is_extrapolated))
        return tuple(found)


def paths_of(inputs: Inputs) -> list[str]:
    """The paths among inputs; an experiment has none."""
    if isinstance(inputs, Experiment):
        return []
    return [str(path) for path in ([inputs] if isinstance(inputs, (str, PathLike)) else inputs)]
