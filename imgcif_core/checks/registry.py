"""The registry: what a rule is, what it yields, and how inputs are provided by name."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from imgcif_core.checks.families import FAMILY_OF, FOR_ANY_DICTIONARY
from imgcif_core.checks.menders import MENDER_OF, MENDERS
from imgcif_core.checks.plugins import PluginFault, load_plugins
from imgcif_core.cif.document import Change, Place
from imgcif_core.errors import UsageError
from imgcif_core.findings import Severity
from imgcif_core.memory import uncollected
from imgcif_core.records import dataclass, field

FILE_INPUTS = frozenset({"document", "source", "dictionary", "options", "profile", "tolerances", "all_tables"})
# Modules without rules that a check would load for nothing.
_FOR_CONTRIBUTORS = frozenset({"__main__", "scaffold"})
HEADINGS = ("What", "Why", "How to fix", "Source")


class NotApplicable(Exception):
    """There is nothing in this file that the rule could judge."""


class NotChecked(Exception):
    """The rule could judge, but not in this run; the text says why."""


def say_beyond(count: int, most: int, what: str) -> None:
    """At the end of a rule that judges at most so many: what it left out is told as not checked."""
    if count > most:
        raise NotChecked(f"{count - most} {what} beyond the first {most}")


class Blocked(Exception):
    """An input cannot be built; the codes are those of the findings that say why."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


@dataclass(slots=True)
class Problem:
    """What a rule yields: a place, and the data that fill the rule's message.

    `count` is the number of occurrences that this problem stands for, `more` their places; `edits` are
    the changes of the text that mend all of them; `mender` is who can mend it, where that is another than
    the rule says.
    """

    place: Place
    severity: str | None
    variant: str
    help: str | None
    reference: str | None
    count: int
    more: list[Place]
    edits: list[Change]
    mender: str | None
    data: dict[str, Any]

    def __init__(
        self,
        place: Place,
        *,
        severity: str | None = None,
        variant: str = "",
        help: str | None = None,
        reference: str | None = None,
        count: int = 1,
        more: Iterable[Place] = (),
        edits: Iterable[Change] = (),
        mender: str | None = None,
        **data: Any,
    ) -> None:
        self.place = place
        self.severity = severity
        self.variant = variant
        self.help = help
        self.reference = reference
        self.count = count
        self.more = list(more)
        self.edits = list(edits)
        self.mender = mender
        self.data = data


