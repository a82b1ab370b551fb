"""The engine: builds inputs once, runs the rules, and records how each one ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from imgcif_core.checks.answers import with_answers
from imgcif_core.checks.causes import Ledger, causes_first
from imgcif_core.checks.clock import Alarm, Clock, TimeUp
from imgcif_core.checks.endings import Record, outcomes_of
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
    FileReport,
    Finding,
    LinkVerdict,
    Location,
    Outcomes,
    Readiness,
    Ready,
    Severity,
)
from imgcif_core.limits import Budget
from imgcif_core.memory import is_exhausted
from imgcif_core.tables import Tables

# Each block costs the start of every rule; what lies beyond is told as not checked.
MAX_BLOCKS = 1000
# Save frames of a dictionary: each costs the start of the rules that judge it.
MAX_FRAMES = 5000


class Crashed(Exception):
    """A provider stopped on a fault of ours; the rules that need it cannot run."""


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
        self._asked: set[str] = set()
        self._order: dict[str, int] = {}
        self._known = 0
        self._of_file: dict[str, bool] = {} if parent is None else parent._of_file

    def get(self, name: str) -> Any:
        """The input, or the exception that its provider raised."""
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

    def get_all(self, names: Iterable[str]) -> dict[str, Any]:
        """Some inputs by name, or the first exception of a provider; most have been built for other rules."""
        own = self._values
        above = own if self._parent is None else self._parent._values
        return {name: own[name] if name in own else above[name] if name in above else self.get(name) for name in names}

    def is_built(self, name: str) -> bool:
        """True if an input has been asked for before."""
        return name in self._values or name in self._failures

    def has_failed(self, name: str) -> bool:
        """True if an input has been asked for before and could not be built."""
        return name in self._failures or (self._parent is not None and self._parent.has_failed(name))

    def watch(self) -> None:
        """Begin to note the categories of the block that are asked for."""
        self._asked, self._known = set(), len(self._rests_on)
        if self._tables is not None:
            self._tables.asked = self._asked

    def asked(self, names: Iterable[str]) -> set[str]:
        """The categories asked for since `watch`, and those on which inputs rest that had been built before.

        What is asked for from the first input on that was built since then is noted for that input alone, and
        nothing is asked for after one that failed.
        """
        found = set(self._asked)
        for name in names:
            if name in self._rests_on:
                if self._order[name] >= self._known:
                    break
                found |= self._rests_on[name]
            if self.has_failed(name):
                break
        return found

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
        tables = self._tables
        if tables is not None:
            before, tables.asked = tables.asked, set()
            self._order[name] = len(self._rests_on)
            self._rests_on[name] = tables.asked
        try:
            arguments = {}
            for key in parameters:
                if tables is not None and key in self._rests_on:
                    tables.asked |= self._rests_on[key]
                arguments[key] = self.get(key)
            value = function(**arguments)
            # What is handed on is frozen already.
            is_new = all(value is not argument for argument in arguments.values())
            self._values[name] = frozen(value) if is_new else value
        except (Blocked, NotApplicable, NotChecked, Crashed) as failure:
            self._failures[name] = failure
        except TimeUp as error:
            self._failures[name] = Crashed(f"input {name} was not built: {error}")
        except Ended:
            raise
        except (Exception, SystemExit) as error:
            _raise_if_out_of_memory(error)
            self._failures[name] = Crashed(f"input {name} stopped on {_describe(error)}")
            self._failures[name].__cause__ = error
        finally:
            if tables is not None:
                tables.asked = before | self._rests_on[name]


class _Step(NamedTuple):
    """A rule, with what does not change from file to file."""

    rule: Rule
    is_of_file: bool
    is_of_instrument: bool


class _Steps:
    """The rules in the order in which they run, and those that a profile leaves out; kept from file to file."""

    def __init__(self) -> None:
        self._rules: Mapping[str, Rule] = {}
        self._steps: list[_Step] = []
        self._profile: Profile | None = None
        self._off: frozenset[str] = frozenset()

    def of(self, rules: Mapping[str, Rule]) -> list[_Step]:
        """The steps of some rules."""
        if rules is not self._rules:
            ordered = causes_first(rules.values())
            self._steps = [_Step(rule, is_file_rule(rule.inputs), rule.is_of_instrument) for rule in ordered]
            self._rules, self._profile = rules, None
        return self._steps

    def left_out(self, profile: Profile) -> frozenset[str]:
        """The codes of rules that do not count under a profile."""
        if profile is not self._profile:
            self._off = frozenset(code for code in self._rules if not profile.is_active(code))
            self._profile = profile
        return self._off


_STEPS = _Steps()


class _Run:
    """One run of the rules over a file: what all of them share."""

    def __init__(self, options: CheckOptions, profile: Profile, clock: Clock, alarm: Alarm) -> None:
        self.options, self.profile, self.clock, self.alarm = options, profile, clock, alarm
        self.ledger = Ledger()
        self.is_limited = clock.is_limited
        # Waiting for servers has an end of its own.
        self.patience = options.online.seconds if options.online is not None else 0.0
        # Pixels of many images take as long as they take; their decoders have a limit of their own.
        self.is_long = options.images in ("sample", "all")


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
            with Alarm() as alarm:
                run = _Run(options, profile, clock, alarm)
                findings, outcomes = _run_all(run, top, inner, unjudged=unjudged)
                ready = _readiness(document, dictionary, run, inner, findings)
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
    except (Blocked, NotApplicable, NotChecked, Crashed):
        return None
    return tuple(found.verdicts.values()) if found is not None else None


def _readiness(
    document: Document, dictionary: Dictionary, run: _Run, inner: Sequence[Inputs], findings: Sequence[Finding]
) -> Readiness:
    """The answers to the four questions; not checked where an input of theirs stopped on a fault of ours."""
    try:
        try:
            run.alarm.start(run.clock.for_rule())
            return readiness(document, dictionary, run.profile, [inputs.get for inputs in inner], findings)
        finally:
            run.alarm.stop()
    except (Crashed, TimeUp) as crash:
        unknown = Ready(Answer.NOT_CHECKED, (str(crash),))
        return Readiness(unknown, unknown, unknown, unknown)


def _run_all(run: _Run, top: Inputs, inner: Sequence[Inputs], *, unjudged: int) -> tuple[list[Finding], Outcomes]:
    """All findings, and the outcome of every rule that has none."""
    findings: list[Finding] = []
    rules = load_rules()
    records = {code: Record() for code in rules}
    of_file = [top]
    blocks_alone = [inputs for inputs in inner if inputs.get("block").kind != "save"]
    steps = _STEPS.of(rules)
    skipped = _skipped(run, steps, top.get("dictionary"))
    for step in steps:
        rule, is_of_file, is_of_instrument = step
        record = records[rule.code]
        reason = skipped.get(rule.code) or (run.clock.is_up() if run.is_limited else "")
        if reason:
            record.end("not_checked", reason)
            continue
        if unjudged and not is_of_file:
            record.end("not_checked", f"{unjudged} data blocks beyond the first {MAX_BLOCKS}")
        for inputs in of_file if is_of_file else blocks_alone if is_of_instrument else inner:
            findings.extend(_run_one(step, inputs, run, record))
    found = {finding.rule for finding in findings}
    quiet = {code: record for code, record in records.items() if code not in found or "crashed" in record.endings}
    for fault in plugin_faults():
        quiet.setdefault(fault.package, Record()).end("crashed", fault.reason)
        findings.append(_plugin_finding(fault))
    return findings, outcomes_of(quiet, skipped)


def _skipped(run: _Run, steps: Iterable[_Step], dictionary: Dictionary) -> dict[str, str]:
    """The codes of rules that are not run at all, and why."""
    options, profile = run.options, run.profile
    found = dict.fromkeys(_STEPS.left_out(profile), f"off in profile {profile.name}")
    rules = [step.rule for step in steps]
    if options.select:
        found = {rule.code: "not selected" for rule in rules if not _named(rule, options.select)} | found
    if options.ignore:
        found = {rule.code: "ignored on request" for rule in rules if _named(rule, options.ignore)} | found
    if not dictionary.is_imgcif:
        reason = f"dictionary {dictionary.title} does not define the instrument of imgCIF"
        found |= {step.rule.code: reason for step in steps if step.is_of_instrument}
    return found


def _named(rule: Rule, codes: Sequence[str]) -> bool:
    """True if a list of codes, names or code prefixes names the rule."""
    return any(rule.answers_to(code) for code in codes)


def _run_one(step: _Step, inputs: Inputs, run: _Run, record: Record) -> Sequence[Finding]:
    """Run a rule on one set of inputs; whatever happens is recorded, and what was found before it is kept."""
    rule, clock = step.rule, run.clock
    causes: set[str] = set()
    found: Sequence[Finding] = ()
    error: BaseException | None = None
    given: float | None = None
    inputs.watch()
    try:
        try:
            if run.is_limited and not run.is_long:
                run.alarm.start(given := clock.for_rule(run.patience))
            arguments = inputs.get_all(rule.inputs)
            if run.is_limited:
                run.alarm.start(given := clock.for_rule(run.patience))
            problems = iter(rule.function(**arguments))
            # Most rules find nothing.
            first = next(problems, None)
            if first is not None:
                attempt = _Kept(chain((first,), problems))
                kept = run.ledger.sift(rule, attempt, run.profile, causes)
                found = list(gather(rule, kept, run.profile))
                error = attempt.error
        finally:
            run.alarm.stop()
    except Ended:
        raise
    except (Exception, SystemExit, TimeUp) as fault:
        _raise_if_out_of_memory(fault)
        error = fault
    if error is None:
        record.end("findings" if found else "blocked" if causes else "clean", by=causes)
    elif isinstance(error, NotApplicable):
        block = None if step.is_of_file else inputs.get("block").name
        if run.ledger.prevents_any(rule):
            causes |= run.ledger.prevents(rule, block, inputs.asked(rule.inputs), is_of_file=step.is_of_file)
        record.end("blocked" if causes else "not_applicable", by=causes)
        record.not_applicable(str(error))
    elif isinstance(error, TimeUp) and clock.stopped_early(given, run.patience):
        record.end("not_checked", clock.is_up() or str(error))
    elif isinstance(error, NotChecked):
        reason = str(error)
        record.end("not_checked", None if reason in record.reasons[-1:] else reason)
    elif isinstance(error, Blocked):
        record.end("blocked", by=error.codes)
    else:
        reason = str(error) if isinstance(error, (Crashed, TimeUp)) else _describe(error)
        record.end("crashed", reason)
        trace = _trace(error.__cause__ or error) if run.options.debug else []
        found = [*found, _crash_finding(rule, reason, trace, is_partial=bool(found))]
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


def _position(finding: Finding) -> tuple[int, int, str]:
    """Sort key: order of the file, whole-file findings first."""
    span = finding.location.span
    return (span.line, span.column, finding.rule) if span else (0, 0, finding.rule)
