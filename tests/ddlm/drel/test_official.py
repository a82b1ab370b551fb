"""The methods of the official dictionaries on structures of ours, held against gemmi and against themselves."""

from pathlib import Path

import gemmi
import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.world import World
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

pytestmark = needs_dictionaries
OPERATIONS = ("x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2", "x,-y+1/2,z+1/2")
# A monoclinic structure in P 21/c made up for this test: one anisotropic atom, one isotropic, none special.
STRUCTURE = """\
#\\#CIF_2.0
data_structure
_cell.length_a 6.1230
_cell.length_b 8.4510
_cell.length_c 9.7770
_cell.angle_alpha 90
_cell.angle_beta 104.32
_cell.angle_gamma 90
_diffrn_radiation.probe x-ray
_diffrn_radiation_wavelength.value 0.71073
_reflns.apply_dispersion_to_Fcalc no
loop_ _space_group_symop.id _space_group_symop.operation_xyz
1 'x,y,z' 2 '-x,-y,-z' 3 '-x,y+1/2,-z+1/2' 4 'x,-y+1/2,z+1/2'
loop_ _atom_type.symbol
C O
loop_ _atom_site.label _atom_site.type_symbol _atom_site.fract_x _atom_site.fract_y _atom_site.fract_z
_atom_site.occupancy _atom_site.ADP_type _atom_site.U_iso_or_equiv
C1 C 0.1270 0.3110 0.0540 1 Uiso 0.0250
O1 O 0.3480 0.1290 0.2710 1 Uani 0.0300
loop_ _atom_site_aniso.label _atom_site_aniso.U_11 _atom_site_aniso.U_22 _atom_site_aniso.U_33
_atom_site_aniso.U_12 _atom_site_aniso.U_13 _atom_site_aniso.U_23
O1 0.0310 0.0270 0.0320 0.0040 0.0090 -0.0030
loop_ _refln.index_h _refln.index_k _refln.index_l
1 0 0
0 2 0
1 1 1
-2 1 3
3 4 -2
loop_ _geom_bond.atom_site_label_1 _geom_bond.atom_site_label_2 _geom_bond.site_symmetry_1 _geom_bond.site_symmetry_2
C1 O1 . .
C1 O1 1_555 3_545
"""
HKL = [(1, 0, 0), (0, 2, 0), (1, 1, 1), (-2, 1, 3), (3, 4, -2)]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> World:
    dictionary = load_dictionary([DICTIONARIES / "cif_core.dic"])
    tables = Tables(read(open_source(STRUCTURE.encode(), "s")).blocks[0], dictionary)
    return World(TableStore(tables), dictionary, Program(dictionary.methods, cached=False))


def get(world: World, name: str, row: int = 0):
    item = world.dictionary.lookup(name)
    assert item is not None
    return world.value(item, row).value


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> gemmi.SmallStructure:
    """The same structure as gemmi reads it, which knows the older names."""
    text = STRUCTURE.replace("#\\#CIF_2.0\n", "")
    for name in ("_cell.", "_atom_site.", "_atom_site_aniso.", "_space_group_symop.", "_atom_type."):
        text = text.replace(name, name.replace(".", "_"))
    block = gemmi.cif.read_string(text).sole_block()
    structure = gemmi.make_small_structure_from_block(block)
    structure.change_occupancies_to_crystallographic()
    return structure


def test_the_cell_is_that_of_gemmi(core: World, small: gemmi.SmallStructure) -> None:
    cell, reciprocal = small.cell, small.cell.reciprocal()
    assert_allclose(get(core, "_cell.volume"), cell.volume, rtol=1e-12)
    lengths = [get(core, f"_cell.reciprocal_length_{name}") for name in "abc"]
    assert_allclose(lengths, [reciprocal.a, reciprocal.b, reciprocal.c], rtol=1e-12)
    angles = [get(core, f"_cell.reciprocal_angle_{name}") for name in ("alpha", "beta", "gamma")]
    assert_allclose(angles, [reciprocal.alpha, reciprocal.beta, reciprocal.gamma], rtol=1e-12)


def test_the_cell_agrees_with_itself(core: World) -> None:
    direct = np.array([get(core, f"_cell.vector_{name}") for name in "abc"])
    dual = np.array([get(core, f"_cell.reciprocal_vector_{name}") for name in "abc"])
    assert_allclose(direct @ dual.T, np.eye(3), atol=1e-12)
    assert_allclose(np.linalg.det(direct), get(core, "_cell.volume"), rtol=1e-12)
    metric = np.asarray(get(core, "_cell.metric_tensor")) @ np.asarray(get(core, "_cell.reciprocal_metric_tensor"))
    assert_allclose(metric, np.eye(3), atol=1e-12)


