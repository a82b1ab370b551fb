"""Whole processes side by side: run with `python -m pytest tests/benchmarks`.

Each group holds a bare `gemmi.cif.read` of the same file, so that the table of pytest-benchmark
shows the ratio. `ddlm_validate` joins where cod-tools and the official dictionaries are installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SHARED = Path(os.environ.get("IMGCIF_SHARED", ROOT.parent / "shared"))
PYTHON = sys.executable


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory):
    """A maker of files with a given number of frames."""
    folder = tmp_path_factory.mktemp("large")

    def make(frames: int) -> Path:
        path = folder / f"{frames}.cif"
        if not path.exists():
            subprocess.run([PYTHON, HERE / "make_large.py", str(frames), "-o", path], check=True)
        return path

    return make


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, check=False)


def check_command(path: Path) -> tuple[object, ...]:
    return (PYTHON, "-m", "imgcif_core.cli", "check", path)


def gemmi_command(path: Path) -> tuple[object, ...]:
    return (PYTHON, "-c", f"import gemmi; gemmi.cif.read({str(path)!r})")


@pytest.mark.parametrize("program", ["gemmi", "check"])
@pytest.mark.parametrize("frames", [10_000, 100_000, 1_000_000])
def test_frames(benchmark, large_file, frames: int, program: str) -> None:
    path = large_file(frames)
    command = check_command(path) if program == "check" else gemmi_command(path)
    benchmark.group = f"{frames} frames"
    benchmark.pedantic(run, args=command, rounds=3 if frames > 100_000 else 7, warmup_rounds=1)


@pytest.mark.parametrize("program", ["imports", "check"])
def test_start_to_verdict(benchmark, program: str) -> None:
    benchmark.group = "4 kB file"
    imports = (PYTHON, "-c", "import gemmi, numpy")
    command = check_command(ROOT / "examples" / "complete.cif") if program == "check" else imports
    benchmark.pedantic(run, args=command, rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("program", ["check", "ddlm_validate"])
def test_against_cod_tools(benchmark, large_file, program: str) -> None:
    dictionary = SHARED / "dictionaries" / "cif_img.dic"
    if not shutil.which("ddlm_validate") or not dictionary.exists():
        pytest.skip("cod-tools or the official dictionaries are not there")
    path = large_file(100_000)
    benchmark.group = "100000 frames, cod-tools"
    command = check_command(path)
    if program == "ddlm_validate":
        os.environ["COD_TOOLS_DDLM_IMPORT_PATH"] = str(dictionary.parent)
        command = ("ddlm_validate", "--dictionaries", dictionary, path)
    benchmark.pedantic(run, args=command, rounds=1 if program == "ddlm_validate" else 5)
