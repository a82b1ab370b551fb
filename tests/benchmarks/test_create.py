"""Creation takes hardly longer than the check of its result, and reading thousands of images no longer than fabio."""

import time
from pathlib import Path

import pytest
from make_expt import experiments

import imgcif_core
from imgcif_core.create.links import Links
from imgcif_core.create.loop import Wishes, create

FRAMES = 100_000
LIMIT = 2.0


def best_of(runs: int, function) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def test_creation_takes_at_most_two_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    source, target = tmp_path / "large.expt", tmp_path / "large.cif"
    source.write_text(json.dumps(experiments(FRAMES)), encoding="utf-8")
    wishes = Wishes(links=Links("https://zenodo.org/records/7654321/files/scan_{number}.tar.bz2"), overwrite=True)
    made = create(source, target, wishes)
    assert made.is_sound and made.report is not None
    assert made.report.count(imgcif_core.Severity.WARNING) == 0
    create_seconds = best_of(3, lambda: create(source, target, wishes))
    check_seconds = best_of(3, lambda: imgcif_core.check(target))
    with capsys.disabled():
        print(f"\ncreate {create_seconds:.2f} s, check {check_seconds:.2f} s: {create_seconds / check_seconds:.2f}")
    assert create_seconds <= LIMIT * check_seconds


def test_thousands_of_images_take_no_longer_than_opening_them_and_two_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tarfile

    from create.images import minicbf

    fabio = pytest.importorskip("fabio")
    files = [str(minicbf(tmp_path / f"x_{number:04d}.cbf", start=round(0.5 * number, 4))) for number in range(1, 3601)]
    answers = {"principal_axis": 3.0, "rotation_sense": "clockwise"}
    target = tmp_path / "series.cif"
    wishes = Wishes(answers=answers, overwrite=True)
    create_seconds = best_of(2, lambda: create(files, target, wishes))
    check_seconds = best_of(3, lambda: imgcif_core.check(target))
    open_seconds = best_of(2, lambda: [fabio.open(name) for name in files])
    archive = tmp_path / "series.tar"
    with tarfile.open(archive, "w") as stream:
        for name in files:
            stream.add(name, arcname=f"run/{Path(name).name}")
    archive_seconds = best_of(2, lambda: create(archive, target, wishes))
    with capsys.disabled():
        print(
            f"\n3,600 images: create {create_seconds:.2f} s, from an archive {archive_seconds:.2f} s, "
            f"fabio.open {open_seconds:.2f} s, check {check_seconds:.2f} s"
        )
    assert create_seconds <= open_seconds + 2 * check_seconds
