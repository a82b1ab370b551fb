"""A creation by the API and by plain forms: sources, heads, answers, links, result, and what is refused."""

import gzip
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shared import ROOT

sys.path.insert(0, str(Path(__file__).parents[1] / "create"))

from test_heads import series

from imgcif_core import check

ANSWERS = {"principal_axis": "3:00", "rotation_sense": "clockwise"}
WAIT = {"Prefer": "wait=60"}


def heads_form(count: int = 3) -> list[tuple[str, tuple[str, bytes]]]:
    index, pieces = series(count)
    packed = json.dumps({**index, "packing": "gzip"}).encode()
    return [("heads", ("heads.json", packed)), ("pieces", ("pieces", gzip.compress(pieces)))]


def begun(client: Any, files: list, **fields: str) -> Any:
    return client.post("/api/v1/create", files=files, data=fields, headers=WAIT)


def gone_on(client: Any, session: str, **fields: str) -> Any:
    return client.post("/api/v1/create", params={"session": session}, data=fields or {"doi": ""}, headers=WAIT)


def test_heads_and_answers_become_a_sound_file(client: Any) -> None:
    first = begun(client, heads_form()).json()
    assert {entry["key"] for entry in first["questions"] if entry["is_needed"]} == set(ANSWERS)
    assert first["report"] is None and "file" not in first["addresses"]
    assert client.get(f"{first['addresses']['self']}/file").status_code == 409
    links = json.dumps({"archive_url": "https://example.org/run.zip"})
    made = gone_on(client, first["session"], answers=json.dumps(ANSWERS), links=links, doi="10.5281/zenodo.1").json()
    assert made["is_sound"] and made["needed"] == 0 and made["refused"] == {}
    assert made["report"]["schema"] == "imgcif-check-report/1"
    assert made["links"][0]["url"] == "https://example.org/run.zip"
    assert made["deviation_mm"] < 1e-6
    assert {"item": "_diffrn_scan.frames", "value": "3"}.items() <= next(
        row for row in made["origins"] if row["item"] == "_diffrn_scan.frames"
    ).items()
    answer = client.get(made["addresses"]["file"])
    assert answer.headers["content-disposition"].startswith('attachment; filename="image_0001.cif"')
    assert check(answer.content).files[0].conforming
    assert b"10.5281/zenodo.1" in answer.content


def test_an_answer_that_does_not_fit_is_told_with_its_reason(client: Any) -> None:
    told = begun(client, heads_form(), answers=json.dumps({"rotation_sense": "about", "principal_axis": "3:00"})).json()
    assert "one of clockwise, anticlockwise" in told["refused"]["rotation_sense"]
    assert [entry["key"] for entry in told["questions"] if entry["is_needed"]] == ["rotation_sense"]


def test_an_answer_is_taken_back(client: Any) -> None:
    made = begun(client, heads_form(), answers=json.dumps(ANSWERS)).json()
    assert made["is_sound"]
    back = gone_on(client, made["session"], answers=json.dumps({"rotation_sense": ""})).json()
    assert back["needed"] == 1 and not back["is_sound"]
    assert client.get(f"{back['addresses']['self']}/file").status_code == 409


def test_missing_numbers_are_asked_about(client: Any) -> None:
    index, pieces = series(4)
    length = [entry["pieces"][0][1] for entry in index["files"]]
    del index["files"][1]
    pieces = pieces[: length[0]] + pieces[length[0] + length[1] :]
    files = [("heads", ("heads.json", json.dumps(index).encode())), ("pieces", ("pieces", pieces))]
    told = begun(client, files, answers=json.dumps(ANSWERS)).json()
    assert [entry["key"] for entry in told["questions"]] == ["missing_frames"]
    assert "number 2 is missing" in told["problem"]
    made = gone_on(client, told["session"], answers=json.dumps({"missing_frames": "split"})).json()
    assert made["is_sound"]
    assert [row["frames"] for row in made["links"]] == [1, 2]


def test_an_experiment_list_needs_nothing_else(client: Any) -> None:
    source = (ROOT / "examples" / "quartz.expt").read_bytes()
    made = begun(client, [("inputs[]", ("quartz.expt", source))]).json()
    assert made["is_sound"], made["problem"]
    assert ["Kind", "DIALS experiment list"] in made["known"]


