"""The order of dimensions against the header of an image beside the file."""

from pathlib import Path

import pytest
from shared import ROOT

import imgcif_core

BASE = ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif"
REMOTE = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2 TBZ quartz_01/quartz_0000{}.cbf"
CBF = "###CBF\n;\n--CIF-BINARY-FORMAT-SECTION--\n" + "".join(
    f"X-Binary-Size-{word}-Dimension: {{}}\n" for word in ("Fastest", "Second")
)
SMV = "{{\nHEADER_BYTES=512;\nSIZE1={};\nSIZE2={};\n}}\n"


def outcome(folder: Path, head: str | None, images: str = "header") -> tuple[list[str], dict[str, str]]:
    """Messages of DET020, and why rules were not checked."""
    text = BASE.read_text(encoding="utf-8")
    for number in range(1, 7):
        text = text.replace(REMOTE.format(number), f"image_{number}.cbf . .")
    (folder / "described.cif").write_text(text, encoding="utf-8")
    if head is not None:
        (folder / "image_1.cbf").write_text(head)
    options = imgcif_core.CheckOptions(select=("DET020",), images=images)
    (report,) = imgcif_core.check(folder / "described.cif", options=options).files
    assert not report.outcomes.crashed
    return [finding.message for finding in report.findings], {
        entry.rule: entry.reason for entry in report.outcomes.not_checked
    }


@pytest.mark.parametrize("head", [CBF, SMV], ids=["cbf", "smv"])
def test_exchanged_dimensions_are_told(tmp_path: Path, head: str) -> None:
    (message,), _ = outcome(tmp_path, head.format(1900, 1600))
    assert "has 1600 x 1900 pixels" in message and "says 1900 x 1600" in message and "image_1.cbf" in message


@pytest.mark.parametrize("head", [CBF, SMV], ids=["cbf", "smv"])
def test_the_same_dimensions_are_right(tmp_path: Path, head: str) -> None:
    messages, reasons = outcome(tmp_path, head.format(1600, 1900))
    assert not messages and "DET020" not in reasons


def test_other_files_tell_nothing(tmp_path: Path) -> None:
    assert outcome(tmp_path, "no header at all")[0] == []


def test_absent_images_are_not_checked(tmp_path: Path) -> None:
    messages, reasons = outcome(tmp_path, None)
    assert not messages and "image_1.cbf" in reasons["DET020"]


def test_no_image_is_opened_unasked(tmp_path: Path) -> None:
    messages, reasons = outcome(tmp_path, CBF.format(1900, 1600), images="none")
    assert not messages and reasons["DET020"] == "images are not read"
