"""Imports of dictionaries: modes, duplicates, missing frames, cycles and templates."""

from pathlib import Path

import pytest
from dictionaries import FRAMES, dictionary, edited, write

from imgcif_core import InputError, load_dictionary
from imgcif_core.ddlm.load import Loader

TEMPLATES = """\
#\\#CIF_2.0
data_TEMPLATES
_dictionary.title TEMPLATES
_dictionary.class Template
_dictionary.version 1.0.0
save_length
_type.purpose Number
_type.source Recorded
_type.contents Real
_units.code millimetres
loop_ _enumeration_set.state _enumeration_set.detail one 'first' two 'second'
save_
"""
OTHER = """\
#\\#CIF_2.0
data_OTHER
_dictionary.title OTHER
_dictionary.version 2.0.0
save_OTHER_HEAD
_definition.id OTHER_HEAD
_definition.scope Category
_definition.class Head
_name.category_id OTHER
_name.object_id OTHER_HEAD
{imports}save_
save_SAMPLE
_definition.id SAMPLE
_definition.scope Category
_definition.class Set
_name.category_id OTHER_HEAD
_name.object_id SAMPLE
save_
save_sample.kind
_definition.id '_sample.kind'
_name.category_id sample
_name.object_id kind
_type.contents Text
_enumeration.range 1:9
save_
save_sample.colour
_definition.id '_sample.colour'
_name.category_id sample
_name.object_id colour
_type.contents Text
save_
save_BOX
_definition.id BOX
_definition.scope Category
_definition.class Set
_name.category_id OTHER_HEAD
_name.object_id BOX
save_
save_box.size
_definition.id '_box.size'
_name.category_id box
_name.object_id size
_type.contents Real
save_
"""


def with_contents(folder: Path, request: str, own: str = "") -> Loader:
    """The dictionary whose `_sample.cell` is made of what it imports and of its own attributes."""
    write(folder, TEMPLATES, "templates.cif")
    start = "\n".join(FRAMES["sample.cell"].splitlines()[:4])
    text = dictionary(sample__cell=f"{start}\n{own}_import.get [{request}]\n")
    loader = Loader([])
    loader.definitions(loader.file(write(folder, text)))
    return loader


def cell(loader: Loader):
    """The frame of `_sample.cell`."""
    return next(iter(loader.order)).frames["sample.cell"]


def with_head(folder: Path, request: str, imports: str = "") -> Loader:
    """The dictionary whose head imports from the other one."""
    write(folder, OTHER.format(imports=imports), "other.dic")
    text = edited(
        "TESTS_HEAD", "_name.object_id TESTS_HEAD\n", f"_name.object_id TESTS_HEAD\n_import.get [{request}]\n"
    )
    loader = Loader([])
    loader.file(write(folder, text))
    return loader


def test_contents_bring_the_attributes_of_a_template(tmp_path: Path) -> None:
    frame = cell(with_contents(tmp_path, "{'file':templates.cif 'save':length}"))
    assert frame.first("_type.contents") == "Real"
    assert frame.all("_enumeration_set.state") == ["one", "two"]


def test_own_attributes_stay_and_others_of_a_set_are_added_when_duplicates_are_ignored(tmp_path: Path) -> None:
    request = "{'file':templates.cif 'save':length 'dupl':Ignore}"
    frame = cell(with_contents(tmp_path, request, "_type.contents Integer\n"))
    assert frame.first("_type.contents") == "Integer"
    assert frame.first("_type.purpose") == "Number"


def test_a_loop_of_attributes_is_never_mixed(tmp_path: Path) -> None:
    own = "loop_ _enumeration_set.state a b c\n"
    ignored = cell(with_contents(tmp_path, "{'file':templates.cif 'save':length 'dupl':Ignore}", own))
    assert ignored.all("_enumeration_set.state") == ["a", "b", "c"]
    assert ignored.all("_enumeration_set.detail") == []
    replaced = cell(with_contents(tmp_path, "{'file':templates.cif 'save':length 'dupl':Replace}", own))
    assert replaced.all("_enumeration_set.state") == ["one", "two"]


def test_replace_takes_the_imported_attribute(tmp_path: Path) -> None:
    request = "{'file':templates.cif 'save':length 'dupl':Replace}"
    frame = cell(with_contents(tmp_path, request, "_type.contents Integer\n_type.container List\n"))
    assert frame.first("_type.contents") == "Real"
    assert frame.first("_type.container") == "List"


def test_a_duplicate_is_a_fault_unless_the_request_says_otherwise(tmp_path: Path) -> None:
    loader = with_contents(tmp_path, "{'file':templates.cif 'save':length}", "_type.contents Integer\n")
    assert [problem.code for problem in loader.problems] == ["import-duplicate"]


