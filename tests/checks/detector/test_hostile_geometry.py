"""Geometry that is broken in any way ends in findings and blocked rules, never in a crash."""

import random
from pathlib import Path

import pytest
from mangling import BASES, mangled
from shared import ROOT

import imgcif_core


@pytest.mark.parametrize("changes", [1, 3, 10])
@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
def test_mangled_tables_never_crash_a_rule(base: Path, changes: int) -> None:
    chance = random.Random(f"{base.stem}/{changes}")
    text = base.read_text(encoding="utf-8")
    for _ in range(8):
        data = mangled(text, chance, changes)
        (entry,) = imgcif_core.check(data.encode(), name="mangled.cif").files
        assert not entry.outcomes.crashed, f"{entry.outcomes.crashed}\n{data}"


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_numbers_beyond_all_bounds_are_judged_in_silence() -> None:
    text = BASES[-1].read_text(encoding="utf-8").replace("-80.05  95.05", "-1e308  1e308")
    (entry,) = imgcif_core.check(text.encode(), name="far.cif").files
    assert not entry.outcomes.crashed


BREAKS = {
    "precedence": ("1 2 1900 2 increasing slow", "1 2 1900 1 increasing slow", "DET001"),
    "parallel": ("slow     1  0  0 ", "slow     0  1  0 ", "DET002"),
    "zero step": ("fast fast 0.05 0.1", "fast fast 0.05 0.0", "DET005"),
    "slipped step": ("fast fast 0.05 0.1", "fast fast 50 100", "CON001"),
    "cycle": ("distance translation detector   . ", "distance translation detector   fast ", "AXI002"),
    "unknown parent": (
        "slow     translation detector   distance",
        "slow     translation detector   distnace",
        "AXI001",
    ),
    "text in a number": ("fast fast 0.05 0.1", "fast fast 0.05 O.1", "DIC008"),
    "unknown set": ("1 2 1900 2 increasing slow", "1 2 1900 2 increasing slwo", "REL018"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_one_break_is_reported_at_its_root_and_blocks_the_rest(name: str) -> None:
    old, new, root = BREAKS[name]
    text = (ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif").read_text(encoding="utf-8")
    assert old in text
    (entry,) = imgcif_core.check(text.replace(old, new).encode(), name="broken.cif").files
    serious = {finding.rule for finding in entry.findings if finding.severity != "info"}
    assert serious == {root}
    blocked = {blockage.rule: blockage.by for blockage in entry.outcomes.blocked}
    assert {"DET010", "DET011", "DET012"} <= set(blocked)
    assert all(root in by for by in blocked.values())


def test_a_broken_goniometer_does_not_stop_the_detector() -> None:
    text = (ROOT / "conformance" / "datasets" / "bases" / "two-theta-scans.cif").read_text(encoding="utf-8")
    text = text.replace("kappa     rotation    goniometer omega ", "kappa     rotation    goniometer lost ")
    text = text.replace(
        "distance  translation detector   two_theta 0        0       -1",
        "distance  translation detector   two_theta 0        0        1",
    )
    text = text.replace("SCAN2 two_theta  30.0", "SCAN2 two_theta   0.0").replace(
        "SCAN3 two_theta  55.0", "SCAN3 two_theta   0.0"
    )
    (entry,) = imgcif_core.check(text.encode(), name="broken.cif").files
    assert {"AXI001", "DET010"} <= {finding.rule for finding in entry.findings}
