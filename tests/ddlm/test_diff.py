"""What two editions of a dictionary define differently."""

import json
from pathlib import Path

import pytest
from dictionaries import FRAMES, dictionary, edited, write
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core import load_dictionary
from imgcif_core.cli import main
from imgcif_core.ddlm.diff import Change, compare


def changes(folder: Path, old: str, new: str) -> list[Change]:
    before, after = (load_dictionary([write(folder, text, name)]) for name, text in (("a.dic", old), ("b.dic", new)))
    return compare(before, after)


def test_equal_dictionaries_do_not_differ(tmp_path: Path) -> None:
    assert changes(tmp_path, dictionary(), dictionary()) == []


@pytest.mark.parametrize(
    ("frame", "old", "new", "fact"),
    [
        ("sample.cell", "contents Real", "contents Integer", ("type", "Real", "Integer")),
        ("sample.mass", "0.0:", "0.0:9.5", ("range", [[0.0, None]], [[0.0, 9.5]])),
        ("sample.kind", "crystal glass", "glass gel", ("states", ["crystal"], ["gel"])),
        ("sample.cell", "angstroms", "metres", ("unit", "angstroms", "metres")),
        ("SAMPLE", "'_sample.id'", "'_sample.kind'", ("keys", ["_sample.id"], ["_sample.kind"])),
    ],
)
def test_a_changed_fact_is_told_with_both_values(
    frame: str, old: str, new: str, fact: tuple[str, object, object], tmp_path: Path
) -> None:
    found = changes(tmp_path, dictionary(), edited(frame, old, new))
    assert fact in [entry for change in found for entry in change.facts]


def test_items_that_come_go_and_change_their_names(tmp_path: Path) -> None:
    sort = FRAMES["sample.kind"].replace("sample.kind", "sample.sort").replace("object_id kind", "object_id sort")
    sort = sort.replace("'_sample_kind'", "'_sample.kind'")
    found = changes(
        tmp_path,
        dictionary(sample__parent_id=None),
        dictionary(sample__kind=None, sample__sort=sort, sample__cell=None),
    )
    assert {(change.kind, change.id, change.new_id) for change in found} == {
        ("added", "_sample.parent_id", ""),
        ("removed", "_sample.cell", ""),
        ("renamed", "_sample.kind", "_sample.sort"),
    }


def test_the_command_gives_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write(tmp_path, dictionary(), "a.dic"), write(tmp_path, edited("sample.mass", "0.0:", "1.0:"), "b.dic")
    assert main(["dictionary", "diff", str(a), str(b)]) == 1
    assert "    range: 0: -> 1:" in capsys.readouterr().out.splitlines()
    assert main(["dictionary", "diff", str(a), str(b), "--format", "json"]) == 1
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert change["facts"] == [{"what": "range", "old": [[0.0, None]], "new": [[1.0, None]]}]
    assert main(["dictionary", "diff", str(a), str(a)]) == 0


@needs_dictionaries
def test_what_imgcif_changes_of_what_it_imports() -> None:
    core, image = (load_dictionary([DICTIONARIES / f"{name}.dic"]) for name in ("multi_block_core", "cif_img"))
    found = {change.id: change for change in compare(core, image)}
    assert found["AXIS" if "AXIS" in found else "axis"].kind == "added"
    assert ("is a key", None, True) in found["_diffrn_radiation.diffrn_id"].facts
    assert not any(change.kind == "removed" and change.scope == "item" for change in found.values())
