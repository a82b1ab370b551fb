"""The commands of the pages about other programs run, on a file and images made for it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared import EXAMPLE, ROOT

PAGES = sorted((ROOT / "docs").glob("to-*.md"))


def commands(page: Path) -> list[str]:
    """The lines of the shell blocks of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as scan.cif, its images unpacked below `images`, and the command `imgcif`."""
    fabio = pytest.importorskip("fabio", reason="the extra 'images' is not installed")
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    place = tmp_path_factory.mktemp("workflow")
    shutil.copy(EXAMPLE, place / "scan.cif")
    images = place / "images" / "quartz_01"
    images.mkdir(parents=True)
    source = np.random.default_rng(7)
    for number in range(1, 7):
        counts = source.poisson(2.0, (1900, 1600)).astype(np.int32)
        fabio.cbfimage.CbfImage(data=counts).write(str(images / f"quartz_{number:05d}.cbf"))
    our_command(place)
    return place


def our_command(place: Path) -> Path:
    """A folder with the command `imgcif`, run by this Python."""
    programs = place / "bin"
    programs.mkdir()
    shim = programs / "imgcif"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m imgcif_core.cli "$@"\n')
    shim.chmod(0o755)
    return programs


def run(line: str, folder: Path, environment: dict[str, str]) -> None:
    """Run one line of a page."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_our_commands_of_the_page_run(page: Path, folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    own = [line for line in commands(page) if line.startswith("imgcif")]
    assert own
    for line in own:
        if " -o " in line:
            line += " --overwrite"
        run(line, folder, environment)
