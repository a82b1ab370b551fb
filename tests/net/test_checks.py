"""A check with and without the network: the plan, the rules that get their bytes, and silence offline."""

import json
import socket
from pathlib import Path

import pytest
from net.servers import FakeTime, serving, settings
from net.test_remote import zipped

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cli import check_main
from imgcif_core.net.limiter import Limiter
from imgcif_core.net.settings import Loopback

FOLDER = Path(__file__).parent.parent.parent / "conformance/datasets/ext/EXT018-uri-not-reachable"
TEXT = (FOLDER / "pass-published.cif").read_text()
ARCHIVE = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"


@pytest.fixture
def zenodo():
    with serving() as site:
        told = b'{"responseCode": 1, "handle": "10.5281/zenodo.7654321"}'
        site.handlers["/api/handles/10.5281/zenodo.7654321"] = lambda request: request.reply(
            200, told, {"Content-Type": "application/json"}
        )
        yield site


def record(site, files: dict[str, int], **more) -> None:
    told = {
        "id": 7654321,
        "doi": "10.5281/zenodo.7654321",
        "metadata": {"title": "quartz", "access_right": "open", "license": {"id": "cc-by-4.0"}} | more,
        "files": [{"key": name, "size": size, "checksum": "md5:" + "0" * 32} for name, size in files.items()],
    }
    body = json.dumps(told).encode()
    headers = {"Content-Type": "application/json", "X-RateLimit-Limit": "60"}
    site.handlers["/api/records/7654321"] = lambda request: request.reply(200, body, headers)


def online(site, **more) -> CheckOptions:
    return CheckOptions(online=settings(loopback=Loopback({"zenodo.org": site.port, "doi.org": site.port}), **more))


def checked(text: str, options: CheckOptions):
    report = api.check(text.encode(), options=options, name="a.cif")
    return report.files[0]


def of(report, code: str) -> list:
    return [finding for finding in report.findings if finding.rule == code]


def reasons(report) -> dict[str, str]:
    return {entry.rule: entry.reason for entry in report.outcomes.not_checked}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    times = FakeTime()
    monkeypatch.setattr("imgcif_core.net.http.LIMITER", Limiter(times.clock, times.sleep))


def test_offline_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    check_main([str(FOLDER / "pass-published.cif"), "--images", "sample", "--format", "json"])
    outcomes = json.loads(capsys.readouterr().out)["files"][0]["outcomes"]
    told = {entry["rule"]: entry["reason"] for entry in outcomes["not_checked"]}
    assert told["EXT018"].startswith("offline") and told["EXT030"].startswith("offline")


def test_a_record_confirms_links_by_one_request(zenodo) -> None:
    record(zenodo, {"quartz_01.tar.bz2": 1000})
    report = checked(TEXT, online(zenodo))
    assert "EXT018" in report.outcomes.clean and "EXT030" in report.outcomes.clean
    assert [path for path, _ in zenodo.asked].count("/api/records/7654321") == 1


def test_a_file_that_the_record_has_not_is_told(zenodo) -> None:
    record(zenodo, {"quartz_1.tar.bz2": 1000})
    (finding,) = of(checked(TEXT, online(zenodo)), "EXT018")
    assert "has no file quartz_01.tar.bz2 - it has quartz_1.tar.bz2" in finding.message


def test_a_record_that_is_not_there_is_told(zenodo) -> None:
    (finding,) = of(checked(TEXT, online(zenodo)), "EXT018")
    assert "no public record 7654321" in finding.message


def test_a_licence_and_an_embargo_are_told(zenodo) -> None:
    record(zenodo, {"quartz_01.tar.bz2": 1000}, license={"id": "all-rights-reserved"})
    assert len(of(checked(TEXT, online(zenodo)), "EXT030")) == 1
    record(zenodo, {}, access_right="embargoed", embargo_date="2031-01-01")
    (finding,) = of(checked(TEXT, online(zenodo)), "EXT030")
    assert "2031-01-01" in finding.message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_archive_is_nobodys_fault(zenodo, status: int) -> None:
    zenodo.handlers["/api/records/7654321"] = lambda request: request.reply(status, b"")
    before = {finding.rule for finding in checked(TEXT, CheckOptions()).findings}
    report = checked(TEXT, online(zenodo))
    assert {finding.rule for finding in report.findings} == before
    assert str(status) in reasons(report)["EXT018"]


def test_members_of_an_archive_are_compared(zenodo) -> None:
    text = TEXT.replace("quartz_01.tar.bz2", "quartz_01.zip").replace(" TBZ ", " ZIP ")
    names = [word for word in text.split() if word.endswith(".cbf")] or ["a"]
    data = zipped(dict.fromkeys(names[:-1], b"###CBF: VERSION 1.5\n"))
    zenodo.files["/records/7654321/files/quartz_01.zip"] = data
    record(zenodo, {"quartz_01.zip": len(data)})
    messages = [finding.message for finding in of(checked(text, online(zenodo)), "EXT019")]
    assert any(f"has no member '{names[-1]}'" in message for message in messages), messages


def test_a_budget_ends_the_reading_without_a_finding(zenodo) -> None:
    record(zenodo, {"quartz_01.tar.bz2": 1000})
    report = checked(TEXT, online(zenodo, max_download=0))
    assert "--max-download" in reasons(report)["EXT018"] and zenodo.asked == []


def test_the_plan_stands_before_the_first_request(monkeypatch, capsys, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr("imgcif_core.api.check_document", lambda document, **_: said.append(capsys.readouterr().err))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(AttributeError):
        check_main([str(FOLDER / "pass-published.cif"), "--online", "--max-download", "5M"])
    assert "zenodo.org: record 7654321" in said[0] and "1 request, 100 kB" in said[0] and "more than 5 MB" in said[0]


def test_bounds_without_online_are_refused(capsys) -> None:
    assert check_main(["a.cif", "--max-download", "5M"]) == 2
    assert "need --online" in capsys.readouterr().err
