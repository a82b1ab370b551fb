"""Derived values beside those of PyCIFRW's own evaluation of the same methods, item by item."""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ddlm" / "drel"))

from numpy.testing import assert_allclose
from shared import DICTIONARIES, needs_dictionaries
from test_official import STRUCTURE

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.values import plain
from imgcif_core.ddlm.drel.world import World
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

pytestmark = [pytest.mark.peers, needs_dictionaries]
SINGLE = (
    "_cell.volume",
    "_cell.reciprocal_length_a",
    "_cell.reciprocal_angle_gamma",
    "_cell.metric_tensor",
    "_space_group.multiplicity",
)
LOOPED = (
    "_refln.hkl",
    "_refln.d_spacing",
    "_space_group_symop.R",
    "_space_group_symop.T",
    "_atom_site.site_symmetry_multiplicity",
    "_atom_site_aniso.matrix_U",
)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The structure with the core dictionary as PyCIFRW reads them."""
    peer = pytest.importorskip("CifFile")
    path = tmp_path_factory.mktemp("peer") / "s.cif"
    path.write_text(STRUCTURE, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        dictionary = peer.CifDic(str(DICTIONARIES / "cif_core.dic"), do_dREL=True, grammar="auto")
        block = peer.ReadCif(str(path), grammar="2.0")["structure"]
        block.assign_dictionary(dictionary)
    return block


@pytest.fixture(scope="module")
def ours() -> World:
    dictionary = load_dictionary([DICTIONARIES / "cif_core.dic"])
    tables = Tables(read(open_source(STRUCTURE.encode(), "s")).blocks[0], dictionary)
    return World(TableStore(tables), dictionary, Program(dictionary.methods))


@pytest.mark.parametrize("name", [*SINGLE, *LOOPED])
def test_the_value_is_that_of_pycifrw(name: str, ours: World, theirs: Any) -> None:
    item = ours.dictionary.lookup(name)
    assert item is not None
    found = [plain(ours.value(item, row).value) for row in range(ours.row_count(item.category))]
    with contextlib.redirect_stdout(io.StringIO()):
        expected = np.asarray(theirs[name], dtype=float)
    assert_allclose(np.asarray(found[0] if name in SINGLE else found, dtype=float), expected, atol=1e-9)
