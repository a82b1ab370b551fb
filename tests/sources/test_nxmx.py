"""HDF5 masters: chains of transformations, stacks, plainer files, links that must not be followed."""

import json
from pathlib import Path

import numpy as np
import pytest
from experiments import nxmx
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

from imgcif_core.errors import InputError
from imgcif_core.sources.nxmx import read_master

h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return nxmx(tmp_path / "run_master.h5")


def test_the_detector_is_placed_along_its_chain(master: Path) -> None:
    (panel,) = read_master(master).scans[0].panels
    # In NeXus: (1, 1.2, 150) turned by 20 degrees about -X, then (x, y, z) -> (-x, y, -z).
    sine, cosine = np.sin(np.radians(-20.0)), np.cos(np.radians(-20.0))
    assert_allclose(panel.corner, [-1.0, cosine * 1.2 - sine * 150.0, -(sine * 1.2 + cosine * 150.0)], atol=1e-10)
    assert_allclose(panel.fast, [1.0, 0.0, 0.0], atol=1e-12)
    assert_allclose(panel.slow, [0.0, -cosine, sine], atol=1e-12)
    assert panel.size == (20, 24) and panel.pixel_size == (0.1, 0.1)
    assert panel.overload == 1000.0


def test_axes_and_settings_are_read_from_the_base_inwards(master: Path) -> None:
    experiment = read_master(master)
    assert [axis.id for axis in experiment.goniometer] == ["omega", "phi"]
    assert_allclose(experiment.goniometer[0].vector, [1.0, 0.0, 0.0], atol=1e-12)
    assert dict(experiment.scans[0].settings) == {"omega": (5.0, 0.25), "phi": (30.0, 0.0)}
    assert [axis.id for axis in experiment.mounting] == ["two_theta", "det_z"]
    assert dict(experiment.scans[0].detector_settings) == {"two_theta": 20.0, "det_z": 150.0}


def test_frames_are_found_in_the_linked_file(master: Path) -> None:
    images = read_master(master).scans[0].images
    assert images is not None
    assert (images.files, images.path, images.frame.tolist()) == (("run_000001.h5",), "/data", [1, 2, 3, 4, 5, 6])


def test_a_virtual_stack_leads_to_its_sources(master: Path) -> None:
    layout = h5py.VirtualLayout((4, 24, 20), np.uint16)
    source = h5py.VirtualSource("run_000001.h5", "/data", (6, 24, 20))
    layout[:] = source[2:6]
    with h5py.File(master, "a") as file:
        file["entry/data"].create_virtual_dataset("data", layout)
        del file["entry/data/data_000001"], file["entry/sample/transformations/omega"]
        file["entry/sample/transformations/omega"] = np.arange(4.0)
        file["entry/sample/transformations/omega"].attrs.update(
            {"transformation_type": "rotation", "vector": (-1.0, 0.0, 0.0), "units": "deg", "depends_on": "."}
        )
    images = read_master(master).scans[0].images
    assert images is not None
    assert images.frame.tolist() == [3, 4, 5, 6]


def test_a_missing_data_file_is_named(master: Path) -> None:
    master.with_name("run_000001.h5").unlink()
    experiment = read_master(master)
    assert experiment.scans[0].images is None
    assert any("run_000001.h5 is missing" in note for note in experiment.notes)
    assert experiment.scans[0].frames == 6


def test_links_out_of_the_folder_are_refused(master: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.h5"
    with h5py.File(outside, "w") as file:
        file["secret"] = 7
    with h5py.File(master, "a") as file:
        del file["entry/instrument/detector/saturation_value"]
        file["entry/instrument/detector/saturation_value"] = h5py.ExternalLink(str(outside), "/secret")
    experiment = read_master(master)
    assert experiment.scans[0].panels[0].overload is None
    assert any("outside the folder" in note for note in experiment.notes)


def test_links_in_a_ring_end(master: Path) -> None:
    with h5py.File(master, "a") as file:
        detector = file["entry/instrument/detector"]
        del detector["count_time"]
        detector["count_time"] = h5py.SoftLink("/entry/instrument/detector/other_time")
        detector["other_time"] = h5py.SoftLink("/entry/instrument/detector/count_time")
    assert read_master(master).scans[0].exposure_time is None


@pytest.mark.parametrize(
    ("path", "name", "value", "words"),
    [
        ("entry/instrument/detector/transformations/two_theta", "depends_on", "two_theta", "does not end"),
        ("entry/instrument/detector/transformations/two_theta", "depends_on", "nowhere", "nowhere, which is not"),
        ("entry/sample/transformations/phi", "vector", (0.0, 0.0, 0.0), "no vector"),
        ("entry/sample/transformations/phi", "units", "furlong", "has the unit 'furlong'"),
        ("entry/sample/transformations/phi", "transformation_type", "wobble", "no rotation or translation"),
    ],
)
def test_a_broken_chain_is_named(master: Path, path: str, name: str, value: object, words: str) -> None:
    with h5py.File(master, "a") as file:
        file[path].attrs[name] = value
    with pytest.raises(InputError, match=words):
        read_master(master)


def test_distance_and_centre_place_a_plain_detector(master: Path) -> None:
    with h5py.File(master, "a") as file:
        detector = file["entry/instrument/detector"]
        for name in ("module", "transformations", "depends_on"):
            del detector[name]
        detector["x_pixel_size"], detector["y_pixel_size"] = np.float32(1e-4), np.float32(1e-4)
        detector["detector_distance"], detector["beam_center_x"], detector["beam_center_y"] = 0.12, 10.5, 11.5
    (panel,) = read_master(master).scans[0].panels
    assert_allclose(panel.corner, [-1.05, 1.15, -120.0], atol=1e-12)
    assert panel.pixel_size == (0.1, 0.1)


@pytest.mark.parametrize("data", [b"", b"\x89HDF\r\n\x1a\n", b"no HDF5 at all"])
def test_what_is_no_hdf5_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(data)
    with pytest.raises(InputError, match="not readable as HDF5"):
        read_master(path)


def test_a_truncated_master_is_named(master: Path) -> None:
    master.write_bytes(master.read_bytes()[:3000])
    with pytest.raises(InputError):
        read_master(master)


MASTERS = ("FJ_P5P1/FJ_P5P1_1_master.h5", "_b4_1_master.h5")


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("name", MASTERS)
def test_real_masters_agree_with_dxtbx(name: str) -> None:
    truth = json.loads((CORPUS / "truth" / "hdf5" / f"{name.replace('/', '__')}.json").read_text())
    experiment = read_master(CORPUS / "hdf5" / name)
    expected = truth["detector"]["panels"][0]
    (panel,) = experiment.scans[0].panels
    assert_allclose(panel.corner, expected["origin_mm"], atol=1e-9)
    assert_allclose(panel.fast, expected["fast_axis"], atol=1e-12)
    assert_allclose(experiment.beam.wavelength, truth["beam"]["wavelength_A"], rtol=1e-12)
    rotations = [axis for axis in experiment.goniometer if axis.kind == "rotation"]
    for axis, vector in zip(rotations, reversed(truth["goniometer"]["axes"]), strict=True):
        assert_allclose(axis.vector, np.array(vector) / np.linalg.norm(vector), atol=1e-9)
