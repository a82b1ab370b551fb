"""The page behind nginx below a path, by the location of the deployment kit, in Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from chromium import chromium, needs_chromium
from live import serving
from shared import ROOT

from imgcif_core.web.example import example_text

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
LOCATION = (ROOT / "deploy" / "nginx-location.conf").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page at nginx."""
    folder = tmp_path_factory.mktemp("nginx")
    settings = {"root_path": "/imgcif", "trusted_proxies": ("127.0.0.1",), "hosts": ("127.0.0.1",)}
    with serving(folder / "jobs", **settings) as behind:
        port = free_port()
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        own = re.search(r":(\d+)/", behind)[1]  # type: ignore[index]
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
            f"events {{}}\nhttp {{ access_log off; {paths}\nserver {{ listen 127.0.0.1:{port};\n"
            f"{LOCATION.replace(':8421', f':{own}')}\n}} }}\n",
            encoding="utf-8",
        )
        assert NGINX is not None
        command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            until = time.monotonic() + 20
            while True:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                try:
                    httpx.get(f"http://127.0.0.1:{port}/imgcif/healthz")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < until
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/imgcif"
        finally:
            process.terminate()
            process.wait(20)


def test_all_links_lead_below_the_path(address: str) -> None:
    for path in ("/", "/create", "/compare", "/rules", "/rules/AXI002", "/api"):
        text = httpx.get(f"{address}{path}").text
        links = re.findall(r'(?:href|src|action|data-\w+)="(/[^"]*)"', text)
        assert links
        assert [link for link in links if not link.startswith("/imgcif/")] == []
    assert httpx.get(address).headers["location"].endswith("/imgcif/")


def test_a_large_body_is_refused_and_clients_are_told_apart(address: str) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    answer = httpx.post(f"{address}/api/v1/check", content=b"#" * 50_000_001, headers=headers, timeout=60)
    assert answer.status_code == 413
    # What a client says of itself is not believed, only what nginx says.
    forged = {**headers, "X-Forwarded-For": "203.0.113.1"}
    assert httpx.post(f"{address}/api/v1/check", content=b"data_x\n", headers=forged).status_code in (200, 202)


@needs_chromium
def test_a_file_is_made_clean_behind_nginx(address: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{address}/")
        data = {"name": "quartz.cif", "mimeType": "text/plain", "buffer": example_text().encode()}
        page.set_input_files("#file", data)
        page.get_by_role("button", name="Check the file").click()
        page.wait_for_selector("#findings")
        assert page.url.startswith(f"{address}/r/")
        page.wait_for_selector("canvas")
        page.get_by_role("link", name=re.compile("Repair")).click()
        page.get_by_role("button", name=re.compile("Make the chosen repairs")).click()
        page.wait_for_selector("text=3 repairs made")
        page.get_by_role("link", name="Create", exact=True).click()
        expt = (ROOT / "examples" / "quartz.expt").read_bytes()
        page.set_input_files("#inputs", {"name": "quartz.expt", "mimeType": "text/plain", "buffer": expt})
        page.get_by_role("button", name="Read them").click()
        page.wait_for_selector("#standing")
        assert page.url.startswith(f"{address}/create/")
        assert faults == []


def test_the_example_of_a_whole_server_is_understood_by_nginx(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "2", "-subj", "/CN=check.example.org"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (tmp_path / "location.conf").write_text(LOCATION, encoding="utf-8")
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/etc/ssl/check.example.org.pem", str(certificate)),
        ("/etc/ssl/private/check.example.org.key", str(key)),
        ("/etc/nginx/imgcif-location.conf", str(tmp_path / "location.conf")),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ {text} }}\n", encoding="utf-8")
    assert NGINX is not None
    command = [NGINX, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
