"""What a check does grows with its input and no faster, whatever is repeated in it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from growth import KINDS

import imgcif_core

SMALL = 600
# Kinds of which each repetition is judged by all rules take as much for less text.
BLOCKS = {"one block", "empty blocks", "blocks that lead to each other", "one save frame", "open save frames"}

# Each block looks into up to 200 others: so many blocks are judged in time that grows with the pairs of them.
PAIRS = "blocks that lead to each other"


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called, those of Python and those in C."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != PAIRS])
def test_calls_grow_with_the_text(kind: str) -> None:
    make, size = KINDS[kind], SMALL // 10 if kind in BLOCKS else SMALL
    few, more, most = (make(factor * size) for factor in (1, 2, 4))
    imgcif_core.check(few)
    counts = [calls_of(lambda data=data: imgcif_core.check(data)) for data in (few, more, most)]
    # From the second to the third the text grows twice as much as from the first to the second; what grows with its
    # square grows four times as much.
    assert counts[2] - counts[1] <= 3 * max(counts[1] - counts[0], counts[0] // 5)


def test_thousands_of_misspelt_loops_are_read() -> None:
    (entry,) = imgcif_core.check(KINDS["misspelt loops"](20_000)).files
    assert sum(finding.count for finding in entry.findings if finding.rule == "SYN013") > 500


MEASURE = r"""
import re, resource, sys
sys.path.insert(0, {folder!r})
from growth import KINDS
import imgcif_core
data = KINDS[{kind!r}](9_900_000)
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
before = resource.getrusage(resource.RUSAGE_SELF)
(entry,) = imgcif_core.check(data, name="big.cif").files
after = resource.getrusage(resource.RUSAGE_SELF)
seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) >> 10
print(seconds, peak, len(entry.outcomes.crashed), sep="|")
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell peak memory")
@pytest.mark.parametrize("kind", KINDS)
def test_ten_megabytes_stay_within_a_minute_and_a_gibibyte(kind: str) -> None:
    script = MEASURE.format(folder=str(Path(__file__).parent), kind=kind)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-300:]
    seconds, memory, crashed = (float(part) for part in done.stdout.split("|"))
    assert (seconds < 60, memory < 1024, crashed) == (True, True, 0), done.stdout
