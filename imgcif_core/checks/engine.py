"""The engine: builds inputs once, runs the rules, and records how each one ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from imgcif_core.checks.answers import with_answers
from imgcif_core.checks.causes import Ledger, causes_first
from imgcif_core.checks.clock import Clock, TimeUp, limited
from imgcif_core.checks.flavour import choose_profile, flavour, judges_frames
from imgcif_core.checks.freeze import frozen
from imgcif_core.checks.grouping import gather
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.plugins import PluginFault
from imgcif_core.checks.profiles import Profile, load_profile
from imgcif_core.checks.readiness import readiness
from imgcif_core.checks.registry import (
    Blocked,
    NotApplicable,
    NotChecked,
    Problem,
    Rule,
    is_file_rule,
    load_rules,
    plugin_faults,
    providers,
)
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import Ended, UsageError
from imgcif_core.findings import (
    Answer,
    Blockage,
    FileReport,
    Finding,
    LinkVerdict,
    Location,
    Outcomes,
    Readiness,
    Ready,
    Severity,
    Unchecked,
)
from imgcif_core.limits import Budget
from imgcif_core.memory import is_exhausted
from imgcif_core.records import dataclass, field
from imgcif_core.tables import Tables

MAX_BLOCKS = 1000
MAX_FRAMES = 5000


class _Crashed(Exception):
    """A provider stopped on a fault of ours; the rules that need it cannot run."""


class _Watch:
    """The categories of the block that are asked for within, directly or by inputs."""

    __slots__ = ("_before", "_tables", "asked")

    def __init__(self, tables: Tables | None) -> None:
        self._tables = tables
        self.asked: set[str] = set()

    def __enter__(self) -> set[str]:
        if self._tables is not None:
            self._before, self._tables.asked = self._tables.asked, self.asked
        return self.asked

    def __exit__(self, *_: object) -> None:
        if self._tables is not None:
            self._tables.asked = self._before | self.asked


class _Kept:
    """Problems of a rule until it ends; what it raises is kept, so that nothing that it has found is lost."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._problems = problems
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[Problem]:
        try:
            for problem in self._problems:
                if not isinstance(problem, Problem):
                    raise TypeError(f"a rule yields problems, not {type(problem).__name__}")
                yield problem
        except (GeneratorExit, KeyboardInterrupt, Ended):
            raise
        except (Exception, SystemExit, TimeUp) as error:
            _raise_if_out_of_memory(error)
            self.error = error


def _raise_if_out_of_memory(error: BaseException) -> None:
    """Raise an error again that ends the whole check: where the memory is used up, no other rule would have more."""
    if isinstance(error, MemoryError) and is_exhausted():
        raise error


class Inputs:
    """Inputs by name, each built once; those of a block look up those of the file."""

    def __init__(self, values: Mapping[str, Any], parent: "Inputs | None" = None) -> None:
        self._values = dict(values)
        self._failures: dict[str, Exception] = {}
        self._parent = parent
        self._tables: Tables | None = values.get("tables")
        self._rests_on: dict[str, set[str]] = {}
        self._of_file: dict[str, bool] = {} if parent is None else parent._of_file

    def get(self, name: str) -> Any:
        """The input, or the exception that its provider raised."""
        if self._tables is not None and name in self._rests_on:
            self._tables.asked |= self._rests_on[name]
        if name in self._values:
            return self._values[name]
        if self._parent is not None and (name in self._parent._values or self._belongs_to_file(name)):
            return self._parent.get(name)
        if name not in self._failures:
            self._build(name)
        if name in self._failures:
            # Each raise adds to the trace of an exception, and keeps alive all that stands in its frames.
            raise self._failures[name].with_traceback(None)
        return self._values[name]

    def is_built(self, name: str) -> bool:
        """True if an input has been asked for before."""
        return name in self._values or name in self._failures

    def watch(self) -> _Watch:
        """Note the categories of the block that are asked for within, directly or by inputs."""
        return _Watch(self._tables)

    def close(self) -> None:
        """Let go of inputs that hold open files or temporary folders."""
        for value in self._values.values():
            close = getattr(value, "close", None)
            if callable(close):
                close()

    def _belongs_to_file(self, name: str) -> bool:
        """True if a provider needs nothing of the block."""
        if name not in self._of_file:
            found = providers().get(name)
            self._of_file[name] = found is not None and is_file_rule(found[1])
        return self._of_file[name]

    def _build(self, name: str) -> None:
        """Run the provider and keep its value or its exception."""
        if name not in providers():
            raise UsageError(f"no provider gives the input {name}")
        function, parameters = providers()[name]
        try:
            with self.watch() as asked:
                self._rests_on[name] = asked
                self._values[name] = frozen(function(**{key: self.get(key) for key in parameters}))
        except (Blocked, NotApplicable, NotChecked, _Crashed) as failure:
            self._failures[name] = failure
        except TimeUp as error:
            self._failures[name] = _Crashed(f"input {name} was not built: {error}")
        except Ended:
            raise
        except (Exception, SystemExit) as error:
            _raise_if_out_of_memory(error)
            self._failures[name] = _Crashed(f"input {name} stopped on {_describe(error)}")
            self._failures[name].__cause__ = error


