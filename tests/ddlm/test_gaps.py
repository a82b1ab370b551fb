"""The page of gaps in the dictionary is made of what lint finds today."""

import importlib.util
from pathlib import Path

from shared import DICTIONARIES, ROOT, needs_dictionaries

SPEC = importlib.util.spec_from_file_location("gaps", ROOT / "docs" / "gaps.py")
assert SPEC is not None
assert SPEC.loader is not None
gaps = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gaps)


def test_the_page_is_made_of_its_data() -> None:
    assert Path(gaps.TARGET).read_text(encoding="utf-8") == gaps.page()


@needs_dictionaries
def test_the_data_are_what_lint_finds() -> None:
    assert Path(gaps.DATA).read_text(encoding="utf-8") == gaps.judge(DICTIONARIES / "cif_img.dic")
