"""Making repairs: a file is mended, read and judged again, until nothing is left or nothing fits.

A repair that brings an error or a warning which was not there is taken back.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Source
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import Edit, FileReport, Finding, Severity
from imgcif_core.records import dataclass
from imgcif_core.repair.apply import EditError, Patch, apply_edits, patches_of
from imgcif_core.repair.differences import unified
from imgcif_core.repair.plan import Repair, repairs_of

MAX_ROUNDS = 8

Choice = Callable[[Repair], bool]


@dataclass(frozen=True, slots=True)
class Mended:
    """A file after its repairs: the new bytes, what was made, what was taken back, and both reports."""

    source: Source
    data: bytes
    made: tuple[Repair, ...]
    refused: tuple[Repair, ...]
    before: FileReport
    after: FileReport

    @property
    def is_changed(self) -> bool:
        """True if a byte is another one than before."""
        return self.data != self.source.data

    @property
    def diff(self) -> str:
        """The unified diff from the first to the last state."""
        return _whole_diff(self.source, self.data)


def safe_only(repair: Repair) -> bool:
    """The choice of those who ask for nothing else."""
    return repair.is_safe


def mend(
    source: Source,
    choose: Choice = safe_only,
    *,
    options: CheckOptions | None = None,
    dictionary: Dictionary | None = None,
) -> Mended:
    """Make the repairs that are chosen, and those that come to light with them.

    Parameters
    ----------
    source :
        The file, as `open_source` gives it.
    choose :
        Which repairs to make; each finding is offered once. The safe ones unless given.
    """
    judge = _judge(options, dictionary)
    before = judge(source)
    made: list[Repair] = []
    refused: list[Repair] = []
    held, report = source, before
    asked: dict[tuple[object, ...], bool] = {}
    for _ in range(MAX_ROUNDS):
        wanted = []
        for repair in repairs_of(held, report):
            identity = _identity(repair.finding)
            if identity not in asked:
                asked[identity] = choose(repair)
                if asked[identity]:
                    wanted.append(repair)
        if not wanted:
            break
        held, report, done, taken_back = _make(held, report, wanted, judge)
        made += done
        refused += taken_back
    return Mended(source, held.data, tuple(made), tuple(refused), before, report)


def _judge(options: CheckOptions | None, dictionary: Dictionary | None) -> Callable[[Source], FileReport]:
    """What gives the report of some bytes."""
    from imgcif_core.cif.reader import read

    def judge(source: Source) -> FileReport:
        return api.check_document(read(source), options=options, dictionary=dictionary)

    return judge


def _make(
    source: Source, report: FileReport, wanted: Sequence[Repair], judge: Callable[[Source], FileReport]
) -> tuple[Source, FileReport, list[Repair], list[Repair]]:
    """Make repairs together; where that brings something new, halves, down to the one that does it."""
    fitting = _without_overlaps(source, wanted)
    try:
        changed = replace_data(source, apply_edits(source, (edit for repair in fitting for edit in repair.edits)))
    except EditError:
        return source, report, [], list(wanted)
    result = judge(changed)
    if not _new(report, result) and _gone(result, fitting):
        return changed, result, fitting, []
    if len(fitting) == 1:
        return source, report, [], fitting
    half = len(fitting) // 2
    source, report, made, refused = _make(source, report, fitting[:half], judge)
    # The second half is found again in the text that the first half has changed.
    wanted_then = {_identity(repair.finding) for repair in fitting[half:]}
    again = [repair for repair in repairs_of(source, report) if _identity(repair.finding) in wanted_then]
    if not again:
        return source, report, made, refused
    source, report, more, others = _make(source, report, again, judge)
    return source, report, [*made, *more], [*refused, *others]


def replace_data(source: Source, data: bytes) -> Source:
    """The same file with other bytes."""
    return Source(source.path, data, source.folder)


def _without_overlaps(source: Source, repairs: Iterable[Repair]) -> list[Repair]:
    """Repairs that can be made together; of two that meet, the first."""
    chosen: list[Repair] = []
    taken: list[tuple[int, int]] = []
    seen: set[Edit] = set()
    for repair in repairs:
        ranges = [(patch.start, patch.end) for patch in patches_of(source, repair.edits)]
        if any(_meet(one, other) for one in ranges for other in taken) and not set(repair.edits) <= seen:
            continue
        chosen.append(repair)
        taken += [entry for entry in ranges if entry[0] < entry[1]]
        seen |= set(repair.edits)
    return chosen


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """True if two ranges share a byte, or an insertion stands within the other."""
    return one[0] < other[1] and other[0] < one[1]


def _identity(finding: Finding) -> tuple[object, ...]:
    """What stays the same about a finding when the text around it changes."""
    place = finding.location
    return (finding.rule, place.block, place.item, tuple(sorted(place.key.items())), finding.message)


def _kinds(report: FileReport) -> Counter[tuple[str, str | None]]:
    """How often each rule speaks of each item, errors and warnings alone."""
    return Counter(
        (finding.rule, finding.location.block)
        for finding in report.findings
        if finding.severity.at_least(Severity.WARNING)
    )


def _new(before: FileReport, after: FileReport) -> bool:
    """True if a rule has more errors or warnings in a block than before."""
    counted = _kinds(before)
    if any(number > counted[kind] for kind, number in _kinds(after).items()):
        return True
    return after.count(Severity.ERROR) > before.count(Severity.ERROR)


def _gone(after: FileReport, repairs: Sequence[Repair]) -> bool:
    """True if none of the mended findings is there any more."""
    left = {_identity(finding) for finding in after.findings}
    return not any(_identity(repair.finding) in left for repair in repairs)


def _whole_diff(source: Source, data: bytes) -> str:
    """The unified diff of two states of a file: what begins and ends alike is not compared."""
    old = source.data
    first = _common(old, data)
    last = _common(old[first:][::-1], data[first:][::-1])
    if first == len(old) == len(data):
        return ""
    return unified(source, [Patch(first, len(old) - last, data[first : len(data) - last])])


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes are alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def with_choice(numbers: Iterable[int], report_repairs: Sequence[Repair]) -> Choice:
    """A choice of repairs by their numbers in a list made before."""
    wanted = {_identity(repair.finding) for repair in report_repairs if repair.number in set(numbers)}
    return lambda repair: _identity(repair.finding) in wanted


__all__ = ["Choice", "Mended", "mend", "safe_only", "with_choice"]
