"""What is exported says the same as the file: read back by our readers and by the words of each program."""

from pathlib import Path

import numpy as np
import pytest
from export.exports import XdsFile, corners_along_beam, corners_of, exported, plan_of
from numpy.testing import assert_allclose
from shared import EXAMPLE, ROOT, needs_corpus, text_files

from imgcif_core.errors import InputError
from imgcif_core.export import Plan, Sweep
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.sources.expt import read_expt
from imgcif_core.sources.geom import read_geom

BASES = ROOT / "conformance" / "datasets" / "bases"
FILES = [EXAMPLE, *sorted(BASES.glob("*.c*"))]
MM = 1e-6


def usable(path: Path) -> Plan:
    """The plan of a file; those that cannot be interpreted are refused, which other tests look at."""
    try:
        return plan_of(path)
    except InputError as refusal:
        pytest.skip(str(refusal).rpartition("/")[2])


def crystal_rotation(sweep: Sweep, frame: int) -> np.ndarray:
    """The rotation of the crystal at the start of a frame, from all circles: (3, 3)."""
    whole = np.eye(3)
    for circle in sweep.circles:
        whole = whole @ rotation_matrices(circle.vector, np.array([circle.start + frame * circle.step]))[0]
    return whole


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_experiment_lists_keep_panels_circles_and_wavelengths(path: Path, tmp_path: Path) -> None:
    plan = usable(path)
    (written,) = exported(path, "expt", tmp_path)
    hold_against_expt(plan, written)


def hold_against_expt(plan: Plan, written: Path) -> None:
    """Compare a plan with the experiment list that was made of it."""
    found = read_expt(written)
    kept = list(found.scans)
    assert sum(scan.frames for scan in kept) >= len(kept)
    for sweep in plan.sweeps:
        near = [scan for scan in kept if len(scan.panels) == len(sweep.panels)]
        distances = [
            np.abs(np.array([panel.corners() for panel in scan.panels]) - corners_of(sweep)).max() for scan in near
        ]
        assert min(distances) < MM
        scan = near[int(np.argmin(distances))]
        assert_allclose(scan.wavelength, sweep.wavelength, rtol=1e-10)
        assert [panel.raw_offset for panel in scan.panels] == [panel.raw_offset for panel in sweep.panels]
    if plan.sweeps[0].circles:
        assert [axis.id for axis in found.goniometer] == [circle.id for circle in plan.sweeps[0].circles]
        for scan, sweep in zip(kept, plan.sweeps, strict=True):
            for frame in (0, sweep.frames - 1):
                whole = np.eye(3)
                for axis in found.goniometer:
                    start, step = scan.settings[axis.id]
                    whole = whole @ rotation_matrices(axis.vector, np.array([start + frame * step]))[0]
                assert_allclose(whole, crystal_rotation(sweep, frame), atol=1e-7)
            assert scan.frames == sweep.frames


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_pixel_lies_where_xds_reads_it(path: Path, tmp_path: Path) -> None:
    plan = usable(path)
    try:
        files = exported(path, "xds", tmp_path)
    except InputError as refusal:
        assert any(word in str(refusal) for word in ("still", "stacked", "one size", "right angles"))
        return
    assert len(files) >= 1
    for number, name in enumerate(files):
        hold_against_xds(plan.sweeps[number], XdsFile(name), plan)


def hold_against_xds(sweep: Sweep, file: XdsFile, plan: Plan) -> None:
    """Compare a sweep with the XDS.INP that was made of it."""
    for panel in sweep.panels:
        for fast, slow in ((0, 0), (panel.size[0] - 1, 0), (3, panel.size[1] - 1)):
            here = panel.origin + fast * panel.pixel_size[0] * panel.fast + slow * panel.pixel_size[1] * panel.slow
            x, y = panel.raw_offset[0] + fast + 1, panel.raw_offset[1] + slow + 1
            assert_allclose(file.place(x, y), here, atol=1e-5)
    assert_allclose(file.numbers("INCIDENT_BEAM_DIRECTION"), -plan.sweeps[0].source, atol=1e-9)
    # The crystal turns from frame to frame as XDS has it: about its axis, by a positive angle.
    step = file.numbers("OSCILLATION_RANGE")[0]
    assert step > 0
    about = rotation_matrices(file.numbers("ROTATION_AXIS"), np.array([step]))[0]
    assert_allclose(about @ crystal_rotation(sweep, 0), crystal_rotation(sweep, 1), atol=1e-7)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_crystfel_geometries_keep_panels(path: Path, tmp_path: Path) -> None:
    plan = usable(path)
    try:
        files = exported(path, "geom", tmp_path)
    except InputError as refusal:
        pytest.skip(str(refusal))
    hold_against_geom(plan, files)


