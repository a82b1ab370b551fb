"""An imgCIF of 100,000 frames is created and checked in at most three times the time of a check."""

import time
from pathlib import Path

import pytest
from make_expt import experiments

import imgcif_core
from imgcif_core.create.links import Links
from imgcif_core.create.loop import Wishes, create

FRAMES = 100_000
LIMIT = 3.0


def best_of(runs: int, function) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def test_creation_takes_at_most_three_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    source, target = tmp_path / "large.expt", tmp_path / "large.cif"
    source.write_text(json.dumps(experiments(FRAMES)), encoding="utf-8")
    wishes = Wishes(links=Links("https://zenodo.org/records/7654321/files/scan_{number}.tar.bz2"))
    made = create(source, target, wishes)
    assert made.is_sound and made.report is not None
    assert made.report.count(imgcif_core.Severity.WARNING) == 0
    create_seconds = best_of(3, lambda: create(source, target, wishes))
    check_seconds = best_of(3, lambda: imgcif_core.check(target))
    with capsys.disabled():
        print(f"\ncreate {create_seconds:.2f} s, check {check_seconds:.2f} s: {create_seconds / check_seconds:.2f}")
    assert create_seconds <= LIMIT * check_seconds
