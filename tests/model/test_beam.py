"""What a block says of its beam."""

import numpy as np
from detector_texts import AXIS, loop, tables_of
from numpy.testing import assert_allclose

from imgcif_core.model.axes import build_axes
from imgcif_core.model.beam import Beam, build_beam

EQUIPPED = (*AXIS, "equipment")


def beam_of(axes: str, *parts: str) -> Beam:
    tables = tables_of(*([loop("axis", EQUIPPED, axes)] if axes else []), *parts)
    return build_beam(tables, build_axes(tables) if axes else None)


def test_without_an_axis_the_source_lies_along_z() -> None:
    beam = beam_of("")
    assert_allclose(beam.source, [0, 0, 1])
    assert_allclose(beam.direction, [0, 0, -1])
    assert beam.gravity is None
    assert (beam.source_axis, beam.gravity_axis) == (-1, -1)


def test_source_and_gravity_are_unit_vectors_of_their_axes() -> None:
    beam = beam_of("s general . 0.3 0 0.4 0 0 0 source\ng general . 0 -2 0 0 0 0 gravity")
    assert_allclose(beam.source, [0.6, 0, 0.8])
    assert_allclose(beam.gravity, [0, -1, 0])
    assert (beam.source_axis, beam.gravity_axis) == (0, 1)


def test_a_null_vector_or_a_parent_is_no_direction_of_the_source() -> None:
    assert beam_of("s general . 0 0 0 0 0 0 source").source_axis == -1
    assert beam_of("o rotation . 1 0 0 0 0 0 goniometer\ns general o 0 0 1 0 0 0 source").source_axis == -1


def test_the_wavelength_in_use_comes_first() -> None:
    beam = beam_of(
        "",
        loop("diffrn_radiation_wavelength", ("id", "value"), "A 1.54\nB 0.71"),
        "_diffrn_radiation.wavelength_id B\n_diffrn_radiation.probe x-ray",
    )
    assert_allclose(beam.wavelengths, [0.71, 1.54])
    assert beam.wavelength_ids == ("B", "A")
    assert (beam.wavelength, beam.probe) == (0.71, "x-ray")


def test_the_older_name_of_the_wavelength_is_read() -> None:
    assert beam_of("", "_diffrn_radiation_wavelength.wavelength 0.9795").wavelength == 0.9795


def test_a_wavelength_that_cannot_be_read_is_nan() -> None:
    beam = beam_of("", "_diffrn_radiation_wavelength.value green")
    assert len(beam.wavelengths) == 1 and np.isnan(beam.wavelength)
    assert np.isnan(beam_of("").wavelength)