def hold_against_geom(plan: Plan, files: list[Path]) -> None:
    """Compare a plan with the geometries that were made of it: each has a sweep with its panels."""
    for name in files:
        (scan,) = read_geom(name).experiment().scans
        own = np.array([panel.corners() for panel in scan.panels])
        near = [np.abs(own - corners_along_beam(sweep)).max() for sweep in plan.sweeps if len(sweep.panels) == len(own)]
        assert min(near) < MM
        assert {panel.raw_offset for panel in scan.panels} == {panel.raw_offset for panel in plan.sweeps[0].panels}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_masters_keep_panels_and_circles(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    plan = usable(path)
    files = exported(path, "nxmx", tmp_path)
    assert len(files) == len(plan.sweeps)
    for name, sweep in zip(files, plan.sweeps, strict=True):
        hold_against_nxmx(plan, sweep, name)


def hold_against_nxmx(plan: Plan, sweep: Sweep, name: Path) -> None:
    """Compare a sweep with the master that was made of it, whose chains are followed here."""
    import h5py

    gravity = sweep.gravity if sweep.gravity is not None else np.array([0.0, -1.0, 0.0])
    if not np.allclose(sweep.source, [0, 0, 1]) or not np.allclose(gravity, [0, -1, 0]):
        pytest.skip("the frame is turned")
    ours = np.diag([-1.0, 1.0, -1.0])
    with h5py.File(name) as file:
        modules = [
            node
            for node in file["entry/instrument/detector"].values()
            if node.attrs.get("NX_class") == "NXdetector_module"
        ]
        assert len(modules) == len(sweep.panels)
        corners = []
        for module in modules:
            origin = (
                module["module_offset"].attrs["offset"]
                + file[module["module_offset"].attrs["depends_on"]][()]
                * (file[module["module_offset"].attrs["depends_on"]].attrs["vector"])
            )
            corners.append(ours @ origin)
        expected = np.array([panel.corner for panel in sweep.panels])
        distances = np.abs(np.array(corners)[:, None] - expected[None]).max(axis=2)
        assert distances.min(axis=1).max() < MM
        assert file["entry/instrument/beam/incident_wavelength"][()] == sweep.wavelength
        path, vectors, settings = file["entry/sample/depends_on"][()].decode(), [], []
        while path != ".":
            node = file[path]
            vectors.append(ours @ node.attrs["vector"])
            settings.append(node[()])
            path = node.attrs["depends_on"]
    for circle, vector, values in zip(sweep.circles, reversed(vectors), reversed(settings), strict=True):
        assert_allclose(vector, circle.vector, atol=1e-9)
        assert_allclose(values, circle.start + circle.step * np.arange(len(values)), atol=1e-9)
        assert len(values) == (sweep.frames if circle.step else 1)


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_real_files_keep_their_geometry(path: Path, tmp_path: Path) -> None:
    plan = usable(path)
    (written,) = exported(path, "expt", tmp_path)
    hold_against_expt(plan, written)
    if any(sweep.turning for sweep in plan.sweeps) and len(plan.sweeps) == 1:
        (inputs,) = exported(path, "xds", tmp_path)
        hold_against_xds(plan.sweeps[0], XdsFile(inputs), plan)


QUADRANTS = [(-525, 625), (-550, -10), (520, -160), (542.5, 475)]


@pytest.mark.peers
def test_extra_geom_reads_a_geometry_that_went_through_imgcif(tmp_path: Path) -> None:
    extra_geom = pytest.importorskip("extra_geom", reason="EXtra-geom is not installed")
    from imgcif_core.create.loop import Wishes, create

    before = extra_geom.AGIPD_1MGeometry.from_quad_positions(quad_pos=QUADRANTS)
    source = tmp_path / "agipd.geom"
    before.write_crystfel_geom(str(source), data_path="/data", clen=0.3, photon_energy=9000, adu_per_ev=0.0075)
    text = create(source, wishes=Wishes(answers={"wavelength": 1.3776})).text
    (written,) = exported(text, "geom", tmp_path)
    after = extra_geom.AGIPD_1MGeometry.from_crystfel_geom(str(written))
    ours, theirs = after.get_pixel_positions(), before.get_pixel_positions()
    # The distance stands in `clen`, of which EXtra-geom does not make a part of positions.
    assert_allclose(ours[..., :2], theirs[..., :2], atol=1e-9)
    assert np.ptp(ours[..., 2] - theirs[..., 2]) < 1e-9
