"""The rules about what lies behind links find over the network what they find in local copies; offline they say so.

The cases of the conformance suite that have local files are judged twice: with the files in a folder, and with the
same files on a server.
"""

import json
import socket
from pathlib import Path

import pytest
from net.servers import FakeTime, Site, serving, settings

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import FileReport
from imgcif_core.net.limiter import Limiter
from imgcif_core.net.settings import Loopback

DATASETS = Path(__file__).parents[2] / "conformance/datasets"
# Rules that judge bytes behind links.
JUDGES = ("EXT012", "EXT013", "EXT019", "EXT026", "CON017", "DET020", "IMG001", "IMG002", "IMG003", "IMG005", "IMG013")
HOSTS = ("zenodo.org", "doi.org", "api.datacite.org", "data.example.org")
# Where files lie on the server, by the addresses of the cases.
PLACES = ("/records/7654321/files/", "/run/")
# The neighbours of a local file may be absent from this machine alone; on the server they are not deposited.
GRAVER = {("EXT013", "quartz_01.h5: link to quartz_01_data_000001.h5, which is not there")}


# One of each rule in every run, the others on request: each reads its files in processes of its own.
QUICK = (
    "EXT012-fail-beyond-the-end", "EXT013-fail-link-forgotten", "EXT019-fail-missing-member", "EXT026-fail-distance",
    "CON017-fail-wavelength", "IMG001-fail-shape", "IMG002-fail-kind",
)  # fmt: skip


def cases() -> list:
    found = []
    for path in sorted(DATASETS.glob("*/*/case.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for case in told.get("cases", ()):
            if "local" in case.get("options", {}):
                name = f"{told['rule']}-{case['id']}"
                marks = () if name in QUICK else pytest.mark.slow
                found.append(pytest.param(path.parent, case, id=name, marks=marks))
    return found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    times = FakeTime()
    monkeypatch.setattr("imgcif_core.net.http.LIMITER", Limiter(times.clock, times.sleep))


def serve(site: Site, folder: Path) -> None:
    """The files of a folder, a record that lists them, and a DOI that is registered."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    site.files |= {f"{place}{name}": data for place in PLACES for name, data in files.items()}
    told = {
        "id": 7654321,
        "metadata": {"title": "quartz", "access_right": "open", "license": {"id": "cc-by-4.0"}},
        "files": [{"key": name, "size": len(data)} for name, data in files.items()],
    }
    for path, body in (("/api/records/7654321", told), ("/api/handles/10.5281/zenodo.7654321", {"responseCode": 1})):
        data = json.dumps(body).encode()
        site.handlers[path] = lambda request, data=data: request.reply(200, data, {"Content-Type": "application/json"})


def judged(data: bytes, images: str, **more) -> FileReport:
    report = api.check(data, name="x.cif", options=CheckOptions(images=images, **more)).files[0]
    assert not report.outcomes.crashed
    return report


def told_by(report: FileReport, folder: Path) -> dict[tuple[str, str], str]:
    """Findings of the rules that judge bytes, without the names of folders and servers."""
    prefixes = (f"{folder}/", "https://zenodo.org/records/7654321/files/", "https://data.example.org/run/")
    found = {}
    for finding in report.findings:
        message = finding.message
        for prefix in prefixes:
            message = message.replace(prefix, "")
        if finding.rule in JUDGES:
            found[finding.rule, message] = str(finding.severity)
    return found


@pytest.mark.parametrize(("folder", "case"), cases())
def test_rules_find_on_a_server_what_they_find_in_a_folder(folder: Path, case: dict) -> None:
    data, local = (folder / case["input"]).read_bytes(), folder / case["options"]["local"]
    images = case["options"].get("images", "header")
    here = judged(data, images, local=local)
    with serving() as site:
        serve(site, local)
        there = judged(data, images, online=settings(loopback=Loopback(dict.fromkeys(HOSTS, site.port))))
        assert len(site.asked) <= 12
    own, other = told_by(here, local), told_by(there, local)
    if case["id"] == "pass-no-copy":
        # Another archive lies in the folder: the record tells that this one is not there.
        assert other == {} and "EXT018" in {finding.rule for finding in there.findings}
        return
    assert own.keys() == other.keys()
    assert {key for key in own if own[key] != other[key]} <= GRAVER
    # Whether single files are there is told by EXT018.
    elsewhere = {"EXT019"} & {*there.outcomes.not_applicable}
    assert set(JUDGES) & set(here.outcomes.clean) <= set(there.outcomes.clean) | elsewhere


@pytest.mark.parametrize(("folder", "case"), cases())
def test_offline_the_same_rules_are_not_checked(folder: Path, case: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    report = judged((folder / case["input"]).read_bytes(), case["options"].get("images", "header"))
    reasons = {entry.rule: entry.reason for entry in report.outcomes.not_checked}
    for rule in (folder.name[:6], "EXT018", "EXT030"):
        assert "offline" in reasons[rule], reasons[rule]
