"""Servers on loopback that behave, and servers that do not: real sockets, real threads, counted requests."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from imgcif_core.net.http import Client
from imgcif_core.net.limiter import Limiter
from imgcif_core.net.network import Network
from imgcif_core.net.settings import Loopback, NetSettings

Handler = Callable[["Request"], None]


@dataclass
class Site:
    """What a server serves by path, what it was asked, and how many bytes it sent."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    has_ranges: bool = True
    kind: str = "application/octet-stream"
    asked: list[tuple[str, str]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    sent: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Request(BaseHTTPRequestHandler):
    """One request; `site` is set by the server's class."""

    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        site = self.site
        site.asked.append((self.path, self.headers.get("Range", "")))
        site.agents.add(self.headers.get("User-Agent", ""))
        path = self.path.partition("?")[0]
        if path in site.handlers:
            site.handlers[path](self)
        elif path in site.files:
            self.serve(site.files[path])
        else:
            self.reply(404, b'{"status": 404}', {"Content-Type": "application/json"})

    def serve(self, data: bytes, etag: str = '"1"', **more: str) -> None:
        """A file, with ranges as servers give them."""
        wanted = self.headers.get("Range", "") if self.site.has_ranges else ""
        headers = {"ETag": etag, "Content-Type": self.site.kind, **more}
        if not wanted.startswith("bytes="):
            self.reply(200, data, headers)
            return
        first, _, last = wanted[6:].partition("-")
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(len(data), int(last) + 1) if first and last else len(data)
        if start >= len(data):
            self.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        self.reply(206, data[start:end], headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        # Counted before it is sent: who has received it may ask for the count at once.
        self.site.sent += len(body)
        try:
            self.wfile.write(body)
        except OSError:
            self.site.sent -= len(body)
            self.close_connection = True


@contextmanager
def serving(**more) -> Iterator[Site]:
    """A server of a thread for each connection."""
    site = Site(**more)
    handler = type("OwnRequest", (Request,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that speaks for itself: `answer` gets each connection after the request was read."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_open = True

    def loop() -> None:
        while is_open:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                answer(connection)
            except OSError:
                return

    threading.Thread(target=loop, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_open = False
        listener.close()


class FakeTime:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def settings(**more) -> NetSettings:
    """Bounds for tests: loopback allowed, short waits."""
    given = {"loopback": Loopback(), "read_seconds": 0.4, "per_minute": 10_000, "per_hour": 100_000}
    return NetSettings(**{**given, **more})


def client(times: FakeTime | None = None, **more) -> Client:
    times = times or FakeTime()
    return Client(settings(**more), limiter=Limiter(times.clock, times.sleep))


def network(expected=None, **more) -> Network:
    own = client(**more)
    return Network(own.settings, client=own, expected=expected)


def drip(connection: socket.socket, head: bytes, byte: bytes = b"x") -> None:
    """One byte now and then, for longer than anybody should wait."""
    connection.sendall(head)
    for _ in range(200):
        connection.sendall(byte)
        time.sleep(0.1)
