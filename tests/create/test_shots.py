"""Shots with a wavelength each, and images by time of flight: what the dictionary has no item for stands in words."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from create.images import expt
from experiments import nxmx
from sources.test_geom import data_file, geometry

from imgcif_core.create.links import Links
from imgcif_core.create.loop import Wishes, create

LINKS = Wishes(links=Links(url_base="https://example.org/run"))


def said(text: str) -> list[str]:
    """What is said of the frames, in their order."""
    return re.findall(r"'((?:wavelength|time of flight) [^']*)'", text)


def test_each_shot_of_a_geometry_has_its_wavelength_in_words(tmp_path: Path) -> None:
    path = geometry(tmp_path, energy="/beam/energy")
    made = create([str(path), data_file(tmp_path / "shots.h5", energies=(9000.0, 9500.0, 10000.0))], wishes=LINKS)
    assert made.is_sound and not [entry for entry in made.report.findings if entry.rule == "CON005"]
    # 12398.41984 eV angstrom over each energy.
    words = [float(text.split()[1]) for text in said(made.text)]
    np.testing.assert_allclose(words, [1.377602204, 1.305096825, 1.239841984], rtol=1e-8)
    assert any("each one in the words about its frame" in note for note in made.notes)


def stills(wavelengths: list[float]):
    """An edit that makes stills of an experiment list, each with a wavelength of its own."""

    def edit(data: dict) -> None:
        data["goniometer"], data["scan"] = [], []
        data["beam"] = [{"direction": [0, 0, 1], "wavelength": value, "probe": "x-ray"} for value in wavelengths]
        count = range(len(wavelengths))
        data["experiment"] = [{"beam": number, "detector": 0, "imageset": number} for number in count]
        data["imageset"] = [{"images": [f"/data/shot_{number:03d}.cbf"]} for number in count]

    return edit


def test_shots_of_an_experiment_list_keep_their_wavelengths(tmp_path: Path) -> None:
    values = [round(1.0 + 0.001 * number, 3) for number in range(20)]
    made = create(expt(tmp_path / "a.expt", stills(values)), wishes=LINKS)
    assert made.is_sound
    assert said(made.text) == [f"wavelength {value:.9g} angstrom" for value in values]
    assert re.search(r"_diffrn_radiation_wavelength\.value +1\.0095\n", made.text)


@pytest.mark.parametrize(("values", "is_told"), [([0.9, 0.91] * 3, True), ([0.9, 0.91], False), ([0.9] * 6, False)])
def test_wavelengths_of_the_frames_of_a_master(tmp_path: Path, values: list[float], is_told: bool) -> None:
    path = nxmx(tmp_path / "run_master.h5")
    with h5py.File(path, "a") as file:
        del file["/entry/instrument/beam/incident_wavelength"]
        file["/entry/instrument/beam/incident_wavelength"] = values
        file["/entry/instrument/beam/incident_wavelength"].attrs["units"] = "angstrom"
    made = create(path, wishes=LINKS)
    assert made.is_sound
    assert said(made.text) == ([f"wavelength {value:.9g} angstrom" for value in values] if is_told else [])
    assert any("only their mean is written" in note for note in made.notes) is (len(values) == 2)


def test_a_white_beam_is_no_question_and_each_image_has_its_time_of_flight(tmp_path: Path) -> None:
    def edit(data: dict) -> None:
        data["beam"] = [{"__id__": "polychromatic", "direction": [0, 0, 1], "wavelength_range": [0.2, 8.5]}]
        data["beam"][0] |= {"probe": "neutron", "sample_to_source_distance": 8300.0}
        data["scan"] = [{"image_range": [1, 3], "properties": {"time_of_flight": [500.0, 510.0, 520.0]}}]
        data["experiment"] = data["experiment"][:1]

    made = create(expt(tmp_path / "tof.expt", edit), wishes=LINKS)
    assert made.is_sound and "wavelength" not in [entry.key for entry in made.questions]
    assert said(made.text) == [f"time of flight {value} us" for value in (500, 510, 520)]
    assert re.search(r"_diffrn_radiation_wavelength\.type +white-beam\n", made.text)
    assert "'From 0.2 to 8.5 angstrom.'" in made.text and "_diffrn_radiation_wavelength.value" not in made.text
    assert any("beam/sample_to_source_distance 8300.0" in note for note in made.notes)
