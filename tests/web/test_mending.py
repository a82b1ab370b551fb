"""From a faulty file to a clean one, replies to alerts, comparisons: by page and by API."""

import re
from typing import Any

import pytest
from shared import EXAMPLE, ROOT

from imgcif_core.web.example import example_text

FAULTY = example_text().encode()
BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}
GOOD = EXAMPLE.read_bytes()
EXPT = (ROOT / "examples" / "quartz.expt").read_bytes()


def checked(client: Any, data: bytes, **query: str) -> str:
    answer = client.post("/api/v1/check", params={"name": "q.cif", **query}, content=data, headers=BYTES)
    return answer.headers["location"].rpartition("/")[2]


def errors(client: Any, job: str) -> int:
    return client.get(f"/api/v1/jobs/{job}/report").json()["files"][0]["counts"]["error"]


def page_of(client: Any, place: str) -> str:
    """The page of a job that is done."""
    while "http-equiv" in (text := client.get(place).text):
        pass
    return str(text)


def test_check_source_fix_and_check_again_is_clean(client: Any) -> None:
    first = client.post("/", files={"file": ("q.cif", FAULTY)}).headers["location"]
    report = page_of(client, first)
    line = re.search(r'href="(/r/[^"]+/source\?line=\d+)#L(\d+)"', report)
    assert line is not None
    assert f'id="L{line[2]}"' in client.get(line[1]).text
    repairs = client.get(f"{first}/fix").text
    ticked = re.findall(r'name="repair" value="(\d+)" checked', repairs)
    assert len(ticked) == 3
    second = client.post(f"{first}/fix", data={"repair": ticked}).headers["location"]
    assert second != first
    assert "3 repairs made" in page_of(client, second)
    assert errors(client, first.rpartition("/")[2]) > 0
    assert errors(client, second.rpartition("/")[2]) == 0
    mended = client.get(f"{second}/file.cif").content
    assert [line.split() for line in mended.splitlines()[2:]] == [line.split() for line in GOOD.splitlines()[2:]]


def test_one_repair_alone_can_be_made(client: Any) -> None:
    job = checked(client, FAULTY)
    listed = client.post("/api/v1/fix", json={"job": job}).json()
    assert [repair["rule"] for repair in listed["repairs"]] == ["DIC001", "DIC006", "DIC008"]
    client.get(f"/r/{job}/fix")
    new = client.post(f"/r/{job}/fix", data={"repair": ["2"]}).headers["location"]
    text = client.get(f"{new}/file.cif").text
    assert "'signed 32-bit integer'" in text
    assert "10.0deg" in text


def test_the_api_mends_bytes(client: Any) -> None:
    answer = client.post("/api/v1/fix", params={"apply": "safe"}, content=FAULTY, headers=BYTES).json()
    assert [repair["rule"] for repair in answer["made"]] == ["DIC001", "DIC006", "DIC008"]
    assert "-_diffrn_source.beam_line" in answer["diff"]
    assert answer["result"]["conforming"]
    file = client.post(
        "/api/v1/fix", params={"apply": "DIC001"}, content=FAULTY, headers={**BYTES, "Accept": "chemical/x-cif"}
    )
    assert b"_diffrn_source.beamline " in file.content
    assert b"10.0deg" in file.content


@pytest.mark.parametrize("apply", ["", "everything", "../../etc"])
def test_apply_is_safe_or_codes(client: Any, apply: str) -> None:
    assert client.post("/api/v1/fix", params={"apply": apply}, content=FAULTY, headers=BYTES).status_code == 400


def test_no_repair_chosen_is_said(client: Any) -> None:
    job = checked(client, FAULTY)
    assert client.post(f"/r/{job}/fix", data={}).status_code in (400, 415)


def test_replies_stand_in_form_and_file(client: Any) -> None:
    job = checked(client, FAULTY, profile="raw-data-letters")
    reply = {"rule": "MTA012", "block": "quartz_01", "response": "The authors are named\n;in the letter."}
    answer = client.post("/api/v1/replies", json={"job": job, "replies": [reply]})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["vrf"].startswith("#\\#CIF_2.0\ndata_quartz_01\n")
    assert "_vrf_MTA012_quartz_01" in told["vrf"]
    merged = client.get(told["links"]["file"]).content
    assert merged.startswith(FAULTY.rstrip())
    again = checked(client, merged, profile="raw-data-letters")
    findings = client.get(f"/api/v1/jobs/{again}/report").json()["files"][0]["findings"]
    replied = [finding for finding in findings if finding["rule"] == "MTA012"]
    assert replied[0]["reply"]["response"] == "The authors are named ;in the letter."
    assert "The authors are named" in client.get(f"/r/{job}/report.html").text