@dataclass(slots=True)
class _Record:
    """How one rule ended in each place where it ran."""

    endings: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)
    inapplicable: dict[str, None] = field(default_factory=dict)
    by: set[str] = field(default_factory=set)


def inputs_of(document: Document, dictionary: Dictionary, options: CheckOptions) -> tuple[Inputs, list[Inputs]]:
    """The inputs of a file, and those of each block and of each save frame that is judged; to be closed."""
    blocks = [block for block in document.blocks if options.block in (None, block.name)]
    all_tables = [Tables(block, dictionary) for block in blocks[:MAX_BLOCKS]]
    for tables in all_tables:
        tables.file = all_tables
    room = MAX_FRAMES if judges_frames(document, dictionary) else 0
    frames = [Tables(frame, dictionary) for block in blocks for frame in block.frames[:room]][:room]
    name = choose_profile(document, all_tables) if options.profile == "auto" else options.profile
    profile = load_profile(name)
    top = Inputs(
        {
            "document": document,
            "source": document.source,
            "dictionary": dictionary,
            "options": options,
            "budget": Budget(options.limits, document.source.size),
            "profile": profile,
            "tolerances": Tolerances(),
            "all_tables": all_tables,
        }
    )
    return top, [Inputs({"tables": tables, "block": tables.block}, top) for tables in (*all_tables, *frames)]


def check_document(document: Document, dictionary: Dictionary, options: CheckOptions) -> FileReport:
    """Run every rule that the options and the profile ask for over one document."""
    blocks = [block for block in document.blocks if options.block in (None, block.name)]
    top, inner = inputs_of(document, dictionary, options)
    profile, all_tables = top.get("profile"), top.get("all_tables")
    try:
        # Numbers at the ends of the range overflow somewhere; what comes of it is judged, not warned of.
        with np.errstate(all="ignore"):
            clock = Clock(options.rule_seconds, top.get("budget"))
            unjudged = len(blocks) - len(all_tables)
            findings, outcomes = _run_all(profile, options, top, inner, unjudged=unjudged, clock=clock)
            ready = _readiness(document, dictionary, profile, inner, findings, clock)
            findings, old_replies = with_answers(findings, outcomes, document, all_tables)
            links = _links(top)
    finally:
        for inputs in (*inner, top):
            inputs.close()
    return FileReport(
        document.source.path,
        document.source.sha256,
        flavour(document, all_tables),
        profile.name,
        tuple(sorted(findings, key=_position)),
        outcomes,
        ready,
        profile.scope,
        profile.replies,
        old_replies,
        links,
    )


def _links(top: Inputs) -> tuple[LinkVerdict, ...] | None:
    """What came of the links that rules had followed, None where none were."""
    try:
        is_followed = top.get("options").online is not None and top.is_built("any_evidence")
        found = top.get("any_evidence") if is_followed else None
    except (Blocked, NotApplicable, NotChecked, _Crashed):
        return None
    return tuple(found.verdicts.values()) if found is not None else None


