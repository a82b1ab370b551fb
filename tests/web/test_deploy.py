"""The deployment kit: configurations that load, a unit and a container that are what they should be, metadata."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from shared import EXAMPLE, ROOT

from imgcif_core._version import __version__
from imgcif_core.web.config import PUBLIC, load_config
from imgcif_core.web.store import Store

from .conftest import make_client

DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "imgcif.service").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["imgcif.toml", "container.toml"])
def test_configurations_load(name: str) -> None:
    config = load_config(DEPLOY / name)
    assert config.is_public
    assert config.root_path == "/imgcif"
    assert config.operator.contact


def test_the_limits_that_the_example_states_are_the_defaults() -> None:
    stated = tomllib.loads((DEPLOY / "imgcif.toml").read_text(encoding="utf-8"))["limits"]
    assert stated == {name: value for name, value in asdict(PUBLIC).items() if name in stated}


def test_the_unit_is_closed() -> None:
    for line in ("ProtectSystem=strict", "PrivateTmp=yes", "NoNewPrivileges=yes", "DynamicUser=yes"):
        assert f"\n{line}\n" in UNIT
    assert "\nIPAddressDeny=any\n" in UNIT
    assert re.search(r"\nMemoryMax=\d+G\n", UNIT)
    config = load_config(DEPLOY / "imgcif.toml")
    assert config.folder == "/var/cache/" + re.search(r"\nCacheDirectory=(\S+)\n", UNIT)[1]  # type: ignore[index]
    assert int(re.search(r"MemoryMax=(\d+)G", UNIT)[1]) * 1e9 > config.workers * config.limits.memory  # type: ignore[index]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "imgcif.service"
    unit.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={shutil.which('true')}", UNIT), encoding="utf-8")
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, timeout=60)
    own = [line for line in done.stderr.splitlines() if "imgcif.service" in line]
    assert own == []


def test_the_container_runs_as_nobody_and_tells_its_health() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    words = [line.split()[0] for line in lines if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "EXPOSE", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert set(words) <= known
    last = max(index for index, word in enumerate(words) if word == "FROM")
    assert {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"} <= set(words[last:])
    assert "USER 10001" in lines
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


def test_the_composition_names_files_that_are_there() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    for name in re.findall(r"- \./(\S+?):", text):
        assert (DEPLOY / name).exists()
    assert "internal: true" in text
    assert "read_only: true" in text


def test_metadata_agree_with_the_package() -> None:
    meta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert meta["version"] == __version__
    assert f"version: {__version__}\n" in citation
    assert meta["name"] == project["name"]
    assert meta["license"].endswith(project["license"])
    assert f"license: {project['license']}\n" in citation
    needed = [re.split(r"[<>=]", entry)[0] for entry in project["dependencies"]]
    assert meta["softwareRequirements"] == needed


def test_the_service_profile_is_whole_and_its_pages_are_there(client: Any) -> None:
    profile = json.loads((DEPLOY / "eosc-service.json").read_text(encoding="utf-8"))
    fields = ["name", "resourceOrganisation", "description", "scientificDomains", "targetUsers", "helpdeskEmail"]
    fields += ["securityContactEmail", "trl", "termsOfUse", "privacyPolicy", "accessPolicy", "serviceLevel"]
    fields += ["userManual", "statusMonitoring", "mainContact"]
    assert [field for field in fields if not profile.get(field)] == []
    assert profile["version"] == __version__
    base = profile["webpage"].rstrip("/")
    for value in profile.values():
        if isinstance(value, str) and value.startswith(f"{base}/"):
            assert client.get(value.removeprefix(base)).status_code == 200, value


def test_health_is_told_whatever_the_host_is_called(tmp_path: Path) -> None:
    with make_client(tmp_path, hosts=("check.example.org",)) as made:
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/", 421), ("/status", 421)):
            assert made.get(path, headers={"Host": "127.0.0.1:8421"}).status_code == status


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store(str(tmp_path), 3600.0)
    yield held
    held.close()


def test_the_oldest_jobs_of_who_holds_most_go_first(store: Store) -> None:
    jobs = {}
    for number, (client, size) in enumerate([("a", 10), ("b", 40), ("b", 40), ("b", 40), ("c", 10)]):
        job = store.new("check", client)
        job.used = float(number)
        jobs[job.id] = size
    beyond = store.beyond(100, jobs)
    assert [job.client for job in beyond] == ["b"]
    assert beyond[0].used == 1.0
    assert store.beyond(140, jobs) == []
    assert len(store.beyond(0, jobs)) == 5


def test_what_a_job_takes_is_counted_once(store: Store) -> None:
    job = store.new("check", "a")
    (job.inputs / "a.cif").write_bytes(bytes(100_000))
    (job.folder / "text").hardlink_to(job.inputs / "a.cif")
    with (job.inputs / "holes.tif").open("wb") as file:
        file.truncate(10_000_000)
    (size,) = store.sizes().values()
    assert 100_000 <= size < 200_000


def test_jobs_beyond_the_size_of_the_store_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from imgcif_core.web import service

    monkeypatch.setattr(service, "_SWEEP_SECONDS", 0.2)
    headers = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}
    with make_client(tmp_path, {"store_bytes": 1}) as made:
        place = made.post("/api/v1/check", content=EXAMPLE.read_bytes(), headers=headers).headers["location"]
        until = time.monotonic() + 20
        while made.get(place).json()["state"] != "expired":
            assert time.monotonic() < until
            time.sleep(0.1)
