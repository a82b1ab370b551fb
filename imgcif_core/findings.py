"""What a check says: spans, locations, findings and reports as plain frozen data."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from imgcif_core.records import dataclass, field

SCHEMA = "imgcif-check-report/1"
LEVELS = ("A", "B", "C", "G")
QUESTIONS = ("read", "interpret", "fetch", "describe")


class Severity(StrEnum):
    """How bad a finding is; compare with `at_least`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def at_least(self, other: "Severity") -> bool:
        """True if this severity is as grave as `other`, or graver."""
        return _RANK[self] >= _RANK[other]


_RANK = {Severity.ERROR: 3, Severity.WARNING: 2, Severity.INFO: 1}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: 1-based lines, columns in code points, end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding stands: block, item, row key and position in the text."""

    block: str | None = None
    category: str | None = None
    item: str | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None

    def as_dict(self) -> dict[str, Any]:
        """The location as the JSON report writes it."""
        span = self.span
        position = {
            "line": span.line if span else None,
            "column": span.column if span else None,
            "end_line": span.end_line if span else None,
            "end_column": span.end_column if span else None,
        }
        return {
            "block": self.block,
            "category": self.category,
            "item": self.item,
            "key": dict(self.key),
            **position,
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """A remedy as a change of text: what stands in the span becomes `text`.

    Lines and columns as in `Span`; an empty span inserts. A line feed in `text` stands for the line
    end of the file. `safe` is true where no number changes and only one legal reading exists.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    safe: bool

    def as_dict(self) -> dict[str, Any]:
        """The edit as the JSON report writes it."""
        return {
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "text": self.text,
            "safe": self.safe,
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """What an author answers to an alert: the problem as it was put, and the response."""

    problem: str
    response: str

    def as_dict(self) -> dict[str, str]:
        """The reply as the JSON report writes it."""
        return {"problem": self.problem, "response": self.response}


@dataclass(frozen=True, slots=True)
class OldReply:
    """A reply in the file that answers no alert of this report; `state` says why: no longer raised, not judged, ..."""

    rule: str
    block: str
    reply: Reply
    state: str

    def as_dict(self) -> dict[str, str]:
        """The reply as the JSON report writes it."""
        return {"rule": self.rule, "block": self.block, **self.reply.as_dict(), "state": self.state}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule has to say, with its place, its data and the way out.

    `edits` is the way out as changes of the text, all of them to be made together; empty where the
    remedy is no change of this text, or needs to know what only the author knows.
    `who` can mend it: author, beamline, program, dictionary or journal. `alert` is its name among the alerts
    of the profile, such as AXI002_ALERT_2_A, and `reply` what the author answered to it; `question` is the one of
    readiness that it bears on.
    """

    rule: str
    name: str
    severity: Severity
    message: str
    help: str = ""
    reference: str = ""
    location: Location = field(default_factory=Location)
    count: int = 1
    more: tuple[Location, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    source_line: str = ""
    edits: tuple[Edit, ...] = ()
    who: str = ""
    alert: str = ""
    reply: Reply | None = None
    question: str = ""

    @property
    def is_safely_mended(self) -> bool:
        """True if there are edits and all of them are safe."""
        return bool(self.edits) and all(edit.safe for edit in self.edits)

    @property
    def level(self) -> str:
        """The letter of the alert: A, B, C or G, empty where there is none."""
        return self.alert.rpartition("_")[2]

    def as_dict(self) -> dict[str, Any]:
        """The finding as the JSON report writes it."""
        return {
            "rule": self.rule,
            "name": self.name,
            "severity": str(self.severity),
            "message": self.message,
            "help": self.help,
            "reference": self.reference,
            "location": self.location.as_dict(),
            "count": self.count,
            "more": [place.as_dict() for place in self.more],
            "data": dict(self.data),
            "edits": [edit.as_dict() for edit in self.edits],
            "who": self.who,
            "alert": self.alert,
            **({"reply": self.reply.as_dict()} if self.reply else {}),
        }


@dataclass(frozen=True, slots=True)
class Blockage:
    """A rule that could not run, and the rules whose findings say why."""

    rule: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A rule that was not run, and the reason; `is_off` where profile or options do not ask for it."""

    rule: str
    reason: str
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How each rule ended that has no finding; rules with findings are in the findings."""

    clean: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    blocked: tuple[Blockage, ...] = ()
    not_checked: tuple[Unchecked, ...] = ()
    crashed: tuple[Unchecked, ...] = ()
    not_applicable_reasons: tuple[Unchecked, ...] = ()

    @property
    def off(self) -> dict[str, list[str]]:
        """The rules that nobody asked for, by the reason that they share."""
        found: dict[str, list[str]] = {}
        for entry in self.not_checked:
            if entry.is_off:
                found.setdefault(entry.reason, []).append(entry.rule)
        return found

    def as_dict(self) -> dict[str, Any]:
        """The outcomes as the JSON report writes them."""
        not_checked = [entry for entry in self.not_checked if not entry.is_off]
        return {
            "clean": list(self.clean),
            "not_applicable": list(self.not_applicable),
            "blocked": [{"rule": entry.rule, "by": list(entry.by)} for entry in self.blocked],
            "not_checked": [{"rule": entry.rule, "reason": entry.reason} for entry in not_checked],
            "crashed": [{"rule": entry.rule, "reason": entry.reason} for entry in self.crashed],
            "not_applicable_reasons": [
                {"rule": entry.rule, "reason": entry.reason} for entry in self.not_applicable_reasons
            ],
            "off": [{"reason": reason, "rules": rules} for reason, rules in self.off.items()],
        }


class Answer(StrEnum):
    """How a question of readiness is answered."""

    YES = "yes"
    NO = "no"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Ready:
    """The answer to one question, and why: codes of findings, or what is missing in words."""

    answer: Answer = Answer.NOT_CHECKED
    because: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The answer as the JSON report writes it."""
        return {"answer": str(self.answer), "because": list(self.because)}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Can the file be read, can its images be interpreted and fetched, and is it described?"""

    read: Ready = field(default_factory=Ready)
    interpret: Ready = field(default_factory=Ready)
    fetch: Ready = field(default_factory=Ready)
    describe: Ready = field(default_factory=Ready)

    def __iter__(self) -> Iterator[tuple[str, Ready]]:
        """Each question with its answer, in the order in which they matter."""
        for name in QUESTIONS:
            yield name, getattr(self, name)

    def as_dict(self) -> dict[str, Any]:
        """The answers as the JSON report writes them."""
        return {name: ready.as_dict() for name, ready in self}


LinkState = Literal["confirmed", "contradicted", "not checked"]


@dataclass(frozen=True, slots=True)
class LinkVerdict:
    """What came of following one link: `because` tells by what it was confirmed, or why it was not.

    size in bytes, digest as algorithm and hex, seen as the time of the answer (ISO 8601, UTC).
    """

    uri: str
    name: str
    state: LinkState
    because: str
    size: int | None = None
    digest: str | None = None
    validator: str | None = None
    seen: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain data."""
        told = {"uri": self.uri, "name": self.name, "verdict": self.state, "because": self.because}
        more = {"size": self.size, "digest": self.digest, "etag": self.validator, "date": self.seen or None}
        return told | {key: value for key, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class FileReport:
    """All that is said about one file.

    `scope` says what the file was judged as, where that is not a set of images; `replies` holds the levels of
    alerts to which an author has to reply, `old_replies` are those in the file to which there is no alert; `links` tell
    what came of each link, None where none was followed.
    """

    path: str
    sha256: str
    flavour: str
    profile: str
    findings: tuple[Finding, ...]
    outcomes: Outcomes = field(default_factory=Outcomes)
    readiness: Readiness = field(default_factory=Readiness)
    scope: str = ""
    replies: frozenset[str] = frozenset()
    old_replies: tuple[OldReply, ...] = ()
    links: tuple[LinkVerdict, ...] | None = None

    @property
    def unanswered(self) -> int:
        """The number of alerts to which the profile demands a reply, and that have none."""
        return sum(finding.level in self.replies and finding.reply is None for finding in self.findings)

    @property
    def alerts(self) -> dict[str, int]:
        """The number of alerts of each level, and of those that wait for a reply."""
        numbers = {level: sum(finding.level == level for finding in self.findings) for level in LEVELS}
        return {**numbers, "unanswered": self.unanswered}

    def count(self, severity: Severity | str) -> int:
        """The number of findings of one severity, also by its name.

        Raises
        ------
        ValueError
            If no severity has the name.
        """
        wanted = Severity(severity)
        return sum(finding.severity is wanted for finding in self.findings)

    @property
    def conforming(self) -> bool:
        """True when there is no error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The file's part of the JSON report."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "flavour": self.flavour,
            "profile": self.profile,
            "conforming": self.conforming,
            "counts": {str(severity): self.count(severity) for severity in Severity},
            "findings": [finding.as_dict() for finding in self.findings],
            "outcomes": self.outcomes.as_dict(),
            "readiness": self.readiness.as_dict(),
            "alerts": self.alerts,
            **({"old_replies": [old.as_dict() for old in self.old_replies]} if self.old_replies else {}),
            **({"links": [verdict.as_dict() for verdict in self.links]} if self.links is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class DictionaryIdentity:
    """Which dictionary judged: enough to repeat the run; `gaps` says what of its imports was not to be had."""

    title: str
    version: str
    date: str
    sha256: str
    origin: str
    gaps: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The identity as the JSON report writes it."""
        identity: dict[str, Any] = {
            "title": self.title,
            "version": self.version,
            "date": self.date,
            "sha256": self.sha256,
            "origin": self.origin,
        }
        return identity | ({"gaps": list(self.gaps)} if self.gaps else {})


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one run over one or more files."""

    version: str
    dictionaries: tuple[DictionaryIdentity, ...]
    files: tuple[FileReport, ...]

    @property
    def conforming(self) -> bool:
        """True when no file has an error."""
        return all(entry.conforming for entry in self.files)

    def findings(self, severity: Severity | None = None) -> Iterator[Finding]:
        """The findings of all files, or those at or above a severity."""
        for entry in self.files:
            for finding in entry.findings:
                if severity is None or finding.severity.at_least(severity):
                    yield finding

    def exit_status(self, fail_on: Severity | None = Severity.ERROR, require: Iterable[str] = ()) -> int:
        """0 nothing at or above `fail_on`, 1 findings, or a no to a question of `require`; 3 a rule crashed."""
        if any(entry.outcomes.crashed for entry in self.files):
            return 3
        answers = (getattr(entry.readiness, name).answer for name in require for entry in self.files)
        if any(answer is Answer.NO for answer in answers):
            return 1
        return int(fail_on is not None and any(True for _ in self.findings(fail_on)))

    def as_dict(self) -> dict[str, Any]:
        """The report in the public JSON schema."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "imgcif-check", "version": self.version},
            "dictionaries": [entry.as_dict() for entry in self.dictionaries],
            "files": [entry.as_dict() for entry in self.files],
        }