def _readiness(
    document: Document,
    dictionary: Dictionary,
    profile: Profile,
    inner: Sequence[Inputs],
    findings: Sequence[Finding],
    clock: Clock,
) -> Readiness:
    """The answers to the four questions; not checked where an input of theirs stopped on a fault of ours."""
    try:
        with limited(clock.for_rule()):
            return readiness(document, dictionary, profile, [inputs.get for inputs in inner], findings)
    except (_Crashed, TimeUp) as crash:
        unknown = Ready(Answer.NOT_CHECKED, (str(crash),))
        return Readiness(unknown, unknown, unknown, unknown)


def _run_all(
    profile: Profile, options: CheckOptions, top: Inputs, inner: Sequence[Inputs], *, unjudged: int, clock: Clock
) -> tuple[list[Finding], Outcomes]:
    """All findings, and the outcome of every rule that has none."""
    findings: list[Finding] = []
    records = {code: _Record() for code in load_rules()}
    ledger = Ledger()
    blocks_alone = [inputs for inputs in inner if inputs.get("block").kind != "save"]
    for rule in causes_first(load_rules().values()):
        record = records[rule.code]
        reason = _reason_to_skip(rule, profile, options, top.get("dictionary")) or clock.is_up()
        if reason:
            record.endings.add("not_checked")
            record.reasons.append(reason)
            continue
        is_of_file = is_file_rule(rule.inputs)
        if unjudged and not is_of_file:
            record.endings.add("not_checked")
            record.reasons.append(f"{unjudged} data blocks beyond the first {MAX_BLOCKS}")
        places = [top] if is_of_file else blocks_alone if rule.is_of_instrument else inner
        for inputs in places:
            findings.extend(_run_one(rule, inputs, profile, record, ledger, clock))
    found = {finding.rule for finding in findings}
    quiet = {code: record for code, record in records.items() if code not in found or "crashed" in record.endings}
    for fault in plugin_faults():
        record = quiet.setdefault(fault.package, _Record())
        record.endings.add("crashed")
        record.reasons.append(fault.reason)
        findings.append(_plugin_finding(fault))
    return findings, _outcomes(quiet)


def _reason_to_skip(rule: Rule, profile: Profile, options: CheckOptions, dictionary: Dictionary) -> str:
    """Why a rule is not run at all, or an empty text."""
    if rule.is_of_instrument and not dictionary.is_imgcif:
        return f"dictionary {dictionary.title} does not define the instrument of imgCIF"
    if not profile.is_active(rule.code):
        return f"off in profile {profile.name}"
    if options.select and not _named(rule, options.select):
        return "not selected"
    return "ignored on request" if _named(rule, options.ignore) else ""


def _named(rule: Rule, codes: Sequence[str]) -> bool:
    """True if a list of codes, names or code prefixes names the rule."""
    return any(rule.name == code or rule.code.startswith(code.upper()) for code in codes)


