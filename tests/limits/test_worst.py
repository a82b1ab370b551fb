"""Whatever stands in a small input: memory, computing time and disk of all processes stay within the defaults."""

import importlib.util
import os
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from imgcif_core.limits import DEFAULT_LIMITS, MIB

SPEC = importlib.util.spec_from_file_location("worst_inputs", Path(__file__).parent / "worst.py")
assert SPEC is not None
assert SPEC.loader is not None
worst = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(worst)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="measured in /proc")]
# A request to end takes effect at the next whole second, and what was begun is finished.
SPARE_SECONDS = 10.0


class Watch(threading.Thread):
    """The most memory of a process and its children together, and of a folder, looked at many times a second."""

    def __init__(self, number: int, folder: Path) -> None:
        super().__init__(daemon=True)
        self._number, self._folder = number, folder
        self.memory = self.disk = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.memory = max(self.memory, sum(map(_memory, family(self._number))))
            self.disk = max(self.disk, _disk(self._folder))


def family(number: int) -> list[int]:
    """A process and its children."""
    try:
        text = Path(f"/proc/{number}/task/{number}/children").read_text()
    except OSError:
        return [number]
    return [number, *map(int, text.split())]


def _memory(number: int) -> int:
    try:
        text = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"RssAnon:\s+(\d+)", text)
    return int(found[1]) << 10 if found else 0


def _disk(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:
            continue
    return total


def measured(words: list[str], folder: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, float]]:
    """A command with what it took: seconds of computing, MiB of memory and disk."""
    temporary = folder / "temporary"
    temporary.mkdir()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        [sys.executable, "-m", "imgcif_core.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    watch = Watch(process.pid, temporary)
    watch.start()
    output, errors = process.communicate(timeout=900)
    watch.over.set()
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    costs = {"cpu": cpu, "wall": time.monotonic() - started, "memory": watch.memory / MIB, "disk": watch.disk / MIB}
    return subprocess.CompletedProcess(words, process.returncode, output, errors), costs


@pytest.mark.parametrize("name", worst.WORST)
def test_small_inputs_stay_within_the_defaults(name: str, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    pytest.importorskip("fabio")
    words = worst.WORST[name](tmp_path)
    given = sum(path.stat().st_size for path in tmp_path.iterdir() if path.is_file())
    assert given < 10_000_000
    done, costs = measured(words, tmp_path)
    shown = ", ".join(f"{key} {value:.1f}" for key, value in costs.items())
    sys.stderr.write(f"\n{name}: {given / 1e6:.1f} MB, status {done.returncode}, {shown}\n")
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    assert costs["memory"] <= DEFAULT_LIMITS.memory / MIB
    assert costs["cpu"] <= (worst.SECONDS if "--limit" in words else 60.0) + SPARE_SECONDS
    assert costs["disk"] <= DEFAULT_LIMITS.disk / MIB
    assert list((tmp_path / "temporary").iterdir()) == []
