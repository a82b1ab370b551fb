"""How often one client may ask and how slowly it may send: a bucket of tokens for each address, and whose it is."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

_CLIENTS = 10_000


class Rate:
    """Tokens that come back at a steady pace; `per_minute` None lets everything pass."""

    def __init__(self, per_minute: int | None, burst: int) -> None:
        self._per_second = None if per_minute is None else per_minute / 60.0
        self._burst = float(max(1, burst))
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take one token: 0, or the seconds until there is one."""
        if self._per_second is None:
            return 0.0
        now = time.monotonic()
        tokens, then = self._held.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        is_free = tokens >= 1.0
        self._held[client] = (tokens - 1.0 if is_free else tokens, now)
        while len(self._held) > _CLIENTS:
            self._held.popitem(last=False)
        if is_free:
            return 0.0
        return (1.0 - tokens) / self._per_second if self._per_second else 60.0


class Pace:
    """Judges whether a body comes fast enough: so many bytes a second, after a while in which it may begin slowly."""

    def __init__(self, least: float, grace: float) -> None:
        self._least, self._grace = least, grace
        self._began = time.monotonic()
        self._size = 0

    def is_too_slow(self, size: int) -> bool:
        """Count some bytes more."""
        self._size += size
        passed = time.monotonic() - self._began
        return passed > self._grace and self._size < self._least * passed


def client_of(peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """The address that asks: that of the connection, or what a trusted proxy says; IPv6 by its /64."""
    address = peer
    if _is_trusted(peer, proxies):
        for hop in reversed([entry.strip() for entry in forwarded.split(",") if entry.strip()]):
            address = hop
            if not _is_trusted(hop, proxies):
                break
    return _network(address)


def _is_trusted(address: str, proxies: Sequence[str]) -> bool:
    """True if the address is that of a proxy of ours."""
    try:
        return any(ip_address(address) in ip_network(proxy) for proxy in proxies)
    except ValueError:
        return False


def _network(address: str) -> str:
    """What counts as one client."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((int(known) >> 64 << 64, 64)))
    return str(known)
