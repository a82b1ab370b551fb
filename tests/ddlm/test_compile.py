"""The facts table: complete, reproducible, with its provenance, and without prose."""

import hashlib
import json
from importlib import resources
from pathlib import Path

import pytest
from dictionaries import dictionary, write
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cli import main
from imgcif_core.ddlm.compile import compile_facts

DATA = resources.files("imgcif_core.ddlm").joinpath("data")


def test_provenance_is_recorded(tmp_path: Path) -> None:
    path = write(tmp_path, dictionary())
    (source,) = json.loads(compile_facts([path]))["sources"]
    assert source == {
        "title": "TESTS",
        "version": "1.0.0",
        "date": "2026-01-31",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "file": "tests.dic",
    }


def test_descriptions_and_methods_are_left_out(tmp_path: Path) -> None:
    text = dictionary().replace(
        "_definition.id '_sample.id'",
        "_definition.id '_sample.id'\n_description.text 'secret words'\n_method.expression 'secret words'",
    )
    assert "secret" not in compile_facts([write(tmp_path, text)])


@needs_dictionaries
@pytest.mark.parametrize(("name", "facts"), [("cif_img.dic", "facts.json"), ("ddl.dic", "attributes.json")])
def test_the_bundled_tables_are_what_the_dictionaries_give(name: str, facts: str) -> None:
    assert compile_facts([DICTIONARIES / name]) == DATA.joinpath(facts).read_text(encoding="utf-8")


def test_the_command_writes_a_table_that_can_be_read_again(tmp_path: Path) -> None:
    path, target = write(tmp_path, dictionary()), tmp_path / "facts.json"
    assert main(["dictionary", "compile", str(path), "-o", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["items"]["_sample.mass"]["units"] == "dalton"
