"""Every input of the corpus becomes an imgCIF that agrees with what other programs say of it."""

import numpy as np
import pytest
from create.truth import crystfel_corners, deviation, experiments_of, path_of, poses_of, truth_of
from shared import needs_corpus

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError

pytestmark = [needs_corpus, pytest.mark.corpus]

MICROMETRE, ANGLE = 1e-3, 1e-4
UPRIGHT = {"principal_axis": 3.0, "rotation_sense": "clockwise"}
FACING = {"first_pixel": "top left", "fast_direction": "horizontal"}

EXPERIMENT_LISTS = [
    "4rotation-experiments.json",
    "6R17.expt",
    "6RLR-cbf.expt",
    "DNBA.expt",
    "SACLA-MPCCD-known_orientations.expt",
    "aluminium_imported.expt",
    "centroid_experiments.json",
    "centroid_indexed.expt",
    "cspad-single-image.expt",
    "i04_weak_experiments_import.json",
    "i24_lyso_still-imported.json",
    "insulin_imported.expt",
    "lcys_11_integrated.expt",
    "lcys_imported.expt",
    "multi_stills_combined.json",
    "narrow_sweep_002_experiments.json",
    "phi_scan.expt",
    "rayonix_experiments_000.json",
    "ssx_CuNiR_imported_no_ref_5.expt",
]
IMAGES = [
    "cbf_mini/dlsnxs2cbf_therm_0001.cbf.gz",
    "cbf_mini/thau_3_2_0017.cbf.bz2",
    "cbf_mini/thau_3_2_0018.cbf.bz2",
    "cbf_mini/thau_3_2_0019.cbf.bz2",
    "hdf5/FJ_P5P1/FJ_P5P1_1_master.h5",
    "hdf5/_b4_1_master.h5",
    "smv/TIMEPIX_SU_512-stdgoni_0001.img",
    "tiff/GSAS_AgBehenate_003.tif",
]
# dxtbx takes the centre of the first pixel of a full CBF for its corner: the centres are compared.
FULL_CBF = [
    "DLS_I03_smargon_0001.cbf.gz",
    "fel_test1.cbf",
    "idx-20130301060858401.cbf",
    "l-cyst_01_00001.cbf",
    "l-cyst_01_00002.cbf",
    "l-cyst_01_00003.cbf",
    "l-cyst_04_00001.cbf",
    "omega_scan.cbf",
    "phi_scan_001.cbf",
]
# The reader of the truth does not reverse the axis of a negative increment, but negates the start.
NEGATED_START = "omega_scan.cbf"
GEOMETRIES = {
    "Eiger16M-binning2-nativefiles.geom": (None, []),
    "cspad-cxiformat.geom": (580.0, ["distance"]),
    "jf4m.geom": (None, []),
    "lcls-dec.geom": (None, []),
    "om_jungfrau4M.geom": (100.0, ["distance"]),
    "om_rayonix.geom": (None, []),
    "pilatus.geom": (150.0, ["distance"]),
    "simple.geom": (None, []),
}


@pytest.mark.parametrize("name", EXPERIMENT_LISTS)
def test_experiment_lists_ask_nothing_and_keep_their_geometry(name: str) -> None:
    made = create(path_of(f"expt/{name}"))
    assert made.is_sound and not made.needed
    found = deviation(made.text, list(poses_of(truth_of(f"expt/{name}"))))
    assert found.corners < MICROMETRE and found.axes < ANGLE and found.settings < ANGLE and found.wavelength < 1e-9


@pytest.mark.parametrize("name", IMAGES)
def test_images_and_masters_ask_nothing_and_keep_their_geometry(name: str) -> None:
    made = create(path_of(name))
    assert made.is_sound and not made.needed
    found = deviation(made.text, list(poses_of(truth_of(name))))
    assert found.corners < MICROMETRE and found.axes < ANGLE and found.settings < ANGLE and found.wavelength < 1e-9


@pytest.mark.parametrize("name", FULL_CBF)
def test_full_cbf_ask_nothing_and_keep_their_geometry(name: str) -> None:
    made = create(path_of(f"cbf_full/{name}"))
    assert made.is_sound and not made.needed
    found = deviation(made.text, list(poses_of(truth_of(f"cbf_full/{name}"))), centres=True)
    assert found.corners < MICROMETRE and found.axes < ANGLE and found.wavelength < 1e-9
    assert found.settings < ANGLE or name == NEGATED_START


@pytest.mark.parametrize("name", GEOMETRIES)
def test_crystfel_geometries_ask_for_a_distance_at_most(name: str) -> None:
    distance, asked = GEOMETRIES[name]
    first = create(path_of(f"xfel/{name}"))
    assert [entry.key for entry in first.needed] == asked
    answers = {} if distance is None else {"distance": distance}
    made = create(path_of(f"xfel/{name}"), wishes=Wishes(answers=answers))
    assert made.is_sound
    (part,) = experiments_of(made.text)
    own = np.array([panel.corners() for panel in part.scans[0].panels])
    expected = crystfel_corners(truth_of(f"xfel/{name}"), distance)
    # Directions in the files have six decimals: their lengths differ from 1 by as much, which the truth keeps.
    assert np.linalg.norm(own - expected, axis=-1).max() < MICROMETRE


