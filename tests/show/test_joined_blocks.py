"""A block of scans whose instrument stands in another block of the data set is shown with it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import ROOT

from imgcif_core import load_dictionary, read
from imgcif_core.show import block_instruments, passport_text

BASE = (ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif").read_text(encoding="utf-8")
AT = BASE.index("loop_\n  _diffrn_scan.id")
SPLIT = f"{BASE[:AT]}\ndata_measured\n{{}}\n{BASE[AT:]}"


def shown(text: str) -> str:
    return passport_text(read(text.encode(), name="split.cif"), load_dictionary())


def test_the_instrument_of_another_block_places_the_panel() -> None:
    blocks = block_instruments(read(SPLIT.format("").encode(), name="split.cif"), load_dictionary())
    assert [entry.name for entry in blocks] == ["quartz_01", "measured"]
    (scan,) = blocks[1].scans
    # The distance of the base is 200 mm, towards -Z.
    assert scan.poses[0].origin[0][2] == -200.0
    assert "AXIS" in blocks[1].borrowed["quartz_01"]
    assert not blocks[0].borrowed


def test_the_text_says_what_is_borrowed_and_finds_the_goniometer() -> None:
    text = shown(SPLIT.format("")).partition("block measured")[2]
    assert "of block quartz_01" in text
    assert "Goniometer, base first" in text


def test_blocks_of_another_data_set_lend_nothing() -> None:
    other = SPLIT.format("_audit_dataset.id 22222222-2222-4222-8222-222222222222")
    first = "_audit_dataset.id 11111111-1111-4111-8111-111111111111\n"
    text = shown(other.replace("data_quartz_01\n", f"data_quartz_01\n{first}", 1))
    assert "Goniometer: none" in text.partition("block measured")[2]
    assert "of block quartz_01" not in text


def test_one_block_borrows_nothing() -> None:
    assert " of block " not in shown(BASE)
