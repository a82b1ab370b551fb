"""The command create: what it writes, what it says, and how it ends."""

from pathlib import Path

import pytest
from create.images import expt, minicbf, series, smv

from imgcif_core.cli import main


def test_sound_file_is_written_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.cif"
    url = "https://zenodo.org/records/7654321/files/run_{number}.zip"
    given = ["create", str(expt(tmp_path / "a.expt")), "-o", str(target), "--archive-url", url, "--name", "quartz"]
    assert main([*given, "--set", "_diffrn.ambient_temperature=100"]) == 0
    text = target.read_text(encoding="utf-8")
    assert text.startswith("#\\#CIF_1.1\ndata_quartz\n")
    assert "files/run_2.zip" in text and "10.5281/zenodo.7654321" in text
    said = capsys.readouterr()
    assert "checked: 0 errors, 0 warnings" in said.err and f"wrote {target}" in said.err
    assert said.out == ""
    assert main(["check", str(target), "--quiet"]) == 0


def test_text_goes_to_standard_output_without_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", str(expt(tmp_path / "a.expt"))]) == 0
    assert "data_a\n" in capsys.readouterr().out


def test_open_questions_are_listed_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.cif"
    assert main(["create", str(smv(tmp_path / "a.img")), "-o", str(target)]) == 1
    said = capsys.readouterr().err
    assert "nothing was written" in said and '# first_pixel = "top left"' in said
    assert not target.exists()


def test_list_of_questions_is_a_file_of_answers_once_the_marks_are_taken_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = str(smv(tmp_path / "a.img"))
    assert main(["create", image]) == 1
    lines = capsys.readouterr().err.splitlines()
    needed = [line.removeprefix("# ") for line in lines if " = " in line and not line.startswith("note")]
    answers = tmp_path / "answers.toml"
    answers.write_text("\n".join(line for line in needed if "https" not in line), encoding="utf-8")
    assert main(["create", image, "--answers", str(answers), "-o", str(tmp_path / "out.cif")]) == 0


def test_questions_are_asked_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("3:00\nclockwise\n"))
    target = tmp_path / "out.cif"
    assert main(["create", str(minicbf(tmp_path / "x_0001.cbf")), "-o", str(target), "--interactive"]) == 0
    assert "face of" in capsys.readouterr().err
    assert target.exists()


def test_provenance_names_file_person_and_derivation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["create", str(expt(tmp_path / "a.expt")), "-o", str(tmp_path / "o.cif"), "--provenance"]
    assert main([*given, "--set", "_diffrn.ambient_temperature=100", "--doi", "https://doi.org/10.5281/zenodo.5"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "file: " in lines["_diffrn_radiation_wavelength.value"]
    assert lines["_diffrn.ambient_temperature"].endswith("person: --set")
    assert "10.5281/zenodo.5" in lines["_database.dataset_DOI"]
    assert lines["_diffrn.id"].endswith("derived: imgcif_core")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "nothing"], "--set nothing: expected ITEM=VALUE"),
        (["--set", "_no_such.name=1"], "_no_such.name is no data name"),
        (["--doi", "zenodo"], "--doi zenodo: expected a DOI"),
        (["--archive-url", "a.zip"], "is no URL"),
        (["--archive-url", "https://x.org/a.zip", "--url-base", "https://x.org"], "exclude each other"),
        (["--dir", "nowhere"], "nowhere: no such directory"),
        (["--answers", "nowhere.toml"], "nowhere.toml: no such file"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["create", str(expt(tmp_path / "a.expt")), "-o", str(tmp_path / "out.cif"), *options]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not (tmp_path / "out.cif").exists()


def test_errors_stop_the_writing_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.cif"
    given = ["create", str(expt(tmp_path / "a.expt")), "-o", str(target), "--set", "_diffrn_radiation.probe=light"]
    assert main(given) == 1
    assert "nothing was written: the checker found errors" in capsys.readouterr().err
    assert not target.exists()
    assert main([*given, "--force"]) == 1
    assert "in spite of the errors" in capsys.readouterr().err
    assert target.exists()


def test_one_frame_is_written_as_a_full_cbf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fabio = pytest.importorskip("fabio")
    answers = tmp_path / "a.toml"
    answers.write_text('principal_axis = "3:00"\nrotation_sense = "clockwise"\n', encoding="utf-8")
    files = [str(path) for path in series(tmp_path, (1, 2, 3))]
    cbf = tmp_path / "full_0003.cbf"
    given = ["create", *files, "-o", str(tmp_path / "o.cif"), "--answers", str(answers)]
    assert main([*given, "--full-cbf", str(cbf), "--frame", "3"]) == 0
    assert "frame 3 of SCAN1" in capsys.readouterr().err
    assert fabio.open(str(cbf)).data.shape == (30, 20)
    assert b"frame1 omega 1.5" in b" ".join(cbf.read_bytes().split())
    assert main(["check", str(cbf), "--quiet"]) == 0
    assert main([*given, "--full-cbf", str(cbf), "--frame", "9"]) == 2