def test_master_without_its_only_data_file_links_it_by_its_own_count() -> None:
    made = create(path_of("hdf5/dectris_eiger_master.h5"), wishes=Wishes(answers=UPRIGHT))
    assert made.is_sound
    # The master says nimages 1, ntrigger 1, and links dectris_eiger_data_000001.h5, which is not here.
    (scan,) = made.built[0].scans
    assert scan.frames == 1 and scan.images is not None
    assert scan.images.files == ("dectris_eiger_data_000001.h5",) and scan.images.path == "/entry/data/data"


def test_plain_nexus_is_placed_by_its_raw_values() -> None:
    # Raw values: beam at (17.1914, -0.9718) mm, distance 540.8 mm, pixels of 0.172 mm, wavelength 0.5904 A.
    # Nothing in it speaks of a goniometer, so that it is asked how far the sample turned.
    assert "increment" in [entry.key for entry in create(path_of("hdf5/APS_NXsas_example.hdf5")).needed]
    made = create(path_of("hdf5/APS_NXsas_example.hdf5"), wishes=Wishes(answers={"increment": 0.0}))
    assert made.is_sound and not made.needed
    (part,) = experiments_of(made.text)
    panel = part.scans[0].panels[0]
    np.testing.assert_allclose(panel.corner, [-17.1914, -0.9718, -540.8], rtol=0, atol=1e-9)
    assert panel.size == (487, 195) and part.scans[0].frames == 10
    assert part.beam.wavelength == 0.5904022421801379


@pytest.mark.peers
def test_lpd_geometry_asks_for_quadrants_and_distance() -> None:
    extra_geom = pytest.importorskip("extra_geom")
    path = path_of("xfel/lpd_mar_18.h5")
    first = create(path)
    assert [entry.key for entry in first.needed] == ["quadrants", "distance"]
    quadrants = ((11.4, 299.0), (-11.5, 8.0), (254.5, -16.0), (278.5, 275.0))
    made = create(path, wishes=Wishes(answers={"quadrants": quadrants, "distance": 5500.0}))
    assert made.is_sound
    (part,) = experiments_of(made.text)
    panels = part.scans[0].panels
    geometry = extra_geom.LPD_1MGeometry.from_h5_file_and_quad_positions(str(path), list(quadrants))
    # The package's own centres of pixels in metres, x and z reversed; X along the fast direction of the
    # first tile, which is the package's +x: a turn by 180 degrees about the beam.
    centres = geometry.get_pixel_positions()[:, 0, 0] * 1e3 * [1.0, -1.0, -1.0] - [0.0, 0.0, 5500.0]
    stored = [panel for panel in panels if panel.name.endswith("t7") or panel.name.endswith("t8")]
    assert len(panels) == 256 and len(stored) == 32
    own = np.array([panel.origin for panel in panels])
    for centre in centres:
        assert np.linalg.norm(own - centre, axis=1).min() < MICROMETRE


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("tiff/GI2_A9_19_001_0000.tiff", 7),
        ("tiff/oPPA_5grains_0001.tif.bz2", 10),
        ("tiff/test_XRD285_3frames.tiff", 10),
        ("hdf5/dectris_eiger_master.h5", 2),
    ],
)
def test_headers_that_tell_little_lead_to_questions_and_no_text(name: str, needed: int) -> None:
    made = create(path_of(name))
    assert len(made.needed) == needed
    assert made.text == ""


def test_three_pages_of_a_tiff_become_three_frames() -> None:
    answers = {
        "pixel_size": (0.055, 0.055),
        "distance": 500.0,
        "beam_centre": (1024.0, 1024.0),
        "wavelength": 0.0251,
        "increment": 0.25,
        "start": -30.0,
        "probe": "electron",
        **UPRIGHT,
        **FACING,
    }
    made = create(path_of("tiff/test_XRD285_3frames.tiff"), wishes=Wishes(answers=answers))
    assert made.is_sound
    (part,) = experiments_of(made.text)
    assert part.scans[0].frames == 3
    # The corner is 1024 pixels of 0.055 mm to the left of the beam and above it.
    np.testing.assert_allclose(part.scans[0].panels[0].corner, [-56.32, 56.32, -500.0], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cbf_full/cif2cbf_encp.cbf", "no data block with axes"),
        ("cbf_full/fit2d_data.cbf", "no data block with axes"),
        ("hdf5/00001.h5", "nothing describes an experiment"),
        ("hdf5/panda.h5", "nothing describes an experiment"),
        ("hdf5/_b4_three_frames.h5", "nothing describes an experiment"),
        ("hdf5/FJ_P5P1/FJ_P5P1_1_000001.h5", "nothing describes an experiment"),
        ("hdf5/eiger1_testmode10_2datafiles_4images_bslz4_data_000001.h5", "nothing describes the detector"),
    ],
)
def test_files_without_a_description_are_refused_by_name(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"{path_of(name).name}: .*{reason}"):
        create(path_of(name))


def test_scans_of_one_series_are_joined() -> None:
    made = create([path_of(f"cbf_full/l-cyst_01_0000{number}.cbf") for number in (1, 2, 3)])
    assert made.is_sound
    (part,) = experiments_of(made.text)
    assert [scan.frames for scan in part.scans] == [3]


def test_images_of_two_sweeps_become_two_scans_with_two_theta() -> None:
    made = create([path_of("cbf_full/l-cyst_01_00001.cbf"), path_of("cbf_full/l-cyst_04_00001.cbf")])
    assert made.is_sound
    (part,) = experiments_of(made.text)
    assert len(part.scans) == 2
