"""The spots that we find against those of DIALS on the same images."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared import CORPUS, ROOT, needs_corpus

sys.path.insert(0, str(ROOT / "tests" / "spots"))

from simulate import Content, Crystal, Instrument, image_of, reflections, sweep

from imgcif_core.images.measure import Levels
from imgcif_core.sources.dxtbx import find_python
from imgcif_core.spots.finder import find_spots

pytestmark = pytest.mark.dxtbx

NONE = Levels(np.nan, np.nan, np.nan)
CONTENTS = (
    Content(gaps=((195, 212),)),
    Content(height=200.0),
    Content(background=60.0),
    Content(background=1.0, height=300.0),
)


def compared(images: list[np.ndarray], folder: Path) -> list[tuple[int, int, int, int, float]]:
    """For each image: our spots, those of DIALS, ours that it has, its that we have, and the median distance."""
    python = find_python()
    if python is None:
        pytest.skip("no Python with dxtbx")
    paths = [folder / f"{number}.npy" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        np.save(path, image)
    script = Path(__file__).with_name("spot_oracle.py")
    run = subprocess.run([python, str(script), *map(str, paths)], capture_output=True, text=True, timeout=300)
    if "No module named 'dials" in run.stderr:
        pytest.skip("no DIALS")
    theirs = json.loads(run.stdout.split("=====")[1])
    table = []
    for image, there in zip(images, theirs, strict=True):
        ours = find_spots(image, NONE)
        other = np.array(there).reshape(-1, 2)
        off = np.hypot(ours.fast[:, None] - other[:, 0], ours.slow[:, None] - other[:, 1])
        near = off.min(axis=1)
        both, back = np.count_nonzero(near < 1.5), np.count_nonzero(off.min(axis=0) < 1.5)
        table.append((len(ours), len(other), int(both), int(back), float(np.median(near[near < 1.5]))))
    return table


def test_spots_of_made_images_are_those_of_dials(tmp_path: Path) -> None:
    flat = Instrument()
    images = []
    for number, content in enumerate(CONTENTS):
        pixels = reflections(Crystal(), flat, sweep((10.0 * number,))[0], 1.0, 2.0)[0]
        images.append(image_of(pixels, flat.size, flat.centre, content, number))
    for ours, theirs, both, back, off in compared(images, tmp_path):
        assert ours > 100
        # DIALS makes spots of groups of strong pixels about the beam and of fragments too, which we leave.
        assert both >= 0.97 * ours
        assert back >= 0.88 * theirs
        assert off < 0.3


@pytest.mark.corpus
@needs_corpus
def test_spots_of_real_frames_are_among_those_of_dials(tmp_path: Path) -> None:
    fabio = pytest.importorskip("fabio")
    names = ("l-cyst_01_00001", "l-cyst_01_00002", "l-cyst_01_00003", "l-cyst_04_00001")
    images = [fabio.open(str(CORPUS / "cbf_full" / f"{name}.cbf")).data.astype(np.int32) for name in names]
    table = np.array(compared(images, tmp_path))
    assert table[:, 2].sum() >= 0.9 * table[:, 0].sum()
    assert (table[:, 4] < 0.3).all()
