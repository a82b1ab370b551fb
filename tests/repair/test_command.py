"""`imgcif fix` as a person uses it."""

import gzip
import io
import json
from pathlib import Path

import pytest

from imgcif_core.cli import main

TEXT = """#\\#CIF_1.1
data_a
_diffrn_source.device Synchrotron   # as the beamline wrote it
_diffrn_detektor.make 'Example 1k'
_diffrn_radiation.probe x-ray
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "a.cif"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_without_options_it_lists_and_writes_nothing(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", str(faulty)]) == 1
    told = capsys.readouterr().out
    assert "DIC006 line 3" in told and "+ _diffrn_source.device synch " in told
    assert "1 repair to decide on, asked for with --unsafe" in told
    assert "nothing is written yet" in told
    assert faulty.read_text(encoding="utf-8") == TEXT


def test_diff_is_a_unified_diff(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--diff", str(faulty)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"--- {faulty}" and lines[2].startswith("@@ -1")
    assert "-_diffrn_source.device Synchrotron   # as the beamline wrote it" in lines
    assert "+_diffrn_source.device synch   # as the beamline wrote it" in lines
    assert faulty.read_text(encoding="utf-8") == TEXT


def test_write_changes_what_is_safe_in_place_and_again_nothing(faulty: Path) -> None:
    faulty.chmod(0o640)
    assert main(["fix", "--write", str(faulty)]) == 0
    mended = faulty.read_text(encoding="utf-8")
    assert mended == TEXT.replace("Synchrotron", "synch")
    assert faulty.stat().st_mode & 0o777 == 0o640
    assert main(["fix", "--write", str(faulty)]) == 0
    assert faulty.read_text(encoding="utf-8") == mended
    assert [path.name for path in faulty.parent.iterdir()] == ["a.cif"]


@pytest.mark.parametrize(
    ("answer", "expected"), [("y\n", "_diffrn_detector.make"), ("n\n", "detektor"), ("", "detektor")]
)
def test_unsafe_repairs_are_asked_for_one_by_one(
    faulty: Path, answer: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["fix", "--unsafe", "--write", str(faulty)]) == 0
    assert expected in faulty.read_text(encoding="utf-8")
    assert "did you mean _diffrn_detector.make" in capsys.readouterr().err


def test_only_the_rules_that_are_named(faulty: Path) -> None:
    assert main(["fix", "--write", "--select", "DIC001", str(faulty)]) == 0
    assert faulty.read_text(encoding="utf-8") == TEXT


def test_json_holds_the_repairs(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--format", "json", str(faulty)]) == 1
    value = json.loads(capsys.readouterr().out)
    (repair,) = [entry for entry in value["repairs"] if entry["rule"] == "DIC006"]
    assert repair["safe"] and repair["line"] == 3 and repair["edits"][0]["text"] == "synch"
    assert repair["after"].startswith("_diffrn_source.device synch")
    assert [entry["rule"] for entry in value["left"]] == ["DIC001"]


def test_a_packed_file_stays_packed(tmp_path: Path) -> None:
    path = tmp_path / "a.cif.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert main(["fix", "--write", str(path)]) == 0
    assert b"synch " in gzip.decompress(path.read_bytes())


def test_output_goes_elsewhere_and_never_over_the_input(faulty: Path, tmp_path: Path) -> None:
    other = tmp_path / "b.cif"
    assert main(["fix", "-o", str(other), str(faulty)]) == 0
    assert "synch " in other.read_text(encoding="utf-8") and faulty.read_text(encoding="utf-8") == TEXT
    assert main(["fix", "-o", str(faulty), str(faulty)]) == 2


@pytest.mark.parametrize("arguments", [["--write", "-"], ["--unsafe", "-"], ["no/such/file.cif"]])
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
