"""Profiles as data: which rules count for what kind of file, and how much."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.findings import Severity

NAMES = (
    "core",
    "raw-data-letters",
    "full-cbf",
    "xfel-stills",
    "minicbf",
    "geometry-template",
    "maps",
)
# A profile chooses among these; rules of other packages, with prefixes of their own, always run.
FAMILIES = frozenset({"SYN", "DIC", "REL", "AXI", "DET", "SCN", "SRC", "EXT", "BIN", "IMG", "MTA", "CON", "CMP"})
_OFF = "off"
_LEVELS = frozenset({_OFF, *Severity})


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of changes to the default severities."""

    name: str
    title: str = ""
    description: str = ""
    families: frozenset[str] | None = None
    rules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def is_active(self, code: str) -> bool:
        """True if the rule counts at all under this profile."""
        family = code.rstrip("0123456789")
        if self.families is not None and family in FAMILIES and family not in self.families:
            return False
        return set(self.rules.get(code, {}).values()) != {_OFF}

    def severity(self, code: str, severity: Severity) -> Severity | None:
        """The severity under this profile, None where the profile drops the finding."""
        changed = self.rules.get(code, {}).get(severity, severity)
        return None if changed == _OFF else Severity(changed)


def load_profile(name: str) -> Profile:
    """The profile of that name, or of a TOML file.

    Raises
    ------
    UsageError
        If there is no such profile, or its file is not a profile.
    """
    if name in NAMES:
        text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    elif name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"profile {name} cannot be read: {error}") from None
    else:
        raise UsageError(f"no profile named {name}; there are auto, {', '.join(NAMES)}, or FILE.toml")
    try:
        return _build(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {name} is not TOML: {error}") from None


def _build(name: str, data: dict[str, Any]) -> Profile:
    """A profile from its data, on top of the one that it extends."""
    parent = data.get("extends")
    if parent == name:
        raise UsageError(f"profile {name} extends itself")
    base = load_profile(parent) if parent else Profile(name)
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
    )


def _levels(name: str, code: str, change: Any) -> dict[str, str]:
    """One rule's change as a map from its own severity to the profile's."""
    levels = change if isinstance(change, dict) else dict.fromkeys(Severity, change)
    if not set(levels.values()) <= _LEVELS or not set(levels) <= set(Severity):
        raise UsageError(f"profile {name}: {code} = {change!r} is none of off, error, warning, info")
    return levels
