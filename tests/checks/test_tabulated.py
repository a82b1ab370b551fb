"""Defaults by table: by which value of which row they are looked up."""

from pathlib import Path

import pytest

import imgcif_core
from imgcif_core.checks.options import CheckOptions

HEAD = """#\\#CIF_2.0
data_ATOMS
_dictionary.title ATOMS
_dictionary.class Instance
_dictionary.version 1.0.0
_dictionary.date 2026-11-27
save_ATOMS_HEAD
_definition.id ATOMS_HEAD
_definition.scope Category
_definition.class Head
_name.category_id ATOMS
_name.object_id ATOMS_HEAD
save_
"""
CATEGORY = """save_{name}
_definition.id {name}
_definition.scope Category
_definition.class Loop
_name.category_id {parent}
_name.object_id {name}
_category_key.name '_{name}.symbol'
save_
"""
ITEM = """save_{category}.{name}
_definition.id '_{category}.{name}'
_name.category_id {category}
_name.object_id {name}
_type.purpose {purpose}
_type.contents {contents}
{more}
save_
"""
TABLE = "_enumeration.def_index_ids ['{by}']\nloop_\n_enumeration_defaults.index\n_enumeration_defaults.value\n{rows}"


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory):
    """ATOM with an element and a mass by table, and its child SCAT with a strength by the parent's symbol."""
    element = TABLE.format(by="_atom.symbol", rows="[H] H\n[Fe2] Fe")
    mass = TABLE.format(by="_atom.element", rows="[H] 1.008\n[Fe] 55.845")
    strength = TABLE.format(by="_atom.symbol", rows="[H] 1\n[Fe2] 24")
    weight = TABLE.format(by="_atom.element", rows="[H] 1.0\n[Fe] 7.9")
    link = "_name.linked_item_id '_atom.symbol'"
    parts = [
        HEAD,
        CATEGORY.format(name="atom", parent="ATOMS_HEAD"),
        CATEGORY.format(name="scat", parent="atom"),
        ITEM.format(category="atom", name="symbol", purpose="Key", contents="Word", more=""),
        ITEM.format(category="atom", name="element", purpose="Describe", contents="Word", more=element),
        ITEM.format(category="atom", name="mass", purpose="Number", contents="Real", more=mass),
        ITEM.format(category="scat", name="symbol", purpose="Link", contents="Word", more=link),
        ITEM.format(category="scat", name="strength", purpose="Number", contents="Integer", more=strength),
        ITEM.format(category="scat", name="weight", purpose="Number", contents="Real", more=weight),
    ]
    path = tmp_path_factory.mktemp("dictionary") / "atoms.dic"
    path.write_text("".join(parts))
    return imgcif_core.load_dictionary([path])


def told(dictionary, tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "x.cif"
    path.write_text(f"#\\#CIF_2.0\ndata_x\n{text}\n")
    report = imgcif_core.check(path, dictionary=dictionary, options=CheckOptions(select=("DIC034",)))
    return [finding.message for finding in report.files[0].findings if finding.rule == "DIC034"]


def test_a_child_looks_its_default_up_by_its_own_key(dictionary, tmp_path: Path) -> None:
    (message,) = told(dictionary, tmp_path, "loop_\n_scat.symbol _scat.strength\nH 1\nFe2 26")
    assert message == "_scat.strength is 26 for Fe2 - the dictionary tabulates 24"


def test_a_child_in_the_loop_of_its_parent_needs_no_key(dictionary, tmp_path: Path) -> None:
    assert len(told(dictionary, tmp_path, "loop_\n_atom.symbol _scat.strength\nFe2 24\nH 2")) == 1


def test_the_row_of_the_parent_is_found_by_key(dictionary, tmp_path: Path) -> None:
    atoms = "loop_\n_atom.symbol _atom.element\nFe2 Fe\nH H\nloop_\n_scat.symbol _scat.weight\n"
    (message,) = told(dictionary, tmp_path, f"{atoms}H 1.0\nFe2 1.0")
    assert message == "_scat.weight is 1.0 for Fe - the dictionary tabulates 7.9"


def test_what_hangs_on_a_doubtful_value_is_not_told_as_well(dictionary, tmp_path: Path) -> None:
    (message,) = told(dictionary, tmp_path, "loop_\n_atom.symbol _atom.element _atom.mass\nFe2 H 55.845")
    assert message.startswith("_atom.element is H for Fe2")


@pytest.mark.parametrize("text", ["loop_\n_atom.symbol _atom.mass\nFe2 1", "_atom.mass 3", "_scat.weight 3"])
def test_without_the_value_to_look_up_by_nothing_is_told(dictionary, tmp_path: Path, text: str) -> None:
    assert told(dictionary, tmp_path, text) == []


@pytest.mark.parametrize(
    ("mass", "count"), [("55.8", 0), ("56", 0), ("55.84", 0), ("55.7", 1), ("60", 1), ("heavy", 0)]
)
def test_numbers_agree_within_their_digits(dictionary, tmp_path: Path, mass: str, count: int) -> None:
    text = f"loop_\n_atom.symbol _atom.element _atom.mass\nFe2 Fe {mass}"
    assert len(told(dictionary, tmp_path, text)) == count
