"""Images whose description is spread over several blocks: decided by what the blocks hold together, or said why not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from shared import ROOT

import imgcif_core
from imgcif_core.findings import FileReport

BASE = (ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif").read_text(encoding="utf-8")
MARKS = ("loop_\n  _diffrn_scan.id", "loop_\n  _diffrn_scan_frame.scan_id", "loop_\n  _array_data.array_id")
INSTRUMENT, SCAN, FRAMES, DATA = (
    BASE[start:end]
    for start, end in zip((0, *map(BASE.index, MARKS)), (*map(BASE.index, MARKS), len(BASE)), strict=True)
)
OTHER = INSTRUMENT.partition("\n")[2].replace("quartz_01", "other")
AXES = "  omega    rotation    goniometer .        1  0  0     0.0    0.0   0.0\n"
ANSWERS = {
    "instrument, measured": (INSTRUMENT + "data_m\n" + SCAN + FRAMES + DATA, "yes", "yes"),
    "instrument and scan, frames and data": (INSTRUMENT + SCAN + "data_f\n" + FRAMES + DATA, "yes", "yes"),
    "instrument, scan and frames, data": (INSTRUMENT + "data_m\n" + SCAN + FRAMES + "data_d\n" + DATA, "yes", "yes"),
    "the same instrument twice, measured": (
        INSTRUMENT + "data_other\n" + OTHER.partition("\n")[2] + "data_m\n" + SCAN + FRAMES + DATA,
        "yes",
        "yes",
    ),
    "two instruments, measured": (
        INSTRUMENT + OTHER.replace("-80.05", "-90.05") + "data_m\n" + SCAN + FRAMES + DATA,
        "not-checked",
        "yes",
    ),
    "two blocks of data": (
        INSTRUMENT + SCAN + FRAMES + "data_d\n" + DATA + "\ndata_e\n" + DATA.replace("quartz_0000", "q_0000"),
        "yes",
        "not-checked",
    ),
    "one axis elsewhere": (
        BASE.replace(AXES, "") + "\ndata_a\nloop_ _axis.id _axis.type _axis.equipment _axis.depends_on _axis.vector[1]"
        " _axis.vector[2] _axis.vector[3] omega rotation goniometer . 1 0 0\n",
        "not-checked",
        "yes",
    ),
    "the images of another scan are not those of this one": (BASE + OTHER + SCAN + FRAMES, "yes", "no"),
}


def judged(text: str) -> FileReport:
    return imgcif_core.check(text.encode()).files[0]


@pytest.mark.parametrize(("text", "interpret", "fetch"), ANSWERS.values(), ids=ANSWERS)
def test_several_blocks_are_judged_together(text: str, interpret: str, fetch: str) -> None:
    report = judged(text)
    assert (report.readiness.interpret.answer, report.readiness.fetch.answer) == (interpret, fetch)
    for ready in (report.readiness.interpret, report.readiness.fetch):
        if ready.answer == "not-checked":
            (why,) = ready.because
            assert "other data block" in why or "another data block" in why
    assert not [finding.message for finding in report.findings if finding.severity == "error"]


def test_blocks_of_other_data_sets_lend_nothing() -> None:
    ids = [f"_audit_dataset.id {digit * 8}-1111-4111-8111-111111111111\n" for digit in "12"]
    first = INSTRUMENT.replace("data_quartz_01\n", f"data_quartz_01\n{ids[0]}")
    report = judged(first + f"data_m\n{ids[1]}" + SCAN + FRAMES + DATA)
    assert report.readiness.interpret.answer == "no"


def test_links_of_one_set_of_images_are_counted_once() -> None:
    report = judged(INSTRUMENT + SCAN + FRAMES + "data_d\n" + DATA)
    assert report.readiness.fetch.because == ("6 complete links, not visited",)


def test_what_lacks_in_a_shared_instrument_is_told_once() -> None:
    bare = INSTRUMENT.replace("  _array_structure_list.precedence\n", "").replace(
        " 1 increasing fast", " increasing fast"
    )
    bare = bare.replace(" 2 increasing slow", " increasing slow")
    measured = SCAN + FRAMES + DATA
    report = judged(f"{bare}data_m\n{measured}\ndata_n\n{measured}")
    told = [finding for finding in report.findings if finding.rule == "MTA020"]
    assert len(told) == 1 and told[0].location.block == "quartz_01"
    assert report.readiness.interpret.answer == "no"
