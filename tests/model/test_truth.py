"""Panels, beam and axes of real files against the geometry that dxtbx reads from them.

The truth is in dxtbx's frame. For these files it is the imgCIF frame, as their goniometer axis lies
along +X or they have none. Its corner of a panel is what the dictionary calls the centre of the first
pixel: dxtbx takes a displacement of zero for the corner, so that no half pixel is added here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from detector_texts import first_scan
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.model.axes import build_axes
from imgcif_core.model.beam import build_beam
from imgcif_core.tables import Tables

pytestmark = [pytest.mark.corpus, needs_corpus]
FILES = [
    path
    for folder in ("cbf_full", "imgcif")
    for path in sorted((CORPUS / folder).glob("*"))
    if (CORPUS / "truth" / folder / f"{path.name}.json").exists()
]
# Millimetres; the truth is printed with all digits, positions reach 300 mm.
CLOSE = 1e-9


def truth_of(path: Path) -> dict:
    return json.loads((CORPUS / "truth" / path.parent.name / f"{path.name}.json").read_text())


def tables_of(path: Path) -> Tables:
    return Tables(imgcif_core.read(path).blocks[0], imgcif_core.load_dictionary())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_panel_lies_where_dxtbx_puts_it(path: Path) -> None:
    truth = truth_of(path)
    detector, scan = first_scan(tables_of(path))
    poses = detector.poses(scan)
    panels = truth["detector"]["panels"]
    assert len(poses) == len(panels)
    by_name = {panel.section_id or panel.element_id: pose for panel, pose in zip(detector.flat, poses, strict=True)}
    if len(panels) == 1:
        by_name[panels[0]["name"]] = poses[0]
    elif not {panel["name"] for panel in panels} <= set(by_name):
        # Named by dxtbx itself: in the order of the file.
        by_name = {panel["name"]: pose for panel, pose in zip(panels, poses, strict=True)}
    for panel in panels:
        pose = by_name[panel["name"]]
        assert list(pose.size) == panel["image_size_fast_slow"]
        assert_allclose(pose.pixel_size, panel["pixel_size_mm"], atol=1e-12)
        corners = np.array(panel["origin_mm"]) + np.array(
            [
                [fast * along * np.array(panel["fast_axis"]) + slow * down * np.array(panel["slow_axis"])]
                for along, down in [np.multiply(panel["image_size_fast_slow"], panel["pixel_size_mm"])]
                for fast, slow in ((0, 0), (1, 0), (1, 1), (0, 1))
            ]
        ).reshape(4, 3)
        half_pixel = 0.5 * (pose.fast_step[0] + pose.slow_step[0])
        assert_allclose(pose.corners()[0] + half_pixel, corners, atol=CLOSE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_beam_and_wavelength_are_those_of_dxtbx(path: Path) -> None:
    truth, tables = truth_of(path)["beam"], tables_of(path)
    beam = build_beam(tables, build_axes(tables))
    assert_allclose(beam.wavelength, truth["wavelength_A"], rtol=1e-12)
    assert_allclose(beam.source, truth["sample_to_source_direction"], atol=1e-12)


@pytest.mark.parametrize(
    "path", [path for path in FILES if truth_of(path).get("goniometer")], ids=lambda path: path.name
)
def test_goniometer_axes_and_settings_are_those_of_dxtbx(path: Path) -> None:
    truth, tables = truth_of(path)["goniometer"], tables_of(path)
    detector, scan = first_scan(tables)
    axes = detector.axes
    assert scan is not None
    for name, vector, angle in zip(truth["names"], truth["axes"], truth["angles_deg"], strict=True):
        row = axes.find(name)
        assert_allclose(axes.vector[row], vector, atol=1e-12)
        assert_allclose(scan.setting(row, 0), angle, atol=1e-12)


def test_the_largest_deviation_from_the_truth_is_rounding() -> None:
    """The length of the difference of the first pixels, over all panels of all files with a truth."""
    worst, count = 0.0, 0
    for path in FILES:
        detector, scan = first_scan(tables_of(path))
        poses = detector.poses(scan)
        panels = truth_of(path)["detector"]["panels"]
        origins = np.array([panel["origin_mm"] for panel in panels])
        own = np.array([pose.origin[0] for pose in poses])
        names = [panel.section_id or panel.element_id for panel in detector.flat]
        if {panel["name"] for panel in panels} == set(names):
            own = own[[names.index(panel["name"]) for panel in panels]]
        worst = max(worst, float(np.abs(own - origins).max()))
        count += len(panels)
    assert count >= 60
    assert worst < 1e-9