def test_spacings_are_those_of_gemmi(core: World, small: gemmi.SmallStructure) -> None:
    found = [get(core, "_refln.d_spacing", row) for row in range(5)]
    assert_allclose(found, [small.cell.calculate_d(hkl) for hkl in HKL], rtol=1e-12)


def test_operations_are_those_of_gemmi(core: World) -> None:
    for row, text in enumerate(OPERATIONS):
        op = gemmi.Op(text)
        assert_allclose(get(core, "_space_group_symop.R", row), np.array(op.rot) / op.DEN, atol=1e-12)
        assert_allclose(get(core, "_space_group_symop.T", row), np.array(op.tran) / op.DEN, atol=1e-12)


def test_structure_factors_are_those_of_gemmi(core: World, small: gemmi.SmallStructure) -> None:
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    expected = [calculator.calculate_sf_from_small_structure(small, hkl) for hkl in HKL]
    found = [get(core, "_refln.F_complex", row) for row in range(5)]
    # The dictionary takes 1.4142 for the root of 2, and form factors to one digit less.
    assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_bonds_are_those_of_gemmi(core: World, small: gemmi.SmallStructure) -> None:
    carbon, oxygen = (site.fract for site in small.sites)
    whole = small.cell.orthogonalize(oxygen) - small.cell.orthogonalize(carbon)
    assert_allclose(get(core, "_geom_bond.distance", 0), whole.length(), rtol=1e-9)
    moved = gemmi.Op(OPERATIONS[2]).apply_to_xyz(oxygen.tolist())
    there = gemmi.Fractional(moved[0], moved[1] - 1, moved[2])
    # 3_545 is operation 3 and a step back along b.
    apart = small.cell.orthogonalize(there) - small.cell.orthogonalize(carbon)
    assert_allclose(get(core, "_geom_bond.distance", 1), apart.length(), rtol=1e-9)


def test_mass_and_density_are_worked_out_by_hand(core: World) -> None:
    # Four carbon and four oxygen atoms in the cell: 4 x 12.011 + 4 x 15.999.
    assert_allclose(get(core, "_cell.atomic_mass"), 112.04, atol=1e-9)
    assert_allclose(get(core, "_exptl_crystal.density_diffrn"), 1.6605 * 112.04 / get(core, "_cell.volume"))


def test_the_unit_follows_the_probe() -> None:
    dictionary = load_dictionary([DICTIONARIES / "cif_core.dic"])
    item = dictionary.lookup("_refln.F_calc")
    assert item is not None
    program = Program(dictionary.methods)
    for probe, unit in (("x-ray", "electrons"), ("neutron", "femtometres"), ("electron", "volts")):
        text = STRUCTURE.replace("probe x-ray", f"probe {probe}")
        tables = Tables(read(open_source(text.encode(), "s")).blocks[0], dictionary)
        assert World(TableStore(tables), dictionary, program).attributes(item, 0)["_units.code"] == unit


MODULATED = """\
#\\#CIF_2.0
data_modulated
_cell.modulation_dimension 2
loop_ _atom_site_displace_Fourier_param.id _atom_site_displace_Fourier_param.cos _atom_site_displace_Fourier_param.sin
1 0.03 0.04
2 -0.05 0.12
loop_ _refln.index_h _refln.index_k _refln.index_l _refln.index_m_list
1 0 0 [1 -2]
"""


def test_modulated_structures(tmp_path: Path) -> None:
    dictionary = load_dictionary([DICTIONARIES / "more" / "cif_ms.dic"], [DICTIONARIES], is_lenient=True)
    tables = Tables(read(open_source(MODULATED.encode(), "m")).blocks[0], dictionary)
    world = World(TableStore(tables), dictionary, Program(dictionary.methods))
    # The moduli of (0.03, 0.04) and (0.05, 0.12); the phase of 0.03 - 0.04i in turns.
    assert_allclose([get(world, "_atom_site_displace_Fourier_param.modulus", row) for row in (0, 1)], [0.05, 0.13])
    phase = get(world, "_atom_site_displace_Fourier_param.phase")
    assert_allclose(phase, np.arctan2(-0.04, 0.03) / (2 * np.pi))
    assert (get(world, "_refln.index_m_1"), get(world, "_refln.index_m_2")) == (1, -2)
    item = dictionary.lookup("_refln.index_m_list")
    assert item is not None
    assert world.attributes(item, 0) == {"_type.dimension": "[2]"}
