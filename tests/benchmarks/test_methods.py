"""Methods parsed, kept and evaluated: run with `pytest tests/benchmarks`; the dictionaries are the official ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

ROWS = 20_000
PARSE = {
    "bare lark": """
import lark
parser = lark.Lark(open(grammar).read(), parser="lalr", lexer="contextual", maybe_placeholders=True)
for text in texts:
    parser.parse(text)
""",
    "nodes": """
from imgcif_core.ddlm.drel.parse import parse
for text in texts:
    parse(text)
""",
}
SCRIPT = """
import json, sys, time
texts = json.load(open(sys.argv[1]))
grammar = sys.argv[2]
import lark, imgcif_core.ddlm.drel.parse
start = time.perf_counter()
{body}
print(time.perf_counter() - start)
"""


def all_texts() -> list[str]:
    """The texts of all methods of the official dictionaries."""
    found = []
    for path in (*sorted(DICTIONARIES.glob("*.dic")), *sorted(DICTIONARIES.glob("more/*.dic"))):
        for block in read(open_source(path)).blocks:
            for frame in block.frames:
                column = frame.columns.get("_method.expression")
                found += column.texts() if column is not None else []
    return found


@pytest.fixture(scope="module")
def core() -> Dictionary:
    return load_dictionary([DICTIONARIES / "cif_core.dic"])


@needs_dictionaries
@pytest.mark.parametrize("way", PARSE)
def test_all_official_methods_parsed_cold(benchmark, tmp_path: Path, way: str) -> None:
    import json

    benchmark.group = "496 methods, cold"
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(all_texts()))
    import imgcif_core.ddlm

    grammar = Path(imgcif_core.ddlm.__file__).parent / "data" / "drel.lark"
    command = [sys.executable, "-c", SCRIPT.format(body=PARSE[way]), str(texts), str(grammar)]
    work = lambda: float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: E731
    benchmark.extra_info["seconds"] = benchmark.pedantic(work, rounds=3)


@needs_dictionaries
@pytest.mark.parametrize("way", ["cold", "kept"])
def test_methods_of_the_core_dictionary(benchmark, core: Dictionary, tmp_path: Path, monkeypatch, way: str) -> None:
    benchmark.group = "144 methods of cif_core"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def parse_all() -> None:
        program = Program(core.methods, cached=way == "kept")
        for method in core.methods.all():
            program.nodes(method)

    parse_all()
    benchmark.pedantic(parse_all, rounds=5)


def reflections() -> tuple[str, np.ndarray]:
    """A block of reflections, and their indices."""
    rng = np.random.default_rng(3)
    hkl = rng.integers(-20, 21, (ROWS, 3))
    rows = "\n".join(f"{i} {h} {k} {l}" for i, (h, k, l) in enumerate(hkl))  # noqa: E741
    cell = "_cell.length_a 5.1\n_cell.length_b 6.2\n_cell.length_c 7.3\n"
    angles = "_cell.angle_alpha 80\n_cell.angle_beta 95\n_cell.angle_gamma 101\n"
    names = "loop_ _refln.id _refln.index_h _refln.index_k _refln.index_l"
    return f"#\\#CIF_2.0\ndata_r\n{cell}{angles}{names}\n{rows}\n", hkl.astype(float)


@needs_dictionaries
@pytest.mark.parametrize("way", ["numpy by hand", "method by columns"])
def test_a_row_independent_method_over_20000_rows(benchmark, core: Dictionary, way: str) -> None:
    benchmark.group = "sin(theta)/lambda of 20,000 reflections"
    text, _ = reflections()
    tables = Tables(read(open_source(text.encode(), "r")).blocks[0], core)
    world = World(TableStore(tables), core, Program(core.methods, cached=False))
    item, metric = core.lookup("_refln.sin_theta_over_lambda"), core.lookup("_cell.reciprocal_metric_tensor")
    assert item is not None and metric is not None
    tensor = np.asarray(world.value(metric, 0).value)
    columns = [tables.table("refln").numbers(f"index_{name}") for name in "hkl"]

    def by_hand() -> np.ndarray:
        h = np.stack(columns, axis=1)
        return np.sqrt(np.einsum("ni,ij,nj->n", h, tensor, h)) / 2.0

    def by_method() -> np.ndarray:
        world._columns._made.clear()
        made = world._columns.column(item)
        assert made is not None
        return made[0].values

    np.testing.assert_allclose(by_method(), by_hand(), rtol=1e-12)
    benchmark.pedantic(by_hand if way == "numpy by hand" else by_method, rounds=15, warmup_rounds=2)


@needs_dictionaries
@pytest.mark.parametrize("way", ["numpy by hand", "method by columns"])
def test_a_method_with_branches_over_20000_rows(benchmark, core: Dictionary, way: str) -> None:
    benchmark.group = "phase of 20,000 reflections, with a condition"
    parts = np.random.default_rng(4).normal(size=(ROWS, 2)).round(3)
    rows = "\n".join(f"{i} {a} {b}" for i, (a, b) in enumerate(parts))
    text = f"#\\#CIF_2.0\ndata_r\nloop_ _refln.id _refln.A_calc _refln.B_calc\n{rows}\n"
    tables = Tables(read(open_source(text.encode(), "r")).blocks[0], core)
    world = World(TableStore(tables), core, Program(core.methods, cached=False))
    item = core.lookup("_refln.phase_calc")
    assert item is not None
    columns = [tables.table("refln").numbers(name) for name in ("a_calc", "b_calc")]

    def by_hand() -> np.ndarray:
        phase = np.degrees(np.arctan2(columns[1], columns[0]))
        return np.where(phase < 0.0, phase + 360.0, phase)

    def by_method() -> np.ndarray:
        world._columns._made.clear()
        made = world._columns.column(item)
        assert made is not None
        return made[0].values

    np.testing.assert_allclose(by_method(), by_hand(), rtol=1e-12)
    benchmark.pedantic(by_hand if way == "numpy by hand" else by_method, rounds=15, warmup_rounds=2)


@needs_dictionaries
def test_structure_factors_of_a_small_structure(benchmark, core: Dictionary) -> None:
    benchmark.group = "structure factors by closures"
    sys.path.insert(0, str(Path(__file__).parent.parent / "ddlm" / "drel"))
    from test_official import STRUCTURE

    block = read(open_source(STRUCTURE.encode(), "s")).blocks[0]
    program = Program(core.methods)
    item = core.lookup("_refln.F_calc")
    assert item is not None

    def work() -> list[float]:
        world = World(TableStore(Tables(block, core)), core, program)
        return [world.value(item, row).value for row in range(5)]

    assert len(benchmark.pedantic(work, rounds=5)) == 5
