"""Links followed on request: who may ask, what is said before, what is kept, and nobody asked twice."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from net.servers import Site, serving
from shared import ROOT

from imgcif_core.commands.serve import configured
from imgcif_core.errors import UsageError
from imgcif_core.web.config import Operator, load_config

from .conftest import make_client

pytest.importorskip("urllib3", reason="the extra online is not installed")

FOLDER = ROOT / "conformance/datasets/ext/EXT018-uri-not-reachable"
LINKED = (FOLDER / "pass-published.cif").read_bytes()
FORM = {"file": ("quartz.cif", LINKED)}
WAIT = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Site]]:
    """A page that may use the network, and a server of this computer that its workers take for Zenodo and doi.org."""
    folder = tmp_path_factory.mktemp("hook")
    with serving() as site, pytest.MonkeyPatch.context() as patch:
        told = {
            "id": 7654321,
            "doi": "10.5281/zenodo.7654321",
            "metadata": {"title": "quartz", "access_right": "open", "license": {"id": "cc-by-4.0"}},
            "files": [{"key": "quartz_01.tar.bz2", "size": 1000, "checksum": "md5:" + "0" * 32}],
        }
        body = json.dumps(told).encode()
        site.handlers["/api/records/7654321"] = lambda request: request.reply(
            200, body, {"Content-Type": "application/json"}
        )
        (folder / "sitecustomize.py").write_text(
            "import sys\n"
            "if any('imgcif_core.web.worker' in text for text in sys.orig_argv):\n"
            "    from dataclasses import replace\n"
            "    import imgcif_core.web.tasks.common as common\n"
            "    from imgcif_core.net.settings import Loopback\n"
            "    whole = common.bounds_of\n"
            f"    hosts = Loopback({{'zenodo.org': {site.port}, 'doi.org': {site.port}}})\n"
            "    common.bounds_of = lambda network: replace(whole(network), loopback=hosts)\n",
            encoding="utf-8",
        )
        patch.setenv("PYTHONPATH", str(folder))
        operator = Operator(contact="imgcif@example.org")
        with make_client(tmp_path_factory.mktemp("serve"), online=True, operator=operator) as made:
            yield made, site


@pytest.fixture
def online(service: tuple[Any, Site]) -> Any:
    return service[0]


@pytest.fixture
def zenodo(service: tuple[Any, Site]) -> Site:
    service[1].asked.clear()
    return service[1]


def report_of(client: Any, place: str) -> str:
    while "http-equiv" in (text := client.get(place).text):
        pass
    return text


def test_the_plan_comes_first_and_links_are_followed_on_request(online: Any, zenodo: Site) -> None:
    place = online.post("/", files=FORM).headers["location"]
    text = report_of(online, place)
    assert zenodo.asked == []
    assert "record 7654321 with names, sizes, digests and licence" in text
    assert "never more than 50 MB" in text
    assert "not visited: the network was not used" in text
    followed = online.post(f"{place}/follow").headers["location"]
    text = report_of(online, followed)
    assert "confirmed: record 7654321 of zenodo.org holds it" in text
    assert "followed: 1 confirmed, 0 contradicted, 0 not checked" in text
    assert "Follow the links" not in text
    assert any("imgcif@example.org" in agent for agent in zenodo.agents)


def test_what_was_answered_serves_reports_repairs_and_other_profiles(online: Any, zenodo: Site) -> None:
    answer = online.post("/api/v1/check", params={"follow": "true"}, content=LINKED, headers=WAIT)
    (verdict,) = answer.json()["files"][0]["links"]
    assert verdict["verdict"] == "confirmed"
    assert verdict["digest"] == "md5:" + "0" * 32
    asked = list(zenodo.asked)
    assert asked
    job = answer.headers["location"].rpartition("/")[2]
    page = online.get(f"/r/{job}/report.html").text
    assert "confirmed: record 7654321" in page
    assert "--online" in page
    sarif = online.get(f"/r/{job}/report.sarif").json()
    assert sarif["runs"]
    assert online.get(f"/r/{job}/fix").status_code == 200
    again = online.post(f"/r/{job}/again", data={"profile": "raw-data-letters"}).headers["location"]
    report_of(online, again)
    told = online.get(f"{again}/report.json").json()["files"][0]
    assert told["profile"] == "raw-data-letters"
    assert told["links"] == [verdict]
    assert zenodo.asked == asked


def test_a_link_to_nothing_is_a_finding_that_can_be_replied_to(online: Any, zenodo: Site) -> None:
    data = LINKED.replace(b"quartz_01.tar.bz2", b"quartz_99.tar.bz2")
    answer = online.post("/api/v1/check", params={"follow": "true"}, content=data, headers=WAIT)
    found = [entry for entry in answer.json()["files"][0]["findings"] if entry["rule"] == "EXT018"]
    assert found
    reply = {"rule": "EXT018", "block": found[0]["location"]["block"], "response": "It comes with the letter."}
    job = answer.headers["location"].rpartition("/")[2]
    kept = online.post("/api/v1/replies", json={"job": job, "replies": [reply]})
    assert kept.status_code == 200, kept.text
    assert "EXT018" in kept.json()["vrf"]


def test_nothing_is_asked_where_the_operator_has_not_said_so(client: Any) -> None:
    answer = client.post("/api/v1/check", params={"follow": "true"}, content=LINKED, headers=WAIT)
    assert answer.status_code == 403
    assert client.post("/", files=FORM, data={"follow": "yes"}).status_code == 403
    place = client.post("/", files=FORM).headers["location"]
    assert "--online FILE" in report_of(client, place)
    assert client.post(f"{place}/follow").status_code == 403
    assert client.get("/api/v1/info").json()["online"] is False


def test_an_address_of_the_own_network_is_not_asked(online: Any, zenodo: Site) -> None:
    data = re.sub(rb"https://zenodo.org/\S+", f"http://localhost:{zenodo.port}/secret".encode(), LINKED)
    answer = online.post("/api/v1/check", params={"follow": "true"}, content=data, headers=WAIT)
    (verdict,) = answer.json()["files"][0]["links"]
    assert verdict["verdict"] == "not checked"
    assert not any("secret" in path for path, _ in zenodo.asked)


def options(*arguments: str) -> Any:
    import argparse

    from imgcif_core.commands.serve import add_arguments

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_a_page_for_one_user_follows_links_by_an_option_and_a_public_one_by_its_configuration(tmp_path: Path) -> None:
    assert not configured(options()).online
    assert configured(options("--online")).online
    with pytest.raises(UsageError, match="configuration"):
        configured(options("--public", "--online"))
    path = tmp_path / "page.toml"
    path.write_text("[server]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="online = true"):
        configured(options("--config", str(path), "--online"))
    path.write_text("[server]\nonline = true\n", encoding="utf-8")
    with pytest.raises(UsageError, match="contact"):
        load_config(path)
    path.write_text('[server]\nonline = true\n[operator]\ncontact = "a@example.org"\n', encoding="utf-8")
    assert load_config(path).online
