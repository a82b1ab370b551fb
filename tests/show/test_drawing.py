"""Drawings against the model and against numbers worked out by hand."""

import random
from pathlib import Path

import numpy as np
import pytest
from mangling import BASES, mangled
from numpy.testing import assert_allclose
from shared import EXAMPLE, needs_corpus, text_files

import imgcif_core
from imgcif_core.errors import InputError
from imgcif_core.model.scattering import resolution
from imgcif_core.render.sheet import Face, Picture, Sketch
from imgcif_core.show import block_instruments
from imgcif_core.show.drawing import Placed, faces, placed, sketches, view_of

DICTIONARY = imgcif_core.load_dictionary()
ALONG, ABOVE, SIDE = range(3)


def drawn(*changes: tuple[str, str]) -> Placed:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    document = imgcif_core.read(text.encode(), name="a.cif")
    found = placed(block_instruments(document, DICTIONARY)[0])
    assert found is not None
    return found


def test_the_three_views_of_one_panel() -> None:
    # The corner of the panel is at (-80.05, 95.05, -200), 160 mm along X and 190 mm along -Y.
    views = sketches(drawn())
    assert [(view.across, view.up) for view in views] == [("X", "Y"), ("\u2212Z", "\u2212X"), ("\u2212Z", "Y")]
    (panel,) = views[ALONG].panels
    assert_allclose(panel, [(-80.05, 95.05), (79.95, 95.05), (79.95, -94.95), (-80.05, -94.95)])
    (panel,) = views[ABOVE].panels
    assert_allclose(panel, [(200, 80.05), (200, -79.95), (200, -79.95), (200, 80.05)])
    (panel,) = views[SIDE].panels
    assert_allclose(panel, [(200, 95.05), (200, 95.05), (200, -94.95), (200, -94.95)])


def test_beam_axis_and_gravity_point_where_they_should() -> None:
    arrows = {arrow.label: arrow for arrow in sketches(drawn())[SIDE].arrows}
    assert arrows["beam"].start[0] < 0 and arrows["beam"].end == pytest.approx((200, 0))
    assert arrows["gravity"].end[1] < 0 and arrows["gravity"].end[0] == 0
    assert arrows["omega"].start == pytest.approx((0, 0)) and arrows["omega"].end == pytest.approx((0, 0))
    above = {arrow.label: arrow for arrow in sketches(drawn())[ABOVE].arrows}
    assert above["omega"].end[1] < 0 < above["omega"].start[1]


def corners_of(face: Face) -> np.ndarray:
    return np.array(face.panels)


def test_as_stored_and_as_seen_from_the_sample() -> None:
    stored, seen = faces(drawn(), None)
    assert corners_of(stored)[0].tolist() == [[-0.5, -0.5], [1599.5, -0.5], [1599.5, 1899.5], [-0.5, 1899.5]]
    assert stored.beam == pytest.approx((800, 950)) and stored.is_downward and not seen.is_downward
    # Looking down the beam with gravity down, +X lies to the right; the foot of the sample is the origin.
    assert_allclose(corners_of(seen)[0], [(-80.05, 95.05), (79.95, 95.05), (79.95, -94.95), (-80.05, -94.95)])
    assert seen.beam == pytest.approx((0, 0), abs=1e-9)


def test_a_mirrored_detector_is_seen_mirrored() -> None:
    # Fast runs along -X from the other side: the first pixel is then top right as seen from the sample.
    mirrored = drawn(
        ("fast     translation detector   slow     1  0  0", "fast     translation detector   slow     -1  0  0")
    )
    _, seen = faces(mirrored, None)
    (fast,) = (arrow for arrow in seen.arrows if arrow.kind == "fast")
    assert fast.end[0] < fast.start[0]


def test_a_detector_at_two_theta_is_seen_along_its_normal() -> None:
    tilted = drawn(
        ("distance translation detector   .        0  0 -1", "distance translation detector   tth        0  0 -1"),
        ("  source   general", "  tth rotation detector . 1 0 0 0.0 0.0 0.0\n  source   general"),
        ("SCAN1 distance .", "SCAN1 tth 30.0 0.0 0.0 . . .\n  SCAN1 distance ."),
    )
    _, seen = faces(tilted, None)
    # The panel itself keeps its shape. -Z turned by 30 about +X goes up: the beam meets the plane 200 tan 30 below.
    assert_allclose(corners_of(seen)[0], [(-80.05, 95.05), (79.95, 95.05), (79.95, -94.95), (-80.05, -94.95)])
    assert seen.beam == pytest.approx((0, -200 * np.tan(np.radians(30.0))))


