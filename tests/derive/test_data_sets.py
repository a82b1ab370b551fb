"""Methods over a data set of several blocks: what a block does not hold may stand in another one of its data set."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ddlm" / "drel"))

from methodical import dictionary

from imgcif_core import CheckOptions, check
from imgcif_core.cif.reader import open_source, read
from imgcif_core.cli import main
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.derive.listing import derivations

AUDIT = """\
save_audit_dataset
_definition.id audit_dataset
_definition.scope Category
_definition.class Loop
_name.category_id TESTS_HEAD
_name.object_id audit_dataset
_category_key.name '_audit_dataset.id'
save_
save_audit_dataset.id
_definition.id '_audit_dataset.id'
_name.category_id audit_dataset
_name.object_id id
_type.contents Word
save_
"""
METHODS = {
    "atom__twice": "_atom.twice = _cell.a * _atom.x",
    "cell__result": "n = 0.0 Loop a as atom { n += a.x } _cell.result = n * _cell.a",
}
ATOMS = "loop_ _atom.id _atom.x\nA 1.5\nB 2.0"
ONE = "_audit_dataset.id one"


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dictionary:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    dictionary(tmp_path, **METHODS)
    path = tmp_path / "tests.dic"
    text = path.read_text(encoding="utf-8").replace("object_id twice\n", "object_id twice\n_type.source Derived\n")
    path.write_text(text + AUDIT, encoding="utf-8")
    return load_dictionary([path])


def text_of(*blocks: str) -> str:
    """A file of some blocks."""
    return "#\\#CIF_2.0\n" + "".join(f"data_b{number}\n{block}\n" for number, block in enumerate(blocks))


def given(judge: Dictionary, *blocks: str) -> list[dict[str, list]]:
    """The derived values of each block by item."""
    found = derivations(read(open_source(text_of(*blocks).encode(), "t")), judge)
    return [{entry["item"]: [row["value"] for row in entry["rows"]] for entry in block["items"]} for block in found]


def test_a_category_is_taken_from_the_other_block_of_the_data_set(judge: Dictionary) -> None:
    first, second = given(judge, f"{ONE}\n_cell.a 3.0", f"{ONE}\n{ATOMS}")
    # 3.0 * (1.5 + 2.0), and 3.0 times each.
    assert first == {"_cell.result": [10.5]}
    assert second == {"_atom.twice": [4.5, 6.0]}


@pytest.mark.parametrize("ids", [("one", "two"), ("one", None), (None, None), ("one", "?")])
def test_blocks_of_no_common_data_set_stay_apart(judge: Dictionary, ids: tuple[str | None, str | None]) -> None:
    heads = ["" if name is None else f"_audit_dataset.id {name}\n" for name in ids]
    first, second = given(judge, f"{heads[0]}_cell.a 3.0", f"{heads[1]}{ATOMS}")
    assert first == {}
    assert second == {}


def test_a_block_may_belong_to_several_data_sets(judge: Dictionary) -> None:
    shared = "loop_ _audit_dataset.id one two\n_cell.a 3.0"
    assert given(judge, shared, f"_audit_dataset.id two\n{ATOMS}")[1] == {"_atom.twice": [4.5, 6.0]}


@pytest.mark.parametrize(("other", "found"), [("3.0", [4.5, 6.0]), ("3.1", None)])
def test_several_blocks_count_only_where_they_agree(judge: Dictionary, other: str, found: list | None) -> None:
    blocks = [f"{ONE}\n_cell.a 3.0", f"{ONE}\n_cell.a {other}", f"{ONE}\n{ATOMS}"]
    assert given(judge, *blocks)[2].get("_atom.twice") == found


def test_what_a_block_holds_itself_goes_first(judge: Dictionary) -> None:
    found = given(judge, f"{ONE}\n_cell.a 3.0", f"{ONE}\n_cell.a 2.0\n{ATOMS}")
    assert found[1]["_atom.twice"] == [3.0, 4.0]


def test_the_path_names_the_other_block(judge: Dictionary, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.cif"
    path.write_text(text_of(f"{ONE}\n_cell.a 3.0", f"{ONE}\n{ATOMS}"), encoding="utf-8")
    arguments = ["derive", str(path), "_atom.twice", "--dictionary", str(tmp_path / "tests.dic")]
    assert main(arguments) == 0
    assert "from _cell.a (stored in block b0)" in capsys.readouterr().out
    main([*arguments, "--format", "json"])
    (block,) = [b for b in json.loads(capsys.readouterr().out)["files"][0]["blocks"] if b["items"]]
    assert block["items"][0]["from"][0] == {"item": "_cell.a", "how": "stored", "block": "b0"}


@pytest.mark.parametrize(("stored", "told"), [("4.5", False), ("4.9", True)])
def test_a_stored_value_is_compared_over_the_data_set(judge: Dictionary, stored: str, told: bool) -> None:
    atoms = f"{ONE}\nloop_ _atom.id _atom.x _atom.twice\nA 1.5 {stored}"
    report = check(text_of(f"{ONE}\n_cell.a 3.0", atoms).encode(), dictionary=judge, options=CheckOptions(methods=True))
    assert ("DIC030" in {finding.rule for finding in report.files[0].findings}) is told
