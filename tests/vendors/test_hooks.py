"""The pre-commit hook and the steps of the GitHub Action, run as their hosts would run them."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from shared import EXAMPLE, ROOT

ACTION = ROOT / ".github" / "actions" / "imgcif-check" / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
FAULTY = ROOT / "examples" / "faulty.cif"


def step(name: str) -> str:
    """The script of a step of the action."""
    text = ACTION.read_text(encoding="utf-8")
    part = text[text.index(f"- name: {name}") :]
    found = re.search(r"^( +)run: \|\n((?:\1 +.*\n|\n)+)", part, re.M)
    if found:
        return textwrap.dedent(found[2])
    line = re.search(r"^ +run: (.*)$", part, re.M)
    assert line
    return line[1]


def run_check(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step that checks, with the shell options and inputs of the host."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    command = bin_folder / "imgcif-check"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m imgcif_core.cli check "$@"\n')
    command.chmod(0o755)
    names = {"PATHS": "", "PROFILE": "auto", "FAIL_ON": "error", "IGNORE": "", "SARIF": "", **inputs}
    variables = {f"CHECK_{name}": value for name, value in names.items()}
    paths = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("Check")],
        env={**os.environ, **variables, **paths},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_annotates_and_fails(tmp_path: Path) -> None:
    result = run_check(tmp_path, PATHS=f"  {FAULTY}\n\n{EXAMPLE}\n")
    assert result.returncode == 1
    assert re.search(r"^::error file=\S*faulty\.cif,line=80", result.stdout, re.M)
    assert "2 files, 1 not conforming" in result.stdout


def test_the_action_takes_names_with_blanks_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "my data.cif"
    path.write_bytes(EXAMPLE.read_bytes())
    result = run_check(tmp_path, PATHS=str(path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 file, 0 not conforming" in result.stdout


def test_the_action_writes_sarif_and_heeds_its_other_inputs(tmp_path: Path) -> None:
    result = run_check(tmp_path, PATHS=str(FAULTY), FAIL_ON="never", IGNORE="DIC,REL", SARIF="report.sarif")
    assert result.returncode == 0
    assert "DIC006" not in result.stdout
    assert '"version": "2.1.0"' in (tmp_path / "report.sarif").read_text(encoding="utf-8")


def test_each_input_of_the_action_is_handed_over_by_the_environment() -> None:
    text = ACTION.read_text(encoding="utf-8")
    inputs = set(re.findall(r"^  ([a-z-]+):$", text[text.index("inputs:") : text.index("runs:")], re.M))
    used = set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", text))
    assert inputs == used
    # An expression within a script would be code injection by whoever names a file.
    assert "${{" not in step("Check") + step("Install")


def test_the_hook_selects_the_files_of_imgcif() -> None:
    text = HOOKS.read_text(encoding="utf-8")
    pattern = re.search(r"^  files: (.*)$", text, re.M)
    assert pattern
    names = {"a.cif": True, "b/c.imgcif": True, "d.cbf.gz": True, "e.cif.bz2": True, "f.txt": False, "cif.py": False}
    assert {name: bool(re.search(pattern[1], name)) for name in names} == names
    assert "entry: imgcif-check" in text


def pre_commit() -> list[str]:
    """The command of pre-commit, here or in the Python that has the tools."""
    tools = os.environ.get("CONFORMANCE_TOOLS", sys.executable)
    probe = subprocess.run([tools, "-c", "import pre_commit"], capture_output=True, check=False)
    return [tools, "-m", "pre_commit"] if probe.returncode == 0 else []


@pytest.mark.peers
@pytest.mark.skipif(not pre_commit(), reason="pre-commit is not installed")
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_pre_commit_runs_the_hook(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for path in (EXAMPLE, FAULTY):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    environment.pop("PYTHONPATH", None)
    result = subprocess.run(
        [*pre_commit(), "try-repo", str(ROOT), "imgcif-check", "--all-files"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "faulty.cif" in result.stdout
    assert "DIC006" in result.stdout
