"""The methods written for imgCIF and the rules that judge the same relations: both forms say the same."""

from pathlib import Path

import pytest
from numpy.testing import assert_allclose
from shared import DICTIONARIES, ROOT, needs_corpus, needs_dictionaries, text_files

from imgcif_core import CheckOptions, api
from imgcif_core.checks.registry import load_rules
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.lint import lint
from imgcif_core.ddlm.methods import Method
from imgcif_core.derive.dictionaries import OWN, own_methods, with_own_methods
from imgcif_core.derive.store import TableStore
from imgcif_core.derive.validation import heading, verdicts
from imgcif_core.show import geometry
from imgcif_core.tables import Tables

DATASETS = ROOT / "conformance" / "datasets"
VALIDATIONS = [method for method in own_methods().all() if method.purpose == "Validation"]
CODES = sorted({code for method in VALIDATIONS for code in heading(method)[0]})
# Where two rules share a cause, the report names one of them; a method knows nothing of that.
KIN = {
    "AXI001": {"DIC015", "REL017", "REL002", "AXI002", "REL001"},
    "AXI002": {"AXI001", "DIC015"},
    "AXI003": {"AXI004"},
    "REL001": {"DIC015", "REL002", "REL017", "REL011", "REL003", "REL009", "REL004", "CON025"},
    "CON001": {"DET005", "DET025", "CON010"},
    "DET001": {"REL004"},
    "CON002": {"DIC011", "REL001", "AXI001"},
    "SCN001": {"SCN002", "SCN004", "SCN011", "SCN012", "SCN024"},
    "SCN004": {"SCN005", "REL012", "SCN012"},
    "SCN016": {"SCN018", "DIC011"},
    "SCN017": {"CON015"},
    "SRC008": {"SRC011"},
}


SMALL = [path for path in text_files() if path.stat().st_size < 1_000_000]
BASE = DATASETS / "bases" / "single-panel.cif"
_CRYSTAL = "_diffrn.crystal_id "
# Faults that the cases of these rules do not have: what is replaced in a faultless file, and by what.
FAULTS = {
    "_diffrn_detector_axis.axis_id": ("detector_axis.axis_id   ", "detector_axis.axis_id no_"),
    "_diffrn_measurement_axis.axis_id": ("axis_id        omega", "axis_id        phi"),
    "_diffrn_scan_frame.scan_id": ("SCAN1 frame04 4", "SCAN9 frame04 4"),
    "_diffrn_detector_element.detector_id": ("element.detector_id    DETECTOR", "element.detector_id    OTHER"),
    "_diffrn_scan.integration_time": (
        "_diffrn_scan.frames ",
        "_diffrn_scan.integration_time 0.0\n_diffrn_scan.frames ",
    ),
    "_diffrn_radiation.div_y_source": (_CRYSTAL, f"_diffrn_radiation.div_y_source 2.0\n{_CRYSTAL}"),
    "_diffrn_scan.frame_id_start": ("SCAN1 frame01 frame06", "SCAN1 frame03 frame06"),
}


def failed_methods(path: Path) -> list[tuple[Method, str]]:
    """The Validation methods that find fault with a file, with the item and row of the first fault."""
    dictionary = with_own_methods(load_bundled())
    program = Program(dictionary.methods)
    found = {}
    for block in api.read(path).blocks:
        tables = Tables(block, dictionary)
        world = World(TableStore(tables), dictionary, program)
        for verdict in verdicts(world, tables, VALIDATIONS):
            found.setdefault(verdict.method, f"{verdict.item.id} row {verdict.row} of {block.name}")
        assert not world.troubles, f"{path.name}: {world.troubles[0]}"
    return list(found.items())


def fired_rules(path: Path) -> set[str]:
    """The codes of all findings of a plain check."""
    report = api.check(path, options=CheckOptions(images="none"))
    return {finding.rule for finding in report.findings()}


def unexplained(path: Path) -> list[str]:
    """Methods that find fault where no rule of the same relation, or of the same cause, does."""
    failed = failed_methods(path)
    if not failed:
        return []
    fired = fired_rules(path)
    return [
        f"{' '.join(heading(method)[0])} {heading(method)[1]}: {place}"
        for method, place in failed
        if not fired & {kin for code in heading(method)[0] for kin in (code, *KIN.get(code, ()))}
    ]


def test_there_are_enough_and_each_names_rules_that_exist() -> None:
    assert len(VALIDATIONS) >= 15
    for method in VALIDATIONS:
        codes, statement = heading(method)
        assert codes and statement
        assert set(codes) <= set(load_rules())