@pytest.mark.parametrize(
    ("files", "fields", "status", "words"),
    [
        ([("inputs", ("a.cbf", b"nothing of it"))], {}, 422, "which none of the readers knows"),
        ([("heads", ("h", b"{"))], {}, 422, "no JSON"),
        ([("heads", ("h", b'{"schema": "imgcif-heads/1", "files": []}'))], {}, 422, "nothing to read"),
        ([("pieces", ("p", b"x"))], {}, 400, "one index"),
        ([("inputs", ("a.cbf", b""))], {}, 400, "nothing to read"),
        ([("inputs", ("a.cbf", b"x"))], {"answers": "["}, 400, "no JSON"),
        ([("inputs", ("a.cbf", b"x"))], {"answers": '{"colour": "red"}'}, 400, "no question has the key"),
        ([("inputs", ("a.cbf", b"x"))], {"links": '{"ftp": "red"}'}, 400, "links have no ftp"),
        ([("inputs", ("a.cbf", b"x"))], {"answers": json.dumps({"facility": "x" * 30_000})}, 400, "characters"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    client: Any, files: list, fields: dict[str, str], status: int, words: str
) -> None:
    answer = begun(client, files, **fields)
    if answer.status_code == 202:
        answer = client.get(answer.headers["location"])
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_names_that_lead_elsewhere_and_names_of_this_server_stay_outside(client: Any) -> None:
    index = {"schema": "imgcif-heads/1", "files": [{"name": "../../escape.cbf", "size": 1, "pieces": [[0, 1]]}]}
    files = [("heads", ("h", json.dumps(index).encode())), ("pieces", ("p", b"x"))]
    assert "is not taken" in begun(client, files).json()["detail"]
    told = begun(client, heads_form(), answers=json.dumps(ANSWERS)).text
    assert "imgcif-serve-" not in told and "/inputs/" not in told


def test_a_session_of_somebody_else_cannot_be_guessed(client: Any) -> None:
    assert gone_on(client, "A" * 22).status_code == 404


def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    from imgcif_core.web.app import create_app
    from imgcif_core.web.config import PUBLIC, Config

    limits = replace(PUBLIC, sources_bytes=1000)
    with TestClient(create_app(Config(folder=str(tmp_path), limits=limits, workers=1, is_public=True))) as small:
        assert begun(small, [("inputs", ("a.cbf", bytes(2000)))]).status_code == 413
        index = {"schema": "imgcif-heads/1", "files": [{"name": "a.cbf", "size": 5000, "pieces": [[0, 5000]]}]}
        packed = [("heads", ("h", json.dumps({**index, "packing": "gzip"}).encode()))]
        packed.append(("pieces", ("p", gzip.compress(bytes(5000)))))
        assert "in all" in begun(small, packed).json()["detail"]


def test_plain_forms_lead_to_the_file(client: Any) -> None:
    index, pieces = series(2)
    starts = [0, index["files"][0]["pieces"][0][1]]
    images = [pieces[starts[0] : starts[1]], pieces[starts[1] :]]
    files = [("inputs", (f"image_{n}.cbf", data)) for n, data in enumerate(images, 1)]
    place = client.post("/create", files=files).headers["location"]
    while "needed answers" not in (shown := client.get(place).text):
        assert "Checking" in shown
    assert "To which hour on the face of a clock" in shown and "<svg" in shown
    client.post(place, data={"answer.principal_axis": "half past", "answer.rotation_sense": "clockwise"})
    shown = client.get(place).text
    assert "Not taken: expected a time" in shown and 'aria-invalid="true"' in shown
    client.post(place, data={"answer.principal_axis": "3:00"})
    client.post(place, data={"first_url": "https://example.org/a.zip", "second_url": "", "place": "archive"})
    shown = client.get(place).text
    assert "finds no error" in shown and "https://example.org/a.zip" in shown
    assert check(client.get(f"{place}/file.cif").content).files[0].conforming
    assert 'principal_axis = "3:00"' in client.get(f"{place}/answers.toml").text
    report = client.post(f"{place}/check").headers["location"]
    assert re.fullmatch(r"/r/[\w-]{22}", report)
    client.post(place, data={"withdraw": "principal_axis"})
    assert "1 needed answer" in client.get(place).text
    assert client.post(f"{place}/remove").headers["location"] == "/create"
    assert client.get(place).status_code == 410


def test_markup_in_names_and_answers_is_text(client: Any) -> None:
    index, pieces = series(1)
    name = "<img src=x onerror=alert(1)>.cbf"
    index["files"][0]["name"] = name
    files = [("heads", ("h", json.dumps(index).encode())), ("pieces", ("p", pieces))]
    answers = {**ANSWERS, "facility": "<script>alert(1)</script>", "increment": "<b>"}
    told = begun(client, files, answers=json.dumps(answers)).json()
    shown = client.get(told["addresses"]["page"]).text
    assert "<img src=x" not in shown and "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_the_instrument_page_has_the_facts_without_script(client: Any) -> None:
    from shared import EXAMPLE

    answer = client.post(
        "/api/v1/check", content=EXAMPLE.read_bytes(), headers={**WAIT, "Content-Type": "application/octet-stream"}
    )
    name = answer.headers["location"].rpartition("/")[2]
    shown = client.get(f"/r/{name}/instrument").text
    assert "<caption>Panels</caption>" in shown and "<caption>Axes</caption>" in shown
    assert f'data-geometry="/api/v1/jobs/{name}/geometry"' in shown
