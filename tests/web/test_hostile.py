"""What comes from outside: names, values, sizes, slow and damaged bodies, workers that hang or die."""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from shared import EXAMPLE

from imgcif_core.web.answers import HERE
from imgcif_core.web.uploads import clean_name

from .conftest import make_client

BYTES = {"Content-Type": "application/octet-stream", "Prefer": "wait=60"}
GOOD = EXAMPLE.read_bytes()
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def checked(client: Any, data: bytes, **query: str) -> Any:
    return client.post("/api/v1/check", params=query, content=data, headers=BYTES)


def job_of(answer: Any) -> str:
    return answer.headers["location"].rpartition("/")[2]


def folders(client: Any) -> list[Path]:
    return [path for path in client.app.state.service.store.root.iterdir() if path.is_dir()]


def test_markup_in_names_and_values_is_text(client: Any) -> None:
    data = f"data_a{MARKUP.replace(' ', '')}\n_axis.type '{MARKUP}'\n_{MARKUP.replace(' ', '')} 1\n".encode()
    answer = checked(client, data, name=f"{MARKUP}.cif", profile="core")
    job = job_of(answer)
    for path in (f"/r/{job}", f"/r/{job}/source", f"/r/{job}/fix", f"/r/{job}/report.html"):
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "<img" not in text, path


def test_control_and_bidi_characters_are_visible(client: Any) -> None:
    data = "data_x\n_audit.creation_method 'a\u202eb\x00c\x1b[31m'\n_other.\u202ename 1\n".encode()
    job = job_of(checked(client, data, name="a\u202etxt.cif"))
    for path in (f"/r/{job}", f"/r/{job}/source"):
        text = client.get(path).text
        assert not re.search("[\u202e\x00\x1b]", text), path


def test_long_values_are_cut(client: Any) -> None:
    job = job_of(checked(client, f"data_x\n_axis.type {'x' * 300_000}\n".encode()))
    assert len(client.get(f"/r/{job}").content) < 60_000
    assert len(client.get(f"/r/{job}/source").content) < 60_000


def test_many_findings_give_a_page_of_bounded_size(client: Any) -> None:
    rows = "".join(f"_unknown_{number % 7}.name_{number} 'x\ty'\n" for number in range(100_000))
    answer = checked(client, f"data_x\n{rows}".encode())
    assert answer.status_code == 200
    job = job_of(answer)
    assert len(client.get(f"/r/{job}").content) < 1_000_000
    assert client.app.state.service.store.get(job).path("view.json").stat().st_size < 1_000_000


@pytest.mark.parametrize("extra", [0, 1])
def test_one_byte_beyond_the_limit_is_too_large(tmp_path: Path, extra: int) -> None:
    with make_client(tmp_path, {"file_bytes": 1000}) as made:
        data = b"data_x\n" + b"#" * (993 + extra)
        expected = 413 if extra else 200
        assert checked(made, data).status_code == expected
        form = made.post("/api/v1/check", files={"file": ("a.cif", data)}, headers={"Prefer": "wait=60"})
        assert form.status_code == expected
        page = made.post("/", files={"file": ("a.cif", data)})
        assert page.status_code == (413 if extra else 303)
        assert len(folders(made)) == (0 if extra else 3)


def test_a_body_is_refused_by_its_stated_length_before_it_is_read(tmp_path: Path) -> None:
    read = 0

    def body() -> Any:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b"x" * 1000

    with make_client(tmp_path, {"file_bytes": 1000}) as made:
        headers = {**BYTES, "Content-Length": "1000000"}
        assert made.post("/api/v1/check", content=body(), headers=headers).status_code == 413
        # Without a length it is counted as it comes.
        assert made.post("/api/v1/check", content=body(), headers=BYTES).status_code == 413


def test_thousands_of_parts_are_refused(client: Any) -> None:
    files = [("local", (f"{number}.cbf", b"x")) for number in range(10_000)]
    assert client.post("/api/v1/check", files=files).status_code == 413
    fields = {f"name{number}": "x" for number in range(1001)}
    assert client.post("/", data=fields, files={"file": ("a", b"x")}).status_code == 413


