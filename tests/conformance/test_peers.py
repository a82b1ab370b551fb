"""The suite's adapters on the tools themselves, where they are installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runner import cases as suite
from runner.adapter import load, names
from runner.judge import count
from runner.run import Runner, Settings
from runner.smoke import smoke
from runner.tool import open_tool
from shared import DICTIONARIES, ROOT

CONFORMANCE = ROOT / "conformance"


pytestmark = pytest.mark.peers
OURS = {"imgcif", "imgcif-check", "accept-all", "reject-all"}
PEERS = [name for name in names() if name not in OURS]


@pytest.fixture(autouse=True)
def dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the dictionary by which validators judge, unless the environment does."""
    path = DICTIONARIES / "cif_img.dic"
    if path.is_file() and "CONFORMANCE_DICTIONARY" not in os.environ:
        monkeypatch.setenv("CONFORMANCE_DICTIONARY", str(path))


@pytest.mark.parametrize("name", PEERS)
def test_the_adapter_reads_its_tool(name: str) -> None:
    adapter = load(name)
    if adapter.why_unusable():
        pytest.skip(adapter.why_unusable())
    tool = open_tool(adapter, 60.0)
    try:
        found = smoke(tool, adapter)
        assert found.blame == "nobody", found.reason
        chosen = suite.select(suite.load(), ["syntax/quoted-11", "ddlm/range", "bin/BIN002"])
        counts = count(Runner(tool, adapter, Settings("C")).run(chosen[::3]))
    finally:
        tool.close()
    assert counts["passed"] > counts["failed"], "a tool in use fails most of what it claims: look at the adapter"
    assert counts["errored"] == 0


def test_the_matrix_is_made_of_runs(tmp_path: Path) -> None:
    page = tmp_path / "matrix.md"
    command = [sys.executable, str(CONFORMANCE / "matrix.py"), "-o", str(page), "--only", "syntax/tables"]
    subprocess.run([*command, "--tools", "gemmi", "reject-all"], check=True)
    text = page.read_text(encoding="utf-8")
    faulty = len(list((CONFORMANCE / "datasets" / "syntax" / "tables").glob("fail-*")))
    assert f"{faulty}/{faulty}" in next(line for line in text.splitlines() if line.startswith("| reject-all"))
    assert "gemmi" in text
