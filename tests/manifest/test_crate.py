"""RO-Crates: flat graphs whose references lead somewhere, with what was confirmed and nothing else."""

import hashlib
import json
from pathlib import Path

import pytest
from manifest.data import ARCHIVE, archive, looking_at, record, write_quartz
from net.servers import serving

from imgcif_core import api
from imgcif_core.cli import main
from imgcif_core.manifest.collect import manifest_of
from imgcif_core.manifest.crate import METADATA, REPORT, licence_of, write_crate
from imgcif_core.manifest.looking import Looking


def crate_of(folder: Path, file: Path, looking: Looking) -> dict[str, dict]:
    """The entities of a crate that is written, by their identifiers."""
    document, dictionary = api.read(file), api.load_dictionary()
    manifest = manifest_of(document, dictionary, looking)
    write_crate(str(folder), str(file), document, dictionary, manifest, looking, overwrite=False)
    return entities(folder)


def entities(folder: Path) -> dict[str, dict]:
    told = json.loads((folder / METADATA).read_text())
    graph = {entry["@id"]: entry for entry in told["@graph"]}
    assert len(graph) == len(told["@graph"]), "each entity stands once"
    assert told["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    for entry in graph.values():
        assert entry["@type"]
        for value in entry.values():
            for reference in value if isinstance(value, list) else [value]:
                if isinstance(reference, dict):
                    assert list(reference) == ["@id"], "no entity within another"
                    assert reference["@id"] in graph or reference["@id"] == "https://w3id.org/ro/crate/1.1"
    assert graph[METADATA]["about"] == {"@id": "./"}
    assert graph[METADATA]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    return graph


def test_a_crate_holds_the_file_its_report_and_the_archive(tmp_path: Path) -> None:
    write_quartz(tmp_path)
    data, crate = archive(), tmp_path / "crate"
    crate.mkdir()
    with serving() as site:
        site.files["/records/7654321/files/quartz_01.tar.bz2"] = data
        record(site, data)
        found = crate_of(crate, tmp_path / "quartz.cif", looking_at(site, Looking(local=(tmp_path / "downloads",))))
    root = found["./"]
    assert root["name"] == "quartz" and root["identifier"] == "https://doi.org/10.5281/zenodo.7654321"
    assert root["license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert [part["@id"] for part in root["hasPart"]] == ["quartz.cif", REPORT, ARCHIVE]
    for name in ("quartz.cif", REPORT):
        own = (crate / name).read_bytes()
        assert found[name]["sha256"] == hashlib.sha256(own).hexdigest()
        assert found[name]["contentSize"] == str(len(own))
    file = found[ARCHIVE]
    assert (file["contentSize"], file["license"]) == (str(len(data)), root["license"])
    assert file["sha256"] == hashlib.sha256(data).hexdigest() and file["sdDatePublished"]
    (digest,) = file["identifier"]
    assert found[digest["@id"]]["value"] == hashlib.md5(data).hexdigest()
    report = json.loads((crate / REPORT).read_text())
    assert report["files"][0]["path"] == "quartz.cif" and str(tmp_path) not in (crate / METADATA).read_text()


def test_what_nobody_confirmed_is_said_to_be_so(tmp_path: Path) -> None:
    write_quartz(tmp_path)
    found = crate_of(tmp_path, tmp_path / "quartz.cif", Looking())
    assert "license" not in found["./"] and "identifier" not in found["./"]
    file = found[ARCHIVE]
    assert file["description"].startswith("not confirmed at its address")
    assert not {"contentSize", "sha256", "sdDatePublished", "license"} & file.keys()


def test_digests_of_a_copy_that_is_another_file_are_not_told(tmp_path: Path) -> None:
    write_quartz(tmp_path, archive()[:-1] + b"!")
    with serving() as site:
        record(site, archive())
        found = crate_of(tmp_path, tmp_path / "quartz.cif", looking_at(site, Looking(local=(tmp_path / "downloads",))))
    assert "sha256" not in found[ARCHIVE] and found[ARCHIVE]["contentSize"] == str(len(archive()))


def test_a_file_with_errors_does_not_conform(tmp_path: Path) -> None:
    faulty = Path(__file__).parents[2] / "examples/faulty.cif"
    (tmp_path / "a b.cif").write_bytes(faulty.read_bytes())
    found = crate_of(tmp_path, tmp_path / "a b.cif", Looking())
    assert "conformsTo" not in found["a%20b.cif"] and "errors were found" in found[REPORT]["description"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC-BY-NC-SA-3.0", "https://creativecommons.org/licenses/by-nc-sa/3.0/"),
        ("cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("cc-zero-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("https://example.org/l", "https://example.org/l"),
        ("my own words", "#licence-my%20own%20words"),
    ],
)
def test_licences_have_addresses_where_they_are_known(text: str, address: str) -> None:
    assert licence_of(text) == {"@id": address, "@type": "CreativeWork", "name": text}


def test_the_command_refuses_before_it_writes(tmp_path: Path, monkeypatch, capsys) -> None:
    write_quartz(tmp_path)
    monkeypatch.chdir(tmp_path)
    for place in ("none", "crate.json", "quartz.cif"):
        assert main(["manifest", "quartz.cif", "--crate", place]) == 2
    (tmp_path / REPORT).write_text("mine")
    assert main(["manifest", "quartz.cif", "--crate", "."]) == 2
    assert capsys.readouterr().err.count("\n") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["downloads", REPORT, "quartz.cif"]
    assert main(["manifest", "quartz.cif", "--crate", METADATA, "--overwrite", "--local", "downloads"]) == 0
    assert entities(tmp_path)[ARCHIVE]["contentSize"]


@pytest.mark.peers
def test_another_program_reads_the_crate(tmp_path: Path) -> None:
    rocrate = pytest.importorskip("rocrate.rocrate", reason="the package rocrate is not installed")
    write_quartz(tmp_path)
    crate = tmp_path / "crate"
    crate.mkdir()
    with serving() as site:
        record(site, archive())
        crate_of(crate, tmp_path / "quartz.cif", looking_at(site))
    found = rocrate.ROCrate(str(crate))
    assert found.name == "quartz" and [entry.id for entry in found.data_entities] == ["quartz.cif", REPORT, ARCHIVE]
    assert found.license.id == "https://creativecommons.org/licenses/by/4.0/"
    assert found.dereference(ARCHIVE)["contentSize"] == str(len(archive()))
