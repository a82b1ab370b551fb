"""DIALS works from our files: dxtbx loads what is exported, and reads an imgCIF through our format class."""

import json
import os
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export.exports import corners_of, exported, plan_of
from export.test_pages import commands, our_command, run
from numpy.testing import assert_allclose
from shared import CORPUS, EXAMPLE, ROOT, needs_corpus, text_files

from imgcif_core.cli import main
from imgcif_core.errors import InputError
from imgcif_core.sources.dxtbx import find_python

pytestmark = pytest.mark.dxtbx

BASES = ROOT / "conformance" / "datasets" / "bases"
_LISTS = """
import json, sys
from dxtbx.model.experiment_list import ExperimentListFactory
found = {}
for name in sys.argv[1:]:
    found[name] = []
    for e in ExperimentListFactory.from_json_file(name, check_format=False):
        gonio, scan = e.goniometer, e.scan
        found[name].append({
            "panels": [[p.get_origin(), p.get_fast_axis(), p.get_slow_axis(), p.get_image_size(), p.get_pixel_size(),
                        p.get_raw_image_offset()] for p in e.detector],
            "wavelength": e.beam.get_wavelength(),
            "source": e.beam.get_sample_to_source_direction(),
            "axes": [list(a) for a in gonio.get_axes()] if gonio else [],
            "angles": list(gonio.get_angles()) if gonio else [],
            "rotation": gonio.get_rotation_axis() if gonio else None,
            "fixed": gonio.get_fixed_rotation() if gonio else None,
            "scan": [scan.get_image_range(), scan.get_oscillation()] if scan else None,
        })
sys.stdout.write("=====" + json.dumps(found))
"""
_SPOTS = """
import json, sys
from dials.array_family import flex
tables = [flex.reflection_table.from_file(name) for name in sys.argv[1:]]
found = [[list(p) for p in t["xyzobs.px.value"]] if len(t) else [] for t in tables]
sys.stdout.write("=====" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which dxtbx finds the package and its entry point, as an installation gives them."""
    if find_python() is None:
        pytest.skip("no Python with dxtbx")
    folder = tmp_path_factory.mktemp("installed")
    facts = folder / "imgcif_core-0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: imgcif_core\nVersion: 0\n")
    announced = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["dxtbx.format"]
    lines = [f"{name} = {place}" for name, place in announced.items()]
    (facts / "entry_points.txt").write_text("\n".join(["[dxtbx.format]", *lines, ""]))
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def script(text: str, names: list[str], environment: dict[str, str]) -> Any:
    """What a script for the Python that has dxtbx answers."""
    python = find_python()
    # Not in the folder of the project: what a build leaves there announces the package without what it needs.
    folder = environment["PYTHONPATH"].partition(os.pathsep)[0]
    words = [str(python), "-c", text, *names]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.rpartition("=====")[2])


