"""What is written is held against raw values by a reading of its own, which finds what the builder got wrong."""

import re
from pathlib import Path

import pytest
from create.images import expt, minicbf, smv
from experiments import nxmx
from sources.test_geom import geometry
from sources.test_psana import geometry as segments
from sources.test_statements import master
from sources.test_xds import xparm

from imgcif_core import read
from imgcif_core.create.loop import Wishes, create
from imgcif_core.create.witness import witness

ANSWERS = {
    "principal_axis": 3.0,
    "rotation_sense": "clockwise",
    "kappa_axis": "leave out",
    "two_theta_axis": 3.0,
    "two_theta_sense": "clockwise",
}


# Only an SMV header does not tell these; answers win over what other headers say.
FACING = {"beam_centre": (2.0, 1.5), "first_pixel": "top left", "fast_direction": "horizontal"}


def answers_for(kind: str) -> dict:
    return ANSWERS | (FACING if kind == "smv" else {"frames": 4} if kind == "xparm" else {})


def source(kind: str, folder: Path) -> Path:
    if kind == "minicbf":
        return minicbf(folder / "x_0001.cbf", start=12.0)
    if kind == "smv":
        return smv(folder / "x_0001.img", OSC_START=12.0)
    if kind == "dials":
        return expt(folder / "a.expt")
    if kind == "xds":
        return SEGMENTS
    if kind == "xparm":
        return xparm(folder)
    if kind == "psana":
        return segments(folder, "IP 0 SENS2X1:V1 0 100 200 -100000 90 0 0 0.5 0.1 -0.2")
    if kind == "imgcif":
        create(nxmx(folder / "run_master.h5"), folder / "a.cif")
        return folder / "a.cif"
    return geometry(folder) if kind == "crystfel" else master(folder / "x_master.h5")


SEGMENTS = Path(__file__).parents[2] / "conformance" / "datasets" / "generate" / "xds-eight-segments" / "XDS.INP"
KINDS = ["minicbf", "smv", "dials", "nxmx", "crystfel", "xds", "xparm", "psana", "imgcif"]
# A number of the created file for each kind, and the words under which the witness knows it.
FAULTS = [
    ("minicbf", "_diffrn_radiation_wavelength.value", "wavelength"),
    ("minicbf", "distance", "distance"),
    ("smv", "_diffrn_radiation_wavelength.value", "wavelength"),
    ("dials", "distance", "corners of 1 panel"),
    ("dials", "_diffrn_radiation_wavelength.value", "wavelength"),
    ("nxmx", "distance", "distance"),
    ("xds", "distance", "corners of 8 panels"),
    ("xds", "_diffrn_radiation_wavelength.value", "wavelength"),
    ("xparm", "distance", "corners of 1 panel"),
    ("imgcif", "det_z", "corners of 1 panel"),
    ("imgcif", "_diffrn_radiation_wavelength.value", "wavelength"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_sound_creation_is_as_in_the_source(tmp_path: Path, kind: str) -> None:
    made = create(source(kind, tmp_path), wishes=Wishes(answers=answers_for(kind)))
    assert made.witness is not None and made.witness.same and not made.witness.different, made.witness
    assert str(made.witness).startswith("as in the source, read a second time: ")


@pytest.mark.parametrize(("kind", "item", "words"), FAULTS)
def test_a_wrong_number_is_told(tmp_path: Path, kind: str, item: str, words: str) -> None:
    made = create(source(kind, tmp_path), wishes=Wishes(answers=answers_for(kind)))
    part = made.built[0].experiment
    pattern = rf"({re.escape(item)}\s+)([\d.]+)" if item.startswith("_") else rf"(\b{item} +\. +\. +\. +)([\d.]+)"
    wrong, count = re.subn(pattern, lambda found: f"{found[1]}{float(found[2]) * 1.5}", made.text)
    assert count >= 1, made.text
    found = witness(read(wrong.encode()), part)
    assert any(entry.startswith(words) for entry in found.different), found
    assert "differs from the raw values" in str(found)


def test_what_has_no_second_reading_is_said_to_be_not_compared(tmp_path: Path) -> None:
    from dataclasses import replace

    made = create(source("dials", tmp_path))
    other = replace(made.built[0].experiment, kind="tiff")
    assert str(witness(read(made.text.encode()), other)).startswith("not compared with the source")


def test_words_of_an_imgcif_that_another_program_refuses_are_not_compared(tmp_path: Path) -> None:
    path = source("imgcif", tmp_path)
    twice = path.read_text().replace("\n_diffrn_source.", "\n_diffrn.id EXP1\n_diffrn_source.", 1)
    (tmp_path / "b.cif").write_text(twice if twice != path.read_text() else f"{path.read_text()}\n_diffrn.id EXP1\n")
    made = create(tmp_path / "b.cif")
    assert str(made.witness).startswith("not compared with the source")
