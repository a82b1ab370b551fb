"""Profiles as data: which rules count for what kind of file, and how much."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from imgcif_core.checks.families import FAMILY_OF
from imgcif_core.errors import InputError, UsageError
from imgcif_core.findings import LEVELS, QUESTIONS, Severity
from imgcif_core.records import dataclass, field

NAMES = (
    "core",
    "raw-data-letters",
    "full-cbf",
    "xfel-stills",
    "minicbf",
    "geometry-template",
    "maps",
)
_OFF = "off"
_LEVELS = frozenset({_OFF, *Severity})


_LEVEL_OF = {Severity.ERROR: "A", Severity.WARNING: "B", Severity.INFO: "G"}
# 1 file or something missing in it, 2 geometry, 3 data, 4 query, 5 information.
_OTHER_TYPE = 5


@dataclass(frozen=True, slots=True)
class Alerts:
    """How findings are named as alerts: levels of single rules, and types by family.

    Without a level of its own a rule has that of its severity: error A, warning B, info G.
    """

    levels: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)

    def name(self, code: str, severity: Severity) -> str:
        """The name of an alert, such as AXI002_ALERT_2_A."""
        level = self.levels.get(code, _LEVEL_OF[severity])
        kind = self.types.get(code, self.types.get(code.rstrip("0123456789"), _OTHER_TYPE))
        return f"{code}_ALERT_{kind}_{level}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of changes to the default severities.

    `alerts` names findings as alerts, `replies` holds the levels to which an author has to reply; `asked` are the
    questions of readiness that make sense, `scope` says what is judged where that is not a set of images.
    """

    name: str
    title: str = ""
    description: str = ""
    families: frozenset[str] | None = None
    rules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)
    replies: frozenset[str] = frozenset()
    asked: tuple[str, ...] = QUESTIONS
    scope: str = ""

    def is_active(self, code: str) -> bool:
        """True if the rule counts at all under this profile."""
        family = code.rstrip("0123456789")
        # Rules of other packages, with prefixes of their own, always run.
        is_left_out = self.families is not None and family in FAMILY_OF and family not in self.families
        if is_left_out and code not in self.rules:
            return False
        return set(self.rules.get(code, {}).values()) != {_OFF}

    def severity(self, code: str, severity: Severity) -> Severity | None:
        """The severity under this profile, None where the profile drops the finding."""
        changes = self.rules.get(code)
        if changes is None:
            return severity
        changed = changes.get(severity, severity)
        return None if changed == _OFF else Severity(changed)


def load_profile(name: str) -> Profile:
    """The profile of that name, or of a TOML file.

    Raises
    ------
    UsageError
        If there is no such profile, or its file is not a profile.
    """
    if name in NAMES:
        return _own_profile(name)
    if not name.endswith(".toml"):
        raise UsageError(f"no profile named {name}; there are auto, {', '.join(NAMES)}, or FILE.toml")
    from imgcif_core.inputs import read_text

    try:
        return _build(name, tomllib.loads(read_text(name)))
    except InputError as error:
        raise UsageError(f"profile {name} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {name} is not TOML: {error}") from None


@cache
def _own_profile(name: str) -> Profile:
    """One of the profiles of this package, read once."""
    return _build(name, tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")))


def _build(name: str, data: dict[str, Any]) -> Profile:
    """A profile from its data, on top of the one that it extends."""
    # Whatever is demanded, alerts are named alike: those of `core` are the ground of every profile.
    parent = data.get("extends")
    if parent == name:
        raise UsageError(f"profile {name} extends itself")
    base = load_profile(parent) if parent else Profile(name)
    alerts = base.alerts if parent or name == "core" else load_profile("core").alerts
    families = data.get("families")
    return Profile(
        Path(name).stem if name.endswith(".toml") else name,
        data.get("title", ""),
        data.get("description", ""),
        frozenset(families) if families is not None else base.families,
        {
            **base.rules,
            **{code: _levels(name, code, change) for code, change in data.get("rules", {}).items()},
        },
        _alerts(name, alerts, data.get("alerts", {})),
        _replies(name, base.replies, data.get("replies", {})),
        _asked(name, base.asked, data.get("readiness", {})),
        str(data.get("readiness", {}).get("scope", base.scope)),
    )


def _asked(name: str, base: tuple[str, ...], data: Mapping[str, Any]) -> tuple[str, ...]:
    """The questions of readiness that a profile asks."""
    asked = data.get("asked", base)
    if not set(asked) <= set(QUESTIONS):
        raise UsageError(f"profile {name}: [readiness] asked holds some of {', '.join(QUESTIONS)}")
    return tuple(asked)


def _alerts(name: str, base: Alerts, data: Mapping[str, Any]) -> Alerts:
    """The alerts of a profile on top of others: `A`, `B`, `C` and `G` list codes, `types` maps families and codes."""
    unknown = set(data) - {*LEVELS, "types"}
    types = data.get("types", {})
    if unknown or not all(isinstance(data.get(level, []), list) for level in LEVELS) or not isinstance(types, dict):
        raise UsageError(f"profile {name}: [alerts] holds lists of codes under A, B, C, G, and types")
    if not all(isinstance(kind, int) and 1 <= kind <= 5 for kind in types.values()):
        raise UsageError(f"profile {name}: the types of alerts are 1 to 5")
    levels = {str(code): level for level in LEVELS for code in data.get(level, [])}
    return Alerts({**base.levels, **levels}, {**base.types, **types})


def _replies(name: str, base: frozenset[str], data: Mapping[str, Any]) -> frozenset[str]:
    """The levels of alerts to which authors have to reply."""
    if "required" not in data:
        return base
    if not isinstance(data["required"], list) or not set(data["required"]) <= set(LEVELS):
        raise UsageError(f"profile {name}: [replies] required is a list of A, B, C, G")
    return frozenset(data["required"])


def _levels(name: str, code: str, change: Any) -> dict[str, str]:
    """One rule's change as a map from its own severity to the profile's."""
    levels = change if isinstance(change, dict) else dict.fromkeys(Severity, change)
    if not set(levels.values()) <= _LEVELS or not set(levels) <= set(Severity):
        raise UsageError(f"profile {name}: {code} = {change!r} is none of off, error, warning, info")
    return levels
