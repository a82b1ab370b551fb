"""A check by the page and by the API: reports, source, downloads, states."""

import json
from typing import Any

import pytest
from shared import EXAMPLE

from imgcif_core.web.example import example_text

FAULTY = example_text().encode()
BYTES = {"Content-Type": "application/octet-stream"}


def checked(client: Any, data: bytes = FAULTY, **query: str) -> Any:
    return client.post("/api/v1/check", params=query, content=data, headers={**BYTES, "Prefer": "wait=60"})


def job_of(answer: Any) -> str:
    return answer.headers["location"].rpartition("/")[2]


@pytest.fixture(scope="module")
def job(client: Any) -> str:
    return job_of(checked(client, name="quartz.cif"))


def test_a_setting_that_cannot_be_read_is_not_shown_as_a_number(client: Any) -> None:
    place = client.post("/", files={"file": ("q.cif", FAULTY)}).headers["location"]
    while "http-equiv" in (text := client.get(place).text):
        pass
    assert "omega from (not readable) by" in text
    assert "omega from 0" not in text


def test_a_check_answers_with_the_report(client: Any) -> None:
    answer = checked(client, name="quartz.cif", profile="core")
    report = answer.json()
    assert answer.status_code == 200
    assert report["schema"] == "imgcif-check-report/1"
    assert report["files"][0]["path"] == "quartz.cif"
    assert {finding["rule"] for finding in report["files"][0]["findings"]} >= {"DIC001", "DIC006", "DIC008"}


def test_the_report_is_that_of_the_command(client: Any) -> None:
    from imgcif_core import check
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.render import render

    own = json.loads(render(check(FAULTY, name="q.cif", options=CheckOptions(images="header")), "json"))
    served = checked(client, name="q.cif").json()
    assert served["files"][0]["findings"] == own["files"][0]["findings"]
    assert served["files"][0]["readiness"] == own["files"][0]["readiness"]


@pytest.mark.parametrize(
    ("accept", "begins"), [("text/html", "<!DOCTYPE html>"), ("application/sarif+json", "{"), ("*/*", "{")]
)
def test_accept_picks_the_form(client: Any, job: str, accept: str, begins: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/report", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.text.startswith(begins)


def test_the_page_of_the_report_may_use_its_own_style_and_no_other(client: Any, job: str) -> None:
    import re
    from base64 import b64encode
    from hashlib import sha256

    answer = client.get(f"/api/v1/jobs/{job}/report", headers={"Accept": "text/html"})
    (style,) = re.findall("<style>(.*?)</style>", answer.text, re.S)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}';" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    for part in (
        "Geometry passport",
        "As seen from the sample",
        "What DIC001 checks, and why",
        "imgcif-check --profile",
    ):
        assert part in answer.text


def test_the_state_of_a_job_leads_on(client: Any, job: str) -> None:
    told = client.get(f"/api/v1/jobs/{job}").json()
    assert told["state"] == "done"
    assert client.get(told["links"]["geometry"]).json()["schema"].startswith("imgcif-geometry/")
    assert client.get(told["links"]["file"]).content == FAULTY
    assert client.get(told["links"]["page"]).status_code == 200


def test_source_comes_in_windows(client: Any, job: str) -> None:
    lines = FAULTY.decode().splitlines()
    found = client.get(f"/api/v1/jobs/{job}/source", params={"from": "20", "to": "29"}).json()
    assert found["lines"] == lines[19:29]
    assert (found["from"], found["to"], found["total"]) == (20, 29, len(lines) + 1)
    assert client.get(f"/api/v1/jobs/{job}/source", params={"from": "99999"}).status_code == 404
    assert client.get(f"/api/v1/jobs/{job}/source", params={"from": "-1"}).status_code == 400


def test_a_window_deep_in_a_long_text_is_right(client: Any) -> None:
    text = "data_long\n" + "".join(f"_long.item_{number} {number}\n" for number in range(2, 3001))
    job = job_of(checked(client, text.encode()))
    found = client.get(f"/api/v1/jobs/{job}/source", params={"from": "1199", "to": "1202"}).json()
    assert found["lines"] == [f"_long.item_{number} {number}" for number in range(1199, 1203)]


def test_a_page_shows_findings_with_line_and_remedy(client: Any, job: str) -> None:
    text = client.get(f"/r/{job}").text
    assert "DIC008" in text
    assert "the dictionary gives the unit" in text
    assert f"/r/{job}/source?line=124#L124" in text
    marked = client.get(f"/r/{job}/source", params={"line": "124"}).text
    assert 'id="L124"' in marked
    assert "<mark>10.0deg</mark>" in marked


