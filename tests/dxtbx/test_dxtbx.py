"""Every panel corner and the turn of the sample against dxtbx, on full CBF files of ours and of the corpus.

dxtbx runs in the Python of the distribution, where Debian's package puts it. It takes the position that
CBFlib gives for index (0, 0), the centre of the first pixel by the dictionary, for the corner of a panel;
of files with several elements it builds the panels from the axes alone and leaves `displacement` out, so
that their corners lie where the axes are. Its corners are compared with ours on that understanding.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from detector_texts import first_scan
from numpy.testing import assert_allclose
from shared import CORPUS

import imgcif_core
from imgcif_core.model.axes import build_axes
from imgcif_core.model.beam import build_beam
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.tables import Tables

sys.path.insert(0, str(Path(__file__).parent))

import full_cbf

pytestmark = pytest.mark.dxtbx
PYTHON = "/usr/bin/python3"
HERE = Path(__file__).parent
# Millimetres and components of unit matrices; positions reach 300 mm, vectors are printed with 6 digits
# and normalised by either side.
CLOSE = 1e-9
CORPUS_FILES = sorted((CORPUS / "cbf_full").glob("*")) if CORPUS.is_dir() else []
# These hold images without axes, or without what dxtbx needs of a full CBF.
UNREADABLE = {"cif2cbf_encp.cbf", "fit2d_data.cbf"}
# dxtbx takes the start of a scan that turns backwards with the sign reversed, but not its axis.
BACKWARDS = {"omega_scan.cbf"}


@pytest.fixture(scope="module")
def read_by_dxtbx(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Models by the name of a file: the corpus first, then the geometries of ours."""
    probe = [PYTHON, "-c", "import dxtbx.model.experiment_list"]
    if not Path(PYTHON).exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip(f"no dxtbx in {PYTHON}; Debian has it as python3-dials")
    folder = tmp_path_factory.mktemp("full_cbf")
    paths = {path.name: str(path) for path in own_files(folder)}
    for path in CORPUS_FILES:
        # dxtbx wants a number at the end of a name.
        link = folder / (path.name if re.search(r"\d\.", path.name) else f"{path.stem}_0001.cbf")
        link.symlink_to(path)
        paths[path.name] = str(link)
    command = [PYTHON, str(HERE / "dump_models.py"), *paths.values()]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    models = json.loads(result.stdout)
    return {name: {"path": path, **models[path]} for name, path in paths.items()}


def own_files(folder: Path) -> list[Path]:
    """The geometries of ours as files."""
    paths = []
    for instrument in full_cbf.INSTRUMENTS:
        paths.append(folder / f"{instrument.name}_0001.cbf")
        paths[-1].write_bytes(full_cbf.write(instrument))
    return paths


NAMES = [path.name for path in CORPUS_FILES if path.name not in UNREADABLE]
OWN = [f"{instrument.name}_0001.cbf" for instrument in full_cbf.INSTRUMENTS]
every_file = pytest.mark.parametrize("name", [*NAMES, *OWN])


def tables_of(models: dict) -> Tables:
    assert "error" not in models, models["error"]
    return Tables(imgcif_core.read(models["path"]).blocks[0], imgcif_core.load_dictionary())


def deviation(models: dict) -> float:
    """The largest distance between our corners and those of dxtbx over all panels, mm."""
    detector, scan = first_scan(tables_of(models))
    poses = detector.poses(scan)
    panels = models["panels"]
    assert len(poses) == len(panels)
    placed = list(zip(detector.flat, poses, strict=True))
    known = {name: (panel, pose) for panel, pose in placed for name in (panel.id, panel.array_id)}
    named = all(panel["name"] in known for panel in panels)
    worst = 0.0
    for index, panel in enumerate(panels):
        layout, pose = known[panel["name"]] if named else placed[index]
        assert list(pose.size) == panel["size"]
        assert_allclose(pose.pixel_size, panel["pixel_size"], atol=1e-9)
        spans = [
            np.array(panel[word]) * count * step
            for word, count, step in zip(("fast", "slow"), panel["size"], panel["pixel_size"], strict=True)
        ]
        first = np.array(panel["origin"])
        theirs = np.array([first, first + spans[0], first + spans[0] + spans[1], first + spans[1]])
        ours = pose.corners()[0] + 0.5 * (pose.fast_step[0] + pose.slow_step[0])
        if len(panels) > 1:
            shifts = [part.surface[0].displacement / part.surface[0].increment for part in (layout.fast, layout.slow)]
            ours = ours - shifts[0] * pose.fast_step[0] - shifts[1] * pose.slow_step[0]
        worst = max(worst, float(np.linalg.norm(theirs - ours, axis=1).max()))
    return worst


@every_file
def test_all_corners_of_all_panels_agree(read_by_dxtbx: dict, name: str) -> None:
    assert deviation(read_by_dxtbx[name]) < CLOSE


@every_file
def test_wavelength_and_source_agree(read_by_dxtbx: dict, name: str) -> None:
    models = read_by_dxtbx[name]
    tables = tables_of(models)
    beam = build_beam(tables, build_axes(tables))
    assert_allclose(beam.wavelength, models["wavelength"], rtol=1e-12)
    assert_allclose(beam.source, models["source"], atol=1e-12)


@every_file
def test_the_sample_is_turned_alike(read_by_dxtbx: dict, name: str) -> None:
    models = read_by_dxtbx[name]
    detector, scan = first_scan(tables_of(models))
    if models["goniometer"] is None or models["scan"] is None:
        assert not any(equipment == "goniometer" for equipment in detector.axes.equipment)
        return
    axes, goniometer = detector.axes, models["goniometer"]
    assert scan is not None
    for axis, vector, angle in zip(goniometer["names"], goniometer["axes"], goniometer["angles"], strict=True):
        row = axes.find(axis)
        assert_allclose(axes.vector[row], vector, atol=1e-9)
        assert_allclose(scan.setting(row, 0), angle, atol=1e-9)
    if name in BACKWARDS:
        return
    fixed, setting = (np.array(goniometer[word]).reshape(3, 3) for word in ("fixed", "setting"))
    turn = rotation_matrices(np.array(goniometer["axis"]), np.array([models["scan"]["oscillation"][0]]))[0]
    innermost = max((axes.find(axis) for axis in goniometer["names"]), key=lambda row: len(axes.chain(row)))
    ours = axes.placement(innermost, scan.at(0, axes.chain(innermost))).rotation[0]
    assert_allclose(setting @ turn @ fixed, ours, atol=1e-9)


@pytest.mark.parametrize("name", OWN)
def test_our_own_files_have_no_fault(read_by_dxtbx: dict, name: str) -> None:
    (report,) = imgcif_core.check(read_by_dxtbx[name]["path"]).files
    assert not [finding for finding in report.findings if finding.severity == "error"]


def test_the_largest_deviation_is_told(read_by_dxtbx: dict, capsys: pytest.CaptureFixture) -> None:
    read = {name: deviation(models) for name, models in read_by_dxtbx.items() if "error" not in models}
    refused = sorted(name for name, models in read_by_dxtbx.items() if "error" in models)
    assert set(refused) <= UNREADABLE
    panels = sum(len(read_by_dxtbx[name]["panels"]) for name in read)
    with capsys.disabled():
        worst = max(read, key=lambda name: read[name])
        sys.stdout.write(
            f"\n{panels} panels of {len(read)} files, largest deviation of a corner {read[worst]:.2g} mm in {worst};"
            f" not read by dxtbx: {', '.join(refused) or 'none'}\n"
        )
    assert max(read.values()) < CLOSE
