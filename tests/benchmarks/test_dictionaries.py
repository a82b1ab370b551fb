"""The whole import tree of imgCIF from the text of its dictionaries, beside cifflow: `pytest tests/benchmarks`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary

pytestmark = needs_dictionaries
TREE = ("cif_img.dic", "multi_block_core.dic", "cif_core.dic", "templ_attr.cif", "templ_enum.cif")


def ours() -> int:
    """The number of items, all with their facts and methods."""
    return len(load_dictionary([DICTIONARIES / "cif_img.dic"]).facts["items"])


def theirs() -> int:
    """The number of items as cifflow loads them."""
    cifflow = pytest.importorskip("cifflow")
    text = (DICTIONARIES / "cif_img.dic").read_text(encoding="utf-8")
    loader = cifflow.DictionaryLoader(resolver=cifflow.directory_resolver(str(DICTIONARIES)))
    return len(loader.load(text).items)


def parsed() -> int:
    """The number of save frames, with the position of every value."""
    return sum(len(read(open_source(DICTIONARIES / name)).blocks[0].frames) for name in TREE)


@pytest.mark.parametrize("way", [ours, theirs, parsed], ids=lambda way: way.__name__)
def test_the_import_tree_from_text(benchmark, way) -> None:
    benchmark.group = "import tree of cif_img.dic from text"
    assert benchmark.pedantic(way, rounds=9, warmup_rounds=1) >= 1393
