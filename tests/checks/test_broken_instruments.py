"""A broken instrument gives one finding at its root; what rests on it is blocked, never a cascade."""

import re
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

import imgcif_core
from imgcif_core import Severity
from imgcif_core.checks.registry import load_rules

BASES = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "bases"
SINGLE = (BASES / "single-panel.cif").read_text(encoding="utf-8")
KAPPA = (BASES / "kappa-two-theta.cif").read_text(encoding="utf-8")
OMEGA = "  omega    rotation    goniometer .        1  0  0     0.0    0.0   0.0\n"
FIRST = "omega     rotation    goniometer"
DISTANCE = "distance translation detector   .        0  0 -1     0.0    0.0   0.0"
FAST = "fast     translation detector   slow     1  0  0     0.0    0.0   0.0"
SLOW = "slow     translation detector   distance 0 -1  0   -80.05  95.05  0.0"
SET_DISTANCE = "SCAN1 distance .    .   .   200.0 0.0 0.0"


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def judged(text: str) -> imgcif_core.FileReport:
    (entry,) = imgcif_core.check(text.encode(), name="broken.cif").files
    assert entry.outcomes.crashed == (), entry.outcomes.crashed
    return entry


def serious(entry: imgcif_core.FileReport) -> set[str]:
    """The codes of all findings from warnings upwards."""
    return {finding.rule for finding in entry.findings if finding.severity.at_least(Severity.WARNING)}


ROOTS = {
    "cycle of the goniometer": (
        KAPPA,
        [("omega     rotation    goniometer .  ", "omega     rotation    goniometer phi")],
        "AXI002",
    ),
    "cycle of the detector": (SINGLE, [(DISTANCE, DISTANCE.replace("detector   .   ", "detector   fast"))], "AXI002"),
    "axis on itself": (SINGLE, [(DISTANCE, DISTANCE.replace(" .       ", " distance"))], "AXI002"),
    "missing parent": (SINGLE, [(SLOW, SLOW.replace("distance", "nowhere "))], "AXI001"),
    "missing goniometer parent": (KAPPA, [("goniometer kappa ", "goniometer kappe ")], "AXI001"),
    "setting of an undefined axis": (SINGLE, [(SET_DISTANCE, SET_DISTANCE.replace("distance", "distanze"))], "AXI001"),
    "undefined pixel axis": (SINGLE, [("slow slow 0.05 0.1", "slow slof 0.05 0.1")], "AXI001"),
    "undefined positioner": (
        SINGLE,
        [("detector_axis.axis_id           distance", "detector_axis.axis_id           arm")],
        "AXI001",
    ),
    "null vector of the distance": (SINGLE, [(DISTANCE, DISTANCE.replace("0  0 -1", "0  0  0"))], "AXI004"),
    "null vector of a pixel axis": (SINGLE, [(FAST, FAST.replace("1  0  0", "0  0  0"))], "AXI004"),
    "text in an offset": (SINGLE, [(SLOW, SLOW.replace("-80.05", "eighty"))], "DIC008"),
    "NaN in an offset": (SINGLE, [(SLOW, SLOW.replace("-80.05", "NaN"))], "DIC008"),
    "NaN in a vector": (SINGLE, [(DISTANCE, DISTANCE.replace("0  0 -1", "0  0 nan"))], "DIC008"),
    "overflow in a vector": (SINGLE, [(DISTANCE, DISTANCE.replace("0  0 -1", "0  0 -1e999"))], "DIC008"),
    "text in a setting": (SINGLE, [(SET_DISTANCE, SET_DISTANCE.replace("200.0", "200mm"))], "DIC008"),
    "text in a pixel step": (SINGLE, [("slow slow 0.05 0.1", "slow slow 0.05 0,1")], "DIC008"),
    "text in a dimension": (SINGLE, [("1 2 1900 2", "1 2 many 2")], "DIC008"),
    "zero pixel step": (SINGLE, [("slow slow 0.05 0.1", "slow slow 0.05 0.0")], "DET005"),
    "parallel pixel axes": (SINGLE, [(SLOW, SLOW.replace("0 -1  0", "1  0  0"))], "DET002"),
    "source axis downstream": (
        SINGLE,
        [("source   general     source     .        0  0  1", "source   general     source     .        0  0 -1")],
        "AXI011",
    ),
}


@pytest.mark.parametrize("name", ROOTS)
def test_one_finding_at_the_root(name: str) -> None:
    text, changes, root = ROOTS[name]
    entry = judged(changed(text, *changes))
    expected = {root} & set(load_rules())
    assert serious(entry) == expected, [f"{finding.rule}: {finding.message}" for finding in entry.findings]
    assert sum(finding.rule == root for finding in entry.findings) == len(expected)


@pytest.mark.parametrize("root", ["AXI001", "AXI002", "AXI004", "DIC008"])
def test_rules_about_the_geometry_are_blocked_by_the_root(root: str) -> None:
    centre = (
        "_diffrn_detector_element.detector_id    DETECTOR",
        "_diffrn_detector_element.detector_id    DETECTOR\n_diffrn_detector_element.reference_center_fast 1.0",
    )
    text, changes, _ = next(case for case in ROOTS.values() if case[2] == root and case[0] is SINGLE)
    blocked = {blockage.rule: blockage.by for blockage in judged(changed(text, *changes, centre)).outcomes.blocked}
    assert root in blocked["SRC010"]


