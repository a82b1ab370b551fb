"""Clients that send slowly, and steps of one job that come to the worker that remembers it."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcif_core.web.config import Config
from imgcif_core.web.limits import Pace
from imgcif_core.web.pool import Pool, Work

from .conftest import make_client

pytest.importorskip("uvicorn", reason="the extra web is not installed")


def test_a_body_has_a_least_rate_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace = Pace(1000.0, 10.0)
    now = 109.0
    assert not pace.is_too_slow(1)
    now = 111.0
    assert pace.is_too_slow(1)
    assert not pace.is_too_slow(20_000)


def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    def drips() -> Iterator[bytes]:
        for _ in range(50):
            time.sleep(0.05)
            yield b"x"

    with make_client(tmp_path, {"idle_seconds": 0.4, "least_rate": 1000.0}) as made:
        headers = {"Content-Type": "application/octet-stream"}
        began = time.monotonic()
        answer = made.post("/api/v1/check", content=drips(), headers=headers)
        assert answer.status_code == 408
        assert "1000 bytes a second" in answer.json()["detail"]
        assert time.monotonic() - began < 20
        assert [path for path in made.app.state.service.store.root.iterdir() if path.is_dir()] == []


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server whose clients have half a second for the headers of a request."""
    import threading

    import uvicorn

    from imgcif_core.web import slow
    from imgcif_core.web.app import create_app

    monkeypatch.setattr(slow, "HEADER_SECONDS", 0.5)
    config = Config(folder=str(tmp_path), workers=1, is_public=True)
    settings = uvicorn.Config(create_app(config), port=0, log_level="error", http=slow.Protocol)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def ended(connection: socket.socket) -> bool:
    """True if the server has closed a connection."""
    connection.settimeout(10)
    return connection.recv(1000) == b""


def test_headers_have_to_come_in_time(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as silent:
        assert ended(silent)
    with socket.create_connection(("127.0.0.1", port)) as dripping:
        dripping.sendall(b"GET /healthz HTTP/1.1\r\n")
        for _ in range(20):
            time.sleep(0.1)
            try:
                dripping.sendall(b"X: 1\r\n")
            except OSError:
                break
        else:
            raise AssertionError("headers came for two seconds")


def test_a_second_request_has_to_come_in_time_too(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as kept:
        for _ in range(2):
            kept.sendall(request)
            kept.settimeout(10)
            said = b""
            while not said.endswith(b"ok\n"):
                said += kept.recv(4000)
            assert said.startswith(b"HTTP/1.1 200")
        kept.sendall(request[:20])
        assert ended(kept)


def test_work_that_takes_longer_than_headers_may_is_answered(port: int) -> None:
    head = b"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
    with socket.create_connection(("127.0.0.1", port)) as steady:
        steady.sendall(head + b"Content-Length: 7\r\n\r\ndata")
        time.sleep(1.0)
        steady.sendall(b"_x\n")
        steady.settimeout(30)
        assert steady.recv(4000).startswith(b"HTTP/1.1 20")


async def _processes(tmp_path: Path) -> list[int]:
    """Which process did each of some tasks, for two jobs in turn."""
    pool = Pool(2, 0, queued=100, per_client=100)
    await pool.start()
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        (folder / "temporary").mkdir(parents=True)
    found = []
    try:
        while pool._busy:
            await asyncio.sleep(0.05)
        for _ in range(3):
            works = [Work("pid", folder, {}, 60.0) for folder in folders]
            for answer in await asyncio.gather(*(pool.run(work) for work in works)):
                found.append(answer["pid"])
    finally:
        await pool.stop()
    return found


def test_steps_of_a_job_come_to_the_worker_that_remembers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import os, sys, types, time\n"
        "task = types.ModuleType('imgcif_core.web.tasks.pid')\n"
        "def run(folder, given, progress):\n"
        "    time.sleep(0.2)\n"
        "    return {'pid': os.getpid()}\n"
        "task.run = run\n"
        "sys.modules['imgcif_core.web.tasks.pid'] = task\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(hook))
    found = asyncio.run(_processes(tmp_path))
    ones, others = set(found[0::2]), set(found[1::2])
    assert (len(ones), len(others)) == (1, 1)
    assert json.dumps(sorted(ones)) != json.dumps(sorted(others))