def dials(command: str, *arguments: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a program of DIALS; skips where it is not installed."""
    program = shutil.which(f"dials.{command}")
    if program is None:
        pytest.skip(f"dials.{command} is not installed")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, cwd=folder, env=environment, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout


def spots_of(source: list[str], name: str, folder: Path, environment: dict[str, str]) -> str:
    """The file of spots that DIALS finds in images, or in what an imgCIF leads to."""
    dials("import", *source, f"output.experiments={name}.expt", folder=folder, environment=environment)
    options = [f"output.reflections={name}.refl", "nproc=1"]
    dials("find_spots", f"{name}.expt", *options, folder=folder, environment=environment)
    return str(folder / f"{name}.refl")


def test_dxtbx_loads_every_experiment_list(tmp_path: Path, environment: dict[str, str]) -> None:
    plans, names = {}, []
    for path in [EXAMPLE, *sorted(BASES.glob("*.c*")), *text_files()]:
        folder = tmp_path / path.name
        folder.mkdir()
        try:
            plans[path.name] = plan_of(path)
            names += map(str, exported(path, "expt", folder))
        except InputError:
            continue
    found = script(_LISTS, names, environment)
    assert len(found) >= 15
    for name, entries in found.items():
        plan = plans[Path(name).parent.name]
        assert len(entries) == len(plan.sweeps)
        for entry, sweep in zip(entries, plan.sweeps, strict=True):
            origins = np.array([panel[0] for panel in entry["panels"]])
            assert_allclose(origins, corners_of(sweep)[:, 0], atol=1e-6)
            for panel, own in zip(entry["panels"], sweep.panels, strict=True):
                assert_allclose(panel[1], own.fast, atol=1e-8)
                assert_allclose(panel[2], own.slow, atol=1e-8)
                assert tuple(panel[3]) == own.size and tuple(panel[5]) == own.raw_offset
                assert_allclose(panel[4], own.pixel_size, atol=1e-9)
            assert_allclose(entry["wavelength"], sweep.wavelength, rtol=1e-10)
            assert_allclose(entry["source"], plan.sweeps[0].source, atol=1e-9)
            if sweep.circles:
                assert_allclose(entry["axes"][::-1], [circle.vector for circle in sweep.forwards], atol=1e-8)
                turning = (sweep.turning or sweep.circles[-1]).forwards
                assert_allclose(entry["scan"][1], [turning.start, turning.step], atol=1e-6)


def test_dxtbx_reads_a_master_with_copied_images(tmp_path: Path, environment: dict[str, str]) -> None:
    source = BASES.parent / "bin" / "BIN018-digest-missing" / "pass-whole.cbf"
    (master,) = exported(source, "nxmx", tmp_path, copy_images=True, sensor=("Si", 0.32))
    (sweep,) = plan_of(source).sweeps
    probe = (
        "import sys, json, dxtbx\ni = dxtbx.load(sys.argv[1])\np = i.get_detector()[0]\nr = i.get_raw_data(0)\n"
        "r = r[0] if isinstance(r, tuple) else r\n"
        "sys.stdout.write('=====' + json.dumps([p.get_origin(), p.get_fast_axis(), sum(r.as_1d()), list(r.all())]))"
    )
    origin, fast, total, shape = script(probe, [str(master)], environment)
    assert_allclose(origin, sweep.panels[0].corner, atol=1e-6)
    assert_allclose(fast, sweep.panels[0].fast, atol=1e-9)
    assert tuple(shape) == sweep.panels[0].size[::-1] and total != 0


@needs_corpus
@pytest.mark.corpus
def test_the_same_spots_are_found_through_the_imgcif_and_its_archive(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    archive = CORPUS / "archive" / "b4_mini.tar.bz2"
    shutil.copy(archive, tmp_path)
    shutil.copy(CORPUS / "imgcif" / "b4_master_archive.cif", tmp_path / "scan.cif")
    ours = spots_of(["scan.cif"], "ours", tmp_path, environment)
    with tarfile.open(archive) as members:
        members.extractall(tmp_path / "images", filter="data")
    images = sorted(map(str, (tmp_path / "images").rglob("*.cbf")))
    same_spots(ours, spots_of(images, "theirs", tmp_path, environment), environment)


@needs_corpus
@pytest.mark.corpus
def test_the_same_spots_are_found_in_a_sweep_of_created_imgcif(tmp_path: Path, environment: dict[str, str]) -> None:
    import bz2

    for path in sorted((CORPUS / "cbf_mini").glob("thau*.cbf.bz2")):
        (tmp_path / path.stem).write_bytes(bz2.decompress(path.read_bytes()))
    images = sorted(map(str, tmp_path.glob("thau*.cbf")))
    options = ["--url-base", "https://zenodo.org/records/7654321/files/", "--dir", str(tmp_path)]
    answers = tmp_path / "answers.toml"
    answers.write_text('[answers]\nprobe = "x-ray"\nradiation = "x-ray"\n')
    target = tmp_path / "scan.cif"
    status = main(["create", *images, "-o", str(target), *options, "--force"])
    assert status in (0, 1) and target.exists()
    ours = spots_of(["scan.cif"], "ours", tmp_path, environment)
    same_spots(ours, spots_of(images, "theirs", tmp_path, environment), environment)


@needs_corpus
@pytest.mark.corpus
def test_the_same_spots_are_found_in_frames_of_an_eiger_stack(tmp_path: Path, environment: dict[str, str]) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    for path in (CORPUS / "hdf5" / "FJ_P5P1").glob("*.h5"):
        shutil.copy(path, tmp_path)
    master = tmp_path / "FJ_P5P1_1_master.h5"
    target = tmp_path / "scan.cif"
    options = ["--url-base", "https://zenodo.org/records/7654321/files/", "--dir", str(tmp_path), "--force"]
    assert main(["create", str(master), "-o", str(target), *options]) in (0, 1)
    probe = (
        "import sys, json, dxtbx\ni, j = (dxtbx.load(name) for name in sys.argv[1:])\n"
        "same = []\nfor k in (0, 5):\n"
        "    a, b = i.get_raw_data(k), j.get_raw_data(k)\n    a = a[0] if isinstance(a, tuple) else a\n"
        "    b = b[0] if isinstance(b, tuple) else b\n"
        "    same.append(bool((a.as_1d() == b.as_1d()).all_eq(True)))\n"
        "sys.stdout.write('=====' + json.dumps([type(i).__name__, i.get_num_images(), j.get_num_images(), same]))"
    )
    try:
        kind, own, other, same = script(probe, [str(target), str(master)], environment)
    except AssertionError as failure:
        if "hdf5plugin" in str(failure) or "filter" in str(failure):
            pytest.skip("the Python with dxtbx has no bitshuffle filter")
        raise
    assert kind == "FormatImgCIF" and own == other
    assert all(same)


@needs_corpus
@pytest.mark.corpus
def test_the_same_spots_are_found_in_a_sweep_of_full_cbf(tmp_path: Path, environment: dict[str, str]) -> None:
    images = sorted(map(str, (CORPUS / "cbf_full").glob("l-cyst_01_*.cbf")))
    for name in images:
        shutil.copy(name, tmp_path)
    local = sorted(map(str, tmp_path.glob("*.cbf")))
    options = ["--url-base", "https://zenodo.org/records/7654321/files/", "--dir", str(tmp_path), "--force"]
    assert main(["create", *local, "-o", str(tmp_path / "scan.cif"), *options]) in (0, 1)
    ours = spots_of(["scan.cif"], "ours", tmp_path, environment)
    same_spots(ours, spots_of(local, "theirs", tmp_path, environment), environment)


def test_stills_of_several_panels_are_processed_as_far_as_spots(tmp_path: Path, environment: dict[str, str]) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    source = np.random.default_rng(11)
    counts = source.poisson(3.0, (4, 400, 300)).astype(np.int32)
    places = [(60, 50), (120, 200), (170, 90), (260, 140), (340, 60), (370, 220)]
    for slow, fast in places:
        counts[:, slow - 1 : slow + 2, fast - 1 : fast + 2] += 900
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["data"] = counts
    panel = "fs = -1.0x\nss = -1.0y\nres = 10000\nclen = 0.1\nmax_adu = 60000\ndim0 = %\ndim1 = ss\ndim2 = fs\n"
    lines = ["photon_energy = 9000 eV", "data = /data", panel]
    for index in range(2):
        lines += [f"p{index}/min_fs = 0", f"p{index}/max_fs = 299", f"p{index}/min_ss = {200 * index}"]
        lines += [
            f"p{index}/max_ss = {200 * index + 199}",
            f"p{index}/corner_x = 150",
            f"p{index}/corner_y = {210 - 220 * index}",
        ]
    geometry = tmp_path / "two.geom"
    geometry.write_text("\n".join(lines) + "\n")
    options = ["--url-base", "https://zenodo.org/records/7654321/files/", "--dir", str(tmp_path), "--force"]
    target = tmp_path / "stills.cif"
    assert main(["create", str(geometry), str(tmp_path / "run.h5"), "-o", str(target), *options]) in (0, 1)
    found = spots_of(["stills.cif"], "ours", tmp_path, environment)
    (spots,) = script(_SPOTS, [found], environment)
    # Each of the six places on each of the four stills, in pixels of its own panel.
    assert len(spots) == 4 * len(places)
    own = {(round(fast - 0.5), round(slow - 0.5)) for fast, slow, _ in spots}
    assert own == {(fast, slow % 200) for slow, fast in places}


def same_spots(ours: str, theirs: str, environment: dict[str, str]) -> None:
    """Both lists hold spots, and the same ones."""
    one, other = (np.array(entry) for entry in script(_SPOTS, [ours, theirs], environment))
    assert len(one) == len(other) > 0
    distances = np.abs(one[:, None, :2] - other[None, :, :2]).max(axis=2)
    assert distances.min(axis=1).max() < 1e-6 and distances.min(axis=0).max() < 1e-6


@needs_corpus
@pytest.mark.corpus
def test_the_page_about_dials_leads_to_spots(tmp_path: Path, environment: dict[str, str]) -> None:
    """All commands of the page up to the spots, as a new user types them."""
    if shutil.which("dials.find_spots") is None:
        pytest.skip("dials.find_spots is not installed")
    shutil.copy(CORPUS / "imgcif" / "b4_master_archive.cif", tmp_path / "scan.cif")
    with tarfile.open(CORPUS / "archive" / "b4_mini.tar.bz2") as members:
        members.extractall(tmp_path / "images", filter="data")
    path = f"{our_command(tmp_path)}{os.pathsep}{environment['PATH']}"
    lines = [line for line in commands(ROOT / "docs" / "to-dials.md") if not line.startswith("dials.index")]
    run("\n".join(["set -e", *lines]), tmp_path, {**environment, "PATH": path})
    counts = script(_SPOTS, [str(tmp_path / "strong.refl"), str(tmp_path / "imported.refl")], environment)
    assert len(counts[0]) == len(counts[1]) > 10