_SENTENCE = re.compile(r"(?<=[^\s.])\.\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Rule:
    """One check: its code, its name, its messages and the function that makes it."""

    code: str
    name: str
    severity: Severity
    source: str
    messages: Mapping[str, str]
    function: Callable[..., Iterator[Problem]]
    inputs: tuple[str, ...]
    who: str = "author"
    helps: Mapping[str, str] = field(default_factory=dict)
    question: str = ""
    was: tuple[str, ...] = ()

    def answers_to(self, word: str) -> bool:
        """True if a word is the name, a former name, the code or the beginning of the code."""
        return word == self.name or word in self.was or self.code.startswith(word.upper())

    @property
    def family(self) -> str:
        """The letters of the code."""
        return self.code.rstrip("0123456789")

    @property
    def is_of_instrument(self) -> bool:
        """True if it can only judge by a dictionary that defines the instrument of imgCIF."""
        family = FAMILY_OF.get(self.family)
        return family is not None and family.is_of_instrument and self.code not in FOR_ANY_DICTIONARY

    @property
    def prose(self) -> dict[str, str]:
        """The docstring by its four headings."""
        return split_prose(self.function.__doc__ or "")

    def fix(self) -> str:
        """The first sentence of the prose on how to mend it."""
        return _first_remedy(self.function.__doc__ or "")


@dataclass(slots=True)
class _Registry:
    rules: dict[str, Rule] = field(default_factory=dict)
    providers: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = field(default_factory=dict)
    faults: tuple[PluginFault, ...] = ()


_REGISTRY = _Registry()


def rule(
    code: str,
    name: str,
    *,
    severity: str,
    source: str,
    message: str = "",
    messages: Mapping[str, str] | None = None,
    helps: Mapping[str, str] | None = None,
    who: str = "",
    question: str = "",
    was: tuple[str, ...] = (),
) -> Callable[[Callable[..., Iterator[Problem]]], Callable[..., Iterator[Problem]]]:
    """Register a generator of problems as the rule `code`.

    `severity` is the default; a problem may carry its own. `message` is a format template for the
    data of a problem, `messages` holds further templates by variant. `helps` are templates of the remedy
    by variant, where it is not the first sentence under How to fix for all of them. `who` can mend what
    it finds, where the table of menders does not say it: author, beamline, program, dictionary or journal;
    `question` is what its errors answer with a no: read, interpret, fetch or describe. `was` are former names,
    which are accepted still.

    Raises
    ------
    UsageError
        If the code is taken, or nobody is called like `who`.
    """
    family = FAMILY_OF.get(code.rstrip("0123456789"))
    asked = question or (family.question if family else "")
    mender = who or MENDER_OF.get(code, "author")
    if mender not in MENDERS:
        raise UsageError(f"rule {code}: {who} is none of {', '.join(sorted(MENDERS))}")

    def register(function: Callable[..., Iterator[Problem]]) -> Callable[..., Iterator[Problem]]:
        if code in _REGISTRY.rules:
            raise UsageError(f"rule code {code} is registered twice")
        templates = {"": message, **(messages or {})}
        unknown = set(helps or ()) - set(templates)
        if unknown:
            raise UsageError(f"rule {code} has remedies for messages that it has not: {', '.join(sorted(unknown))}")
        inputs = parameter_names(function)
        entry = Rule(
            code, name, Severity(severity), source, templates, function, inputs, mender, helps or {}, asked, was
        )
        _REGISTRY.rules[code] = entry
        return function

    return register


def provider(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function that builds the input `name`; its own parameters are inputs too."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if name in _REGISTRY.providers:
            raise UsageError(f"input {name} has two providers")
        _REGISTRY.providers[name] = (function, parameter_names(function))
        return function

    return register


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The parameter names of a plain function, without the cost of `inspect`.

    Raises
    ------
    UsageError
        If it is none, or takes parameters that cannot be given by name.
    """
    code = getattr(function, "__code__", None)
    if code is None or code.co_kwonlyargcount or code.co_posonlyargcount or code.co_flags & 0x0C:
        raise UsageError(f"{getattr(function, '__name__', function)!r} is no plain function of named inputs")
    found: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return found


@lru_cache(maxsize=1024)
def _first_remedy(docstring: str) -> str:
    """The first sentence under How to fix."""
    # A dot between blanks is the value of CIF, not the end of a sentence.
    head, *_ = _SENTENCE.split(split_prose(docstring).get("How to fix", ""), maxsplit=1)
    return head.strip().rstrip(".")


def split_prose(docstring: str) -> dict[str, str]:
    """The text under each of the four headings, white space folded."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in docstring.splitlines():
        text = line.strip()
        head, colon, rest = text.partition(":")
        if colon and head in HEADINGS:
            current = parts.setdefault(head, [])
            text = rest.strip()
        if text:
            current.append(text)
    return {head: " ".join(lines) for head, lines in parts.items()}


@lru_cache(maxsize=1)
def load_rules() -> dict[str, Rule]:
    """All rules by code: those of this package, and those of installed plug-ins."""
    with uncollected():
        _import_all("imgcif_core.checks")
    _REGISTRY.faults = tuple(load_plugins(_REGISTRY.rules, is_given))
    return dict(sorted(_REGISTRY.rules.items()))


def plugin_faults() -> tuple[PluginFault, ...]:
    """The packages whose rules do not run, and why."""
    load_rules()
    return _REGISTRY.faults


def is_given(name: str) -> bool:
    """True if there is an input of a name."""
    return name in FILE_INPUTS or name in ("tables", "block") or name in _REGISTRY.providers


def providers() -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """The builders of inputs by name."""
    return _REGISTRY.providers


def is_file_rule(inputs: tuple[str, ...]) -> bool:
    """True if nothing that the rule asks for depends on one block."""
    for name in inputs:
        if name in FILE_INPUTS:
            continue
        if name == "block" or name == "tables" or name not in _REGISTRY.providers:
            return False
        if not is_file_rule(_REGISTRY.providers[name][1]):
            return False
    return True


def _import_all(package_name: str) -> None:
    """Import every module below a package, so that its rules register themselves."""
    package = importlib.import_module(package_name)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in _FOR_CONTRIBUTORS:
            continue
        name = f"{package_name}.{module.name}"
        if module.ispkg:
            _import_all(name)
        else:
            importlib.import_module(name)
