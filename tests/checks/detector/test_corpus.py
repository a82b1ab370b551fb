"""What the rules about the detector say of real files, each looked up in the dictionary and the file."""

import pytest
from shared import needs_corpus, text_files

import imgcif_core
from imgcif_core import Severity

pytestmark = [pytest.mark.corpus, needs_corpus]

# Distance +287.22 along +Z, where the images of the same crystal were taken behind the sample.
UPSTREAM = {"DET010"}
# Offsets that are the beam centre of the header, or half the module, times the pixel; displacement 0.
CORNER = {"DET007"}
SERIOUS = {
    "b4_master_remote.cif": UPSTREAM,
    # Both pixel directions hang on one axis, each with an offset of its own, given in pixels.
    "cbf_metadata_oldrev.cif": UPSTREAM | {"DET004"},
    "DLS_I03_smargon_0001.cbf.gz": CORNER,
    "l-cyst_01_00001.cbf": CORNER,
    "l-cyst_01_00002.cbf": CORNER,
    "l-cyst_01_00003.cbf": CORNER,
    "l-cyst_04_00001.cbf": CORNER,
    # Precedence 1 stands on the slow axes of all 64 modules, so that the image is transposed.
    "fel_test1.cbf": {"DET012"},
    # Element sizes of 0.0 m.
    "fit2d_data.cbf": {"DET025"},
}


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_errors_and_warnings_on_real_files_are_the_true_ones(path) -> None:
    report = imgcif_core.check(path, options=imgcif_core.CheckOptions(select=("DET",)))
    found = {finding.rule for finding in report.findings(Severity.WARNING)}
    assert found == SERIOUS.get(path.name, set())
    (entry,) = report.files
    assert not entry.outcomes.crashed
