"""Text headers of miniCBF."""

import bz2
import gzip
import json
from pathlib import Path

import pytest
from experiments import HEADER
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

from imgcif_core.errors import InputError
from imgcif_core.sources.minicbf import header_text, parse_header, read_minicbf


def test_the_header_places_the_detector_from_the_corner(tmp_path: Path) -> None:
    path = tmp_path / "run_00001.cbf"
    path.write_text(HEADER)
    experiment = read_minicbf(path)
    (scan,) = experiment.scans
    (panel,) = scan.panels
    # 100.5 pixels of 0.1 mm, 120.25 of 0.172 mm.
    assert_allclose(panel.corner, [-10.05, 20.683, -200.0], atol=1e-12)
    assert panel.size == (200, 240)
    assert (panel.material, panel.thickness, panel.overload) == ("CdTe", 0.75, 65535.0)
    assert dict(scan.settings) == {"phi": (10.0, 0.5)}
    assert (scan.exposure_time, scan.period, scan.wavelength) == (0.199, 0.2, 0.95)
    assert scan.start_date == "2026-03-01T10:00:00.250"


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_packed_files_are_read(tmp_path: Path, suffix: str, pack) -> None:
    path = tmp_path / f"run_00001.cbf{suffix}"
    path.write_bytes(pack(HEADER.encode()))
    assert read_minicbf(path).scans[0].wavelength == 0.95


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# Beam_xy (10.5, 20.5) pixels", (10.5, 20.5)),
        ("# Beam_xy (10.5 20.5)", (10.5, 20.5)),
        ("# Beam_xy = 10.5, 20.5 pixels", (10.5, 20.5)),
        ("# Beam_xy (1.05, 2.05) mm", (10.5, 20.5)),
        ("# Beam_x 10.5 pixels\n# Beam_y 20.5 pixels", (10.5, 20.5)),
        ("# Beam_xy somewhere", None),
    ],
)
def test_forms_of_the_beam_centre(line: str, expected: tuple[float, float] | None) -> None:
    header = parse_header(f"# Pixel_size 100e-6 m x 100e-6 m\n{line}\n")
    assert header.beam_xy == (pytest.approx(expected) if expected else None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("0.2 m", 200.0), ("200 mm", 200.0), ("0.20000", 200.0), ("20 cm", 200.0), ("far", None)],
)
def test_forms_of_the_distance(line: str, expected: float | None) -> None:
    assert parse_header(f"# Detector_distance {line}").distance == expected


def test_a_header_without_distance_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.cbf"
    path.write_text(HEADER.replace("Detector_distance", "Distance"))
    with pytest.raises(InputError, match="does not give distance"):
        read_minicbf(path)


def test_a_file_without_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.cbf"
    path.write_text("###CBF: VERSION 1.5\ndata_x\n")
    with pytest.raises(InputError, match="no miniCBF"):
        read_minicbf(path)


def test_a_header_that_was_cut_off_gives_what_is_left() -> None:
    text = header_text(HEADER.partition("# Wavelength")[0].encode())
    assert text is not None and parse_header(text).pixel_size == (0.1, 0.172)


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "cbf_mini").glob("*")), ids=lambda path: path.name)
def test_real_headers_agree_with_dxtbx(path: Path) -> None:
    truth = json.loads((CORPUS / "truth" / "cbf_mini" / f"{path.name}.json").read_text())
    expected = truth["detector"]["panels"][0]
    (scan,) = read_minicbf(path).scans
    assert_allclose(scan.panels[0].corner, expected["origin_mm"], atol=1e-9)
    assert scan.panels[0].size == tuple(expected["image_size_fast_slow"])
    start, width = truth["scan"]["oscillation_start_width_deg"]
    assert_allclose(next(iter(scan.settings.values())), (start, width), atol=1e-9)
