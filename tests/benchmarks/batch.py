"""Many small files in all ways of a batch: `python tests/benchmarks/batch.py [--files 10000] [--seed 0]`.

Makes files of about 4 kB, no two alike and some of them faulty, and checks them by one job, by two jobs, by two
shards that are merged, by a local Dask cluster of two, and by two jobs that are killed in the middle and go on with
`--resume`. Prints processor time, time on the clock and the most memory of the parent process of each, and fails
where the merged reports are not all the same. `--only one,two` takes some of the ways.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BASES = ROOT / "conformance" / "datasets" / "bases"
# Those of the smallest size, of which each has other categories.
NAMES = ("hdf5-scan.cif", "single-panel.cif", "step-scan.cif", "instrument-library.cif")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PYTHONPATH"] = str(ROOT)
# What is promised: see docs/many-files.md.
MOST_CPU, LEAST_SPEEDUP, MOST_MEMORY = 1.05, 1.7, 150


@dataclass
class Cost:
    """What commands have cost: seconds of processor and clock, and the most memory of their own processes in MB."""

    cpu: float = 0.0
    wall: float = 0.0
    memory: float = 0.0
    parts: list[float] = field(default_factory=list)

    def add(self, cpu: float, wall: float, memory: float) -> None:
        """One more command."""
        self.cpu, self.wall, self.memory = self.cpu + cpu, self.wall + wall, max(self.memory, memory)
        self.parts.append(wall)


def make(folder: Path, count: int, seed: int) -> Path:
    """So many files, and the list of their paths."""
    dice = random.Random(seed)
    texts = [re.sub(r"^#.*\n", "", (BASES / name).read_text(encoding="utf-8"), flags=re.M) for name in NAMES]
    paths = []
    for number in range(count):
        path = folder / "files" / f"{number // 1000:03d}" / f"run_{number:06d}.cif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#\\#CIF_2.0\n" + _varied(texts[number % len(texts)], number, dice), encoding="utf-8")
        paths.append(str(path))
    listed = folder / "files.txt"
    listed.write_text("\n".join(paths) + "\n", encoding="utf-8")
    return listed


def _varied(text: str, number: int, dice: random.Random) -> str:
    """A text with a name of its own and other numbers, now and then with a fault."""
    text = re.sub(r"^data_\S+", f"data_run_{number}", text, count=1, flags=re.M)
    numbers = list(re.finditer(r"(?<=\s)\d+\.\d+(?=\s)", text))
    for match in reversed(dice.sample(numbers, min(3, len(numbers)))):
        value = round(float(match[0]) * dice.uniform(0.999, 1.001), 6)
        text = f"{text[: match.start()]}{value}{text[match.end() :]}"
    lines = text.split("\n")
    if dice.random() < 0.1:
        items = [index for index, line in enumerate(lines) if re.match(r"_\S+\s+\S", line)]
        del lines[dice.choice(items)]
    return "\n".join(lines)


def run(words: Sequence[str], stop: Callable[[], bool] | None = None) -> tuple[float, float, float]:
    """Processor time, time and memory of a command; killed with all its processes once `stop` says so."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "imgcif_core.cli", *words]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    # In a pipe that nobody empties, a command would wait.
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.append(process.stderr.read() if process.stderr else ""))
    reader.start()
    memory, killed = 0, False
    while True:
        memory = max(memory, _most_memory(process.pid))
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            break
        if stop is not None and not killed and stop():
            killed = True
            process.kill()
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode not in (0, 1) and not killed:
        raise SystemExit(f"status {process.returncode} of {' '.join(words)}\n{''.join(told)}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started, memory / 1024


def _most_memory(number: int) -> int:
    """The most memory of one process so far, in kB."""
    try:
        text = Path(f"/proc/{number}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", text)
    return int(found[1]) if found else 0


def check(listed: Path, out: Path, *more: str) -> list[str]:
    """The words of a check of all files."""
    return ["check", "--format", "jsonl", "--profile", "core", "--files-from", str(listed), "-o", str(out), *more]


def one(listed: Path, folder: Path, cost: Cost) -> list[Path]:
    """One job."""
    out = folder / "one.jsonl"
    cost.add(*run(check(listed, out)))
    return [out]


def two(listed: Path, folder: Path, cost: Cost) -> list[Path]:
    """Two jobs."""
    out = folder / "two.jsonl"
    cost.add(*run(check(listed, out, "--jobs", "2")))
    return [out]


def shards(listed: Path, folder: Path, cost: Cost) -> list[Path]:
    """Two shards, as two machines would do them; here one after the other."""
    outs = [folder / f"shard{number}.jsonl" for number in (1, 2)]
    for number, out in enumerate(outs, 1):
        cost.add(*run(check(listed, out, "--shard", f"{number}/2")))
    return outs


def dask(listed: Path, folder: Path, cost: Cost) -> list[Path]:
    """A Dask cluster of two workers on this machine."""
    out = folder / "dask.jsonl"
    cost.add(*run(check(listed, out, "--cluster", "2")))
    return [out]


def killed(listed: Path, folder: Path, cost: Cost) -> list[Path]:
    """Two jobs, killed when half of the lines are there; then the same with --resume."""
    out = folder / "killed.jsonl"
    half = _lines(listed) // 2
    cost.add(*run(check(listed, out, "--jobs", "2"), lambda: out.exists() and _lines(out) >= half))
    done = _lines(out)
    if not half <= done < _lines(listed):
        raise SystemExit(f"the run was not killed in the middle: {done} lines")
    cost.add(*run(check(listed, out, "--jobs", "2", "--resume")))
    return [out]


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(part.count(b"\n") for part in iter(lambda: stream.read(1 << 20), b""))


WAYS: dict[str, Callable[[Path, Path, Cost], list[Path]]] = {
    "one": one,
    "two": two,
    "shards": shards,
    "dask": dask,
    "killed": killed,
}


def merged(outs: Sequence[Path], folder: Path, cost: Cost) -> str:
    """The name of what `imgcif merge` and the lines say, without the order of the lines and their times."""
    report = folder / "merged.json"
    report.unlink(missing_ok=True)
    cost.add(*run(["merge", *map(str, outs), "--format", "json", "-o", str(report)]))
    lines = sorted(line for out in outs for line in out.read_text(encoding="utf-8").splitlines())
    told = json.loads(report.read_text(encoding="utf-8"))
    told.pop("inputs", None)
    return hashlib.sha256("\n".join([json.dumps(told, sort_keys=True), *lines]).encode()).hexdigest()


def rows(listed: Path, folder: Path, ways: Sequence[str]) -> Iterator[tuple[str, Cost, Cost, str]]:
    """What each way costs, what its merging costs, and what its report is."""
    for name in ways:
        if name == "dask" and importlib.util.find_spec("distributed") is None:
            print("dask: skipped, distributed is not installed")
            continue
        cost, merging = Cost(), Cost()
        outs = WAYS[name](listed, folder, cost)
        yield name, cost, merging, merged(outs, folder, merging)


def main() -> int:
    """All ways, with the bars beside what they hold; 1 where the reports differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(WAYS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = make(folder, given.files, given.seed)
        size = sum(Path(path).stat().st_size for path in listed.read_text().split("\n") if path)
        print(f"{given.files} files of {size / given.files / 1000:.1f} kB on {os.cpu_count()} cores")
        print(f"{'':8}{'CPU s':>9}{'wall s':>9}{'parent MB':>11}{'merge CPU':>11}{'merge MB':>10}")
        found: dict[str, Cost] = {}
        reports: dict[str, str] = {}
        for name, cost, merging, report in rows(listed, folder, given.only.split(",")):
            found[name], reports[name] = cost, report
            line = (
                f"{name:8}{cost.cpu:9.1f}{cost.wall:9.1f}{cost.memory:11.0f}{merging.cpu:11.2f}{merging.memory:10.0f}"
            )
            print(line if len(cost.parts) < 2 else f"{line}   ({' + '.join(f'{part:.1f}' for part in cost.parts)})")
            sys.stdout.flush()
    if {"one", "two"} <= set(found):
        more, speed = found["two"].cpu / found["one"].cpu, found["one"].wall / found["two"].wall
        print(f"CPU of two jobs: {more:.3f} of one (at most {MOST_CPU})")
        print(f"two jobs are {speed:.2f} times as fast (at least {LEAST_SPEEDUP} on two idle cores)")
    most = max(cost.memory for cost in found.values())
    print(f"most memory of a parent: {most:.0f} MB (at most {MOST_MEMORY})")
    same = len(set(reports.values())) == 1
    print("all reports are the same" if same else f"REPORTS DIFFER: {reports}")
    return 0 if same else 1


if __name__ == "__main__":
    # A kill of this program takes what it has started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
