"""Real files: nothing crashes, every finding has its place, and the reports hold."""

import json
from pathlib import Path

import pytest
from shared import needs_corpus, text_files

import imgcif_core
from imgcif_core import Severity

pytestmark = [pytest.mark.corpus, needs_corpus]


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_a_real_file_is_judged_to_the_end(path: Path) -> None:
    report = imgcif_core.check(path)
    (entry,) = report.files
    assert entry.outcomes.crashed == ()
    for finding in entry.findings:
        assert finding.location.span is not None, finding.rule
        assert finding.help or finding.severity is Severity.INFO, finding.rule
    json.loads(imgcif_core.render(report, "json"))


# What these files have wrong was looked up in the dictionary, item by item.
TRUE_ERRORS = {
    "zip_test.imgcif": {"REL001", "REL003", "SCN001"},
    "X285_tiff_test.cif": {"REL001", "REL003", "SCN001"},
    "refgen_6RLR_I04_tbz.cif": {"REL001", "REL003"},
    "refgen_P5P1_hdf5_zip.cif": {"REL001", "REL003"},
    "b4_master.cif": {"DIC006"},
    "all_scans.cif": set(),
    "l-cyst_01_00001.cbf": set(),
    "idx-20130301060858401.cbf": set(),
    "thau_3_2_0017.cbf.bz2": set(),
}


@pytest.mark.parametrize(
    "path", [path for path in text_files() if path.name in TRUE_ERRORS], ids=lambda path: path.name
)
def test_errors_on_real_files_are_the_true_ones(path: Path) -> None:
    report = imgcif_core.check(path)
    assert {finding.rule for finding in report.findings(Severity.ERROR)} == TRUE_ERRORS[path.name]
