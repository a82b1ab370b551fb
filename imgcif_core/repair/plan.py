"""The repairs that a report offers: one for each finding that comes with edits."""

from collections.abc import Iterator
from typing import Any

from imgcif_core.cif.document import Source
from imgcif_core.errors import ImgcifError
from imgcif_core.findings import Edit, FileReport, Finding
from imgcif_core.records import dataclass
from imgcif_core.repair.apply import patches_of
from imgcif_core.repair.differences import unified

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Repair:
    """One finding with the edits that mend it, and what they look like.

    `number` counts from 1 in the order of the file; `line` is that of the first edit, `before` and
    `after` are that line without and with the edits, `diff` is the unified diff of all of them.
    """

    number: int
    finding: Finding
    line: int
    before: str
    after: str
    diff: str

    @property
    def rule(self) -> str:
        """The code of the rule that asks for it."""
        return self.finding.rule

    @property
    def is_safe(self) -> bool:
        """True if no number changes and only one legal reading exists."""
        return self.finding.is_safely_mended

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The changes of the text."""
        return self.finding.edits

    def as_dict(self) -> dict[str, Any]:
        """The repair as plain data."""
        return {
            "number": self.number,
            "rule": self.rule,
            "name": self.finding.name,
            "severity": str(self.finding.severity),
            "message": self.finding.message,
            "help": self.finding.help,
            "safe": self.is_safe,
            "line": self.line,
            "count": len(self.edits),
            "before": self.before,
            "after": self.after,
            "diff": self.diff,
            "edits": [edit.as_dict() for edit in self.edits],
        }


def repairs_of(source: Source, report: FileReport) -> list[Repair]:
    """The repairs that the findings of a file offer, in the order of the file.

    `report` must be that of the very bytes in `source`.
    """
    return [_repair(source, number, finding) for number, finding in enumerate(_mendable(source, report), 1)]


def _mendable(source: Source, report: FileReport) -> Iterator[Finding]:
    """Findings with edits that fit the text."""
    for finding in report.findings:
        if finding.edits:
            try:
                patches_of(source, finding.edits)
            except ImgcifError:
                continue
            yield finding


def _repair(source: Source, number: int, finding: Finding) -> Repair:
    """One finding as a repair."""
    diff = unified(source, patches_of(source, finding.edits))
    lines = [line for line in diff.splitlines()[2:] if line[:1] in "+-"]
    before = next((line[1:] for line in lines if line.startswith("-")), "")
    after = next((line[1:] for line in lines if line.startswith("+")), "")
    line = min(edit.line for edit in finding.edits)
    return Repair(number, finding, line, before[:LONGEST], after[:LONGEST], diff)
