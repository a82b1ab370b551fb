"""Geometries of psana: numbers worked out by hand, chips held against EXtra-geom, and files that are none."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from imgcif_core import CheckOptions, check
from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError
from imgcif_core.findings import Severity
from imgcif_core.sources.any import read_source
from imgcif_core.sources.detect import kind_of
from imgcif_core.sources.series import read_inputs
from imgcif_core.sources.statements import Fate

HEAD = """# TITLE      Geometry of a test
# DATE_TIME  2026-03-01 10:00:00 PST
# DETECTOR   Example
# PARAM:05 X0         - x-coordinate [um] of the object origin in the parent frame
# HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X
"""


def geometry(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "0-end.data"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def panels(folder: Path, *rows: str) -> tuple:
    return read_source(geometry(folder, *rows)).scans[0].panels


def test_a_matrix_has_rows_along_x_and_columns_along_y(tmp_path: Path) -> None:
    # Its first centre lies at the origin of its frame, so that the corner is half a pixel before it: half of
    # 100 um along x, which points down, and half of 50 um along y, which points to the right.
    (panel,) = panels(tmp_path, "IP 0 MTRX:4:6:100:50 0 1000 2000 -200000 0 0 0 0 0 0")
    assert panel.size == (6, 4) and panel.pixel_size == (0.05, 0.1)
    assert_allclose(panel.fast, [1, 0, 0], atol=1e-15)
    assert_allclose(panel.slow, [0, -1, 0], atol=1e-15)
    assert_allclose(panel.corner, [2.0 - 0.025, -(1.0 - 0.05), -200.0], atol=1e-12)


def test_turns_go_about_z_then_y_then_x(tmp_path: Path) -> None:
    # y, the fast direction, goes to -x about Z, and -x to z about Y; x goes to y and stays there.
    (panel,) = panels(tmp_path, "IP 0 MTRX:4:6:100:100 0 0 0 -200000 80 90 0 10 0 0")
    assert_allclose(panel.fast, [0, 0, 1], atol=1e-12)
    assert_allclose(panel.slow, [1, 0, 0], atol=1e-12)


def test_objects_stand_in_their_parents(tmp_path: Path) -> None:
    # 10 mm along y of a parent that is turned by 90 degrees about Z: along its own -x, then 1 mm along x.
    rows = ["A:V1 0 MTRX:4:6:100:100 0 0 10000 0 0 0 0 0 0 0", "IP 0 A:V1 0 1000 0 -300000 90 0 0 0 0 0"]
    (panel,) = panels(tmp_path, *rows)
    centre = panel.origin
    # Of psana's (-9, 0, -300) mm.
    assert_allclose(centre, [0.0, 9.0, -300.0], atol=1e-9)


def test_a_positive_distance_stands_for_a_negative_one_and_an_answer_for_both(tmp_path: Path) -> None:
    path = geometry(tmp_path, "IP 0 MTRX:4:6:100:100 0 0 0 200000 0 0 0 0 0 0")
    assert read_source(path).scans[0].panels[0].corner[2] == -200.0
    made = create(path, wishes=Wishes(answers={"distance": 87.5}))
    assert made.built[0].experiment.scans[0].panels[0].corner[2] == -87.5
    assert [entry.key for entry in create(geometry(tmp_path, "A 0 MTRX:4:6:9:9 0 0 0 0 0 0 0 0 0 0")).needed] == [
        "distance"
    ]


def test_the_chips_of_a_cspad_sensor_are_three_pixels_apart(tmp_path: Path) -> None:
    one, two = panels(tmp_path, "IP 0 SENS2X1:V1 0 0 0 -100000 0 0 0 0 0 0")
    assert one.size == two.size == (194, 185)
    # 194 pixels and two wide ones less their regular parts: 197 steps from first to first.
    assert_allclose(np.linalg.norm(two.corner - one.corner), 197 * 0.10992, atol=1e-9)
    assert_allclose((one.corner + two.corners()[2]) / 2.0, [0, 0, -100.0], atol=1e-9)
    assert (one.raw_offset, two.raw_offset) == ((0, 0), (194, 0))


@pytest.mark.peers
@pytest.mark.parametrize(("kind", "turned"), [("JUNGFRAU:V1", -1.0), ("JUNGFRAU:V2", 1.0)])
def test_chips_of_a_jungfrau_lie_as_extra_geom_has_them(tmp_path: Path, kind: str, turned: float) -> None:
    extra_geom = pytest.importorskip("extra_geom")
    other = extra_geom.JUNGFRAUGeometry.from_module_positions([(0.0, 0.0)], asic_gap=2)
    corners = np.array([tile.corner_pos for tile in other.modules[0]]) * 1e3
    own = panels(tmp_path, f"IP 0 {kind} 0 0 0 -100000 0 0 0 0 0 0")
    # Psana's x and y are -Y and X here; version 1 counts its rows downwards.
    mine = np.array([[-panel.corner[1], turned * panel.corner[0]] for panel in own])
    theirs = corners[:, :2]
    assert len(mine) == len(theirs) == 8
    between = [np.sort(np.linalg.norm(points[:, None] - points[None], axis=-1), axis=None) for points in (mine, theirs)]
    assert_allclose(*between, atol=1e-9)


def test_what_is_created_is_sound_and_read_a_second_time(tmp_path: Path) -> None:
    rows = [f"CAMERA:V1 0 EPIX10KA:V1 {index} {40000 * index} 0 {10 * index} 0 0 0 0.1 0.2 -0.3" for index in range(3)]
    path = geometry(tmp_path, *rows, "IP 0 CAMERA:V1 0 -40000 0 150000 0 0 0 0 0 0")
    made = create(path, tmp_path / "a.cif")
    assert made.is_sound and not made.needed and made.report.count(Severity.WARNING) == 0
    assert str(made.witness) == "as in the source, read a second time: corners of 12 panels"
    (report,) = check(tmp_path / "a.cif", options=CheckOptions(against=path)).files
    assert not [entry for entry in report.findings if entry.rule.startswith("CMP") and str(entry.severity) != "info"]
    marked = {entry.place: entry for entry in read_inputs([str(path)]).statements}
    assert marked["DATE_TIME"].fate is Fate.LEFT_OUT and marked["DETECTOR"].fate is Fate.ASKED
    assert marked["EPIX10KA:V1 wide pixels"].fate is Fate.LEFT_OUT
    (asked,) = [entry for entry in made.questions if entry.key == "detector"]
    assert asked.proposal == '"Example"'


def test_it_is_known_by_its_rows_without_any_head(tmp_path: Path) -> None:
    assert kind_of(geometry(tmp_path, "IP 0 PNCCD:V1 0 0 0 -100000 0 0 0 0 0 0", head="")) == "psana"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["X 0 Y 0 1 2 3"], "line 6 has 7 fields, a row of psana has 13"),
        (["IP 0 ARCHON:V1 0 0 0 0 0 0 0 0 0 0"], r"segments of type ARCHON:V1 are not known here \(SENS2X1:V1, "),
        (["IP 0 MTRX:0:6:1:1 0 0 0 0 0 0 0 0 0 0"], "segments of type MTRX:0:6:1:1 are not known"),
        (["A 0 B 0 0 0 0 0 0 0 0 0 0", "B 0 A 0 0 0 0 0 0 0 0 0 0"], "has 0 outermost objects"),
        (["IP 0 A 0 0 0 0 0 0 0 0 0 0", "A 0 B 0 0 0 0 0 0 0 0 0 0", "B 0 A 0 0 0 0 0 0 0 0 0 0"], "in a circle"),
        (["IP 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0", "Q 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0"], "has 2 outermost objects"),
        (["IP 0 PNCCD:V1 0 0 0 0 0 0 0 0 0 0"] * 2, "PNCCD:V1 0 is placed twice"),
        ([f"IP 0 PNCCD:V1 0 {'9' * 400} 0 0 0 0 0 0 0 0"], "line 6 is beyond all measure"),
        (["IP 0 PNCCD:V1 0 nan 0 0 0 0 0 0 0 0"], "line 6 is beyond all measure"),
        (["IP x PNCCD:V1 0 0 0 0 0 0 0 0 0 0"], "line 6 holds .* which are no names and numbers"),
        ([], "places no object"),
    ],
)
def test_what_is_no_tree_of_known_segments_is_refused(tmp_path: Path, rows: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_source(geometry(tmp_path, *rows))
