"""Requests to servers that behave and to servers that do not; each outcome with its kind."""

import gzip
import socket
import threading
import time

import pytest
from net.servers import FakeTime, client, drip, raw_server, serving

from imgcif_core.images.limits import BytesError
from imgcif_core.net.http import Asked, Client
from imgcif_core.net.limiter import Limiter
from imgcif_core.net.settings import Loopback, NetSettings

DATA = bytes(range(256)) * 64


def fault_of(own, asked: Asked) -> BytesError:
    with pytest.raises(BytesError) as caught:
        own.ask(asked)
    return caught.value


def test_a_range_is_asked_for_with_manners() -> None:
    with serving(files={"/a": DATA}) as site:
        own = client(contact="mailto:me@example.org")
        answer = own.ask(Asked(site.url("/a"), 100, 300))
        assert (answer.data, answer.start, answer.total) == (DATA[300:400], 300, len(DATA))
        assert site.asked == [("/a", "bytes=300-399")]
        (agent,) = site.agents
        assert agent.startswith("imgcif-check/") and "me@example.org" in agent
        assert (own.budget.bytes, own.budget.requests) == (100, 1)


def test_the_last_bytes_tell_the_size() -> None:
    with serving(files={"/a": DATA}) as site:
        answer = client().ask(Asked(site.url("/a"), 50, -1))
        assert (answer.data, answer.total) == (DATA[-50:], len(DATA))


def test_a_server_without_ranges_gives_no_more_than_was_asked() -> None:
    with serving(files={"/a": DATA * 100}, has_ranges=False) as site:
        own = client()
        answer = own.ask(Asked(site.url("/a"), 100, 300))
        assert (answer.status, len(answer.data), answer.start) == (200, 100, 0)
        assert own.budget.bytes == 100


@pytest.mark.parametrize(
    ("header", "body", "words"),
    [
        ("bytes 0-99/1000", 100, "was asked for bytes=10-109"),
        ("bytes 10-209/1000", 200, "was asked for bytes=10-109"),
        ("bytes 10-109/50", 100, "was asked for"),
        ("bytes 10-109/1000", 60, "sends 60 bytes"),
        ("bytes 10-59/1000", 50, "sends 50 bytes"),
        ("nonsense", 100, "without saying which"),
    ],
)
def test_a_range_that_lies_is_a_contradiction(header: str, body: int, words: str) -> None:
    with serving() as site:
        site.handlers["/a"] = lambda request: request.reply(206, b"x" * body, {"Content-Range": header})
        fault = fault_of(client(), Asked(site.url("/a"), 100, 10))
        assert fault.kind == "contradiction" and words in str(fault)


def test_a_body_that_is_cut_short_is_tried_again_and_blames_nobody() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 206 x\r\nContent-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\nshort")

    with raw_server(answer) as port:
        times = FakeTime()
        own = client(times)
        fault = fault_of(own, Asked(f"http://127.0.0.1:{port}/a", 100, 0))
        assert fault.is_unasked
        assert own.budget.requests == 3 and len(times.slept) == 2


