"""Every real image is read to the end, or the reason why not is told; every finding was judged."""

from pathlib import Path

import pytest
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core import CheckOptions

pytest.importorskip("fabio")
pytest.importorskip("h5py")
pytestmark = [pytest.mark.corpus, needs_corpus]

HEAD = """#\\#CIF_1.1
data_image
loop_
  _array_structure_list.array_id
  _array_structure_list.index
  _array_structure_list.dimension
  _array_structure_list.precedence
  1 1 {fast} 1
  1 2 {slow} 2
loop_
  _array_data.array_id
  _array_data.binary_id
  _array_data.external_data_id
"""
LINKS = """loop_
  _array_data_external_data.id
  _array_data_external_data.format
  _array_data_external_data.uri
  _array_data_external_data.path
  _array_data_external_data.frame
"""
# Format, dimensions (fast, slow), dataset, frames; what is found beyond the links themselves.
FILES = {
    "hdf5/APS_NXsas_example.hdf5": ("HDF5", (487, 195), "/entry/data/blank", 1, set()),
    "hdf5/_b4_three_frames.h5": ("HDF5", (101, 202), "/data", 3, set()),
    "hdf5/eiger1_testmode10_2datafiles_4images_bslz4_data_000001.h5": (
        "HDF5",
        (1030, 1065),
        "/entry/data/data",
        2,
        # Masked pixels hold the largest value of the type, and nothing declares it.
        {"IMG005"},
    ),
    "hdf5/FJ_P5P1/FJ_P5P1_1_meta.h5": ("HDF5", (4148, 4362), "/mask", 1, {"IMG013"}),
    "smv/TIMEPIX_SU_512-stdgoni_0001.img": ("SMV", (512, 512), ".", 1, set()),
    "tiff/GI2_A9_19_001_0000.tiff": ("TIFF", (487, 195), ".", 1, set()),
    "tiff/GSAS_AgBehenate_003.tif": ("TIFF", (1024, 1024), ".", 1, set()),
    "tiff/test_XRD285_3frames.tiff": ("TIFF", (2048, 2048), ".", 3, {"IMG005"}),
    "tiff/oPPA_5grains_0001.tif.bz2": ("TIFF", (2048, 2048), ".", 1, set()),
    "other/somedata_0001.mccd.bz2": ("MAR", (1024, 1024), ".", 1, set()),
    "other/Cr8F8140k103.0026.bz2": ("Bruker", (512, 512), ".", 1, set()),
    "other/b191_1_9_1.img.bz2": ("SMV", (512, 512), ".", 1, set()),
}
# Data that a master or stub leads to and that are not there, or that nothing installed reads.
REFUSED = {
    "hdf5/_b4_1_master.h5": ("/entry/data/data_000001", "link to _b4_1_000001.h5, which is not there"),
    "hdf5/dectris_eiger_master.h5": ("/entry/data/data_000001", "link to dectris_eiger_data_000001.h5"),
    "hdf5/xrc_209_master.h5": ("/entry/data/data", "link to xrc_209_000001.h5, which is not there"),
    "hdf5/panda.h5": ("/PCAP.SAMPLES.Value", "/PCAP.SAMPLES.Value of"),
    "other/Gatan_float32_zero_array_001.dm4.gz": (".", "is no image of a known format"),
}
CBF = {
    "cbf_full/DLS_I03_smargon_0001.cbf.gz": {"IMG006"},
    "cbf_full/cif2cbf_encp.cbf": set(),
    "cbf_full/fel_test1.cbf": set(),
    "cbf_full/fit2d_data.cbf": set(),
    "cbf_full/idx-20130301060858401.cbf": set(),
    "cbf_full/l-cyst_01_00001.cbf": {"IMG006"},
    "cbf_full/l-cyst_04_00001.cbf": {"IMG006"},
    # Simulated frames: pixels of -2 beside the undefined value -1, as the detector marks them.
    "cbf_full/omega_scan.cbf": {"IMG006"},
    "cbf_full/phi_scan_001.cbf": {"IMG006"},
    "cbf_mini/dlsnxs2cbf_therm_0001.cbf.gz": set(),
    "cbf_mini/thau_3_2_0017.cbf.bz2": set(),
}


def judged(source: Path | bytes, folder: Path | None = None) -> tuple[imgcif_core.FileReport, set[str]]:
    """The report, and the rules about binaries and images with an error or a warning."""
    options = CheckOptions(images="all", select=("BIN", "IMG", "EXT012", "EXT013"), local=folder)
    (report,) = imgcif_core.check(source, options=options).files
    assert report.outcomes.crashed == ()
    return report, {finding.rule for finding in report.findings if finding.severity != "info"}


def described(folder: Path, name: str, kind: str, size: tuple[int, int], path: str, frames: int) -> Path:
    """An imgCIF that leads to the frames of one file."""
    numbers = range(1, frames + 1)
    data = "".join(f"  1 {number} E{number}\n" for number in numbers)
    links = "".join(f"  E{number} {kind} https://example.org/{name} {path} {number}\n" for number in numbers)
    target = folder / "links.cif"
    target.write_text(HEAD.format(fast=size[0], slow=size[1]) + data + LINKS + links)
    return target


@pytest.mark.parametrize("name", FILES)
def test_images_of_a_real_file_are_read(tmp_path: Path, name: str) -> None:
    kind, size, path, frames, expected = FILES[name]
    place = CORPUS / name
    report, rules = judged(described(tmp_path, place.name, kind, size, path, frames), place.parent)
    assert rules == expected
    not_read = [entry.reason for entry in report.outcomes.not_checked if "not read" in entry.reason]
    assert not_read == []
    assert "IMG013" in {*report.outcomes.clean, *expected}


@pytest.mark.parametrize("name", REFUSED)
def test_the_reason_is_told_where_there_is_no_image(tmp_path: Path, name: str) -> None:
    path, reason = REFUSED[name]
    place = CORPUS / name
    kind = "HDF5" if path != "." else "SMV"
    report, _ = judged(described(tmp_path, place.name, kind, (100, 100), path, 1), place.parent)
    told = [entry.reason for entry in report.outcomes.not_checked] + [finding.message for finding in report.findings]
    assert any(reason in text for text in told), told


@pytest.mark.parametrize("name", CBF)
def test_images_of_a_real_cbf_are_judged(name: str) -> None:
    _, rules = judged(CORPUS / name)
    assert rules == CBF[name]


def test_members_of_a_real_archive_are_judged() -> None:
    report, rules = judged(CORPUS / "imgcif" / "b4_master_archive.cif", CORPUS / "archive")
    assert rules == set()
    assert {"IMG001", "IMG008", "IMG012", "IMG013"} <= set(report.outcomes.clean)
