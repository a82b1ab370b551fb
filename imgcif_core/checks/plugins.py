"""Rules of other packages: found by entry point, kept apart where they cannot be loaded or make no sense."""

import os
import string
import sys
from collections.abc import Callable
from typing import Any

from imgcif_core.errors import Ended, UsageError
from imgcif_core.records import dataclass

GROUP = "imgcif_core.rules"


@dataclass(frozen=True, slots=True)
class PluginFault:
    """A package whose rules do not run, all or some of them, and why."""

    package: str
    reason: str


def load_plugins(rules: dict[str, Any], is_given: Callable[[str], bool]) -> list[PluginFault]:
    """Import what other packages announce; what they raise is a fault of theirs, whatever it is.

    Rules by code register themselves in `rules`, and are taken out again where they cannot run; `is_given`
    tells whether there is an input of a name.
    """
    if not _is_announced(f"[{GROUP}]".encode()):
        return []
    from importlib.metadata import entry_points

    faults = []
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist is not None else entry.name
        known = set(rules)
        try:
            entry.load()
        except Ended:
            raise
        except (Exception, SystemExit) as error:
            faults.append(PluginFault(package, f"cannot be loaded - {describe(error)}"))
        for code in sorted(set(rules) - known):
            fault = fault_of(rules[code], is_given)
            if fault:
                del rules[code]
                faults.append(PluginFault(package, f"rule {code} {fault}"))
    return faults


def fault_of(entry: Any, is_given: Callable[[str], bool]) -> str:
    """Why a rule cannot run, or an empty text: inputs that nobody gives, templates that cannot be filled."""
    unknown = [name for name in entry.inputs if not is_given(name)]
    if unknown:
        return f"asks for {', '.join(unknown)}, which no provider gives"
    for template in entry.messages.values():
        try:
            fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
        except ValueError as error:
            return f"has a message that is no template - {error}"
        wrong = [field for field in fields if not field.isidentifier()]
        if wrong:
            return f"has a message with the field {{{wrong[0]}}}, which is no plain name"
        missing = [field for field in fields if not _may_be_given(entry, field)]
        if missing:
            return f"has a message with the field {{{missing[0]}}}, which it never gives"
    return ""


def _may_be_given(entry: Any, field: str) -> bool:
    """True unless the code of a rule shows that no problem has a value of that name."""
    words: set[str] = set()
    calls_others = False
    pending = [entry.function.__code__]
    while pending:
        code = pending.pop()
        calls_others |= bool(set(code.co_names) - {"Problem"})
        for constant in code.co_consts:
            if hasattr(constant, "co_consts"):
                pending.append(constant)
            elif isinstance(constant, tuple):
                words.update(word for word in constant if isinstance(word, str))
            elif isinstance(constant, str):
                words.add(constant)
        words.update(code.co_names, code.co_varnames)
    # What helpers yield, and data that are unpacked, are seen only when the rule runs.
    return field in words or calls_others


def describe(error: BaseException) -> str:
    """One line about what was raised: its type and its text."""
    if isinstance(error, UsageError):
        return str(error)
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_announced(section: bytes) -> bool:
    """True if an installed package has a section of entry points.

    A look at the files is many times faster than the import of `importlib.metadata`.
    """
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                try:
                    with open(os.path.join(folder, name, "entry_points.txt"), "rb") as stream:
                        if section in stream.read():
                            return True
                except OSError:
                    continue
    return False
