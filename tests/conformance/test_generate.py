"""The creation layer on the generator cases of the suite, judged by the suite's own reader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from numpy.testing import assert_allclose
from runner import instrument, meaning

from imgcif_core.cli import main
from imgcif_core.sources.any import read_source

CONFORMANCE = Path(__file__).parent.parent.parent / "conformance"
FOLDERS = sorted(path.parent for path in (CONFORMANCE / "datasets" / "generate").glob("*/case.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_created_means_what_was_measured(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    case = json.loads((folder / "case.json").read_text())
    made = tmp_path / "made.cif"
    command = ["create", *(str(folder / name) for name in case["inputs"]), "-o", str(made)]
    for name in {"url_base", "archive_url"} & case["options"].keys():
        command += [f"--{name.replace('_', '-')}", case["options"][name]]
    if "answers" in case["options"]:
        command += ["--answers", str(folder / case["options"]["answers"])]
    assert main(command) == 0
    assert meaning.difference(folder / "expected.json", instrument.read(made)) == ""


def test_the_raw_files_are_what_the_model_makes() -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    command = [sys.executable, "-m", "raw.make", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CONFORMANCE)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["single-panel.cif", "two-theta-scans.cif"])
def test_the_reader_of_the_suite_agrees_with_the_geometry_model(name: str) -> None:
    path = CONFORMANCE / "datasets" / "bases" / name
    (block,) = instrument.read(path)["files"][0]["blocks"]
    experiment = read_source(path)
    assert len(block["scans"]) == len(experiment.scans)
    for scan, described in zip(block["scans"], experiment.scans, strict=True):
        assert (scan["id"], scan["frames"]) == (described.id, described.frames)
        for panel, own in zip(scan["panels"], described.panels, strict=True):
            assert_allclose(panel["corner"], own.corner, atol=1e-12)
            assert_allclose(panel["fast"], own.fast, atol=1e-12)
            assert_allclose(panel["slow"], own.slow, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data_x\nloop_\n_axis.id\n_axis.type\nomega\n", "1 values for 2 names"),
        ("data_x\nomega\n", "without a name"),
        ("data_x\n_diffrn_scan.id S\n_diffrn_scan.frames many\n", "expected a number"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "made.cif"
    path.write_text(text)
    with pytest.raises(instrument.GeometryError, match=words):
        instrument.read(path)
