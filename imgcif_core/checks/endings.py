"""How rules ended in each place where they ran, and the one outcome that each of them has for a file."""

from collections.abc import Container, Iterable, Mapping
from typing import Literal

from imgcif_core.findings import Blockage, Outcomes, Unchecked

Ending = Literal["crashed", "blocked", "not_checked", "clean", "not_applicable", "findings"]


class Record:
    """How one rule ended in each place where it ran; there are some hundred of them for each file, mostly empty."""

    __slots__ = ("_by", "_inapplicable", "_reasons", "endings")

    def __init__(self) -> None:
        self.endings: tuple[Ending, ...] = ()
        self._reasons: list[str] | None = None
        self._inapplicable: dict[str, None] | None = None
        self._by: set[str] | None = None

    @property
    def reasons(self) -> list[str]:
        """Why it was not checked or crashed, in the order of the places."""
        return self._reasons or []

    def end(self, ending: Ending, reason: str | None = None, *, by: Iterable[str] = ()) -> None:
        """Note an ending, why, and the codes of the causes."""
        if ending not in self.endings:
            self.endings = (*self.endings, ending)
        if by:
            self._by = {*(self._by or ()), *by}
        if reason is not None:
            if self._reasons is None:
                self._reasons = []
            self._reasons.append(reason)

    def not_applicable(self, reason: str) -> None:
        """Note why there was nothing to judge in a place, once for all places of which this is true."""
        if self._inapplicable is None:
            self._inapplicable = {}
        self._inapplicable[reason] = None

    @property
    def by(self) -> tuple[str, ...]:
        """The codes of the causes."""
        return tuple(sorted(self._by or ()))

    @property
    def inapplicable(self) -> str:
        """Why there was nothing to judge."""
        return "; ".join(filter(None, self._inapplicable or ())) or "nothing to judge"


def outcomes_of(records: Mapping[str, Record], off: Container[str] = ()) -> Outcomes:
    """The outcome of each rule over all blocks: what kept it from judging comes first; `off` are not asked for."""
    clean, not_applicable, blocked, not_checked, crashed, reasons = [], [], [], [], [], []
    for code, record in records.items():
        endings = record.endings
        if endings == ("clean",):
            clean.append(code)
        elif "crashed" in endings:
            crashed.append(Unchecked(code, record.reasons[-1]))
        elif "blocked" in endings:
            blocked.append(Blockage(code, record.by))
        elif "not_checked" in endings:
            not_checked.append(Unchecked(code, "; ".join(dict.fromkeys(record.reasons)), code in off))
        elif "clean" in endings:
            clean.append(code)
        else:
            not_applicable.append(code)
            reasons.append(Unchecked(code, record.inapplicable))
    return Outcomes(
        tuple(clean), tuple(not_applicable), tuple(blocked), tuple(not_checked), tuple(crashed), tuple(reasons)
    )
