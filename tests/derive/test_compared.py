"""DIC030 on cells of ours: values that are rounded agree with their methods, and values that are wrong do not."""

from functools import lru_cache

import gemmi
import numpy as np
import pytest
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core import CheckOptions, api
from imgcif_core.ddlm.model import Dictionary

pytestmark = needs_dictionaries


@lru_cache(maxsize=1)
def core() -> Dictionary:
    return api.load_dictionary([DICTIONARIES / "cif_core.dic"])


def told(text: str) -> list[tuple[str | None, int]]:
    options = CheckOptions(images="none", methods=True, select=("DIC030", "DIC033"))
    (report,) = api.check(text.encode(), options=options, dictionary=core()).files
    return [(finding.location.item, finding.count) for finding in report.findings]


def cell_text(seed: int, *, su: bool = False, volume: float = 1.0, spacing: float = 1.0) -> str:
    """A random cell with three reflections, each number rounded by itself."""
    rng = np.random.default_rng(seed)
    lengths, angles = rng.uniform(4, 30, 3), rng.uniform(75, 115, 3)
    cell = gemmi.UnitCell(*lengths, *angles)
    digits = rng.integers(1, 5)
    mark = "(3)" if su else ""
    lines = ["#\\#CIF_2.0", "data_c"]
    lines += [f"_cell.length_{n} {x:.{digits}f}{mark}" for n, x in zip("abc", lengths, strict=True)]
    lines += [f"_cell.angle_{n} {x:.2f}{mark}" for n, x in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += [f"_cell.volume {cell.volume * volume:.{digits}f}{'(2)' if su else ''}"]
    lines += ["loop_ _refln.index_h _refln.index_k _refln.index_l _refln.d_spacing"]
    for hkl in rng.integers(-5, 6, (3, 3)) * 2 + 1:
        lines.append(f"{' '.join(map(str, hkl))} {cell.calculate_d(hkl.tolist()) * spacing:.4f}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("su", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_rounded_values_agree(seed: int, su: bool) -> None:
    assert told(cell_text(seed, su=su)) == []


@pytest.mark.parametrize("seed", range(4))
def test_wrong_values_are_found(seed: int) -> None:
    assert ("_cell.volume", 1) in told(cell_text(seed, volume=1.2))
    items = [item for item, _ in told(cell_text(seed, spacing=1.2))]
    assert "_refln.d_spacing" in items and "_cell.volume" not in items


def test_nothing_is_said_where_an_input_is_missing() -> None:
    text = cell_text(1, volume=2.0, spacing=2.0)
    line = next(line for line in text.splitlines() if line.startswith("_cell.length_b"))
    assert told(text.replace(line, "_cell.length_b ?")) == []