def test_a_drip_of_headers_ends() -> None:
    with raw_server(lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: ")) as port:
        began = time.monotonic()
        fault = fault_of(client(tries=1), Asked(f"http://127.0.0.1:{port}/a", 100, 0))
        assert fault.kind == "unreached" and time.monotonic() - began < 5


def test_a_drip_of_bytes_ends() -> None:
    with raw_server(lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")) as port:
        fault = fault_of(client(tries=1), Asked(f"http://127.0.0.1:{port}/a", 1000, 0))
        assert fault.kind == "unreached" and "fewer than" in str(fault)


def test_silence_ends() -> None:
    with raw_server(lambda connection: time.sleep(3)) as port:
        fault = fault_of(client(tries=1), Asked(f"http://127.0.0.1:{port}/a", 1000, 0))
        assert str(fault) == "127.0.0.1: no answer in time"


def test_an_answer_that_is_no_http_says_nothing() -> None:
    with raw_server(lambda connection: connection.sendall(b"\0\1\2 nonsense\r\n\r\n")) as port:
        assert fault_of(client(tries=1), Asked(f"http://127.0.0.1:{port}/a", 1000, 0)).kind == "unreached"


def test_redirects_without_end_end_after_five() -> None:
    with serving() as site:
        site.handlers["/a"] = lambda request: request.reply(302, b"", {"Location": "/a"})
        fault = fault_of(client(), Asked(site.url("/a"), 10, 0))
        assert "more than 5 redirects" in str(fault) and len(site.asked) == 6


@pytest.mark.parametrize(
    "place",
    [
        "https://127.0.0.2/secret",
        "https://[::1]/secret",
        "https://10.0.0.1/secret",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "http://example.org/",
        "file:///etc/passwd",
        "https://rebound.example.org/",
    ],
)
def test_redirects_to_private_places_are_refused(place: str) -> None:
    with serving() as site:
        site.handlers["/a"] = lambda request: request.reply(302, b"", {"Location": place})
        own = Client(
            NetSettings(loopback=Loopback()),
            lookup=lambda host, port: ["10.0.0.9"],
            limiter=Limiter(sleep=lambda s: None),
        )
        fault = fault_of(own, Asked(site.url("/a"), 10, 0))
        assert fault.kind == "refused" and len(site.asked) == 1


def test_a_name_that_changes_is_not_asked_again_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look-up of a rebinding name would lead to this machine; there is no second one."""
    looked_up: list[str] = []
    connected: list[tuple] = []

    def lookup(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["93.184.215.14"] if len(looked_up) == 1 else ["127.0.0.1"]

    def create(address: tuple, *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise OSError("no way out of the test")

    monkeypatch.setattr("urllib3.util.connection.create_connection", create)
    own = Client(NetSettings(tries=1), lookup=lookup, limiter=Limiter(sleep=lambda seconds: None))
    assert fault_of(own, Asked("https://example.org/a", 10, 0)).kind == "unreached"
    assert connected == [("93.184.215.14", 443)] and looked_up == ["example.org"]


def test_429_with_retry_after_is_obeyed() -> None:
    with serving(files={"/b": DATA}) as site:
        times = FakeTime()

        def answer(request) -> None:
            if len(site.asked) == 1:
                request.reply(429, b"", {"Retry-After": "17"})
            else:
                request.serve(DATA)

        site.handlers["/a"] = answer
        assert client(times).ask(Asked(site.url("/a"), 10, 0)).data == DATA[:10]
        assert times.slept == [17.0]


@pytest.mark.parametrize(
    ("status", "wait", "requests"), [(429, "", 3), (503, "", 3), (429, "3600", 1), (500, "soon", 3)]
)
def test_servers_that_ask_for_peace_get_it(status: int, wait: str, requests: int) -> None:
    with serving() as site:
        times = FakeTime()
        headers = {"Retry-After": wait} if wait else {}
        site.handlers["/a"] = lambda request: request.reply(status, b"", headers)
        own = client(times)
        fault = fault_of(own, Asked(site.url("/a"), 10, 0))
        assert fault.is_unasked and str(status) in str(fault)
        assert len(site.asked) == requests and sum(times.slept) < 10
        fault_of(own, Asked(site.url("/b"), 10, 0))
        assert len(site.asked) == requests, "a server that is down is not asked again"


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "gone"), (410, "gone"), (401, "login"), (403, "unreached"), (418, "unreached")]
)
def test_statuses_have_kinds(status: int, kind: str) -> None:
    with serving() as site:
        site.handlers["/a"] = lambda request: request.reply(status, b"no", {})
        assert fault_of(client(), Asked(site.url("/a"), 10, 0)).kind == kind


def test_packed_bytes_are_not_unpacked() -> None:
    with serving() as site:
        body = gzip.compress(b"\0" * 1_000_000)
        site.handlers["/a"] = lambda request: request.reply(200, body, {"Content-Encoding": "gzip"})
        fault = fault_of(client(), Asked(site.url("/a"), 10_000, 0))
        assert fault.is_unasked and "packed as gzip" in str(fault)


def test_the_budget_is_kept_before_a_request() -> None:
    with serving(files={"/a": DATA}) as site:
        own = client(max_download=150)
        own.ask(Asked(site.url("/a"), 100, 0))
        fault = fault_of(own, Asked(site.url("/a"), 100, 100))
        assert fault.kind == "budget" and len(site.asked) == 1
        assert fault_of(client(max_requests=0), Asked(site.url("/a"), 1, 0)).kind == "budget"


def test_the_limiter_keeps_requests_apart() -> None:
    times = FakeTime()
    limiter = Limiter(times.clock, times.sleep)
    own = NetSettings(per_minute=30, per_hour=40)
    for _ in range(31):
        limiter.wait("a", own)
    assert times.slept == [60.0]
    for _ in range(9):
        limiter.wait("a", own)
    with pytest.raises(BytesError, match="40 times within an hour"):
        limiter.wait("a", own)
    limiter.wait("b", own)


def test_one_connection_serves_many_requests() -> None:
    with serving(files={"/a": DATA}) as site:
        own = client()
        threads = set()
        original = site.files["/a"]
        site.handlers["/a"] = lambda request: (threads.add(threading.get_ident()), request.serve(original))
        for start in range(5):
            own.ask(Asked(site.url("/a"), 10, start))
        assert len(threads) == 1
