"""The geometry passport as data: the numbers of the public schema, and its shape."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from mangling import BASES as FILES
from mangling import mangled
from numpy.testing import assert_allclose
from shared import ROOT

import imgcif_core
from imgcif_core.errors import InputError, UsageError
from imgcif_core.show import geometry, passport_text

BASES = ROOT / "conformance" / "datasets" / "bases"
DICTIONARY = imgcif_core.load_dictionary()
# A 16M detector at 287.22 mm with its corner at (-166.8, 172.497), as in the description of the schema.
SIXTEEN_M = (
    ("-80.05  95.05", "-166.8  172.497"),
    ("1 1 1600 1", "1 1 4148 1"),
    ("1 2 1900 2", "1 2 4362 2"),
    ("fast fast 0.05 0.1", "fast fast 0.0375 0.075"),
    ("slow slow 0.05 0.1", "slow slow 0.0375 0.075"),
    ("200.0 0.0 0.0", "287.22 0.0 0.0"),
    ("10.0 3.0 0.5", "0.0 0.6 0.1"),
)


def shown(name: str, *changes: tuple[str, str], frame: int | None = None) -> dict:
    text = (BASES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    document = imgcif_core.read(text.encode(), name="shown.cif")
    result = geometry(document, DICTIONARY, frame=frame)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


def test_the_numbers_of_the_schema() -> None:
    result = shown("single-panel.cif", *SIXTEEN_M)
    assert result["schema"] == "imgcif-geometry/1"
    (block,) = result["files"][0]["blocks"]
    assert block["wavelengths"] == [0.95]
    assert (block["source"], block["gravity"]) == ([0, 0, 1], [0, -1, 0])
    assert block["goniometer"] == [{"id": "omega", "type": "rotation", "vector": [1, 0, 0], "depends_on": None}]
    (scan,) = block["scans"]
    assert (scan["id"], scan["frames"], scan["frame"]) == ("SCAN1", 6, 1)
    assert scan["axes"][0] == {"id": "omega", "start": 0.0, "increment": 0.1, "range": 0.6}
    (panel,) = scan["panels"]
    # By hand: first centre half a pixel inwards of the corner; 166.7625 / 0.075 and 172.4595 / 0.075.
    assert panel == {
        "id": "PANEL",
        "array_id": "1",
        "section_id": None,
        "element_id": "PANEL",
        "size": [4148, 4362],
        "pixel_size": [0.075, 0.075],
        "origin": [-166.7625, 172.4595, -287.22],
        "corner": [-166.8, 172.497, -287.22],
        "fast": [1, 0, 0],
        "slow": [0, -1, 0],
        "normal_distance": 287.22,
        "beam_centre": {"pixel": [2223.5, 2299.46], "mm": [166.7625, 172.4595], "on_panel": True},
    }


def test_scans_are_shown_at_their_own_settings() -> None:
    scans = shown("two-theta-scans.cif")["files"][0]["blocks"][0]["scans"]
    for scan, two_theta in zip(scans, (0.0, 30.0, 55.0), strict=True):
        angle_rad = np.radians(two_theta)
        # About +X: y' = y cos - z sin, z' = y sin + z cos, for the first centre (-80, 95, -200).
        expected = [
            -80.0,
            95 * np.cos(angle_rad) + 200 * np.sin(angle_rad),
            95 * np.sin(angle_rad) - 200 * np.cos(angle_rad),
        ]
        assert_allclose(scan["panels"][0]["origin"], expected, atol=1e-9)
        assert_allclose(scan["panels"][0]["normal_distance"], 200)


def test_a_frame_is_shown_at_its_own_setting() -> None:
    moved = ("SCAN1 distance .    .   .   200.0 0.0 0.0", "SCAN1 distance .    .   .   200.0 30.0 5.0")
    for frame, distance in ((None, 200), (1, 200), (4, 215), (6, 225)):
        scan = shown("single-panel.cif", moved, frame=frame)["files"][0]["blocks"][0]["scans"][0]
        assert scan["frame"] == (frame or 1)
        assert scan["panels"][0]["normal_distance"] == distance
        assert scan["axes"][1] == {"id": "distance", "start": 200.0, "increment": 5.0, "range": 30.0}


def test_a_frame_that_only_some_scans_have_leaves_the_others_without_panels() -> None:
    more = ("SCAN3 frame12 4 0.5", "SCAN3 frame12 9 0.5")
    scans = shown("two-theta-scans.cif", more, frame=9)["files"][0]["blocks"][0]["scans"]
    assert [(scan["frame"], len(scan["panels"])) for scan in scans] == [(None, 0), (None, 0), (9, 1)]


@pytest.mark.parametrize("frame", [0, -1, 7, 10**12])
def test_a_frame_that_no_scan_has_is_refused(frame: int) -> None:
    with pytest.raises(UsageError, match=f"no scan has a frame {frame}"):
        shown("single-panel.cif", frame=frame)


def test_modules_and_sections_are_panels() -> None:
    for name in ("multi-panel-still.cif", "multi-panel-sections.cif"):
        panels = shown(name)["files"][0]["blocks"][0]["scans"][0]["panels"]
        assert [panel["id"] for panel in panels] == ["D0Q0", "D0Q1", "D0Q2", "D0Q3"]
        assert {panel["section_id"] for panel in panels} == (
            {None} if name == "multi-panel-still.cif" else {"D0Q0", "D0Q1", "D0Q2", "D0Q3"}
        )
        # The last module is not turned: its corner is the offset of its mount, 100 mm down the beam.
        assert_allclose(panels[3]["corner"], [1, -1, -100])
        assert not any(panel["beam_centre"]["on_panel"] for panel in panels)


def test_a_library_without_scans_stands_at_zero() -> None:
    for block in shown("instrument-library.cif")["files"][0]["blocks"]:
        (scan,) = block["scans"]
        assert (scan["id"], scan["frames"], scan["axes"]) == (None, None, [])
        # At distance zero the beam meets the panel where it meets the sample: (80.05 - 0.05) / 0.1.
        assert_allclose(scan["panels"][0]["beam_centre"]["pixel"][0], 800)


def test_what_has_no_position_says_why() -> None:
    block = shown("single-panel.cif", ("fast fast 0.05 0.1", "fast fast 0.05 0"))["files"][0]["blocks"][0]
    assert block["scans"][0]["panels"] == []
    assert block["not_placed"] == [
        {"id": "PANEL", "array_id": "1", "section_id": None, "reason": "unplaced: step of zero"}
    ]


def test_unknown_numbers_are_null() -> None:
    changes = (("200.0 0.0 0.0", "200.0 ? ?"), ("wavelength.value      0.9500", "wavelength.value      green"))
    block = shown("single-panel.cif", *changes)["files"][0]["blocks"][0]
    assert block["wavelengths"] == [None]
    assert block["scans"][0]["axes"][1]["increment"] == 0.0


def test_a_distance_that_cannot_be_read_places_no_panel() -> None:
    block = shown("single-panel.cif", ("200.0 0.0 0.0", "200.0mm 0.0 0.0"))["files"][0]["blocks"][0]
    (scan,) = block["scans"]
    assert scan["axes"][1] == {"id": "distance", "start": None, "increment": 0.0, "range": 0.0}
    assert scan["panels"][0]["origin"] == [None] * 3
    assert scan["panels"][0]["normal_distance"] is None and scan["panels"][0]["beam_centre"] is None
    assert block["not_placed"][0]["reason"] == "setting of axis distance not readable in scan SCAN1"


@pytest.mark.parametrize("text", ["", "data_x\n", "data_x\n_audit.block_code x\n", "no cif at all"])
def test_a_file_without_an_instrument_is_refused(text: str) -> None:
    document = imgcif_core.read(text.encode(), name="empty.cif")
    with pytest.raises(InputError, match=r"empty.cif: no axes"):
        geometry(document, DICTIONARY)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("changes", [1, 4, 12])
@pytest.mark.parametrize("base", FILES, ids=lambda path: path.stem)
def test_mangled_tables_are_shown_as_far_as_they_go(base: Path, changes: int) -> None:
    chance = random.Random(f"{base.stem}/{changes}")
    text = base.read_text(encoding="utf-8")
    for _ in range(10):
        document = imgcif_core.read(mangled(text, chance, changes).encode(), name="mangled.cif")
        json.dumps(geometry(document, DICTIONARY), allow_nan=False)
        assert "Beam" in passport_text(document, DICTIONARY)
