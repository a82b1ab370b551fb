"""What became of the data of a manifest: each fate by a change that is really made."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from manifest.data import ARCHIVE, NAMES, QUARTZ, archive, look, looking_at, record, write_quartz
from net.servers import serving

from imgcif_core import api
from imgcif_core.cli import main
from imgcif_core.errors import InputError
from imgcif_core.manifest.comparing import Kept, compare, counts, status_of
from imgcif_core.manifest.looking import Looking
from imgcif_core.manifest.reading import fault_of_manifest, links_in, read_manifest
from imgcif_core.manifest.verification import as_json, as_text, verify

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/verification-schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def quartz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Path:
    """A folder with the description, its archive, and the manifest of both."""
    write_quartz(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["manifest", "quartz.cif", "--local", "downloads", "-o", "m.json"]) == 0
    capsys.readouterr()
    return tmp_path


def verified(capsys, *more: str) -> tuple[int, dict]:
    status = main(["verify", "m.json", "--format", "json", *more])
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    return status, told


def states(told: dict) -> dict[str, str]:
    return {entry["what"]: entry["state"] for entry in told["entries"]}


def test_what_did_not_change_is_as_it_was(quartz: Path, capsys) -> None:
    status, told = verified(capsys, "--local", "downloads")
    assert status == 0 and states(told) == dict.fromkeys(("file", "copy", "members"), "as it was")
    assert told["counts"] == {"as_it_was": 8, "changed": 0, "vanished": 0, "appeared": 0, "not_checked": 0}
    assert main(["verify", "quartz.cif", "m.json", "--local", "downloads"]) == 0
    assert capsys.readouterr().out.endswith("8 as it was, 0 changed, 0 vanished, 0 appeared, 0 not checked\n")


def test_what_was_not_looked_at_again_is_no_pass(quartz: Path, capsys) -> None:
    status, told = verified(capsys)
    assert status == 1 and states(told)["copy"] == "not checked" and states(told)["file"] == "as it was"
    assert verified(capsys, "--allow-unchecked")[0] == 0


def flipped(data: bytes) -> bytes:
    return archive({name: b"0" * len(b"###CBF: VERSION 1.5\n" + name.encode() * 40) for name in NAMES})


@pytest.mark.parametrize(
    ("make", "fates"),
    [
        (flipped, {"copy": "changed", "members": "as it was"}),
        (lambda data: archive(without=NAMES[2]), {"copy": "changed", "members": "vanished"}),
        (lambda data: archive({**dict.fromkeys(NAMES, b"other")}), {"copy": "changed", "members": "changed"}),
        (lambda data: b"", {"copy": "changed", "members": "not checked"}),
        (lambda data: data[:100], {"copy": "changed", "members": "not checked"}),
    ],
)
def test_a_copy_that_changed_is_told(quartz: Path, capsys, make: Callable, fates: dict) -> None:
    path = quartz / "downloads/quartz_01.tar.bz2"
    path.write_bytes(make(path.read_bytes()))
    status, told = verified(capsys, "--local", "downloads")
    assert status == 1 and fates.items() <= {entry["what"]: entry["state"] for entry in told["entries"]}.items()


def test_a_file_that_changed_and_one_that_is_gone_are_told(quartz: Path, capsys) -> None:
    (quartz / "quartz.cif").write_bytes(QUARTZ.read_bytes() + b"\n# more\n")
    status, told = verified(capsys, "--local", "downloads")
    assert status == 1 and states(told)["file"] == "changed"
    (quartz / "quartz.cif").unlink()
    status, told = verified(capsys, "--local", "downloads")
    assert status == 1 and states(told) == {"file": "not checked", "copy": "as it was", "members": "as it was"}


def test_links_that_come_and_go_are_told(quartz: Path, capsys) -> None:
    text = (quartz / "quartz.cif").read_text().replace("quartz_01.tar.bz2", "quartz_02.tar.bz2")
    (quartz / "quartz.cif").write_text(text)
    status, told = verified(capsys, "--local", "downloads")
    links = [(entry["name"][-9:], entry["state"]) for entry in told["entries"] if entry["what"] == "link"]
    assert status == 1 and links == [("1.tar.bz2", "changed"), ("2.tar.bz2", "appeared")]


def online(change: Callable, *, online_again: bool = True) -> list[Kept]:
    """What is told of the data of a record after a change to its server."""
    with serving() as site:
        data = archive()
        site.files["/records/7654321/files/quartz_01.tar.bz2"] = data
        record(site, data)
        manifest = json.loads(json.dumps(look(QUARTZ.read_bytes(), Looking(), site)))
        change(site, data)
        looking = looking_at(site) if online_again else Looking()
        document = api.read(QUARTZ.read_bytes(), name="quartz.cif")
        return verify(manifest, document, api.load_dictionary(), looking)


def fates(kept: list[Kept]) -> dict[str, str]:
    return {entry.what: entry.state for entry in kept}


def test_a_record_that_is_as_it_was() -> None:
    kept = online(lambda site, data: None)
    assert set(fates(kept).values()) == {"as it was"} and status_of(kept) == 0


def test_a_file_of_another_digest_is_changed() -> None:
    kept = online(lambda site, data: record(site, data[:-1] + b"!"))
    assert fates(kept)["server"] == "changed"
    assert "md5" in next(entry.because for entry in kept if entry.what == "server")


def test_a_licence_that_was_changed_is_told() -> None:
    kept = online(lambda site, data: record(site, data, license={"id": "cc-by-nc-4.0"}))
    assert [entry.because for entry in kept if entry.what == "record"] == ["licence was cc-by-4.0, is cc-by-nc-4.0"]


def test_a_record_that_was_withdrawn_has_vanished() -> None:
    kept = online(lambda site, data: site.handlers.clear())
    assert fates(kept)["server"] == "vanished" and fates(kept)["record"] == "not checked" and status_of(kept) == 1


def test_a_server_that_is_busy_says_nothing() -> None:
    def busy(site, data) -> None:
        site.handlers["/api/records/7654321"] = lambda request: request.reply(503, b"")

    assert {entry.state for entry in online(busy)} == {"as it was", "not checked"}


def test_offline_the_server_is_not_checked() -> None:
    kept = online(lambda site, data: None, online_again=False)
    assert fates(kept)["server"] == "not checked" and "offline" in {entry.because for entry in kept}


def test_an_etag_that_changed_is_told() -> None:
    def of(etag: str) -> dict:
        server = {"name": "a", "verdict": "confirmed", "because": "", "size": 9, "etag": etag}
        return {"file": {"path": "a"}, "dois": [], "records": [], "links": [{"uri": ARCHIVE, "server": server}]}

    (_, kept) = compare(of('"1"'), of('"2"'))
    assert kept.state == "changed" and "another state" in kept.because
    assert counts(compare(of('"1"'), of('"1"')))["as it was"] == 2


def test_a_doi_that_is_silent_is_not_changed_and_one_that_is_gone_vanished() -> None:
    def of(**told) -> dict:
        return {"file": {"path": "a"}, "dois": [{"doi": "10.1/a", **told}], "records": [], "links": []}

    known = of(is_registered=True, title="quartz", url="https://a")
    assert compare(known, of())[1].state == "not checked"
    assert compare(known, of(is_registered=True))[1].state == "as it was"
    assert compare(known, of(is_registered=False))[1].state == "vanished"
    assert compare(known, of(is_registered=True, title="quartz", url="https://b"))[1].state == "changed"


def test_hostile_texts_of_a_manifest_stay_on_one_line() -> None:
    kept = [Kept("server", "a\x1b[2J\nb", "changed", "x\ny")]
    assert "\x1b" not in as_text({"date": "d\x1b"}, kept) and as_text({"date": "d"}, kept).count("\n") == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("[1]", "no manifest"),
        ("[" * 100_000, "no JSON"),
        ('{"schema": "imgcif-manifest/9"}', "its schema is"),
        ('{"schema": "imgcif-manifest/1"}', "no date"),
        ('{"schema": "imgcif-manifest/1", "date": "x", "file": {"path": 1}}', "no file"),
        ('{"schema": "imgcif-manifest/1", "date": "x", "file": {"path": "a"}, "dois": 1}', "no list of dois"),
        (
            '{"schema": "imgcif-manifest/1", "date": "x", "file": {"path": "a"}, "dois": [], "records": [],'
            ' "links": [{"uri": "a", "server": {"verdict": "maybe"}}]}',
            "link 1",
        ),
        (
            '{"schema": "imgcif-manifest/1", "date": "x", "file": {"path": "a"}, "dois": [], "records": [],'
            ' "links": [{"uri": "a", "members": {"seen": [{"name": 1}], "missing": [], "unseen": []}}]}',
            "link 1",
        ),
    ],
)
def test_what_is_no_manifest_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str, capsys) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(InputError, match=words):
        read_manifest(tmp_path / "m.json")
    assert main(["verify", str(tmp_path / "m.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_manifest_that_is_not_there_is_one_sentence(tmp_path: Path, capsys) -> None:
    assert main(["verify", str(tmp_path / "none.json")]) == 2
    assert main(["verify", str(tmp_path)]) == 2
    assert main(["verify", "a", "b", "c"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


ODD = [None, 1, -1, "x", "\x1b[2J", [], {}, [None], [[]], {"a": 1}, True, 1e400]


def places(value, path=()) -> list[tuple]:
    """The places of all values within a manifest."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        found += places(entry, (*path, key))
    return found


def test_a_manifest_of_odd_values_is_refused_or_compared() -> None:
    with serving() as site:
        data = archive()
        site.files["/records/7654321/files/quartz_01.tar.bz2"] = data
        record(site, data)
        for path in ("/api/handles/10.5281/zenodo.7654321", "/dois/10.5281/zenodo.7654321"):
            site.handlers[path] = lambda request: request.reply(200, b'{"responseCode": 1, "data": {"attributes": {}}}')
        whole = json.loads(json.dumps(look(QUARTZ.read_bytes(), Looking(), site)))
    assert whole["dois"] and whole["records"]
    outcomes = {"compared": 0, "refused": 0}
    for path in places(whole):
        for odd in ODD:
            told = json.loads(json.dumps(whole))
            inner = told
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = odd
            fault = fault_of_manifest(told)
            if not fault:
                kept = compare(told, {**whole, "links": [], "file": {"path": "a"}}) + compare(told, whole)
                as_text(told, kept, is_verbose=True)
                json.dumps(as_json(told, "m.json", kept))
                links_in(told)
            outcomes["refused" if fault else "compared"] += 1
    assert min(outcomes.values()) > 100
