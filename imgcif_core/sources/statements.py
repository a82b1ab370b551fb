"""What a source states, value by value, and what becomes of it: used, asked about, or left out for a reason."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from imgcif_core.records import dataclass

NO_ITEM = "imgCIF has no item for it"
NOT_KNOWN = "its meaning is not known here"
_LONGEST = 60


class Fate(StrEnum):
    """What becomes of a value that a source states."""

    USED = "used"
    ASKED = "asked"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of a source: where it stands there, its text, what becomes of it, and why it is left out."""

    place: str
    value: str
    fate: Fate = Fate.USED
    reason: str = ""

    @property
    def shown(self) -> str:
        """Place and value on one line."""
        text = " ".join(self.value.split())
        return f"{self.place} {text[:_LONGEST]}{'...' if len(text) > _LONGEST else ''}".strip()


Judge = Callable[[str, str], tuple[Fate, str]]


def judged(values: Mapping[str, str], judge: Judge) -> tuple[Statement, ...]:
    """A statement for each value of a header, with the fate that a judge gives to place and value."""
    return tuple(Statement(place, value, *judge(place, value)) for place, value in values.items())


def renewed(
    statements: Iterable[Statement], places: Iterable[str], fate: Fate, reason: str = ""
) -> tuple[Statement, ...]:
    """The statements, those at some places (without regard to case) with another fate."""
    chosen = {place.casefold() for place in places}
    return tuple(
        Statement(entry.place, entry.value, fate, reason) if entry.place.casefold() in chosen else entry
        for entry in statements
    )


def left_out_notes(statements: Iterable[Statement]) -> list[str]:
    """One remark for each reason, with all that is left out for it."""
    by_reason: dict[str, list[str]] = {}
    for entry in statements:
        if entry.fate is Fate.LEFT_OUT:
            by_reason.setdefault(entry.reason or NOT_KNOWN, []).append(entry.shown)
    return [f"left out, because {reason}: {'; '.join(dict.fromkeys(names))}" for reason, names in by_reason.items()]


def varying(runs: Sequence[Sequence[Statement]], framewise: Iterable[str]) -> tuple[Statement, ...]:
    """The statements of the first of several images; where others differ, that is said.

    `framewise` are places whose values are taken frame by frame, such as the start angle.
    """
    first = runs[0]
    own = {place.casefold() for place in framewise}
    later: dict[str, set[str]] = {}
    for run in runs[1:]:
        if run == first:
            continue
        for entry in run:
            later.setdefault(entry.place.casefold(), set()).add(entry.value)
    found = []
    for entry in first:
        others = later.get(entry.place.casefold(), set()) - {entry.value}
        found.append(entry)
        if others and entry.fate is Fate.USED and entry.place.casefold() not in own:
            last = max(others)
            reason = "it differs from image to image and the value of the first one is written"
            found.append(Statement(entry.place, f"{entry.value} ... {last}", Fate.LEFT_OUT, reason))
    return tuple(found)
