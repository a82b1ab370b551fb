"""dxtbx reads the full CBF form of created files, and finds the geometry of the source.

dxtbx takes the centre of the first pixel for the corner of a panel where it asks CBFlib, so that these
origins are compared with our centres. Where it walks along the axes itself, for several panels, it
does not look at the displacement of the first pixel: there its origins are our corners.
"""

from pathlib import Path

import numpy as np
import pytest
from dxtbx.models import read_models
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.create.builder import prepare
from imgcif_core.create.fullcbf import full_cbf, one_frame
from imgcif_core.create.knowledge import complete
from imgcif_core.create.mounting import moved, place
from imgcif_core.create.parts import split
from imgcif_core.sources.any import read_described

pytestmark = [pytest.mark.dxtbx, pytest.mark.corpus, needs_corpus]

SOURCES = [
    ("expt/4rotation-experiments.json", 0, 7),
    ("expt/6R17.expt", 0, 3),
    ("expt/6RLR-cbf.expt", 0, 100),
    ("expt/DNBA.expt", 0, 1),
    ("expt/DNBA.expt", 3, 0),
    ("expt/DNBA.expt", 5, 11),
    ("expt/SACLA-MPCCD-known_orientations.expt", 0, 0),
    ("expt/centroid_indexed.expt", 0, 2),
    ("expt/cspad-single-image.expt", 0, 0),
    ("expt/insulin_imported.expt", 0, 44),
    ("expt/lcys_11_integrated.expt", 0, 0),
    ("expt/multi_stills_combined.json", 0, 0),
    ("expt/phi_scan.expt", 0, 9),
    ("expt/rayonix_experiments_000.json", 0, 0),
    ("cbf_mini/dlsnxs2cbf_therm_0001.cbf.gz", 0, 0),
    ("smv/TIMEPIX_SU_512-stdgoni_0001.img", 0, 0),
    ("tiff/GSAS_AgBehenate_003.tif", 0, 0),
    ("hdf5/FJ_P5P1/FJ_P5P1_1_master.h5", 0, 3599),
]
LENGTH, DIRECTION, ANGLE = 1e-6, 1e-9, 1e-9


@pytest.mark.parametrize(("name", "scan", "frame"), SOURCES)
def test_dxtbx_finds_the_geometry_of_the_source(name: str, scan: int, frame: int, tmp_path: Path) -> None:
    described = complete(read_described(str(CORPUS / name)))
    if hasattr(described, "missing"):
        described = described.experiment()
    built = prepare(split(described)[0])
    source = np.random.default_rng(1)
    images = [
        source.integers(0, 60000, (panel.size[1], panel.size[0]), dtype=np.int32) for panel in built.layout.panels
    ]
    path = tmp_path / "created_0001.cbf"
    path.write_bytes(full_cbf(built, scan, frame, images))
    report = imgcif_core.check(path)
    assert report.conforming, [finding.message for finding in report.findings(imgcif_core.Severity.ERROR)]
    (found,) = read_models(path)
    single = one_frame(built, scan, frame)
    motion = place(single.mounting.axes, single.mounting.settings[0])
    panels = [moved(panel, motion) for panel in single.layout.panels]
    assert len(found["panels"]) == len(panels)
    walks = "Hierarchy" in found["format"]
    for own, read in zip(panels, found["panels"], strict=True):
        assert_allclose(read["origin"], own.corner if walks else own.origin, rtol=0, atol=LENGTH)
        assert_allclose(read["fast"], own.fast, rtol=0, atol=DIRECTION)
        assert_allclose(read["slow"], own.slow, rtol=0, atol=DIRECTION)
        assert tuple(read["size"]) == own.size
        assert_allclose(read["pixel_size"], own.pixel_size, rtol=1e-9)
    assert_allclose(found["wavelength"], single.experiment.beam.wavelength, rtol=1e-9)
    assert_allclose(found["source"], single.source, rtol=0, atol=DIRECTION)
    assert found["sums"] == [int(image.sum(dtype=np.int64)) for image in images]
    rotations = [axis for axis in single.goniometer if axis.kind == "rotation"]
    if len(rotations) == len(single.goniometer) and rotations:
        assert_allclose(found["axes"], [axis.vector for axis in reversed(rotations)], rtol=0, atol=DIRECTION)
    moving = single.scans[0].scanned_axis
    if moving is not None:
        assert_allclose(found["oscillation"], single.scans[0].settings[moving], rtol=0, atol=ANGLE)
