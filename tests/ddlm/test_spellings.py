"""Dictionaries in the spellings of older editions of DDLm say the same as in those of the present one."""

from pathlib import Path

import pytest
from dictionaries import FRAMES, dictionary, edited, write
from shared import DICTIONARIES, needs_dictionaries
from test_load import OTHER, TEMPLATES

from imgcif_core import load_dictionary
from imgcif_core.ddlm.lint import lint

KEYS = "loop_ _category_key.name '_sample.id'"
START = "\n".join(FRAMES["sample.cell"].splitlines()[:4])
REQUEST = "'file':templates.cif 'save':length"


@pytest.mark.parametrize(
    "old",
    [
        "_category.key_id '_sample.id'",
        "_category.key_list ['_sample.id']",
        "_category_key.generic '_sample.id'",
    ],
)
def test_the_key_of_a_category_is_found_under_its_old_names(tmp_path: Path, old: str) -> None:
    found = load_dictionary([write(tmp_path, edited("SAMPLE", KEYS, old))])
    assert [item.id for item in found.key_items("sample")] == ["_sample.id"]


def test_the_list_of_keys_goes_before_the_single_key(tmp_path: Path) -> None:
    text = edited("SAMPLE", KEYS, f"_category.key_id '_sample.kind'\n{KEYS}")
    assert [item.id for item in load_dictionary([write(tmp_path, text)]).key_items("sample")] == ["_sample.id"]


def test_lint_takes_the_old_key_for_a_key_and_calls_its_name_unknown(tmp_path: Path) -> None:
    path = write(tmp_path, edited("SAMPLE", KEYS, "_category.key_id '_sample.id'"))
    assert [problem.code for problem in lint(path)] == ["unknown-attribute"]


@pytest.mark.parametrize(
    "request_",
    [
        f"_import.get [{{{REQUEST}}}]",
        f"_import.get {{{REQUEST}}}",
        "_import_details.file_id templates.cif _import_details.frame_id length",
        "loop_ _import_details.order _import_details.file_id _import_details.frame_id\n1 templates.cif length",
        f"_import_details.order 1 _import_details.single {{{REQUEST}}}",
        f"loop_ _import_details.order _import_details.single\n1 {{{REQUEST}}}",
    ],
)
def test_an_import_is_honoured_in_each_of_its_spellings(tmp_path: Path, request_: str) -> None:
    write(tmp_path, TEMPLATES, "templates.cif")
    text = dictionary(sample__cell=f"{START}\n{request_}\n")
    item = load_dictionary([write(tmp_path, text)]).lookup("_sample.cell")
    assert item is not None
    assert (item.contents, item.units) == ("Real", "millimetres")


def test_imports_of_a_loop_are_done_in_the_order_that_it_gives(tmp_path: Path) -> None:
    second = TEMPLATES.replace("save_length", "save_angle").replace("millimetres", "degrees")
    write(tmp_path, TEMPLATES + second.partition("1.0.0\n")[2], "templates.cif")
    loop = "loop_ _import_details.order _import_details.file_id _import_details.frame_id _import_details.if_dupl"
    rows = "2 templates.cif length Replace\n1 templates.cif angle Exit"
    text = dictionary(sample__cell=f"{START}\n{loop}\n{rows}\n")
    item = load_dictionary([write(tmp_path, text)]).lookup("_sample.cell")
    assert item is not None
    assert item.units == "millimetres"


def test_a_head_imports_by_details_too(tmp_path: Path) -> None:
    write(tmp_path, OTHER.format(imports=""), "other.dic")
    details = {"file_id": "other.dic", "frame_id": "OTHER_HEAD", "mode": "Full", "if_dupl": "Ignore"}
    spelt = " ".join(f"_import_details.{name} {value}" for name, value in details.items())
    text = edited("TESTS_HEAD", "_name.object_id TESTS_HEAD\n", f"_name.object_id TESTS_HEAD\n{spelt}\n")
    found = load_dictionary([write(tmp_path, text)])
    assert found.lookup("_box.size") is not None


def test_a_missing_frame_may_be_missing_by_details_too(tmp_path: Path) -> None:
    write(tmp_path, TEMPLATES, "templates.cif")
    details = "_import_details.file_id templates.cif _import_details.frame_id width _import_details.if_miss Ignore"
    path = write(tmp_path, dictionary(sample__cell=f"{START}\n_type.contents Real\n{details}\n"))
    assert load_dictionary([path]).lookup("_sample.cell") is not None


@pytest.mark.parametrize(("version", "codes"), [("1.2.0", []), ("2.0.0", ["import-version"]), (".", [])])
def test_an_import_of_another_major_version_is_told(tmp_path: Path, version: str, codes: list[str]) -> None:
    write(tmp_path, TEMPLATES, "templates.cif")
    request = f"_import.get [{{{REQUEST} 'version':{version} 'dupl':Ignore}}]"
    path = write(tmp_path, dictionary(sample__cell=f"{START}\n{request}\n"))
    assert [problem.code for problem in lint(path) if problem.code.startswith("import")] == codes


def test_the_scopes_of_version_3_stand_in_one_list(tmp_path: Path) -> None:
    head = "loop_ _dictionary_valid.application _dictionary_valid.attributes\n"
    rows = "['Item' 'Mandatory'] ['_definition.id' '_Type.contents']\n[Category Prohibited] [type]\n"
    text = dictionary().replace("save_TESTS_HEAD", f"{head}{rows}save_TESTS_HEAD", 1)
    assert load_dictionary([write(tmp_path, text)]).facts["valid"] == [
        {"scope": "Item", "option": "Mandatory", "attributes": ["_definition.id", "_type.contents"]},
        {"scope": "Category", "option": "Prohibited", "attributes": ["type"]},
    ]


# Title, methods of the whole tree (of a definition that stands in several dictionaries the innermost alone), gaps.
OFFICIAL = {
    "ddl.dic": ("DDL_DIC", 3, ()),
    "cif_core.dic": ("CIF_CORE", 144, ()),
    "multi_block_core.dic": ("MULTIBLOCK_DIC", 140, ()),
    "cif_img.dic": ("CIF_IMG", 139, ()),
    "more/cif_twin.dic": ("CIF_TWIN", 152, ()),
    "more/cif_rho.dic": ("CIF_RHO", 148, ()),
    "more/cif_pow.dic": ("CIF_POW", 147, ("PD_GROUP imports HEAD",)),
    "more/cif_ms.dic": ("CIF_MS", 472, ("CIF_MS_HEAD imports TWIN_GROUP",)),
}


@needs_dictionaries
def test_no_official_dictionary_is_left_out() -> None:
    there = {str(path.relative_to(DICTIONARIES)) for path in DICTIONARIES.rglob("*.dic")}
    assert there == OFFICIAL.keys()


@needs_dictionaries
@pytest.mark.parametrize("name", OFFICIAL)
def test_every_official_dictionary_loads_with_its_imports(name: str) -> None:
    title, methods, gaps = OFFICIAL[name]
    found = load_dictionary([DICTIONARIES / name], [DICTIONARIES], is_lenient=bool(gaps))
    assert (found.title, len(found.methods)) == (title, methods)
    assert len(found.gaps) == len(gaps)
    assert all(told.startswith(gap) for told, gap in zip(found.gaps, gaps, strict=True))
    for category in found.categories():
        for key in found.facts["categories"][category].get("keys", ()):
            assert found.lookup(key) is not None, f"the key {key} of {category} is not defined"
