"""Manifests: what copies and servers confirm of a file, in the form of the public schema."""

import hashlib
import json
import os
from pathlib import Path

import jsonschema
import pytest
from manifest.data import ARCHIVE, NAMES, QUARTZ, archive, look, record, text_with, write_quartz
from net.servers import serving

from imgcif_core import api
from imgcif_core.cli import main
from imgcif_core.manifest.collect import confirms_nothing, counted, is_contradicted, manifest_of
from imgcif_core.manifest.looking import Looking

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/manifest-schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def zenodo():
    with serving() as site:
        yield site


def valid(manifest: dict) -> dict:
    jsonschema.validate(json.loads(json.dumps(manifest)), SCHEMA)
    return manifest


def test_a_copy_is_told_with_size_digest_and_members(tmp_path: Path) -> None:
    data = archive()
    (tmp_path / "quartz_01.tar.bz2").write_bytes(data)
    manifest = valid(look(QUARTZ.read_bytes(), Looking(local=(tmp_path,))))
    (link,) = manifest["links"]
    assert link["copy"]["verdict"] == "confirmed" and link["copy"]["size"] == len(data)
    assert link["copy"]["digests"] == [f"sha256:{hashlib.sha256(data).hexdigest()}"]
    assert [entry["name"] for entry in link["members"]["seen"]] == NAMES and link["members"]["missing"] == []
    assert "server" not in link
    assert manifest["file"]["digests"] == [f"sha256:{hashlib.sha256(QUARTZ.read_bytes()).hexdigest()}"]
    assert not is_contradicted(manifest) and counted(manifest) == "1 link: by copies 1 confirmed"


def test_an_unpacked_folder_has_digests_of_its_members(tmp_path: Path) -> None:
    for name in NAMES[1:]:
        path = tmp_path / "quartz_01.tar.bz2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    manifest = valid(look(QUARTZ.read_bytes(), Looking(local=(tmp_path,))))
    members = manifest["links"][0]["members"]
    assert members["missing"] == NAMES[:1] and is_contradicted(manifest)
    assert members["seen"][0]["digests"] == [f"sha256:{hashlib.sha256(NAMES[1].encode()).hexdigest()}"]


def test_members_that_are_empty_are_missing(tmp_path: Path) -> None:
    (tmp_path / "quartz_01.tar.bz2").write_bytes(archive(dict.fromkeys(NAMES[:2], b"")))
    members = look(QUARTZ.read_bytes(), Looking(local=(tmp_path,)))["links"][0]["members"]
    assert members["missing"] == NAMES and members["seen"] == []


def test_a_damaged_archive_calls_no_member_missing(tmp_path: Path) -> None:
    (tmp_path / "quartz_01.tar.bz2").write_bytes(archive()[:200])
    manifest = valid(look(QUARTZ.read_bytes(), Looking(local=(tmp_path,))))
    members = manifest["links"][0]["members"]
    assert members["unseen"] == NAMES and members["missing"] == [] and members["because"]


def test_nothing_is_confirmed_where_nothing_was_looked_at() -> None:
    manifest = valid(look(QUARTZ.read_bytes(), Looking()))
    assert confirms_nothing(manifest) and counted(manifest) == "1 link: 1 not looked at"
    assert manifest["links"][0]["members"]["unseen"] == NAMES


def test_rows_without_an_address_are_counted() -> None:
    manifest = valid(look(text_with(f"E1 CBF {ARCHIVE}", "E1 CBF 'http://[bad'"), Looking()))
    assert manifest["rows_without_address"] == 1


def test_a_record_confirms_and_a_copy_is_held_against_it(zenodo, tmp_path: Path) -> None:
    data = archive()
    zenodo.files["/records/7654321/files/quartz_01.tar.bz2"] = data
    (tmp_path / "quartz_01.tar.bz2").write_bytes(data)
    record(zenodo, data)
    manifest = valid(look(QUARTZ.read_bytes(), Looking(local=(tmp_path,)), zenodo))
    (link,) = manifest["links"]
    assert link["server"]["digests"] == [f"md5:{hashlib.md5(data).hexdigest()}"]
    assert link["server"]["size"] == len(data) and link["server"]["date"].endswith("Z")
    assert "with the md5 that its record has" in link["copy"]["because"]
    assert manifest["records"][0]["licence"] == "cc-by-4.0" and manifest["records"][0]["files"] == 1


