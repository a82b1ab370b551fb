"""The small inputs beside the project on which programs stopped, hung or disagreed with themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared import EXAMPLE, SHARED

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cli import main

HOSTILE, ENGINE = SHARED / "cases" / "hostile", SHARED / "cases" / "engine"
pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no cases in {HOSTILE}")
TEXTS = sorted([*HOSTILE.glob("*.c[ib]f"), *ENGINE.glob("*.cif")])


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_rule_crashes(path: Path) -> None:
    report = imgcif_core.check(path, options=CheckOptions(rule_seconds=60.0)).files[0]
    assert report.outcomes.crashed == ()


@pytest.mark.parametrize("path", sorted(HOSTILE.glob("*.expt")), ids=lambda path: path.name)
def test_create_says_one_sentence(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", str(path), "-o", str(tmp_path / "o.cif")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and path.name in said and "expected numbers" in said
    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_directories_is_told_at_once() -> None:
    path = HOSTILE / "loop.tif.cif"
    report = imgcif_core.check(path, options=CheckOptions(images="all", local=HOSTILE)).files[0]
    told = [finding.message for finding in report.findings if finding.rule == "IMG001"]
    assert len(told) == 1 and "lead in a circle" in told[0]


@pytest.mark.parametrize("path", sorted(ENGINE.glob("*-called-cbf.cif")), ids=lambda path: path.name)
def test_all_suffixes_of_a_format_are_told(path: Path) -> None:
    told = [finding for finding in imgcif_core.check(path).files[0].findings if finding.rule == "EXT008"]
    assert [str(finding.severity) for finding in told] == ["warning"]
    assert "is HDF5" in told[0].message


def test_two_ids_with_one_hash_are_two() -> None:
    report = imgcif_core.check(ENGINE / "hash-collision.cif").files[0]
    assert all(finding.severity != "error" for finding in report.findings)


def test_a_date_is_judged_by_one_grammar() -> None:
    report = imgcif_core.check(ENGINE / "date-with-blank.cif").files[0]
    told = [finding for finding in report.findings if "2026-03-01 10:00:00" in finding.message]
    assert [finding.rule for finding in told] == ["SCN014"]


def test_a_plug_in_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "badplug").mkdir()
    (tmp_path / "badplug" / "__init__.py").write_text("import nonexistent_module_xyz\n")
    meta = tmp_path / "badplug-0.1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: badplug\nVersion: 0.1\n")
    (meta / "entry_points.txt").write_text("[imgcif_core.rules]\nbad = badplug\n")
    path = os.pathsep.join([str(tmp_path), str(EXAMPLE.parent.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "imgcif_core.cli", "check", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 3
    assert "badplug" in done.stdout and "nonexistent_module_xyz" in done.stdout
    assert "Traceback" not in done.stderr
