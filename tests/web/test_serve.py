"""The command with a real server on this computer: its address, its key, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shared import EXAMPLE

pytest.importorskip("uvicorn", reason="the extra web is not installed")
httpx = pytest.importorskip("httpx")

ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


def serve(folder: Path, *arguments: str) -> tuple[subprocess.Popen, str]:
    """A server of its own, and the address that it prints."""
    command = [sys.executable, "-m", "imgcif_core.cli", "serve", "--port", "0", "--workers", "1", *arguments]
    environment = {**ENVIRONMENT, "TMPDIR": str(folder)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen) -> str:
    """Ask a server to end, and wait for it; what it said on standard error."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=20)[1]
    finally:
        process.kill()


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    base = address.partition("?")[0]
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(f"{base}healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("no answer")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page for one user: its address, and a client that has opened it."""
    folder = tmp_path_factory.mktemp("local")
    process, address = serve(folder, "--open", str(EXAMPLE))
    wait_for(address)
    with httpx.Client(base_url=address.partition("/?")[0]) as client:
        yield client, address, folder
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said
    assert list(folder.glob("imgcif-serve-*")) == []


def test_one_line_tells_the_address_with_its_key(local: Any) -> None:
    _, address, _ = local
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", address)


def test_the_address_opens_the_page_and_the_file_asked_for(local: Any) -> None:
    client, address, _ = local
    assert client.get("/").status_code == 403
    first = client.get(address)
    assert first.status_code == 303
    assert client.get("/").headers["location"].startswith("/r/")
    assert "imgCIF: does your file" in client.get("/").text


def test_a_file_goes_through_a_real_server(local: Any) -> None:
    client, address, _ = local
    client.get(address)
    answer = client.post("/", files={"file": ("q.cif", EXAMPLE.read_bytes())})
    assert answer.status_code == 303
    until = time.monotonic() + 30
    while "q.cif</title>" not in (text := client.get(answer.headers["location"]).text) or "Checking" in text[:600]:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert "conforming" in text.lower()


def test_a_body_that_stops_is_given_up_and_the_server_goes_on(local: Any) -> None:
    client, address, folder = local
    port = int(re.search(r":(\d+)/", address)[1])  # type: ignore[index]
    token = address.partition("token=")[2]
    with socket.create_connection(("127.0.0.1", port)) as slow:
        head = f"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        slow.sendall(f"{head}Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\ndata_".encode())
        assert client.get("/healthz").status_code == 200
    until = time.monotonic() + 20
    while any((path / "inputs" / "upload.cif").exists() for path in folder.glob("imgcif-serve-*/*")):
        assert time.monotonic() < until, "what came of it is still there"
        time.sleep(0.2)


def test_a_request_to_end_leaves_nothing(tmp_path: Path) -> None:
    process, address = serve(tmp_path, "--public")
    wait_for(address)
    assert "token" not in address
    answer = httpx.post(f"{address}api/v1/check", content=b"data_x\n", headers={"Content-Type": "application/cif"})
    assert answer.status_code in (200, 202)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def refused(*arguments: str) -> str:
    """What the command says when it does not start."""
    command = [sys.executable, "-m", "imgcif_core.cli", "serve", "--no-browser", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_public_service_logs_kinds_of_pages_and_no_names(tmp_path: Path) -> None:
    process, address = serve(tmp_path, "--public")
    try:
        wait_for(address)
        httpx.post(f"{address}api/v1/check?name=secret.cif", content=b"data_x\n", headers={"Content-Type": "x/y"})
        httpx.get(f"{address}r/some-secret-id")
    finally:
        said = end(process)
    assert re.search(r"^\d{4}-\d\d-\d\d .* POST /api 20\d \d+ \d+\.\d{3}$", said, re.MULTILINE)
    assert re.search(r" GET /r 404 ", said)
    assert "secret" not in said


def test_an_open_host_needs_a_word(tmp_path: Path) -> None:
    assert "--public" in refused("--host", "0.0.0.0")


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port" in refused("--port", str(taken.getsockname()[1]))


@pytest.mark.parametrize(
    "arguments", [("--port", "70000"), ("--open", "/nowhere.cif"), ("--config", "/nowhere.toml"), ("--workers", "0")]
)
def test_wrong_options_are_one_sentence(arguments: tuple[str, str]) -> None:
    refused(*arguments)
