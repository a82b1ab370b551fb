"""An export takes no longer than a check, and the format class of dxtbx hardly longer than dxtbx's own readers."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from make_large import lines
from shared import CORPUS, ROOT, needs_corpus

FRAMES = 100_000
CLASS_LIMIT = 1.5
_READ = """
import sys, time, dxtbx
from imgcif_core.dxtbx_format import FormatImgCIF
ours = FormatImgCIF(sys.argv[1])
kind = type(dxtbx.load(sys.argv[2]))
# As the reader of an image set does it: dxtbx keeps the pixels of one instance.
theirs = [lambda name=name: kind(name).get_raw_data() for name in sys.argv[2:]]
def seconds(read):
    start = time.perf_counter()
    read()
    return time.perf_counter() - start
ours.get_raw_data(0)
pairs = [(seconds(lambda: ours.get_raw_data(k)), seconds(theirs[k])) for _ in range(5) for k in (1, 2)]
ratios = sorted(one / other for one, other in pairs)
sys.stdout.write("=====%.3f" % ratios[len(ratios) // 2])
"""


def cpu_of(arguments: list[str]) -> float:
    """The CPU seconds of a command of ours."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "imgcif_core.cli", *arguments], check=False, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


@pytest.mark.parametrize("target", ["expt", "xds", "geom"])
def test_an_export_takes_no_longer_than_a_check(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "large.cif"
    source.write_text("".join(lines(FRAMES)), encoding="utf-8")
    output = str(tmp_path / "out")
    ratios = []
    for _ in range(5):
        export = cpu_of(["export", str(source), "--to", target, "-o", output, "--overwrite"])
        ratios.append(export / cpu_of(["check", str(source), "--quiet"]))
    median = sorted(ratios)[2]
    with capsys.disabled():
        print(f"\nexport --to {target} of {FRAMES} frames: {median:.2f} of a check")
    assert median <= 1.0


@needs_corpus
def test_the_format_class_reads_frames_as_fast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from imgcif_core.sources.dxtbx import find_python

    python = find_python()
    if python is None:
        pytest.skip("no Python with dxtbx")
    archive = CORPUS / "archive" / "b4_mini.tar.bz2"
    shutil.copy(archive, tmp_path)
    shutil.copy(CORPUS / "imgcif" / "b4_master_archive.cif", tmp_path / "scan.cif")
    with tarfile.open(archive) as members:
        members.extractall(tmp_path / "images", filter="data")
    images = sorted(map(str, (tmp_path / "images").rglob("*.cbf")))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(python), "-c", _READ, str(tmp_path / "scan.cif"), *images],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    ratio = float(done.stdout.rpartition("=====")[2])
    with capsys.disabled():
        print(f"\na frame of 18 million pixels through the format class: {ratio:.2f} of dxtbx's own reader")
    assert ratio <= CLASS_LIMIT
