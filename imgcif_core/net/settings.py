"""What a run may do over the network, each bound with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from imgcif_core._version import __version__
from imgcif_core.errors import UsageError
from imgcif_core.records import dataclass, field

MB = 1_000_000
_UNITS = {"": 1, "k": 1000, "m": MB, "g": 1000 * MB, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


@dataclass(frozen=True, slots=True)
class Loopback:
    """For tests alone: servers on this machine that stand for hosts, by name, over plain http; `ports` may be empty.

    `tls` names those that are spoken to over https.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    tls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Bounds and manners of one run; sizes in bytes, times in seconds."""

    max_download: int = 50 * MB
    # Many files on a server that tells nothing of them would cost one request each.
    max_requests: int = 200
    # Zenodo lets guests ask 60 times a minute and 2,000 times an hour; others less.
    per_minute: int = 30
    per_hour: int = 1000
    tries: int = 3
    longest_pause: float = 60.0
    read_seconds: float = 10.0
    # The whole run: what is not asked by then is not asked.
    seconds: float = 600.0
    least_speed: float = 1000.0
    redirects: int = 5
    # What a stream of a packed archive may cost.
    stream: int = 16 * MB
    cache: Path | None = None
    cache_bytes: int = 500 * MB
    cache_days: float = 30.0
    contact: str = ""
    uses_rsync: bool = True
    # Where processes tell each other whom they asked and when; None where this one is alone.
    shared: Path | None = None
    # Where answers are kept so that the same check can be made again without asking; `is_replay` makes it so.
    tape: Path | None = None
    is_replay: bool = False
    # A file of certificates that are trusted beside those of the system.
    ca_file: Path | None = None
    # Told of bytes as they come, with the host and their number.
    observer: Callable[[str, int], None] | None = field(default=None, compare=False, repr=False)
    loopback: Loopback | None = None

    @property
    def user_agent(self) -> str:
        """How a request names its program, and whom to ask about it."""
        contact = self.contact if self.contact.isprintable() else ""
        return f"imgcif-check/{__version__}" + (f" ({contact})" if contact else "")


def size_of(text: str, option: str = "--max-download") -> int:
    """A number of bytes such as 50M, 200 kB or 1GiB.

    Raises
    ------
    UsageError
        If the text is none.
    """
    digits = text.strip().rstrip("bBiIkKmMgG").strip()
    unit = text.strip()[len(digits) :].strip().casefold().removesuffix("b")
    try:
        value = float(digits) * _UNITS[unit]
    except (ValueError, KeyError):
        value = -1.0
    if not 0 <= value < 1 << 50:
        raise UsageError(f"{option} {text}: expected a size such as 50M, 200kB or 1GiB")
    return int(value)


def shown_size(size: float) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GB", 1000 * MB), ("MB", MB), ("kB", 1000)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.0f} bytes"


def default_cache() -> Path:
    """The folder of the cache: below XDG_CACHE_HOME, or ~/.cache."""
    import os

    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "imgcif" / "evidence"
