"""Real files: nothing crashes, every finding has its place, and the reports hold.

`python tests/test_corpus.py` prints the table of all of them.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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


# What real files have wrong in text, dictionary and relations, looked up in the dictionary one by one. Why it is
# true stands beside it: a file of ours with the same fault must be refused too.
JUDGED = {
    "REL001 _diffrn_data_frame.detector_element_id": "Link to _diffrn_detector_element.id, which names ELEMENT1 only",
    "REL003 _diffrn_data_frame.array_id": "the frames use array IMAGE, the list describes array 1 only",
    "REL003 _array_data.array_id": "the data are of array IMAGE, the list describes array 1 only",
    "DIC006 _array_structure.encoding_type": "State, and BINARY or n/a is none of the ten states",
    "DIC008 _diffrn_data_frame.binary_id": "Integer, but the ids are words such as ext1",
    "SYN001": "data names stand before the first data block",
    "SYN004 _array_intensities.array_id": "given in a loop and again by itself",
    "SYN004 _array_intensities.binary_id": "given in a loop and again by itself",
    "SYN004 _array_intensities.linearity": "given in a loop and again by itself",
    "REL001 _diffrn_scan_frame.frame_id": "Link to _diffrn_data_frame.id, which holds frame_1, not FRAME1",
    "REL001 _diffrn_scan_frame_axis.frame_id": "Link to _diffrn_data_frame.id, which holds frame_1, not FRAME1",
    "REL001 _diffrn_detector_axis.detector_id": "Link to _diffrn_detector.id, which holds 1 in that block",
    "REL001 _diffrn_detector_element.detector_id": "a pointer to _diffrn_detector.id by its text; that holds 1",
}
FAMILIES = ("SYN", "DIC", "REL")


@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_errors_on_real_files_were_looked_up_and_are_true(path: Path) -> None:
    errors = [entry for entry in imgcif_core.check(path).findings(Severity.ERROR) if entry.rule.startswith(FAMILIES)]
    unknown = [entry for entry in errors if not {entry.rule, f"{entry.rule} {entry.location.item}"} & JUDGED.keys()]
    assert [f"{entry.rule} {entry.location.item}: {entry.message}" for entry in unknown] == []


def table() -> Iterator[str]:
    """Errors, warnings and infos of each real file, and the rules of its errors."""
    yield f"{'file':44} {'profile':17} errors warnings infos  rules of the errors"
    for path in text_files():
        (entry,) = imgcif_core.check(path).files
        counts = [entry.count(severity) for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)]
        rules = " ".join(sorted({found.rule for found in entry.findings if found.severity is Severity.ERROR}))
        yield f"{path.name:44} {entry.profile:17} {counts[0]:6} {counts[1]:8} {counts[2]:5}  {rules}"


if __name__ == "__main__":
    print("\n".join(table()))
