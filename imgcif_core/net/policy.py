"""Who may be asked: names and addresses that are public, over https.

A name is looked up once; all its addresses are judged, and the connection goes to one of those.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import quote, urlsplit

from imgcif_core.images.limits import BytesError
from imgcif_core.net.settings import Loopback
from imgcif_core.records import dataclass

Lookup = Callable[[str, int], Sequence[str]]
_LOCAL = (".local", ".localhost", ".internal", ".lan", ".intranet", ".home", ".corp", ".arpa", ".onion", ".test")
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]\.?")
# IPv4 addresses stand within these IPv6 ones, and are judged themselves.
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A request that may be made: the name for the server, and the checked addresses to connect to."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fault_of_address(text: str) -> str | None:
    """Why an address is not public, None where it is."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "is no address"
    for inner in (address, *_inner(address)):
        if not inner.is_global or inner.is_multicast or inner.is_reserved or inner.is_unspecified:
            return "is not public"
    return None


def _inner(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address carries: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return []
    number = int(address)
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (number >> 32 == 0 and number > 1):
        found.append(IPv4Address(number & 0xFFFFFFFF))
    return [entry for entry in found if entry is not None]


def judge(url: str, *, lookup: Lookup = look_up, loopback: Loopback | None = None, scheme: str = "https") -> Target:
    """Judge an address before anything is sent.

    Raises
    ------
    BytesError
        `refused` if it must not be asked, `unreached` if its name is not known.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise BytesError("refused", f"{_shown(url)}: no address ({error})") from None
    if parts.username is not None or parts.password is not None:
        raise BytesError("refused", f"{_host(host)}: an address with a user name is not asked")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (
        f"?{quote(parts.query, safe='/%:@!$&()*+,;=?~')}" if parts.query else ""
    )
    if loopback is not None and host in loopback.ports:
        own = "https" if host in loopback.tls else "http"
        return Target(url, own, host, loopback.ports[host], path, ("127.0.0.1",))
    if loopback is not None and host == "127.0.0.1":
        return Target(url, parts.scheme, host, port or 80, path, ("127.0.0.1",))
    if parts.scheme != scheme:
        raise BytesError("refused", f"{_host(host)}: only {scheme} is asked, not {parts.scheme or 'nothing'}")
    refuse_name(host)
    port = port if port is not None else 443
    return Target(url, scheme, host, port, path, addresses_of(host, port, lookup))


def refuse_name(host: str) -> None:
    """Refuse names of this machine and its network, and odd spellings of addresses."""
    if _as_address(host) is None:
        if not _NAME.fullmatch(_idna(host)):
            raise BytesError("refused", f"{_host(host)} is no public name of a server")
        if f".{host.casefold()}".endswith(_LOCAL):
            raise BytesError("refused", f"{_host(host)} is a name of a local network")


def addresses_of(host: str, port: int, lookup: Lookup = look_up) -> tuple[str, ...]:
    """The addresses of a name, every one of which is public.

    Raises
    ------
    BytesError
        `refused` if one is not public, `unreached` if there is none.
    """
    own = _as_address(host)
    try:
        found = [str(own)] if own is not None else list(lookup(_idna(host), port))
    except (OSError, UnicodeError) as error:
        raise BytesError("unreached", f"{_host(host)}: its name cannot be looked up ({error})") from None
    if not found:
        raise BytesError("unreached", f"{_host(host)} has no address")
    for address in found:
        fault = fault_of_address(address)
        if fault is not None:
            raise BytesError("refused", f"{_host(host)} leads to {address}, which {fault}")
    return tuple(found)


def _as_address(host: str) -> Any:
    """The address that a host is spelt as in the usual way, None for names and odd spellings."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _idna(host: str) -> str:
    """A name in its ASCII spelling; what has none stays, and is refused as a name."""
    try:
        return host.casefold() if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _host(host: str) -> str:
    """A host for messages."""
    return _shown(host) or "no server"


def _shown(text: str) -> str:
    """An untrusted text for one line."""
    return text[:100] if text.isprintable() else ascii(text[:100])
