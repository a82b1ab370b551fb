"""The methods of the dictionaries of twinning and of electron density, on crystals made up for them."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.values import is_nothing, plain
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

pytestmark = needs_dictionaries
# A twin by a two-fold rotation about c: (h, k, l) of the first individual is (-h, -k, l) of the second.
TWIN = """\
_diffrn_radiation.probe PROBE
loop_ _twin_individual.id _twin_individual.mass_fraction_refined
_twin_individual.twin_matrix_11 _twin_individual.twin_matrix_12 _twin_individual.twin_matrix_13
_twin_individual.twin_matrix_21 _twin_individual.twin_matrix_22 _twin_individual.twin_matrix_23
_twin_individual.twin_matrix_31 _twin_individual.twin_matrix_32 _twin_individual.twin_matrix_33
1 0.6 1 0 0 0 1 0 0 0 1
2 0.4 -1 0 0 0 -1 0 0 0 1
loop_ _twin_refln.datum_id _twin_refln.individual_id
_twin_refln.index_h _twin_refln.index_k _twin_refln.index_l _twin_refln.F_squared_calc
1 1 2 -3 4 81.0
1 2 -2 3 4 81.0
2 1 0 0 ? 5.0
"""
POPULATIONS = [round(0.1 * number - 0.7, 1) for number in range(25)]
# In the order of the list: of each degree its orders, the positive one before the negative one.
NAMES = [
    name
    for degree in range(5)
    for name in (
        f"{degree}0",
        *(f"{degree}{sign}{order}" for order in range(1, degree + 1) for sign in ("", "_")),
    )
]
RHO = (
    "loop_ _atom_rho_multipole.atom_label _atom_rho_multipole_coeff.Pc _atom_rho_multipole_coeff.Pv\n"
    + "\n".join(f"_atom_rho_multipole_coeff.P{name}" for name in NAMES)
    + "\n_atom_rho_multipole_kappa.base\n"
    + "\n".join(f"_atom_rho_multipole_kappa.prime{order}" for order in range(5))
    + "\n"
    + "\n".join(f"_atom_rho_multipole_radial_slater.{kind}{order}" for kind in ("n", "zeta") for order in range(4))
    + f"\nC1 2.0 4.1 {' '.join(map(str, POPULATIONS))} 1.01 0.91 0.92 0.93 0.94 0.95 2 2 3 4 3.1 3.2 3.3 3.4\n"
)


@cache
def load(name: str) -> Dictionary:
    return load_dictionary([DICTIONARIES / "more" / name], [DICTIONARIES])


def world(dictionary: str, text: str) -> World:
    judge = load(dictionary)
    tables = Tables(read(open_source(f"#\\#CIF_2.0\ndata_t\n{text}".encode(), "t")).blocks[0], judge)
    assert tables.unknown == []
    return World(TableStore(tables), judge, Program(judge.methods, cached=False))


def get(found: World, name: str, row: int = 0):
    item = found.dictionary.lookup(name)
    assert item is not None
    value = found.value(item, row).value
    return None if is_nothing(value) else plain(value)


@pytest.fixture(scope="module")
def twin() -> World:
    return world("cif_twin.dic", TWIN.replace("PROBE", "neutron"))


def test_a_twin_matrix_takes_the_indices_of_one_individual_to_those_of_the_other(twin: World) -> None:
    matrices = [np.array(get(twin, "_twin_individual.twin_matrix", row)) for row in range(2)]
    indices = [np.array(get(twin, "_twin_refln.index_hkl", row)) for row in range(2)]
    assert_allclose(matrices[0], np.eye(3))
    assert_allclose(indices[0], [2, -3, 4])
    assert_allclose(matrices[1] @ indices[0], indices[1])
    # A two-fold rotation: twice is once around, and no volume changes.
    assert_allclose(matrices[1] @ matrices[1], np.eye(3))
    assert_allclose(np.linalg.det(matrices[1]), 1.0)


def test_an_index_that_is_not_known_leaves_the_vector_open(twin: World) -> None:
    assert get(twin, "_twin_refln.index_hkl", 2) is None


@pytest.mark.parametrize(
    ("probe", "unit"),
    [("neutron", "femtometre_squared"), ("electron", "volt_squared"), ("x-ray", "electron_squared")],
)
@pytest.mark.parametrize("name", ["F_squared_calc", "F_squared_calc_su", "F_squared_meas", "F_squared_calc_individual"])
def test_the_unit_of_a_twinned_reflection_is_that_of_the_probe(probe: str, unit: str, name: str) -> None:
    found = world("cif_twin.dic", f"_diffrn_radiation.probe {probe}\n" + TWIN.partition("\n")[2])
    item = found.dictionary.lookup(f"_twin_refln.{name}")
    assert item is not None
    assert found.attributes(item, 0) == {"_units.code": unit}


def test_the_lists_of_multipoles_hold_their_parts_in_order() -> None:
    found = world("cif_rho.dic", RHO)
    assert_allclose(get(found, "_atom_rho_multipole_coeff.list"), POPULATIONS)
    assert_allclose(get(found, "_atom_rho_multipole_kappa.list"), [1.01, 0.91, 0.92, 0.93, 0.94, 0.95])
    assert_allclose(get(found, "_atom_rho_multipole_radial_slater.n_list"), [2, 2, 3, 4])
    assert_allclose(get(found, "_atom_rho_multipole_radial_slater.zeta_list"), [3.1, 3.2, 3.3, 3.4])
    assert found.troubles == []


def test_no_method_of_either_dictionary_stops() -> None:
    for name, text in (("cif_twin.dic", TWIN.replace("PROBE", "x-ray")), ("cif_rho.dic", RHO)):
        found = world(name, text)
        own = [method for method in found.dictionary.methods.all() if method.file.endswith(name)]
        assert len(own) in (8, 4)
        for method in own:
            item = found.dictionary.lookup(method.id)
            assert item is not None
            for row in range(found.row_count(item.category)):
                found.evaluate(item, row)
                found.attributes(item, row)
        assert found.troubles == []