@pytest.mark.parametrize(
    ("copy", "words"), [(b"x" * 4000, "the copy has 4000 bytes"), (None, "the copy has md5:"), (b"", "is empty")]
)
def test_a_copy_that_is_another_file_is_a_contradiction(zenodo, tmp_path: Path, copy, words: str) -> None:
    data = archive()
    record(zenodo, data)
    (tmp_path / "quartz_01.tar.bz2").write_bytes(data[:-1] + b"!" if copy is None else copy)
    manifest = valid(look(QUARTZ.read_bytes(), Looking(local=(tmp_path,)), zenodo))
    copied = manifest["links"][0]["copy"]
    assert copied["verdict"] == "contradicted" and words in copied["because"] and is_contradicted(manifest)


def test_members_are_asked_of_the_server_without_a_copy(zenodo) -> None:
    data = archive()
    zenodo.files["/records/7654321/files/quartz_01.tar.bz2"] = data
    record(zenodo, data)
    members = valid(look(QUARTZ.read_bytes(), Looking(), zenodo))["links"][0]["members"]
    assert members["from"] == "server" and len(members["seen"]) == len(NAMES)


def test_a_busy_server_contradicts_nothing(zenodo) -> None:
    zenodo.handlers["/api/records/7654321"] = lambda request: request.reply(503, b"")
    manifest = valid(look(QUARTZ.read_bytes(), Looking(), zenodo))
    assert manifest["links"][0]["server"]["verdict"] == "not checked" and not is_contradicted(manifest)


def test_copies_that_are_no_plain_files_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "quartz_01.tar.bz2")
    copied = look(QUARTZ.read_bytes(), Looking(local=(tmp_path,)))["links"][0]["copy"]
    assert copied["verdict"] == "not checked" and "is no plain file" in copied["because"]


def test_sizes_alone_read_no_copy(tmp_path: Path) -> None:
    (tmp_path / "quartz_01.tar.bz2").write_bytes(archive())
    copied = look(QUARTZ.read_bytes(), Looking(local=(tmp_path,), digests=False))["links"][0]["copy"]
    assert copied["size"] > 0 and "digests" not in copied


def test_files_beside_the_file_are_copies(tmp_path: Path) -> None:
    text = QUARTZ.read_text().replace(ARCHIVE, "quartz_01.tar.bz2")
    (tmp_path / "q.cif").write_text(text)
    (tmp_path / "quartz_01.tar.bz2").write_bytes(archive())
    manifest = manifest_of(api.read(tmp_path / "q.cif"), api.load_dictionary(), Looking(base=tmp_path))
    assert valid(manifest)["links"][0]["copy"]["verdict"] == "confirmed"


def test_the_command_writes_what_it_confirmed(tmp_path: Path, monkeypatch, capsys) -> None:
    write_quartz(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["manifest", "quartz.cif", "--local", "downloads", "-o", "m.json"]) == 0
    assert valid(json.loads((tmp_path / "m.json").read_text()))["file"]["path"] == "quartz.cif"
    out, err = capsys.readouterr()
    assert out == "" and err == "1 link: by copies 1 confirmed\n"
    assert main(["manifest", "quartz.cif", "--local", "downloads", "-o", "m.json"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["manifest", "quartz.cif"]) == 1
    out, err = capsys.readouterr()
    assert valid(json.loads(out)) and "nothing was confirmed" in err
    assert main(["manifest", "quartz.cif", "-o", "quartz.cif", "--overwrite"]) == 2
    assert (tmp_path / "quartz.cif").read_bytes() == QUARTZ.read_bytes()


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"no cif"])
def test_what_holds_nothing_is_one_sentence(tmp_path: Path, data: bytes, capsys) -> None:
    (tmp_path / "a.cif").write_bytes(data)
    assert main(["manifest", str(tmp_path / "a.cif"), "-o", str(tmp_path / "m.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "m.json").exists()


def test_a_file_of_images_alone_is_told_by_its_digest() -> None:
    path = ROOT / "conformance/datasets/img/IMG003-many-overloaded-pixels/pass-few.cbf"
    manifest = valid(manifest_of(api.read(path), api.load_dictionary(), Looking()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["links"] == [] and manifest["file"]["digests"] == [f"sha256:{digest}"]
    assert not confirms_nothing(manifest) and counted(manifest) == "0 links"
