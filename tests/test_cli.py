"""The commands: options, inputs of all kinds, exit statuses, one line for what cannot be done."""

import bz2
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from shared import EXAMPLE, ROOT

from imgcif_core.cli import check_main, main

FAULTY = ROOT / "examples" / "faulty.cif"
WARNS = "data_a\n_axis.id x\n_axis.idd y\n"


@pytest.fixture
def warns(tmp_path: Path) -> Path:
    """A file with a warning, and no error."""
    path = tmp_path / "warns.cif"
    path.write_text(WARNS)
    return path


def test_status_is_0_for_a_clean_file_and_1_for_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_main([str(EXAMPLE)]) == 0
    assert check_main([str(FAULTY)]) == 1
    assert main(["check", str(FAULTY)]) == 1


@pytest.mark.parametrize(("fail_on", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_what_fails_is_a_choice(fail_on: str, status: int, warns: Path) -> None:
    assert check_main([str(warns), "--fail-on", fail_on, "--select", "DIC"]) == status


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere.cif"],
        [str(EXAMPLE), "--select", "NOPE"],
        [str(EXAMPLE), "--ignore", "no-such-rule"],
        [str(EXAMPLE), "--profile", "nope"],
        [str(EXAMPLE), "--profile", "nope.toml"],
        [str(EXAMPLE), "--map", "nothing"],
        [str(EXAMPLE), "--block", "nope"],
        [str(EXAMPLE), "--dictionary", "nowhere.dic"],
        [str(EXAMPLE), "--dictionary", str(EXAMPLE)],
    ],
    ids=lambda arguments: " ".join(arguments[-2:]).rpartition("/")[2],
)
def test_wrong_usage_is_status_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert check_main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_option_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        check_main([str(EXAMPLE), "--nonsense"])
    assert stop.value.code == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gz", "bz2"])
def test_packed_files_are_read(pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"packed.cif.{pack.__module__.replace('gzip', 'gz')}"
    path.write_bytes(pack(FAULTY.read_bytes()))
    assert check_main([str(path), "--select", "DIC,REL", "--format", "json"]) == 1
    packed = json.loads(capsys.readouterr().out)["files"][0]
    check_main([str(FAULTY), "--select", "DIC,REL", "--format", "json"])
    plain = json.loads(capsys.readouterr().out)["files"][0]
    assert packed["findings"] == plain["findings"]


def test_standard_input_is_read() -> None:
    command = [sys.executable, "-m", "imgcif_core.cli", "check", "-"]
    done = subprocess.run(command, input=FAULTY.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"<stdin>\n")


def test_a_directory_stands_for_the_files_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.cif").write_text(WARNS)
    (tmp_path / "deep" / "b.imgcif.gz").write_bytes(gzip.compress(WARNS.encode()))
    (tmp_path / "deep" / "C.CBF").write_text(WARNS)
    (tmp_path / "notes.txt").write_text("no cif")
    assert check_main([str(tmp_path), "--format", "json"]) == 0
    files = [Path(entry["path"]).name for entry in json.loads(capsys.readouterr().out)["files"]]
    assert sorted(files) == ["C.CBF", "a.cif", "b.imgcif.gz"]


def test_a_report_can_be_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.json"
    assert check_main([str(FAULTY), "--format", "json", "-o", str(target)]) == 1
    assert capsys.readouterr().out == ""
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == "imgcif-check-report/1"
    assert list(tmp_path.iterdir()) == [target]


def test_several_jobs_give_the_same_report(warns: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(FAULTY), str(EXAMPLE), str(warns)]
    check_main([*paths, "--format", "json"])
    alone = capsys.readouterr().out
    check_main([*paths, "--format", "json", "--jobs", "2"])
    assert capsys.readouterr().out == alone


def test_quiet_shows_only_what_fails(warns: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_main([str(warns), "--quiet"])
    assert "DIC001" not in capsys.readouterr().out


def test_another_dictionary_judges_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import every_type

    dictionary = tmp_path / "every.dic"
    dictionary.write_text(every_type.text(), encoding="utf-8")
    data = tmp_path / "data.cif"
    data.write_text("data_a\n_thing.date someday\n")
    assert check_main([str(data), "--dictionary", str(dictionary)]) == 1
    said = capsys.readouterr().out
    assert "_thing.date is 'someday'" in said
    assert "dictionary EVERY 1.0.0" in said


def test_a_closed_pipe_is_no_traceback() -> None:
    text = f"{sys.executable} -m imgcif_core.cli rules | head -1"
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_rules_are_explained_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "rel001"]) == 0
    assert main(["explain", "dangling-link"]) == 0
    text = capsys.readouterr().out
    assert text.count("REL001 dangling-link (error)") == 2
    assert "Example that fails:" in text and "Example that passes:" in text
    assert main(["explain", "REL999"]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert main(["rules"]) == 0
    assert "DIC001  warning  unknown-data-name" in capsys.readouterr().out
    assert main(["profiles"]) == 0
    assert "raw-data-letters" in capsys.readouterr().out


def test_without_arguments_the_commands_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == check_main([]) == 2
    assert "imgcif-check PATH" in capsys.readouterr().out