def test_rings_lie_at_their_resolution() -> None:
    found = drawn()
    stored, seen = faces(found, None)
    assert len(stored.rings) == 4
    pose = found.panels[0][1]
    for ring in stored.rings:
        pixels = np.array(ring.points)
        places = pose.origin[0] + pixels[:, :1] * pose.fast_step[0] + pixels[:, 1:] * pose.slow_step[0]
        assert_allclose(resolution(places, 0.95, np.array([0, 0, -1.0])), ring.spacing, rtol=1e-9)
    for ring in seen.rings:
        places = np.column_stack([np.array(ring.points), np.full(len(ring.points), -200.0)])
        assert_allclose(resolution(places, 0.95, np.array([0, 0, -1.0])), ring.spacing, rtol=1e-9)


def test_the_image_lies_on_its_panel() -> None:
    image = Picture(b"", (400, 475), (4, 0, 0, 4, -0.5, -0.5))
    stored, seen = faces(drawn(), image)
    for face in (stored, seen):
        assert face.picture is not None
        a, b, c, d, e, f = face.picture.transform
        corners = [(0, 0), (400, 0), (400, 475), (0, 475)]
        laid = [(a * x + c * y + e, b * x + d * y + f) for x, y in corners]
        assert_allclose(laid, face.panels[0], atol=1e-9)


def hold(document: imgcif_core.cif.document.Document) -> int:  # type: ignore[name-defined]
    """Every corner of the drawings against the poses of the model."""
    held = 0
    for entry in block_instruments(document, DICTIONARY):
        found = placed(entry)
        if found is None:
            continue
        corners = np.array([pose.corners()[0] for _, pose in found.panels]).reshape(-1, 4, 3)
        views: tuple[Sketch, ...] = sketches(found)
        for view, chosen, signs in zip(views, ([0, 1], [2, 0], [2, 1]), ([1, 1], [-1, -1], [-1, 1]), strict=False):
            assert_allclose(np.array(view.panels).reshape(-1, 4, 2), corners[: len(view.panels)][..., chosen] * signs)
            held += len(view.panels)
        drawings, view_plane = faces(found, None), view_of(found)
        for face in drawings[1:]:
            assert view_plane is not None and found.reference is not None
            # From the sample through a drawn corner the ray meets the corner itself.
            rays = (
                view_plane.distance * view_plane.normal
                + corners_of(face)[..., :1] * view_plane.right
                + corners_of(face)[..., 1:] * view_plane.up
            )
            cosines = np.einsum("pci,qci->pqc", rays, corners)
            norms = np.linalg.norm(rays, axis=-1)[:, None] * np.linalg.norm(corners, axis=-1)[None]
            if len(corners) <= 64:
                assert ((cosines / norms).min(axis=-1).max(axis=-1) > 1 - 1e-12).all()
    return held


@pytest.mark.parametrize("path", [EXAMPLE, *BASES], ids=lambda path: path.stem)
def test_corners_are_those_of_the_model(path: Path) -> None:
    document = imgcif_core.read(path)
    has_panels = any(entry.detector.flat for entry in block_instruments(document, DICTIONARY))
    assert bool(hold(document)) == has_panels


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_corners_of_real_files_are_those_of_the_model(path: Path) -> None:
    try:
        hold(imgcif_core.read(path))
    except InputError:
        pytest.skip("describes no instrument")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
def test_mangled_tables_are_drawn_as_far_as_they_go(base: Path) -> None:
    from imgcif_core.render.svg import face_svg, sketch_svg

    chance = random.Random(base.stem)
    text = base.read_text(encoding="utf-8")
    for _ in range(15):
        document = imgcif_core.read(mangled(text, chance, 6).encode(), name="mangled.cif")
        for entry in block_instruments(document, DICTIONARY):
            found = placed(entry)
            if found is not None:
                shown = [*map(sketch_svg, sketches(found)), *map(face_svg, faces(found, None))]
                assert not any("nan" in svg or "inf " in svg for svg in shown)
