"""Fifty clients at once on a real server: no error, bounded memory, nothing left; one that hangs holds up no other."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shared import EXAMPLE

pytest.importorskip("uvicorn", reason="the extra web is not installed")
httpx = pytest.importorskip("httpx")
pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]
CLIENTS, CHECKS = 50, 200
HEADERS = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}
CONFIG = """[server]
port = 0
workers = 2
trusted_proxies = ["127.0.0.1"]
folder = "{folder}"
[limits]
keep_seconds = 15
check_seconds = 20
"""


def resident(process: int) -> tuple[int, int]:
    """The memory of the server and of its largest worker, in bytes."""

    def of(number: int) -> int:
        try:
            text = Path(f"/proc/{number}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        return int(found[1]) * 1024 if found else 0

    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return of(process), max([of(int(child)) for child in children], default=0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, str, Path]]:
    folder = tmp_path / "jobs"
    (tmp_path / "page.toml").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import sys, time\n"
        "if any('imgcif_core.web.worker' in text for text in sys.orig_argv):\n"
        "    import imgcif_core.web.tasks.check as task\n"
        "    whole = task.run\n"
        "    def run(folder, given, progress):\n"
        "        if given['name'] == 'hang.cif':\n"
        "            time.sleep(1000)\n"
        "        return whole(folder, given, progress)\n"
        "    task.run = run\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "imgcif_core.cli",
        "serve",
        "--no-browser",
        "--config",
        str(tmp_path / "page.toml"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(hook)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    yield process, process.stdout.readline().strip(), folder
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert not folder.exists() or list(folder.iterdir()) == []


def jobs(folder: Path) -> list[Path]:
    return [path for path in folder.glob("imgcif-serve-*/*") if path.is_dir()]


def test_many_clients_at_once(server: tuple[subprocess.Popen, str, Path], record_property: object) -> None:
    process, address, folder = server
    data = EXAMPLE.read_bytes()
    worst = [0, 0]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            for index, size in enumerate(resident(process.pid)):
                worst[index] = max(worst[index], size)
            time.sleep(0.05)

    def one_client(number: int) -> list[int]:
        headers = {**HEADERS, "X-Forwarded-For": f"203.0.113.{number}"}
        found = []
        with httpx.Client(base_url=address, timeout=120) as client:
            for _ in range(CHECKS // CLIENTS):
                answer = client.post("/api/v1/check", content=data, headers=headers)
                if answer.status_code == 202:
                    place = answer.headers["location"]
                    while (told := client.get(place, headers=headers).json())["state"] in ("queued", "running"):
                        time.sleep(1)
                    found.append(200 if told["state"] == "done" else 500)
                else:
                    found.append(answer.status_code)
        return found

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    hanging = {**HEADERS, "Prefer": "wait=0", "X-Forwarded-For": "198.51.100.1"}
    stuck = httpx.post(f"{address}api/v1/check?name=hang.cif", content=b"data_x\n", headers=hanging).headers["location"]
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        codes = Counter(code for found in pool.map(one_client, range(CLIENTS)) for code in found)
    took = time.monotonic() - began
    is_over.set()
    watcher.join()
    print(f"\n{CHECKS} checks of {CLIENTS} clients in {took:.1f} s; server {worst[0] / 1e6:.0f} MB, ", end="")
    print(f"largest worker {worst[1] / 1e6:.0f} MB")
    assert codes == {200: CHECKS}
    assert worst[0] < 200_000_000
    assert worst[1] < 300_000_000
    base = address.rstrip("/")
    until = time.monotonic() + 60
    while httpx.get(f"{base}{stuck}").json()["state"] not in ("failed", "expired"):
        assert time.monotonic() < until
        time.sleep(0.5)
    while jobs(folder):
        assert time.monotonic() < until + 60
        time.sleep(0.5)
