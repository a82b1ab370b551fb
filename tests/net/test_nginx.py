"""Debian's nginx on loopback: ranges, none, TLS with certificates of our own, and a store that speaks like S3."""

import os
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from net.servers import client, network, serving, settings
from net.test_remote import data_over, zipped

from imgcif_core.errors import UsageError
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import Address
from imgcif_core.net.evidence import gather
from imgcif_core.net.http import Asked
from imgcif_core.net.links import Link
from imgcif_core.net.network import settings_of
from imgcif_core.net.settings import Loopback

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
# Its worker would have another user where the tests run as root.
USER = "user root;" if os.geteuid() == 0 else ""
CONFIG = """
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/data; location /none/ {{ alias {folder}/data/; max_ranges 0; }}
    location /packed/ {{ alias {folder}/data/; gzip on; gzip_types *; gzip_min_length 1; }}
    location /closed/ {{ deny all; }} }}
  {more}
}}
"""
TLS = "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.key; root {folder}/data; }}"  # noqa: E501
RANDOM = np.random.default_rng(5)
IMAGE = b"###CBF: VERSION 1.5\n" + RANDOM.bytes(200_000)
MEMBERS = {f"f/{number:04d}.cbf": RANDOM.bytes(3000) for number in range(200)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def running(folder: Path, more: str = "", waits_for: int = 0) -> Iterator[int]:
    port = free_port()
    (folder / "conf").write_text(CONFIG.format(user=USER, folder=folder, port=port, more=more))
    command = [NGINX, "-p", str(folder), "-c", str(folder / "conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", waits_for or port)) == 0:
                        break
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("nginx")
    (base / "data").mkdir()
    (base / "data/a.cbf").write_bytes(IMAGE)
    (base / "data/a.zip").write_bytes(zipped(MEMBERS, zipfile.ZIP_STORED))
    (base / "data/empty.cbf").touch()
    return base


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[str]:
    with running(folder) as port:
        yield f"http://127.0.0.1:{port}"


@needs_nginx
def test_ranges_of_nginx(place: str) -> None:
    own = network()
    remote = own.resolve(f"{place}/a.cbf")
    assert remote.read(100_000, 500) == IMAGE[100_000:100_500] and remote.size == len(IMAGE)
    assert remote.facts()["validator"].startswith('"') and own.client.budget.bytes < 10_000


@needs_nginx
def test_a_zip_of_nginx_costs_three_requests(place: str) -> None:
    own = network()
    local = data_over(own)
    try:
        assert len(local.archive(f"{place}/a.zip").listing().members) == 200
        found = local.open(Address(f"{place}/a.zip", "ZIP", "f/0007.cbf")).read(0, 4000)
        assert found == MEMBERS["f/0007.cbf"] and own.client.budget.requests <= 3
    finally:
        local.close()


@needs_nginx
def test_nginx_without_ranges_gives_the_beginning_and_no_more(place: str) -> None:
    own = network()
    remote = own.resolve(f"{place}/none/a.cbf")
    assert remote.read(1000, 500) == IMAGE[1000:1500] and not remote.has_ranges
    other = network(stream=50_000)
    with pytest.raises(BytesError, match="no ranges"):
        other.resolve(f"{place}/none/a.cbf").read(150_000, 10)
    assert other.client.budget.bytes < 60_000


@needs_nginx
def test_links_of_nginx_have_verdicts(place: str) -> None:
    names = ("a.cbf", "none/a.cbf", "packed/a.cbf", "empty.cbf", "gone.cbf", "closed/a.cbf")
    found = {
        name: gather(network(), [Link(f"{place}/{name}", "CBF", "", (), 1)]).verdicts[f"{place}/{name}"]
        for name in names
    }
    states = [found[name].state for name in names]
    # What nginx denies (403) may be there; what it has not (404) is not.
    assert states == ["confirmed"] * 3 + ["contradicted"] * 2 + ["not checked"], found
    assert found["a.cbf"].size == found["none/a.cbf"].size == len(IMAGE)


def certificate(folder: Path, host: str) -> None:
    """A certificate of our own for a host."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    more = ["-keyout", f"{folder}/own.key", "-out", f"{folder}/own.pem", "-subj", f"/CN={host}"]
    subprocess.run([*command, *more, "-addext", f"subjectAltName=DNS:{host}"], check=True, capture_output=True)


@needs_nginx
@needs_openssl
def test_tls_needs_a_certificate_that_is_trusted_and_names_the_host(folder: Path) -> None:
    certificate(folder, "data.example.org")
    port = free_port()
    with running(folder, TLS.format(folder=folder, port=port), waits_for=port):
        names = ("data.example.org", "other.example.org")
        loopback = Loopback(dict.fromkeys(names, port), frozenset(names))
        trusted = client(loopback=loopback, ca_file=folder / "own.pem", tries=1)
        assert trusted.ask(Asked("https://data.example.org/a.cbf", 100, 0)).data == IMAGE[:100]
        for own, host in ((client(loopback=loopback, tries=1), names[0]), (trusted, names[1])):
            with pytest.raises(BytesError) as fault:
                own.ask(Asked(f"https://{host}/a.cbf", 100, 0))
            assert fault.value.kind == "unreached" and "certificate" in str(fault.value).casefold()
        # A server without TLS where TLS is spoken is no server that answers.
        with serving() as plain, pytest.raises(BytesError) as fault:
            client(loopback=Loopback({names[0]: plain.port}, frozenset(names)), tries=1).ask(
                Asked("https://data.example.org/a.cbf", 100, 0)
            )
        assert fault.value.kind == "unreached"


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("none")
    for path, words in ((tmp_path / "a.pem", "no certificates"), (tmp_path / "b.pem", "No such file")):
        with pytest.raises(UsageError, match=words):
            settings_of(None, "", uses_cache=False, ca_file=str(path))


@pytest.fixture
def store():
    """A store that answers as S3 does: XML for faults, ETags of parts, times of links that end."""
    with serving(kind="binary/octet-stream") as site:
        xml = {"Content-Type": "application/xml", "x-amz-request-id": "1", "Server": "AmazonS3"}

        def fault(code: str) -> bytes:
            return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'.encode()

        data = {"ETag": '"9b2cf535f27731c974343645a3985328-3"', "x-amz-id-2": "x", "Accept-Ranges": "bytes"}
        site.handlers["/a.cbf"] = lambda request: request.serve(IMAGE, etag=data["ETag"], **{"x-amz-id-2": "x"})
        site.handlers["/gone.cbf"] = lambda request: request.reply(404, fault("NoSuchKey"), xml)
        site.handlers["/hidden.cbf"] = lambda request: request.reply(403, fault("AccessDenied"), xml)
        site.handlers["/expired.cbf"] = lambda request: request.reply(403, fault("AccessDenied"), xml)
        site.handlers["/empty.cbf"] = lambda request: (
            request.reply(416, fault("InvalidRange"), xml)
            if "Range" in request.headers
            else request.reply(200, b"", xml)
        )
        site.handlers["/slow.cbf"] = lambda request: request.reply(503, fault("SlowDown"), xml)
        site.handlers["/elsewhere.cbf"] = lambda request: request.reply(
            307, fault("TemporaryRedirect"), {**xml, "Location": site.url("/a.cbf")}
        )
        yield site


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("a.cbf", "confirmed", "its first bytes are a CBF"),
        ("elsewhere.cbf", "confirmed", "its first bytes are a CBF"),
        ("gone.cbf", "contradicted", "404"),
        ("hidden.cbf", "not checked", "403"),
        ("expired.cbf", "not checked", "403"),
        ("slow.cbf", "not checked", "503"),
        ("empty.cbf", "contradicted", "0 bytes"),
    ],
)
def test_a_store_like_s3(store, name: str, state: str, words: str) -> None:
    uri = store.url(f"/{name}")
    verdict = gather(network(), [Link(uri, "CBF", "", (), 1)]).verdicts[uri]
    assert (verdict.state, words in verdict.because) == (state, True), verdict


def test_addresses_of_the_scheme_s3_are_not_asked() -> None:
    (verdict,) = gather(network(), [Link("s3://bucket/a.cbf", "CBF", "", (), 1)]).verdicts.values()
    assert verdict.state == "not checked" and settings().max_requests == 200
