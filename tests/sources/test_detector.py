"""A detector of DIALS alone is a source of panels: a template by itself, and the place of the panels for images."""

import json
from pathlib import Path

import pytest
from create.images import expt, smv
from numpy.testing import assert_allclose

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError
from imgcif_core.sources.any import read_source
from imgcif_core.sources.detect import kind_of
from imgcif_core.sources.series import read_inputs
from imgcif_core.sources.statements import Fate


def detector(folder: Path, **panel: object) -> Path:
    """The detector of an experiment list, in a file of its own."""
    data = json.loads(expt(folder / "a.expt").read_text())["detector"][0]
    data["panels"][0] |= panel
    path = folder / "detector.json"
    path.write_text(json.dumps(data))
    return path


def test_panels_stand_as_in_the_experiment_list(tmp_path: Path) -> None:
    path = detector(tmp_path)
    assert kind_of(path) == "detector"
    (own,), (stated,) = read_source(path).scans[0].panels, read_source(tmp_path / "a.expt").scans[0].panels
    assert_allclose(own.corners(), stated.corners(), atol=1e-12)


def test_alone_it_becomes_a_template(tmp_path: Path) -> None:
    made = create(detector(tmp_path))
    assert made.is_sound and not made.needed and made.report.profile == "geometry-template"
    assert made.witness.same == ("corners of 1 panel",)


def test_beside_images_it_places_their_panels(tmp_path: Path) -> None:
    path = detector(tmp_path, image_size=[4, 3])
    image = smv(tmp_path / "x_0001.img")
    made = create([image, path], wishes=Wishes(answers={"principal_axis": 3.0, "rotation_sense": "clockwise"}))
    assert not made.needed and made.is_sound
    assert any("detector.json" in note and "distance of the headers" in note for note in made.notes)
    stated = read_source(path).scans[0].panels[0]
    (panel,) = made.built[0].experiment.scans[0].panels
    assert_allclose(panel.corners(), stated.corners(), atol=1e-9)


def test_every_value_is_marked(tmp_path: Path) -> None:
    marked = {entry.place: entry for entry in read_inputs([str(detector(tmp_path, mu=1.5, gain=2.0))]).statements}
    assert marked["detector/mu"].fate is Fate.LEFT_OUT and marked["detector/origin"].fate is Fate.USED


@pytest.mark.parametrize("change", [{"image_size": [900, 3]}, {"fast_axis": [0, 0, 0]}, {"origin": "far"}], ids=str)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: dict) -> None:
    with pytest.raises(InputError):
        read_inputs([str(smv(tmp_path / "x_0001.img")), str(detector(tmp_path, **change))])