def _run_one(
    rule: Rule, inputs: Inputs, profile: Profile, record: _Record, ledger: Ledger, clock: Clock
) -> Sequence[Finding]:
    """Run a rule on one set of inputs; whatever happens is recorded, and what was found before it is kept."""
    causes: set[str] = set()
    asked: set[str] = set()
    found: Sequence[Finding] = ()
    error: BaseException | None = None
    given: float | None = None
    # Pixels of many images take as long as they take; their decoders have a limit of their own.
    options = inputs.get("options")
    is_long = options.images in ("sample", "all")
    # Waiting for servers has an end of its own.
    patience = options.online.seconds if options.online is not None else 0.0
    try:
        with inputs.watch() as asked:
            given = None if is_long else clock.for_rule(patience)
            with limited(given):
                arguments = {name: inputs.get(name) for name in rule.inputs}
            given = clock.for_rule(patience)
            with limited(given):
                attempt = _Kept(rule.function(**arguments))
                problems = iter(attempt)
                first = next(problems, None)
                if first is not None:
                    kept = ledger.sift(rule, chain((first,), problems), profile, causes)
                    found = list(gather(rule, kept, profile))
        error = attempt.error
    except Ended:
        raise
    except (Exception, SystemExit, TimeUp) as fault:
        _raise_if_out_of_memory(fault)
        error = fault
    if isinstance(error, NotApplicable):
        is_of_file = is_file_rule(rule.inputs)
        block = None if is_of_file else inputs.get("block").name
        causes |= ledger.prevents(rule, block, asked, is_of_file=is_of_file)
        record.endings.add("blocked" if causes else "not_applicable")
        record.by |= causes
        record.inapplicable[str(error)] = None
    elif isinstance(error, TimeUp) and clock.stopped_early(given, patience):
        record.endings.add("not_checked")
        record.reasons.append(clock.is_up() or str(error))
    elif isinstance(error, NotChecked):
        record.endings.add("not_checked")
        if str(error) not in record.reasons[-1:]:
            record.reasons.append(str(error))
    elif isinstance(error, Blocked):
        record.endings.add("blocked")
        record.by.update(error.codes)
    elif error is not None:
        record.endings.add("crashed")
        record.reasons.append(str(error) if isinstance(error, (_Crashed, TimeUp)) else _describe(error))
        trace = _trace(error.__cause__ or error) if inputs.get("options").debug else []
        found = [*found, _crash_finding(rule, record.reasons[-1], trace, is_partial=bool(found))]
    else:
        record.endings.add("findings" if found else "blocked" if causes else "clean")
        record.by |= causes
    return found


def _describe(error: BaseException) -> str:
    """One line about a fault of ours: its type, its text and where it arose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        where = f" at {module}:{trace.tb_lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}{where}"


def _trace(error: BaseException) -> list[str]:
    """Where a fault arose and how it came there, the innermost call last."""
    trace, steps = error.__traceback__, []
    while trace is not None:
        code = trace.tb_frame.f_code
        steps.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return [*steps, f"{type(error).__name__}: {error}"]


def _plugin_finding(fault: PluginFault) -> Finding:
    """The finding that names a package whose rules do not run."""
    return Finding(
        fault.package,
        "plug-in-not-usable",
        Severity.WARNING,
        f"rules of the package {fault.package} do not run: {fault.reason}",
        "tell the makers of the package, or take it out",
        location=Location(),
        data={"crash": fault.reason},
    )


def _crash_finding(rule: Rule, reason: str, trace: list[str], *, is_partial: bool = False) -> Finding:
    """The finding that says which rule crashed."""
    share = "did not finish" if is_partial else "judged nothing"
    return Finding(
        rule.code,
        rule.name,
        Severity.WARNING,
        f"rule {rule.code} crashed and {share} - {reason}",
        "report this fault of the checker, with the file if possible",
        location=Location(),
        data={"crash": reason, **({"trace": trace} if trace else {})},
    )


def _outcomes(records: Mapping[str, _Record]) -> Outcomes:
    """The outcome of each rule over all blocks: what kept it from judging comes first."""
    clean, not_applicable, blocked, not_checked, crashed, reasons = [], [], [], [], [], []
    for code, record in records.items():
        if "crashed" in record.endings:
            crashed.append(Unchecked(code, record.reasons[-1]))
        elif "blocked" in record.endings:
            blocked.append(Blockage(code, tuple(sorted(record.by))))
        elif "not_checked" in record.endings:
            not_checked.append(Unchecked(code, "; ".join(dict.fromkeys(record.reasons))))
        elif "clean" in record.endings:
            clean.append(code)
        else:
            not_applicable.append(code)
            known = "; ".join(filter(None, record.inapplicable))
            reasons.append(Unchecked(code, known or "nothing to judge"))
    return Outcomes(
        tuple(clean), tuple(not_applicable), tuple(blocked), tuple(not_checked), tuple(crashed), tuple(reasons)
    )


def _position(finding: Finding) -> tuple[int, int, str]:
    """Sort key: order of the file, whole-file findings first."""
    span = finding.location.span
    return (span.line, span.column, finding.rule) if span else (0, 0, finding.rule)