@pytest.mark.parametrize(("miss", "codes"), [("Exit", ["import-frame"]), ("Ignore", [])])
def test_a_missing_frame_is_a_fault_unless_it_may_be_missing(tmp_path: Path, miss: str, codes: list[str]) -> None:
    loader = with_contents(tmp_path, f"{{'file':templates.cif 'save':width 'miss':{miss}}}")
    assert [problem.code for problem in loader.problems] == codes


@pytest.mark.parametrize(("miss", "codes"), [("Exit", ["import-file"]), ("Ignore", [])])
def test_a_missing_file_is_a_fault_unless_it_may_be_missing(tmp_path: Path, miss: str, codes: list[str]) -> None:
    loader = with_contents(tmp_path, f"{{'file':nowhere.cif 'save':width 'miss':{miss}}}")
    assert [problem.code for problem in loader.problems] == codes


def test_a_template_that_imports_itself_is_told_and_loading_ends(tmp_path: Path) -> None:
    text = TEMPLATES.replace("save_length\n", "save_length\n_import.get [{'file':templates.cif 'save':length}]\n")
    write(tmp_path, text, "templates.cif")
    start = "\n".join(FRAMES["sample.cell"].splitlines()[:4])
    body = f"{start}\n_import.get [{{'file':templates.cif 'save':length}}]\n"
    loader = Loader([])
    loader.definitions(loader.file(write(tmp_path, dictionary(sample__cell=body))))
    assert [problem.code for problem in loader.problems] == ["import-cycle"]


def test_a_head_imports_all_that_lies_below_a_head_but_not_the_head(tmp_path: Path) -> None:
    loader = with_head(tmp_path, "{'file':other.dic 'save':OTHER_HEAD 'mode':Full 'dupl':Ignore}")
    found = loader.definitions(loader.order[0])
    assert {"_box.size", "box", "_sample.colour"} <= found.keys()
    assert "other_head" not in found
    assert loader.problems == []


def test_both_layers_are_kept_the_importing_one_first(tmp_path: Path) -> None:
    loader = with_head(tmp_path, "{'file':other.dic 'save':OTHER_HEAD 'mode':Full 'dupl':Ignore}")
    found = loader.definitions(loader.order[0])
    assert [frame.layer for frame in found["_sample.kind"]] == ["TESTS", "OTHER"]


def test_replace_puts_the_imported_definition_first(tmp_path: Path) -> None:
    loader = with_head(tmp_path, "{'file':other.dic 'save':OTHER_HEAD 'mode':Full 'dupl':Replace}")
    found = loader.definitions(loader.order[0])
    assert [frame.layer for frame in found["_sample.kind"]] == ["OTHER", "TESTS"]


def test_a_definition_on_both_sides_is_a_fault_by_default(tmp_path: Path) -> None:
    loader = with_head(tmp_path, "{'file':other.dic 'save':OTHER_HEAD 'mode':Full}")
    loader.definitions(loader.order[0])
    assert {problem.code for problem in loader.problems} == {"import-duplicate"}


def test_a_full_import_of_a_category_brings_its_items_alone(tmp_path: Path) -> None:
    loader = with_head(tmp_path, "{'file':other.dic 'save':BOX 'mode':Full}")
    found = loader.definitions(loader.order[0])
    assert {"box", "_box.size"} <= found.keys()
    assert "_sample.colour" not in found


def test_dictionaries_that_import_each_other_are_told_and_loading_ends(tmp_path: Path) -> None:
    back = "_import.get [{'file':tests.dic 'save':TESTS_HEAD 'mode':Full 'dupl':Ignore}]\n"
    loader = with_head(tmp_path, "{'file':other.dic 'save':OTHER_HEAD 'mode':Full 'dupl':Ignore}", back)
    loader.definitions(loader.order[0])
    assert "import-cycle" in {problem.code for problem in loader.problems}


def test_imports_are_looked_for_along_the_search_path(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    write(tmp_path / "away", TEMPLATES, "templates.cif")
    start = "\n".join(FRAMES["sample.cell"].splitlines()[:4])
    body = f"{start}\n_import.get [{{'file':templates.cif 'save':length}}]\n"
    path = write(tmp_path, dictionary(sample__cell=body))
    with pytest.raises(InputError, match=r"templates\.cif, which is in no folder .*; give its folder"):
        load_dictionary([path])
    item = load_dictionary([path], [str(tmp_path / "away")]).lookup("_sample.cell")
    assert item is not None
    assert item.units == "millimetres"


@pytest.mark.parametrize("text", ["", "data_x\n_a.b 1\n", "no cif at all"])
def test_what_is_no_dictionary_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="is no DDLm dictionary"):
        load_dictionary([write(tmp_path, text)])