def test_findings_are_filtered_by_the_address(client: Any, job: str) -> None:
    text = client.get(f"/r/{job}", params={"family": "MTA"}).text
    assert 'id="DIC008"' not in text


def test_a_form_leads_to_the_report(client: Any) -> None:
    answer = client.post("/", files={"file": ("a.cif", FAULTY)}, data={"profile": "raw-data-letters"})
    assert answer.status_code == 303
    assert "alerts A - a.cif</title>" in client.get(answer.headers["location"]).text


def test_a_pasted_text_is_a_file(client: Any) -> None:
    answer = client.post("/", files={"file": ("", b"")}, data={"text": EXAMPLE.read_text(encoding="utf-8")})
    text = client.get(answer.headers["location"]).text
    assert "pasted.cif" in text


def test_nothing_chosen_is_said_on_the_page(client: Any) -> None:
    answer = client.post("/", files={"file": ("", b"")}, data={"text": ""})
    assert answer.status_code == 400
    assert "choose a file" in answer.text


def test_the_example_gives_a_report(client: Any) -> None:
    answer = client.post("/example")
    assert "example.cif" in client.get(answer.headers["location"]).text


def test_packed_files_are_read(client: Any) -> None:
    import gzip

    job = job_of(checked(client, gzip.compress(FAULTY), name="q.cif.gz"))
    assert client.get(f"/api/v1/jobs/{job}/file").content == FAULTY


def test_downloads_are_attachments(client: Any, job: str) -> None:
    for what in ("report.html", "report.json", "report.sarif", "file.cif"):
        answer = client.get(f"/r/{job}/{what}")
        assert answer.status_code == 200, what
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_removed_job_is_gone(client: Any) -> None:
    job = job_of(checked(client))
    folder = client.app.state.service.store.root / job
    assert folder.is_dir()
    assert client.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert not folder.exists()
    assert client.get(f"/api/v1/jobs/{job}").json()["state"] == "expired"
    assert client.get(f"/r/{job}").status_code == 410


@pytest.mark.parametrize("path", ["/rules", "/rules/AXI002", "/profiles/core", "/api", "/about", "/terms", "/privacy"])
def test_pages_of_the_service(client: Any, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/accessibility", "/status", "/healthz", "/readyz", "/static/page.css"])
def test_other_addresses_answer(client: Any, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("image/png", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html;q=0.5, application/json;q=0.4", "text/html; charset=utf-8"),
        ("text/html;q=0.9, application/sarif+json", "application/sarif+json"),
        ("application/sarif+json;q=0, text/html;q=odd", "application/json"),
    ],
)
def test_the_form_that_is_liked_best_is_given(client: Any, job: str, accept: str, kind: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/report", headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_a_question_for_a_job_may_wait_for_its_end(client: Any) -> None:
    answer = client.post("/api/v1/check", content=FAULTY, headers={**BYTES, "Prefer": "wait=0"})
    assert answer.status_code == 202
    told = client.get(answer.headers["location"], headers={"Prefer": "wait=60"}).json()
    assert told["state"] == "done"


def test_a_rule_is_shown_with_its_cases(client: Any) -> None:
    text = client.get("/rules/AXI002").text
    assert "Example in which it finds something" in text
    assert "Example in which it finds nothing" in text


def test_unknown_rules_and_pages_are_told(client: Any) -> None:
    assert client.get("/rules/XXX999").status_code == 404
    answer = client.get("/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_the_report_is_shown_in_the_browser_with_the_style_that_its_policy_names(client: Any, job: str) -> None:
    import base64
    import hashlib
    import re

    answer = client.get(f"/r/{job}/report.html", params={"show": "1"})
    assert "content-disposition" not in answer.headers
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "<svg" in answer.text


def test_a_file_is_judged_again_by_another_profile(client: Any, job: str) -> None:
    location = client.post(f"/r/{job}/again", data={"profile": "raw-data-letters"}).headers["location"]
    assert location != f"/r/{job}"
    report = client.get(f"/api/v1/jobs{location[2:]}/report").json()["files"][0]
    assert report["profile"] == "raw-data-letters"
    assert client.get(f"/api/v1/jobs/{job}/report").json()["files"][0]["profile"] != "raw-data-letters"
    assert client.post(f"/r/{job}/again", data={"profile": "x.toml"}).status_code == 400
