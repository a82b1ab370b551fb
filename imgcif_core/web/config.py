"""What the operator decides: where it listens, how much anybody may ask for, and the texts of the service."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.limits import GIB, MIB
from imgcif_core.net.network import refuse_without_library
from imgcif_core.records import dataclass, field

LOOPBACK = ("127.0.0.1", "::1", "localhost")
TEXTS = ("about", "terms", "privacy", "accessibility")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request, one client and the whole service may take; sizes in bytes, times in seconds.

    None is no limit. These are the limits of a page that only its own user reaches.
    """

    file_bytes: int = 2 * GIB
    sources_bytes: int = 4 * GIB
    sources_files: int = 10_000
    check_seconds: float = 600.0
    create_seconds: float = 600.0
    memory: int = 8 * GIB
    queued: int = 100
    per_client: int = 100
    per_minute: int | None = None
    burst: int = 60
    # Unused jobs are removed after this time; None keeps them until the service stops.
    keep_seconds: float | None = None
    # All jobs together; beyond, the oldest go of who holds most.
    store_bytes: int | None = None
    # Of the network, where the operator allows it: for the links of one file.
    download_bytes: int = 50_000_000
    online_seconds: float = 600.0
    fields: int = 1000
    parts: int = 200
    name_length: int = 255
    # Texts of a form: answers, replies, a pasted file.
    field_bytes: int = 64 * MIB
    # A body that sends nothing for so long is given up.
    idle_seconds: float = 30.0
    # Bytes a second that a body has at least, once `idle_seconds` have passed: below, it holds its place for nothing.
    least_rate: float = 1000.0


PUBLIC = Limits(
    file_bytes=50_000_000,
    sources_bytes=250_000_000,
    check_seconds=30.0,
    create_seconds=60.0,
    memory=1_500_000_000,
    queued=64,
    per_client=8,
    per_minute=120,
    keep_seconds=3600.0,
    store_bytes=20_000_000_000,
    online_seconds=120.0,
    idle_seconds=15.0,
    least_rate=10_000.0,
    field_bytes=50_000_000,
)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs the service, and what its pages say of it; `feedback` is a link for reports of faults."""

    name: str = ""
    contact: str = ""
    security: str = ""
    feedback: str = ""
    about: str = ""
    terms: str = ""
    privacy: str = ""
    accessibility: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All that is decided before the start.

    `token` is set for a page of one user alone; `hosts` are the names under which a public page may be asked for,
    any where there is none; `frame_ancestors` are origins that may show the page within theirs. `online` lets users
    have the links of their files followed over the network.
    """

    host: str = "127.0.0.1"
    port: int = 8421
    root_path: str = ""
    workers: int = field(default_factory=lambda: max(1, os.cpu_count() or 1))
    is_public: bool = False
    online: bool = False
    token: str = ""
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()
    folder: str = ""
    limits: Limits = field(default_factory=Limits)
    operator: Operator = field(default_factory=Operator)

    @property
    def is_loopback(self) -> bool:
        """True if nobody but users of this computer reaches the address."""
        return self.host in LOOPBACK


def load_config(path: str | Path) -> Config:
    """The configuration of a TOML file with the tables [server], [limits] and [operator]; it is a public one.

    Raises
    ------
    UsageError
        If the file cannot be read, or holds a key or value that makes no sense.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"configuration {path} cannot be read: {error}") from None
    unknown = set(data) - {"server", "limits", "operator"}
    if unknown:
        raise UsageError(f"configuration {path}: no table {', '.join(sorted(unknown))}; server, limits, operator")
    config = Config(
        is_public=True,
        limits=_filled(PUBLIC, data.get("limits", {}), path),
        operator=_filled(Operator(), data.get("operator", {}), path),
    )
    return checked(_filled(config, data.get("server", {}), path, without=("token", "is_public", "limits", "operator")))


def checked(config: Config) -> Config:
    """The same configuration, if its parts make sense.

    Raises
    ------
    UsageError
        If a port, path, proxy or origin does not, or the network is to be used and cannot be.
    """
    if not 0 <= config.port <= 65535:
        raise UsageError(f"port {config.port}: expected 0 to 65535")
    if config.workers < 1:
        raise UsageError(f"{config.workers} workers: expected at least 1")
    root = config.root_path.rstrip("/")
    if root and (not root.startswith("/") or any(not (c.isalnum() or c in "/-_.~") for c in root) or "//" in root):
        raise UsageError(f"root path {config.root_path}: expected one such as /imgcif")
    if config.online:
        refuse_without_library()
    if config.online and config.is_public and not config.operator.contact.strip():
        raise UsageError("online = true needs contact in [operator]: servers that are asked are told whom to write to")
    if config.operator.feedback and not config.operator.feedback.startswith(("https://", "http://", "mailto:")):
        raise UsageError(f"feedback {config.operator.feedback}: expected an address of https:// or mailto:")
    for proxy in config.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError:
            raise UsageError(f"trusted proxy {proxy}: expected an address or network") from None
    for origin in config.frame_ancestors:
        if not origin.startswith("https://") or any(c in origin for c in " ;,'\""):
            raise UsageError(f"frame ancestor {origin}: expected an origin such as https://journal.example")
    return replace(config, root_path=root)


def _filled(base: Any, data: Any, path: str | Path, without: tuple[str, ...] = ()) -> Any:
    """A dataclass with some of its values set from a table, each of the kind of its default."""
    if not isinstance(data, Mapping):
        raise UsageError(f"configuration {path}: {data!r} is no table")
    known = {entry.name: getattr(base, entry.name) for entry in fields(base) if entry.name not in without}
    values = {}
    for name, value in data.items():
        if name not in known:
            raise UsageError(f"configuration {path}: no key {name}; there are {', '.join(known)}")
        values[name] = _value(known[name], value, f"configuration {path}: {name}")
    return replace(base, **values)


def _value(default: Any, value: Any, what: str) -> Any:
    """A value of the kind of its default; numbers are not negative."""
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(value)
        raise UsageError(f"{what} = {value!r}: expected a list of texts")
    if isinstance(default, (bool, str)):
        if type(value) is type(default):
            return value
        raise UsageError(f"{what} = {value!r}: expected {'true or false' if isinstance(default, bool) else 'a text'}")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return int(value) if isinstance(default, int) else value
    raise UsageError(f"{what} = {value!r}: expected a number")
