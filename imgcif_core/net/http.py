"""Requests: to checked addresses alone, for no more than was asked, with an end to every wait."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from imgcif_core.images.limits import BytesError
from imgcif_core.net.limiter import LIMITER, Budget, Limiter, SharedLimiter, back_off
from imgcif_core.net.policy import Lookup, Target, judge, look_up
from imgcif_core.net.settings import NetSettings
from imgcif_core.records import dataclass

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_AGAIN = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PIECE = 1 << 16
Observer = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: `start` and `total` are those of its range; `data` may be cut at what was asked."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes
    start: int = 0
    total: int | None = None

    @property
    def validator(self) -> str:
        """What changes when the file changes: a strong ETag, else date and size."""
        etag = self.headers.get("etag", "")
        if etag and not etag.startswith("W/"):
            return etag
        modified = self.headers.get("last-modified", "")
        return f"{modified} {self.total}" if modified else ""

    @property
    def is_page(self) -> bool:
        """True for a page for people: named so, or without a name, and beginning like one."""
        kind = self.headers.get("content-type", "text/html").partition(";")[0].strip().casefold()
        start = self.data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        is_marked = start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--"))
        return is_marked if kind not in ("text/html", "application/xhtml+xml") else is_marked or start.startswith(b"<")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: bytes from `start`, or the last ones for a negative start; `length` None for a whole document."""

    url: str
    length: int
    start: int | None = None
    accept: str = "*/*"

    @property
    def range(self) -> str | None:
        """The value of the header Range."""
        if self.start is None:
            return None
        return f"bytes=-{self.length}" if self.start < 0 else f"bytes={self.start}-{self.start + self.length - 1}"