def test_replies_typed_on_the_page_are_kept_beside_those_that_a_filter_hides(client: Any) -> None:
    job = checked(client, FAULTY, profile="raw-data-letters")
    text = client.get(f"/r/{job}").text
    boxes = dict(re.findall(r'name="(reply-\d+)"[^>]*>|id="(?P<x>[A-Z]{3}\d{3})"', text))
    names = [name for name in boxes if name]
    client.post(f"/r/{job}/replies", data={names[0]: "first"})
    client.post(f"/r/{job}/replies", data={names[1]: "second"})
    text = client.get(f"/r/{job}").text
    assert ">first</textarea>" in text
    assert ">second</textarea>" in text
    client.post(f"/r/{job}/replies", data={names[0]: " "})
    assert ">first</textarea>" not in client.get(f"/r/{job}").text


def test_an_open_form_asks_for_each_grave_alert(client: Any) -> None:
    job = checked(client, FAULTY, profile="raw-data-letters")
    form = client.get(f"/r/{job}/vrf.cif").text
    assert "_vrf_DIC008_quartz_01" in form
    assert "RESPONSE: ?" in form


def test_replies_to_no_alert_are_refused(client: Any) -> None:
    job = checked(client, FAULTY)
    reply = {"rule": "AXI002", "block": "quartz_01", "response": "x"}
    answer = client.post("/api/v1/replies", json={"job": job, "replies": [reply]})
    assert answer.status_code == 422
    assert "AXI002" in answer.json()["detail"]
    assert client.post("/api/v1/replies", json={"job": job, "replies": ["x"]}).status_code == 400
    assert client.post("/api/v1/replies", json=[1]).status_code == 400


def test_compare_gives_tables_and_findings(client: Any) -> None:
    files = [("file", ("q.cif", GOOD)), ("against", ("quartz.expt", EXPT))]
    answer = client.post("/api/v1/compare", files=files, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["schema"] == "imgcif-compare/1"
    assert told["blocks"][0]["scans"][0]["frames"][0] == 6
    page = client.get(f"/compare/{told['job']}").text
    assert "Panels, the worst first" in page


def test_compare_of_two_files_says_what_moved(client: Any) -> None:
    moved = GOOD.replace(b"200.0 0.0 0.0", b"201.0 0.0 0.0")
    files = [("file", ("a.cif", GOOD)), ("against", ("b.cif", moved))]
    told = client.post("/api/v1/compare", files=files, headers={"Prefer": "wait=60"}).json()
    assert told["blocks"][0]["panels"][0]["mm"] == pytest.approx(1.0, abs=1e-6)
    assert any(finding["rule"].startswith("CMP") for finding in told["findings"])
    assert "moved by 1 mm" in told["words"]
    location = client.post("/compare", files=files).headers["location"]
    assert "differ" in client.get(location).text


def test_compare_needs_two_files(client: Any) -> None:
    assert client.post("/compare", files={"file": ("a.cif", GOOD)}).status_code == 400
    answer = client.post("/api/v1/compare", files={"file": ("a.cif", GOOD)})
    assert answer.status_code == 400


def test_a_source_that_nobody_can_read_is_one_sentence(client: Any) -> None:
    files = [("file", ("a.cif", GOOD)), ("against", ("noise.expt", b"\x00\x01\x02 noise"))]
    answer = client.post("/api/v1/compare", files=files, headers={"Prefer": "wait=60"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("noise.expt: begins with")
    assert "dxtbx" not in answer.json()["detail"]


def test_a_check_with_a_source_compares(client: Any) -> None:
    files = [("file", ("q.cif", GOOD)), ("source", ("quartz.expt", EXPT))]
    report = client.post("/api/v1/check", files=files, headers={"Prefer": "wait=60"}).json()["files"][0]
    assert any(code.startswith("CMP") for code in report["outcomes"]["clean"])
