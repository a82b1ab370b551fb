"""`imgcif derive`: what is printed, as text and JSON, and what is said where nothing can be."""

import json
import sys
from pathlib import Path

import pytest
from shared import EXAMPLE

from imgcif_core.cli import main

sys.path.insert(0, str(Path(__file__).parent.parent / "ddlm" / "drel"))

from methodical import dictionary

DATA = "#\\#CIF_2.0\ndata_t\nloop_ _atom.id _atom.x _atom.y\nA 1.5 2.0\nB ? 3.0\n"
METHODS = {
    "atom__twice": "_atom.twice = 2 * _atom.x",
    "atom__number": "_atom.number = 1 / 0",
    "cell__result": "n = 0 Loop a as atom { If (not Is_missing(a.twice)) n += a.twice } _cell.result = n",
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    dictionary(tmp_path, **METHODS)
    (tmp_path / "t.cif").write_text(DATA, encoding="utf-8")
    return [str(tmp_path / "t.cif"), "--dictionary", str(tmp_path / "tests.dic")]


def derived(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict]:
    status = main(["derive", *arguments, "--format", "json"])
    return status, json.loads(capsys.readouterr().out)["files"][0]["blocks"][0]


def test_json_gives_values_keys_and_the_way(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, block = derived(capsys, *files)
    assert status == 0
    found = {entry["item"]: entry for entry in block["items"]}
    assert set(found) == {"_atom.twice", "_cell.result"}
    assert found["_atom.twice"]["rows"] == [{"row": 0, "key": {"id": "A"}, "value": 3.0, "how": "derived"}]
    (way,) = [entry for entry in found["_cell.result"]["from"] if entry["how"] == "derived"]
    assert way == {"item": "_atom.twice", "how": "derived", "from": [{"item": "_atom.x", "how": "stored"}]}
    (trouble,) = block["troubles"]
    assert (trouble["item"], trouble["line"], trouble["message"]) == ("_atom.number", 2, "division by zero")


def test_what_is_asked_for_is_given_or_explained(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, block = derived(capsys, files[0], "_atom.twice", "_atom.number", "_cell.complex", *files[1:])
    assert status == 1
    because = {entry["item"]: entry["because"] for entry in block["not_derived"]}
    assert because == {
        "_atom.number": "its method stops: division by zero (line 2 of the method)",
        "_cell.complex": "it has no method",
    }


def test_text_names_the_way_below_each_value(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", *files]) == 0
    text = capsys.readouterr().out
    assert "_cell.result  3\n" in text
    assert "    from _atom.twice (derived)\n      from _atom.x (stored)" in text
    assert "Methods that stopped:" in text


def test_a_stored_value_stands_beside_the_derived_one(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text(DATA + "_cell.result 7\n", encoding="utf-8")
    status, block = derived(capsys, files[0], "_cell.result", *files[1:])
    assert status == 0
    assert block["items"][0]["rows"][0]["value"] == 3.0
    assert block["items"][0]["rows"][0]["stored"] == 7.0


def test_without_a_dictionary_it_is_said_which_file_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", str(EXAMPLE), "_cell.volume"]) == 1
    assert "--dictionary cif_core.dic" in capsys.readouterr().out


def test_unknown_names_and_dictionaries_without_methods_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["derive", str(EXAMPLE), "_no.such"]) == 2
    assert "neither an item nor a category" in capsys.readouterr().err
    dictionary(tmp_path)
    assert main(["derive", str(EXAMPLE), "--dictionary", str(tmp_path / "tests.dic")]) == 2
    assert "without its methods" in capsys.readouterr().err
