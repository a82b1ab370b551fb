"""The places that the script of the instrument view gives, in Chromium, against those of the model."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium import HOST, chromium, needs_chromium, served
from shared import CORPUS, EXAMPLE, needs_corpus, text_files

from imgcif_core import load_dictionary
from imgcif_core.api import read
from imgcif_core.cif.document import Document
from imgcif_core.create import Wishes, create
from imgcif_core.errors import ImgcifError
from imgcif_core.show import block_instruments, geometry2

pytestmark = [pytest.mark.browser, needs_chromium]
WITHIN_MM = 1e-3
_SCRIPT = """async ({data, chosen}) => {
  const { poses } = await import('/static/chains.js');
  const blocks = data.files.flatMap((file) => file.blocks);
  return chosen.map(([block, scan, frames]) => frames.map((frame) =>
    poses(blocks[block], blocks[block].scans[scan], frame)
      .map((pose) => pose && [pose.origin, pose.fast, pose.slow, pose.size])));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as browser:
        opened = browser.new_page()
        served(opened, {"/": "<!doctype html><title>poses</title>"})
        opened.goto(f"{HOST}/")
        yield opened


def compared(page: Any, document: Document) -> int:
    """How many poses were compared: five frames of each scan, first and last among them."""
    dictionary = load_dictionary()
    data = json.loads(json.dumps(geometry2(document, dictionary)))
    chosen, expected = [], []
    for block, entry in enumerate(block_instruments(document, dictionary)):
        for place, shown in enumerate(entry.scans):
            count = shown.scan.count if shown.scan is not None else 1
            frames = np.unique(np.linspace(0, count - 1, 5).astype(int))
            every = data["files"][0]["blocks"][block]["scans"][place].get("every", 1)
            frames -= frames % every
            chosen.append([block, place, frames.tolist()])
            expected.append(entry.detector.poses(shown.scan, frames))
    found = page.evaluate(_SCRIPT, {"data": data, "chosen": chosen})
    total = 0
    for scan, frames_of_scan in zip(expected, found, strict=True):
        for index, panels in enumerate(frames_of_scan):
            for pose, placed in zip(scan, panels, strict=True):
                total += compared_pose(pose, min(index, len(pose) - 1), placed)
    return total


def compared_pose(pose: Any, index: int, placed: Any) -> int:
    """1 for a pose that agrees in all corners; 0 for one whose numbers no file tells."""
    own = [pose.origin[index], pose.fast_step[index], pose.slow_step[index]]
    if not np.isfinite(own).all():
        return 0
    origin, fast, slow = (np.array(part) for part in placed[:3])
    assert placed[3] == list(pose.size)
    far = np.array(pose.size)
    for along, down in ((0, 0), (far[0], 0), (0, far[1]), tuple(far)):
        expected = own[0] + along * own[1] + down * own[2]
        size = max(1.0, float(np.abs(expected).max()))
        # A micrometre, or the last digits of a place light years away.
        within = WITHIN_MM * max(1.0, size / 1e6)
        np.testing.assert_allclose(origin + along * fast + down * slow, expected, rtol=0, atol=within)
    return 1


def test_a_turned_arm_with_panels_is_where_the_model_has_it(page: Any) -> None:
    assert compared(page, read(EXAMPLE)) > 0


# A two-theta arm of 30 degrees about +X carries a distance of 100 along -Z; the panel's first centre lies at
# (1, 2, 0) of its frame. R(x, 30) of (1, 2, -100) = (1, 2 cos 30 + 100 sin 30, 2 sin 30 - 100 cos 30).
ARM = """data_arm
loop_
 _axis.id
 _axis.type
 _axis.equipment
 _axis.depends_on
 _axis.vector[1]
 _axis.vector[2]
 _axis.vector[3]
 _axis.offset[1]
 _axis.offset[2]
 _axis.offset[3]
arm rotation detector . 1 0 0 0 0 0
far translation detector arm 0 0 -1 0 0 0
down translation detector far 0 -1 0 1 2 0
along translation detector down 1 0 0 0 0 0
loop_
 _array_structure_list_axis.axis_set_id
 _array_structure_list_axis.axis_id
 _array_structure_list_axis.displacement
 _array_structure_list_axis.displacement_increment
1 along 0 0.1
2 down 0 0.2
loop_
 _array_structure_list.array_id
 _array_structure_list.index
 _array_structure_list.dimension
 _array_structure_list.precedence
 _array_structure_list.direction
 _array_structure_list.axis_set_id
1 1 10 1 increasing 1
1 2 20 2 increasing 2
_diffrn_scan.id S
_diffrn_scan.frames 2
loop_
 _diffrn_scan_axis.scan_id
 _diffrn_scan_axis.axis_id
 _diffrn_scan_axis.angle_start
 _diffrn_scan_axis.angle_increment
 _diffrn_scan_axis.displacement_start
 _diffrn_scan_axis.displacement_increment
S arm 30 60 . .
S far . . 100 0
"""


def test_an_arm_carries_its_panel_about_the_sample(page: Any) -> None:
    data = json.loads(json.dumps(geometry2(read(ARM.encode(), name="arm.cif"), load_dictionary())))
    first, last = page.evaluate(_SCRIPT, {"data": data, "chosen": [[0, 0, [0, 1]]]})[0]
    cosine = np.sqrt(0.75)
    np.testing.assert_allclose(first[0][0], [1, 2 * cosine + 50, 1 - 100 * cosine], atol=1e-9)
    np.testing.assert_allclose(first[0][2], [0, -0.2 * cosine, -0.1], atol=1e-9)
    # At 90 degrees the panel stands above the sample.
    np.testing.assert_allclose(last[0][0], [1, 100, 2], atol=1e-9)
    np.testing.assert_allclose(last[0][1], [0.1, 0, 0], atol=1e-9)


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_panels_of_real_files_are_where_the_model_has_them(path: Path, page: Any) -> None:
    try:
        total = compared(page, read(path))
    except ImgcifError as error:
        pytest.skip(f"describes no instrument: {error}")
    if not total:
        pytest.skip("no panel of it can be placed")


def sources() -> list[Path]:
    """Descriptions in the corpus from which imgCIF files can be made."""
    return sorted(path for folder in ("expt", "xfel", "hdf5") for path in (CORPUS / folder).glob("*") if path.is_file())


@needs_corpus
@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_panels_of_created_files_are_where_the_model_has_them(path: Path, page: Any) -> None:
    try:
        text = create(path, wishes=Wishes(force=True)).text
    except ImgcifError as error:
        pytest.skip(f"nothing is made of it: {error}")
    if not text:
        pytest.skip("facts are missing that only a person knows")
    assert compared(page, read(text.encode(), name="created.cif")) > 0