class Client:
    """Asks servers, one request at a time; connections to a host are kept for the next request."""

    def __init__(
        self,
        settings: NetSettings,
        *,
        lookup: Lookup = look_up,
        limiter: Limiter | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.settings = settings
        self.budget = Budget(settings.max_download, settings.max_requests, settings.seconds)
        self._lookup = lookup
        shared = SharedLimiter(settings.shared) if settings.shared is not None else None
        self._limiter = limiter or shared or LIMITER
        self._observer = observer or settings.observer
        self._connections: dict[tuple[str, str, int], Any] = {}
        self._gone: dict[str, BytesError] = {}

    def ask(self, asked: Asked) -> Answer:
        """The answer to a request, after redirects and further tries.

        Raises
        ------
        BytesError
            `refused` (an address that is not asked), `unreached`, `budget`, `gone`, `login` or
            `contradiction` (headers and bytes that do not belong together).
        """
        for _ in range(self.settings.redirects + 1):
            target = judge(asked.url, lookup=self._lookup, loopback=self.settings.loopback)
            answer = self._tried(target, asked)
            if answer.status not in _REDIRECTS:
                return answer
            place = answer.headers.get("location", "")
            if not place:
                raise BytesError("contradiction", f"{target.host} redirects to nowhere")
            asked = replace(asked, url=urljoin(asked.url, place))
        raise BytesError("unreached", f"{target.host}: more than {self.settings.redirects} redirects")

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            with suppress(OSError):
                connection.close()
        self._connections.clear()

    def _tried(self, target: Target, asked: Asked) -> Answer:
        """The answer after at most three tries."""
        if target.host in self._gone:
            raise self._gone[target.host]
        fault: BytesError | None = None
        for attempt in range(self.settings.tries):
            self.budget.allow(asked.length, target.host)
            self._limiter.wait(target.host, self.settings)
            self.budget.requests += 1
            try:
                answer = self._once(target, asked)
                if answer.status not in _AGAIN:
                    return _judged(target, asked, answer)
            except BytesError as error:
                if error.kind != "unreached":
                    raise
                fault, pause = error, back_off(attempt)
            else:
                fault = BytesError("unreached", f"{target.host} answers {_status(answer.status)} - try again later")
                pause = _retry_after(answer.headers.get("retry-after", ""), back_off(attempt))
                if pause > self.settings.longest_pause:
                    break
            finally:
                self._limiter.release(target.host)
            if attempt + 1 < self.settings.tries:
                self._limiter.pause(pause)
        assert fault is not None
        # A server that is down or asks for peace is not asked again in this run.
        self._gone[target.host] = fault
        raise fault

    def _once(self, target: Target, asked: Asked) -> Answer:
        """One request and its answer; what it read counts, whatever comes of it."""
        connection = self._connection(target)
        is_kept = False
        end = _End(connection, 2.0 * self.settings.read_seconds)
        try:
            connection.request(
                "GET", target.path, headers=self._headers(target, asked), preload_content=False, decode_content=False
            )
            response = connection.getresponse()
            end.cancel()
            if end.is_over:
                raise BytesError("unreached", f"{target.host}: no answer in time")
            headers = {name.casefold(): value for name, value in response.headers.items()}
            data = self._body(response, target, asked)
            is_kept = response.status in (200, 206) and response._fp is not None and response._fp.isclosed()
            return Answer(asked.url, response.status, headers, data)
        except BytesError:
            raise
        except _faults() as error:
            text = "no answer in time" if end.is_over or "timed out" in str(error) else _words(error)
            raise BytesError("unreached", f"{target.host}: {text}") from None
        finally:
            end.cancel()
            if not is_kept:
                self._drop(target)

    def _body(self, response: Any, target: Target, asked: Asked) -> bytes:
        """The bytes of an answer, at most as many as were asked for, at the least speed or faster."""
        pieces, size, began = [], 0, time.monotonic()
        wanted = asked.length if response.status in (200, 206) else min(asked.length, _PIECE)
        while size < wanted:
            piece = response.read1(min(_PIECE, wanted - size))
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            self.budget.bytes += len(piece)
            if self._observer is not None:
                self._observer(target.host, len(piece))
            self.budget.in_time(target.host)
            passed = time.monotonic() - began
            if passed > self.settings.read_seconds and size < passed * self.settings.least_speed:
                raise BytesError("unreached", f"{target.host} sends fewer than {self.settings.least_speed:g} bytes/s")
        return b"".join(pieces)

    def _headers(self, target: Target, asked: Asked) -> dict[str, str]:
        """What is sent: nothing of the user but what they gave."""
        headers = {
            "Host": target.authority,
            "User-Agent": self.settings.user_agent,
            "Accept": asked.accept,
            "Accept-Encoding": "identity",
        }
        if asked.range is not None:
            headers["Range"] = asked.range
        return headers

    def _connection(self, target: Target) -> Any:
        """The connection to a host at one of its checked addresses."""
        key = (target.scheme, target.host, target.port)
        found = self._connections.get(key)
        if found is not None and found.host in target.addresses:
            return found
        self._drop(target)
        fault: Exception | None = None
        for address in target.addresses[:3]:
            connection = self._new(target, address)
            try:
                connection.connect()
            except _faults() as error:
                fault = error
                connection.close()
                continue
            self._connections[key] = connection
            return connection
        raise BytesError("unreached", f"{target.host}: {_words(fault) if fault else 'no connection'}")

    def _new(self, target: Target, address: str) -> Any:
        """A connection that goes to an address and speaks to the name."""
        from urllib3.connection import HTTPConnection, HTTPSConnection

        seconds = self.settings.read_seconds
        if target.scheme == "http":
            return HTTPConnection(address, target.port, timeout=seconds)
        import ssl

        context = ssl.create_default_context()
        if self.settings.ca_file is not None:
            context.load_verify_locations(self.settings.ca_file)
        # The name that the certificate has to bear is checked by the context.
        return HTTPSConnection(address, target.port, timeout=seconds, ssl_context=context, server_hostname=target.host)

    def _drop(self, target: Target) -> None:
        """Close the connection to a host."""
        connection = self._connections.pop((target.scheme, target.host, target.port), None)
        if connection is not None:
            with suppress(OSError):
                connection.close()


class _End:
    """Ends a connection that gives no headers in time: each byte of them alone may come in time."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self.is_over = False
        self._connection = connection
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        import socket

        self.is_over = True
        with suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)

    def cancel(self) -> None:
        """Let the connection be."""
        self._timer.cancel()


def _judged(target: Target, asked: Asked, answer: Answer) -> Answer:
    """An answer whose status, headers and bytes belong together; one that was cut short may be had again."""
    status, host = answer.status, target.host
    if status in _REDIRECTS:
        return answer
    if status in (404, 410):
        raise BytesError("gone", f"{host} has no such file ({_status(status)})")
    if status == 401:
        raise BytesError("login", f"{host} gives it only after a login ({_status(status)})")
    if status == 416 and asked.start is not None and asked.start <= 0:
        told = answer.headers.get("content-range", "bytes */0").strip()
        if told == "bytes */0":
            raise BytesError("contradiction", f"{host} has it as an empty file (0 bytes)")
    if status == 416:
        raise BytesError("contradiction", f"{host} has no bytes at {asked.start} (status 416)")
    if status not in (200, 206):
        raise BytesError("unreached", f"{host} answers {_status(status)}")
    packing = answer.headers.get("content-encoding", "identity").strip().casefold()
    if packing not in ("", "identity"):
        raise BytesError("unreached", f"{host} sends its bytes packed as {packing[:20]}, which was not asked for")
    stated = answer.headers.get("content-length", "")
    length = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 19 else None
    if length is not None and len(answer.data) < min(length, asked.length):
        text = f"{host} promised {min(length, asked.length)} bytes and sent {len(answer.data)}"
        raise BytesError("unreached", text)
    if status == 200:
        return replace(answer, start=0, total=length)
    return _ranged(target, asked, answer)


def _ranged(target: Target, asked: Asked, answer: Answer) -> Answer:
    """An answer of a range that is the one asked for."""
    text = answer.headers.get("content-range", "")
    match = _RANGE.fullmatch(text.strip())
    if match is None or asked.start is None:
        raise BytesError("contradiction", f"{target.host} sends a range without saying which ({text[:60]!r})")
    first, last = int(match[1]), int(match[2])
    total = int(match[3]) if match[3] != "*" else None
    is_other = first != asked.start if asked.start >= 0 else (total is not None and last != total - 1)
    if is_other or last - first + 1 > asked.length or (total is not None and last >= total):
        raise BytesError("contradiction", f"{target.host} was asked for {asked.range} and sends {text[:60]}")
    short = last - first + 1 < asked.length
    at_end = total is not None and (last == total - 1 if asked.start >= 0 else first == 0)
    if len(answer.data) != last - first + 1 or (short and not at_end):
        size = len(answer.data)
        raise BytesError("contradiction", f"{target.host} says {text[:60]} and sends {size} bytes")
    return replace(answer, start=first, total=total)


def _retry_after(text: str, otherwise: float) -> float:
    """Seconds that a server asks to wait: a number, or a date by the server's own clock."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    if not text:
        return otherwise
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return otherwise


def _status(status: int) -> str:
    """A status with the words for it."""
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _faults() -> tuple[type[Exception], ...]:
    """What servers and lines do; a connection that the timer ends loses its streams while they are read."""
    from http.client import HTTPException

    from urllib3.exceptions import HTTPError

    return (HTTPError, HTTPException, OSError, ValueError, AttributeError)


def _words(error: Exception) -> str:
    """One line about a fault of the network."""
    text = " ".join(str(error).split())
    text = text.rpartition("): ")[2] or text or type(error).__name__
    return text[:160]
