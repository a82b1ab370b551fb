"""Text headers of images in other files, against the tables."""

from pathlib import Path

import pytest

import imgcif_core
from imgcif_core import CheckOptions

DATASETS = Path(__file__).parent.parent.parent / "conformance" / "datasets"
CASE = DATASETS / "con" / "CON010-text-header-and-tables"


def keys(path: Path, local: Path, images: str) -> list[str]:
    options = CheckOptions(select=("CON010",), local=local, images=images)
    (report,) = imgcif_core.check(path, options=options).files
    assert report.outcomes.crashed == ()
    for finding in report.findings:
        assert finding.data["file"] == "quartz_00001.cbf"
        assert finding.location.key["id"] == "frame1"
    return [finding.data["key"] for finding in report.findings]


def linked(folder: Path) -> Path:
    """The tables of an embedded frame with a link in place of the image."""
    text = (DATASETS / "bases" / "embedded-frame.cbf").read_text()
    text = text.replace("###CBF: VERSION 1.5", "#\\#CIF_2.0").replace(
        "_array_data.data\n", "_array_data.external_data_id\n"
    )
    text += "  1 1 E1\n_array_data_external_data.id E1\n_array_data_external_data.format CBF\n"
    text += "_array_data_external_data.uri https://example.org/quartz_00001.cbf\n"
    path = folder / "quartz.cif"
    path.write_text(text)
    return path


@pytest.mark.parametrize("images", ["header", "sample"])
@pytest.mark.parametrize(
    ("case", "expected"),
    [("pass-same", []), ("fail-distance", ["Detector_distance"]), ("fail-sign", ["Angle_increment"])],
)
def test_the_header_of_a_file_is_compared(tmp_path: Path, images: str, case: str, expected: list[str]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "quartz_00001.cbf").write_bytes((CASE / f"{case}.cbf").read_bytes())
    assert keys(linked(tmp_path), tmp_path / "images", images) == expected


def test_no_file_is_opened_if_none_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "quartz_00001.cbf").write_bytes((CASE / "fail-distance.cbf").read_bytes())
    assert keys(linked(tmp_path), tmp_path, "none") == []


def test_what_a_text_header_alone_states_is_not_called_missing() -> None:
    ready = imgcif_core.check(CASE / "pass-mini.cbf").files[0].readiness
    assert ready.interpret.because == ("only a text header, no axes (MTA022)",)
    told = " ".join(ready.describe.because)
    assert "exposure time" not in told and "detector make" not in told and "kind of radiation" in told
