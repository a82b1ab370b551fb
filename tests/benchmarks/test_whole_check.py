"""Whole processes side by side: run with `python -m pytest tests/benchmarks`.

`-k limit -s` prints the ratios and holds them against their limits. Each group holds a bare
`gemmi.cif.read` of the same file, so that the table of pytest-benchmark shows the ratio.
`ddlm_validate` joins where cod-tools and the official dictionaries are installed.
"""

import os
import shutil
import statistics
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


# An installed package has its modules compiled; the warm-up writes them.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, env=ENVIRONMENT, check=False)


def cost(command: tuple[object, ...]) -> tuple[float, float]:
    """Processor seconds and peak memory in MiB of a process."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ratios(ours: tuple[object, ...], theirs: tuple[object, ...], rounds: int) -> tuple[float, float]:
    """The medians of the ratios of processor time and of peak memory, run in turn."""
    cost(ours), cost(theirs)
    pairs = [(cost(ours), cost(theirs)) for _ in range(rounds)]
    times = [one[0] / other[0] for one, other in pairs]
    return statistics.median(times), statistics.median(one[1] / other[1] for one, other in pairs)


def check_command(path: Path) -> tuple[object, ...]:
    """What the installed command `imgcif-check` runs."""
    return (PYTHON, "-c", f"import sys; from imgcif_core.cli import check_main; sys.exit(check_main([{str(path)!r}]))")


def gemmi_command(path: Path) -> tuple[object, ...]:
    return (PYTHON, "-c", f"import gemmi; gemmi.cif.read({str(path)!r})")


@pytest.mark.parametrize("program", ["gemmi", "check"])
@pytest.mark.parametrize("frames", [10_000, 100_000, 1_000_000])
def test_frames(benchmark, large_file, frames: int, program: str) -> None:
    path = large_file(frames)
    command = check_command(path) if program == "check" else gemmi_command(path)
    benchmark.group = f"{frames} frames"
    benchmark.pedantic(run, args=command, rounds=3 if frames > 100_000 else 7, warmup_rounds=1)


@pytest.mark.parametrize(("frames", "time_limit", "memory_limit"), [(100_000, 4.0, 3.0), (1_000_000, 5.0, 3.0)])
def test_limits_against_a_bare_read(large_file, frames: int, time_limit: float, memory_limit: float) -> None:
    path = large_file(frames)
    time, memory = ratios(check_command(path), gemmi_command(path), rounds=5 if frames <= 100_000 else 3)
    print(f"{frames} frames: {time:.2f} times the time and {memory:.2f} times the memory of a bare read")
    assert time <= time_limit
    assert memory <= memory_limit


def test_limit_of_the_start() -> None:
    imports = (PYTHON, "-c", "import gemmi, numpy")
    time, _ = ratios(check_command(ROOT / "examples" / "complete.cif"), imports, rounds=11)
    print(f"start to verdict: {time:.2f} times the import of gemmi and numpy")
    assert time <= 2.0


def test_cost_grows_linearly_with_frames(large_file) -> None:
    small, large = (cost(check_command(large_file(frames)))[0] for frames in (100_000, 1_000_000))
    # Ten times the frames at no more than ten times the cost, with some room for noise.
    assert large <= 12 * small


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
        ENVIRONMENT["COD_TOOLS_DDLM_IMPORT_PATH"] = str(dictionary.parent)
        command = ("ddlm_validate", "--dictionaries", dictionary, path)
    benchmark.pedantic(run, args=command, rounds=1 if program == "ddlm_validate" else 5)