def suite_files(codes: tuple[str, ...], kind: str) -> list[Path]:
    return sorted(path for code in codes for path in DATASETS.glob(f"*/{code}-*/{kind}-*.c*") if path.is_file())


@pytest.mark.parametrize("code", CODES)
def test_no_method_finds_fault_where_no_rule_does(code: str) -> None:
    for path in (*suite_files((code,), "pass"), *suite_files((code,), "fail")):
        assert not unexplained(path), path.name


def _unlooped(text: str) -> str:
    """The base with its only scan outside of a loop."""
    at = text.index("loop_\n  _diffrn_scan.id")
    end = text.index("loop_\n  _diffrn_scan_axis.scan_id")
    return text[:at] + "_diffrn_scan.id SCAN1\n_diffrn_scan.frames 6\n\n" + text[end:]


@pytest.mark.parametrize("method", VALIDATIONS, ids=lambda method: f"{heading(method)[0][0]} {method.id}")
def test_each_method_finds_a_fault_that_a_rule_finds(method: Method, tmp_path: Path) -> None:
    if method.id in FAULTS:
        text = BASE.read_text(encoding="utf-8")
        if "integration_time" in method.id:
            text = _unlooped(text)
        old, new = FAULTS[method.id]
        assert text.count(old) == 1
        path = tmp_path / "fault.cif"
        path.write_text(text.replace(old, new), encoding="utf-8")
        if any(found is method for found, _ in failed_methods(path)):
            assert not unexplained(path)
            return
    codes = heading(method)[0]
    for path in suite_files(codes, "fail"):
        if any(found is method for found, _ in failed_methods(path)):
            return
    pytest.fail(f"no failing case of {codes} is found")


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_methods_and_rules_agree_on_real_files(path: Path) -> None:
    assert not unexplained(path)


def value_of(text: str, item: str, row: int = 0) -> float:
    """What the methods give for an item of a file."""
    dictionary = with_own_methods(load_bundled())
    tables = Tables(api.read(text.encode()).blocks[0], dictionary)
    found = dictionary.lookup(item)
    assert found is not None
    return World(TableStore(tables), dictionary, Program(dictionary.methods)).value(found, row).value


def without(text: str, *lines: str) -> str:
    """A file without the lines that begin so."""
    return "".join(line for line in text.splitlines(True) if not line.strip().startswith(lines))


@pytest.mark.parametrize("base", ["single-panel", "two-theta-scans"])
def test_distance_and_beam_centre_are_those_of_the_model(base: str) -> None:
    (path,) = (DATASETS / "bases").glob(f"{base}.*")
    document = api.read(path)
    passport = geometry(document, load_bundled())["files"][0]["blocks"][0]["scans"][0]["panels"][0]
    text = path.read_text(encoding="utf-8")
    fast, slow = (value_of(text, f"_diffrn_data_frame.center_{name}") for name in ("fast", "slow"))
    assert_allclose([fast, slow], passport["beam_centre"]["mm"], atol=1e-6)
    if base == "single-panel":
        distance = value_of(text, "_diffrn_measurement.sample_detector_distance")
        assert_allclose(distance, passport["normal_distance"], atol=1e-6)


def test_values_that_a_file_leaves_out_are_those_of_its_other_values() -> None:
    text = BASE.read_text(encoding="utf-8")
    assert value_of(without(text, "_diffrn_detector.number_of_axes"), "_diffrn_detector.number_of_axes") == 1
    open_ = text.replace("10.0 3.0 0.5", "10.0 ? 0.5").replace("1 1 0.0001", "1 1 ?").replace("frame06 6", "frame06 ?")
    # 6 frames of 0.5 degrees; pixels of 0.1 mm.
    assert value_of(open_, "_diffrn_scan_axis.angle_range") == 3.0
    assert value_of(open_, "_diffrn_scan.frames") == 6
    assert_allclose(value_of(open_, "_array_element_size.size"), 1e-4)
    frames = "loop_ _diffrn_scan_frame_axis.frame_id _diffrn_scan_frame_axis.axis_id _diffrn_scan_frame_axis.angle\n"
    # The third frame starts two steps after the first.
    assert value_of(f"{text}\n{frames} frame03 omega ?\n", "_diffrn_scan_frame_axis.angle") == 11.0


@needs_dictionaries
def test_the_dictionary_of_methods_has_no_fault() -> None:
    problems = lint(OWN, [DICTIONARIES])
    assert [str(problem) for problem in problems if problem.severity != "info"] == []