@pytest.mark.parametrize(
    "name",
    ["../../../../evil.cif", "/etc/passwd", "..\\..\\evil.cif", "..", ".", "a\x00b.cif", "C:\\x.cif", "view.json"],
)
def test_a_name_is_never_a_path(client: Any, name: str) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
        b"data_x\n_cell.length_a 1\r\n--B--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Prefer": "wait=60"}
    answer = client.post("/api/v1/check", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    folder = client.app.state.service.store.root / job_of(answer)
    inside = list((folder / "inputs").iterdir())
    assert len(inside) == 1
    assert inside[0].parent == folder / "inputs"


def test_names_are_cleaned() -> None:
    assert clean_name("../../a b/c d.cif") == "c d.cif"
    assert clean_name("...") == "unnamed"
    assert clean_name(".hidden") == "hidden"
    assert "/" not in clean_name("a\u2044/b")
    assert len(clean_name("\u00e9" * 255)) <= 255


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.cif"\r\n\r\ndata_x',
        b"\x00" * 100,
        b"--B\r\n" + b"X" * 20_000,
    ],
)
def test_damaged_forms_are_one_sentence(client: Any, body: bytes) -> None:
    before = len(folders(client))
    for path in ("/api/v1/check", "/api/v1/compare", "/api/v1/fix"):
        answer = client.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=B"})
        assert answer.status_code == 400, path
        assert "detail" in answer.json()
    assert len(folders(client)) == before


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"job": 1}', '{"job": "../../x", "replies": []}', "\xff"])
def test_damaged_json_is_one_sentence(client: Any, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/replies", content=text.encode("latin-1"), headers=headers)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize("name", ["A" * 22, "..%2f" * 7, "..%2f..%2fetc%2fpasswd", "x", "owner", "A" * 5000])
def test_guessed_ids_lead_nowhere(client: Any, name: str) -> None:
    for path in (f"/r/{name}", f"/r/{name}/file.cif", f"/api/v1/jobs/{name}", f"/api/v1/jobs/{name}/file"):
        assert client.get(path).status_code == 404


def test_static_files_do_not_lead_out(client: Any) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/../templates/base.html"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("profile", ["/etc/passwd", "x.toml", "../core", "Core", "a" * 5000])
def test_profiles_are_names_of_ours_alone(client: Any, profile: str) -> None:
    assert checked(client, GOOD, profile=profile).status_code == 400


def test_no_answer_holds_a_path_of_the_server(client: Any) -> None:
    from shared import ROOT

    links = b"1 file:///etc/passwd\n2 ../x.cbf\n"
    loop = b"data_x\nloop_\n_array_data_external_data.id\n_array_data_external_data.uri\n" + links
    root = str(client.app.state.service.store.root)
    files = [
        ("file", ("q.cif", loop + GOOD[9:])),
        ("source", ("s.cbf", GOOD)),
        ("local", ("x.cbf", b"###CBF: VERSION")),
    ]
    answer = client.post("/api/v1/check", files=files, headers={"Prefer": "wait=60"})
    job = job_of(answer)
    paths = [f"/r/{job}{rest}" for rest in ("", "/source", "/fix", "/report.html", "/report.json", "/report.sarif")]
    for path in [*paths, f"/api/v1/jobs/{job}", f"/api/v1/jobs/{job}/view", "/status", "/api/v1/info"]:
        text = client.get(path).text
        assert root not in text, path
        assert str(ROOT) not in text, path
        assert "/tmp/" not in text, path


def test_a_bomb_is_refused(client: Any) -> None:
    import gzip

    answer = checked(client, gzip.compress(b"data_x\n" + b"#" * 300_000_000, 9))
    assert answer.status_code == 422
    assert "expands" in answer.json()["detail"]


def test_an_external_link_of_a_source_leads_nowhere(client: Any, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = list(range(10))
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        file["entry/data"] = h5py.ExternalLink(str(secret), "/data")
    files = [("file", ("q.cif", GOOD)), ("against", ("master.h5", (tmp_path / "master.h5").read_bytes()))]
    answer = client.post("/api/v1/compare", files=files, headers={"Prefer": "wait=60"})
    assert answer.status_code in (200, 422)
    assert str(tmp_path) not in answer.text


def test_a_worker_that_hangs_is_killed_and_the_others_go_on(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path, {"check_seconds": 2.0}) as made:
        began = time.monotonic()
        answer = checked(made, b"data_hang\n", name="hang.cif")
        assert answer.status_code == 202 or answer.status_code == 422
        job = job_of(answer) if answer.status_code == 202 else ""
        while job and made.get(f"/api/v1/jobs/{job}").json()["state"] == "running":
            assert time.monotonic() - began < 30
            time.sleep(0.1)
        if job:
            told = made.get(f"/api/v1/jobs/{job}").json()
            assert told["state"] == "failed"
            assert "2 s" in told["problem"]["detail"]
        assert checked(made, GOOD).status_code == 200


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Workers that sleep over files named hang.cif, and eat memory over eat.cif."""
    folder = tmp_path_factory.mktemp("hook")
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "if any('imgcif_core.web.worker' in text for text in sys.orig_argv):\n"
        "    import time\n"
        "    import imgcif_core.web.tasks.check as task\n"
        "    whole = task.run\n"
        "    def run(folder, given, progress):\n"
        "        if given['name'] == 'hang.cif':\n"
        "            time.sleep(1000)\n"
        "        if given['name'] == 'eat.cif':\n"
        "            held = bytearray(3_000_000_000)\n"
        "        return whole(folder, given, progress)\n"
        "    task.run = run\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_worker_that_wants_too_much_memory_is_one_failed_job(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path) as made:
        answer = checked(made, b"data_x\n", name="eat.cif")
        assert answer.status_code == 422
        assert "memory" in answer.json()["detail"]
        assert checked(made, GOOD).status_code == 200


def test_a_worker_that_dies_is_one_failed_job(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path) as made:
        answer = made.post(
            "/api/v1/check", params={"name": "hang.cif"}, content=b"data_x\n", headers={**BYTES, "Prefer": "wait=0"}
        )
        assert answer.status_code == 202
        pool = made.app.state.service.pool
        while not pool._running:
            time.sleep(0.05)
        for process in list(pool._running.values()):
            os.kill(process.pid, signal.SIGKILL)
        job = job_of(answer)
        while (state := made.get(f"/api/v1/jobs/{job}").json())["state"] == "running":
            time.sleep(0.05)
        assert state["state"] == "failed"
        assert checked(made, GOOD).status_code == 200


def test_a_job_is_stopped_when_it_is_removed(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path) as made:
        answer = made.post(
            "/api/v1/check", params={"name": "hang.cif"}, content=b"data_x\n", headers={**BYTES, "Prefer": "wait=0"}
        )
        assert made.get(f"/r/{job_of(answer)}").status_code == 200
        assert "Stop and remove" in made.get(f"/r/{job_of(answer)}").text
        assert made.delete(f"/api/v1/jobs/{job_of(answer)}").status_code == 204
        assert folders(made) == []
        assert checked(made, GOOD).status_code == 200


def test_a_full_queue_says_when_to_come_again(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path, {"queued": 1, "per_client": 8}) as made:
        # The first job leaves the queue when the worker is ready for it, so that one more has room until then.
        for _ in range(100):
            answer = made.post(
                "/api/v1/check", params={"name": "hang.cif"}, content=b"data_x\n", headers={**BYTES, "Prefer": "wait=0"}
            )
            ready = made.get("/readyz").status_code
            if (answer.status_code, ready) == (503, 503):
                break
            time.sleep(0.2)
        assert (answer.status_code, ready) == (503, 503)
        assert int(answer.headers["retry-after"]) > 0


def test_one_client_cannot_fill_the_queue(tmp_path: Path, hanging: None) -> None:
    with make_client(tmp_path, {"per_client": 2}) as made:
        codes = [
            made.post(
                "/api/v1/check", params={"name": "hang.cif"}, content=b"data_x\n", headers={**BYTES, "Prefer": "wait=0"}
            ).status_code
            for _ in range(3)
        ]
        assert codes == [202, 202, 429]


def test_jobs_are_removed_after_their_time(tmp_path: Path) -> None:
    with make_client(tmp_path, {"keep_seconds": 1.0}) as made:
        job = job_of(checked(made, GOOD))
        until = time.monotonic() + 20
        while folders(made) and time.monotonic() < until:
            time.sleep(0.2)
        assert folders(made) == []
        assert made.get(f"/api/v1/jobs/{job}").json()["state"] == "expired"


def test_nothing_is_left_after_the_end_and_leftovers_are_swept(tmp_path: Path) -> None:
    with make_client(tmp_path) as made:
        checked(made, GOOD)
    assert list(tmp_path.iterdir()) == []
    left = tmp_path / "imgcif-serve-left"
    left.mkdir()
    (left / "owner").touch()
    (left / "secret.cif").write_text("x", encoding="utf-8")
    other = tmp_path / "somebody-elses"
    other.mkdir()
    with make_client(tmp_path):
        assert not left.exists()
        assert other.exists()


def test_two_services_leave_each_other_alone(tmp_path: Path) -> None:
    with make_client(tmp_path) as one:
        job = job_of(checked(one, GOOD))
        with make_client(tmp_path):
            assert one.get(f"/r/{job}").status_code == 200


def test_scripts_and_templates_make_no_markup_of_values() -> None:
    for path in HERE.glob("static/*.js"):
        text = path.read_text(encoding="utf-8")
        found = re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org)",
            text,
        )
        assert not found, f"{path.name}: {found}"
    for path in HERE.glob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|<script(?![^>]*\bsrc=)|\son\w+\s*=|style=|https?://", text), path.name


def test_plain_data_crosses_the_border(client: Any) -> None:
    for path in HERE.rglob("*.py"):
        assert not re.search(
            r"\b(pickle|marshal|shelve)\b", path.read_text(encoding="utf-8").replace("no pickle", "")
        ), path
    assert json.loads(client.get("/api/v1/info").text)["limits"]["memory"] == 1_500_000_000