@pytest.mark.parametrize("vector", ["? ? ?", ". . .", "0 0 ?"])
def test_vectors_that_are_not_known_are_no_errors(vector: str) -> None:
    entry = judged(changed(SINGLE, (DISTANCE, DISTANCE.replace("0  0 -1", vector))))
    assert entry.conforming
    assert "AXI004" in serious(entry)


def test_a_file_without_a_goniometer_is_legal() -> None:
    text = changed(
        SINGLE,
        (OMEGA, ""),
        ("_diffrn_measurement.diffrn_id           EXP1\n", ""),
        ("_diffrn_measurement.id                  GONIOMETER\n", ""),
        ("_diffrn_measurement.number_of_axes      1\n", ""),
        ("_diffrn_measurement_axis.measurement_id GONIOMETER\n", ""),
        ("_diffrn_measurement_axis.axis_id        omega\n", ""),
        ("  SCAN1 omega    10.0 3.0 0.5 .     .   .\n", ""),
    )
    assert judged(text).conforming


@pytest.mark.parametrize("start", ["loop_\n  _axis.id", "loop_\n  _diffrn_scan.id", "loop_\n  _array_structure_list."])
def test_a_file_cut_anywhere_is_judged(start: str) -> None:
    judged(SINGLE[: SINGLE.index(start)])
    judged(SINGLE[: SINGLE.index("data_quartz_01") + 15] + SINGLE[SINGLE.index(start) :])


@pytest.mark.parametrize("category", ["axis", "diffrn_scan_axis", "diffrn_detector_axis", "array_structure_list_axis"])
def test_a_file_without_one_of_its_tables_is_judged(category: str) -> None:
    judged(SINGLE.replace(f"_{category}.", "_x[local].") if category != "axis" else SINGLE.replace(" _axis.", " _ax."))


def axis_rows(count: int, parent, kind: str = "translation", equipment: str = "detector") -> str:
    return "".join(f"  a{n} {kind} {equipment} {parent(n)} 0 0 -1 0.0 0.0 0.01\n" for n in range(count))


CROWDS = {
    "chain": axis_rows(5_000, lambda n: f"a{n - 1}" if n else "."),
    "chain listed inside out": axis_rows(5_000, lambda n: f"a{n + 1}" if n < 4_999 else "."),
    "cycle": axis_rows(5_000, lambda n: f"a{(n + 1) % 5_000}"),
    "self-dependent": axis_rows(5_000, lambda n: f"a{n}"),
    "orphans": axis_rows(5_000, lambda n: f"b{n}"),
    "roots": axis_rows(5_000, lambda n: ".", "rotation", "goniometer"),
    "branches": axis_rows(5_000, lambda n: "omega", "rotation", "goniometer"),
    "comb": axis_rows(5_000, lambda n: f"a{n // 2}" if n else "."),
}


@pytest.mark.parametrize("name", CROWDS)
def test_thousands_of_axes_are_judged_in_time(name: str) -> None:
    text = changed(SINGLE, (OMEGA, OMEGA + CROWDS[name]))
    if name in ("chain", "chain listed inside out", "cycle"):
        inner = "a0" if "out" in name else "a4999"
        text = changed(text, (SLOW, SLOW.replace("distance", inner)))
    begin = time.process_time()
    entry = judged(text)
    assert time.process_time() - begin < 10
    assert len(entry.findings) < 200


def test_thousands_of_settings_of_undefined_axes_are_counted_as_such() -> None:
    rows = "".join(f"  SCAN1 x{n} 1.0 0.0 0.0 . . .\n" for n in range(5_000))
    entry = judged(changed(SINGLE, (f"  {SET_DISTANCE}\n", f"  {SET_DISTANCE}\n{rows}")))
    found = [finding for finding in entry.findings if finding.rule == "AXI001"]
    assert sum(finding.count for finding in found) == 5_000
    assert len(found) < 20


ODD = [
    "?",
    ".",
    "NaN",
    "1e999",
    "1e308",
    "-1e-320",
    "abc",
    "'.'",
    "0",
    "-1",
    "omega",
    "fast",
    "[1 2]",
    "rotation",
    "gravity",
]
EDITS = st.lists(st.tuples(st.floats(0.05, 1), st.floats(0, 1), st.sampled_from(ODD)), min_size=1, max_size=5)


def with_odd_values(text: str, edits: list[tuple[float, float, str]]) -> str:
    """The text with some values, chosen by their place, replaced by odd ones."""
    lines = text.split("\n")
    for down, along, odd in edits:
        at = min(int(down * len(lines)), len(lines) - 1)
        words = re.split(r"(\s+)", lines[at])
        word = min(int(along * len(words)), len(words) - 1)
        if words[word].strip() and not words[word].startswith(("_", "loop_", "data_")):
            words[word] = odd
        lines[at] = "".join(words)
    return "\n".join(lines)


@seed(20260303)
@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(BASES.glob("*.cif"))), EDITS)
def test_odd_values_neither_crash_nor_warn(path: Path, edits: list[tuple[float, float, str]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged(with_odd_values(path.read_text(encoding="utf-8"), edits))
